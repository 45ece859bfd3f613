"""Files read within limits, and written completely or not at all."""

import codecs
import errno
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from archspec.diagnostics import UnreadableFile, alike
from archspec.paths import AnyPath, display_path, leads_out, posix

MAX_BYTES = 1 << 20
LARGEST = 64 << 20  # of a file that is compared before it is replaced

Data = str | bytes
Name = TypeVar("Name", bound=AnyPath)

_MARKS = {  # the longer first: one starts like another
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_NO_SUCH_NAME = (errno.ENOENT, errno.ENAMETOOLONG, errno.EINVAL)
_LEFT = r"\.archspec-(\d{1,9})-[0-9a-f]{8}\.tmp"
_LONGEST_WRITE = 3600  # seconds


def is_there(path: AnyPath) -> bool:
    """Whether anything has this name, including a directory, a pipe, or a broken symlink.

    An existing file that cannot be read is an error: it is never skipped. Raises `UnreadableFile`
    if
    the directory cannot be searched.
    """
    try:
        os.lstat(path)
    except ValueError:  # a null byte
        return False
    except OSError as error:
        if error.errno not in _NO_SUCH_NAME:
            raise _unread(path, error) from None
        if _leads_nowhere(folder := os.path.dirname(path)):
            raise _unread(folder, error) from None
        return False
    return True


def check_named(path: str) -> None:
    """Raises `UnreadableFile` for a symlink in the project to a path outside it.

    A shell expands `specs/*` to all files, so the command line may name any of them.
    """
    try:
        if os.path.realpath(path) == os.path.abspath(path):
            return
    except (OSError, ValueError):  # reported where it is opened
        return
    if leads_out(path):
        raise outside_project(path)


def outside_project(path: str) -> UnreadableFile:
    """The error for a symlink to a path outside the project."""
    return UnreadableFile(f"`{path}` is a symlink to a path outside the project")


def names_in(folder: AnyPath) -> list[str]:
    """The names in a directory, in order; none if it does not exist. Raises `UnreadableFile`."""
    if not is_there(folder):
        return []
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise _unread(folder, error) from None


def read_bytes(path: AnyPath, most: int = MAX_BYTES) -> bytes:
    """The content of a regular file; of a large one, only enough to show that it is."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _failed("read", display_path(path), "it is not a regular file")
            return file.read(min(status.st_size or most, most) + 1)
    except OSError as error:
        raise _unread(path, error) from None
    except ValueError:
        raise _failed("read", display_path(path), "it is not a valid file name") from None


def marked_encoding(data: bytes) -> str:
    """The encoding other than UTF-8 of a byte order mark at the start; "" if there is none."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")


def _without_waiting(path: str, flags: int) -> int:
    """Reading a pipe would wait for its writer before it is known to be a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _leads_nowhere(path: AnyPath) -> bool:
    return os.path.islink(path) and not os.path.exists(path)


def _unread(path: AnyPath, error: OSError) -> UnreadableFile:
    reason = "it is a symlink to a missing file" if _leads_nowhere(path) else error.strerror
    return _failed("read", display_path(path), reason)


def similar(path: AnyPath) -> str:
    """The hint for a file that does not exist: one in its directory with a similar name."""
    folder, name = os.path.split(os.fsdecode(path))
    with suppress(OSError):
        for near in alike(name, os.listdir(folder or "."), 0.75):
            return f"did you mean `{posix(os.path.join(folder, near))}`?"
    return ""


def _failed(what: str, path: str, reason: str | None) -> UnreadableFile:
    reason = (reason or "it cannot be opened").lower()
    return UnreadableFile(f"could not {what} `{path}`: {reason}")


# Writing ------------------------------------------------------------------------------


class _Ready(NamedTuple):
    """A written file, to be moved into place."""

    path: AnyPath
    temporary: str
    place: str


def write_text(path: AnyPath, text: str) -> None:
    """One file, like `write_files`."""
    write_files({path: text})


def write_files(
    files: Mapping[Name, Data], before: Mapping[Name, bytes | None] | None = None
) -> None:
    """Replace the contents of these files.

    Every file is written to disk, next to its target, before the first is moved into place. Owner,
    permissions, and symlinks are kept, and so are the line ends of the text. A device or a pipe is
    written to instead of replaced. `before` are the contents when the files were read, None for a
    missing file: if one has changed since, nothing is replaced.

    Raises `UnreadableFile`, also for a symlink in the project to a path outside it.
    """
    ready: list[_Ready] = []
    streams: list[tuple[AnyPath, bytes]] = []
    path: AnyPath = ""
    try:
        for path, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            _prepare(path, data, ready, streams)
        for file in ready:
            _check_unchanged(file.path, before or {})
        for file in ready:
            path = file.path
            os.replace(file.temporary, file.place)
        for folder in {os.path.dirname(file.place) for file in ready}:
            _keep(folder)
            remove_leftovers(folder)
        for path, data in streams:
            with open(_handle(path), "wb") as stream:
                stream.write(data)
    except OSError as error:
        raise _failed("write", posix(path), error.strerror) from None
    finally:
        for file in ready:
            with suppress(FileNotFoundError):
                os.unlink(file.temporary)


def _prepare(
    path: AnyPath, data: bytes, ready: list[_Ready], streams: list[tuple[AnyPath, bytes]]
) -> None:
    """Write a file next to `path`, to be moved there, unless `path` cannot be replaced."""
    if leads_out(path):
        raise PermissionError(None, "it is a symlink to a path outside the project")
    old = _status(path)
    if old and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(None, "it is a directory")
    if old and (not stat.S_ISREG(old.st_mode) or _output(old) is not None):
        streams.append((path, data))
        return
    place = os.path.realpath(path)
    if old and not os.access(place, os.W_OK):
        raise PermissionError(None, "permission denied")
    temporary = temporary_in(os.path.dirname(place))
    with open(temporary, "xb", opener=_for_us_alone) as file:
        ready.append(_Ready(path, temporary, place))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _make_alike(temporary, old)


def _status(path: AnyPath) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _output(status: os.stat_result) -> int | None:
    """Standard output or error if that is the file, as `/dev/stdout` is."""
    for handle in (1, 2):
        with suppress(OSError):  # closed
            if os.path.samestat(status, os.fstat(handle)):
                return handle
    return None


def _handle(path: AnyPath) -> int:
    """A handle for writing: for a file that is already open, at its current position."""
    output = _output(os.stat(path))
    return os.open(path, os.O_WRONLY) if output is None else os.dup(output)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_alike(temporary: str, old: os.stat_result | None) -> None:
    """Set the owner and the mode of the old file, or those of any new one."""
    if old is None:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        return
    new = os.stat(temporary)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.chown(temporary, old.st_uid, old.st_gid)
        except OSError:
            raise PermissionError(None, "its owner and group cannot be kept") from None
    os.chmod(temporary, stat.S_IMODE(old.st_mode))


def _check_unchanged(path: AnyPath, before: Mapping[Any, bytes | None]) -> None:
    """Raises `UnreadableFile` if the content of a file has changed since it was read."""
    if path in before and before[path] != read_if_there(path):
        reason = "it has changed since it was read; run the command again"
        raise _failed("write", posix(path), reason)


def read_if_there(path: AnyPath) -> bytes | None:
    """The content of a file, for a comparison before it is replaced; None if it does not exist."""
    return read_bytes(path, LARGEST) if is_there(path) else None


def _keep(folder: str) -> None:
    """Flush moved files to disk; only POSIX can open a directory."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Temporary files ----------------------------------------------------------------------


def temporary_in(folder: str) -> str:
    """The name of a file that will be moved into place in the directory."""
    return os.path.join(folder, f".archspec-{os.getpid()}-{os.urandom(4).hex()}.tmp")


def remove_leftovers(folder: str) -> None:
    """Remove the temporary files in a directory whose process was killed."""
    with suppress(OSError):  # a directory may be writable but not listable
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if (found := re.fullmatch(_LEFT, name)) and _is_left(path, int(found[1])):
                os.unlink(path)


def _is_left(path: str, process: int) -> bool:
    """Whether nothing writes to it any more: its process has ended, or it is too old."""
    try:
        if time.time() - os.lstat(path).st_mtime > _LONGEST_WRITE:
            return True
        if os.name == "posix":  # elsewhere this would end the process
            os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # another user's process, or the file is gone
        return False
    return False

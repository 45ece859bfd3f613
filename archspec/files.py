"""Files read within limits, and written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archspec.diagnostics import UnreadableFile, shown
from archspec.paths import AnyPath, display_path, leads_out, posix

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20

Data = str | bytes


def read_bytes(path: AnyPath, most: int = MAX_BYTES) -> bytes:
    """What a regular file holds, of a large one no more than shows that it is."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _failed("read", display_path(path), "it is not a regular file")
            return file.read(min(status.st_size or most, most) + 1)
    except OSError as error:
        raise _failed("read", display_path(path), error.strerror) from None
    except ValueError:
        raise _failed("read", display_path(path), "this is no file name") from None


def _without_waiting(path: str, flags: int) -> int:
    """A pipe would wait for its writer before it can be seen to be one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _failed(what: str, path: str, reason: str | None) -> UnreadableFile:
    reason = (reason or "it cannot be opened").lower()
    return UnreadableFile(f"cannot {what} `{shown(path)}`: {reason}")


def write_text(path: AnyPath, text: str) -> None:
    """One file, as `write_files`."""
    _write([(path, text)])


def write_files(files: Mapping[Path, Data]) -> None:
    """Replaces what these files hold.

    Every file is on the disk, beside its place, before the first takes its place. Permissions
    and links stay as they are, and so do the line ends of the text. Raises `UnreadableFile`,
    also for a link of the project that leads out of it.
    """
    _write(files.items())


def _write(files: Iterable[tuple[AnyPath, Data]]) -> None:
    ready: list[tuple[str, str]] = []
    path: AnyPath = ""
    try:
        for path, text in files:
            if leads_out(path):
                raise PermissionError(None, "it is a link that leads out of the project")
            _prepare(os.path.realpath(path), text, ready)
        for temporary, place in ready:
            os.replace(temporary, place)
        _keep({os.path.dirname(place) for _, place in ready})
    except OSError as error:
        raise _failed("write", posix(path), error.strerror) from None
    finally:
        for temporary, _ in ready:
            if os.path.exists(temporary):
                os.unlink(temporary)


def _prepare(path: str, text: Data, ready: list[tuple[str, str]]) -> None:
    """Writes a file beside `path`, to be moved there."""
    if os.path.isdir(path):
        raise IsADirectoryError(None, "it is a folder")
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}.tmp")
    with open(temporary, "xb", opener=_for_us_alone) as file:
        ready.append((temporary, path))
        file.write(text.encode() if isinstance(text, str) else text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, _mode(path))


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _mode(path: str) -> int:
    if os.path.exists(path):
        return os.stat(path).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _keep(folders: Iterable[str]) -> None:
    """Has the disk keep what was moved; only POSIX opens a folder."""
    for folder in folders if os.name == "posix" else ():
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

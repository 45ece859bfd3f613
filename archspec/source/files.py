"""Files and bytes -> text, and the name of a file as people are shown it."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path

from archspec.diagnostics import Diagnostic, Span, SpecError, UnreadableFile
from archspec.source.syntax import shown, span_at

MAX_BYTES = 1 << 20
ROOT_MARKERS = ("pyproject.toml", "archspec.toml", ".git")


def read_bytes(path: str | Path, most: int = MAX_BYTES) -> bytes:
    """What a regular file holds, of a large one no more than shows that it is."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _unreadable(path, "it is not a regular file")
            return file.read(min(status.st_size or most, most) + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise _unreadable(path, reason) from None
    except ValueError:
        raise _unreadable(path, "this is no file name") from None


def _unreadable(path: str | Path, reason: str) -> UnreadableFile:
    return UnreadableFile(f"cannot read `{shown(display_path(path))}`: {reason}")


def _without_waiting(path: str, flags: int) -> int:
    """A pipe would wait for its writer before it can be seen to be one."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def display_path(path: str | Path) -> str:
    """The path relative to the working directory, with forward slashes."""
    if not os.path.isabs(path):
        return path.as_posix() if isinstance(path, Path) else Path(path).as_posix()
    try:
        return Path(os.path.relpath(path)).as_posix()
    except (OSError, ValueError):  # no working directory, a null byte, another drive
        return Path(path).name


def working_folder() -> str:
    """What shown paths are relative to; "" if it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def lies_in(file: str, folder: Path) -> bool:
    """Whether this is the shown path of a file in a folder, or further below it."""
    return file.startswith(_start(folder, working_folder()))


@lru_cache(maxsize=64)
def _start(folder: Path, _working_folder: str) -> str:
    return display_path(folder) + "/"


@lru_cache(maxsize=256)
def project_root(folder: str) -> str:
    """The nearest folder that holds a project's files, or `folder` itself."""
    here = start = os.path.realpath(folder)
    while not _is_root(here):
        above = os.path.dirname(here)
        if above == here:
            return start
        here = above
    return here


def _is_root(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, marker)) for marker in ROOT_MARKERS)


def leaves_project(path: str | Path, folder: Path) -> bool:
    """Whether a link leads from a file of the project that `folder` is in to one outside it.

    A spec may come from a stranger: what it names is read inside its own project alone.
    """
    root = project_root(os.path.abspath(folder))
    return not _is_in(os.path.realpath(path), root)


def leads_out(path: str | Path) -> bool:
    """Whether a path in the project of the working directory is, by a link, one outside it.

    What a command names may be a link that a stranger has put there. Where nothing says where
    a project begins, none is left.
    """
    here = working_folder()
    root = project_root(here)
    if not _is_root(root):
        return False
    named = os.path.normpath(os.path.join(here, path))
    return _is_in(named, root) and not _is_in(os.path.realpath(path), root)


def is_in_project(path: str, folder: str) -> bool:
    """Whether a path is in the project that a folder is in, or in the working directory."""
    target = os.path.realpath(path)
    return any(_is_in(target, root) for root in (project_root(folder), working_folder()) if root)


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(os.path.join(root, ""))


def decode(text: str | bytes, file: str) -> str:
    """The text of a file of bounded size, without its byte order mark."""
    try:
        data = text if isinstance(text, bytes) else text.encode()
        if len(data) > MAX_BYTES:
            hint = "split it: a spec needs a few hundred lines at most"
            message = f"the file is larger than {MAX_BYTES:,} bytes"
            raise SpecError([Diagnostic("too-large", message, Span(file), hint)])
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        found = f"byte {error.start} (0x{error.object[error.start]:02x})"
    except UnicodeEncodeError as error:
        before = error.object[: error.start]
        found = f"character {error.start} (half of a surrogate pair)"
    message, span = f"{found} is not UTF-8", span_at(before, len(before), file)
    hint = "save the file as UTF-8"
    raise SpecError([Diagnostic("not-utf8", message, span, hint)])

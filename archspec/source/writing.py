"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from archspec.diagnostics import UnreadableFile
from archspec.source.files import leads_out
from archspec.source.syntax import shown


def write_text(path: Path, text: str) -> None:
    """One file, as `write_files`."""
    write_files({path: text})


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Replaces what these files hold.

    Every file is on the disk, beside its place, before the first takes its place. Permissions
    and links stay as they are, and so do the line ends of the text. Raises `UnreadableFile`,
    also for a link of the project that leads out of it.
    """
    ready: list[tuple[str, Path]] = []
    path = Path()
    try:
        for path, text in files.items():
            if leads_out(path):
                raise PermissionError(None, "it is a link that leads out of the project")
            data = text.encode() if isinstance(text, str) else text
            _prepare(Path(os.path.realpath(path)), data, ready)
        for temporary, path in ready:
            os.replace(temporary, path)
        _keep({path.parent for _, path in ready})
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise UnreadableFile(f"cannot write `{shown(path.as_posix())}`: {reason}") from None
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def _prepare(path: Path, data: bytes, ready: list[tuple[str, Path]]) -> None:
    """Writes a file beside `path`, to be moved there."""
    if path.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    ready.append((temporary, path))
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, _mode(path))


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _keep(folders: Iterable[Path]) -> None:
    """Has the disk keep what was moved; only POSIX opens a folder."""
    for folder in folders if os.name == "posix" else ():
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

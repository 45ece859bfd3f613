"""A file written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from archspec.diagnostics import UnreadableFile
from archspec.lint.visible import visible


def write_text(path: Path, text: str) -> None:
    """Replaces the file's content and keeps its permissions; line ends stay as they are."""
    try:
        _replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise UnreadableFile(f"cannot write `{visible(path.as_posix())}`: {reason}") from None


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask

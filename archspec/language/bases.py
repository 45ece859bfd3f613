"""Base specs: where they are searched for, and the limit on their total size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archspec import resources
from archspec.diagnostics import Diagnostic, Span, SpecError, did_you_mean
from archspec.files import MAX_BYTES
from archspec.language.library import parsed
from archspec.memo import Memo
from archspec.paths import display_path, leaves_project
from archspec.source.document import Document
from archspec.source.folder import Files

SHIPPED = (str(resources.SPECS), str(resources.ZOO))


class Bases:
    """The base specs of a spec. Together they share the size limit of one file."""

    def __init__(self, beside: Path | None, files: Files, memo: Memo | None) -> None:
        self.beside = str(beside) if beside is not None else None
        self.files, self.memo = files, memo
        self.bytes = 0

    def find(self, name: str, span: Span | None) -> Document:
        """The spec with this name: a file in the same directory, then a built-in spec."""
        folders = [*([self.beside] if self.beside is not None else []), *SHIPPED]
        for folder in folders:
            path = f"{folder}/{name}.yaml"
            if self.files.is_there(path) and not (span and _is_shown(path, name, span.file)):
                if folder == self.beside and leaves_project(path, Path(folder)):
                    message = f"`{name}` is a symlink to a path outside the project"
                    hint = "copy the file into this directory"
                    raise SpecError([Diagnostic("extends", message, span, hint)])
                return self._read(path, span)
        raise self._nothing_to_extend(name, folders, span)

    def _read(self, path: str, span: Span | None) -> Document:
        """A spec that exists."""
        text = self.files.read(path)
        self.bytes += len(text)
        if len(text) <= MAX_BYTES < self.bytes:
            message = f"the base specs of this spec exceed {MAX_BYTES:,} bytes in total"
            raise SpecError([Diagnostic("too-large", message, span, "extend smaller specs")])
        return parsed(text, display_path(path), memo=self.memo)

    def _nothing_to_extend(self, name: str, folders: Iterable[str], span: Span | None) -> SpecError:
        known = {stem for folder in folders for stem in self.files.stems(folder)} - {name}
        hint: str = did_you_mean(name, known) or (
            "run `archspec list specs` to see the built-in specs"
        )
        if span and Path(span.file).stem == name:
            hint = "a spec cannot extend itself: name another spec, or remove the line"
        message = f"unknown spec `{name}` in `extends`"
        return SpecError([Diagnostic("extends", message, span, hint)])


def _is_shown(path: str, name: str, file: str) -> bool:
    """Whether `file` is the path as displayed."""
    return file.endswith(f"{name}.yaml") and display_path(path) == file

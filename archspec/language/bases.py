"""The specs that a spec extends: where they are looked for, and how much of them there may be."""

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
    """The specs that one extends. All of them are no larger than one may be."""

    def __init__(self, beside: Path | None, files: Files, memo: Memo | None) -> None:
        self.beside = str(beside) if beside is not None else None
        self.files, self.memo = files, memo
        self.bytes = 0

    def find(self, name: str, span: Span | None) -> Document:
        """The spec of a name: the file beside, then the shipped ones."""
        folders = [*([self.beside] if self.beside is not None else []), *SHIPPED]
        for folder in folders:
            path = f"{folder}/{name}.yaml"
            if self.files.is_there(path) and not (span and _is_shown(path, name, span.file)):
                if folder == self.beside and leaves_project(path, Path(folder)):
                    message = f"`{name}` is a link that leads out of the project"
                    hint = "put a copy of the file here"
                    raise SpecError([Diagnostic("extends", message, span, hint)])
                return self._read(path, span)
        raise self._nothing_to_extend(name, folders, span)

    def _read(self, path: str, span: Span | None) -> Document:
        """A spec that is there."""
        text = self.files.read(path)
        self.bytes += len(text)
        if len(text) <= MAX_BYTES < self.bytes:
            message = f"the specs that this one extends are larger than {MAX_BYTES:,} bytes"
            raise SpecError([Diagnostic("too-large", message, span, "extend smaller ones")])
        return parsed(text, display_path(path), memo=self.memo)

    def _nothing_to_extend(self, name: str, folders: Iterable[str], span: Span | None) -> SpecError:
        known = {stem for folder in folders for stem in self.files.stems(folder)} - {name}
        hint: str = did_you_mean(name, known) or "`archspec list specs` names the shipped ones"
        if span and Path(span.file).stem == name:
            hint = "a spec never extends itself: name another one, or remove the line"
        message = f"there is no spec `{name}` to extend"
        return SpecError([Diagnostic("extends", message, span, hint)])


def _is_shown(path: str, name: str, file: str) -> bool:
    """Whether `file` is how the path is shown."""
    return file.endswith(f"{name}.yaml") and display_path(path) == file

"""Findings in a spec and in the blocks that it uses, with their lines."""

from collections.abc import Iterable
from typing import NamedTuple

from archspec.diagnostics import Diagnostic, Label, Span, SpecError
from archspec.language.blocks import Block, unusable
from archspec.language.check.pieces import Known, Piece, check_piece
from archspec.language.library import BlockError, Library, Meanings
from archspec.language.problems import Problem, diagnose
from archspec.memo import canonical
from archspec.places import Path
from archspec.source.document import Document
from archspec.source.findings import MAX_FINDINGS, too_many_findings


class Met(NamedTuple):
    """A used block and its first use; None if it is checked without being used."""

    block: str
    document: Document | None = None
    path: Path = ()
    key: bool = False

    def label(self, text: str) -> tuple[Label, ...]:
        """A label for the use, if it is written anywhere."""
        span = self.document.span(self.path, self.key) if self.document else None
        return (Label(span, text),) if span else ()


class Report:
    """The findings so far. Blocks wait until their callers are checked: no recursion."""

    def __init__(self, document: Document, library: Library, args: frozenset[str]) -> None:
        self.document, self.library = document, library
        known = Known(args, frozenset(library.names()))
        self.known = canonical(library.memo, known, known)
        self.found: list[Diagnostic] = []
        self._meanings = Meanings(library)
        self._met: set[str] = set()
        self._waiting: list[Met] = []

    def add(self, findings: Iterable[Diagnostic], labels: tuple[Label, ...] = ()) -> None:
        """Add findings, with the uses that led there; raises `SpecError` if there are too many."""
        for finding in findings:
            if len(self.found) >= MAX_FINDINGS:
                raise SpecError([*self.found, too_many_findings(finding.span)])
            self.found.append(finding._replace(labels=(*finding.labels, *labels)))

    def wrong_name(self, name: str, file: str) -> None:
        """Why a block cannot have the name of its file, reported at the file's first line."""
        self.add(Diagnostic(p.rule, p.message, Span(file), p.hint) for p in unusable(name))

    def check(self, piece: Piece, path: Path = ()) -> None:
        """A piece of the document."""
        self._check(piece, self.document, path, None)

    def check_block(self, name: str, block: Block) -> None:
        """The block in the document, and the blocks that it uses."""
        self._met.add(name)
        self.check(block)
        self.check_blocks()

    def meet(self, met: Met) -> None:
        """Have a block checked, once."""
        if met.block not in self._met:
            self._met.add(met.block)
            self._waiting.append(met)

    def check_blocks(self) -> None:
        """Check each block that was found, and the blocks that it uses."""
        for met in self._waiting:  # it grows meanwhile
            try:
                block = self.library.block(met.block)
            except BlockError as error:
                self.add(error.diagnostics, met.label("used here"))
                continue
            if block is not None:
                self._check(block, self.library.documents[met.block], (), met)

    def _check(self, piece: Piece, document: Document, path: Path, met: Met | None) -> None:
        checked = check_piece(piece, self.known, self._meanings, memo=self.library.memo)
        in_file = met is not None and met.block not in self.library.own
        if checked.problems:
            found = [diagnose(problem.below(*path), document) for problem in checked.problems]
            self.add(found, met.label(f"`{met.block}` is used here") if met and in_file else ())
        for use in checked.uses:
            if in_file and self.library.of_spec_alone(use.block):
                self.add([diagnose(_out_of_sight(use.block, use.path), document)])
            elif use.block not in self._met:
                self.meet(Met(use.block, document, (*path, *use.path), use.key))


def _out_of_sight(name: str, path: Path) -> Problem:
    """A block in a file has one meaning, whichever spec uses it."""
    hint = (
        f"move `{name}` from the spec to `blocks/{name}.yaml`: a block file cannot use blocks of "
        "a spec"
    )
    return Problem("unknown-layer", f"unknown layer `{name}`", hint, path, key=True)

"""Names: every layer, argument, and expression of a spec and of the blocks it uses.

Everything that can be checked without shapes is checked here, all at once. `archspec.expand`
checks sizes and shapes.

report    the findings in a spec and its blocks, with their lines
pieces    the names in one piece of a spec
references  what layers refer to
tensors   names of tensors
lengths   per-block lists
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archspec.diagnostics import Diagnostic
from archspec.language.blocks import Block
from archspec.language.check.lengths import lengths
from archspec.language.check.pieces import check_init
from archspec.language.check.report import Met, Report
from archspec.language.check.tensors import of_network
from archspec.language.library import Library
from archspec.language.problems import diagnose
from archspec.language.reading import names_of_tensors
from archspec.language.spec import Section, Spec
from archspec.language.stages import Stage
from archspec.paths import display_path
from archspec.source.document import Document

WORD = re.compile(r"\w+")


def check(spec: Spec, library: Library) -> list[Diagnostic]:
    """Check that every name is defined and every argument fits.

    Raises `SpecError` if there are too many findings.
    """
    report = Report(spec.document, library, _args(spec))
    report.check(spec.stem, ("stem",))
    report.check(spec.head, ("head",))
    for key, stage in spec.stages.items():
        report.check(stage, ("stages", key))
    report.check(spec.defaults, ("defaults",))
    problems = check_init(spec.init, report.known.args)
    report.add(diagnose(problem, spec.document) for problem in problems)
    for name in spec.blocks:
        report.meet(Met(name))
    report.check_blocks()
    report.add(lengths(spec, library))
    report.add(_tensors(spec, library))
    entries = (*spec.stem.entries, *spec.head.entries)
    if not spec.stages and not any(stack.layers for _, stack in entries):
        hint = "add a `stem`, `stages`, or a `head`; for example, `stem: [{conv: 64}, norm, act]`"
        message = "the network has no layers"
        report.add([Diagnostic("no-layers", message, spec.where("name"), hint)])
    for name, path in library.hidden():
        report.wrong_name(name, display_path(path))
    return [*_without_following(report.found)]


def _without_following(found: list[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings, without those for tensors that a misspelled `save` would name."""
    misspelled = any(getattr(one.hint, "instead", "") == "save" for one in found)
    return (one for one in found if not misspelled or one.rule != "unknown-tensor")


def _args(spec: Spec) -> frozenset[str]:
    """The arguments of a network, and the words in the names of those that were removed."""
    gone = (str(path[1]) for path in spec.document.gone if path[0] == "args")
    return frozenset(spec.args).union(*map(WORD.findall, gone))


def _tensors(spec: Spec, library: Library) -> Iterator[Diagnostic]:
    """Names of tensors in the network, if any layer reads or names one."""
    pieces: list[Section | Stage] = [spec.stem, spec.head, *spec.stages.values()]
    if any(names_of_tensors(piece, memo=library.memo) for piece in pieces):
        for problem in of_network(spec, library.readable):
            yield diagnose(problem, spec.document)


def check_block(name: str, block: Block, document: Document, library: Library) -> list[Diagnostic]:
    """The same for a single block, independent of its callers."""
    library.documents[name] = document
    report = Report(document, library, frozenset())
    report.wrong_name(name, document.file)
    report.check_block(name, block)
    return report.found

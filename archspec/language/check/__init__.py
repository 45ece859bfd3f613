"""Names: every layer, argument and expression of a spec, and of the blocks it uses.

What can be known without shapes is found here, all at once; sizes and shapes are the business
of `archspec.expand`.

report    what is found in a spec and its blocks, at its lines
pieces    the names in one piece of a spec
references  what layers refer to
lengths   lists in a stage
"""

from __future__ import annotations

from archspec.diagnostics import Diagnostic
from archspec.language.blocks import Block
from archspec.language.check.lengths import lengths
from archspec.language.check.pieces import check_init
from archspec.language.check.report import Met, Report
from archspec.language.library import Library
from archspec.language.problems import diagnose
from archspec.language.spec import Spec
from archspec.paths import display_path
from archspec.source.document import Document


def check(spec: Spec, library: Library) -> list[Diagnostic]:
    """Every name that means nothing, and every argument that does not fit.

    Raises `SpecError` where there are too many.
    """
    report = Report(spec.document, library, frozenset(spec.args))
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
    entries = (*spec.stem.entries, *spec.head.entries)
    if not spec.stages and not any(stack.layers for _, stack in entries):
        hint = "write a `stem`, `stages` or a `head`, e.g. `stem: [{conv: 64}, norm, act]`"
        message = "the network has no layers"
        report.add([Diagnostic("no-layers", message, spec.where("name"), hint)])
    for name, path in library.hidden():
        report.wrong_name(name, display_path(path))
    return report.found


def check_block(name: str, block: Block, document: Document, library: Library) -> list[Diagnostic]:
    """The same for a block by itself, whoever uses it."""
    library.documents[name] = document
    report = Report(document, library, frozenset())
    report.wrong_name(name, document.file)
    report.check_block(name, block)
    return report.found

"""Lists in a stage: a value for each of its blocks."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Label
from archspec.expression import ExpressionError
from archspec.language.blocks import Block
from archspec.language.check.findings import Findings, Scope, Where
from archspec.language.library import BlockError, Library
from archspec.language.problems import Problems, diagnose
from archspec.language.spec import Spec
from archspec.language.stages import Stage


def check_lengths(found: Findings, spec: Spec, library: Library) -> None:
    """That each list has as many entries as its stage has blocks, where that is known."""
    try:
        counts = spec.repeats
    except ExpressionError:
        return
    except Problems as error:
        found += [diagnose(p, spec.document) for p in error.problems]
        return
    for key, count in counts.items():
        stage, where = spec.stages[key], Where(spec.document, ("stages", key))
        _length(found, where, "channels", stage.channels, count)
        _length(found, where, "stride", stage.stride, count)
        if len(stage.blocks) > 1 or isinstance(stage.raw["block"], list):
            _length(found, where, "block", stage.blocks, count)
        block = _first_block(stage, library)
        for arg, value in stage.given.items():
            if isinstance(value, list) and block and arg in block.args:
                _length(found, where, arg, tuple(value), count)


def _first_block(stage: Stage, library: Library) -> Block | None:
    try:
        return library.block(stage.blocks[0]) if stage.blocks else None
    except BlockError:  # reported where the block is used
        return None


def _length(found: Findings, where: Where, name: str, values: Any, count: int) -> None:
    if not isinstance(values, tuple) or len(values) == count:
        return
    entries = "1 entry" if len(values) == 1 else f"{len(values)} entries"
    blocks = "1 block" if count == 1 else f"{count} blocks"
    message = f"`{name}` has {entries} for {blocks}"
    hint = "a list in a stage says a value block by block"
    repeats = where.document.mark((*where.path, "repeat"))
    used_at = Label(repeats.span, f"{blocks} here") if repeats else None
    found.report(
        "wrong-length", message, where.span(name), hint, Scope(frozenset(), used_at=used_at)
    )

"""Lists in a stage: a value for each of its blocks."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Label
from archspec.expression import ExpressionError
from archspec.language.blocks import Block
from archspec.language.check.findings import Findings, Scope
from archspec.language.library import BlockError, Library
from archspec.language.models import Spec
from archspec.language.problems import Problems, diagnose
from archspec.language.stages import Stage


def check_lengths(found: Findings, spec: Spec, library: Library) -> None:
    """That each list has as many entries as its stage has blocks, where that is known."""
    try:
        counts = spec.repeats
    except ExpressionError:
        return
    except Problems as error:
        found += [diagnose(p, spec.data) for p in error.problems]
        return
    for key, count in counts.items():
        stage = spec.stages[key]
        _length(found, stage, "channels", stage.channels, count)
        _length(found, stage, "stride", stage.stride, count)
        if len(stage.blocks) > 1 or isinstance(stage.raw["block"], list):
            _length(found, stage, "block", stage.blocks, count)
        block = _first_block(stage, library)
        for arg, value in stage.given.items():
            if isinstance(value, list) and block and arg in block.args:
                _length(found, stage, arg, tuple(value), count)


def _first_block(stage: Stage, library: Library) -> Block | None:
    try:
        return library.block(stage.blocks[0]) if stage.blocks else None
    except BlockError:  # told where the block is used
        return None


def _length(found: Findings, stage: Stage, name: str, values: Any, count: int) -> None:
    if not isinstance(values, tuple) or len(values) == count:
        return
    entries = "1 entry" if len(values) == 1 else f"{len(values)} entries"
    blocks = "1 block" if count == 1 else f"{count} blocks"
    message = f"`{name}` has {entries} for {blocks}"
    hint = "a list in a stage says a value block by block"
    said = stage.where("repeat") if "repeat" in stage.raw else None
    here = Scope(frozenset(), used_at=Label(said, f"{blocks} here") if said else None)
    found.report("wrong-length", message, stage.where(name), hint, here)

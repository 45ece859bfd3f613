"""Per-block lists: one value for each block of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from archspec.diagnostics import Diagnostic, Label, plural
from archspec.expression import ExpressionError
from archspec.language.library import Library
from archspec.language.problems import Problem, Problems, diagnose
from archspec.language.spec import Spec
from archspec.language.stages import Stage
from archspec.places import Path


def lengths(spec: Spec, library: Library) -> Iterator[Diagnostic]:
    """Check that each list has one entry per block of its stage, if that number is known."""
    try:
        counts = spec.repeats
    except ExpressionError:
        return
    except Problems as error:
        yield from (diagnose(p, spec.document) for p in error.problems)
        return
    for path, count in counts.items():
        for name, values in _lists(spec.runs[path], library):
            if len(values) != count:
                yield _wrong_length(spec, path, name, len(values), count)


def _lists(stage: Stage, library: Library) -> Iterator[tuple[str, Sized]]:
    """The per-block lists of a stage."""
    if isinstance(stage.channels, tuple):
        yield "channels", stage.channels
    if isinstance(stage.stride, tuple):
        yield "stride", stage.stride
    if isinstance(stage.raw["block"], list):
        yield "block", stage.blocks
    block = library.readable(stage.blocks[0])
    for arg, value in stage.given.items():
        if isinstance(value, list) and block and arg in block.args:
            yield arg, value


def _wrong_length(spec: Spec, path: Path, name: str, length: int, count: int) -> Diagnostic:
    values = plural(length, "value")
    blocks = plural(count, "block")
    message = f"`{name}` has {values}, but the stage has {blocks}"
    hint = "a list in a stage needs one value per block"
    repeats = spec.document.mark((*path, "repeat"))
    labels = (Label(repeats.span, f"{blocks} here"),) if repeats else ()
    problem = Problem("wrong-length", message, hint, (*path, name))
    return diagnose(problem, spec.document, *labels)

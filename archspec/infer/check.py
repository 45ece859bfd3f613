"""Checks that a spec has exactly these names and shapes, read where it will be saved."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from archspec.diagnostics import SpecError, plural, shown
from archspec.infer.candidates import MEMO, Candidate, state_of
from archspec.infer.header import Shapes
from archspec.infer.inference import Inference
from archspec.infer.own import Own
from archspec.infer.text import written
from archspec.language.load import parse_text
from archspec.paths import display_path
from archspec.records import Record

MOST_REASONS = 12


class Goal(Record):
    """What to match, the name of the spec, and what it may extend."""

    shapes: Shapes
    name: str
    own: Own


def checked(
    spec: dict[str, Any], goal: Goal, found: Inference, base: Candidate | None = None
) -> Inference:
    """`found` with the text of `spec`, if that has exactly these names and shapes."""
    output, shapes = goal.own.output, goal.shapes
    text = written(spec, _comments(found, len(shapes)))
    like = f"`{base.shown}`" if base else "a ResNet"
    lost = _lost(base, output) if base and output else ""
    beside = output.parent if output and not lost else base.folder if base else None
    try:
        file = display_path(output) if output else "the inferred spec"
        state, theirs = state_of(parse_text(text, file, beside, memo=MEMO), shapes)
    except SpecError as error:
        reasons = tuple(d.message for d in error.diagnostics[:MOST_REASONS])
        return Inference(reasons=(f"it is close to {like}, but cannot be built", *reasons))
    if state != theirs:
        head = f"it is close to {like}, except for these tensors"
        return Inference(reasons=(head, *_differences(state, theirs)))
    if lost:
        return Inference(reasons=(lost,))
    return dataclasses.replace(found, text=text)


def _lost(base: Candidate, output: Path) -> str:
    """Why the file `output` cannot extend a spec, and what to do; "" if it can."""
    if base.is_found_from(output):
        return ""
    folder = f"to `{display_path(base.folder)}`" if base.folder else "to a different directory"
    found = f"`{base.shown}` matches, but `extends: {base.base}` in `{display_path(output)}` would"
    return f"{found} not find it: write the spec {folder}"


def _comments(found: Inference, count: int) -> list[str]:
    lines = [
        f"Inferred from the names and shapes of {plural(count, 'tensor')}. They do not determine:"
    ]
    lines += [f"{'; '.join(found.unknown)}."]
    if found.alternatives:
        lines.append(f"The same names and shapes: {', '.join(found.alternatives)}.")
    return lines + [f"Guessed: {guess}." for guess in found.guesses]


def _differences(state: Shapes, shapes: Shapes) -> list[str]:
    lines = []
    for key in dict.fromkeys([*shapes, *state]):
        if key not in state:
            lines.append(f"unexpected `{shown(key)}`")
        elif key not in shapes:
            lines.append(f"missing `{key}`")
        elif state[key] != shapes[key]:
            lines.append(f"`{shown(key)}` has shape {shapes[key]}, expected {state[key]}")
    more = len(lines) - MOST_REASONS
    return lines[:MOST_REASONS] + ([f"and {more} more"] if more > 0 else [])

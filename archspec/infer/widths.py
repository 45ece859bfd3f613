"""A spec with other widths: a network that was pruned or widened.

Its names are those of the spec. Each layer leads to the location that determines its width, an
argument of a stage, of a layer, or of the network. That argument gets the number, or a list if the
numbers of the blocks differ. Arguments whose defaults depend on others come after those.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import getitem
from typing import Any, NamedTuple

from archspec.diagnostics import SpecError
from archspec.expand import expand_network
from archspec.expression import Expr, Name, Value
from archspec.infer.candidates import MEMO
from archspec.infer.header import Shapes
from archspec.infer.resnet import SHRINKS
from archspec.infer.text import inherited, written
from archspec.ir import fields_of
from archspec.ir.visitor import Frame, Visit, visits
from archspec.language import Spec
from archspec.language.load import Loader
from archspec.memo import Memo
from archspec.ops.convolutions import Conv, Linear
from archspec.places import Path
from archspec.source.document import Document
from archspec.source.folder import Files

MOST_ROUNDS = 12  # arguments of one block, each of which may depend on the one before


class NoWidths(Exception):
    """Why no widths match the shapes."""


@dataclass
class Turn:
    """One use of a block, or one layer: its current numbers, and those in the checkpoint."""

    now: dict[str, int]
    found: dict[str, int] = field(default_factory=dict)

    def is_wrong(self, name: str) -> bool:
        """Whether the checkpoint has a different width."""
        return name in self.found and self.found[name] != self.now.get(name)


@dataclass
class Place:
    """A stage or layer of the spec, with its repetitions. In `names`, later ones may depend on
    earlier.
    """

    names: tuple[str, ...]
    turns: dict[int, Turn] = field(default_factory=dict)

    def widths(self, name: str) -> list[int]:
        """The numbers in the checkpoint, or the current ones if it has none."""
        return [turn.found.get(name, turn.now[name]) for turn in self.turns.values()]

    def wrong(self) -> list[str]:
        """The arguments with other widths, in order."""
        return [
            name for name in self.names if any(turn.is_wrong(name) for turn in self.turns.values())
        ]


class Decision(NamedTuple):
    """Where a width is determined: the path of a stage or layer, the name there, and the
    repetition.
    """

    path: Path
    name: str
    frame: Frame | None
    names: tuple[str, ...]


def with_widths(base: Spec, shapes: Shapes) -> dict[str, Any]:
    """The data of `base` with the widths of these shapes; raises `NoWidths`."""
    data, memo = copy.deepcopy(inherited(base.data)), MEMO.trimmed()
    loader = Loader(Files(), memo, base.library.beside)
    try:
        for _ in range(MOST_ROUNDS):
            spec = loader.load(Document({"name": base.name, **data}))
            projections = _projections(spec, shapes, memo)
            data["input"][0] = _arriving(projections[0], shapes)
            places = _places(spec, projections, shapes)
            wrong = {path: place.wrong() for path, place in places.items()}
            if not any(wrong.values()):
                return _without_idle_args(data)
            first = min(places[p].names.index(n) for p, names in wrong.items() for n in names)
            for path, place in places.items():
                if first < len(place.names):
                    _write(data, path, place, place.names[first])
            _allow_shrinking(data, spec, places)
    except SpecError as error:
        raise NoWidths(error.diagnostics[0].message) from None
    raise NoWidths("the widths of its blocks depend on each other in a cycle")


def _projections(spec: Spec, shapes: Shapes, memo: Memo) -> list[Visit]:
    """The convolutions and linear layers: all layers with weights that determine a width."""
    network = expand_network(spec, memo=memo)
    found = [one for one in visits(network) if isinstance(one.site.op, Conv | Linear)]
    if gone := [one.path for one in found if f"{one.path}.weight" not in shapes]:
        raise NoWidths(f"missing `{gone[0]}`")
    return found


def _arriving(first: Visit, shapes: Shapes) -> int:
    return shapes[f"{first.path}.weight"][1] * getattr(first.site.op, "groups", 1)


# What determines a width --------------------------------------------------------------------


def _places(spec: Spec, projections: list[Visit], shapes: Shapes) -> dict[Path, Place]:
    found: dict[Path, Place] = {}
    for visit in projections:
        decision = _decision(visit, spec)
        if decision is None:
            continue
        path, name, frame, names = decision
        place = found.setdefault(path, Place(names))
        key = f"{visit.path}.weight"
        now, there = visit.site.op.weights()["weight"][0], shapes[key][0]
        if frame is None:
            turn = _turn_of_layer(place, name)
            turn.now[name] = now
        else:
            turn = place.turns.setdefault(id(frame.site), Turn(_numbers(frame)))
        if turn.found.setdefault(name, there) != there:
            raise NoWidths(f"`{visit.path}` has a different width than its block has elsewhere")
    return found


def _turn_of_layer(place: Place, name: str) -> Turn:
    """The location for the layers of one inline block, or the next if they are repeated."""
    last = next(reversed(place.turns.values()), None)
    if last is None or name in last.found:
        last = place.turns[len(place.turns)] = Turn({})
    return last


def _numbers(frame: Frame) -> dict[str, int]:
    return {name: int(d.number) for name, d in frame.site.call.instance.definitions.items()}


def _decision(visit: Visit, spec: Spec) -> Decision | None:
    """The argument of the spec that sets this width; None if it follows from others."""
    if visit.frame is None:
        return _in_network(visit, spec)
    op, frame = visit.site.op, visit.frame
    slot = visit.site.call.slots[op.leaves or ""]
    said = slot.expr if isinstance(slot, Value) else None
    while said is not None and frame.outer is not None:
        said, frame = frame.site.call.formula(said), frame.outer
    names = _names(frame.site.use.block, spec)
    at = frame.site.use.at
    given = frame.site.call.instance.definitions
    if not isinstance(said, Name) or said.id not in names or at.block or at.parts:
        return None
    if said.id == "channels" and "in_channels" not in given:
        return None  # the output has the channels of the input
    return Decision(at.path if at.key else at.path[:-2], said.id, frame, names)


def _names(block: str, spec: Spec) -> tuple[str, ...]:
    known = spec.library.block(block)
    return ("channels", *known.args) if known else ()  # a part has no argument of its own


def _in_network(visit: Visit, spec: Spec) -> Decision | None:
    """The same for a layer that is in no class but the network's."""
    site = visit.site
    name = next(f.name for f in fields_of(type(site.op)) if f.torch == site.op.leaves)
    if not site.uses and not (site.at.block or site.at.parts):
        return Decision((*site.at.path, site.op.key), name, None, (name,))
    said: Expr | None = site.given.get(name)
    for at, block in site.uses:
        names = _names(block, spec)
        if not isinstance(said, Name) or said.id not in names or at.parts:
            return None
        if not at.block:
            return Decision(at.path, said.id, None, names)
        given = reduce(getitem, at.path, spec.library.documents[at.block].data)
        given = given.get(said.id) if isinstance(given, Mapping) else given
        said = Name(str(given))
    return None


# The new values -----------------------------------------------------------------------------


def _write(data: dict[str, Any], path: Path, place: Place, name: str) -> None:
    """The widths of an argument, if they are different or a formula would set them."""
    *way, key = path
    around: Any = reduce(getitem, way, data)  # type: ignore[arg-type]
    if isinstance(around, str):
        raise NoWidths(f"`{around}` has no argument for its width")
    old, args = around[key], data.get("args", {})
    is_map = isinstance(old, dict)
    said = old.get(name) if is_map else old if name == place.names[0] else None
    formula = isinstance(said, str) and said not in args
    if name not in place.wrong() and not formula:
        return
    widths = place.widths(name)
    value = widths[0] if len(set(widths)) == 1 else widths
    if isinstance(said, str) and said in args:
        args[said] = value
    elif is_map:
        old[name] = value
    elif name == place.names[0]:
        around[key] = value
    else:
        around[key] = {place.names[0]: old, name: value}


def _allow_shrinking(data: dict[str, Any], spec: Spec, places: Mapping[Path, Place]) -> None:
    """Add the reason if a stage now has fewer channels than the one before it."""
    ends = [
        (path, places[path].widths("channels")[-1])
        for path in spec.runs
        if path in places and all("channels" in turn.now for turn in places[path].turns.values())
    ]
    for (_, before), (path, after) in pairwise(ends):
        if after < before:
            reduce(getitem, path, data).setdefault("shrink", SHRINKS)  # type: ignore[arg-type]


def _without_idle_args(data: dict[str, Any]) -> dict[str, Any]:
    """Remove arguments of the network that numbers have replaced."""
    rest = {key: value for key, value in data.items() if key not in ("args", "doc")}
    words = set(re.findall(r"\w+", written(rest, ())))
    args = {name: value for name, value in data.get("args", {}).items() if name in words}
    return {**data, "args": args} if "args" in data else data

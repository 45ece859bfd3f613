"""A spec with other widths: a network that was pruned, or made wider.

Its names are those of the spec. Each layer leads to the place that decides how wide it is,
an argument of a stage, of a layer or of the network: that gets the number, or a list where the
numbers of the blocks differ. Arguments whose defaults are made of others come after those.
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

SHRINKS = "the widths are those of the checkpoint"
MOST_ROUNDS = 12  # arguments of one block, each of which may be made of the one before


class NoWidths(Exception):
    """Why no widths explain the shapes."""


@dataclass
class Turn:
    """One use of a block, or one layer: its numbers now, and what the checkpoint has."""

    now: dict[str, int]
    found: dict[str, int] = field(default_factory=dict)

    def is_wrong(self, name: str) -> bool:
        """Whether the checkpoint has another width."""
        return name in self.found and self.found[name] != self.now.get(name)


@dataclass
class Place:
    """A stage or layer of the spec, turn by turn. Of `names`, those behind may need those ahead."""

    names: tuple[str, ...]
    turns: dict[int, Turn] = field(default_factory=dict)

    def widths(self, name: str) -> list[int]:
        """What the checkpoint has, and where it has none what there is now."""
        return [turn.found.get(name, turn.now[name]) for turn in self.turns.values()]

    def wrong(self) -> list[str]:
        """The arguments that have other widths, in order."""
        return [
            name for name in self.names if any(turn.is_wrong(name) for turn in self.turns.values())
        ]


class Decision(NamedTuple):
    """Where a width is decided: the path of a stage or layer, the name there, and the turn."""

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
    raise NoWidths("the widths of its blocks lead in a circle")


def _projections(spec: Spec, shapes: Shapes, memo: Memo) -> list[Visit]:
    """The convolutions and linear layers: all that decides a width and has a weight."""
    network = expand_network(spec, memo=memo)
    found = [one for one in visits(network) if isinstance(one.site.op, Conv | Linear)]
    if gone := [one.path for one in found if f"{one.path}.weight" not in shapes]:
        raise NoWidths(f"`{gone[0]}` is missing")
    return found


def _arriving(first: Visit, shapes: Shapes) -> int:
    return shapes[f"{first.path}.weight"][1] * getattr(first.site.op, "groups", 1)


# Which place decides a width ----------------------------------------------------------------


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
            raise NoWidths(f"`{visit.path}` is not as wide as its block is elsewhere")
    return found


def _turn_of_layer(place: Place, name: str) -> Turn:
    """That of the layers of one inline block, or the next where they are repeated."""
    last = next(reversed(place.turns.values()), None)
    if last is None or name in last.found:
        last = place.turns[len(place.turns)] = Turn({})
    return last


def _numbers(frame: Frame) -> dict[str, int]:
    return {name: int(d.number) for name, d in frame.site.call.instance.definitions.items()}


def _decision(visit: Visit, spec: Spec) -> Decision | None:
    """The argument of the spec that says this width; None where it follows from others."""
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
        return None  # what arrives leaves
    return Decision(at.path if at.key else at.path[:-2], said.id, frame, names)


def _names(block: str, spec: Spec) -> tuple[str, ...]:
    known = spec.library.block(block)
    return ("channels", *known.args) if known else ()  # a part has none of its own


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


# What is written ----------------------------------------------------------------------------


def _write(data: dict[str, Any], path: Path, place: Place, name: str) -> None:
    """The widths of an argument, where they are others or a formula would say them."""
    *way, key = path
    around: Any = reduce(getitem, way, data)  # type: ignore[arg-type]
    if isinstance(around, str):
        raise NoWidths(f"`{around}` is given no width")
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
    """Gives the reason where a stage now leaves fewer channels than the one before it."""
    ends = [
        (path, places[path].widths("channels")[-1])
        for path in spec.runs
        if path in places and all("channels" in turn.now for turn in places[path].turns.values())
    ]
    for (_, before), (path, after) in pairwise(ends):
        if after < before:
            reduce(getitem, path, data).setdefault("shrink", SHRINKS)  # type: ignore[arg-type]


def _without_idle_args(data: dict[str, Any]) -> dict[str, Any]:
    """Args of the network that numbers have replaced go."""
    rest = {key: value for key, value in data.items() if key not in ("args", "doc")}
    words = set(re.findall(r"\w+", written(rest, ())))
    args = {name: value for name, value in data.get("args", {}).items() if name in words}
    return {**data, "args": args} if "args" in data else data

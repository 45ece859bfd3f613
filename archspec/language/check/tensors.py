"""Names of tensors: each is saved once, and read only after that, where layers may do so.

Whether the layer that saves a tensor exists in every use of a block is checked in expansion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from archspec.ir.bodies import INPUT
from archspec.language.blocks import Block
from archspec.language.interpolation import LIKE
from archspec.language.problems import Problem
from archspec.language.spec import Section, Spec
from archspec.language.stack import Layer, Stack
from archspec.language.stages import Stage
from archspec.language.suggestions.unknown import passed_in, tensor_hint, tensors_listed
from archspec.language.words import COMBINATORS, TENSOR
from archspec.ops import OPS
from archspec.places import At, Path

LookUp = Callable[[str], Block | None]
Use = tuple[str, Path]  # a name, and where it is read
_ASIDE = {
    "sequence": ("inside a `sequence`", "a `sequence` contains only layers: move it into a block"),
    "shortcut": ("in a shortcut", "a shortcut is one module: move it into a block"),
    "part": ("in layers that fill a part", "name the tensor in the body, at the part"),
}


def of_block(block: Block, look_up: LookUp) -> Iterator[Problem]:
    """Problems with the tensor names in a block."""
    stacks = [block.body, block.like, *block.parts.values()]
    if not (block.inputs or block.outputs or any(_mentions(s, look_up) for s in stacks)):
        return
    scope = _Scope(look_up, block=True)
    for place, name in enumerate(block.inputs):
        scope.save(name, ("inputs", place))
    scope.stack(block.body, ("body",))
    scope.stack(block.like, ("like",))
    for part, stack in block.parts.items():
        scope.stack(stack, ("parts", part), "part")
    for place, name in enumerate(block.outputs):
        scope.read(name, ("outputs", place))
    yield from scope.found


def of_filler(stack: Stack, path: Path) -> Iterator[Problem]:
    """The same for layers that are given for a part."""
    scope = _Scope(lambda _: None)
    scope.stack(stack, path, "part")
    yield from scope.found


def of_network(spec: Spec, look_up: LookUp) -> Iterator[Problem]:
    """Problems with the tensor names in stem, stages, and head."""
    scope = _Scope(look_up)
    scope.section(spec.stem, "stem")
    for key, stage in spec.stages.items():
        scope.stage(stage, ("stages", key))
        scope.entry(key, ("stages", key))
    scope.section(spec.head, "head")
    yield from scope.found


class _Scope:
    """The names of one class, in the order in which they are written."""

    def __init__(self, look_up: LookUp, block: bool = False) -> None:
        self.look_up, self.block = look_up, block
        self.known: dict[str, Path] = {INPUT: ()}
        self.entries: set[str] = set()
        self.layers: set[str] = set()  # the names of layers, which are not tensors
        self.unknown: list[tuple[str, Path, int]] = []  # the last: how many names were known
        self.problems: list[Problem] = []

    @property
    def found(self) -> Iterable[Problem]:
        """All problems, including those that are known only at the end."""
        return [*self.problems, *(self._unknown(*use) for use in self.unknown)]

    def section(self, section: Section, where: str) -> None:
        for name, stack in section.entries:
            if name is None:
                self.stack(stack, (where,))
                continue
            self.stack(stack, (where, name), "" if stack.single else "sequence")
            self.entry(name, (where, name))

    def stage(self, stage: Stage, path: Path) -> None:
        if stage.between is not None:
            self.stack(stage.between, path, "" if stage.between.single else "sequence")
            return
        if stage.source is not None:
            self.read(stage.source, (*path, "from"))
        for name in stage.save:
            self.save(name, (*path, "save"))

    def entry(self, key: str, path: Path) -> None:
        """The key of an entry, which names the entry's output."""
        if key in self.known and key not in self.entries:
            self.save(key, path)
        self.known[key] = path
        self.entries.add(key)

    def stack(self, stack: Stack | None, path: Path, aside: str = "") -> None:
        """Check layers; `aside` says where they are, if tensors cannot have names there."""
        for layer, at in stack.each(At()) if stack else ():
            self.layer(layer, (*path, *at.path), aside)

    def layer(self, layer: Layer, path: Path, aside: str) -> None:
        if isinstance(layer.name, str):
            self.layers.add(layer.name)
        for name, place in _uses(layer, self.look_up):
            if aside:
                self._aside(aside, (*path, *place))
            else:
                self.read(name, (*path, *place))
        inside = "sequence" if layer.head == "sequence" else aside
        self.stack(layer.before, (*path, "before"), aside)
        for number, branch in enumerate(layer.branches):
            place = layer.branch_at(number, At(path)).path
            of_name = inside if branch.name is None or branch.stack.single else "sequence"
            self.stack(branch.stack, place, of_name)
        self.stack(layer.shortcut, (*path, "shortcut"), "shortcut")
        self.stack(layer.otherwise, (*path, "else"), aside)
        for name in layer.save:
            if aside:
                self._aside(aside, (*path, "save"))
                self.known.setdefault(name, path)
            else:
                self.save(name, (*path, "save"))

    def read(self, name: str, path: Path) -> None:
        if name not in self.known:
            self.unknown.append((name, path, len(self.known)))

    def save(self, name: str, path: Path) -> None:
        if name in self.known:
            message = f"two tensors are named `{name}`"
            hint = "rename one of them"
            self.problems.append(Problem("tensor-twice", message, hint, path))
        self.known.setdefault(name, path)

    def _aside(self, aside: str, path: Path) -> None:
        where, hint = _ASIDE[aside]
        message = f"tensors cannot be named or read {where}"
        self.problems.append(Problem("bad-layer", message, hint, path))

    def _unknown(self, name: str, path: Path, known: int) -> Problem:
        earlier = [*islice(self.known, known)]
        if name in self.known:
            message = f"the tensor `{name}` is not available yet: it is saved further down"
            after = f"move this layer after the layer that saves it; {tensors_listed(earlier)}"
            return Problem("unknown-tensor", message, after, path)
        message, whole = f"the tensor `{name}` is not defined here", name.partition(".")[0]
        meant = tensor_hint(name, earlier)
        foreign = self.block and name.isidentifier() and not meant.instead
        hint: str = passed_in(name) if foreign else meant
        if name in self.layers:
            message = f"`{name}` is the name of a layer, not of a tensor"
            word = name.replace(".", "_")
            hint = f"name the output of the layer with `save: {word}`, and read `{word}`"
        elif whole in self.entries:
            message = (
                f"`{name}` is inside `{whole}`, and only the output of the whole entry can be read"
            )
            hint = f"make it a separate entry, `{name}: ...`, as well as the rest of `{whole}`"
        return Problem("unknown-tensor", message, hint, path)


def _uses(layer: Layer, look_up: LookUp) -> Iterator[Use]:
    """The tensors that a layer reads by name, without those that its inner layers read."""
    if layer.source is not None:
        yield layer.source, ("from",)
    if layer.head == "interpolate":
        yield layer.given[LIKE], (layer.head, LIKE)
    if layer.head in OPS or layer.head in COMBINATORS or layer.head == TENSOR:
        return
    block = look_up(layer.head)
    for name in block.inputs if block is not None else ():
        if isinstance(given := layer.given.get(name), str):
            yield given, (layer.head, name)


def _mentions(stack: Stack, look_up: LookUp) -> bool:
    """Whether any layer reads or names a tensor."""
    return any(layer.save or any(_uses(layer, look_up)) for layer, _ in stack.all)

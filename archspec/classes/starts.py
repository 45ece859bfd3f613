"""Weight initialization of classes: which loop initializes what, with its special cases.

A loop is at the end of a block that has `init`, and of the network. It visits the modules in
order, so that a layer with its own initialization gets its turn. If nothing is random, the order
does not matter, and such layers are initialized separately (`Class.draws`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from archspec.classes.table import ClassTable
from archspec.expression import Value, constant
from archspec.helpers import extended
from archspec.ir import Op
from archspec.ir.classes import Class
from archspec.ir.draws import Anchor, Case, Draw, Special
from archspec.ir.tree import BlockCall, BlockInstance, Child, Container, OpCall

Rules = Mapping[tuple[str, str], Draw]  # by op and parameter
ClassOf = Callable[[BlockInstance], Class]
Hidden = frozenset[tuple[str, str]]  # what inner loops have initialized


class Drawn(NamedTuple):
    """A layer in a loop: how it is initialized, and how it is found.

    `ways` are the paths to it from the enclosing modules that have classes, outermost first.
    """

    module: OpCall
    draws: tuple[Draw, ...]
    usual: bool
    ways: tuple[Anchor, ...]
    path: str


def loop(table: ClassTable, uses: Sequence[BlockInstance], class_of: ClassOf) -> tuple[Case, ...]:
    """The loop of a class; nothing if neither it nor the network sets an initialization.

    The branch of a helper is before that of the class that it extends, of which it is an instance.
    """
    lead = uses[0]
    if lead is not table.root and not lead.init:
        return ()
    rules = {(rule.op, rule.draw.parameter): rule.draw for rule in lead.init}
    kinds: dict[str, list[Drawn]] = {}
    for use in uses:
        for layer in _Walk(class_of, rules).layers(use, (), frozenset(), ""):
            kinds.setdefault(_torch(layer.module), []).append(layer)
    own = any(use in table.holders for use in uses)  # such a module may lack any parameter
    cases = {name: _case(name, layers, rules, own) for name, layers in sorted(kinds.items())}
    drawn = {name: case for name, case in cases.items() if case.draws or case.specials}
    bases = {name: drawn[base] for name in cases if (base := extended(name)) in drawn}
    first = [cases[name] for name, base in bases.items() if not _alike(cases[name], base)]
    return (*_together(first), *_together([drawn[name] for name in drawn if name not in bases]))


def _torch(module: OpCall) -> str:
    """The class by which a loop finds a layer; for attention that a class calls, torch's own."""
    return module.kind.extends if module.kind.attends else module.torch


def _alike(case: Case, base: Case) -> bool:
    """Whether the branch of the class that a helper extends also initializes the helper."""
    return not (case.specials or base.specials) and case.draws == base.draws


def _together(cases: Iterable[Case]) -> Iterator[Case]:
    """Plain cases with the same initialization, as one."""
    plain: dict[tuple[Draw, ...], list[Case]] = {}
    for case in cases:
        if not case.specials:
            plain.setdefault(_printed(case), []).append(case)
    for case in cases:
        if case.specials:
            yield case
        elif (alike := plain[_printed(case)])[0] is case:
            torch = tuple(name for one in alike for name in one.torch)
            yield Case(torch, max((one.draws for one in alike), key=_may_be_absent))


def _may_be_absent(draws: tuple[Draw, ...]) -> bool:
    return any(draw.optional for draw in draws[:1])


def _printed(case: Case) -> tuple[Draw, ...]:
    """What is inside the branch: that a single parameter may be absent is part of its condition."""
    alone = len(case.draws) == 1
    return tuple(draw._replace(optional=False) for draw in case.draws) if alone else case.draws


class _Walk:
    """The layers with weights in a scope, in the order of its loop."""

    def __init__(self, class_of: ClassOf, rules: Rules) -> None:
        self.class_of, self.rules = class_of, rules

    def layers(
        self, container: Container, ways: tuple[Anchor, ...], hidden: Hidden, path: str
    ) -> Iterator[Drawn]:
        """The layers of a module and of its inner modules."""
        shortcuts = {slot.child for slot in container.slots}
        for child in container.attributes:
            here = _joined(path, child.attribute)
            there = tuple(Anchor(way.cls, _joined(way.path, child.attribute)) for way in ways)
            match child.module:
                case OpCall(op=op) if op.weighted and not op.constant:
                    yield self._drawn(child, child in shortcuts, there, hidden, here)
                case BlockCall(instance=inner):
                    own = {(rule.op, rule.draw.parameter) for rule in inner.init}
                    if inner.init:
                        own |= {("", "")}  # layers with an initialization of their own
                    inside = (*there, Anchor(self.class_of(inner), ""))
                    yield from self.layers(inner, inside, hidden | own, here)
                case Container() as inside_of:
                    yield from self.layers(inside_of, there, hidden, here)

    def _drawn(
        self,
        child: Child,
        shortcut: bool,
        ways: tuple[Anchor, ...],
        hidden: Hidden,
        path: str,
    ) -> Drawn:
        module: Any = child.module
        apart = not shortcut and not any(draw.random for draw in child.draws)
        own = {draw.parameter: draw for draw in child.draws}
        made, usual = list[Draw](), True
        for name in module.op.learned:
            key = (module.op.key, name)
            rule = self.rules.get(key)
            draw = rule = rule if rule and rule.function != "torch" else None
            if name in own:
                draw = own[name] if not apart and ("", "") not in hidden else None
                if apart and rule and not rule.random and own[name].function in ("zeros", "ones"):
                    draw = rule  # and is initialized separately afterwards
            elif key in hidden:
                draw = None
            if name in module.op.weights():
                usual = usual and draw == rule
                if draw is not None and draw.function != "torch":
                    made.append(_numbers(draw))
        return Drawn(module, tuple(made), usual, ways, path)


def _may_lack(op: Op, name: str, own: bool) -> bool:
    """Whether the parameter may be None because the user's `own` modules are present."""
    return name not in op.weights() or (own and not (op.projects and name == "weight"))


def _joined(path: str, attribute: str) -> str:
    return f"{path}.{attribute}" if path else attribute


def _numbers(draw: Draw) -> Draw:
    """An initialization in a loop, which knows no names of the layer's class."""
    arguments = tuple(
        (name, constant(value.number).expr if isinstance(value, Value) else value)
        for name, value in draw.arguments
    )
    return draw._replace(arguments=arguments)


def _case(torch: str, layers: Sequence[Drawn], rules: Rules, own: bool) -> Case:
    usual = [layer for layer in layers if layer.usual]
    known = {draw.parameter: draw for layer in usual for draw in layer.draws}
    there = [layer.module.op for layer in usual]
    draws = tuple(
        known[name]._replace(optional=any(_may_lack(op, name, own) for op in there))
        for name in (usual[0].module.op.learned if usual else ())
        if name in known
    )
    return Case((torch,), draws, _specials(layers))


def _specials(layers: Sequence[Drawn]) -> tuple[Special, ...]:
    """The special layers, by their initialization: nothing comes first."""
    if all(layer.usual for layer in layers):
        return ()
    meant: dict[Anchor, set[Any]] = {}
    for layer in layers:
        for anchor in _anchors(layer):
            meant.setdefault(anchor, set()).add(None if layer.usual else layer.draws)
    found: dict[tuple[Draw, ...], dict[Anchor, None]] = {}
    for layer in layers:
        if not layer.usual:
            sure = (anchor for anchor in _anchors(layer) if len(meant[anchor]) == 1)
            anchor = next(sure, Anchor(None, layer.path))
            found.setdefault(layer.draws, {})[anchor] = None
    order = sorted(found, key=bool)
    return tuple(Special(tuple(found[draws]), draws) for draws in order)


def _anchors(layer: Drawn) -> list[Anchor]:
    """How a layer can be found: by a module it is in, by its path in its class, or in others."""
    whole = [Anchor(way.cls, "") for way in layer.ways if way.cls.loop]
    return [*whole, *reversed(layer.ways)]

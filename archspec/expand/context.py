"""What layers can see from elsewhere: the network's context, and layers given for parts."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from archspec.expression import ExpressionError, Value, constant, names, parse
from archspec.language.blocks import Block
from archspec.language.spec import Defaults, Spec
from archspec.language.stack import Layer, Stack
from archspec.language.templates import BRACES
from archspec.memo import Memo, canonical, remember
from archspec.places import NOWHERE, At, Origin
from archspec.records import Record

Items = tuple[tuple[str, Any], ...]  # of a mapping, as part of a key
USUAL = {"norm": Stack((Layer("batch_norm"),)), "act": Stack((Layer("relu"),))}


class Closure(Record, eq=False):
    """Layers given for a part, with the parts and names that are visible where they are written.

    Equal closures are one object (`closure`), because comparing a chain of parts that name parts
    would not end.
    """

    stack: Stack
    parts: "Mapping[str, Closure]" = field(default_factory=dict)
    names: Mapping[str, Value] = field(default_factory=dict)
    network: bool = False
    size: int = 1

    @property
    def none(self) -> bool:
        """Whether the part has no layers; a part may pass on another part."""
        layers = self.stack.layers
        if len(layers) == 1 and layers[0].head in self.parts and not layers[0].given:
            return self.parts[layers[0].head].none
        return not layers


def closure(
    stack: Stack,
    parts: Mapping[str, Closure],
    visible: Mapping[str, Value],
    memo: Memo | None,
    network: bool = False,
) -> Closure:
    """The closure of layers that are written where these parts and names are visible."""
    seen = sorted(names_in(stack, memo=memo) & visible.keys())
    known = {name: constant(visible[name].number) for name in seen}
    inner = {} if network else parts
    size = 1 + sum(part.size for part in inner.values())
    made = Closure(stack, parts, known, network, size)
    return canonical(memo, ("closure", stack, items(parts), items(known), network), made)


def items(mapping: Mapping[str, Any]) -> Items:
    """A mapping as part of a key."""
    return tuple(sorted(mapping.items(), key=lambda item: item[0]))


@remember
def names_in(written: Any, *, memo: Memo | None) -> frozenset[str]:
    """Every name in expressions of a value from a spec (`written.raw`)."""
    return frozenset(_names_in(written.raw))


def _names_in(written: Any) -> Iterable[str]:
    match written:
        case dict():
            return {name for part in written.values() for name in _names_in(part)}
        case list():
            return {name for part in written for name in _names_in(part)}
        case str():  # an expression, or a name with expressions in braces
            texts = re.findall(BRACES, written) if "{" in written else [written]
            return {name for text in texts for name in _names_of(text)}
    return ()


def _names_of(text: str) -> Iterable[str]:
    with suppress(ExpressionError):
        return names(parse(text))
    return ()


class Context(Record, eq=False):
    """What every block can see: the norm and act, defaults, prefixes, and blocks.

    `args` are the network's arguments that layers in `defaults` name; `origins` are the locations
    of
    the norm and act, if they are written.
    """

    defaults: Defaults
    args: Mapping[str, Value]
    prefixes: Mapping[str, str]
    blocks: Mapping[str, Block]
    parts: Mapping[str, Closure]
    origins: Mapping[str, Origin]


def context_of(spec: Spec, memo: Memo | None) -> Context:
    """The context of a loaded spec."""
    args = {name: constant(value) for name, value in spec.args.items()}
    named = {n: args[n] for n in names_in(spec.defaults, memo=memo) & args.keys()}
    blocks, prefixes = items(spec.library.known()), items(spec.names)
    return _context(spec.defaults, items(named), prefixes, blocks, memo=memo)


@remember
def _context(
    defaults: Defaults, args: Items, prefixes: Items, blocks: Items, *, memo: Memo | None
) -> Context:
    named = dict(args)
    plain = {
        name: closure(getattr(defaults, name) or usual, {}, named, memo, network=True)
        for name, usual in USUAL.items()
    }
    # The norm may name the act, and vice versa.
    parts = {
        name: closure(
            part.stack, {k: v for k, v in plain.items() if k != name}, named, memo, network=True
        )
        for name, part in plain.items()
    }
    origins = {
        name: Origin(At(("defaults", name)), {}) if getattr(defaults, name) else NOWHERE
        for name in USUAL
    }
    return Context(defaults, named, dict(prefixes), dict(blocks), parts, origins)

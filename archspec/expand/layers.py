"""Layers expanded one after the other: ops, parts, blocks, and what stands under a name.

Combinators register themselves (`combinator`), so that they may expand the layers inside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from archspec.expand.arguments import Arguments, number_of
from archspec.expand.budget import OPEN, VISIT, Room, TooLargeError
from archspec.expand.builder import Builder
from archspec.expand.calls import (
    BlockKey,
    Call,
    Expanded,
    call_of,
    check_kept,
    class_scope,
    declared,
    inline_scope,
    leaving,
    site,
)
from archspec.expand.naming import chain, closed
from archspec.expand.parts import fill
from archspec.expand.rows import Module, row_of
from archspec.expand.scope import FoundError, Scope
from archspec.expand.starts import draws_of, with_init
from archspec.expression import constant
from archspec.ir import Body, Op, ShapeError
from archspec.ir.draws import Draw
from archspec.ir.tree import BlockCall, OpCall, OpSite, SequentialNode, TensorInfo
from archspec.language.layers import REPEAT, Layer, Stack
from archspec.language.lines import IN_LAYER
from archspec.language.templates import Template
from archspec.language.words import COMBINATORS
from archspec.memo import Memo, remember, remember_by_reads
from archspec.ops import OPS
from archspec.ops.dropouts import StochasticDepth
from archspec.places import At, Finding

LARGEST_MAP = 2**40

Steps = tuple[list[Body], TensorInfo]
Expand = Callable[[Layer, At, Scope, TensorInfo], Module]
Combinator = Callable[[Layer, At, Scope, TensorInfo, Builder], Steps]

_COMBINATORS: dict[str, Combinator] = {}


_RUNS: list[Expand] = []


def run(expand: Expand) -> Expand:
    """Makes a function the expansion of stages that are children of sequences."""
    _RUNS.append(expand)
    return expand


def combinator(*heads: str) -> Callable[[Combinator], Combinator]:
    """Makes a function the expansion of these heads."""

    def register(expand: Combinator) -> Combinator:
        _COMBINATORS.update(dict.fromkeys(heads, expand))
        return expand

    return register


# Layers in the class around -----------------------------------------------------------


def expand_stack(stack: Stack, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """The layers of a list, as attributes of the class around."""
    steps: list[Body] = []
    for layer, place in stack.each(at):
        for turn, here in turns(layer, place, scope):
            done, x = expand_layer(turn, place, here, x, out)
            steps += done
    return steps, x


def turns(layer: Layer, at: At, scope: Scope) -> Iterator[tuple[Layer, Scope]]:
    """A layer as often as it is repeated, and what it sees each time."""
    if layer.repeat is None:
        yield layer, scope
        return
    count = scope.count(layer.repeat, REPEAT, at.below("repeat"))
    for index in range(count):
        turn = {"index": constant(index), "repeat": constant(count)}
        one = _in_turn(layer, index, count, memo=scope.memo)
        yield one, scope.with_(values=scope.values | turn)


@remember
def _in_turn(layer: Layer, index: int, count: int, *, memo: Memo | None) -> Layer:
    return replace(layer, repeat=None, turn=(index, count))


def expand_layer(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """One layer: what it computes, and what leaves it."""
    scope.budget.spend(VISIT)
    if not scope.decide(layer.when, at.below("when")):
        with nested(scope):
            return expand_stack(layer.otherwise or Stack(), at.below("else"), scope, x, out)
    if layer.head in COMBINATORS and layer.head != "sequence":
        return _combine(layer, at, scope, x, out)
    if layer.run is None and layer.head in scope.parts:
        filled = fill(layer, at, scope)
        if layer.name is not None:
            name = _attribute(layer, at, scope, out)
            return expand_attribute(name, filled.stack, filled.at, filled.scope, x, out, at)
        with nested(scope, named=at):
            return expand_stack(filled.stack, filled.at, filled.scope, x, out)
    if layer.run or layer.head in OPS or layer.head == "sequence":
        return _add(expand_module(layer, at, scope, x), layer, at, scope, out)
    call = call_of(layer, at, scope, x)
    if call.block.inline and layer.name is None:
        with nested(scope, call.name):
            inside = inline_scope(call, x)
            done, y = expand_stack(call.block.body, At(("body",), call.name), inside, x, out)
        check_kept(layer, at, call, x, y)
        return done, y
    return _add(_expand_call(call, layer, at, x), layer, at, scope, out)


def _combine(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    if out.sequential:
        raise no_combinator(layer, at, scope)
    if scope.in_network:
        scope.mark_concrete(x.channels)
    with nested(scope):
        return _COMBINATORS[layer.head](layer, at, scope, x, out)


def _add(made: Module, layer: Layer, at: At, scope: Scope, out: Builder) -> Steps:
    module, where, y = made
    draws = draws_of(layer, module, at, scope)
    return [out.add(module, where, _attribute(layer, at, scope, out), at, draws)], y


def _attribute(layer: Layer, at: At, scope: Scope, out: Builder) -> str | None:
    """The name that a layer has; a list in a sequence numbers its children."""
    listed = out.sequential and not isinstance(layer.step, str)
    if listed and not isinstance(layer.name, Template):
        return None
    return scope.name(layer.name, at)


# Layers under a name ------------------------------------------------------------------


def expand_attribute(
    name: str | None, stack: Stack, at: At, scope: Scope, x: TensorInfo, out: Builder, named: At
) -> Steps:
    """All layers of `stack` as one attribute: one alone is itself, more are a Sequential."""
    made, draws = expand_single(stack, at, scope, x, name or "")
    if made is None:
        return [], x
    module, where, y = made
    return [out.add(module, where, name, named, draws)], y


def expand_single(
    stack: Stack, at: At, scope: Scope, x: TensorInfo, name: str
) -> tuple[Module | None, tuple[Draw, ...]]:
    """The layers of an attribute as a module, and how its weights start."""
    if not stack.single:
        row = expand_row(stack, at, scope, x, name)
        return (row if _has_children(row) else None), ()
    ((layer, at),) = stack.each(at)
    scope.budget.spend(VISIT)
    if not scope.decide(layer.when, at.below("when")):
        with nested(scope):
            return expand_single(layer.otherwise or Stack(), at.below("else"), scope, x, name)
    if layer.head in COMBINATORS and layer.head != "sequence":
        raise no_combinator(layer, at, scope)
    if layer.head in scope.parts:
        filled = fill(layer, at, scope)
        with nested(scope, named=at):
            return expand_single(filled.stack, filled.at, filled.scope, x, name)
    made = expand_module(layer, at, scope, x, name)
    return made, draws_of(layer, made[0], at, scope)


def _has_children(made: Module) -> bool:
    node = made[0]
    return not isinstance(node, SequentialNode) or bool(node.children)


def expand_row(
    stack: Stack, at: At, scope: Scope, x: TensorInfo, name: str = "", numbered: bool = False
) -> Module:
    """The layers as children of a Sequential; inline blocks and parts are spliced in."""
    holder = Builder(sequential=True)
    steps, y = expand_stack(stack, at, scope, x, holder)
    return row_of(holder, steps, y, at, scope, name, numbered)


def no_combinator(layer: Layer, at: At, scope: Scope) -> FoundError:
    """The finding where a combinator stands under a name."""
    hint = "it stands in the body of a block or in a plain list; make a block of it"
    return scope.error("bad-layer", f"`{layer.head}` has no attribute of its own", at, hint)


def expand_module(layer: Layer, at: At, scope: Scope, x: TensorInfo, attribute: str = "") -> Module:
    """One layer as a module of its own: an op, a block, a Sequential, a stage."""
    if layer.run:
        return _RUNS[0](layer, at, scope, x)
    if layer.head in OPS:
        return expand_op(OPS[layer.head], layer, at, scope, x)
    if layer.head == "sequence":
        name = attribute or scope.name(layer.name, at) or ""
        inside = layer.branch_at(0, at)
        return expand_row(layer.branches[0].stack, inside, scope, x, name, layer.numbered)
    return _expand_call(call_of(layer, at, scope, x), layer, at, x)


# Blocks -------------------------------------------------------------------------------


def _expand_call(call: Call, layer: Layer, at: At, x: TensorInfo) -> Module:
    with nested(call.scope, call.name if call.block.inline else ""):
        made = expand_inline(call, x) if call.block.inline else expand_call(call, x)
    check_kept(layer, at, call, x, made[2])
    return made


def expand_inline(call: Call, x: TensorInfo) -> Module:
    """An inline block under a name: a Sequential of its layers."""
    scope = inline_scope(call, x)
    return expand_row(call.block.body, At(("body",), call.name), scope, x, call.name)


def expand_call(call: Call, x: TensorInfo, as_sequential: bool = False) -> Module:
    """A use of a block that is a class; equal uses share what is expanded."""
    call.count()
    scope, use = call.scope, call.use()
    indices = {name: int(value.number) for name, value in call.indices.items()}
    room = scope.budget.left(call.name)
    try:
        expanded: Expanded = expand_block(
            call.key(x), as_sequential, indices, memo=scope.memo, room=room
        )
        scope.budget.add(expanded.effects)
    except TooLargeError as error:
        if error.finding is not None:
            error.finding = error.finding.outside(use)
        raise
    if expanded.instance is None:
        raise FoundError(*(_inside(f.outside(use), scope) for f in expanded.findings))
    made = BlockCall(expanded.instance, call.outside(x))
    y = leaving(made, call, x)
    return made, site(made, call, y), y


def _inside(finding: Finding, scope: Scope) -> Finding:
    """A finding of a block in an inline block, with the uses that led to the inline one."""
    return finding._replace(uses=(*finding.uses, *scope.uses))


@remember_by_reads
def expand_block(
    key: BlockKey, as_sequential: bool, indices: dict[str, int], *, memo: Memo | None, room: Room
) -> Expanded:
    """A block with its layers, in its own names."""
    scope = class_scope(key, indices, room, memo)
    out, at = scope.builder, At(("body",), key.name)
    assert out is not None
    out.sequential = as_sequential
    try:
        steps, y = expand_stack(key.block.body, at, scope, key.x, out)
        made = declared(key.name, key.block, scope)
        instance = closed(out, made, chain(steps), y, key.context.prefixes)
        if key.block.init:
            instance = with_init(instance, key.block.init, At(("init",), key.name), scope)
    except FoundError as error:
        return Expanded(None, scope.budget.effects(error), error.findings)
    return Expanded(instance, scope.budget.effects(instance))


# Ops ----------------------------------------------------------------------------------


def expand_op(op: type[Op], layer: Layer, at: At, scope: Scope, x: TensorInfo) -> Module:
    """An op with its arguments, and the shape that leaves it."""
    scope.budget.used.add(op.key)
    scope.budget.grow(1)
    scope.budget.spend(OPEN)
    try:
        slots = Arguments(op, layer, at, scope, x).all()
        made = op(**{name: number_of(slot) for name, slot in slots.items()}, rank=x.shape.rank)
        shape = made.output(x.shape)
    except ShapeError as error:
        cause, place = _CAUSES.get(error.rule, ""), at
        if cause in layer.given:
            place = at.below(layer.head, cause)
        given = scope.given_by(layer.given.get(cause))
        raise scope.error(error.rule, error.message, place, error.hint, given=given) from None
    if min(shape.sizes) < 1 or shape.elements > LARGEST_MAP:
        message = f"`{op.key}` leaves {shape} of {x.shape}"
        raise scope.error("feature-map-vanishes", message, at)
    if isinstance(made, StochasticDepth) and made.p:
        scope.budget.drops.add(scope.block)
    module = OpCall(made, op.torch_name(x.shape), slots)
    named = scope.named or at
    where = OpSite(module, x.shape, shape, layer.given, at, named, scope.uses, scope.role)
    return module, where, x.through(made, shape, slots)


_CAUSES = {"groups-do-not-divide": "groups", "feature-map-vanishes": "kernel"}


# Depth --------------------------------------------------------------------------------


@contextmanager
def nested(scope: Scope, block: str = "", named: At | None = None) -> Iterator[None]:
    """One level deeper. A block that is open already and goes too deep uses itself."""
    budget = scope.budget
    budget.deep += 1
    if block:
        budget.inline.append(block)
    try:
        budget.nest(0)
        yield
    except TooLargeError as error:
        if error.deep and error.finding is None:
            error.finding = _cycle(scope, named or scope.named)
        raise
    finally:
        budget.deep -= 1
        if block:
            budget.inline.pop()


def _cycle(scope: Scope, named: At | None) -> Finding | None:
    """The finding where layers are nested too deep because a block uses itself."""
    names = Counter((*scope.budget.room.around, *scope.budget.inline))
    repeated = [block for block, count in names.items() if block and count > 1]
    if not repeated:
        return None
    inside = ((named, IN_LAYER),) if named else ()
    return Finding("cycle", f"`{repeated[-1]}` uses itself", None, "", inside)

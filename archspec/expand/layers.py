"""Layers in order: ops, parts, blocks, and attributes.

Combinators register themselves (`combinator`), so that they can expand their inner layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from archspec.expand.budget import VISIT, Room, TooLargeError
from archspec.expand.builder import Builder, Tensor, Tensors
from archspec.expand.calls import (
    BlockKey,
    Call,
    Expanded,
    call_of,
    class_scope,
    declared,
    inline_scope,
)
from archspec.expand.depth import nested
from archspec.expand.leaving import check_kept, leaving, site
from archspec.expand.living import alive
from archspec.expand.naming import chain, closed
from archspec.expand.ops import expand_op
from archspec.expand.own import own_module
from archspec.expand.parts import Filled, fill
from archspec.expand.rows import Module, row_of
from archspec.expand.scope import FoundError, Scope
from archspec.expand.starts import draws_of, with_init
from archspec.expand.tensors import named, read, reads_input, remembered
from archspec.expand.turns import repeated_width, turns
from archspec.expression import Number
from archspec.ir import Body, Give, Load, Save
from archspec.ir.bodies import INPUT
from archspec.ir.draws import Draw
from archspec.ir.tree import BlockCall, OpCall, SequentialNode, TensorInfo
from archspec.language.blocks import Block
from archspec.language.stack import Layer, Stack
from archspec.language.templates import Template
from archspec.language.words import COMBINATORS, TENSOR
from archspec.memo import Memo, remember_by_reads
from archspec.ops import OPS
from archspec.places import At, Finding

Steps = tuple[list[Body], TensorInfo]
Expand = Callable[[Layer, At, Scope, TensorInfo], Module]
Combinator = Callable[[Layer, At, Scope, TensorInfo, Builder], Steps]

_COMBINATORS: dict[str, Combinator] = {}
_RUNS: list[Expand] = []


def run(expand: Expand) -> Expand:
    """Make a function the expansion of stages that are children of sequences."""
    _RUNS.append(expand)
    return expand


def combinator(*heads: str) -> Callable[[Combinator], Combinator]:
    """Make a function the expansion of these layer types."""

    def register(expand: Combinator) -> Combinator:
        _COMBINATORS.update(dict.fromkeys(heads, expand))
        return expand

    return register


# Layers in the enclosing class --------------------------------------------------------


def expand_stack(stack: Stack, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """The layers of a list, as attributes of the enclosing class."""
    steps: list[Body] = []
    for layer, place in stack.each(at):
        widths = [x.channels]
        for turn, here in turns(layer, place, scope, out):
            done, x = expand_layer(turn, place, here, x, out)
            steps += done
            widths.append(x.channels)
        if layer.repeat is not None and (told := repeated_width(place, widths, out)) is not None:
            x = x._replace(channels=told)
    return steps, x


def expand_layer(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """One layer: its computation and its output."""
    scope.budget.spend(VISIT)
    if not scope.decide(layer.when, at, "when"):
        with nested(scope):
            return expand_stack(layer.otherwise or Stack(), at.below("else"), scope, x, out)
    if layer.source is not None or layer.save:
        return named(layer, at, scope, x, out, _expand_head)
    return _expand_head(layer, at, scope, x, out)


def _expand_head(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """A layer by its type, without its modifiers."""
    if layer.head == TENSOR:
        return [], x
    if layer.head in COMBINATORS and layer.head != "sequence":
        return _combine(layer, at, scope, x, out)
    if layer.run is None and layer.head in scope.parts:
        filled = fill(layer, at, scope)
        if layer.name is not None:
            return _filled(filled, layer, at, scope, x, out)
        with nested(scope, named=at):
            return expand_stack(filled.stack, filled.at, filled.scope, x, out)
    if layer.run or layer.head in OPS or layer.head == "sequence":
        made = expand_module(layer, at, scope, x)
        if isinstance(layer.raw, list) and not _has_children(made):
            return [], x  # a list whose layers do not exist
        return _add(made, layer, at, scope, x, out)
    call = call_of(layer, at, scope, x)
    if call.block.inline and layer.name is None:
        first = not out.items
        with nested(scope, call.name):
            inside = inline_scope(call, x)
            done, y = inlined(call, inside, x, out)
        if first:
            out.inlined[len(out.items)] = call.name, call.block.doc
        check_kept(layer, at, call, x, y)
        return done, y
    return _add(_expand_call(call, layer, at, x), layer, at, scope, x, out)


def _filled(
    filled: Filled, layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder
) -> Steps:
    """The layers of a part as one attribute."""
    name, inside = _attribute(layer, at, scope, out), filled.scope
    steps, y = expand_attribute(name, filled.stack, filled.at, inside, x, out, at)
    for step in steps:
        expand = partial(_single, filled.stack, filled.at, name or "")
        remembered(name, step, x, at, inside, expand, scope.tensors)
    return steps, y


def _combine(layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    if out.sequential:
        raise no_combinator(layer, at, scope)
    settle_all(scope, x)
    with nested(scope):
        return _COMBINATORS[layer.head](layer, at, scope, x, out)


def settle_all(scope: Scope, x: TensorInfo) -> None:
    """Record that the enclosing class depends on its sizes: a sum or gate depends on all."""
    scope.settle(x.channels)
    if scope.builder is not None:
        scope.budget.decided |= scope.builder.definitions.keys()
    elif scope.uses:
        for value in scope.values.values():
            scope.settle(value.expr or Number(0))


def _add(made: Module, layer: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    module, where, y = made
    draws, name = draws_of(layer, module, at, scope), _attribute(layer, at, scope, out)
    check_constant(made, name, at, scope, out.sequential)
    step = out.add(module, where, name, at, draws)
    remembered(name, step, x, at, scope, partial(expand_module, layer, at), scope.tensors)
    return [step], y


def _attribute(layer: Layer, at: At, scope: Scope, out: Builder) -> str | None:
    """The name of a layer; a list in a sequence numbers its children."""
    listed = out.sequential and not isinstance(layer.step, str)
    if listed and not isinstance(layer.name, Template):
        return None
    return scope.name(layer.name, at, "name")


# Layers with a name -------------------------------------------------------------------


def expand_attribute(
    name: str | None,
    stack: Stack,
    at: At,
    scope: Scope,
    x: TensorInfo,
    out: Builder,
    named_at: At,
) -> Steps:
    """All layers of `stack` as one attribute: a single layer itself, several as a Sequential."""
    if stack.single:
        ((layer, place),) = stack.each(at)
        if (layer.source is not None or layer.save) and scope.decide(layer.when, place, "when"):

            def expand(_: Layer, at: At, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
                return _as_attribute(name, stack, at, scope, x, out, named_at)

            return named(layer, place, scope, x, out, expand)
    return _as_attribute(name, stack, at, scope, x, out, named_at)


def _as_attribute(
    name: str | None, stack: Stack, at: At, scope: Scope, x: TensorInfo, out: Builder, named: At
) -> Steps:
    made, draws = expand_single(stack, at, scope, x, name or "")
    if made is None:
        return [], x
    module, where, y = made
    check_constant(made, name, named, scope, out.sequential)
    step = out.add(module, where, name, named, draws)
    expand = partial(_single, stack, at, name or "")
    remembered(name, step, x, named, scope, expand, scope.tensors)
    return [step], y


def _single(stack: Stack, at: At, name: str, scope: Scope, x: TensorInfo) -> Module:
    """The module of an existing attribute."""
    made, _ = expand_single(stack, at, scope, x, name)
    assert made is not None
    return made


def expand_single(
    stack: Stack, at: At, scope: Scope, x: TensorInfo, name: str
) -> tuple[Module | None, tuple[Draw, ...]]:
    """The layers of an attribute as a module, and its initialization."""
    if not stack.single:
        row = expand_row(stack, at, scope, x, name)
        return (row if _has_children(row) else None), ()
    ((layer, at),) = stack.each(at)
    scope.budget.spend(VISIT)
    if not scope.decide(layer.when, at, "when"):
        with nested(scope):
            return expand_single(layer.otherwise or Stack(), at.below("else"), scope, x, name)
    if layer.head == TENSOR:
        return None, ()
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
    holder, scope = Builder(sequential=True), scope.with_(tensors=None)
    steps, y = expand_stack(stack, at, scope, x, holder)
    return row_of(holder, steps, y, at, scope, name, numbered)


def check_constant(made: Module, name: str | None, at: At, scope: Scope, aside: bool) -> None:
    """A parameter has a name, and belongs to a class with a `forward`."""
    module = made[0]
    if not isinstance(module, OpCall) or not module.op.constant:
        return
    if aside:
        hint = "use it in a block body or an unnamed list, or move it into a block"
        raise scope.error("bad-layer", "a `parameter` is not a module", at, hint)
    if name is None:
        hint = "add `name: ...` next to it"
        raise scope.error("missing-key", "a `parameter` has no name", at, hint)


def no_combinator(layer: Layer, at: At, scope: Scope) -> FoundError:
    """The finding for a combinator with a name."""
    hint = "use it in a block body or an unnamed list, or move it into a block"
    return scope.error("bad-layer", f"`{layer.head}` has no attribute of its own", at, hint)


def expand_module(layer: Layer, at: At, scope: Scope, x: TensorInfo, attribute: str = "") -> Module:
    """One layer as a separate module: an op, a block, a Sequential, or a stage."""
    if layer.run:
        return _RUNS[0](layer, at, scope, x)
    if layer.head in OPS:
        return expand_op(OPS[layer.head], layer, at, scope, x)
    if layer.head == "sequence":
        name = attribute or scope.name(layer.name, at, "name") or ""
        inside = layer.branch_at(0, at)
        return expand_row(layer.branches[0].stack, inside, scope, x, name, layer.numbered)
    return _expand_call(call_of(layer, at, scope, x), layer, at, x)


# Blocks -------------------------------------------------------------------------------


def expand_own(call: Call, x: TensorInfo) -> Module:
    """A module of the user's; its shapes are those of the op or block it is `like`."""
    aside, scope = Builder(), inline_scope(call, x)
    scope.tensors = Tensors(aside, {INPUT: Tensor(INPUT, x), **call.inputs})
    _, y = expand_stack(call.block.like, At(("like",), call.name), scope, x, aside)
    gives = [tensor.info for tensor in given_out(call.block, call.name, scope)]
    return own_module(call, scope, x, gives or [y])


def _expand_call(call: Call, layer: Layer, at: At, x: TensorInfo) -> Module:
    with nested(call.scope, "" if call.block.is_class else call.name):
        made = expand_inline(call, x) if call.block.inline else expand_call(call, x)
    check_kept(layer, at, call, x, made[2])
    return made


def inlined(call: Call, scope: Scope, x: TensorInfo, out: Builder) -> Steps:
    """An inline block in the enclosing class, with names for its own tensors."""
    own, around = scope.tensors, call.scope.tensors
    steps: list[Body] = []
    if own is not None and reads_input(call.block.body, scope.memo):
        steps.append(Save(own.name(INPUT, x)))
    done, y = expand_stack(call.block.body, At(("body",), call.name), scope, x, out)
    steps += done
    gives = given_out(call.block, call.name, scope)
    for name, tensor in zip(call.saves, gives, strict=False):
        assert around is not None
        steps += [Load(tensor.mark), Save(around.name(name, tensor.info))]
    if gives:
        steps.append(Load(gives[0].mark))
        y = gives[0].info
    return steps, y


def given_out(block: Block, block_name: str, scope: Scope) -> list[Tensor]:
    """The tensors that a block outputs by name."""
    places = (At(("outputs", place), block_name) for place in range(len(block.outputs)))
    return [read(name, at, scope) for name, at in zip(block.outputs, places, strict=True)]


def expand_inline(call: Call, x: TensorInfo) -> Module:
    """An inline block with a name: a Sequential of its layers."""
    if call.block.inputs or call.block.outputs:
        hint = "remove its name, or make it a block with a class: remove `inline`"
        message = (
            f"`{call.name}` has {'inputs' if call.block.inputs else 'outputs'}, so it cannot be "
        )
        raise call.scope.error("bad-layer", f"{message}`nn.Sequential`", call.at, hint)
    holder, scope = Builder(sequential=True), inline_scope(call, x).with_(tensors=None)
    at = At(("body",), call.name)
    steps, y = expand_stack(call.block.body, at, scope, x, holder)
    holder.inlined[len(holder.items)] = call.name, call.block.doc
    return row_of(holder, steps, y, at, scope, call.name)


def expand_call(call: Call, x: TensorInfo, as_sequential: bool = False) -> Module:
    """A use of a block that is a class; equal uses share one expansion."""
    if call.block.imported:
        return expand_own(call, x)
    call.count()
    scope, use = call.scope, call.use()
    indices = {name: int(value.number) for name, value in call.indices.items()}
    room = scope.budget.left(call.name)
    try:
        expanded: Expanded = expand_block(
            call.key(x), as_sequential, indices, memo=scope.memo, room=room
        )
        scope.budget.add(expanded.effects)
        if expanded.effects.decided:
            call.settle()
    except TooLargeError as error:
        if error.finding is not None:
            error.finding = error.finding.outside(use)
        raise
    if expanded.instance is None:
        raise FoundError(*(_inside(f.outside(use), scope) for f in expanded.findings))
    made = BlockCall(expanded.instance, call.outside(x))
    y = leaving(made, call, x)
    given = [leaving(made, call, x, info) for info in expanded.instance.gives]
    return made, site(made, call, use, y, given), y


def _inside(finding: Finding, scope: Scope) -> Finding:
    """A finding of a block in an inline block, with the uses that led to the inline block."""
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
        gives = given_out(key.block, key.name, scope)
        if gives:
            steps.append(Give(tuple(tensor.mark for tensor in gives)))
            y = gives[0].info
        infos = tuple(tensor.info for tensor in gives)
        instance = closed(out, made, chain(steps), y, key.context.prefixes, infos)
        instance = alive(instance) if out.named else instance
        scope.budget.dead |= {*instance.dead}
        if key.block.init:
            instance = with_init(instance, key.block.init, At(("init",), key.name), scope)
    except FoundError as error:
        return Expanded(None, scope.budget.effects(error), error.findings)
    return Expanded(instance, scope.budget.effects(instance))

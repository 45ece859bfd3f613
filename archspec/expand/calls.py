"""Uses of blocks: their arguments, the scope of their body, and their outputs."""

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any, NamedTuple

from archspec.diagnostics import plural
from archspec.expand.budget import CALL, Budget, Effects, Room
from archspec.expand.builder import Builder, Declared, Tensor, Tensors
from archspec.expand.context import Closure, Context, closure
from archspec.expand.lists import elements, spread
from archspec.expand.naming import camel
from archspec.expand.scope import Scope
from archspec.expand.tensors import of_scope, read, relative
from archspec.expression import Expr, Name, Number, Scalar, Value, constant
from archspec.ir import Field
from archspec.ir.bodies import INPUT
from archspec.ir.tree import BlockInstance, Definition, TensorInfo
from archspec.language.arguments import ANY
from archspec.language.blocks import Block
from archspec.language.library import (
    BLOCK_CHANNELS,
    BLOCK_STRIDE,
    LISTS,
    Bound,
    bind_defaults,
    bind_use,
)
from archspec.language.stack import Layer, Stack
from archspec.language.templates import Template
from archspec.language.words import FLOW, INDICES, PARTS_OF_ALL
from archspec.memo import Memo
from archspec.places import At, Finding, Given, Origin, Use
from archspec.records import Record


class BlockKey(NamedTuple):
    """Everything that the expansion of a block depends on, except the indices.

    Numbers include their types: `True` and 1 are equal in Python but differ in a spec.
    """

    name: str
    block: Block
    given: tuple[tuple[str, Scalar, type], ...]
    parts: tuple[tuple[str, Closure], ...]
    x: TensorInfo
    context: Context
    inputs: tuple[tuple[str, TensorInfo], ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Expanded(Record):
    """An expanded block; without an instance if it has findings."""

    instance: BlockInstance | None
    effects: Effects
    findings: tuple[Finding, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The indices that it depends on."""
        return self.effects.reads


class Call(Record, eq=False):
    """A use of a block with its arguments, where it is written."""

    name: str
    block: Block
    scope: Scope
    given: dict[str, Value]
    parts: dict[str, Closure]
    origins: dict[str, Origin]
    at: At  # where the block is named
    args: dict[str, Given] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)  # arguments that are lists
    inputs: dict[str, Tensor] = field(default_factory=dict)
    saves: tuple[str, ...] = ()  # the names of its outputs in the caller

    @property
    def indices(self) -> dict[str, Value]:
        """The indices available to the block."""
        values = self.scope.values
        return {name: values[name] for name in INDICES if name in values}

    @property
    def arriving(self) -> str:
        """The name of the input channels: that of the output channels, unless the caller sets
        others.
        """
        return "in_channels" if "channels" in self.given else "channels"

    def key(self, x: TensorInfo) -> BlockKey:
        """The key of the expansion."""
        given = tuple(sorted((n, v.number, type(v.number)) for n, v in self.given.items()))
        inner = TensorInfo(x.shape, Name(self.arriving), (1,) * x.shape.rank)
        parts = tuple(sorted(self.parts.items(), key=lambda item: item[0]))
        inputs = tuple((name, self._inside(name, x)) for name in self.block.inputs)
        lists = tuple(sorted(self.lists.items()))
        context = self.scope.context
        return BlockKey(self.name, self.block, given, parts, inner, context, inputs, lists)

    def give(self, arg: str, written: Any, at: At, read: Callable[[Expr, At], Value]) -> None:
        """An argument as written at a location: a number, or a list of numbers."""
        scope, written = self.scope, spread(written, self.scope.lists)
        if not isinstance(written, tuple):
            self.given[arg] = read(written, at)
            return
        if arg not in self.block.args:
            raise scope.error("wrong-type", f"`{arg}` expects one number", at, "use one number")
        self.lists[arg] = elements(arg, len(written), self.block)
        for place, (name, part) in enumerate(zip(self.lists[arg], written, strict=True)):
            if isinstance(part, tuple):
                raise scope.error("wrong-type", f"`{arg}` is a list of lists", at, LISTS)
            self.given[name] = read(part, at.below(place))
            self.args[name] = at.below(place)

    def _inside(self, name: str, x: TensorInfo) -> TensorInfo:
        """An input in the names of the block."""
        info = self.inputs[name].info
        return TensorInfo(info.shape, Name(channels_of(name, self.block)), relative(info, x))

    def use(self) -> Use:
        """How locations inside the block are found."""
        scope = self.scope
        bound = _bound_defaults(self.name, self.block, scope)
        origins = unfilled_origins(self.name, self.block, scope) | self.origins
        args = {arg: At(("defaults", self.name, arg)) for arg in bound.args}
        return Use(self.at, self.name, {**scope.context.origins, **origins}, {**args, **self.args})

    def outside(self, x: TensorInfo) -> dict[str, Expr | None]:
        """The block's names in formulas of the caller."""
        known: dict[str, Expr | None] = {n: value.expr for n, value in self.given.items()}
        known.setdefault("stride", Number(1))
        known[self.arriving] = x.channels
        for name, tensor in self.inputs.items():
            known[channels_of(name, self.block)] = tensor.info.channels
        return known

    def settle(self) -> None:
        """Record that the block makes decisions based on its arguments."""
        for value in self.given.values():
            if value.expr is not None:
                self.scope.settle(value.expr)

    def count(self) -> None:
        """The steps of expanding the block."""
        parts = sum(part.size for part in self.parts.values())
        self.scope.budget.spend(CALL + len(self.block.args) + len(self.given) + parts)


def call_of(layer: Layer, at: At, scope: Scope, x: TensorInfo) -> Call:
    """The block of a layer, with the layer's arguments, evaluated where it is written."""
    if layer.head in PARTS_OF_ALL:  # not a part here: only where its layers are given
        hint = "use an op or a block: `norm: {group_norm: 32}`"
        raise scope.error("cycle", f"`{layer.head}` refers to itself", at, hint)
    block = scope.context.blocks[layer.head]
    scope.budget.used.add(layer.head)
    bound = bind_use(layer, layer.head, block, memo=scope.memo)
    whole = at.below(layer.head)
    parts, origins = closures(bound.parts, whole, scope)
    named, saves = whole._replace(key=True), layer.save if block.outputs else ()
    call = Call(layer.head, block, scope, {}, parts, origins, named, saves=saves)
    for arg, expr in bound.args.items():
        place = whole.below(arg)
        if isinstance(expr, tuple) and layer.turn is not None:
            expr, place = in_turn(layer.turn, expr, place, scope)
        elif arg == "stride" and layer.turn and layer.turn[0]:
            continue
        how = {"channels": BLOCK_CHANNELS, "stride": BLOCK_STRIDE}.get(arg, ANY)
        call.give(arg, expr, place, partial(_argument, scope, how, arg))
    if scope.in_network:
        scope.settle(x.channels)
    for name in PARTS_OF_ALL:  # a block's norm and act are passed on to the blocks in its body
        if name not in parts and name in scope.parts and not scope.in_network:
            parts[name], origins[name] = scope.parts[name], scope.origins[name]
    for arg in bound.args:
        call.args.setdefault(arg, _given_at(layer, arg, whole, scope))
    check_required(call)
    if block.inputs or block.outputs:
        _connect(call, layer, bound, at)
    return call


def _argument(scope: Scope, how: Field, word: str, expr: Expr, at: At) -> Value:
    return scope.argument(expr, how, at, word)


def in_turn(turn: tuple[int, int], values: tuple[Any, ...], at: At, scope: Scope) -> tuple[Any, At]:
    """The value of a list for this repetition of a layer."""
    index, count = turn
    if len(values) != count:
        given, layers = plural(len(values), "value"), plural(count, "layer")
        message = f"`{at.path[-1]}` has {given}, but the repeat has {layers}"
        hint = "a list next to `repeat` needs one value per layer"
        raise scope.error("wrong-length", message, at, hint)
    return values[index], at.below(index)


def _connect(call: Call, layer: Layer, bound: Bound, at: At) -> None:
    """The additional input tensors of a block, and the names of its outputs."""
    scope, block, whole = call.scope, call.block, at.below(layer.head)
    of_scope(scope, call.at)
    for name in block.inputs:
        if name not in bound.inputs:
            message = f"missing input `{name}` for block `{call.name}`"
            raise scope.error("missing-key", message, call.at, f"add `{name}: ...`")
        call.inputs[name] = read(bound.inputs[name], whole.below(name), scope)
    if len(layer.save) > len(block.outputs) > 0:
        given = plural(len(block.outputs), "tensor")
        message = f"`{call.name}` has {given}, but `save` has {plural(len(layer.save), 'name')}"
        raise scope.error("bad-layer", message, at.below("save"), "remove the last names")


def _given_at(layer: Layer, arg: str, whole: At, scope: Scope) -> Given:
    """Where an argument is set: here, or where the caller of the enclosing block sets it."""
    raw = layer.given.get(arg)
    outer = scope.given(raw.strip()) if isinstance(raw, str) else None
    return outer or whole.below(arg)


def closures(
    stacks: Mapping[str, Stack], whole: At, scope: Scope
) -> tuple[dict[str, Closure], dict[str, Origin]]:
    """The layers given for parts, written below `whole` in this scope."""
    parts = {
        name: closure(stack, scope.parts, scope.network_args, scope.memo)
        for name, stack in stacks.items()
    }
    if scope.in_network:
        for part in parts.values():
            scope.budget.decided |= part.names.keys()
    return parts, {name: Origin(whole.below(name), scope.origins) for name in stacks}


def check_required(call: Call) -> None:
    """Raise a finding if a required argument is missing."""
    bound = _bound_defaults(call.name, call.block, call.scope)
    for arg, default in call.block.args.items():
        known = arg in call.given or arg in call.lists or arg in bound.args
        if default is None and not known:
            message = f"missing argument `{arg}` for block `{call.name}`"
            raise call.scope.error("missing-key", message, call.at, f"add `{arg}: ...`")


def class_scope(key: BlockKey, indices: Mapping[str, int], room: Room, memo: Memo | None) -> Scope:
    """The scope of the body of a block that is a class: its own names."""
    scope = Scope(key.context, Budget(room), memo, Builder())
    scope.block, scope.lists = key.name, dict(key.lists)
    numbers = [name for names in scope.lists.values() for name in names]
    scope.symbolic = frozenset([*FLOW, *key.block.args, *numbers])
    assert scope.builder is not None
    known = {INPUT: Tensor(INPUT, key.x), **{name: Tensor(name, x) for name, x in key.inputs}}
    scope.tensors = Tensors(scope.builder, known)
    for name, x in key.inputs:
        channels = channels_of(name, key.block)
        scope.builder.definitions[channels] = Definition(x.shape.channels, None, given=True)
    given = {name: constant(number) for name, number, _ in key.given}
    told = {*given, *_bound_defaults(key.name, key.block, scope).args}
    scope.given = lambda name: name if name in told else None
    _fill(scope, key.name, key.block, dict(key.parts), given)
    scope.origins = {part: Origin(At(parts=(part,))) for part in scope.parts}
    scope.values |= {name: Value(number, None) for name, number in indices.items()}
    _define_flow(scope, given, key.x)
    return scope


def inline_scope(call: Call, x: TensorInfo) -> Scope:
    """The scope of the body of an inline block: its names, as formulas of the caller."""
    outer = call.scope
    call.count()
    scope = outer.with_(
        values=dict(call.indices),
        pending={},
        symbolic=frozenset(),
        lists=dict(call.lists),
        running=[],
        uses=((call.at, call.name), *outer.uses),
        named=None,
        network_args={},
    )
    if outer.tensors is not None:
        scope.tensors = Tensors(outer.tensors.out, call.inputs, private=True)
    bound = _bound_defaults(call.name, call.block, outer)
    args = {**{arg: At(("defaults", call.name, arg)) for arg in bound.args}, **call.args}
    scope.given = lambda name: args.get(name)
    _fill(scope, call.name, call.block, call.parts, call.given)
    scope.origins = {
        **outer.context.origins,
        **unfilled_origins(call.name, call.block, outer),
        **call.origins,
    }
    _define_flow(scope, call.given, x)
    return scope


def _fill(
    scope: Scope,
    name: str,
    block: Block,
    parts: Mapping[str, Closure],
    given: Mapping[str, Value],
) -> None:
    """The layers given for parts, and the defaults of arguments that are not set."""
    context, memo = scope.context, scope.memo
    bound = _bound_defaults(name, block, scope)
    scope.parts = {
        **context.parts,
        **{p: closure(stack, context.parts, {}, memo) for p, stack in block.parts.items()},
        **{p: closure(s, context.parts, context.args, memo) for p, s in bound.parts.items()},
        **parts,
    }
    scope.truths = {part: not scope.parts[part].none for part in block.parts}
    for arg, default in block.args.items():
        expr, at = default, At(("args", arg), name)
        if arg in bound.args:
            expr, at = bound.args[arg], At(("defaults", name, arg))
        if expr is None or arg in scope.lists or arg in given:
            continue
        expr = spread(expr, scope.lists)
        if not isinstance(expr, tuple):
            scope.pending[arg] = expr, at
            continue
        scope.lists[arg] = numbers = elements(arg, len(expr), block)
        scope.pending |= {n: (e, at) for n, e in zip(numbers, expr, strict=True)}
        scope.symbolic |= {*numbers} if scope.symbolic else set()


def _define_flow(scope: Scope, given: Mapping[str, Value], x: TensorInfo) -> None:
    """The names that are set, and those of the input."""
    for arg, value in ({"stride": constant(1)} | dict(given)).items():
        scope.values[arg] = scope.define(arg, value, given=True)
    arriving = "in_channels" if "channels" in given else "channels"
    scope.values["in_channels"] = scope.define(arriving, x.value, given=True)
    scope.values.setdefault("channels", scope.values["in_channels"])


def unfilled_origins(name: str, block: Block, scope: Scope) -> dict[str, Origin]:
    """Where the default layers of parts are written."""
    own = {part: Origin(At(("parts", part), name), {}) for part in block.parts}
    filled = _bound_defaults(name, block, scope).parts
    return own | {part: Origin(At(("defaults", name, part)), {}) for part in filled}


def _bound_defaults(name: str, block: Block, scope: Scope) -> Bound:
    return bind_defaults(scope.context.defaults, name, block, memo=scope.memo)


def declared(name: str, block: Block, scope: Scope) -> Declared:
    """The settings of a block for its class, evaluated in `scope`."""
    class_name, prefix, child = block.class_ or camel(name), block.name or name, None
    if isinstance(prefix, Template):
        prefix, child = name, scope.name(prefix, At(block=name))
    raw, inputs = block.raw, block.inputs
    numbers = {
        n: scope.pending[n][0] for ns in scope.lists.values() for n in ns if n in scope.pending
    }
    args = {arg: e for arg, e in block.args.items() if not isinstance(e, tuple)} | numbers
    return Declared(name, class_name, block.doc, args, prefix, raw, child, inputs, scope.lists)


def channels_of(name: str, block: Block) -> str:
    """The names of an input's channels in formulas of the block."""
    channels = f"{name}_channels"
    while channels in block.args or channels in FLOW:
        channels += "_"
    return channels

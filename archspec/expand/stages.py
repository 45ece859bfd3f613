"""One stage: its blocks, each with the arguments from the stage."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from archspec.diagnostics import plural
from archspec.expand.budget import Budget, Room
from archspec.expand.builder import Builder, Shareable
from archspec.expand.calls import Call, check_required, closures
from archspec.expand.context import Context, names_in
from archspec.expand.entries import ExpandedPart
from archspec.expand.layers import expand_call, expand_inline, run
from archspec.expand.rows import Module, row_of
from archspec.expand.scope import FoundError, Scope
from archspec.expression import Expr, Number, Scalar, Value, constant
from archspec.ir import Apply, Body, Field, Shape
from archspec.ir.tree import TensorInfo
from archspec.language.library import BLOCK_CHANNELS, BLOCK_STRIDE, bind_use
from archspec.language.stack import Layer
from archspec.language.stages import Stage
from archspec.language.widths import Place, Series, Width
from archspec.memo import Memo, remember_by_reads
from archspec.places import At, Finding


class StageKey(NamedTuple):
    """Everything that the expansion of a stage depends on, except its position among the stages.

    `args` are the arguments of the network that it names.
    """

    stage: Stage
    repeat: int
    at: At
    args: tuple[tuple[str, Scalar, type], ...]
    x: TensorInfo
    context: Context


def stage_key(
    stage: Stage,
    series: Series,
    args: Mapping[str, Value],
    x: TensorInfo,
    at: At,
    context: Context,
    *,
    memo: Memo | None,
) -> StageKey:
    """The key of a stage at a path in a spec."""
    named = sorted(names_in(stage, memo=memo) & args.keys())
    numbers = tuple((name, args[name].number, type(args[name].number)) for name in named)
    return StageKey(stage, series.repeat, at, numbers, x, context)


@remember_by_reads
def expand_stage(
    key: StageKey, place: dict[str, int], *, memo: Memo | None, room: Room
) -> ExpandedPart:
    """The blocks of one stage, as one Sequential.

    After a finding, expansion continues with the output that the stage declares. `place` is its
    position: `stage`, and the `block_index` of its first block.
    """
    stage, at, x = key.stage, key.at, key.x
    scope = Scope(key.context, Budget(room), memo)
    scope.parts, scope.origins = key.context.parts, key.context.origins
    args = {name: constant(number) for name, number, _ in key.args}
    scope.network_args = args
    series = Series(at.path, key.repeat, **place)
    scope.settle(x.channels)
    blocks, steps, found = Builder(sequential=True), list[Body](), list[Finding]()
    out = Builder(prefix=f"{'.'.join(map(str, at.path))}#")
    for index in range(series.repeat):
        block, promised = series.place(index, args), x
        try:
            promised, here = _promise(stage, block, at, scope, x)
            module, where, y = _expand(stage, block, at, here, x, promised)
            named = here.name(stage.name, at.below("name"))
            steps.append(blocks.add(module, where, named, at.below("block", block.number)))
        except FoundError as error:
            found += error.findings
            x = promised
            break
        x = y
    name = str(at.path[-1])
    row, site, x = row_of(blocks, steps, x, at, scope, name)
    if not found:
        scope.budget.widths.append(Width(at.path, x.shape.channels))
    step = out.add(row, site, name, at._replace(key=True))
    again = Shareable(step, key.x, at._replace(key=True), scope, partial(_again, key, place))
    effects, layers = scope.budget.effects(row), ((name, again),)
    return ExpandedPart(out, (step,), x, effects, tuple(found), layers=layers)


def _again(key: StageKey, place: dict[str, int], scope: Scope, x: TensorInfo) -> Module:
    """A stage that is applied to a different input."""
    return _as_module(key._replace(x=x), place, scope)


@run
def expand_run(layer: Layer, at: At, scope: Scope, x: TensorInfo) -> Module:
    """A stage that is a child of a sequence."""
    series, stage = scope.series[at.path], layer.run
    scope.budget.decided |= names_in(stage, memo=scope.memo)
    key = stage_key(stage, series, scope.network_args, x, at, scope.context, memo=scope.memo)
    return _as_module(key, series.indices, scope)


def _as_module(key: StageKey, place: dict[str, int], scope: Scope) -> Module:
    room = scope.budget.left("")
    part = expand_stage(key, place, memo=scope.memo, room=room)
    scope.budget.add(part.effects)
    scope.budget.decided |= part.effects.decided
    if part.findings:
        raise FoundError(*part.findings)
    (item,), (step,) = part.out.items, part.steps
    assert isinstance(step, Apply)
    return item.module, step.site, part.leaving


def _expand(
    stage: Stage, place: Place, at: At, scope: Scope, x: TensorInfo, promised: TensorInfo
) -> Module:
    """One block of the stage."""
    name = stage.blocks[place.number if len(stage.blocks) > 1 else 0]
    call = _call(name, stage, place, at, scope)
    made = (expand_inline if call.block.inline else expand_call)(call, x)
    _check_promise(stage, name, at, promised, made[2])
    return made


def _promise(
    stage: Stage, place: Place, at: At, outer: Scope, x: TensorInfo
) -> tuple[TensorInfo, Scope]:
    """The declared output of this block, and the values of the arguments of its stage."""
    scope = outer.with_(values=dict(place.names))
    channels = _written(stage.channels, "channels", place, at, scope, BLOCK_CHANNELS)
    stride = None
    if isinstance(stage.stride, tuple) or not place.number:
        stride = _written(stage.stride, "stride", place, at, scope, BLOCK_STRIDE)
    scope.values["channels"] = channels or constant(x.shape.channels)
    scope.values["stride"] = stride or constant(1)
    scope.values["in_channels"] = constant(x.shape.channels)
    wide, by = (int(scope.values[name].number) for name in ("channels", "stride"))
    sizes = tuple(-(-size // by) for size in x.shape.spatial)
    strides = None if x.stride is None else tuple(step * by for step in x.stride)
    return TensorInfo(Shape(wide, sizes, x.shape.last), Number(wide), strides), scope


def _written(
    expr: Expr | tuple[Expr, ...] | None,
    name: str,
    place: Place,
    at: At,
    scope: Scope,
    how: Field,
) -> Value | None:
    where = at.below(name)
    if isinstance(expr, tuple):
        where, expr = where.below(place.number), expr[place.number]
    return None if expr is None else scope.argument(expr, how, where, name)


def _call(name: str, stage: Stage, place: Place, at: At, scope: Scope) -> Call:
    """The block of a stage with the arguments from the stage."""
    block = scope.context.blocks[name]
    scope.budget.used.add(name)
    if block.inputs or block.outputs:
        message = (
            f"`{name}` has {'`inputs`' if block.inputs else '`outputs`'}, so it cannot be a stage"
        )
        hint = f"use it as a layer: `{at.path[-1]}: {{{name}: ...}}`"
        raise scope.error("bad-layer", message, at.below("block"), hint)
    bound = bind_use(stage, name, block, memo=scope.memo)
    given = {"stride": scope.values["stride"]}
    if stage.channels is not None:
        given["channels"] = scope.values["channels"]
    parts, origins = closures(bound.parts, at, scope)
    inside = scope.with_(values={**scope.values, **place.names})
    named = at.below("block", place.number)
    call = Call(name, block, inside, given, parts, origins, named)
    for arg, expr in bound.args.items():
        where = at.below(arg)
        if isinstance(expr, tuple):
            where, expr = where.below(place.number), expr[place.number]
        call.give(arg, expr, where, scope.value)
    args = [arg for arg in (*given, *bound.args) if arg in stage.raw]
    call.args.update((arg, at.below(arg, place.number)) for arg in args)
    check_required(call)
    return call


def _grows(promised: TensorInfo, y: TensorInfo) -> bool:
    """Whether a block enlarges the image, which a stride cannot express."""
    if not promised.stride or not y.stride or len(promised.stride) != len(y.stride):
        return False
    return all(mine <= wanted for mine, wanted in zip(y.stride, promised.stride, strict=True))


def _check_promise(stage: Stage, name: str, at: At, promised: TensorInfo, y: TensorInfo) -> None:
    used = ((at.below("block"), f"`{name}` is used here"),)
    if stage.channels is not None and y.shape.channels != promised.shape.channels:
        raise FoundError(
            Finding(
                "channels-ignored",
                f"`{name}` outputs {plural(y.shape.channels, 'channel')}, but its stage sets "
                f"`channels: {promised.shape.channels}`",
                at.below("channels"),
                "use `channels` in the block, or set it to what the block outputs",
                used,
            )
        )
    grows = "stride" not in stage.raw and _grows(promised, y)
    if y.stride != promised.stride and y.stride is not None and not grows:
        raise FoundError(
            Finding(
                "stride-ignored",
                f"`{name}` ignores the `stride` of its stage",
                at.below("stride"),
                "use `stride` in one layer of the block, or set `stride: 1`",
                used,
            )
        )

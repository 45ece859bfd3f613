"""A spec with every use of every block opened: parts filled, conditions settled, shapes known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Span, SpecError, merged
from archspec.expression import Name, Number, Value, constant
from archspec.helpers import HELPERS
from archspec.ir import Apply, Body, Chain, Field, Shape
from archspec.language import Spec
from archspec.language.layers import Stack
from archspec.language.library import BLOCK_CHANNELS, BLOCK_STRIDE
from archspec.language.names import INDICES, PARTS_OF_ALL
from archspec.language.stages import Stage
from archspec.language.widths import Place, Series, series_of
from archspec.lower.blocks import Call
from archspec.lower.layers import Layers
from archspec.lower.model import Flow, Instance, Item, Row, Use
from archspec.lower.naming import NEVER_A_CLASS, camel, name_items
from archspec.lower.scope import Scope, named_by
from archspec.lower.totals import leaving
from archspec.ops import OPS
from archspec.record import record
from archspec.source import locate

MOST_FINDINGS = 20
OUTSIDE = ("stage", "block_index", "block_count")  # what tells a block where its stage stands


@record(eq=False, frozen=False)
class Opened:
    """The network, opened: its own layers, and what was used on the way."""

    root: Instance
    output: Flow
    symbolic: dict[str, Value]
    used: set[str]


def open_network(spec: Spec) -> Opened:
    """Raises `SpecError` with the findings of every stage."""
    settled = set[str]().union(*map(named_by, (spec.defaults, *spec.stages.values())))
    while True:
        elaborator = Elaborator(spec, settled)
        opened = elaborator.network()
        wanted = elaborator.layers.settled & opened.symbolic.keys()
        if not wanted:
            return opened
        settled |= wanted


@lru_cache(maxsize=256)
def _arriving(channels: int, *sizes: int) -> Flow:
    """What enters a network; the same object for all that take the same."""
    return Flow(Shape(channels, sizes), Number(channels), (1,) * len(sizes))


def class_name(spec: Spec) -> str:
    """The name of the network's class; it hides no other name of the generated file."""
    taken = NEVER_A_CLASS | HELPERS.keys()
    if spec.class_ in taken:
        message = f"`{spec.class_}` is another class of the generated file"
        span = spec.where("class")
        raise SpecError([Diagnostic("bad-name", message, span, "choose another name")])
    name = spec.class_ or camel(spec.name)
    return f"{name}Net" if name in taken else name


class Elaborator:
    """The network itself: stem, stages, head."""

    def __init__(self, spec: Spec, settled: set[str]) -> None:
        self.spec, self.data = spec, spec.data
        self.fixed = settled
        self.layers = Layers(spec)
        self.found: list[Diagnostic] = []

    def network(self) -> Opened:
        spec = self.spec
        root = Instance("", None, class_name(spec), spec.doc)
        symbolic = {
            name: Value(value, Name(name))
            for name, value in spec.args.items()
            if name not in self.fixed and type(value) is int
        }
        values = {name: constant(value) for name, value in spec.args.items()} | symbolic
        scope = self._scope(values)
        flow = _arriving(*spec.input)
        steps: list[Body] = []
        try:
            flow = self._section(spec.stem, "stem", scope, flow, root, steps)
            flow = self._stages(flow, root, steps)
            flow = self._section(spec.head, "head", scope, flow, root, steps)
        except SpecError as error:
            self.found += error.diagnostics
        if self.found:
            raise SpecError(merged(self.found))
        self.layers.settled |= scope.settled
        root.body = Chain(tuple(steps))
        name_items(root, spec.names)
        root.steps = self.layers.steps
        return Opened(root, flow, symbolic, self.layers.used)

    def _scope(self, values: dict[str, Value]) -> Scope:
        """What an expression sees that stands in no block."""
        return Scope(values, self.layers.parts, self.layers.budget)

    def _section(
        self,
        section: Any,
        where: str,
        scope: Scope,
        flow: Flow,
        root: Instance,
        steps: list[Body],
    ) -> Flow:
        """After a finding in a layer that leaves what arrives it goes on behind that."""
        for name, stack in section.entries:
            try:
                if name is None:
                    done, flow = self.layers.stack(stack, scope, flow, root)
                else:
                    span = locate(self.data, (where, name), key=True)
                    done, flow = self.layers.attribute(name, stack, scope, flow, root, span)
                steps += done
            except SpecError as error:
                self.found += error.diagnostics
                if not _leaves_as_is(stack) or _cannot_go_on(error):
                    raise SpecError([]) from None
        return flow

    def _stages(self, flow: Flow, root: Instance, steps: list[Body]) -> Flow:
        blocks = {series.key: series for series in series_of(self.spec)}
        found = self.found
        before, wide = "", 0
        for key, stage in self.spec.stages.items():
            span = locate(self.data, ("stages", key), key=True)
            try:
                if stage.between is not None:
                    scope = self._scope({n: constant(v) for n, v in self.spec.args.items()})
                    done, flow = self.layers.attribute(key, stage.between, scope, flow, root, span)
                    steps += done
                    continue
                self.layers.decided(flow)
                row, flow = self._shared_stage(stage, blocks[key], flow, found)
                first = leaving(row.children[0].made) if row.children else None
                here = first.channels if first else wide
                if here < wide and not stage.shrink and not found:
                    found.append(_shrinks(key, before, here, wide, stage.where("channels")))
                before, wide = key, flow.shape.channels
                item = Item(row, root.mark(), key, span)
                root.items.append(item)
                steps.append(Apply(item.mark))
            except SpecError as error:
                found += error.diagnostics
                raise SpecError([]) from None
        return flow

    def _shared_stage(
        self, stage: Stage, blocks: Series, flow: Flow, found: list[Diagnostic]
    ) -> tuple[Row, Flow]:
        """A stage as another network had it, where nothing in it asks how far along it is."""
        common, words = self.layers.common, named_by(stage)
        store = common.store
        if store is None or not words.isdisjoint(OUTSIDE):
            return self._stage(stage, blocks, flow, found)
        args = tuple((name, self.spec.args[name]) for name in sorted(words & self.spec.args.keys()))
        come = store.numbered(flow, flow.come)
        key = (id(stage), blocks.repeat, args, come, common.alike())
        if key not in store.stages:
            with common.noting() as note:
                row, leaving = self._stage(stage, blocks, flow, found)
            uses = all(isinstance(child.made, Use) for child in row.children)
            if not uses or found or note.touched & set(OUTSIDE):
                return row, leaving
            store.stages[key] = (stage, row, leaving, note)
        else:
            _, row, leaving, note = store.stages[key]
            common.again(note, self._scope({}), stage.span)
        return row, leaving

    def _stage(
        self, stage: Stage, blocks: Series, flow: Flow, found: list[Diagnostic]
    ) -> tuple[Row, Flow]:
        """The blocks of one stage; after a finding it goes on with what the stage promised."""
        children = []
        for place in blocks.places():
            promised, scope = self._promise(stage, place, flow)
            name = stage.blocks[place.index if len(stage.blocks) > 1 else 0]
            try:
                item, flow = self._stage_block(name, stage, place, scope, flow)
                children.append(item)
                self._kept(stage, name, promised, flow)
            except SpecError as error:
                found += error.diagnostics
                if len(found) >= MOST_FINDINGS:
                    raise SpecError([]) from None
                if _cannot_go_on(error):
                    raise SpecError([]) from None
                flow = promised
                break
        return Row(children), flow

    def _promise(self, stage: Stage, place: Place, flow: Flow) -> tuple[Flow, Scope]:
        """What should leave this block, and what the arguments of its stage see."""
        scope = self._scope(dict(place.names))
        channels = self._in_stage(stage, "channels", place, scope, BLOCK_CHANNELS)
        stride = self._in_stage(stage, "stride", place, scope, BLOCK_STRIDE)
        scope.values["channels"] = channels or constant(flow.shape.channels)
        scope.values["stride"] = stride or constant(1)
        scope.values["in_channels"] = constant(flow.shape.channels)
        wide = scope.values["channels"].number
        by = int(scope.values["stride"].number)
        sizes = tuple(-(-size // by) for size in flow.shape.spatial)
        strides = None if flow.stride is None else tuple(s * by for s in flow.stride)
        return Flow(Shape(int(wide), sizes, flow.shape.last), Number(int(wide)), strides), scope

    def _in_stage(
        self, stage: Stage, name: str, place: Place, scope: Scope, how: Field
    ) -> Value | None:
        expr = getattr(stage, name)
        span = stage.where(name)
        if isinstance(expr, tuple):
            span = stage.where(name, place.index)
            expr = expr[place.index]
        elif name == "stride" and place.index:
            return None
        return None if expr is None else scope.argument(expr, how, span, name)

    def _stage_block(
        self, name: str, stage: Stage, place: Place, scope: Scope, flow: Flow
    ) -> tuple[Item, Flow]:
        block = self.layers.blocks.block(name)
        bound = self.layers.library.bind(stage.given, name, block)
        given = {"channels": scope.values["channels"], "stride": scope.values["stride"]}
        for arg, expr in bound.args.items():
            span = stage.where(arg)
            if isinstance(expr, tuple):
                span = stage.where(arg, place.index)
                expr = expr[place.index]
            given[arg] = scope.value(expr, span)
        parts = self.layers.closures(bound.parts, self.layers.parts, scope.values, stage.raw)
        indices = {name: place.names[name] for name in INDICES}
        span = stage.where("block", place.index) or stage.where("block")
        label = Label(span, f"`{name}` is used here") if span else None
        said = partial(_said, stage, place.index)
        call = Call(name, block, given, parts, indices, label, stage=said)
        if block.inline:
            made, flow = self.layers.blocks.inline_row(call, scope, flow)
            return Item(made, "", None, span), flow
        use, flow = self.layers.blocks.remembered(call, flow)
        return Item(use, "", None, span), flow

    def _kept(self, stage: Stage, name: str, promised: Flow, flow: Flow) -> None:
        if flow.shape.channels != promised.shape.channels:
            raise SpecError(
                [
                    Diagnostic(
                        "channels-ignored",
                        f"`{name}` gives {flow.shape.channels} channels where its stage says "
                        f"{promised.shape.channels}",
                        stage.where("channels"),
                        "use `channels` in the block, or say what it gives",
                        _used(stage, name),
                    )
                ]
            )
        if flow.stride != promised.stride and flow.stride is not None:
            raise SpecError(
                [
                    Diagnostic(
                        "stride-ignored",
                        f"`{name}` does not stride as its stage says",
                        stage.where("stride"),
                        "use `stride` in one layer of the block, or say `stride: 1`",
                        _used(stage, name),
                    )
                ]
            )


def _shrinks(key: str, before: str, here: int, wide: int, span: Span | None) -> Diagnostic:
    """Told of stages without `channels`; `spec.widths` compares the numbers that are written."""
    message = f"`{key}` has {here} channels, fewer than the {wide} of `{before}`"
    hint = f"write `channels: {wide}`, or say why: `shrink: the reason`"
    return Diagnostic("channels-shrink", message, span, hint)


def _said(stage: Stage, index: int, name: str) -> Span | None:
    """Where a stage says an argument of one of its blocks."""
    if not isinstance(stage.raw, Mapping) or name not in stage.raw:
        return None
    return stage.where(name, index) or stage.where(name)


def _used(stage: Stage, name: str) -> tuple[Label, ...]:
    """Where the block is named, which may be in another file than what it does not keep."""
    span = stage.where("block")
    return (Label(span, f"`{name}` is used here"),) if span else ()


def _leaves_as_is(stack: Stack) -> bool:
    """Whether it is one norm or activation, whatever is wrong in it."""
    if len(stack.layers) != 1:
        return False
    head = stack.layers[0].head
    op = OPS.get(head)
    return head in PARTS_OF_ALL or (op is not None and (op.norm or op.activation))


def _cannot_go_on(error: SpecError) -> bool:
    return any(d.rule in ("cycle", "too-large") for d in error.diagnostics)

"""A spec as the rules see it: what is written, and the network that it opens to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property

from archspec.diagnostics import Diagnostic, Fix, Label, Severity, Span
from archspec.expression import Number
from archspec.language import Block, Library, Spec
from archspec.language.layers import Layer, Stack
from archspec.lower import Opened
from archspec.lower.model import Instance, Item, Made, OpUse, Row, Step, Use
from archspec.lower.scope import is_shipped
from archspec.lower.totals import Totals, leaving, totals
from archspec.rules.rule import RULES, Concern
from archspec.source import locate

Labels = tuple[Label, ...]


class Written:
    """Blocks as they are written, wherever they are used. A spec's own, or one in a file."""

    def __init__(self, blocks: Mapping[str, Block], library: Library) -> None:
        self.blocks = blocks
        self.library = library

    def finding(
        self,
        rule: str,
        message: str,
        span: Span | None,
        hint: str = "",
        labels: Labels = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Diagnostic:
        """A finding; of a shipped block the user sees the place that uses it."""
        span, labels = self.place(span, labels)
        return Diagnostic(rule, message, span, hint, labels, severity or RULES[rule].severity, fix)

    def place(self, span: Span | None, labels: Labels) -> tuple[Span | None, Labels]:
        """The line that the user wrote, and the others."""
        if span is None or not is_shipped(span.file):
            return span, labels
        led = [n for n, x in enumerate(labels) if not is_shipped(x.span.file)]
        if not led:
            return span, labels
        inside = Label(span, "in this layer")
        return self.nearest(labels[led[0]].span), (inside, *labels[led[0] + 1 :])

    def nearest(self, span: Span) -> Span:
        """The line that says most of a use of a block."""
        return span


class View(Written):
    """A spec that could be opened."""

    def __init__(self, spec: Spec, opened: Opened) -> None:
        self.spec, self.data, self.opened = spec, spec.data, opened
        top: Span | None = getattr(self.data, "span", None)
        self.file = top.file if top else ""
        own = {name: block for name, block in spec.blocks.items() if self.here("blocks", name)}
        super().__init__(own, spec._library)

    def here(self, *path: str | int) -> bool:
        """Whether this is written in the spec's own file, not in what it extends."""
        span = locate(self.data, path)
        return span is None or span.file == self.file

    @cached_property
    def analysis(self) -> Totals:
        """What the network comes to."""
        stages = frozenset(key for key, stage in self.spec.stages.items() if stage.blocks)
        return totals(self.opened.root, self.opened.output.shape, stages)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """Every use of a block, as often as it differs, and the network itself."""
        return tuple(_instances(self.opened.root))

    @cached_property
    def leaving(self) -> dict[str, tuple[int, ...]]:
        """Stage of blocks -> the sizes of what leaves it, where it has layers."""
        stages = {key for key, stage in self.spec.stages.items() if stage.blocks}
        items = (item for item in self.opened.root.items if item.attribute in stages)
        left = ((item.attribute, leaving(item.made)) for item in items)
        return {key: shape.sizes for key, shape in left if shape is not None}

    @cached_property
    def concerns(self) -> frozenset[str]:
        """The rules that a step of the network is of concern for."""
        return _concerns(self.opened.root)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every op of every use of a block, as often as it differs."""
        return tuple(step for instance in self.instances for step in instance.steps)

    @property
    def weights(self) -> Iterator[tuple[int, ...]]:
        """The shapes of all weights."""
        for step in self.steps:
            yield from step.op.weights().values()

    def nearest(self, span: Span) -> Span:
        """Of a stage that is inherited, what this very file says of it or of its block."""
        if span.file == self.file:
            return span
        for key, stage in self.spec.stages.items():
            if stage.blocks and stage.where("block") == span:
                ways = [("stages", key), *(("defaults", name) for name in stage.blocks)]
                places = (self.spec.where(*way, key=True) for way in ways)
                return next((place for place in places if place and self.is_own(place)), span)
        return span

    def is_own(self, place: Span) -> bool:
        """Whether it is written in this very file; what is not written has the whole of it."""
        return place.file == self.file and place != self.data.span

    def because(
        self, span: Span | None, labels: Labels, *said: Span | None
    ) -> tuple[Span | None, Labels]:
        """A place; for one in what the spec extends, the first of `said` in this very file."""
        span, labels = self.place(span, labels)
        own = [place for place in said if place and place.file == self.file]
        if span is None or not own or self.is_own(span):
            return span, labels
        there = () if span.file == self.file else (Label(span, "here"),)
        return own[0], (*there, *labels)

    def layers(self) -> Iterator[Layer]:
        """Every layer that is written in the spec's own file, in its blocks too."""
        spec = self.spec
        stacks = [stack for part in (spec.stem, spec.head) for _, stack in part.entries]
        stacks += [stage.between for stage in spec.stages.values() if stage.between]
        stacks += [stack for stack in (spec.defaults.norm, spec.defaults.act) if stack]
        for block in self.blocks.values():
            stacks += [block.body, *block.parts.values()]
        for stack in stacks:
            for layer in layers_of(stack):
                if layer.span is None or layer.span.file == self.file:
                    yield layer

    def arriving(self, stage: str) -> int | None:
        """The channels that enter a stage of blocks that are classes."""
        item = next(item for item in self.opened.root.items if item.attribute == stage)
        first = item.made.children[0].made if isinstance(item.made, Row) else item.made
        if isinstance(first, Use) and "in_channels" in first.instance.definitions:
            return int(first.instance.definitions["in_channels"].number)
        return None

    def decided(
        self, step: Step, argument: str, outermost: bool = False
    ) -> tuple[Span | None, Labels]:
        """Where a size was decided: at the layer if a number stands there, else where its block
        is used; the outermost use, or the one next to it."""
        span, labels = self.said(step, argument) or step.at, step.labels
        written = step.layer.given.get(argument)
        parts = written if isinstance(written, tuple) else (written,)
        if written is None or not labels or all(isinstance(part, Number) for part in parts):
            return self.place(span, labels)
        use, further = (labels[-1], ()) if outermost else (labels[0], labels[1:])
        inside = (Label(span, "in this layer"),) if span else ()
        return self.place(self.nearest(use.span), (*inside, *further))

    def said(self, step: Step, argument: str) -> Span | None:
        """Where an argument of an op is given, if it is: at the layer, or in `defaults`."""
        if argument in step.layer.given:
            return step.layer.at(argument)
        if argument in self.spec.defaults.ops.get(step.op.key, ()):
            return self.spec.where("defaults", step.op.key, argument)
        return None


def _concerns(whole: Instance | Row) -> frozenset[str]:
    if whole.concerns is None:
        items, own = _parts(whole)
        below = [made.instance if isinstance(made, Use) else made for made in items]
        whole.concerns = frozenset[str]().union(*map(_of_concern, own), *map(_concerns, below))
    return whole.concerns


def _parts(whole: Instance | Row) -> tuple[list[Use | Row], list[Step]]:
    """The blocks and rows in it, and its own steps."""
    if isinstance(whole, Row):
        items, steps = whole.children, []
    else:
        joined = [joint.item for joint in whole.joints if joint.item]
        items, steps = [*whole.items, *joined], whole.steps
    return [item.made for item in items if not isinstance(item.made, OpUse)], steps


def _of_concern(step: Step) -> frozenset[str]:
    if step.concerns is None:
        step.concerns = frozenset([name for name, concern in _looking() if concern(step)])
    return step.concerns


@cache
def _looking() -> list[tuple[str, Concern]]:
    return [(rule.name, rule.concern) for rule in RULES.values() if rule.concern]


def _instances(root: Instance) -> Iterator[Instance]:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        instance = waiting.pop()
        if id(instance) in seen:
            continue
        seen.add(id(instance))
        yield instance
        joined = [joint.item for joint in instance.joints if joint.item]
        waiting += reversed(_below([*instance.items, *joined]))


def _below(items: list[Item]) -> list[Instance]:
    return [instance for item in items for instance in _in_layer(item.made)]


def _in_layer(made: Made) -> list[Instance]:
    if isinstance(made, Use):
        return [made.instance]
    return _below(made.children) if isinstance(made, Row) else []


# What is written ------------------------------------------------------------------------


def layers_of(stack: Stack | None) -> Iterator[Layer]:
    """The layers of a stack, and all inside them."""
    for layer in stack.layers if stack else ():
        yield layer
        for below in (layer.otherwise, layer.shortcut, layer.before):
            yield from layers_of(below)
        for branch in layer.branches:
            yield from layers_of(branch.stack)

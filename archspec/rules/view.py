"""A spec as the rules see it: its YAML, and the network that it expands to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from archspec.analysis import Analysis, analyze_network
from archspec.diagnostics import Diagnostic, Fix, Label, Severity, Span
from archspec.expression import Number
from archspec.ir.tree import BlockCall, ExpandedNetwork, SequentialNode
from archspec.ir.visitor import Frame, Visit, frame_inside, visits_at
from archspec.language import Block, Library, Spec
from archspec.language.lines import IN_LAYER, Lines, user_line
from archspec.language.stack import Layer, Stack
from archspec.memo import Memo
from archspec.places import At
from archspec.rules.rule import RULES
from archspec.rules.steps import Step, Steps, concerns, steps_at, steps_of

Labels = tuple[Label, ...]


class Written:
    """Blocks as written, independent of their uses: those of a spec, or one in a file."""

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
        """A finding; one in a built-in block is shown at the use of the block."""
        span, labels = self.place(span, labels)
        return Diagnostic(rule, message, span, hint, labels, severity or RULES[rule].severity, fix)

    def place(self, span: Span | None, labels: Labels) -> tuple[Span | None, Labels]:
        """The user's line, and the others."""
        own, labels = user_line(span, labels)
        return (own if own is span or own is None else self.nearest(own)), labels

    def nearest(self, span: Span) -> Span:
        """The span that best identifies a use of a block."""
        return span

    def in_block(self, block: str, *path: str | int, key: bool = False) -> Span | None:
        """A location in the document of a block."""
        return self.library.documents[block].span(path, key)


class View(Written):
    """A spec that was expanded."""

    def __init__(self, spec: Spec, network: ExpandedNetwork, memo: Memo | None = None) -> None:
        self.spec, self.network = spec, network
        self.memo = memo.session() if memo else Memo()
        self.document, self.data = spec.document, spec.data
        self.file = spec.document.file
        own = {name: block for name, block in spec.blocks.items() if self.here("blocks", name)}
        super().__init__(own, spec.library)
        self.lines = Lines(spec.document, spec.library)

    def here(self, *path: str | int) -> bool:
        """Whether this is written in the spec's own file, not in a base spec."""
        return self.document.is_own(path)

    # The network

    @cached_property
    def analysis(self) -> Analysis:
        """The counts of the network."""
        return analyze_network(self.network, memo=self.memo)

    @cached_property
    def leaving(self) -> dict[str, tuple[int, ...]]:
        """Stage of blocks -> the spatial size of its output."""
        tops = dict(self.network.root.sites)
        return {key: tops[key].y.sizes for key in self.network.stages}

    def has_layers(self, stage: str) -> bool:
        """Whether a stage has any effect."""
        return any(visits_at(dict(self.network.root.sites)[stage], ""))

    @cached_property
    def own_steps(self) -> Steps:
        """The layers of the network itself."""
        return steps_of(self.network.root, "", memo=self.memo)

    @cached_property
    def concerns(self) -> frozenset[str]:
        """The rules that a step of the network concerns."""
        return concerns(self.own_steps, memo=self.memo)

    @cached_property
    def frames(self) -> dict[Step, Frame | None]:
        """Each distinct op of each use of a block, and the block that it is in."""
        found: dict[Step, Frame | None] = {}
        seen = set()
        waiting: list[tuple[Steps, Frame | None]] = [(self.own_steps, None)]
        while waiting:
            here, frame = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            found |= dict.fromkeys(here.own, frame)
            inner = [
                (steps_at(site, role, memo=self.memo), frame_inside(site, frame))
                for site, role in here.parts
            ]
            waiting += reversed(inner)
        return found

    @property
    def steps(self) -> tuple[Step, ...]:
        """Each distinct op of each use of a block."""
        return tuple(self.frames)

    @property
    def weights(self) -> Iterator[tuple[int, ...]]:
        """The shapes of all weights."""
        for step in self.steps:
            yield from step.op.weights().values()

    def arriving(self, stage: str) -> int | None:
        """The input channels of a stage whose blocks are classes."""
        children = {child.attribute: child for child in self.network.root.children}
        row = children[stage].module
        first = row.children[0].module if isinstance(row, SequentialNode) else row
        if isinstance(first, BlockCall) and "in_channels" in first.instance.definitions:
            return int(first.instance.definitions["in_channels"].number)
        return None

    # Places of steps

    def _visit(self, step: Step) -> Visit:
        return Visit("", step.site, self.frames[step])

    def at(self, step: Step) -> Span | None:
        """The location of a step in the body, or of the part that it belongs to."""
        return self.lines.span(self._visit(step).at)

    def written(self, step: Step) -> Span | None:
        """Where the layer itself is written."""
        return self.lines.span(self._visit(step).written)

    def argument_at(self, step: Step, argument: str) -> Span | None:
        """The location of an argument of a step, in its layer."""
        return self.lines.span(self._visit(step).written.below(step.op.key, argument))

    def labels(self, step: Step) -> Labels:
        """The uses of blocks that led to a step, innermost first."""
        return self.lines.uses(self._visit(step).uses)

    def place_of(self, step: Step) -> At:
        """The location of the layer itself, as an `At`."""
        return self._visit(step).written

    def given_at(self, step: Step, argument: str) -> Span | None:
        """The location of an argument of an op, if it is set: in the layer, or in `defaults`."""
        if argument in step.given:
            return self.argument_at(step, argument)
        if argument in self.spec.defaults.ops.get(step.op.key, ()):
            return self.spec.where("defaults", step.op.key, argument)
        return None

    # Lines

    def nearest(self, span: Span) -> Span:
        """For an inherited stage, what this file itself sets for it or for its block."""
        if span.file == self.file:
            return span
        for path, stage in self.spec.runs.items():
            if self.spec.where(*path, "block") == span:
                ways = [path, *(("defaults", name) for name in stage.blocks)]
                places = (self.spec.where(*way, key=True) for way in ways)
                return next((place for place in places if place and self.is_own(place)), span)
        return span

    def is_own(self, place: Span) -> bool:
        """Whether it is written in this file; a value that is not written belongs to the whole
        file.
        """
        return place.file == self.file and place != self.document.span()

    def because(
        self, span: Span | None, labels: Labels, *given: Span | None
    ) -> tuple[Span | None, Labels]:
        """A span; for one in a base spec, the first of `given` in this file."""
        span, labels = self.place(span, labels)
        own = [place for place in given if place and place.file == self.file]
        if span is None or not own or self.is_own(span):
            return span, labels
        there = () if span.file == self.file else (Label(span, "here"),)
        return own[0], (*there, *labels)

    def decided(
        self, step: Step, argument: str, outermost: bool = False
    ) -> tuple[Span | None, Labels]:
        """Where a size was decided: in the layer if it has a number there, otherwise in the use of
        its
        block; the outermost use, or the one next to it.
        """
        span, labels = self.given_at(step, argument) or self.at(step), self.labels(step)
        written = step.given.get(argument)
        parts = written if isinstance(written, tuple) else (written,)
        if written is None or not labels or all(isinstance(part, Number) for part in parts):
            return self.place(span, labels)
        use, further = (labels[-1], ()) if outermost else (labels[0], labels[1:])
        inside = (Label(span, IN_LAYER),) if span else ()
        return self.place(self.nearest(use.span), (*inside, *further))

    # The spec's YAML

    def layers(self, wanted: Callable[[Layer], bool]) -> Iterator[tuple[Layer, At]]:
        """The layers of interest in the spec's own file, including its blocks."""
        for stack, at in self._stacks():
            for layer, below in stack.all:
                if wanted(layer):
                    place = at.below(*below.path)
                    span = self.lines.span(place)
                    if span is None or span.file == self.file:
                        yield layer, place

    def _stacks(self) -> Iterator[tuple[Stack, At]]:
        spec = self.spec
        yield from spec.stacks()
        for name in ("norm", "act"):
            if stack := getattr(spec.defaults, name):
                yield stack, At(("defaults", name))
        for name, block in self.blocks.items():
            yield block.body, At(("body",), name)
            yield block.like, At(("like",), name)
            for part, filled in block.parts.items():
                yield filled, At(("parts", part), name)

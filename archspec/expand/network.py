"""The network itself: stem, stages and head of a spec, expanded one after the other."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, SpecError, merged
from archspec.expand import branches, residual  # noqa: F401  they register themselves
from archspec.expand.budget import Budget, Room, TooLargeError
from archspec.expand.builder import Builder, Declared, Item
from archspec.expand.context import Context, context_of, names_in
from archspec.expand.entries import Entry, expand_entry
from archspec.expand.naming import camel, chain, closed
from archspec.expand.scope import FoundError
from archspec.expand.stages import FATAL, MOST_FINDINGS, expand_stage, stage_key
from archspec.expression import Name, Number, Value, constant
from archspec.helpers import HELPERS, NEVER_A_CLASS
from archspec.ir import Apply, Body, Shape
from archspec.ir.tree import ExpandedNetwork, RowSite, TensorInfo
from archspec.language.layers import Stack
from archspec.language.lines import Lines
from archspec.language.problems import diagnose
from archspec.language.spec import Section, Spec
from archspec.language.stages import Stage
from archspec.language.widths import NeverShrink, Series, series_of
from archspec.language.words import PARTS_OF_ALL
from archspec.memo import Memo
from archspec.ops import OPS
from archspec.places import At, Finding

ROOM = Room()  # what a network may cost


def expand_network(spec: Spec, *, memo: Memo | None = None) -> ExpandedNetwork:
    """The network of a spec that was loaded; raises `SpecError` with the findings of every stage.

    Arguments that only set sizes in stem and head stay names (`classes`). Where a decision depends
    on one after all, everything is expanded again with its number.
    """
    memo = memo.session() if memo else Memo()
    parts = (spec.defaults, *spec.stages.values())
    concrete = frozenset[str]().union(*(names_in(part, memo=memo) for part in parts))
    while True:
        expansion = _Expansion(spec, concrete, memo)
        network = expansion.network()
        wanted = expansion.budget.decided & network.symbolic.keys()
        if not wanted:
            return network
        concrete |= wanted


def class_name(spec: Spec) -> str:
    """The name of the network's class; it hides no other name of the generated file."""
    taken = NEVER_A_CLASS | HELPERS.keys()
    if spec.class_ in taken:
        message = f"`{spec.class_}` is another class of the generated file"
        span = spec.where("class")
        raise SpecError([Diagnostic("bad-name", message, span, "choose another name")])
    name = spec.class_ or camel(spec.name)
    return f"{name}Net" if name in taken else name


class _Stop(Exception):
    """What follows cannot be known; the findings say why."""


class _Expansion:
    """One pass over a spec."""

    def __init__(self, spec: Spec, concrete: frozenset[str], memo: Memo) -> None:
        self.spec, self.memo = spec, memo
        self.context: Context = context_of(spec, memo)
        self.budget = Budget(ROOM)
        self.out = Builder()
        self.steps: list[Body] = []
        self.found: list[Finding] = []
        self.shrinks: list[Diagnostic] = []
        self.args = {name: constant(value) for name, value in spec.args.items()}
        self.symbolic = {
            name: Value(value, Name(name))
            for name, value in spec.args.items()
            if name not in concrete and type(value) is int
        }

    def network(self) -> ExpandedNetwork:
        """The whole; raises `SpecError`."""
        spec = self.spec
        shape = Shape(spec.input[0], tuple(spec.input[1:]))
        declared = Declared("", class_name(spec), spec.doc)
        x = TensorInfo(shape, Number(shape.channels), (1,) * shape.rank)
        try:
            x = self._section(spec.stem, "stem", x)
            x = self._stages(x)
            x = self._section(spec.head, "head", x)
            root = closed(self.out, declared, chain(self.steps), x, spec.names)
        except FoundError as error:
            self.found += error.findings
        except _Stop:
            pass
        self._raise_findings()
        return ExpandedNetwork(
            spec.name,
            root,
            shape,
            self.symbolic,
            frozenset(self.budget.used),
            frozenset(self.budget.drops),
            tuple(key for key, stage in spec.stages.items() if stage.blocks),
            spec.init,
        )

    def _raise_findings(self) -> None:
        if self.found or self.shrinks:
            lines = Lines(self.spec.document, self.spec.library)
            found = [lines.diagnostic(finding) for finding in self.found]
            raise SpecError(merged([*found, *self.shrinks]))

    def _section(self, section: Section, where: str, x: TensorInfo) -> TensorInfo:
        """After a finding in a layer that leaves what arrives it goes on behind that."""
        visible = self.args | self.symbolic
        for name, stack in section.entries:
            x = self._entry(Entry(name, stack, At((where,))), visible, x)
        return x

    def _entry(self, entry: Entry, visible: dict[str, Value], x: TensorInfo) -> TensorInfo:
        steps = [layer.step for layer in entry.stack.layers if layer.step is not None]
        place = entry.at.below(*([entry.name] if entry.name else steps[:1]))
        with _Limits(place, self):
            made = expand_entry(
                entry,
                self.args,
                visible,
                x,
                self.context,
                memo=self.memo,
                room=self.budget.left(""),
            )
            self.budget.add(made.effects)
        self._note(made.findings, _leaves_as_is(entry.stack))
        self.out.take(made.out)
        self.steps += made.steps
        return made.leaving

    def _stages(self, x: TensorInfo) -> TensorInfo:
        series = {one.key: one for one in series_of(self.spec.args, self.spec.repeats)}
        rule = NeverShrink()
        for key, stage in self.spec.stages.items():
            if stage.between is not None:
                x = self._entry(Entry(key, stage.between, At(("stages",))), self.args, x)
            else:
                x = self._stage(stage, series[key], rule, x)
        return x

    def _stage(self, stage: Stage, series: Series, rule: NeverShrink, x: TensorInfo) -> TensorInfo:
        at = At(("stages", series.key))
        key = stage_key(stage, series, self.args, x, at, self.context, memo=self.memo)
        with _Limits(at.below("block"), self):
            made = expand_stage(key, series.indices, memo=self.memo, room=self.budget.left(""))
            self.budget.add(made.effects)
        self._note(made.findings, made.row is not None)
        assert made.row is not None
        for channels in made.widths if not self.found else ():
            if problem := rule.problem(series.key, stage, channels):
                self.shrinks.append(diagnose(problem, self.spec.document))
        item = Item(made.row, self.out.mark(), series.key, at._replace(key=True))
        self.out.items.append(item)
        self.steps.append(Apply(item.mark, RowSite(made.row, made.leaving.shape)))
        return made.leaving

    def _note(self, findings: tuple[Finding, ...], goes_on: bool) -> None:
        """Keeps findings; raises `_Stop` where nothing can be known of what follows."""
        self.found += findings
        fatal = any(finding.rule in FATAL for finding in findings)
        if findings and (fatal or not goes_on or len(self.found) >= MOST_FINDINGS):
            raise _Stop


class _Limits:
    """What takes too much inside is a finding at the entry of the spec that leads there."""

    def __init__(self, at: At, expansion: _Expansion) -> None:
        self.at, self.expansion = at, expansion

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TooLargeError):
            finding = error.finding or Finding("too-large", error.message, None, error.hint)
            self.expansion.found.append(finding._replace(at=finding.at or self.at))
            raise _Stop from None


def _leaves_as_is(stack: Stack) -> bool:
    """Whether it is one norm or activation, whatever is wrong in it."""
    if len(stack.layers) != 1:
        return False
    head = stack.layers[0].head
    op = OPS.get(head)
    return head in PARTS_OF_ALL or (op is not None and (op.norm or op.activation))

"""The network itself: stem, stages, and head of a spec, expanded in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from archspec.diagnostics import Diagnostic, SpecError, merged
from archspec.expand import branches, interpolation, residual, sharing  # noqa: F401  they register themselves
from archspec.expand.budget import Room, TooLargeError
from archspec.expand.builder import Declared
from archspec.expand.context import Context, context_of, names_in
from archspec.expand.entries import (
    Args,
    ExpandedPart,
    Named,
    Part,
    Parts,
    StopExpanding,
    expand_part,
    tensors_read,
)
from archspec.expand.naming import camel, chain, closed
from archspec.expand.outputs import with_outputs
from archspec.expand.scope import FoundError, Scope
from archspec.expand.stages import expand_stage, stage_key
from archspec.expand.starts import with_init
from archspec.expand.tensors import SEVERAL, missing, names_read
from archspec.expression import Name, Number, Value, constant
from archspec.helpers import HELPERS, NEVER_A_CLASS
from archspec.ir import Body, Load, Save, Shape
from archspec.ir.bodies import INPUT
from archspec.ir.tree import BlockInstance, ExpandedNetwork, TensorInfo
from archspec.language.lines import Lines
from archspec.language.problems import diagnose
from archspec.language.spec import Section, Spec
from archspec.language.stack import Stack
from archspec.language.stages import Stage
from archspec.language.widths import Series, shrinking
from archspec.memo import Memo
from archspec.places import At, Finding

ROOM = Room()  # the limits for a network
TAKEN = NEVER_A_CLASS | HELPERS.keys()


def expand_network(
    spec: Spec, outputs: Sequence[str] | None = None, *, memo: Memo | None = None
) -> ExpandedNetwork:
    """The network of a loaded spec; raises `SpecError` with the findings of all stages.

    `outputs` are names of tensors, which replace the outputs in the spec.

    Arguments that only set sizes outside stages of blocks stay names (`classes`). If a decision
    depends on one after all, everything is expanded again with its number.
    """
    memo = memo.session() if memo else Memo()
    stages = (stage for stage in spec.stages.values() if stage.between is None)
    parts = (spec.defaults, *stages)
    concrete = frozenset[str]().union(*(names_in(part, memo=memo) for part in parts))
    while True:
        expansion = _Expansion(spec, concrete, memo, outputs)
        network = expansion.network()
        wanted = expansion.parts.budget.decided & network.symbolic.keys()
        if not wanted:
            return with_outputs(network, spec, outputs)
        concrete |= wanted


def class_name(spec: Spec) -> str:
    """The name of the network's class; it hides no other name in the generated file."""
    name = spec.class_ or camel(spec.name)
    return f"{name}Net" if name in TAKEN else name


def _wrong_class(spec: Spec) -> Iterator[Diagnostic]:
    if spec.class_ in TAKEN:
        message = f"`{spec.class_}` is the name of another class in the generated file"
        yield Diagnostic("bad-name", message, spec.where("class"), "choose another name")


class _Expansion:
    """One pass over a spec."""

    def __init__(
        self, spec: Spec, concrete: frozenset[str], memo: Memo, outputs: Sequence[str] | None
    ) -> None:
        self.spec, self.memo = spec, memo
        self.read = _read(spec, outputs, memo)
        self.tensors: dict[str, TensorInfo] = {}
        self.context: Context = context_of(spec, memo)
        self.parts = Parts(ROOM)
        self.series = spec.series
        self.args = {name: constant(value) for name, value in spec.args.items()}
        self.symbolic = {
            name: Value(value, Name(name))
            for name, value in spec.args.items()
            if name not in concrete and type(value) is int
        }

    def network(self) -> ExpandedNetwork:
        """The complete network; raises `SpecError`."""
        spec, parts = self.spec, self.parts
        shape = Shape(spec.input[0], tuple(spec.input[1:]))
        declared = Declared("", class_name(spec), spec.doc)
        x = TensorInfo(shape, Number(shape.channels), (1,) * shape.rank)
        self.tensors[INPUT] = x
        try:
            x = self._layers(spec.stem, At(("stem",)), x)
            x = self._stages(x)
            x = self._layers(spec.head, At(("head",)), x)
            root = closed(parts.out, declared, chain(self._steps()), x, spec.names)
            root = self._with_init(root)
        except FoundError as error:
            parts.found += error.findings
        except TooLargeError as error:
            parts.found = [*error.before, *filter(None, [error.finding])]
        except StopExpanding:
            pass
        self._raise_findings()
        self._check_widths()
        return ExpandedNetwork(
            spec.name,
            root,
            shape,
            self.symbolic,
            frozenset(parts.budget.used),
            frozenset(parts.budget.drops),
            tuple(key for key, stage in spec.stages.items() if stage.has_blocks),
            tensors=self._known(),
            dead=frozenset(parts.budget.dead),
        )

    def _with_init(self, root: BlockInstance) -> BlockInstance:
        scope = Scope(self.context, self.parts.budget, self.memo)
        scope.values = dict(self.args)
        return with_init(root, self.spec.init, At(("init",)), scope)

    def _steps(self) -> list[Body]:
        """The steps, with names for the entries that are read."""
        steps, parts = list(self.parts.steps), self.parts
        for name, _, after in reversed(parts.named):
            if after is not None and name in self.read:
                parts.out.named = True
                steps.insert(after, Save(name))
        return steps

    def _known(self) -> dict[str, TensorInfo]:
        """The named tensors, if any are used."""
        if not self.parts.out.named:
            return {}
        return {name: info for name, info in self.tensors.items() if name != INPUT}

    def _take(self, at: At, expand: Callable[..., ExpandedPart]) -> ExpandedPart:
        """Add a part, whose tensors later parts may read."""
        part = self.parts.take(at, expand)
        self.tensors |= {one.name: one.info for one in part.named}
        return part

    def _raise_findings(self) -> None:
        wrong = [*_wrong_class(self.spec)]
        if self.parts.found:
            lines = Lines(self.spec.document, self.spec.library)
            wrong += merged(lines.diagnostic(finding) for finding in self.parts.found)
        if wrong:
            raise SpecError(wrong)

    def _check_widths(self) -> None:
        widths, document = self.parts.budget.widths, self.spec.document
        if found := [diagnose(p, document) for p in shrinking(widths, self.spec.runs)]:
            raise SpecError(found)

    def _layers(
        self, written: Section | Stack, at: At, x: TensorInfo, key: str | None = None
    ) -> TensorInfo:
        """A section, or the layers of an entry of `stages`."""
        place = at.below(*([key] if key else []))
        series = [one for one in self.series if one.path[: len(place.path)] == place.path]
        tensors = tensors_read(written, self.tensors, self.memo)
        layers = self.parts.shared(written, self.memo)
        part = Part(written, at, x, self.context, key, tuple(series), tensors, layers)
        args = Args(self.args, self.args | self.symbolic)
        return self._take(place, partial(expand_part, part, args, memo=self.memo)).leaving

    def _stages(self, x: TensorInfo) -> TensorInfo:
        series = {one.path: one for one in self.series}
        for key, stage in self.spec.stages.items():
            if stage.between is not None:
                x = self._layers(stage.between, At(("stages",)), x, key)
            else:
                x = self._stage(stage, series["stages", key], x)
        return x

    def _load(self, name: str, at: At) -> TensorInfo:
        """A tensor that replaces the input of a stage."""
        if name not in self.tensors:
            message, hint = missing(name, self.tensors)
            raise FoundError(Finding("unknown-tensor", message, at, hint))
        self.parts.steps.append(Load(name))
        self.parts.out.named = True
        return self.tensors[name]

    def _name(self, stage: Stage, key: str, x: TensorInfo) -> None:
        """The output of a stage, under its key and the names that it saves."""
        self.tensors[key] = x
        self.parts.named.append(Named(key, x, len(self.parts.steps)))
        if len(stage.save) > 1:
            at = At(("stages", key, "save"))
            raise FoundError(Finding("bad-layer", "a stage has one output", at, SEVERAL))
        for name in stage.save:
            self.parts.steps.append(Save(name))
            self.parts.out.named = True
            self.tensors[name] = x

    def _stage(self, stage: Stage, series: Series, x: TensorInfo) -> TensorInfo:
        at = At(series.path)
        if stage.source is not None:
            x = self._load(stage.source, at.below("from"))
        key = stage_key(stage, series, self.args, x, at, self.context, memo=self.memo)
        expand = partial(expand_stage, key, series.indices, memo=self.memo)
        part = self._take(at.below("block"), expand)
        self._name(stage, str(at.path[-1]), part.leaving)
        return part.leaving


def _read(spec: Spec, outputs: Sequence[str] | None, memo: Memo) -> frozenset[str]:
    """The names of tensors that the network may read or return."""
    given = spec.outputs if outputs is None else (outputs,)
    parts: list[Section | Stage] = [spec.stem, spec.head, *spec.stages.values()]
    read = (names_read(part, memo=memo) for part in parts)
    return frozenset().union(*read, *(given or ()))

"""What networks that are opened one after the other have in common; see `source.shared`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Span
from archspec.ir import Op
from archspec.language.layers import Layer, Stack
from archspec.language.names import PARTS_OF_ALL
from archspec.lower.model import Flow, Made, OpUse, Step
from archspec.lower.scope import Scope, named_by, named_in
from archspec.ops import OPS
from archspec.record import record
from archspec.source import shared

if TYPE_CHECKING:
    from archspec.lower.layers import Layers

NO_BLOCKS = OPS.keys() | set(PARTS_OF_ALL)
Single = tuple[Made | None, Flow, bool]


@record(eq=False, frozen=False)
class Note:
    """Ops and blocks met, indices read; layers made and steps spent; ops of the network itself."""

    used: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    size: int = 0
    spent: int = 0
    steps: tuple[Step, ...] = ()


class Common:
    """Opens what another network had as that had it."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self.store = shared.store()
        self._alike: Any = None

    def alike(self) -> Any:
        """Equal for networks in which the same block with the same arguments opens alike."""
        if self._alike is None:
            spec = self.layers.spec
            named = sorted(named_by(spec.defaults) & spec.args.keys())
            args = tuple((name, spec.args[name]) for name in named)
            own = id(spec.blocks) if spec.blocks else 0
            folder = self.layers.library.folders[0]
            alike = (id(spec.defaults), args, repr(spec.names), own, folder)
            self._alike = self.store.number(alike) if self.store else alike
        return self._alike

    def single(self, stack: Stack, scope: Scope, flow: Flow) -> Single:
        """An attribute of the network itself, where it names no argument of the spec."""
        layers, store = self.layers, self.store
        if store is None or not layers.spec.args.keys().isdisjoint(_named_by(stack)):
            return layers.single(stack, scope, flow)
        key = (id(stack), store.numbered(flow, flow.come), id(flow.last), self.alike())
        if key not in store.singles:
            with self.noting() as note:
                inside = scope.child(scope.parts, {}, None)
                inside.settled = layers.settled
                single = layers.single(stack, inside, flow)
            store.singles[key] = (stack, flow, single, note)
        else:
            _, _, single, note = store.singles[key]
            self.again(note, scope, stack.span)
        return single

    def op(self, op: type[Op], layer: Layer, scope: Scope, flow: Flow) -> tuple[OpUse, Step, Flow]:
        """An op of the network itself, where it names nothing."""
        layers, store = self.layers, self.store
        if store is None or not self._names_nothing(layer, scope):
            return layers.open_op(op, layer, scope, flow)
        defaults = layers.spec.defaults
        place = id(layer), id(scope.at), layers.role, id(defaults)
        key = (*place, store.numbered(flow, flow.come), id(flow.last))
        if key not in store.ops:
            spent = layers.budget.steps
            opened = layers.open_op(op, layer, scope, flow)
            kept = layer, scope.at, defaults, flow.last  # known by identity
            store.ops[key] = kept, opened, layers.budget.steps - spent
        else:
            _, opened, spent = store.ops[key]
            scope.spend(spent, layer.span)
        made: tuple[OpUse, Step, Flow] = opened
        return made

    def _names_nothing(self, layer: Layer, scope: Scope) -> bool:
        """Whether a layer of the network itself, with its defaults, means the same in all."""
        if scope.instance or scope.labels or scope.pending or scope.truths:
            return False
        written = named_by(layer), named_by(self.layers.spec.defaults)
        return all(scope.values.keys().isdisjoint(names) for names in written)

    @contextmanager
    def noting(self) -> Iterator[Note]:
        """What is met while layers are opened that others may have in common."""
        layers, note = self.layers, Note()
        size, spent, steps = layers.budget.layers, layers.budget.steps, len(layers.steps)
        before = layers.used, layers.touched, layers.settled
        layers.used, layers.touched, layers.settled = set(), set(), set()
        try:
            yield note
        finally:
            met = layers.used, layers.touched, layers.settled
            note.used, note.touched, note.settled = map(frozenset, met)
            note.size, note.spent = layers.budget.layers - size, layers.budget.steps - spent
            note.steps = tuple(layers.steps[steps:])
            for names, known in zip(before, met, strict=True):
                names |= known
            layers.used, layers.touched, layers.settled = before

    def again(self, note: Note, scope: Scope, span: Span | None) -> None:
        """The same is met, and costs the same, where it is not opened again."""
        self.met(note.used)
        scope.grow(note.size, span)
        scope.spend(note.spent, span)
        self.layers.steps += note.steps
        self.layers.settled |= note.settled
        self.layers.touched |= note.touched

    def met(self, used: frozenset[str]) -> None:
        """Ops and blocks inside a block that was opened before."""
        if not used <= self.layers.used:
            self.layers.library.look_up(used - NO_BLOCKS)
            self.layers.used |= used


def _named_by(stack: Stack) -> set[str]:
    """The names in expressions of the layers of an attribute."""
    return shared.shared_pair(
        named_in, stack, lambda: named_in([layer.raw for layer in stack.layers])
    )

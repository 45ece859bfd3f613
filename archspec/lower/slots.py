"""The arguments of an op: what arrives, what is written, what `defaults` or we say."""

from __future__ import annotations

from typing import Any

from archspec.diagnostics import Span
from archspec.expression import Name, Number, Value, constant, evaluate, from_python, parse
from archspec.ir import Op, OpField, fields_of
from archspec.language import Spec
from archspec.language.layers import Layer
from archspec.lower.model import Flow, Slot
from archspec.lower.scope import Scope


class Slots:
    """The arguments of one use of an op, by torch's names."""

    def __init__(self, op: type[Op], layer: Layer, spec: Spec, scope: Scope, flow: Flow) -> None:
        self.op, self.layer, self.spec, self.scope, self.flow = (
            op,
            layer,
            spec,
            scope,
            flow,
        )
        self.defaults = spec.defaults.ops.get(op.key, {})
        self.known: dict[str, Slot] = {}  # by the language's names

    def all(self) -> dict[str, Slot]:
        fields = fields_of(self.op)
        for f in fields:
            slot = self._given(f)
            if slot is not None:
                self.known[f.name] = slot
        missing = [f for f in fields if f.name not in self.known]
        ours = {f.name for f in missing if f.how.ours is not None}
        theirs = {f.name for f in missing} - ours
        for f in missing:
            if f.how.ours is None:
                self._torch_default(f)
        for f in missing:
            if f.name in ours:
                self.known[f.name] = self._formula(f)
        return {
            f.torch: self.known[f.name]
            for f in fields
            if f.name in self.known and f.name not in theirs
        }

    def _given(self, f: OpField) -> Slot | None:
        if f.how.kind == "arrives":
            return self.flow.value
        if f.how.kind == "dims":
            return constant(0 if self.flow.shape.last else self.flow.shape.rank)
        if f.how.kind == "fixed":
            return constant(f.default)
        if f.name in self.layer.given:
            return self._written(self.layer.given[f.name], f, self.layer.at(f.name))
        if f.name in self.defaults:
            span = self.spec.where("defaults", self.op.key, f.name)
            return self._written(self.defaults[f.name], f, span)
        return None

    def _written(self, written: Any, f: OpField, span: Span | None) -> Slot:
        if isinstance(written, str):
            return written
        if isinstance(written, tuple):
            return tuple(self._argument(part, f, span) for part in written)
        return self._argument(written, f, span)

    def _argument(self, expr: Any, f: OpField, span: Span | None) -> Value:
        return self.scope.argument(expr, f.how, span, f.name)

    def _torch_default(self, f: OpField) -> None:
        if isinstance(f.default, (bool, int, float)):
            self.known[f.name] = constant(from_python(f.default))
        elif f.default is not None and not isinstance(f.default, str):
            raise self.scope.error(
                "missing-key",
                f"`{self.op.key}` is not told its `{f.name}`",
                self.layer.span,
                f"write `{self.op.key}: {{{f.name}: ...}}`",
            )

    def _formula(self, f: OpField) -> Slot:
        """The language's own default, for each dimension where an argument is a list."""
        formula = parse(f.how.ours or "")
        lengths = [len(slot) for slot in self.known.values() if isinstance(slot, tuple)]
        if not lengths or isinstance(formula, Number) or f.how.kind == "flag":
            return evaluate(formula, lambda name: self._dimension(name, 0))
        return tuple(
            evaluate(formula, lambda name, at=place: self._dimension(name, at))  # type: ignore[misc]
            for place in range(max(lengths))
        )

    def _dimension(self, name: Name, place: int) -> Value:
        slot = self.known[name.id]
        if isinstance(slot, tuple):
            slot = slot[min(place, len(slot) - 1)]
        assert isinstance(slot, Value)
        return slot


def number_of(slot: Slot) -> Any:
    """The argument as torch takes it."""
    if isinstance(slot, tuple):
        return tuple(part.number for part in slot)
    if isinstance(slot, str):
        return slot
    return slot.number

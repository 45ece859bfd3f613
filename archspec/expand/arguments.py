"""The arguments of an op: from its input, the spec, `defaults`, and archspec's own defaults."""

from __future__ import annotations

from typing import Any

from archspec.expand.lists import slot
from archspec.expand.scope import Scope
from archspec.expression import Name, Number, Value, constant, evaluate, from_python, parse
from archspec.ir import Op, OpField, fields_of
from archspec.ir.tree import Slot, TensorInfo
from archspec.language.stack import Layer
from archspec.places import At


class Arguments:
    """The arguments of one use of an op, by torch's names; `at` is the location of the layer."""

    def __init__(self, op: type[Op], layer: Layer, at: At, scope: Scope, x: TensorInfo) -> None:
        self.op, self.layer, self.at, self.scope, self.x = op, layer, at, scope, x
        self.defaults = scope.context.defaults.ops.get(op.key, {})
        self.known: dict[str, Slot] = {}  # by their names in the language

    def all(self) -> dict[str, Slot]:
        """Every argument that is set, inferred from the input, or has a default in archspec."""
        fields = fields_of(self.op)
        self.known = {f.name: slot for f in fields if (slot := self._given(f)) is not None}
        missing = [f for f in fields if f.name not in self.known]
        ours = [f for f in missing if f.how.ours is not None]
        wanted = {*self.known, *(f.name for f in ours)}
        for f in missing:
            if f.how.ours is None:
                self._torch_default(f)
        for f in ours:
            self.known[f.name] = self._our_default(f)
        return {f.torch: self.known[f.name] for f in fields if f.name in wanted}

    def _given(self, f: OpField) -> Slot | None:
        if f.how.kind == "arrives":
            return self.x.value
        if f.how.kind == "dims":
            return constant(0 if self.x.shape.last else self.x.shape.rank)
        if f.how.kind == "axis":
            return constant(-1 if self.x.shape.last else 1)
        if f.how.kind == "fixed":
            return constant(f.default)
        if f.name in self.layer.given:
            return self._written(
                self.layer.given[f.name], f, self.at.below(self.layer.head, f.name)
            )
        if f.name in self.defaults:
            at = At(("defaults", self.op.key, f.name))
            return self._written(self.defaults[f.name], f, at)
        return None

    def _written(self, written: Any, f: OpField, at: At) -> Slot | None:
        if isinstance(written, str):
            return written
        return slot(written, f.how, at, f.name, self.scope)

    def _torch_default(self, f: OpField) -> None:
        if isinstance(f.default, (bool, int, float)):
            self.known[f.name] = constant(from_python(f.default))
        elif f.default is not None and not isinstance(f.default, str):
            message = f"missing argument `{f.name}` for `{self.op.key}`"
            hint = f"use `{self.op.key}: {{{f.name}: ...}}`"
            raise self.scope.error("missing-key", message, self.at, hint)

    def _our_default(self, f: OpField) -> Slot:
        """The language's own default, for each dimension if the argument is a list."""
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

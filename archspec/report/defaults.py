"""Values that a spec does not set, as comments below the layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archspec.expression import Value, show, source
from archspec.ir import fields_of
from archspec.ir.tree import ExpandedNetwork, OpSite
from archspec.ir.visitor import visits
from archspec.language import Spec
from archspec.places import At, Path

DERIVED = ("arrives", "dims", "axis", "fixed")  # arguments that nobody writes
Found = dict[tuple[str, Path], tuple[str, ...]]


def defaults_of(network: ExpandedNetwork, spec: Spec) -> Found:
    """Comments by block (`""` is the spec) and path.

    For a layer, these are the arguments that archspec sets differently from torch, if they have one
    value, or one formula, in all uses of the block.
    """
    found: Found = {("", path): (text,) for path, text in _of_stages(spec)}
    for at, values in _of_layers(network, spec).items():
        alike = [f"{name}: {texts.pop()}" for name, texts in values.items() if len(texts) == 1]
        if alike:
            found[at.block, at.path] = (", ".join(alike),)
    return found


def _of_stages(spec: Spec) -> Iterator[tuple[Path, str]]:
    for path, stage in spec.runs.items():
        usual = {"repeat": 1, "stride": 1}
        left = [f"{key}: {value}" for key, value in usual.items() if key not in _keys(stage.raw)]
        if left and path[0] == "stages" and len(path) == 2:
            yield path, ", ".join(left)


def _keys(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _of_layers(network: ExpandedNetwork, spec: Spec) -> dict[At, dict[str, set[str]]]:
    """The arguments of each layer of the spec, with all of their values."""
    found: dict[At, dict[str, set[str]]] = {}
    for visit in visits(network):
        here = found.setdefault(visit.written._replace(key=False), {})
        for name, text in _decided(visit.site, spec):
            here.setdefault(name, set()).add(text)
    return found


def _decided(site: OpSite, spec: Spec) -> Iterator[tuple[str, str]]:
    """The arguments that neither the layer nor `defaults` of the spec sets."""
    given = {*site.given, *spec.defaults.ops.get(site.op.key, ())}
    for field in fields_of(site.call.kind):
        slot = site.call.slots.get(field.torch)
        if slot is not None and field.how.kind not in DERIVED and field.name not in given:
            yield field.name, _text(slot)


def _text(slot: Any) -> str:
    if isinstance(slot, tuple):
        texts = [_text(part) for part in slot]
        return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"
    if isinstance(slot, Value):
        formula = source(slot.expr) if slot.expr is not None else ""
        text = formula or show(slot.number)
        return text.lower() if text in ("True", "False") else text
    return str(slot)

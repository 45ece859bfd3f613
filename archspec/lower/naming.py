"""Attribute names by rule (docs/language.md, "Names")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir import Add, Apply, Body, Chain, Collect, Concat, Multiply, Split
from archspec.language.identifiers import MODULE_ATTRIBUTES
from archspec.lower.model import Instance, Item, OpUse, Use

NOTHING = Chain()
OF_MODELS = frozenset({"Tensor", "F", "Module", "Sequential", "True", "False", "None"})
# What training scripts call something else; a test holds this against their template.
OF_SCRIPTS = frozenset(
    """Any CLASSES COLUMNS DIGESTS DataLoader Dataset DistributedDataParallel FOLDERS Feed Folder
    INPUT Iterable Iterator Lamb MEAN NAME OUTPUTS Path RANK RESIDUALS Result SIZE SPEC STAGES STD
    Sequence SummaryWriter SyntheticImages TARGET TEST_SIZE URL WORLD ImageFolder""".split()
)
NEVER_A_CLASS = OF_MODELS | OF_SCRIPTS


def camel(name: str) -> str:
    """`conv_norm_act` as the name of a class: `ConvNormAct`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def name_items(instance: Instance, prefixes: Mapping[str, str]) -> None:
    """Gives every layer its attribute; equal layers without weights share one."""
    if instance.sequential:
        for place, item in enumerate(instance.items):
            item.attribute = str(place)
        return
    taken = {item.name for item in instance.items if item.name}
    taken |= {joint.name for joint in instance.joints if joint.item}
    wanted = [(item, _prefix(item, prefixes)) for item in instance.items if not item.name]
    several = Counter(prefix for item, prefix in wanted if not _plain(item))
    numbers: Counter[str] = Counter()
    plain: dict[str, dict[Any, str]] = {}
    tried: Counter[str] = Counter()
    for item, prefix in wanted:
        if _plain(item):
            _share(item, prefix, plain.setdefault(prefix, {}), tried, taken)
        elif _always_numbered(item) or several[prefix] > 1:
            numbers[prefix] += 1
            item.attribute = f"{prefix}{numbers[prefix]}"
        else:
            item.attribute = prefix
    for item in instance.items:
        item.attribute = item.name or item.attribute
    _once_each(instance)
    marks = {item.mark: item.attribute for item in instance.items}
    for place, joint in enumerate(instance.joints):
        marks[joint.mark] = joint.mark = f"@{place}"
    if instance.body is not None:
        instance.body = rename(instance.body, marks)
    instance.items = _shared_once(instance)


def _plain(item: Item) -> bool:
    return isinstance(item.made, OpUse) and not item.made.op.weighted


def _always_numbered(item: Item) -> bool:
    return isinstance(item.made, OpUse) and item.made.op.numbered


def _prefix(item: Item, prefixes: Mapping[str, str]) -> str:
    made = item.made
    if isinstance(made, OpUse):
        return prefixes.get(made.op.key, made.op.attribute)
    if isinstance(made, Use):
        block = made.instance.block
        return (block.name if block else None) or made.instance.block_name
    return "sequence"


def _share(
    item: Item, prefix: str, known: dict[Any, str], tried: Counter[str], taken: set[Any]
) -> None:
    """`relu` for the first and all equal ones, `relu2` for the next that differs."""
    key = _op_key(item)
    while key not in known:
        tried[prefix] += 1
        name = f"{prefix}{tried[prefix]}" if tried[prefix] > 1 else prefix
        if name not in taken:
            taken.add(name)
            known[key] = name
    item.attribute = known[key]


def same_op(one: Item, other: Item) -> bool:
    """Whether two layers without weights are the same."""
    known = _op_key(one)
    return known is not None and known == _op_key(other)


def _op_key(item: Item) -> Any:
    made = item.made
    if not isinstance(made, OpUse):
        return None
    return made.op, made.torch, tuple(sorted(made.slots.items(), key=lambda slot: slot[0]))


def _once_each(instance: Instance) -> None:
    seen: dict[str, Item] = {}
    for item in [*instance.items, *(j.item for j in instance.joints if j.item)]:
        name = item.attribute or item.name or ""
        if name in MODULE_ATTRIBUTES:
            message = f"a layer would be called `{name}`, and every torch module has that"
            hint = "give it another name: `name: ...`"
            raise SpecError([Diagnostic("bad-name", message, item.span, hint)])
        other = seen.setdefault(name, item)
        if other is item or (_plain(item) and not item.name and same_op(other, item)):
            continue
        message = f"two layers are called `{name}`"
        hint = "give one another name: `name: ...`"
        raise SpecError([Diagnostic("attribute-twice", message, item.span, hint)])


def _shared_once(instance: Instance) -> list[Item]:
    """The items without repeats; the places of shortcuts move along."""
    kept: dict[str, Item] = {}
    before = [0]
    for item in instance.items:
        kept.setdefault(item.attribute, item)
        before.append(len(kept))
    for joint in instance.joints:
        joint.after = before[joint.after]
    return list(kept.values())


def rename(body: Body, names: Mapping[str, str | None]) -> Body:
    """The body with other layer names; None leaves a layer out."""
    match body:
        case Apply(layer=layer):
            name = names.get(layer, layer)
            return NOTHING if name is None else Apply(name)
        case Chain(steps=steps):
            renamed = [rename(step, names) for step in steps]
            return Chain(tuple(step for step in renamed if step != NOTHING))
        case Add() | Multiply() | Concat() | Split():
            return type(body)(tuple(rename(branch, names) for branch in body.branches))
        case Collect(parts=parts, order=order):
            return Collect(tuple((name, rename(part, names)) for name, part in parts), order)
    return body

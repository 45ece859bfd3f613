"""Rules for attribute names (docs/language.md, "Names"), and completing a class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from archspec.expand.builder import Builder, Declared, Item, Slot
from archspec.expand.containers import check_dotted, containers_of, in_containers
from archspec.expand.scope import FoundError
from archspec.expression import new_name
from archspec.ir import Body, Chain, renamed
from archspec.ir.bodies import INPUT
from archspec.ir.liveness import loaded, saved
from archspec.ir.tree import (
    BlockCall,
    BlockInstance,
    Child,
    OpCall,
    SequentialNode,
    ShortcutSlot,
    TensorInfo,
)
from archspec.language.identifiers import MODULE_ATTRIBUTES
from archspec.places import Finding


def camel(name: str) -> str:
    """`conv_norm_act` as the name of a class: `ConvNormAct`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def sequential(builder: Builder, body: Body) -> SequentialNode:
    """The layers of a builder as one `nn.Sequential`, with names 0, 1, 2, ..."""
    names = _numbers(builder)
    children = tuple(_child(item, names[item.mark]) for item in builder.items)
    block, doc = builder.inlined.get(len(children), ("", ""))
    return SequentialNode(children, renamed(body, names), tuple(builder.runs), block, doc)


def closed(
    builder: Builder,
    declared: Declared,
    body: Body,
    leaving: TensorInfo,
    prefixes: Mapping[str, str],
    gives: tuple[TensorInfo, ...] = (),
) -> BlockInstance:
    """The completed class, with names for its layers."""
    names = _children(builder) if builder.sequential else _names(builder, prefixes)
    _check_names(builder, names)
    slots = [(slot, f"@{place}") for place, slot in enumerate(builder.slots)]
    tensors = _tensors(builder, body) if builder.tensors else {}
    body = renamed(body, names | {slot.mark: mark for slot, mark in slots} | tensors)
    children, before = in_containers(*_shared_once(builder.items, names))
    return BlockInstance(
        declared.block,
        declared.class_name,
        declared.doc,
        leaving,
        children,
        tuple(_shortcut(slot, mark, before) for slot, mark in slots),
        body,
        builder.definitions,
        builder.sequential,
        declared.args,
        declared.prefix,
        declared.raw,
        declared.child,
        inputs=declared.inputs,
        lists=declared.lists,
        gives=gives,
    )


def _tensors(builder: Builder, body: Body) -> dict[str, str]:
    """The names of tensors that are private to one use of an inline block, made unique."""
    taken = {INPUT, *saved(body), *loaded(body)}
    names: dict[str, str] = {}
    for mark, wanted in builder.tensors.items():
        names[mark] = new_name(wanted, taken)
        taken.add(names[mark])
    return names


def _shortcut(slot: Slot, mark: str, before: list[int]) -> ShortcutSlot:
    name = slot.item.name or slot.name if slot.item else slot.name
    child = _child(slot.item, name) if slot.item else None
    return ShortcutSlot(mark, slot.name, child, before[slot.after])


def _child(item: Item, name: str) -> Child:
    return item.named if name == item.name else item.child(name)


def _numbers(builder: Builder) -> dict[str, str]:
    """The attribute of every layer of a Sequential, by its mark."""
    return {item.mark: str(place) for place, item in enumerate(builder.items)}


def _children(builder: Builder) -> dict[str, str]:
    """The same if layers have names of their own."""
    own = {item.mark: name for item in builder.items if (name := _own_name(item))}
    return _numbers(builder) | own


def named(builder: Builder) -> bool:
    """Whether any layer has a name other than its number."""
    own = enumerate(map(_own_name, builder.items))
    return any(name and name != str(place) for place, name in own)


def _own_name(item: Item) -> str | None:
    """The name that is written in a layer, or in its block for all uses of it."""
    module = item.module
    return item.name or (module.instance.child if isinstance(module, BlockCall) else None)


def _names(builder: Builder, prefixes: Mapping[str, str]) -> dict[str, str]:
    """The name by rule; equal layers without weights share one."""
    names = {item.mark: item.name for item in builder.items if item.name}
    taken = set(names.values())
    taken |= {slot.name for slot in builder.slots if slot.item}
    wanted = [(item, _prefix(item, prefixes)) for item in builder.items if not item.name]
    several = Counter(prefix for item, prefix in wanted if not _plain(item))
    numbers, tried = defaultdict[str, int](int), defaultdict[str, int](int)
    plain: dict[str, dict[Any, str]] = {}
    for item, prefix in wanted:
        if _plain(item):
            known = plain.setdefault(prefix, {})
            names[item.mark] = _shared(item, prefix, known, tried, taken)
        elif _always_numbered(item) or several[prefix] > 1:
            numbers[prefix] += 1
            names[item.mark] = f"{prefix}{numbers[prefix]}"
        else:
            names[item.mark] = prefix
    return names


def _plain(item: Item) -> bool:
    return isinstance(item.module, OpCall) and not (
        item.module.op.weighted or item.module.op.imported
    )


def _always_numbered(item: Item) -> bool:
    return isinstance(item.module, OpCall) and item.module.op.numbered


def _prefix(item: Item, prefixes: Mapping[str, str]) -> str:
    module = item.module
    if isinstance(module, OpCall):
        return prefixes.get(module.op.key, module.op.attribute)
    if isinstance(module, BlockCall):
        return module.instance.child or module.instance.prefix
    return "sequence"


def _shared(
    item: Item, prefix: str, known: dict[Any, str], tried: dict[str, int], taken: set[str]
) -> str:
    """`relu` for the first and all equal ones, `relu2` for the next different one."""
    key = _op_key(item)
    while key not in known:
        tried[prefix] += 1
        name = f"{prefix}{tried[prefix]}" if tried[prefix] > 1 else prefix
        if name not in taken:
            taken.add(name)
            known[key] = name
    return known[key]


def same_op(one: Item, other: Item) -> bool:
    """Whether two layers without weights are the same."""
    known = _op_key(one)
    return known is not None and known == _op_key(other)


def _op_key(item: Item) -> Any:
    module = item.module
    if not isinstance(module, OpCall):
        return None
    return module.kind, module.torch, tuple(sorted(module.slots.items(), key=lambda s: s[0]))


def _check_names(builder: Builder, names: Mapping[str, str]) -> None:
    seen: dict[str, Item] = {}
    shortcuts = {slot.item.mark for slot in builder.slots if slot.item}
    for item in [*builder.items, *(slot.item for slot in builder.slots if slot.item)]:
        name = names.get(item.mark) or item.name or ""
        if "." in name:
            check_dotted(name, item, builder.sequential or item.mark in shortcuts)
        elif not builder.sequential and not name.isidentifier():
            message = f"`{name}` is not valid as the name of an attribute"
            hint = "in a class, use letters, digits, and `_`, and start with a letter"
            raise FoundError(Finding("bad-name", message, item.at, hint))
        if name in MODULE_ATTRIBUTES:
            message = f"a layer would be named `{name}`, which `nn.Module` reserves"
            hint = "rename it: `name: ...`"
            raise FoundError(Finding("bad-name", message, item.at, hint))
        other = seen.setdefault(name, item)
        if other is item or (_plain(item) and not item.name and same_op(other, item)):
            continue
        message = f"two layers are named `{name}`"
        hint = "rename one of them: `name: ...`"
        raise FoundError(Finding("attribute-twice", message, item.at, hint))
    for inner, container in containers_of(seen):
        if container in seen:
            message = f"`{inner}` would be inside `{container}`, which is a layer"
            hint = "rename one of them: `name: ...`"
            raise FoundError(Finding("attribute-twice", message, seen[inner].at, hint))


def _shared_once(
    items: list[Item], names: Mapping[str, str]
) -> tuple[tuple[Child, ...], list[int]]:
    """The distinct layers, and the number of layers before each position."""
    kept: dict[str, Child] = {}
    before = [0]
    for item in items:
        name = names[item.mark]
        if name not in kept:
            kept[name] = _child(item, name)
        before.append(len(kept))
    return tuple(kept.values()), before


def chain(steps: list[Body]) -> Body:
    """Steps in order."""
    return Chain(tuple(steps))

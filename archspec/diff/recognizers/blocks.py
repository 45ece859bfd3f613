"""Blocks: repeated more often, with parts added, with an argument that moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from archspec.diff.align import alike
from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, patterns, where
from archspec.diff.tree import Node
from archspec.diff.words import kind, plural, rounded, value, window
from archspec.ir import Add, Apply, Body, Chain, applied
from archspec.ir.bodies import parts_of, steps_of


def repeated(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """More or fewer blocks of a kind in a sequence."""
    for inside, found in grouped(changes, lambda one: one.inside).items():
        old, new = inside
        ones = [c for c in found if c.kind in ("added", "removed") and c.node.op is None]
        kinds = {c.kind for c in ones}
        if len(kinds) != 1 or not new.path or not new.numbered:
            continue
        first = ones[0].node
        counts = [sum(alike(child, first) for child in s.children.values()) for s in (old, new)]
        if min(counts) and all(alike(c.node, first) for c in ones):
            yield _repeat(ones, counts, new, kinds == {"added"})


def _repeat(ones: Sequence[Change], counts: Sequence[int], new: Node, more: bool) -> Line:
    nodes = [one.node for one in ones]
    costs = {(node.params, node.macs) for node in nodes}
    params, macs = costs.pop()
    which = "each new block has" if more else "each block that is gone had"
    if costs:
        params, macs = sum(n.params for n in nodes), sum(n.macs for n in nodes)
        which = "the new blocks have" if more else "the blocks that are gone had"
    text = f"repeat {counts[0]} -> {counts[1]}; {which} {rounded(params)} parameters"
    text += f" and {rounded(macs)} MACs"
    many = plural(len(nodes), f"{'more' if more else 'fewer'} block")
    return Line("~", [new.path], text, ones, f"{many} in {new.path}")


def moved(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """An argument that one layer of a block gives up, and a sibling takes."""
    found: dict[tuple[Any, ...], list[tuple[Change, Change]]] = {}
    for siblings in grouped(changes, lambda one: one.inside).values():
        single = [one for one in siblings if one.kind == "changed" and len(one.own) == 1]
        for giver in single:
            ((name, (old, new)),) = giver.own.items()
            for taker in single:
                if taker.own == {name: (new, old)} and _larger(old, new):
                    words = (name, value(old), _with_window(giver), _with_window(taker))
                    found.setdefault(words, []).append((giver, taker))
    for (name, size, giver, taker), pairs in found.items():
        blocks = patterns([g.inside[0].path or "the network" for g, _ in pairs], facts, old=True)
        text = f"{name} {size} moves from {giver} to {taker}"
        both = [one for pair in pairs for one in pair]
        yield Line("~", blocks, text, both, f"the {name} moves", f"the {name} moved")


def _larger(old: Any, new: Any) -> bool:
    return isinstance(old, int) and isinstance(new, int) and old > new


def _with_window(one: Change) -> str:
    return f"`{one.node.name}`" + (f" ({window(one.node)})" if window(one.node) else "")


def parts(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """A part that blocks have now, or have no more."""
    ones = [c for c in changes if c.kind in ("added", "removed") and c.inside[1].path]
    named = [c for c in ones if not c.node.name.isdecimal() and c.inside[1].label]
    for (kind_, _, label), same in grouped(named, lambda c: (c.kind, c.node.name, c.node.label)).items():
        holders = [one.inside[kind_ == "added"] for one in same]
        every = _all_of(facts.new if kind_ == "added" else facts.old, holders)
        many = plural(len(same), "block")
        scope = f"all {many}" if every and len(same) > 1 else many
        if len(same) == 1:
            scope = holders[0].path
        name = _name(same[0].node) or label
        verdict = f"{name} in {scope}" if kind_ == "added" else f"no {name} in {scope}"
        mark = "+" if kind_ == "added" else "-"
        minor = all(leaf.op and leaf.op.drops for leaf in same[0].node.leaves)
        yield Line(
            mark, where(facts, same), _position(same, holders), same, verdict, minor=minor
        )


def _all_of(root: Node, holders: Sequence[Node]) -> bool:
    """Whether these are all the blocks of their kind."""
    kinds = {node.label for node in holders}
    return len(holders) == sum(node.label in kinds for node in root.nodes)


def _name(node: Node) -> str:
    """What its `doc` calls a block, ahead of the paper: `Squeeze-and-excitation (Hu et al.)`."""
    if node.op is not None:
        return kind(node)
    said, _, more = node.doc.partition(" (")
    return said[0].lower() + said[1:] if more and 0 < len(said) <= 50 and "." not in said else ""


def _position(same: Sequence[Change], holders: Sequence[Node]) -> str:
    """`after bn3, before the sum; 5 layers each, squeezes to 1/16`."""
    node, holder = same[0].node, holders[0]
    names = list(holder.children)
    at = names.index(node.name)
    places = [f"after `{names[at - 1]}`" if at else "first"]
    if holder.forward is not None and node.name in _before_sums(holder.forward):
        places.append("before the sum")
    layers = sum(1 for _ in node.leaves)
    size = [] if node.op else [plural(layers, "layer") + (" each" if len(same) > 1 else "")]
    ratios = {_squeeze(one.node) for one in same}
    if len(ratios) == 1 and (ratio := ratios.pop()):
        size.append(f"squeezes to {ratio}")
    return "; ".join(filter(None, [", ".join(places), ", ".join(size)]))


def _before_sums(body: Body) -> Iterator[str]:
    """The layers that end a branch of a sum."""
    for inner in parts_of(body):
        last = list(steps_of(inner))[-1:] if isinstance(body, Add) else []
        yield from (step.layer for step in last if isinstance(step, Apply))
        yield from _before_sums(inner)


def _squeeze(node: Node) -> Fraction | None:
    """The narrowest of a gate's layers, as a share of what enters."""
    layers = [n for n in node.leaves if n.op and n.op.projects and n.role == "gate"]
    if len(layers) < 2:
        return None
    entering = layers[0].arguments.get("in_channels", layers[0].arguments.get("in_features"))
    ratio = Fraction(min(n.channels for n in layers), int(entering or 1))
    return ratio if ratio <= Fraction(1, 2) else None


def joined(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Blocks whose layers stay and are applied or connected in another way."""
    ones = [one for one in changes if one.kind == "joined"]
    for ordered, same in grouped(ones, _is_order).items():
        what = "order" if ordered else "connections"
        text = "the layers run in another order" if ordered else "the layers are connected otherwise"
        at = where(facts, [one for one in same if one.node.path])
        verdict = f"the {what} of layers changes" if ordered else "other connections"
        yield Line("~", at or ["the network"], text, same, verdict, f"the {what} changed", named=bool(at))


def _is_order(one: Change) -> bool:
    bodies = (one.inside[0], one.inside[1])
    before, after = one.before, one.after
    assert before and after and before.forward and after.forward and bodies
    chains = isinstance(before.forward, Chain) and isinstance(after.forward, Chain)
    return chains and sorted(applied(before.forward)) == sorted(applied(after.forward)) and (
        _shape(before.forward) == _shape(after.forward)
    )


def _shape(body: Body) -> list[str]:
    """The kinds of steps of a body, whatever layers they apply."""
    inner = [name for part in parts_of(body) for name in _shape(part)]
    return [] if isinstance(body, (Apply, Chain)) and not inner else [type(body).__name__, *inner]

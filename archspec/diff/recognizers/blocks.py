"""Changes of blocks: more or fewer of them, new parts, and arguments that move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from archspec.diagnostics import plural
from archspec.diff.align import alike
from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, patterns, where
from archspec.diff.tree import Node
from archspec.diff.words import titled, trains, value, window
from archspec.ir import Add, Apply, Body, Chain
from archspec.ir.bodies import parts_of, steps_of
from archspec.rounding import rounded


def repeated(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """More or fewer blocks of a kind in a sequence."""
    found = []
    for (old, new), ones in grouped(changes, lambda one: one.inside).items():
        some = [c for c in ones if c.kind in ("added", "removed") and c.node.op is None]
        if not some or not new.path or len({c.kind for c in some}) > 1:
            continue
        first = some[0].node
        if not new.numbered and not all(_is_one_of(n, first) for n in new.children.values()):
            continue
        counts = [sum(_is_one_of(n, first) for n in s.children.values()) for s in (old, new)]
        if min(counts) and all(_is_one_of(c.node, first) for c in some):
            found.append((some, counts))
    for some, counts in found:
        yield _repeat(some, counts, found)


def _is_one_of(node: Node, first: Node) -> bool:
    """Whether both belong to one series: `denselayer1`, `denselayer2`."""
    return _stem(node.name) == _stem(first.name) != first.name and alike(node, first)


def _stem(name: str) -> str:
    return name.rstrip("0123456789")


Repeats = Sequence[tuple[Sequence[Change], Sequence[int]]]


def _repeat(ones: Sequence[Change], counts: Sequence[int], every: Repeats) -> Line:
    more, path = counts[1] > counts[0], ones[0].inside[1].path
    nodes = [one.node for one in ones]
    costs = {(node.params, node.macs) for node in nodes}
    if len(costs) == 1:
        which = "each new block has" if more else "each block that is gone had"
        params, macs = costs.pop()
    else:
        which = "the new blocks have" if more else "the blocks that are gone had"
        params, macs = sum(n.params for n in nodes), sum(n.macs for n in nodes)
    text = f"repeat {counts[0]} -> {counts[1]}; {which} {rounded(params)} parameters"
    text += f" and {rounded(macs)} MACs"
    verdict = f"{_many(nodes, more)} in {path}"
    if len(every) > 2 and all((new > old) == more for _, (old, new) in every):
        everywhere = [one.node for some, _ in every for one in some]
        verdict = f"{_many(everywhere, more)} in {len(every)} stages"
    return Line("~", [path], text, ones, verdict)


def _many(nodes: Sequence[Node], more: bool) -> str:
    return plural(len(nodes), f"{'more' if more else 'fewer'} block")


def moved(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """An argument that moves from one layer of a block to another."""
    found: dict[tuple[Any, ...], list[tuple[Change, Change]]] = {}
    for siblings in grouped(changes, lambda one: one.inside).values():
        single = [one for one in siblings if one.kind == "changed" and len(one.own) == 1]
        for giver in single:
            ((name, (old, new)),) = giver.own.items()
            for taker in single:
                if taker.own == {name: (new, old)} and _moves(giver, name, old, new):
                    words = (name, value(old), _with_window(giver), _with_window(taker))
                    found.setdefault(words, []).append((giver, taker))
    for (name, size, giver, taker), pairs in found.items():
        blocks = patterns([one.inside[0].path for one, _ in pairs], facts, old=True)
        named = blocks != [""]
        text = f"{name} {size} moves from {giver} to {taker}"
        both = [one for pair in pairs for one in pair]
        verdict, why = f"the {name} moves", f"the {name} moved"
        yield Line("~", blocks if named else ["the network"], text, both, verdict, why, named=named)


def _moves(giver: Change, name: str, old: Any, new: Any) -> bool:
    """Whether a layer loses this number to a different layer; widths do not count."""
    leaves = giver.node.op.leaves if giver.node.op else None
    return isinstance(old, int) and isinstance(new, int) and old > new and name != leaves


def _with_window(one: Change) -> str:
    return f"`{one.node.name}`" + (f" ({window(one.node)})" if window(one.node) else "")


def parts(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Parts that blocks gained or lost."""
    ones = [c for c in changes if c.kind in ("added", "removed") and c.inside[1].path]
    named = [c for c in ones if not c.node.name.isdecimal() and c.inside[1].label]
    for (kind, _, label), same in grouped(named, _of_part).items():
        holders = [one.inside[kind == "added"] for one in same]
        every = _all_of(facts.new if kind == "added" else facts.old, holders)
        many = plural(len(same), "block")
        scope = f"all {many}" if every and len(same) > 2 else many
        if len(same) == 1:
            scope = holders[0].path
        name = titled(same[0].node) or label
        verdict = f"{name} in {scope}" if kind == "added" else f"no {name} in {scope}"
        mark = "+" if kind == "added" else "-"
        text, minor = _position(same, holders), trains(same[0].node)
        yield Line(mark, where(facts, same), text, same, verdict, minor=minor)


def _of_part(one: Change) -> tuple[str, str, str]:
    return (one.kind, one.node.name, one.node.label)


def _all_of(root: Node, holders: Sequence[Node]) -> bool:
    """Whether these are all blocks of their kind."""
    kinds = {node.label for node in holders}
    return len(holders) == sum(node.label in kinds for node in root.nodes)


def _position(same: Sequence[Change], holders: Sequence[Node]) -> str:
    """`after bn3, before the sum; 5 layers each, squeezes to 1/16`."""
    node, holder = same[0].node, holders[0]
    names = list(holder.children)
    at = names.index(node.name)
    places = [f"after `{names[at - 1]}`" if at else "first"]
    if holder.forward is not None and node.name in _before_sums(holder.forward):
        places.append("before the sum")
    layers = len(node.leaves)
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
    """The narrowest of a gate's layers, as a fraction of its input."""
    layers = [n for n in node.leaves if n.op and n.op.projects and n.role == "gate"]
    if len(layers) < 2:
        return None
    entering = layers[0].arguments.get("in_channels", layers[0].arguments.get("in_features"))
    ratio = Fraction(min(n.channels for n in layers), int(entering or 1))
    return ratio if ratio <= Fraction(1, 2) else None


def joined(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Blocks with the same layers, applied or connected in a different way."""
    ones = [one for one in changes if one.kind == "joined"]
    for what, same in grouped(ones, _what).items():
        how = "run in a different order" if what == "order" else "are connected differently"
        at = where(facts, [one for one in same if one.node.path])
        verdict = f"another {what} of layers" if what == "order" else f"other {what}"
        text, why = f"the layers {how}", f"the {what} changed"
        yield Line("~", at or ["the network"], text, same, verdict, why, named=bool(at))


def _what(one: Change) -> str:
    """Whether a body has the same steps in a different order."""
    before, after = (node.forward for node in (one.before, one.after) if node)
    return "order" if before and after and _steps(before) == _steps(after) else "connections"


def _steps(body: Body) -> list[str]:
    """The kinds of steps of a body, whatever layers they apply."""
    inner = [name for part in parts_of(body) for name in _steps(part)]
    return inner if isinstance(body, (Apply, Chain)) else [type(body).__name__, *inner]

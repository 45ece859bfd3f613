"""Changes of layers in sequences: one layer becomes several, or layers are inserted or replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diagnostics import plural
from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, part, where
from archspec.diff.tree import Node
from archspec.diff.words import article, counted, kind, layer, sequence, window

LONGEST = 6  # layers of a sequence that is described as a whole


def inserted(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Layers of one kind, each inserted after one of one kind: a norm after every convolution."""
    for (old, new), ones in grouped(changes, lambda one: one.inside).items():
        added = [one for one in ones if one.kind == "added" and one.node.op]
        if len(added) < 2 or len({one.node.label for one in added}) > 1 or not new.numbered:
            continue
        names = list(new.children)
        before = [new.children[names[max(names.index(one.node.name) - 1, 0)]] for one in added]
        if len({node.label for node in before}) > 1 or before[0].op is None:
            continue
        every = len(added) == sum(node.label == before[0].label for node in _own_layers(new))
        scope = f"every {kind(before[0])}" if every else plural(len(added), kind(before[0]))
        text = f"{added[0].node.label} after each of {len(added)} {before[0].label}"
        shifted = any(a.path != b.path for a, b in facts.pairs if a in old.children.values())
        text += "; the layers after them are renumbered" if shifted else ""
        verdict = f"{kind(added[0].node)} after {scope}"
        yield Line("+", [old.path], text, added, verdict, inside=True)


def _own_layers(node: Node) -> Iterator[Node]:
    """The layers of a sequence itself."""
    return (child for child in node.children.values() if child.op is not None)


def become(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """A layer that is replaced by several, or several by one."""
    ones = [c for c in changes if c.kind == "replaced" and _is_split(c)]
    for (text, about), same in grouped(ones, lambda c: (_becomes(c), part(facts, c))).items():
        at = where(facts, same)
        yield Line("~", at, text, same, f"new {about}" if about else f"{at[0]} replaced")


def _is_split(one: Change) -> bool:
    before, after = one.before, one.after
    if before is None or after is None or (before.op is None) == (after.op is None):
        return False
    return all(len(node.leaves) <= 2 * LONGEST for node in (before, after))


def _becomes(one: Change) -> str:
    assert one.before
    assert one.after
    return f"{_told(one.before)} {_verb(one.before)} {_told(one.after)}"


def _main(node: Node) -> list[Node]:
    return [n for n in node.leaves if n.op and not (n.op.norm or n.op.activation)]


def _verb(node: Node) -> str:
    return "becomes" if len(_main(node)) == 1 else "become"


def _told(node: Node) -> str:
    """`one 7x7`, `three 3x3 (32, 32, 64)`."""
    layers = _main(node)
    windows = {window(n) if n.op and n.op.key == "conv" else "" for n in layers}
    if len(windows) != 1 or not (size := windows.pop()):
        return sequence(node.leaves)
    channels = ", ".join(str(n.channels) for n in layers)
    return f"{counted(len(layers))} {size}" + (f" ({channels})" if len(layers) > 1 else "")


def resequenced(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """A short sequence with layers inserted, removed, or changed."""
    told: dict[tuple[str, str], list[Change]] = {}
    for (old, new), ones in grouped(changes, lambda one: one.inside).items():
        if _is_short(old) and _is_short(new) and any(c.kind in ("added", "removed") for c in ones):
            about = part(facts, ones[0])
            told.setdefault((_resequence(old, new, ones), about), []).extend(ones)
    for (text, about), ones in told.items():
        holders = [Change("changed", *inside, inside) for inside in {c.inside: 0 for c in ones}]
        at = where(facts, holders)
        yield Line("~", at, text, ones, f"new {about}" if about else f"{at[0]} changes")


def _is_short(node: Node) -> bool:
    return node.numbered and len(list(_own_layers(node))) == len(node.children) <= LONGEST


def _resequence(old: Node, new: Node, ones: Sequence[Change]) -> str:
    added = [one.node for one in ones if one.kind == "added"]
    if len(added) == len(ones) and added == list(new.children.values())[: len(added)]:
        before, after = list(old.children), list(new.children)[len(added) :]
        names = [", ".join(f"`{name}`" for name in some) for some in (before, after)]
        first = " and ".join(article(layer(node)) for node in added)
        come = "comes" if len(added) == 1 else "come"
        return f"{first} {come} first, so {' become '.join(names)}"
    return f"{sequence(new.leaves)} (was: {sequence(old.leaves)})"


def swapped(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Layers of one class, replaced by layers of another."""
    ones = [
        c for c in changes if c.kind == "replaced" and _is_layer(c.before) and _is_layer(c.after)
    ]
    for (old, new), same in grouped(ones, _labels).items():
        before, after = same[0].before, same[0].after
        assert before
        assert after
        every = len(same) == sum(node.label == old for node in facts.old.leaves)
        at = where(facts, same)
        verdict = f"{kind(after)} instead of {kind(before)}"
        if every and len(same) > 1:
            verdict += " everywhere"
        text = f"{new} instead of {old}"
        why = f"{kind(before)} became {kind(after)}"
        yield Line("~", at, text, same, verdict, why)


def _is_layer(node: Node | None) -> bool:
    return node is not None and node.op is not None


def _labels(one: Change) -> tuple[str, str]:
    return (one.before.label if one.before else "", one.after.label if one.after else "")

"""Layers that became wider or narrower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diff.changes import Change, Facts
from archspec.diff.fold import listed
from archspec.diff.lines import Line, grouped, where
from archspec.diff.words import change, factor, spread, wider

Pairs = list[tuple[int, int]]
MOST = 4  # patterns that a line names


def widths(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Other channels in several layers; norms and the layers that read them follow."""
    wide = [one for one in changes if _width(one)]
    if not wide:
        return
    follow = [one for one in changes if one.kind == "changed" and not one.own]
    inside = {id(one.inside[0]) for one in wide}
    norms = [one for one in follow if one.node.op and one.node.op.norm]
    near = [one for one in norms if id(one.inside[0]) in inside]
    readers = [one for one in follow if one.node.op and one.node.op.projects]
    scale = wider([_width(one) for one in wide])
    outputs = _outputs(wide)
    verdict = f"blocks {scale} inside" if outputs else f"layers {scale}"
    at = where(facts, wide)
    if len(at) > MOST:
        layers = sum(1 for node in facts.new.leaves if node.op and node.op.projects)
        text = change("channels", [_width(one) for one in wide], scaled=True)
        yield Line("~", [f"{len(wide)} of {layers} layers"], text, [*wide, *follow], verdict, named=False)
        return
    for place, same in enumerate(_same_blocks(facts, wide)):
        text = change("channels", [_width(one) for one in same], scaled=True)
        beside = [one for one in near if any(one.inside[0] is c.inside[0] for c in same)]
        names = list(dict.fromkeys(f"`{one.node.name}`" for one in beside))
        if names and place == 0:
            text += f", with {' and '.join([', '.join(names[:-1]), names[-1]] if len(names) > 1 else names)}"
        yield Line("~", where(facts, same), text, [*same, *(beside if place == 0 else [])], verdict)
    yield from _readers(facts, readers, outputs)


def _width(one: Change) -> tuple[int, int]:
    """The channels that leave a layer before and after, if those alone are changed; else ()."""
    leaves = one.node.op.leaves if one.node.op else None
    if one.kind != "changed" or leaves is None or set(one.own) != {leaves}:
        return ()  # type: ignore[return-value]
    old, new = one.own[leaves]
    return (old, new) if isinstance(old, int) and isinstance(new, int) else ()  # type: ignore[return-value]


def _outputs(wide: Sequence[Change]) -> bool:
    """Whether all of it is inside blocks whose outputs stay as they are."""
    return all(one.inside[0].label and one.inside[0].channels == one.inside[1].channels for one in wide)


def _same_blocks(facts: Facts, wide: Sequence[Change]) -> list[list[Change]]:
    """Layers of one name together, and with those of other names in the same blocks."""
    by_name = grouped(wide, lambda one: one.node.name)
    blocks = lambda same: frozenset(id(one.inside[0]) for one in same)
    return [sum(alike, []) for alike in grouped(by_name.values(), blocks).values()]


def _readers(facts: Facts, readers: Sequence[Change], outputs: bool) -> Iterator[Line]:
    for same in _same_blocks(facts, readers):
        (name, *_) = same[0].arguments
        pairs = [one.arguments[name] for one in same if name in one.arguments]
        text = change(name, pairs) if len(set(pairs)) == 1 else f"{name} x {factor(pairs)}"
        at = where(facts, same)
        if len(at) <= MOST:
            yield Line("~", at, text + ("; block outputs unchanged" if outputs else ""), same)


__all__ = ["listed", "spread", "widths"]

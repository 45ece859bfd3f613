"""Layers that became wider or narrower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archspec.diff.changes import Change, Facts
from archspec.diff.lines import Line, grouped, where
from archspec.diff.words import change, conjoined, factor, wider

Width = tuple[int, int]
MOST = 4  # patterns that a line names


def widths(facts: Facts, changes: Sequence[Change]) -> Iterator[Line]:
    """Different channels in several layers, with the norms and layers that read them."""
    wide = {one: width for one in changes if (width := _width(one))}
    if not wide:
        return
    follow = [one for one in changes if one.kind == "changed" and not one.own]
    verdict = _verdict(wide)
    if len(where(facts, wide)) > MOST:
        layers = sum(1 for node in facts.new.leaves if node.op and node.op.projects)
        text = change("channels", list(wide.values()), scaled=True)
        scope = [f"{len(wide)} of {layers} layers"]
        yield Line("~", scope, text, [*wide, *follow], verdict, named=False)
        return
    for same in _by_blocks([*wide]):
        text = change("channels", [wide[one] for one in same], scaled=True)
        norms = [one for one in follow if _behind(one, same)]
        yield Line("~", where(facts, same), text + _with(norms), [*same, *norms], verdict)
    readers = [one for one in follow if one.node.op and one.node.op.projects]
    yield from _readers(facts, readers, "; block outputs unchanged" * _is_inside(wide))


def _width(one: Change) -> Width | None:
    """The output channels of a layer before and after, if they changed."""
    leaves = one.node.op.leaves if one.node.op else None
    if one.kind != "changed" or leaves is None or set(one.own) != {leaves}:
        return None
    old, new = one.own[leaves]
    return (old, new) if isinstance(old, int) and isinstance(new, int) else None


def _verdict(wide: dict[Change, Width]) -> str:
    scale = wider(wide.values())
    if _is_inside(wide):
        return f"blocks {scale} inside"
    if len(wide) == 1:
        return f"{next(iter(wide)).node.path} {scale}"
    return f"layers {scale}" if " " in scale else f"{scale} layers"


def _is_inside(wide: dict[Change, Width]) -> bool:
    """Whether all changes are inside blocks whose outputs stay the same."""
    blocks = [one.inside for one in wide]
    return all(old.label and old.channels == new.channels for old, new in blocks)


def _by_blocks(changes: Sequence[Change]) -> list[list[Change]]:
    """Layers with one name together, and with those of other names in the same blocks."""
    names = grouped(changes, lambda one: one.node.name).values()
    alike = grouped(names, lambda same: frozenset(id(one.inside[0]) for one in same))
    return [[one for same in some for one in same] for some in alike.values()]


def _behind(norm: Change, wide: Sequence[Change]) -> bool:
    """Whether a norm has the channels of one of these layers, the last one before it."""
    if not (norm.node.op and norm.node.op.norm):
        return False
    ahead = None
    for node in norm.inside[1].children.values():
        if node is norm.after:
            break
        ahead = node if node.op and node.op.projects else ahead
    return any(one.after is ahead for one in wide)


def _with(norms: Sequence[Change]) -> str:
    names = list(dict.fromkeys(one.node.name for one in norms))
    if all(name.isdecimal() for name in names):
        return (", with its norm" if len(norms) == 1 else ", with their norms") if names else ""
    return f", with {conjoined([f'`{name}`' for name in names])}"


def _readers(facts: Facts, readers: Sequence[Change], more: str) -> Iterator[Line]:
    """The layers with different input channels but the same output channels."""
    for same in _by_blocks(readers):
        name = next(iter(same[0].arguments))
        pairs = [one.arguments[name] for one in same if name in one.arguments]
        text = change(name, pairs) if len(set(pairs)) == 1 else f"{name} x {factor(pairs)}"
        at = where(facts, same)
        if len(at) <= MOST:
            yield Line("~", at, text + more, same)

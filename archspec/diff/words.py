"""Numbers and layers in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from archspec.diagnostics import plural
from archspec.diff.tree import Node
from archspec.ir import each
from archspec.rounding import rounded

LONGEST_TITLE = 50
_TITLE = re.compile(r"[A-Za-z][A-Za-z0-9 -]*")
_WORD = re.compile(r"[\w.+-]+")
_COUNTS = "no one two three four five six seven eight nine ten".split()
_SCALES = {Fraction(2): "twice as wide", Fraction(1, 2): "half as wide"}
_OPS = {
    "conv": "convolution",
    "avg_pool": "average pool",
    "global_avg_pool": "global average pool",
    "global_max_pool": "global max pool",
}


def counted(number: int) -> str:
    """A small number as a word: `three`."""
    return _COUNTS[number] if number < len(_COUNTS) else str(number)


def value(given: Any) -> str:
    """An argument: `3`, `0.1`, `3x5`, `none`; `...` for a string of a user's own module."""
    if isinstance(given, bool) or given is None:
        return str(given).lower()
    if isinstance(given, tuple):
        return "x".join(map(value, given))
    if isinstance(given, str):
        return given if _WORD.fullmatch(given) else "..."
    return f"{float(given):.3g}" if given % 1 else str(given)


def spread(values: Iterable[Any]) -> str:
    """One value, or the range from the smallest to the largest: `64-512`."""
    found = list(dict.fromkeys(values))
    if len(found) == 1:
        return value(found[0])
    if any(isinstance(one, (str, bool, tuple)) or one is None for one in found):
        return " or ".join(map(value, found))
    return f"{value(min(found))}-{value(max(found))}"


def change(name: str, pairs: Sequence[tuple[Any, Any]], scaled: bool = False) -> str:
    """The change of an argument in several layers: `channels x 2 (64-512 -> 128-1024)`."""
    old, new = zip(*pairs, strict=True)
    range_ = f"{spread(old)} -> {spread(new)}"
    if not scaled or len(set(pairs)) == 1:
        return f"{name} {range_}"
    return f"{name} x {factor(pairs)} ({range_})"


def factor(pairs: Iterable[tuple[int, int]]) -> str:
    """`2`, `0.5-0.75`."""
    ratios = {b / a for a, b in pairs}
    return "-".join(dict.fromkeys(f"{one:.2g}" for one in (min(ratios), max(ratios))))


def wider(pairs: Iterable[tuple[int, int]]) -> str:
    """`twice as wide`, `narrower`."""
    ratios = {Fraction(b, a) for a, b in pairs}
    if len(ratios) == 1:
        (ratio,) = ratios
        return _SCALES.get(ratio) or f"{float(ratio):.3g} times as wide"
    if min(ratios) >= 1:
        return "wider"
    return "narrower" if max(ratios) <= 1 else "of other widths"


def window(node: Node) -> str:
    """The kernel of a layer: `3x3`; nothing without one."""
    size = node.arguments.get("kernel_size")
    return "x".join(map(str, each(size, max(node.op.rank, 1)))) if size and node.op else ""


def kind(node: Node) -> str:
    """The name of a layer: `batch norm`, `convolution`."""
    assert node.op is not None
    if node.op.activation:
        return node.label
    return _OPS.get(node.op.key, node.op.key.replace("_", " "))


def layer(node: Node) -> str:
    """A layer in a few words: `2x2 average pool`, `1x1 with stride 2`."""
    assert node.op is not None
    stride, kernel = node.arguments.get("stride"), node.arguments.get("kernel_size")
    strided = f" with stride {value(stride)}" if stride not in (None, 1, kernel) else ""
    if node.op.key == "conv":
        return f"{window(node)}{strided}"
    if window(node):
        return f"{window(node)} {kind(node)}{strided}"
    return f"{kind(node)} to {node.channels}" if node.op.projects else kind(node)


def sequence(nodes: Iterable[Node]) -> str:
    """Layers in order, without norms and activations: `2x2 average pool, then 1x1`."""
    told = [layer(node) for node in nodes if not _in_between(node)]
    return ", then ".join(told) or "nothing"


def _in_between(node: Node) -> bool:
    return node.op is not None and (node.op.norm or node.op.activation)


def size(node: Node) -> str:
    """The size of a part: `5 layers`, `9.41k parameters`."""
    layers = plural(len(node.leaves), "layer")
    return f"{layers}, {rounded(node.params)} parameters" if node.params else layers


def whole(node: Node) -> str:
    """A module in a few words: `3 bottleneck blocks`, `7x7 with stride 2`."""
    if node.op is not None:
        return layer(node)
    kinds = [child.label for child in node.children.values()]
    if len(set(kinds)) == 1 and kinds[0] and not any(c.op for c in node.children.values()):
        return plural(len(kinds), f"{kinds[0]} block")
    return f"{node.label} of {size(node)}" if node.label not in ("", node.name) else size(node)


def trains(node: Node) -> bool:
    """Whether it only acts in training, like dropout."""
    return all(leaf.op is not None and leaf.op.drops for leaf in node.leaves)


def conjoined(words: Sequence[str]) -> str:
    """`bn1, bn2 and bn3`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def article(noun: str) -> str:
    """`an identity`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def share(part: float) -> str:
    """A fraction of the values: `89.1%`."""
    if 0 < part < 0.0005:
        return "under 0.1%"
    return "over 99.9%" if 0.9995 <= part < 1 else f"{part:.1%}"


def titled(node: Node) -> str:
    """The description of a block in its `doc`, before the paper: `Squeeze-and-excitation (Hu et
    al.)`.
    """
    if node.op is not None:
        return kind(node)
    said, _, more = node.doc.partition(" (")
    is_name = more and len(said) <= LONGEST_TITLE and _TITLE.fullmatch(said)
    return said[0].lower() + said[1:] if is_name else ""

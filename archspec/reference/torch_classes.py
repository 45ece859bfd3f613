"""Each class of torch.nn with the word for it: from the ops, and by hand for those without one."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.helpers import HELPERS
from archspec.ops import OPS
from archspec.reference.texts import LEFT_OUT

RANKS = "123"


def words() -> dict[str, str]:
    """The classes of torch.nn, those of one to three dimensions under one name, in alphabetical
    order.
    """
    known: dict[str, str] = {}
    for op in OPS.values():
        if op.torch not in HELPERS:
            before = f"{known[op.torch]}, " if op.torch in known else ""
            known[op.torch] = f"{before}`{op.key}`"
    there = {cls for name in known for cls in classes(name)}
    built_on = {op.extends: f"`{op.key}`" for op in OPS.values() if op.extends}
    known |= {name: word for name, word in built_on.items() if name not in there}
    return dict(sorted({**LEFT_OUT, **known}.items(), key=lambda row: row[0].lower()))


def classes(name: str) -> list[str]:
    """The classes of a name."""
    return [name.replace("{rank}", rank) for rank in RANKS] if "{rank}" in name else [name]


def rows() -> Iterator[tuple[str, str]]:
    """The rows of the table."""
    for name, word in words().items():
        yield ", ".join(f"`{cls}`" for cls in classes(name)), word

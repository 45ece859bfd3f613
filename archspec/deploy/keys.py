"""The training layers that each layer is folded from, as a table for the generated file.

A row is relative to the block of the layer. Layers whose names only differ in numbers share a row:
`*` in a key is any number, and in its row the last number of the key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from archspec.ir import applied
from archspec.ir.tree import BlockCall, Container, ExpandedNetwork, OpCall, Term

Row = tuple[Term, ...]


class Entry(NamedTuple):
    """A layer: its path, the path of its block, and its training layers."""

    path: str
    trained: str
    row: Row

    @property
    def name(self) -> str:
        """Its name in that block."""
        return self.path.rpartition(".")[2]

    @property
    def moved(self) -> bool:
        """Whether it was changed."""
        return self.row != (Term(self.name),)


def folded(network: ExpandedNetwork, trained: ExpandedNetwork) -> dict[str, Row]:
    """The table for a network; `trained` is that network before any pass."""
    there = {entry.path for entry in _entries(trained.root, "", "")}
    groups: dict[str, list[Entry]] = {}
    for entry in _entries(network.root, "", ""):
        groups.setdefault(_stars(entry.path), []).append(entry)
    return {key: row for group in groups.values() for key, row in _rows(group, there)}


def aside(trained: ExpandedNetwork) -> tuple[str, ...]:
    """The attributes that are only for training, and those that no output depends on."""
    used = {*applied(trained.evaluated)}
    return (*(c.attribute for c in trained.root.children if c.attribute not in used), *trained.cut)


def _entries(container: Container, here: str, there: str) -> Iterator[Entry]:
    """The layers in a container, including those in inner containers, but not those without
    weights.
    """
    for child in container.attributes:
        holder = child.attribute.rpartition(".")[0]  # of layers that are in a container
        row = tuple(_within(holder, term) for term in child.trained)
        entry = Entry(_below(here, child.attribute), _below(there, holder), row)
        module = child.module
        if not isinstance(module, OpCall):
            inner = module.instance if isinstance(module, BlockCall) else module
            yield entry
            yield from _entries(inner, entry.path, _full(entry.trained, row[0].layer))
        elif module.op.saved("") or module.op.imported:
            yield entry


def _within(holder: str, term: Term) -> Term:
    """A term relative to a container of the block."""
    if not holder:
        return term
    out = "." * (holder.count(".") + 1)
    layer, norm = (path and out + path for path in (term.layer, term.norm))
    inside = f"{out}{holder}."
    return Term(layer.removeprefix(inside), norm.removeprefix(inside), term.eps)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _full(block: str, path: str) -> str:
    """The full path of a name in a block; each leading dot leads out of one."""
    while path.startswith("."):
        block, path = block.rpartition(".")[0], path[1:]
    return _below(block, path)


def _stars(path: str) -> str:
    return re.sub(r"\d+", "*", path)


def _rows(entries: Sequence[Entry], there: Set[str]) -> Iterator[tuple[str, Row]]:
    """The fewest rows for layers whose names only differ in numbers."""
    if not any(entry.moved for entry in entries):
        return
    names = {entry.name for entry in entries}
    if len(names) > 1 and all(map(str.isdigit, names)):
        starred = [entry._replace(row=_starred(entry)) for entry in entries]
        if row := _common(starred, there):
            yield _stars(entries[0].path), row
            return
    for name in dict.fromkeys(entry.name for entry in entries):
        alike = [entry for entry in entries if entry.name == name]
        yield from _named(name, alike, there)


def _named(name: str, alike: Sequence[Entry], there: Set[str]) -> Iterator[tuple[str, Row]]:
    """The same for layers with one name: the most common terms first, and then the others."""
    most, row = Counter(entry.row for entry in alike).most_common(1)[0][0], _common(alike, there)
    plain = (Term(name),)
    if (row or most) != plain:
        path = alike[0].path
        key = path if len(alike) == 1 else _below(_stars(path.rpartition(".")[0]), name)
        yield key, row or most
    if row is None:
        yield from ((entry.path, entry.row) for entry in alike if entry.row != most)


def _starred(entry: Entry) -> Row:
    """A row with `*` for the name of its layer."""

    def star(path: str) -> str:
        first, dot, rest = path.partition(".")
        return f"*{dot}{rest}" if first == entry.name else path

    return tuple(Term(star(term.layer), star(term.norm), term.eps) for term in entry.row)


def _common(entries: Sequence[Entry], there: Set[str]) -> Row | None:
    """One row for all; each layer uses those of its terms that it had in training."""
    whole = max((entry.row for entry in entries), key=len)
    fits = all(
        entry.row == (whole if len(whole) == 1 else _present(whole, entry, there))
        for entry in entries
    )
    return whole if fits else None


def _present(row: Row, entry: Entry, there: Set[str]) -> Row:
    def known(path: str) -> bool:
        return not path or _full(entry.trained, path.replace("*", entry.name)) in there

    return tuple(term for term in row if known(term.layer) and known(term.norm))

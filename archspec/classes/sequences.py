"""Sequences of layers that a network has several times, as one class: `ConvNormAct`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.classes.patterns import Pattern, kinds_of
from archspec.classes.printed import mapped
from archspec.ir.classes import Class, New, Sequential
from archspec.ir.construction import walk
from archspec.ir.draws import Case


def shared(classes: Sequence[Class], taken: set[str]) -> list[Class]:
    """The classes, and those of their sequences if the file becomes shorter with them."""
    groups: dict[Any, list[Sequential]] = {}
    for part in (part for cls in classes for layer in cls.layers for part in walk(layer.new)):
        if isinstance(part, Sequential) and (kinds := kinds_of(part)):
            groups.setdefault(kinds, []).append(part)
    patterns = [Pattern(sequences) for sequences in groups.values()]
    calls: dict[Sequential, New] = {}
    for pattern in sorted(patterns, key=lambda pattern: -pattern.saved):
        if pattern.saved > 0 and pattern.name not in taken:
            taken.add(pattern.name)
            calls |= pattern.calls()
    return [*_Rewritten(calls).each(classes)] if calls else [*classes]


class _Rewritten:
    """Classes with calls instead of sequences."""

    def __init__(self, calls: Mapping[Sequential, New]) -> None:
        self.calls = calls
        self.now: dict[Class, Class] = {}  # what each class has become
        self.met: dict[Class, None] = {}  # classes of sequences, under their first names

    def each(self, classes: Iterable[Class]) -> Iterator[Class]:
        """Each class after those of its sequences."""
        for cls in classes:
            known = len(self.met)
            layers = tuple(replace(one, new=mapped(one.new, self.changed)) for one in cls.layers)
            loop = tuple(map(self.case, cls.loop))
            self.now[cls] = replace(cls, layers=layers, loop=loop)
            yield from [*self.met][known:]
            yield self.now[cls]

    def changed(self, new: Any) -> Any:
        if isinstance(new, Sequential) and new in self.calls:
            self.met[self.calls[new].what] = None  # type: ignore[index]
            return self.calls[new]
        if isinstance(new, New) and isinstance(new.what, Class) and new.what in self.now:
            return mapped(replace(new, what=self.now[new.what]), self.changed)
        return new

    def case(self, case: Case) -> Case:
        """The initialization of layers, which finds them by the classes that they are in."""
        specials = [
            replace(
                one, anchors=tuple(a._replace(cls=self.now.get(a.cls, a.cls)) for a in one.anchors)
            )
            for one in case.specials
        ]
        return replace(case, specials=tuple(specials))

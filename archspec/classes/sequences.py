"""Sequences of layers: one class if a network has them several times, and none if it has one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from archspec.classes.patterns import Pattern, kinds_of
from archspec.classes.printed import mapped, with_formulas
from archspec.expression import Expr
from archspec.ir.classes import Class, New, Sequential
from archspec.ir.construction import walk
from archspec.ir.draws import Case


def shared(classes: Sequence[Class], taken: set[str]) -> list[Class]:
    """The classes, and those of their sequences if the file becomes shorter with them."""
    groups: dict[Any, list[Sequential]] = {}
    for part in _parts(classes):
        if isinstance(part, Sequential) and (kinds := kinds_of(part)):
            groups.setdefault(kinds, []).append(part)
    patterns = [Pattern(sequences) for sequences in groups.values()]
    calls: dict[Sequential, New] = {}
    for pattern in sorted(patterns, key=lambda pattern: -pattern.saved):
        if pattern.saved > 0 and (name := pattern.name(taken)):
            taken.add(name)
            calls |= pattern.calls(name)
    made = [*_Rewritten(calls).each(classes)] if calls else classes
    once = _constructed_once(made)
    return [*_Rewritten({}, once).each(made)] if once else [*made]


def _constructed_once(classes: Sequence[Class]) -> Set[Class]:
    """Classes that are only a sequence, in the one place where they are constructed."""
    calls = Counter[Class]()
    anchored = {a.cls for c in classes for case in c.loop for s in case.specials for a in s.anchors}
    for new in _parts(classes):
        if isinstance(new, New) and isinstance(new.what, Class):
            calls[new.what] += 1 if _plain(new) else 2
    return {cls for cls, count in calls.items() if count == 1} - anchored


def _plain(call: New) -> bool:
    """Whether the layers of a sequence can be written in the place of a call of its class."""
    cls: Any = call.what
    own = cls.named or cls.locals or cls.draws or cls.loop
    layers = all(isinstance(layer.new, (New, Sequential)) for layer in cls.layers)
    sizes = all(isinstance(argument, Expr) for argument in call.arguments.values())
    return cls.sequential and not own and layers and sizes


def _parts(classes: Sequence[Class]) -> Iterator[Any]:
    return (part for cls in classes for layer in cls.layers for part in walk(layer.new))


class _Rewritten:
    """Classes with calls instead of sequences, and with sequences instead of calls."""

    def __init__(self, calls: Mapping[Sequential, New], once: Set[Class] = frozenset()) -> None:
        self.calls, self.once = calls, once
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
            if cls not in self.once:
                yield self.now[cls]

    def changed(self, new: Any) -> Any:
        if isinstance(new, Sequential) and new in self.calls:
            self.met[self.calls[new].what] = None  # type: ignore[index]
            return self.calls[new]
        if isinstance(new, New) and new.what in self.once:
            return self.sequence(new)
        if isinstance(new, New) and isinstance(new.what, Class) and new.what in self.now:
            return mapped(replace(new, what=self.now[new.what]), self.changed)
        return new

    def sequence(self, call: New) -> Sequential:
        """The layers of a class, with the arguments of its call instead of its parameters."""
        cls = self.now[call.what]  # type: ignore[index]
        defaults = {one.name: one.default for one in cls.parameters if one.default is not None}
        formulas: Mapping[str, Any] = defaults | dict(call.arguments)
        return Sequential(tuple(with_formulas(layer.new, formulas) for layer in cls.layers))

    def case(self, case: Case) -> Case:
        """The initialization of layers, which finds them by the classes that they are in."""
        specials = [
            replace(
                one, anchors=tuple(a._replace(cls=self.now.get(a.cls, a.cls)) for a in one.anchors)
            )
            for one in case.specials
        ]
        return replace(case, specials=tuple(specials))

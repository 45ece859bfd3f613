"""How a second class of a block differs from the first, apart from sizes, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archspec.expression import Name
from archspec.helpers import qualified
from archspec.ir import Add, Body, Concat, Multiply, Split, applied
from archspec.ir.bodies import parts_of, residual
from archspec.ir.classes import Class, New, Sequential, When
from archspec.ir.construction import children

Layers = Mapping[str, Any]
TIMES = ("never", "once", "twice")
JOINTS: dict[type[Any], str] = {
    Add: "sum",
    Multiply: "product",
    Concat: "concatenation",
    Split: "split",
}


def differs(first: Class, other: Class) -> str:
    """The sentence for the docstring of the second class."""
    there, here = _built(first), _built(other)
    notes = [
        *_layers(there, here, first.sequential and other.sequential),
        *_calls(first.body, other.body, there, here),
        *_starts(first, other),
        *_joints(first.body, other.body),
    ]
    if not notes and first.body != other.body:
        notes = ["with a different structure"]
    return f"Like {first.name}, but {'; '.join(notes) or 'of a different block'}."


def _built(cls: Class) -> Layers:
    """The layers as they are if they exist."""
    return {n: new.new if isinstance(new, When) else new for n, new in cls.applied.items()}


def _layers(there: Layers, here: Layers, sequential: bool) -> Iterator[str]:
    if sequential and len(there) != len(here):
        yield from _inside("it", [*there.values()], [*here.values()])
        return
    if gone := [name for name in there if name not in here]:
        yield "without " + ", ".join(gone)
    if more := [name for name in here if name not in there]:
        yield "with " + ", ".join(more)
    for name in here:
        if name in there:
            called = f"layer {name}" if name.isdigit() else name
            yield from _layer(called, there[name], here[name])


def _calls(first: Body, other: Body, there: Layers, here: Layers) -> Iterator[str]:
    """Layers of both that are applied more or less often, or in a different order."""
    before = [name for name in applied(first) if name in here]
    after = [name for name in applied(other) if name in there]
    had, has = Counter(before), Counter(after)
    gone, more = there.keys() - here.keys(), here.keys() - there.keys()
    for name in has | had:
        times = has[name] - had[name]
        if (times > 0 and not more) or (times < 0 and not gone):  # otherwise those explain it
            yield f"{name} is applied {_times(has[name])}, not {_times(had[name])}"
    if had == has and before != after:
        yield "in a different order"


def _layer(name: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, Sequential) and isinstance(other, Sequential):
        once = one.told or other.told
        yield from _inside(name, _parts(one, once), _parts(other, once))
    elif _what(one) != _what(other):
        yield f"{name} is {_what(other)}, not {_what(one)}"
    else:
        yield from _settings(name, [one], [other])


def _parts(row: Sequential, once: bool) -> list[Any]:
    """The children; `once`: equal children are one, as their number is an argument of the class."""
    parts = [*children(row)]
    before = [None, *map(_what, parts)]
    return [p for p, other in zip(parts, before, strict=False) if not (once and _what(p) == other)]


def _inside(name: str, one: Sequence[Any], other: Sequence[Any]) -> Iterator[str]:
    """The differences between two sequences."""
    before, after = _leaves(one), _leaves(other)
    had, has = ([_what(leaf) for leaf in leaves] for leaves in (before, after))
    lost, gained = Counter(had) - Counter(has), Counter(has) - Counter(had)
    swapped = {pair for pair in zip(had, has, strict=False) if pair[0] != pair[1]}
    if len(had) == len(has) and len(swapped) == 1 and gained:
        [(old, new)] = swapped
        yield f"{name} has {new} instead of {old}"
    elif gained or lost:
        pairs = (("gains", gained), ("loses", lost))
        yield f"{name} " + " and ".join(f"{verb} {_listed(c)}" for verb, c in pairs if c)
    elif had != has:
        yield f"{name} is in a different order"
    elif _nesting(one) != _nesting(other):
        yield f"{name} is nested differently"
    else:
        yield from _settings(name, before, after)


def _leaves(parts: Sequence[Any]) -> list[Any]:
    """The modules in sequences, including nested sequences."""
    nested = [_leaves([*children(p)]) if isinstance(p, Sequential) else [p] for p in parts]
    return [leaf for leaves in nested for leaf in leaves]


def _nesting(parts: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_nesting([*children(p)]) if isinstance(p, Sequential) else 0 for p in parts)


def _what(new: Any) -> str:
    if isinstance(new, New) and not isinstance(new.what, Name):
        name = new.what.name if isinstance(new.what, Class) else new.torch
        return name if isinstance(new.what, Class) else qualified(name)
    return "nn.Sequential" if isinstance(new, Sequential) else "passed in"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in counts.items())


def _settings(name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """Arguments that differ by more than a number."""
    found: dict[str, None] = {}
    for one, other in zip(before, after, strict=True):
        if isinstance(one, New) and isinstance(other, New):
            for key in [*other.arguments, *one.arguments]:
                if _kind(one.arguments.get(key)) != _kind(other.arguments.get(key)):
                    found[key] = None
    if found:
        yield f"{name} has a different {' and a different '.join(found)}"


def _kind(argument: Any) -> Any:
    if isinstance(argument, (New, Sequential)):
        return [_what(leaf) for leaf in _leaves([argument])]
    if isinstance(argument, (str, type(None))):
        return argument
    return len(argument) if isinstance(argument, tuple) else ""


def _starts(first: Class, other: Class) -> Iterator[str]:
    had, has = _started(first), _started(other)
    for path, function in has.items():
        if had.get(path) != function:
            yield f"{path} is initialized {_by(function)}"
    for path, function in had.items():
        if path not in has:
            yield f"{path} is not initialized {_by(function)}"
    if first.loop != other.loop and not (had or has):
        yield "with a different initialization"


def _started(cls: Class) -> dict[str, str]:
    pairs = [(start.path, draw) for start in cls.draws for draw in start.draws]
    return {f"{path}.{draw.parameter}": draw.function for path, draw in pairs}


def _by(function: str) -> str:
    return {"zeros": "to 0", "ones": "to 1"}.get(function, f"with {function}")


def _times(count: int) -> str:
    return TIMES[count] if count < len(TIMES) else f"{count} times"


def _joints(first: Body, other: Body) -> Iterator[str]:
    """Sums, products, and the like that only one of them has."""
    had, has = Counter(map(type, _nodes(first))), Counter(map(type, _nodes(other)))
    for kind, word in JOINTS.items():
        if had[kind] == has[kind]:
            continue
        if kind is Add and not has[Add]:
            yield "nothing is added"
        elif kind is Add and not had[Add] and all(map(_to_input, _nodes(other))):
            yield "added to the input"
        else:
            yield f"with {has[kind] or 'no'} {word}{'s' * (has[kind] > 1)}" + (
                f", not {had[kind]}" if had[kind] and has[kind] else ""
            )


def _to_input(body: Body) -> bool:
    return not isinstance(body, Add) or residual(body) is not None


def _nodes(body: Body) -> Iterator[Body]:
    yield body
    for part in parts_of(body):
        yield from _nodes(part)

"""Changed constructions: runs of equal ones, formulas instead of names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.expression import Binary, Expr, Name, Number, simplify, substitute, with_names
from archspec.ir.classes import Modules, New, Repeat, Sequential, When

FEWEST_REPEATS = 3


def repeated(
    children: Sequence[New | Sequential | Repeat | When],
) -> tuple[New | Sequential | Repeat | When, ...]:
    """Runs of equal constructions as one."""
    runs: list[tuple[New | Sequential | Repeat | When, int]] = []
    for child in children:
        if runs and same(runs[-1][0], child):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((child, 1))
    result: list[New | Sequential | Repeat | When] = []
    for child, count in runs:
        if count >= FEWEST_REPEATS and not isinstance(child, (Repeat, When)):
            result.append(Repeat(child, Number(count)))
        else:
            result += [child] * count
    return tuple(result)


def same(one: Any, other: Any) -> bool:
    """Whether two arguments or constructions print the same."""
    if isinstance(one, New) and isinstance(other, New):
        return (
            one.what == other.what
            and one.torch == other.torch
            and one.arguments.keys() == other.arguments.keys()
            and all(same(one.arguments[k], other.arguments[k]) for k in one.arguments)
        )
    if isinstance(one, Sequential) and isinstance(other, Sequential):
        pairs = zip(one.children, other.children, strict=False)
        return len(one.children) == len(other.children) and all(same(a, b) for a, b in pairs)
    if isinstance(one, Repeat) and isinstance(other, Repeat):
        return (one.count, one.index) == (other.count, other.index) and same(one.new, other.new)
    return type(one) is type(other) and bool(one == other)


def grown(new: New, steps: Mapping[str, Expr], turn: Expr) -> New:
    """A construction whose sizes grow by these steps, in one turn of a loop."""
    more = {
        name: simplify("*", step, turn) or Binary("*", step, turn) for name, step in steps.items()
    }
    sums = {name: _sum(new.arguments[name], one) for name, one in more.items()}
    return replace(new, arguments={**new.arguments, **sums})


def _sum(one: Any, other: Expr) -> Expr:
    return simplify("+", one, other) or Binary("+", one, other)


def with_formulas(new: Any, meanings: Mapping[str, Expr]) -> Any:
    """A construction with formulas instead of names."""

    def change(part: Any) -> Any:
        if isinstance(part, When):
            condition = with_names(part.condition, lambda name: meanings.get(name, Name(name)))
            return When(mapped(part.new, change), condition)
        return replaced(part, meanings) if isinstance(part, Expr) else part

    return mapped(new, change) if meanings else new


def replaced(expr: Expr, meanings: Mapping[str, Expr]) -> Expr:
    replaced = substitute(expr, lambda name: meanings.get(name.id, name))
    return expr if replaced is None else replaced


def mapped(new: Any, change: Callable[[Any], Any]) -> Any:
    """A construction in which `change` has replaced the parts that it returns something for."""
    if (other := change(new)) is not new:
        return other
    match new:
        case tuple():
            return tuple(mapped(part, change) for part in new)
        case Sequential(children=children):
            return replace(new, children=repeated([mapped(child, change) for child in children]))
        case New(arguments=arguments):
            return replace(new, arguments={k: mapped(v, change) for k, v in arguments.items()})
        case When(new=inner, condition=condition):
            return When(mapped(inner, change), mapped(condition, change))
        case Repeat(new=inner, count=count):
            return replace(new, new=mapped(inner, change), count=mapped(count, change))
        case Modules(layers=layers):
            rows = tuple(replace(one, new=mapped(one.new, change)) for one in layers)
            runs: list[Any] = [one.new for one in rows]
            return Modules(rows, repeated(runs))
    return new

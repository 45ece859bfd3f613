"""Changed constructions: runs of equal ones, formulas instead of names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.expression import Binary, Expr, Logic, Name, Number, Unary, substitute, walk
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
        return one.count == other.count and same(one.new, other.new)
    return type(one) is type(other) and bool(one == other)


def count_names(new: Any, uses: Counter[str]) -> None:
    if isinstance(new, New):
        count_names(new.what, uses)
        for argument in new.arguments.values():
            count_names(argument, uses)
    elif isinstance(new, When):
        count_names(new.condition, uses)
        count_names(new.new, uses)
    elif isinstance(new, (Sequential, tuple)):
        for child in new.children if isinstance(new, Sequential) else new:
            count_names(child, uses)
    elif isinstance(new, Repeat):
        count_names(new.count, uses)
        count_names(new.new, uses)
    elif isinstance(new, Expr):
        uses.update(n.id for n in walk(new) if isinstance(n, Name))


def with_formulas(new: Any, meanings: Mapping[str, Expr]) -> Any:
    """A construction with formulas instead of names."""
    if not meanings:
        return new
    if isinstance(new, New):
        return replace(
            new, arguments={k: with_formulas(v, meanings) for k, v in new.arguments.items()}
        )
    if isinstance(new, Sequential):
        return Sequential(tuple(with_formulas(child, meanings) for child in new.children))
    if isinstance(new, When):
        condition = placed(new.condition, lambda name: meanings.get(name, Name(name)))
        return When(with_formulas(new.new, meanings), condition)
    if isinstance(new, Repeat):
        return Repeat(with_formulas(new.new, meanings), replaced(new.count, meanings))
    if isinstance(new, tuple):
        return tuple(with_formulas(part, meanings) for part in new)
    return replaced(new, meanings) if isinstance(new, Expr) else new


def replaced(expr: Expr, meanings: Mapping[str, Expr]) -> Expr:
    replaced = substitute(expr, lambda name: meanings.get(name.id, name))
    return expr if replaced is None else replaced


def placed(condition: Expr, meaning: Any) -> Expr:
    """A condition with other formulas for its names."""
    match condition:
        case Logic(op=op, operands=operands):
            return Logic(op, tuple(placed(part, meaning) for part in operands))
        case Binary(op=op, left=left, right=right):
            return Binary(op, placed(left, meaning), placed(right, meaning))
        case Unary(op=op, operand=operand):
            return Unary(op, placed(operand, meaning))
        case Name(id=name):
            found: Expr = meaning(name)
            return found
    return condition


def inside(new: Any) -> Sequence[Any]:
    """The parts of a construction."""
    match new:
        case Sequential(children=children):
            return children
        case New(arguments=arguments):
            return [*arguments.values()]
        case When(new=inner) | Repeat(new=inner):
            return [inner]
        case Modules(layers=layers):
            return [layer.new for layer in layers]
    return ()


def mapped(new: Any, change: Callable[[Any], Any]) -> Any:
    """A construction in which `change` has replaced the parts that it returns something for."""
    if (other := change(new)) is not new:
        return other
    match new:
        case Sequential(children=children):
            return Sequential(repeated([mapped(child, change) for child in children]))
        case New(arguments=arguments):
            return replace(new, arguments={k: mapped(v, change) for k, v in arguments.items()})
        case When(new=inner) | Repeat(new=inner):
            return replace(new, new=mapped(inner, change))
        case Modules(layers=layers):
            rows = tuple(replace(one, new=mapped(one.new, change)) for one in layers)
            runs: list[Any] = [one.new for one in rows]
            return Modules(rows, repeated(runs))
    return new

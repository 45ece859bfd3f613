"""Calls as lines of source, formatted as by `ruff format`."""

from __future__ import annotations

from collections.abc import Sequence

from archspec.expression import Binary, Call, Expr, source
from archspec.expression.printing import PRECEDENCE, called
from archspec.records import Record

NOTHING = "nn.Identity()"
WIDTH = 88
STEP = "    "


class CallText(Record):
    """`name(arguments)`; `tall` puts each argument on a line of its own, `split` if it must."""

    name: str
    arguments: tuple[Text, ...]
    tall: bool = False
    split: bool = False


class KeywordText(Record):
    """`name=value`."""

    name: str
    value: Text


class RunText(Record):
    """`*[element for index in range(count)]`."""

    each: EachText
    star: str = "*"


class FormulaText(Record):
    """A size; `bound` is the precedence of the adjacent operator, for its brackets."""

    formula: Expr
    bound: int = 0


class TupleText(Record):
    """`(element, element)`."""

    elements: tuple[FormulaText, ...]


class ListText(Record):
    """`[element, element]`."""

    elements: tuple[Text, ...]


class DictText(Record):
    """`{"name": value}`."""

    pairs: tuple[tuple[str, Text], ...]


class EachText(Record):
    """`element for index in range(count)`, as the only argument of a call."""

    element: Text
    count: Expr
    index: str = "_"


class EitherText(Record):
    """`there if condition else nn.Identity()`."""

    there: Text
    condition: Expr


class OptionalText(Record):
    """`*(items if condition else [])`."""

    items: Text
    condition: Expr


Text = (
    str
    | CallText
    | KeywordText
    | RunText
    | FormulaText
    | TupleText
    | ListText
    | DictText
    | EachText
    | EitherText
    | OptionalText
)


def flat(text: Text) -> str:
    """On one line."""
    match text:
        case CallText(name=name, arguments=arguments):
            return f"{name}({', '.join(map(flat, arguments))})"
        case KeywordText(name=name, value=value):
            return f"{name}={flat(value)}"
        case RunText(each=each, star=star):
            return f"{star}[{flat(each)}]"
        case FormulaText(formula=formula, bound=bound):
            return source(formula, bound)
        case TupleText(elements=elements):
            return f"({', '.join(map(flat, elements))}{',' * (len(elements) == 1)})"
        case ListText(elements=elements):
            return f"[{', '.join(map(flat, elements))}]"
        case DictText(pairs=pairs):
            return "{" + ", ".join(f'"{name}": {flat(value)}' for name, value in pairs) + "}"
        case EachText(element=element, count=count, index=index):
            return f"{flat(element)} for {index} in range({source(count)})"
        case EitherText(there=there, condition=condition):
            return f"{flat(there)} if {source(condition)} else {NOTHING}"
        case OptionalText(items=items, condition=condition):
            return f"*({flat(items)} if {source(condition)} else [])"
    return text


def _tall(text: Text) -> bool:
    match text:
        case CallText(arguments=arguments, tall=tall):
            return tall or any(map(_tall, arguments))
        case KeywordText(value=inner) | EitherText(there=inner) | OptionalText(items=inner):
            return _tall(inner)
        case RunText(each=inner) | EachText(element=inner):
            return _tall(inner)
        case ListText(elements=elements):
            return len(elements) > 1 or any(map(_tall, elements))
        case DictText(pairs=pairs):
            return len(pairs) > 1 or any(_tall(value) for _, value in pairs)
    return False


def lines(text: Text, indent: str, before: str = "", after: str = "") -> list[str]:
    """As few lines as fit; `before` and `after` are the text around the first and last."""
    whole = indent + before + flat(text) + after
    if not _tall(text) and len(whole) <= WIDTH:
        return [whole]
    match text:
        case CallText(name=name, arguments=arguments) if arguments:
            return _call(name, arguments, text.tall or text.split, indent, before, after)
        case KeywordText(name=name, value=value):
            return lines(value, indent, f"{before}{name}=", after)
        case RunText(each=each, star=star):
            middle = lines(each, indent + STEP)
            return [f"{indent}{before}{star}[", *middle, f"{indent}]{after}"]
        case FormulaText(formula=formula, bound=bound):
            return _formula(formula, bound, indent, before, after)
        case TupleText(elements=elements) | ListText(elements=elements):
            opening, closing = "()" if isinstance(text, TupleText) else "[]"
            inside = [line for e in elements for line in lines(e, indent + STEP, after=",")]
            return [f"{indent}{before}{opening}", *inside, f"{indent}{closing}{after}"]
        case DictText(pairs=pairs):
            named = [lines(value, indent + STEP, f'"{name}": ', ",") for name, value in pairs]
            return [
                f"{indent}{before}{{",
                *(x for part in named for x in part),
                f"{indent}}}{after}",
            ]
        case EachText(element=element, count=count, index=index):
            last = f"{indent}for {index} in range({source(count)}){after}"
            return [*lines(element, indent, before), last]
        case EitherText(there=there, condition=condition):
            ends = [f"{indent}if {source(condition)}", f"{indent}else {NOTHING}{after}"]
            return [*lines(there, indent, before), *ends]
        case OptionalText(items=items, condition=condition):
            middle = [f"{indent}{STEP}if {source(condition)}", f"{indent}{STEP}else []"]
            inside = [*lines(items, indent + STEP), *middle]
            return [f"{indent}{before}*(", *inside, f"{indent}){after}"]
    return [whole]


def _formula(expr: Expr, bound: int, indent: str, before: str, after: str) -> list[str]:
    """Each operator of the lowest precedence at the start of a line."""
    match expr:
        case Call(function=function, arguments=arguments):
            return _call(
                called(function), [*map(FormulaText, arguments)], False, indent, before, after
            )
        case Binary(op=op) if PRECEDENCE[op] < bound:
            inside = lines(FormulaText(expr), indent + STEP)
            return [f"{indent}{before}(", *inside, f"{indent}){after}"]
        case Binary(op=op, left=left, right=right):
            own = PRECEDENCE[op]
            first = _operands(left, own, indent, before)
            return [*first, *lines(FormulaText(right, own + 1), indent, f"{op} ", after)]
    return [f"{indent}{before}{source(expr, bound)}{after}"]


def _operands(left: Expr, own: int, indent: str, before: str) -> list[str]:
    """The text before an operator: a chain of equal operators, or one operand."""
    if isinstance(left, Binary) and PRECEDENCE[left.op] == own:
        return _formula(left, own, indent, before, "")
    return lines(FormulaText(left, own), indent, before)


def _call(
    name: str,
    arguments: Sequence[Text],
    tall: bool,
    indent: str,
    before: str,
    after: str,
) -> list[str]:
    first, last = f"{indent}{before}{name}(", f"{indent}){after}"
    together = indent + STEP + ", ".join(map(flat, arguments))
    one_line = len(together) <= WIDTH and not tall and not any(map(_tall, arguments))
    if one_line and not isinstance(arguments[-1], (RunText, EachText)):
        return [first, together, last]
    end = "" if isinstance(arguments[-1], EachText) else ","  # no comma after a generator
    inside = [line for a in arguments for line in lines(a, indent + STEP, after=end)]
    return [first, *inside, last]

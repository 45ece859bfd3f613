"""Names with expressions in braces, such as `denselayer{index + 1}`."""

import re
from collections.abc import Iterable
from typing import Any

from archspec.expression import Expr, Number
from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.problems import fail
from archspec.records import Record

COUNT = Field("count")
BRACES = r"\{([^{}]*)\}"
MOST_EXPRESSIONS = 8


class Template(Record):
    """The pieces of a name: texts, and between them expressions that evaluate to integers."""

    texts: tuple[str, ...]
    expressions: tuple[Expr, ...]

    def filled(self, numbers: Iterable[int]) -> str:
        """The name with numbers in place of its expressions."""
        *texts, last = self.texts
        return (
            "".join(f"{text}{number}" for text, number in zip(texts, numbers, strict=True)) + last
        )


LayerName = str | Template


def name_of(value: Any, what: str = "the name of an attribute") -> LayerName:
    """The name of a layer, or a template for names; raises `Problems`."""
    if not (isinstance(value, str) and "{" in value):
        return identifiers.place(value, what)
    *pieces, last = re.split(BRACES, value)
    texts, written = (*pieces[::2], last), pieces[1::2]
    if len(written) > MOST_EXPRESSIONS:
        fail("out-of-range", f"a name can have at most {MOST_EXPRESSIONS} expressions in braces")
    expressions = tuple(arguments.expr(text, COUNT) for text in written)
    example = "".join(f"{text}0" for text in texts[:-1]) + last
    first, *rest = example.split(".")
    identifiers.child(first, "the name of a layer")
    identifiers.within(rest, value, "the name of a layer")
    if all(isinstance(expression, Number) for expression in expressions):
        fail("bad-name", f"`{value}` has no expression in its braces", "for example, `{index + 1}`")
    return Template(texts, expressions)


def expressions_of(name: LayerName | None) -> tuple[Expr, ...]:
    """The expressions in a name."""
    return name.expressions if isinstance(name, Template) else ()

"""Values of a spec: numbers, expressions, and words, checked as they are read."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from functools import cache, partial
from typing import Any

from archspec import expression
from archspec.diagnostics import closest, did_you_mean, instead
from archspec.expression import Expr, ExpressionError, Number
from archspec.ir import Field, Op, fields_of
from archspec.language.problems import Collector, describe, fail, read_list
from archspec.language.suggestions.elsewhere import ELSEWHERE_ARGUMENTS
from archspec.language.suggestions.indented import flow, unwrapped, wraps
from archspec.language.suggestions.pythonic import pythonic_hint
from archspec.source.scalars import boolean_hint

LARGEST_SIZE = 2**20
NEVER_WRITTEN = ("arrives", "dims", "axis", "fixed")
ANY = Field("real", many=True)  # a block's argument: any number, checked where the block is used


def expr(value: Any, how: Field = ANY) -> Expr:
    """One number or expression; literal numbers are checked against the bounds at once."""
    if isinstance(value, bool):
        if how.kind in ("size", "count"):
            fail("wrong-type", f"expected a number, found {describe(value)}")
        return Number(value)
    try:
        if isinstance(value, (int, float)):
            tree: Expr = Number(expression.from_python(value))
        elif isinstance(value, str):
            tree = _from_text(value, how)
        else:
            fail(
                "wrong-type",
                f"expected {expected(how)}, found {describe(value)}",
                _hint(value),
            )
    except ExpressionError as error:
        fail("expression", error.message, pythonic_hint(str(value)) or error.hint)
    if isinstance(tree, Number):
        check_number(tree.value, how)
    return tree


def _hint(value: Any) -> str:
    return "use `none` to skip the layer; `null` removes an inherited key" if value is None else ""


def _from_text(text: str, how: Field) -> Expr:
    if hint := boolean_hint(text):
        known = how.kind == "flag" or how is ANY
        message = f"expected {expected(how)}, found the string `{text}`"
        fail("wrong-type", message, hint if known else "use a number")
    return expression.parse(str(text))


def expected(how: Field) -> str:
    return {
        "size": "an integer of at least 1",
        "count": "an integer of at least 0",
        "flag": "`true` or `false`",
    }.get(how.kind, "a number")


def check_number(value: Any, how: Field) -> None:
    """Raises `Problems` for a number that the argument does not accept."""
    if how.kind == "flag":
        if not isinstance(value, bool):
            fail(
                "wrong-type",
                f"expected `true` or `false`, found {describe_number(value)}",
            )
        return
    if how.kind in ("size", "count"):
        _check_size(value, how)
    elif how is not ANY:
        _check_real(value, how)


def _check_size(value: Any, how: Field) -> None:
    low = 1 if how.kind == "size" else 0
    low = max(low, int(how.low or 0))
    high = int(how.high or LARGEST_SIZE)
    if isinstance(value, bool) or not isinstance(value, int):
        hint = "use an integer; in an expression, `//` and `round(...)` return one"
        fail("wrong-type", f"expected {expected(how)}, found {describe_number(value)}", hint)
    if value < low:
        message = f"expected an integer of at least {low}, found {value}"
        fail("out-of-range", message, f"use {low} or more")
    if value > high:
        fail("out-of-range", f"expected at most {high}, found {value}", f"use {high} or less")


def _check_real(value: Any, how: Field) -> None:
    if isinstance(value, bool):
        fail("wrong-type", f"expected a number, found {describe_number(value)}", "use a number")
    if how.low is not None and value < how.low:
        message = f"expected at least {how.low}, found {expression.show(value)}"
        fail("out-of-range", message, f"use {how.low} or more")
    if how.high is not None and value > how.high:
        message = f"expected at most {how.high}, found {expression.show(value)}"
        fail("out-of-range", message, f"use {how.high} or less")


def describe_number(value: Any) -> str:
    return describe(value) if isinstance(value, bool) else f"`{expression.show(value)}`"


def value_of(value: Any, how: Field = ANY) -> Expr | tuple[Expr, ...] | str:
    """An argument: an expression, a list of them if `how.many`, or one of its choices."""
    if how.kind == "choice":
        return _choice(value, how)
    if not isinstance(value, list):
        return expr(value, how)
    if not how.many:
        fail("wrong-type", f"expected one number, found {describe(value)}")
    if not 1 <= len(value) <= 1000:
        fail("out-of-range", f"expected a list of numbers, found {describe(value)}")
    return tuple(read_list(value, partial(expr, how=how)))


def _choice(value: Any, how: Field) -> str:
    if value not in how.choices:
        choices = ", ".join(f"`{choice}`" for choice in how.choices)
        near = closest(value, how.choices) if isinstance(value, str) else []
        hint = f"did you mean `{near[0]}`?" if near else ""
        fail("wrong-type", f"expected one of {choices}, found {describe(value)}", hint)
    return str(value)


def written_fields(op: type[Op]) -> dict[str, Field]:
    """The arguments of an op that a spec may set, by their names in the language."""
    fields: dict[str, Field] = _written_fields(op)  # type: ignore[arg-type]
    return fields


@cache
def _written_fields(op: Any) -> dict[str, Field]:
    return {f.name: f.how for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN}


def op_arguments(op: type[Op], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are set, by their names in the language; raises `Problems`."""
    known = written_fields(op)
    unknown = partial(unknown_argument, op)
    return given_to(op.key, given, known, lambda name, v: value_of(v, known[name]), unknown)


def given_to(
    owner: str,
    given: Mapping[str, Any],
    known: Container[str],
    read: Callable[[str, Any], Any],
    unknown: Callable[[str], str],
    required: Iterable[str] = (),
) -> dict[str, Any]:
    """The arguments of an op or function by name; `unknown` is the hint for any but the known ones.

    Raises `Problems`, also for a required argument that is missing.
    """
    found, result = Collector(), {}
    for name, value in given.items():
        with found.trying(name):
            if name not in known:
                message = f"`{owner}` has no argument `{name}`"
                hint = unknown(str(name))
                if wraps(name, value):
                    hint = f"use `{owner}: {flow(unwrapped(given))}`"
                fail("unknown-key", message, hint, key=True)
            result[name] = read(name, value)
    for name in required:
        if name not in given:
            message = f"missing argument `{name}` for `{owner}`"
            found.lacks(name, message, f"add `{owner}: {{{name}: ...}}`")
    found.finish()
    return result


def unknown_argument(op: type[Op], wrong: str) -> str:
    """The hint for an argument that the op does not have."""
    known = written_fields(op)
    if ours := next((word for word in ELSEWHERE_ARGUMENTS.get(wrong, ()) if word in known), ""):
        return instead(f"use `{ours}`", wrong, ours)
    if wrong in ("activation", "act", "norm", "norm_layer", "act_layer"):
        return "add it as a layer of its own after this one"
    for f in fields_of(op):
        if wrong == f.torch and f.name != f.torch and f.name in known:
            return instead(f"use `{f.name}`", wrong, f.name, sure=True)
        arrives = f.how.kind == "arrives"
        if arrives and wrong in (f.torch, "channels", "in_channels", "features"):
            return "remove it; input sizes are inferred"
    if wrong == "like" and "scale" in known:
        return (
            f"to match the size of a tensor, use `interpolate: {{like: ...}}` instead of `{op.key}`"
        )
    if not known:
        return f"`{op.key}` has no arguments: use `{op.key}` alone"
    return did_you_mean(wrong, known, "available")

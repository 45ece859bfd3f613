"""Values of a spec: numbers, expressions and words, checked as they are read."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model

from archspec import expression
from archspec.diagnostics import closest, did_you_mean, instead
from archspec.expression import Expr, ExpressionError, Number
from archspec.ir import Field, Op, OpField, fields_of
from archspec.ops import OPS
from archspec.source import boolean_hint
from archspec.spec.problems import Collector, Problems, describe, fail, problems_of, to_pydantic

LARGEST_SIZE = 2**20
ANY = Field("real", many=True)  # a block's argument: any number, settled by its use

# Attributes of torch.nn.Module that a layer must not hide; a test holds this against torch.
MODULE_ATTRIBUTES = frozenset(
    """T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda
    double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu
    zero_grad""".split()
)
# Words that a generated constructor, or an expression, already gives a meaning.
CONSTRUCTOR_WORDS = frozenset(
    ["self", "nn", "torch", "super", "range", "isinstance", "module", "none", "true", "false"]
) | frozenset(expression.FUNCTIONS)
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}\Z")


def identifier(value: Any, what: str) -> str:
    """A name that Python source can carry: ASCII, no keyword, no leading underscore."""
    if not isinstance(value, str):
        fail("wrong-type", f"{what} is a name, found {describe(value)}")
    if not IDENTIFIER.match(value) or keyword.iskeyword(value) or keyword.issoftkeyword(value):
        fail(
            "bad-name",
            f"`{value}` cannot be {what}",
            "a name has letters, digits and `_`, starts with a letter, is no Python keyword",
        )
    return str(value)


def attribute(value: Any, what: str = "the name of an attribute") -> str:
    """A name for a layer; it must not hide what every `nn.Module` has."""
    name = identifier(value, what)
    if name in ("self", "x"):
        fail("bad-name", f"`{name}` is taken: the generated code uses it", "choose another name")
    if name in MODULE_ATTRIBUTES:
        fail(
            "bad-name",
            f"`{name}` is taken: every torch module has it",
            "choose another name",
        )
    return name


def argument_name(value: Any, what: str = "the name of an argument") -> str:
    """A name that stands in expressions, and may become a constructor's parameter."""
    name = identifier(value, what)
    if name in CONSTRUCTOR_WORDS:
        fail("bad-name", f"`{name}` has a meaning of its own", f"choose another name for {what}")
    if not name[0].islower():
        fail("bad-name", f"`{name}` cannot be {what}", f"write it small: `{name.lower()}`")
    return name


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
        fail("expression", error.message, error.hint)
    if isinstance(tree, Number):
        check_number(tree.value, how)
    return tree


def _hint(value: Any) -> str:
    return "write `none` for no layer; `null` deletes what is inherited" if value is None else ""


def _from_text(text: str, how: Field) -> Expr:
    if hint := boolean_hint(text):
        known = how.kind == "flag" or how is ANY
        message = f"expected {expected(how)}, found the text `{text}`"
        fail("wrong-type", message, hint if known else "write a number")
    return expression.parse(str(text))


def expected(how: Field) -> str:
    return {
        "size": "a whole number of at least 1",
        "count": "a whole number of at least 0",
        "flag": "`true` or `false`",
    }.get(how.kind, "a number")


def check_number(value: Any, how: Field) -> None:
    """Raises `Problems` for a number that the argument cannot take."""
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
        fail("wrong-type", f"expected {expected(how)}, found {describe_number(value)}")
    if value < low:
        fail("out-of-range", f"expected a whole number of at least {low}, found {value}")
    if value > high:
        fail("out-of-range", f"expected at most {high}, found {value}")


def _check_real(value: Any, how: Field) -> None:
    if isinstance(value, bool):
        fail("wrong-type", f"expected a number, found {describe_number(value)}")
    if how.low is not None and value < how.low:
        fail(
            "out-of-range",
            f"expected at least {how.low}, found {expression.show(value)}",
        )
    if how.high is not None and value > how.high:
        fail(
            "out-of-range",
            f"expected at most {how.high}, found {expression.show(value)}",
        )


def describe_number(value: Any) -> str:
    return describe(value) if isinstance(value, bool) else f"`{expression.show(value)}`"


def value_of(value: Any, how: Field = ANY) -> Expr | tuple[Expr, ...] | str:
    """An argument: an expression, a list of them where `how.many`, or one of its choices."""
    if how.kind == "choice":
        return _choice(value, how)
    if not isinstance(value, list):
        return expr(value, how)
    if not how.many:
        fail("wrong-type", f"expected one number, found {describe(value)}")
    if not 1 <= len(value) <= 1000:
        fail("out-of-range", f"expected a list of numbers, found {describe(value)}")
    found, parts = Collector(), []
    for place, part in enumerate(value):
        with found.trying(place):
            parts.append(expr(part, how))
    found.finish()
    return tuple(parts)


def _choice(value: Any, how: Field) -> str:
    if value not in how.choices:
        choices = ", ".join(f"`{choice}`" for choice in how.choices)
        near = closest(value, how.choices) if isinstance(value, str) else []
        hint = f"did you mean `{near[0]}`?" if near else ""
        fail("wrong-type", f"expected one of {choices}, found {describe(value)}", hint)
    return str(value)


def _validator(f: OpField) -> PlainValidator:
    def validate(value: Any) -> Any:
        try:
            return value_of(value, f.how)
        except Problems as error:
            raise to_pydantic(error) from None

    return PlainValidator(validate)


NEVER_WRITTEN = ("arrives", "dims", "fixed")


_MODELS: dict[str, type[BaseModel]] = {}


def model_of(op: type[Op]) -> type[BaseModel]:
    """The pydantic model of an op's arguments, made on first use."""
    if op.key not in _MODELS:
        _MODELS[op.key] = _model(op)
    return _MODELS[op.key]


def _model(op: type[Op]) -> type[BaseModel]:
    fields: Any = {
        f.name: (Annotated[Any, _validator(f)], None)
        for f in fields_of(op)
        if f.how.kind not in NEVER_WRITTEN
    }
    return create_model(op.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)


@cache
def _known_fields(key: str) -> dict[str, Field]:
    return {f.name: f.how for f in fields_of(OPS[key]) if f.how.kind not in NEVER_WRITTEN}


def op_arguments(op: type[Op], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are written, by the language's names; raises `Problems`."""
    known = _known_fields(op.key)
    with suppress(Problems, KeyError):  # told by the model, which takes long to make
        return {name: value_of(given[name], known[name]) for name in given}
    model = model_of(op)
    try:
        valid = model.model_validate(dict(given))
        return {name: getattr(valid, name) for name in given}
    except ValidationError as error:
        problems = problems_of(error, model.model_fields)
    found = Collector()
    for problem in problems:
        if problem.rule == "unknown-key" and len(problem.path) == 1:
            hint = unknown_argument(op, str(problem.path[0]))
            message = f"`{op.key}` has no argument `{problem.path[0]}`"
            found.add("unknown-key", message, hint, *problem.path, key=True)
        else:
            found.keep([problem])
    found.finish()
    raise AssertionError(problems)


def unknown_argument(op: type[Op], wrong: str) -> str:
    """What to write instead of an argument that the op does not have."""
    for f in fields_of(op):
        if wrong == f.torch and f.name != f.torch and f.how.kind not in NEVER_WRITTEN:
            return instead(f"write `{f.name}`", wrong, f.name)
        arrives = f.how.kind == "arrives"
        if arrives and wrong in (f.torch, "channels", "in_channels", "features"):
            return "what arrives is known and never written"
    written = [f.name for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
    if not written:
        return f"`{op.key}` has no arguments: write `{op.key}` alone"
    return did_you_mean(wrong, written, "it has")


# What other frameworks and papers call an op, in small letters.
ELSEWHERE = {
    "convolution": "conv",
    "dwconv": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "depthwise_conv2d": "depthwise_conv",
    "depthwiseconv2d": "depthwise_conv",
    "fc": "linear",
    "dense": "linear",
    "fully_connected": "linear",
    "bn": "batch_norm",
    "gn": "group_norm",
    "ln": "layer_norm",
    "swish": "silu",
    "hswish": "hard_swish",
    "h_swish": "hard_swish",
    "hsigmoid": "hard_sigmoid",
    "h_sigmoid": "hard_sigmoid",
    "lrelu": "leaky_relu",
    "maxpooling2d": "max_pool",
    "averagepooling2d": "avg_pool",
    "average_pool": "avg_pool",
    "gap": "global_avg_pool",
    "global_pool": "global_avg_pool",
    "global_average_pool": "global_avg_pool",
    "globalaveragepooling2d": "global_avg_pool",
    "droppath": "stochastic_depth",
    "drop_path": "stochastic_depth",
}


def elsewhere(word: str) -> str:
    """What we call what is called `word` elsewhere; "" if that is unknown."""
    small = word.lower()
    return ELSEWHERE.get(small) or torch_names().get(small, "")


@cache
def torch_names() -> dict[str, str]:
    """What people write for an op elsewhere, in lower case: torch's own class names."""
    known = {}
    for op in OPS.values():
        for rank in ("", "1d", "2d", "3d"):
            known[op.torch.replace("{rank}d", rank).lower()] = op.key
    return known

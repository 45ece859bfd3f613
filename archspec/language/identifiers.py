"""Names that are valid in generated source: of layers, blocks, arguments, and parts."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from typing import Any

from archspec import expression
from archspec.language.problems import describe, fail

# Attributes of torch.nn.Module that a layer must not hide; a test compares this with torch.
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
SEQUENTIAL_ATTRIBUTES = frozenset(["append", "extend", "insert", "pop"])
# The same of nn.ModuleList and nn.ModuleDict.
CONTAINER_ATTRIBUTES = SEQUENTIAL_ATTRIBUTES | {"clear", "items", "keys", "update", "values"}
MOST_PARTS = 6  # of a name with dots
# Words that already have a meaning in a generated constructor or in an expression.
CONSTRUCTOR_WORDS = frozenset(
    [
        "self",
        "nn",
        "torch",
        "math",
        "super",
        "range",
        "isinstance",
        "module",
        "none",
        "true",
        "false",
    ]
) | frozenset(expression.FUNCTIONS)
CHILD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}\Z")


def identifier(value: Any, what: str) -> str:
    """A valid Python name: ASCII, not a keyword, no leading underscore."""
    if not isinstance(value, str):
        fail("wrong-type", f"expected {what}, found {describe(value)}")
    if not IDENTIFIER.match(value) or _is_keyword(value):
        fail("bad-name", f"`{value}` is not valid as {what}", _valid(value))
    return str(value)


def _valid(name: str) -> str:
    """The hint with a valid name that is similar, if there is one."""
    hint = "use letters, digits, and `_`; start with a letter; avoid Python keywords"
    other = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    other += "_" if _is_keyword(other) else ""
    return f"for example, `{other}`: {hint}" if IDENTIFIER.match(other) else hint


def _is_keyword(name: str) -> bool:
    return keyword.iskeyword(name) or keyword.issoftkeyword(name)


def attribute(value: Any, what: str = "the name of an attribute") -> str:
    """A name for a layer; it must not hide an attribute of `nn.Module`."""
    name = identifier(value, what)
    if name in ("self", "x"):
        fail("bad-name", f"`{name}` is reserved: the generated code uses it", "choose another name")
    if name in MODULE_ATTRIBUTES:
        fail(
            "bad-name",
            f"`{name}` is reserved: `nn.Module` already defines it",
            "choose another name",
        )
    return name


def place(value: Any, what: str = "the name of an attribute") -> str:
    """A name for a layer that may be inside containers: `conv1`, `convs.0`."""
    if not isinstance(value, str) or "." not in value:
        return attribute(value, what)
    first, *rest = value.split(".")
    attribute(first, what)
    within(rest, value, what)
    return value


def within(parts: Sequence[str], value: str, what: str) -> None:
    """Check the part of a name after its first dot, which names a container's child."""
    if len(parts) >= MOST_PARTS:
        fail("out-of-range", f"{what} has at most {MOST_PARTS} parts, found {len(parts) + 1}")
    for part in parts:
        if not CHILD.match(part):
            hint = "between dots, use letters, digits, `_`, and `-`, as in `convs.0`"
            fail("bad-name", f"`{value}` is not valid as {what}", hint)
        if part in MODULE_ATTRIBUTES | CONTAINER_ATTRIBUTES:
            message = f"`{part}` is reserved: `nn.ModuleDict` already defines it"
            fail("bad-name", message, f"choose another name for `{value}`")


def child(value: Any, what: str = "the name of a child") -> str:
    """A name for a layer in a sequence, which does not have to be a Python name."""
    if not isinstance(value, str):
        fail("wrong-type", f"expected {what}, found {describe(value)}")
    if not CHILD.match(value):
        hint = "use letters, digits, `_`, and `-`"
        fail("bad-name", f"`{value}` is not valid as {what}", hint)
    if value in MODULE_ATTRIBUTES | SEQUENTIAL_ATTRIBUTES:
        message = f"`{value}` is reserved: `nn.Sequential` already defines it"
        fail("bad-name", message, "choose another name")
    return str(value)


def argument_name(value: Any, what: str = "the name of an argument") -> str:
    """A name for use in expressions, which may become a constructor's parameter."""
    name = identifier(value, what)
    if name in CONSTRUCTOR_WORDS:
        fail("bad-name", f"`{name}` is reserved in specs", f"choose another name for {what}")
    if not name[0].islower():
        fail("bad-name", f"`{name}` is not valid as {what}", f"use lower case: `{name.lower()}`")
    return name

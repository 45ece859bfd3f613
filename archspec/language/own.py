"""A block that imports its class: a module of the user's, and what the spec declares about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any

from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.names import at_key, class_name
from archspec.language.problems import Problems, check_mapping, describe, fail, read_items

WRITE_TEXT = "for example, `{text: bilinear}`"
KEYS = ("import", "call", "like", "macs", "params")
BESIDE = frozenset(("doc", "name", "args", "inputs", "outputs", *KEYS))
COUNT = Field("count", high=2**50)
MOST_MODULES = 10  # of a path
TEXT = r"[ !#-\[\]-~]{0,60}\Z"  # what may be quoted as it is


def path_of(value: Any) -> str:
    """The dotted path of a class: `mypkg.layers.GRN`."""
    if isinstance(value, str) and "/" in value:
        module = value.removesuffix(".py").strip("./").replace("/", ".")
        message = f"expected the dotted path of a class, found the file `{value}`"
        fail("wrong-type", message, f"name the class: `import: {module}.MyClass`")
    if not isinstance(value, str) or not 2 <= len(value.split(".")) <= MOST_MODULES:
        message = f"expected the dotted path of a class, found {describe(value)}"
        fail("wrong-type", message, "include package, module, and class: `mypkg.layers.GRN`")
    *modules, name = value.split(".")
    for part in modules:
        identifiers.identifier(part, "the name of a module")
    class_name(name)
    return value


def keywords_of(value: Any) -> dict[str, Any]:
    """The arguments of the class's constructor, by name: expressions, lists of them, or strings."""
    check_mapping(value, "a mapping of arguments", "for example, `call: {dim: in_channels}`")
    return read_items(value, _argument)


def _argument(name: str, value: Any) -> Any:
    identifiers.identifier(name, "the name of an argument")
    if isinstance(value, Mapping):
        return _text(value)
    try:
        return arguments.value_of(value)
    except Problems as error:
        if not isinstance(value, str):
            raise
        hint = f"use `{{text: ...}}` for a string; {error.problems[0].hint}"
        raise Problems(problem._replace(hint=hint) for problem in error.problems) from None


def _text(value: Mapping[str, Any]) -> str:
    """`{text: bilinear}`: a string instead of an expression."""
    if value.keys() != {"text"}:
        fail("wrong-type", f"expected a number or a string, found {describe(value)}", WRITE_TEXT)
    text = value["text"]
    if not isinstance(text, str):
        message = f"expected a string, found {describe(text)}"
        fail("wrong-type", message, "remove `text` for a number")
    if not re.match(TEXT, text):
        hint = "a string can have at most 60 ASCII characters, without quotes or backslashes"
        fail("out-of-range", f"`{text[:40]}` cannot be an argument", hint)
    return text


def agree(said: Set[str]) -> None:
    """A block has either a body, or an imported class with its declarations."""
    if "import" not in said:
        if "body" not in said:
            hint = "add its layers, or `import: mypkg.layers.GRN` and `like`"
            raise Problems([at_key("missing-key", "missing required key `body`", (), hint)])
        wrong, why = said & set(KEYS), "requires `import`"
    else:
        wrong, why = (
            said - BESIDE,
            ("cannot be combined with `import`: the class is not defined here"),
        )
    if wrong:
        rule, hint = "conflicting-keys", "remove it"
        raise Problems([at_key(rule, f"`{key}` {why}", (key,), hint) for key in sorted(wrong)])
    if "import" in said and "like" not in said:
        hint = "add `like: identity`, or the op or block that outputs the same shapes"
        raise Problems([at_key("missing-key", "missing required key `like`", (), hint)])

"""A block that imports its class: a module of the user's own, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from archspec.ir import Field
from archspec.language import arguments, identifiers
from archspec.language.names import at_key, class_name
from archspec.language.problems import Collector, Problems, describe, fail

KEYS = ("import", "call", "like", "macs", "params")
BESIDE = frozenset(("doc", "name", "args", *KEYS))
COUNT = Field("count", high=2**50)
MOST_MODULES = 10  # of a path


def path_of(value: Any) -> str:
    """The dotted path of a class: `mypkg.layers.GRN`."""
    if not isinstance(value, str) or not 2 <= len(value.split(".")) <= MOST_MODULES:
        message = f"expected the dotted path of a class, found {describe(value)}"
        fail("wrong-type", message, "write package, module and class: `mypkg.layers.GRN`")
    *modules, name = value.split(".")
    for part in modules:
        identifiers.identifier(part, "the name of a module")
    class_name(name)
    return value


def keywords_of(value: Any) -> dict[str, Any]:
    """The arguments of the class's constructor: expressions, or lists of them, by name."""
    if not isinstance(value, Mapping):
        hint = "write e.g. `call: {dim: in_channels}`"
        fail("wrong-type", f"expected a map of arguments, found {describe(value)}", hint)
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            identifiers.identifier(name, "the name of an argument")
            result[name] = arguments.value_of(value[name])
    found.finish()
    return result


def agree(said: Set[str]) -> None:
    """A block has a body, or a class that is imported and all that is said of it."""
    if "import" not in said:
        if "body" not in said:
            hint = "write its layers, or `import: mypkg.layers.GRN` and `like`"
            raise Problems([at_key("missing-key", "`body` is missing", (), hint)])
        wrong, why = said & set(KEYS), "stands only beside `import`"
    else:
        wrong, why = said - BESIDE, "cannot stand beside `import`: the class is not written here"
    if wrong:
        rule, hint = "conflicting-keys", "leave it out"
        raise Problems([at_key(rule, f"`{key}` {why}", (key,), hint) for key in sorted(wrong)])
    if "import" in said and "like" not in said:
        hint = "write `like: identity`, or the op or block that gives the same shapes"
        raise Problems([at_key("missing-key", "`like` is missing", (), hint)])

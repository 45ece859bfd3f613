"""Fields for names and texts, which the models share."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from archspec.language import identifiers
from archspec.language.model import reads
from archspec.language.problems import Problem, Problems, describe, fail
from archspec.language.words import COMBINATORS, OF_TENSORS, SCOPE
from archspec.ops import OPS

Attribute = Annotated[str, reads(identifiers.attribute)]


# What generated files and torch import: Python would find a generated file of that name instead.
MODULES = sys.stdlib_module_names | frozenset(
    """filelock fsspec functorch jinja2 markupsafe mpmath networkx numpy packaging setuptools
    sitecustomize sympy tensorboard torch torchgen torchvision triton typing_extensions
    usercustomize""".split()
)

# Windows has no files of these names, whatever their suffix.
DEVICES = frozenset(["con", "prn", "aux", "nul"]) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}


def not_a_device(file: str, instead: str) -> None:
    """A file of this name would keep the project from being checked out on Windows."""
    name = file.partition(".")[0]
    if name.lower() in DEVICES:
        message = f"`{file}` cannot be a file on Windows, where `{name}` is a device"
        fail("bad-name", message, f"choose another name, e.g. `{instead}`")


def spec_name(value: Any) -> str:
    """A name that the generated file can have."""
    name = identifiers.attribute(value, "the name of a network")
    not_a_device(f"{name}.py", f"{name}_net")
    if name.lower() in MODULES:
        message = (
            f"a generated `{name}.py` would take the place of Python's module `{name.lower()}`"
        )
        fail("bad-name", message, f"choose another name, e.g. `{name}_net`")
    return name


def is_spec_name(name: str) -> bool:
    """Whether a spec can be called so."""
    try:
        return bool(spec_name(name))
    except Problems:
        return False


SpecName = Annotated[str, reads(spec_name)]


def text_of(value: Any, what: str, most: int) -> str:
    """Free text, with a limit."""
    if not isinstance(value, str):
        hint = "write it in words, with quotes where YAML sees something else"
        fail("wrong-type", f"{what} is text, found {describe(value)}", hint)
    if len(value) > most:
        fail(
            "out-of-range",
            f"{what} has {len(value)} characters, at most {most} are taken",
        )
    return str(value)


Doc = Annotated[str, reads(text_of, "`doc`", 4000)]


def class_name(value: Any) -> str:
    name = identifiers.identifier(value, "a class name")
    if name in ("Tensor", "F", "nn", "torch") or not name[0].isupper():
        fail("bad-name", f"`{name}` cannot be a class name", "write it in CamelCase")
    return name


ClassName = Annotated[str, reads(class_name)]


def not_taken(name: str, what: str) -> None:
    if name in SCOPE:
        fail(
            "bad-name",
            f"`{name}` is given to every block",
            f"call the {what} otherwise",
        )
    if name in OPS or name in COMBINATORS:
        fail("bad-name", f"`{name}` is an op or combinator", f"call the {what} otherwise")
    if name in OF_TENSORS:
        fail("bad-name", f"`{name}` stands beside a layer", f"call the {what} otherwise")


def at_key(rule: str, message: str, path: tuple[str | int, ...], hint: str = "") -> Problem:
    return Problem(rule, message, hint, path, key=True)

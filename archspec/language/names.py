"""Fields for names and texts, shared by the models."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from archspec.language import identifiers
from archspec.language.model import reads
from archspec.language.problems import Problem, Problems, describe, fail
from archspec.language.words import COMBINATORS, OF_TENSORS, SCOPE
from archspec.ops import OPS

Attribute = Annotated[str, reads(identifiers.attribute)]


# Modules that generated files and torch import: Python would find a generated file instead.
MODULES = sys.stdlib_module_names | frozenset(
    """filelock fsspec functorch jinja2 markupsafe mpmath networkx numpy packaging setuptools
    sitecustomize sympy tensorboard torch torchgen torchvision triton typing_extensions
    usercustomize""".split()
)

# Windows cannot have files with these names, whatever their suffix.
DEVICES = frozenset(["con", "prn", "aux", "nul"]) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}


def not_a_device(file: str, instead: str) -> None:
    """Reject a file name with which the project could not be checked out on Windows."""
    name = file.partition(".")[0]
    if name.lower() in DEVICES:
        message = f"`{file}` is not a valid file name on Windows, where `{name}` is a device"
        fail("bad-name", message, f"choose another name; for example, `{instead}`")


def spec_name(value: Any) -> str:
    """A name that the generated file can have."""
    name = identifiers.attribute(value, "the name of a network")
    not_a_device(f"{name}.py", f"{name}_net")
    if name.lower() in MODULES:
        message = f"a generated `{name}.py` would shadow Python's module `{name.lower()}`"
        fail("bad-name", message, f"choose another name; for example, `{name}_net`")
    return name


def is_spec_name(name: str) -> bool:
    """Whether this is a valid name for a spec."""
    try:
        return bool(spec_name(name))
    except Problems:
        return False


SpecName = Annotated[str, reads(spec_name)]


def text_of(value: Any, what: str, most: int) -> str:
    """Free text with a limit."""
    if not isinstance(value, str):
        hint = "use a string, and quote it if YAML reads something else"
        fail("wrong-type", f"expected {what} to be a string, found {describe(value)}", hint)
    if len(value) > most:
        fail(
            "out-of-range",
            f"{what} has {len(value)} characters, but the maximum is {most}",
        )
    return str(value)


Doc = Annotated[str, reads(text_of, "`doc`", 4000)]


def class_name(value: Any) -> str:
    name = identifiers.identifier(value, "a class name")
    if name in ("Tensor", "F", "nn", "torch") or not name[0].isupper():
        fail("bad-name", f"`{name}` is not a valid class name", "use CamelCase")
    return name


ClassName = Annotated[str, reads(class_name)]


def not_taken(name: str, what: str) -> None:
    if name in SCOPE:
        fail(
            "bad-name",
            f"`{name}` is reserved: every block has it",
            f"rename the {what}",
        )
    if name in OPS or name in COMBINATORS:
        fail("bad-name", f"`{name}` is an op or combinator", f"rename the {what}")
    if name in OF_TENSORS:
        fail("bad-name", f"`{name}` is a modifier of layers", f"rename the {what}")


def at_key(rule: str, message: str, path: tuple[str | int, ...], hint: str = "") -> Problem:
    return Problem(rule, message, hint, path, key=True)

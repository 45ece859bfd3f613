"""What lint finds: every rule with its page, and the check of a spec.

- rule: what a rule is; its docstring is its page and its test
- text, schema: AS1xx, the YAML, its keys and its values
- unknown, unused, names: AS1xx, its names: without a meaning, without a use, with two meanings
- suppressions: AS19x, comments to the linter
- shapes: AS2xx, shapes and channels
- architecture, layers, guesses: AS3xx, what is built, and what was probably meant
- training, regularisers: AS3xx, a network against its data, its loss and its recipe
- cost: AS4xx, budgets and hardware
- view: a spec as the rules see it
- checking: the rules put to work

The catalogue loads without pydantic; `check_spec` brings it in on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.rules import (
    architecture,
    cost,
    guesses,
    layers,
    names,
    regularisers,
    schema,
    shapes,
    suppressions,
    text,
    training,
    unknown,
    unused,
)
from archspec.rules.rule import RULES, Example, Rule

if TYPE_CHECKING:
    from archspec.rules.checking import check_block_text as check_block_text
    from archspec.rules.checking import check_spec as check_spec
    from archspec.rules.checking import errors_of as errors_of
    from archspec.rules.checking import is_clean as is_clean

_FAMILIES = (
    text,
    suppressions,
    schema,
    unknown,
    unused,
    names,
    shapes,
    architecture,
    layers,
    guesses,
    training,
    regularisers,
    cost,
)
_CODES = {rule.code: rule for rule in RULES.values()}


def by_code(code: str) -> Rule | None:
    """The rule of a code (`AS201`) or of a name (`channels-shrink`), in any case."""
    return _CODES.get(code.upper()) or RULES.get(code.lower())


def __getattr__(name: str) -> Any:
    """The functions that need pydantic, imported on first use."""
    if name not in ("check_block_text", "check_spec", "errors_of", "is_clean"):
        raise AttributeError(f"module 'archspec.rules' has no attribute {name!r}")
    from archspec.rules import checking

    found = globals()[name] = getattr(checking, name)
    return found


__all__ = [
    "RULES",
    "Example",
    "Rule",
    "by_code",
    "check_block_text",
    "check_spec",
    "errors_of",
    "is_clean",
]

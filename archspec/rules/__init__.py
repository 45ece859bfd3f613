"""What lint finds: every rule with its page, and the check of a spec.

- rule: what a rule is; its docstring is its page and its test
- text, schema: AS1xx, the YAML, its keys and its values
- unknown, unused, names: AS1xx, its names: without a meaning, without a use, with two meanings
- suppressions: AS19x, comments to the linter
- shapes: AS2xx, shapes and channels
- architecture, layers, guesses: AS3xx, what is built, and what was probably meant
- training, regularisers: AS3xx, a network against its data, its loss and its recipe
- cost: AS4xx, budgets and hardware
- view, steps: a spec as the rules see it, and its layers one after the other
- checking: the rules put to work
"""

from __future__ import annotations

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


__all__ = ["RULES", "Example", "Rule", "by_code"]

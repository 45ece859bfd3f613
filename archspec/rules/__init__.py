"""What lint checks: every rule with its page, and the check of a spec.

- rule: what a rule is; its docstring is its page and its test
- text, schema: AS1xx, the YAML, its keys, and its values
- unknown, unused, names: AS1xx, names that are unknown, unused, or ambiguous
- suppressions: AS19x, suppression comments
- shapes: AS2xx, shapes and channels
- architecture, layers, guesses: AS3xx, the network as built, and what was probably meant
- training, regularisers: AS3xx, a network against its data, loss, and recipe
- cost: AS4xx, budgets and hardware
- view, steps: a spec as the rules see it, and its layers in order
- checking: applies the rules
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
    """The rule with a code (`AS201`) or a name (`channels-shrink`), in any case."""
    return _CODES.get(code.upper()) or RULES.get(code.lower())


__all__ = ["RULES", "Example", "Rule", "by_code"]

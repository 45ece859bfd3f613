"""One typo in a spec, and what becomes of it: fixed, hinted at, left alone, or changed wrongly."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, seed, settings, strategies as st

from archspec.diagnostics import Diagnostic
from archspec.ir import fields_of
from archspec.language.blocks import Block
from archspec.language.library import Library
from archspec.language.load import WRITTEN
from archspec.language.stages import Run
from archspec.language.train.recipe import Train
from archspec.language.words import COMBINATORS, MODIFIERS, PARTS_OF_ALL
from archspec.lint.checked import is_fatal
from archspec.lint.fixes import fix_text
from archspec.lint.run import lint_text
from archspec.lint.settings import Settings
from archspec.ops import OPS
from archspec.source.writer import dumped
from support.linting import one_memo
from support.strategies import specs

RECIPE = {
    "data": "cifar10",
    "epochs": 30,
    "batch_size": 64,
    "lr": 0.1,
    "momentum": 0.8,
    "weight_decay": 0.0001,
    "label_smoothing": 0.1,
    "optimizer": "sgd",
    "schedule": "linear",
    "warmup": 2,
    "ema": 0.999,
}
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
PLAIN = Settings(imports=("support",))


def _words() -> frozenset[str]:
    """Every word of the language that is no number's name."""
    words = {*OPS, *COMBINATORS, *MODIFIERS, *PARTS_OF_ALL, *WRITTEN, *Run.model_fields}
    words |= {f.alias or name for name, f in Block.model_fields.items()}
    words |= {f.name for op in OPS.values() for f in fields_of(op)}
    for name in Library({}).names():
        words.add(name)
    words |= {*Train.model_fields, *(str(v) for v in RECIPE.values() if isinstance(v, str))}
    return frozenset(words)


WORDS = _words()


def typed(word: str, random: Random) -> str:
    """The word with a letter dropped, doubled, swapped with the next, or hit beside."""
    at = random.choice([place for place, letter in enumerate(word) if letter.isalpha()])
    row = next(row for row in ROWS if word[at].lower() in row)
    near = row.index(word[at].lower()) + random.choice((-1, 1))
    return random.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            word[:at] + (row[near] if 0 <= near < len(row) else row[near - 2]) + word[at + 1 :],
        )
    )


def with_typo(text: str, random: Random) -> tuple[str, str, str]:
    """The text with a typo in one of the language's words, that word, and what it became."""
    found = [m for m in re.finditer(r"[A-Za-z_]\w*", text) if m[0] in WORDS]
    place = random.choice(found)
    wrong = typed(place[0], random)
    return text[: place.start()] + wrong + text[place.end() :], place[0], wrong


def errors(text: str) -> list[Diagnostic]:
    """What keeps a text from being a network."""
    found = lint_text(text.encode(), "", PLAIN).findings
    return [f.diagnostic for f in found if is_fatal(f.diagnostic)]


def fixed_text(text: str) -> str:
    """What `--fix` makes of a text."""
    _, fixed, _ = fix_text(text.encode(), "", PLAIN)
    return fixed.decode()


def outcome(text: str, random: Random) -> tuple[str, str]:
    """What becomes of one typo in a text, and a line that says which."""
    wrong, right, word = with_typo(text, random)
    said = f"{right} -> {word}"
    found = errors(wrong)
    if not found:
        return "still valid", said
    fixed = fixed_text(wrong)
    if fixed != wrong:  # a drawn spec may have a warning to fix besides, such as a redundant bias
        return ("fixed" if fixed in (text, fixed_text(text)) else "changed wrongly"), said
    asked = [d.hint.partition("?")[0] for d in found]
    if any(f"`{right}`" in hint for hint in asked):
        return "right suggestion", said
    hinted = any("did you mean" in hint for hint in asked)
    return "wrong suggestion" if hinted else "no suggestion", said + f" ({asked[0]})"


def outcomes(count: int, start: int = 0) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Outcome -> how many, of so many typos that are findings; and each with its word."""
    lines: list[tuple[str, str]] = []

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(specs(), st.integers(0, 2**32), st.booleans())
    def draw(spec: dict[str, Any], number: int, trained: bool) -> None:
        random = Random(number)
        spec = {**spec, **({"train": RECIPE} if trained else {})}
        text = dumped(spec, random.choice((None, False)), 80)
        assume(not errors(text))
        lines.append(outcome(text, random))
        assume(lines[-1][0] != "still valid")

    with one_memo():
        draw()
    return Counter(kind for kind, _ in lines), lines

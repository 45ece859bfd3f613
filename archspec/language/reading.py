"""Words in what is written: names, whatever they stand for, and the args that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.language.problems import Problem
from archspec.language.spec import Spec
from archspec.memo import Memo, remember
from archspec.source.document import Document

NO_VALUE = ("name", "class", "doc", "extends", "args", "blocks", "train")
_SHARED = ("stem", "head", "defaults", "stages")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def words_of(raw: Any, keys: bool) -> set[str]:
    """Every word in the texts of a value; those of its keys too if `keys`."""
    found: set[str] = set()
    if isinstance(raw, dict):
        for key, value in raw.items():
            found |= words_of(value, keys)
            if keys:
                found.add(key)
    elif isinstance(raw, list):
        for value in raw:
            found |= words_of(value, keys)
    elif isinstance(raw, str):
        found.update(_WORD.findall(raw))
    return found


@remember
def words_in(written: Any, *, memo: Memo | None) -> frozenset[str]:
    """Every word in the values of what was read from a spec (`written.raw`)."""
    return frozenset(words_of(written.raw, keys=False))


def words_read(spec: Spec, *, memo: Memo | None) -> set[str]:
    """Every word in the values of a spec; of what many have in common, found once."""
    shared = [spec.stem, spec.head, spec.defaults, *spec.stages.values()]
    rest = {key: spec.data[key] for key in spec.data if key not in NO_VALUE + _SHARED}
    own = [words_in(part, memo=memo) for part in shared]
    return words_of(rest, keys=False).union(*own)


def unknown_args(spec: Spec, *, memo: Memo | None) -> Iterator[Problem]:
    """Args that `extends` or a setting adds to a spec, and that nothing in it reads."""
    old = _args(spec.document.older)
    new = [name for name in spec.args if name not in old]
    read = words_read(spec, memo=memo) if spec.document.older and new else new
    for name in new:
        if name not in read:
            yield _unknown_arg(name, old)


def _args(older: Document | None) -> Iterable[str]:
    return older.data.get("args") or () if older else ()


def _unknown_arg(name: str, known: Iterable[str]) -> Problem:
    message = f"unknown arg `{name}`: nothing in this spec reads it"
    theirs = {"num_classes": "classes"} if "classes" in known else {}  # torch's name, and timm's
    hint = did_you_mean(name, known, "there are", theirs) or "use it, or remove it"
    return Problem("setting", message, hint, ("args", name), key=True)

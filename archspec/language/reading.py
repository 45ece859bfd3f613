"""Words in YAML values: names of anything, and arguments that are never used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.language.interpolation import LIKE
from archspec.language.problems import Problem
from archspec.language.sharing import LAYER
from archspec.language.spec import Section, Spec
from archspec.language.stack import Stack
from archspec.language.stages import Stage
from archspec.language.words import COMBINATORS
from archspec.memo import Memo, remember
from archspec.ops import OPS
from archspec.source.document import Document

NO_VALUE = ("name", "class", "doc", "extends", "args", "blocks", "train")
_SHARED = ("stem", "head", "defaults", "stages")
_WORD = r"[A-Za-z_][A-Za-z0-9_]*"


def words_of(raw: Any, keys: bool) -> set[str]:
    """Every word in the strings of a value; with those of its keys if `keys`."""
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
        found.update(re.findall(_WORD, raw))
    return found


@remember
def words_in(written: Any, *, memo: Memo | None) -> frozenset[str]:
    """Every word in the values that were read from a spec (`written.raw`)."""
    return frozenset(words_of(written.raw, keys=False))


def words_read(spec: Spec, *, memo: Memo | None) -> set[str]:
    """Every word in the values of a spec; values shared by many are searched once."""
    shared = [spec.stem, spec.head, spec.defaults, *spec.stages.values()]
    rest = {key: spec.data[key] for key in spec.data if key not in NO_VALUE + _SHARED}
    own = [words_in(part, memo=memo) for part in shared]
    return words_of(rest, keys=False).union(*own)


@remember
def names_of_tensors(
    written: Section | Stage | Stack, *, memo: Memo | None
) -> frozenset[tuple[str, bool]]:
    """The names of tensors in a part of a spec, and whether each is saved there or may be read.

    Only a block knows which of the words given to it are its inputs.
    """
    return frozenset(_names_of_tensors(written))


def _names_of_tensors(written: Section | Stage | Stack) -> Iterator[tuple[str, bool]]:
    match written:
        case Section(entries=entries):
            for _, stack in entries:
                yield from _names_of_tensors(stack)
        case Stage(between=Stack() as stack):
            yield from _names_of_tensors(stack)
        case Stage():
            yield from _of_layer(written.source, written.save)
        case Stack():
            for layer, _ in written.all:
                yield from _of_layer(layer.source, layer.save)
                if layer.head == "interpolate":
                    yield layer.given[LIKE], False
                if layer.head not in OPS and layer.head not in COMBINATORS:
                    yield from ((x, False) for x in layer.given.values() if isinstance(x, str))


@remember
def names_shared(written: Section | Stack, *, memo: Memo | None) -> frozenset[str]:
    """The names of the layers that a part of a spec applies again; "" matches any."""
    stacks = [stack for _, stack in written.entries] if isinstance(written, Section) else [written]
    layers = (layer for stack in stacks for layer, _ in stack.all if layer.head == "share")
    names = (layer.given[LAYER] for layer in layers)
    return frozenset(name if isinstance(name, str) else "" for name in names)


def _of_layer(source: str | None, save: Iterable[str]) -> Iterator[tuple[str, bool]]:
    if source is not None:
        yield source, False
    for name in save:
        yield name, True


def unknown_args(spec: Spec, *, memo: Memo | None) -> Iterator[Problem]:
    """Arguments that `extends` or a setting adds to a spec and that are never used in it."""
    old = _args(spec.document.older)
    new = [name for name in spec.args if name not in old]
    read = words_read(spec, memo=memo) if spec.document.older and new else new
    for name in new:
        if name not in read:
            yield _unknown_arg(name, old)


def _args(older: Document | None) -> Iterable[str]:
    return older.data.get("args") or () if older else ()


def _unknown_arg(name: str, known: Iterable[str]) -> Problem:
    message = f"unknown argument `{name}`: nothing in this spec uses it"
    theirs = {"num_classes": "classes"} if "classes" in known else {}  # torch's name, and timm's
    hint = did_you_mean(name, known, "available", theirs) or "use it, or remove it"
    return Problem("setting", message, hint, ("args", name), key=True)

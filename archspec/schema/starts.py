"""Weight initialization: functions of torch.nn.init, by parameter and by op."""

from __future__ import annotations

from archspec.language.functions import FUNCTIONS, TORCH
from archspec.language.starts import LEARNED, WEIGHTED, WORDS
from archspec.schema.pieces import Schema, closed, number, offered, ref, when

TEXTS = {
    name: f"{function.text[:1].upper()}{function.text[1:]}." for name, function in FUNCTIONS.items()
}


def start() -> Schema:
    """A function: a word, a number, or a mapping with its arguments."""
    return {
        "type": ["string", "number", "object", "null"],
        **when("object", {**closed(_functions()), "maxProperties": 1}, _words()),
    }


def starts() -> Schema:
    """A function for the weight, or one per parameter."""
    inside = closed({**dict.fromkeys(LEARNED, ref("start")), **_functions()})
    return {"type": ["string", "number", "object", "null"], **when("object", inside, _words())}


def init() -> Schema:
    """The initialization of each op."""
    ops = closed(dict.fromkeys(WEIGHTED, ref("starts")))
    words = {"enum": [*WORDS, None]}
    return {"type": ["string", "object", "null"], **when("object", ops, words)}


def _words() -> Schema:
    known = {**TEXTS, TORCH: "As torch initializes it."}
    return when("string", {**offered(known), "enum": [*known]}, {})


def _functions() -> dict[str, Schema]:
    return {name: ref(f"start-{name}") for name in FUNCTIONS}


def functions() -> dict[str, Schema]:
    """The arguments of each function, by its name in the document."""
    return {f"start-{name}": _function(name) for name in FUNCTIONS}


def _function(name: str) -> Schema:
    known = FUNCTIONS[name].arguments
    inside = closed({argument: number(one.how) for argument, one in known.items()})
    inside["required"] = [argument for argument, one in known.items() if one.default is None]
    bare = number(known["val"].how) if name == "constant" else {"type": "object"}
    return {"description": TEXTS[name], **when("object", inside, bare)}

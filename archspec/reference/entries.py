"""Every construct of the language as an entry: its purpose, its arguments, an example.

`page` prints entries as Markdown, `terminal` as text.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from archspec import expression, resources
from archspec.files import read_bytes
from archspec.helpers import HELPERS
from archspec.ir import Op, OpField, fields_of
from archspec.language import Block
from archspec.language.arguments import NEVER_WRITTEN
from archspec.language.functions import FUNCTIONS as STARTS, Function
from archspec.language.library import built_in
from archspec.language.train import DATA_SETS, EXAMPLE, REGULARISERS, DataSet, Train
from archspec.language.train.words import takes
from archspec.ops import OPS
from archspec.paths import AnyPath, posix
from archspec.reference import texts
from archspec.reference.texts import Text

# The comment of a block file on an argument: `width: 32 # of the stem`.
COMMENT = re.compile(r"^  (\w+):[^#\n]*# (.+)$", re.MULTILINE)
REQUIRED = "required"


class Table(NamedTuple):
    """Rows of cells, in Markdown."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(NamedTuple):
    """An example under a heading."""

    text: str
    heading: str = "Example"


Part = str | Table | Code  # text is Markdown


class Entry(NamedTuple):
    """A construct: its kind, its name, and its documentation."""

    kind: str
    name: str
    parts: tuple[Part, ...]
    file: str = ""

    @property
    def summary(self) -> str:
        """Its first paragraph."""
        return next((part for part in self.parts if isinstance(part, str)), "")


Entries = Iterator[Entry]


@cache
def sections() -> dict[str, list[Entry]]:
    """All entries, by the title of their section."""
    found = {
        "keys of a spec": _texts("key of a spec", texts.SPEC_KEYS),
        "keys of a stage": _texts("key of a stage", texts.STAGE_KEYS),
        "keys of a block": _texts("key of a block", texts.BLOCK_KEYS),
        "keys of train": train_keys(),
        "data sets": data_sets(),
        "combinators": _texts("combinator", texts.COMBINATORS),
        "modifiers": _texts("modifier", texts.MODIFIERS),
        "words for layers": _texts("word for a layer", texts.WORDS),
        "functions that initialize weights": starts(),
        "functions in expressions": functions(),
        "names in a block": scope(),
        "ops": map(op_entry, OPS.values()),
        "classes of torch.nn without an op": left_out(),
        "built-in blocks": blocks(),
    }
    return {title: list(entries) for title, entries in found.items()}


def _texts(kind: str, table: Mapping[str, Text]) -> Entries:
    for key, (text, example) in table.items():
        yield Entry(kind, key, (text, Code(example)))


def rows(entries: Iterable[Entry]) -> Iterator[tuple[str, ...]]:
    """Entries with a table of one row, as rows of one table: name, row, text."""
    for entry in entries:
        (row,) = (row for part in entry.parts if isinstance(part, Table) for row in part.rows)
        yield (f"`{entry.name}`", *row, entry.summary)


# Initialization and expressions -------------------------------------------------------


def starts() -> Entries:
    """The functions of torch.nn.init."""
    for name, function in STARTS.items():
        table = Table(("arguments",), ((", ".join(_start_arguments(function)),),))
        yield Entry("function of torch.nn.init", name, (function.text, table))


def _start_arguments(function: Function) -> Iterator[str]:
    for name, one in function.arguments.items():
        yield f"`{name}`" if one.default is None else f"`{name}: {one.default}`"


def functions() -> Entries:
    """The functions of expressions."""
    for name, (text, call) in texts.FUNCTIONS.items():
        table = Table(("example", "value"), ((f"`{call}`", f"`{_value(call)}`"),))
        yield Entry("function in an expression", name, (text, table))


def _value(text: str) -> str:
    def unknown(name: expression.Name) -> expression.Value:
        raise AssertionError(name)

    return expression.show(expression.evaluate(expression.parse(text), unknown).number)


def scope() -> Entries:
    """The names available in the body of a block."""
    for name, text in texts.SCOPE.items():
        yield Entry("name in an expression", name, (text,))


# Train --------------------------------------------------------------------------------


# The keys next to a key in its example.
NEEDS = {"warmup_lr": {"warmup": 5}, "warmup_inside": {"warmup": 5}}


def train_keys() -> Entries:
    """The keys of a recipe."""
    examples = _train_examples()
    for key, field in Train.model_fields.items():
        table = Table(("takes", "default"), ((takes(field), _train_default(key)),))
        parts = (field.description or "", table, Code(examples[key]))
        yield Entry("key of train", key, parts)


def _train_examples() -> dict[str, str]:
    """Key -> an example; a regularizer's shows all of its keys, others those that it requires."""
    found = {
        key: f"train: {as_yaml(NEEDS.get(key, {}) | {key: field.examples[0]})}"
        for key, field in Train.model_fields.items()
        if field.examples
    }
    for part in REGULARISERS:
        own = [key for key in part.__annotations__ if key in Train.model_fields]
        found |= dict.fromkeys(own, f"train: {{{part.example}}}")
    return {**dict.fromkeys(("data", "epochs", "batch_size", "lr"), EXAMPLE), **found}


def _train_default(key: str) -> str:
    field = Train.model_fields[key]
    default = field.get_default(call_default_factory=True)
    if field.is_required():
        return "required"
    if key in ("size", "test_size"):
        return "`input`" if key == "size" else "`size`"
    if any(key in part.__annotations__ for part in REGULARISERS) and default is not False:
        return "off"
    return "off" if default is None else _shown(getattr(default, "kind", default))


def data_sets() -> Entries:
    """The values of `data`."""
    head = tuple(field.name for field in dataclasses.fields(DataSet) if field.name != "title")
    for key, data in DATA_SETS.items():
        known = ("" if (v := getattr(data, name)) is None else str(v) for name in head)
        parts = (data.title, Table(head, (tuple(known),)), Code(f"train: {{data: {key}}}"))
        yield Entry("data set", key, parts)


# Ops ----------------------------------------------------------------------------------


def op_entry(op: type[Op]) -> Entry:
    """An op: torch's class, arguments, example."""
    written = [f for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
    doc = " ".join((op.__doc__ or "").split())
    alone = f" `{op.key}: ...` sets `{op.first}`." if op.first else ""
    rows = tuple((f"`{f.name}`", _kind(f), _default(f)) for f in written)
    table = [Table(("argument", "takes", "default"), rows)] if rows else []
    text = f"{doc} {_torch(op)}{alone}"
    return Entry("op", op.key, (text, *table, Code(op.example or f"- {op.key}")))


def left_out() -> Entries:
    """Classes of torch.nn without an op: what to use, or why there is none."""
    for name, text in texts.LEFT_OUT.items():
        yield Entry("class of torch.nn", name, (f"There is no op for it: {text}.",))


def _torch(op: type[Op]) -> str:
    if op.attends:
        return (
            f"It is `nn.{op.extends}`, called with its input three times; in a `sequence` a "
            f"generated file contains its own `{op.torch}`, with the same keys."
        )
    if op.extends:
        return (
            f"A generated file contains its own `{op.torch}`, an `nn.{op.extends}` with the "
            "same keys."
        )
    if op.written:
        return (
            "Torch has no class for it: `forward` calls a method of the tensor, and in a "
            f"`sequence` a generated file contains its own `{op.torch}`."
        )
    if op.torch in HELPERS:
        return f"Torch has no class for it: a generated file contains its own `{op.torch}`."
    return f"It is `nn.{op.torch.replace('{rank}', '{1,2,3}')}`."


def _kind(f: OpField) -> str:
    how = f.how
    if how.kind == "choice":
        return " or ".join(f"`{choice}`" for choice in how.choices)
    if how.kind == "flag":
        return "`true` or `false`"
    if how.kind == "real":
        low, high = how.low, how.high
        if low is not None and high is not None:
            return f"a number from {low} to {high}"
        return f"a number, at least {low}" if low is not None else "a number"
    low = max(int(how.low or 0), 1 if how.kind == "size" else 0)
    text = f"an integer, at least {low}"
    if how.high is not None and how.high < 4096:
        text += f", at most {int(how.high)}"
    return f"{text}, or a list" if how.many else text


def _default(f: OpField) -> str:
    if f.default is None:
        return f.how.none
    own = None if f.default is MISSING else _shown(f.default)
    if f.how.ours is not None:
        return f"`{f.how.ours}`" + (f" ({own})" if own and own != f"`{f.how.ours}`" else "")
    return own or "required"


def _shown(value: Any) -> str:
    return f"`{as_yaml(value)}`"


# Blocks -------------------------------------------------------------------------------


def blocks() -> Entries:
    """The built-in blocks."""
    for path in sorted(resources.BLOCKS.glob("*.yaml")):
        block, document = built_in(path.stem)
        example = texts.BLOCK_EXAMPLES.get(path.stem, "")
        yield block_entry("built-in block", path, block, document.data, example)


def block_entry(
    kind: str, path: AnyPath, block: Block, written: Mapping[str, Any], example: str = ""
) -> Entry:
    """A block in a file: its arguments and parts, with their comments, and an example."""
    comments = dict(COMMENT.findall(read_bytes(path).decode("utf-8", "replace")))
    name = Path(path).stem
    rows = tuple(
        (f"`{key}`", what, _shown(default), comments.get(key, ""))
        for what, declared in _declared(written)
        for key, default in declared.items()
    )
    table = [Table(("name", "kind", "default", ""), rows)] if rows else []
    text = f"{' '.join(block.doc.split())}{_how(block)}".strip()
    code = Code(example or _use(name, written))
    return Entry(kind, name, (*filter(None, [text]), *table, code), posix(path))


def _declared(written: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The names that a use of a block may set, with their defaults."""
    yield "arg", written.get("args", {})
    yield "part", written.get("parts", {})
    yield "input", dict.fromkeys(written.get("inputs", ()), REQUIRED)


def _use(name: str, written: Mapping[str, Any]) -> str:
    """A use of the block with all required arguments."""
    needed = [k for _, d in _declared(written) for k, default in d.items() if default == REQUIRED]
    given = ", ".join(f"{key}: ..." for key in needed)
    return f"- {name}: {{{given}}}" if given else f"- {name}"


def _how(block: Block) -> str:
    if block.inline:
        return " A shorthand: its layers are spliced in."
    return f" Its attribute is `{block.name}`." if block.name else ""


def as_yaml(value: Any) -> str:
    """A value in YAML, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)

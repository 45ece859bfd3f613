"""The page: tables from the code, texts beside them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from textwrap import dedent
from typing import Any

from archspec import expression, resources
from archspec.helpers import HELPERS
from archspec.ir import Op, OpField, fields_of
from archspec.language import Block
from archspec.language.arguments import NEVER_WRITTEN
from archspec.language.library import built_in
from archspec.language.train import DATA_SETS, REGULARISERS, DataSet, Train
from archspec.language.train.words import takes
from archspec.ops import OPS
from archspec.reference.texts import (
    BLOCK_EXAMPLES,
    BLOCK_KEYS,
    COMBINATORS,
    FUNCTIONS,
    MODIFIERS,
    SCOPE,
    SPEC_KEYS,
    STAGE_KEYS,
    Text,
)

# What a block file says of an argument: `width: 32 # of the stem`.
COMMENT = re.compile(r"^  (\w+):[^#\n]*# (.+)$", re.MULTILINE)

INTRODUCTION = """\
# Reference

Every construct of the language, with an example. This page is generated:
`python -m archspec.reference > docs/reference.md`. For the way in, read
[language.md](language.md).

Every example on this page, in `language.md` and in the README is built by the tests.
What an example leaves out is filled in like this:

- a map with `input` or `extends` is a whole spec (a `name` is added if it has none);
- a list is layers: they are the body of a block that 64 channels of 56 x 56 enter, and that is
  called with `channels: 128`, and with `stride: 2` if they read `stride`;
- a map with `body` is a block, used in a stage on 64 channels of 56 x 56;
- any other map is laid over `resnet50`, as `extends: resnet50` would.
"""


def render() -> str:
    """The page as Markdown."""
    sections = [
        ("Keys of a spec", _texts(SPEC_KEYS)),
        ("Keys of a stage", _texts(STAGE_KEYS)),
        ("Keys of a block", _texts(BLOCK_KEYS)),
        ("Keys of train", _train()),
        ("Combinators", _texts(COMBINATORS)),
        ("Modifiers", _texts(MODIFIERS)),
        ("Expressions", _expressions()),
        ("Ops", _ops()),
        ("Built-in blocks", _blocks()),
    ]
    contents = [f"- [{title}](#{_anchor(title)})" for title, _ in sections]
    contents += ["", "Ops: " + ", ".join(f"[`{key}`](#{key})" for key in OPS) + "."]
    parts = [INTRODUCTION, "\n".join(contents) + "\n"]
    for title, paragraphs in sections:
        parts += [f"## {title}\n", *paragraphs]
    return "\n".join(parts)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace("`", "")


def _fenced(example: str) -> str:
    return f"```yaml\n{dedent(example).rstrip()}\n```\n"


def _texts(texts: Mapping[str, Text]) -> Iterator[str]:
    for key, (text, example) in texts.items():
        title = f"`{key}`" if " " not in key else key[:1].upper() + key[1:]
        yield f"### {title}\n\n{text}\n\n{_fenced(example)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    columns = list(head)
    return "\n".join([line(columns), line("---" for _ in columns), *map(line, rows)]) + "\n"


# Expressions --------------------------------------------------------------------------


def _expressions() -> Iterator[str]:
    yield (
        "Whole numbers, decimals, `true`, `false` and names; `+ - * / // %`, comparisons, `and`, "
        "`or`, `not`,\n`a if c else b`, with Python's precedence. `/` is exact. A size must come "
        "to a whole number.\nInside braces, quote an expression that has a comma.\n"
    )
    yield _fenced('- conv: {channels: "max(8, round_to(channels / 3, 8))", kernel: 3}')
    rows = [(f"`{call}`", f"`{_value(call)}`", text) for text, call in FUNCTIONS.values()]
    yield "### Functions\n"
    yield _table(["example", "value", "meaning"], rows)
    yield "### Names in a block\n"
    yield (
        "The body of a block sees these, and its own args and parts (a part is true if it is not "
        "`none`).\nStem and head see the spec's `args`; a stage sees those and the indices "
        "(`index` and below).\n"
    )
    yield _table(["name", "value"], [(f"`{name}`", text) for name, text in SCOPE.items()])


def _value(text: str) -> str:
    def unknown(name: expression.Name) -> expression.Value:
        raise AssertionError(name)

    return expression.show(expression.evaluate(expression.parse(text), unknown).number)


# Train --------------------------------------------------------------------------------


def _train() -> Iterator[str]:
    yield "Where nothing else is said, a regulariser is off; 0 says the same.\n"
    rows = [
        (f"`{key}`", takes(field), _train_default(key), field.description or "")
        for key, field in Train.model_fields.items()
    ]
    yield _table(["key", "takes", "default", "meaning"], rows)
    yield "### Data sets\n"
    yield "What is left open here is as the network takes it.\n"
    names = [field.name for field in dataclasses.fields(DataSet)]
    yield _table(["data", *names], (_data_set(key, data) for key, data in DATA_SETS.items()))


def _data_set(key: str, data: DataSet) -> list[str]:
    known = dataclasses.astuple(data)
    return [f"`{key}`", *("" if value is None else str(value) for value in known)]


def _train_default(key: str) -> str:
    field = Train.model_fields[key]
    default = field.get_default(call_default_factory=True)
    if field.is_required():
        return "needed"
    if key in ("size", "test_size"):
        return "`input`" if key == "size" else "`size`"
    if any(key in part.__annotations__ for part in REGULARISERS) and default is not False:
        return "off"
    return _shown(getattr(default, "kind", default))


# Ops ----------------------------------------------------------------------------------


def _ops() -> Iterator[str]:
    yield (
        "An op is written with torch's arguments under short names; what arrives is never "
        "written.\nWhere our default is not torch's, torch's stands in brackets.\n"
    )
    for key, op in OPS.items():
        yield f"### `{key}`\n\n{_op(op)}"


def _op(op: type[Op]) -> str:
    written = [f for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
    doc = " ".join((op.__doc__ or "").split())
    alone = f" `{op.key}: ...` alone gives `{op.first}`." if op.first else ""
    parts = [f"{doc} {_torch(op)}{alone}\n"]
    if written:
        rows = [(f"`{f.name}`", _kind(f), _default(f)) for f in written]
        parts.append(_table(["argument", "takes", "default"], rows))
    parts.append(_fenced(op.example or f"- {op.key}"))
    return "\n".join(parts)


def _torch(op: type[Op]) -> str:
    if op.torch in HELPERS:
        return f"Torch has no class for it: a generated file holds its own `{op.torch}`."
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
    text = f"a whole number, at least {low}"
    if how.high is not None and how.high < 4096:
        text += f", at most {int(how.high)}"
    return f"{text}, or a list" if how.many else text


def _default(f: OpField) -> str:
    own = None if f.default is MISSING else _shown(f.default)
    if f.how.ours is not None:
        return f"`{f.how.ours}`" + (f" ({own})" if own and own != f"`{f.how.ours}`" else "")
    return own or "needed"


def _shown(value: Any) -> str:
    if value is None:
        return "the kernel"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# Blocks -------------------------------------------------------------------------------


def _blocks() -> Iterator[str]:
    yield (
        "Each is a file in `specs/blocks/`: read it, and copy it to change it. A block is used "
        "like an op; any\nblock also takes `channels`, `stride`, `norm` and `act`.\n"
    )
    for path in sorted(resources.BLOCKS.glob("*.yaml")):
        block, document = built_in(path.stem)
        yield f"### `{path.stem}` (block)\n\n{_block(path, block, document.data)}"


def _block(path: Path, block: Block, written: Mapping[str, Any]) -> str:
    comments = dict(COMMENT.findall(path.read_text("utf-8")))
    parts = [f"{' '.join(block.doc.split())}{_how(block)}\n"]
    rows = []
    for kind in ("args", "parts"):
        for key, default in written.get(kind, {}).items():
            rows.append((f"`{key}`", kind[:-1], _written(default), comments.get(key, "")))
    if rows:
        parts.append(_table(["name", "kind", "default", ""], rows))
    parts.append(_fenced(BLOCK_EXAMPLES.get(path.stem, f"- {path.stem}")))
    return "\n".join(parts)


def _how(block: Block) -> str:
    if block.inline:
        return " A shorthand: its layers are spliced in."
    return f" Its attribute is `{block.name}`." if block.name else ""


def _written(value: Any) -> str:
    """A default as it would stand in YAML, on one line."""
    if isinstance(value, Mapping):
        return "`{" + ", ".join(f"{k}: {_written(v).strip('`')}" for k, v in value.items()) + "}`"
    if isinstance(value, list):
        return "`[" + ", ".join(_written(v).strip("`") for v in value) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"

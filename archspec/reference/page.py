"""The entries as a page of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import dedent

from archspec.language.functions import MODE, NONLINEARITY
from archspec.ops import OPS
from archspec.reference import torch_classes
from archspec.reference.entries import Code, Entry, Part, Table, rows, sections

INTRODUCTION = (
    "# Reference\n\nEvery construct of the language, with an example. This page is generated "
    "by\n`python -m archspec.docs`. For an introduction, read [language.md](language.md). To "
    "read one entry in\nthe terminal, run `archspec explain NAME`.\n\nThe tests build every "
    "example on this page, in `language.md`, and in the README. The rest of an\nexample is "
    "filled in as follows:\n\n- a mapping with `input` or `extends` is a whole spec (a `name` is "
    "added if it has none);\n- a list is layers: the body of a block whose input is 64 x 56 x "
    "56, used with `stride: 2` if they\n  use `stride`;\n- a mapping with `body` is a block, "
    "used in a stage with 64 channels of 56 x 56;\n- any other mapping is merged into "
    "`resnet50`, as `extends: resnet50` does.\n"
)


def render() -> str:
    """The page as Markdown."""
    entries = sections()
    written = {
        "Keys of a spec": _each(entries["keys of a spec"]),
        "Keys of a stage": _each(entries["keys of a stage"]),
        "Keys of a block": _each(entries["keys of a block"]),
        "Keys of train": _train(entries["keys of train"], entries["data sets"]),
        "Combinators": _each(entries["combinators"]),
        "Modifiers": _each(entries["modifiers"]),
        "Words for layers": _each(entries["words for layers"]),
        "Functions that initialize weights": _starts(entries["functions that initialize weights"]),
        "Expressions": _expressions(
            entries["functions in expressions"], entries["names in a block"]
        ),
        "Ops": _ops(entries["ops"]),
        "Classes of torch.nn": _torch_classes(),
        "Built-in blocks": _blocks(entries["built-in blocks"]),
    }
    contents = [f"- [{title}](#{_anchor(title)})" for title in written]
    contents += ["", "Ops: " + ", ".join(f"[`{key}`](#{key})" for key in OPS) + "."]
    parts = [INTRODUCTION, "\n".join(contents) + "\n"]
    for title, paragraphs in written.items():
        parts += [f"## {title}\n", *paragraphs]
    return "\n".join(parts)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def _each(entries: Iterable[Entry], suffix: str = "") -> Iterator[str]:
    for entry in entries:
        key = entry.name
        title = f"`{key}`{suffix}" if " " not in key else key[:1].upper() + key[1:]
        yield "\n".join([f"### {title}\n", *map(_markdown, entry.parts)])


def _markdown(part: Part) -> str:
    if isinstance(part, Code):
        return f"```yaml\n{dedent(part.text).rstrip()}\n```\n"
    return _table(part.head, part.rows) if isinstance(part, Table) else f"{part}\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    columns = list(head)
    return "\n".join([line(columns), line("---" for _ in columns), *map(line, rows)]) + "\n"


def _starts(functions: Iterable[Entry]) -> Iterator[str]:
    yield (
        "`init` can use these functions of torch.nn.init, with torch's arguments and "
        "defaults. Arguments are\nevaluated in floats, like in Python, and can use `fan_in` "
        "and `fan_out` (those of the weight, as torch\ncounts them) and the names in scope.\n"
    )
    yield _table(["function", "arguments", "draws"], rows(functions))
    choices = {"mode": MODE, "nonlinearity": NONLINEARITY}
    for name, how in choices.items():
        yield f"`{name}` is {' or '.join(f'`{choice}`' for choice in how.choices)}.\n"
    yield _markdown(Code("- conv: {channels: 64, kernel: 3}\n  init: {trunc_normal: {std: 0.02}}"))


def _expressions(functions: Iterable[Entry], names: Iterable[Entry]) -> Iterator[str]:
    yield (
        "Integers, decimals, `true`, `false`, and names; `+ - * / // %`, comparisons, `and`, "
        "`or`, `not`,\n`a if c else b`, with Python's precedence. `/` is exact. A size must "
        "evaluate to an integer.\nInside braces, quote an expression that contains a comma.\n"
    )
    yield _markdown(Code('- conv: {channels: "max(8, round_to(channels / 3, 8))", kernel: 3}'))
    yield "### Functions\n"
    yield _table(["example", "value", "meaning"], (row[1:] for row in rows(functions)))
    yield "### Names in a block\n"
    yield (
        "The body of a block can use these, and its own arguments and parts (a part is true "
        "if it is not\n`none`). Stem and head can use the spec's `args`; a stage can use "
        "those and the indices (`index` and\nbelow).\n"
    )
    yield _table(["name", "value"], ((f"`{name.name}`", name.summary) for name in names))


def _train(keys: Iterable[Entry], data: Iterable[Entry]) -> Iterator[str]:
    yield "Regularizers are off by default. Set a value of 0 to turn one off.\n"
    yield _table(["key", "takes", "default", "meaning"], rows(keys))
    yield "### Data sets\n"
    yield "An empty cell means that any value of the network works.\n"
    yield _table(["data", "channels", "size", "classes", "kind", "title"], rows(data))


def _ops(ops: Iterable[Entry]) -> Iterator[str]:
    yield (
        "An op has torch's arguments under short names; input sizes are inferred. If a "
        "default differs from\ntorch's, torch's is in brackets.\n"
    )
    yield from _each(ops)


def _torch_classes() -> Iterator[str]:
    yield (
        "All classes except losses, containers, and those that are `Lazy`, with the word for "
        "each.\n"
    )
    yield _table(["class", "word, or why there is none"], torch_classes.rows())


def _blocks(blocks: Iterable[Entry]) -> Iterator[str]:
    yield (
        "Each is a file in `specs/blocks/`: read it, and copy it to change it. Use a block "
        "like an op; every\nblock also takes `channels`, `stride`, `norm`, and `act`.\n"
    )
    yield from _each(blocks, " (block)")

"""The entries as a page of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import dedent

from archspec.language.functions import MODE, NONLINEARITY
from archspec.ops import OPS
from archspec.reference import torch_classes
from archspec.reference.entries import Code, Entry, Part, Table, rows, sections
from archspec.reference.texts import PAGE


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
    parts = [PAGE["introduction"], "\n".join(contents) + "\n"]
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
    yield PAGE["starts"]
    yield _table(["function", "arguments", "draws"], rows(functions))
    choices = {"mode": MODE, "nonlinearity": NONLINEARITY}
    for name, how in choices.items():
        yield f"`{name}` is {' or '.join(f'`{choice}`' for choice in how.choices)}.\n"
    yield _markdown(Code("- conv: {channels: 64, kernel: 3}\n  init: {trunc_normal: {std: 0.02}}"))


def _expressions(functions: Iterable[Entry], names: Iterable[Entry]) -> Iterator[str]:
    yield PAGE["expressions"]
    yield _markdown(Code('- conv: {channels: "max(8, round_to(channels / 3, 8))", kernel: 3}'))
    yield "### Functions\n"
    yield _table(["example", "value", "meaning"], (row[1:] for row in rows(functions)))
    yield "### Names in a block\n"
    yield PAGE["scope"]
    yield _table(["name", "value"], ((f"`{name.name}`", name.summary) for name in names))


def _train(keys: Iterable[Entry], data: Iterable[Entry]) -> Iterator[str]:
    yield PAGE["train"]
    yield _table(["key", "takes", "default", "meaning"], rows(keys))
    yield "### Data sets\n"
    yield PAGE["data_sets"]
    yield _table(["data", "channels", "size", "classes", "kind", "title"], rows(data))


def _ops(ops: Iterable[Entry]) -> Iterator[str]:
    yield PAGE["ops"]
    yield from _each(ops)


def _torch_classes() -> Iterator[str]:
    yield PAGE["torch_classes"]
    yield _table(["class", "word, or why there is none"], torch_classes.rows())


def _blocks(blocks: Iterable[Entry]) -> Iterator[str]:
    yield PAGE["blocks"]
    yield from _each(blocks, " (block)")

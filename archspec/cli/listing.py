"""`archspec list`: the available specs, blocks, and ops.

List the built-in specs, the built-in blocks, and the ops, one per line.
"""

from __future__ import annotations

import argparse

from archspec.ir import fields_of
from archspec.language import find, shipped
from archspec.language.arguments import NEVER_WRITTEN
from archspec.language.library import built_in
from archspec.ops import OPS
from archspec.resources import BLOCKS
from archspec.source.reader import read


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec list [specs|blocks|ops]`."""
    kinds = ("specs", "blocks", "ops")
    parser.add_argument("kind", nargs="?", choices=kinds, help="list only these")


def run(args: argparse.Namespace) -> int:
    """Always 0."""
    sections = {"specs": _specs, "blocks": _blocks, "ops": _ops}
    wanted = [args.kind] if args.kind else list(sections)
    parts = []
    for name in wanted:
        rows = sections[name]()
        wide = max(len(row[0]) for row in rows)
        lines = [f"{key:{wide}}  {text}".rstrip() for key, text in rows]
        parts.append("\n".join([f"{name}:", *(f"  {line}" for line in lines)]))
    print("\n\n".join(parts))
    return 0


def _short(text: str) -> str:
    """The first line of a text, cut at 90 characters."""
    whole = " ".join(text.split())
    return whole if len(whole) <= 90 else whole[:87].rsplit(" ", 1)[0] + " ..."


def _specs() -> list[tuple[str, str]]:
    return [(name, _short(read(find(name)).data.get("doc", ""))) for name in shipped()]


def _blocks() -> list[tuple[str, str]]:
    names = sorted(path.stem for path in BLOCKS.glob("*.yaml"))
    return [(name, _short(built_in(name)[0].doc)) for name in names]


def _ops() -> list[tuple[str, str]]:
    rows = []
    for key, op in OPS.items():
        names = [f.name for f in fields_of(op) if f.how.kind not in NEVER_WRITTEN]
        first = op.__doc__.splitlines()[0] if op.__doc__ else ""
        listed = f" ({', '.join(names)})" if names else ""
        rows.append((f"{key}{listed}", first))
    return rows

"""Docstrings: the `doc` of a spec, the table of a network, and the formula of a class."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable

from archspec.analysis import Analysis
from archspec.codegen.formulas import formula
from archspec.codegen.layout import STEP, WIDTH
from archspec.diagnostics import plural
from archspec.ir import applied
from archspec.ir.classes import Class, Network
from archspec.ir.liveness import give_of


def escaped(text: str) -> str:
    """Text of a spec for the inside of a docstring: printable, and unable to end it."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _wrapped(text: str, indent: str) -> list[str]:
    width = WIDTH - len(indent)
    return textwrap.wrap(escaped(text), width, break_long_words=False, break_on_hyphens=False)


def docstring(text: Iterable[str], indent: str) -> list[str]:
    """The lines of a docstring with its quotes."""
    body = list(text)
    if not body:
        return []
    if body[-1].endswith('"'):
        body[-1] = body[-1][:-1] + '\\"'
    if body[0].startswith('"'):
        body[0] = " " + body[0]  # as ruff does, to separate it from the quotes
    if len(body) == 1 and len(indent) + len(body[0]) + 6 <= WIDTH:
        return [f'{indent}"""{body[0]}"""']
    if len(body) == 1:  # otherwise ruff puts the quotes on this line
        body = body[0].rsplit(" ", 1)
    inside = [f"{indent}{line}".rstrip() for line in body[1:]]
    return [f'{indent}"""{body[0]}', *inside, f'{indent}"""']


def _title(doc: str, name: str, indent: str) -> list[str]:
    first = _wrapped(doc or f"{name}.", indent + '"""')
    return first or [f"{name}."]


def module_doc(network: Network, analysis: Analysis) -> list[str]:
    shape = " x ".join(map(str, analysis.input))
    params, macs = plural(analysis.params, "parameter"), plural(analysis.macs, "multiply-add")
    counts = f"{params}; {macs} for an input of {shape}."
    doc = [*_title(network.doc, network.root.name, ""), "", *_wrapped(counts, ""), ""]
    return docstring(doc + _table(network, analysis), "")


def _table(network: Network, analysis: Analysis) -> list[str]:
    """Each call of an attribute of the network: its output; at the first, its parameters."""
    params: Counter[str] = Counter()
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for row in analysis.rows:
        params[analysis.attribute(row.path)] += row.params
    for name, site in network.tree.root.sites:
        shapes.setdefault(name, []).append(site.y.sizes)
    rows = [("layer", "output", "parameters")]
    for name in applied(network.root.body):
        sizes = shapes[name].pop(0)
        count = params.pop(name, 0)
        rows.append((name, " x ".join(map(str, sizes)), f"{count:,}" if count else ""))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    return [f"{STEP}{a:{wide[0]}}  {b:{wide[1]}}  {c:>{wide[2]}}".rstrip() for a, b, c in rows]


def network_doc(network: Network, analysis: Analysis) -> list[str]:
    """The input and output shapes of a batch."""
    give, trained = give_of(network.root.evaluated), give_of(network.root.trained)
    leave = [_batch(analysis.outputs[name]) for name in give.names] if give else []
    text = f"From {_batch(analysis.input)} to {', '.join(leave) or _batch(analysis.output)}"
    if trained and trained != give:
        more = ", ".join(_batch(analysis.outputs[name]) for name in trained.names)
        text += f", and to {more} during training"
    return docstring(_wrapped(f"{text}.", STEP + '"""'), STEP)


def _batch(sizes: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, ('N', *sizes)))})"


def class_doc(cls: Class) -> list[str]:
    doc = _title(cls.doc, cls.name, STEP)
    if cls.differs:
        doc += ["", *_wrapped(cls.differs, STEP)]
    if not cls.sequential:
        whole = formula(cls)
        if len(whole) <= WIDTH - len(STEP):
            doc += ["", whole]
    return docstring(doc, STEP)

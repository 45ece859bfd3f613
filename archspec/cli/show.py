"""`archspec show`: a network layer by layer, or what a pass makes of its spec."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import yaml

from archspec.analysis import Analysis
from archspec.api import analyze
from archspec.cli.options import add_settings, chosen, settings
from archspec.cli.passes import PASSES
from archspec.language import Spec
from archspec.language.spec import KEYS
from archspec.lint.discover import check_named


def add_parser(commands: Any) -> None:
    """`archspec show SPEC`."""
    parser = commands.add_parser(
        "show",
        description="Shows a network layer by layer: output shape of one sample, parameters, "
        "multiply-adds (MACs) of convolutions and linear layers.",
        allow_abbrev=False,
    )
    parser.add_argument("spec", metavar="SPEC", help="a YAML file or the name of a shipped spec")
    parser.add_argument("--depth", type=int, metavar="N", help="names of at most N parts")
    other = parser.add_mutually_exclusive_group()
    other.add_argument(
        "--resolved", action="store_true", help="print the spec with all that it extends merged in"
    )
    other.add_argument(
        "--pass",
        dest="pass_",
        choices=tuple(PASSES),
        help="print what a pass makes of the spec: its own file as parsed; merged with what it "
        "extends; expanded into a tree of layers; the classes of the generated source",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_settings(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """0; findings are raised as `SpecError`."""
    if args.pass_:
        _check_usage(args, args.usage_error)
        check_named(args.spec)
        print(PASSES[args.pass_](args.spec, settings(args)))
        return 0
    spec = chosen(args)
    if args.resolved:
        print(_resolved(spec, args.format), end="")
        return 0
    analysis = analyze(spec)
    print(_json(analysis) if args.format == "json" else _text(spec, analysis, args.depth))
    return 0


def _check_usage(args: argparse.Namespace, error: Callable[[str], Any]) -> None:
    """Exits with a usage error where an option has no meaning for the pass."""
    if args.format != "text":
        error(f"argument --format: {args.format} is not allowed with argument --pass")
    if args.depth is not None:
        error("argument --depth: not allowed with argument --pass")
    if args.settings and args.pass_ == "parsed":
        error("argument --set: not allowed with --pass parsed, which is the file as it is written")


def _resolved(spec: Spec, form: str) -> str:
    data = {key: spec.data[key] for key in KEYS if key in spec.data}
    if form == "json":
        return json.dumps(data, indent=2) + "\n"
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=100)
    return str(text)


def _json(analysis: Analysis) -> str:
    rows = [
        {"path": r.path, "op": r.op, "output": r.output, "params": r.params, "macs": r.macs}
        for r in analysis.rows
    ]
    whole = {
        "name": analysis.name,
        "input": analysis.input,
        "output": analysis.output,
        "params": analysis.params,
        "macs": analysis.macs,
        "depth": analysis.depth,
        "activations": analysis.activations,
        "layers": rows,
    }
    return json.dumps(whole, indent=2)


def _text(spec: Spec, analysis: Analysis, depth: int | None) -> str:
    table = [("layer", "op", "output", "parameters", "MACs")]
    for path, op, output, params, macs in _rows(analysis, depth):
        table.append((path, op, _sizes(output), _number(params), _number(macs)))
    total = ("total", "", _sizes(analysis.output), _number(analysis.params), _number(analysis.macs))
    wide = [max(len(row[column]) for row in [*table, total]) for column in range(5)]
    lines = [_line(row, wide) for row in table]
    rule = "-" * (sum(wide) + 8)
    head = f"{spec.name}: input {_sizes(analysis.input)}, {analysis.depth} weighted layers"
    return "\n".join([head, "", lines[0], rule, *lines[1:], rule, _line(total, wide)])


def _rows(analysis: Analysis, depth: int | None) -> list[tuple[str, str, Any, int, int]]:
    """One row a layer, or a part of the network where names are cut after `depth` parts."""
    rows: dict[str, tuple[str, str, Any, int, int]] = {}
    for place, row in enumerate(analysis.rows):
        if row.op == "Identity":
            continue
        parts = row.path.split(".")
        cut = depth is not None and len(parts) > depth
        path = ".".join(parts[:depth]) if cut else row.path
        key = path if cut else f"{path} {place}"
        op = "" if cut else row.op
        before = rows.get(key, (path, op, None, 0, 0))
        rows[key] = (path, op, row.output, before[3] + row.params, before[4] + row.macs)
    return list(rows.values())


def _line(row: tuple[str, ...], wide: list[int]) -> str:
    left = [f"{text:{width}}" for text, width in zip(row[:3], wide[:3], strict=True)]
    right = [f"{text:>{width}}" for text, width in zip(row[3:], wide[3:], strict=True)]
    return "  ".join(left + right).rstrip()


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _number(number: int) -> str:
    return f"{number:,}" if number else ""

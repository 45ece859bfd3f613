"""`archspec show`: a network layer by layer, or the result of a pass over its spec.

Show a network layer by layer: the output shape for one sample, parameters, and the multiply-adds
(MACs) of attention and of layers that multiply by weights.
"""

from __future__ import annotations

import argparse
import json

from archspec.analysis import Analysis
from archspec.api import analyze
from archspec.cli import formats
from archspec.cli.numbers import positive
from archspec.cli.options import add_settings, chosen, settings
from archspec.cli.passes import PASSES
from archspec.conventions import CONVENTIONS
from archspec.diagnostics import plural
from archspec.files import check_named
from archspec.language import Spec
from archspec.language.spec import KEYS
from archspec.language.train.places import Places
from archspec.memory import STATES, Precision
from archspec.roofline import DEVICES, bounds_table, roofline
from archspec.source.writer import dumped

MEMORY = {
    "training": "peak of a training step",
    "weights": "  weights and statistics",
    "states": "  optimizer state",
    "kept": "  kept for the backward pass",
    "inference": "peak of inference",
}
TABLE = "table"  # what is shown without one of the options below
#: The formats of the other results.
FORMATS = {
    "resolved": ("text", "json"),
    "pass_": ("text",),
    "memory": ("text", "json"),
    "roofline": ("text", "json"),
}
#: The options that apply to some results only.
TAKEN_BY = {
    "depth": (TABLE, "roofline"),
    "convention": (TABLE,),
    "batch_size": ("memory", "roofline"),
    "precision": ("memory", "roofline"),
    "optimizer": ("memory",),
    "ema": ("memory",),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec show SPEC`."""
    add = parser.add_argument
    add("spec", metavar="SPEC", help="a YAML file or the name of a built-in spec")
    add("--depth", type=positive, metavar="N", help="show at most N levels of layers")
    _add_results(parser.add_mutually_exclusive_group())
    add(
        "--batch-size",
        type=positive,
        metavar="N",
        help="for --memory and --roofline (default: that of the recipe, or 1)",
    )
    add(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        help="for --memory and --roofline (default: fp32)",
    )
    add(
        "--optimizer",
        choices=tuple(STATES),
        help="for --memory (default: that of the recipe, or sgd)",
    )
    add("--ema", action="store_true", help="for --memory: include averaged weights")
    add(
        "--convention",
        choices=tuple(CONVENTIONS),
        help="count operations like this tool instead of MACs",
    )
    names = formats.names()
    add("--format", choices=names, default="text", help="output format (default: text)")
    add_settings(parser)


def _add_results(group: argparse._MutuallyExclusiveGroup) -> None:
    """What to print instead of the table."""
    add = group.add_argument
    add("--resolved", action="store_true", help="print the spec with its base specs merged in")
    add(
        "--pass",
        dest="pass_",
        choices=tuple(PASSES),
        help="print the result of a pass: the spec's own file as parsed; the spec merged with its "
        "base specs; the network expanded into a tree of layers; the classes of the generated "
        "source",
    )
    add(
        "--memory",
        action="store_true",
        help="print the peak memory of a training step and of inference, per device",
    )
    add(
        "--roofline",
        metavar="DEVICE",
        choices=tuple(DEVICES),
        help="print whether compute or memory bandwidth limits each layer in inference on a "
        f"device: {', '.join(DEVICES)}",
    )


def run(args: argparse.Namespace) -> int:
    """0; findings are raised as `SpecError`."""
    _check_usage(args)
    print(_text(args))
    return 0


def _text(args: argparse.Namespace) -> str:
    if args.pass_:
        check_named(args.spec)
        return PASSES[args.pass_](args.spec, settings(args))
    spec = chosen(args)
    if args.resolved:
        return _resolved(spec, args.format)
    analysis = analyze(spec)
    if args.convention:
        analysis = analysis.counted(args.convention)
    if args.memory:
        return _memory(analysis, spec, args)
    if args.roofline:
        return _roofline(analysis, spec, args)
    return formats.load(args.format)(analysis, spec, args.depth)


def _check_usage(args: argparse.Namespace) -> None:
    """Exit with a usage error if an option does not apply to what is shown."""
    error = args.parser.error
    shown = next((kind for kind in FORMATS if getattr(args, kind)), TABLE)
    for name, kinds in TAKEN_BY.items():
        given = getattr(args, name)
        if given is not None and given is not False and shown not in kinds:
            needed = f"requires {' or '.join(map(_option, kinds))}"
            why = needed if shown == TABLE else f"not allowed with argument {_option(shown)}"
            error(f"argument {_option(name)}: {why}")
    if args.format not in FORMATS.get(shown, formats.names()):
        error(f"argument --format: {args.format} is not allowed with argument {_option(shown)}")
    if args.settings and args.pass_ == "parsed":
        error("argument --set: not allowed with --pass parsed, which shows the file as written")


def _option(name: str) -> str:
    return f"--{name.strip('_').replace('_', '-')}"


def _batch(spec: Spec, args: argparse.Namespace) -> int:
    """The number of samples that one device processes at once."""
    return args.batch_size or (spec.train.device_batch if spec.train else 1)


def _memory(analysis: Analysis, spec: Spec, args: argparse.Namespace) -> str:
    """The memory, for the options; the recipe has the values that the options leave out."""
    train, batch = spec.train, _batch(spec, args)
    optimizer = args.optimizer or (train.optimizer if train else "sgd")
    ema = args.ema or bool(getattr(train, "ema", 0))
    frozen = train.frozen_in(Places(analysis.network)) if train and analysis.network else ()
    precision: Precision = args.precision or "fp32"
    found = analysis.memory(batch, precision, optimizer, ema, frozen)
    if args.format == "json":
        how = {"batch_size": batch, "precision": precision, "optimizer": optimizer, "ema": ema}
        return json.dumps({"name": analysis.name, **how, **found._asdict()}, indent=2)
    averaged = " and averaged weights" if ema else ""
    head = f"{analysis.name}: {plural(batch, 'sample')} in {precision}, {optimizer}{averaged}"
    rows = (f"{text:32} {getattr(found, n) / 2**20:12,.1f} MiB" for n, text in MEMORY.items())
    return "\n".join([head, "", *rows])


def _roofline(analysis: Analysis, spec: Spec, args: argparse.Namespace) -> str:
    batch, precision = _batch(spec, args), args.precision or "fp32"
    layers = roofline(analysis, DEVICES[args.roofline], batch, precision)
    if args.format == "json":
        how = {"batch_size": batch, "precision": precision, "device": args.roofline}
        rows = [{**layer._asdict(), "intensity": layer.intensity} for layer in layers]
        return json.dumps({"name": analysis.name, **how, "layers": rows}, indent=2)
    head = f"{analysis.name}: {plural(batch, 'sample')} in {precision} on {args.roofline}"
    return "\n".join([head, "", *bounds_table(layers, args.depth)])


def _resolved(spec: Spec, form: str) -> str:
    data = {key: spec.data[key] for key in KEYS if key in spec.data}
    if form == "json":
        return json.dumps(data, indent=2)
    return dumped(data, flow=None, width=100).removesuffix("\n")

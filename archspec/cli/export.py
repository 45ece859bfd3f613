"""`archspec export`: write a trained network for another runtime, with a certificate.

Write a trained network as a file for onnxruntime, OpenVINO, or torch, with folded batch norms, for
batches of any size. The file is compared with the trained network: error, accuracy, time, and size.
The result is printed and written to FILE.certificate.json. Exit code 1: the file is not accurate
enough, and nothing is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from archspec.api import network
from archspec.cli.lines import say
from archspec.cli.options import add_settings, chosen
from archspec.diagnostics import ArchspecError
from archspec.extras import needed_for
from archspec.files import write_files
from archspec.ir.construction import imported
from archspec.language.train import DATA_SETS

CERTIFICATE = ".certificate.json"
ONNX = ("torch", "onnx", "onnxscript", "onnxruntime")
# format -> suffix of the file that is named, libraries, and the line in `--help`
FORMATS = {
    "onnx": (".onnx", ONNX, "write an ONNX file"),
    "openvino": (".xml", (*ONNX, "openvino"), "write a model of OpenVINO: FILE.xml and FILE.bin"),
    "pt2": (".pt2", ("torch",), "write a file for `torch.export.load`"),
    "aoti": (".pt2", ("torch",), "compile the network for this CPU, with AOTInductor and g++"),
}
DYNAMIC = (
    "dynamic quantization makes convolutions slower than float32: onnxruntime measures the range "
    "of each layer's input in every run, and its `ConvInteger` has no fast kernel"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec export SPEC --weights FILE --onnx FILE`."""
    add = parser.add_argument
    add("spec", metavar="SPEC", help="a YAML file or the name of a built-in spec")
    add("--weights", required=True, metavar="FILE", help="the trained weights, e.g. best.pt")
    files = parser.add_mutually_exclusive_group(required=True)
    for name, (suffix, _, text) in FORMATS.items():
        files.add_argument(f"--{name}", metavar=f"FILE{suffix}", help=text)
    add(
        "--images",
        choices=("uint8", "float"),
        default="",
        help="include the normalization in the file, for images as bytes or as numbers from 0 to "
        "1 (default: the input must be normalized)",
    )
    known = [name for name in DATA_SETS if name not in ("folder", "tensors", "synthetic")]
    add(
        "--normalize",
        choices=known,
        default="",
        metavar="DATA",
        help="with --images: normalize by the mean and standard deviation of this data set, one of "
        f"{', '.join(known)} (default: the one of the recipe)",
    )
    add(
        "--evaluate",
        default="",
        metavar="DATA",
        help="measure the accuracy on these images: a directory with one subdirectory per class, "
        "or the test images of a data set, e.g. fashion_mnist",
    )
    add(
        "--max-drop",
        type=_points,
        default=1.0,
        metavar="POINTS",
        help="write nothing if the accuracy drops by more percentage points (default: 1)",
    )
    add(
        "--int8",
        nargs="?",
        const="static",
        metavar="static",
        help="quantize to 8 bits; requires --calibrate and --evaluate",
    )
    add(
        "--calibrate",
        default="",
        metavar="DATA",
        help="for --int8: measure the ranges of outputs on these images: a directory, or the "
        "training images of a data set, e.g. fashion_mnist",
    )
    add_settings(parser)


def _points(text: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = -1.0
    if not 0 <= points <= 100:
        raise argparse.ArgumentTypeError(f"expected points from 0 to 100, found {text!r}")
    return points


def run(args: argparse.Namespace) -> int:
    """See the description of the command; findings are raised as `SpecError`."""
    spec = chosen(args)
    net = network(spec)
    kind = next(name for name in FORMATS if getattr(args, name) is not None)
    file = Path(getattr(args, kind))
    _check_int8(args, kind)
    _check_place(kind, file)
    if classes := imported(net):
        listed = ", ".join(f"`{path}`" for path in classes)
        message = f"{spec.name} imports {listed}; `export` runs no code that a spec names"
        raise ArchspecError(message)
    for library in FORMATS[kind][1]:
        with needed_for("`archspec export`", library):
            import_module(library)
    from archspec.export import exported

    contents, certificate = exported(spec, net, _order(args, kind))
    _write(file, contents, certificate.json())
    say(*certificate.table())
    return 0


def _order(args: argparse.Namespace, kind: str) -> Any:
    from archspec.export import Order

    calibrate = args.calibrate if args.int8 else ""
    source = (Path(args.weights), kind, args.images, args.normalize)
    return Order(*source, args.evaluate, calibrate, args.max_drop)


def _write(file: Path, contents: Mapping[str, bytes], certificate: str) -> None:
    """All files or none."""
    files = {file.with_suffix(suffix): data for suffix, data in contents.items()}
    files[Path(f"{file}{CERTIFICATE}")] = certificate.encode()
    write_files(files)
    say(*(f"wrote {path}" for path in files))


def _check_place(kind: str, file: Path) -> None:
    """The file must have the suffix of its format, and its directory must exist."""
    suffix = FORMATS[kind][0]
    if file.suffix != suffix:
        raise ArchspecError(f"--{kind} expects a file that ends in `{suffix}`, found `{file}`")
    if not file.parent.is_dir():
        raise ArchspecError(f"`{file.parent}` is not a directory")


def _check_int8(args: argparse.Namespace, kind: str) -> None:
    """The options of quantization must not contradict each other."""
    if args.int8 == "dynamic":
        hint = "use static quantization: --int8 --calibrate DATA --evaluate DATA"
        raise ArchspecError(DYNAMIC, hint)
    if args.int8 not in (None, "static"):
        hint = "use --int8 after SPEC, or --int8=static"
        raise ArchspecError(f"unknown --int8 `{args.int8}`", hint)
    if args.int8 and not (args.calibrate and args.evaluate):
        message = "--int8 requires images to calibrate and to evaluate with"
        raise ArchspecError(message, "add --calibrate DATA --evaluate DATA")
    if args.int8 and kind not in ("onnx", "openvino"):
        message = "--int8 requires --onnx or --openvino"
        raise ArchspecError(message, f"use one of them in place of --{kind}")
    if args.calibrate and not args.int8:
        raise ArchspecError("--calibrate requires --int8", "add --int8, or remove --calibrate")

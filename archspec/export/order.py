"""One export, from its options to the file and its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from torch.export import ExportedProgram

from archspec.analysis import analyze_network
from archspec.diagnostics import ArchspecError, plural
from archspec.export.certificate import Certificate, digest
from archspec.export.data import Images, images
from archspec.export.graph import OUTPUT, compiled, graph, openvino, program, saved
from archspec.export.int8 import quantized
from archspec.export.measure import (
    Variant,
    measured,
    of_module,
    of_onnx,
    of_openvino,
    of_package,
    of_program,
)
from archspec.export.modules import folded, loaded
from archspec.export.taken import Taken
from archspec.ir.classes import Network
from archspec.ir.visitor import visits
from archspec.language import Spec
from archspec.language.train import DATA_SETS
from archspec.records import Record
from archspec.training.sets import statistics

MOST_BYTES = 2**31 - 2**20  # of an ONNX file: protobuf's limit, minus room for the graph
MOST_ERROR = 1e-3  # in float32: a hundred times the rounding errors of deep networks
CROP = 0.875  # of a directory of images, if there is no recipe

_NO_COMPILER = "install a C++ compiler such as g++, or set CXX to the path of one"


class ExportError(ArchspecError):
    """The network cannot be exported with these options."""


class Rejected(ExportError):
    """The file computes something else, or loses too much accuracy; nothing is written."""

    exit_code = 1


class Order(Record):
    """How a network is exported.

    `images` is "uint8" or "float" for a file that normalizes images, with the mean and standard
    deviation of the data set `normalize`, or of the recipe's. `evaluate` and `calibrate` are each
    a data set or a directory; with `calibrate` the file is in 8 bits. `max_drop` is in points.
    `format` is "onnx", "openvino", "pt2" (`torch.export`), or "aoti" (AOTInductor).
    """

    weights: Path
    format: str = "onnx"
    images: str = ""
    normalize: str = ""
    evaluate: str = ""
    calibrate: str = ""
    max_drop: float = 1.0


def exported(spec: Spec, network: Network, order: Order) -> tuple[dict[str, bytes], Certificate]:
    """The content of the files, by their suffixes, and a certificate.

    Raises `ExportError` for options that do not fit the network, `Rejected` if the file loses too
    much accuracy, and `WeightsError` or `UnreadableFile` for the weights and images.
    """
    taken = _taken(spec, order)
    _check(spec, network, order)
    labelled = _images(spec, network, order, order.evaluate, "test")
    calibrated = _images(spec, network, order, order.calibrate, "train")
    modules = folded(spec, network, loaded(network, order.weights))
    outputs = tuple(network.tree.outputs) or (OUTPUT,)
    made = program(taken.into(modules.folded), taken)
    if order.format == "pt2":
        files = [_pt2_file(made)]
    elif order.format == "aoti":
        files = [_aoti_file(made)]
    else:
        files = _graphs(order.format, graph(made, outputs), taken, calibrated)
    variants = [of_module(modules.trained, taken), *(file.variant for file in files)]
    rows = measured(variants, taken, labelled and _prepared(labelled, taken))
    contents = files[-1].contents
    certificate = Certificate(
        spec.name,
        digest(order.weights.read_bytes()),
        {suffix: digest(data) for suffix, data in contents.items()},
        files[-1].opset,
        taken,
        outputs,
        rows,
        modules.norms,
        f"{plural(labelled.size, 'image')} of {order.evaluate}" if labelled else "",
        f"{plural(len(calibrated.spread), 'image')} of {order.calibrate}" if calibrated else "",
    )
    _judge(certificate, order)
    return contents, certificate


class _File(NamedTuple):
    """A network in a format: its files by their suffixes, and the version of ONNX operators."""

    contents: dict[str, bytes]
    variant: Variant
    opset: int | None = None


def _graphs(kind: str, model: Any, taken: Taken, calibrated: Images | None) -> list[_File]:
    """The network in float32, and then in 8 bits if there are images to calibrate with."""
    file = _openvino_file if kind == "openvino" else _onnx_file
    files = [file(kind, model)]
    if calibrated:
        images = map(taken.of_bytes, calibrated.batches(calibrated.spread))
        made = quantized(model, images, first=kind == "openvino")
        files.append(file(f"{kind} int8", made))
    return files


def _onnx_file(name: str, model: Any) -> _File:
    data = model.SerializeToString()
    opset = next(one.version for one in model.opset_import if not one.domain)
    return _File({".onnx": data}, of_onnx(name, data), opset)


def _openvino_file(name: str, model: Any) -> _File:
    contents = openvino(model.SerializeToString())
    return _File(contents, of_openvino(name, contents))


def _pt2_file(made: ExportedProgram) -> _File:
    data = saved(made)
    return _File({".pt2": data}, of_program("pt2", data))


def _aoti_file(made: ExportedProgram) -> _File:
    try:
        data = compiled(made)
    except RuntimeError as error:
        reason = getattr(error, "inner_exception", error)
        lacking = import_module("torch._inductor.exc").InvalidCxxCompiler
        hint = _NO_COMPILER if isinstance(reason, lacking) else ""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        first = next((line for line in lines if " error: " in line), lines[0])
        raise ExportError(f"torch cannot compile the network: {first}", hint) from None
    return _File({".pt2": data}, of_package("aoti", data))


def _prepared(data: Images, taken: Taken) -> Iterator[tuple[Tensor, Tensor]]:
    return ((taken.of_bytes(x), y) for x, y in data.labelled())


def _taken(spec: Spec, order: Order) -> Taken:
    """The input of the file, with the statistics if they are needed."""
    if not (order.images or order.evaluate or order.calibrate):
        return Taken(tuple(spec.input))
    if len(spec.input) != 3:
        raise ExportError(
            f"the input of `{spec.name}` is not an image (it has "
            f"{plural(len(spec.input), 'dimension')})"
        )
    mean, std = statistics(_data(spec, order), spec.input[0])
    if len(mean) != spec.input[0]:
        name, has = _data(spec, order), len(mean)
        raise ExportError(
            f"images of `{name}` have {plural(has, 'channel')}, but `{spec.name}` takes "
            f"{spec.input[0]}",
            f"use --normalize DATA with a data set of {plural(spec.input[0], 'channel')}",
        )
    return Taken(tuple(spec.input), order.images, mean, std)


def _data(spec: Spec, order: Order) -> str:
    """The data set that images are normalized for."""
    name = order.normalize or (spec.train.data if spec.train else "")
    if not name or name == "tensors":
        raise ExportError(
            f"`{spec.name}` has no recipe that says how images are normalized",
            "add --normalize DATA, for example `--normalize imagenet`",
        )
    return name


def _check(spec: Spec, network: Network, order: Order) -> None:
    """Raise `ExportError` if the network cannot be exported or evaluated."""
    analysis = analyze_network(network.tree)
    if any(site.op.counts for _, site, _ in visits(network.tree)):
        raise ExportError(f"`{spec.name}` takes integers, which `export` does not know yet")
    if 4 * analysis.params > MOST_BYTES:
        raise ExportError(f"`{spec.name}` is larger than 2 GB, the limit of an ONNX file")
    classes = len(analysis.output) == 1 and (spec.train is None or spec.train.of_classes)
    if order.evaluate and not classes:
        message = (
            f"the outputs of `{spec.name}` are not scores of classes, so accuracy is undefined"
        )
        raise ExportError(message, "remove --evaluate")


def _images(spec: Spec, network: Network, order: Order, source: str, part: str) -> Images | None:
    if not source:
        return None
    folder = DATA_SETS[_data(spec, order)].kind == "folder"
    crop = (spec.train.test_crop if spec.train else CROP) if folder else 1.0
    return images(source, part, tuple(spec.input), crop, analyze_network(network.tree).output[0])


def _judge(certificate: Certificate, order: Order) -> None:
    """Raise `Rejected` for a file that computes something else or is not accurate enough."""
    error = max(certificate.rows[1].errors)
    if not error <= MOST_ERROR:
        raise Rejected(
            f"the file's outputs differ from the network's by {error:.0e} of the largest value",
            "this is a bug of archspec or of torch's exporter; please report it with the spec",
        )
    if certificate.drop > order.max_drop:
        raise Rejected(
            f"accuracy drops by {certificate.drop:.2f} points, more than {order.max_drop:g}",
            "calibrate with images like those that it will see, or raise --max-drop",
        )

"""Networks compared with the trained one: error, accuracy, time, and size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from archspec.export.taken import Taken
from archspec.verify.deploy import BATCHES
from archspec.verify.tensors import farthest, flat

ROUNDS = 15
LEAST = 0.02  # seconds of a round
Outputs = list[Tensor]
Labelled = Iterable[tuple[Tensor, Tensor]]


class Variant(NamedTuple):
    """A network that can be run, and its size."""

    name: str
    run: Callable[[Tensor], Outputs]
    bytes: int


class Measured(NamedTuple):
    """The measurements of one variant.

    `errors` are the largest differences in batches of 1, 2, and 5, relative to the largest value.
    `milliseconds` is the CPU time of one image on one thread, and `time` the ratio to the first
    variant, as the median of paired rounds. `accuracy` is None if there were no images.
    """

    name: str
    errors: tuple[float, ...]
    accuracy: float | None
    milliseconds: float
    time: float
    bytes: int


def of_module(module: nn.Module, taken: Taken) -> Variant:
    """The trained network; images are normalized before it."""
    size = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    return Variant("eager", lambda x: flat(module(taken.normalized(x))), size)


def of_onnx(name: str, data: bytes) -> Variant:
    """An ONNX model in onnxruntime, on one thread."""
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (taken,) = session.get_inputs()

    def run(x: Tensor) -> Outputs:
        return [torch.from_numpy(y) for y in session.run(None, {taken.name: x.numpy()})]

    return Variant(name, run, len(data))


def of_openvino(name: str, contents: dict[str, bytes], precision: str = "f32") -> Variant:
    """A model in OpenVINO, on one thread, in float32 (`f32`) or `bf16`."""
    library: Any = import_module("openvino")
    core = library.Core()
    model = core.read_model(contents[".xml"], contents[".bin"])
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    compiled = core.compile_model(model, "CPU", settings)

    def run(x: Tensor) -> Outputs:
        return [torch.from_numpy(y) for y in compiled([x.numpy()]).values()]

    return Variant(name, run, sum(map(len, contents.values())))


def of_program(name: str, data: bytes) -> Variant:
    """A file of `torch.export`."""
    module = torch.export.load(BytesIO(data)).module()
    return Variant(name, lambda x: flat(module(x)), len(data))


def of_package(name: str, data: bytes) -> Variant:
    """A package of AOTInductor."""
    library: Any = import_module("torch._inductor")
    module = library.aoti_load_package(BytesIO(data))
    return Variant(name, lambda x: flat(module(x)), len(data))


def measured(variants: Sequence[Variant], taken: Taken, data: Labelled | None) -> list[Measured]:
    """Compare all variants with the first, which is the trained network."""
    with torch.inference_mode(), _one_thread():
        errors = [(), *(differences(variant, variants[0], taken) for variant in variants[1:])]
        accuracy = _accuracy(variants, data) if data is not None else [None] * len(variants)
        times = _times(variants, taken.random(1))
    shares = [median(a / b for a, b in zip(one, times[0], strict=True)) for one in times]
    rows = zip(variants, errors, accuracy, times, shares, strict=True)
    return [
        Measured(v.name, error, right, median(one) * 1000, share, v.bytes)
        for v, error, right, one, share in rows
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def differences(variant: Variant, first: Variant, taken: Taken) -> tuple[float, ...]:
    """The largest difference in batches of 1, 2, and 5, relative to the largest value."""
    inputs = [taken.random(batch) for batch in BATCHES]
    return tuple(farthest(variant.run(x), first.run(x)) for x in inputs)


def _accuracy(variants: Sequence[Variant], data: Labelled) -> list[float | None]:
    """The share of images whose largest score is that of their class."""
    right, count = [0] * len(variants), 0
    for x, labels in data:
        for place, variant in enumerate(variants):
            right[place] += int((variant.run(x)[0].argmax(1) == labels).sum())
        count += len(labels)
    return [one / count for one in right]


def _times(variants: Sequence[Variant], x: Tensor) -> list[list[float]]:
    """Seconds of each variant in each round; in a round, all variants run in turn."""
    runs = [max(1, round(LEAST / max(_seconds(v, x, 1), 1e-6))) for v in variants]
    rounds = [
        [_seconds(v, x, n) for v, n in zip(variants, runs, strict=True)] for _ in range(ROUNDS)
    ]
    return [list(times) for times in zip(*rounds, strict=True)]


def _seconds(variant: Variant, x: Tensor, runs: int) -> float:
    """The CPU time of one run, because a busy machine disturbs the wall time more."""
    start = time.process_time()
    for _ in range(runs):
        variant.run(x)
    return (time.process_time() - start) / runs

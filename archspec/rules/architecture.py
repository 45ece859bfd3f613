"""AS3xx: networks that build, and are probably not what their author wants, as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Diagnostic, Severity, Span
from archspec.rules.rule import rule

if TYPE_CHECKING:
    from archspec.lower.model import Step
    from archspec.rules.view import View

_DEPTH = re.compile(r"res(?:net|next)(\d{2,4})(?!\d)")
_CLASSES = {"cifar10": 10, "cifar100": 100, "mnist": 10, "fashion_mnist": 10, "imagenet": 1000}
_FEW_PIXELS = 8


@rule("AS301", "depth-mismatch")
def depth_mismatch(view: View) -> Iterator[Diagnostic]:
    """The name or `expect` says another depth than the network has.

    The depth counts weighted layers, convolutions and linear ones, along the main path. A stem of
    several convolutions counts as one (a "ResNet-50" with a deep stem is one), shortcuts and gates
    do not count.

    Bad:

        name: resnet18
        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
        stages:
          layer1: {block: basic, repeat: 9, channels: 64}
        head: [global_avg_pool, flatten, {linear: 10}]

    Good:

        name: resnet20
        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
        stages:
          layer1: {block: basic, repeat: 9, channels: 64}
        head: [global_avg_pool, flatten, {linear: 10}]

    A basic block has 2 layers and a bottleneck 3; stem and classifier are 2 more. What `expect`
    says is a promise, so there it is an error.
    """
    spec, depth = view.spec, view.analysis.depth
    if spec.changed:
        return
    expected = spec.expect.depth if spec.expect else None
    if isinstance(expected, int) and expected != depth:
        yield _depth(view, expected, spec.where("expect", "depth"), "error")
    elif (named := _DEPTH.search(spec.name)) and int(named[1]) != depth:
        yield _depth(view, int(named[1]), spec.where("name"), "warning")


def _depth(view: View, said: int, span: Span | None, severity: Severity) -> Diagnostic:
    message = f"this says {said} layers, and the network has {view.analysis.depth} with weights"
    hint = "check `repeat` of the stages; a stem counts as one, shortcuts and gates as none"
    return view.finding("depth-mismatch", message, span, hint, severity=severity)


@rule("AS302", "head-mismatch")
def head_mismatch(view: View) -> Iterator[Diagnostic]:
    """The network ends in what its loss or its data do not take.

    Cross-entropy takes what stands before the softmax: with both, training is slow and stops
    early. An activation behind the classifier cuts off every score below zero. And a data set of
    ten classes wants ten outputs.

    Bad:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10
          - softmax

    Good:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10

    Where probabilities are wanted, take the softmax of the output after training.
    """
    last = view.opened.output.last
    if last is not None and last.op.key == "softmax":
        message = "the network ends in `softmax`, and cross-entropy takes its own"
        yield view.finding("head-mismatch", message, last.at, "remove it", last.labels)
    if last is not None and last.op.activation and _of(last, "linear"):
        message = f"`{last.op.key}` stands behind the classifier"
        yield view.finding("head-mismatch", message, last.at, "remove it", last.labels)
    yield from _classes(view)


def _of(step: Step, key: str) -> bool:
    """Whether the op of this key stands right before."""
    return step.before is not None and step.before.op.key == key


def _classes(view: View) -> Iterator[Diagnostic]:
    """The outputs against the classes of the data set that `train` names."""
    data: Any = (view.spec.train or {}).get("data")
    name = data.get("name") if isinstance(data, dict) else data
    wanted = _CLASSES.get(str(name).lower().replace("-", "_"))
    output = view.opened.output.shape
    if wanted and output.rank == 0 and output.channels != wanted:
        message = f"`{name}` has {wanted} classes, and the network gives {output.channels}"
        span = view.spec.where("train", "data")
        yield view.finding("head-mismatch", message, span, f"end in `linear: {wanted}`")


@rule("AS306", "widen-without-stride")
def widen_without_stride(view: View) -> Iterator[Diagnostic]:
    """A stage doubles the channels of a large image and keeps its size.

    Twice the channels on as many pixels cost four times as much. Stages that widen take a stride,
    so that each costs about as much as the one before.

    Bad:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128}

    Good:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128, stride: 2}

    Images of 8 pixels and fewer, and stages that take a `dilation` for the stride, are exempt.
    """
    outputs = view.analysis.outputs
    stages = [(key, stage) for key, stage in view.spec.stages.items() if stage.blocks]
    for (before, _), (key, stage) in pairwise(stages):
        old, new = outputs[before], outputs[key]
        if "dilation" in stage.given or len(new) < 2 or max(new[1:]) <= _FEW_PIXELS:
            continue
        if new[1:] == old[1:] and new[0] >= 2 * old[0]:
            size = " x ".join(map(str, new[1:]))
            message = f"`{key}` goes from {old[0]} to {new[0]} channels on all {size} pixels"
            span = stage.where("channels")
            yield view.finding("widen-without-stride", message, span, "write `stride: 2`")

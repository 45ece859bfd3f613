"""AS3xx: single layers that do nothing, or harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Severity
from archspec.ir import each
from archspec.ops.windows import Window
from archspec.rules.fixes import removal
from archspec.rules.rule import rule
from archspec.rules.steps import Step, unbiased
from archspec.rules.view import View


def _alike(step: Step, before: Step) -> bool:
    both = step.op, before.op
    return all(op.activation for op in both) or all(op.norm for op in both)


def _idle(step: Step) -> str:
    if step.op.drops and getattr(step.given.get("p"), "value", None) != 0:
        return ""  # a rate that comes to 0 here is another elsewhere
    return step.op.idle()


def _does_nothing(step: Step) -> bool:
    return bool(step.before and _alike(step, step.before)) or bool(_idle(step))


@rule("AS303", "no-op-layer", concern=_does_nothing)
def no_op_layer(view: View) -> Iterator[Diagnostic]:
    """A layer that changes nothing, or does again what the one before it did.

    An activation behind an activation, a norm behind a norm, a dropout of nothing, a pool of one
    pixel. Most often one was meant to go when the other came.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm
          - norm
          - act

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm
          - act
    """
    for step in view.steps:
        before = step.before
        if before is not None and _alike(step, before):
            message = f"`{step.op.key}` stands right behind `{before.op.key}`"
            hint, labels = "remove one of the two", view.labels(step)
            yield view.finding("no-op-layer", message, view.at(step), hint, labels)
        elif idle := _idle(step):
            yield view.finding("no-op-layer", idle, view.at(step), "remove it", view.labels(step))


def _biased(step: Step) -> bool:
    return step.op.projects and "bias" in step.op.weights()


def _follows_bias(step: Step) -> bool:
    return step.op.centers and step.before is not None and _biased(step.before)


@rule("AS304", "redundant-bias", fixable=True, concern=_follows_bias)
def redundant_bias(view: View) -> Iterator[Diagnostic]:
    """A bias right before a batch or instance norm.

    Such a norm subtracts the mean of each channel, and the bias with it: it is learned, stored and
    moved around for nothing.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 3, bias: true}
          - norm

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm

    Where a checkpoint has these biases, or a paper asks for them, allow it and say so.
    """
    norms = {s.before: s for s in view.steps if s.op.centers and s.before}
    needed = {view.written(s) for s in view.steps if _biased(s) and s not in norms}
    for step in view.steps:
        if step not in norms or not _biased(step) or view.written(step) in needed:
            continue
        span = view.given_at(step, "bias")
        key, norm_key = step.op.key, norms[step].op.key.replace("_", " ")
        message = f"the {norm_key} behind this `{key}` takes its bias away again"
        if span:
            message = f"the {norm_key} behind a `{key}` takes this bias away again"
        written, fix, hint = "bias" in step.given, None, "write `bias: false`"
        if unbiased(type(step.op)):
            hint = f"leave the bias out: `bias: false` is the default of `{key}`"
            if written:
                fix = removal(view.lines, view.place_of(step), key, "bias")
        labels, layer = view.labels(step), view.written(step)
        if span and not written and layer:
            labels = (Label(layer, "in this layer"), *labels)
        norm = view.written(norms[step])
        if norm and span and norm.file == view.file != span.file:
            span, labels = norm, (Label(span, "the bias"), *labels)
        yield view.finding("redundant-bias", message, span or view.at(step), hint, labels, fix)


def _reads(step: Step) -> tuple[int, int]:
    """How many of how many pixels the windows cover: of a pattern that repeats, all dimensions."""
    op: Any = step.op
    kernel, stride, _, dilation, _ = op.windows()
    read = pixels = 1
    columns = (each(value, step.x.rank) for value in (kernel, stride, dilation))
    for size, reach, by, apart in zip(step.x.spatial, *columns, strict=True):
        if size > 1:
            read *= len({place * apart % by for place in range(min(reach, by))})
            pixels *= by
    return read, pixels


def _skips(step: Step) -> bool:
    if step.role == "shortcut" or not isinstance(step.op, Window):
        return False
    read, pixels = _reads(step)
    return read < pixels


@rule("AS305", "stride-skips-pixels", concern=_skips)
def stride_skips_pixels(view: View) -> Iterator[Diagnostic]:
    """A window that does not cover its stride.

    The pixels between the windows are computed and then never read: a 1x1 convolution of stride 2
    throws away three quarters of its input. The bottleneck of 2015 did so; version 1.5, which
    everybody trains today, gives the stride to the 3x3 convolution and is half a percent better.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 1, stride: 2}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3, stride: 2}

    A window with holes may do so as well: one of kernel 3, dilation 2 and stride 2 reads a quarter.
    Shortcuts are exempt: their 1x1 convolution of stride 2 is what the papers have.
    """
    for step in filter(_skips, view.steps):
        op: Any = step.op
        (read, pixels), (kernel, stride, _, dilation, _) = _reads(step), op.windows()
        window = f"kernel {_shown(kernel)}, stride {_shown(stride)}"
        if dilation != 1:
            window += f", dilation {_shown(dilation)}"
        message = f"`{op.key}` ({window}) reads {read} of each {pixels} pixels"
        hint = "give the stride to a layer whose window covers it (ResNet v1.5: to the 3x3)"
        span, labels = view.decided(step, "stride")
        yield view.finding("stride-skips-pixels", message, span, hint, labels)


def _shown(sizes: Any) -> str:
    return "x".join(map(str, sizes)) if isinstance(sizes, tuple) else str(sizes)


def _norm_of_one(step: Step) -> bool:
    return step.op.key == "batch_norm" and step.x.elements == step.x.channels


@rule("AS307", "norm-with-batch-of-one", concern=_norm_of_one)
def norm_with_batch_of_one(view: View) -> Iterator[Diagnostic]:
    """A batch norm on a single number a channel.

    Behind a global pool a channel of a sample is one number. A batch of one has nothing to take a
    mean of: training raises an error there, as it does in the last, odd batch of an epoch.

    Bad:

        head:
          - global_avg_pool
          - flatten
          - norm
          - linear: 10

    Good:

        head:
          - norm
          - global_avg_pool
          - flatten
          - linear: 10

    Or take `layer_norm`, which looks at one sample alone, or drop the last batch. A network whose
    input are plain features has no choice, and is exempt. A recipe (`train`) that takes one sample
    at a time makes it an error.
    """
    train = view.spec.train
    alone = train is not None and train.batch_size == train.accumulate
    if len(view.spec.input) == 1 and not alone:
        return
    hint = "put it ahead of the pool, or take `layer_norm`"
    if alone:
        hint = "give each step more samples than `accumulate` parts, or take `layer_norm`"
    severity: Severity | None = "error" if alone else None
    asked = view.spec.where("input")
    for step in filter(_norm_of_one, view.steps):
        message = f"batch norm on {step.x}: one number a channel, none to spare in a batch of 1"
        span, labels = view.because(view.at(step), view.labels(step), asked)
        advice = "make the image larger, or stride less" if span == asked and not alone else hint
        yield view.finding(
            "norm-with-batch-of-one", message, span, advice, labels, severity=severity
        )

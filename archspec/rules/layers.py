"""AS3xx: single layers that have no effect or do harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Severity, plural
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
        return ""  # a rate that is 0 here may differ elsewhere
    return step.op.idle()


def _does_nothing(step: Step) -> bool:
    return bool(step.before and _alike(step, step.before)) or bool(_idle(step))


@rule("AS303", "no-op-layer", concern=_does_nothing)
def no_op_layer(view: View) -> Iterator[Diagnostic]:
    """A layer has no effect, or repeats the layer before it.

    Examples are an activation after an activation, a norm after a norm, a dropout with rate 0, and
    a pool of one pixel. Usually one of the two layers should have been removed when the other was
    added.

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
            message = f"`{step.op.key}` directly follows `{before.op.key}`"
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
    """A bias directly before a batch or instance norm has no effect.

    The norm subtracts the mean of each channel, and the bias with it. The bias is trained, stored,
    and copied for nothing.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 3, bias: true}
          - norm

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm

    If a published checkpoint or a paper has these biases, suppress the finding and say so in the
    comment.

    Fix safety:

    The fix removes `bias: true` if the layer has no bias by default. The network computes the same
    function, but without the parameters of the bias, so old checkpoints no longer match it.
    """
    norms = {s.before: s for s in view.steps if s.op.centers and s.before}
    needed = {view.written(s) for s in view.steps if _biased(s) and s not in norms}
    for step in view.steps:
        if step not in norms or not _biased(step) or view.written(step) in needed:
            continue
        span = view.given_at(step, "bias")
        key, norm_key = step.op.key, norms[step].op.key.replace("_", " ")
        message = f"the {norm_key} after this `{key}` cancels its bias"
        if span:
            message = f"the {norm_key} after a `{key}` cancels this bias"
        written, fix, hint = "bias" in step.given, None, "use `bias: false`"
        if unbiased(type(step.op)):
            hint = f"remove `bias: true`: `{key}` has no bias by default"
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
    """How many of how many pixels the windows cover, in one period and over all dimensions."""
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
    """A strided window skips part of its input.

    The pixels between the windows are computed but never read: a 1x1 convolution of stride 2
    discards three quarters of its input. The bottleneck of 2015 does this. Version 1.5, which is
    used today, moves the stride to the 3x3 convolution and is half a percent more accurate.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 1, stride: 2}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3, stride: 2}

    A dilated window can skip pixels too: with kernel 3, dilation 2, and stride 2, it reads a
    quarter. Shortcuts are exempt, because the papers use 1x1 convolutions of stride 2 there.
    """
    for step in filter(_skips, view.steps):
        op: Any = step.op
        (read, pixels), (kernel, stride, _, dilation, _) = _reads(step), op.windows()
        window = f"kernel {_shown(kernel)}, stride {_shown(stride)}"
        if dilation != 1:
            window += f", dilation {_shown(dilation)}"
        message = f"`{op.key}` ({window}) reads only {read} of every {plural(pixels, 'pixel')}"
        hint = "move the stride to a layer whose window covers it (in ResNet v1.5, the 3x3)"
        span, labels = view.decided(step, "stride")
        yield view.finding("stride-skips-pixels", message, span, hint, labels)


def _shown(sizes: Any) -> str:
    return "x".join(map(str, sizes)) if isinstance(sizes, tuple) else str(sizes)


def _norm_of_one(step: Step) -> bool:
    return step.op.key == "batch_norm" and step.x.elements == step.x.channels


@rule("AS307", "norm-with-batch-of-one", concern=_norm_of_one)
def norm_with_batch_of_one(view: View) -> Iterator[Diagnostic]:
    """A batch norm sees only one value per channel.

    After a global pool, each channel of a sample is one value. With a batch of one there is nothing
    to average, so training raises an error. The same happens in the last batch of an epoch if it
    has only one sample.

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

    Alternatively use `layer_norm`, which normalizes each sample separately, or drop the last batch.
    A network whose input is a feature vector has no choice and is exempt. If the recipe (`train`)
    processes one sample at a time, the finding is an error.
    """
    train = view.spec.train
    alone = train is not None and train.batch_size == train.accumulate
    if len(view.spec.input) == 1 and not alone:
        return
    hint = "move it before the pool, or use `layer_norm`"
    if alone:
        hint = "use more samples per step than `accumulate` parts, or use `layer_norm`"
    severity: Severity | None = "error" if alone else None
    asked = view.spec.where("input")
    for step in filter(_norm_of_one, view.steps):
        message = (
            f"batch norm on {step.x} sees one value per channel, so a batch of 1 fails in training"
        )
        span, labels = view.because(view.at(step), view.labels(step), asked)
        advice = (
            ("increase the image size, or reduce the stride")
            if span == asked and not alone
            else hint
        )
        yield view.finding(
            "norm-with-batch-of-one", message, span, advice, labels, severity=severity
        )

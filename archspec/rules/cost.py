"""AS4xx: budgets, and how well a network uses hardware."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Diagnostic, Span, SpecError, plural
from archspec.language.train.places import Places
from archspec.rules.rule import rule
from archspec.rules.steps import Step
from archspec.rules.training import at_size, place_of
from archspec.rules.view import View

_TILE = 8
_NARROW = 32
_MOST = 5


@rule("AS401", "budget", "error")
def budget(view: View) -> Iterator[Diagnostic]:
    """The network does not meet `expect`.

    A number is exact; `{max: 4.2e9}` and `{min: ...}` are budgets. With them, a change that makes
    the network too large fails here, and not on the device.

    Bad:

        stem: [{conv: {channels: 64, kernel: 3}}, norm, act]
        expect: {params: {max: 1000}}

    Good:

        stem: [{conv: {channels: 64, kernel: 3}}, norm, act]
        expect: {params: 1856, macs: {max: 2e6}}

    `archspec show` counts parameters and multiply-adds per layer. The budget does not apply if
    `--set` overrides arguments.
    """
    expect = view.spec.expect
    if expect is None or view.spec.changed:
        return
    analysis = view.analysis
    for key, found in (("params", analysis.params), ("macs", analysis.macs)):
        if wrong := _outside(getattr(expect, key), found, _WORDS[key]):
            message = f"expected {wrong}, but the network has {found:,}"
            hint = _hint(key, wrong)
            yield view.finding("budget", message, view.spec.where("expect", key), hint)
    deep = None if isinstance(expect.depth, int) else expect.depth
    if wrong := _outside(deep, analysis.depth, "layer"):
        message = f"expected {wrong}, but the network has {analysis.depth}"
        hint = f"check `repeat` of the stages, or update `expect` to {analysis.depth}"
        yield view.finding("budget", message, view.spec.where("expect", "depth"), hint)
    if expect.output is not None and tuple(expect.output) != analysis.output:
        message = f"expected the output {expect.output}, but it is {list(analysis.output)}"
        hint = f"check the head, or set `output: {list(analysis.output)}`"
        yield view.finding("budget", message, view.spec.where("expect", "output"), hint)


@rule("AS403", "out-of-memory")
def out_of_memory(view: View) -> Iterator[Diagnostic]:
    """A step of the recipe needs more memory than a device has.

    `memory` sets the memory of a device. The peak of a training step is counted tensor by tensor,
    in bf16 where autocast uses it, but without the memory of CUDA itself and its kernels. So a
    recipe that is reported fails in its first steps.

    Bad:

        stem: [{conv: {channels: 64, kernel: 3}}, norm, act, global_avg_pool, flatten, {linear: 10}]
        train: {data: synthetic, epochs: 5, batch_size: 4096, lr: 0.1, memory: 1G}

    Good:

        stem: [{conv: {channels: 64, kernel: 3}}, norm, act, global_avg_pool, flatten, {linear: 10}]
        train: {data: synthetic, epochs: 5, batch_size: 4096, accumulate: 8, lr: 0.1, memory: 1G}

    The devices share a batch: with `memory: 8 x 24G` each device gets an eighth of it, and with
    `accumulate: 4` a quarter of that at a time. `archspec show SPEC --memory` prints the peak.
    """
    train = view.spec.train
    room = train.devices[1] if train and train.memory else 0
    if train is None or not room:
        return
    try:
        analysis = (at_size(view, train.size) if train.size else view).analysis
    except SpecError:  # AS308
        return
    averaged = bool(getattr(train, "ema", 0))
    frozen = train.frozen_in(Places(view.network))
    batch, optimizer = train.device_batch, train.optimizer
    need = analysis.training_peak(batch, "bf16", optimizer, averaged, frozen)
    if need > room:
        took = f"a batch of {batch} takes {need / 2**30:.1f} GiB in bf16"
        message = f"{took}, but a device has {room / 2**30:.1f}"
        hint = "raise `accumulate`, or lower both `batch_size` and `lr`"
        yield view.finding("out-of-memory", message, place_of(view, "memory"), hint)


_WORDS = {"params": "parameter", "macs": "multiply-add"}


def _hint(key: str, wrong: str) -> str:
    change = "change the network back"
    if wrong.startswith("at "):
        change = "make the network larger" if wrong.startswith("at least") else "make it smaller"
    return f"{change}, or update `expect`; `archspec show` lists {_WORDS[key]}s per layer"


def _outside(expected: Any, found: int, noun: str) -> str:
    """The expected number of something, if `found` differs."""
    if expected is None:
        return ""
    if isinstance(expected, int):
        return plural(expected, noun) if found != expected else ""
    if expected.max is not None and found > expected.max:
        return f"at most {plural(round(expected.max), noun)}"
    if expected.min is not None and found < expected.min:
        return f"at least {plural(round(expected.min), noun)}"
    return ""


def _unaligned(step: Step) -> bool:
    kernel = step.op.projects and step.x.rank > 0 and not step.x.last
    mixes = kernel and getattr(step.op, "groups", 1) < step.x.channels
    wide = mixes and not step.role and step.y.channels >= _NARROW
    return wide and bool(step.y.channels % _TILE)


@rule("AS402", "unaligned-channels", concern=_unaligned)
def unaligned_channels(view: View) -> Iterator[Diagnostic]:
    """A convolution's channels are not a multiple of 8.

    Tensor cores process 8 channels at a time in half precision. One channel more costs as much as
    eight, and some kernels cannot be used at all.

    Bad:

        stem:
          - conv: {channels: 100, kernel: 3}
          - norm

    Good:

        stem:
          - conv: {channels: 104, kernel: 3}
          - norm

    `round_to(x, 8)` and `make_divisible(x, 8)` return such numbers. Depthwise convolutions, gates,
    layers with fewer than 32 channels, and the layer that computes the network's outputs are
    exempt.
    """
    found: dict[Span | None, list[Step]] = {}
    for step in view.steps:
        if _unaligned(step) and not _scores(step, view):
            place, _ = view.decided(step, "channels", outermost=True)
            found.setdefault(place, []).append(step)
    for steps in found.values():
        widths = sorted({step.y.channels for step in steps})
        listed = ", ".join(map(str, widths[:_MOST])) + (" ..." if len(widths) > _MOST else "")
        message = f"{listed} channels: not a multiple of {_TILE}"
        up = -(-widths[0] // _TILE) * _TILE
        hint = f"use {up} or {up - _TILE}" if len(widths) == 1 else "`round_to(x, 8)` rounds"
        span, labels = view.decided(steps[0], "channels", outermost=True)
        yield view.finding("unaligned-channels", message, span, hint, labels)


def _scores(step: Step, view: View) -> bool:
    """Whether the layer computes the network's outputs, for example before a pool."""
    output = view.network.output
    ends = output.rank == 0 and step.y.channels == output.channels
    return ends and step in view.own_steps.own

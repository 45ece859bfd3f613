"""AS3xx: networks that build but, as a whole, are probably not what their author meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from archspec.diagnostics import Diagnostic, Severity, Span, plural
from archspec.rules.rule import rule
from archspec.rules.view import View

_DEPTH = re.compile(r"res(?:net|next)(\d{2,4})(?!\d)")
_FEW_PIXELS = 8


@rule("AS301", "depth-mismatch")
def depth_mismatch(view: View) -> Iterator[Diagnostic]:
    """The network's depth differs from its name or from `expect`.

    The name or `expect` promises a depth that the network does not have, so a `repeat` is probably
    wrong. The depth counts weighted layers (convolutions and linear layers) along the main path. A
    stem of several convolutions counts as one layer, as in a "ResNet-50" with a deep stem.
    Shortcuts and gates do not count.

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

    A basic block has 2 layers and a bottleneck has 3; the stem and the classifier add 2. If the
    depth differs from `expect`, the finding is an error.
    """
    spec = view.spec
    if spec.changed:
        return
    expected = spec.expect.depth if spec.expect else None
    if isinstance(expected, int) and expected != view.analysis.depth:
        yield _depth(view, expected, spec.where("expect", "depth"), "error")
    elif (named := _DEPTH.search(spec.name)) and int(named[1]) != view.analysis.depth:
        yield _depth(view, int(named[1]), spec.where("name"), "warning")


def _depth(view: View, said: int, span: Span | None, severity: Severity) -> Diagnostic:
    message = (
        f"expected {plural(said, 'weighted layer')}, but the network has {view.analysis.depth}"
    )
    hint = (
        "check `repeat` of the stages; a stem counts as one layer, shortcuts and gates do not count"
    )
    return view.finding("depth-mismatch", message, span, hint, severity=severity)


@rule("AS306", "widen-without-stride")
def widen_without_stride(view: View) -> Iterator[Diagnostic]:
    """A stage doubles the channels of a large image without a stride.

    Twice the channels at the same resolution cost four times as much. Stages that widen usually
    take a stride, so that each stage costs about as much as the one before it.

    Bad:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128}

    Good:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128, stride: 2}

    Images of at most 8 pixels, and stages that use `dilation` instead of a stride, are exempt.
    """
    outputs = view.leaving
    for before, key in pairwise(outputs):
        old, new = outputs[before], outputs[key]
        stage = view.spec.stages[key]
        elsewhere = "dilation" in stage.given or stage.source is not None
        if elsewhere or len(new) < 2 or max(new[1:]) <= _FEW_PIXELS:
            continue
        if new[1:] == old[1:] and new[0] >= 2 * old[0] and view.has_layers(before):
            size = " x ".join(map(str, new[1:]))
            channels = plural(new[0], "channel")
            message = f"`{key}` widens from {old[0]} to {channels} at full {size} resolution"
            where = partial(view.spec.where, "stages")
            widened = where(key, "channels")
            given = (where(key, "stride"), widened, where(before, "channels"))
            span, labels = view.because(widened, (), *given)
            yield view.finding("widen-without-stride", message, span, "use `stride: 2`", labels)

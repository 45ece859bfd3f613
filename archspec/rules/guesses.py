"""AS3xx: what the author probably meant; guesses about mistakes that the language invites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Diagnostic, plural
from archspec.language import Block
from archspec.language.stack import Layer
from archspec.language.stages import Stage
from archspec.language.widths import attribute_of
from archspec.ops import OPS
from archspec.rules.fixes import removal
from archspec.rules.rule import rule
from archspec.rules.steps import Step, unbiased
from archspec.rules.view import View


@rule("AS320", "bias-already-off", fixable=True)
def bias_already_off(view: View) -> Iterator[Diagnostic]:
    """`bias: false` repeats the default.

    A `conv` has no bias by default, because a norm nearly always follows it. (In torch the default
    is the opposite; the generated file passes `bias=False`.) A line that changes nothing makes
    readers look for the reason.

    Bad:

        stem:
          - conv: {channels: 64, kernel: 3, bias: false}
          - norm

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm

    With `defaults: {conv: {bias: true}}`, `bias: false` has an effect and is not reported.

    Fix safety:

    The fix removes `bias: false`, which does not change the network.
    """
    asked = {key for key, given in view.spec.defaults.ops.items() if "bias" in given}
    for layer, at in view.layers(_says_no_bias):
        if (key := layer.head) not in asked:
            message = f"`{key}` has no bias by default"
            span = view.lines.span(at.below(key, "bias"))
            fix = removal(view.lines, at, key, "bias")
            yield view.finding("bias-already-off", message, span, "remove it", fix=fix)


def _says_no_bias(layer: Layer) -> bool:
    off = layer.head in OPS and _literal(layer.given.get("bias")) is False
    return off and unbiased(OPS[layer.head])


def _literal(expr: Any) -> Any:
    """The value of a literal number or flag."""
    return getattr(expr, "value", None)


def _groups_of_block(step: Step) -> bool:
    written = step.given.get("groups")
    groups = getattr(step.op, "groups", 1)
    of_block = step.op.projects and getattr(written, "id", "") == "in_channels"
    return of_block and groups != step.x.channels


@rule("AS321", "groups-of-the-block", concern=_groups_of_block)
def groups_of_the_block(view: View) -> Iterator[Diagnostic]:
    """`groups: in_channels` is used where the channels have already changed.

    `in_channels` is the number of channels of the block's input, not of the layer's input. After a
    layer that changes the channels, the convolution is grouped but not depthwise.

    Bad:

        blocks:
          cell:
            body:
              - conv: {channels: 4 * channels, kernel: 1}
              - conv: {channels: 4 * channels, kernel: 3, groups: in_channels}
              - conv: channels
        stem: [{conv: 64}, norm]
        stages:
          layer1: {block: cell, channels: 64}

    Good:

        blocks:
          cell:
            body:
              - conv: {channels: 4 * channels, kernel: 1}
              - depthwise_conv
              - conv: channels
        stem: [{conv: 64}, norm]
        stages:
          layer1: {block: cell, channels: 64}

    `depthwise_conv` is a block of its own, so its `in_channels` is the right number. Alternatively,
    name the size: `args: {width: 4 * channels}` and `groups: width`.
    """
    for step in filter(_groups_of_block, view.steps):
        message = (
            f"`in_channels` is {getattr(step.op, 'groups', 1)}, the channels of the block's "
            f"input, but the input of this layer has {step.x.channels}"
        )
        hint = "for a depthwise convolution, use `depthwise_conv`"
        span = view.argument_at(step, "groups")
        yield view.finding("groups-of-the-block", message, span, hint, view.labels(step))


@rule("AS322", "channels-are-not-planes")
def channels_are_not_planes(view: View) -> Iterator[Diagnostic]:
    """`channels` looks like a bottleneck's inner width, not its output.

    `channels` is the number of channels that a block outputs. Papers and torchvision give the
    planes inside a bottleneck instead: 64 for a stage that outputs 256. If the planes are used as
    `channels`, the network is a sixteenth of its intended size.

    Bad:

        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64}
          layer2: {block: bottleneck, repeat: 4, channels: 128, stride: 2}

    Good:

        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 256}
          layer2: {block: bottleneck, repeat: 4, channels: 512, stride: 2}

    The rule applies if the first stage outputs no more channels than its input has, and its block
    divides them by its `expansion`.
    """
    stages = [(key, stage) for key, stage in view.spec.stages.items() if stage.blocks]
    if not stages:
        return
    key, stage = stages[0]
    block = view.library.block(stage.blocks[0])
    given = view.arriving(key)
    channels, *_ = view.leaving.get(key, (0,))
    if block is None or stage.channels is None or given != channels:
        return
    if (expansion := _expansion(block, stage, view)) > 1:
        message = (
            f"`{key}` outputs no more than the {plural(given, 'channel')} of its input, so its "
            f"blocks are {channels // expansion} wide inside"
        )
        hint = f"`channels` is the block's output: the paper's {channels} planes are "
        hint += f"`channels: {channels * expansion}`"
        span = view.spec.where("stages", key, "channels")
        yield view.finding("channels-are-not-planes", message, span, hint)


def _expansion(block: Block, stage: Stage, view: View) -> int:
    """The number by which the block divides its channels, if it is literal."""
    inner = [str(value) for value in (block.raw or {}).get("args", {}).values()]
    if not any("channels // expansion" in text or "channels / expansion" in text for text in inner):
        return 1
    defaults = view.spec.defaults.blocks.get(stage.blocks[0], {})
    said = stage.given.get("expansion", defaults.get("expansion"))
    value = said if said is not None else _literal(block.args.get("expansion"))
    return value if isinstance(value, int) else 1


@rule("AS323", "layers-in-a-row")
def layers_in_a_row(view: View) -> Iterator[Diagnostic]:
    """A list for a part looks like one entry per block.

    In a stage, a list for an argument has one value per block. A list for a part is a sequence of
    layers, and every block gets all of them.

    Bad:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64, attention: [none, se]}

    Good:

        stages:
          layer1:
            block: basic
            repeat: 2
            channels: 64
            attention: {se: {}, when: index == 1}

    The rule applies if the list is as long as the stage has blocks and contains `none` or the same
    layer twice.
    """
    for path, stage in view.spec.runs.items():
        block = view.library.block(stage.blocks[0])
        for part, value in stage.given.items():
            if block is None or part in block.args or not isinstance(value, list):
                continue
            if len(value) == view.spec.repeats[path] > 1 and _one_a_block(value):
                name, count = attribute_of(path), len(value)
                message = f"every block of `{name}` gets all {count} layers"
                hint = f"for one block, use `{part}: {{...: {{}}, when: index == 0}}`"
                span = view.spec.where(*path, part)
                yield view.finding("layers-in-a-row", message, span, hint)


@rule("AS324", "channels-last-input")
def channels_last_input(view: View) -> Iterator[Diagnostic]:
    """The input shape looks like channels last.

    Channels come first here, as everywhere in torch. With channels last, an image of 224 x 224
    pixels in 3 colors is read as 224 x 3 pixels in 224 colors, and a different network is built.

    Bad:

        input: [224, 224, 3]
        stem:
          - conv: {channels: 64, kernel: 3}

    Good:

        input: [3, 224, 224]
        stem:
          - conv: {channels: 64, kernel: 3}

    The rule applies if the last of three numbers is 1, 3, or 4 and the ones before it look like the
    sizes of an image, or if the same holds for the last of four numbers and the ones before it are
    equal. (If they differ, the shape seems to include the batch too: AS325.)
    """
    *sizes, last = view.spec.input
    image = len(sizes) == 2 and _like_sizes(sizes)
    volume = len(sizes) == 3 and len({*sizes}) == 1
    if last not in (1, 3, 4) or not (image or volume) or sizes[0] <= 4:
        return
    if view.here("input"):
        shape = f"{sizes[0]} channels of {' x '.join(map(str, [*sizes[1:], last]))}"
        message = f"`input` has {shape}, which looks like channels last"
        hint = f"channels come first: `input: {[last, *sizes]}`"
        if volume:
            hint += f", or for images, without the batch: `input: {[last, *sizes[1:]]}`"
        yield view.finding("channels-last-input", message, view.spec.where("input"), hint)


@rule("AS325", "batch-in-input")
def batch_in_input(view: View) -> Iterator[Diagnostic]:
    """The input shape looks like it includes the batch.

    `input` is the shape of one sample. With the batch as a fourth number, the network is 3-d: every
    convolution gets a third dimension, and about three times the parameters.

    Bad:

        input: [1, 3, 224, 224]
        stem:
          - conv: {channels: 64, kernel: 3}

    Good:

        input: [3, 224, 224]
        stem:
          - conv: {channels: 64, kernel: 3}

    The rule applies if the second of four numbers is 1 or 3 and the ones after it look like the
    sizes of an image. It also applies if the last is 1, 3, or 4 and the two before it look like the
    sizes of an image: then the channels are last too. To allow a volume that is this flat, use a
    suppression comment.
    """
    batch, *image = view.spec.input
    hint = _without_batch(batch, image) if len(image) == 3 else ""
    if hint and view.here("input"):
        shape = f"{plural(batch, 'channel')} of {' x '.join(map(str, image))}"
        message = f"`input` has {shape}, which looks like a batch of images"
        yield view.finding("batch-in-input", message, view.spec.where("input"), hint)


def _without_batch(batch: int, image: list[int]) -> str:
    """The hint if four numbers seem to be a batch and an image, or ""."""
    *sizes, last = image
    if image[0] in (1, 3) and _like_sizes(image[1:]):
        return f"for images, remove the batch: `input: {image}`"
    if last not in (1, 3, 4) or batch == sizes[0] or not _like_sizes(sizes):
        return ""
    volume = f"; for volumes `input: {[last, batch, *sizes]}`" if batch > 4 else ""
    hint = "for images, remove the batch and put channels first"
    return f"{hint}: `input: {[last, *sizes]}`{volume}"


def _like_sizes(sizes: list[int]) -> bool:
    height, width = sizes
    return height == width > 4 or min(sizes) >= 16


def _one_a_block(value: list[Any]) -> bool:
    return "none" in value or any(value.count(entry) > 1 for entry in value)

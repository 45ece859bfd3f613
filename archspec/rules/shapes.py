"""AS2xx: shapes and channels, as the expansion finds them."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS201", "channels-shrink")
def channels_shrink() -> None:
    """A stage has fewer channels than the one before.

    Where the image becomes smaller the channels hold what it loses; a network that narrows towards
    its end throws away what it has computed. Nearly always a digit is wrong.

    Bad:

        stages:
          layer1: {block: basic, repeat: 2, channels: 128}
          layer2: {block: basic, repeat: 2, channels: 64, stride: 2}

    Good:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128, stride: 2}

    A stage that means to narrow says why: `shrink: the reason`. There is no other way to allow it.
    """


@reported("AS202", "residual-shape-mismatch")
def residual_shape_mismatch() -> None:
    """The two sides of a residual sum have different shapes.

    `x + f(x)` wants equal shapes. Where the body changes the channels or takes a stride, x needs a
    projection: the `shortcut`.

    Bad:

        defaults:
          basic: {projection: none}
        stages:
          layer1: {block: basic, channels: 64}

    Good:

        defaults:
          basic: {projection: conv_norm}
        stages:
          layer1: {block: basic, channels: 64}
    """


@reported("AS203", "feature-map-vanishes")
def feature_map_vanishes() -> None:
    """A window is larger than the image it slides over, padding included.

    The strides ahead of the layer have left too few pixels. Most often the input is small and the
    network was made for a large one.

    Bad:

        input: [3, 4, 4]
        stem:
          - max_pool: 2
          - max_pool: 2
          - conv: {channels: 64, kernel: 3, padding: 0}

    Good:

        input: [3, 32, 32]
        stem:
          - max_pool: 2
          - max_pool: 2
          - conv: {channels: 64, kernel: 3, padding: 0}

    For small images leave out the stride of the stem, as the CIFAR networks do.
    """


@reported("AS204", "groups-do-not-divide")
def groups_do_not_divide() -> None:
    """The groups of a layer do not divide its channels.

    Each group takes an equal share of the channels that arrive and of those that leave.

    Bad:

        stem:
          - conv: 48
          - conv: {channels: 96, kernel: 3, groups: 32}

    Good:

        stem:
          - conv: 64
          - conv: {channels: 96, kernel: 3, groups: 32}

    `groups: in_channels` is right for a depthwise convolution only where it is the first in its
    block: `in_channels` is what enters the block.
    """


@reported("AS205", "shape-mismatch")
def shape_mismatch() -> None:
    """A layer cannot take the shape that arrives.

    A convolution behind `flatten`, a `linear` on an image, a list of sizes of the wrong length.

    Bad:

        head:
          - global_avg_pool
          - linear: 10

    Good:

        head:
          - global_avg_pool
          - flatten
          - linear: 10
    """


@reported("AS206", "concat-shape-mismatch")
def concat_shape_mismatch() -> None:
    """Branches that are laid one behind the other differ in their sizes.

    Channels are joined; height and width must be equal.

    Bad:

        stem:
          - concat:
              - conv: 32
              - conv: {channels: 32, kernel: 3, stride: 2}

    Good:

        stem:
          - concat:
              - conv: {channels: 32, kernel: 5, stride: 2}
              - conv: {channels: 32, kernel: 3, stride: 2}
    """


@reported("AS207", "add-shape-mismatch")
def add_shape_mismatch() -> None:
    """Branches that are added differ in their shapes.

    A sum goes number by number. Only what was pooled to one pixel is broadcast: more would hide
    mistakes.

    Bad:

        stem:
          - add:
              - conv: {channels: 32, kernel: 3}
              - conv: {channels: 64, kernel: 5}

    Good:

        stem:
          - add:
              - conv: {channels: 64, kernel: 3}
              - conv: {channels: 64, kernel: 5}
    """


@reported("AS212", "multiply-shape-mismatch")
def multiply_shape_mismatch() -> None:
    """Branches that are multiplied differ in their shapes.

    A product goes number by number. Only what was pooled to one pixel is broadcast, and a branch
    of one channel.

    Bad:

        stem:
          - conv: 64
          - multiply:
              - conv: 64
              - [{conv: 16}, sigmoid]

    Good:

        stem:
          - conv: 64
          - multiply:
              - conv: 64
              - [{conv: 1}, sigmoid]
    """


@reported("AS208", "split-shape-mismatch")
def split_shape_mismatch() -> None:
    """Channels do not split into these parts.

    Each branch of a `split` gets as many channels as the others, or as many as `sizes` says; all
    of them together are those that arrive. A `slice` takes channels that are there.

    Bad:

        stem:
          - split: [act, [norm, act]]

    Good:

        stem:
          - conv: 32
          - split: [act, [norm, act]]
    """


@reported("AS209", "scale-shape-mismatch")
def scale_shape_mismatch() -> None:
    """A gate does not have the shape of what it scales.

    A gate gives as many channels as its input has, and its sizes or 1.

    Bad:

        stem:
          - conv: 64
          - scale:
              - global_avg_pool
              - {conv: {channels: 16, bias: true}}
              - sigmoid

    Good:

        stem:
          - conv: 64
          - scale:
              - global_avg_pool
              - {conv: {channels: 64, bias: true}}
              - sigmoid
    """


@reported("AS210", "channels-ignored")
def channels_ignored() -> None:
    """A block gives other channels than its stage, or who else uses it, says.

    The number would be a lie: `channels` is what each block gives. The same holds where a layer is
    a block that is given `channels`.

    Bad:

        blocks:
          cell: {body: [{conv: {channels: 2 * in_channels, kernel: 3}}, norm, act]}
        stages:
          layer1: {block: cell, channels: 32}

    Good:

        blocks:
          cell: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}
        stages:
          layer1: {block: cell, channels: 32}
    """


@reported("AS211", "stride-ignored")
def stride_ignored() -> None:
    """A block does not stride as its stage, or who else uses it, says.

    A stage hands its `stride` to the first block, and the block hands it to a layer. If no layer
    takes it, the image keeps its size and the network costs four times what was meant. The same
    holds where a layer is a block that is given a `stride`.

    Bad:

        blocks:
          cell: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}
        stages:
          layer1: {block: cell, channels: 32, stride: 2}

    Good:

        blocks:
          cell: {body: [{conv: {channels: channels, kernel: 3, stride: stride}}, norm, act]}
        stages:
          layer1: {block: cell, channels: 32, stride: 2}
    """

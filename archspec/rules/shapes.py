"""AS2xx: shapes and channels, as computed by the expansion."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS201", "channels-shrink")
def channels_shrink() -> None:
    """A stage has fewer channels than the stage before it.

    As images get smaller, channels hold the information that they lose. A network that narrows
    towards its end discards what it has computed. Usually a digit is wrong.

    Bad:

        stages:
          layer1: {block: basic, repeat: 2, channels: 128}
          layer2: {block: basic, repeat: 2, channels: 64, stride: 2}

    Good:

        stages:
          layer1: {block: basic, repeat: 2, channels: 64}
          layer2: {block: basic, repeat: 2, channels: 128, stride: 2}

    If a stage is meant to narrow, add the reason: `shrink: <reason>`. There is no other way to
    allow it.
    """


@reported("AS202", "residual-shape-mismatch")
def residual_shape_mismatch() -> None:
    """The two sides of a residual sum have different shapes.

    `x + f(x)` requires equal shapes. If the body changes the channels or has a stride, x needs a
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
    """A window is larger than its padded input.

    The strides before the layer have left too few pixels. Usually the input is small, but the
    network was designed for a large one.

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

    For small images, remove the stride of the stem, as the CIFAR networks do.
    """


@reported("AS204", "groups-do-not-divide")
def groups_do_not_divide() -> None:
    """A layer's channels are not divisible by its groups.

    Every group has an equal share of the input channels and of the output channels.

    Bad:

        stem:
          - conv: 48
          - conv: {channels: 96, kernel: 3, groups: 32}

    Good:

        stem:
          - conv: 64
          - conv: {channels: 96, kernel: 3, groups: 32}

    For a depthwise convolution, `groups: in_channels` is right only in the first layer of a block,
    because `in_channels` is the number of channels of the block's input.
    """


@reported("AS205", "shape-mismatch")
def shape_mismatch() -> None:
    """A layer does not accept the shape of its input.

    Examples are a convolution after `flatten`, a `linear` on an image, and a list of sizes with the
    wrong length.

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
    """Concatenated branches have different spatial sizes.

    `concat` joins the channels; height and width must be equal.

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
    """Added branches have different shapes.

    A sum is elementwise. Only a branch that is pooled to one pixel is broadcast: broadcasting more
    would hide mistakes.

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
    """Multiplied branches have different shapes.

    A product is elementwise. Only a branch that is pooled to one pixel, or that has one channel, is
    broadcast.

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
    """Channels cannot be split as requested.

    Without `sizes`, all branches of a `split` get the same number of channels; together they use
    all channels of the input. A `slice` takes channels that the input has.

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
    """A gate's output shape does not fit the tensor it scales.

    A gate outputs as many channels as its input has, with the spatial size of its input or 1.

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
    """A block's output channels differ from the `channels` it is given.

    `channels` promises the number of channels that each block outputs. This applies to stages and
    to single layers that are blocks.

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
    """A block ignores the `stride` it is given.

    A stage passes its `stride` to its first block, and the block passes it to a layer. If no layer
    uses it, the image keeps its size, and the network costs four times as much as intended. This
    applies to stages and to single layers that are blocks.

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

"""AS1xx: keys and values of a spec, as its models check them."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS112", "unknown-key", fixable=True)
def unknown_key() -> None:
    """A key that nothing reads.

    A misspelt key would otherwise leave its default in force, and the network would be another
    than the one that is written.

    Bad:

        stem:
          - conv: {channels: 64, kernal: 3}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}

    Arguments have torch's names, in short: `channels`, `kernel`, `features`. What arrives
    (`in_channels`) is never written.
    """


@reported("AS113", "missing-key")
def missing_key() -> None:
    """Something that has no default is not said.

    A convolution cannot guess its channels, nor a network the size of its images.

    Bad:

        stem:
          - conv: {kernel: 3}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
    """


@reported("AS136", "no-layers")
def no_layers() -> None:
    """A network without layers.

    A spec with a `name` and an `input` alone would be a network that gives back what it takes.

    Bad:

        name: net
        input: [3, 224, 224]

    Good:

        name: net
        input: [3, 224, 224]
        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
    """


@reported("AS114", "wrong-type")
def wrong_type() -> None:
    """A value of another kind than its key takes.

    Text where a number belongs, a list where one value does, `yes` for `true`, or `null` where
    there should be no layer: `null` deletes what a spec inherits, `none` is no layer.

    Bad:

        stem:
          - conv: {channels: 64, bias: yes}

    Good:

        stem:
          - conv: {channels: 64, bias: true}
    """


@reported("AS115", "out-of-range")
def out_of_range() -> None:
    """A number that its argument cannot take.

    Sizes are at least 1, rates lie between 0 and 1, and text has a greatest length.

    Bad:

        stem:
          - conv: 64
          - dropout: 20

    Good:

        stem:
          - conv: 64
          - dropout: 0.2
    """


@reported("AS116", "wrong-length")
def wrong_length() -> None:
    """A list in a stage that does not have one entry for each block.

    In a stage a list says an argument block by block.

    Bad:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2]}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2, 2]}

    A value that all blocks share is written once: `dilation: 2`.
    """


@reported("AS117", "bad-name")
def bad_name() -> None:
    """A name that the generated class could not carry.

    Names become attributes, classes and arguments in Python: letters, digits and `_`, no keyword,
    and nothing that every torch module has (`type`, `forward`, `train`). A spec's name is that of a
    file, too, and beside a `torch.py` nothing could import torch: names of Python's own modules and
    of those that scripts import (`math`, `json`, `numpy`) are refused. So are the names of devices
    on Windows (`aux`, `con`, `nul`, `prn`, `com1` to `com9`, `lpt1` to `lpt9`): no file has them.

    Bad:

        head:
          forward: {linear: 10}

    Good:

        input: [3]
        head:
          fc: {linear: 10}
    """


@reported("AS118", "bad-layer")
def bad_layer() -> None:
    """A layer that is put together wrongly.

    A layer is one op, block, part or combinator, with modifiers (`name`, `when`, `else`, `init`)
    beside it and its arguments below it.

    Bad:

        stem:
          - {conv: 64, norm: {}}

    Good:

        stem:
          - conv: 64
          - norm
    """


@reported("AS124", "expression")
def expression() -> None:
    """An expression that has no value.

    It cannot be read, divides by zero, compares what does not compare, or gives no whole number
    where a size is wanted. `/` is exact; `//` rounds down.

    Bad:

        args: {width: 50}
        stem:
          - conv: width // (width - 50)

    Good:

        args: {width: 50}
        stem:
          - conv: width // 2
    """


@reported("AS138", "conflicting-keys")
def conflicting_keys() -> None:
    """Keys of a recipe, or of a block, that do not belong together.

    One of them would do nothing, or something else than it says: momentum for an optimizer that
    has none, a warm-up that never ends, a `body` beside the class that a block imports.

    Bad:

        input: [3, 32, 32]
        stem: [{conv: 64}, global_avg_pool, flatten]
        head: [{linear: 10}]
        train:
          data: cifar10
          epochs: 30
          batch_size: 256
          lr: 0.001
          optimizer: adamw
          momentum: 0.9

    Good:

        input: [3, 32, 32]
        stem: [{conv: 64}, global_avg_pool, flatten]
        head: [{linear: 10}]
        train:
          data: cifar10
          epochs: 30
          batch_size: 256
          lr: 0.001
          optimizer: adamw

    What is inherited is deleted by `null`: `momentum: null`.
    """

"""AS1xx: keys and values of a spec, as its models check them."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS112", "unknown-key", fixable=True)
def unknown_key() -> None:
    """A key is not recognized.

    A misspelled key would leave the default in effect, so the network would differ from the spec.

    Bad:

        stem:
          - conv: {channels: 64, kernal: 3}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}

    Arguments have short forms of torch's names: `channels`, `kernel`, `features`. Input sizes
    (`in_channels`) are inferred and cannot be set.

    Fix safety:

    The fix replaces a misspelled key, or another framework's name, only if exactly one key can be
    meant.
    """


@reported("AS113", "missing-key")
def missing_key() -> None:
    """A required key is missing.

    Some keys have no default: archspec cannot guess the channels of a convolution or the size of
    the images.

    Bad:

        stem:
          - conv: {kernel: 3}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
    """


@reported("AS136", "no-layers")
def no_layers() -> None:
    """The network has no layers.

    A spec with only a `name` and an `input` would be a network that returns its input.

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
    """A value has the wrong type.

    Examples are a string instead of a number, a list instead of a single value, `yes` instead of
    `true`, or `null` for no layer: `null` removes an inherited key, and `none` means no layer.

    Bad:

        stem:
          - conv: {channels: 64, bias: yes}

    Good:

        stem:
          - conv: {channels: 64, bias: true}
    """


@reported("AS115", "out-of-range")
def out_of_range() -> None:
    """A value is outside its allowed range.

    Sizes are at least 1, rates are between 0 and 1, and strings have a maximum length.

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
    """A per-block list does not have one entry per block.

    A list in a stage sets an argument for each block of the stage.

    Bad:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2]}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2, 2]}

    If all blocks share a value, write it once: `dilation: 2`.
    """


@reported("AS117", "bad-name")
def bad_name() -> None:
    """A name is not a valid identifier, or is reserved.

    Names become attributes, classes, and arguments in Python. Use letters, digits, and `_`. Python
    keywords and the attributes of every torch module (`type`, `forward`, `train`) are reserved. A
    spec's name is also a file name, and next to a `torch.py` nothing could import torch, so names
    of Python's own modules and of those that scripts import (`math`, `json`, `numpy`) are rejected.
    So are the names of devices on Windows (`aux`, `con`, `nul`, `prn`, `com1` to `com9`, `lpt1` to
    `lpt9`), which cannot be file names.

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
    """A layer is malformed.

    A layer is one op, block, part, or combinator, with modifiers (`name`, `when`, `else`, `init`)
    next to it and its arguments nested under it.

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
    """An expression is invalid or cannot be evaluated.

    The expression has a syntax error, divides by zero, compares values that cannot be compared, or
    does not return an integer where a size is expected. `/` is exact; `//` rounds down.

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
    """Two keys of a recipe or block cannot be combined.

    One of them would have no effect, or not the effect that its name suggests. Examples are
    momentum for an optimizer without it, a warmup that never ends, or a `body` next to the class
    that a block imports.

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

    To remove an inherited key, set it to `null`: `momentum: null`.
    """

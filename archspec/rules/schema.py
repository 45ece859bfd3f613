"""AS1xx: keys, values and names of a spec, as its models check them."""

from __future__ import annotations

from archspec.rules.rule import told

told(
    "AS112",
    "unknown-key",
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
    """,
    fixable=True,
)
told(
    "AS113",
    "missing-key",
    """Something that has no default is not said.

    A convolution cannot guess its channels, nor a network the size of its images.

    Bad:

        stem:
          - conv: {kernel: 3}

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
    """,
)
told(
    "AS136",
    "no-layers",
    """A network without layers.

    A spec with a `name` and an `input` alone would be a network that gives back what it takes.

    Bad:

        name: net
        input: [3, 224, 224]

    Good:

        name: net
        input: [3, 224, 224]
        stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]
    """,
)
told(
    "AS114",
    "wrong-type",
    """A value of another kind than its key takes.

    Text where a number belongs, a list where one value does, `yes` for `true`, or `null` where
    there should be no layer: `null` deletes what a spec inherits, `none` is no layer.

    Bad:

        stem:
          - conv: {channels: 64, bias: yes}

    Good:

        stem:
          - conv: {channels: 64, bias: true}
    """,
)
told(
    "AS115",
    "out-of-range",
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
    """,
)
told(
    "AS116",
    "wrong-length",
    """A list in a stage that does not have one entry for each block.

    In a stage a list says an argument block by block.

    Bad:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2]}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64, dilation: [1, 2, 2]}

    A value that all blocks share is written once: `dilation: 2`.
    """,
)
told(
    "AS117",
    "bad-name",
    """A name that the generated class could not carry.

    Names become attributes, classes and arguments in Python: letters, digits and `_`, no keyword,
    and nothing that every torch module has (`type`, `forward`, `train`). A spec's name is that of a
    file, too: beside a `torch.py` nothing could import torch.

    Bad:

        head:
          forward: {linear: 10}

    Good:

        input: [3]
        head:
          fc: {linear: 10}
    """,
)
told(
    "AS118",
    "bad-layer",
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
    """,
)
told(
    "AS119",
    "unknown-name",
    """A name that means nothing here.

    An expression in stem and head sees the spec's `args`, one in a stage those and the indices
    (`index`, `stage`, `block_index` ...), and one in a block its own args and parts, `in_channels`,
    `channels`, `stride` and the indices. A recipe (`train`) names its data set, loss and optimizer.

    Bad:

        args: {classes: 10}
        stem: [global_avg_pool, flatten]
        head:
          - linear: clases

    Good:

        args: {classes: 10}
        stem: [global_avg_pool, flatten]
        head:
          - linear: classes
    """,
)
told(
    "AS120",
    "unknown-layer",
    """A layer that is no op, block, part or combinator.

    Ops have short names in lower case: `conv`, `batch_norm`, `linear`. Torch's own names are
    understood and answered with ours.

    Bad:

        stem:
          - conv2d: 64

    Good:

        stem:
          - conv: 64

    `archspec list` names every op and block.
    """,
    fixable=True,
)
told(
    "AS121",
    "unknown-block",
    """A stage names a block that does not exist.

    Blocks are those under `blocks:`, the files in the folder `blocks` beside the spec, and the
    built-in ones.

    Bad:

        stages:
          layer1: {block: bottelneck, repeat: 3, channels: 64}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64}
    """,
    fixable=True,
)
told(
    "AS122",
    "unknown-default",
    """`defaults` names something that is no op and no block.

    What is meant keeps its own defaults, and the network is another than its author thinks.

    Bad:

        defaults:
          convolution: {bias: true}
        stem:
          - conv: 64

    Good:

        defaults:
          conv: {bias: true}
        stem:
          - conv: 64
    """,
    fixable=True,
)
told(
    "AS124",
    "expression",
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
    """,
)
told(
    "AS125",
    "extends",
    """A spec that cannot start from the one it names.

    There is no such spec, it extends itself, or `null` is to delete what is not there. `extends`
    takes a name and never a path.

    Bad:

        extends: resnet5O
        name: net

    Good:

        extends: resnet50
        name: net
    """,
)
told(
    "AS126",
    "cycle",
    """Something that is made of itself.

    A block that uses itself, or a part that is filled with itself, would never end.

    Bad:

        blocks:
          cell:
            body:
              - conv: 64
              - cell
        stem: [cell]

    Good:

        blocks:
          cell:
            body:
              - conv: 64
              - norm
        stem: [cell]
    """,
)
told(
    "AS127",
    "setting",
    """`--set` or a keyword names something that the spec does not have.

    An experiment would run with the old value under the name of the new one.

    Bad:

        # set: args.classses=100
        args: {classes: 10}
        stem: [global_avg_pool, flatten]
        head:
          - linear: classes

    Good:

        # set: args.classes=100
        args: {classes: 10}
        stem: [global_avg_pool, flatten]
        head:
          - linear: classes
    """,
)
told(
    "AS128",
    "attribute-twice",
    """Two layers of one class have the same name.

    The second would take the place of the first.

    Bad:

        stem:
          - {conv: 64, name: first}
          - {conv: 64, name: first}

    Good:

        stem:
          - {conv: 64, name: first}
          - {conv: 64, name: second}
    """,
)
told(
    "AS129",
    "unknown-output",
    """An output that is no attribute of the network.

    Features are taken from behind an attribute of the network, a stage or a layer of stem and head,
    that stands alone on the way and is applied once.

    Bad:

        # outputs: layer2
        stages:
          layer1: {block: basic, channels: 64}

    Good:

        # outputs: layer1
        stages:
          layer1: {block: basic, channels: 64}

    `archspec show` lists the attributes.
    """,
)
told(
    "AS138",
    "conflicting-keys",
    """Keys of a recipe that do not belong together.

    One of them would do nothing, or something else than it says: momentum for an optimizer that
    has none, a warm-up that never ends.

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
    """,
)

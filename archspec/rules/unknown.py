"""AS1xx: names that lead to nothing, or back to themselves."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS119", "unknown-name")
def unknown_name() -> None:
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
    """


@reported("AS120", "unknown-layer", fixable=True)
def unknown_layer() -> None:
    """A layer that is no op, block, part or combinator.

    Ops have short names in lower case: `conv`, `batch_norm`, `linear`. `--fix` replaces torch's
    names for them, and typos of one letter. A layer that torch, timm or a paper has and archspec
    does not is no typo: `unfold` isn't supported yet.

    Bad:

        stem:
          - conv2d: 64

    Good:

        stem:
          - conv: 64

    `archspec list` names every op and block.
    """


@reported("AS121", "unknown-block", fixable=True)
def unknown_block() -> None:
    """A stage names a block that does not exist.

    Blocks are those under `blocks:`, the files in the folder `blocks` beside the spec, and the
    built-in ones.

    Bad:

        stages:
          layer1: {block: bottelneck, repeat: 3, channels: 64}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64}
    """


@reported("AS122", "unknown-default", fixable=True)
def unknown_default() -> None:
    """`defaults` names something that is no op and no block.

    What is meant keeps its own defaults, and the network is another than its author thinks.

    Bad:

        defaults:
          convv: {bias: true}
        stem:
          - conv: 64

    Good:

        defaults:
          conv: {bias: true}
        stem:
          - conv: 64
    """


@reported("AS125", "extends")
def extends() -> None:
    """A spec that cannot start from the one it names.

    There is no such spec, it extends itself, or `null` is to delete what is not there. `extends`
    takes a name and never a path.

    Bad:

        extends: resnet5O
        name: net

    Good:

        extends: resnet50
        name: net
    """


@reported("AS126", "cycle")
def cycle() -> None:
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
    """


@reported("AS127", "setting")
def setting() -> None:
    """`--set`, a keyword, or a spec that extends another names something that there is not.

    An experiment would run with the old value under the name of the new one. A new arg is one that
    something in the spec reads.

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
    """


@reported("AS142", "unknown-tensor")
def unknown_tensor() -> None:
    """A layer reads a tensor that there is not.

    `from`, the inputs of a block and its `outputs` name tensors: what a layer ahead of them saves,
    the inputs of the block, `input`, and in the network the keys of its entries. What a layer
    saves is not there where its `when` does not hold.

    Bad:

        stem:
          - {conv: 64, save: skip}
          - norm
          - add: [[], {from: skpi}]

    Good:

        stem:
          - {conv: 64, save: skip}
          - norm
          - add: [[], {from: skip}]
    """


@reported("AS129", "unknown-output")
def unknown_output() -> None:
    """An output that the network does not have.

    A network gives tensors by name: entries of stem, stages and head, what a layer saves, and
    attributes that stand alone on the way and are applied once.

    Bad:

        # outputs: layer2
        stages:
          layer1: {block: basic, channels: 64}

    Good:

        # outputs: layer1
        stages:
          layer1: {block: basic, channels: 64}

    `archspec show` lists the attributes.
    """

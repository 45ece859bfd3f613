"""AS1xx: names that are not defined, and definitions that refer to themselves."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS119", "unknown-name")
def unknown_name() -> None:
    """A name is not defined here.

    Expressions in the stem and head can use the `args` of the spec; in a stage, those and the
    indices (`index`, `stage`, `block_index`, ...); in a block, its own arguments and parts,
    `in_channels`, `channels`, `stride`, and the indices. A recipe (`train`) names its data set,
    loss, and optimizer.

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
    """A layer is not a known op, block, part, or combinator.

    Ops have short names in lower case: `conv`, `batch_norm`, `linear`. A layer that exists in
    torch, timm, or a paper but not in archspec is not a typo: `unfold` is not supported yet.

    Bad:

        stem:
          - conv2d: 64

    Good:

        stem:
          - conv: 64

    `archspec list` lists all ops and blocks.

    Fix safety:

    The fix replaces torch's name of an op, or a typo of one letter, only if exactly one op or block
    can be meant.
    """


@reported("AS121", "unknown-block", fixable=True)
def unknown_block() -> None:
    """A stage uses a block that does not exist.

    Blocks are defined under `blocks:`, in the files of the directory `blocks` next to the spec, or
    built in.

    Bad:

        stages:
          layer1: {block: bottelneck, repeat: 3, channels: 64}

    Good:

        stages:
          layer1: {block: bottleneck, repeat: 3, channels: 64}

    Fix safety:

    The fix replaces a typo only if exactly one block can be meant.
    """


@reported("AS122", "unknown-default", fixable=True)
def unknown_default() -> None:
    """`defaults` names an op or block that does not exist.

    The op or block that was meant keeps its own defaults, so the network differs from what its
    author expects.

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

    Fix safety:

    The fix replaces a typo only if exactly one op or block can be meant.
    """


@reported("AS125", "extends")
def extends() -> None:
    """`extends` cannot be resolved.

    The base spec does not exist, a spec extends itself, or `null` is set for a key that is not
    inherited. `extends` takes a name, never a path.

    Bad:

        extends: resnet5O
        name: net

    Good:

        extends: resnet50
        name: net
    """


@reported("AS126", "cycle")
def cycle() -> None:
    """A definition refers to itself.

    A block that uses itself, or a part that is set to itself, would never end.

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
    """A setting or an inherited section names a value that the spec does not have.

    `--set`, a keyword argument, or a spec with `extends` names a value that does not exist. An
    experiment would run with the old value under a new name. A new argument must be used somewhere
    in the spec.

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
    """A layer reads a tensor that is not defined here.

    `from`, the inputs of a block, and its `outputs` name tensors: the outputs that layers before
    them save, the inputs of the block, `input`, and in the network the keys of its entries. If the
    `when` of a layer is false, the tensor that it saves does not exist.

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
    """A requested output is not available from the network.

    A network returns tensors by name: the outputs of entries of the stem, stages, and head; saved
    tensors; and attributes that are applied exactly once and not inside a branch.

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

"""What each key is for, with an example: what the code does not say of itself."""

from __future__ import annotations

Text = tuple[str, str]  # what it is for, and an example

SPEC_KEYS: dict[str, Text] = {
    "name": (
        "The name of the network and of the file that is written. Needed in each file, never "
        "inherited.",
        """\
        name: tiny
        input: [3, 32, 32]
        stem: [{conv: 16}, global_avg_pool, flatten, {linear: 10}]
        """,
    ),
    "class": (
        "The class of the network in the generated file. Not inherited; by default the name in "
        "CamelCase.",
        """\
        name: resnet50_wide
        class: WideResNet50
        extends: resnet50
        """,
    ),
    "doc": (
        "What the network is; it opens the docstring of the generated file. Not inherited.",
        """\
        doc: ResNet-50 for CIFAR-100 (smaller images, fewer classes).
        extends: resnet50
        input: [3, 32, 32]
        args: {classes: 100}
        """,
    ),
    "extends": (
        "The spec to start from, by name: the file beside this one, then the shipped specs. Maps "
        "merge key by key, lists and values replace, `null` deletes, and a layer under another "
        "head replaces the layer.",
        """\
        name: resnet101_32x4d
        extends: resnet50
        stages: {layer3: {repeat: 23}}
        defaults: {bottleneck: {groups: 32, base_width: 4}}
        """,
    ),
    "input": (
        "The shape of one sample: channels, then 0 to 3 spatial sizes. It decides between "
        "`Conv1d`, `Conv2d` and `Conv3d`. Needed, in the file or in what it extends.",
        """\
        input: [2, 1000]
        stem:
          - conv: {channels: 16, kernel: 9, stride: 4}
          - global_avg_pool
          - flatten
          - linear: 5
        """,
    ),
    "args": (
        "Numbers that may be set from outside (`--set args.classes=10`, "
        "`build_module(spec, classes=10)`), each with its default.",
        """\
        args: {classes: 10}
        """,
    ),
    "defaults": (
        "What holds in the whole network unless a layer says otherwise: `norm`, `act`, the "
        "arguments of an op, the args and parts of a block.",
        """\
        defaults:
          norm: {group_norm: 32}
          act: silu
          conv: {bias: true}
          bottleneck: {attention: {se: {ratio: 1 / 4}}}
        """,
    ),
    "stem": (
        "The layers before the stages: a map from attribute name to layer, or a list of layers "
        "(named by rule). A list of layers under a name is an `nn.Sequential`.",
        """\
        stem:
          conv1:
            - conv_norm_act: {channels: 32, kernel: 3, stride: 2}
            - conv: {channels: 64, kernel: 3}
        """,
    ),
    "stages": (
        "A map from attribute name to stage (`layer1` ...), or to a layer that stands between "
        "stages.",
        """\
        input: [3, 32, 32]
        stem: [{conv: {channels: 16, kernel: 3}}, norm, act]
        stages:
          layer1: {block: basic, repeat: 2, channels: 16}
          pool: {max_pool: 2}
          layer2: {block: basic, repeat: 2, channels: 32}
        """,
    ),
    "head": (
        "The layers behind the stages, written like `stem`.",
        """\
        head:
          fc: [{dropout: 0.2}, {linear: classes}]
        """,
    ),
    "blocks": (
        "Blocks of this network alone. One with the name of a built-in block goes before it.",
        """\
        input: [3, 32, 32]
        stem: [{conv: {channels: 32, kernel: 3}}]
        stages:
          stage1: {block: depthwise, repeat: 3, channels: 32}
        blocks:
          depthwise:
            body:
              - residual: [depthwise_conv, norm, act, {conv: channels}]
        """,
    ),
    "names": (
        "Other prefixes for the names that layers get by rule: op -> attribute.",
        """\
        defaults: {norm: {group_norm: 32}}
        names: {group_norm: bn}
        """,
    ),
    "init": (
        "How weights start: `resnet` (He-normal convolutions, fan-out; norms 1 and 0; the rest "
        "as torch does it) or `torch`.",
        """\
        init: torch
        """,
    ),
    "expect": (
        "What the network should come to: `params`, `macs`, `depth` (a number is exact, "
        "`{min: ..., max: ...}` a budget) and `output` (a shape). `build` and `lint` fail "
        "outside it. Not inherited, and not checked where values are set from outside.",
        """\
        name: budget
        extends: resnet18
        args: {classes: 10}
        expect: {params: {max: 11.2e6}, macs: {max: 1.9e9}, depth: 18, output: [10]}
        """,
    ),
    "train": (
        "How the network is trained: data, optimizer, schedule, regularisers "
        "([training.md](training.md)). Inherited only by a spec that says `train` itself: what it "
        "says is laid over the recipe that it starts from, and `train: {}` takes that as it is.",
        """\
        name: cifar_resnet56_long
        extends: cifar_resnet56
        train: {epochs: 300, schedule: cosine, augment: {erase: 0.25}}
        """,
    ),
}

# What a key of `train` is for. What it takes and its default stand in the models.
STAGE_KEYS: dict[str, Text] = {
    "block": (
        "The block of this stage; a list names one for each block of it.",
        """\
        input: [64, 56, 56]
        stages:
          layer1: {block: [basic, bottleneck], repeat: 2, channels: 64}
        """,
    ),
    "repeat": (
        "How many blocks.",
        """\
        stages: {layer3: {repeat: 23}}
        """,
    ),
    "channels": (
        "The channels that every block gives; a list says them block by block. They never shrink "
        "from one stage to the next.",
        """\
        input: [16, 32, 32]
        stages:
          layer1: {block: basic, repeat: 3, channels: 16 + 8 * index}
          layer2: {block: basic, repeat: 2, channels: [40, 48], stride: 2}
        """,
    ),
    "stride": (
        "The stride of the first block; the others have 1. A list says it block by block.",
        """\
        input: [16, 32, 32]
        stages:
          layer1: {block: basic, repeat: 3, channels: 16, stride: [2, 2, 1]}
        """,
    ),
    "shrink": (
        "Why this stage has fewer channels than the one before. Without it that is an error.",
        """\
        input: [64, 32, 32]
        stages:
          layer1: {block: bottleneck, channels: 256}
          layer2: {block: basic, channels: 128, shrink: the basic block does not widen}
        """,
    ),
    "any other key": (
        "An arg or part of the block. For an arg a list says it block by block; for a part a "
        "list is layers.",
        """\
        stages:
          layer4: {dilation: 2, stride: 1, attention: {se: {}, when: index > 0}}
        """,
    ),
}

BLOCK_KEYS: dict[str, Text] = {
    "doc": (
        "What the block does: the docstring of its class.",
        """\
        doc: A convolution between two norms.
        body: [norm, {conv: channels}, norm]
        """,
    ),
    "class": (
        "The class in the generated file; by default the name in CamelCase.",
        """\
        class: Sandwich
        body: [norm, {conv: channels}, norm]
        """,
    ),
    "name": (
        "The attribute that it gets where it is used; by default its own name.",
        """\
        name: se
        body: [{scale: [global_avg_pool, {conv: channels}, sigmoid]}]
        """,
    ),
    "inline": (
        "`true`: a shorthand. Its layers are spliced in where it stands, with no class and no "
        "attribute of its own.",
        """\
        inline: true
        body: [{conv: {channels: channels, kernel: 3, stride: stride}}, norm, act]
        """,
    ),
    "args": (
        "Numbers, each with a default or `required`. A default may use other names of the block.",
        """\
        args: {ratio: 4, width: channels // ratio}
        body: [{conv: width}, act, {conv: channels}]
        """,
    ),
    "parts": (
        "Layers that whoever uses the block may choose, each with a default (`none` for no "
        "layer). A part stands in the body under its name.",
        """\
        parts: {attention: none, pool: {avg_pool: 2}}
        body: [{conv: channels}, attention, {pool: {}, when: stride > 1}]
        """,
    ),
    "body": (
        "The layers, in order. The one key that a block must have.",
        """\
        body: [{conv: {channels: channels, kernel: 3, stride: stride}}, norm, act]
        """,
    ),
}

COMBINATORS: dict[str, Text] = {
    "sequence": (
        "The layers as one attribute, an `nn.Sequential` with children 0, 1, 2 ... It holds no "
        "other combinator.",
        """\
        - {sequence: [{conv: 32}, norm, act], name: reduce}
        """,
    ),
    "residual": (
        "`x + f(x)`. Where the channels differ or the body strides, the shortcut is used; "
        "without one that is an error.",
        """\
        - residual:
            - conv: {channels: channels, kernel: 3, stride: stride}
            - norm
          shortcut: conv_norm
        - act
        """,
    ),
    "scale": (
        "`x * f(x)`. f gives the channels of x; sizes that it has lost are broadcast.",
        """\
        - scale: [global_avg_pool, {conv: in_channels}, sigmoid]
        """,
    ),
    "concat": (
        "The branches one behind the other along the channels; `[]` is x itself. A map names "
        "each branch's attribute.",
        """\
        - concat:
            branch1: {conv: 32}
            branch2: [{conv: 16}, {conv: {channels: 32, kernel: 3}}]
        """,
    ),
    "add": (
        "The sum of the branches.",
        """\
        - add: [{conv: {channels: 64, kernel: 3}}, {conv: 64}, []]
        """,
    ),
    "split": (
        "The channels in equal parts, a branch on each, then one behind the other.",
        """\
        - split: [{conv: {channels: 32, kernel: 3}}, []]
        - channel_shuffle: 2
        """,
    ),
}

MODIFIERS: dict[str, Text] = {
    "name": (
        "The attribute of the layer, instead of the one that the rules give.",
        """\
        - {conv: 128, name: project}
        """,
    ),
    "when": (
        "The layer is there only if this holds.",
        """\
        - {avg_pool: 2, when: stride > 1}
        """,
    ),
    "else": (
        "What stands in the layer's place where `when` does not hold; by default nothing.",
        """\
        - {avg_pool: 2, when: stride > 1, else: [{conv: 128}, norm]}
        """,
    ),
    "init": (
        "`zeros`: the weight starts at zero.",
        """\
        - residual: [{conv: 64}, {batch_norm: {}, init: zeros}]
        """,
    ),
    "shortcut": (
        "Of `residual`: the layers that are added to f(x) where shapes differ. A block here gets "
        "`channels` and `stride` of the body. `none`: where shapes differ nothing is added.",
        """\
        - residual: [{conv: {channels: channels, kernel: 3, stride: stride}}]
          shortcut: {conv: {channels: channels, stride: stride}, name: fit}
        """,
    ),
    "project": (
        "Of `residual`: use the shortcut where this holds, instead of where shapes differ.",
        """\
        input: [64, 56, 56]
        stages:
          layer1: {block: cell, repeat: 3}
        blocks:
          cell:
            body:
              - residual: [{conv: channels}, norm]
                shortcut: conv_norm
                project: index == 0
        """,
    ),
    "before": (
        "Of `residual`: layers whose result body and shortcut read, while the identity reads x "
        "(pre-activation).",
        """\
        - residual: [{conv: {channels: 64, kernel: 3}}]
          before: [norm, act]
        """,
    ),
    "drop_path": (
        "Of `residual`: the probability with which f(x) is dropped for a sample in training "
        "(stochastic depth).",
        """\
        - residual: [{conv: {channels: 64, kernel: 3}}, norm]
          drop_path: 0.1
        """,
    ),
}

SCOPE: dict[str, str] = {
    "in_channels": "channels that enter the block (not the layer)",
    "channels": "channels that should leave the block; where nobody says, `in_channels`",
    "stride": "stride of the block: what its stage or call says, otherwise 1",
    "index": "number of the block in its stage, from 0",
    "repeat": "blocks in the stage",
    "stage": "number of the stage, from 1",
    "block_index": "number of the block in the network, from 0",
    "block_count": "blocks in the network",
}

FUNCTIONS: dict[str, Text] = {
    "min": ("the smallest", "min(64, 48)"),
    "max": ("the largest", "max(8, 64 // 16)"),
    "round": ("the nearest whole number, halves to even", "round(2.5)"),
    "floor": ("rounded down", "floor(2.7)"),
    "ceil": ("rounded up", "ceil(2.1)"),
    "abs": ("without its sign", "abs(3 - 5)"),
    "log2": ("the logarithm to base 2", "log2(64)"),
    "round_to": ("the nearest multiple of the second", "round_to(45, 8)"),
    "make_divisible": (
        "the same, but at least the second, and not below 90 % of the first",
        "make_divisible(17, 8)",
    ),
}

BLOCK_EXAMPLES: dict[str, str] = {
    "avg_projection": "- basic: {channels: channels, stride: stride, projection: avg_projection}",
    "basic": "- basic: {channels: channels, stride: stride, attention: se}",
    "bottleneck": "- bottleneck: {channels: channels, stride: stride, groups: 2, base_width: 32}",
    "conv_norm": "- conv_norm: {channels: 128, kernel: 3}",
    "conv_norm_act": "- conv_norm_act: {channels: 128, kernel: 3, stride: stride}",
    "convnext": "- convnext: {expansion: 2, norm: layer_norm, act: gelu}",
    "deep_stem": "- deep_stem: {channels: 64, width: 32}",
    "depthwise_conv": "- depthwise_conv: {kernel: 5, stride: stride}",
    "inverted_residual": "- inverted_residual: {channels: 64, expansion: 4, drop_path: 0.1}",
    "preact": "- preact: {channels: channels, stride: stride}",
    "se": "- se: {ratio: 1 / 4, gate: hard_sigmoid}",
}

"""What a new user writes, and the hint that says what to write instead."""

from __future__ import annotations

import re

import pytest

from archspec.diagnostics import Diagnostic
from archspec.lint.run import lint_text
from archspec.lint.settings import Settings
from support import ROOT

INPUT = "input: [3, 32, 32]\n"
END = "stem: [{conv: 8}, global_avg_pool, flatten, {linear: 10}]\n"


def layer(text: str) -> str:
    return f"{INPUT}stem: [{{conv: 64}}, {text}]\n"


def entry(text: str) -> str:
    return f"{INPUT}stem: {{{text}}}\n"


def stage(text: str) -> str:
    return f"{INPUT}stages: {{a: {{block: basic, channels: 64, {text}}}}}\n"


def recipe(key: str) -> str:
    train = f"train: {{data: cifar10, epochs: 1, batch_size: 8, lr: 0.1, {key}: 1}}\n"
    return f"{INPUT}{END}{train}"


def of_recipe(text: str) -> str:
    keys = {"data": "data: cifar10", "epochs": "epochs: 1", "lr": "lr: 0.1"}
    keys |= {"batch_size": "batch_size: 8", text.partition(":")[0]: text}
    return f"{INPUT}{END}train: {{{', '.join(keys.values())}}}\n"


def filled(text: str) -> str:
    return f"{INPUT}defaults: {{norm: {text}}}\nstem: [{{conv: 64}}, {{norm: {{eps: 0.1}}}}]\n"


def joined(text: str) -> str:
    return f"{INPUT}stem: {{c1: {{conv: 8}}, c2: {{conv: 8}}, here: {text}, last: {{conv: 8}}}}\n"


def outputs(args: str, linear: str) -> str:
    body = f"stem: [{{conv: 8}}, global_avg_pool, flatten, {{linear: {linear}}}]\n"
    train = "train: {data: cifar10, epochs: 1, batch_size: 8, lr: 0.1}\n"
    return f"{INPUT}args: {{{args}}}\n{body}{train}"


CLASSES = "`args: {classes: 10}`"
HINTS = {  # what is written -> what its first finding says to write
    # arguments of the network at the top level
    "extends: resnet18\nclasses: 10\n": CLASSES,
    "extends: resnet18\nnum_classes: 10\n": CLASSES,
    INPUT + "args: {width: 8}\nwidth: 16\nstem: [{conv: width}]\n": "`args: {width: 16}`",
    INPUT + "n_classes: 10\nstem: [{conv: 8}]\n": CLASSES,
    # arguments of a layer where `defaults` has the layer
    filled("{eps: 0.001, momentum: 0.03}"): "`norm: {batch_norm: {eps: 0.001, momentum: 0.03}}`",
    filled("{groups: 8}"): "`norm: {group_norm: {groups: 8}}`",
    INPUT + "defaults: {act: {slope: 0.1}}\n" + END: "`act: {leaky_relu: {slope: 0.1}}`",
    # a number of a list, and an expression in the name of a tensor
    layer("{conv: 'classes[0]'}"): "use one argument for each number",
    layer("{conv: classes[0]}"): "quote values that contain brackets",
    layer("{conv: 2 ** 6}"): "arithmetic has + - * / // %",
    layer("{conv: 8, repeat: 2, save: 'y{index}'}"): "`save` names the last output",
    # names where a list has none
    layer("{conv1: {conv: {channels: 64}}}"): "remove `conv1`, or add `name: conv1` next to",
    layer("{bn1: norm}"): "remove `bn1`, or add `name: bn1` next to `norm`",
    layer("{body: {residual: [{conv: 64}]}}"): "next to `residual`",
    layer("{first: basic}"): "next to `basic`",
    # layers where a map has names
    entry("conv: {channels: 64, kernel: 3}"): "`conv1: {conv: {channels: 64, kernel: 3}}`",
    entry("conv: 64"): "`conv1: {conv: 64}`",
    entry("max_pool: {kernel_size: 3}"): "`max_pool1: {max_pool: {kernel_size: 3}}`",
    entry("relu: {}"): "`relu1: relu`",
    INPUT + "stages: {max_pool: {kernel: 3, stride: 2}}\n": "`max_pool1: {max_pool: {kernel: 3",
    layer("{concat: {conv: {channels: 8}, b: identity}}"): "`conv1: {conv: {channels: 8}}`",
    entry("norm: "): "`norm: norm`",
    entry("conv1: {conv: 64}, act: "): "`act: act`",
    # the type of a layer as a value
    layer("{type: conv, channels: 64}"): "`{conv: {channels: 64}}`",
    layer("{type: Conv2d, channels: 64, kernel: [3, 1]}"): "`{conv: {channels: 64, kernel: [3, 1]",
    layer("{op: relu}"): "use the layer type as the key: `relu`",
    layer("{name: c1, layer: dropout, p: 0.5}"): "`{dropout: {p: 0.5}, name: c1}`",
    # a colon without a space
    "extends:resnet18\ninput: [3, 8, 8]\n": "add a space after the colon: `extends: resnet18`",
    "input: [3, 8, 8]\nstem:\n  c1:norm\n  c2: act\n": "after the colon: `c1: norm`",
    "input: [3, 8, 8]\nstem:\n  - norm\n  - conv:64\n    name: c1\n": "colon: `conv: 64`",
    "input:[3, 8, 8]\nstem: [norm]\n": "after the colon: `input: [3, 8, 8]`",
    "doc:x # a comment\nstem: [norm]\n": "after the colon: `doc: x`",
    # another norm where only arguments can be
    entry("c1: {conv: 64}, bn1: {norm: GroupNorm}"): "`defaults: {norm: {group_norm: 32}}`",
    layer("{norm: layer_norm}"): "`defaults: {norm: layer_norm}`",
    layer("{act: ReLU6}"): "`relu6` alone, or for the whole network `defaults: {act: relu6}`",
    layer("{act: swish}"): "`defaults: {act: silu}`",
    layer("{norm: {group_norm: 8}}"): "use `{group_norm: 8}` alone, or for the whole network",
    layer("{norm: {GroupNorm: 8}}"): "`defaults: {norm: {group_norm: 8}}`",
    layer("{norm: {sequence: [batch_norm, act]}}"): "`{sequence: [batch_norm, act]}` alone",
    layer("{norm: [batch_norm, act]}"): "`defaults: {norm: {sequence: [batch_norm, act]}}`",
    layer("{act: {residual: [relu]}}"): "`{residual: [relu]}` alone",
    layer("{act: {relu: {}}}"): "`{relu: {}}` alone",
    # arguments of a part that is filled with several layers
    filled(
        "[batch_norm, act]"
    ): "arguments need a single layer: set them where the layers of the part are given",
    filled(
        "{sequence: [batch_norm, act]}"
    ): "arguments need a single layer: set them where the layers of the part are given",
    filled(
        "{residual: [batch_norm]}"
    ): "arguments need a single layer: set them where the layers of the part are given",
    filled(
        "{add: [batch_norm, identity]}"
    ): "arguments need a single layer: set them where the layers of the part are given",
    # Python
    layer("{conv: {channels: 64, kernel: (3, 3)}}"): "`[3, 3]`",
    layer("{conv: {channels: 64, kernel: '(3, 3)'}}"): "`[3, 3]`",
    layer("{conv: {channels: 64, kernel: '(5,)'}}"): "`[5]`",
    INPUT + "stem:\n  - max_pool:\n      kernel: (3, 1)\n": "`[3, 1]`",
    INPUT + "stem:\n  - conv: nn.Conv2d(64, 3)\n": "`conv: {channels: 64, kernel: 3}`",
    INPUT + "stem:\n  - nn.Conv2d(3, 64, 3, bias=False)\n": "kernel: 3, bias: false",
    INPUT + "stem:\n  - nn.Conv2d(3, 8, (3, 1), padding=(1, 0))\n": "padding: [1, 0]",
    INPUT + "stem:\n  - torch.nn.Linear(512, 10)\n": "`linear: {features: 10}`",
    INPUT + "stem:\n  - nn.ReLU(inplace=True)\n": "use `relu`",
    INPUT + "stem:\n  - nn.BatchNorm2d(64)\n": "use `batch_norm`",
    INPUT + "stem:\n  - nn.Fold()\n": "is not supported yet (torch.nn.Fold)",
    layer("squeeze_excite"): "did you mean `se`?",
    layer("SqueezeExcitation"): "did you mean `se`?",
    # keys of a stage elsewhere
    stage("planes: 64"): "use `channels: ...`",
    stage("filters: 64"): "use `channels: ...`",
    stage("depth: 2"): "use `repeat: ...`",
    stage("num_blocks: 2"): "use `repeat: ...`",
    stage("downsample: true"): "use `stride: 2`",
    stage("use_se: true"): "use `attention: se`",
    # options of the script
    recipe("device"): "`--device`",
    recipe("num_workers"): "`--workers`",
    recipe("amp"): "`--precision`",
    recipe("output_dir"): "`--out`",
    recipe("print_freq"): "`--log-every`",
    recipe("fp16"): "`--precision`",
    # the number of outputs, where it is set
    outputs("classes: 5", "classes"): "use `args: {classes: 10}`",
    outputs("labels: 5", "{features: labels}"): "use `args: {labels: 10}`",
    outputs("", "7"): "end in `linear: 10`",
    outputs("width: 8", "width // 2"): "end in `linear: 10`",
    # names that are available elsewhere only
    layer("{conv: {channels: 64, groups: in_channels}}"): "`in_channels` is available only inside",
    layer("{conv: 8 * index}"): "it is available in stages and layers with `repeat`, and in",
    # tensors that can be read where the name is, the nearest first
    joined("{from: c22}"): "did you mean `c2`?",
    joined("{from: zzz}"): "available here: c2, c1, input",
    joined("{from: last}"): "after the layer that saves it; available here: c2, c1, input",
    joined("{interpolate: las}"): "available here: c2, c1, input",
    # keys of others
    INPUT + "layers: [{conv: 64}]\n": "use one of `stem`, `stages`, `head`",
    "input_shape: [3, 32, 32]\nstem: [{conv: 64}]\n": "use `input`",
    INPUT + "stem: [{conv: 64}]\nclassifier: [{conv: 10}]\n": "use `head`",
    INPUT + "blocks: {cell: {layers: [norm]}}\nstem: [{conv: 8}, cell]\n": "use `body`",
    INPUT + END + "epochs: 3\n": "use `train: {epochs: 3}`",
    layer("{conv: {filters: 64}}"): "use `channels`",
    layer("{conv: {features: 64}}"): "use `channels`",
    layer("{max_pool: {pool_size: 2}}"): "use `kernel`",
    layer("{dropout: {rate: 0.5}}"): "use `p`",
    layer("{conv: {channels: 8, activation: relu}}"): "add it as a layer of its own",
    layer("{residual: [{conv: 64}], skip: identity}"): "did you mean `shortcut`?",
    layer("{concat: [{conv: 8}, {conv: 8}], axis: 1}"): "did you mean `along`?",
    stage("planes: 64").replace("basic", "conv"): "use it without `block`, as in `{conv: ...}`",
    f"{INPUT}{END}model: {{name: a, {INPUT.strip()}, stem: [norm]}}\n": "to the top level",
    INPUT + "stem: {a: {conv: 8}, b: {add: [a, {conv: 8}]}}\n": "use `{from: a}`",
    layer("{conv: {channels: 8}, init: {weights: zeros}}"): "use `weight`",
    INPUT + "blocks: {cell: {body: [{conv: out_channels}]}}\nstem: [{cell: 8}]\n": "use `channels`",
    INPUT + f"{END}model: resnet18\n": "use `extends: resnet18`",
    INPUT + f"{END}norm_layer: group_norm\n": "use `defaults: {norm: group_norm}`",
    INPUT + "block: basic\n" + END: "use one of `stages`, `blocks`",
    INPUT + "stages: {block: basic, repeat: 2}\n": "`layer1: {block: basic, repeat: 2}`",
    layer("{type: ConvModule, channels: 8}"): "`{conv_norm_act: {channels: 8}}`",
    layer("{class_name: Conv2D, config: {filters: 8}}"): "`{conv: {filters: 8}}`",
    layer("{uses: conv, with: {channels: 8}}"): "`{conv: {channels: 8}}`",
    layer("{Activation: relu}"): "use `relu`",
    layer("{slice: [0, 4]}"): "use `slice: {start: ..., channels: ...}`",
    layer("{conv: {channels: ${{ 8 }}}}"): "write expressions without `${{ }}`",
    layer("{conv: {channels=8}}"): "use `channels: 8`",
    INPUT + "stem:\n  - conv: 8 kernel: 3\n": "put several keys in braces: `{a: 1, b: 2}`",
    INPUT + f"{END}outputs: [-1]\n": "`outputs: [layer3, layer4]`",
    INPUT + f"{END}init: kaiming_normal\n": "use `init: {conv: kaiming_normal}`",
    stage("norm_layer: batch_norm"): "use `norm: ...`",
    stage("activation: relu"): "use `act: ...`",
    of_recipe("optimizer: {adamw: {weight_decay: 0.1}}"): "for example, `optimizer: adamw`",
    of_recipe("data: {path: ./images}"): "for example, `data: fashion_mnist`",
    of_recipe("schedule: {step: {every: 3, gamma: 0.1}}"): "use `factor`",
    layer("SEModule"): "did you mean `se`?",
    layer("{conv: 8, save: a}, {concat: [{conv: 8}, a]}"): "use `{from: a}`",
    layer(
        "{conv: 8, save: a}, {act: {}, from: [a, input]}"
    ): "`concat: [{from: a}, {from: input}]`",
    layer("{residual: {body: [norm], shortcut: none}}"): "move `shortcut` out of it",
    layer("{conv: {{ width }}}"): "use `width`: expressions need no braces",
    recipe("sched"): "use `schedule`",
    recipe("aa"): "use `augment`",
    # values in another form
    INPUT + "args: {depth: [2, 2]}\nstem: [{conv: 8}]\n": "for each, such as `depth1`",
    INPUT + "blocks: {cell: {args: [k], body: [norm]}}\nstem: [{conv: 8}]\n": "`{k: required}`",
    INPUT + "blocks: {cell: {parts: [p], body: [norm]}}\nstem: [{conv: 8}]\n": "`{p: none}`",
    layer("conv(64)"): "use `conv: 64`",
    layer("'linear: 10'"): "use `linear: 10`",
    layer("Conv2d 64"): "use `conv: 64`",
    layer("Dropout(0.5)"): "use `dropout: 0.5`",
    layer("{conv: [64, 3, 2]}"): "use `conv: {channels: 64, kernel: 3, stride: 2}`",
    INPUT + "stem:\n  - conv: 64, 3\n": "use `conv: {channels: 64, kernel: 3}`",
    layer("{concat: [{conv: 8}, input]}"): "use `{from: input}`",
    INPUT + "stem: norm, conv: 64\n": "put several values in brackets: `[a, b: c]`",
    "input: 3x32x32\nstem: [{conv: 8}]\n": "use `input: [3, 32, 32]`",
    "input: {channels: 3, height: 8, width: 9}\nstem: [{conv: 8}]\n": "use `input: [3, 8, 9]`",
    "extends: ./resnet18.yaml\n": "use a spec's name: `extends: resnet18`, without directory",
    "extends: [resnet18]\n": "use a spec's name: `extends: resnet18`",
    INPUT + "blocks: {my-cell: {body: [norm]}}\nstem: [{conv: 8}]\n": "for example, `my_cell`",
    INPUT + "blocks: {cell: [norm]}\nstem: [{conv: 8}, cell]\n": "use `{body: [norm]}`",
    INPUT + "blocks: {cell: {args: {k}, body: [{conv: k}]}}\nstem: [{cell: {k: 3}}]\n": "`k: 1`",
    layer("{residual: {conv: 64}}"): "use `[{conv: 64}]`",
    layer("{residual: {a: {conv: 64}, b: norm}}"): "use `[{conv: 64}, norm]`",
    layer("{conv: $width}"): "use `width`",
    layer("{conv: '{width}'}"): "use `width`",
    layer("{conv: '${{ args.width }}'}"): "use `width`",
    layer("{conv: self.width}"): "use `width`",
    layer("{conv: 2width}"): "use `2 * width`",
    layer("{conv: width x 2}"): "use `width * 2`",
    layer("{conv: {channels: 8, kernel: 3x3}}"): "use `[3, 3]`",
    layer("{dropout: 50%}"): "use `0.5`",
    layer("{conv: width}"): "or define it with `args: {width: ...}`",
    INPUT + END + "outputs: fc\n": "use a list: `[fc]`",
    INPUT + END + "expect: {output: 10}\n": "use `output: [10]`",
    of_recipe("data: ./images"): "use `data: folder`, and pass the directory to the script",
    of_recipe("schedule: CosineAnnealingLR"): "did you mean `cosine`?",
    of_recipe("schedule: {cosine: {warmup: 3}}"): "use `schedule: cosine`; `warmup` and",
    of_recipe("loss: ce"): "did you mean `cross_entropy`?",
    of_recipe("optimizer: torch.optim.AdamW"): "did you mean `adamw`?",
    # no layers
    layer("{residual: [{conv: 64}], shortcut: true}"): "`shortcut: conv_norm`",
    layer("{residual: [{conv: 64}], shortcut: false}"): "`shortcut: conv_norm`",
}


def findings(text: str) -> list[Diagnostic]:
    found = lint_text(f"name: net\n{text}".encode(), "", Settings()).findings
    return [finding.diagnostic for finding in found]


@pytest.mark.parametrize("text", HINTS)
def test_the_hint_says_what_to_write(text: str) -> None:
    (found,) = findings(text)
    assert HINTS[text] in found.hint
    assert found.fix is None


@pytest.mark.parametrize("option", ["--device", "--workers", "--precision", "--out", "--log-every"])
def test_the_options_are_those_of_the_script(option: str) -> None:
    script = (ROOT / "generated/train_resnet50.py").read_text("utf-8")
    assert option.removeprefix("--") in script.replace("_", "-")


SHAPES = {  # input -> the finding, and what to write instead
    "[1, 3, 224, 224]": ("batch-in-input", ["[3, 224, 224]"]),
    "[32, 3, 64, 64]": ("batch-in-input", ["[3, 64, 64]"]),
    "[64, 1, 28, 28]": ("batch-in-input", ["[1, 28, 28]"]),
    "[8, 3, 120, 160]": ("batch-in-input", ["[3, 120, 160]"]),
    "[32, 224, 224, 3]": ("batch-in-input", ["[3, 224, 224]", "[3, 32, 224, 224]"]),
    "[1, 224, 224, 3]": ("batch-in-input", ["[3, 224, 224]"]),
    "[64, 28, 28, 1]": ("batch-in-input", ["[1, 28, 28]", "[1, 64, 28, 28]"]),
    "[16, 240, 320, 4]": ("batch-in-input", ["[4, 240, 320]", "[4, 16, 240, 320]"]),
    "[224, 224, 3]": ("channels-last-input", ["[3, 224, 224]"]),
    "[480, 640, 4]": ("channels-last-input", ["[4, 480, 640]"]),
    "[64, 64, 64, 1]": ("channels-last-input", ["[1, 64, 64, 64]", "[1, 64, 64]"]),
    "[32, 32, 32, 3]": ("channels-last-input", ["[3, 32, 32, 32]", "[3, 32, 32]"]),
    "[3, 16, 112, 112]": ("", []),  # video
    "[1, 64, 64, 64]": ("", []),  # a volume
    "[3, 224, 224]": ("", []),
    "[3, 3, 4, 4]": ("", []),
    "[8, 64, 64, 3]": ("batch-in-input", ["[3, 64, 64]", "[3, 8, 64, 64]"]),
    "[8, 8, 3]": ("channels-last-input", ["[3, 8, 8]"]),
    "[28, 28, 1]": ("channels-last-input", ["[1, 28, 28]"]),
    **dict.fromkeys(["[3, 8, 3]", "[4, 4, 4]", "[64, 2, 4]", "[1, 8, 1]"], ("", [])),
    **dict.fromkeys(["[3, 224]", "[64, 3]", "[512, 3]"], ("", [])),
}


@pytest.mark.parametrize("sizes", SHAPES)
def test_a_batch_in_the_input_and_channels_at_its_end(sizes: str) -> None:
    found = findings(f"input: {sizes}\nstem: [{{conv: 64}}, norm]\n")
    rule, shapes = SHAPES[sizes]
    assert [d.rule for d in found] == ([rule] if rule else [])
    assert [shape for d in found for shape in re.findall(r"input: (\[.*?\])", d.hint)] == shapes

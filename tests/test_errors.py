"""A wrong input of each kind: one clear finding, at its place, with what to write instead."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archspec
from archspec.diagnostics import Diagnostic
from archspec.expression import ExpressionError, parse as parse_expression
from archspec.language import Library
from archspec.language.suggestions import elsewhere
from archspec.language.words import HEADS
from archspec.rules.checking import check_spec
from support.linting import HEAD, Project

TWO_LINES = HEAD.format(name="net")


def findings(folder: Path, text: str) -> list[Diagnostic]:
    path = folder / "net.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(archspec.SpecError) as caught:
        archspec.analyze(path)
    return list(caught.value.diagnostics)


INSIDE = "use `conv: {channels: 64, kernel: 3}`"
#: Written below the two lines `name` and `input`: the wrong lines, with `<` and `>` around what
#: the finding points at; its rule; words of its message; words of its hint.
WRONG = {
    "another word for multiply-adds": (
        "stem: [{conv: 8}]\nexpect: {<flops>: 3}",
        ("unknown-key", "unknown key `flops`", "use `macs`"),
    ),
    "a typo in what is expected": (
        "stem: [{conv: 8}]\nexpect: {<dept>: 3}",
        ("unknown-key", "unknown key `dept`", "did you mean `depth`?"),
    ),
    "a stage that takes the fewer channels of a layer between": (
        "stages: {a: {block: basic, channels: 64}, b: {conv: 32}, c: <{block: basic}>}",
        ("channels-shrink", "`c` has 32 channels, but `a` has 64", "`channels: 64`"),
    ),
    "a stage with fewer channels than one that takes those of a layer between": (
        "stages: {a: {conv: 64}, b: {block: basic}, c: {block: basic, channels: <32>}}",
        ("channels-shrink", "`c` has 32 channels, but `b` has 64", "`shrink: "),
    ),
    "a word of YAML 1.1 for a boolean": (
        "stem: {conv1: {conv: {channels: 64, bias: <no>}}}",
        ("wrong-type", "expected `true` or `false`, found the string `no`", "use `false`"),
    ),
    "three numbers for four blocks": (
        "stages: {layer1: {block: basic, repeat: 4, channels: <[8, 16, 32]>}}",
        (
            "wrong-length",
            "`channels` has 3 values, but the stage has 4 blocks",
            "a list in a stage needs one value per block",
        ),
    ),
    "three numbers for four blocks, an argument of the block": (
        "stages: {layer1: {block: basic, repeat: 4, channels: 8, drop_path: <[0, 0.1, 0.2]>}}",
        (
            "wrong-length",
            "`drop_path` has 3 values, but the stage has 4 blocks",
            "a list in a stage needs one value per block",
        ),
    ),
    "a typo in an argument of an op": (
        "stem: {conv1: {conv: {channels: 64, <strid>: 2}}}",
        ("unknown-key", "`conv` has no argument `strid`", "did you mean `stride`?"),
    ),
    "a typo in an argument of a block": (
        "stages: {layer1: {block: basic, channels: 64, <strid>: 2}}",
        ("unknown-key", "block `basic` has no argument or part `strid`", "did you mean `stride`?"),
    ),
    "a typo in a key of the spec": (
        "<stem_>: {conv1: {conv: 64}}",
        ("unknown-key", "unknown key `stem_`", "did you mean `stem`?"),
    ),
    "torch's name of an argument": (
        "stem: {conv1: {conv: {channels: 64, <kernel_size>: 3}}}",
        ("unknown-key", "`conv` has no argument `kernel_size`", "use `kernel`"),
    ),
    "the channels that arrive, at a norm": (
        "stem: {conv1: {conv: 64}, bn1: {norm: {<channels>: 127}}}",
        ("unknown-key", "`batch_norm` has no argument `channels`", "input sizes are inferred"),
    ),
    "an op that does not exist": (
        "stem: {conv1: {<deform_conv>: 64}}",
        ("unknown-layer", "unknown layer `deform_conv`", "`archspec list`"),
    ),
    "an op with torch's name and a typo": (
        "stem: {pool: {<MaxPol2d>: 2}}",
        ("unknown-layer", "unknown layer `MaxPol2d`", "did you mean `max_pool`?"),
    ),
    "a block that does not exist": (
        "stages: {layer1: {block: <botleneck>, channels: 64}}",
        ("unknown-block", "unknown block `botleneck`", "did you mean `bottleneck`?"),
    ),
    "a key given twice": (
        "stem:\n  conv1: {conv: 64}\n  <conv1>: {conv: 32}",
        ("duplicate-key", "duplicate key `conv1`", "remove one of the two"),
    ),
    "a word for a number": (
        "stem: {conv1: {conv: {channels: 64, kernel: <seven>}}}",
        ("unknown-name", "`seven` is not defined here", "use a number"),
    ),
    "a negative number of channels": (
        "stem: {conv1: {conv: <-64>}}",
        ("out-of-range", "expected an integer of at least 1, found -64", ""),
    ),
    "a residual sum of 64 and 128 channels": (
        "stem:\n  - conv: 64\n  - <residual:\n      - conv: {channels: 128, kernel: 3}>",
        (
            "residual-shape-mismatch",
            "the input is 64 x 32 x 32, but the body outputs 128 x 32 x 32",
            "`shortcut: conv_norm`",
        ),
    ),
    "channels that shrink": (
        "stages: {a1: {block: basic, channels: 64}, a2: {block: basic, channels: <32>}}",
        ("channels-shrink", "`a2` has 32 channels, but `a1` has 64", "`shrink:"),
    ),
    "a word where a map belongs": (
        "stages: <basic>",
        ("wrong-type", "expected a mapping, found the string `basic`", ""),
    ),
    "a number where a layer belongs": (
        "stem: {conv1: <7>}",
        ("wrong-type", "expected a layer, found `7`", "`conv: 64`"),
    ),
    "the line is indented with a tab": (
        "stem:\n<\t>conv1: {conv: 64}",
        ("tab-indentation", "the line is indented with a tab", "indent with two spaces per level"),
    ),
    "an expression that names nothing": (
        "stem: {conv1: {conv: {channels: <width> * 2}}}",
        (
            "unknown-name",
            "`width` is not defined here",
            "use a number, or define it with `args: {width: ...}`",
        ),
    ),
    "a division by zero": (
        "args: {n: 0}\nstem: {conv1: {conv: {channels: <64 // n>}}}",
        ("expression", "division by zero", "the divisor must not be 0"),
    ),
    "a width of zero in the first block": (
        "stem: [{conv: <16 * index>, repeat: 2}]",
        (
            "out-of-range",
            "an integer of at least 1, found 0",
            "use `index + 1`: `index` starts at 0",
        ),
    ),
    "a division by zero in the first block": (
        "stem: [{conv: <16 // index>, repeat: 2}]",
        ("expression", "division by zero", "use `index + 1`: `index` starts at 0"),
    ),
    "an index that no layer here has": (
        "stem: [{cell: 8}]\nblocks: {cell: {body: [{conv: <16 // block_index>}]}}",
        ("expression", "`block_index` is not defined here", "available in stages"),
    ),
    "an index in an argument of a block, in a block that nothing repeats": (
        "stem: [{outer: 8}]\nblocks:\n  inner: {args: {w: 8}, body: [{conv: w}]}\n"
        "  outer: {body: [{inner: {w: <index * 8>}}, {conv: channels}]}",
        ("expression", "`index` is not defined here", "stages and layers with `repeat`"),
    ),
    "an index as the default of an argument of a block that nothing repeats": (
        "stem: [{cell: {}}]\nblocks: {cell: {args: {w: <8 * index>}, body: [{conv: w}]}}",
        ("expression", "`index` is not defined here", "stages and layers with `repeat`"),
    ),
    "an index in the stem": (
        "stem: [{conv: 8}, {dropout: 0.1 * <repeat>}]",
        ("unknown-name", "`repeat` is not defined here", "stages and layers with `repeat`"),
    ),
    "arguments below a key next to the empty layer": (
        "stem:\n  - conv:\n    <with>: {channels: 64, kernel: 3}",
        ("bad-layer", "`with` is at the same level as `conv`", INSIDE),
    ),
    "arguments below a key next to a layer with a value, in a mapping": (
        "stem:\n  conv1:\n    conv: 64\n    <kwargs>:\n      kernel: 3",
        ("bad-layer", "`kwargs` is at the same level as `conv`", INSIDE),
    ),
    "arguments below a key inside the layer": (
        "stem: [{conv: {<params>: {channels: 64, kernel: 3}}}]",
        ("unknown-key", "`conv` has no argument `params`", INSIDE),
    ),
    "required arguments below a key inside the layer": (
        "head: [global_avg_pool, flatten, {linear: {<config>: {features: 10}}}]",
        ("unknown-key", "`linear` has no argument `config`", "use `linear: {features: 10}`"),
    ),
    "arguments of a block below a key next to it": (
        "stem:\n  - mbconv:\n    <args>: {channels: 64}",
        ("bad-layer", "`args` is at the same level as `mbconv`", "use `mbconv: {channels: 64}`"),
    ),
    "arguments of a stage below a key": (
        "stages: {a: {block: basic, <args>: {channels: 64}, repeat: 2}}",
        ("unknown-key", "block `basic` has no argument or part `args`", "remove `args`: `{block"),
    ),
    "arguments as items of the list": (
        "stem:\n  - conv:\n  - <channels>: 64\n  - kernel: 3",
        ("yaml-syntax", "`channels` is at the same level as `conv`", INSIDE),
    ),
    "arguments below a key that is an item of the list": (
        "stem:\n  - conv:\n  - <with>: {channels: 64, kernel: 3}",
        ("yaml-syntax", "`with` is at the same level as `conv`", INSIDE),
    ),
    "the layers of a residual below a key next to it": (
        "stem:\n  - residual:\n    <layers>: [{conv: {channels: 3, kernel: 3}}]",
        ("bad-layer", "`layers` is at the same level as `residual`", "each after `- `"),
    ),
    "an argument of the spec in a block": (
        "args: {wide: 8}\nstem: [{cell: {}}]\nblocks: {cell: {body: [{conv: 2 * <wide>}]}}",
        ("unknown-name", "`wide` is not defined here", "add `args: {wide: required}`"),
    ),
    "a tensor of the network in a block": (
        "stem: {first: {conv: 3}, second: {cell: {}}}\n"
        "blocks: {cell: {body: [{add: [[], {from: <first>}]}]}}",
        ("unknown-tensor", "the tensor `first` is not defined here", "add `inputs: [first]`"),
    ),
    "the name of a tensor as a branch": (
        "stem: {enc: {conv: 8}}\nhead: {dec: {conv: 8}, cat: {concat: [[], <enc>]}}",
        ("unknown-layer", "unknown layer `enc`", "use `{from: enc}`"),
    ),
    "a skip connection of an image of odd size": (
        "stem: {a: {conv: 3}, b: {max_pool: {kernel: 3, stride: 3}}, c: {upsample: 3}}\n"
        "head: {cat: <{concat: [[], {from: a}]}>}",
        ("concat-shape-mismatch", "3 x 33 x 33, 3 x 32 x 32", "`interpolate: {like: a}`"),
    ),
    "places of outputs instead of their names": (
        "stem: {a: {conv: 8}, b: {conv: 8}}\noutputs: <[0, 1]>",
        ("wrong-type", "expected a list of names, found [0, 1]", "`outputs: [layer3, layer4]`"),
    ),
    "outputs inside the head": (
        "stem: {a: {conv: 8}}\nhead:\n  b: {conv: 8}\n  outputs: [<a>, b]",
        ("unknown-layer", "unknown layer `a`", "`outputs` is a key of the spec: move it"),
    ),
    "a recipe inside the head": (
        "head:\n  b: {conv: 8}\n  <train>: {data: cifar10}",
        ("bad-name", "`train` is reserved", "`train` is a key of the spec: move it"),
    ),
    "a residual of a sequence with channels last that does not fit": (
        "stem: [channels_last, <{residual: [{linear: 21}]}>]",
        ("residual-shape-mismatch", "the body outputs 32 x 32 x 21", "`shortcut: {linear: 21}`"),
    ),
    "a string without `text` for a class of one's own": (
        "stem: [r]\nblocks:\n  r: {import: my.R, call: {mode: <bilinear>}, like: identity}",
        ("unknown-name", "`bilinear` is not defined", "for a string, use `{text: bilinear}`; "),
    ),
    "a file instead of the path of a class": (
        "stem: [r]\nblocks:\n  r: {import: <./my/layers.py>, like: identity}",
        ("wrong-type", "found the file `./my/layers.py`", "`import: my.layers.MyClass`"),
    ),
    "a power": (
        "args: {w: 2}\nstem: [{conv: <(w + 1) ** 2>}]",
        ("expression", "cannot contain `(w + 1) ** 2`", "use `(w + 1) * (w + 1)`"),
    ),
    "a bitwise operator in a condition": (
        "args: {w: 2}\nstem: [{conv: 8, when: <(w == 2) & (w != 3)>}]",
        ("expression", "cannot contain `(w == 2) & (w != 3)`", "use `w == 2 and w != 3`"),
    ),
    "a tensor instead of branches": (
        "stem: {a: {conv: 8}, b: {concat: <a>}}",
        ("wrong-type", "mapping of branches, found the string `a`", "`[[], {from: a}]`"),
    ),
    "layers below the word `layers`": (
        "stages: {a: {repeat: 2, <layers>: [{conv: 8}, norm]}}",
        ("unknown-layer", "unknown layer `layers`", "did you mean `sequence`?"),
    ),
    "a list of layers with a name, as an item of a list": (
        "head: [{conv: 8}, {<score>: [global_avg_pool, flatten, {linear: 10}]}]",
        ("unknown-layer", "unknown layer `score`", "use `{sequence: [...], name: score}`"),
    ),
    "a dash without a space, and an item after it": (
        "stem:\n  <-conv>: 8\n  - norm",
        ("yaml-syntax", "missing space after `-`", "use `- conv: ...`"),
    ),
    "a function without its argument": (
        "stem: [{conv: <sqrt()>}]",
        ("expression", "`sqrt` expects 1 argument, found 0", ""),
    ),
    "a width that is too large in the first block": (
        "stem: [{dropout: <2 - index>, repeat: 2}]",
        ("out-of-range", "at most 1, found 2", "use 1 or less"),
    ),
    "a million repeats": (
        "stages: {layer1: {block: basic, channels: 64, repeat: <1000000>}}",
        ("out-of-range", "expected at most 1000, found 1000000", ""),
    ),
    "a stage without its block": (
        "stages: {layer1: <{channels: 64, repeat: 2}>}",
        ("missing-key", "missing required key `block` in this stage", "`block: basic`"),
    ),
    "a typo in the word `block` of a stage": (
        "stages: {layer1: {<blok>: basic, channels: 64, repeat: 2}}",
        ("unknown-key", "a stage has no `blok`", "did you mean `block`?"),
    ),
    "a typo in the word `block`, and a part": (
        "stages: {layer1: {<blok>: basic, attention: se}}",
        ("unknown-key", "a stage has no `blok`", "did you mean `block`?"),
    ),
    "a typo in a key of a stage": (
        "stages: {layer1: {block: basic, channels: 64, <repeats>: 2}}",
        (
            "unknown-key",
            "no argument or part `repeats`",
            "did you mean `repeat`?",
        ),
    ),
    "a typo in what stands beside a layer": (
        "stem: [{conv: 64, <whne>: true}]",
        ("unknown-key", "unknown layer modifier `whne`", "did you mean `when`?"),
    ),
    "a typo in what stands beside a residual": (
        "stem: [{residual: [norm], <shorcut>: none}]",
        ("unknown-key", "unknown layer modifier `shorcut`", "did you mean `shortcut`?"),
    ),
    "a layer next to a residual": (
        "stem: [{residual: [norm], <dropout>: 0.2}]",
        (
            "bad-layer",
            "found 2 layers in one mapping: `residual` and `dropout`",
            "use one list item per layer: `{residual: ...}, {dropout: 0.2}`",
        ),
    ),
    "layers in one mapping that is in no list": (
        "stem: {conv1: {conv: 8, norm: {}, <act>: {}}}",
        (
            "bad-layer",
            "found 3 layers in one mapping: `conv`, `norm` and `act`",
            "use a list: `[{conv: 8}, norm, act]`",
        ),
    ),
    "an unknown key next to a residual": (
        "stem: [{residual: [norm], <rate>: 0.2}]",
        (
            "bad-layer",
            "`rate` is not a modifier of `residual`",
            "if `rate` is a block, use one list item per layer: `{residual: ...}, {rate: 0.2}`",
        ),
    ),
    "a block by the key that it has in stages": (
        "stem: [{<block>: basic, channels: 8}]",
        ("bad-layer", "a layer has no key `block`", "`{basic: {channels: 8}}`"),
    ),
    "the arguments of a block at its own level": (
        "stem:\n  - basic:\n    <channels>: 8",
        ("bad-layer", "`channels` is at the same level as `basic`", "indent the keys"),
    ),
    "a modifier as a layer": (
        "stem: [conv: 8, <drop_path>: 0.1]",
        ("bad-layer", "`drop_path` has no layer next to it", "move it next to `residual:`"),
    ),
    "a typo in a default": (
        "defaults: {<convv>: {bias: true}}\nstem: [{conv: 64}]",
        ("unknown-default", "unknown op or block `convv`", "did you mean `conv`?"),
    ),
    "a typo in a key of `expect`": (
        "stem: [norm]\nexpect: {<parms>: 3}",
        ("unknown-key", "unknown key `parms`", "did you mean `params`?"),
    ),
    "a typo in the only word": (
        "stem: [{conv: 8, init: <zero>}]",
        ("unknown-name", "torch.nn.init has no function `zero`", "did you mean `zeros`?"),
    ),
    "a typo in a parameter that starts": (
        "stem: [{conv: 8}]\ninit: {conv: {<wieght>: zeros}}",
        (
            "unknown-key",
            "unknown parameter or function of torch.nn.init `",
            "did you mean `weight`?",
        ),
    ),
    "a typo in a function that draws": (
        "stem: [{conv: 8, init: {<kaiming_nomal>: {mode: fan_out}}}]",
        (
            "unknown-key",
            "unknown parameter or function of torch.nn.init `",
            "did you mean `kaiming_normal`?",
        ),
    ),
    "a typo in an argument of a function": (
        "stem: [{conv: 8}]\ninit: {conv: {weight: {normal: {<sdt>: 1}}}}",
        ("unknown-key", "`normal` has no argument `sdt`", "did you mean `std`?"),
    ),
    "an op that has no weights to start": (
        "stem: [{conv: 8}]\ninit: {<relu>: zeros}",
        ("unknown-name", "`relu` has no weights", "ops: batch_norm"),
    ),
    "the network's norm, of which an `init` cannot know the op": (
        "stem: [{conv: 8}, norm]\ninit: {<norm>: zeros}",
        ("unknown-name", "`norm` is not an op", "such as `batch_norm`"),
    ),
    "a spread below 0": (
        "stem: [{conv: 8, init: {normal: {std: <-1>}}}]",
        ("out-of-range", "expected at least 0, found -1", "use 0 or more"),
    ),
    "a spread below 0 that is calculated": (
        "stem: [{conv: 8, init: {normal: {std: <1 - sqrt(fan_out)>}}}]",
        ("out-of-range", "expected at least 0, found -1.828", "use 0 or more"),
    ),
    "an interval that is empty": (
        "stem: [{conv: 8, init: {uniform: {b: <-1>}}}]",
        ("out-of-range", "`a` is 0, but `b` is only -1", "swap them"),
    ),
    "a mean that is never drawn": (
        "stem: [{conv: 8, init: {trunc_normal: {mean: <100>}}}]",
        ("out-of-range", "the mean, 100, is not between -2 and 2", "set `a` and `b` too"),
    ),
    "a norm that is no matrix": (
        "stem: [norm]\ninit: {batch_norm: <xavier_uniform>}",
        (
            "out-of-range",
            "cannot initialize the weight of `batch_norm`, which is 3",
            "another function",
        ),
    ),
    "fans of a norm": (
        "stem: [norm]\ninit: {batch_norm: {normal: {std: <1 / fan_in>}}}",
        (
            "expression",
            "`fan_in` has no value for the weight of `batch_norm`",
            "only kernels and matrices have `fan_in` and `fan_out`",
        ),
    ),
    "a name that init does not see": (
        "stem: [{conv: 8}]\ninit: {conv: {normal: {std: <channels>}}}",
        ("unknown-name", "`channels` is not defined here", ""),
    ),
    "a division by zero in init": (
        "stem: [{conv: 8, init: {normal: {std: <1 / (fan_in - 3)>}}}]",
        ("expression", "division by zero", ""),
    ),
    "a map where a function is expected": (
        "stem: [{conv: 8, init: {weight: <[]>}}]",
        ("wrong-type", "expected a function of torch.nn.init, found a list of 0", "zeros"),
    ),
    "a bare number for a function of several": (
        "stem: [{conv: 8, init: {normal: <0.01>}}]",
        ("wrong-type", "expected a mapping of arguments, found `0.01`", "normal: {mean: ...}"),
    ),
    "an argument of a function that is needed": (
        "stem: [{conv: 8, init: {constant: <{}>}}]",
        ("missing-key", "missing argument `val` for `constant`", "add `constant: {val: ...}`"),
    ),
    "weights of a block": (
        "stem: [{se: {}, init: <zeros>}]",
        ("bad-layer", "`init` has no effect: `se` has no weight", ""),
    ),
    "weights of an inline block's own": (
        "stem: [cell]\nblocks: {cell: {inline: true, <init>: {conv: zeros}, body: [{conv: 8}]}}",
        ("bad-layer", "an inline block has no class", "set `init` on its layers"),
    ),
    "a typo in a word of an op": (
        "stem: [{conv: {channels: 8, padding_mode: <reflct>}}]",
        ("wrong-type", "expected one of `zeros`, `reflect`,", "did you mean `reflect`?"),
    ),
    "a word of YAML 1.1 for a number": (
        "stem: [{conv: <yes>}]",
        ("wrong-type", "an integer of at least 1, found the string `yes`", "use a number"),
    ),
    "a layer where a section belongs": (
        "stem: <conv>",
        ("wrong-type", "expected a mapping or list of layers", "`[{conv: 64}, norm, act]`"),
    ),
    "groups that do not divide": (
        "stem: [{conv: {channels: 12, groups: <5>}}]",
        (
            "groups-do-not-divide",
            "`conv` cannot divide its 3 input channels into 5 groups",
            "divisible by",
        ),
    ),
    "groups that do not divide a single channel": (
        "stem: [{conv: 1}, {conv: {channels: 12, groups: <5>}}]",
        ("groups-do-not-divide", "cannot divide its 1 input channel into 5 groups", "divisible by"),
    ),
    "a split of a single channel": (
        "stem: [{conv: 1}, <{split: [act, act]}>]",
        ("split-shape-mismatch", "cannot split 1 channel into 2 equal parts", "`sizes: [...]`"),
    ),
    "sizes for a single branch": (
        "stem: [{split: [act], sizes: <[1, 2]>}]",
        ("wrong-length", "`sizes` has 2 numbers, but `split` has 1 branch", "one size per branch"),
    ),
    "channels that shrink to one": (
        "stages: {a1: {block: basic, channels: 2}, a2: {block: basic, channels: <1>}}",
        ("channels-shrink", "`a2` has 1 channel, but `a1` has 2", "`shrink:"),
    ),
    "a window larger than the image": (
        "stem: [{max_pool: <40>}]",
        ("feature-map-vanishes", "window of 40 is larger than", "use a smaller window"),
    ),
    "a comma that YAML takes for its own": (
        "stem: {conv1: {conv: {channels: <min(64, 32)>}}}",
        ("unquoted-comma", "YAML splits this at the comma and reads `", '`"min(64, 32)"`'),
    ),
    "a name that Python cannot carry": (
        "stem: {<'2nd'>: {conv: 64}}",
        ("bad-name", "`2nd` is not valid as the name of an attribute", "start with a letter"),
    ),
    "anchors": (
        "stem: {conv1: <&a> {conv: 64}}",
        ("yaml-feature", "anchors (`&a`)", "remove it"),
    ),
    "the repeats of all stages in one": (
        "stages: {layer1: {block: basic, channels: 64, repeat: <[2, 2, 2, 2]>}}",
        (
            "wrong-type",
            "expected one integer for `repeat`, found a list of 4",
            "define a separate stage",
        ),
    ),
    "turns in the defaults of a block": (
        "stem: [{basic: 8}]\ndefaults: {basic: {width: <[[8], [16]]>}}",
        (
            "wrong-type",
            "`width` is a list of lists",
            "a list of lists has one list per block, in a stage or next to `repeat`",
        ),
    ),
    "the padding of other frameworks": (
        "stem: {conv1: {conv: {channels: 64, kernel: 3, padding: <same>}}}",
        (
            "unknown-name",
            "`same` is not defined here",
            "remove `padding`: an odd kernel then keeps the size",
        ),
    ),
    "a word that is not one of a few": (
        "stem: {conv1: {conv: 64}}\ninit: <resnt>",
        (
            "out-of-range",
            "expected `resnet` or `torch`, found the string",
            "did you mean `resnet`?",
        ),
    ),
    "no blank behind a colon": (
        "stem: {conv1: {conv: {<channels:64>, kernel: 3}}}",
        ("yaml-syntax", "YAML reads `channels:64` as one word", "use `channels: 64`"),
    ),
    "no colon in a map of one line": (
        "stem: {conv1: {conv: {channels: 64, <kernel 7>}}}",
        ("yaml-syntax", "missing `:` after `kernel`", "use `kernel: 7`"),
    ),
    "no colon ahead of a map": (
        "stem:\n  <conv1> {conv: {channels: 64}}\n  bn1: norm",
        ("yaml-syntax", "missing `:` after `conv1`", "use `conv1: {...}`"),
    ),
    "a key between two levels": (
        "stem:\n  conv1: {conv: 8}\n   <b>n1: norm",
        ("yaml-syntax", "expected an indentation of 2, found 3", "indent this line with 2 spaces"),
    ),
    "a list item between two levels": (
        "stem:\n  - conv: 8\n    name: a\n   <-> norm",
        ("yaml-syntax", "expected an indentation of 4, found 3", "indent this line with 4 spaces"),
    ),
    "a list item among keys": (
        "stem:\n  conv1: {conv: 8}\n  <-> norm",
        ("yaml-syntax", "found a list item among the keys of a mapping", "use `key: value`"),
    ),
    "a function of Python": (
        "stem: [{conv: {channels: <int(8)>}}]",
        ("expression", "unknown function `int`", "use `floor`, `ceil`, or `round`"),
    ),
    "one pixel that is not flat": (
        "stem: [{conv: 8}, global_avg_pool, <{linear: 10}>]",
        ("shape-mismatch", "its input is 8 x 1 x 1", "add `flatten` before it"),
    ),
    "torch's name of a pool": (
        "stem: {conv1: {conv: 8}, pool: {<AdaptiveAvgPool2d>: 7}}",
        ("unknown-layer", "unknown layer `AdaptiveAvgPool2d`", "`adaptive_avg_pool`"),
    ),
    "another word for a mode": (
        "stem: {a: {conv: 8}}\noutputs: {eval: [a], <train>: [a]}",
        ("unknown-key", "unknown mode `train`", "did you mean `training`?"),
    ),
    "arguments that are not indented": (
        "stem:\n  - conv:\n    <channels>: 64\n    kernel: 3\n  - norm",
        (
            "bad-layer",
            "`channels` is at the same level as `conv`, not inside it",
            "use `conv: {channels: 64, kernel: 3}`",
        ),
    ),
    "an argument next to its op": (
        "stem:\n  c1:\n    conv: 64\n    <kernel>: 3",
        (
            "bad-layer",
            "`kernel` is at the same level as `conv`, not inside it",
            "use `conv: {channels: 64, kernel: 3}`",
        ),
    ),
    "layers that are not indented": (
        "stem:\n  - residual:\n    <conv>: 3\n    norm: {}",
        (
            "bad-layer",
            "`conv` is at the same level as `residual`, not inside it",
            "indent the layers that belong to `residual`, each after `- `",
        ),
    ),
    "a layer that is not indented below its name": (
        "stem:\n  c1:\n  <conv>: 64",
        ("yaml-syntax", "`conv` is at the same level as `c1`", "keys that belong to `c1`"),
    ),
    "a layer that is not indented below the name of a branch": (
        "stem:\n  - concat:\n      c1:\n      <conv>: 64",
        ("yaml-syntax", "`conv` is at the same level as `c1`", "keys that belong to `c1`"),
    ),
    "a layer that is not indented in a sequence": (
        "stem:\n  s:\n    sequence:\n      c1:\n      <conv>: 64",
        ("yaml-syntax", "`conv` is at the same level as `c1`", "keys that belong to `c1`"),
    ),
    "the body of a block that is not indented": (
        "blocks:\n  cell:\n  <body>: [norm]\nstem: [{conv: 8}]",
        ("yaml-syntax", "`body` is at the same level as `cell`", "keys that belong to `cell`"),
    ),
    "a recipe that is not indented": (
        "stem: [{conv: 8}]\ntrain:\n<data>: cifar10\nepochs: 3\nbatch_size: 8\nlr: 0.1",
        ("yaml-syntax", "`data` is at the same level as `train`", "keys that belong to `train`"),
    ),
    "arguments of the network that are not indented": (
        "args:\n<width>: 8\nclasses: 10\nstem: [{conv: width}, {conv: classes}]",
        ("yaml-syntax", "`width` is at the same level as `args`", "keys that belong to `args`"),
    ),
    "a key that is indented further than the one above": (
        "stages:\n  a:\n    block: basic\n     channels<:> 64",
        ("yaml-syntax", "continues the value of the line above it", "with 4 spaces"),
    ),
    "an argument that is indented further than its op": (
        "stem:\n  - conv: 64\n     kernel<:> 3",
        ("yaml-syntax", "continues the value of the line above it", "with 4 spaces"),
    ),
    "a section that is indented": (
        "doc: text\n stem<:> [norm]",
        ("yaml-syntax", "continues the value of the line above it", "remove the spaces"),
    ),
    "an argument in the column of the list items": (
        "stem:\n  - conv: 64\n  <k>ernel: 3\n  - norm",
        (
            "yaml-syntax",
            "expected a list item (`- ...`), found `kernel`",
            "if it belongs to the item above it, indent it further",
        ),
    ),
    "a value in the column of its key": (
        "stem:\n  - linear:\n    <1>0",
        ("yaml-syntax", "expected `:` on this line", "write it after `linear:`, or indent it"),
    ),
    "two keys on one line": (
        "stem:\n  - conv: channels<:> 64",
        ("yaml-syntax", "a second `:` in this value", "use `conv: {channels: 64}`"),
    ),
    "a colon in a text": (
        "stem: [{conv: 8}]\ndoc: this is<:> a text",
        ("yaml-syntax", "a second `:` in this value", "quote strings that contain `: `"),
    ),
    "no space after the dash of a layer": (
        "stem:\n  <-conv>: 64",
        ("yaml-syntax", "missing space after `-`", "use `- conv: ...`"),
    ),
    "no space after the dash of a layer without arguments": (
        "stem:\n  <-norm\n  -act>",
        ("yaml-syntax", "missing space after `-`", "use `- norm`"),
    ),
    "a stage that is not indented": (
        "stages:\n  layer1:\n  <block>: basic\n  channels: 64\n  layer2: {block: basic}",
        (
            "yaml-syntax",
            "`block` is at the same level as `layer1`",
            "indent the keys that belong to `layer1`",
        ),
    ),
    "stages that are not indented": (
        "stages:\n<layer1>: {block: basic, channels: 8}\nlayer2: {block: basic, channels: 8}",
        (
            "yaml-syntax",
            "`layer1` is at the same level as `stages`",
            "indent the keys that belong to `stages`",
        ),
    ),
    "a size that is no whole number": (
        "stem: {conv1: {conv: {channels: 8, kernel: <7 / 2>}}}",
        ("wrong-type", "expected an integer of at least 1, found `3.5`", "`//`"),
    ),
    "a size of nothing": (
        "stem: {conv1: {conv: <0>}}",
        ("out-of-range", "expected an integer of at least 1, found 0", "use 1 or more"),
    ),
    "a typo in a function": (
        "stem: {conv1: {conv: <'mx(3, 4)'>}}",
        ("expression", "unknown function `mx`", "did you mean `max`?"),
    ),
    "a budget below zero": (
        "stem: {conv1: {conv: 64}}\nexpect: {params: {min: <-1>}}",
        ("out-of-range", "expected at least 0, found `-1`", ""),
    ),
    "an empty text for a layer": (
        "stem: {conv1: {conv: 8}, b: <''>}",
        ("wrong-type", "expected a layer, found the string ``", "add its op or block"),
    ),
    "a constant without a name": (
        "stem: [{scale: [<{parameter: [3, 1, 1]}>]}]",
        ("missing-key", "a `parameter` has no name", "add `name: ...` next to it"),
    ),
    "a constant without a shape": (
        "stem: [{scale: [<{parameter: {}, name: p}>]}]",
        ("missing-key", "missing argument `shape` for `parameter`", "`parameter: {shape: ...}`"),
    ),
    "a constant of other dimensions than what arrives": (
        "stem: [{scale: [<{parameter: [3, 1], name: p}>]}]",
        (
            "shape-mismatch",
            "the parameter is 3 x 1, but the input is 3 x 32 x 32",
            "`parameter: [channels, 1",
        ),
    ),
    "a constant that does not fit what it scales": (
        "stem: [<{scale: [{parameter: [2, 1, 1], name: p}]}>]",
        (
            "scale-shape-mismatch",
            "the gate outputs 2 x 1 x 1 for an input of 3 x 32",
            "the input's channels or 1",
        ),
    ),
    "a constant that does not fit what it is added to": (
        "stem: [<{add: [[], {parameter: [3, 5, 1], name: p}]}>]",
        ("add-shape-mismatch", "3 x 32 x 32, 3 x 5 x 1", "sizes equal"),
    ),
    "a constant with too many numbers": (
        "stem: [<{parameter: [1000000, 1000000, 1000000], name: p}>]",
        ("feature-map-vanishes", "`parameter` outputs 1000000 x 1000000 x 1000000", ""),
    ),
    "a size of a constant that is too large": (
        "stem: [{scale: [{parameter: <[3, 1, 9000000000]>, name: p}]}]",
        ("out-of-range", "expected at most 1048576, found 9000000000", "or less"),
    ),
    "a constant in a sequence": (
        "stem: [{sequence: [<{parameter: [3, 1, 1], name: p}>]}]",
        ("bad-layer", "a `parameter` is not a module", "move it into a block"),
    ),
    "a constant as a shortcut": (
        "stem: [{residual: [{conv: 8}], shortcut: <{parameter: [8, 32, 32], name: p}>}]",
        ("bad-layer", "a `parameter` is not a module", "move it into a block"),
    ),
    "constants in a map of initial weights": (
        "stem: [norm]\ninit: {<parameter>: zeros}",
        (
            "unknown-name",
            "`parameter` is initialized where it is defined",
            "on the `parameter` itself",
        ),
    ),
    "a function that cannot draw a constant": (
        "stem: [{scale: [{parameter: [3, 1, 1], name: p, init: <eye>}]}]",
        (
            "out-of-range",
            "`eye` cannot initialize the weight of `parameter`, which is 3 x 1 x 1",
            "",
        ),
    ),
    "a number of 5,000 digits": (
        f"stem: {{conv1: {{conv: <{'9' * 5000}>}}}}",
        ("too-large", "more than 30 digits", "fewer digits"),
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_one_finding_at_its_place(kind: str, tmp_path: Path) -> None:
    marked, (rule, message, hint) = WRONG[kind]
    before, after = marked.split("<", 1)
    (found,) = findings(tmp_path, TWO_LINES + marked.replace("<", "").replace(">", "") + "\n")
    assert found.rule == rule
    assert message in found.message
    assert hint in found.hint
    span = found.span
    assert span is not None
    assert (span.line, span.column) == _end_of(TWO_LINES + before)
    if rule != "yaml-feature":  # YAML's parser gives the end of the whole value
        assert (span.end_line, span.end_column) == _end_of(
            TWO_LINES + before + after.split(">", 1)[0]
        )


def _end_of(text: str) -> tuple[int, int]:
    """Line and column behind a text."""
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


#: The whole file; line and column; rule; words of message and hint.
WHOLE = {
    "an empty file": (
        "",
        (1, 1),
        (
            "empty-file",
            "the file is empty",
            "start with `name: my_network`, then `input:` and `stages:`",
        ),
    ),
    "a list": ("- name: net\n", (1, 1), ("not-a-mapping", "found a list", "start with")),
    "no name": (
        "input: [3, 8, 8]\n",
        (1, 1),
        ("missing-key", "missing required key `name`", "`name: "),
    ),
    "a spec that extends itself": (
        "name: net\nextends: net\n",
        (2, 10),
        (
            "extends",
            "unknown spec `net`",
            "a spec cannot extend itself: name another spec, or remove the line",
        ),
    ),
    "a spec that extends nothing": (
        "name: net\nextends: resnet5\n",
        (2, 10),
        ("extends", "unknown spec `resnet5`", "did you mean `resnet50`?"),
    ),
    "a number for the input": (
        "name: net\ninput: 224\n",
        (2, 8),
        ("wrong-type", "expected a list, found `224`", "`input: [3, 224, 224]`"),
    ),
    "an input of no size": (
        "name: net\ninput: [3, 0]\n",
        (2, 12),
        ("out-of-range", "expected at least 1, found `0`", "`input: [3, 224, 224]`"),
    ),
    "an input of five dimensions": (
        "name: net\ninput: [3, 8, 8, 8, 8]\n",
        (2, 8),
        ("out-of-range", "expected a list of at most 4, found a list of 5", "`input: [3, 224"),
    ),
    "a network without layers": (
        "name: net\ninput: [3, 8, 8]\n",
        (1, 7),
        ("no-layers", "the network has no layers", "add a `stem`"),
    ),
    "a network of nothing": (
        "name: net\ninput: [3, 8, 8]\nstem: none\nhead: {fc: none}\n",
        (1, 7),
        ("no-layers", "the network has no layers", "add a `stem`"),
    ),
    "a typo that hides all that is inherited": (
        "name: net\nextend: resnet18\nstages: {layer1: {repeat: 3}}\n",
        (2, 1),
        ("unknown-key", "unknown key `extend`", "did you mean `extends`?"),
    ),
    "a typo that hides a key": (
        "name: net\nimput: [3, 8, 8]\n",
        (2, 1),
        ("unknown-key", "unknown key `imput`", "did you mean `input`?"),
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_one_finding_for_a_whole_file(kind: str, tmp_path: Path) -> None:
    text, place, (rule, message, hint) = WHOLE[kind]
    (found,) = findings(tmp_path, text)
    assert found.rule == rule
    assert message in found.message
    assert hint in found.hint
    assert found.span is not None
    assert (found.span.line, found.span.column) == place


def test_specs_that_extend_one_another_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("name: other\nextends: net\n", "utf-8")
    (found,) = findings(tmp_path, "name: net\nextends: other\n")
    assert (found.rule, found.message) == ("extends", "`net` extends itself")
    assert "break the cycle" in found.hint


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(archspec.UnreadableFile, match="no such file"):
        archspec.load(tmp_path / "nothing.yaml")


def test_a_shipped_spec_with_a_typo() -> None:
    with pytest.raises(archspec.UnreadableFile, match="did you mean `resnet50`"):
        archspec.load("resnet5O")


def test_all_findings_of_a_file_in_one_go(tmp_path: Path) -> None:
    text = """\
stem: {conv1: {conv: {channels: 64, kernal: 3}}, bn1: nrom}
stages:
  layer1: {block: basic, channels: 64, strid: 2}
  layer2: {block: bsic, channels: 128}
  layer3: {block: basic, channels: 32}
head: {fc: {linear: clases}}
args: {classes: 10}
"""
    found = findings(tmp_path, TWO_LINES + text)
    assert [(d.rule, d.span.line) for d in found if d.span] == [
        ("unknown-key", 3),
        ("unknown-layer", 3),
        ("unknown-key", 5),
        ("unknown-block", 6),
        ("channels-shrink", 7),
        ("unknown-name", 8),
    ]


def test_shapes_that_do_not_fit_are_told_at_once(tmp_path: Path) -> None:
    """Behind a norm or an activation, and behind each stage, it is known what should arrive."""
    text = """\
stem:
  conv1: {conv: {channels: 60, kernel: 3}}
  bn1: {group_norm: 32}
  act1: {act: {inplac: true}}
stages:
  layer1: {block: basic, channels: 64, norm: {group_norm: 48}}
  layer2: {block: basic, channels: 128, stride: 2, drop_path: 2}
head:
  fc: {linear: 10}
"""
    found = findings(tmp_path, TWO_LINES + text)
    assert [(d.rule, d.span.line) for d in found if d.span] == [
        ("groups-do-not-divide", 5),
        ("unknown-key", 6),
        ("groups-do-not-divide", 8),
        ("out-of-range", 9),
        ("shape-mismatch", 11),
    ]


def test_what_deletes_nothing_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "name: base\nextends: resnet18\nhead: {fx: null}\n", "utf-8"
    )
    text = """\
name: net
extends: base
stem: {maxpol: null, conv1: {conv: {kernl: 3}}}
stages: {layer3: {channels: 16}}
head: {fc: {linear: clases}}
"""
    spans = [
        (d.rule, Path(d.span.file).name, d.span.line) for d in findings(tmp_path, text) if d.span
    ]
    assert spans == [
        ("extends", "base.yaml", 3),
        ("extends", "net.yaml", 3),
        ("unknown-key", "net.yaml", 3),
        ("channels-shrink", "net.yaml", 4),
        ("unknown-name", "net.yaml", 5),
    ]


@pytest.mark.parametrize("wrong", ["channels: 8, shrink: 3", "channels: x y, shrink: it may"])
def test_no_stage_seems_to_shrink_because_another_is_wrong(wrong: str, tmp_path: Path) -> None:
    stages = f"""\
stages:
  layer1: {{block: basic, channels: 16}}
  layer2: {{block: basic, {wrong}}}
  layer3: {{block: basic, channels: 8}}
"""
    assert [
        d.rule for d in findings(tmp_path, TWO_LINES + stages) if d.rule == "channels-shrink"
    ] == []


@pytest.mark.parametrize("kind", WRONG)
def test_the_command_line_says_the_same(kind: str, project: Project) -> None:
    marked, (_, message, hint) = WRONG[kind]
    project.spec(marked.replace("<", "").replace(">", "") + "\n")
    for command in ("lint", "build"):
        said = project.run(command)
        assert said.code == 1
        assert "Traceback" not in said.out + said.err
        assert message in said.out + said.err
        assert str(project.folder) not in said.out + said.err
    assert hint in project.lint("--format", "full").out
    assert not (project.folder / "generated").exists()


#: What an op is called elsewhere, and what it is called here.
ELSEWHERE = {
    "swish": "silu",
    "hswish": "hard_swish",
    "hardswish": "hard_swish",
    "bn": "batch_norm",
    "batchnorm": "batch_norm",
    "gn": "group_norm",
    "ln": "layer_norm",
    "fc": "linear",
    "Dense": "linear",
    "avgpool": "avg_pool",
    "gap": "global_avg_pool",
    "conv2d": "conv",
}
OF_TORCH = ("hardswish", "batchnorm", "avgpool", "conv2d")


@pytest.mark.parametrize("word", ELSEWHERE)
def test_what_an_op_is_called_elsewhere(word: str, tmp_path: Path) -> None:
    ours = ELSEWHERE[word]
    (layer,) = findings(tmp_path, f"{TWO_LINES}stem: [{word}]\n")
    (default,) = findings(tmp_path, f"{TWO_LINES}defaults: {{{word}: {{}}}}\nstem: [norm]\n")
    for found in (layer, default):
        assert f"did you mean `{ours}`" in found.hint
        assert ("`norm`" in found.hint) == (ours == "batch_norm")
    fixed = layer.fix and layer.fix.edits[0].text
    assert fixed == (ours if word in OF_TORCH else None)


def test_names_of_elsewhere_are_ops_and_blocks() -> None:
    library = Library({})
    names = set(elsewhere.ELSEWHERE.values()) - {"none"}
    assert all(name in HEADS or library.block(name) for name in names)


@pytest.mark.parametrize("name", ["conv", "residual", "norm", "act"])
def test_a_block_file_that_no_layer_can_mean(name: str, project: Project) -> None:
    project.spec("stem: [{conv: 64}, norm, act]\n")
    project.write(f"specs/blocks/{name}.yaml", "body: [{conv: channels}]\n")
    place = f"specs/blocks/{name}.yaml:1:1: AS117 [bad-name] `{name}` is "
    for paths in (["specs/net.yaml"], [f"specs/blocks/{name}.yaml"], ["specs"]):
        said = project.lint(*paths)
        assert said.code == 1
        assert said.lines[0].startswith(place)
        assert said.lines[1].startswith("1 error")
    assert project.run("build").code == 1


def test_a_block_of_the_spec_is_no_norm(project: Project) -> None:
    project.spec("blocks: {norm: {body: [{conv: channels}]}}\nstem: [norm]\n")
    assert "`norm` is reserved: every block has it as a part" in project.lint().out


def test_a_default_for_a_block_with_findings(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body: 7\n")
    project.spec("defaults: {cell: {norm: none}}\nstem: [norm]\n")
    said = project.lint("specs/net.yaml")
    assert (said.code, said.err) == (1, "")
    assert "expected a list of layers" in said.out


def test_names_are_told_beside_a_wrong_key_of_the_same_layer(tmp_path: Path) -> None:
    text = """stem:
  conv1: {conv: {channels: wdith, kernal: 3}}
head:
  fc: {linear: clases, bais: true}
"""
    found = [(d.rule, d.span.line) for d in findings(tmp_path, TWO_LINES + text) if d.span]
    assert found == [
        ("unknown-name", 4),
        ("unknown-key", 4),
        ("unknown-name", 6),
        ("bad-layer", 6),
    ]


@pytest.mark.parametrize("inline", ["true", "false"])
def test_a_layer_that_is_a_block_and_takes_no_stride(inline: str, tmp_path: Path) -> None:
    text = f"""blocks:
  cell: {{inline: {inline}, body: [{{conv: {{channels: channels, kernel: 3}}}}, norm]}}
stem:
  - cell: {{channels: 8, stride: 1}}
  - cell: {{channels: 8, stride: 2}}
"""
    (found,) = findings(tmp_path, TWO_LINES + text)
    assert (found.rule, found.severity) == ("stride-ignored", "error")
    assert found.span
    assert (found.span.line, found.span.column) == (7, 33)


def test_what_is_wrong_in_a_base_is_told_with_the_line_that_extends_it(tmp_path: Path) -> None:
    (tmp_path / "root.yaml").write_text(
        "name: root\ninput: [3, 8, 8]\nhead: [{linear: 10}]\nstem: {c: {conv: wdith}}\n"
    )
    (tmp_path / "base.yaml").write_text("name: base\nextends: root\n")
    (found,) = findings(tmp_path, "name: net\nextends: base\n")
    assert found.span
    assert Path(found.span.file).name == "root.yaml"
    labels = [(Path(label.span.file).name, label.span.line) for label in found.labels]
    assert labels == [("net.yaml", 2)]


def test_both_sides_of_a_sum_are_shown(tmp_path: Path) -> None:
    text = """stem:
  - residual:
      - conv: {channels: 16, kernel: 3, stride: 2}
    shortcut:
      - conv: 16
"""
    (found,) = findings(tmp_path, TWO_LINES + text)
    assert [(label.span.line, label.text.split(" ")[1]) for label in found.labels] == [
        (5, "body"),
        (7, "shortcut"),
    ]


@pytest.mark.parametrize("text", ["1or 8", "8if 1 else 8", "0x8for", "1.in", '"\\d"', "8 \\"])
def test_what_python_would_warn_of_is_no_expression(text: str) -> None:
    """The warning would go to standard error, in words that are not ours."""
    parse_expression.cache_clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(ExpressionError, match="invalid expression"):
            parse_expression(text)
    assert not warned


@pytest.mark.parametrize("text", ["8 if 1 else 8", "0xf", "1e3", "inner1 or 8", "x8in"])
def test_what_it_would_not_is(text: str) -> None:
    assert parse_expression(text)


@pytest.mark.parametrize("name", ["math", "torch", "Argparse", "sitecustomize", "numpy"])
def test_a_network_hides_no_module_of_python(name: str, tmp_path: Path) -> None:
    """Its file lies beside the training scripts, which import these."""
    (found,) = findings(tmp_path, f"name: {name}\ninput: [3, 8, 8]\nstem: [relu]\n")
    assert (found.rule, found.hint) == (
        "bad-name",
        f"choose another name; for example, `{name}_net`",
    )
    assert found.span
    assert (found.span.line, found.span.column) == (1, 7)


def test_all_findings_of_layers_in_a_list(tmp_path: Path) -> None:
    text = """\
stem:
  - conv: {chanels: 16, kernel: three, stride: -1}
  - nrom
  - {conv: 8, whne: true}
  - residual: [{conv: {channels: 8, kernel: [3, 0]}}, {nrm: {}}]
stages:
  layer1: {block: basik, channels: 16}
  layer2: {blok: basic, repeat: 0, channels: 32}
defaults: {conv: {biass: true}, act: silluu}
blocks: {cell: {boddy: [{conv: wdith}]}}
expect: {parms: 3}
head: [{linear: clases}]
"""
    found = findings(tmp_path, "name: net\ninptu: [3, 8, 8]\n" + text)
    assert [(d.rule, d.span.line) for d in found if d.span] == [
        ("unknown-key", 2),
        ("unknown-key", 4),
        ("unknown-name", 4),
        ("out-of-range", 4),
        ("unknown-layer", 5),
        ("unknown-key", 6),
        ("out-of-range", 7),
        ("unknown-layer", 7),
        ("unknown-block", 9),
        ("unknown-key", 10),
        ("out-of-range", 10),
        ("unknown-key", 11),
        ("unknown-layer", 11),
        ("unknown-key", 12),
        ("unknown-name", 12),
        ("unknown-key", 13),
        ("unknown-name", 14),
    ]


def test_stages_that_shrink_are_told_beside_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    text = """stem: {conv1: {conv: {chanels: 8}}}
stages:
  a1: {block: basic, channels: 64}
  a2: {block: basic, channels: 32}
"""
    found = findings(tmp_path, TWO_LINES + text)
    assert [d.rule for d in found] == ["unknown-key", "channels-shrink"]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a spec; what others lean on as a whole."""
    if not isinstance(data, dict | list):
        return
    for step, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, step)
        if step not in ("args", "train"):
            yield from places(value, (*path, step))


def plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    return [plain(value) for value in data] if isinstance(data, list) else data


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "mobilenet_v2"])
@pytest.mark.parametrize("wrong", [-1, None, "no such!", {"conv!": 1}], ids=str)
def test_one_wrong_thing_is_one_finding(name: str, wrong: object) -> None:
    right = plain(archspec.load(name).data)
    for path in places(right):
        here = data = plain(right)
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = wrong
        try:
            archspec.load(data)
        except archspec.SpecError as error:
            rules = [found.rule for found in error.diagnostics]
            assert len(rules) == 1 or rules == ["missing-key", "unknown-key"], path


#: A spec whose parts disagree, and line and text of each other place that is shown.
SIDES = {
    "stages:\n  a: {block: basic, channels: 64}\n  b: {block: basic, channels: 32}\n": [
        (4, "compared with this value")
    ],
    "stages:\n  a:\n    block: basic\n    repeat: 3\n    channels: [8, 8]\n": [
        (6, "3 blocks here")
    ],
    "stem:\n  - concat:\n      - conv: 8\n      - {conv: {channels: 4, stride: 2}}\n": [
        (5, "this outputs 8 x 32 x 32"),
        (6, "this outputs 4 x 16 x 16"),
    ],
    "stem:\n  - add:\n      a: {conv: 8}\n      b: [norm, act]\n": [
        (5, "this outputs 8 x 32 x 32"),
        (6, "this outputs 3 x 32 x 32"),
    ],
}


@pytest.mark.parametrize("text", SIDES)
def test_where_two_places_disagree_both_are_shown(text: str, tmp_path: Path) -> None:
    (found,) = findings(tmp_path, TWO_LINES + text)
    assert [(label.span.line, label.text) for label in found.labels] == SIDES[text]


def test_a_stage_that_shrinks_by_what_a_variant_says_is_told_in_the_variant(tmp_path: Path) -> None:
    stages = "stages: {a: {block: basic, channels: 32}, b: {block: basic, channels: 64}}\n"
    (tmp_path / "base.yaml").write_text(f"name: base\ninput: [3, 8, 8]\n{stages}")
    (found,) = findings(tmp_path, "name: net\nextends: base\nstages: {a: {channels: 128}}\n")
    assert found.rule == "channels-shrink"
    assert found.span
    assert (Path(found.span.file).name, found.span.line) == ("net.yaml", 3)
    assert [Path(label.span.file).name for label in found.labels] == ["base.yaml"]


def test_all_findings_of_a_block_file(project: Project) -> None:
    text = """doc: 3
argz: {k: 3}
parts: {gate: none}
body:
  - conv: {channels: channels, kernal: kk, stride: strid}
  - nrm
  - {act: {}, whn: indx > 0}
"""
    project.write("specs/blocks/cell.yaml", text)
    places = [line.split(": ", 1)[0].split(":", 1)[1] for line in project.lint("specs").lines[:-1]]
    assert places == ["1:6", "2:1", "5:32", "5:40", "5:52", "6:5", "7:15", "7:20"]


@pytest.mark.parametrize("kind", ["args: {Gate: 1}", "parts: {Gate: none}"])
def test_a_bad_name_in_a_block_is_one_finding(kind: str, project: Project) -> None:
    project.write("specs/blocks/cell.yaml", f"{kind}\nbody: [{{conv: channels}}, Gate]\n")
    (line, _) = project.lint("specs").lines
    assert "AS117 [bad-name]" in line


#: What is wrong by a number that a block is given, and where the number stands.
GIVEN = {
    "stages: {a: {block: bottleneck, channels: 64, width: 32, groups: <7>}}": "in a stage",
    "defaults: {bottleneck: {width: 32, groups: <7>}}\n"
    "stages: {a: {block: bottleneck, channels: 64}}": "in defaults",
    "stages: {a: {block: basic, channels: 8, repeat: 2, drop_path: [0, <2>]}}": "block by block",
    "blocks: {cell: {args: {g: 1}, body: [{conv: {channels: channels, groups: g}}]}}\n"
    "stem: [{conv: 8}, {cell: {g: <3>}}]": "at a layer",
    "blocks:\n  cell: {args: {g: 1}, body: [{conv: {channels: channels, groups: g}}]}\n"
    "  outer: {args: {h: 1}, body: [{cell: {g: h}}]}\n"
    "stem: [{conv: 8}, {outer: {h: <3>}}]": "two blocks away",
}


@pytest.mark.parametrize("marked", GIVEN, ids=GIVEN.values())
def test_a_number_that_is_wrong_inside_a_block_is_told_where_it_is_given(
    marked: str, tmp_path: Path
) -> None:
    text = marked.replace("<", "").replace(">", "")
    (found,) = findings(tmp_path, f"{TWO_LINES}{text}\n")
    assert found.span
    place = (found.span.line, found.span.column)
    assert place == _end_of(TWO_LINES + marked.split("<", 1)[0])
    texts = [label.text for label in found.labels]
    assert texts[0] == "in this layer"
    assert "is used here" in texts[1]


def test_what_a_variant_breaks_of_a_shipped_spec_is_told_in_the_variant(tmp_path: Path) -> None:
    """Else a reviewer would be sent to a file that is right, and is not in the repository."""
    text = "name: net\nextends: regnet_y_400mf\ndefaults: {regnet: {group_width: 16}}\n"
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    found = check_spec(archspec.load(tmp_path / "net.yaml"))
    assert {(d.rule, d.span.line, d.span.column) for d in found if d.span} == {
        ("groups-do-not-divide", 2, 10)
    }
    assert "regnet_x_400mf.yaml" in found[0].labels[0].span.file


def test_what_a_variant_breaks_in_a_shipped_block_is_told_there_too(tmp_path: Path) -> None:
    """Squeeze-and-excitation has an activation, which cannot be itself."""
    text = f"{TWO_LINES}stem: [{{conv: 8}}, act]\ndefaults: {{act: se}}\n"
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    (found,) = check_spec(archspec.load(tmp_path / "net.yaml"))
    assert found.rule == "cycle"
    assert found.span
    assert (Path(found.span.file).name, found.span.line) == ("net.yaml", 4)
    assert [Path(label.span.file).name for label in found.labels] == ["se.yaml"]

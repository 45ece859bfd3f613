"""Specs as a stranger would send them: drawn ones with nasty text, names and numbers put in."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from archspec.language.train import REGULARISERS
from archspec.ops import OPS
from archspec.source.reader import parse
from support import ROOT
from support.strategies import specs

Draw = Callable[[st.SearchStrategy[Any]], Any]

WORDS = (
    *("forward", "train", "type", "to", "half", "training", "self", "x", "nn", "F", "torch"),
    *("Tensor", "Module", "super", "range", "isinstance", "min", "max", "round", "float", "int"),
    *("true", "false", "none", "null", "None", "True", "lambda", "match", "class", "import"),
    *("tensor", "blur_pool", "BlurPool", "channel_scale", "Reshape", "drawn", "Drawn", "alpha"),
    *("alpha_", "Alpha", "alpha2", "Alpha2", "downsample", "width", "channels", "in_channels"),
    *("stride", "index", "repeat", "module", "kernel", "groups", "rate", "layer1", "conv1", "bn1"),
    *("relu", "relu2", "y", "z", "print", "norm", "act", "residual", "conv", "name", "block"),
    *("attention", "projection", "base", "classes", "__import__", "__class__", "_modules", "_x"),
    *(
        "append",
        "extra_repr",
        "T_destination",
        "\ufb01x",
        "\uff46orward",
        "\xe9",
        "\xaa",
        "\U0001d4d1",
        "a" * 60,
    ),
    *("a" * 61, "a" * 5000, "a-b", "a b", "a.b", "../x", "/etc/passwd", "x" * 59, "0", "1a", ""),
)
TEXTS = (
    *('"""', "'''", "\\", '"', '\\"', 'a"""\nimport os\n"""', "\\N{BULLET}", "\\x", "\\"),
    *(
        "{{ view }}",
        "{% for x in y %}",
        "{# #}",
        "%s %d %(x)s",
        "{0}",
        "\x1b[31mred",
        "\u202egnp.exe",
    ),
    *("a\nb", "a\r\nb", "\u2028", "\x00", "\x7f", "\ufeff", "\ud7ff", "\U0010ffff", "a\tb", "# x"),
    *("::error::x", "%0A::set-output", "<script>", "]]>", "x" * 5000, "word " * 700, "\n" * 50),
    *("1 + 1", "__import__('os').system('id')", "().__class__", "lambda: 0", "[1, 2]", "[" * 150),
    *("(" * 250 + "1" + ")" * 250, "-" * 490 + "1", "1 if 1 else " * 40 + "1", "9" * 499, "1e999"),
    *(
        "1 // 0",
        "1 % 0",
        "0 / 0",
        "log2(0)",
        "log2(-1)",
        "sqrt(-1)",
        "fan_in",
        "1 / (fan_out - 8)",
        "min(1)",
        "min()",
        "max(1, 2, 3)",
        "foo(1)",
    ),
    *("channels ** 2", "2 ** 9999", "1 << 99", "channels.real", "channels[0]", "f'{1}'", "b'x'"),
    *("channels // 3", "channels / 3", "channels - channels", "-channels", "channels * 1000000"),
    *("not channels", "index or 8", "channels and 8", "8 if index else channels", "1j", "0x10"),
    *("index", "width", "block_index * 8 + 8", "round(channels / 3)", "1 if stage == 1 else 2"),
    *("nan", "inf", "1 < 2 < 3", "1 == 1.0", "abs(-8)", "ceil(8.5)", "make_divisible(channels, 0)"),
    *("round_to(channels, 8)", "yes", "on", "64 # x", "min(channels, 8)", "max(8, channels // 2)"),
)
NUMBERS = (
    *(0, -1, 1, 2, 3, 7, 8, 16, 64, 1000, 1001, 4096, 4097, 65536, 65537, 2**20, 2**20 + 1),
    *(2**31, 2**63, 10**15, 10**29, 1e300, 0.5, -0.5, 1e-300, 1e-9, 8.0, 0.1, 1.5, True, False),
)


def nasty(draw: Draw) -> Any:
    """One value that has no place, or a surprising one."""
    kinds: list[Callable[[], Any]] = [
        lambda: draw(st.sampled_from(WORDS)),
        lambda: draw(st.sampled_from(TEXTS)),
        lambda: draw(st.sampled_from(NUMBERS)),
        lambda: draw(st.sampled_from((None, [], {}, [[]], [None], {"": 1}, [1, 2], [8, 8, 8]))),
        lambda: draw(st.text(max_size=30)),
        lambda: {draw(st.sampled_from((*OPS, "alpha", "beta", "unit", *WORDS))): nasty(draw)},
        lambda: [nasty(draw) for _ in range(draw(st.integers(0, 3)))],
        lambda: draw(st.sampled_from((*OPS, "alpha", "beta", "unit", "se", "conv_norm", "none"))),
    ]
    return draw(st.sampled_from(kinds))()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a spec: what holds it, and its key or index."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from places(value[key])


def renamed(value: Any, old: str, new: str) -> Any:
    """The spec with another word for a name, wherever it stands, in expressions too."""
    if isinstance(value, dict):
        return {renamed(k, old, new): renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(part, old, new) for part in value]
    if isinstance(value, str):
        return " ".join(new if word == old else word for word in value.split(" "))
    return value


RECIPES: dict[str, tuple[Any, ...]] = {
    "data": ("fashion_mnist", "cifar10", "imagenet", "folder", "tensors", "synthetic"),
    "epochs": (1, 3, 30, 100_000),
    "batch_size": (1, 64, 256),
    "lr": (0.1, 1, 1e-3),
    "loss": ("cross_entropy", "bce", "multi_label", "mse", "huber"),
    "loss_weights": ({}, {"fc": 1, "aux": 0.3}),
    "optimizer": ("sgd", "adamw", "lamb"),
    "momentum": (0, 0.9),
    "nesterov": (True, False),
    "decay_all": (True,),
    "schedule": (
        *("constant", "linear", "cosine", {"step": {"every": 2, "factor": 0.5}}),
        *({"step": {"at": [1, 2]}}, {"step": {"at": [1], "every": 1}}, {"step": {}}),
    ),
    "warmup": (0, 0.5, 5),
    "accumulate": (1, 2, 3),
    "size": (1, 8, 96),
    "test_size": (8, 65536),
    "test_crop": (0.95, 1),
    "noise": (0.05,),
    "augment": (
        {"rand_augment": 6},
        {"resized_crop": [0.08, 1], "rand_augment": {"layers": 2, "magnitude": 6}},
    ),
    "seed": (0, 2**32 - 1),
}
for _part in REGULARISERS:
    for _key, _value in parse(f"{{{_part.example}}}", "example").data.items():
        RECIPES[_key] = (type(_value)(), _value, *RECIPES.get(_key, ()))  # off, and on
NEEDED = ("data", "epochs", "batch_size", "lr")


@st.composite
def recipes(draw: Draw) -> dict[str, Any]:
    """A `train` section whose keys are right by themselves, and often beside one another."""
    some = draw(st.lists(st.sampled_from(sorted(RECIPES)), max_size=6, unique=True))
    chosen = {key: draw(st.sampled_from(RECIPES[key])) for key in (*NEEDED, *some)}
    return copy.deepcopy(chosen)


@st.composite
def hostile_recipes(draw: Draw) -> Any:
    """The same with one to three things done to it."""
    recipe: Any = {"train": draw(recipes())}
    for _ in range(draw(st.sampled_from((1, 1, 2, 3)))):
        holder, key = draw(st.sampled_from(list(places(recipe))))
        if isinstance(holder, dict) and holder is not recipe and draw(st.booleans()):
            holder[draw(st.sampled_from((*RECIPES, *WORDS, *TEXTS[:30])))] = holder.pop(key)
        else:
            holder[key] = nasty(draw)
    return recipe["train"]


@st.composite
def hostile_specs(draw: Draw) -> Any:
    """A drawn spec with one to three things done to it."""
    spec: Any = copy.deepcopy(draw(specs()))
    if draw(st.integers(0, 4)) == 0:
        spec["train"] = draw(recipes())
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        how = draw(st.sampled_from(("value", "value", "value", "key", "rename", "rename", "move")))
        everywhere = list(places(spec))
        holder, key = draw(st.sampled_from(everywhere))
        if how == "value":
            holder[key] = nasty(draw)
        elif how == "key" and isinstance(holder, dict):
            word = draw(st.sampled_from((*WORDS, *TEXTS[:30])))
            changed = {word if k == key else k: v for k, v in holder.items()}
            holder.clear()
            holder.update(changed)
        elif how == "move":
            other, place = draw(st.sampled_from(everywhere))
            holder[key] = copy.deepcopy(other.get(place) if isinstance(other, dict) else None)
        else:
            old = draw(st.sampled_from(("alpha", "unit", "width", "ratio", "rate", "groups")))
            old = draw(
                st.sampled_from((old, "base", "classes", "attention", "projection", "drawn"))
            )
            spec = renamed(spec, old, draw(st.sampled_from(WORDS)))
    return spec


NAMED = ("alpha", "unit", "shorthand", "width", "ratio", "rate", "groups", "base", "classes")
NAMED += ("attention", "gate", "projection", "drawn", "layer1", "layer2", "conv1", "relu")
LEGAL = (
    *("super", "range", "isinstance", "min", "max", "round", "int", "print", "tensor", "module"),
    *("Tensor", "F", "torch", "BlurPool", "blur_pool", "Module", "Reshape", "drawn", "Drawn"),
    *(
        "alpha_",
        "Alpha",
        "alpha2",
        "Alpha2",
        "al_pha",
        "downsample",
        "width",
        "ratio",
        "downsample2",
    ),
    *("conv1", "conv", "bn1", "relu", "relu2", "y", "z", "y2", "w", "attention", "kernel", "p"),
    *("padding", "kernel_size", "out_channels", "append", "insert", "weight", "bias", "filt"),
    *("math", "m", "part", "fan_in", "conv1_layers"),
    *("a" * 60, "x" * 59, "true", "log2", "features", "int", "float", "bool", "se", "conv_norm"),
    *("layer1", "stem", "head", "get", "call", "Sequential", "nn2", "size", "children2", "fc1"),
)
FORMULAS = tuple(text for text in TEXTS if "channels" in text or "index" in text)


@st.composite
def renamed_specs(draw: Draw) -> Any:
    """A drawn spec under other names and sizes: much of it is valid, and should not be odd."""
    spec: Any = copy.deepcopy(draw(specs()))
    for old in draw(st.lists(st.sampled_from(NAMED), min_size=1, max_size=3, unique=True)):
        spec = renamed(spec, old, draw(st.sampled_from(LEGAL)))
    for holder, key in list(places(spec)):
        if isinstance(holder[key], str) and draw(st.integers(0, 150)) == 0:
            words = FORMULAS if "channels" in holder[key] else LEGAL
            holder[key] = draw(st.sampled_from(words))
        if key in OPS and isinstance(holder, dict) and draw(st.integers(0, 20)) == 0:
            holder["name"] = draw(st.sampled_from(LEGAL))
    if draw(st.booleans()):
        spec["class"] = draw(st.sampled_from(("Alpha", "BlurPool", "Tensor", "Unit", "Module")))
    return spec


#: Legal and odd: words of Python, torch and the generated file, of other cases and lengths.
ODD = (
    *("Tensor", "tensor", "Module", "Drawn", "drawn", "BlurPool", "Reshape", "Identity", "Alpha"),
    *("alpha_", "al_pha", "alpha2", "y", "z", "w", "y2", "p", "kernel", "padding", "features"),
    *("a" * 60, "x" * 59, "print", "int_", "nn2", "downsample2", "sequential", "size", "filt"),
)
OFTEN = ("synthetic", "tensors")  # data that takes a network of any shape


@st.composite
def odd_specs(draw: Draw) -> Any:
    """A drawn spec with odd names and a recipe: half of them are right, and are built."""
    spec: Any = copy.deepcopy(draw(specs()))
    for old in draw(st.lists(st.sampled_from(NAMED), max_size=2, unique=True)):
        spec = renamed(spec, old, draw(st.sampled_from(ODD)))
    if draw(st.booleans()):
        spec["train"] = draw(recipes()) | {"data": draw(st.sampled_from(OFTEN))}
    return spec


def as_yaml(spec: Any) -> str:
    """JSON is YAML, and says every text exactly, but for surrogates instead of one character."""
    plain = json.dumps(spec, ensure_ascii=False)
    return json.dumps(spec) if len(plain) % 2 and max(plain) <= "\uffff" else plain


SHIPPED_TEXTS = tuple(path.read_text("utf-8") for path in sorted((ROOT / "specs").rglob("*.yaml")))
PIECES = (
    *("- ", ": ", "{", "}", "[", "]", ",", "#", "&a ", "*a", "!!python/object:os.system ", "<<: "),
    *("|", ">", "'", '"', "%", "@", "`", "\t", "\n", "\r", "---\n", "...\n", "? ", "null", "~"),
    *("no", "yes", "0", "-1", "1e5", ".nan", ".inf", "9" * 40, "\x00", "\ufeff", "\u2028", "\x85"),
    *("extends: resnet18\n", "  ", "block: ", "none", "when: ", "stride", "{channels: min(1, 2)}"),
)


@st.composite
def mutated_texts(draw: Draw) -> bytes:
    """A shipped spec with lines and bytes lost, doubled, swapped or put in."""
    text = draw(st.sampled_from(SHIPPED_TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "double", "swap", "indent", "cut", "put", "replace"))):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "indent":
                lines[at] = draw(st.sampled_from(("  ", " ", "\t", "- "))) + lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "put":
                column = draw(st.integers(0, len(lines[at])))
                piece = draw(st.sampled_from(PIECES))
                lines[at] = lines[at][:column] + piece + lines[at][column:]
            case "replace":
                words = lines[at].split(" ")
                place = draw(st.integers(0, len(words) - 1))
                words[place] = draw(st.sampled_from((*PIECES, *WORDS, *map(str, NUMBERS))))
                lines[at] = " ".join(words)
        text = "\n".join(lines) or "\n"
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 3)))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


__all__ = [
    "Path",
    "as_yaml",
    "hostile_recipes",
    "hostile_specs",
    "mutated_texts",
    "odd_specs",
    "recipes",
    "renamed_specs",
]

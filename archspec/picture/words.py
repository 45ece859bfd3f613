"""The names of layers in a picture, as in papers: `3×3 conv, 64, /2`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from archspec.analysis import Analysis
from archspec.diagnostics import visible
from archspec.expression import show, whole
from archspec.ir import Op, Shape, each
from archspec.rounding import rounded

TIMES = "\u00d7"
THIN = "\u00a0"  # a space that does not break
SHORT = {
    "batch_norm": "BN",
    "frozen_batch_norm": "frozen BN",
    "instance_norm": "IN",
    "group_norm": "GN",
    "layer_norm": "LN",
    "rms_norm": "RMSNorm",
    "local_response_norm": "LRN",
    "global_response_norm": "GRN",
    "std_conv": "WS conv",
    "scaled_std_conv": "WS conv",
    "conv_transpose": "up-conv",
    "multi_head_attention": "attention",
    "hard_swish": "h-swish",
    "hard_sigmoid": "h-sigmoid",
}
JOINS = {"+": "add", TIMES: "multiply", "C": "concatenate"}
# They change no value that a reader of the picture looks for, so they join a neighbor.
QUIET = ("flatten", "reshape", "channels_last", "channels_first", "transpose")


def kind_of(op: Op) -> str:
    """The kind of a layer, which determines the shape and color of its box."""
    if op.projects or op.attends:
        return "conv" if hasattr(op, "kernel_size") else "linear"
    return "pool" if "pool" in op.key else "other"


def joins_previous(op: Op) -> bool:
    """Whether a layer is drawn in the box of the layer before it."""
    return op.norm or op.activation or is_quiet(op)


def is_quiet(op: Op) -> bool:
    """Whether a layer is drawn in the box of any neighbor."""
    return op.drops or op.key in QUIET


def is_padding(op: Op) -> bool:
    """Whether a layer pads the image, and is drawn in the box of the layer after it."""
    return op.key.endswith("_pad")


def words(op: Op) -> str:
    """A layer without its sizes: `max pool`, `BN`, `ReLU`."""
    if op.imported:
        return visible(op.imported.rpartition(".")[2])
    if op.activation and op.key not in SHORT:
        return op.torch
    if op.key == "stochastic_depth":
        return "drop path"
    text = SHORT.get(op.key) or op.key.replace("adaptive_", "").replace("_", " ")
    return text.replace("global avg", "global average")


def title(op: Op, y: Shape) -> str:
    """A layer with its sizes: `7×7 conv, 64, /2`."""
    parts = [" ".join(filter(None, [window(op), _named(op)]))]
    if op.projects or (op.leaves and hasattr(op, "kernel_size")):
        parts.append(str(y.channels))
    if groups := _groups(op):
        parts.append(f"{groups}{THIN}groups")
    if heads := getattr(op, "num_heads", 0):
        parts.append(f"{heads}{THIN}heads")
    if op.key.startswith("adaptive_"):
        parts[0] += f" to {TIMES.join(map(str, y.spatial))}"
    return ", ".join(parts) + scale(op)


def _named(op: Op) -> str:
    if is_depthwise(op):
        return "depthwise"
    rate: Any = getattr(op, "dilation", 1)
    dilated = "dilated " if op.projects and max(each(rate, 1)) > 1 else ""
    return dilated + words(op)


def note(op: Op) -> str:
    """The text of a layer in the box of the layer before it; "" if it is left out."""
    if op.drops:
        rate: Any = getattr(op, "p", 0)
        if op.key == "stochastic_depth":  # its rate differs from block to block
            return words(op)
        return f"{words(op)} {float(rate):.3g}" if rate else ""
    return "" if op.key in QUIET else words(op)


def short(op: Op, y: Shape) -> tuple[str, str]:
    """The kernel and the output channels of a layer: `3×3` and `64`.

    A depthwise convolution has only its kernel, because it keeps the channels.
    """
    if op.attends:
        return "attention", ""
    if is_depthwise(op):
        return f"{window(op)} dw", ""
    return window(op) or words(op), str(y.channels)


def is_depthwise(op: Op) -> bool:
    """Whether each channel has its own filter."""
    arrive: int = getattr(op, "in_channels", 1)
    return arrive > 1 and getattr(op, "groups", 1) == arrive


def _groups(op: Op) -> int:
    groups: int = getattr(op, "groups", 1)
    return groups if op.projects and groups > 1 and not is_depthwise(op) else 0


def window(op: Op) -> str:
    """The kernel: `3×3`."""
    sizes: Any = getattr(op, "kernel_size", None)
    return "" if sizes is None else TIMES.join(map(str, each(sizes, max(op.rank, 1))))


def scale(op: Op) -> str:
    """The factor by which the image shrinks or grows: `, /2`; "" if the name implies it."""
    strides = op.strides() or ()
    if not strides or set(strides) == {1} or op.key.startswith("global_"):
        return ""
    if len({*strides}) > 1:
        return ", /" + TIMES.join(map(show, strides))
    step = strides[0]
    if step > 1:
        return f", /{show(step)}"
    return f" {TIMES}{THIN}{show(whole(Fraction(1) / Fraction(step)))}"


def named(analysis: Analysis) -> str:
    """The name of a network, from its class."""
    return visible(analysis.network.root.class_name if analysis.network else analysis.name)


def sizes(y: tuple[int | str, ...]) -> str:
    """A shape: `64 × 56 × 56`, with spaces that do not break."""
    return f"{THIN}{TIMES}{THIN}".join(map(str, y))


def count(number: int) -> str:
    """A number with three digits: `9.54k`, `1.22M`, `4.09G`; "" for zero."""
    return rounded(number) if number else ""


def share(part: int, whole: int) -> str:
    """A percentage with one decimal; `<0.1%` if it is less, "" for zero."""
    if not part or not whole:
        return ""
    percent = 100 * part / whole
    return "<0.1%" if percent < 0.05 else f"{percent:.1f}%"

"""Every op against its torch class: arguments, defaults, shapes, parameters, multiply-adds."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn

from archspec import helpers
from archspec.expression import Number
from archspec.ir import Op, OpField, Shape, ShapeError, fields_of
from archspec.ir.tree import TensorInfo
from archspec.language.identifiers import MODULE_ATTRIBUTES
from archspec.ops import OPS, sequences
from archspec.ops.constants import Parameter
from archspec.reference.texts import LEFT_OUT as WITHOUT_OP
from support.measured import counted
from support.ops import ARRIVES, made, meetings
from support.strategies import EXAMPLES

#: Arguments of torch that a spec has no say in.
LEFT_OUT = {
    "device": "a module is moved as a whole",
    "dtype": "a module is cast as a whole",
    "inplace": "a residual may still need what it would overwrite",
    "return_indices": "an unpooling layer would need them, and there is none",
    "divisor_override": "a factor, which the next layer learns by itself",
    "recompute_scale_factor": "whole factors come out even",
    "min_value": "torch's old name",
    "max_value": "torch's old name",
    "end_dim": "all dimensions from the first on are taken",
    "args": "nn.Identity and others take what they ignore",
    "kwargs": "nn.Identity and others take what they ignore",
}
#: Arguments that are left out of one class alone.
OF_ONE = {
    ("batch_norm", "bias"): "newer than the oldest torch we take",
    ("group_norm", "bias"): "newer than the oldest torch we take",
    ("instance_norm", "bias"): "newer than the oldest torch we take",
    ("conv_transpose", "padding_mode"): "torch takes zeros alone",
}
RANKED = [
    (key, rank)
    for key, op in OPS.items()
    if not op.constant
    for rank in ((1, 2, 3) if "{" in op.torch else (2,))
]
SEQUENCES = [key for key, op in OPS.items() if op.__module__ == sequences.__name__]
# What these refuse is a question of meaning: torch would take the numbers.
STRICTER = {
    "linear",
    "softmax",
    "channels_first",
    "channels_last",
    "pad_channels",
    "reshape",
    "channel_shuffle",
    "stochastic_depth",
    "dropout2d",
    "feature_alpha_dropout",
    "instance_norm",  # torch refuses while training
    "local_response_norm",
    "global_response_norm",
    "rrelu",  # torch refuses while training
    "zero_pad",  # torch takes any number of pairs
    "constant_pad",
    "crop",
    "mean",
    "max",
    "transpose",
    "select",  # torch takes any dimension for the length
    "pixel_shuffle",
    "pixel_unshuffle",
    "std_conv",
    "scaled_std_conv",
    "upsample",  # torch takes a scale beside its size None
    "embedding",
    "multi_head_attention",
    "lstm",
    "gru",
    "parameter",  # torch takes any shape
}


@cache
def modules() -> ModuleType:
    """The helper classes, as torch modules."""
    spec = importlib.util.spec_from_file_location("helper_modules", helpers.FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def torch_class(name: str) -> Any:
    return getattr(modules() if name in helpers.HELPERS else nn, name)


@pytest.mark.parametrize(("key", "rank"), RANKED)
def test_arguments_are_those_of_torch(key: str, rank: int) -> None:
    """Names, order and defaults; helpers against their own constructors."""
    op = OPS[key]
    signature = inspect.signature(torch_class(op.torch.format(rank=rank))).parameters
    theirs = {
        name: parameter.default
        for name, parameter in signature.items()
        if name not in LEFT_OUT and (key, name) not in OF_ONE
    }
    fields = fields_of(op)
    names = {f.torch for f in fields}
    if key == "max_pool" or key == "avg_pool":
        names &= set(theirs)
    assert [f.torch for f in fields if f.torch in names] == list(theirs)
    for f in fields:
        if f.how.kind not in ("axis", "fixed"):
            wanted = inspect.Parameter.empty if f.default is MISSING else f.default
            assert theirs[f.torch] == wanted, f.torch


def test_each_short_name_means_one_argument() -> None:
    for op in OPS.values():
        names = [f.name for f in fields_of(op)]
        assert len(set(names)) == len(names)
        assert op.first is None or op.first in names


def test_helpers_are_those_that_ops_name() -> None:
    named = {op.torch for op in OPS.values()} | {"ChannelLayerNorm", "ChannelRMSNorm"}
    assert set(helpers.HELPERS) == named & set(helpers.HELPERS)
    for op in OPS.values():
        if op.extends:
            assert issubclass(torch_class(op.torch), getattr(nn, op.extends))


def test_attributes_of_a_module_are_known() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= MODULE_ATTRIBUTES


def test_a_class_of_torch_that_has_an_op_is_not_listed_without_one() -> None:
    assert not WITHOUT_OP.keys() & {op.torch for op in OPS.values()}, (
        "archspec/reference/texts.yaml"
    )


@pytest.mark.parametrize(("arrives", "key"), meetings())
def test_the_reach_has_one_number_or_one_for_each_dimension(arrives: str, key: str) -> None:
    """Of the output, which may have fewer dimensions than the input."""
    op = made(OPS[key], ARRIVES[arrives])
    assert len(op.reach(ARRIVES[arrives])) in (0, 1, op.output(ARRIVES[arrives]).rank)


# Shapes -------------------------------------------------------------------------------

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def shapes(draw: Draw, key: str = "") -> Shape:
    if key in SEQUENCES and draw(st.integers(0, 4)):
        return Shape(draw(st.integers(1, 12)), (draw(st.integers(1, 9)),), last=True)
    rank = draw(st.integers(0, 3))
    spatial = tuple(draw(st.integers(1, 9)) for _ in range(rank))
    return Shape(draw(st.integers(1, 12)), spatial, bool(rank) and draw(st.integers(0, 4)) == 0)


def drawn_argument(f: OpField, shape: Shape, draw: Draw) -> Any:
    """One value that the language takes for an argument."""
    match f.how.kind:
        case "arrives":
            return shape.channels
        case "dims":
            return 0 if shape.last else shape.rank
        case "axis":
            return -1 if shape.last else 1
        case "fixed":
            return f.default
        case "flag":
            return draw(st.booleans())
        case "choice":
            return draw(st.sampled_from(f.how.choices))
        case "real":
            low, high = f.how.low or 0.0, f.how.high if f.how.high is not None else 1.0
            return draw(st.floats(low, high).filter(lambda x: x == 0 or x > 1e-6))
    low = max(int(f.how.low or 0), 1 if f.how.kind == "size" else 0)
    one = st.integers(low, min(low + 4, int(f.how.high or 100)))
    if f.how.many and shape.rank and draw(st.booleans()):
        return tuple(draw(one) for _ in range(shape.rank))
    return draw(one)


def drawn_op(op: type[Op], shape: Shape, draw: Draw) -> Op:
    given = {f.torch: drawn_argument(f, shape, draw) for f in fields_of(op)}
    if op.key == "reshape":
        given["shape"] = draw(
            st.sampled_from([(1, shape.elements), (shape.elements,), tuple(shape.sizes), (2, 3)])
        )
    if op.key == "parameter" and draw(st.booleans()):
        ones = draw(st.integers(0, 1)) * (1,)
        given["shape"] = (*ones, *(draw(st.integers(1, 4)) for _ in shape.sizes))
    if op.key in ("conv", "pad_channels") and draw(st.booleans()):
        given["out_channels"] = shape.channels * draw(st.integers(1, 3))
    return op(**given, rank=shape.rank)


def torch_takes(op: Op, shape: Shape) -> bool:
    """Whether anything is left of it; a grouped transposed convolution may give nothing."""
    try:
        _, output = run_by_torch(op, shape)
    except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError):
        return False
    return output.numel() > 0


class Held(nn.Module):
    """A constant for each sample."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight.expand(x.shape[0], *[-1] * (x.dim() - 1))


def run_by_torch(op: Op, shape: Shape) -> tuple[nn.Module, torch.Tensor]:
    if isinstance(op, Parameter):
        held = Held(*op.sizes)
        return held, held(numbers(op, shape)).detach()
    signature = inspect.signature(torch_class(op.torch_name(shape))).parameters
    given = {f.torch: getattr(op, f.torch) for f in fields_of(type(op))}
    kwargs = {k: v for k, v in given.items() if k in signature or f"**{k}" in signature}
    module = torch_class(op.torch_name(shape))(**kwargs).eval()
    with torch.no_grad():
        return module, module(numbers(op, shape))


def numbers(op: Op, shape: Shape) -> torch.Tensor:
    """What may arrive: numbers at random, or ones that have an embedding."""
    return (torch.zeros if op.key == "embedding" else torch.randn)(1, *shape.sizes)


def measured(op: Op, module: nn.Module, shape: Shape) -> int:
    """Multiply-adds as torch counts them; the filter of a pool is no convolution to us."""
    return 0 if op.key == "blur_pool" else counted(module, shape.sizes)


@pytest.mark.parametrize("key", OPS)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_shapes_and_costs_are_those_of_torch(key: str, data: st.DataObject) -> None:
    """What we take, torch takes, with our shape and counts; what we refuse, it refuses.

    Strides are held against the sizes.
    """
    shape = data.draw(shapes(key))
    op = drawn_op(OPS[key], shape, data.draw)
    try:
        expected = op.output(shape)
        if min(expected.sizes) < 1:  # refused by whoever asks an op
            raise ShapeError("float32 has no value between")
    except ShapeError as error:
        strict = key in STRICTER or "a vector of" in error.message or shape.last
        if not strict and torch_takes(op, shape):
            pytest.fail(
                f"`{key}` refuses {shape} ({error.message}), and torch takes it: accept it, or "
                f"add `{key}` to STRICTER in this file if torch would mean something else"
            )
        return
    module, output = run_by_torch(op, shape)
    assert tuple(output.shape[1:]) == expected.sizes
    assert op.parameters() == sum(weight.numel() for weight in module.parameters())
    weights = {name: tuple(weight.shape) for name, weight in module.named_parameters()}
    assert weights == op.weights()
    assert not weights or (op.weighted and weights.keys() <= {*op.learned})
    assert op.macs(expected) == (0 if op.constant else measured(op, module, shape))
    if key != "transpose":  # twice is none
        assert_strides_are_those_of_the_sizes(op, shape, expected)


def assert_strides_are_those_of_the_sizes(op: Op, x: Shape, y: Shape) -> None:
    """Make each size larger by n strides: the size that leaves is larger by n."""
    with suppress(ShapeError):
        strides = TensorInfo(x, Number(1), (1,) * x.rank).through(op, y, {}).stride
        if strides and not op.constant:  # they are known, and it reads what arrives
            sizes = [n + n * stride for n, stride in zip(x.spatial, strides, strict=True)]
            larger = op.output(x._replace(spatial=tuple(sizes)))
            assert larger.spatial == tuple(map(sum, zip(y.spatial, x.spatial, strict=True))), (
                f"`{op.key}` makes {y} of {x}, and its strides are {strides}: let `strides` "
                "return by how much each size becomes smaller, or None if the sizes that leave "
                "are no fraction of those that arrive"
            )

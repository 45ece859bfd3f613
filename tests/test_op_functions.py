"""Every op in a network: both readers to the bit; helpers against what they are said to compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import archspec
from archspec.ir import fields_of
from archspec.ops import OPS
from archspec.runtime import modules as ours
from support.modules import READERS, assert_same_tensors, images, same_bits, seeded
from support.ops import ARRIVES, GIVEN, classes, meetings


def spec_of(key: str, arrives: str) -> dict[str, Any]:
    """A network of this op, with a layer with weights ahead of it where one can stand there."""
    shape = ARRIVES[arrives]
    names = {f.torch: f.name for f in fields_of(OPS[key])}
    given = {
        names[name]: list(value) if isinstance(value, tuple) else value
        for name, value in GIVEN.get(key, {}).items()
    }
    last = ["channels_last"] if shape.last else []
    first = {"conv": shape.channels} if shape.rank else {"linear": shape.channels}
    ahead = [] if key == "embedding" else [{**first, "name": "first"}, *last]
    layers = [*ahead, {key: given, "name": "made"}]
    return {"name": "net", "input": [shape.channels, *shape.spatial], "stem": layers}


def arriving(key: str, arrives: str) -> Tensor:
    shape = ARRIVES[arrives]
    x = images(2, shape.channels, *shape.spatial)
    return (3 * x.abs()).clamp(max=6) if key == "embedding" else x


@pytest.mark.parametrize(("arrives", "key"), meetings())
def test_readers_agree_on_each_op(key: str, arrives: str) -> None:
    """In eval mode, while training, and in what is learned."""
    spec = archspec.load(spec_of(key, arrives))
    one, other = (seeded(lambda read=read: read(spec)) for read in READERS.values())
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = arriving(key, arrives)
    for training in (False, True):
        outputs = []
        for model in (one.train(training), other.train(training)):
            torch.default_generator.manual_seed(3)
            outputs.append(model(x))
            outputs[-1].square().sum().backward()
        assert tuple(outputs[0].shape[1:]) == archspec.analyze(spec).output
        assert same_bits(outputs[0], outputs[1])
    gradients = [dict(model.named_parameters()) for model in (one, other)]
    assert_same_tensors(
        *({n: p.grad for n, p in g.items() if p.grad is not None} for g in gradients)
    )


@pytest.mark.sampled("arrives, key", classes(), of=meetings())
def test_the_source_of_each_op_compiles_to_torchscript(key: str, arrives: str) -> None:
    model = READERS["generated"](archspec.load(spec_of(key, arrives))).eval()
    x = arriving(key, arrives)
    assert same_bits(torch.jit.script(model)(x), model(x))


# Helpers against what they are said to compute --------------------------------------------

Pair = tuple[nn.Module, Any, tuple[int, ...]]
IMAGE, SEQUENCE = (2, 8, 6, 5), (2, 7, 8)


def lent(one: nn.Module, other: nn.Module) -> Any:
    """The other module with the weights of one, which have the same names."""
    other.load_state_dict(one.state_dict())
    return other


def filled(module: nn.Module) -> nn.Module:
    """A module with no weight at its start."""
    torch.default_generator.manual_seed(0)
    for tensor in module.state_dict().values():
        tensor.copy_(torch.rand(tensor.shape) + 0.5)
    return module


def attention() -> Pair:
    module = filled(ours.SelfAttention(8, 2))
    peer = lent(module, nn.MultiheadAttention(8, 2, batch_first=True))
    return module, lambda x: peer(x, x, x)[0], SEQUENCE


def lstm() -> Pair:
    module = filled(ours.SequenceLSTM(8, 3, 2, bidirectional=True))
    peer = lent(module, nn.LSTM(8, 3, 2, bidirectional=True, batch_first=True))
    return module, lambda x: peer(x)[0], SEQUENCE


def gru() -> Pair:
    module = filled(ours.SequenceGRU(8, 3, 2, bias=False))
    peer = lent(module, nn.GRU(8, 3, 2, bias=False, batch_first=True))
    return module, lambda x: peer(x)[0], SEQUENCE


def unrolled_lstm() -> Pair:
    """One cell, position after position: Hochreiter & Schmidhuber as torch has them."""
    module: Any = filled(ours.SequenceLSTM(8, 3))

    def cell(x: Tensor) -> Tensor:
        h = c = torch.zeros(len(x), 3)
        outputs = []
        for position in x.unbind(1):
            gates = F.linear(position, module.weight_ih_l0, module.bias_ih_l0)
            gates = gates + F.linear(h, module.weight_hh_l0, module.bias_hh_l0)
            i, f, g, o = gates.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)

    return module, cell, SEQUENCE


def frozen() -> Pair:
    module: Any = filled(ours.FrozenBatchNorm(8))
    kept = module.running_mean, module.running_var, module.weight, module.bias
    return module, lambda x: F.batch_norm(x, *kept), IMAGE


def standardized(weight: Tensor) -> Tensor:
    rows = weight.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    return (rows / (rows.var(1, correction=0, keepdim=True) + 1e-6).sqrt()).reshape(weight.shape)


def std_conv() -> Pair:
    module: Any = ours.StdConv2d(8, 4, 3, padding=1)
    return module, lambda x: F.conv2d(x, standardized(module.weight), module.bias, 1, 1), IMAGE


def scaled_std_conv() -> Pair:
    module: Any = ours.ScaledStdConv2d(8, 4, 3, groups=2, gamma=1.7)
    with torch.no_grad():
        module.gain.uniform_()

    def reference(x: Tensor) -> Tensor:
        weight = module.gain * 1.7 * standardized(module.weight) / (4 * 9) ** 0.5
        return F.conv2d(x, weight, module.bias, groups=2)

    return module, reference, IMAGE


def response() -> Pair:
    module: Any = filled(ours.GlobalResponseNorm(8))

    def reference(x: Tensor) -> Tensor:
        energy = x.square().sum((2, 3), keepdim=True).sqrt()
        share = energy / (energy.mean(1, keepdim=True) + 1e-6)
        factor, offset = module.weight.view(-1, 1, 1), module.bias.view(-1, 1, 1)
        return factor * (x * share) + offset + x

    return module, reference, IMAGE


def rms() -> Pair:
    module: Any = filled(ours.ChannelRMSNorm(8, 1e-3))
    mean = lambda x: x.square().mean(1, keepdim=True) + 1e-3  # noqa: E731
    return module, lambda x: x / mean(x).sqrt() * module.weight.view(-1, 1, 1), IMAGE


PAIRS = {
    "attention": attention,
    "lstm": lstm,
    "gru": gru,
    "unrolled lstm": unrolled_lstm,
    "frozen batch norm": frozen,
    "standardized convolution": std_conv,
    "scaled standardized convolution": scaled_std_conv,
    "global response norm": response,
    "rms norm": rms,
    "crop": lambda: (ours.Crop((1, 2, 0, 1)), lambda x: x[..., :5, 1:3], IMAGE),
    "a sequence transposed": lambda: (ours.Transpose(), lambda x: x.transpose(1, 2), SEQUENCE),
    "the first of a sequence": lambda: (ours.Select("first"), lambda x: x[:, 0], SEQUENCE),
    "the last of a sequence": lambda: (ours.Select("last"), lambda x: x[:, -1], SEQUENCE),
    "mean over the channels": lambda: (ours.Mean("channels"), lambda x: x.mean(1, True), IMAGE),
    "max over the height": lambda: (ours.Max("height"), lambda x: x.amax(2, True), IMAGE),
    "max over the length": lambda: (ours.Max("length"), lambda x: x.amax(2, True), (2, 3, 9)),
    "mean over the depth": lambda: (ours.Mean("depth"), lambda x: x.mean(2, True), (2, 3, 4, 5, 6)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_helper_computes_what_it_says(name: str) -> None:
    module, reference, sizes = PAIRS[name]()
    x = images(*sizes)
    torch.testing.assert_close(module(x), reference(x))


def test_causal_padding_sees_nothing_of_what_is_to_come() -> None:
    layers = [{"zero_pad": [4, 0]}, {"conv": {"channels": 3, "kernel": 5, "padding": 0}}]
    model = archspec.build_module(archspec.load({"name": "n", "input": [2, 9], "stem": layers}))
    x = images(1, 2, 9)
    later = x.clone()
    later[..., 5:] = 7
    assert model(x).shape == (1, 3, 9)
    assert same_bits(model(x)[..., :5], model(later)[..., :5])


def test_a_stage_may_make_the_image_larger() -> None:
    up = {"body": [{"conv_transpose": {"channels": "channels", "kernel": 2, "stride": 2}}, "norm"]}
    spec: dict[str, Any] = {"name": "net", "input": [4, 3, 5], "blocks": {"up": up}}
    stages = {"a": {"block": "up", "repeat": 2, "channels": 8}}
    assert archspec.analyze(archspec.load({**spec, "stages": stages})).output == (8, 12, 20)
    stages["a"]["stride"] = 1
    with pytest.raises(archspec.SpecError, match="ignores the `stride` of its stage"):
        archspec.analyze(archspec.load({**spec, "stages": stages}))


def test_links_of_a_u_net_agree() -> None:
    """A stride of two and a stride of a half are none, so the sum needs no projection."""
    up = {"conv_transpose": {"channels": "in_channels", "kernel": 2, "stride": 2}}
    body = [{"conv": {"channels": 16, "kernel": 3, "stride": 2}}, "norm", "act", up]
    down = [{"conv": {"channels": 32, "kernel": 3, "stride": 2}}, {"upsample": 2}]
    shuffled = [*down[:1], {"conv": 32}, {"pixel_shuffle": 2}]
    blocks = {
        "link": {"body": [{"residual": body}]},
        "wide": {"body": [{"concat": [[], down, shuffled]}, {"conv": "channels"}]},
    }
    spec = {"name": "net", "input": [3, 16, 24], "blocks": blocks}
    spec["stages"] = {"a": {"block": "link", "channels": 3}, "b": {"block": "wide", "channels": 8}}
    loaded = archspec.load(spec)
    assert archspec.analyze(loaded).output == (8, 16, 24)
    one, other = (seeded(lambda read=read: read(loaded)) for read in READERS.values())
    x = images(1, 3, 16, 24)
    assert same_bits(one(x), other(x))
    assert not [name for name, _ in one.named_modules() if "downsample" in name]

"""From a checkpoint back to a spec, by names and shapes alone."""

from __future__ import annotations

import dataclasses
import importlib
import json
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import archspec
from archspec import helpers
from archspec.api import MEMO
from archspec.classes import classes
from archspec.cli import main
from archspec.infer import Inference, infer, infer_file
from archspec.infer.header import read_header
from archspec.ir import Op, fields_of
from archspec.language.load import parse_text
from archspec.ops import OPS
from support import analyzed, write_spec
from support.draws import blank
from support.ops import ARRIVES, GIVEN, meetings, usual
from support.peers import TORCHVISION, CifarResNet, torchvision_model
from support.zoo_peers import DISTINCT

timm = importlib.import_module("timm")
resnet = importlib.import_module("timm.models.resnet")
Shapes = dict[str, tuple[int, ...]]

#: Of timm's ResNets, those with the same names and shapes as a plainer one.
TWINS = {
    "resnetblur18": "resnet18",
    "resnetaa34d": "resnet34d",
    "resnetaa50": "resnet50",
    "resnetblur50": "resnet50",
    "resnetaa50d": "resnet50d",
    "resnetblur50d": "resnet50d",
    "resnetaa101d": "resnet101d",
    "resnetblur101d": "resnet101d",
    "seresnextaa101d_32x8d": "seresnext101d_32x8d",
}
TIMM = sorted(
    name
    for name in timm.list_models(module="resnet")
    if name not in ("ecaresnet50d_pruned", "ecaresnet101d_pruned")
)


def shapes_of(build: Callable[[], nn.Module]) -> Shapes:
    """Names and shapes of a network, which is not filled."""
    return {name: tuple(tensor.shape) for name, tensor in blank(build).state_dict().items()}


def state_of(text: str) -> Shapes:
    """Names and shapes of the network that a spec builds."""
    spec = parse_text(text, "test")
    return shapes_of(lambda: archspec.build_module(spec))


def state_in(text: str) -> Shapes:
    """Names and shapes by the analysis of a spec."""
    return archspec.analyze(parse_text(text, "test", memo=MEMO)).state


def said(found: Inference) -> list[str]:
    """The lines of the spec, comments aside."""
    assert found.text is not None, found.reasons
    return [line for line in found.text.strip().split("\n") if not line.startswith("#")]


# What each op keeps ---------------------------------------------------------------------


def variants(op: type[Op]) -> list[dict[str, Any]]:
    """The arguments of an op, with each of its flags both ways."""
    flags = [f.torch for f in fields_of(op) if f.how.kind == "flag"]
    return [{}, *({flag: value} for flag in flags for value in (False, True))]


@pytest.mark.parametrize(("arrives", "key"), [m for m in meetings() if not OPS[m[1]].constant])
def test_what_an_op_keeps_is_what_torchs_module_keeps(key: str, arrives: str) -> None:
    op, shape = OPS[key], ARRIVES[arrives]
    name = op.torch_name(shape)
    cls = getattr(
        importlib.import_module("archspec.runtime.modules") if name in helpers.HELPERS else nn, name
    )
    fields = {f.name for f in dataclasses.fields(op)}
    for flags in variants(op):
        given = usual(op, shape) | GIVEN.get(key, {}) | flags
        fixed = {f.torch for f in fields_of(op) if f.how.kind == "fixed"}
        made = op(**{k: v for k, v in given.items() if k in fields}, rank=shape.rank)
        module = cls(**given, **{name: getattr(made, name) for name in fixed})
        kept = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        assert made.weights() | made.buffers() == kept
        assert made.parameters() == sum(weight.numel() for weight in module.parameters())


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "resnetblur50", "regnet_y_400mf"])
def test_the_state_of_an_analysis_is_that_of_the_module(name: str) -> None:
    kept = shapes_of(lambda: archspec.build_module(name))
    assert archspec.analyze(name).state == kept


# The families ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_resnets_come_back(name: str) -> None:
    shapes = shapes_of(lambda: torchvision_model(name))
    found = infer(shapes)
    assert said(found) == [f"extends: {name}", "name: inferred"]
    assert found.text
    assert state_in(found.text) == shapes


@pytest.mark.sampled("name", sorted({*TWINS, *TIMM[::6]}), of=TIMM)
def test_timms_resnets_come_back(name: str) -> None:
    """By the shipped spec of that name, or by a plainer one that names it as its twin.

    `test_zoo.py` shows that the analysis of each has timm's names and shapes.
    """
    shapes = analyzed(name).state
    found = infer(shapes)
    assert found.text, found.reasons
    assert found.base == TWINS.get(name, name)
    if name in TWINS:
        assert name in found.alternatives
    assert state_in(found.text) == shapes


@pytest.mark.parametrize("name", ["ecaresnet50d_pruned", "ecaresnet101d_pruned"])
def test_pruned_widths_come_back(name: str) -> None:
    shapes = analyzed(name).state
    assert infer(shapes).base == name


OPTIONS = [*DISTINCT, "resnet50", "wide_resnet50_2", "cifar_resnet20"]


@pytest.mark.sampled("name", OPTIONS, of=sorted({*OPTIONS, *TORCHVISION, "cifar_resnet110"}))
def test_options_alone_explain_a_resnet(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without looking at the shipped specs for one that is equal, and then for a near one."""
    package = importlib.import_module("archspec.infer")
    monkeypatch.setattr(package, "matches", lambda *_: [])
    shapes = analyzed(name).state
    found = infer(shapes)
    assert found.text, found.reasons
    assert state_in(found.text) == shapes
    monkeypatch.setattr(package, "_nearest", lambda *_: None)
    whole = infer(shapes)
    assert whole.text
    assert "extends" not in whole.text
    assert state_in(whole.text) == shapes


@pytest.mark.parametrize("name", ["resnet18", "resnet50d", "seresnext26t_32x4d"])
def test_other_classes_and_channels(name: str) -> None:
    shapes = shapes_of(lambda: timm.create_model(name, num_classes=37, in_chans=1))
    found = infer(shapes, "mine")
    side = archspec.load(name).input[1]
    assert said(found) == [
        f"extends: {name}",
        "name: mine",
        f"input: [1, {side}, {side}]",
        "args: {classes: 37}",
    ]


def custom(**options: Any) -> nn.Module:
    module: nn.Module = resnet.ResNet(**options)
    return module


def test_a_resnet_that_nobody_ships() -> None:
    shapes = shapes_of(
        lambda: custom(
            block=resnet.Bottleneck,
            layers=(2, 3, 4, 2),
            num_classes=17,
            in_chans=5,
            cardinality=8,
            base_width=24,
            stem_width=24,
            stem_type="deep",
            avg_down=True,
            block_args={"attn_layer": "eca"},
        )
    )
    found = infer(shapes, "mine")
    assert said(found) == [
        "extends: resnet26d",
        "name: mine",
        "input: [5, 224, 224]",
        "args: {classes: 17}",
        "defaults: {bottleneck: {groups: 8, base_width: 24, attention: eca}}",
        "stem: {conv1: {deep_stem: {channels: 48, width: 24}}}",
        "stages:",
        "  layer2: {repeat: 3}",
        "  layer3: {repeat: 4}",
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"block": resnet.BasicBlock, "layers": (1, 2), "channels": (32, 80)},
        {"block": resnet.BasicBlock, "layers": (2, 1, 1), "channels": (64, 64, 128)},
        {"block": resnet.BasicBlock, "layers": (1, 1), "channels": (96, 48)},
        {"block": resnet.Bottleneck, "layers": (1, 2, 1, 1), "num_classes": 0},
        {"block": resnet.Bottleneck, "layers": (2, 1), "channels": (24, 56), "down_kernel_size": 3},
        {
            "block": [resnet.Bottleneck, resnet.BasicBlock],
            "layers": (1, 2),
            "block_args": {"attn_layer": "se"},
        },
        {
            "block": resnet.Bottleneck,
            "layers": (1, 1, 1),
            "block_reduce_first": 2,
            "block_args": {"attn_layer": lambda channels, **_: se(channels, 24)},
        },
    ],
)
def test_odd_resnets_come_back(options: dict[str, Any]) -> None:
    if "channels" not in options:
        options = {**options, "channels": (64, 128, 256, 512)[: len(options["layers"])]}
    shapes = shapes_of(lambda: custom(**options))
    found = infer(shapes)
    assert found.text, found.reasons
    assert state_of(found.text) == shapes


def se(channels: int, squeeze: int) -> nn.Module:
    module: nn.Module = importlib.import_module("timm.layers").SEModule(
        channels, rd_channels=squeeze
    )
    return module


def test_the_resnets_of_cifar_come_back() -> None:
    assert infer(shapes_of(lambda: CifarResNet(44))).base == "cifar_resnet44"
    found = infer(shapes_of(lambda: CifarResNet(26)))
    assert found.base == "cifar_resnet20"
    assert any("channels of zeros" in guess for guess in found.guesses)


def test_other_shipped_families_come_back() -> None:
    for name in ("mobilenet_v2", "vgg11_bn", "convnext_tiny", "regnet_x_400mf", "wrn_16_8"):
        assert infer(archspec.analyze(name).state).base == name


def test_group_norm_is_a_guess() -> None:
    found = infer(shapes_of(lambda: timm.create_model("resnet50_gn", num_classes=5)), "gn")
    assert found.base == "resnet50_gn"
    odd = shapes_of(
        lambda: custom(
            block=resnet.BasicBlock, layers=(1, 1), channels=(32, 64), norm_layer="groupnorm"
        )
    )
    guessed = infer(odd)
    assert any(
        "norms without running statistics are assumed to be group norms with 32 groups" in guess
        for guess in guessed.guesses
    )
    assert guessed.text
    assert state_of(guessed.text) == odd


def test_what_cannot_be_known_is_said() -> None:
    found = infer(archspec.analyze("resnet50").state)
    assert {"resnetaa50", "resnetblur50"} <= set(found.alternatives)
    assert found.text
    comments = "".join(line for line in found.text.split("\n") if line.startswith("#"))
    for word in ("strides", "activations", "dilation", "anti-aliasing", "dropout", "resnetblur50"):
        assert word in comments
        assert word in found.notes


# What is no such network -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["mobilenetv2_100", "vit_tiny_patch16_224", "efficientnet_b0"])
def test_other_networks_of_timm_are_refused(name: str) -> None:
    found = infer(shapes_of(lambda: timm.create_model(name)))
    assert found.text is None
    assert any("no built-in spec" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"weight": (3, 4)},
        {"": ()},
        {"conv1.weight": ()},
        {"conv1.weight": (0, 0, 0, 0)},
        {"a." * 400: (1,)},
        {"layer1.0.conv1.weight": (4, 4, 3, 3)},
        {"conv1.weight": (8, 3, 7, 7), "bn1.weight": (8,), "layer2.0.conv1.weight": (8, 8, 3, 3)},
    ],
)
def test_names_that_mean_nothing_are_refused(shapes: Shapes) -> None:
    found = infer(shapes)
    assert found.text is None
    assert found.reasons


def test_huge_sizes_are_refused() -> None:
    shapes = archspec.analyze("resnet18").state
    wide = {
        name: tuple(2**40 if size == 64 else size for size in shape)
        for name, shape in shapes.items()
    }
    assert infer(wide).text is None
    far = {name.replace("layer1.1.", "layer1.9999."): shape for name, shape in shapes.items()}
    assert infer(far).text is None


@pytest.mark.parametrize("name", ["resnet18", "seresnet50"])
def test_one_tampered_shape_is_refused(name: str) -> None:
    shapes = analyzed(name).state
    for key in random.Random(4).sample(sorted(shapes), 8):
        for place, size in enumerate(shapes[key]):
            if (key, place) == ("conv1.weight", 1):
                continue  # another number of input channels
            shape = [*shapes[key][:place], size + 1, *shapes[key][place + 1 :]]
            found = infer({**shapes, key: tuple(shape)})
            assert found.text is None, (key, shape)
            assert found.reasons


def test_one_missing_or_additional_tensor_is_refused() -> None:
    shapes = archspec.analyze("resnet18").state
    for key in ("bn1.bias", "layer3.1.conv2.weight", "fc.weight", "layer1.0.bn1.running_mean"):
        assert infer({k: s for k, s in shapes.items() if k != key}).text is None
    assert infer({**shapes, "layer1.0.conv3.bias": (64,)}).text is None


def test_whatever_is_proposed_has_the_names_and_shapes() -> None:
    """Shapes changed at random: a text explains them exactly, or there is none."""
    draw = random.Random(8)
    states = [archspec.analyze(name).state for name in ("resnet18", "resnet26t", "resnet50")]
    for _ in range(25):
        shapes = dict(draw.choice(states))
        for key in draw.sample(sorted(shapes), draw.choice([1, 2])):
            shape = [draw.choice([size, 2 * size, size // 2, 1]) for size in shapes[key]]
            shapes[key] = tuple(shape)
        found = infer(shapes)
        if found.text is not None:
            assert classes(parse_text(found.text, "test")) is not None
            assert state_in(found.text) == shapes


# Files -----------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "resnet18-f37072fd.safetensors"
    save_file(archspec.build_module("resnet18", classes=3).state_dict(), path)
    return path


def test_a_file_gives_a_spec_that_builds_it(checkpoint: Path, tmp_path: Path) -> None:
    found = infer_file(checkpoint)
    assert said(found)[1] == "name: resnet18_f37072fd"
    spec = tmp_path / "resnet18_f37072fd.yaml"
    spec.write_text(found.text or "", "utf-8")
    archspec.from_weights(spec, checkpoint)
    assert infer_file(checkpoint, output=spec) == found
    again = infer_file(checkpoint)
    assert said(again) == ["extends: resnet18_f37072fd", "name: resnet18_f37072fd_inferred"]
    assert again.unchanged


def test_a_pickled_file_and_wrappers(tmp_path: Path) -> None:
    state = archspec.build_module("resnet18").state_dict()
    path = tmp_path / "w.pt"
    torch.save({"state_dict": {f"module.{name}": t for name, t in state.items()}}, path)
    assert infer_file(path).base == "resnet18"
    save_file({f"module.{name}": t for name, t in state.items()}, tmp_path / "w.safetensors")
    assert infer_file(tmp_path / "w.safetensors").base == "resnet18"


def test_a_safetensors_file_is_read_without_torch(checkpoint: Path) -> None:
    code = (
        "import sys\n"
        "from archspec.cli import main\n"
        "assert main(['infer', sys.argv[1]]) == 0\n"
        "assert not {'torch', 'safetensors', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(checkpoint)], check=True, capture_output=True, text=True
    )
    assert "extends: resnet18" in done.stdout


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert main(["infer", str(tmp_path / "a.safetensors")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no built-in spec" in said.err
    assert main(["infer", str(tmp_path / "b.safetensors")]) == 2
    assert main(["infer", str(write_spec(tmp_path, "input: [3]\n"))]) == 2


def entry(shape: object, offsets: object, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def header(entries: object, data: bytes = b"") -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234567",
        (2**63).to_bytes(8, "little"),
        header(b"[]"),
        header(b"{"),
        header(b"\xff\xfe"),
        header(b"[" * 200_000),
        header(b'{"a":' * 50_000),
        header(b'{"a": 1' + b"0" * 9000 + b"}"),
        header({"a": 3}),
        header({"a": {}}),
        header({"a": entry([3], [0, 12])}),
        header({"a": entry([2], [0, 12])}, bytes(12)),
        header({"a": entry([3], [12, 0])}, bytes(12)),
        header({"a": entry([3], [0])}, bytes(12)),
        header({"a": entry([-3], [0, 12])}, bytes(12)),
        header({"a": entry([True], [0, 4])}, bytes(4)),
        header({"a": entry([2**63], [0, 12])}, bytes(12)),
        header({"a": entry([2**62, 2**62], [0, 12])}, bytes(12)),
        header({"a": entry([1] * 17, [0, 4])}, bytes(4)),
        header({"a": entry("3", [0, 12])}, bytes(12)),
        header({"a": entry([3], [0, 12], ["F32"])}, bytes(12)),
        header(b'{"a": %s, "a": %s}' % ((json.dumps(entry([1], [0, 4])).encode(),) * 2), bytes(4)),
    ],
    ids=range(23),
)
def test_hostile_headers(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(archspec.UnreadableFile, match=r"w\.safetensors"):
        read_header(path)


def test_headers_are_read_as_the_library_reads_them(tmp_path: Path) -> None:
    tensors: Mapping[str, torch.Tensor] = {
        "scalar": torch.tensor(3),
        "empty": torch.ones(0, 4),
        "half": torch.ones(2, 3, dtype=torch.bfloat16),
        "flag": torch.ones(5, dtype=torch.bool),
    }
    path = tmp_path / "w.safetensors"
    save_file(dict(tensors), path, metadata={"format": "pt"})
    assert read_header(path) == {name: tuple(t.shape) for name, t in tensors.items()}

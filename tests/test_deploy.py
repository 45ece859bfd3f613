"""`build --target deploy`: each pass alone, and files for inference beside the networks trained."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec import helpers
from archspec.analysis import analyze_network
from archspec.api import network
from archspec.codegen.view import imports
from archspec.deploy import for_inference
from archspec.deploy.branches import merge_branches
from archspec.deploy.fuse import fuse_activations, fuse_convolutions, fuse_sums
from archspec.deploy.keys import aside, folded
from archspec.deploy.norms import fold_norms
from archspec.deploy.prune import drop_nothing, inline_rows
from archspec.deploy.rewrite import Change, rewritten
from archspec.expand import expand_network
from archspec.ir.tree import ExpandedNetwork, Term
from archspec.runtime import build
from archspec.verify.deploy import checks_of_deploy, deployed
from archspec.verify.tensors import apart, images, randomise
from folded import code, key
from support import ROOT
from support.families import small
from support.linting import Project
from support.tools import assert_clean


def test_a_file_imports_the_modules_that_it_uses() -> None:
    """One that is only passed on, too; but an argument may have the name of a module."""
    net = network({"name": "net", "input": [3], "stem": [{"linear": 2}]})
    functional = "from torch.nn import functional as F"
    assert imports("getattr(F, name)", net) == ["from torch import nn", functional]
    assert imports("nn.Linear(3, re)", net) == ["from torch import nn"]


# Each pass alone ----------------------------------------------------------------------

Layers = dict[str, Any]


def of_block(layers: list[Any], **blocks: Any) -> ExpandedNetwork:
    """A network that is one use of a block with these layers."""
    known = {"tried": {"body": layers}, **blocks}
    stem = [{"tried": {"channels": 8}}]
    spec = {"name": "net", "input": [8, 6, 6], "stem": stem, "blocks": known}
    return expand_network(archspec.load(spec))


def changed(network: ExpandedNetwork, *changes: Change) -> Layers:
    """The layers of that block behind some passes, by name."""
    for change in changes:
        network = rewritten(network, change)
    (child,) = network.root.children
    module: Any = child.module
    return {child.attribute: child for child in module.instance.attributes}


def keys(layers: Layers) -> dict[str, str]:
    """The op that each layer is."""
    return {name: child.module.op.key for name, child in layers.items()}


CONV, NORM = {"conv": 8}, "batch_norm"


def test_a_norm_goes_into_the_convolution_ahead_of_it() -> None:
    layers = changed(of_block([CONV, {"batch_norm": {"eps": 0.01}}, "relu"]), fold_norms)
    assert keys(layers) == {"conv1": "conv", "relu": "relu"}
    assert layers["conv1"].module.op.bias
    assert layers["conv1"].terms == (Term("conv1", "bn1", 0.01),)


@pytest.mark.parametrize(
    "layers",
    [
        [NORM, CONV],
        [CONV, "relu", NORM],
        [CONV, "group_norm: 2"],
        [CONV, {"batch_norm": {"track_running_stats": False}}],
        [{"std_conv": {"channels": 8, "kernel": 3}}, NORM],
        [{**CONV, "name": "conv"}, NORM, {"share": "conv"}],
        [{**CONV, "save": "early"}, NORM, {"add": [{"from": "early"}, []]}],
    ],
    ids=str,
)
def test_other_norms_stay(layers: list[Any]) -> None:
    """Ahead of a convolution, of other statistics, and where something else reads the result."""
    layers = [{"group_norm": 2} if one == "group_norm: 2" else one for one in layers]
    network = of_block(layers)
    assert keys(changed(network, fold_norms)) == keys(changed(network))


def test_a_norm_goes_into_the_last_layer_of_a_sequence_ahead_of_it() -> None:
    """As in the stem of a ResNet-D; the row says that the norm stands outside."""
    layers = changed(
        of_block([{"sequence": [CONV, "relu", CONV], "name": "row"}, NORM]), fold_norms
    )
    assert [*layers] == ["row"]
    assert layers["row"].module.children[2].terms == (Term("2", ".bn1", 1e-5),)
    assert table("resnet18d")["conv1.2"] == (Term("6", ".bn1", 1e-5),)


def test_one_norm_goes_into_one_convolution() -> None:
    assert [*changed(of_block([CONV, NORM, NORM]), fold_norms)] == ["conv1", "bn2"]


BRANCH = {"conv_norm": {"channels": 8, "kernel": 1}}
LARGE = {"conv_norm": {"channels": 8, "kernel": 3}}
CONV_NORM = {
    "args": {"kernel": 1},
    "body": [{"conv": {"channels": "channels", "kernel": "kernel"}}, NORM],
}


def test_branches_become_the_largest_convolution() -> None:
    network = of_block([{"add": [BRANCH, LARGE, NORM]}, "relu"], conv_norm=CONV_NORM)
    layers = changed(network, fold_norms, inline_rows, merge_branches)
    (merged, _) = layers.values()
    assert keys(layers) == {"conv_norm2": "conv", "relu": "relu"}
    assert merged.module.op.kernel_size == 3
    assert merged.terms == (
        Term("conv_norm1.conv1", "conv_norm1.bn1", 1e-5),
        Term("conv_norm2.conv1", "conv_norm2.bn1", 1e-5),
        Term("", "bn1", 1e-5),
    )


@pytest.mark.parametrize(
    "branches",
    [
        [{"conv": 8}, []],
        [{"conv": 8}, "relu"],
        [{"conv": 8}, {"conv": {"channels": 8, "kernel": 3, "groups": 2}}],
        [{"conv": 8}, {"conv": {"channels": 8, "kernel": 3, "dilation": 2}}],
        [{"conv": 8}, {"conv": {"channels": 8, "kernel": 3, "padding_mode": "reflect"}}],
        [
            {"conv": {"channels": 8, "kernel": [1, 3]}},
            {"conv": {"channels": 8, "kernel": [3, 1]}},
        ],
    ],
    ids=str,
)
def test_other_branches_stay(branches: list[Any]) -> None:
    network = of_block([{"add": branches}])
    assert keys(changed(network, merge_branches)) == keys(changed(network))


def test_what_does_nothing_is_dropped_and_a_row_of_one_is_its_layer() -> None:
    row = {"sequence": [{"dropout": 0.5}, {"conv": 8}, "identity"], "name": "row"}
    layers = changed(
        of_block([row, {"sequence": [{"dropout": 0.5}], "name": "none"}, "relu"]),
        drop_nothing,
        inline_rows,
    )
    assert keys(layers) == {"row": "conv", "relu": "relu"}
    assert layers["row"].terms == (Term("row.1"),)


def test_sums_and_activations_go_into_convolutions_of_images() -> None:
    network = of_block([{"residual": [CONV, "relu6", CONV]}, "relu"])
    layers = changed(network, fuse_convolutions, fuse_sums, fuse_activations)
    assert keys(layers) == {"conv1": "fused_conv", "conv2": "fused_conv"}
    assert [child.module.op.act for child in layers.values()] == ["relu6", "relu"]


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ([CONV, {"leaky_relu": 0.1}], ["conv1", "relu"]),  # has a number of its own
        ([CONV, "gelu"], ["conv1", "gelu"]),
        ([{"residual": [CONV]}, "silu"], ["conv1", "silu"]),  # oneDNN adds ahead of relu alone
        ([{"conv": {"channels": 8, "padding_mode": "reflect"}}, "relu"], ["conv1", "relu"]),
        ([{"residual": [CONV, "relu"]}], ["conv1"]),
    ],
    ids=str,
)
def test_what_is_not_fused(layers: list[Any], left: list[str]) -> None:
    made = changed(of_block(layers), fuse_convolutions, fuse_sums, fuse_activations)
    assert [*made] == left


# What was what in training ------------------------------------------------------------


def table(name: str) -> dict[str, tuple[Term, ...]]:
    trained = expand_network(archspec.load(name))
    return folded(for_inference(trained), trained)


def test_a_row_is_for_all_layers_whose_names_differ_in_numbers() -> None:
    assert table("resnet50") == {
        "conv1": (Term("conv1", "bn1", 1e-5),),
        **{f"layer*.*.conv{n}": (Term(f"conv{n}", f"bn{n}", 1e-5),) for n in (1, 2, 3)},
        "layer*.*.downsample": (Term("downsample.0", "downsample.1", 1e-5),),
    }


def test_numbers_that_move_have_rows_of_their_own() -> None:
    rows = table("vgg11_bn")
    assert rows["features.2"] == (Term("4", "5", 1e-5),)
    assert rows["classifier.2"] == (Term("3"),)


def test_what_is_there_for_training_alone_is_named() -> None:
    assert aside(expand_network(archspec.load("googlenet"))) == ("aux1", "aux2")


# Files --------------------------------------------------------------------------------

FAMILIES = (
    *("resnet18", "resnet50", "resnet50d", "vgg11_bn", "mobilenet_v2", "mobilenet_v3_small"),
    *("efficientnet_b0", "densenet121", "convnext_tiny", "regnet_y_400mf", "shufflenet_v2_x1_0"),
    *(
        "repvgg_a0",
        "mobileone_s0",
        "unet",
        "res2net50_26w_4s",
        "googlenet",
        "inception_v3",
        "squeezenet1_1",
    ),
)
#: With all that a pass rewrites; `benchmarks/folded.py` compares all built-in networks.
FEW = (
    *("resnet18", "resnet50d", "vgg11_bn", "mobilenet_v3_small", "densenet121", "convnext_tiny"),
    *("shufflenet_v2_x1_0", "repvgg_a0", "unet", "res2net50_26w_4s", "googlenet"),
)


def test_only_what_is_computed_makes_a_row_of_the_table_stale(tmp_path: Path) -> None:
    spec: Any = archspec.load("fashion_resnet8").document.data
    reworded = spec | {"class": "Other", "doc": "Another text."}
    wider = spec | {"stem": spec["stem"] | {"conv1": {"conv": {"channels": 32, "kernel": 5}}}}
    trees = [for_inference(expand_network(archspec.load(one))) for one in (spec, reworded, wider)]
    first, same, other = map(key, trees)
    assert first == same != other
    texts = '"""Text."""\nx = 1', '"""Other."""\n# A comment.\nx = (\n    1\n)', "x = 2"
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.py").write_text(text, "utf-8")
    first, same, other = (code(str(tmp_path / f"{number}.py")) for number in range(3))
    assert first == same != other


@pytest.mark.sampled("name", FEW, of=FAMILIES)
def test_it_gives_what_the_trained_network_gives(name: str) -> None:
    """With random weights and statistics, in batches of several sizes."""
    spec = small(name)
    found = [*checks_of_deploy(network(spec), archspec.render_deploy(spec), tuple(spec.input))]
    assert [check for check in found if not check.passed] == []


def test_convolutions_lose_all_their_norms() -> None:
    """Those of a DenseNet and of a pre-activation stand ahead of theirs."""
    for name, left in {"resnet50": 0, "repvgg_a0": 0, "densenet121": 62}.items():
        network = for_inference(expand_network(archspec.load(name)))
        ops = [row.op for row in analyze_network(network).rows]
        assert ops.count("BatchNorm2d") == left


#: timm's own for tests, with blocks of both kinds and half a million parameters.
TINY = "test_resnet"
SHORT = small("resnet18")


def trained(spec: archspec.Spec | str) -> tuple[nn.Module, Tensor]:
    """A network with random weights and statistics, and something to give it."""
    model = build(network(archspec.load(spec, input=[3, 32, 32])), init=False).eval()
    randomise(model)
    return model, images(2, 3, 32, 32)


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, nn.Module, Tensor]:
    """A file's network, the one trained, and images."""
    model, x = trained(SHORT)
    return deployed(archspec.render_deploy(SHORT), model.state_dict()), model, x


def fits(one: Tensor, other: Tensor, most: float = 1e-5) -> bool:
    return apart(one.float(), other) <= most


def test_without_its_kernels_it_is_plain_torch(pair: tuple[nn.Module, nn.Module, Tensor]) -> None:
    module, model, x = pair
    expected = model(x).detach()
    with torch.no_grad():
        assert fits(module(x), expected)
    packed = [m.packed for m in module.modules() if hasattr(m, "packed")]
    plain = archspec.render_deploy(SHORT).replace("ONEDNN.add(torch.", "(torch.")
    other = deployed(plain, model.state_dict())
    assert fits(other(x), expected)
    assert not any(m.packed is not None for m in other.modules() if hasattr(m, "packed"))
    if torch.backends.mkldnn.is_available():
        assert len(packed) == 10
        assert all(weight is not None for weight in packed)


def test_gradients_reach_the_input(pair: tuple[nn.Module, nn.Module, Tensor]) -> None:
    module, model, x = pair
    grads = []
    for one in (module, model):
        image = x.clone().requires_grad_()
        one(image).sum().backward()
        grads.append(image.grad)
    assert fits(*grads)


def test_bfloat16_is_a_switch() -> None:
    model, x = trained(TINY)
    module = deployed(archspec.render_deploy(TINY), model.state_dict(), dtype=torch.bfloat16)
    scores = module(x)
    assert scores.dtype == torch.bfloat16
    assert fits(scores, model(x).detach(), 0.03)


def test_it_takes_other_sizes_and_other_weights_later(
    pair: tuple[nn.Module, nn.Module, Tensor],
) -> None:
    """What was packed is made anew; copies and pickles have their own."""
    module, model, x = pair
    for other in (copy.deepcopy(module), pickled(module)):
        assert fits(other(x), model(x).detach())
        larger = images(3, 3, 48, 40)
        assert fits(other(larger), model(larger).detach())
        other.load_state_dict({k: torch.zeros_like(w) for k, w in other.state_dict().items()})
        assert not other(x).any()
        assert other.double()(x).dtype == torch.float64


def pickled(module: nn.Module) -> nn.Module:
    """A copy by its state; the class was executed, and cannot be found by name."""
    state = pickle.loads(pickle.dumps(module.state_dict()))
    made = copy.deepcopy(module)
    made.load_state_dict(state)
    return made


@pytest.mark.sampled("name", [TINY], of=[TINY, "mobilenet_v3_small"])
def test_torch_compile_takes_it_whole(name: str) -> None:
    model, x = trained(name)
    module = deployed(archspec.render_deploy(name), model.state_dict())
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    exported = torch.export.export(module, (x,)).module()
    for one in (compiled, exported):
        assert fits(one(x), model(x).detach())


def test_weights_of_another_network_are_named() -> None:
    source = archspec.render_deploy("cifar_resnet20")
    weights = build(network("cifar_resnet32"), init=False).state_dict()
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\).*layer1\.3\.conv1\.weight"):
        deployed(source, weights)
    weights = build(network("cifar_resnet20"), init=False).state_dict()
    del weights["layer2.0.bn1.running_var"]
    del weights["layer3.0.conv1.weight"]
    with pytest.raises(RuntimeError, match=r'Missing key.*"layer3\.0\.conv1\.weight"'):
        deployed(source, weights)


def test_a_run_of_training_is_such_a_checkpoint() -> None:
    """`best.pt` has the weights below `model`."""
    model, x = trained(TINY)
    module = deployed(archspec.render_deploy(TINY), {"model": model.state_dict(), "epoch": 1})
    assert fits(module(x), model(x).detach())


def test_arguments_stay_arguments() -> None:
    model = build(network(archspec.load(TINY, classes=7)))
    module = deployed(archspec.render_deploy(TINY), model.state_dict(), classes=7)
    assert module(images(1, 3, 32, 32)).shape == (1, 7)


def test_an_activation_that_differs_is_an_argument() -> None:
    source = archspec.render_deploy("mobilenet_v3_small")
    assert re.findall(r"^class (\w+)", source, re.MULTILINE) == [
        "FusedConv2d",
        "SqueezeExcitation",
        "MBConv",
        "MobileNetV3Small",
    ]
    assert 'MBConv(16, 24, 72, "relu", stride=2)' in source
    assert 'MBConv(40, 40, 240, "hardswish", kernel=5, squeeze=64)' in source


def test_outputs_are_features() -> None:
    model, x = trained(TINY)
    module = deployed(
        archspec.render_deploy(TINY, outputs=["layer2", "layer4"]), model.state_dict()
    )
    assert [tuple(y.shape) for y in module(x)] == [(2, 48, 4, 4), (2, 96, 1, 1)]


def test_no_class_of_a_network_hides_a_name_of_the_file() -> None:
    source = (ROOT / "templates" / "deploy.py").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(compile(source, "deploy.py", "exec"), names)
    words = {name for name in names if name[0].isupper()}
    assert words - helpers.OF_MODELS == helpers.OF_DEPLOY


# The command --------------------------------------------------------------------------


def test_build_writes_files_for_inference(project: Project) -> None:
    assert project.run("build", "--target=deploy", "resnet18", "-o", ".").code == 0
    file = project.folder / "resnet18_deploy.py"
    assert file.read_text("utf-8") == archspec.render_deploy("resnet18")
    assert project.run("build", "--target=deploy", "resnet18", "-o", ".", "--check").code == 0
    said = project.run("build", "--target=deploy", "--single-file", "resnet18")
    assert said.code == 2
    assert "--single-file" in said.err


def test_verify_checks_it_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    said = project.run("verify", "test_resnet", "--set=input=[3,32,32]", "--deploy")
    assert said.code == 0
    assert "  ok    weights         92 tensors loaded; 0 batch norms not folded" in said.lines
    wrong = archspec.render_deploy("test_resnet").replace(
        '"layer*.*.conv2": [("conv2", "bn2")]', '"layer*.*.conv2": [("conv2", "bn2", 0.1)]'
    )
    monkeypatch.setattr("archspec.cli.verify.render_deploy", lambda _: wrong)
    said = project.run("verify", "test_resnet", "--set=input=[3,32,32]", "--deploy")
    assert said.code == 1
    assert "  FAIL  forward" in said.out


def test_ruff_has_nothing_to_say(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    for name in FAMILIES if pytestconfig.option.every_spec else FEW:
        (tmp_path / f"{name}.py").write_text(archspec.render_deploy(name), "utf-8")
    assert_clean(tmp_path)

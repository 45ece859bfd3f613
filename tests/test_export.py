"""`archspec export`: ONNX files beside the networks trained, in 8 bits too, and certificates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import onnx
import onnxruntime
import openvino
import pytest
import torch
import torch._inductor
import yaml
from PIL import Image
from torch import Tensor, nn
from torch._export import utils
from torch.onnx._internal.exporter._registration import ONNXRegistry

import archspec
from archspec.api import network
from archspec.export import order
from archspec.export.data import images
from archspec.export.graph import graph, program
from archspec.export.int8 import global_pools, in_float, pooled_first
from archspec.export.measure import differences, of_module, of_onnx
from archspec.export.modules import Modules, folded
from archspec.export.taken import KINDS, Taken
from archspec.verify.deploy import TOLERANCE, random_network
from archspec.verify.tensors import apart
from exported import behind, digest
from support.families import small
from support.linting import Project, Said

# Files --------------------------------------------------------------------------------

FAMILIES = (
    *("vgg11_bn", "efficientnet_b0", "densenet121", "convnext_tiny", "unet", "vit_b_16"),
    *("shufflenet_v2_x1_0", "repvgg_a0"),
)
#: Their ops are in those above; `benchmarks/exported.py` exports all built-in networks.
MORE = ("resnet18", "regnet_y_400mf", "mobileone_s0", "squeezenet1_1")


def random_modules(spec: archspec.Spec) -> tuple[Modules, Taken]:
    net = network(spec)
    return folded(spec, net, random_network(net)), Taken(tuple(spec.input))


def errors(model: Any, modules: Modules, taken: Taken) -> tuple[float, ...]:
    """Of a file, in batches of 1, 2 and 5."""
    with torch.inference_mode():
        made = of_onnx("onnx", model.SerializeToString())
        return differences(made, of_module(modules.trained, taken), taken)


FILLED = staticmethod(cache(ONNXRegistry.from_torchlib))
LISTED = cache(utils._materialize_cpp_cia_ops)


@pytest.fixture(autouse=True, scope="module")
def _one_registry() -> Iterator[None]:
    """Torch fills another for each export, which takes as long as a small network."""
    listed = mock.patch.object(utils, "_materialize_cpp_cia_ops", LISTED)
    with mock.patch.object(ONNXRegistry, "from_torchlib", FILLED), listed:
        yield


@pytest.mark.sampled("name", FAMILIES, of=(*FAMILIES, *MORE))
def test_it_gives_what_the_trained_network_gives(name: str) -> None:
    """With random weights and statistics; norms that a layer can take in are gone."""
    modules, taken = random_modules(small(name))
    model = graph(program(modules.folded, taken), ())
    assert max(errors(model, modules, taken)) <= TOLERANCE
    assert behind(model)[1] == 0


@pytest.fixture(scope="module")
def model() -> Any:
    """The ONNX model of a ResNet-18 with random weights."""
    modules, taken = random_modules(small("resnet18"))
    return graph(program(modules.folded, taken), ())


def test_names_are_those_of_the_spec(model: Any) -> None:
    """Weights by their keys, nodes by their layers; any batch; no file of this machine."""
    (x,), (y,) = model.graph.input, model.graph.output
    sizes = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (x, y)]
    assert (x.name, y.name) == ("input", "output")
    assert sizes == [["batch", 3, 32, 32], ["batch", 1000]]
    names = {one.name for one in model.graph.initializer}
    assert {"conv1.weight", "layer2.0.downsample.bias", "fc.weight"} <= names
    nodes = [node.name for node in model.graph.node]
    assert nodes[:3] == ["conv1/Conv", "relu/Relu", "maxpool/MaxPool"]
    assert len(set(nodes)) == len(nodes)
    assert b".py" not in model.SerializeToString()
    onnx.checker.check_model(model, full_check=True)


NET = """
name: net
input: [1, 8, 8]
stem:
  conv1: {conv: {channels: 8, kernel: 3}}
  bn1: norm
  relu: act
  maxpool: {max_pool: 2}
stages:
  layer1: {block: basic, channels: 8}
head: [global_avg_pool, flatten, {linear: 4}]
"""


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_normalized_in_the_file(kind: str) -> None:
    """As bytes or from 0 to 1, they give what they give when they are normalized outside."""
    modules, _ = random_modules(archspec.load(yaml.safe_load(NET)))
    taken = Taken((1, 8, 8), kind, (72.94,), (90.02,))
    model = graph(program(taken.into(modules.folded), taken), ())
    assert max(errors(model, modules, taken)) <= TOLERANCE
    x = (torch.arange(64) * 4).byte().view(1, 1, 8, 8)
    given = x if kind == "uint8" else x / 255
    (scores,) = of_onnx("onnx", model.SerializeToString()).run(given)
    expected = modules.trained((x - 72.94) / 90.02)
    assert torch.allclose(scores, expected, atol=1e-4)


def test_random_inputs_are_images_if_their_mean_is_known() -> None:
    """The same images for each kind of input, so that 8 bits do not clip them."""
    takens = [Taken((1, 28, 28), kind, (72.94,), (90.02,)) for kind in ("", *KINDS)]
    first, *others = [taken.normalized(taken.random(3)) for taken in takens]
    assert all(torch.allclose(other, first, atol=1e-5) for other in others)


def test_a_row_of_the_table_depends_on_the_network_not_on_its_text() -> None:
    """The hash of an export ignores docstrings and class names, but not the size of a kernel."""
    spec: Any = archspec.load("fashion_resnet8").document.data
    reworded = spec | {"class": "Other", "doc": "Another text."}
    wider = spec | {"stem": spec["stem"] | {"conv1": {"conv": {"channels": 32, "kernel": 5}}}}
    first, same, other = (digest(network(archspec.load(one))) for one in (spec, reworded, wider))
    assert first == same != other


# 8 bits -------------------------------------------------------------------------------


def test_a_relu_moves_behind_a_pool_and_nothing_changes(model: Any) -> None:
    moved, x = onnx.ModelProto.FromString(model.SerializeToString()), torch.randn(2, 3, 32, 32)
    pooled_first(moved)
    assert [node.name for node in moved.graph.node][:3] == [
        "conv1/Conv",
        "maxpool/MaxPool",
        "relu/Relu",
    ]
    outputs = [of_onnx("", one.SerializeToString()).run(x)[0] for one in (model, moved)]
    assert torch.equal(*outputs)
    assert [*in_float(moved)] == ["conv1/Conv", "maxpool/MaxPool", "relu/Relu"]


def test_a_mean_over_the_image_is_a_pool_and_nothing_changes(model: Any) -> None:
    pooled, x = onnx.ModelProto.FromString(model.SerializeToString()), torch.randn(2, 3, 32, 32)
    global_pools(pooled)
    assert "avgpool/ReduceMean" in {node.name for node in model.graph.node}
    assert "GlobalAveragePool" in {node.op_type for node in pooled.graph.node}
    outputs = [of_onnx("", one.SerializeToString()).run(x)[0] for one in (pooled, model)]
    assert apart(*outputs) <= 1e-6


# Data ---------------------------------------------------------------------------------


def draw(folder: Path, labelled: Iterable[int], size: int = 8) -> None:
    """Images of random pixels, each in the folder of its class."""
    generator = torch.Generator().manual_seed(3)
    for number, label in enumerate(labelled):
        pixels = torch.randint(256, (size, size), generator=generator, dtype=torch.uint8)
        path = folder / f"class{label}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.numpy()).save(path)


def test_images_of_a_folder_are_as_the_network_takes_them(tmp_path: Path) -> None:
    draw(tmp_path, [0, 1, 1, 0], size=20)
    read = images(str(tmp_path), "test", (1, 8, 8), 0.8, 2)
    assert read.labels == (0, 0, 1, 1)
    assert [tuple(batch.shape) for batch, _ in read.labelled()] == [(4, 1, 8, 8)]
    assert read.read(0).dtype == torch.uint8
    whole = images(str(tmp_path), "train", (3, 20, 20), 0.8, 2)
    first = Image.open(tmp_path / "class0/000.png").tobytes()
    assert [*whole.read(0)[0].flatten()] == [*first]


# The command --------------------------------------------------------------------------


def trained(project: Project) -> nn.Module:
    """A network in `net.yaml`, its random weights in `net.pt`, which answers with all classes."""
    project.write("net.yaml", NET)
    model = random_network(network(archspec.load("net.yaml"))).requires_grad_(False)
    model.fc.bias -= model(BYTES.normalized(some_images())).mean(0)
    torch.save(model.state_dict(), project.folder / "net.pt")
    return model


BYTES = Taken((1, 8, 8), "uint8", (72.94,), (90.02,))


def some_images() -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.randint(256, (60, 1, 8, 8), generator=generator, dtype=torch.uint8)


def sort_by_answer(project: Project, model: nn.Module) -> None:
    """Images in `test`, each in the folder of the class that the network takes it for."""
    answers = model(BYTES.normalized(some_images())).argmax(1).tolist()
    for number, (image, label) in enumerate(zip(some_images(), answers, strict=True)):
        file = project.folder / f"test/class{label}/{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(file)


def exported(project: Project, *words: str) -> Said:
    return project.run("export", "net.yaml", "--weights=net.pt", "--onnx=net.onnx", *words)


def test_export_writes_a_file_and_its_certificate(project: Project) -> None:
    trained(project)
    said = exported(project)
    assert said.code == 0
    assert said.lines[:2] == ["wrote net.onnx", "wrote net.onnx.certificate.json"]
    session = onnxruntime.InferenceSession(project.folder / "net.onnx")
    assert session.run(None, {"input": torch.zeros(3, 1, 8, 8).numpy()})[0].shape == (3, 4)
    found = json.loads((project.folder / "net.onnx.certificate.json").read_text("utf-8"))
    eager, file = found["measured"]
    assert max(file["errors"]) <= TOLERANCE
    assert len(file["errors"]) == 3
    assert file["bytes"] == (project.folder / "net.onnx").stat().st_size
    assert (eager["time"], file["accuracy"]) == (1.0, None)
    assert {"torch", "onnx", "onnxruntime"} <= found["versions"].keys()


def test_openvino_has_two_files(project: Project) -> None:
    model = trained(project)
    words = ("--weights=net.pt", "--openvino=net.xml")
    said = project.run("export", "net.yaml", *words)
    assert said.code == 0
    written = ["net.xml", "net.bin", "net.xml.certificate.json"]
    assert said.lines[:3] == [f"wrote {name}" for name in written]
    compiled, x = openvino.Core().compile_model(project.folder / "net.xml"), torch.randn(3, 1, 8, 8)
    assert apart(torch.from_numpy(compiled([x.numpy()])[0]), model(x)) <= 0.02  # bfloat16, maybe
    rows = json.loads((project.folder / "net.xml.certificate.json").read_text("utf-8"))["measured"]
    assert max(rows[1]["errors"]) <= TOLERANCE
    said = project.run("export", "net.yaml", "--weights=net.pt", "--openvino=net.onnx")
    assert said.code == 2
    assert "ends in `.xml`" in said.err


def test_a_pt2_file_is_for_torch_alone(project: Project) -> None:
    model = trained(project)
    said = project.run("export", "net.yaml", "--weights=net.pt", "--pt2=net.pt2")
    assert said.code == 0
    loaded, x = torch.export.load(project.folder / "net.pt2").module(), torch.randn(3, 1, 8, 8)
    assert apart(loaded(x), model(x)) <= TOLERANCE
    assert "BatchNorm" not in str(loaded)


def test_a_compiled_package_runs_any_batch(project: Project) -> None:
    """AOTInductor compiles it with g++; without a compiler there is an error and no file."""
    model, words = trained(project), ("export", "net.yaml", "--weights=net.pt", "--aoti=net.pt2")
    with torch._inductor.config.patch({"cpp.cxx": ("none/g++",)}):
        said = project.run(*words)
    assert said.code == 2
    assert "No working C++ compiler" in said.err
    assert "set CXX to the path of one" in said.err
    assert not project.folder.joinpath("net.pt2").exists()
    with torch._inductor.config.patch({"aot_inductor.compile_wrapper_opt_level": "O0"}):
        said = project.run(*words)
    assert said.code == 0, said.err
    loaded = torch._inductor.aoti_load_package(str(project.folder / "net.pt2"))
    x = torch.randn(3, 1, 8, 8)
    assert apart(loaded(x), model(x)) <= TOLERANCE


@pytest.mark.parametrize(
    ("message", "shown"), [("no space left\nin a folder", "no space left"), ("", "RuntimeError")]
)
def test_another_error_of_the_compiler_has_no_hint(
    message: str, shown: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(_program: object) -> bytes:
        raise RuntimeError(message)

    trained(project)
    monkeypatch.setattr(order, "compiled", compiled)
    said = project.run("export", "net.yaml", "--weights=net.pt", "--aoti=net.pt2")
    assert said.code == 2
    assert said.err == f"error: torch cannot compile the network: {shown}\n"


def test_what_is_less_accurate_is_not_written(project: Project) -> None:
    """Calibrated with images like those it is for, it is written; with black ones it is not."""
    sort_by_answer(project, trained(project))
    words = ("--normalize=fashion_mnist", "--int8", "--evaluate=test")
    said = exported(project, *words, "--calibrate=test", "--max-drop=10")
    assert said.code == 0, said.err
    rows = json.loads((project.folder / "net.onnx.certificate.json").read_text("utf-8"))["measured"]
    assert [row["name"] for row in rows] == ["eager", "onnx", "onnx int8"]
    assert [row["accuracy"] for row in rows[:2]] == [1.0, 1.0]
    written = onnx.load(project.folder / "net.onnx").graph
    last = written.node[-1]
    assert (last.op_type, [*last.output]) == ("Gemm", ["output"])  # its scores are not rounded
    weights = {one.name for one in written.initializer}
    assert {"conv1.weight", "layer1.0.conv1.weight_quantized"} <= weights
    before = {path.name: path.read_bytes() for path in project.folder.glob("net*")}
    project.folder.joinpath("black").mkdir()
    Image.new("L", (8, 8)).save(project.folder / "black/0.png")
    said = exported(project, *words, "--calibrate=black", "--max-drop=10")
    assert said.code == 1
    assert "error: accuracy drops by " in said.err
    assert {path.name: path.read_bytes() for path in project.folder.glob("net*")} == before


def test_openvino_has_all_convolutions_in_8_bits(project: Project) -> None:
    sort_by_answer(project, trained(project))
    words = ("--normalize=fashion_mnist", "--int8", "--calibrate=test", "--evaluate=test")
    said = project.run(
        "export", "net.yaml", "--weights=net.pt", "--openvino=net.xml", *words, "--max-drop=10"
    )
    assert said.code == 0, said.err
    found = openvino.Core().read_model(project.folder / "net.xml").get_ops()
    constants = [one for one in found if one.get_type_name() == "Constant"]
    kernels = [one for one in constants if len(one.shape) == 4 and one.shape[-1] == 3]
    assert [one.get_element_type() for one in kernels] == [openvino.Type.i8] * 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--int8=dynamic"], "dynamic quantization makes convolutions slower"),
        (["--int8"], "add --calibrate DATA --evaluate DATA"),
        (["--calibrate=test"], "--calibrate requires --int8"),
        (["--images=uint8"], "for example `--normalize imagenet`"),
        (["--images=uint8", "--normalize=imagenet"], "have 3 channels, but `net` takes 1"),
        (["--evaluate=test", "--normalize=mnist"], "there is no directory and no data set"),
        (["--weights=none.pt"], "none.pt"),
        (["--pt2=net.pt2"], "not allowed with argument --onnx"),
        (["--aoti=net.pt2"], "not allowed with argument --onnx"),
        (["--onnx=none/net.onnx"], "`none` is not a directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_wrong_usage(words: list[str], told: str, project: Project) -> None:
    trained(project)
    said = exported(project, *words)
    assert said.code == 2
    assert told in said.err
    assert not project.folder.joinpath("net.onnx").exists()


def test_weights_of_another_network_are_named(project: Project) -> None:
    trained(project)
    torch.save({"conv1.weight": torch.zeros(8, 1, 3, 3)}, project.folder / "net.pt")
    said = exported(project)
    assert said.code == 2
    assert "missing from the file:" in said.err

"""Modules of the user's own: imported by the generated source, given to `build_module`."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import archspec
from support import own
from support.linting import Project
from support.modules import (
    TRANSFORMATIONS,
    assert_same_tensors,
    evaluate,
    images,
    module_from_source,
    seeded,
)
from support.own import Mixed, Scaled

SCALED = """\
  scaled:
    import: support.own.Scaled
    args: {by: 2}
    call: {dim: in_channels, factor: by / 4, sizes: [by, 1], flat: false}
    like: identity
    params: in_channels
"""
SPEC = f"""\
blocks:
{SCALED}\
  cell:
    body:
      - residual: [{{conv: {{channels: channels, kernel: 3}}}}, norm, scaled]
      - act
stem: [{{conv: 8}}, {{scaled: {{by: 6}}, name: first}}]
stages:
  layer1: {{block: cell, repeat: 2, channels: 8}}
  layer2: {{block: scaled, repeat: 2, channels: 8}}
head: [global_avg_pool, flatten, scaled, {{linear: 10}}]
"""
MODULES = {"Scaled": Scaled}


class Down(nn.Module):
    """A convolution that strides, and a class whose name archspec prints itself."""

    def __init__(self, dim: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim, out, 3, stride, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x))


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """`one.layers` and `two.layers`, each with a few classes."""
    for package in ("one", "two"):
        module = ModuleType(f"{package}.layers")
        for name in ("Down", "BlurPool", "StochasticDepth", "Net", "Cell", "DataLoader"):
            setattr(module, name, type(name, (Down,), {}))
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, f"{package}.layers", module)


def down(path: str) -> dict[str, Any]:
    """A block that imports one of these."""
    return {
        "import": path,
        "call": {"dim": "in_channels", "out": "channels", "stride": "stride"},
        "like": {"conv": {"channels": "channels", "kernel": 3, "stride": "stride"}},
        "params": "9 * in_channels * channels + channels",
        "macs": "9 * in_channels * channels",
    }


def test_both_readers_make_the_same_network(project: Project) -> None:
    path = project.spec(SPEC)
    source = archspec.render(path)
    assert "from support.own import Scaled\n" in source
    assert "Scaled(dim=channels, factor=0.5, sizes=(2, 1), flat=False)" in source
    one = seeded(lambda: archspec.build_module(path, modules=MODULES))
    other = seeded(lambda: module_from_source(source))
    x = images(2, 3, 16, 16)
    assert_same_tensors(one.state_dict(), other.state_dict())
    assert torch.equal(evaluate(one, x), evaluate(other, x))
    assert torch.equal(evaluate(pickle.loads(pickle.dumps(one)), x), evaluate(one, x))
    assert torch.equal(evaluate(copy.deepcopy(one), x), evaluate(one, x))
    analysis = archspec.analyze(path)
    assert analysis.params == sum(weight.numel() for weight in one.parameters())
    assert [row.params for row in analysis.rows if row.op == "Scaled"] == [8, 8, 8, 8, 8, 8]


TWO = """\
blocks:
  mixed:
    import: support.own.Mixed
    inputs: [skip]
    outputs: [mixed, both]
    call: {dim: channels, how: {text: product}}
    like: [{save: mixed}, {concat: [[], {from: skip}], save: both}]
    params: channels
  cell:
    body:
      - {conv: channels, save: t}
      - act
      - {mixed: {skip: t}, name: first, save: [some, both]}
      - residual: [{mixed: {skip: t}}, {conv: channels, from: both}]
stem:
  a: {conv: 8}
  b: {cell: {channels: 8}}
  c: {mixed: {skip: a}, save: [one, two]}
head: {d: {add: [{from: one}, [{conv: 8, from: two}]]}}
outputs: [d, two]
"""


def test_several_tensors_and_texts(project: Project) -> None:
    path = project.spec(TWO)
    source = archspec.render(path)
    assert 'self.c = Mixed(dim=8, how="product")\n' in source
    assert "one, two = self.c(" in source
    assert "some, both = self.first(" in source
    one = seeded(lambda: archspec.build_module(path, modules={"Mixed": Mixed}))
    other = seeded(lambda: module_from_source(source))
    x = images(2, 3, 16, 16)
    assert_same_tensors(one.state_dict(), other.state_dict())
    assert [y.shape[1] for y in one(x)] == [8, 16]
    for ours, theirs in zip(one.eval()(x), other.eval()(x), strict=True):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(pickle.loads(pickle.dumps(one))(x), other(x), strict=True):
        assert torch.equal(ours, theirs)
    assert archspec.analyze(path).params == sum(weight.numel() for weight in one.parameters())


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_compilers_take_several_tensors(name: str, project: Project) -> None:
    model = module_from_source(archspec.render(project.spec(TWO))).eval()
    x = images(2, 3, 16, 16)
    for ours, theirs in zip(TRANSFORMATIONS[name](model, x)(x), model(x), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_compilers_take_it(name: str, project: Project) -> None:
    model = module_from_source(archspec.render(project.spec(SPEC))).eval()
    x = images(2, 3, 16, 16)
    assert torch.equal(TRANSFORMATIONS[name](model, x)(x), evaluate(model, x))


def test_it_widens_strides_and_multiplies(packages: None, project: Project) -> None:
    spec = {
        "name": "net",
        "input": [3, 32, 32],
        "blocks": {"down": down("one.layers.Down")},
        "stages": {"layer1": {"block": "down", "channels": 16, "stride": 2}},
    }
    analysis = archspec.analyze(spec)
    assert analysis.output == (16, 16, 16)
    assert (analysis.params, analysis.macs) == (27 * 16 + 16, 27 * 16 * 256)
    model = archspec.build_module(spec, modules={"one.layers.Down": Down})
    assert model(images(1, 3, 32, 32)).shape == (1, 16, 16, 16)


def test_names_that_the_file_has_already(packages: None) -> None:
    """A class of its own name where that is free, else one with its module's name before it."""
    paths = ["one.layers.Down", "two.layers.Down", "one.layers.BlurPool"]
    paths += ["one.layers.Net", "one.layers.Cell", "two.layers.DataLoader"]
    spec = {
        "name": "net",
        "input": [3, 32, 32],
        "blocks": {
            **{f"own{place}": down(path) for place, path in enumerate(paths)},
            "cell": {"body": [{"conv": 8}, "norm", "act"]},
        },
        "stem": [{f"own{place}": {"channels": 4}} for place in range(len(paths))],
        "stages": {"layer1": {"block": "cell", "channels": 8}},
        "head": [{"blur_pool": {"stride": 2}}],
    }
    source = archspec.render(spec)
    assert (
        "from one.layers import BlurPool as LayersBlurPool, Cell, Down, Net as LayersNet\n"
        "from two.layers import DataLoader as LayersDataLoader, Down as LayersDown\n"
    ) in source
    given = dict.fromkeys(paths, Down)
    one = seeded(lambda: archspec.build_module(spec, modules=given))
    other = seeded(lambda: module_from_source(source))
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = images(2, 3, 16, 16)
    assert torch.equal(evaluate(one, x), evaluate(other, x))


def test_init_of_the_network_reaches_what_is_inside(packages: None) -> None:
    """As the printed loop does, which meets modules that lack a bias."""
    spec = {
        "name": "net",
        "input": [3, 32, 32],
        "blocks": {"down": down("one.layers.Down")},
        "init": {"conv": {"weight": "zeros", "bias": "ones"}},
        "stem": [{"down": {"channels": 4}}, {"conv": {"channels": 4, "bias": True}}],
    }
    one = seeded(lambda: archspec.build_module(spec, modules={"Down": Down}))
    other = seeded(lambda: module_from_source(archspec.render(spec)))
    assert_same_tensors(one.state_dict(), other.state_dict())
    assert torch.equal(one.state_dict()["down.conv.bias"], torch.ones(4))


# What is said of it ------------------------------------------------------------------------


def test_classes_are_given_by_name_or_path(project: Project) -> None:
    path = project.spec(SPEC)
    for key in ("Scaled", own.PATH):
        archspec.build_module(path, modules={key: Scaled})
    with pytest.raises(TypeError, match=r'imports `support.own.Scaled`: pass `modules=\{"Scaled"'):
        archspec.build_module(path)
    with pytest.raises(TypeError, match="did you mean `Scaled`"):
        archspec.build_module(path, modules={"Scaled": Scaled, "Scald": Scaled})
    with pytest.raises(TypeError, match="the network imports no classes"):
        archspec.build_module("resnet18", modules=MODULES)


def test_another_number_of_parameters_is_refused_once_a_block(project: Project) -> None:
    path = project.spec(SPEC.replace("params: in_channels", "params: 3"))
    with pytest.raises(archspec.SpecError) as refused:
        archspec.build_module(path, modules=MODULES)
    (finding,) = refused.value.diagnostics
    assert finding.message == "block `scaled` sets `params: 3`, but its Scaled at `first` has 8"
    assert finding.span is not None
    assert finding.span.line == 14


def test_weights_load(project: Project, tmp_path: Path) -> None:
    path = project.spec(SPEC)
    one = archspec.build_module(path, modules=MODULES)
    torch.save(one.state_dict(), tmp_path / "net.pt")
    other = archspec.from_weights(path, tmp_path / "net.pt", modules=MODULES)
    assert_same_tensors(one.state_dict(), other.state_dict())


@pytest.mark.parametrize(
    ("block", "rule", "message"),
    [
        ("import: GRN, like: identity", "wrong-type", "expected the dotted path of a class"),
        ("import: 3, like: identity", "wrong-type", "expected the dotted path of a class"),
        ("import: pkg.grn, like: identity", "bad-name", "`grn` is not a valid class name"),
        (
            "import: pkg._x.Grn, like: identity",
            "bad-name",
            "`_x` is not valid as the name of a module",
        ),
        ("import: pkg.class.Grn, like: identity", "bad-name", "`class` is not valid as the name"),
        ("import: .pkg.Grn, like: identity", "bad-name", "`` is not valid as the name of a module"),
        ('import: "os;import sys.Grn", like: identity', "bad-name", "is not valid as the name"),
        ('import: "p\\u212Ag.Grn", like: identity', "bad-name", "is not valid as the name"),
        ("import: pkg.nn, like: identity", "bad-name", "`nn` is not a valid class name"),
        ("import: pkg.Grn", "missing-key", "missing required key `like`"),
        ("import: pkg.Grn, like: identity, body: [act]", "conflicting-keys", "`body` cannot"),
        ("import: pkg.Grn, like: identity, inputs: [a]", "missing-key", "missing input `a`"),
        (
            "import: pkg.Grn, like: identity, outputs: [a]",
            "unknown-tensor",
            "the tensor `a` is not defined here",
        ),
        ("import: pkg.Grn, like: identity, inline: true", "conflicting-keys", "`inline` cannot"),
        (
            "import: pkg.Grn, like: identity, call: {x: {text: 3}}",
            "wrong-type",
            "expected a string, found",
        ),
        (
            "import: pkg.Grn, like: identity, call: {x: {a: b}}",
            "wrong-type",
            "expected a number or a string, found",
        ),
        ("import: pkg.Grn, like: identity, call: {x: {}}", "wrong-type", "an empty mapping"),
        ("import: pkg.Grn, like: identity, call: {x: {text: '\"'}}", "out-of-range", "cannot be"),
        ("import: pkg.Grn, like: identity, call: {x: {text: 'a\\b'}}", "out-of-range", "cannot be"),
        ('import: pkg.Grn, like: identity, call: {x: {text: "a\\nb"}}', "out-of-range", "cannot"),
        ("import: pkg.Grn, like: identity, call: {x: bilinear}", "unknown-name", "`bilinear`"),
        ("import: pkg.Grn, like: identity, call: {x: [{text: a}]}", "wrong-type", "a number"),
        ("body: [act], like: identity", "conflicting-keys", "`like` requires `import`"),
        ("doc: x", "missing-key", "missing required key `body`"),
        (
            "import: pkg.Grn, like: identity, call: [1]",
            "wrong-type",
            "expected a mapping of arguments",
        ),
        ("import: pkg.Grn, like: identity, call: {x y: 1}", "bad-name", "`x y` is not valid as"),
        ("import: pkg.Grn, like: identity, call: {x: [[]]}", "wrong-type", "expected a number"),
        ("import: pkg.Grn, like: identity, call: {x: width}", "unknown-name", "`width`"),
        ("import: pkg.Grn, like: identity, params: wide", "unknown-name", "`wide`"),
        ("import: pkg.Grn, like: identity, macs: -1", "out-of-range", "at least 0"),
        ("import: pkg.Grn, like: identiy", "unknown-layer", "`identiy`"),
        ("import: pkg.Grn, like: {from: y}", "unknown-tensor", "`y`"),
        ("import: pkg.Grn, like: {residual: [{conv: 3}]}", "residual-shape-mismatch", "8 x"),
        ("import: pkg.Grn, like: grn", "cycle", "`grn` uses itself"),
        ("import: pkg.Grn, like: {linear: 3}", "shape-mismatch", "`linear`"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    block: str, rule: str, message: str, project: Project
) -> None:
    project.spec(f"blocks:\n  grn: {{{block}}}\nstem: [{{conv: 8}}, grn]\n")
    said = project.lint("--no-cache")
    found = [line for line in said.lines if f"[{rule}]" in line or f"{rule}:" in line]
    assert said.code == 1
    assert any("net.yaml:" in line and message in line for line in found), said.out


# Which packages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ("[]", True),
        ('["support"]', False),
        ('["support.own"]', False),
        ('["support.own.Scaled"]', True),
        ('["sup"]', True),
        ('["own"]', True),
    ],
)
def test_settings_name_what_may_be_imported(allowed: str, refused: bool, project: Project) -> None:
    project.spec(SPEC)
    project.write("archspec.toml", f"imports = {allowed}\n")
    for _ in range(2):  # the second time from the cache
        said = project.lint()
        assert ("import-not-allowed" in said.out) is refused
        assert said.code == int(refused)
    built = project.run("build")
    assert built.code == int(refused)
    assert (project.folder / "generated").exists() is not refused


def test_a_block_in_a_file_is_asked_about_too(project: Project) -> None:
    project.write("specs/blocks/scaled.yaml", SCALED.replace("  scaled:\n", "").replace("    ", ""))
    project.spec("stem: [{conv: 8}, scaled]\n")
    (line, *_) = project.lint().lines
    assert line.startswith("specs/blocks/scaled.yaml:1:9:")
    project.write("pyproject.toml", '[tool.archspec]\nimports = ["support"]\n')
    assert project.lint().code == 0
    assert project.run("build").code == 0


@pytest.mark.parametrize("value", ['"support"', '["a b"]', '["a..b"]', "[1]", '[".a"]', '["*"]'])
def test_settings_that_are_no_packages(value: str, project: Project) -> None:
    project.spec(SPEC)
    project.write("archspec.toml", f"imports = {value}\n")
    for command in ("lint", "build"):
        said = project.run(command)
        assert said.code == 2
        assert "`imports` is a list of" in said.err
        assert "archspec.toml:1:1" in said.err


def test_a_stranger_cannot_allow_himself(project: Project) -> None:
    """`build` and `train` ask the project that they run in, not the folder of the spec."""
    project.write("archspec.toml", "")
    project.write("theirs/archspec.toml", 'imports = ["support"]\n')
    project.write("theirs/net.yaml", "name: net\ninput: [3, 16, 16]\n" + SPEC + RECIPE)
    for command in ("build", "train"):
        said = project.run(command, "theirs/net.yaml")
        assert said.code == 1
        assert "import-not-allowed" in said.err


# Training ------------------------------------------------------------------------------------

RECIPE = "train: {data: cifar10, epochs: 1, batch_size: 4, lr: 0.01}\n"


@pytest.mark.parametrize("single", [False, True])
def test_the_training_script_imports_it(single: bool, project: Project) -> None:
    path = project.spec(SPEC + RECIPE)
    script = archspec.render_training(path, single_file=single)
    assert ("    from support.own import Scaled\n" in script) is single
    compile(script, "train_net.py", "exec")


def test_train_finds_modules_in_the_working_directory(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr("archspec.cli.train.become", lambda command: started.append(command) or 0)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    project.spec(SPEC + RECIPE)
    project.write("archspec.toml", 'imports = ["support"]\n')
    assert project.run("train", "specs/net.yaml").code == 0
    assert len(started) == 1
    assert os.environ["PYTHONPATH"] == str(project.folder)
    assert "from support.own import Scaled" in (project.folder / "runs/net/net.py").read_text()

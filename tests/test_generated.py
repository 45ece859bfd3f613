"""The generated files: what a reviewer asks of them, and what torch does."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from support import OURS, ROOT, SHIPPED, input_of, write_spec
from support.draws import blank, filled, shortened
from support.modules import TRANSFORMATIONS, class_from_source, evaluate, images, same_bits
from support.tools import assert_clean

GENERATED = ROOT / "generated"


def source(name: str) -> str:
    return (GENERATED / f"{name}.py").read_text("utf-8")


# As source ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_the_committed_file_is_what_render_gives(name: str) -> None:
    assert source(name) == archspec.render(name)


SMUGGLED = """
from archspec.codegen.verify import verify as model
from archspec.training.verify import verify as script
for verify, source in (
    (model, ["import os"]),
    (model, ["lambda: 0"]),
    (script, ["import pickle", ""]),
    (script, ["eval", ""]),
):
    try:
        verify(*source)
    except AssertionError as found:
        print(found)
"""


@pytest.mark.parametrize("optimised", [[], ["-O"]])
def test_what_a_spec_smuggled_in_is_found(optimised: list[str]) -> None:
    """Also where Python leaves out its `assert`s."""
    command = [sys.executable, *optimised, "-c", SMUGGLED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert len(lines) == 4, done.stderr
    assert all(line.startswith("unexpected") for line in lines)


def test_nothing_else_is_committed() -> None:
    scripts = {f"train_{name}" for name in SHIPPED if archspec.load(name).train}
    assert {path.stem for path in GENERATED.glob("*.py")} == {*SHIPPED, *scripts}


@pytest.mark.parametrize("name", SHIPPED)
def test_torch_is_the_only_import(name: str) -> None:
    modules = set()
    for node in ast.walk(ast.parse(source(name))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert modules == {"torch"}


def test_ruff_has_nothing_to_say() -> None:
    assert_clean(GENERATED)


@pytest.mark.parametrize("name", SHIPPED)
def test_one_class_a_block(name: str) -> None:
    tree = ast.parse(source(name))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    blocks = {"BasicBlock", "Bottleneck"} & set(classes)
    assert len(blocks) == 1
    assert classes[-1] == class_from_source(source(name)).__name__
    helpers = set(classes[:-1]) - blocks
    assert not any(block in helper for block in blocks for helper in helpers)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_class_has_a_docstring(name: str) -> None:
    module = inspect.getmodule(class_from_source(source(name)))
    assert module is not None
    assert module.__doc__
    for _, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ == module.__name__:
            assert inspect.getdoc(cls) != inspect.getdoc(nn.Module)


SHARED = """
input: [3, 32, 32]
stem:
  - {conv: {channels: 8, kernel: 3, stride: 2}}
  - norm
  - act
  - {conv: {channels: 16, kernel: 3, stride: 2}}
  - norm
  - act
  - max_pool: {kernel: 2, stride: 2}
  - conv: 32
  - act
  - max_pool: {kernel: 2, stride: 2}
head: [act, global_avg_pool, flatten, {linear: 20}, act, {linear: 10}]
"""


def table(source: str) -> list[list[str]]:
    """Layer, output and parameters, if any, as the docstring of a file lists them."""
    lines = (ast.get_docstring(ast.parse(source)) or "").partition("layer  ")[2].splitlines()
    return [re.split(r"  +", line.strip()) for line in lines[1:]]


@pytest.mark.parametrize("spec", [SHARED, "mobilenet_v2", "vgg11", "resnet50d"])
def test_the_table_has_every_call_in_order(spec: str, tmp_path: Path) -> None:
    source = archspec.render(write_spec(tmp_path, spec) if spec is SHARED else spec)
    model, seen = blank(class_from_source(source)), list[list[str]]()
    told = set[str]()
    for name, child in model.named_children():
        child.register_forward_hook(partial(_note, seen, told, name))
    side = 32 if spec is SHARED else 224
    evaluate(model, torch.empty(1, 3, side, side, device="meta"))
    assert table(source) == seen


def _note(
    seen: list[list[str]], told: set[str], name: str, child: nn.Module, _: object, y: Tensor
) -> None:
    params = 0 if name in told else sum(p.numel() for p in child.parameters())
    told.add(name)
    row = [name, " x ".join(map(str, y.shape[1:])), f"{params:,}" if params else ""]
    seen.append([text for text in row if text])


# As a module --------------------------------------------------------------------------


#: Of those that differ in sizes and in the number of blocks alone, the first.
DISTINCT = (
    *("resnet18", "resnet50", "resnext50_32x4d"),
    *("cifar_resnet20", "resnet18_fashion_mnist", *OURS),
)
#: Of those whose code differs, not only the convolutions that it makes.
DIFFERENT = ("resnet50", "cifar_resnet20", "fashion_resnet8")


def short(name: str) -> nn.Module:
    """A blank network from a committed file, with two of those blocks that are alike."""
    return shortened(blank(class_from_source(source(name))))


def two_stages(name: str) -> nn.Module:
    """The same without the stages behind the second, which differ in sizes alone."""
    model = short(name)
    for late in ("layer3", "layer4"):
        setattr(model, late, nn.Identity())
    *_, norm = (part for part in model.layer2.modules() if isinstance(part, nn.BatchNorm2d))
    model.fc = nn.Linear(norm.num_features, 10, device="meta")
    return filled(model).eval()


def parts(name: str) -> str:
    """All that torch's compilers see of it, but for sizes, and how many blocks are alike."""
    functions = [n for n in ast.walk(ast.parse(source(name))) if isinstance(n, ast.FunctionDef)]
    runs = [ast.unparse(node) for node in functions if node.name != "__init__"]
    return re.sub(r"\d+", "0", "\n".join([*runs, *map(repr, short(name).children())]))


def test_the_other_networks_have_other_sizes_alone() -> None:
    of = {name: parts(name) for name in SHIPPED}
    distinct = {of[name] for name in DISTINCT}
    assert len(distinct) == len(DISTINCT)
    assert {*of.values()} == distinct


@pytest.fixture(scope="module")
def network(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    """A network in eval mode, an input, and its output."""
    model = two_stages(request.param)
    x = images(2, input_of(request.param)[0], 32, 32)
    yield model, x, evaluate(model, x)
    torch.compiler.reset()


@pytest.mark.sampled("network", DIFFERENT, of=DISTINCT, indirect=True)
@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_torch_takes_it(network: tuple[nn.Module, Tensor, Tensor], transformation: str) -> None:
    model, x, expected = network
    with torch.no_grad():
        output = TRANSFORMATIONS[transformation](model, x)(x)
    assert same_bits(output, expected)


def test_inductor_takes_it() -> None:
    """A block with each kind of shortcut, between a stem and a head."""
    model, x = two_stages("resnet18"), images(2, 3, 32, 32)
    model.layer1, model.layer2 = model.layer1[:1], model.layer2[:1]
    with torch.no_grad():
        output = torch.compile(model, fullgraph=True)(x)
    torch.testing.assert_close(output, evaluate(model, x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20"])
def test_channels_last_and_autocast(name: str) -> None:
    model, x = filled(short(name)), images(2, 3, 64, 64)
    expected = evaluate(model, x)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(evaluate(model, x), expected, rtol=1e-3, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert evaluate(model, x).isfinite().all()

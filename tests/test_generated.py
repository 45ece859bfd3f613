"""The generated files: what a reviewer asks of them, and what torch does."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from support import (
    ROOT,
    SHIPPED,
    evaluate,
    generated_module,
    images,
    input_of,
    module_from_source,
    same_bits,
)

GENERATED = ROOT / "generated"


def run(*command: str | Path) -> None:
    """Run a tool of this environment; on failure the test shows what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


# As source ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_the_committed_file_is_what_render_gives(name: str) -> None:
    assert (GENERATED / f"{name}.py").read_text("utf-8") == archspec.render(name)


@pytest.mark.parametrize(
    "call",
    [
        "from archspec.codegen.verify import verify; verify('import os')",
        "from archspec.codegen.verify import verify; verify('lambda: 0')",
        "from archspec.training.verify import verify; verify('import pickle', '')",
        "from archspec.training.verify import verify; verify('eval', '')",
    ],
)
@pytest.mark.parametrize("optimised", [[], ["-O"]])
def test_what_a_spec_smuggled_in_is_found(call: str, optimised: list[str]) -> None:
    """Also where Python leaves out its `assert`s."""
    command = [sys.executable, *optimised, "-c", call]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert "AssertionError: unexpected" in done.stderr


def test_nothing_else_is_committed() -> None:
    scripts = {f"train_{name}" for name in SHIPPED if archspec.load(name).train}
    assert {path.stem for path in GENERATED.glob("*.py")} == {*SHIPPED, *scripts}


@pytest.mark.parametrize("name", SHIPPED)
def test_torch_is_the_only_import(name: str) -> None:
    modules = set()
    for node in ast.walk(ast.parse((GENERATED / f"{name}.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert modules == {"torch"}


def test_ruff_would_format_nothing() -> None:
    run("ruff", "format", "--isolated", "--check", "--diff", GENERATED)


def test_ruff_has_nothing_to_say() -> None:
    run("ruff", "check", "--isolated", GENERATED)


def test_mypy_has_nothing_to_say(tmp_path: Path) -> None:
    run("mypy", "--config-file=", f"--cache-dir={tmp_path}", GENERATED)


@pytest.mark.parametrize("name", SHIPPED)
def test_one_class_a_block(name: str) -> None:
    tree = ast.parse((GENERATED / f"{name}.py").read_text("utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    blocks = {"BasicBlock", "Bottleneck"} & set(classes)
    assert len(blocks) == 1
    assert classes[-1] == type(generated_module(name)).__name__
    helpers = set(classes[:-1]) - blocks
    assert not any(block in helper for block in blocks for helper in helpers)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_class_has_a_docstring(name: str) -> None:
    module = inspect.getmodule(type(generated_module(name)))
    assert module is not None
    assert module.__doc__
    for _, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ == module.__name__:
            assert inspect.getdoc(cls) != inspect.getdoc(nn.Module)


# As a module --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SHIPPED)
def network(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[nn.Module, Tensor, Tensor]]:
    """A network from a committed file in eval mode, an input, and its output."""
    name: str = request.param
    model = module_from_source((GENERATED / f"{name}.py").read_text("utf-8")).eval()
    x = images(2, input_of(name)[0], 64, 64)
    yield model, x, evaluate(model, x)
    torch.compiler.reset()


def export(model: nn.Module, x: Tensor) -> nn.Module:
    """`torch.export.export` as a function from module to module."""
    return torch.export.export(model, (x,)).module()


TRANSFORMATIONS: dict[str, Callable[[nn.Module, Tensor], Callable[[Tensor], Tensor]]] = {
    "compile": lambda model, x: torch.compile(model, fullgraph=True, backend="eager"),
    "export": export,
    "script": lambda model, x: torch.jit.script(model),
    "trace": lambda model, x: torch.fx.symbolic_trace(model),
}


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_torch_takes_it(network: tuple[nn.Module, Tensor, Tensor], transformation: str) -> None:
    model, x, expected = network
    with torch.no_grad():
        output = TRANSFORMATIONS[transformation](model, x)(x)
    assert same_bits(output, expected)


@pytest.mark.parametrize(("name", "size"), [("cifar_resnet20", 32), ("resnet18", 64)])
def test_inductor_takes_it(name: str, size: int) -> None:
    model, x = generated_module(name).eval(), images(2, 3, size, size)
    with torch.no_grad():
        output = torch.compile(model, fullgraph=True)(x)
    torch.testing.assert_close(output, evaluate(model, x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20"])
def test_channels_last_and_autocast(name: str) -> None:
    model, x = generated_module(name), images(2, 3, 64, 64)
    expected = evaluate(model, x)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = x.to(memory_format=torch.channels_last)
    torch.testing.assert_close(evaluate(model, x), expected, rtol=1e-3, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert evaluate(model, x).isfinite().all()

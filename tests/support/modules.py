"""Networks in tests: built from generated source, run, trained, compared to the bit."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import archspec
from archspec.verify.tensors import images as images, same_bits as same_bits
from support import rendered

_folder = tempfile.TemporaryDirectory(prefix="archspec-generated-")


def class_from_source(source: str) -> type[nn.Module]:
    """Write generated source to a file, import that file, and give the class of its network.

    A file on disk, since `torch.jit.script` reads the source of what it compiles.
    """
    stem = f"generated_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    if stem not in sys.modules:
        path = Path(_folder.name) / f"{stem}.py"
        path.write_text(source, "utf-8")
        spec = importlib.util.spec_from_file_location(stem, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[stem])
    return network_class(vars(sys.modules[stem]))


def module_from_source(source: str) -> nn.Module:
    """The network that generated source builds."""
    return class_from_source(source)()


def network_class(namespace: Mapping[str, Any]) -> type[nn.Module]:
    """The network of a generated file, which is its last class."""
    classes = [
        value
        for value in namespace.values()
        if isinstance(value, type) and value.__module__ == namespace["__name__"]
    ]
    return classes[-1]


def generated_module(spec: archspec.Spec | Path | str, **args: Any) -> nn.Module:
    """The network that the rendered source of a spec builds."""
    plain = isinstance(spec, str) and not args
    return module_from_source(rendered(spec) if plain else archspec.render(spec, **args))


#: The two ways from a spec to a module. What one does, the other does to the bit.
READERS: dict[str, Callable[..., nn.Module]] = {
    "interpreted": archspec.build_module,
    "generated": generated_module,
}


def seeded(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A module built right after the seed is set."""
    torch.default_generator.manual_seed(seed)
    return build()


def evaluate(model: nn.Module, x: Tensor) -> Tensor:
    """What `model` says of `x` in eval mode."""
    with torch.no_grad():
        output: Tensor = model.eval()(x)
    return output


def tensors(output: Any) -> dict[str, Tensor]:
    """What a module gives, by place."""
    listed = output if isinstance(output, tuple) else (output,)
    return {str(place): tensor for place, tensor in enumerate(listed)}


def train(
    model: nn.Module, x: Tensor, y: Tensor, steps: int, lr: float = 0.001
) -> tuple[list[float], dict[str, Tensor]]:
    """Take SGD steps on one batch; give all losses and the last gradients."""
    optimizer = torch.optim.SGD(model.train().parameters(), lr=lr, momentum=0.9)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(map(math.isfinite, losses))
    return losses, {
        name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None
    }


def assert_same_tensors(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """The same names in the same order, with the same shapes and bits."""
    assert list(actual) == list(expected)
    shapes = {name: tuple(tensor.shape) for name, tensor in actual.items()}
    assert shapes == {name: tuple(tensor.shape) for name, tensor in expected.items()}
    differing = [name for name in actual if not same_bits(actual[name], expected[name])]
    assert not differing


# torch's compilers ----------------------------------------------------------------------


def export(model: nn.Module, x: Tensor) -> nn.Module:
    """`torch.export.export` as a function from module to module."""
    return torch.export.export(model, (x,)).module()


TRANSFORMATIONS: dict[str, Callable[[nn.Module, Tensor], Callable[[Tensor], Tensor]]] = {
    "compile": lambda model, x: torch.compile(model, fullgraph=True, backend="eager"),
    "export": export,
    "script": lambda model, x: torch.jit.script(model),
    "trace": lambda model, x: torch.fx.symbolic_trace(model),
}

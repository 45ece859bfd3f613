"""A network of torchvision as a template of structcast-model: its layers, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import fx, nn

ARGUMENTS = {
    nn.Conv2d: "in_channels out_channels kernel_size stride padding groups",
    nn.BatchNorm2d: "num_features",
    nn.ReLU: "inplace",
    nn.MaxPool2d: "kernel_size stride padding",
    nn.AdaptiveAvgPool2d: "output_size",
    nn.Linear: "in_features out_features",
}


def template(net: nn.Module) -> dict[str, Any]:
    """Every layer and sum of the forward pass, as `scm torch create model` reads them."""
    start, *nodes, end = fx.symbolic_trace(net).graph.nodes
    return {"INPUTS": [start.name], "OUTPUTS": [end.args[0].name], "FLOW": [*_flow(nodes, net)]}


def _flow(nodes: list[fx.Node], net: nn.Module) -> Iterator[list[Any]]:
    """A layer is described where it is first applied."""
    known: set[str] = set()
    for node in nodes:
        args, name = ", ".join(map(str, node.args)), str(node.target).replace(".", "_")
        if node.op == "call_function":
            yield [f"eval: torch.{node.target.__name__}({args})", node.name]  # type: ignore[union-attr]
        elif name in known:
            yield [args, node.name, name]
        else:
            yield [args, node.name, name, _pattern(net.get_submodule(str(node.target)))]
        known.add(name)


def _pattern(module: nn.Module) -> list[Any]:
    """The class of a layer, and what it is called with."""
    made = {name: getattr(module, name) for name in ARGUMENTS[type(module)].split()}
    if isinstance(module, nn.Conv2d):
        made["bias"] = module.bias is not None
    given = {name: [*value] if isinstance(value, tuple) else value for name, value in made.items()}
    return ["_obj_", {"_addr_": f"torch.nn.{type(module).__name__}"}, {"_call_": given}]

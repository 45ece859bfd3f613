"""Where in a network the regularisers of a recipe act: paths of layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir import Add, Apply, Body, Chain, Class, Network, New, Sequential, children

if TYPE_CHECKING:
    from archspec.analysis import Analysis
    from archspec.ir import Repeat
    from archspec.spec import Spec


def last_linear(spec: Spec, analysis: Analysis) -> str:
    """The layer whose inputs `dropout` acts on."""
    for row in reversed(analysis.rows):
        if row.layer.key == "linear":
            return row.path
    raise _idle(spec, "dropout", "the network has no linear layer for `dropout`")


def residual_ends(spec: Spec, network: Network) -> list[str]:
    """The last layer of each residual body, in order: what `stochastic_depth` drops."""
    found = [path.removeprefix(".") for path in _inside(network.root, "")]
    if not found:
        raise _idle(spec, "stochastic_depth", "the network has no residual whose body is a layer")
    return found


def _idle(spec: Spec, key: str, message: str) -> SpecError:
    return SpecError(
        [Diagnostic("idle-regulariser", message, spec.where("train", key), "remove it")]
    )


def _below(made: New | Sequential | Repeat, path: str) -> Iterator[str]:
    if isinstance(made, Sequential):
        for place, child in enumerate(children(made)):
            yield from _below(child, f"{path}.{place}")
    elif isinstance(made, New) and isinstance(made.what, Class):
        yield from _inside(made.what, path)


def _inside(cls: Class, path: str) -> Iterator[str]:
    """Those of a class and of its layers; paths begin with a dot."""
    for end in _ends(cls.body):
        yield f"{path}.{end}"
    for place, layer in enumerate(cls.layers):
        if isinstance(layer.new, (New, Sequential)):
            yield from _below(layer.new, f"{path}.{place if cls.sequential else layer.name}")


def _ends(body: Body) -> Iterator[str]:
    """The last layer of each sum's first branch."""
    if isinstance(body, Chain):
        for step in body.steps:
            yield from _ends(step)
    elif isinstance(body, Add):
        first = body.branches[0]
        last = first.steps[-1] if isinstance(first, Chain) and first.steps else first
        if isinstance(last, Apply):
            yield last.layer
        yield from _ends(first)

"""The library's functions, each a few steps long; what is heavy is imported when used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archspec.analysis import Analysis, analyze_network
from archspec.ir import Network
from archspec.lower import lower
from archspec.spec import Spec, keywords
from archspec.spec import load as load_spec
from archspec.spec.load import Source

if TYPE_CHECKING:
    from torch import nn


def load(source: Source, **args: Any) -> Spec:
    """A checked spec from a YAML file, the name of a shipped spec, or a mapping.

    Keyword arguments set the spec's `args` by name, and `input`: `load("resnet18",
    classes=10, input=[1, 28, 28])`.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
    """
    return load_spec(source, keywords(args))


def network(source: Source, **args: Any) -> Network:
    """The IR of a spec: the classes that one would write by hand, as data."""
    return lower(load(source, **args))


def build_module(source: Source, **args: Any) -> nn.Module:
    """The network as a live `torch.nn.Module`, with fresh weights from torch's generator.

    It takes (N, *input) and gives (N, *output); the same seed gives the weights of the
    rendered source, bit for bit. Raises what `load` raises.
    """
    from archspec.runtime import build

    return build(network(source, **args))


def render(source: Source, **args: Any) -> str:
    """The network as standalone PyTorch source. Raises what `load` raises."""
    from archspec.codegen import generate

    return generate(network(source, **args))


def analyze(source: Source, **args: Any) -> Analysis:
    """Shapes, parameters and multiply-adds, layer by layer, without torch.

    Raises what `load` raises.
    """
    return analyze_network(network(source, **args))

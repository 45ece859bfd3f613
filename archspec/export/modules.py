"""The network with the weights of a checkpoint, as trained and folded for inference."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import nn

from archspec.deploy import for_inference
from archspec.deploy.kept import kept
from archspec.deploy.source import generate_deploy
from archspec.ir.classes import Network
from archspec.language import Spec
from archspec.runtime import build, load_weights
from archspec.verify.deploy import deployed


class Modules(NamedTuple):
    """`folded` computes the same as `trained`; `norms` counts the norms not folded, by reason."""

    trained: nn.Module
    folded: nn.Module
    norms: dict[str, int]


def loaded(network: Network, weights: Path) -> nn.Module:
    """The network as trained; raises `WeightsError` and `UnreadableFile`."""
    return load_weights(build(network, init=False), weights).eval().requires_grad_(False)


def folded(spec: Spec, network: Network, trained: nn.Module) -> Modules:
    """The trained network and its folded form, which uses torch's own layers only."""
    source = generate_deploy(spec, network.tree, plain=True)
    norms = kept(for_inference(network.tree, plain=True))
    return Modules(trained, deployed(source, trained.state_dict()), dict(norms))

"""The file for inference against the trained network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archspec.diagnostics import plural
from archspec.ir.classes import Network
from archspec.runtime import build
from archspec.verify.check import Check
from archspec.verify.tensors import Shape, farthest, flat, images, randomise

FILE = "file for inference"
TOLERANCE = 1e-5  # of the largest value, in float32
BATCHES = (1, 2, 5)
_check = partial(Check, FILE)


def deployed(source: str, weights: dict[str, Any], **options: Any) -> nn.Module:
    """The network of a file for inference, with weights of training, by its own function."""
    namespace: dict[str, Any] = {"__name__": "archspec.verified.deploy"}
    exec(compile(source, "<deploy.py>", "exec"), namespace)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pt"
        torch.save(weights, path)
        made: nn.Module = namespace["from_training_checkpoint"](str(path), **options)
    return made


def random_network(network: Network) -> nn.Module:
    """The network as trained, with random weights and statistics."""
    trained = build(network, init=False).eval()
    randomise(trained)
    return trained


def checks_of_deploy(network: Network, source: str, shape: Shape) -> Iterator[Check]:
    """With random weights and statistics: all of them load, and the outputs are the same."""
    trained = random_network(network)
    weights = trained.state_dict()
    module = deployed(source, weights)
    left = sum(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules())
    detail = f"{plural(len(weights), 'tensor')} loaded; {plural(left, 'batch norm')} not folded"
    yield _check("weights", True, detail)
    far = differences(trained, module, shape)
    listed = ", ".join(f"{share:.0e}" for share in far)
    detail = f"differs by {listed} of the largest value in batches of {_listed(BATCHES)}"
    yield _check("forward", max(far) <= TOLERANCE, detail)


def differences(trained: nn.Module, module: nn.Module, shape: Shape) -> list[float]:
    """The largest difference in each batch, relative to the trained network's largest output."""
    inputs = [images(batch, *shape) for batch in BATCHES]
    with torch.inference_mode():
        return [farthest(flat(module(x)), flat(trained(x))) for x in inputs]


def _listed(numbers: tuple[int, ...]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"

"""Whether `archspec infer` finds the spec of networks that torch-pruning has pruned globally.

    pip install torch torchvision torch-pruning
    python benchmarks/prune.py [FOLDER]

Prunes torchvision's ResNets at 30, 50 and 70 % and MobileNetV2 at 30 %, infers the spec of each
from names and shapes, builds it, loads the weights strictly, and compares the outputs bit by bit.
The specs are written into FOLDER.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

import archspec
from archspec.infer import infer
from archspec.language.load import parse_text

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.peers import torchvision_model

CASES = (
    *((f"resnet{depth}", percent) for depth in (18, 34, 50) for percent in (30, 50, 70)),
    ("mobilenet_v2", 30),
)


def network(name: str) -> nn.Module:
    """A network with weights, norms and statistics of its own."""
    torch.manual_seed(0)
    model = torchvision_model(name)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model.eval()


def pruned(name: str, percent: int) -> nn.Module:
    """The network without the channels of the least magnitude, over all layers."""
    pruning = importlib.import_module("torch_pruning")
    model = network(name)
    pruner = pruning.pruner.MagnitudePruner(
        model,
        torch.zeros(1, 3, 64, 64),
        importance=pruning.importance.MagnitudeImportance(p=2),
        global_pruning=True,
        pruning_ratio=percent / 100,
        ignored_layers=[module for module in model.modules() if isinstance(module, nn.Linear)],
    )
    pruner.step()
    return model


def check(name: str, percent: int) -> tuple[str | None, str]:
    """The spec that was found, and what came of it."""
    model = pruned(name, percent)
    state = model.state_dict()
    found = infer({key: tuple(t.shape) for key, t in state.items()}, f"{name}_pruned{percent}")
    if found.text is None:
        return None, "; ".join(found.reasons)
    ours = archspec.build_module(parse_text(found.text, name)).eval()
    ours.load_state_dict(state, strict=True)
    images = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        equal = torch.equal(ours(images), model(images))
    return found.text, "equal to the bit" if equal else "another function"


def outcomes(folder: Path | None) -> Iterator[bool]:
    """One line for each network, and its spec in the folder."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    for name, percent in CASES:
        text, outcome = check(name, percent)
        print(f"{name:12} {percent} %  {outcome}", flush=True)
        if folder and text:
            (folder / f"{name}_pruned{percent}.yaml").write_text(text, "utf-8")
        yield outcome.startswith("equal")


if __name__ == "__main__":
    sys.exit(not all(list(outcomes(Path(sys.argv[1]) if sys.argv[1:] else None))))

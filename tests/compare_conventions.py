"""Count operations by fvcore, torchinfo and ptflops: `python tests/compare_conventions.py`.

It needs these tools (`pip install fvcore torchinfo ptflops`) and prints a line for each network, as
it stands in `tests/test_counts.py`. Exit code 1 if one of our counts differs.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import archspec
from archspec.verify.peers import torchvision_models

NETWORKS = ("resnet18", "resnet50", "mobilenet_v2", "convnext_tiny")


def fvcore(model: nn.Module, shape: tuple[int, ...]) -> int:
    tool: Any = importlib.import_module("fvcore.nn")
    return int(tool.FlopCountAnalysis(model, torch.zeros(1, *shape)).total())


def torchinfo(model: nn.Module, shape: tuple[int, ...]) -> int:
    tool: Any = importlib.import_module("torchinfo")
    return int(tool.summary(model, input_size=(1, *shape), verbose=0).total_mult_adds)


def ptflops(model: nn.Module, shape: tuple[int, ...]) -> int:
    tool: Any = importlib.import_module("ptflops")
    options = {"as_strings": False, "print_per_layer_stat": False, "verbose": False}
    return int(tool.get_model_complexity_info(model, shape, **options)[0])


TOOLS: dict[str, Callable[[nn.Module, tuple[int, ...]], int]] = {
    "fvcore": fvcore,
    "torchinfo": torchinfo,
    "ptflops": ptflops,
}


def main() -> int:
    logging.disable(logging.WARNING)
    torchvision_models()  # fvcore imports it
    equal = True
    for name in NETWORKS:
        analysis = archspec.analyze(name)
        model = archspec.build_module(name).eval()
        theirs = {tool: count(model, analysis.input) for tool, count in TOOLS.items()}
        equal &= all(analysis.counted(tool).macs == total for tool, total in theirs.items())
        print(name, *(f"{total:,}" for total in theirs.values()))
    return int(not equal)


if __name__ == "__main__":
    raise SystemExit(main())

"""Describe a convolutional network in YAML, check it, and build it with PyTorch.

import archspec

model = archspec.build_module("resnet18", classes=10)  # a live torch.nn.Module
source = archspec.render("resnet18", classes=10)       # the same network as Python source
archspec.analyze("resnet18").params                    # 11689512, without torch
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.analysis import Analysis as Analysis
    from archspec.api import (
        analyze as analyze,
        build_module as build_module,
        from_weights as from_weights,
        load as load,
        load_weights as load_weights,
        render as render,
        render_deploy as render_deploy,
        render_training as render_training,
    )
    from archspec.diagnostics import (
        Diagnostic as Diagnostic,
        Span as Span,
        SpecError as SpecError,
        UnreadableFile as UnreadableFile,
        WeightsError as WeightsError,
    )
    from archspec.language import Spec as Spec

_NAMES = {
    "analysis": ("Analysis",),
    "api": (
        "analyze",
        "build_module",
        "from_weights",
        "load",
        "load_weights",
        "render",
        "render_deploy",
        "render_training",
    ),
    "diagnostics": ("Diagnostic", "Span", "SpecError", "UnreadableFile", "WeightsError"),
    "language": ("Spec",),
}

__all__ = [
    "Analysis",
    "Diagnostic",
    "Span",
    "Spec",
    "SpecError",
    "UnreadableFile",
    "WeightsError",
    "analyze",
    "build_module",
    "from_weights",
    "load",
    "load_weights",
    "render",
    "render_deploy",
    "render_training",
]
__version__ = "0.2.0"  # pyproject.toml reads it here


if not TYPE_CHECKING:  # for type checkers, any name has a type

    def __getattr__(name: str) -> Any:
        """Import a name of the library on first use, so that `import archspec` is fast."""
        for module, names in _NAMES.items():
            if name in names:
                return getattr(import_module(f"archspec.{module}"), name)
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

"""archspec: describe a convolutional network in YAML, check it, build it, print it.

import archspec

model = archspec.build_module("resnet18", classes=10)   # a live torch.nn.Module
source = archspec.render("resnet18", classes=10)        # the same, as Python source
archspec.analyze("resnet18").params                     # 11689512, without torch
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs more than all that a run without changes needs
if TYPE_CHECKING:
    from typing import Any

    from archspec.analysis import Analysis as Analysis
    from archspec.api import analyze as analyze
    from archspec.api import build_module as build_module
    from archspec.api import from_weights as from_weights
    from archspec.api import load as load
    from archspec.api import load_weights as load_weights
    from archspec.api import render as render
    from archspec.api import render_training as render_training
    from archspec.diagnostics import Diagnostic as Diagnostic
    from archspec.diagnostics import Span as Span
    from archspec.diagnostics import SpecError as SpecError
    from archspec.diagnostics import UnreadableFile as UnreadableFile
    from archspec.diagnostics import WeightsError as WeightsError
    from archspec.language import Spec as Spec

_WHERE = {
    "Analysis": "archspec.analysis",
    "analyze": "archspec.api",
    "build_module": "archspec.api",
    "from_weights": "archspec.api",
    "load": "archspec.api",
    "load_weights": "archspec.api",
    "render": "archspec.api",
    "render_training": "archspec.api",
    "Diagnostic": "archspec.diagnostics",
    "Span": "archspec.diagnostics",
    "SpecError": "archspec.diagnostics",
    "UnreadableFile": "archspec.diagnostics",
    "WeightsError": "archspec.diagnostics",
    "Spec": "archspec.language",
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
    "render_training",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Names of the library, imported on first use, so that `import archspec` costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

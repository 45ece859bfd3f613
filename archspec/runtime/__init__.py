"""IR -> live `nn.Module`, and weights into it. The only floor that imports torch.

build    a network constructed, with fresh weights or without
own      the classes that blocks import
starts   how fresh weights are drawn
read     the tensors of a checkpoint, and nothing but tensors
weights  a checkpoint against a module: what is missing, what is too many, what is adapted
"""

from __future__ import annotations

from archspec.runtime.build import build
from archspec.runtime.read import read_tensors
from archspec.runtime.weights import load_weights

__all__ = ["build", "load_weights", "read_tensors"]

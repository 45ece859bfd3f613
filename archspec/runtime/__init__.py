"""IR -> live `nn.Module`, and weights loaded into it. The only package besides `verify` with torch.

build    constructs a network, with or without initialized weights
own      the classes that blocks import
starts   weight initialization
read     the tensors of a checkpoint, and nothing but tensors
weights  a checkpoint against a module: missing, unexpected, and adapted tensors
"""

from __future__ import annotations

from archspec.runtime.build import build
from archspec.runtime.read import read_tensors
from archspec.runtime.weights import load_weights

__all__ = ["build", "load_weights", "read_tensors"]

"""The reference of the language, written from the models and the ops.

Tables (arguments, types, defaults) come from the code; what a key is for is said in `texts`.
The tests hold every text against what there is, and build every example.
"""

from __future__ import annotations

from archspec.reference.page import render

__all__ = ["render"]

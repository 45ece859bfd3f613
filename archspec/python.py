"""Python source, parsed by one thread at a time."""

from __future__ import annotations

import ast
import threading
from typing import Any

_LOCK = threading.Lock()


def parse_python(source: str, mode: str = "exec") -> Any:
    """`ast.parse` for threads; raises the same exceptions.

    Python 3.11 has one depth counter for all threads: two that parse at the same time may raise
    "AST constructor recursion depth mismatch" (python/cpython#106905).
    """
    with _LOCK:
        return ast.parse(source, mode=mode)

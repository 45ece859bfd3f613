"""Names and shapes of a `.safetensors` file, from its header alone.

The file has eight bytes with the length of the header, the header (JSON), and then the values:
https://huggingface.co/docs/safetensors, "Format". A header may be untrusted, so each number in it
is checked against the file before it is used. No tensor is read, and torch is not needed.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from archspec.diagnostics import UnreadableFile, plural, shown
from archspec.paths import display_path

Shapes = dict[str, tuple[int, ...]]

MOST_HEADER = 100_000_000  # the limit of the safetensors library
MOST_TENSORS = 100_000
MOST_DIMENSIONS = 16
METADATA = "__metadata__"
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


def read_header(path: str | Path) -> Shapes:
    """The shape of every tensor by its name.

    Raises `UnreadableFile` if there is no such file, or if it is not a complete safetensors file.
    """
    name = display_path(path)
    try:
        with open(path, "rb") as file:
            whole = Path(path).stat().st_size
            length = int.from_bytes(file.read(8), "little")
            _check(whole >= 8, name, "it is shorter than a header")
            _check(
                length <= min(MOST_HEADER, whole - 8), name, "its header is longer than the file"
            )
            text = file.read(length)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise UnreadableFile(f"could not read `{name}`: {reason}") from None
    return _shapes(_parsed(text, name), whole - 8 - length, name)


def _check(holds: bool, name: str, reason: str) -> None:
    if not holds:
        message = f"could not read `{name}`: not a safetensors file, or truncated ({reason})"
        raise UnreadableFile(message)


def _parsed(text: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):  # not UTF-8 or JSON, a duplicate key, or nested too deep
        found = None
    _check(isinstance(found, dict), name, "its header is not a JSON object")
    found.pop(METADATA, None)
    _check(len(found) <= MOST_TENSORS, name, f"its header names {plural(len(found), 'tensor')}")
    return dict(found)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _shapes(header: dict[str, Any], size: int, name: str) -> Shapes:
    shapes: Shapes = {}
    for key, entry in header.items():
        _check(_is_tensor(entry), name, f"the entry of `{shown(key)}` is invalid")
        shape, (begin, end) = entry["shape"], entry["data_offsets"]
        bits = math.prod(shape) * BITS.get(entry["dtype"], 0)
        known = entry["dtype"] not in BITS or 8 * (end - begin) == bits
        inside = begin <= end <= size and known
        _check(inside, name, f"the values of `{shown(key)}` are not in the file")
        shapes[key] = tuple(shape)
    return shapes


def _is_tensor(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    shape, ends, kind = entry.get("shape"), entry.get("data_offsets"), entry.get("dtype")
    if not (isinstance(shape, list) and isinstance(ends, list) and isinstance(kind, str)):
        return False
    sizes = all(type(n) is int and 0 <= n < 2**63 for n in [*shape, *ends])
    return sizes and len(shape) <= MOST_DIMENSIONS and len(ends) == 2

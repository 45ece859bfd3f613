"""The measurements of a file, for people and for programs."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from archspec.export.measure import Measured
from archspec.export.taken import Taken
from archspec.records import Record

LIBRARIES = ("archspec-nn", "torch", "onnx", "onnxscript", "onnxruntime", "openvino", "numpy")
HEAD = ("", "error", "accuracy", "one image", "", "size")


class Certificate(Record):
    """The first of `rows` is the trained network, the last is the file.

    `evaluated` and `calibrated` name the images, with their number. `norms` counts the batch norms
    that are not folded, by the reason.
    """

    spec: str
    weights: str  # of their file, the SHA-256
    files: dict[str, str]  # suffix -> SHA-256
    opset: int | None  # of an ONNX file
    taken: Taken
    outputs: tuple[str, ...]
    rows: Sequence[Measured]
    norms: dict[str, int]
    evaluated: str = ""
    calibrated: str = ""

    @property
    def drop(self) -> float:
        """The loss of accuracy of the file, in percentage points; 0 if it was not measured."""
        before, after = self.rows[0].accuracy, self.rows[-1].accuracy
        return 0.0 if before is None or after is None else 100 * (before - after)

    def json(self) -> str:
        """The certificate as JSON, with the versions of the libraries."""
        return json.dumps(self._data(), indent=2) + "\n"

    def _data(self) -> dict[str, Any]:
        taken = self.taken
        return {
            "spec": self.spec,
            "weights": {"sha256": self.weights},
            "files": {"sha256": self.files, "bytes": self.rows[-1].bytes, "opset": self.opset},
            "input": {"shape": ["batch", *taken.shape], "type": taken.type},
            "normalized": {"mean": taken.mean, "std": taken.std} if taken.kind else None,
            "outputs": self.outputs,
            "batch_norms_not_folded": self.norms,
            "evaluated": self.evaluated or None,
            "calibrated": self.calibrated or None,
            "measured": [row._asdict() for row in self.rows],
            "versions": versions(),
        }

    def table(self) -> Iterator[str]:
        """The rows as a table, then the other entries."""
        cells = [HEAD, *map(_cells, self.rows)]
        wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for first, *others in cells:
            shown = (cell.rjust(width) for cell, width in zip(others, wide[1:], strict=True))
            yield f"  {first:{wide[0]}}  {'  '.join(shown)}".rstrip()
        shape = " x ".join(map(str, ("batch", *self.taken.shape)))
        yield f"  input `input`, {self.taken.type}, {shape}; outputs {_listed(self.outputs)}"
        if self.evaluated:
            yield f"  accuracy: {self.evaluated}"
        if self.calibrated:
            yield f"  calibrated: {self.calibrated}"
        if self.norms:
            left = ", ".join(f"{count} {reason}" for reason, count in self.norms.items())
            yield f"  batch norms that are not folded: {left}"
        yield f"  {', '.join(f'{name} {number}' for name, number in versions().items())}"


def _cells(row: Measured) -> tuple[str, ...]:
    error = f"{max(row.errors):.0e}" if row.errors else ""
    accuracy = "" if row.accuracy is None else f"{row.accuracy:.2%}"
    speed = f"{row.milliseconds:.2f} ms"
    return row.name, error, accuracy, speed, f"{row.time:.2f}x", f"{row.bytes / 1e6:.2f} MB"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that made and measured the file."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digest(data: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(data).hexdigest()

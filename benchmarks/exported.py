"""Every built-in spec as an ONNX file in onnxruntime: what is in it, and the error.

    python benchmarks/exported.py [--most 100000000] [--minutes 60] [SPEC ...]

The table is `benchmarks/exported.md`, with a row for each spec that was run, the cheapest first. A
row is written as soon as it is known, so that a run can be stopped and resumed. It is measured
again if the folded network, the code that exports it, or a library has changed. The error is the
largest difference in batches of 1, 2 and 5, as a share of the largest number, with random weights
and statistics. Where it is over 1e-5, the row also says how far the trained network in float32 is
from itself in float64.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import archspec
from archspec.api import network
from archspec.deploy import for_inference
from archspec.export.graph import graph, program
from archspec.export.measure import differences, of_module, of_onnx
from archspec.export.modules import folded
from archspec.export.taken import Taken
from archspec.ir.classes import Network
from archspec.verify.deploy import random_network
from folded import key, rows, shown

HERE = Path(__file__).parent
FOLDING = ("Conv", "ConvTranspose", "Gemm", "MatMul")
TABLE = HERE / "exported.md"
SPECS = HERE.parent / "specs"
CODE = ("archspec/export/graph.py", "archspec/deploy/keys.py", "templates/deploy.py")
LIBRARIES = ("torch", "onnx", "onnxscript", "onnxruntime")
HEAD = """\
# ONNX files

Written by `python benchmarks/exported.py`: nodes of each file, batch norms in them, those that
could be folded (only the norm reads the output of a convolution or linear layer), the largest error
in batches of 1, 2, and 5 (see the script), and the size. {count} built-in specs were run, those
with the fewest operations first.

| spec | nodes | norms | foldable | error | MB | export |
| --- | ---: | ---: | ---: | --- | ---: | --- |
"""


def behind(model: Any) -> tuple[int, int]:
    """Batch norms of a model, and those that could be folded: which alone read what they take."""
    nodes = model.graph.node
    made = {name: node.op_type for node in nodes for name in node.output}
    reads = Counter(name for node in nodes for name in node.input)
    norms = [node.input[0] for node in nodes if node.op_type == "BatchNormalization"]
    return len(norms), sum(reads[x] == 1 and made.get(x) in FOLDING for x in norms)


def digest(net: Network) -> str:
    """The hash of what a row depends on; class names, formulas, and docstrings are not in it."""
    return key(for_inference(net.tree, plain=True), CODE, map(version, LIBRARIES))


def update(spec: archspec.Spec) -> None:
    """Writes the row of a spec, unless it is there."""
    net = network(spec)
    made = digest(net)
    if made in rows(TABLE).get(spec.name, ""):
        return
    modules = folded(spec, net, random_network(net))
    taken = Taken(tuple(spec.input))
    first = of_module(modules.trained, taken)
    model = graph(program(modules.folded, taken), net.tree.outputs)
    data = model.SerializeToString()
    with torch.inference_mode():
        error = max(differences(of_onnx("onnx", data), first, taken))
    error_shown, size = shown(error, modules.trained, taken.shape), f"{len(data) / 1e6:.1f}"
    cells = (spec.name, len(model.graph.node), *behind(model), error_shown, size, made)
    known = rows(TABLE) | {spec.name: f"| {' | '.join(map(str, cells))} |"}
    head = HEAD.format(count=len(known))
    TABLE.write_text(head + "\n".join(known[key] for key in sorted(known)) + "\n", "utf-8")
    print(known[spec.name], flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", metavar="SPEC")
    parser.add_argument("--most", type=int, default=100_000_000, help="parameters")
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    end = time.monotonic() + 60 * args.minutes
    found = [str(path) for path in sorted(SPECS.glob("**/*.yaml")) if path.parent.name != "blocks"]
    specs = [archspec.load(name) for name in args.specs or found]
    costs = {spec.name: archspec.analyze(spec) for spec in specs}
    for spec in sorted(specs, key=lambda spec: costs[spec.name].macs):
        if costs[spec.name].params <= args.most and time.monotonic() < end:
            update(spec)


if __name__ == "__main__":
    main()

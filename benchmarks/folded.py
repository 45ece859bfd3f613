"""Every shipped spec as a file for inference: what is folded, what is not and why, and the error.

    python benchmarks/folded.py [--most 100000000] [--minutes 60] [SPEC ...]

The table is `benchmarks/folded.md`, with a row for each spec under `--most` parameters. A row is
written as soon as it is known, so that a run can be stopped and resumed, and measured again if the
folded network, the code that converts checkpoints, or torch has changed; what is folded is written
for all specs first. The error is that of `archspec.verify.deploy`: the largest difference in
batches of 1, 2 and 5, as a share of the largest number, with random weights and statistics. Where
it is over 1e-5, the row also says how far the trained network in float32 is from itself in float64.
"""

from __future__ import annotations

import argparse
import ast
import re
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import torch

import archspec
from archspec.api import network
from archspec.deploy import for_inference
from archspec.deploy.kept import count, kept
from archspec.deploy.prune import evaluate
from archspec.deploy.source import generate_deploy
from archspec.expand import expand_network
from archspec.ir.tree import BlockCall, Container, ExpandedNetwork, OpCall
from archspec.verify.deploy import TOLERANCE, deployed, differences, random_network
from archspec.verify.tensors import apart, flat, images

HERE = Path(__file__).parent
TABLE = HERE / "folded.md"
SPECS = HERE.parent / "specs"
CODE = ("archspec/deploy/keys.py", "templates/deploy.py")
TORCH = version("torch").partition("+")[0]
HEAD = """\
# Folded batch norms

`python benchmarks/folded.py` measures and writes this table. For each built-in spec, it lists the
number of batch norms, how many are folded, where the others are, and the largest error in batches
of 1, 2, and 5 (see the script).

| spec | batch norms | folded | not folded | error | key |
| --- | ---: | ---: | --- | ---: | --- |
"""
OPEN = "not run yet"


def rows(table: Path = TABLE) -> dict[str, str]:
    """The rows that are there, by spec."""
    text = table.read_text("utf-8") if table.exists() else ""
    return {row[1]: row[0] for row in re.finditer(r"^\| (\w+) \| \d.*$", text, re.MULTILINE)}


def update(name: str, most: int | None) -> None:
    """Writes the row of a spec, unless it is there; without `most` its error may be left open."""
    spec = archspec.load(name)
    trained = expand_network(spec)
    made = for_inference(trained)
    digest = key(made)
    before = rows().get(spec.name, "")
    if digest in before and (most is None or OPEN not in before):
        return
    norms, why = count(evaluate(trained)), kept(made).most_common()
    reasons = ", ".join(f"{times} {reason}" for reason, times in why)
    error = OPEN if most is None else "too large to run"
    if most is not None and archspec.analyze(spec).params <= most:
        error = error_of(spec, generate_deploy(spec, trained))
    cells = (spec.name, norms, norms - count(made), reasons, error, digest)
    known = rows() | {spec.name: f"| {' | '.join(map(str, cells))} |"}
    TABLE.write_text(HEAD + "\n".join(known[one] for one in sorted(known)) + "\n", "utf-8")
    print(known[spec.name], flush=True)


def key(
    tree: ExpandedNetwork, files: Iterable[str] = CODE, versions: Iterable[str] = (TORCH,)
) -> str:
    """The hash of what a row depends on; class names, formulas, and docstrings are not in it."""
    parts = [tree.input, tree.outputs, *layers(tree.root), *map(code, files), *versions]
    return sha256(repr(parts).encode()).hexdigest()[:16]


def layers(container: Container) -> Iterator[object]:
    """What a container computes, and each of its layers with those that it is folded from."""
    yield container.body, container.shortcuts
    for child in container.attributes:
        module = child.module
        yield child.attribute, child.terms
        if isinstance(module, OpCall):
            yield module.op
        else:
            yield from layers(module.instance if isinstance(module, BlockCall) else module)


class Bare(ast.NodeTransformer):
    """Removes docstrings."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node


def code(path: str) -> str:
    """A module without its docstrings, comments, and layout."""
    return ast.dump(Bare().visit(ast.parse((HERE.parent / path).read_text("utf-8"))))


def error_of(spec: archspec.Spec, source: str) -> str:
    """The largest difference in any batch."""
    trained, shape = random_network(network(spec)), tuple(spec.input)
    error = max(differences(trained, deployed(source, trained.state_dict()), shape))
    return shown(error, trained, shape)


def shown(error: float, trained: torch.nn.Module, shape: tuple[int, ...]) -> str:
    """An error, and where it is large how far float32 is from float64."""
    if error <= TOLERANCE:
        return f"{error:.0e}"
    x = images(2, *shape)
    with torch.inference_mode():
        single = flat(trained(x))
        own = max(map(apart, [y.double() for y in single], flat(trained.double()(x.double()))))
    return f"{error:.0e} (float32 alone {own:.0e})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", metavar="SPEC")
    parser.add_argument("--most", type=int, default=100_000_000, help="parameters")
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    end = time.monotonic() + 60 * args.minutes
    found = [str(path) for path in sorted(SPECS.glob("**/*.yaml")) if path.parent.name != "blocks"]
    for most in (None, args.most):
        for name in args.specs or found:
            if time.monotonic() < end:
                update(name, most)


if __name__ == "__main__":
    main()

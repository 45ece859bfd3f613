"""The file of a network for inference: its classes, its folded layers, and how to load weights."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archspec import resources
from archspec.analysis import analyze_network
from archspec.classes import classes_of
from archspec.codegen import filled, marked
from archspec.codegen.layout import STEP, WIDTH, CallText, lines
from archspec.codegen.verify import verify
from archspec.codegen.view import BODY, ClassView, View, own_imports, parameter, view
from archspec.deploy import for_inference
from archspec.deploy.kept import count, kept
from archspec.deploy.keys import Row, aside, folded
from archspec.deploy.ops import FusedConv
from archspec.deploy.prune import evaluate
from archspec.expression import show
from archspec.ir.classes import Network, New
from archspec.ir.construction import constructions
from archspec.ir.tree import ExpandedNetwork, Term
from archspec.ir.visitor import visits
from archspec.language import Spec
from archspec.records import Record

# The parts of the template by name: imports, constants, a class, functions.
_PARTS = (resources.TEMPLATES / "deploy.py").read_text(encoding="utf-8").rstrip().split("\n\n\n")
PARTS = {re.split(r"\W", part)[1]: part for part in _PARTS[1:]}
CONSTANTS = _PARTS[0][_PARTS[0].index("ONEDNN: ") :]
LOADS = ("terms_of", "in_full", "fold", "is_whole", "fold_all")
EPS = 1e-5  # torch's; a term may have another one
IMPORTS = ("import re", "from typing import Any")


class DeployView(Record):
    """The file for inference, every line ready."""

    doc: Sequence[str]
    imports: Sequence[str]
    table: Sequence[str]
    constants: str
    parts: Sequence[str]  # above the classes
    classes: Sequence[ClassView]
    loads: Sequence[str]  # below them
    signature: Sequence[str]
    construction: str
    state: str
    layout: str


def generate_deploy(spec: Spec, trained: ExpandedNetwork, plain: bool = False) -> str:
    """The source of a network for inference, which imports torch and whatever its blocks import.

    `trained` is the expanded network of the spec. With `plain`, the source uses torch's own layers
    only and keeps the layout of images, so that other compilers can fuse it.
    """
    network = for_inference(trained, plain)
    net = classes_of(network, spec)
    made = _view(net, view(net, analyze_network(network)), trained, plain)
    text = filled("deploy.py.jinja", made, net)
    verify(text, [*own_imports(net), *IMPORTS])
    return marked(spec.name, text)


def _view(net: Network, made: View, trained: ExpandedNetwork, plain: bool) -> DeployView:
    table, apart = folded(net.tree, trained), aside(trained)
    fused = any(isinstance(new, New) and new.what is FusedConv for new in constructions(net))
    words = ", ".join(f"{p.name}={p.name}" for p in net.root.parameters)
    besides = f", aside={_tuple(apart)}" if apart else ""
    images, last = net.input.rank == 2 and not plain, made.classes[-1]
    return DeployView(
        _doc(made.doc, trained, net.tree),
        (),
        _table(table) if table or apart else [],
        CONSTANTS if fused else "",
        [*([PARTS["FusedConv2d"]] if fused else []), *made.helpers],
        [*made.classes[:-1], last if plain else _entered(last, net.tree, images)],
        [PARTS[name] for name in LOADS] if table or apart else [],
        _signature(net),
        f"{net.root.name}({words})",
        f"fold_all(model, state{besides})" if table or apart else "state",
        "channels_last" if images else "",
    )


def _doc(plain: Sequence[str], trained: ExpandedNetwork, network: ExpandedNetwork) -> list[str]:
    """The docstring of the file, with what is folded before its table."""
    norms, left = count(evaluate(trained)), kept(network)
    reasons = ", ".join(
        f"{times} {'are' if times > 1 else 'is'} {why}" for why, times in left.items()
    )
    taken = norms - count(network)
    text = f"For inference: {taken} of {norms} batch norms are folded into the layer before them"
    text = f"{text}; {reasons}." if left else f"{text}."
    place = next(place for place, line in enumerate(plain) if line.startswith(f"{STEP}layer"))
    return [*plain[:place], *textwrap.wrap(text, WIDTH), "", *plain[place:]]


def _entered(root: ClassView, network: ExpandedNetwork, images: bool) -> ClassView:
    """The network's class, which converts images to the type and layout of the weights."""
    if not root.forward or any(site.op.counts for _, site, _ in visits(network)):
        return root
    layout = ", memory_format=torch.channels_last" if images else ""
    first = f"{BODY}x = x.to(next(self.parameters()).dtype{layout})"
    return replace(root, forward=[first, *root.forward])


def _signature(net: Network) -> list[str]:
    """The function that loads a checkpoint takes the arguments of the network's class."""
    own = map(parameter, net.root.parameters)
    arguments = ("path: str", *own, "dtype: torch.dtype = torch.float32")
    call = CallText("from_training_checkpoint", arguments)
    return lines(call, "", "def ", f" -> {net.root.name}:")


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(map(_quoted, names))}{',' * (len(names) == 1)})"


def _quoted(text: str) -> str:
    return f'"{text}"'


# The table ------------------------------------------------------------------------------


def _table(rows: Mapping[str, Row]) -> list[str]:
    """FOLDED, one row per line if it fits."""
    if not rows:
        return ["FOLDED: dict[str, list[tuple[Any, ...]]] = {}"]
    made = [line for key, row in rows.items() for line in _row(key, row)]
    return ["FOLDED: dict[str, list[tuple[Any, ...]]] = {", *made, "}"]


def _row(key: str, row: Row) -> list[str]:
    terms, start = [*map(_term, row)], f"{STEP}{_quoted(key)}: ["
    whole = f"{start}{', '.join(terms)}],"
    if len(whole) <= WIDTH:
        return [whole]
    inside = [line for term in terms for line in _fitted(term)]
    return [start, *inside, f"{STEP}],"]


def _fitted(term: str) -> list[str]:
    whole = f"{STEP * 2}{term},"
    if len(whole) <= WIDTH:
        return [whole]
    parts = term[1:-1].split(", ")
    return [f"{STEP * 2}(", *(f"{STEP * 3}{part}," for part in parts), f"{STEP * 2}),"]


def _term(term: Term) -> str:
    """A layer, the norm after it, and its eps if that is not torch's."""
    eps = [show(term.eps)] if term.norm and term.eps != EPS else []
    return f"({', '.join([_quoted(term.layer), _quoted(term.norm), *eps])})"

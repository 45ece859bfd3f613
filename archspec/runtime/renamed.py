"""Checkpoints of networks whose layers had other names, such as those of archspec 0.1."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from archspec.analysis import analyze_network, state
from archspec.diagnostics import visible
from archspec.ir.classes import Network
from archspec.paths import display_path

SHORTCUT = ".downsample."
COUNTER = "num_batches_tracked"  # files from before torch 0.4.1 have none


def renamed(
    found: dict[str, Tensor], network: Network | None, path: str | Path
) -> dict[str, Tensor]:
    """The tensors of a file by the names of a network, if they are its own under other names.

    They are if, in order, each has the last part of the name and the shape of a tensor that the
    network computes with. Shortcuts may come before their blocks' bodies instead of after them, the
    first layer may have other input channels, and the last another number of outputs. A warning
    says
    so, because a checkpoint of a different network may have the same shapes.
    """
    if network is None or network.tree is None:
        return found
    rows = analyze_network(network.tree).rows
    wanted = {
        name: shape for name, shape in state(rows).items() if not name.endswith(f".{COUNTER}")
    }
    old = [name for name in found if not name.endswith(f".{COUNTER}")]
    if set(old) == wanted.keys():
        return found
    constants = {row.path for row in rows if row.layer.constant}  # layers with a `weight` in 0.1
    parts = ["weight" if name in constants else name.rpartition(".")[2] for name in wanted]
    orders = (o for o in (old, _shortcuts_first(old)) if _alike(found, o, wanted, parts))
    order = next(orders, None)
    if order is None:
        return found
    text = f"`{visible(display_path(path))}` has different names: its tensors are matched in order"
    warnings.warn(text, stacklevel=4)
    return {name: found[own] for name, own in zip(wanted, order, strict=True)}


def _shortcuts_first(names: Sequence[str]) -> list[str]:
    """Each shortcut before the rest of its block, as in torchvision's RegNets."""
    blocks = {name.partition(SHORTCUT)[0] for name in names if SHORTCUT in name}

    def block(name: str) -> str:
        own = name
        while own and own not in blocks:
            own = own.rpartition(".")[0]
        return own or name

    first = {block(name): at for at, name in reversed(list(enumerate(names)))}
    return sorted(names, key=lambda name: (first[block(name)], SHORTCUT not in name))


def _alike(
    found: Mapping[str, Tensor],
    names: Sequence[str],
    wanted: Mapping[str, tuple[int, ...]],
    last: Sequence[str],
) -> bool:
    if len(names) != len(wanted):
        return False
    whole = [tuple(found[name].shape) for name in names], list(wanted.values())
    inner = [shapes[1 : _before_last(names)] for shapes in whole]
    parts = [name.rpartition(".")[2] for name in names]
    ranks = [[len(shape) for shape in shapes] for shapes in whole]
    same = parts == last
    same &= all(old == new for old, new in zip(names, wanted, strict=True) if old in wanted)
    return same and inner[0] == inner[1] and ranks[0] == ranks[1]


def _before_last(names: Sequence[str]) -> int:
    """The number of tensors before those of the last layer."""
    last = names[-1].rpartition(".")[0] if names else ""
    return sum(name.rpartition(".")[0] != last for name in names)

"""The user's own modules in a live network: their classes, and their declarations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from archspec.diagnostics import Diagnostic, SpecError, did_you_mean
from archspec.ir.classes import Network
from archspec.ir.construction import imported
from archspec.ir.visitor import visits


def chosen(network: Network, modules: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted path -> the class given for it, by its name or its path.

    Raises `TypeError` if one is missing or unexpected.
    """
    wanted = {path: path.rpartition(".")[2] for path in imported(network)}
    known = {*wanted, *wanted.values()}
    if not isinstance(modules, Mapping):
        raise TypeError(f"modules={modules!r}: expected a mapping from names to classes")
    for name in modules:
        if name not in known:
            hint = did_you_mean(name, known) or "the network imports no classes"
            raise TypeError(f"modules={{{name!r}: ...}}: no block imports it; {hint}")
    missing = {path: n for path, n in wanted.items() if path not in modules and n not in modules}
    if missing:
        listed, given = (
            ", ".join(f"`{path}`" for path in missing),
            ", ".join(f'"{name}": {name}' for name in missing.values()),
        )
        raise TypeError(f"the network imports {listed}: pass `modules={{{given}}}`")
    return {path: modules.get(path, modules.get(name)) for path, name in wanted.items()}


def check(module: nn.Module, network: Network) -> None:
    """Compare the `params` of blocks that import a class with the constructed modules.

    Raises `SpecError` if they differ.
    """
    if imported(network) and (findings := list(_differing(module, network))):
        raise SpecError(findings)


def _differing(module: nn.Module, network: Network) -> Iterator[Diagnostic]:
    """The first use of each block whose number of parameters differs from its declaration."""
    seen = set()
    for visit in visits(network.tree):
        op: Any = visit.site.op
        if not op.imported or op.key in seen:
            continue
        count = sum(p.numel() for p in module.get_submodule(visit.path).parameters())
        if count != op.learns:
            seen.add(op.key)
            said = f"block `{op.key}` sets `params: {op.learns:,}`"
            message = f"{said}, but its {op.torch} at `{visit.path}` has {count:,}"
            hint = "use the number of the class, as a formula: `params: 2 * in_channels`"
            yield Diagnostic("budget", message, (network.place(visit.path) or (None,))[-1], hint)

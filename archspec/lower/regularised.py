"""Where the regularisers of a recipe act on an opened network, asked before there are classes.

`training.places` asks the classes, by the same walks over bodies (`ir.on_main_path`,
`ir.residual_ends`), so that lint finds what a script would lack.
"""

from __future__ import annotations

from collections.abc import Iterator

from archspec.ir import on_main_path, residual_ends
from archspec.lower.model import Instance, Made, OpUse, Row, Use
from archspec.lower.naming import rename
from archspec.lower.slots import number_of


def residuals(root: Instance) -> Iterator[tuple[str, str | None]]:
    """The block of each residual on the main path, and the layer that it ends in."""
    for instance in _main_path(root):
        for end in _ends(instance):
            yield instance.block_name, end


def has_linear(root: Instance) -> bool:
    """Whether a linear layer is on the main path."""
    layers = (made for instance in _main_path(root) for made in _on_way(instance))
    return any(isinstance(made, OpUse) and made.op.key == "linear" for made in layers)


def rates(instance: Instance) -> Iterator[float]:
    """At which a block drops samples, in its own layers."""
    for item in instance.items:
        for made in _single(item.made):
            if isinstance(made, OpUse) and _is_drop(made):
                yield number_of(made.slots["p"])


def _main_path(instance: Instance) -> Iterator[Instance]:
    """The network and the blocks in it, each as often as it is used, but those beside the way."""
    yield instance
    for made in _on_way(instance):
        if isinstance(made, Use):
            yield from _main_path(made.instance)


def _on_way(instance: Instance) -> Iterator[OpUse | Use]:
    """The ops and blocks on the main path of one block, in order."""
    items = {item.attribute: item for item in instance.items}
    for name in items if instance.body is None else on_main_path(instance.body):
        if name in items:
            yield from _single(items[name].made)


def _single(made: Made) -> Iterator[OpUse | Use]:
    """A layer, or those of a row."""
    if isinstance(made, Row):
        for child in made.children:
            yield from _single(child.made)
    else:
        yield made


def _ends(instance: Instance) -> Iterator[str | None]:
    """Those of the class that this becomes: without `drop_path` of rate 0."""
    if instance.body is not None:
        dropped = {item.attribute: None for item in instance.items if _is_drop(item.made)}
        yield from residual_ends(rename(instance.body, dropped))


def _is_drop(made: Made) -> bool:
    return isinstance(made, OpUse) and made.op.key == "stochastic_depth"

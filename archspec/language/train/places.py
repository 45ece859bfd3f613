"""Where in an expanded network regularizers could act; used by lint and the training script."""

from __future__ import annotations

from functools import cached_property

from archspec.ir.tree import ExpandedNetwork
from archspec.ir.visitor import Ending, Visit, on_way, visits


class Places:
    """The parts of a network that regularizers can act on. Paths are those of `get_submodule`.

    Most recipes use few of them, so each is found when a regularizer asks for it.
    """

    def __init__(self, network: ExpandedNetwork) -> None:
        self.input, self.stages = network.input.sizes, network.stages  # stages of the main path
        self.drops = bool(network.drops)  # a residual already has a `drop_path` above 0
        self._network = network

    @cached_property
    def _way(self) -> list[Visit | Ending]:
        return list(on_way(self._network))

    @cached_property
    def _saved(self) -> dict[str, dict[str, tuple[int, ...]]]:
        every = ((visit.path, visit.site.op) for visit in visits(self._network))
        return {path: names for path, op in every if (names := op.saved(path))}

    @cached_property
    def last_linear(self) -> str | None:
        """The last linear layer of the main path."""
        layers = [part for part in self._way if isinstance(part, Visit)]
        return next((x.path for x in reversed(layers) if x.site.op.key == "linear"), None)

    @cached_property
    def residuals(self) -> tuple[Ending, ...]:
        """The residual blocks, and the last layer of the body of each."""
        return tuple(part for part in self._way if isinstance(part, Ending))

    @cached_property
    def kernels(self) -> bool:
        """Whether some weight is a kernel or a matrix."""
        ops = (visit.site.op for visit in visits(self._network))
        return any(len(shape) > 1 for op in ops for shape in op.weights().values())

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The layers with weights or statistics."""
        return tuple(self._saved)

    @cached_property
    def constants(self) -> frozenset[str]:
        """Those of them that are a parameter themselves."""
        return frozenset(path for path, names in self._saved.items() if path in names)

    @cached_property
    def stem(self) -> tuple[str, ...]:
        """The attributes in the stem that contain some of them."""
        children = self._network.root.attributes
        stem = (c.attribute for c in children if c.at and c.at.path[:1] == ("stem",))
        return tuple(name for name in stem if any(is_in(path, name) for path in self.layers))


def is_in(layer: str, path: str) -> bool:
    """Whether a layer is the one at a path, or inside it."""
    return f"{layer}.".startswith(f"{path}.")

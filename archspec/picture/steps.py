"""The steps of a network: boxes, blocks, and branches with their join, each with its cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from archspec.ir import Shape
from archspec.records import Record


class Cost(NamedTuple):
    """Parameters and multiply-adds."""

    params: int = 0
    macs: int = 0

    def plus(self, other: Cost) -> Cost:
        """The sum of two costs."""
        return Cost(self.params + other.params, self.macs + other.macs)


FREE = Cost()


class Box(Record, eq=False):
    """A layer, with the norm and the activation that follow it as `notes`.

    `kind` is "conv", "pool", "linear", or "other". `kernel` and `channels` are its short form.
    """

    path: str
    kind: str
    title: str
    y: Shape
    cost: Cost = FREE
    notes: tuple[str, ...] = ()
    kernel: str = ""
    channels: str = ""
    follows: bool = False  # joins the box before it
    quiet: bool = False  # joins any neighbor
    takes: bool = False  # a norm or an activation may join it
    scale: str = ""  # `, /2`
    name: str = ""  # of the layer, where it has no title


class Unit(Record, eq=False):
    """A use of a block, or a sequence, which has no `kind`.

    `inputs` and `outputs` are its named tensors, each with its name inside and outside of the
    block.
    """

    path: str
    kind: str
    y: Shape
    steps: tuple[Step, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()

    @property
    def cost(self) -> Cost:
        """The total cost of its steps."""
        return cost_of(self.steps)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2]


class Join(Record, eq=False):
    """Branches of one input, and the operation that joins them: "+", "×", or "C" (concatenate)."""

    sign: str
    branches: tuple[tuple[Step, ...], ...]
    y: Shape

    @property
    def cost(self) -> Cost:
        """The total cost of the branches."""
        return cost_of(step for branch in self.branches for step in branch)


class Tensor(Record):
    """A named tensor: the input of the next step, or the output `saved` under that name."""

    name: str
    saved: bool = False
    cost: Cost = FREE


Step = Box | Unit | Join | Tensor


class Costly(Protocol):
    """Anything with a cost: a step or a row."""

    @property
    def cost(self) -> Cost: ...


def cost_of(steps: Iterable[Costly]) -> Cost:
    """The total cost of steps or rows."""
    total = Cost()
    for step in steps:
        total = total.plus(step.cost)
    return total


def boxes_in(steps: Iterable[Step]) -> Iterator[Box]:
    """All boxes at any depth, in execution order."""
    for step in steps:
        match step:
            case Box():
                yield step
            case Unit(steps=inner):
                yield from boxes_in(inner)
            case Join(branches=branches):
                for branch in branches:
                    yield from boxes_in(branch)


def is_stage(unit: Unit) -> bool:
    """Whether a step is a sequence of blocks of one kind."""
    kinds = {step.kind if isinstance(step, Unit) else "" for step in unit.steps}
    return not unit.kind and len(kinds) == 1 and kinds != {""}

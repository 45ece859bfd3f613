"""What expanding a network may cost, counted before it is spent: specs come from strangers.

Costs are effects of what is expanded, so a remembered block costs as much as one that is new;
however often a network uses it, it is expanded once. A block counts by itself, in the room that
the network around it has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archspec.expression import Expr, Name, Number, walk
from archspec.language.widths import Width
from archspec.places import At, Finding

MOST_LAYERS = 10_000  # those of a block as often as it is used; ResNet-1001 has 3,006
MOST_STEPS = 150_000  # the shipped network that takes most takes 21,000
MOST_DEEP = 48  # blocks, combinators and parts, one in another

# In steps, by the time that they take, about 3 microseconds each:
TERM = 2  # of an expression that is evaluated
VISIT = 10  # a layer, whether it is there or not
CALL = 20  # a block
OPEN = 30  # an op with its shapes, or a layer with arguments laid over it


class Effects(NamedTuple):
    """What expanding something has to say besides its result. Those of parts add up.

    `used` are the ops and blocks met, `reads` the indices that were read, `decided` the arguments
    of the network that a decision depends on, `drops` the blocks with a stochastic depth of more
    than 0, `dead` the layers whose result nothing uses. `costs` are the steps of each block in it,
    by its instance; `height` is how deep blocks are nested in it, and `widths` are what leaves the
    stages in it.
    """

    used: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    drops: frozenset[str] = frozenset()
    costs: tuple[tuple[object, int], ...] = ()
    layers: int = 0
    height: int = 0
    widths: tuple[Width, ...] = ()
    dead: frozenset[At] = frozenset()


class TooLargeError(Exception):
    """A network that takes too much. `finding` has a place where that is sure to be the cause."""

    def __init__(self, message: str, hint: str, deep: bool = False) -> None:
        super().__init__(message)
        self.message, self.hint, self.deep = message, hint, deep
        self.finding: Finding | None = None
        self.before: tuple[Finding, ...] = ()  # what was found until then

    def placed(self, at: At, before: Iterable[Finding]) -> TooLargeError:
        """The same at a place, if it has none yet, and after these findings."""
        finding = self.finding or Finding("too-large", self.message, None, self.hint)
        self.finding = finding._replace(at=finding.at or at)
        self.before = (*before, *self.before)
        return self


class Room(NamedTuple):
    """What is left of each limit, the blocks that are open, and what is paid for already."""

    steps: int = MOST_STEPS
    layers: int = MOST_LAYERS
    depth: int = MOST_DEEP
    around: tuple[str, ...] = ()
    paid: tuple[Mapping[object, int], ...] = ()


class Budget:
    """What one block (or the network) has cost so far, and what it met."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.steps = self.own = self.layers = self.deep = self.height = 0
        self.costs: dict[object, int] = {}
        self.inline: list[str] = []  # the blocks that are open in here
        self.used: set[str] = set()
        self.reads: set[str] = set()
        self.decided: set[str] = set()
        self.drops: set[str] = set()
        self.widths: list[Width] = []
        self.dead: set[At] = set()

    def spend(self, steps: int) -> None:
        """So many more steps in the layers of this very block."""
        self.own += steps
        self._pay(steps)

    def _pay(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.room.steps:
            raise TooLargeError(
                f"this network takes more than {MOST_STEPS:,} steps to open",
                "repeat and nest less: each use of a block with sizes of its own is opened again",
            )

    def grow(self, layers: int) -> None:
        """So many more layers."""
        self.layers += layers
        if self.layers > self.room.layers:
            raise TooLargeError(
                f"the network has more than {MOST_LAYERS:,} layers",
                "repeat less; blocks that use blocks multiply",
            )

    def read(self, expr: Expr) -> None:
        """The steps of an expression that is evaluated."""
        leaf = isinstance(expr, (Number, Name))
        self.spend(1 if leaf else TERM * len(walk(expr)))

    def nest(self, levels: int) -> None:
        """So many levels deeper, for a moment."""
        self.height = max(self.height, self.deep + levels)
        if self.deep + levels > self.room.depth:
            raise TooLargeError(
                f"blocks and layers are nested more than {MOST_DEEP} deep", "nest less", deep=True
            )

    def left(self, block: str) -> Room:
        """The room that a block in here has."""
        room = self.room
        return Room(
            room.steps - self.steps,
            room.layers - self.layers,
            room.depth - self.deep,
            (*room.around, *self.inline, block),
            (*room.paid, self.costs),
        )

    def effects(self, instance: object) -> Effects:
        """All of it, as a value; `instance` is what was expanded."""
        return Effects(
            frozenset(self.used),
            frozenset(self.reads),
            frozenset(self.decided),
            frozenset(self.drops),
            (*self.costs.items(), (instance, self.own)),
            max(self.layers, 1),  # a block of nothing, used twice in twice, is walked through too
            self.height,
            tuple(self.widths),
            frozenset(self.dead),
        )

    def add(self, effects: Effects) -> None:
        """The effects of a block in here, but for `decided`: those are names of the block."""
        self.nest(effects.height)
        self.grow(effects.layers)
        self.widths += effects.widths
        instance, _ = effects.costs[-1]
        if instance in self.costs:
            return
        self.used |= effects.used
        self.reads |= effects.reads
        self.drops |= effects.drops
        self.dead |= effects.dead
        for part, steps in effects.costs:
            if part not in self.costs:
                self.costs[part] = steps
                if not any(part in paid for paid in self.room.paid):
                    self._pay(steps)

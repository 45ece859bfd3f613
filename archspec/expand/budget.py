"""Limits on the cost of an expansion, counted before it is spent: specs may be untrusted.

Costs are effects of an expansion, so a memoized block costs as much as a new one; however often a
network uses it, it is expanded once. A block is counted on its own, within the room that the
network around it has left.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archspec.expression import Expr, Name, Number, walk
from archspec.language.widths import Width
from archspec.places import At, Finding

MOST_LAYERS = 10_000  # per block, counted per use; ResNet-1001 has 3,006
MOST_STEPS = 150_000  # the largest built-in network takes 21,000
MOST_DEEP = 48  # blocks, combinators, and parts, nested

# In steps, in proportion to their time, about 3 microseconds each:
TERM = 2  # evaluating an expression
VISIT = 10  # a layer, whether or not it exists
CALL = 20  # a block
OPEN = 30  # an op with its shapes, or a layer with merged arguments


class Effects(NamedTuple):
    """The effects of an expansion besides its result. Those of parts add up.

    `used` are the ops and blocks that were used, `reads` the indices that were read, `decided` the
    arguments of the network that a decision depends on, `drops` the blocks with a stochastic depth
    above 0, `dead` the layers whose output is unused. `costs` are the steps of each inner block, by
    instance; `height` is the nesting depth of blocks in it, and `widths` are the outputs of the
    stages
    in it.
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
    """A network over a limit. `finding` has a location if that is certainly the cause."""

    def __init__(self, message: str, hint: str, deep: bool = False) -> None:
        super().__init__(message)
        self.message, self.hint, self.deep = message, hint, deep
        self.finding: Finding | None = None
        self.before: tuple[Finding, ...] = ()  # found before the limit

    def placed(self, at: At, before: Iterable[Finding]) -> "TooLargeError":
        """The same with a location, if it has none yet, and after these findings."""
        finding = self.finding or Finding("too-large", self.message, None, self.hint)
        self.finding = finding._replace(at=finding.at or at)
        self.before = (*before, *self.before)
        return self


class Room(NamedTuple):
    """The remaining room in each limit, the blocks being expanded, and the costs so far."""

    steps: int = MOST_STEPS
    layers: int = MOST_LAYERS
    depth: int = MOST_DEEP
    around: tuple[str, ...] = ()
    paid: tuple[Mapping[object, int], ...] = ()


class Budget:
    """The costs of one block (or the network) so far, and what it used."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.steps = self.own = self.layers = self.deep = self.height = 0
        self.costs: dict[object, int] = {}
        self.inline: list[str] = []  # the blocks being expanded here
        self.used: set[str] = set()
        self.reads: set[str] = set()
        self.decided: set[str] = set()
        self.drops: set[str] = set()
        self.widths: list[Width] = []
        self.dead: set[At] = set()

    def spend(self, steps: int) -> None:
        """Add this many steps to the layers of this block itself."""
        self.own += steps
        self._pay(steps)

    def _pay(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.room.steps:
            raise TooLargeError(
                f"expanding this network takes more than {MOST_STEPS:,} steps",
                "use less repetition and nesting: each use of a block with different sizes "
                "is expanded",
            )

    def grow(self, layers: int) -> None:
        """Add this many layers."""
        self.layers += layers
        if self.layers > self.room.layers:
            raise TooLargeError(
                f"the network has more than {MOST_LAYERS:,} layers",
                "use less repetition; layers of nested blocks multiply",
            )

    def read(self, expr: Expr) -> None:
        """Add the steps of evaluating an expression."""
        leaf = isinstance(expr, (Number, Name))
        self.spend(1 if leaf else TERM * len(walk(expr)))

    def nest(self, levels: int) -> None:
        """Go this many levels deeper, temporarily."""
        self.height = max(self.height, self.deep + levels)
        if self.deep + levels > self.room.depth:
            raise TooLargeError(
                f"blocks and layers are nested more than {MOST_DEEP} deep",
                "use less nesting",
                deep=True,
            )

    def left(self, block: str) -> Room:
        """The room of an inner block."""
        room = self.room
        return Room(
            room.steps - self.steps,
            room.layers - self.layers,
            room.depth - self.deep,
            (*room.around, *self.inline, block),
            (*room.paid, self.costs),
        )

    def effects(self, instance: object) -> Effects:
        """All of it, as a value; `instance` is the expanded block."""
        return Effects(
            frozenset(self.used),
            frozenset(self.reads),
            frozenset(self.decided),
            frozenset(self.drops),
            (*self.costs.items(), (instance, self.own)),
            max(self.layers, 1),  # a block of nothing, used twice in twice, takes time too
            self.height,
            tuple(self.widths),
            frozenset(self.dead),
        )

    def add(self, effects: Effects) -> None:
        """The effects of an inner block, except `decided`, whose names are the block's own."""
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
        new = {part: steps for part, steps in effects.costs if part not in self.costs}
        self.costs |= new
        for paid in self.room.paid:
            new = {part: steps for part, steps in new.items() if part not in paid}
        self._pay(sum(new.values()))

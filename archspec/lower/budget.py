"""What opening a network may cost, counted before it is spent: specs come from strangers."""

from __future__ import annotations

from archspec.expression import Expr, Name, Number, walk

MOST_LAYERS = 10_000  # those of a block as often as it is used; ResNet-1001 has 3,006
MOST_STEPS = 150_000  # the shipped network that takes most takes 21,000

# In steps, by the time that they take, about 3 microseconds each:
TERM = 2  # of an expression that is evaluated
VISIT = 10  # a layer, whether it is there or not
CALL = 20  # a block
OPEN = 30  # an op with its shapes, or a layer with arguments laid over it


class Budget:
    """How many layers a network has so far, and how many steps it took to open them."""

    __slots__ = ("layers", "steps", "terms")

    def __init__(self) -> None:
        self.layers = 0
        self.steps = 0
        self.terms: dict[int, tuple[Expr, int]] = {}  # by identity, with what has it

    def grow(self, count: int) -> bool:
        """`count` more layers; whether that is too many."""
        self.layers += count
        return self.layers > MOST_LAYERS

    def spend(self, steps: int) -> bool:
        """So many more steps; whether that is too many."""
        self.steps += steps
        return self.steps > MOST_STEPS

    def read(self, expr: Expr) -> bool:
        """The steps of an expression; whether that is too many."""
        if isinstance(expr, (Number, Name)):
            return self.spend(1)
        if id(expr) not in self.terms:
            self.terms[id(expr)] = expr, TERM * len(walk(expr))
        return self.spend(self.terms[id(expr)][1])

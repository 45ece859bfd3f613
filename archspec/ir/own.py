"""A user's own module as an op: its class is imported when the network is built."""

import copyreg
import math
from dataclasses import field
from functools import lru_cache
from typing import Any

from archspec.ir.ops import Field, Op, OpField, Shape


class OwnType(type):
    """The metaclass of own modules' ops; such a class is pickled as its declaration."""

    said: tuple[Any, ...]


class Own(Op, metaclass=OwnType):
    """An own module in one use: its number of parameters, and multiply-adds per position."""

    keeps = "x"

    learns: int = field(kw_only=True, default=0)
    multiplies: int = field(kw_only=True, default=0)

    def parameters(self) -> int:
        return self.learns

    def macs(self, y: Shape) -> int:
        return self.multiplies * math.prod(y.spatial)


@lru_cache(maxsize=4096)
def own(block: str, attribute: str, path: str, keywords: tuple[str, ...]) -> type[Own]:
    """The op of a block that imports its class from a dotted path."""
    fields = tuple(OpField(name, name, Field("any", many=True), "") for name in keywords)
    names = {"key": block, "attribute": attribute, "imported": path}
    more = {"torch": path.rpartition(".")[2], "constructor": fields}
    made: Any = OwnType(block, (Own,), {**names, **more, "__module__": __name__})
    made.said = (block, attribute, path, keywords)
    return made  # type: ignore[no-any-return]


def _reduced(kind: OwnType) -> Any:
    return kind.__qualname__ if kind is Own else (own, kind.said)


copyreg.pickle(OwnType, _reduced)

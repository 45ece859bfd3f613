"""The nesting depth of layers, and blocks that use themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from archspec.expand.budget import TooLargeError
from archspec.expand.scope import Scope
from archspec.language.lines import IN_LAYER
from archspec.places import At, Finding


@contextmanager
def nested(scope: Scope, block: str = "", named: At | None = None) -> Iterator[None]:
    """Go one level deeper. A block that is already being expanded and goes too deep uses itself."""
    budget = scope.budget
    budget.deep += 1
    if block:
        budget.inline.append(block)
    try:
        budget.nest(0)
        yield
    except TooLargeError as error:
        if error.deep and error.finding is None:
            error.finding = _cycle(scope, named or scope.named)
        raise
    finally:
        budget.deep -= 1
        if block:
            budget.inline.pop()


def _cycle(scope: Scope, named: At | None) -> Finding | None:
    """The finding if layers are nested too deep because a block uses itself."""
    names = Counter((*scope.budget.room.around, *scope.budget.inline))
    repeated = [block for block, count in names.items() if block and count > 1]
    if not repeated:
        return None
    inside = ((named, IN_LAYER),) if named else ()
    return Finding("cycle", f"`{repeated[-1]}` uses itself", None, "", inside)

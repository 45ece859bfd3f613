"""What the runs of a class become: a layer in a loop, with the first before it if it differs.

If each block widens its input, the loop counts: `[Layer(channels + 8 * k) for k in range(depth)]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from archspec.classes.loops import FEWEST
from archspec.classes.printed import grown, same
from archspec.classes.runs import alike
from archspec.classes.sizes import Sizes
from archspec.expression import Binary, Expr, Logic, Name, Number, new_name, simplify
from archspec.ir.classes import Repeat, When


def written(
    runs: Sequence[Any],
    make: Callable[[Any], Any],
    growth: Callable[[Any], Mapping[str, Expr]] | None,
    sizes: Sizes,
) -> Iterator[Any]:
    """One layer as often as it is repeated; separate layers if that number never differs.

    `growth` is what each adds to the sizes of the one before it, if they grow.
    """
    counts = [run.how.count if run else None for run in runs]
    numbers = [count.number if count else None for count in counts]
    if len({*numbers} - {None}) < 2 and not (growth and max(filter(None, numbers)) >= FEWEST):
        modules = [[child.module for child in run.children] if run else [] for run in runs]
        yield from map(make, zip_longest(*modules))
        return
    sources = [[count.expr] if count and count.expr else None for count in counts]
    stop = sizes.unify(counts, "layers", sources)
    firsts, others = ([run.end(place) if run else None for run in runs] for place in (0, 1))
    first = other = make(firsts)
    if growth:
        index = new_name("k", sizes.known)
        yield Repeat(grown(first, growth(runs), Name(index)), stop, index)
        return
    if not all(o is None or alike(f, o) for f, o in zip(firsts, others, strict=True)):
        other = make(others)
    if same(first, other):
        yield Repeat(first, stop)
    else:
        yield When(first, Binary(">", stop, Number(0))) if 0 in numbers else first
        yield Repeat(other, simplify("-", stop, Number(1)) or stop)


def under(condition: Expr, new: Any) -> When:
    """A child under a condition, and under its own if it has one."""
    if isinstance(new, When):
        return When(new.new, Logic("and", (condition, new.condition)))
    return When(new, condition)

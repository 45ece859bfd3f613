"""Two networks side by side: what changed in words, what it costs, what a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archspec.analysis import Analysis
from archspec.diff.changes import Facts
from archspec.diff.checkpoint import Checkpoint, checkpoint
from archspec.diff.fold import listed
from archspec.diff.lines import Line, patterns
from archspec.diff.recognizers import RECOGNIZERS
from archspec.diff.renames import renamings, shifted
from archspec.diff.words import plural, share

MOST_WORDS = 3  # phrases of a verdict
FEW_KEYS = 3  # that are named
STRANGE = 0.4  # networks that share less of their weighted layers are two networks


class Metric(NamedTuple):
    """A row of the table: as text, and the difference."""

    name: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, eq=False)
class Comparison:
    """`names` are what the two are called; `notes` are what else there is to know, by the caller.

    `texts` are the keys of the specs that differ, if the architecture is the same.
    """

    facts: Facts
    names: tuple[str, str]
    texts: Sequence[str] = ()
    findings: Sequence[str] = ()

    @cached_property
    def lines(self) -> list[Line]:
        """What changed, a line for equal changes."""
        left, lines = list(self.facts.changes), list[Line]()
        for recognizer in RECOGNIZERS:
            found = list(recognizer(self.facts, left))
            told = {id(change) for line in found for change in line.changes}
            left = [change for change in left if id(change) not in told]
            lines += found
        return lines or list(shifted(self.facts))

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """What of the first one's checkpoint fits the second."""
        return checkpoint(self.facts)

    @property
    def verdict(self) -> str:
        """All of it in a line."""
        if self.facts.equal:
            return "no change in the architecture"
        said = "; ".join([_phrases(self.lines)] if self._related else ["another network"])
        weights = self.checkpoint
        kept = weights.old and not weights.lost and not weights.fresh
        return f"{said}; every weight still loads" if kept else said

    @property
    def _related(self) -> bool:
        """Whether the two have much in common."""
        old, new = ([n for n in t.leaves if n.params] for t in (self.facts.old, self.facts.new))
        kept = sum(1 for a, b in self.facts.pairs if a.op and a.label == b.label and a.params)
        return 2 * kept >= STRANGE * (len(old) + len(new))

    @property
    def metrics(self) -> list[Metric]:
        """What it costs."""
        return list(_metrics(self.facts))

    @property
    def survival(self) -> str:
        """What a checkpoint of the first keeps in the second."""
        weights = self.checkpoint
        if not weights.old:
            return "nothing is saved"
        if not weights.lost:
            fresh = ""
            if weights.fresh:
                of_all = share(weights.fresh_share)
                fresh = f"; {_new(len(weights.fresh))} fresh ({of_all} of the values)"
            return f"all {_keys(len(weights.old))} fit{fresh}{self._difference}"
        if not weights.fit:
            return f"none of {_keys(len(weights.old))} fits"
        fit = f"{len(weights.fit)} of {_keys(len(weights.old))} fit ({share(weights.share)} of the values)"
        return f"{fit}; {_lost(weights)}"

    @property
    def _difference(self) -> str:
        """The dangerous case: all is loaded, and computes something else."""
        whys = list(dict.fromkeys(line.why for line in self.lines if line.why))
        if not whys and not self.checkpoint.fresh:
            whys = [line.verdict for line in self.lines if line.verdict and line.changes and not line.minor]
        return f", but the outputs differ: {', '.join(whys[:MOST_WORDS])}" if whys else ""

    @property
    def notes(self) -> list[str]:
        """What else there is to know."""
        return [*self._of_keys(), *self.findings]

    def _of_keys(self) -> Iterator[str]:
        weights = self.checkpoint
        if strangers := weights.strangers:
            named = ", ".join(strangers[:4]) + (", ..." if len(strangers) > 4 else "")
            are = "key that fits belongs" if len(strangers) == 1 else "keys that fit belong"
            yield f"{len(strangers)} {are.replace('keys', 'of the keys') if len(strangers) > 1 else are} to another layer: {named}"
        more = len(weights.fit_renamed) - len(weights.fit) + len(weights.strangers)
        if more > 0:
            yield f"{_more(more)} once {renamings(self.facts)}; then {self._left()}"

    def _left(self) -> str:
        kept = set(self.checkpoint.fit_renamed)
        lost = [key for key in self.checkpoint.old if key not in kept]
        layers = patterns([key.rpartition(".")[0] for key in lost], self.facts, old=True)
        if not lost:
            return "all fit"
        return f"only {listed(layers)} is lost" if len(layers) == 1 else f"{_keys(len(lost))} are lost"


def compare(
    before: Analysis,
    after: Analysis,
    names: tuple[str, str] | None = None,
    texts: Sequence[str] = (),
    findings: Sequence[str] = (),
) -> Comparison:
    """What changed from one network to another."""
    facts = Facts(before, after)
    return Comparison(facts, names or (before.name, after.name), texts, findings)


def _phrases(lines: Sequence[Line]) -> str:
    said = list(dict.fromkeys(x.verdict for x in lines if x.verdict and not x.minor))
    said = said or list(dict.fromkeys(x.verdict for x in lines if x.verdict)) or ["small changes"]
    return ", ".join(said if len(said) <= MOST_WORDS else [*said[: MOST_WORDS - 1], "and more"])


def _keys(number: int) -> str:
    return plural(number, "key")


def _new(number: int) -> str:
    return "1 new one starts" if number == 1 else f"{number} new ones start"


def _more(number: int) -> str:
    return "1 more key fits" if number == 1 else f"{number} more keys fit"


def _lost(weights: Checkpoint) -> str:
    if len(weights.lost) <= FEW_KEYS:
        return f"not {', '.join(weights.lost)}"
    if len(weights.reshaped) == len(weights.lost) == len(weights.fresh):
        return f"{len(weights.reshaped)} have another shape"
    if weights.fresh:
        return f"{len(weights.fresh)} of {len(weights.new)} start fresh"
    return "nothing starts fresh"


# The table ------------------------------------------------------------------------------


def _metrics(facts: Facts) -> Iterator[Metric]:
    before, after = facts.before, facts.after
    yield _row("parameters", before.params, after.params)
    yield _row("MACs", before.macs, after.macs)
    numbers = (before.activations, after.activations)
    sizes = (f"{4 * number / 2**20:,.1f} MiB" for number in numbers)
    yield Metric("activations, float32", *sizes, _change(*numbers, " values"))
    if before.receptive_field or after.receptive_field:
        yield _sight(facts)


def _row(name: str, before: int, after: int) -> Metric:
    return Metric(name, f"{before:,}", f"{after:,}", _change(before, after))


def _change(before: int, after: int, unit: str = "") -> str:
    """`+5.9%`; below 0.05% the number itself."""
    if before == after:
        return "-"
    ratio = (after - before) / before if before else 1
    return f"{ratio:+.1%}" if abs(ratio) >= 0.0005 and before else f"{after - before:+,}{unit}"


def _sight(facts: Facts) -> Metric:
    old, new = facts.before.receptive_field, facts.after.receptive_field
    texts = (str(old or "-"), str(new or "-"))
    if not old or not new or old.sizes == new.sizes:
        return Metric("receptive field", *texts, "-")
    if None in new.sizes and None not in old.sizes:
        return Metric("receptive field", *texts, _who(facts, new.by))
    one = len({*old.sizes}) == len({*new.sizes}) == 1
    by = new.sizes[0] - old.sizes[0] if one and old.sizes[0] and new.sizes[0] else None
    return Metric("receptive field", *texts, "other" if by is None else f"{by:+,}")


def _who(facts: Facts, path: str) -> str:
    """`se pools globally`: the part that sees all."""
    node = facts.new
    names = path.split(".")
    for name in names:
        node = node.children[name]
    pools = node.op is not None and "pool" in node.op.key
    named = names[-2] if pools and len(names) > 1 and not names[-2].isdecimal() else names[-1]
    return f"{named} {'pools globally' if pools else 'sees the whole input'}"

"""Two networks compared: the changes in words, their cost, and what a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from archspec.analysis import Analysis
from archspec.diagnostics import plural
from archspec.diff.changes import Facts
from archspec.diff.checkpoint import Checkpoint, checkpoint
from archspec.diff.lines import Line, patterns
from archspec.diff.recognizers import RECOGNIZERS
from archspec.diff.renames import renamings, shifted
from archspec.diff.words import share
from archspec.records import Record

MOST_WORDS = 3  # phrases of a verdict
BATCH = 32  # of the training step whose peak is compared
FEW_KEYS = 3  # to name, if there are no more
MOST_KEYS = 4  # to name, if there are more
# Networks that share fewer of their weighted layers, and of their attributes, are different.
STRANGE, SAME_NAMES = 0.4, 0.75


class Text(NamedTuple):
    """A key in which two specs differ, and its values if they are short."""

    path: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path} ({' -> '.join(self.values)})" if self.values else self.path


class Metric(NamedTuple):
    """A row of the table: as text, and the difference."""

    name: str
    before: str
    after: str
    change: str


class Comparison(Record, eq=False):
    """`names` are the names of the two; `findings` are lint findings that only the second has.

    `texts` are the keys in which the specs differ.
    """

    facts: Facts
    names: tuple[str, str]
    texts: Sequence[Text] = ()
    findings: Sequence[str] = ()

    @cached_property
    def lines(self) -> list[Line]:
        """The changes, one line for equal changes."""
        left, lines = list(self.facts.changes), list[Line]()
        for recognizer in RECOGNIZERS:
            found = list(recognizer(self.facts, left))
            told = {id(change) for line in found for change in line.changes}
            left = [change for change in left if id(change) not in told]
            lines += found
        return lines or list(shifted(self.facts))

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """How much of the first one's checkpoint fits the second."""
        return checkpoint(self.facts)

    @property
    def verdict(self) -> str:
        """The summary: all changes on one line."""
        if self.facts.equal:
            return "no change in the architecture"
        said = _phrases(self.lines) if self._related else "a different network"
        weights = self.checkpoint
        kept = weights.old and not weights.lost and not weights.fresh
        return f"{said}; every weight still loads" if kept else said

    @property
    def _related(self) -> bool:
        """Whether the two have many layers in common."""
        old, new = ([n for n in t.leaves if n.params] for t in (self.facts.old, self.facts.new))
        kept = sum(1 for a, b in self.facts.pairs if a.op and a.label == b.label and a.params)
        mine, theirs = self.facts.old.children.keys(), self.facts.new.children.keys()
        named = len(mine & theirs) >= SAME_NAMES * len(mine | theirs)
        return named or 2 * kept >= STRANGE * (len(old) + len(new))

    @cached_property
    def metrics(self) -> list[Metric]:
        """The cost of the changes."""
        return list(_metrics(self.facts))

    @property
    def survival(self) -> str:
        """How much of a checkpoint of the first network fits the second."""
        weights = self.checkpoint
        if not weights.old:
            return "nothing is saved"
        keys, one = len(weights.old), len(weights.old) == 1
        if not weights.lost:
            kept = "the only key fits" if one else f"all {keys} keys fit"
            return f"{kept}{_fresh(weights)}{self._difference}"
        if not weights.fit:
            return "the only key does not fit" if one else f"none of {keys} keys fit"
        kept = f"{len(weights.fit)} of {keys} keys fit ({share(weights.share)} of the values)"
        return f"{kept}; {_lost(weights)}"

    @property
    def _difference(self) -> str:
        """The dangerous case: every weight loads, but the outputs differ."""
        lines = [line for line in self.lines if line.changes]
        acting = [line for line in lines if not line.minor]
        ours = [line.why or ("" if self.checkpoint.fresh else line.verdict) for line in acting]
        if whys := [why for why in dict.fromkeys(ours) if why]:
            return f", but the outputs differ: {_some(whys)}"
        return "; only training differs" if lines and not acting else ""

    @property
    def notes(self) -> list[str]:
        """Additional facts."""
        return [*self._of_keys(), *self.findings]

    def _of_keys(self) -> Iterator[str]:
        weights = self.checkpoint
        if others := weights.other_layer:
            named = ", ".join(others[:MOST_KEYS]) + ", ..." * (len(others) > MOST_KEYS)
            belong = "belongs" if len(others) == 1 else "belong"
            yield f"{len(others)} of the keys that fit {belong} to a different layer: {named}"
        more = len(weights.fit_renamed) - len(weights.fit) + len(weights.other_layer)
        if more > 0 and self._related:
            yield f"{_more(more)} once {renamings(self.facts)}; then {self._left()}"

    def _left(self) -> str:
        kept = set(self.checkpoint.fit_renamed)
        lost = [key for key in self.checkpoint.old if key not in kept]
        layers = patterns([key.rpartition(".")[0] for key in lost], self.facts, old=True)
        if len(layers) == 1:
            return f"only {layers[0]} {'is' if self.facts.old.holds(layers[0]) else 'are'} lost"
        return f"{plural(len(lost), 'key')} are lost" if lost else "all fit"


def compare(
    before: Analysis,
    after: Analysis,
    names: tuple[str, str] | None = None,
    texts: Sequence[Text] = (),
    findings: Sequence[str] = (),
) -> Comparison:
    """The changes from one network to another."""
    facts = Facts(before, after)
    return Comparison(facts, names or (before.name, after.name), texts, findings)


def _phrases(lines: Sequence[Line]) -> str:
    said = list(dict.fromkeys(x.verdict for x in lines if x.verdict and not x.minor))
    return _some(said or list(dict.fromkeys(x.verdict for x in lines)) or ["other slices"])


def _some(said: Sequence[str]) -> str:
    return ", ".join(said if len(said) <= MOST_WORDS else [*said[: MOST_WORDS - 1], "and more"])


def _fresh(weights: Checkpoint) -> str:
    if not weights.fresh:
        return ""
    new = len(weights.fresh)
    start = "1 new one starts" if new == 1 else f"{new} new ones start"
    return f"; {start} fresh ({share(weights.fresh_share)} of the values)"


def _more(number: int) -> str:
    return "1 more key fits" if number == 1 else f"{number} more keys fit"


def _lost(weights: Checkpoint) -> str:
    if len(weights.lost) <= FEW_KEYS:
        return f"not {', '.join(weights.lost)}"
    if len(weights.reshaped) == len(weights.lost) == len(weights.fresh):
        return f"{len(weights.reshaped)} have a different shape"
    if weights.fresh:
        return f"{len(weights.fresh)} of {len(weights.new)} start fresh"
    return "nothing starts fresh"


# The table ------------------------------------------------------------------------------


def _metrics(facts: Facts) -> Iterator[Metric]:
    before, after = facts.before, facts.after
    yield _row("parameters", before.params, after.params)
    yield _row("MACs", before.macs, after.macs)
    numbers = (before.activations, after.activations)
    old, new = (_memory(4 * number) for number in numbers)
    yield Metric("activations, float32", old, new, _change(*numbers, " values"))
    peaks = (before.training_peak(BATCH), after.training_peak(BATCH))
    old, new = map(_memory, peaks)
    yield Metric(f"peak memory, batch {BATCH}", old, new, _change(*peaks, " bytes"))
    if before.receptive_field or after.receptive_field:
        yield _sight(facts)


def _memory(size: int) -> str:
    unit, name = (2**20, "MiB") if size >= 2**20 // 2 else (2**10, "KiB")
    return f"{size / unit:,.1f} {name}"


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
    return Metric("receptive field", *texts, "limited" if by is None else f"{by:+}")


def _who(facts: Facts, path: str) -> str:
    """`se pools globally`: the part that depends on the whole input."""
    node = facts.new
    names = path.split(".")
    for name in names:
        node = node.children[name]
    pools = node.op is not None and "pool" in node.op.key
    named = names[-2] if pools and len(names) > 1 and not names[-2].isdecimal() else names[-1]
    return f"{named} {'pools globally' if pools else 'sees the whole input'}"

"""Features out of the middle: the network up to the last attribute that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from archspec.diagnostics import Diagnostic, SpecError, did_you_mean
from archspec.ir import Apply, Body, Chain, Collect, applied
from archspec.lower.model import Instance

RULE = "unknown-output"


def collect(root: Instance, wanted: Sequence[str]) -> tuple[str, ...]:
    """Makes the values of the attributes `wanted` the result of the network, in that order.

    Returns the attributes that come after the last of them; they are taken out. Raises
    `SpecError` for a name that is no attribute of the network, or that is no single place in
    it: inside a residual, or applied more than once.
    """
    assert root.body is not None
    steps = list(_steps(root.body))
    _check(root, steps, wanted)
    parts: list[tuple[str, Body]] = []
    part: list[Body] = []
    for step in steps:
        part.append(step)
        if isinstance(step, Apply) and step.layer in wanted:
            parts.append((step.layer, Chain(tuple(part))))
            part = []
    root.body = Collect(tuple(parts), tuple(wanted))
    return _cut(root, set(applied(root.body)))


def _steps(body: Body) -> Iterator[Body]:
    """What is done one after the other, without chains in chains."""
    if isinstance(body, Chain):
        for step in body.steps:
            yield from _steps(step)
    else:
        yield body


def _check(root: Instance, steps: Iterable[Body], wanted: Sequence[str]) -> None:
    assert root.body is not None
    plain = [step.layer for step in steps if isinstance(step, Apply)]
    times = Counter(applied(root.body))
    named = [name for name in plain if times[name] == 1]
    found = [_finding(name, named, times) for name in dict.fromkeys(wanted)]
    found += [_twice(name) for name, count in Counter(wanted).items() if count > 1]
    if not wanted:
        hint = did_you_mean("", named)
        found.append(Diagnostic(RULE, "no output is asked for", None, hint))
    if findings := [finding for finding in found if finding]:
        raise SpecError(findings)


def _finding(name: str, named: Sequence[str], times: Counter[str]) -> Diagnostic | None:
    if name in named:
        return None
    if times[name] > 1:
        message = f"`{name}` is applied {times[name]} times, so it is no single output"
        return Diagnostic(RULE, message, None, "give the one you mean a name of its own")
    if times[name]:
        message = f"`{name}` stands beside another branch, so it is no output of the network"
        return Diagnostic(RULE, message, None, did_you_mean(name, named))
    message = f"the network has no attribute `{name}` to give out"
    return Diagnostic(RULE, message, None, did_you_mean(name, named))


def _twice(name: str) -> Diagnostic:
    return Diagnostic(RULE, f"`{name}` is asked for twice", None, "name each output once")


def _cut(root: Instance, kept: set[str]) -> tuple[str, ...]:
    """Takes out what is not applied any more; the places of shortcuts move along."""
    gone = [item.attribute for item in root.items if item.attribute not in kept]
    for joint in root.joints:
        before = root.items[: joint.after]
        joint.after = sum(item.attribute in kept for item in before)
    root.joints = [joint for joint in root.joints if joint.mark in kept]
    root.items = [item for item in root.items if item.attribute in kept]
    return tuple(gone)

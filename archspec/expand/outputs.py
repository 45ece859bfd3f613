"""Features out of the middle: the network up to the last attribute that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archspec.diagnostics import Diagnostic, SpecError, did_you_mean
from archspec.ir import Apply, Body, Chain, Collect, applied
from archspec.ir.tree import BlockInstance, ExpandedNetwork

RULE = "unknown-output"


def with_outputs(network: ExpandedNetwork, wanted: Sequence[str]) -> ExpandedNetwork:
    """The network whose result is what leaves these attributes, in that order.

    Layers after the last of them are taken out, and named in `cut`. Raises `SpecError` for a name
    that is no attribute of the network, or that is no single place in it: inside a residual, or
    applied more than once.
    """
    root = network.root
    steps = list(_steps(root.body))
    _check(root, steps, wanted)
    parts: list[tuple[str, Body]] = []
    part: list[Body] = []
    leaving = root.leaving
    for step in steps:
        part.append(step)
        if isinstance(step, Apply) and step.layer in wanted:
            parts.append((step.layer, Chain(tuple(part))))
            leaving = leaving._replace(shape=step.site.y)
            part = []
    body = Collect(tuple(parts), tuple(wanted))
    kept = set(applied(body))
    gone = tuple(child.attribute for child in root.children if child.attribute not in kept)
    made = replace(_cut(root, kept), body=body, leaving=leaving)
    return replace(network, root=made, outputs=tuple(wanted), cut=gone)


def _steps(body: Body) -> Iterator[Body]:
    """What is done one after the other, without chains in chains."""
    if isinstance(body, Chain):
        for step in body.steps:
            yield from _steps(step)
    else:
        yield body


def _check(root: BlockInstance, steps: Iterable[Body], wanted: Sequence[str]) -> None:
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


def _cut(root: BlockInstance, kept: set[str]) -> BlockInstance:
    """The network without what is not applied any more; the places of shortcuts move along."""
    slots = []
    for slot in root.slots:
        if slot.mark in kept:
            before = root.children[: slot.after]
            slots.append(replace(slot, after=sum(child.attribute in kept for child in before)))
    children = tuple(child for child in root.children if child.attribute in kept)
    return replace(root, children=children, slots=tuple(slots))

"""The outputs of a network: its results in each mode, and intermediate features."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archspec.diagnostics import Diagnostic, SpecError, did_you_mean
from archspec.expand.living import alive, with_body
from archspec.expression import Number
from archspec.ir import Apply, Body, Chain, Give, Save, applied
from archspec.ir.bodies import steps_of
from archspec.ir.liveness import pruned
from archspec.ir.tree import BlockInstance, ExpandedNetwork, TensorInfo
from archspec.language import Spec
from archspec.language.tensors import Outputs
from archspec.places import Path
from archspec.records import Record

RULE = "unknown-output"


class Asked(Record):
    """An output, and where it is requested: None on the command line."""

    name: str
    path: Path | None = None


def with_outputs(
    network: ExpandedNetwork, spec: Spec, wanted: Sequence[str] | None
) -> ExpandedNetwork:
    """The network with the outputs that are requested here, or by its spec.

    Layers that no output depends on are removed, and listed in `cut`. Raises `SpecError` for a name
    that no tensor has.
    """
    if wanted is not None:
        return _giving(network, spec, Outputs(tuple(wanted)), [Asked(name) for name in wanted])
    if spec.outputs is not None:
        written = spec.outputs.places(spec.data["outputs"])
        asked = [Asked(name, ("outputs", *path)) for name, path in written]
        return _giving(network, spec, spec.outputs, asked)
    if network.linked:
        return _with_root(network, alive(network.root))
    return network


def _giving(
    network: ExpandedNetwork, spec: Spec, outputs: Outputs, asked: Sequence[Asked]
) -> ExpandedNetwork:
    root = network.root
    attributes = _attributes(root.body)
    tensors = {**attributes, **network.tensors}
    _check(network, spec, asked, tensors)
    body = Chain(tuple(_saving(root.body, {one.name for one in asked} - network.tensors.keys())))
    training = outputs.training if outputs.training != outputs.eval else ()
    whole = pruned(Chain((*body.steps, Give(outputs.eval, training))))
    made = with_body(replace(root, leaving=tensors[outputs.eval[0]]), whole)
    given = replace(network, outputs=outputs.eval, training=training, tensors=tensors)
    kept = {child.attribute for child in made.attributes}
    gone = tuple(child.attribute for child in root.attributes if child.attribute not in kept)
    return replace(_with_root(given, made), cut=gone)


def _with_root(network: ExpandedNetwork, root: BlockInstance) -> ExpandedNetwork:
    """The network with fewer layers."""
    kept = {child.attribute for child in root.attributes}
    stages = tuple(key for key in network.stages if key in kept)
    return replace(network, root=root, stages=stages, dead=network.dead.union(root.dead))


def _attributes(body: Body) -> dict[str, TensorInfo]:
    """The outputs of attributes that are applied once, and not inside a branch."""
    times = Counter(applied(body))
    plain = [step for step in steps_of(body) if isinstance(step, Apply) and times[step.layer] == 1]
    return {step.layer: _info(step) for step in plain}


def _info(step: Apply) -> TensorInfo:
    """The output of an attribute; its channels and stride affect nothing else."""
    shape = step.site.y
    return TensorInfo(shape, Number(shape.channels), None)


def _saving(body: Body, names: set[str]) -> Iterator[Body]:
    """The steps of a body, with names for the outputs of these attributes."""
    for step in steps_of(body):
        yield step
        if isinstance(step, Apply) and step.layer in names:
            yield Save(step.layer)


def _check(
    network: ExpandedNetwork,
    spec: Spec,
    asked: Sequence[Asked],
    tensors: dict[str, TensorInfo],
) -> None:
    times = Counter(applied(network.root.body))
    found = [_finding(one, spec, tensors, times) for one in dict.fromkeys(asked)]
    by_name = Counter(one.name for one in asked if one.path is None)
    found += [_twice(name) for name, count in by_name.items() if count > 1]
    if not asked:
        hint = did_you_mean("", tensors)
        found.append(Diagnostic(RULE, "no outputs given", None, hint))
    if findings := [finding for finding in found if finding]:
        raise SpecError(findings)


def _finding(
    asked: Asked, spec: Spec, tensors: dict[str, TensorInfo], times: Counter[str]
) -> Diagnostic | None:
    name, span = asked.name, spec.where(*asked.path) if asked.path else None
    if name in tensors:
        return None
    hint = did_you_mean(name, tensors)
    if times[name] > 1:
        message = f"`{name}` is applied {times[name]} times, so it cannot be an output"
        return Diagnostic(RULE, message, span, "give the layer you mean its own `name`")
    if times[name]:
        message = f"`{name}` is inside a branch, so it cannot be an output"
        return Diagnostic(RULE, message, span, hint)
    return Diagnostic(RULE, f"unknown output `{name}`", span, hint)


def _twice(name: str) -> Diagnostic:
    return Diagnostic(RULE, f"output `{name}` is listed twice", None, "list each output once")

"""Parts: the layers given for a part, and their scope."""

from collections.abc import Mapping
from typing import NamedTuple

from archspec.expand.budget import OPEN
from archspec.expand.scope import FoundError, Scope
from archspec.language.layers import layer_of, shorthand
from archspec.language.problems import Problems
from archspec.language.stack import Layer, Stack
from archspec.language.words import COMBINATORS, PARTS_OF_ALL
from archspec.memo import Memo, remember
from archspec.places import At, Finding


class Filled(NamedTuple):
    """The layers given for a part, where they are written, and their scope."""

    stack: Stack
    at: At
    scope: Scope


def fill(layer: Layer, at: At, scope: Scope) -> Filled:
    """The layers that replace a layer that names a part."""
    part, origin = scope.parts[layer.head], scope.origins[layer.head]
    scope.budget.spend(len(part.parts))
    if part.network:
        scope.budget.used.add(layer.head)
    parts, origins = dict(part.parts), {name: origin.inside(name) for name in part.parts}
    # Norm and act come from where the part is used, also in layers written elsewhere.
    for name in PARTS_OF_ALL:
        if name in scope.parts and name != layer.head:
            parts[name], origins[name] = scope.parts[name], scope.origins[name]
    stack, place = part.stack, origin.at or at
    if layer.given or layer.init:
        stack, place = _with_arguments(layer, at, stack, scope), at
    inside = scope.with_(parts=parts, origins=origins, named=scope.named or at, tensors=None)
    hidden = (scope.values, scope.pending, scope.truths)
    seen = {n: v for n, v in part.names.items() if not any(n in names for names in hidden)}
    if seen:
        inside.values = seen | scope.values
    return Filled(stack, place, inside)


def _with_arguments(layer: Layer, at: At, stack: Stack, scope: Scope) -> Stack:
    """Pass arguments of a part to the layer that was given for it."""
    if not stack.layers:
        return stack
    scope.budget.spend(OPEN)
    filler, *others = stack.layers
    if others or filler.head in COMBINATORS:
        by = f"{len(stack.layers)} layers" if others else f"a `{filler.head}`"
        hint = "arguments need a single layer: set them where the layers of the part are given"
        raise scope.error(
            "bad-layer", f"`{layer.head}` is set to {by}, so it takes no arguments", at, hint
        )
    try:
        return _merged(layer, filler, memo=scope.memo)
    except Problems as error:
        found = []
        for problem in error.problems:
            place = at.below(layer.head, *problem.path[1:], key=problem.key)
            found.append(
                Finding(problem.rule, problem.message, place, problem.hint, uses=scope.uses)
            )
        raise FoundError(*found) from None


@remember
def _merged(layer: Layer, filler: Layer, *, memo: Memo | None) -> Stack:
    """The layer given for a part, with the arguments that the part is given."""
    written = filler.raw if isinstance(filler.raw, Mapping) else {}
    modifiers = {k: v for k, v in written.items() if k != filler.head}
    if layer.init:
        modifiers["init"] = layer.raw["init"]
    inner = shorthand(filler.head, written.get(filler.head, {}))
    return Stack((layer_of({filler.head: {**inner, **layer.given}, **modifiers}),))

"""Weight initialization: the settings of `init`, with the numbers and names of their scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from archspec.diagnostics import did_you_mean, plural
from archspec.expand.budget import VISIT
from archspec.expand.scope import Scope
from archspec.expression import Expr, ExpressionError, Name, Number, Value, floating, known, names
from archspec.ir.draws import FANS, Draw, Rule, fans
from archspec.ir.tree import BlockCall, BlockInstance, Container, ModuleNode, OpCall
from archspec.language.arguments import check_number
from archspec.language.functions import FUNCTIONS, TORCH, disagreement
from archspec.language.problems import Problems
from archspec.language.stack import Layer
from archspec.language.starts import ALL, RESNET, Init, Start, start_of
from archspec.ops import OPS
from archspec.places import At

Hidden = frozenset[tuple[str, str]]  # ops and parameters that are initialized differently


# A layer's own ------------------------------------------------------------------------


def draws_of(layer: Layer, module: ModuleNode, at: At, scope: Scope) -> tuple[Draw, ...]:
    """The initialization of a layer's parameters, as far as the layer sets it itself."""
    if layer.init is None:
        return ()
    if not (isinstance(module, OpCall) and module.op.weights()):
        message = f"`init` has no effect: `{layer.head}` has no weight"
        raise scope.error("bad-layer", message, at.below("init"))
    op, made = module.op, []
    for name in layer.init:
        if name != ALL and name not in op.learned:
            message = f"`{op.key}` has no parameter `{name}`"
            place = at.below("init", name, key=True)
            raise scope.error("unknown-key", message, place, did_you_mean(name, op.learned))
    alone = not any(start.random for start in layer.init.values())
    for name in op.learned:
        start = start_of(layer.init, name)
        if start is not None and (name in op.weights() or start.function == TORCH):
            draw = _draw(name, start, at.below("init"), scope, alone)
            _check(module, draw, start, at.below("init"), scope)
            made.append(draw)
    return tuple(made)


def _draw(parameter: str, start: Start, at: At, scope: Scope, free: bool = False) -> Draw:
    """An initializer with its arguments. `free`: one number may differ between uses of a class."""
    free = free and start.function == "constant"
    arguments = tuple(
        (name, _argument(value, name, start, at, scope, free) if isinstance(value, Expr) else value)
        for name, value in start.given.items()
    )
    return Draw(parameter, start.function, arguments, start.random)


def _argument(value: Expr, name: str, start: Start, at: At, scope: Scope, free: bool) -> Any:
    at = at.below(*start.path_of(name))
    if free and not names(value) & {*FANS}:
        return scope.argument(value, FUNCTIONS["constant"].arguments[name].how, at, "start")
    return _settled(value, at, scope)


def _settled(expr: Expr, at: At, scope: Scope) -> Expr:
    """A formula of fans only, or a number."""
    try:
        seen = {n: scope.value(Name(n), at).number for n in sorted(names(expr) - {*FANS})}
        scope.mark_concrete(expr)
        return known(expr, {n: floating(Number(number), {}) for n, number in seen.items()})
    except ExpressionError as error:
        raise scope.error("expression", error.message, at, error.hint) from None


# Those of a block or of the network ---------------------------------------------------


def with_init(instance: BlockInstance, init: Init, at: At, scope: Scope) -> BlockInstance:
    """A block, or the network, that sets the initialization of its layers."""
    said = [
        (op, name, start)
        for op, starts in init.items()
        for name in OPS[op].learned
        if (start := start_of(starts, name)) is not None
    ]
    rules = [Rule(op, _draw(name, start, at, scope)) for op, name, start in said]
    places = {(op, name): start for op, name, start in said}
    drawn = {(rule.op, rule.draw.parameter): rule.draw for rule in rules}
    layers = () if init is RESNET else _layers(instance, frozenset(), set(), scope)
    for module, hidden in dict.fromkeys(layers):
        for name in module.op.weights():
            key = (module.op.key, name)
            if key in drawn and key not in hidden and name not in hidden:
                _check(module, drawn[key], places[key], at, scope)
    return replace(instance, init=tuple(rules))


def _layers(
    container: Container, hidden: Hidden, seen: set[Any], scope: Scope
) -> Iterator[tuple[OpCall, frozenset[Any]]]:
    """Every layer with weights, and its parameters that are initialized differently."""
    if (container, hidden) in seen:
        return
    seen.add((container, hidden))
    scope.budget.spend(VISIT)
    for child in container.attributes:
        match child.module:
            case OpCall(op=op) as module if op.weighted and not op.constant:
                yield module, hidden | {draw.parameter for draw in child.draws}
            case BlockCall(instance=inner):
                own = {(rule.op, rule.draw.parameter) for rule in inner.init}
                yield from _layers(inner, hidden | own, seen, scope)
            case Container() as inside:
                yield from _layers(inside, hidden, seen, scope)


# Checks -------------------------------------------------------------------------------


def _check(module: OpCall, draw: Draw, start: Start, at: At, scope: Scope) -> None:
    """Raise a finding if torch cannot initialize this parameter."""
    shapes = module.op.weights()
    if draw.function == TORCH or draw.parameter not in shapes:
        return
    function, shape = FUNCTIONS[draw.function], shapes[draw.parameter]
    whole, what = at.below(*start.path), f"the {draw.parameter} of `{module.op.key}`"
    if not function.least <= len(shape) <= function.most:
        sizes = " x ".join(map(str, shape))
        message = f"`{draw.function}` cannot initialize {what}, which is {sizes}"
        raise scope.error("out-of-range", message, whole, "use another function")
    values = {}
    for name, argument in draw.arguments:
        place = at.below(*start.path_of(name))
        values[name] = _number(argument, fans(shapes, draw.parameter), what, place, scope)
        try:
            if not isinstance(values[name], str):
                check_number(values[name], function.arguments[name].how)
        except Problems as error:
            problem, given = error.problems[0], scope.given_by(start.given[name])
            raise scope.error(
                problem.rule, problem.message, place, problem.hint, given=given
            ) from None
    if wrong := disagreement(draw.function, values):
        place = at.below(*start.path_of(wrong.argument)) if wrong.argument in values else whole
        raise scope.error("out-of-range", wrong.message, place, wrong.hint)
    if shape[0] % int(values.get("groups", 1)):
        groups = plural(int(values["groups"]), "group")
        message = f"cannot divide {plural(shape[0], 'channel')} into {groups}"
        raise scope.error("out-of-range", message, at.below(*start.path_of("groups")))


def _number(argument: Any, seen: Mapping[str, int], what: str, at: At, scope: Scope) -> float | str:
    """An argument for one layer."""
    if isinstance(argument, Value):
        argument = Number(argument.number)
    if not isinstance(argument, Expr):
        return str(argument)
    if missing := sorted(names(argument) - seen.keys()):
        message = f"`{missing[0]}` has no value for {what}"
        raise scope.error(
            "expression", message, at, "only kernels and matrices have `fan_in` and `fan_out`"
        )
    try:
        number: float = floating(argument, seen)
    except ExpressionError as error:
        raise scope.error("expression", error.message, at, error.hint) from None
    return number

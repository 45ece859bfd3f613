"""Weight initialization: `init` as written, for a layer, a block, or a spec.

A function of torch.nn.init, without its `_`, is set per parameter, by torch's name for it; alone,
it is for the weight. Literal arguments are checked here, all others once the sizes are known.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from archspec.diagnostics import Hint, did_you_mean, instead
from archspec.expression import Expr, Number
from archspec.known import plain
from archspec.language import arguments
from archspec.language.functions import FUNCTIONS, TORCH, disagreement
from archspec.language.problems import Collector, describe, fail
from archspec.language.suggestions.elsewhere import torch_names
from archspec.ops import OPS
from archspec.places import Path
from archspec.records import Record

ALL = "*"  # every parameter that has no `init` of its own: `resnet`'s he_normal is truncated
KERAS = {  # alike: its he_normal is truncated
    "he_normal": "kaiming_normal",
    "he_uniform": "kaiming_uniform",
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "truncated_normal": "trunc_normal",
    "identity": "eye",
}
_KERAS = {plain(name) for name in KERAS}
ELSEWHERE = {f"{name}_": name for name in FUNCTIONS} | KERAS
WEIGHTED = {key: op.learned for key, op in OPS.items() if op.weighted and not op.constant}
LEARNED = tuple(dict.fromkeys(name for learned in WEIGHTED.values() for name in learned))


class Start(Record, eq=False):
    """A function and its arguments as written; `path` is its path below `init`."""

    function: str
    given: Mapping[str, Expr | str]
    path: Path
    bare: bool = False

    @property
    def random(self) -> bool:
        """Whether it draws random numbers."""
        return self.function != TORCH and FUNCTIONS[self.function].random

    def path_of(self, argument: str) -> Path:
        """The path of an argument."""
        return self.path if self.bare else (*self.path, argument)


Starts = Mapping[str, Start]  # by parameter
Init = Mapping[str, Starts]  # by op


def starts_of(value: Any, *path: str, known: tuple[str, ...] = LEARNED) -> Starts:
    """How the parameters of a layer are initialized; raises `Problems`. `path` is that of the
    value.
    """
    if value == TORCH:
        return {ALL: Start(TORCH, {}, path)}
    if not isinstance(value, Mapping) or _is_function(value, known):
        return {"weight": _start(value, path)}
    found, result = Collector(), {}
    for name in value:
        with found.trying(name):
            if name not in known:
                hint = _meant(str(name), [*known, *FUNCTIONS], "available")
                if meant := {"weights": "weight", "kernel": "weight", "biases": "bias"}.get(name):
                    hint = instead(f"use `{meant}`", name, meant)
                message = f"unknown parameter or function of torch.nn.init `{name}`"
                if name in FUNCTIONS:
                    hint = instead(f"use `weight: {name}`", name, "")
                    message = f"`{name}` is a function of torch.nn.init, not a parameter"
                fail("unknown-key", message, hint, key=True)
            result[name] = _start(value[name], (*path, name))
    found.finish()
    return result


def _is_function(value: Mapping[str, Any], known: tuple[str, ...]) -> bool:
    """Whether a mapping is a function with its arguments, not parameters with their functions."""
    return (
        len(value) == 1
        and not value.keys() & {*known}
        and any(key in FUNCTIONS or key in ELSEWHERE for key in value)
    )


def _start(value: Any, path: Path) -> Start:
    """A function: a word, a mapping with its arguments, or a bare number."""
    if isinstance(value, str):
        if value == TORCH:
            return Start(TORCH, {}, path)
        _check_function(value)
        return Start(value, _arguments(value, {}), path)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Start("constant", _arguments("constant", {"val": value}), path, bare=True)
    if not isinstance(value, Mapping) or len(value) != 1:
        hint = "for example, `zeros`, `{constant: 0.5}`, or `{normal: {std: 0.01}}`"
        fail("wrong-type", f"expected a function of torch.nn.init, found {describe(value)}", hint)
    ((name, given),) = value.items()
    _check_function(name, name)
    found, start = Collector(), None
    bare = name == "constant" and not isinstance(given, Mapping)
    with found.trying(name):
        known = _arguments(name, {"val": given} if bare else given)
        start = Start(name, known, (*path, name), bare)
    found.finish()
    assert start is not None
    return start


def _meant(name: str, choices: list[str], what: str) -> Hint:
    """A hint that is sure if the name is a typo or torch's name, but not if it is one of Keras."""
    hint = did_you_mean(name, choices, what, ELSEWHERE)
    return instead(str(hint), name, hint.instead, hint.sure and plain(name) not in _KERAS)


def _check_function(name: Any, *path: str) -> None:
    if name not in FUNCTIONS:
        hint = _meant(str(name), [*FUNCTIONS, TORCH], "functions")
        message = f"torch.nn.init has no function `{name}`"
        fail("unknown-name", message, hint, *path, key=bool(path))


def _arguments(function: str, given: Any) -> Mapping[str, Expr | str]:
    known = FUNCTIONS[function].arguments
    if not isinstance(given, Mapping):
        example = f"{{{function}: {{{next(iter(known), '')}: ...}}}}" if known else function
        message = f"expected a mapping of arguments, found {describe(given)}"
        fail("wrong-type", message, f"for example, `{example}`")
    required = [name for name, argument in known.items() if argument.default is None]

    def read(name: str, value: Any) -> Any:
        return arguments.value_of(value, known[name].how)

    def unknown(name: str) -> str:
        return did_you_mean(name, known, "available") if known else "remove it"

    result = arguments.given_to(function, given, known, read, unknown, required)
    _check_literal(function, result)
    return result


def _check_literal(function: str, given: Mapping[str, Any]) -> None:
    """Conflicts between arguments, if all of them are known."""
    numbers = {n: v.value if isinstance(v, Number) else v for n, v in given.items()}
    if any(isinstance(value, Expr) for value in numbers.values()):
        return
    if wrong := disagreement(function, numbers):
        steps = (wrong.argument,) if wrong.argument in given else ()
        fail("out-of-range", wrong.message, wrong.hint, *steps)


def init_of(value: Any) -> Init:
    """`init` of a block, or of a spec before it is merged into the default; raises `Problems`."""
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    if not isinstance(value, Mapping):
        if isinstance(value, str):
            message = f"expected `resnet` or `torch`, found {describe(value)}"
            hint = f"for one op, use `init: {{conv: {value}}}`" if value in FUNCTIONS else ""
            fail("out-of-range", message, hint or did_you_mean(value, WORDS, "words"))
        fail("wrong-type", f"expected a mapping of ops, found {describe(value)}", _EXAMPLE)
    found, result = Collector(), dict[str, Starts]()
    for op in value:
        if op not in WEIGHTED:
            if op in OPS and OPS[op].constant:
                hint = f"set `init: ...` on the `{op}` itself"
                found.add(
                    "unknown-name", f"`{op}` is initialized where it is defined", hint, op, key=True
                )
                continue
            theirs = {name: ours for name, ours in torch_names().items() if ours in WEIGHTED}
            hint = did_you_mean(str(op), WEIGHTED, "ops", theirs)
            if op == "norm":
                hint = Hint("use the op that `norm` stands for, such as `batch_norm`")
            what = "has no weights" if op in OPS else "is not an op"
            found.add("unknown-name", f"`{op}` {what}", hint, op, key=True)
            continue
        with found.trying(op):
            result[op] = starts_of(value[op], op, known=WEIGHTED[op])
    found.finish()
    return result


def usual_init() -> Init:
    """The `init` of specs that set none: one object, which pydantic does not copy."""
    return RESNET


def network_init_of(value: Any) -> Init:
    """`init` of a spec: a word, or a mapping that is merged into the default."""
    own = init_of(value)
    if isinstance(value, str):
        return own
    return {**RESNET, **{op: _over(RESNET.get(op, {}), starts) for op, starts in own.items()}}


def _over(base: Starts, over: Starts) -> Starts:
    return over if ALL in over else {**base, **over}


def start_of(starts: Starts, parameter: str) -> Start | None:
    """The initialization of a parameter, if one is set."""
    return starts.get(parameter) or starts.get(ALL)


def written(init: Init) -> Iterator[Start]:
    """A mapping of ops."""
    return (start for starts in init.values() for start in starts.values())


_EXAMPLE = "for example, `init: {linear: {weight: {normal: {std: 0.01}}, bias: zeros}}`"
_HE = {"mode": "fan_out", "nonlinearity": "relu"}
RESNET: Init = {"conv": {"weight": Start("kaiming_normal", _HE, ("conv", "weight"))}}
WORDS: dict[str, Init] = {"resnet": RESNET, "torch": {"conv": {ALL: Start(TORCH, {}, ("conv",))}}}

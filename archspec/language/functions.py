"""The functions of torch.nn.init that a spec may use, with their arguments and limits."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from archspec.expression import show
from archspec.ir import Field
from archspec.ir.draws import FANS
from archspec.records import Record

TORCH = "torch"  # the word for a parameter that keeps torch's initialization
LARGEST = 10**15
NARROWEST = 1e-5  # of the interval of a truncated normal, so that its ends differ in float32

REAL = Field("real", low=-LARGEST, high=LARGEST)
POSITIVE = Field("real", low=0, high=LARGEST)
MODE = Field("choice", choices=FANS)
NONLINEARITY = Field("choice", choices=("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"))


class Argument(Record):
    """An argument of a function: how it is written, and torch's default, if it has one."""

    how: Field
    default: float | str | None = None


class Function(Record):
    """A function of torch.nn.init. `least` and `most` bound the dimensions of its tensor."""

    text: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    least: int = 1
    most: int = 5
    random: bool = True


_GAIN = {"gain": Argument(POSITIVE, 1)}
_KAIMING = {
    "a": Argument(REAL, 0),
    "mode": Argument(MODE, "fan_in"),
    "nonlinearity": Argument(NONLINEARITY, "leaky_relu"),
}
_NORMAL = {"mean": Argument(REAL, 0), "std": Argument(POSITIVE, 1)}

FUNCTIONS: dict[str, Function] = {
    "zeros": Function("zeros", random=False),
    "ones": Function("ones", random=False),
    "constant": Function("one number", {"val": Argument(REAL)}, random=False),
    "uniform": Function(
        "uniform from `a` to `b`", {"a": Argument(REAL, 0), "b": Argument(REAL, 1)}
    ),
    "normal": Function("a normal distribution", _NORMAL),
    "trunc_normal": Function(
        "a normal distribution, redrawn outside `a` to `b`",
        {**_NORMAL, "a": Argument(REAL, -2), "b": Argument(REAL, 2)},
    ),
    "xavier_uniform": Function("Glorot and Bengio, 2010, uniform", _GAIN, 2),
    "xavier_normal": Function("Glorot and Bengio, 2010", _GAIN, 2),
    "kaiming_uniform": Function("He et al., 2015, uniform", _KAIMING, 2),
    "kaiming_normal": Function("He et al., 2015", _KAIMING, 2),
    "orthogonal": Function("Saxe et al., 2013", {"gain": Argument(REAL, 1)}, 2),
    "sparse": Function(
        "a normal distribution with this fraction of zeros in each column (Martens, 2010)",
        {"sparsity": Argument(Field("real", low=0, high=1)), "std": Argument(POSITIVE, 0.01)},
        2,
        2,
    ),
    "eye": Function("the identity matrix", {}, 2, 2, random=False),
    "dirac": Function(
        "a convolution that returns its input",
        {"groups": Argument(Field("size"), 1)},
        3,
        random=False,
    ),
}


class Wrong(Record):
    """An argument that conflicts with the others."""

    argument: str
    message: str
    hint: str


def disagreement(function: str, given: Mapping[str, Any]) -> Wrong | None:
    """Numbers, each within its limits, that torch would reject or sample from forever."""
    if function not in ("uniform", "trunc_normal"):
        return None
    every = {name: argument.default for name, argument in FUNCTIONS[function].arguments.items()}
    known: dict[str, Any] = {**every, **given}
    a, b = known["a"], known["b"]
    named = next((name for name in ("b", "a", "std", "mean") if name in given), "a")
    if a > b:
        return Wrong(named, f"`a` is {show(a)}, but `b` is only {show(b)}", "swap them")
    if function == "uniform":
        return None
    if known["std"] == 0:
        return Wrong("std", "expected more than 0, found 0", "use `constant` for a single number")
    if not a <= known["mean"] <= b:
        message = f"the mean, {show(known['mean'])}, is not between {show(a)} and {show(b)}"
        return Wrong("mean" if "mean" in given else named, message, "set `a` and `b` too")
    if b - a <= NARROWEST * max(abs(a), abs(b)):
        return Wrong(
            named, f"float32 has no value between {show(a)} and {show(b)}", "use `constant`"
        )
    return None

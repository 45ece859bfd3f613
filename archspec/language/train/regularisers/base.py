"""What a regulariser is, and what it may ask of a network and add to a training script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple

from archspec.language.train.basics import Basics


class Places(NamedTuple):
    """What a network has for regularisers to act on. Paths are those of `get_submodule`."""

    input: tuple[int, ...]
    stages: tuple[str, ...]  # those of blocks
    last_linear: str | None  # of the main path
    residuals: tuple[tuple[str, str | None], ...]  # block, and the layer that its body ends in
    drops: bool = False  # some residual is dropped already, by a `drop_path` above 0
    kernels: bool = True  # some weight is a kernel or a matrix
    layers: tuple[str, ...] = ()  # that have weights or statistics
    constants: frozenset[str] = frozenset()  # those of them that are a parameter themselves
    stem: tuple[str, ...] = ()  # what the stem gives the network, with such layers


def is_in(layer: str, path: str) -> bool:
    """Whether a layer is what a path names, or inside it."""
    return f"{layer}.".startswith(f"{path}.")


class Idle(NamedTuple):
    """Why a regulariser that is on does nothing. `below` leads from its key to the place."""

    key: str
    why: str
    hint: str = "remove it"
    below: tuple[str | int, ...] = ()


Where = Literal[
    "network",  # after the network is made, before its optimizer
    "once",  # the same, but lines that several regularisers need are there once
    "trained",  # what is written for net.parameters() in lines of all regularisers, but "network"
    "parameters",  # what the optimizer is given, in place of net.parameters()
    "optimizer argument",
    "start",  # after the optimizer is made
    "state",  # what a checkpoint holds more
    "evaluated",  # the network that is evaluated, in place of net
    "judge",  # a class of networks around the one that is evaluated
    "rate",  # one more factor of the learning rate of a group
    "while",  # one more condition to go on after an epoch
    "keys",  # which samples this process trains with, in place of the usual
    "sample",  # an expression of samples in memory, {}, by their key
    "crop",  # how an image of a folder is cut out, in place of the usual
    "transform",  # of an image of a folder
    "images",  # of the batch x, y: before it is resized
    "inputs",  # after that
    "mixture",  # y is one-hot with the loss `bce`
    "targets",  # after that
    "loss argument",
    "loss",  # after loss is calculated
    "seed",  # before "gradients", once: SEED, if lines from here on draw random numbers
    "gradients",  # before the step of the optimizer
    "weights",  # after it; its learning rate is lr
    "step",  # after the step is counted
    "column",  # one more column of log.csv
    "row",  # its value, appended to row
    "shown",  # the same in an f-string, printed at the end of an epoch
]
Lines = Iterator[tuple[Where, str]]
Idles = Iterator[Idle]

KERNELS = "weights = [p for p in net.parameters() if p.ndim > 1]"  # needed "once"
SEED = 'torch.manual_seed(seed_of(args.seed, run["step"], parts))  # the same everywhere'


class Regulariser(Basics):
    """Keys of the recipe, and everything that follows from them.

    A module of this package has one subclass, and the functions that its lines call: a script
    gets those that it names, as they are written there. Torch is imported in scripts alone, so
    import it below `TYPE_CHECKING`.

    A field says what a key takes and what it means, and a check of the field what the key does
    not go with (`conflicts`). Lines are indented below one another alone, not to their place.
    They may name RESIDUALS and STAGES, the paths of `Places`.

    `order` sorts regularisers: their keys, and their lines at one place. A check sees the keys
    before its own.

    Up to "loss", each process draws random numbers of its own, for its part of the batch. From
    "gradients" on, all processes have to draw the same: yield "seed", SEED.
    """

    order: ClassVar[int] = 900
    example: ClassVar[str]  # gives all of its keys; the tests train with it
    elsewhere: ClassVar[Mapping[str, str]] = {}  # what other programs call its keys

    def idle(self, network: Places) -> Idles:
        """Why it would do nothing to this network."""
        yield from ()

    def script(self, network: Places) -> Lines:
        """Its lines, and where they stand."""
        yield from ()


def at(where: Where, *lines: str) -> Lines:
    """Several lines at one place."""
    return ((where, line) for line in lines)

"""What a regularizer is, and what it can query in a network and add to a training script."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from archspec.language.train.basics import Basics
from archspec.language.train.places import Places as Places
from archspec.records import Record


class Idle(Record):
    """Why a regularizer that is on has no effect. `below` leads from its key to the value."""

    key: str
    why: str
    hint: str = "remove it"
    below: tuple[str | int, ...] = ()


Where = Literal[
    "network",  # after the network is made, before its optimizer
    "once",  # the same, but lines that several regularizers need appear once
    "trained",  # replaces net.parameters() in lines of all regularizers except "network"
    "parameters",  # the argument of the optimizer, instead of net.parameters()
    "optimizer argument",
    "start",  # after the optimizer is made
    "state",  # additional state in a checkpoint
    "evaluated",  # the network to evaluate, instead of net
    "judge",  # a function of the network to evaluate and of its input, for its output
    "rate",  # an additional factor of the learning rate of a group
    "while",  # an additional condition for continuing after an epoch
    "keys",  # the samples of this process, instead of the default
    "sample",  # an expression of samples in memory, {}, by their key
    "crop",  # the crop of an image from a file, instead of the default
    "transform",  # of an image from a file
    "images",  # of the batch x, y: before it is resized
    "inputs",  # after that
    "mixture",  # y is one-hot with the loss `bce`
    "targets",  # after that
    "loss argument",
    "loss",  # after loss is calculated
    "seed",  # before "gradients", once: SEED, if the following lines draw random numbers
    "gradients",  # before the step of the optimizer
    "weights",  # after it; its learning rate is lr
    "step",  # after the step is counted
    "column",  # an additional column of log.csv
    "row",  # its value, appended to row
    "shown",  # the same in an f-string, printed at the end of an epoch
]
Lines = Iterator[tuple[Where, str]]
Idles = Iterator[Idle]

KERNELS = "weights = [p for p in net.parameters() if p.ndim > 1]"  # needed "once"
SEED = 'torch.manual_seed(seed_of(args.seed, run["step"], parts))  # the same everywhere'


class Regulariser(Basics):
    """Keys of the recipe, and everything that follows from them.

    Each module of this package has one subclass, and the functions that its lines call. A script
    contains the functions that its lines name, as they are written in the module. Only scripts
    import torch, so import it under `TYPE_CHECKING`.

    A field declares what a key accepts and means; a check of the field reports conflicts with other
    keys (`conflicts`). Indent lines relative to each other, not to where they go. They may use
    RESIDUALS and STAGES, the paths of `Places`, separated by spaces.

    `order` sorts regularizers: their keys, and their lines at the same location. A check sees the
    keys before its own.

    Up to "loss", each process draws its own random numbers, for its part of the batch. From
    "gradients" on, all processes must draw the same: yield "seed", SEED.
    """

    order: ClassVar[int] = 900
    example: ClassVar[str]  # sets all of its keys; the tests train with it
    elsewhere: ClassVar[Mapping[str, str]] = {}  # other programs' names of its keys

    def idle(self, network: Places) -> Idles:
        """Why it would have no effect on this network."""
        yield from ()

    def frozen_in(self, network: Places) -> list[str]:
        """The paths of the layers and stages that are not trained."""
        return []

    def script(self, network: Places) -> Lines:
        """Its lines, and where they go."""
        yield from ()


def at(where: Where, *lines: str) -> Lines:
    """Several lines at one location."""
    return ((where, line) for line in lines)

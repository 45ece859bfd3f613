"""The numbers that a script takes on its command line; their defaults are the recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.training.data import Data


# Options that few runs need and many lines keep: a script has those that were asked for.
ON_REQUEST = ("weights", "cache", "tensorboard")
WORKERS = 256  # a process each; torch starts however many are asked for, until memory ends


def numbers(recipe: Train, data: Data) -> Iterator[tuple[str, int | float, int, str]]:
    """Name, default, what it has to be more than, and help, in the order of `--help`."""
    yield "epochs", recipe.epochs, 0, "passes over the data"
    yield "steps", 0, -1, "in place of --epochs, if not 0"
    yield "batch-size", recipe.batch_size, 0, "samples a step, of all processes"
    yield "accumulate", recipe.accumulate, 0, "parts in which a process takes its share"
    yield "lr", recipe.lr, 0, "the highest learning rate"
    yield "seed", recipe.seed, -1, "of weights, order, augmentation"
    if data.folder:
        yield "workers", 0, -1, "processes that decode images"
    yield "log-every", 20, 0, "steps between two looks at the loss"
    yield "save-every", 300.0, -1, "seconds between two checkpoints"


def options(recipe: Train, data: Data) -> Iterator[str]:
    """The same as rows of a table."""
    for name, default, above, text in numbers(recipe, data):
        whole = WORKERS + 1 if name == "workers" else "2**63"
        most = "math.inf" if isinstance(default, float) else whole
        shown = "cores()" if name == "workers" else repr(default)
        yield f'("{name}", {shown}, {above}, {most}, "{text}"),'

"""The numbers that a script accepts on its command line; their defaults are the recipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.training.data import Data


# Options that few runs need but that take many lines: a script has those that were requested.
ON_REQUEST = ("weights", "cache", "tensorboard")
WORKERS = 256  # one process each; torch starts any number, until memory is exhausted


def numbers(recipe: Train, data: Data) -> Iterator[tuple[str, int | float, int, str]]:
    """Name, default, exclusive minimum, and help, in the order of `--help`."""
    yield "epochs", recipe.epochs, 0, "number of passes over the training data"
    yield "steps", 0, -1, "number of steps instead of --epochs, if not 0"
    yield "batch-size", recipe.batch_size, 0, "samples per step, across all processes"
    yield (
        "accumulate",
        recipe.accumulate,
        0,
        ("micro-batches per step and process"),
    )
    yield "lr", recipe.lr, 0, "peak learning rate"
    yield "seed", recipe.seed, -1, "seed of the weights, the order, and the augmentation"
    if data.folder:
        yield "workers", 0, -1, "number of processes that decode images"
    yield "log-every", 20, 0, "steps between log lines"
    yield "save-every", 300.0, -1, "seconds between checkpoints"


def options(recipe: Train, data: Data) -> Iterator[str]:
    """The same as rows of a table."""
    for name, default, above, text in numbers(recipe, data):
        whole = WORKERS + 1 if name == "workers" else "2**63"
        most = "math.inf" if isinstance(default, float) else whole
        shown = "cores()" if name == "workers" else repr(default)
        yield f'("{name}", {shown}, {above}, {most}, "{text}"),'

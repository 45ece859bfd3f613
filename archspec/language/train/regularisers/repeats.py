"""Repeated augmentation: batches with several copies of each image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationInfo

from archspec.language.train.conflicts import Conflicts, check, conflict
from archspec.language.train.regularisers.base import Lines, Places, Regulariser

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    RANK, WORLD = 0, 1  # of a script, as are the following

    def seed_of(*key: int) -> int: ...


def _fit_in_a_batch(repeats: int, info: ValidationInfo) -> Conflicts:
    if repeats > (size := info.data.get("batch_size", repeats)):
        message = f"{repeats} copies of an image do not fit in a batch of {size}"
        yield conflict(
            message, "use fewer copies, or a larger `batch_size`", "batch_size", key=False
        )


class Repeats(Regulariser):
    order = 95
    example = "repeats: 3"
    elsewhere = {"aug_repeats": "repeats", "ra_reps": "repeats", "ra_sampler": "repeats"}

    repeats: Annotated[int, Field(ge=0, le=100), check(_fit_in_a_batch)] = Field(
        0,
        description=(
            "Copies of each image in a batch, each augmented separately. The number of steps per "
            "epoch stays the same, so an epoch sees fewer images (Hoffer et al., 2020)."
        ),
    )

    def script(self, network: Places) -> Lines:
        if self.repeats > 1:
            yield "keys", f"repeated_shares({{given}}, {self.repeats}, args)"


def repeated_shares(
    count: int, step: int, steps: int, device: Any, repeats: int, args: Any
) -> Iterator[Tensor]:
    """Parts of batches that contain each image several times (Hoffer et al., 2020).

    Keys are index + (epoch * repeats + copy) * count. Copies go to different processes,
    and an epoch has as many steps as without repeats, with fewer images.
    """
    first, parts = RANK * args.accumulate, WORLD * args.accumulate
    an_epoch = count // args.batch_size
    while step < steps:
        epoch, done = divmod(step, an_epoch)
        generator = torch.Generator().manual_seed(seed_of(args.seed, epoch))
        order = torch.randperm(count, generator=generator)
        places = torch.arange(an_epoch * args.batch_size)
        copies = places % repeats + epoch * repeats
        keys = (order[places // repeats] + copies * count).to(device)
        for batch in keys.split(args.batch_size)[done:]:
            for part in range(first, first + args.accumulate):
                yield batch[part::parts]
            step += 1

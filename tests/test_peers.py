"""Both readers against torchvision's and handwritten networks, to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial

import pytest
import torch
from torch import Tensor, nn

from support import OURS, PUBLISHED, SHIPPED
from support.draws import blank, filled, initial, lent, shortened
from support.modules import READERS, assert_same_tensors, evaluate, images, same_bits, seeded, train
from support.peers import PEERS

IMAGE = {"resnet18_fashion_mnist": (1, 40, 40)} | {
    name: (3, 32, 32) for name in PEERS if name.startswith("cifar")
}


#: Small enough to be filled from a seed in full; of the others, the draws are compared.
SEEDED = ("resnet18", "resnet18_fashion_mnist", "cifar_resnet20")
#: With more of the same blocks than a network that is trained here.
LONGER = {
    "resnet34": "resnet18",
    "resnet101": "resnet50",
    "resnet152": "resnet50",
    "resnet50_a3": "resnet50",
    "wide_resnet101_2": "wide_resnet50_2",
    **{f"cifar_resnet{depth}": "cifar_resnet20" for depth in (32, 44, 56, 110)},
}

#: Wider than a network that is trained here, and no other source (test_generated.py).
WIDER = ("resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2")


@dataclass
class Behaviour:
    """Everything in which a network must equal its peer with the same weights."""

    output: Tensor
    loss: float
    gradients: dict[str, Tensor]
    statistics: dict[str, Tensor]

    @classmethod
    def of(cls, name: str, model: nn.Module) -> Behaviour:
        """Evaluate, and train for one step; those that are longer or wider are evaluated alone."""
        (classes,) = PUBLISHED[name]["output"]
        x, y = images(2, *IMAGE.get(name, (3, 40, 40))), torch.tensor([0, classes - 1])
        output = evaluate(model, x)
        if name in LONGER or name in WIDER:
            return cls(output, 0.0, {}, {})
        (loss,), gradients = train(model, x, y, steps=1, lr=0)
        return cls(output, loss, gradients, dict(model.named_buffers()))


def test_every_shipped_spec_has_a_peer_and_published_numbers() -> None:
    assert set(SHIPPED) - set(OURS) == set(PEERS) == set(PUBLISHED)


@pytest.mark.parametrize("name", PEERS)
def test_same_keys_and_the_same_weights_from_a_seed(name: str) -> None:
    """Every draw is the peer's, in its order; in full, and without drawing."""
    expected = initial(PEERS[name])
    for reader in READERS.values():
        assert initial(lambda: reader(name)) == expected  # noqa: B023


@pytest.mark.sampled("name", [name for name in PEERS if name not in {*LONGER, *WIDER}], of=PEERS)
def test_same_outputs_losses_and_gradients(name: str) -> None:
    """With two of those blocks of a stage that are alike, and all weights the peer's."""
    peer = filled(shortened(blank(PEERS[name])))
    expected = Behaviour.of(name, lent(shortened(blank(PEERS[name])), peer))
    for reader in READERS.values():
        ours = lent(shortened(blank(partial(reader, name))), peer)
        found = Behaviour.of(name, ours)
        assert same_bits(found.output, expected.output)
        assert found.loss == expected.loss
        assert_same_tensors(found.gradients, expected.gradients)
        assert_same_tensors(found.statistics, expected.statistics)


@cache
def layers(name: str, reader: str) -> list[str]:
    """With two of those blocks of a stage that are alike."""
    return list(map(repr, shortened(blank(partial(READERS[reader], name))).children()))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", LONGER)
def test_what_is_longer_has_the_same_blocks(name: str, reader: str) -> None:
    assert layers(name, reader) == layers(LONGER[name], reader)


@pytest.mark.sampled("name", SEEDED[::2], of=SEEDED)
def test_same_weights_from_a_seed(name: str) -> None:
    peer = seeded(PEERS[name]).state_dict()
    for reader in READERS.values():
        assert_same_tensors(seeded(partial(reader, name)).state_dict(), peer)

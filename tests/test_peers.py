"""Both readers against torchvision's and handwritten networks, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from peers import PEERS
from support import (
    OURS,
    PUBLISHED,
    READERS,
    SHIPPED,
    assert_same_tensors,
    evaluate,
    images,
    same_bits,
    seeded,
    train,
)

IMAGE = {"resnet18_fashion_mnist": (1, 64, 64)} | {
    name: (3, 32, 32) for name in PEERS if name.startswith("cifar")
}


@dataclass
class Behaviour:
    """Everything in which a network must equal its peer."""

    weights: dict[str, Tensor]
    output: Tensor
    losses: list[float]
    gradients: dict[str, Tensor]
    trained: dict[str, Tensor]

    @classmethod
    def of(cls, build: Callable[[], nn.Module], shape: tuple[int, ...], classes: int) -> Behaviour:
        """Build with a seed, look at the weights, evaluate, and train for two steps."""
        model = seeded(build)
        weights = {name: t.clone() for name, t in model.state_dict().items()}
        x, y = images(2, *shape), torch.tensor([0, classes - 1])
        output = evaluate(model, x)
        losses, gradients = train(model, x, y, steps=2)
        return cls(weights, output, losses, gradients, dict(model.state_dict()))


def test_every_shipped_spec_has_a_peer_and_published_numbers() -> None:
    assert set(SHIPPED) - set(OURS) == set(PEERS) == set(PUBLISHED)


@pytest.mark.parametrize("name", PEERS)
def test_same_keys_weights_outputs_losses_and_gradients(name: str) -> None:
    shape, (classes,) = IMAGE.get(name, (3, 64, 64)), PUBLISHED[name]["output"]
    peer = Behaviour.of(PEERS[name], shape, classes)
    for reader in READERS.values():
        ours = Behaviour.of(lambda: reader(name), shape, classes)  # noqa: B023
        assert_same_tensors(ours.weights, peer.weights)
        assert same_bits(ours.output, peer.output)
        assert ours.losses == peer.losses
        assert_same_tensors(ours.gradients, peer.gradients)
        assert_same_tensors(ours.trained, peer.trained)

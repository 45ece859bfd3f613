"""The interpreted module and the generated file are one network, spec by spec."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

import archspec
from support import OURS, SHIPPED, input_of
from support.draws import blank, filled, initial, lent, shortened
from support.modules import (
    READERS,
    assert_same_tensors,
    evaluate,
    generated_module,
    images,
    same_bits,
    seeded,
    train,
)


def pair(name: str, **args: object) -> tuple[nn.Module, nn.Module]:
    """One spec read in both ways from one seed."""
    return (
        seeded(lambda: archspec.build_module(name, **args)),
        seeded(lambda: generated_module(name, **args)),
    )


@pytest.mark.parametrize("name", OURS)
def test_readers_draw_the_same_weights(name: str) -> None:
    """The other shipped networks draw those of their peers, in both readers."""
    interpreted, generated = (initial(partial(reader, name)) for reader in READERS.values())
    assert interpreted == generated


@pytest.mark.sampled("name", ("resnet18", "resnet50", "cifar_resnet20", *OURS), of=SHIPPED)
def test_readers_agree(name: str) -> None:
    """With two of those blocks of a stage that are alike, at the size of the spec and at others."""
    generated = filled(shortened(blank(partial(generated_module, name))))
    interpreted = lent(shortened(blank(partial(archspec.build_module, name))), generated)
    channels, *size = input_of(name)
    for height, width in {(32, 32), (97, 75), tuple(size)}:
        x = images(1, channels, height, width)
        assert same_bits(evaluate(interpreted, x), evaluate(generated, x))


@pytest.mark.parametrize("name", OURS)
def test_readers_train_alike(name: str) -> None:
    """The other shipped networks train like their peers, in both readers."""
    interpreted, generated = pair(name)
    x, y = images(2, input_of(name)[0], 48, 40), torch.tensor([3, 7])
    assert_same_tensors(interpreted.state_dict(), generated.state_dict())
    losses, gradients = train(interpreted, x, y, steps=2)
    generated_losses, generated_gradients = train(generated, x, y, steps=2)
    assert losses == generated_losses
    assert_same_tensors(gradients, generated_gradients)
    assert_same_tensors(interpreted.state_dict(), generated.state_dict())


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "cifar_resnet20"])
def test_readers_agree_on_other_classes_and_another_input(name: str) -> None:
    interpreted, generated = pair(name, classes=7, input=[2, 40, 56])
    assert_same_tensors(interpreted.state_dict(), generated.state_dict())
    x = images(3, 2, 40, 56)
    output = evaluate(interpreted, x)
    assert output.shape == (3, 7)
    assert same_bits(output, evaluate(generated, x))


def test_classes_are_an_argument_of_the_generated_network() -> None:
    generated = type(generated_module("resnet18"))
    assert_same_tensors(
        seeded(lambda: generated(classes=10)).state_dict(),
        seeded(lambda: archspec.build_module("resnet18", classes=10)).state_dict(),
    )


def test_a_loaded_spec_a_path_and_a_name_give_the_same_source() -> None:
    spec = archspec.load("cifar_resnet20")
    assert archspec.render(spec) == archspec.render("cifar_resnet20")

"""The receptive field: published numbers, and what gradients of the live module reach."""

from __future__ import annotations

from typing import Any

import pytest

import archspec

# "Computing Receptive Fields of Convolutional Neural Networks" (Araujo et al., 2019), table 1.
PUBLISHED = {
    "alexnet": 195,
    "vgg16": 212,
    "resnet50_v1": 483,
    "inception_v3": 1311,
    "mobilenet_v2": 491,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_is_the_published_one(name: str) -> None:
    assert str(archspec.analyze(name).receptive_field) == str(PUBLISHED[name])


NETS: dict[str, list[Any]] = {
    "dilation": [{"conv": {"channels": 2, "kernel": 3, "dilation": 4}}, {"max_pool": 3}],
    "two sizes": [{"conv": {"channels": 2, "kernel": [3, 5], "stride": [1, 2]}}, {"avg_pool": 2}],
    "transposed": [
        {"conv": {"channels": 2, "kernel": 4, "stride": 4, "padding": 0}},
        {"conv_transpose": {"channels": 2, "kernel": 4, "stride": 4}},
        {"conv": {"channels": 2, "kernel": 9}},
    ],
    "branches": [
        {"residual": [{"conv": {"channels": 3, "kernel": 3}}] * 2, "shortcut": "none"},
        {"concat": [[{"conv": {"channels": 1, "kernel": 7}}], [{"conv": 2}]]},
        {"conv": {"channels": 2, "kernel": 3, "stride": 2}},
    ],
}
HEAD = {"avgpool": "global_avg_pool", "flatten": "flatten", "fc": {"linear": 2}}


@pytest.mark.parametrize("name", NETS)
def test_it_is_what_a_gradient_reaches(name: str) -> None:
    import torch

    spec = {"name": "net", "input": [3, 64, 64], "stem": NETS[name]}
    found = archspec.analyze({**spec, "head": HEAD}).receptive_field
    module = archspec.build_module(spec).double()
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64, requires_grad=True)
    y = module(x)
    middle = y[
        :, :, y.shape[2] // 2 - 2 : y.shape[2] // 2 + 2, y.shape[3] // 2 - 2 : y.shape[3] // 2 + 2
    ]
    reached = [0, 0]
    for row in range(middle.shape[2]):
        for column in range(middle.shape[3]):
            (slope,) = torch.autograd.grad(middle[0, :, row, column].sum(), x, retain_graph=True)
            for dim, seen in enumerate(slope.abs().sum((0, 1)).nonzero().T):
                reached[dim] = max(reached[dim], int(seen.max() - seen.min()) + 1)
    assert found is not None
    assert list(found.sizes) == reached


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("seresnet50", "layer1.0.se.avgpool"),
        ("vit_b_32", "encoder.layers.encoder_layer_0.self_attention"),
        ("mixer_s32_224", "blocks.0.transpose"),
    ],
)
def test_who_sees_all_is_named(name: str, by: str) -> None:
    found = archspec.analyze(name).receptive_field
    assert found == ((None,) * len(found.sizes if found else ()), by)
    assert str(found) == "whole input"


def test_features_have_none() -> None:
    assert archspec.analyze("residual_mlp").receptive_field is None

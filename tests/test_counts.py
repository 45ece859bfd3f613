"""Parameters, multiply-adds, shapes: ours, the published and the measured."""

from __future__ import annotations

from collections import Counter

import pytest

import archspec
from support import PUBLISHED, SHIPPED, input_of
from support.draws import blank
from support.measured import Measured


@pytest.mark.parametrize("name", PUBLISHED)
def test_analysis_gives_the_published_numbers(name: str) -> None:
    cost, published = archspec.analyze(name), PUBLISHED[name]
    assert cost.params == published["params"]
    assert cost.macs == published["macs"]
    assert cost.depth == published["depth"]
    assert list(cost.output) == published["output"]


@pytest.mark.parametrize("name", SHIPPED)
def test_analysis_gives_what_torch_measures_layer_by_layer(name: str) -> None:
    assert_analysis_is_measured(name, input_of(name))


@pytest.mark.parametrize("shape", [(3, 64, 64), (3, 97, 75), (5, 33, 224)])
@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "cifar_resnet20"])
def test_analysis_follows_another_input(name: str, shape: tuple[int, ...]) -> None:
    assert_analysis_is_measured(name, shape)


def test_classes_change_the_last_layer_alone() -> None:
    thousand, ten = (
        archspec.analyze("resnet18"),
        archspec.analyze("resnet18", classes=10),
    )
    assert ten.output == (10,)
    assert thousand.params - ten.params == 990 * 513
    assert thousand.macs - ten.macs == 990 * 512


def test_totals_are_the_sums_of_the_rows() -> None:
    cost = archspec.analyze("resnet50")
    assert cost.params == sum(row.params for row in cost.rows)
    assert cost.macs == sum(row.macs for row in cost.rows)


def test_rows_name_layers_as_the_module_does() -> None:
    rows = {row.path: row for row in archspec.analyze("resnet50").rows}
    conv = rows["layer2.0.conv2"]
    assert (conv.op, conv.output) == ("Conv2d", (128, 28, 28))
    assert (conv.params, conv.macs) == (128 * 128 * 9, 128 * 128 * 9 * 28 * 28)
    assert rows["layer2.0.downsample.0"].output == (512, 28, 28)
    assert rows["fc"].op == "Linear"


def assert_analysis_is_measured(name: str, shape: tuple[int, ...]) -> None:
    """Rows and totals of the analysis are what hooks on the built module see."""
    model = blank(lambda: archspec.build_module(name, input=list(shape)))
    measured = Measured(model, shape)
    cost = archspec.analyze(name, input=list(shape))
    assert (cost.params, cost.macs) == (measured.params, measured.macs)
    rows = [row for row in cost.rows if row.path in measured.leaves]
    assert Counter((row.path, row.output) for row in rows) == measured.calls
    for row in rows:
        if row.params or row.macs:
            assert measured.leaves[row.path] == (row.macs, row.params)


@pytest.mark.parametrize(
    ("name", "fvcore", "torchinfo", "ptflops"),
    [  # `python tests/compare_conventions.py`: fvcore 0.1.5, torchinfo 1.8, ptflops 0.7.5
        ("resnet18", 1_819_065_856, 1_814_083_944, 1_825_313_768),
        ("resnet50", 4_111_512_576, 4_089_238_376, 4_132_436_968),
        ("mobilenet_v2", 314_193_216, 300_809_384, 320_362_728),
        ("convnext_tiny", 4_470_437_376, 322_371_592, 4_488_347_368),
    ],
)
def test_conventions_have_the_totals_of_their_tools(
    name: str, fvcore: int, torchinfo: int, ptflops: int
) -> None:
    analysis = archspec.analyze(name)
    conventions = ("fvcore", "torchinfo", "ptflops")
    assert [analysis.counted(tool).macs for tool in conventions] == [fvcore, torchinfo, ptflops]

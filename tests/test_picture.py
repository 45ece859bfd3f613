"""`archspec show --format svg`: that every shipped network is drawn, and drawn well."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

import archspec
from archspec.analysis import Analysis
from archspec.cli import main
from archspec.language.load import shipped
from archspec.picture import svg, words
from archspec.picture.blocks import forms, listed
from archspec.picture.drawing import (
    TALLEST,
    WIDTH,
    Circle,
    Line,
    Rect,
    Scene,
    Shape,
    Text,
    flat,
    width,
)
from archspec.picture.graph import graph_of
from archspec.picture.page import scene
from archspec.picture.spine import SPINE
from archspec.picture.steps import cost_of
from archspec.picture.svg import DARK, LIGHT, draw
from support import ROOT, analyzed
from support.strategies import EXAMPLES, specs

NAMES = sorted(shipped())
SVG = "{http://www.w3.org/2000/svg}"


def drawn(analysis: Analysis) -> Scene:
    return scene(graph_of(analysis))


def bounds(item: Any) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    match item:
        case Rect(x=x, y=y, w=w, h=h):
            return x, y, x + w, y + h
        case Circle(x=x, y=y, r=r):
            return x - r, y - r, x + r, y + r
        case Line(points=points) | Shape(points=points):
            xs, ys = zip(*points, strict=True)
            return min(xs), min(ys), max(xs), max(ys)
    wide, x, y, size = width(item.text, item.size, item.bold), item.x, item.y, item.size
    start = {"start": 0.0, "middle": wide / 2, "end": wide}[item.anchor]
    if item.turned:
        return x - 0.2 * size, y - start, x + 0.7 * size, y - start + wide
    return x - start, y - 0.72 * size, x - start + wide, y + 0.21 * size


def behind(text: Text, shapes: list[Any]) -> str:
    """The color of the last box or panel that is drawn below a text."""
    left, top, right, bottom = bounds(text)
    x, y = (left + right) / 2, (top + bottom) / 2
    colors = ["paper"]
    for item in shapes[: shapes.index(text)]:
        if isinstance(item, (Rect, Shape)):
            left, top, right, bottom = bounds(item)
            colors += [item.fill] * (left < x < right and top < y < bottom)
    return colors[-1]


def overlapping(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    placed = [(item, bounds(item)) for item in items]
    for (one, a), (other, b) in combinations(placed, 2):
        if all(a[i] < b[i + 2] - 0.1 and b[i] < a[i + 2] - 0.1 for i in (0, 1)):
            yield one, other


@pytest.mark.sampled("name", NAMES[::6], of=NAMES)
def test_every_shipped_network_is_drawn(name: str) -> None:
    assert assert_drawn_well(analyzed(name)).scale == 1


def assert_drawn_well(analysis: Analysis) -> Scene:
    """On a page, rows add up, no two boxes or texts overlap, and no line crosses a box."""
    graph = graph_of(analysis)
    assert tuple(cost_of(graph.nodes)) == (analysis.params, analysis.macs)
    picture = scene(graph)
    blocks = [node for node in graph.nodes if node.kind]
    assert len({node.title for node in blocks}) >= len({node.path for node in blocks})
    headings = [(form.title, form.where) for form in forms(graph)]
    assert len({*headings}) == len(headings)
    shapes = [*flat(picture.items)]
    texts = [item for item in shapes if isinstance(item, Text)]
    boxes = [item for item in shapes if isinstance(item, (Rect, Shape, Circle)) and is_box(item)]
    assert not [*overlapping(boxes)]
    assert not [*overlapping(texts)]
    assert not [*crossings(shapes)]
    assert picture.height * picture.scale <= TALLEST
    for item in shapes:
        left, top, right, bottom = bounds(item)
        assert -6 <= left <= right <= WIDTH + 6, item
        assert -6 <= top <= bottom <= picture.height + 6, item
    ElementTree.fromstring(draw(picture, "picture"))
    return picture


def is_box(item: Rect | Shape | Circle) -> bool:
    return bool(item.sign) if isinstance(item, Circle) else item.solid


def crossings(shapes: list[Any]) -> Iterator[tuple[Line, Any]]:
    """Lines through the inside of boxes."""
    solid = [item for item in shapes if isinstance(item, (Rect, Shape)) and item.solid]
    boxes = [(box, bounds(box)) for box in solid]
    for line in (item for item in shapes if isinstance(item, Line)):
        for a, b in zip(line.points, line.points[1:], strict=False):
            yield from ((line, box) for box, around in boxes if crosses(a, b, around))


def crosses(a: tuple[float, float], b: tuple[float, float], around: tuple[float, ...]) -> bool:
    """Whether a line goes through the inside of a box: its part within both spans is not empty."""
    start, end = 0.0, 1.0
    for p, q, low, high in zip(a, b, around[:2], around[2:], strict=True):
        if abs(q - p) < 0.01:
            if not low + 1 < p < high - 1:
                return False
            continue
        first, last = sorted(((low + 1 - p) / (q - p), (high - 1 - p) / (q - p)))
        start, end = max(start, first), min(end, last)
    return start < end


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out(colors: dict[str, str]) -> None:
    """WCAG 2.2: text has a contrast of 4.5 to what is behind it, lines and bars of 3."""
    names = ("resnet50", "mobilenet_v3_small", "unet", "inception_v3", "vit_b_16")
    pictures = [[*flat(drawn(archspec.analyze(name)).items)] for name in names]
    pairs = {
        (item.fill, behind(item, shapes))
        for shapes in pictures
        for item in shapes
        if isinstance(item, Text)
    }
    assert {("ink", "conv"), ("ink", "pool"), ("muted", "panel"), ("skip", "panel")} <= pairs
    assert not [pair for pair in pairs if contrast(*(colors[name] for name in pair)) < 4.5]
    lines = {("stroke", "paper"), ("stroke", "conv"), ("skip", "panel"), ("bar", "track")}
    assert not [pair for pair in lines if contrast(*(colors[name] for name in pair)) < 3]


def contrast(*colors: str) -> float:
    low, high = sorted(map(luminance, colors))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def rows(name: str) -> list[tuple[str, str, int]]:
    nodes = graph_of(archspec.analyze(name)).nodes
    return [(node.title, node.kind, node.times) for node in nodes]


def test_a_residual_network_has_a_row_for_each_stage() -> None:
    """ResNet-152 has the rows of the paper's table."""
    assert rows("resnet152") == [
        ("7×7 conv, 64, /2", "", 1),
        ("3×3 max pool, /2", "", 1),
        ("layer1", "bottleneck", 3),
        ("layer2", "bottleneck", 8),
        ("layer3", "bottleneck", 36),
        ("layer4", "bottleneck", 3),
        ("global average pool", "", 1),
        ("linear, 1000", "", 1),
    ]


def test_blocks_of_one_sequence_are_rows_by_their_channels() -> None:
    """MobileNetV2 has the rows of its paper's table (Sandler et al., 2018)."""
    blocks = [times for _, kind, times in rows("mobilenet_v2") if kind == "inverted residual"]
    assert blocks == [1, 2, 3, 4, 3, 3, 1]
    titles = [title for title, _, _ in rows("mobilenet_v2")]
    assert titles[:3] == ["3×3 conv, 32, /2", "features.1", "features.2–3"]
    assert titles[-1] == "dropout 0.2, linear, 1000"


def test_a_panel_belongs_to_the_rows_that_look_like_it_alone() -> None:
    """Between MobileNetV3's rows with a 5x5 convolution and a gate are rows without a gate."""
    graph = graph_of(analyzed("mobilenet_v3_large"))
    gated = forms(graph)[0]
    assert gated.where == "features.4–6, features.11–12, features.13–15"
    assert listed(gated.kin, gated.kin) == "features.1 – features.13–15"
    items = [*flat(scene(graph).items)]
    lines = (item.points[0] for item in items if isinstance(item, Line))
    brace = sorted(y for x, y in lines if x == SPINE + 4)
    other = words.sizes((80, 14, 14))
    [y] = [item.y for item in items if isinstance(item, Text) and item.text == other]
    assert brace[1] < y < brace[2]


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("nf_resnet50", ["nf bottleneck, other blocks", "nf bottleneck, first blocks"]),
        ("shufflenet_v2_x1_0", ["shuffle unit, other blocks", "shuffle unit, first blocks"]),
        ("wrn_28_10", ["preact basic, other blocks", "preact basic, first blocks"]),
        ("resnest14d", ["resnest", "resnest"]),  # of different rows
        ("efficientnet_b0", [f"mbconv, {how} shortcut" for how in ("with", "no", "no")]),
    ],
)
def test_panels_of_the_same_rows_have_different_titles(name: str, titles: list[str]) -> None:
    analysis = analyzed(name)
    assert [form.title for form in forms(graph_of(analysis))] == titles
    assert_drawn_well(analysis)


@pytest.mark.parametrize(
    ("name", "dashed"),
    [("resnet50", ["conv"]), ("resnet50_cbam", ["conv"]), ("resnet50d", ["pool", "conv"])],
)
def test_the_layers_of_a_shortcut_that_some_blocks_have_are_dashed(
    name: str, dashed: list[str]
) -> None:
    """Not those of a sum in the attention of CBAM, which each block has."""
    graph = graph_of(analyzed(name))
    assert "The dashed projection is in the first block of layer1" in forms(graph)[0].note
    items = [*flat(scene(graph).items)]
    shapes = [item for item in items if isinstance(item, (Rect, Shape)) and item.solid]
    boxes = [box for box in shapes if box.dash]
    assert [box.fill for box in boxes] == dashed
    [middle] = {round((left + right) / 2, 3) for left, _, right, _ in map(bounds, boxes)}
    lines = [item for item in items if isinstance(item, Line)]
    passing = [line for line in lines if any(round(x, 3) == middle for x, _ in line.points)]
    assert {line.stroke for line in passing} == {"skip"}


def test_what_runs_while_training_alone_comes_last() -> None:
    last = graph_of(archspec.analyze("inception_v3")).nodes[-1]
    assert (last.title, last.aside, last.lines[0]) == (
        "AuxLogits",
        True,
        "training only, reads Mixed_6e",
    )


def test_an_encoder_and_a_decoder_are_side_by_side() -> None:
    """A skip of U-Net is a horizontal arrow between images of one size, into a concatenation."""
    picture = drawn(archspec.analyze("unet"))
    skips = [
        item for item in flat(picture.items) if isinstance(item, Line) and item.stroke == "skip"
    ]
    level = [line for line in skips if line.points[0][1] == line.points[-1][1]]
    assert len(level) == 4 + 1  # and in the legend
    signs = [item.sign for item in flat(picture.items) if isinstance(item, Circle) and item.sign]
    assert signs.count("C") >= 4


def test_resolutions_are_columns() -> None:
    """HRNet has four, and each of its fusions is a row of sums (Wang et al., 2019, figure 2)."""
    picture = drawn(archspec.analyze("hrnet_w18_small"))
    sums = [item for item in flat(picture.items) if isinstance(item, Circle) and item.sign == "+"]
    sums.remove(max(sums, key=lambda item: item.y))  # that of the legend
    assert len({round(item.x) for item in sums}) == 4
    bold = [item.text for item in flat(picture.items) if isinstance(item, Text) and item.bold]
    rows = [(stage, number) for stage in (2, 3, 4) for number in range(stage)]
    assert {f"stage{stage}.0.branches.{number}" for stage, number in rows} < {*bold}
    assert sorted(Counter(round(item.y) for item in sums).values()) == [1, 1, 1, 2, 3, 4]


PYRAMID = """
name: pyramid
input: [3, 64, 64]
stem: [{conv_norm_act: {channels: 16, kernel: 3, stride: 2}}]
stages:
  c1: {block: basic, channels: 16}
  c2: {block: basic, repeat: 2, channels: 32, stride: 2}
  c3: {block: basic, channels: 64, stride: 2}
head:
  p3: {conv: 16, save: m3}
  l2: {conv: 16, from: c2}
  s2: {add: [[], {interpolate: {like: c2}, from: m3}], save: m2}
  l1: {conv: 16, from: c1}
  s1: {add: [[], {interpolate: {like: c1}, from: m2}]}
  out: {conv: 8}
outputs: [out, m2, m3]
"""


def test_a_pyramid_leads_back_to_larger_images(tmp_path: Path) -> None:
    picture = assert_drawn_well(archspec.analyze(write(tmp_path, PYRAMID)))
    texts = [item.text for item in flat(picture.items) if isinstance(item, Text)]
    assert "On a line to a larger image: resize." in texts


def write(folder: Path, text: str) -> Path:
    path = folder / "pyramid.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("first", ["act", "norm", "dropout", "flatten", {"zero_pad": 1}])
def test_a_network_begins_with_what_else_joins_a_neighbor(first: Any) -> None:
    last = {"linear": 4} if first == "flatten" else {"conv": 4}
    net = {"name": "net", "input": [3, 8, 8], "stem": [first, last]}
    assert_drawn_well(archspec.analyze(net))


def test_a_large_graph_is_scaled_to_the_page() -> None:
    """A sum of thirty layers, each of which a name refers to."""
    stem = {f"a{at}": {"conv": 4, "save": f"t{at}"} for at in range(30)}
    sums = {"add": [{"from": f"t{at}"} for at in range(30)]}
    net = {"name": "net", "input": [4, 8, 8], "stem": stem, "head": {"sum": sums}}
    picture = assert_drawn_well(archspec.analyze(net))
    assert picture.scale < 1
    [high] = re.findall(r'height="([\d.]+)mm"', draw(picture, "picture"))
    assert 200 < float(high) <= 240


SHAPES = dict(
    re.findall(
        r"```yaml\n# (\w+)\.yaml\n(.*?)```", (ROOT / "docs/shapes.md").read_text("utf-8"), re.S
    )
)


@pytest.mark.parametrize("name", SHAPES)
def test_a_network_that_is_no_chain_of_stages(name: str, tmp_path: Path) -> None:
    """Those of docs/shapes.md: two heads, shared weights, blocks with several outputs."""
    path = tmp_path / f"{name}.yaml"
    path.write_text(SHAPES[name], "utf-8")
    assert_drawn_well(archspec.analyze(path))


@settings(
    max_examples=max(EXAMPLES // 5, 1),
    deadline=None,
    suppress_health_check=[*HealthCheck],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
)
@given(specs())
def test_any_network_is_drawn(spec: dict[str, Any]) -> None:
    try:
        analysis = archspec.analyze(spec)
    except archspec.SpecError:  # some do not fit after all
        assume(False)
        raise
    assert_drawn_well(analysis)


def test_text_is_escaped() -> None:
    """A name that came through would be in the document as text."""
    analysis = archspec.analyze("resnet18")
    hostile = "</svg><script>&\"'\u202e"
    graph = graph_of(analysis)
    for node in graph.nodes:
        node.title, node.kind, node.path = hostile, hostile, hostile
    picture = draw(scene(graph), hostile)
    root = ElementTree.fromstring(picture)
    assert {child.tag.removeprefix(SVG) for child in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "text", "path", "circle", "g")
    }


@pytest.mark.parametrize(
    ("form", "markup"), [("mermaid", r'["`<>]|#(?!\d+;)'), ("markdown", r"[<>]|(?<!\\)[`*|#\[]")]
)
def test_names_are_no_markup(form: str, markup: str) -> None:
    shown = import_module(f"archspec.cli.formats.{form}")._text('<b>`x`|*y* # [z](script:1)"]')
    assert not re.search(markup, shown)


def test_pictures_of_one_page_share_no_name() -> None:
    one, other = (svg(archspec.analyze("resnet18"), prefix) for prefix in ("a", "b"))
    found = [re.findall(r'\bid="([^"]+)"', picture) for picture in (one, other)]
    assert found == [["a-t", "a-d"], ["b-t", "b-d"]]
    assert ".a " in one
    assert ".a " not in other


def test_colors_without_variables() -> None:
    """CairoSVG knows no `var()`: each shape has its light color as an attribute."""
    root = ElementTree.fromstring(svg(archspec.analyze("resnet50")))
    for shape in root.iter():
        if shape.tag.removeprefix(SVG) in ("rect", "path", "circle", "text"):
            assert shape.get("fill") in {*LIGHT.values(), "none"}


def test_a_notebook_shows_it() -> None:
    """Under a name of its own, and nothing where a spec has an error."""
    spec = archspec.load("resnet18")
    picture = spec._repr_html_()
    assert picture is not None
    assert picture == spec._repr_svg_() == archspec.load("resnet18")._repr_svg_()
    names = re.findall(r'\bid="([^"]+)-t"', picture + (archspec.load("unet")._repr_svg_() or ""))
    assert len(set(names)) == 2
    large = {"conv": {"channels": 4, "kernel": 99, "padding": 0}}
    assert archspec.load({"name": "net", "input": [3, 8, 8], "stem": [large]})._repr_svg_() is None


def test_mermaid_of_a_network_with_a_skip(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "unet", "--format", "mermaid"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "flowchart TD",
        '  input("input 3 × 256 × 256")',
        '  r0["inc (double conv)<br>3×3, 64 · 3×3, 64<br>64 × 256 × 256"]',
    ]
    assert {"  r7 --> r8", "  r0 --> r8"} <= {*lines}


def test_markdown_is_a_table_with_a_total(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "resnet50", "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert lines[6] == (
        "| layer1 | bottleneck × 3: 1×1, 64 · 3×3, 64 · 1×1, 256 | 256 × 56 × 56 | 216k | 668M |"
    )
    assert lines[-1] == "| **total** | | **1000** | **25.6M** | **4.09G** |"


def layers(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["show", name, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_json_has_edges(capsys: pytest.CaptureFixture[str]) -> None:
    told = layers("resnet18", capsys)
    rows = told["layers"]
    assert [rows[place]["path"] for place in (3, 8, 9)] == [
        "maxpool",
        "layer1.0.bn2",
        "layer1.0.relu",
    ]
    assert (rows[0]["reads"], rows[8]["reads"], rows[9]["reads"]) == ("input", 7, "sum.0")
    assert told["joins"]["sum.0"] == {"op": "sum", "reads": [8, 3]}
    assert told["returns"] == len(rows) - 1


@pytest.mark.parametrize("name", ["inception_v3", "res2net50_26w_4s", "vit_b_16", "densenet121"])
def test_edges_lead_back(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To layers that ran before, in order of execution, with the shapes of what is read."""
    told = layers(name, capsys)
    rows, joins = told["layers"], told["joins"]

    def flat(source: Any) -> Iterator[int]:
        if isinstance(source, int):
            yield source
        elif source in joins:
            for one in joins[source]["reads"]:
                yield from flat(one)

    for place, row in enumerate(rows):
        assert all(source < place for source in flat(row["reads"]))
        if isinstance(row["reads"], int):
            assert rows[row["reads"]]["output"] == row["input"]
        join = joins.get(row["reads"], {})
        if join.get("op") == "concat" and join["dim"] == 1 and all(map(isint, join["reads"])):
            assert sum(rows[one]["output"][0] for one in join["reads"]) == row["input"][0]


def isint(source: Any) -> bool:
    return isinstance(source, int)


def test_show_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "resnet18", "--format", "svg"]) == 0
    assert capsys.readouterr().out == svg(archspec.analyze("resnet18"))


@pytest.mark.parametrize("option", ["--memory", "--resolved", "--roofline=a100"])
def test_formats_of_layers_are_not_for_all(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["show", "resnet18", option, "--format", "svg"])
    name = option.partition("=")[0]
    assert f"argument --format: svg is not allowed with argument {name}" in capsys.readouterr().err


def test_a_picture_takes_a_moment() -> None:
    analysis = archspec.analyze("resnet152")
    started = time.process_time()
    svg(analysis)
    assert time.process_time() - started < 0.5

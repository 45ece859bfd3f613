"""`archspec report`: what the page shows, held against the network, and what it never does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

import archspec
from archspec.api import MEMO
from archspec.classes import classes_of
from archspec.codegen import generate
from archspec.expand import expand_network
from archspec.language import load
from archspec.report import Subject, page
from archspec.report.layers import layers_of
from archspec.report.numbers import TIMES, mebibytes, round_number
from archspec.report.spec_lines import spec_lines
from archspec.rounding import rounded
from archspec.source.reader import parse
from support.linting import Project
from support.strategies import EXAMPLES, specs

#: A chain, gates, skips, branches, several resolutions, attention, loops, and several outputs.
NETWORKS = ["resnet18", "mobilenet_v3_small", "unet", "hrnet_w18_small", "densenet121"]
NETWORKS += ["vit_b_32", "googlenet", "shufflenet_v2_x0_5", "res2net50_26w_4s", "cifar_resnet20"]
VOID = {"meta", "link", "br", "input", "hr", "img"}


@dataclass
class Node:
    """An element with its text."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.own)

    def all(self, tag: str = "", cls: str = "") -> list[Node]:
        """The elements in it, in order."""
        found = [node for child in self.children for node in (child, *child.all())]
        return [n for n in found if tag in ("", n.tag) and (not cls or cls in n.classes)]

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()


class Reader(HTMLParser):
    """The page as a tree; an element that is closed by another's end is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = self.here = Node("", {})
        self.feed(text)
        assert self.here is self.root, self.here.tag

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attributes}, self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        node: Node | None = self.here
        while node is not None:
            node.own.append(data)
            node = node.parent


@cache
def made(*names: str) -> str:
    specs = [load(name, memo=MEMO) for name in names]
    return page([Subject(spec.name, spec) for spec in specs], "0", MEMO)


@cache
def read(*names: str) -> Node:
    return Reader(made(*names)).root


def by_id(root: Node) -> dict[str, Node]:
    nodes = [node for node in root.all() if "id" in node.attributes]
    found = {node.attributes["id"]: node for node in nodes}
    assert len(found) == len(nodes)
    return found


@pytest.mark.parametrize("names", [*([name] for name in NETWORKS), NETWORKS[:3]], ids="-".join)
def test_the_page_holds_together(names: list[str]) -> None:
    root = read(*names)
    ids = by_id(root)
    for node in root.all():
        refs = ("aria-labelledby", "aria-describedby", "data-to", "data-layers", "for")
        for target in " ".join(node.attributes.get(ref, "") for ref in refs).split():
            assert target in ids
        if "href" in node.attributes:
            assert node.attributes["href"][1:] in ids
    levels = [int(node.tag[1]) for node in root.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    for node in root.all("svg"):
        assert node.attributes["role"] in ("img", "group")
        assert node.children[0].tag == "title"
        assert node.all("desc")
    for table in root.all("table"):
        assert all(th.attributes["scope"] in ("col", "row") for th in table.all("th"))
        assert all(th.all("button") for th in table.all("thead")[0].all("th"))
    assert all(
        node.attributes["id"] in {n.attributes.get("for") for n in root.all("label")}
        for node in root.all("input")
        if node.attributes["type"] == "search"
    )


@settings(
    max_examples=max(EXAMPLES // 8, 1),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
)
@given(specs())
def test_drawn_specs(data: dict[str, Any]) -> None:
    try:
        spec = load(data)
        text = page([Subject(spec.name, spec)], "0")
    except archspec.SpecError:  # some do not fit after all
        assume(False)
        raise
    ids = by_id(Reader(text).root)
    assert all(target in ids for target in re.findall(r' href="#([^"]*)"', text))
    lines = "\n".join(line.text for line in spec_lines(spec.document, {}))
    assert parse(lines, "resolved").data == spec.data


def test_no_request_leaves_the_page() -> None:
    text = made("resnet18", "unet")
    root = Reader(text).root
    names = {"src", "srcset", "data", "action", "poster", "background", "xlink:href"}
    for node in root.all():
        assert node.tag not in {"link", "base", "iframe", "object", "embed", "img", "form"}
        assert not names & node.attributes.keys()
        assert not any(name.startswith("on") for name in node.attributes)
        assert node.attributes.get("href", "#")[0] == "#"
    for node in root.all("style"):
        assert not re.search(r"url\(|@import|https?:", node.text)
    (script,) = root.all("script")
    assert not re.search(r"fetch|XMLHttp|import\(|https?:|eval|innerHTML", script.text)
    policy = next(n for n in root.all("meta") if "http-equiv" in n.attributes)
    assert policy.attributes["content"].startswith("default-src 'none'")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_table_has_all_layers_in_the_order_in_which_they_run(name: str) -> None:
    analysis = archspec.analyze(name)
    table = read(name).all("table")[0]
    rows = [row.children for row in table.all("tbody")[0].all("tr")]
    wanted = [row for row in analysis.rows if row.op != "Identity"]
    assert [cells[1].own[0].strip() for cells in rows] == [row.path for row in wanted]
    assert [cells[2].own[0].strip() for cells in rows] == [row.op for row in wanted]
    assert [int(cells[-2].attributes["data-v"]) for cells in rows] == [r.params for r in wanted]
    assert [int(cells[-1].attributes["data-v"]) for cells in rows] == [r.macs for r in wanted]
    assert sum(int(cells[-2].attributes["data-v"]) for cells in rows) == analysis.params
    total = table.all("tfoot")[0].all("td")
    assert total[-2].text == f"{analysis.params:,}"
    assert total[-1].text == f"{analysis.macs:,}"


def test_windows_strides_and_groups() -> None:
    rows = {row.path: row for row in layers_of(archspec.analyze("resnext50_32x4d"))}
    conv = rows["layer2.0.conv2"]
    assert (conv.kernel, conv.stride, conv.groups) == (f"3{TIMES}3", "2", "32")
    assert (rows["bn1"].kernel, rows["bn1"].stride, rows["bn1"].groups) == ("", "", "")
    dilated = {row.path: row for row in layers_of(archspec.analyze("resnet50_os8"))}
    assert dilated["layer4.1.conv2"].detail == "dilation 4"


def test_equal_blocks_are_folded() -> None:
    rows = layers_of(archspec.analyze("resnet152"))
    left = [row for row in rows if not row.again]
    assert len(rows) == 465
    assert len(left) < 100
    times = {row.path: row.times for row in left}
    assert (times["layer3.0.conv1"], times["layer3.1.conv1"], times["conv1"]) == (1, 35, 1)
    assert sum(row.params * row.times for row in left) == archspec.analyze("resnet152").params
    text = made("resnet152")
    assert len(text) < 400_000


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_rows_stand_for_all(name: str) -> None:
    analysis = archspec.analyze(name)
    left = [row for row in layers_of(analysis) if not row.again]
    assert sum(row.params * row.times for row in left) == analysis.params


@pytest.mark.parametrize("name", [*NETWORKS, "resnet50_a3", "wrn_28_10_fashion_mnist", "resnet50"])
def test_the_lines_of_a_spec_say_what_it_says(name: str) -> None:
    document = load(name).document
    lines = spec_lines(document, {})
    assert parse("\n".join(line.text for line in lines), "resolved").data == document.data
    for line in lines:
        for path in line.paths:
            value: Any = document.data
            for step in path:
                value = value[step]  # each path leads somewhere


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_of_the_source_lead_to_the_spec(name: str) -> None:
    """Every line that makes a layer has a link, and both sides have the same links."""
    root = read(name)
    ids = by_id(root)
    lines = root.all("div", "source")[0].all("div", "ln")
    source = generate(classes_of(expand_network(load(name)), load(name)))
    texts = [line.all("code")[0].text for line in lines]
    assert texts == source.removesuffix("\n").split("\n")
    for line, text in zip(lines, texts, strict=True):
        if re.match(r"class |\s+self\.\w+(: [\w.]+)? = (nn\.|[A-Z])", text):
            assert "data-to" in line.attributes, text
        for target in line.attributes.get("data-to", "").split():
            assert line.attributes["id"] in ids[target].attributes["data-to"].split()


def leads_of(root: Node) -> dict[str, list[str]]:
    """The lines of the source, and those of the spec that they lead to."""
    ids = by_id(root)
    leads = {}
    for line in root.all("div", "source")[0].all("div", "ln"):
        to = line.attributes.get("data-to", "").split()
        leads[line.all("code")[0].text.strip()] = [ids[t].all("code")[0].text.strip() for t in to]
    return leads


def test_a_line_leads_to_the_very_layer() -> None:
    leads = leads_of(read("resnet18"))
    conv = "self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)"
    assert leads[conv] == ["conv1: {conv: {channels: 64, kernel: 7, stride: 2}}"]
    assert leads["self.fc = nn.Linear(512, classes)"] == ["fc: {linear: classes}"]
    block = next(line for line in leads if line.startswith("BasicBlock(64, 128"))
    assert leads[block] == ["layer2: {block: basic, repeat: 2, channels: 128, stride: 2}"]
    assert leads["class BasicBlock(nn.Module):"] == ["class: BasicBlock"]
    assert leads["self.bn2 = nn.BatchNorm2d(channels)"] == ["- norm"]
    assert leads["def __init__(self, classes: int = 1000) -> None:"] == ["args: {classes: 1000}"]


def test_a_stage_in_several_lines_is_its_first(project: Project) -> None:
    stage = "stages:\n  s1:\n    block: basic\n    channels: 8\n"
    project.write("net.yaml", f"name: net\ninput: [3, 8, 8]\nstem: [{{conv: 8}}]\n{stage}")
    leads = leads_of(Reader(project.run("report", "net.yaml", "-o", "-").out).root)
    assert leads["self.s1 = nn.Sequential(BasicBlock(8))"] == ["s1:"]


def test_each_value_says_where_it_is_from(project: Project) -> None:
    project.write(
        "base.yaml",
        "name: base\ninput: [3, 8, 8]\nargs: {classes: 10}\nstem:\n  "
        "conv1: {conv: {channels: 8, kernel: 3}}\n  bn1: norm\n"
        "head: [global_avg_pool, flatten, {linear: classes}]\n",
    )
    project.write("net.yaml", "name: net\nextends: base\nstem:\n  conv1: {conv: {channels: 16}}\n")
    said = project.run("report", "net.yaml", "-o", "-", "--set", "args.classes=7")
    assert said.code == 0
    notes = {}
    for line in Reader(said.out).root.all("div", "ln"):
        for note in line.all("span", "from"):
            title = note.attributes["title"]
            notes[line.all("code")[0].text.strip()] = (note.text, title, line.classes[1:])
    assert notes["channels: 16"] == (":4", "net.yaml:4", [])
    assert notes["kernel: 3"] == ("base.yaml:5", "base.yaml:5", ["base"])
    assert notes["classes: 7"] == ("--set", "--set args.classes", ["set"])
    assert notes["# padding: 1, bias: false"] == ("default", "not in the spec", ["default"])
    assert notes["# defaults: {norm: batch_norm, act: relu}"][0] == "default"


def test_findings_are_below_their_lines(project: Project) -> None:
    project.write(
        "net.yaml",
        "name: net\ninput: [3, 32, 32]\nstem:\n  - conv: {channels: 8, "
        "bias: true}\n  - norm\n  # archspec: ignore[AS304] as the authors have it\n"
        "  - conv: {channels: 8, bias: true}\n  - norm\n",
    )
    root = Reader(project.run("report", "net.yaml", "-o", "-").out).root
    notes = root.all("div", "note")
    assert [note.all("strong")[0].text for note in notes] == ["AS304"]
    line = next(n for n in root.all("div", "ln") if "warn" in n.classes)
    assert line.all("code")[0].text.strip() == "- conv: {channels: 8, bias: true}"
    (finding,) = root.all("div", "finding")
    (link,) = finding.all("a")
    assert link.attributes["href"][1:] == line.attributes["id"]
    assert link.text == "net.yaml:4"
    assert "redundant-bias" in finding.text


SETTINGS = [
    'select = ["AS3"]',
    'ignore = ["redundant-bias"]',
    'ignore = ["AS190"]\nper-file-ignores = {"net.yaml" = ["AS304"]}',
    'per-file-ignores = {"other.yaml" = ["AS304"]}',
    'baseline = "known.json"',
]


@pytest.mark.parametrize("settings", ["", *SETTINGS])
def test_findings_are_those_of_lint(settings: str, project: Project) -> None:
    lines = [
        "name: net\ninput: [3, 64, 64]\nblocks: {mine: {import: mypkg.Mine, like: identity}}",
        "stem: [mine, {conv: {channels: 8, bias: true}}, norm]",
        "# archspec: ignore[AS304] nothing is wrong here\nhead: [global_avg_pool]",
    ]
    project.write("net.yaml", "\n".join(lines) + "\n")
    project.run("lint", "net.yaml", "--write-baseline", "known.json")
    project.write("archspec.toml", settings)
    found = project.run("lint", "net.yaml", "--format=json").data["findings"]
    root = Reader(project.run("report", "net.yaml", "-o", "-").out).root
    shown = [[part.text for part in note.all("p")] for note in root.all("div", "finding")]
    assert [(one[0], one[-1]) for one in shown] == [
        (
            f"{one['severity']} {one['code']} {one['rule']}",
            f"net.yaml:{one['location']['line']} · archspec explain {one['code']}",
        )
        for one in found
    ]
    assert "AS143" in [one["code"] for one in found]


def test_settings_with_a_fault_write_no_page(project: Project) -> None:
    project.write("archspec.toml", 'ignroe = ["AS3"]\n')
    project.write("net.yaml", "extends: resnet18\nname: net\n")
    said = project.run("report", "net.yaml", "-o", "page.html")
    assert (said.code, said.out) == (2, "")
    assert "did you mean `ignore`?" in said.err
    assert not (project.folder / "page.html").exists()


@pytest.mark.parametrize(("stem", "count"), [("[act]", "1 layer"), ("[act, norm]", "2 layers")])
def test_the_layers_are_counted(stem: str, count: str, project: Project) -> None:
    project.write("net.yaml", f"name: net\ninput: [3, 8, 8]\nstem: {stem}\n")
    root = Reader(project.run("report", "net.yaml", "-o", "-").out).root
    assert [one.text for one in root.all("span", "count")] == [count]


def test_what_a_spec_says_is_text(project: Project) -> None:
    evil = "</style></script><script>alert(1)</script><img src=x onerror=alert(2)>&lt;{{ 7 * 7 }}"
    project.write("blocks/b.yaml", f"doc: '{evil}'\nbody: [{{conv: channels}}]\n")
    layers = "[{b: 8}, {conv: {channels: 8, bias: true}}, norm]"
    for name in ("net", "other"):
        text = f"name: {name}\ndoc: '{evil}'\ninput: [3, 8, 8]\nstem: {layers}\n"
        project.write(f"<i>{name}.yaml", text)
    said = project.run("report", "<i>net.yaml", "<i>other.yaml", "-o", "-")
    assert said.code == 0, said.err
    root = Reader(said.out).root
    assert len(root.all("script")) == 1
    assert len(root.all("style")) == 1 + len(root.all("article"))  # a picture has one
    assert not root.all("img")
    assert not root.all("i")
    assert root.all("p", "doc")[1].text == evil
    assert any("<script>alert(1)" in node.text for node in root.all("div", "code"))
    assert any("<i>net.yaml" in node.text for node in root.all("h4"))


def test_several_networks_are_compared() -> None:
    names = ["resnet18", "resnet34", "unet"]
    root = read(*names)
    table = root.all("table")[0]
    found = [archspec.analyze(name) for name in names]
    rows = [row.children for row in table.all("tbody")[0].all("tr")]
    assert [cells[0].text for cells in rows] == names
    assert [cells[1].text for cells in rows] == [f"{one.params:,}" for one in found]
    assert [cells[5].text for cells in rows] == [mebibytes(a.memory(1).training) for a in found]
    (plot,) = root.all("svg", "scatter")
    assert [dot.text.partition(":")[0] for dot in plot.all("circle")] == names
    assert len(root.all("article")) == 3


def test_bars_are_as_high_as_their_numbers() -> None:
    rows = [row for row in layers_of(archspec.analyze("resnet18")) if row.macs]
    plots = read("resnet18").all("svg", "plot")
    assert [plot.children[0].text for plot in plots] == [
        "Parameters",
        "MACs",
        "Activation memory",
        "Resolution",
    ]
    bars = plots[1].all("g", "bars")[0].children
    drawn = [re.match(r"M\S+ (\S+)V(\S+?)h", bar.attributes["d"]) for bar in bars]
    heights = [float(match[1]) - float(match[2]) for match in drawn if match]
    assert len(heights) == len(rows)
    for height, row in zip(heights, rows, strict=True):
        assert height == pytest.approx(heights[0] * row.macs / rows[0].macs, abs=0.11)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.5, "0.5"), (750, "750"), (1000, "1k"), (250_000, "250k"), (2.5e6, "2.5M")],
)
def test_ticks_are_round(number: float, text: str) -> None:
    assert round_number(number) == text


ROUNDED = {0: "0", 999: "999", 1000: "1.00k", 9994: "9.99k", 9995: "10.0k", 99_949: "99.9k"}
ROUNDED |= {99_951: "100k", 999_499: "999k", 999_501: "1.00M", 11_689_512: "11.7M"}
ROUNDED |= {4_089_184_256: "4.09G", 10**18: "1000P"}


@pytest.mark.parametrize("number", ROUNDED)
def test_rounded_numbers_have_three_digits(number: int) -> None:
    assert rounded(number) == ROUNDED[number]


def test_the_command_writes_a_page_and_no_other_file(project: Project) -> None:
    said = project.run("report", "resnet18")
    assert said.code == 0
    assert said.out == "wrote resnet18.html\n"
    first = Path("resnet18.html").read_text("utf-8")
    assert project.run("report", "resnet18").code == 0
    assert Path("resnet18.html").read_text("utf-8") == first
    project.write("mine.html", "<p>mine")
    said = project.run("report", "resnet18", "-o", "mine.html")
    assert said.code == 2
    assert "--force" in said.err
    assert Path("mine.html").read_text("utf-8") == "<p>mine"
    assert project.run("report", "resnet18", "-o", "mine.html", "--force").code == 0


def test_a_spec_with_errors_has_no_page(project: Project) -> None:
    project.write("net.yaml", "name: net\ninput: [3, 8, 8]\nstem: [{conv: 8, kernal: 3}]\n")
    said = project.run("report", "net.yaml")
    assert said.code == 1
    assert "AS118" in said.err
    assert not Path("net.html").exists()


def test_two_specs_of_one_name_are_called_after_their_files(project: Project) -> None:
    for folder in ("a", "b"):
        project.write(f"{folder}/net.yaml", "name: net\ninput: [3, 8, 8]\nstem: [{conv: 8}]\n")
    root = Reader(project.run("report", "a/net.yaml", "./b/net.yaml", "-o", "-").out).root
    assert [node.text for node in root.all("h2", "title")] == ["a/net.yaml", "b/net.yaml"]


def test_show_prints_the_same_page(project: Project) -> None:
    shown = project.run("show", "resnet18", "--format", "html", "--set", "args.classes=7")
    written = project.run("report", "resnet18", "-o", "-", "--set", "args.classes=7")
    assert shown.out == written.out
    assert "--set args.classes" in shown.out


def test_rows_of_the_picture_lead_to_layers() -> None:
    """The script finds the first layer of each row by its path."""
    for name in NETWORKS:
        root = read(name)
        picture = root.all("div", "picture")[0]
        section = by_id(root)[picture.attributes["data-layers"]]
        paths = [row.all("th")[0].own[0].strip() for row in section.all("tbody")[0].all("tr")]
        rows = [node.attributes["data-path"] for node in picture.all("g", "row")]
        named = [row for row in rows if row]  # a sum is no layer
        assert named
        for row in named:
            assert any(f"{path}.".startswith(f"{row}.") for path in paths), (name, row)

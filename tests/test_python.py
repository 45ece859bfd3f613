"""archspec in Python and notebooks: what is printed, what `help` says, what type checkers see."""

from __future__ import annotations

import ast
import inspect
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import archspec
from archspec.cli import main
from archspec.infer.text import written
from archspec.language.load import load
from archspec.language.settings import setting
from archspec.rules import RULES, Rule
from archspec.rules.checking import check_spec
from archspec.source.reader import parse
from support import write_spec

FUNCTIONS = [name for name in archspec.__all__ if inspect.isfunction(getattr(archspec, name))]


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20", "mobilenet_v2", "vgg11"])
def test_an_analysis_prints_as_the_table_of_show(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print(archspec.analyze(name))
    ours = capsys.readouterr().out
    main(["show", name])
    assert ours == capsys.readouterr().out
    assert len(repr(archspec.analyze(name))) < 200


class Cells(HTMLParser):
    """The cells of a table; every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "caption":
            self.rows[-1][-1] += data


def test_an_analysis_is_a_table_in_a_notebook() -> None:
    analysis = archspec.analyze("cifar_resnet20")
    rows = Cells(analysis._repr_html_()).rows
    assert rows[0] == ["layer", "op", "output", "parameters", "MACs"]
    assert rows[1] == ["conv1", "Conv2d", "16 x 32 x 32", "432", "442,368"]
    assert rows[-1] == ["total", "", "10", f"{analysis.params:,}", f"{analysis.macs:,}"]
    assert {len(row) for row in rows} == {5}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_stands_alone(name: str) -> None:
    function = getattr(archspec, name)
    text = inspect.getdoc(function) or ""
    assert not any(word in text for word in ("as there", "as in `", "what `load`", "see `"))
    parameters = inspect.signature(function).parameters
    named = [p.name for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
    assert [name for name in named if f"`{name}" not in text] == []
    assert "Raises:\n" in text


def test_a_misspelt_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="build_modul"):
        _ = archspec.build_modul  # type: ignore[attr-defined]


def test_type_checkers_see_every_name_and_no_other() -> None:
    tree = ast.parse(Path(archspec.__file__).read_text("utf-8"))
    assert not any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in tree.body)
    seen = {
        alias.asname
        for part in tree.body
        if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING"
        for line in part.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == set(archspec.__all__)


CONV = {"channels": 4}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "stages.layer2.chanels": (
        {"stages": {"layer2": {"block": "basic", "chanels": 3}}},
        "AS112 unknown-key",
    ),
    "stem.0.conv2d": ({"stem": ["conv2d"]}, "AS120 unknown-layer"),
    "stem.0.conv.channels": ({"stem": [{"conv": {"channels": "a +"}}]}, "AS124 expression"),
    "blocks.b.body.0.conv.chanels": (
        {"blocks": {"b": {"body": [{"conv": {"chanels": 3}}]}}, "stem": ["b"]},
        "AS112 unknown-key",
    ),
    "stem.0": ({"stem": [{"residual": [{"conv": CONV}]}]}, "AS202 residual-shape-mismatch"),
    "input": ({"input": "3"}, "AS"),
    "extends": ({"extends": "resnet81"}, "AS125 extends"),
}


@pytest.mark.parametrize("path", WRONG)
def test_what_is_wrong_in_a_mapping_has_its_path_and_code(path: str) -> None:
    data, rule = WRONG[path]
    with pytest.raises(archspec.SpecError) as raised:
        archspec.build_module({"name": "net", "input": [3, 8, 8], **data})
    found = raised.value.diagnostics[0]
    assert (found.path, found.span) == (path, None)
    assert found.code.startswith("AS")
    assert str(raised.value).startswith(f"{path}: error [{rule}")


def in_python(rule: Rule) -> list[Any]:
    """The bad example of a rule as data, where that is one file of readable YAML."""
    try:
        return [parse(text, file).data for file, text in rule.bad.completed().items()]
    except archspec.SpecError:
        return []


OF_DATA = {name: data[0] for name, rule in RULES.items() if len(data := in_python(rule)) == 1}


@pytest.mark.parametrize("name", OF_DATA)
def test_each_finding_in_a_mapping_has_its_path_and_code(name: str) -> None:
    settings = dict(map(setting, RULES[name].bad.settings()))
    try:
        found = check_spec(load(OF_DATA[name], settings))
    except archspec.SpecError as error:
        found = list(error.diagnostics)
    for finding in found:
        assert str(finding).startswith(f"{finding.path}: ")
        assert (finding.span, finding.fix) == (None, None)
        assert all(label.span.file for label in finding.labels)  # as in a shipped block
        assert finding.code.startswith("AS")


RELU = torch.nn.ReLU()
RESNET = archspec.analyze("resnet18")
NO_SPEC = [None, 3, True, [1], b"net", {1}, object(), RELU]
NO_FILE = ["no/such.yaml", "no such name", "", " ", "name: net\ninput: [3]", "a\0b", ".", Path()]
TAKES_A_SPEC = [name for name in FUNCTIONS if name != "load_weights"]


@pytest.mark.parametrize("name", TAKES_A_SPEC)
def test_what_is_not_a_spec_is_refused_with_what_is(name: str, tmp_path: Path) -> None:
    function = partial(getattr(archspec, name), **({"path": ""} if name == "from_weights" else {}))
    for wrong in NO_SPEC:
        with pytest.raises(TypeError, match="expected the path of a file, the name of a built-in"):
            function(wrong)
    for wrong in [*NO_FILE, tmp_path, str(tmp_path)]:
        with pytest.raises(archspec.UnreadableFile):
            function(wrong)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("", "run `archspec list specs`"),
        ("name: net\ninput: [3]", "save the text in a file, or pass `yaml.safe_load(text)`"),
        ("folder", "use the path of a file in it"),
        ("resnet18.yaml", "did you mean the built-in spec `resnet18`?"),
        ("folder/mynet.yaml", "did you mean `folder/my_net.yaml`?"),
        ("resnet_18", "did you mean `resnet18`?"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_hint(
    path: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "my_net.yaml").touch()
    with pytest.raises(archspec.UnreadableFile) as raised:
        archspec.load(path)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: archspec.load_weights("resnet18", "a.pt"), "expected a `torch.nn.Module`"),
        (lambda: archspec.load_weights(RELU, None), "expected the path of a file of weights"),
        (lambda: archspec.load_weights(RELU, "a.pt", ignore="fc"), r"such as `\['fc'\]`"),
        (lambda: archspec.build_module("resnet18", outputs="layer1"), "expected a list of names"),
        (lambda: archspec.build_module("resnet18", outputs={"layer1"}), "expected a list of names"),
        (lambda: RESNET.memory(1, frozen="conv1"), "expected a list of paths"),
        (lambda: archspec.build_module("resnet18", modules=3), "expected a mapping from names"),
        (lambda: archspec.render_training("resnet18", options="cache"), "list of `weights`"),
        (lambda: archspec.load("resnet18", args={"classes": 3}), "by name, as in `classes=10`"),
        (lambda: archspec.load("resnet18", weights="x"), "`archspec.from_weights` loads"),
        (lambda: archspec.load("resnet18", **{"args.classes": 3}), "name of an argument"),
    ],
)
def test_an_argument_of_another_type_is_refused_with_its_type(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wrong()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ((0,), "batch"),
        (("8",), "batch"),
        ((8, "fp8"), "precision"),
        ((8, "fp32", "x"), "optimizer"),
    ],
)
def test_memory_of_what_it_does_not_know_is_refused(values: tuple[Any, ...], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected "):
        RESNET.memory(*values)


@pytest.mark.parametrize("path", ["layer1.0.conv7", "layr1.0.conv1", "layer1.0.conv1.weight"])
def test_a_frozen_path_of_no_layer_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=f"frozen: unknown path '{path}'; did you mean `layer1.0"):
        RESNET.memory(1, frozen=["layer1", "layer1.0.conv1", path])


@pytest.mark.parametrize(
    ("keywords", "place", "hint"),
    [
        ({"clases": 10}, "clases=10", "did you mean `classes`?"),
        ({"input": [3, "a"]}, "input=[3, 'a']", "for example"),
        ({"classes": [1, 2]}, "classes=[1, 2]", ""),
    ],
)
@pytest.mark.parametrize("of_data", [False, True])
def test_a_wrong_keyword_is_shown_as_it_was_written(
    keywords: dict[str, Any], place: str, hint: str, of_data: bool
) -> None:
    spec = {"name": "net", "extends": "resnet18"} if of_data else "resnet18"
    with pytest.raises(archspec.SpecError) as raised:
        archspec.load(spec, **keywords)
    (found,) = raised.value.diagnostics
    assert (found.path, found.span) == (place, None)
    assert hint in found.hint
    assert "--" not in str(raised.value)


SETTINGS = {
    "args.num_classes": 10,
    "args.width": "8",
    "stem.0": 1,
    "input": "3",
    "stages": None,
    "stem.0.conv.kernel": 3,
}


@pytest.mark.parametrize("path", SETTINGS)
def test_a_setting_of_a_mapping_has_its_path_and_code(path: str) -> None:
    data = {"name": "net", "input": [3, 8, 8], "args": {"width": 8}, "stem": [{"conv": "width"}]}
    with pytest.raises(archspec.SpecError) as raised:
        load(data, {path: SETTINGS[path]})
    (found,) = raised.value.diagnostics
    assert (found.path, found.span) == (path, None)
    assert found.code.startswith("AS")


def test_what_is_wrong_in_a_file_has_its_lines(tmp_path: Path) -> None:
    with pytest.raises(archspec.SpecError) as raised:
        archspec.load(write_spec(tmp_path, "input: [3, 8, 8]\nstem: [conv2d]\n"))
    (found,) = raised.value.diagnostics
    assert found.span is not None
    assert found.path == ""


@pytest.mark.parametrize(
    "doc",
    ["1e5", "0o17", "0x1F", "1_000", "yes", "null", "~", "", "1.5", ".5", "-3", "12e03", "true",
     ".inf", "on", "1:30", "2024-01-01", "=", "<<", "a: b", "# no", "it's", "1" * 40, "two\nlines"],
)  # fmt: skip
def test_what_is_printed_reads_back_equal(
    doc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = yaml.dump({"input": [3, 8, 8], "stem": ["act"], "doc": doc}, default_style='"')
    text = text.replace('"3"', "3").replace('"8"', "8").replace("!!int ", "")
    path = write_spec(tmp_path, text, "printed")
    for words in (["--resolved"], ["--pass", "merged"], ["--pass", "parsed"]):
        assert main(["show", str(path), *words]) == 0
        again = tmp_path / "again.yaml"
        again.write_text(capsys.readouterr().out)
        assert archspec.load(again).data["doc"] == doc
    if "\n" not in doc:
        again.write_text(
            written({"name": "again", "input": [3, 8, 8], "stem": ["act"], "doc": doc}, ())
        )
        assert archspec.load(again).data["doc"] == doc

"""What newcomers get wrong, and what they are told: each was met when trying the README."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import archspec
from archspec.language import load
from support import write_spec
from support.linting import Project


def refused(path: Path) -> archspec.Diagnostic:
    """The first finding of a spec."""
    with pytest.raises(archspec.SpecError) as raised:
        archspec.render(path)
    return raised.value.diagnostics[0]


def labels(found: archspec.Diagnostic) -> dict[str, tuple[str, int]]:
    return {label.text: (Path(label.span.file).name, label.span.line) for label in found.labels}


def test_a_mapping_may_extend_a_shipped_spec() -> None:
    spec = {"name": "mine", "extends": "resnet18", "args": {"classes": 10}}
    assert archspec.analyze(spec, classes=5).output == (5,)


def test_the_name_of_a_file_without_its_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_spec(tmp_path, "extends: resnet18\n", "mine")
    with pytest.raises(archspec.UnreadableFile, match=r"did you mean `mine\.yaml`\?"):
        archspec.load("mine")


def test_an_argument_set_without_args() -> None:
    with pytest.raises(archspec.SpecError, match=r"did you mean `args\.classes`\?"):
        load("resnet18", {"classes": 10})


@pytest.mark.parametrize(
    ("path", "value"), [("args.classes", "ten"), ("stages.layer1.repeat", 0), ("input", 224)]
)
def test_a_bad_setting_is_not_blamed_on_the_file(path: str, value: object) -> None:
    with pytest.raises(archspec.SpecError) as raised:
        load("resnet18", {path: value})
    (found,) = raised.value.diagnostics
    assert found.span is not None
    assert found.span.file == f"--set {path}"


def test_the_usual_norm_is_found_where_it_is_used(tmp_path: Path) -> None:
    found = refused(write_spec(tmp_path, "input: [3, 8, 8]\nstem:\n  - channels_last\n  - norm\n"))
    assert found.span is not None
    assert found.span.line == 5


def test_a_part_without_layers_is_shown(tmp_path: Path) -> None:
    text = "extends: resnet18\ndefaults:\n  basic: {projection: none}\n"
    found = refused(write_spec(tmp_path, text))
    assert labels(found)["`projection` has no layers here"] == ("net.yaml", 4)


def test_a_block_that_does_not_stride_is_shown_where_it_is_named(tmp_path: Path) -> None:
    text = "extends: resnet18\nstages:\n  layer2: {block: still}\n"
    text += "blocks: {still: {body: [{conv: channels}]}}\n"
    found = refused(write_spec(tmp_path, text))
    assert found.rule == "stride-ignored"
    assert labels(found)["`still` is used here"] == ("net.yaml", 4)


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("{conv: 64, kernel: 3}", "`conv: {channels: 64, kernel: 3}`"),
        ("{'': 3}", "for example, `conv: 64`"),
        ("{'': }", "for example, `conv: 64`"),
        ("{conv: 64, type: same}", "`{conv: 64}, {type: same}`"),
        ("{type: conv, channels: 64}", "`{conv: {channels: 64}}`"),
        ("{block: basic, channels: 8, repeat: 2}", "`{basic: {channels: 8}, repeat: 2}`"),
        ("{conv: 64, norm: {}}", "use one list item per layer: `{conv: 64}, norm`"),
        ("{residual: [{conv: 64}], dropout: 0.2}", "`{residual: ...}, {dropout: 0.2}`"),
    ],
)
def test_two_things_in_one_layer(layer: str, hint: str, tmp_path: Path) -> None:
    found = refused(write_spec(tmp_path, f"input: [64, 8, 8]\nstem: [{layer}]\n"))
    assert hint in found.hint


def test_entries_may_have_the_names_of_stage_keys(tmp_path: Path) -> None:
    stages = "{block: [{conv: 3}], stride: [{conv: 3}]}"
    path = write_spec(tmp_path, f"input: [3, 8, 8]\nstages: {stages}\n")
    assert [*archspec.load(path).stages] == ["block", "stride"]


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("archspec.runtime")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(archspec, "runtime", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"archspec-nn\[torch\]"):
        archspec.build_module("resnet18")


def test_an_argument_that_a_default_names_is_printed_as_its_number(tmp_path: Path) -> None:
    text = "extends: resnet18\nargs: {team: 8}\ndefaults: {norm: {group_norm: team}}\n"
    source = archspec.render(write_spec(tmp_path, text))
    assert "team" not in source
    assert source.count("nn.GroupNorm(8, ") == source.count("GroupNorm")
    assert "nn.GroupNorm(4, " in archspec.render(tmp_path / "net.yaml", team=4)


def test_a_part_that_defaults_fill_sees_the_arguments_of_the_network(tmp_path: Path) -> None:
    text = "extends: resnet18\nargs: {small: 4}\n"
    text += "defaults: {basic: {attention: {se: {squeeze: small}}}}\n"
    assert "nn.Conv2d(channels, 4, 1)" in archspec.render(write_spec(tmp_path, text))


def test_the_constructor_has_the_arguments_in_the_order_of_the_spec(tmp_path: Path) -> None:
    text = "input: [3, 8, 8]\nargs: {last: 8, first: 16, classes: 10}\n"
    text += "stem: [{conv: first}, {conv: last}, flatten, {linear: classes}]\n"
    source = archspec.render(write_spec(tmp_path, text))
    assert "self, last: int = 8, first: int = 16, classes: int = 10" in source


BLOCKS: dict[str, list[Any]] = {
    "plain": [{"linear": "out"}],
    "inner": [{"sequence": [{"plain": {"out": "out"}}, "act"], "name": "inside"}],
    "summed": [{"residual": [{"linear": "out"}], "shortcut": [{"linear": "out"}]}],
    "chosen": [{"linear": "out"}, {"act": {}, "when": "out > 3"}],
    "short": [{"linear": "out", "when": "out > 3"}],
}


@pytest.mark.parametrize(
    ("block", "stays"),
    [("plain", True), ("inner", True), ("summed", False), ("chosen", False), ("short", False)],
)
def test_what_a_block_is_given_stays_an_argument_if_it_decides_nothing(
    block: str, stays: bool
) -> None:
    blocks = {
        name: {"args": {"out": "required"}, "body": body, "inline": name == "short"}
        for name, body in BLOCKS.items()
    }
    spec = {"name": "net", "input": [8], "args": {"classes": 4}, "blocks": blocks}
    source = archspec.render({**spec, "head": [{block: {"out": "classes"}}]})
    assert ("def __init__(self, classes: int = 4) -> None:" in source) is stays


BARE = """\
stages:
  layer1: {block: bare, channels: 16}
  layer2: {block: bare, channels: 32, stride: 2}
  layer3: {block: bare, channels: 64, stride: 2}
blocks:
  bare:
    body:
      - residual: [{conv: {channels: channels, kernel: 3, stride: stride}}, norm]
"""


def test_what_is_wrong_in_a_block_is_said_once_for_all_stages(tmp_path: Path) -> None:
    path = write_spec(tmp_path, "input: [3, 32, 32]\n" + BARE)
    with pytest.raises(archspec.SpecError) as raised:
        archspec.analyze(path)
    (found,) = raised.value.diagnostics
    lines = [label.span.line for label in found.labels if "used here" in label.text]
    assert lines == [4, 5, 6]


def test_what_is_wrong_in_a_base_is_said_once_for_all_variants(project: Project) -> None:
    project.spec(BARE, "base")
    for size in (32, 48, 64):
        text = f"name: net{size}\nextends: base\ninput: [3, {size}, {size}]\n"
        project.write(f"specs/net{size}.yaml", text)
    assert [line.split(": ")[0] for line in project.lint().lines[:-1]] == ["specs/base.yaml:10:9"]


def test_linting_a_file_that_is_not_there(project: Project) -> None:
    for options in ([], ["--statistics"], ["--format=full"], ["--fix"]):
        said = project.lint("nosuch", *options)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("error: could not read `nosuch`")


STAGES = "stages: {layer1: {block: bottleneck, channels: 64%s}}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("defaults: {norm: {group_norm: groups}}\n" + STAGES % "", 4),
        ("defaults: {bottleneck: {attention: {se: {squeeze: groups}}}}\n" + STAGES % "", 4),
        (STAGES % ", attention: {se: {squeeze: groups}}", 4),
        (STAGES % ", norm: {group_norm: groups}", 4),
    ],
)
def test_a_name_that_the_block_takes(text: str, line: int, project: Project) -> None:
    project.spec("args: {groups: 8}\n" + text)
    (found, _) = project.lint().lines
    assert found.startswith(f"specs/net.yaml:{line}:")
    assert "[captured-name] `groups` refers to the argument of `bottleneck`" in found
    project.spec("args: {team: 8}\n" + text.replace("groups", "team"))
    assert project.lint().out == "1 spec is clean\n"


JOINED = {
    "residual": {"residual": ["act", {"linear": "classes"}]},
    "gate": {"scale": [{"linear": "classes"}, "sigmoid"]},
    "sum": {"add": [[{"linear": "classes"}], {"linear": 8}]},
}


@pytest.mark.parametrize("layer", JOINED.values(), ids=JOINED)
def test_an_argument_that_has_to_be_another_number_is_none(layer: Any) -> None:
    spec = {"name": "net", "input": [8], "args": {"classes": 8}, "head": [layer]}
    assert "def __init__(self) -> None:" in archspec.render(spec)


def test_a_sum_of_as_many_keeps_its_argument() -> None:
    both = {"add": [[{"linear": "classes"}], {"linear": "classes"}]}
    spec = {"name": "net", "input": [8], "args": {"classes": 8}, "head": [both]}
    assert "def __init__(self, classes: int = 8) -> None:" in archspec.render(spec)

"""One question, one answer: YAML, `--set`, Python keywords and the editor's schema judge alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import archspec
from archspec.diagnostics import Diagnostic, SpecError
from archspec.language.load import load
from archspec.rules.checking import check_spec
from archspec.schema import spec_schema
from support import write_spec
from support.linting import Project

SCHEMA = jsonschema.Draft202012Validator(spec_schema())
NET = "input: [3, 32, 32]\n"
CLASSES = "head: [global_avg_pool, flatten, {linear: classes}]\n"


def found(source: Any, settings: dict[str, Any] | None = None) -> list[Diagnostic]:
    """What is found of a spec, whoever finds it."""
    try:
        return check_spec(load(source, settings))
    except SpecError as error:
        return list(error.diagnostics)


def said(findings: list[Diagnostic]) -> list[tuple[str, str, str]]:
    """The findings without their places."""
    return [(d.rule, d.message, str(d.hint)) for d in findings]


# An arg that nothing reads ------------------------------------------------------------

UNKNOWN = [
    ("resnet18", "num_classes", "did you mean `classes`?"),
    ("resnet18", "clases", "did you mean `classes`?"),
    ("mobilenet_v2", "wdith", "did you mean `width`?"),
    ("vit_like", "depth", "use it, or remove it"),
]


@pytest.mark.parametrize(("base", "arg", "hint"), UNKNOWN)
def test_an_arg_that_nothing_reads_is_one_error_everywhere(
    base: str, arg: str, hint: str, tmp_path: Path, project: Project
) -> None:
    if base == "vit_like":  # one without any args
        project.spec("stem: [{conv: 8}]\n", base)
        base = str(tmp_path / "specs" / f"{base}.yaml")
    name = Path(base).stem
    project.spec(f"extends: {name}\nargs: {{{arg}: 10}}\n", "mine")
    mine = tmp_path / "specs" / "mine.yaml"
    (inside,) = found(mine)
    assert inside.span is not None
    assert Path(inside.span.file).name == "mine.yaml"
    assert inside.hint.startswith(hint)
    assert said(found(base, {f"args.{arg}": 10})) == said([inside])
    with pytest.raises(SpecError) as raised:
        archspec.load(base, **{arg: 10})
    assert said(list(raised.value.diagnostics)) == said([inside])


@pytest.mark.parametrize(
    "text",
    [
        "args: {width: 32}\nstem: {conv1: {conv: {channels: width}}}\n",
        "args: {reduction: 8}\ndefaults: {basic: {attention: {se: {ratio: 1 / reduction}}}}\n",
        "args: {deep: 3}\nstages: {layer2: {repeat: deep}}\n",
    ],
)
def test_a_new_arg_that_something_reads_is_one(text: str, project: Project) -> None:
    project.spec(f"extends: resnet18\n{text}", "mine")
    assert [d for d in found(project.folder / "specs" / "mine.yaml") if d.rule == "setting"] == []


def test_null_deletes_in_a_setting_as_in_a_file() -> None:
    assert load("resnet18", {"stages.layer4": None}).stages.keys() == {"layer1", "layer2", "layer3"}
    (nothing,) = found("resnet18", {"stages.layer5": None})
    assert nothing.rule == "setting"


DOTTED = """\
stem:
  features.0: {conv: 8}
  features.1: {conv: {channels: 8}}
  seq: [{conv: 8}, [{conv: {channels: 8}}, relu]]
head: [{conv: {channels: 8}}, relu]
"""


@pytest.mark.parametrize(
    ("path", "value", "name", "shape"),
    [
        ("stem.features.1.conv.kernel", 3, "features.1.weight", (8, 8, 3, 3)),
        ("stem.features.0.conv", 16, "features.0.weight", (16, 3, 1, 1)),
        ("stem.features.0", None, "features.1.weight", (8, 3, 1, 1)),
        ("stem.seq.1.0.conv.channels", 24, "seq.1.0.weight", (24, 8, 1, 1)),
        ("head.0", {"conv": 24}, "conv1.weight", (24, 8, 1, 1)),
    ],
)
def test_a_setting_reaches_lists_and_keys_with_dots(
    path: str, value: Any, name: str, shape: tuple[int, ...], project: Project
) -> None:
    project.spec(DOTTED)
    spec = load(project.folder / "specs" / "net.yaml", {path: value})
    assert archspec.analyze(spec).state[name] == shape


@pytest.mark.parametrize(
    ("path", "said", "hint"),
    [
        ("seq.1", "cannot set `seq.1`: it is not in the spec", "did you mean `stem.seq.1`?"),
        ("features.1.conv", "cannot set `features.1.conv`", "did you mean `stem.features.1.conv`"),
        ("head.2", "the spec has no `2`", "it is a list: its entries are 0 to 1"),
        ("head.00000000000000000.conv", "the spec has no", "it is a list"),
        ("head.x", "the spec has no `x`", "it is a list: its entries are 0 to 1"),
        ("stem.features.0.conv.kernel", "`stem.features.0.conv` is `8`", "set the whole value"),
        ("stem.features.9", "the spec has no `features`", "available: features.0"),
        (".", "cannot set `.`: the spec has no ``", "available"),
        ("extends", "`extends` cannot be overridden", "use a spec"),
        ("args.x.y", "cannot set `args.x.y`", "available"),
        ("caf\udce9", "`caf\udce9` is not UTF-8", "UTF-8"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(
    path: str, said: str, hint: str, project: Project
) -> None:
    project.spec(DOTTED)
    (one,) = found(project.folder / "specs" / "net.yaml", {path: 1})
    assert said in one.message
    assert hint in one.hint


def test_null_deletes_nothing_in_a_list(project: Project) -> None:
    project.spec(DOTTED)
    (one,) = found(project.folder / "specs" / "net.yaml", {"head.1": None})
    assert one.hint == "set the whole list: `--set head=[...]`"


# What a value may be ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        *((text, False) for text in ("10", "5 * 2", "1_0", "true", None, [10])),
        *((number, True) for number in (10, True, 2.5)),
    ],
)
def test_a_value_of_args_is_accepted_or_refused_by_all(
    value: Any, fine: bool, tmp_path: Path
) -> None:
    written = {"name": "net", "input": [3, 32, 32], "args": {"classes": value}}
    written["stem"] = [{"conv": {"channels": 8, "kernel": 1, "bias": "classes > 1"}}]
    refused = {d.rule for d in found(written) if d.severity == "error"}
    assert (not refused) is fine
    base = {**written, "args": {"classes": 3}}
    if value is not None:  # null deletes in what extends, so the schema takes it there
        assert SCHEMA.is_valid(written) is fine
        assert {d.rule for d in found(base, {"args.classes": value})} == refused
    try:
        archspec.load(base, classes=value)
        taken = True
    except (SpecError, TypeError):
        taken = False
    assert taken is fine


NUMBERS = ["1_6", "0b11", "1_000 // 2", "channels * 1_0", "0O17", "1.5_0", "1e1_0"]


@pytest.mark.parametrize("text", NUMBERS)
def test_what_is_no_number_in_yaml_is_none_in_an_expression(text: str) -> None:
    written = {"name": "net", "input": [3, 32, 32], "stem": [{"conv": {"channels": text}}]}
    assert {d.rule for d in found(written)} == {"expression"}
    assert not SCHEMA.is_valid(written)


@pytest.mark.parametrize("text", ["a1_6", "layer_1_6 + 1", "0x10", "0o17", "1e3", "64 // 2"])
def test_what_only_looks_so_is_read(text: str) -> None:
    args = {"a1_6": 2, "layer_1_6": 3}
    written = {"name": "net", "input": [3, 8, 8], "args": args, "stem": [{"conv": text}]}
    assert {d.rule for d in found(written)} <= {"unused-size", "unaligned-channels", "wrong-type"}
    assert "expression" not in {d.rule for d in found(written)}
    assert SCHEMA.is_valid(written)


# Parts, blocks and what they ignore ---------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "given"),
    [
        ("{group_norm: 1}", "{eps: 0.001}"),
        ("{group_norm: {groups: 1}}", "{eps: 0.001}"),
        ("group_norm", "{groups: 2, eps: 0.001}"),
        ("{group_norm: 4}", "{groups: 2}"),
        ("batch_norm", "{momentum: 0.01}"),
    ],
)
def test_arguments_at_a_part_are_laid_over_its_shorthand(norm: str, given: str) -> None:
    full = norm if norm.startswith("{") else f"{norm}"
    text = f"defaults: {{norm: {full}}}\nblocks: {{b: {{body: [{{conv: channels}}, "
    text += f"{{norm: {given}}}]}}}}\nstages: {{a: {{block: b, channels: 8}}}}\n"
    source = archspec.source.reader.parse(f"name: net\n{NET}{text}", "net.yaml").data
    assert found(source) == []
    assert ("eps=0.001" in archspec.render(source)) == ("eps" in given)


DOWN = """\
blocks:
  down: {body: [{conv: {channels: 8, kernel: 3, stride: stride}}, norm, act]}
  flat: {inline: true, body: [{conv: {channels: 8, kernel: 3, stride: stride}}, norm, act]}
  outer: {body: [{down: {channels: channels}}]}
"""
IGNORED = {
    "stage": "stages: {a: {block: down, channels: 64}}",
    "stem": "stem: [{down: {channels: 64}}]",
    "shorthand": "stem: [{down: 64}]",
    "name": "stem: {a: {down: {channels: 64}}}",
    "inline": "stem: [{flat: {channels: 64}}]",
    "block": "stem: [{outer: {channels: 64}}]",
    "branch": "stem: [{add: [{down: 64}, {conv: 64}]}]",
}


@pytest.mark.parametrize("where", IGNORED)
def test_channels_that_a_block_ignores_are_one_error_everywhere(where: str, tmp_path: Path) -> None:
    path = write_spec(tmp_path, f"{NET}{DOWN}{IGNORED[where]}\n")
    (ignored,) = (d for d in found(path) if d.severity == "error")
    assert ignored.rule == "channels-ignored"
    assert re.fullmatch(
        r"`\w+` outputs 8 channels, but its \w+ sets `channels: 64`", ignored.message
    )


@pytest.mark.parametrize("given", ["{channels: 8}", "8", "{stride: 2}", "{}"])
def test_channels_that_a_block_gives_anyway_are_fine(given: str, tmp_path: Path) -> None:
    path = write_spec(tmp_path, f"{NET}{DOWN}stem: [{{down: {given}}}]\n")
    assert [d for d in found(path) if d.severity == "error"] == []


@pytest.mark.parametrize("body", ["[inner]", "[{inner: 8}, act]", "[{residual: [{inner: 8}]}]"])
def test_a_block_in_a_file_does_not_see_the_blocks_of_a_spec(body: str, project: Project) -> None:
    project.write("specs/blocks/outer.yaml", f"doc: d\nbody: {body}\n")
    own = "blocks: {inner: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}}\n"
    project.spec(f"{own}stages: {{a: {{block: outer, channels: 8}}}}\n", "net")
    for path in ("specs", "specs/net.yaml", "specs/blocks/outer.yaml"):
        assert "AS120 [unknown-layer]" in project.lint(path, "--format", "concise").out
    assert [d.rule for d in found(project.folder / "specs" / "net.yaml")] == ["unknown-layer"]


def test_a_spec_may_still_change_a_block_that_a_file_uses(project: Project) -> None:
    project.write("specs/blocks/outer.yaml", "doc: d\nbody: [{inner: {channels: channels}}]\n")
    project.write("specs/blocks/inner.yaml", "doc: d\nbody: [{conv: channels}]\n")
    own = "blocks: {inner: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}}\n"
    project.spec(f"{own}stages: {{a: {{block: outer, channels: 8}}}}\n", "net")
    assert found(project.folder / "specs" / "net.yaml") == []

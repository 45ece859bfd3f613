"""A mistake hides no other: what a spec gets wrong in one place is told with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from archspec.cli import main
from archspec.lint.check import check_text

NET = {
    "name": "net",
    "input": "[3, 32, 32]",
    "args": "{classes: 10}",
    "stem": "[{conv: 16}, {cell: 16}]",
    "head": "[global_avg_pool, flatten, {linear: classes}]",
    "blocks": "{cell: {body: [{conv: channels}]}}",
}


def rules(folder: Path, **changes: str) -> set[str]:
    lines = {"class": "Net", **NET, **{key.strip("_"): text for key, text in changes.items()}}
    text = "".join(f"{key}: {value}\n" for key, value in lines.items() if value)
    found = check_text(text, str(folder / "net.yaml")).findings
    return {one.rule for one in found if one.severity == "error"}


def test_the_spec_is_right(tmp_path: Path) -> None:
    assert rules(tmp_path) == set()


#: Keys with values that are wrong, but say nothing of layers; the rule that says so.
ASIDE = [
    ("name", "my-net", "bad-name"),
    ("name", "3", "wrong-type"),
    ("name", "", "missing-key"),
    ("class_", "nn", "bad-name"),
    ("doc", "[a]", "wrong-type"),
    ("init", "{cnv: zeros}", "unknown-name"),
    ("expect", "{params: many}", "wrong-type"),
    ("train", "3", "wrong-type"),
]


@pytest.mark.parametrize(("key", "value", "rule"), [*ASIDE, ("class_", "BlurPool", "bad-name")])
def test_shapes_are_looked_at_besides(key: str, value: str, rule: str, tmp_path: Path) -> None:
    head = "[global_avg_pool, flatten, {max_pool: 2}]"
    assert rules(tmp_path, head=head, **{key: value}) == {rule, "shape-mismatch"}


#: Values of other keys that are wrong.
ELSEWHERE = [
    ("args", "{class: 3, classes: 10}", "bad-name"),
    ("stem", "3", "wrong-type"),
    ("stages", "3", "wrong-type"),
    ("defaults", "3", "wrong-type"),
    ("outputs", "a", "wrong-type"),
    ("outputs", "[a, a]", "unknown-output"),
    ("blocks", "3", "wrong-type"),
    ("blocks", "{cell: 3}", "wrong-type"),
    ("blocks", "{cell: {}}", "missing-key"),
    ("blocks", "{cell: {body: [{conv: channels}]}, a-b: {body: [relu]}}", "bad-name"),
    ("blocks", "{cell: {body: [{conv: channels}]}, conv: {body: [relu]}}", "bad-name"),
    ("names", "3", "wrong-type"),
]


@pytest.mark.parametrize(("key", "value", "rule"), [*ASIDE, *ELSEWHERE])
def test_names_are_looked_up_besides(key: str, value: str, rule: str, tmp_path: Path) -> None:
    """And no name is called unknown that the mistake would give a meaning."""
    assert rules(tmp_path, **{key: value}) == {rule}
    head = "[global_avg_pool, flatten, {linear: clases}]"
    assert rules(tmp_path, head=head, **{key: value}) == {rule, "unknown-name"}


def test_an_arg_of_a_wrong_name_is_known_all_the_same(tmp_path: Path) -> None:
    head = "[global_avg_pool, flatten, {linear: Classes}, {linear: Clases}]"
    path = tmp_path / "net.yaml"
    text = "".join(f"{k}: {v}\n" for k, v in {**NET, "args": "{Classes: 3}", "head": head}.items())
    found = check_text(text, str(path)).findings
    assert [(one.rule, one.span and one.span.line) for one in found] == [
        ("bad-name", 3), ("unknown-name", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "others", "found"),
    [
        ({"blocks": "{cell: 3}"}, {"stem": "[{cell: {a: 1}}, cell]"}, set()),
        ({"blocks": "{basic: 3}"}, {"defaults": "{basic: {a: 1}}"}, set()),
        ({"blocks": "{cell: 3}"}, {"stem": "[{basic: {cell: 1}}]"}, {"unknown-key"}),
        ({"blocks": "{cell: 3}"}, {"stem": "[{conv: cell}]"}, {"unknown-name"}),
        ({"args": "{my-width: 3}"}, {"stem": "[{conv: my-width}]"}, set()),
        ({"args": "{my-width: 3}"}, {"stem": "[{conv: my}, {width: 3}]"}, {"unknown-layer"}),
    ],
    ids=str,
)
def test_only_the_name_that_a_mistake_would_define_is_known(
    wrong: dict[str, str], others: dict[str, str], found: set[str], tmp_path: Path
) -> None:
    first = "bad-name" if "args" in wrong else "wrong-type"
    rest = {"stem": "", "stages": "", "head": "[{conv: 8}]"}
    assert rules(tmp_path, **{**rest, **wrong, **others}) == {first, *found}


def test_stages_in_sequences_that_shrink(tmp_path: Path) -> None:
    stages = "{a: {block: basic, channels: 32}, b: [{cell: 32}, {block: basic, channels: 16}]}"
    head = "{c: {sequence: {d: {block: basic, channels: 8}}}, last: {linear: clases}}"
    assert rules(tmp_path, stages=stages, head=head) == {"channels-shrink", "unknown-name"}


@pytest.mark.parametrize("command", ["build", "show", "train"])
def test_commands_tell_them_too(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("name: my-net\ninput: [3, 8, 8]\nstem: [flatten, {max_pool: 2}]\n")
    assert main([command, str(path)]) == 1
    said = capsys.readouterr().err
    assert "bad-name" in said
    assert "shape-mismatch" in said

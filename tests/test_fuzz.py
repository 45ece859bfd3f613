"""Specs of strangers: no traceback, no hang; what lints clean builds, and runs as interpreted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from archspec.classes import classes
from archspec.diagnostics import SpecError, UnreadableFile
from archspec.language import load
from support.fuzzing import taken_or_refused
from support.hostile import as_yaml, hostile_specs, mutated_texts, odd_specs, renamed_specs
from support.strategies import EXAMPLES

many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@many
@given(hostile_specs().map(as_yaml))
def test_nasty_values(text: str) -> None:
    taken_or_refused(text)


@many
@given(renamed_specs().map(as_yaml))
def test_nasty_names(text: str) -> None:
    taken_or_refused(text)


@many
@given(odd_specs().map(as_yaml))
def test_odd_names_and_recipes(text: str) -> None:
    taken_or_refused(text)


@many
@given(mutated_texts())
def test_mutated_files(text: bytes) -> None:
    taken_or_refused(text)


# By hand: what a fuzzer takes long to find ---------------------------------------------

SPEC: dict[str, Any] = {"name": "net", "input": [8, 8, 8], "stem": {"conv1": {"conv": 8}}}


def nested(levels: int, **more: Any) -> dict[str, Any]:
    """Each block uses the next one twice."""
    blocks: dict[str, Any] = {}
    for level in range(levels):
        inner: Any = f"b{level + 1}" if level + 1 < levels else {"conv": "channels"}
        blocks[f"b{level}"] = {"body": [inner, inner], **more}
    return {"blocks": blocks, "stages": {"layer": {"block": "b0", "channels": 8}}}


def defined(count: int, formula: str, **more: Any) -> dict[str, Any]:
    """Each argument is made of the one before it."""
    args = {"a0": "channels"} | {f"a{n}": formula.format(f"a{n - 1}") for n in range(1, count)}
    body = [{"conv": f"a{count - 1}"}, {"conv": "channels"}]
    block = {"args": args, "body": body, **more}
    return {"blocks": {"b": block}, "stages": {"layer": {"block": "b", "repeat": 2, "channels": 8}}}


def inside(layer: Any, levels: int) -> Any:
    for _ in range(levels):
        layer = {"residual": [layer]}
    return layer


BOMBS: dict[str, dict[str, Any]] = {
    "blocks twice in blocks": nested(30),
    "the same inline": nested(30, inline=True),
    "few layers a million times": nested(20),
    "a thousand arguments in a row": defined(1000, "{0} + 1 - 1"),
    "the same in an inline block": defined(1000, "{0} + 1 - 1", inline=True),
    "arguments that double": defined(40, "{0} + {0} - {0}"),
    "the same in an inline block again": defined(40, "{0} + {0} - {0}", inline=True),
    "a hundred stages of a thousand": {
        "stages": {f"s{n}": {"block": "basic", "repeat": 1000, "channels": 8} for n in range(100)}
    },
    "hundreds of layers": {"stem": [{"conv": 8}] * 300},
    "hundreds of unequal layers": {"stem": [{"dropout": n / 10**4} for n in range(500)]},
    "nine thousand unknown keys": {f"sten{n}": 1 for n in range(9000)},
    "five thousand unknown layers": {"stem": [{f"convv{n}": 1} for n in range(5000)]},
    "brackets": {"stem": [{"conv": "[" * 190 + "]" * 190}]},
    "round brackets": {"stem": [{"conv": "(" * 199 + "8" + ")" * 199}]},
    "minus": {"stem": [{"conv": "-" * 499 + "8"}]},
    "conditions": {"stem": [{"conv": "1 if 1 else " * 39 + "8"}]},
    "products": {"stem": [{"conv": "*".join(["999999"] * 60)}]},
    "fractions": {"stem": [{"conv": "/".join(["999999999999989"] * 31)}]},
    "residuals in residuals": {"stem": [inside("relu", 28)]},
    "concats that double": {"stem": [{"concat": [[], []]}] * 60},
    "the largest input": {"input": [65536] * 4, "stem": ["relu"]},
    "a block of itself": {
        "blocks": {"b": {"body": ["b"]}},
        "stages": {"layer": {"block": "b", "channels": 8}},
    },
    "a norm of itself": {
        "defaults": {"norm": {"b": {}}},
        "blocks": {"b": {"body": ["norm"]}},
        "stages": {"layer": {"block": "b", "channels": 8}},
    },
    "a long name": {"name": "a" * 500_000},
    "long text": {"doc": "a" * 900_000},
    "digits": {"stem": [{"conv": "9" * 480}]},
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    taken_or_refused(as_yaml(SPEC | BOMBS[name]))


@pytest.mark.parametrize("word", ["super", "range", "self", "nn", "torch", "min", "true", "Wide"])
def test_words_of_the_generated_code_are_no_arguments(word: str) -> None:
    block = {"args": {word: 1}, "body": [{"conv": "channels"}]}
    for more in ({"args": {word: 1}}, {"blocks": {"b": block}}):
        with pytest.raises(SpecError) as error:
            load(SPEC | more)
        assert error.value.diagnostics[0].rule == "bad-name"


@pytest.mark.parametrize("word", ["forward", "train", "type", "half", "bfloat16", "x", "self"])
def test_attributes_of_a_module_are_no_blocks_and_no_layers(word: str) -> None:
    for more in ({"blocks": {word: {"body": ["relu"]}}}, {"stem": {word: "relu"}}):
        with pytest.raises(SpecError) as error:
            load(SPEC | more)
        assert error.value.diagnostics[0].rule == "bad-name"


@pytest.mark.parametrize("name", ["tensor", "blur_pool", "module", "f", "true", "channels_last"])
def test_a_name_that_is_a_class_of_the_file(name: str) -> None:
    taken_or_refused(as_yaml(SPEC | {"name": name, "stem": [{"blur_pool": {}}, "channels_last"]}))
    network = classes(load(SPEC | {"name": name}))
    assert network.root.name.endswith("Net")


def test_a_class_that_is_another_of_the_file_is_refused() -> None:
    with pytest.raises(SpecError, match="bad-name"):
        classes(load(SPEC | {"class": "BlurPool"}))


# Links --------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose specs hold links out of it."""
    base = "name: base\ninput: [3, 8, 8]\nstages: {layer: {block: basic, channels: 8}}\n"
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "b.yaml").write_text("body: [{conv: channels}]\n")
    specs = tmp_path / "project" / "specs"
    (specs / "blocks").mkdir(parents=True)
    (specs.parent / "pyproject.toml").touch()
    (specs.parent / "inner.yaml").write_text(base)
    (specs / "base.yaml").symlink_to(tmp_path / "base.yaml")
    (specs / "inner.yaml").symlink_to("../inner.yaml")
    (specs / "blocks" / "b.yaml").symlink_to("../../../b.yaml")
    return specs


def test_a_link_out_of_the_project_is_not_followed(project: Path) -> None:
    (project / "a.yaml").write_text("name: a\nextends: base\n")
    with pytest.raises(SpecError, match="to a path outside the project"):
        load(project / "a.yaml")
    text = "name: c\ninput: [3, 8, 8]\nstages: {layer: {block: b, channels: 8}}\n"
    (project / "c.yaml").write_text(text)
    with pytest.raises(UnreadableFile, match="to a path outside the project"):
        load(project / "c.yaml")


def test_a_link_within_the_project_is(project: Path) -> None:
    (project / "d.yaml").write_text("name: d\nextends: inner\n")
    assert load(project / "d.yaml").name == "d"


@pytest.mark.parametrize("name", ["../base", "/etc/passwd", "base.yaml", "a/b", "..", "~", ""])
def test_extends_is_no_path(project: Path, name: str) -> None:
    (project / "a.yaml").write_text(f"name: a\nextends: '{name}'\n")
    with pytest.raises(SpecError) as error:
        load(project / "a.yaml")
    assert error.value.diagnostics[0].rule == "extends"

"""The editor and `lint` judge alike; the editor offers values and knows a project's blocks."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from archspec.diagnostics import SpecError
from archspec.language.load import load
from archspec.rules import RULES
from archspec.schema import block_schema, spec_schema
from archspec.schema.layers import TORCH
from archspec.schema.pieces import MOST_SHOWN
from archspec.source.reader import parse, read
from support import ROOT
from support.linting import Project

HEAD = "name: net\ninput: [3, 32, 32]\n"
# What both can judge. Of `bad-layer`, `expression` and others the schema knows a part.
JUDGED = {"bad-layer", "bad-name", "out-of-range", "unknown-key", "wrong-type"}
JUDGED_IN_PROJECT = {"unknown-block", "unknown-layer"}


@cache
def validator(kind: str) -> Any:
    schemas = {"spec": spec_schema, "block": block_schema, "project": lambda: spec_schema({})}
    return jsonschema.Draft202012Validator(schemas[kind]())


def marked(data: Any, kind: str = "project") -> bool:
    """Whether an editor marks anything."""
    return not validator(kind).is_valid(data)


def refused(data: Any) -> bool:
    """Whether the language does."""
    try:
        load(data)
    except SpecError:
        return True
    return False


# Alike --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_bad_examples_are_marked_if_an_editor_can_know(name: str) -> None:
    found, wide = [], []
    for file, text in RULES[name].bad.completed().items():
        try:
            data = parse(text, file).data
        except SpecError:  # an editor has its own words for what is not valid YAML
            return
        kind = "block" if "blocks/" in file else "spec"
        wide.append(marked(data, kind))
        found.append(marked(data, "block" if kind == "block" else "project"))
    assert any(wide) is (name in JUDGED)
    assert any(found) is (name in JUDGED | JUDGED_IN_PROJECT)


ALIKE = {
    "stem: [{conv: {channels: 64, kernal: 3}}]": True,
    "stem: [{convv: 64}]": True,
    "stem: {c: {convv: 64}}": True,
    "stem: {c: [{convv: 64}, act]}": True,
    "stem: [relu7]": True,
    "stem: [Conv2d]": True,
    "stem: [{BatchNorm2d: {}}]": True,
    "stem: [{conv: yes}]": True,
    "stem: [{conv: '1_6'}]": True,
    "stem: [{conv_norm: {channels: 8, kernell: 3}}]": True,
    "head: {a: {conv_norm: {channels: 8, kernell: 3}}}": True,
    "stages: {a: {block: basik, channels: 8}}": True,
    "stages: {a: {block: [basic, basik], channels: 8}}": True,
    "stages: {a: {block: basic, channels: 8, out_channels: 8}}": True,
    "stages: {a: {maxpool: 2}}": True,
    "stages: {a: relu7}": True,
    "defaults: {norm: layernorm}\nstem: [norm]": True,
    "defaults: {act: [{siluu: {}}]}\nstem: [act]": True,
    "args: {classes: '10'}": True,
    "stem: [{conv: 64}, norm, act]": False,
    "stem: {c: [{conv: 64}, norm], a: act, n: none}": False,
    "stem: [{conv: 8}, {act: {}}, {norm: {eps: 0.1}}]": False,
    "stages: {a: {block: [basic, basic], channels: 8, repeat: 2}}": False,
    "stages: {a: {max_pool: 2}, b: [{conv: 8}, act], c: {block: basic, channels: 8}}": False,
    "defaults: {norm: {group_norm: 1}}\nstem: [{conv: 8}, {norm: {eps: 0.1}}]": False,
    "blocks: {cell: {body: [{conv: channels}]}}\nstem: [{cell: {channels: 8}}, cell]": False,
    "blocks: {se: {args: {own: 1}, body: [{conv: {channels: channels, kernel: own}}]}}\n"
    "stem: [{se: {own: 3}}]": False,
    # in a spec that extends another
    "extends: resnet18\nstem: [convv]": True,
    "extends: resnet18\nstem: {conv1: {convv: 64}}": True,
    "extends: resnet18\nhead: {extra: relu7}": True,
    "extends: resnet18\nstages: {layer1: {block: basik}}": True,
    "extends: resnet18\nstages: {extra: relu7}": True,
    "extends: resnet18\ndefaults: {act: siluu}": True,
    "extends: resnet18\nstages: {layer1: {attention: se}, layer2: {block: preact_basic}}": False,
    "extends: resnet18\nstem: {conv1: {conv: {kernel: 3}}}\nhead: {extra: relu}": False,
    "extends: resnet18\nblocks: {own: {body: [act]}}\nhead: {extra: own}": False,
    # blocks and names that are called as torch calls a class
    "stem: [{residual: [GELU]}]": True,
    "blocks: {b: {parts: {p: ReLU}, body: [p]}}\nstem: [b]": True,
    "stages: {a: {block: basic, channels: 8, attention: [{Conv2d: 8}]}}": True,
    "defaults: {act: ReLU}\nstem: [act]": True,
    "blocks: {Conv2d: {body: [{conv: channels}]}}\nstem: [{Conv2d: {channels: 8}}, Conv2d]": False,
    "blocks: {GELU: {body: [gelu]}}\nstem: [{residual: [GELU]}]": False,
    "blocks: {Linear: {body: [act]}}\nstages: {a: {block: Linear, channels: 3}}": False,
    "stem: [{residual: [{conv: 3}], name: Conv2d}]": True,  # a residual has no attribute
    "stem: [{conv: 8, name: Conv2d}, act]": False,
    "stem: {Linear: {conv: 8}}": False,
    "stem: [{concat: {Conv2d: {conv: 8}, b: act}}]": False,
    # channels turn by turn
    "stem: [{conv_norm_act: [8, 9], repeat: 2}]": False,
    "stages: {f: [{conv_norm_act: [8, 9], repeat: 2}]}": False,
    "stages: {f: [[{conv_norm_act: []}]]}": True,
    "stages: {f: [{conv: [8]}]}": True,
}


@pytest.mark.parametrize("text", ALIKE)
def test_schema_and_lint_judge_alike(text: str) -> None:
    data = parse(HEAD + text, "net.yaml").data
    assert (marked(data), refused(data)) == (ALIKE[text], ALIKE[text])


VALUES: list[Any] = [None, -1, 1.5, 10**9, True, "x y", "yes", "1_6", "", [], [3], {}, {"zzz": 1}]
VALUES += ["Conv2d", "none", {"conv": 8}, "basic", {"Conv2d": 8}, "zzz"]


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _paths(value, (*path, key))


def _mutant(draw: random.Random, data: Any) -> Any:
    """A spec with one value replaced, or one letter of a key left out or doubled."""
    data = copy.deepcopy(data)
    path = draw.choice([p for p in _paths(data) if p and p[0] not in ("doc", "expect")])
    here = data
    for step in path[:-1]:
        here = here[step]
    key = path[-1]
    if isinstance(key, str) and draw.random() < 0.4:
        at = draw.randrange(len(key))
        here[key[:at] + draw.choice(["", key[at] * 2]) + key[at + 1 :]] = here.pop(key)
    else:
        here[key] = copy.deepcopy(draw.choice(VALUES))
    return data


@pytest.mark.parametrize("name", ["resnet18", "zoo/mobilenet_v2", "zoo/convnext_tiny"])
def test_an_editor_marks_nothing_that_can_be_used(name: str) -> None:
    draw, written = random.Random(name), read(ROOT / f"specs/{name}.yaml").data
    mutants = [_mutant(draw, written) for _ in range(25)]
    assert [m for m in mutants if not refused(m) and marked(m)] == []


# What is offered and shown ------------------------------------------------------------


def offers(schema: Any, *path: str) -> dict[str, str]:
    """The words that are offered for a value, with what is shown of each."""
    for key in path:
        schema = schema[key]
    return {word["const"]: word["description"] for word in schema["anyOf"] if word}


OFFERED = {
    ("properties", "extends"): {"resnet18", "resnet50_a3"},
    ("$defs", "run", "properties", "block"): {"basic", "bottleneck"},
    ("$defs", "words"): {"relu", "act", "norm", "none", "bottleneck", "flatten"},
}


@pytest.mark.parametrize("path", OFFERED)
def test_values_are_offered_with_their_docs(path: tuple[str, ...]) -> None:
    words = offers(validator("spec").schema, *path)
    assert words.keys() >= OFFERED[path]
    assert [word for word, text in words.items() if not 0 < len(text) <= MOST_SHOWN] == []


@pytest.mark.parametrize("name", [*TORCH[:3], *TORCH[-3:], "AdaptiveAvgPool2d"])
def test_the_names_of_torch_are_marked_where_a_layer_stands(name: str) -> None:
    for layer in (name, {name: {}}):
        for data in ({"stem": [layer]}, {"blocks": {"b": {"body": [layer]}}}):
            assert marked({"name": "net", "input": [3, 8, 8], **data}, "spec")
    assert not marked({"name": "net", "input": [3, 8, 8], "stem": [f"my{name}"]}, "spec")


# The blocks of a project --------------------------------------------------------------


@pytest.mark.parametrize("folder", ["blocks", "specs/blocks"])
def test_a_projects_schema_knows_its_blocks(folder: str, project: Project) -> None:
    cell = "doc: A cell of ours.\nargs: {kernel: 3}\nparts: {gate: none}\n"
    project.write(f"{folder}/cell.yaml", f"{cell}body: [{{conv: channels}}, gate]\n")
    said = project.run("schema")
    schema = json.loads(said.out)
    assert offers(schema, "$defs", "run", "properties", "block")["cell"] == "A cell of ours."
    ours = jsonschema.Draft202012Validator(schema)
    for stage, fine in [
        ("{block: cell, channels: 8}", True),
        ("{block: cell, channels: 8, kernel: 5, gate: se}", True),
        ("{block: cell, channels: 8, kernell: 5}", False),
        ("{block: sell, channels: 8}", False),
        ("{block: basic, channels: 8}", True),
    ]:
        data = parse(f"{HEAD}stages: {{a: {stage}}}\n", "net.yaml").data
        assert ours.is_valid(data) is fine
    assert said.code == 0


@pytest.mark.parametrize(
    ("beside", "head", "fine"),
    [("ours", "convv", False), ("resnet18", "convv", True), ("ours", "GELU", True)],
)
def test_a_projects_schema_knows_what_may_be_inherited_and_what_torchs_name_means(
    beside: str, head: str, fine: bool, project: Project
) -> None:
    """A spec beside that hides a shipped one may have any blocks."""
    project.write("specs/blocks/GELU.yaml", "body: [gelu]\n")
    project.spec("blocks: {convv: {body: [{conv: channels}]}}\nstem: [convv]\n", beside)
    ours = jsonschema.Draft202012Validator(json.loads(project.run("schema").out))
    data = parse(f"{HEAD}extends: resnet18\nhead: {{extra: {head}}}\n", "net.yaml").data
    assert ours.is_valid(data) is fine


def test_the_shipped_schema_takes_a_block_that_it_does_not_know(project: Project) -> None:
    """It is for every project, so it only completes names."""
    data = parse(f"{HEAD}stages: {{a: {{block: sell, channels: 8}}}}\n", "net.yaml").data
    assert json.loads(project.run("schema").out) == spec_schema()
    assert not marked(data, "spec")
    assert marked(data, "project")


@pytest.mark.parametrize("text", ["body: {", "args: 3\nbody: []\n", "bodyy: [act]\n", "[]"])
def test_a_block_of_the_project_that_cannot_be_read_is_reported(
    text: str, project: Project
) -> None:
    project.write("blocks/cell.yaml", text)
    said = project.run("schema")
    assert (said.code, said.out) == (1, "")
    assert "blocks/cell.yaml:1" in said.err

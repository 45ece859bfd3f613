"""Models read by the functions of their fields are those that pydantic reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from archspec import resources
from archspec.language import Block, Spec, fields
from archspec.language.fields import Model, Unfit
from archspec.source import read
from archspec.source.extends import resolve

SPECS = sorted([*resources.SPECS.glob("*.yaml"), *resources.ZOO.glob("*.yaml")])
BLOCKS = sorted(resources.BLOCKS.glob("*.yaml"))
NET = {"name": "net", "input": [3, 32, 32]}


def merged(path: Path) -> dict[str, Any]:
    folders = (resources.SPECS, resources.ZOO)
    known = {path.stem: path for folder in folders for path in folder.glob("*.yaml")}
    return resolve(read(path), lambda name, _: read(known[name]))


def by_pydantic(model: type[Model], data: dict[str, Any]) -> Model:
    with fields._as("telling"):
        return model.model_validate(dict(data))


@pytest.mark.parametrize("path", [*SPECS, *BLOCKS], ids=lambda path: path.stem)
def test_both_ways_give_the_same(path: Path) -> None:
    model, data = (Block, read(path)) if path in BLOCKS else (Spec, merged(path))
    with fields._as("reading"):
        quick = model.read(data)
    whole = by_pydantic(model, data)
    assert repr(quick) == repr(whole)
    assert quick.model_fields_set == whole.model_fields_set


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": None},
        {"input": []},
        {"input": [3, 32, 32, 32, 32]},
        {"input": [3, True]},
        {"input": [0, 32]},
        {"input": ["3"]},
        {"input": (3, 32)},
        {"init": "zeros"},
        {"init": []},
        {"expect": [1]},
        {"expect": {"output": [1.5]}},
        {"expect": {"params": -1}},
        {"train": [1]},
        {"class": "lower"},
        {"stages": {"self": {"block": "basic", "channels": 8}}},
        {"stages": {"one": {"block": "basic", "_fields_set": 1, "repeat": []}}},
        {"stages": {f"stage{n}": "act" for n in range(101)}},
        {"blocks": {"cell": {"inline": 1, "body": ["act"]}}},
        {"blocks": {"cell": {"args": {"a": 1}, "parts": {"a": "act"}, "body": ["act"]}}},
        {"stem": [{"residual": ["act"], "drop_path": 2}]},
        {"sten": []},
    ],
    ids=str,
)
def test_both_ways_refuse_the_same(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unfit), fields._as("reading"):
        Spec.read(NET | wrong)
    with pytest.raises(ValidationError) as told:
        Spec.read(NET | wrong)
    with pytest.raises(ValidationError) as whole:
        by_pydantic(Spec, NET | wrong)
    assert told.value.errors() == whole.value.errors()


def test_what_is_deep_and_wrong_is_read_twice_and_no_more() -> None:
    layer: Any = {"conv": -1}
    for _ in range(40):
        layer = {"act": {}, "when": True, "else": layer}
    with pytest.raises(ValidationError):
        Spec.read(NET | {"stem": [layer]})

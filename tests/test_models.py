"""What the models refuse, given as data, and where `load` says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import archspec
from archspec.language import Spec

NET = {"name": "net", "input": [3, 32, 32]}

#: A wrong section; the rule of its first finding, and what that points at.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"input": None}, "wrong-type", "null"),
    ({"input": []}, "out-of-range", "[]"),
    ({"input": [3, 32, 32, 32, 32]}, "out-of-range", "[3, 32, 32, 32, 32]"),
    ({"input": [3, True]}, "wrong-type", "true"),
    ({"input": [0, 32]}, "out-of-range", "0"),
    ({"input": ["3"]}, "wrong-type", '"3"'),
    ({"init": "zeros"}, "out-of-range", '"zeros"'),
    ({"init": []}, "wrong-type", "[]"),
    ({"expect": [1]}, "wrong-type", "[1]"),
    ({"expect": {"output": [1.5]}}, "wrong-type", "1.5"),
    ({"expect": {"params": -1}}, "wrong-type", "-1"),
    ({"train": [1]}, "wrong-type", "[1]"),
    ({"class": "lower"}, "bad-name", '"lower"'),
    ({"stages": {"self": {"block": "basic", "channels": 8}}}, "bad-name", '"self"'),
    (
        {"stages": {"one": {"block": "basic", "_fields_set": 1, "repeat": []}}},
        "unknown-key",
        '"_fields_set"',
    ),
    ({"stages": {f"stage{n}": "act" for n in range(101)}}, "out-of-range", '{"stage0"'),
    ({"blocks": {"cell": {"inline": 1, "body": ["act"]}}}, "wrong-type", "1"),
    (
        {"blocks": {"cell": {"args": {"a": 1}, "parts": {"a": "act"}, "body": ["act"]}}},
        "bad-name",
        '"a"',
    ),
    ({"stem": [{"residual": ["act"], "drop_path": 2}]}, "out-of-range", "2"),
    ({"sten": []}, "unknown-key", '"sten"'),
]


@pytest.mark.parametrize(("wrong", "rule", "pointed"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_value_is_refused(
    wrong: dict[str, Any], rule: str, pointed: str, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate(NET | wrong)
    text = json.dumps(NET | wrong)
    (tmp_path / "net.yaml").write_text(text)
    with pytest.raises(archspec.SpecError) as refused:
        archspec.load(tmp_path / "net.yaml")
    first = refused.value.diagnostics[0]
    assert first.rule == rule
    assert first.span is not None
    assert first.span.line == 1
    assert text[first.span.column - 1 : first.span.end_column - 1].startswith(pointed)


def test_a_tuple_is_no_list() -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate(NET | {"input": (3, 32)})


def test_what_is_deep_and_wrong_is_refused_in_good_time() -> None:
    layer: Any = {"conv": -1}
    for _ in range(40):
        layer = {"act": {}, "when": True, "else": layer}
    with pytest.raises(ValidationError):
        Spec.model_validate(NET | {"stem": [layer]})

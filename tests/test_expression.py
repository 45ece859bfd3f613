"""Nodes of expressions are values: equal by content and by type, hashable, sent to processes."""

from __future__ import annotations

import pickle

import pytest

from archspec.expression import Name, Number, folded, parse, source

TEXTS = ("1", "true", "width // 4", "max(8, width)", "width if a > 1 else -b", "a and not b")


@pytest.mark.parametrize("text", TEXTS)
def test_equal_by_content(text: str) -> None:
    tree = parse(text)
    again = pickle.loads(pickle.dumps(tree))
    assert again == tree
    assert hash(again) == hash(tree)
    assert {other for other in TEXTS if parse(other) == tree} == {text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flag and 2 > 1", "flag"),
        ("flag and 1 + 1 < 2", "False"),
        ("2 > 3 or flag or depth > 1", "flag or depth > 1"),
        ("flag or 2 > 1", "True"),
        ("1 > 2 or 2 > 3", "False"),
        ("not (flag and 2 > 1)", "not flag"),
        ("not 1 > 2", "True"),
        ("depth > 1", "depth > 1"),
    ],
)
def test_constant_parts_of_a_condition_are_folded(text: str, expected: str) -> None:
    assert source(folded(parse(text))) == expected


def test_true_is_not_one() -> None:
    """In a spec, `bias: true` and `bias: 1` are two things."""
    assert Number(True) != Number(1)
    assert Number(False) != Number(0)
    assert Number(1) == Number(1)


def test_a_name_is_the_same_wherever_it_is_written() -> None:
    assert Name("width", 3) == Name("width", 8)
    assert hash(Name("width", 3)) == hash(Name("width"))


def test_nothing_changes_a_node() -> None:
    with pytest.raises(AttributeError):
        Number(1).value = 2  # type: ignore[misc]

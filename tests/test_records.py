"""Records: immutable dataclasses that share their methods."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from archspec.records import Record


class Point(Record):
    x: int
    y: int = 0
    note: Any = field(default=None, compare=False, repr=False)
    names: dict[str, int] = field(default_factory=dict, compare=False, repr=False)


class Solid(Point):
    z: int = 0
    rank: int = field(kw_only=True, default=3)


class Corner(Solid):
    """It adds no field."""


class Place(Record, eq=False):
    x: int


def test_fields_are_those_of_a_dataclass() -> None:
    assert [f.name for f in fields(Solid)] == ["x", "y", "note", "names", "z", "rank"]
    assert Solid.__match_args__ == ("x", "y", "note", "names", "z")
    solid = Solid(1, z=4, rank=2)
    assert vars(solid) == {"x": 1, "y": 0, "note": None, "names": {}, "z": 4, "rank": 2}
    assert replace(solid, y=5) == Solid(1, 5, z=4, rank=2)
    assert fields(Corner) == fields(Solid)
    assert repr(Corner(1)) == "Corner(x=1, y=0, z=0, rank=3)"
    assert repr(Point(1, note=2)) == "Point(x=1, y=0)"


def test_a_subclass_says_how_it_is_compared() -> None:
    class Town(Place):
        size: int = 0

    assert Place(1) != Place(1)
    assert Town(1) == Town(1)
    assert hash(Town(1)) == hash(Town(1))


def test_each_record_has_its_own_default() -> None:
    assert Point(1).names is not Point(1).names


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((), {"y": 1}), ((1,), {"x": 1}), ((1,), {"w": 1})]
)
def test_wrong_arguments_are_rejected(values: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Point(*values, **named)


def test_too_many_values_are_rejected() -> None:
    with pytest.raises(TypeError):
        Place(1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Solid(1, 0, None, {}, 0, 3)  # type: ignore[misc]


def test_records_are_equal_by_content_and_class() -> None:
    assert Point(1) == Point(1, 0, note="other")
    assert hash(Point(1)) == hash(Point(1, 0))
    assert Point(1) != Point(2)
    assert Point(1) != Solid(1)
    assert Corner(1) == Corner(1) != Solid(1)
    assert Place(1) != Place(1)
    place = Place(1)
    assert {place: 1}[place] == 1


def test_records_are_immutable() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert point == Point(1)


def test_records_are_copied_and_pickled() -> None:
    solid = Solid(1, names={"a": 1}, rank=2)
    for other in (copy.copy(solid), pickle.loads(pickle.dumps(solid))):
        assert other == solid
        assert vars(other) == vars(solid)

"""The page of benchmarks is what its data says."""

from __future__ import annotations

import json

import pytest

from rounds import Taken, page, row
from support import ROOT


def test_a_ratio_is_that_of_one_round() -> None:
    base = [Taken(2.0, 3.0), Taken(4.0, 5.0), Taken(20.0, 30.0)]
    found = row("faster", [Taken(1.0, 1.0), Taken(2.0, 2.0), Taken(5.0, 9.0)], base)
    assert (found["ratio"], found["cpu_ms"], found["wall_ms"]) == (2, 2000, 2000)
    assert found["low"] == 2 <= found["high"] == pytest.approx(4)


def test_the_page_shows_its_data() -> None:
    data = json.loads((ROOT / "docs" / "benchmarks.json").read_text("utf-8"))
    assert page(data) == (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for group in data["groups"]:
        named = {row["name"]: row for row in group["rows"]}
        assert named[group["base"]]["ratio"] == 1
        assert f"**{group['base'].split()[0]}" in group["note"] or "import torch" in group["base"]

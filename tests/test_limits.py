"""What a hostile spec may cost: each limit has a finding of its own, at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archspec.diagnostics import Diagnostic, did_you_mean
from archspec.expand import expand_network
from archspec.expand.budget import MOST_LAYERS, MOST_STEPS, Room
from archspec.files import MAX_BYTES
from archspec.language import load
from archspec.language.limits import MOST_CHARACTERS, characters
from archspec.language.widths import MOST_BLOCKS
from archspec.lint.many import check_path
from archspec.source.findings import MAX_FINDINGS
from support import ROOT
from support.bombs import BOMBS, CONV, SPEC, Files, cut, nested, net, one_block

MARGIN = 3  # times what the largest network needs that is shipped


def write(files: Files, folder: Path) -> Path:
    (folder / "pyproject.toml").touch()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder / "net.yaml"


def findings(files: Files, folder: Path) -> tuple[Diagnostic, ...]:
    return check_path(str(write(files, folder))).checked.findings


def lines(text: str) -> Files:
    return {"net.yaml": f"name: net\ninput: [8, 8, 8]\n{text}"}


def unequal(block: str) -> Files:
    return lines(f"stages:\n  s: {{block: {block}, repeat: 900, channels: 256 * (1 + index)}}\n")


def extended(size: int) -> Files:
    """A spec that extends three of this many bytes each."""
    files = lines("extends: a\n")
    for name, base in (("a", "b"), ("b", "c"), ("c", "")):
        said = SPEC | {"name": name} | ({"extends": base} if base else {})
        files[f"{name}.yaml"] = json.dumps(said) + "\n#" + "x" * size
    return files


def with_blocks(size: int) -> Files:
    files = lines(
        "stages:\n" + "".join(f"  s{n}: {{block: b{n}, channels: 8}}\n" for n in range(2))
    )
    body = json.dumps({"body": CONV}) + "\n#" + "x" * size
    return files | {f"blocks/b{n}.yaml": body for n in range(2)}


TERMS = "1000 + " * 27 + "1000000"  # 196 characters


def with_expressions(count: int) -> Files:
    """Two blocks with so many long expressions each."""
    files = with_blocks(0)
    body = "body:\n" + f"  - conv: {TERMS}\n" * count + "  - conv: channels\n"
    return files | {f"blocks/b{n}.yaml": body for n in range(2)}


TOO_MUCH: dict[str, tuple[Files, str, int, str]] = {
    "steps": (unequal("bottleneck"), f"more than {MOST_STEPS:,} steps", 4, "net.yaml"),
    "steps of blocks that hold nothing": (nested(30, [], lambda b: [b, b], inline=True),
        f"more than {MOST_STEPS:,} steps", 1, "net.yaml"),
    "layers": (nested(30, CONV, lambda b: [b, b]), f"more than {MOST_LAYERS:,} layers", 1,
        "net.yaml"),
    "blocks": (lines("stages:\n  s: {block: basic, repeat: 600}\n  t: {block: se, repeat: 600}\n"),
        f"more than {MOST_BLOCKS:,} blocks", 4, "net.yaml"),
    "bytes that are extended": (extended(MAX_BYTES // 2),
        f"the base specs of this spec exceed {MAX_BYTES:,} bytes in total", 1, "a.yaml"),
    "bytes of blocks": (with_blocks(MAX_BYTES // 2),
        f"the blocks that this spec uses exceed {MAX_BYTES:,} bytes in total", 1, "b1.yaml"),
    "expressions": (lines("stem:\n" + f"  - conv: {TERMS}\n" * 511),
        f"the expressions of this spec exceed {MOST_CHARACTERS:,} characters", 514,
        "net.yaml"),
    "expressions of blocks": (with_expressions(256),
        f"of the blocks that this spec uses exceed {MOST_CHARACTERS:,} characters", 256,
        "b1.yaml"),
    "an expression": (lines("stem:\n  - conv: " + "8 + " * 50 + "8\n"), "too long", 4, "net.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_limit(name: str, tmp_path: Path) -> None:
    files, message, line, file = TOO_MUCH[name]
    found = [d for d in findings(files, tmp_path) if message in d.message]
    assert len(found) == 1
    assert found[0].severity == "error"
    assert found[0].hint or found[0].rule in ("expression", "too-large")
    assert found[0].span
    assert (Path(found[0].span.file).name, found[0].span.line) == (file, line)


def test_a_chain_is_told_with_the_lines_that_lead_to_it(tmp_path: Path) -> None:
    (found,) = findings(extended(MAX_BYTES // 2), tmp_path)
    assert [Path(label.span.file).name for label in found.labels] == ["net.yaml"]


def test_a_block_with_findings_is_read_once(tmp_path: Path) -> None:
    """It was counted again for each use, until the blocks were told to be too large."""
    wrong = json.dumps({"body": CONV, "argz": 1}) + "\n#" + "x" * (MAX_BYTES // 2)
    files = lines("stem: [b, b, b]\n") | {"blocks/b.yaml": wrong}
    assert {d.rule for d in findings(files, tmp_path)} == {"unknown-key"}


def test_what_is_just_small_enough(tmp_path: Path) -> None:
    assert not findings(extended(MAX_BYTES // 4), tmp_path)
    assert not findings(with_blocks(MAX_BYTES // 4), tmp_path)


@pytest.mark.parametrize("name", ["cifar_preresnet1001", "ecaresnet101d_pruned", "resnetrs420"])
def test_the_largest_networks_are_far_from_the_limits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Room(MOST_STEPS // MARGIN, MOST_LAYERS // MARGIN)
    monkeypatch.setattr("archspec.expand.network.ROOM", small)
    assert expand_network(load(ROOT / "specs" / "zoo" / f"{name}.yaml"))


def test_no_shipped_spec_is_near_the_limit_of_expressions() -> None:
    specs = [*(ROOT / "specs").glob("*.yaml"), *(ROOT / "specs" / "zoo").glob("*.yaml")]
    most = max(characters(load(path).document, path.name) for path in specs)
    assert 500 < most < MOST_CHARACTERS / 50


def test_findings_of_one_rule_are_closed_by_how_many_more_there_are(tmp_path: Path) -> None:
    files = lines("stem:\n" + "  - relu\n" * (MAX_FINDINGS + 31))
    *first, last = [d for d in findings(files, tmp_path) if d.rule == "no-op-layer"]
    assert len(first) == MAX_FINDINGS
    assert last.message == "and 30 more of this rule in this file"
    assert last.severity == "warning"
    assert last.span
    assert last.span.line == 4 + MAX_FINDINGS + 1


MANY: dict[str, dict[str, Any]] = {
    "unknown keys": {f"sten{n}": 1 for n in range(300)},
    "unknown layers": {"stem": [{f"convv{n}": 1} for n in range(300)]},
    "unknown arguments": {"stem": [{"conv": {f"kernal{n}": 1}} for n in range(300)]},
    "wrong ops": {"names": {f"conw{n}": "a" for n in range(300)}},
    "wrong stages": {"stages": {f"s{n}": {"block": ["basic", 1], "x": 1} for n in range(99)}},
}


@pytest.mark.parametrize("name", MANY)
def test_a_file_full_of_mistakes_has_a_few_findings(name: str, tmp_path: Path) -> None:
    found = findings(net(**MANY[name]), tmp_path)
    assert 90 < len(found) <= 2 * MAX_FINDINGS
    assert all(d.span for d in found)


def test_so_many_arguments_of_a_block_are_told_as_too_many(tmp_path: Path) -> None:
    found = findings(one_block(CONV, {f"x{n}": 1 for n in range(500)}), tmp_path)
    assert len(found) <= MAX_FINDINGS + 2


def test_a_suggestion_among_very_many_begins_alike() -> None:
    many = [f"word{n}" for n in range(1000)]
    assert did_you_mean("kernal", [*many, "kernel"]).instead == "kernel"
    assert not did_you_mean("zernel", [*many, "kernel"])
    assert not did_you_mean("a" * 1000, ["a" * 999]).instead


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_stops_the_linter(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each at a part of its size: `benchmarks/hostile.py` runs them in full, and measures them."""
    monkeypatch.setattr("archspec.expand.network.ROOM", Room(MOST_STEPS // 10, MOST_LAYERS // 10))
    assert all(d.span for d in findings(cut(BOMBS[name](), 100), tmp_path))


@pytest.mark.parametrize("inline", ["", "inline: true, "], ids=["classes", "inline"])
def test_a_chain_of_blocks_is_deep_and_no_cycle(inline: str, tmp_path: Path) -> None:
    chain = [f"  b{n}: {{{inline}body: [b{n + 1}]}}" for n in range(200)]
    text = "\n".join(["name: net", "input: [3, 8, 8]", "stem: [{conv: 8}, b0]", "blocks:", *chain])
    path = tmp_path / "net.yaml"
    path.write_text(f"{text}\n  b200: {{body: [act]}}\n")
    (found,) = check_path(str(path)).checked.findings
    assert (found.rule, found.span and found.span.line) == ("too-large", 3)
    assert found.message == "blocks and layers are nested more than 48 deep"
    path.write_text(f"{text}\n  b200: {{body: [b199]}}\n")
    (found,) = check_path(str(path)).checked.findings
    assert found.rule == "too-large"

"""`--fix`: the text changes where the fix says, and nowhere else."""

from __future__ import annotations

import io
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archspec.diagnostics import Edit, Span
from archspec.lint.fixes import edited, fix_text
from archspec.lint.settings import Settings
from archspec.rules import RULES
from support.linting import HEAD, Project

#: Before and after, below the two lines `name` and `input`.
FIXES = {
    "a typo in a key": (
        "stem:  # the stem\n  conv1: {conv: {kernal: 3, channels: 16}}  # 日本\n",
        "stem:  # the stem\n  conv1: {conv: {kernel: 3, channels: 16}}  # 日本\n",
    ),
    "a typo in a quoted key": ('"stam": {bn1: norm}\n', "stem: {bn1: norm}\n"),
    "a typo in an op": ("stem: [{cov: 8}, nrm]\n", "stem: [{conv: 8}, norm]\n"),
    "torch's name of an op": (
        "stem: [{Conv2d: 8}, {MaxPool2d: 2}]\n",
        "stem: [{conv: 8}, {max_pool: 2}]\n",
    ),
    "a typo in a default": (
        "defaults: {convv: {bias: true}}\nstem: {c1: {conv: 8}}\n",
        "defaults: {conv: {bias: true}}\nstem: {c1: {conv: 8}}\n",
    ),
    "typos in keys of a stage": (
        "stages:\n  a: {blok: basic, repaet: 2, channels: 8}  # why\n",
        "stages:\n  a: {block: basic, repeat: 2, channels: 8}  # why\n",
    ),
    "a typo in what stands beside a layer": (
        "stem: [{conv: 8, whne: true, nmae: c1}]\n",
        "stem: [{conv: 8, when: true, name: c1}]\n",
    ),
    "torch's name": (
        "stem: {c1: {conv: {channels: 8, kernel_size: 3}}}\n",
        "stem: {c1: {conv: {channels: 8, kernel: 3}}}\n",
    ),
    "a redundant bias": (
        "stem:\n  - conv: {channels: 16, bias: true, kernel: 3}  # why\n  - norm\n",
        "stem:\n  - conv: {channels: 16, kernel: 3}  # why\n  - norm\n",
    ),
    "a suppression without use, behind a value": (
        "stem: {c1: {conv: 8}}  # archspec: ignore[AS304] old\n",
        "stem: {c1: {conv: 8}}\n",
    ),
    "a suppression without use, on its own line": (
        "# first\n# archspec: ignore[AS304] old\nstem: {c1: {conv: 8}}\n",
        "# first\nstem: {c1: {conv: 8}}\n",
    ),
    "one of two suppressions without use": (
        "stem:\n  # archspec: ignore[AS303, AS402] pruned\n  c1: {conv: 100}\n  bn1: norm\n",
        "stem:\n  # archspec: ignore[AS402] pruned\n  c1: {conv: 100}\n  bn1: norm\n",
    ),
    "one fix that shows the next": (
        "stem: {c1: {conv: {channels: 8, bias: true, kernal: 3}}, bn1: norm}\n",
        "stem: {c1: {conv: {channels: 8, kernel: 3}}, bn1: norm}\n",
    ),
    "Python's word for no layer": ("stem: [{conv: 8}, None]\n", "stem: [{conv: 8}, none]\n"),
    "a typo in a modifier of `sequence`": (
        "stem: [{sequence: {a: {conv: 8}}, numberd: true}]\n",
        "stem: [{sequence: {a: {conv: 8}}, numbered: true}]\n",
    ),
    "a typo in an op whose argument is also the name of a layer type": (
        "stem: [{conv: 8}, {upsamle: {scale: 2}}]\n",
        "stem: [{conv: 8}, {upsample: {scale: 2}}]\n",
    ),
    "Windows' line ends": (
        "stem:\r\n  c1: {conv: {channels: 8, kernal: 3}}\r\n",
        "stem:\r\n  c1: {conv: {channels: 8, kernel: 3}}\r\n",
    ),
}


@pytest.mark.parametrize("kind", FIXES)
def test_fix(kind: str, project: Project) -> None:
    before, after = FIXES[kind]
    project.spec(before)
    assert "[*]" in project.lint().out
    said = project.lint("--fix")
    assert project.read() == after
    assert "fixed" in said.out
    assert "can be fixed" not in project.lint("--format", "full").out
    assert "0 fixed" not in project.lint("--fix").out
    assert project.read() == after


@pytest.mark.parametrize("kind", FIXES)
def test_diff_writes_nothing(kind: str, project: Project) -> None:
    before, after = FIXES[kind]
    project.spec(before)
    said = project.lint("--diff")
    assert project.read() == before
    assert said.code == 1
    assert said.out.startswith("--- a/specs/net.yaml\n+++ b/specs/net.yaml\n")
    removed, added = (
        [line[1:] for line in said.lines if line.startswith(sign) and line[:3] != sign * 3]
        for sign in "-+"
    )
    assert set(removed) - set(before.splitlines()) == set()
    assert set(added) - set(after.splitlines()) == set()


def test_of_two_fixes_the_one_that_is_refused_is_not_counted(project: Project) -> None:
    project.spec("defaults: {Gelu: {}}\nstem: [{cnov: 8}]\n")
    gelu, conv, end = project.lint().lines
    assert "[*]" not in gelu
    assert "[*]" in conv
    assert end.endswith("1 can be fixed with `--fix`")
    fixes = [finding["fix"] for finding in project.lint("--format=json").data["findings"]]
    assert [bool(fix) for fix in fixes] == [False, True]
    assert project.lint("--fix").lines[-1] == "1 error in 1 of 1 spec (1 fixed)"


def test_diff_with_nothing_to_fix(project: Project) -> None:
    project.spec("stem: {c1: {conv: 8}}\n")
    said = project.lint("--diff")
    assert (said.code, said.out, said.err) == (0, "", "nothing to fix\n")


@pytest.mark.parametrize(
    "text",
    [
        "stem: {c1: {conv: {channels: 8, stride: 2, strid: 2}}}\n",  # would be there twice
        "stem: {c1: {conv: {channels: 8, padding_m: 2}}}\n",  # padding or padding_mode?
        "stem: {c1: {conv: {channels: 8, xyz: 2}}}\n",
    ],
)
def test_what_is_not_safe_is_left(project: Project, text: str) -> None:
    project.spec(text)
    assert project.lint("--fix").code == 1
    assert project.read() == text


def test_only_files_that_are_linted_change(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body: [{conv: {channels: 8, bias: true}}, norm]\n")
    project.spec("stem: {cell: cell}\n")
    block = project.folder / "specs/blocks/cell.yaml"
    before = block.read_text("utf-8")
    project.lint("--fix", "specs/net.yaml")
    assert block.read_text("utf-8") == before
    project.lint("--fix")
    assert block.read_text("utf-8") == "body: [{conv: {channels: 8}}, norm]\n"


def test_permissions_links_and_byte_order_marks_stay(project: Project) -> None:
    text = "\ufeff" + HEAD.format(name="net") + "stem: {c1: {cov: 8}}\n"
    target = project.write("elsewhere.yaml", text)
    target.chmod(0o640)
    link = project.folder / "specs/net.yaml"
    link.parent.mkdir()
    link.symlink_to(target)
    assert project.lint("--fix", "specs/net.yaml").code == 0
    assert link.is_symlink()
    assert target.read_bytes() == text.replace("cov", "conv").encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(p.name for p in project.folder.iterdir()) == ["elsewhere.yaml", "specs"]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Gives what standard input holds."""

    def give(text: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    return give


def test_what_standard_input_holds_is_written_mended(
    project: Project, typed: Callable[[bytes], None]
) -> None:
    before = "\ufeffname: net\r\ninput: [3, 8, 8]\r\nstem: [{cov: 8}, nosuch]\r\n".encode()
    typed(before)
    said = project.lint("-", "--fix", "--stdin-filename", "specs/net.yaml")
    assert said.code == 1
    assert said.out.encode() == before.replace(b"cov", b"conv")
    assert "specs/net.yaml:3:19: AS120 [unknown-layer]" in said.err
    assert "(1 fixed)" in said.err
    typed(before)
    said = project.lint("-", "--diff")
    assert said.code == 1
    assert said.out.startswith("--- a/stdin.yaml\n+++ b/stdin.yaml\n")
    assert said.err == "1 would be fixed\n"


def test_a_text_that_cannot_be_read_stays_as_it_is() -> None:
    report, text, diff = fix_text(b"name: \xff\n", "", Settings())
    assert [finding.diagnostic.rule for finding in report.findings] == ["not-utf8"]
    assert (text, diff) == (b"name: \xff\n", "")


def test_edits_are_made_last_first() -> None:
    edits = [Edit(Span("f", 1, 1, 1, 2), "AA"), Edit(Span("f", 2, 2, 3, 1), "")]
    assert edited("a b\r\ncd\nef", edits) == "AA b\r\ncef"


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.fixable])
def test_the_bad_example_of_a_rule_is_fixed(name: str, project: Project) -> None:
    for path, text in RULES[name].bad.completed().items():
        project.write(f"specs/{path}", text)
    assert f"[{name}]" in project.lint().out
    project.lint("--fix")
    assert f"[{name}]" not in project.lint().out


def test_no_shipped_file_is_ever_changed(project: Project) -> None:
    from archspec.resources import BLOCKS

    before = {path: path.read_bytes() for path in Path(BLOCKS).glob("*.yaml")}
    project.spec("stages: {l1: {block: basic, channels: 8}}\ndefaults: {conv: {bias: true}}\n")
    project.lint("--fix")
    assert {path: path.read_bytes() for path in Path(BLOCKS).glob("*.yaml")} == before


@pytest.mark.parametrize(
    "slip",
    [
        "stem: {c1: {conv: {channels:64}}}\n",
        "stem: {c1: {conv: {channels: 64, kernel 7}}}\n",
        "stem: {c1: {conv: {channels: 64, kernel 7: 3}}}\n",
        "stem: {c1: {conv: {channels: 64, strides:2, dilation :1}}}\n",
        "stem: [conv:64]\n",
        "stages: {a: {block: basic, channels: 64, repeat:2}}\n",
    ],
)
def test_no_fix_loses_a_value(slip: str, project: Project) -> None:
    project.spec(slip)
    assert project.lint("--fix").code == 1
    assert project.read() == slip

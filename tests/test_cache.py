"""Files that have not changed are not read again, and nothing else is believed of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archspec import resources
from archspec.lint import cache as caches, formats
from archspec.lint.check import check_text
from archspec.lint.checked import Checked
from archspec.lint.settings import Settings
from support.linting import Project

CLEAN = "stem: [{conv: 8}, norm, act]\n"
WARNED = "stem: [{conv: {channels: 8, bias: true}}, norm, act]\n"
BASE = "name: base\ninput: [3, 32, 32]\nstem: [{conv_norm: {channels: 8}}, {cell: {}}]\n"
RUN = "import sys\nfrom archspec.cli import main\ncode = main({args!r})\n"
HEAVY = ("torch", "jinja2", "rich")
WARM = (*HEAVY, "pydantic", "yaml", "dataclasses", "archspec.rules", "archspec.source")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are really checked."""
    done: list[str] = []

    def check(text: bytes, file: str, **shared: Any) -> Checked:
        done.append(file)
        return check_text(text, file, **shared)

    monkeypatch.setattr("archspec.lint.many.check_text", check)
    return done


def imported(project: Project, *args: str) -> set[str]:
    """What a run imports, in a process of its own."""
    code = RUN.format(args=["lint", *args]) + "print(*sys.modules)\nsys.exit(code)\n"
    command = [sys.executable, "-I", "-S", "-c", f"import sys\nsys.path[:] = {sys.path!r}\n{code}"]
    said = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True)
    return set(said.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("text", [CLEAN, WARNED], ids=["clean", "warning"])
def test_what_has_not_changed_is_told_without_heavy_libraries(project: Project, text: str) -> None:
    project.spec(text)
    project.write("archspec.toml", 'exclude = ["old"]\n')
    project.lint()
    assert not imported(project).intersection(WARM)


@pytest.mark.parametrize("form", formats.names())
@pytest.mark.parametrize(
    "text",
    [CLEAN, WARNED, "stem: [cnov: 8]\n", f"{CLEAN}\n# archspec: ignore[AS304]\n", "stem: ["],
    ids=["clean", "warning", "error", "comment", "syntax"],
)
def test_the_same_is_said_again(project: Project, text: str, form: str, checks: list[str]) -> None:
    project.spec(text)
    project.spec(CLEAN, "other")
    first, again = project.lint(f"--format={form}"), project.lint(f"--format={form}")
    assert len(checks) == 2
    assert first == again == project.lint(f"--format={form}", "--no-cache")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.spec(CLEAN.replace("8", "16")),
        lambda p: p.write("specs/base.yaml", BASE.replace("32, 32", "64, 64")),
        lambda p: p.write("specs/blocks/cell.yaml", "body: [{conv: 16}, norm]\n"),
        lambda p: p.write("specs/blocks/conv_norm.yaml", "body: [{conv: 16}, norm]\n"),
        lambda p: (p.folder / "specs/blocks/cell.yaml").unlink(),
    ],
    ids=["its text", "its base", "its block", "a block that hides a shipped one", "no block"],
)
def test_what_a_file_depends_on(
    project: Project, change: Callable[[Project], object], checks: list[str]
) -> None:
    project.write("specs/base.yaml", BASE)
    project.write("specs/blocks/cell.yaml", "body: [{conv: 8}, norm]\n")
    project.write("specs/net.yaml", "name: net\nextends: base\n")
    project.lint()
    checks.clear()
    project.lint()
    assert checks == []
    change(project)
    changed, anew = project.lint(), project.lint("--no-cache")
    assert checks
    assert changed == anew


def test_a_file_that_hides_the_shipped_base(project: Project, checks: list[str]) -> None:
    project.write("specs/net.yaml", "name: net\nextends: resnet18\n")
    project.lint()
    project.write("specs/resnet18.yaml", "name: resnet18\nextends: nothing\n")
    checks.clear()
    assert project.lint("specs/net.yaml").code == 1
    assert checks == ["specs/net.yaml"]


def test_settings_are_no_part_of_what_is_kept(project: Project) -> None:
    project.spec(WARNED)
    assert project.lint("--strict").code == 1
    assert project.lint("--strict", "--ignore=redundant-bias").code == 0
    project.write("archspec.toml", "strict = true\n")
    assert project.lint().code == 1
    project.write("archspec.toml", 'strict = true\nignore = ["redundant-bias"]\n')
    assert project.lint().code == 0
    project.write("archspec.toml", 'ignore = ["AS999"]\n')
    assert project.lint().code == 2


def test_another_archspec_believes_nothing(
    project: Project, checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.spec(CLEAN)
    project.lint()
    monkeypatch.setattr(caches, "stamp", lambda: "another")
    project.lint()
    assert checks == ["specs/net.yaml"] * 2


def test_without_a_cache_none_is_read_or_written(project: Project, checks: list[str]) -> None:
    project.spec(CLEAN)
    project.lint("--no-cache")
    assert not (project.folder / ".archspec_cache").exists()
    project.lint()
    project.lint("--no-cache")
    assert len(checks) == 3


def test_the_folder_keeps_itself_out_of_repositories(project: Project) -> None:
    project.spec(CLEAN)
    project.lint()
    folder = project.folder / ".archspec_cache"
    assert (folder / ".gitignore").read_text() == "*\n"
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f")


def entry_of(project: Project) -> tuple[Path, dict[str, object]]:
    (file,) = (project.folder / ".archspec_cache").glob("??.json")
    (entry,) = json.loads(file.read_text())["files"].values()
    return file, entry


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "\ufffd",
        '{"version": 1}',
        "[" * 100_000,
        '{"files": {}, "stamp": "x", "version": 1}',
    ],
)
def test_a_damaged_cache_is_none(project: Project, damage: str, checks: list[str]) -> None:
    project.spec(WARNED)
    said = project.lint()
    file, _ = entry_of(project)
    file.write_text(damage)
    assert project.lint() == said
    assert len(checks) == 2


FOREIGN = Path(__file__).as_posix()
AT = ["specs/net.yaml", 1, 1, 1, 2]


def forged(
    findings: object = (), comments: object = (), complete: object = True, name: object = None
) -> list[object]:
    return ["specs/net.yaml", findings, comments, complete, name, False, ""]


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        forged()[:-1],
        ["specs/other.yaml", *forged()[1:]],
        forged(1),
        forged([[]]),
        forged([["nothing", "m", AT, "", [], "error", None]]),
        forged([["no-op-layer", "m", [FOREIGN, 1, 1, 1, 2], "", [], "error", None]]),
        forged([["no-op-layer", "m", AT[:3], "", [], "error", None]]),
        forged([["no-op-layer", "m", [*AT[:4], 0], "", [], "error", None]]),
        forged([["no-op-layer", 5, AT, "", [], "error", None]]),
        forged([["no-op-layer", "m", AT, "", [], "fatal", None]]),
        forged([["no-op-layer", "m", AT, "", [[[FOREIGN, 1, 1, 1, 2], ""]], "error", None]]),
        forged(comments=[[AT, [], "", ["1"]]]),
        forged(complete=1),
        forged(name=["net", [FOREIGN]]),
        forged(name=["net", [FOREIGN, 1, 1, 1, 2]]),
    ],
)
def test_a_forged_entry_is_none(project: Project, value: object, checks: list[str]) -> None:
    project.spec(WARNED)
    said = project.lint()
    file, entry = entry_of(project)
    whole = json.loads(file.read_text())
    (key,) = whole["files"]
    whole["files"][key] = {**entry, "value": value}
    file.write_text(json.dumps(whole))
    assert project.lint() == said
    assert len(checks) == 2


@pytest.mark.parametrize(
    "codes", [{}, {"no-op-layer": 1}, {"redundant-bias": "\x1b[2J"}, {"a b": "AS999"}]
)
def test_forged_names_of_rules_are_none(project: Project, codes: object) -> None:
    project.spec(WARNED)
    said = project.lint()
    file = project.folder / ".archspec_cache" / "rules.json"
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({**whole, "files": codes}))
    assert project.lint() == said


@pytest.mark.parametrize(
    "change", [{"strict": 0}, {"format": "../x"}, {"ignore": [["AS304"]]}, {"paths": "specs"}]
)
def test_forged_settings_are_none(project: Project, change: dict[str, object]) -> None:
    project.spec(WARNED)
    project.write("archspec.toml", 'format = "concise"\n')
    said = project.lint()
    for file in (project.folder / ".archspec_cache").glob("??.json"):
        whole = json.loads(file.read_text())
        for entry in whole["files"].values():
            if len(entry["value"]) == len(Settings._fields):
                settings = dict(zip(Settings._fields, entry["value"], strict=True))
                entry["value"] = list((settings | change).values())
        file.write_text(json.dumps(whole))
    assert project.lint() == said


def test_settings_change_with_what_their_paths_lead_to(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.spec(CLEAN)
    project.write("archspec.toml", 'paths = ["specs"]\n')
    assert project.lint().code == 0
    outside = tmp_path_factory.mktemp("outside")
    (project.folder / "specs").rename(outside / "specs")
    (project.folder / "specs").symlink_to(outside / "specs")
    assert "is not in the project" in project.lint().err


def test_of_shipped_specs_those_count_that_were_seen(project: Project) -> None:
    project.write("specs/net.yaml", "name: net\nextends: resnet18\n")
    project.lint()
    kept = [path.read_text() for path in project.folder.glob(".archspec_cache/??.json")]
    seen = {
        path
        for text in kept
        for entry in json.loads(text)["files"].values()
        for path in entry["seen"]
    }
    assert {str(resources.SPECS / "resnet18.yaml"), str(resources.BLOCKS / "basic.yaml")} <= seen
    assert str(resources.SPECS / "resnet50.yaml") not in seen


def test_fix_looks_at_the_files(project: Project) -> None:
    project.spec(WARNED)
    project.lint()
    assert project.lint("--fix").code == 0
    assert "bias" not in project.read()
    assert project.lint() == project.lint("--no-cache")


def test_the_same_archspec_on_another_machine_believes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes and times of change are in the image of a container, for all to read."""
    project.write("archspec/templates/a.jinja", "")
    file = project.write("archspec/a.py", "")
    monkeypatch.setattr(caches, "PACKAGE", str(file.parent))
    before = caches.stamp()
    status = file.stat()
    file.unlink()
    project.write("archspec/a.py", "")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_mtime_ns == status.st_mtime_ns
    assert caches.stamp() != before


def test_what_another_has_written_is_not_even_parsed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Megabytes of lists in lists would take seconds and all memory."""
    project.spec(CLEAN)
    project.lint()
    for path in project.folder.glob(".archspec_cache/*.json"):
        path.write_text(json.dumps({"version": caches.VERSION, "stamp": "a", "files": {}}))
    parsed: list[object] = []
    monkeypatch.setattr("json.loads", parsed.append)
    assert project.lint().code == 0
    assert parsed == []


def test_a_folder_that_is_a_link_is_not_written(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (project.folder / ".archspec_cache").symlink_to(outside)
    project.spec(CLEAN)
    assert project.lint().code == 0
    assert not list(outside.iterdir())


def test_a_folder_that_cannot_be_written_does_no_harm(project: Project) -> None:
    project.spec(CLEAN)
    project.write(".archspec_cache", "a file\n")
    assert project.lint().code == project.lint().code == 0

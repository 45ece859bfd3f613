"""Files that have not changed are not read again, and nothing else is believed of them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import resources
from archspec.analysis import analyze_network
from archspec.diagnostics import SpecError
from archspec.language import load
from archspec.lint import cache as caches
from archspec.lint.check import Checked, check_text, nothing_found
from archspec.lint.many import check_files
from archspec.lower import budget, network_of, open_network
from archspec.lower.totals import totals
from archspec.rules.view import View
from archspec.source.shared import Store
from linting import Project

CLEAN = "stem: [{conv: 8}, norm, act]\n"
WARNED = "stem: [{conv: {channels: 8, bias: true}}, norm, act]\n"
BASE = "name: base\ninput: [3, 32, 32]\nstem: [{conv_norm: {channels: 8}}, {cell: {}}]\n"
FORMATS = ["full", "concise", "json", "sarif", "github", "gitlab", "junit"]
RUN = "import sys\nfrom archspec.cli import main\ncode = main({args!r})\n"
HEAVY = ("torch", "jinja2", "rich")
WARM = (*HEAVY, "pydantic", "yaml", "dataclasses", "typing", "pathlib", "archspec.diagnostics")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are really checked."""
    done: list[str] = []

    def check(text: bytes, file: str) -> Checked:
        done.append(file)
        return check_text(text, file)

    monkeypatch.setattr("archspec.lint.many.check_text", check)
    return done


def imported(project: Project, *args: str) -> set[str]:
    """What a run imports, in a process of its own."""
    code = RUN.format(args=["lint", *args]) + "print(*sys.modules)\nsys.exit(code)\n"
    command = [sys.executable, "-I", "-S", "-c", f"import sys\nsys.path[:] = {sys.path!r}\n{code}"]
    said = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True)
    return set(said.stdout.splitlines()[-1].split())


def test_a_run_without_changes_imports_next_to_nothing(project: Project) -> None:
    project.spec(CLEAN)
    assert not imported(project).intersection(HEAVY)
    assert not imported(project).intersection(WARM)


def test_so_does_one_with_a_configuration_file(project: Project) -> None:
    project.spec(CLEAN)
    project.write("archspec.toml", 'exclude = ["old"]\nignore = ["AS304"]\n')
    project.lint()
    assert not imported(project).intersection(WARM)


def test_findings_from_the_cache_need_no_yaml(project: Project) -> None:
    project.spec(WARNED)
    project.lint()
    assert not imported(project).intersection((*HEAVY, "pydantic", "yaml"))


@pytest.mark.parametrize("form", FORMATS)
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
    (file,) = (project.folder / ".archspec_cache").glob("*.json")
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


@pytest.mark.parametrize(
    "checked",
    [
        {},
        {"findings": 1},
        {"findings": [[]]},
        {"findings": [["nothing", "m", AT, "", [], "error", None]]},
        {"findings": [["no-op-layer", "m", [FOREIGN, 1, 1, 1, 2], "", [], "error", None]]},
        {"findings": [["no-op-layer", "m", AT[:3], "", [], "error", None]]},
        {"findings": [["no-op-layer", 5, AT, "", [], "error", None]]},
        {"findings": [["no-op-layer", "m", AT, "", [], "fatal", None]]},
        {"findings": [["no-op-layer", "m", AT, "", [[[FOREIGN, 1, 1, 1, 2], ""]], "error", None]]},
        {"findings": [], "suppressions": [[AT, [], "", [0]]]},
        {"findings": [], "suppressions": [], "complete": 1},
        {"findings": [], "suppressions": [], "complete": True, "name": ["net", [FOREIGN]]},
    ],
)
def test_a_forged_entry_is_none(
    project: Project, checked: dict[str, object], checks: list[str]
) -> None:
    project.spec(WARNED)
    said = project.lint()
    file, entry = entry_of(project)
    whole = json.loads(file.read_text())
    (key,) = whole["files"]
    whole["files"][key] = {**entry, "checked": checked}
    file.write_text(json.dumps(whole))
    assert project.lint() == said
    assert len(checks) == 2


def test_of_shipped_specs_those_count_that_were_seen(project: Project) -> None:
    project.write("specs/net.yaml", "name: net\nextends: resnet18\n")
    project.lint()
    kept = [path.read_text() for path in project.folder.glob(".archspec_cache/*.json")]
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


# Pieces that specs share ----------------------------------------------------------------

BASES = {
    "resnet18": 4,
    "resnet34": 4,
    "resnet50": 4,
    "resnext50_32x4d": 4,
    "cifar_resnet20": 3,
    "mobilenet_v2": 0,
}
DEFAULTS = ("act: silu", "act: {leaky_relu: 0.1}", "norm: {group_norm: 4}", "conv: {bias: true}")


FURTHER = (  # lines that stand at the end of a spec
    "expect: {params: {max: 2e7}}",
    "expect: {depth: 18, output: [10]}",
    "blocks: {cell: {args: {kernel: 3}, body: [{conv: {channels: 8, kernel: 1, stride: 2}}, act]}}",
    "names: {conv: convolution}",
    "head: {act: act, again: act, flatten: flatten, fc: {linear: {features: 7, bias: true}}}",
    "stem: {first: {conv: {channels: 100, bias: true}}, bn1: norm, relu: {act: {}, when: true}}",
    "train: {data: cifar10}",
    "# archspec: ignore[redundant-bias] the checkpoint has it",
    "input: [3, 64]",
    "sten: []",
)


def variant(name: str, draw: random.Random) -> str:
    """A spec of a few lines; some have findings."""
    base, lines = draw.choice(list(BASES)), []
    for number in range(1, BASES[base] + 1):
        said = []
        if draw.random() < 0.5:
            said.append(f"repeat: {draw.randint(1, 4)}")
        if draw.random() < 0.4:
            said.append(f"channels: {draw.choice((16, 24, 63, 64)) << number}")
        if draw.random() < 0.3:
            said.append(
                draw.choice(("act: relu6", "norm: {group_norm: 2}", "stride: 2", "block: x"))
            )
        if said:
            lines.append(f"  layer{number}: {{{', '.join(said)}, shrink: on purpose}}")
    text = f"name: {name}\nextends: {base}\n" + ("stages:\n" * bool(lines)) + "\n".join(lines)
    if draw.random() < 0.5:
        text += f"\ndefaults: {{{draw.choice(DEFAULTS)}}}"
    if draw.random() < 0.7:
        text += f"\nargs: {{classes: {draw.randint(1, 500)}}}"
    return "\n".join([text, *draw.sample(FURTHER, draw.randint(0, 2)), ""])


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("many")
    draw = random.Random(0)
    for number in range(200):
        name = f"net_{number}"
        (folder / f"{name}.yaml").write_text(variant(name, draw))
    for shipped in (resources.SPECS, resources.ZOO):
        for path in shipped.glob("*.yaml"):
            shutil.copy(path, folder)
    return sorted(folder.glob("*.yaml"))


def test_sharing_changes_nothing(many: list[Path]) -> None:
    store, told = Store(), 0
    for path in (*many, *reversed(many)):
        file, text = path.as_posix(), path.read_bytes()
        quick = nothing_found(text, file, store)
        told += quick is not None
        if quick is not None:
            assert quick == check_text(text, file)
    assert told > len(many) // 2


SHARED = Store()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.randoms(use_true_random=False), min_size=1, max_size=4))
def test_sharing_changes_nothing_in_any_order(draws: list[random.Random]) -> None:
    for number, draw in enumerate(draws):
        file, text = f"net_{number}.yaml", variant(f"net_{number}", draw).encode()
        quick = nothing_found(text, file, SHARED)
        assert quick is None or quick == check_text(text, file)


@pytest.mark.parametrize("most", [100, 1000, 2000, 3000, 5000])
@pytest.mark.parametrize("base", ["resnet50", "mobilenet_v2"])
def test_what_another_opened_costs_as_much(
    base: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, store = f"name: net\nextends: {base}\n".encode(), Store()
    assert nothing_found(text, "net.yaml", store) == check_text(text, "net.yaml")
    monkeypatch.setattr(budget, "MOST_STEPS", most)
    assert [d.rule for d in check_text(text, "net.yaml").findings] == ["too-large"]
    assert nothing_found(text, "net.yaml", store) is None


def test_several_processes_say_the_same(many: list[Path]) -> None:
    assert list(check_files(many, jobs=2)) == list(check_files(many, jobs=1))


def test_totals_are_those_of_the_analysis(many: list[Path]) -> None:
    for path in many:
        try:
            spec = load(path)
            opened = open_network(spec)
        except SpecError:
            continue
        stages = frozenset(key for key, stage in spec.stages.items() if stage.blocks)
        quick = totals(opened.root, opened.output.shape, stages)
        whole = analyze_network(network_of(spec, opened))
        for name in ("params", "macs", "depth", "output"):
            assert getattr(quick, name) == getattr(whole, name), path
        assert View(spec, opened).leaving == {key: whole.outputs[key] for key in stages}

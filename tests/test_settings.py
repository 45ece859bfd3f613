"""What is on and what is off: the command line, the configuration file, its mistakes."""

from __future__ import annotations

import os

import pytest

from archspec.lint.baseline import MOST_BYTES
from archspec.lint.config import read
from archspec.lint.discover import configuration
from archspec.lint.lookup import rule_codes
from archspec.lint.settings import Settings
from support.linting import Project

#: Three warnings: AS303 no-op-layer, AS304 redundant-bias, AS402 unaligned-channels.
THREE = """\
stem:
  conv1: {conv: {channels: 100, kernel: 3, bias: true}}
  bn1: norm
  relu: act
  relu2: act
"""


def rules(project: Project, *args: str) -> set[str]:
    """The codes of what is found."""
    lines = project.lint(*args, "--format", "concise").lines[:-1]
    return {line.split(": ")[1].split()[0] for line in lines}


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ("", {"AS303", "AS304", "AS402"}),
        ("--select AS3", {"AS303", "AS304"}),
        ("--select AS303,unaligned-channels", {"AS303", "AS402"}),
        ("--select AS3 --extend-select AS402", {"AS303", "AS304", "AS402"}),
        ("--ignore AS3", {"AS402"}),
        ("--ignore redundant-bias", {"AS303", "AS402"}),
        ("--select AS304 --ignore AS3", {"AS304"}),  # what says more wins
        ("--select AS3 --ignore AS304", {"AS303"}),
        ("--select AS3 --ignore AS3", set()),
        ("--per-file-ignores specs/net.yaml:AS3", {"AS402"}),
        ("--per-file-ignores net*:AS3,AS4", set()),
        ("--per-file-ignores other/*:AS3", {"AS303", "AS304", "AS402"}),
    ],
)
def test_selection(project: Project, args: str, found: set[str]) -> None:
    project.spec(THREE)
    assert rules(project, *args.split()) == found


def test_what_keeps_a_spec_from_being_built_is_always_told(project: Project) -> None:
    project.spec("stem: {conv1: {cov: 3}}\n")
    assert rules(project, "--select", "AS4") == {"AS120"}
    assert rules(project, "--ignore", "AS1") == {"AS120"}


def test_exclude(project: Project) -> None:
    project.spec(THREE)
    project.write("specs/old/net.yaml", "not: a spec\n")
    assert project.lint("--exclude", "specs/old").code == 0
    assert project.lint("--exclude", "specs/old", "specs/old/net.yaml").code == 1  # named


@pytest.mark.parametrize("by", ["option", "file"])
def test_what_is_named_is_excluded_by_force(by: str, project: Project) -> None:
    """A hook of pre-commit names every file that has changed."""
    project.spec(THREE)
    project.write("specs/old/more/net.yaml", "not: a spec\n")
    project.write(
        "archspec.toml", 'exclude = ["specs/old"]\n' + "force-exclude = true\n" * (by == "file")
    )
    force = ["--force-exclude"] * (by == "option")
    for _ in range(2):  # the second time from the cache
        said = project.lint(*force, "specs/old/more/net.yaml")
        assert (said.code, said.out, said.err) == (0, "", "")
        assert project.lint(*force, "specs/net.yaml", "specs/old/more/net.yaml").code == 0
    assert project.lint(*force, "specs/old/more/nothing.yaml", "missing.yaml").code == 2


def test_warnings_of_what_is_excluded_are_not_told_where_it_is_used(project: Project) -> None:
    project.write("specs/base.yaml", f"name: base\ninput: [3, 32, 32]\n{THREE}")
    project.write("specs/net.yaml", "name: net\nextends: base\n")
    assert "specs/base.yaml" in project.lint("--strict").out
    assert project.lint("--strict", "--exclude", "specs/base.yaml").out == "1 spec is clean\n"


def test_pyproject(project: Project) -> None:
    project.spec(THREE)
    text = """\
[project]
name = "x"
[tool.archspec]
ignore = ["AS402"]
strict = true
[tool.archspec.per-file-ignores]
"specs/*" = ["AS303"]
"""
    project.write("pyproject.toml", text)
    assert rules(project) == {"AS304"}
    assert project.lint().code == 1
    assert project.lint("--isolated").code == 0
    assert rules(project, "--isolated") == {"AS303", "AS304", "AS402"}
    assert rules(project, "--select", "AS4") == set()
    assert rules(project, "--extend-select", "unaligned-channels") == {"AS304", "AS402"}


def test_our_own_file_goes_before_pyproject(project: Project) -> None:
    project.spec(THREE)
    project.write("pyproject.toml", "[tool.archspec]\nselect = ['AS3']\n")
    project.write("archspec.toml", "select = ['AS4']\n")
    assert rules(project) == {"AS402"}


def test_the_closest_file_counts_and_its_paths_are_its_own(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.spec(THREE)
    project.write("pyproject.toml", "[tool.other]\n")
    project.write("archspec.toml", "per-file-ignores = {'specs/*' = ['AS3', 'AS4']}\n")
    project.write("specs/pyproject.toml", "[project]\nname = 'x'\n")  # says nothing of us
    assert project.lint("--strict").code == 0
    monkeypatch.chdir(project.folder / "specs")
    file = configuration([])
    assert file == str(project.folder / "archspec.toml")
    assert project.lint("--strict", "net.yaml").code == 0
    assert read(file, rule_codes()).per_file_ignores[0][0] == "./*"


#: The file, where the mistake is, the message and the hint.
MISTAKES = [
    ("selct = ['AS3']\n", (1, 1), "unknown key `selct`", "did you mean `select`?"),
    ("\nstrict = 'no'\n", (2, 1), "`strict` is true or false", ""),
    ("ignore = 'AS3'\n", (1, 1), "`ignore` is a list of strings", ""),
    ("ignore = ['AS9']\n", (1, 1), "unknown rule `AS9`", "archspec rule --all"),
    ("ignore = ['redundant-bais']\n", (1, 1), "unknown rule", "`redundant-bias`"),
    ("format = 'xml'\n", (1, 1), "`format` is one of `concise`, `full`", ""),
    ("paths = [1]\n", (1, 1), "`paths` is a list of strings", ""),
    ("per-file-ignores = 3\n", (1, 1), "`per-file-ignores` is a table", ""),
    (
        "[per-file-ignores]\n'a' = ['AS3']\n'b/*' = ['AS9']\n",
        (3, 2),
        "unknown rule `AS9`",
        "archspec rule --all",
    ),
    ("strict = \n", (1, 10), "invalid TOML", ""),
    ("[tool.archspec]\n", (1, 1), "unknown key `tool`", "remove the table header: `"),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), MISTAKES)
def test_a_mistake_in_the_file_is_told_at_its_place(
    project: Project, text: str, place: tuple[int, int], message: str, hint: str
) -> None:
    project.spec(THREE)
    project.write("archspec.toml", text)
    said = project.lint()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: {message}")
    assert f"--> archspec.toml:{place[0]}:{place[1]}\n" in said.err
    assert hint in said.err


def test_a_mistake_in_pyproject_is_told_in_our_table(project: Project) -> None:
    project.spec(THREE)
    project.write("pyproject.toml", "[tool.other]\nselct = 1\n[tool.archspec]\nselct = []\n")
    assert "--> pyproject.toml:4:1" in project.lint().err


def test_show_settings(project: Project) -> None:
    project.write("archspec.toml", "ignore = ['AS3']\n")
    said = project.lint("--show-settings", "--strict")
    assert said.code == 0
    assert said.lines[0] == "# archspec.toml"
    assert 'ignore = ["AS3"]' in said.lines
    assert "strict = true" in said.lines
    project.write("archspec.toml", said.out)  # they are a configuration file
    assert project.lint("--show-settings").out == said.out


def test_defaults_are_what_the_docs_say() -> None:
    assert Settings() == Settings(("specs",), (), False, (), (), (), (), False, "full", (), "", "")


# Files of strangers ---------------------------------------------------------------------

HOSTILE = {
    "brackets": (f"paths = {'[' * 500}\n", "brackets are nested too deeply"),
    "dots": (f"a{'.a' * 70} = 1\n", "a key of more than 64 dots"),
    "digits": (f"a = {'9' * 6000}\n", "a number with too many digits"),
    "bytes": ("#" + "x" * 300_000, "file exceeds 262,144 bytes"),
    "patterns": (f"exclude = {[str(n) for n in range(1001)]}\n", "list of at most 1,000 strings"),
    "a folder outside": ('paths = ["/"]\n', "`/` is not in the project"),
    "a folder above": ('paths = ["specs/../../.."]\n', "`specs/../../..` is not in the project"),
    "a link": ('paths = ["link"]\n', "`link` is not in the project"),
    "a baseline outside": ('baseline = "/dev/zero"\n', "`/dev/zero` is not in the project"),
    "a baseline of none": ('baseline = "a\\u0000"\n', "`a\\x00` is not in the project"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_file(name: str, project: Project) -> None:
    text, message = HOSTILE[name]
    (project.folder / "link").symlink_to("..")
    project.write("archspec.toml", text)
    project.spec("stem: [{conv: 8}]\n")
    said = project.lint()
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0].startswith("error: ")
    assert message in said.err
    assert "--> archspec.toml:1:1" in said.err


def test_one_that_is_a_link_out_of_the_project(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret.toml"
    secret.write_text("password: 1234\n")
    (project.folder / "archspec.toml").symlink_to(secret)
    project.spec("stem: [{conv: 8}]\n")
    said = project.lint()
    assert said.code == 2
    assert "is a symlink to a path outside the project" in said.err
    assert "1234" not in said.err


def test_a_shared_file_that_is_a_pipe_is_not_waited_for(project: Project) -> None:
    os.mkfifo(project.folder / "pyproject.toml")
    project.spec("stem: [{conv: 8}]\n")
    said = project.lint()
    assert (said.code, said.err) == (
        2,
        "error: could not read `pyproject.toml`: it is not a regular file\n",
    )


def test_a_baseline_of_another_version_is_named_in_full(project: Project) -> None:
    project.spec("stem: [{conv: 8}]\n")
    project.write("other.json", b'{"version": "`: 9"}')
    said = project.lint("--baseline", "other.json").err
    assert "`other.json`: its format is version `: 9, but this archspec reads " in said


def test_a_baseline_that_is_too_large_or_no_file(project: Project) -> None:
    project.spec("stem: [{conv: 8}]\n")
    project.write("big.json", b" " * (MOST_BYTES + 1))
    assert f"it exceeds {MOST_BYTES:,} bytes" in project.lint("--baseline", "big.json").err
    assert "it is not a regular file" in project.lint("--baseline", "/dev/zero").err


def test_a_folder_is_named_without_what_a_terminal_obeys(project: Project) -> None:
    project.write("archspec.toml", 'paths = ["\\u001b[31m\\n::error::x"]\n')
    said = project.lint()
    assert said.code == 2
    assert said.err.startswith("error: `paths` in `archspec.toml` names `\\x1b[31m\\n::error::x`,")

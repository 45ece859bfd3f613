"""Reports as CI services want them: where they look for files, and what schemas they hold."""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from archspec.paths import repository_path
from support import ROOT, git
from support.linting import Project, Said

BIAS = "stem:\n  conv1: {conv: {channels: 16, kernel: 3, bias: true}}\n  bn1: norm\n"
TYPO = "stem: [{cnov: 8}]\n"
WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the service that runs these tests say nothing here."""
    for name in WORKSPACES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with a project in `nets/`, which is the working directory."""
    (project.folder / ".git").mkdir()
    project.write("nets/specs/net.yaml", f"name: net\ninput: [3, 32, 32]\n{BIAS}")
    monkeypatch.chdir(project.folder / "nets")
    return project


def path_in(form: str, said: Said) -> str:
    """Where a report says that its first finding is."""
    if form == "github":
        return said.out.partition("file=")[2].partition(",")[0]
    if form == "gitlab":
        return str(said.data[0]["location"]["path"])
    place = said.data["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    return str(place["artifactLocation"]["uri"])


# Where files are -----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sarif", "gitlab", "github"])
@pytest.mark.parametrize("where", ["nets", "nets/specs", "other"])
def test_paths_start_at_the_root_of_the_repository(
    repository: Project, monkeypatch: pytest.MonkeyPatch, form: str, where: str
) -> None:
    (repository.folder / "other").mkdir()
    monkeypatch.chdir(repository.folder / where)
    said = repository.lint(str(repository.folder / "nets/specs"), "--format", form)
    assert path_in(form, said) == "nets/specs/net.yaml"


@pytest.mark.parametrize("form", ["sarif", "gitlab", "github"])
@pytest.mark.parametrize("variable", WORKSPACES)
def test_the_folder_that_the_service_names_is_the_root(
    project: Project, monkeypatch: pytest.MonkeyPatch, form: str, variable: str
) -> None:
    """Of an archive there is no `.git`; of a mounted one there may be another above."""
    monkeypatch.setenv(variable, f"{project.folder}/")
    (project.folder / "a" / ".git").mkdir(parents=True)
    project.write("a/b/specs/net.yaml", f"name: net\ninput: [3, 32, 32]\n{BIAS}")
    monkeypatch.chdir(project.folder / "a" / "b")
    assert path_in(form, project.lint("--format", form)) == "a/b/specs/net.yaml"


@pytest.mark.parametrize("variable", WORKSPACES)
def test_a_folder_that_does_not_hold_the_file_is_not_its_root(
    repository: Project, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(repository.folder / "elsewhere"))
    assert repository_path("specs/net.yaml") == "nets/specs/net.yaml"
    monkeypatch.setenv(variable, "")
    assert repository_path("specs/net.yaml") == "nets/specs/net.yaml"


def test_a_root_may_be_named_by_a_link(
    repository: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("links") / "workspace"
    link.symlink_to(repository.folder / "nets")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(link))
    assert repository_path("specs/net.yaml") == "specs/net.yaml"


def test_outside_of_a_repository_paths_stay(project: Project) -> None:
    assert repository_path("specs/net.yaml") == "specs/net.yaml"
    assert repository_path("../net.yaml") == "../net.yaml"


@pytest.mark.parametrize("form", ["sarif", "gitlab", "github"])
def test_a_finding_in_a_file_outside_is_placed_where_that_is_used(
    repository: Project, form: str
) -> None:
    text = "stages: {layer1: {block: basic, channels: 8, projection: none}}\n"
    repository.write("nets/specs/net.yaml", f"name: net\ninput: [3, 32, 32]\n{text}")
    assert path_in(form, repository.lint("--format", form)) == "nets/specs/net.yaml"


@pytest.mark.parametrize("form", ["sarif", "gitlab"])
def test_fingerprints_are_those_of_the_repository(
    repository: Project, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A service knows a finding again, wherever archspec was started."""

    def fingerprint() -> str:
        data = repository.lint(str(repository.folder / "nets"), "--format", form).data
        if form == "gitlab":
            return str(data[0]["fingerprint"])
        return str(data["runs"][0]["results"][0]["partialFingerprints"])

    below = fingerprint()
    monkeypatch.chdir(repository.folder)
    assert fingerprint() == below


@pytest.mark.parametrize("form", ["full", "concise", "json", "junit"])
def test_people_and_editors_are_shown_paths_from_where_they_are(
    repository: Project, form: str
) -> None:
    out = repository.lint("--format", form).out
    assert "specs/net.yaml" in out
    assert "nets/specs" not in out


# What a log shows ----------------------------------------------------------------------


def test_a_log_has_the_full_text(project: Project) -> None:
    project.spec(TYPO)
    piped = project.run("lint").out
    assert piped == project.run("lint", "--format", "full").out
    assert "3 | stem: [{cnov: 8}]" in piped
    assert "help: did you mean `conv`?" in piped
    assert piped.endswith("1 can be fixed with `--fix`\n")


def test_concise_is_printed_where_it_is_asked_for(project: Project) -> None:
    project.spec(TYPO)
    project.write("archspec.toml", 'format = "concise"\n')
    assert project.run("lint").out == project.run("lint", "--isolated", "--format=concise").out


@pytest.mark.parametrize(
    ("text", "marked"),
    [(TYPO, True), (BIAS, True), ("stem: [{conv: -1}]\n", False), ("stem: []\n", False)],
)
def test_concise_marks_what_fix_would_fix(project: Project, text: str, marked: bool) -> None:
    project.spec(text)
    line, summary = project.lint("--format=concise").lines
    assert ("] [*] " in line) is marked
    assert summary.endswith("[*] 1 can be fixed with `--fix`") is marked


def test_what_fix_leaves_alone_is_not_marked(project: Project) -> None:
    """`--fix` changes the files that are linted, and no other."""
    project.write("specs/blocks/cell.yaml", "body: [{conv: {chanels: 8}}]\n")
    project.spec("stem: [cell]\n")
    assert "[*]" in project.lint("--format=concise").out
    assert "[*]" not in project.lint("--format=concise", "specs/net.yaml").out


# JUnit as Jenkins takes it -------------------------------------------------------------

#: Element -> the attributes that junit-10.xsd requires, others that it allows, and the children
#: that may stand in it in any number and order.
JUNIT = {
    "testsuites": ("", "name time tests failures errors", "testsuite"),
    "testsuite": (
        "name tests failures errors",
        "group time skipped timestamp hostname id package file log url",
        "testsuite properties testcase system-out system-err",
    ),
    "testcase": (
        "name",
        "time classname group",
        "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out "
        "system-err",
    ),
    "failure": ("", "type message", ""),
}
WITH_TEXT = {"failure"}


def check_junit(element: ElementTree.Element) -> None:
    """Whether an element, and what is in it, holds to the table."""
    required, optional, children = (set(words.split()) for words in JUNIT[element.tag])
    assert required <= set(element.keys()) <= required | optional
    assert element.tag in WITH_TEXT or not (element.text or "").strip()
    assert not (element.tail or "").strip()
    for child in element:
        assert child.tag in children
        check_junit(child)


@pytest.mark.parametrize(
    "text", [BIAS, TYPO, "stem: [{conv: 8}]\n", "stem: {'\\e[0m': 1}\n", ": ["]
)
def test_junit_is_what_jenkins_takes(project: Project, text: str) -> None:
    project.spec(text)
    project.spec("stem: [{conv: 8}]\n", "other")
    root = ElementTree.fromstring(project.lint("--format", "junit").out)
    assert root.tag == "testsuites"
    check_junit(root)
    assert [suite.get("file") for suite in root] == ["specs/net.yaml", "specs/other.yaml"]
    cases = list(root.iter("testcase"))
    assert root.get("tests") == str(len(cases))
    assert root.get("failures") == str(len(list(root.iter("failure"))))


def test_the_table_refuses_what_jenkins_refuses() -> None:
    suite = '<testsuite name="a" tests="1" failures="0" errors="0">{}</testsuite>'
    check_junit(ElementTree.fromstring(suite.format('<testcase name="b" classname="c"/>')))
    for attributes in ('name="b" file="c"', 'name="b" line="1"', ""):
        with pytest.raises(AssertionError):
            check_junit(ElementTree.fromstring(suite.format(f"<testcase {attributes}/>")))


# The action ----------------------------------------------------------------------------

#: What stands in for `python`: `-m venv DIR` makes a folder as it does on that system, with
#: programs that print what they are called with.
PYTHON = """\
#!/bin/sh
mkdir -p "$3/{bin}"
printf '#!/bin/sh\\necho "$(basename "$0") $*"\\nexit ${{CODE:-0}}\\n' > "$3/{bin}/python"
chmod +x "$3/{bin}/python"
cp "$3/{bin}/python" "$3/{bin}/archspec"
"""
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")


class Runner:
    """Runs the steps of `action.yml` that are scripts, as a runner of one system does."""

    def __init__(self, folder: Path, system: str, **inputs: str) -> None:
        self.folder, self.system = folder, system
        self.action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
        self.values = {f"inputs.{name}": text for name, text in inputs.items()}
        for name, declared in self.action["inputs"].items():
            self.values.setdefault(f"inputs.{name}", declared["default"])
        here = "Scripts" if system == "Windows" else "bin"
        self.values["runner.os == 'Windows' && 'Scripts' || 'bin'"] = here
        self.values |= {"runner.temp": f"{folder}/tmp dir", "github.action_path": f"{folder}/act"}
        python = folder / "programs" / "python"
        python.parent.mkdir()
        python.write_text(PYTHON.format(bin=here))
        python.chmod(0o755)

    def __call__(self, name: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        (step,) = (step for step in self.action["runs"]["steps"] if step.get("name") == name)
        env = {key: self.evaluated(text) for key, text in step["env"].items()}
        env |= {"PATH": f"{self.folder / 'programs'}:{os.environ['PATH']}", "CODE": str(code)}
        output = self.folder / "output"
        env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": f"{self.folder}/summary"}
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(words, capture_output=True, text=True, env=env, cwd=self.folder)
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.values[f"steps.{step.get('id')}.outputs.{key}"] = value
        return done

    def evaluated(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.values[found[1]], text)


@pytest.mark.parametrize("system", ["Windows", "Linux", "macOS"])
def test_the_action_runs_on_every_system(tmp_path: Path, system: str) -> None:
    runner = Runner(tmp_path, system, paths="a b", args="--strict", **{"sarif-file": "x y.sarif"})
    assert runner("Install archspec").stdout == f"python -m pip install --quiet {tmp_path}/act\n"
    assert runner("Lint").stdout == "archspec lint a b --strict --format github\n"
    sarif = "archspec lint a b --strict --format sarif --output-file x y.sarif\n"
    for code, exits in ((0, 0), (1, 0), (2, 1)):
        done = runner("Write SARIF", code)
        assert (done.stdout, bool(done.returncode)) == (sarif, bool(exits))
    assert runner("Lint", 1).returncode == 1


@pytest.mark.parametrize("token", ["", "secret"])
def test_the_action_compares_changed_specs_with_the_base(tmp_path: Path, token: str) -> None:
    for name in ("same.yaml", "a b.yaml", "$(touch pwned).yml", "note.md"):
        path = tmp_path / "specs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("one")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "specs")
    git(tmp_path, "commit", "-q", "-m", "base")
    base = git(tmp_path, "rev-parse", "HEAD").strip()
    git(tmp_path, "remote", "add", "origin", str(tmp_path))
    for name in ("a b.yaml", "$(touch pwned).yml", "note.md", "new.yaml"):
        (tmp_path / "specs" / name).write_text("two")
    git(tmp_path, "add", "specs")
    git(tmp_path, "commit", "-q", "-m", "change")
    runner = Runner(tmp_path, "Linux", **{"diff-token": token})
    runner.values["github.event.pull_request.base.sha"] = base
    runner.values["github.event.pull_request.html_url"] = "pull/7"
    gh = tmp_path / "programs" / "gh"
    gh.write_text('#!/bin/sh\necho "$GH_TOKEN: $*"\n')
    gh.chmod(0o755)
    runner("Install archspec")
    done = runner("Compare with the base branch")
    assert done.returncode == 0, done.stderr
    compared = [
        f"archspec diff --git {base} --format markdown ./specs/{name}"
        for name in ("$(touch pwned).yml", "a b.yaml")
    ]
    summary = (tmp_path / "summary").read_text().split("\n")
    assert [line for line in summary if line] == compared
    comment = (
        f"pr comment pull/7 --edit-last --create-if-none --body-file {tmp_path}/tmp dir/archspec.md"
    )
    assert done.stdout == (f"secret: {comment}\n" if token else "")
    assert not (tmp_path / "pwned").exists()
    (tmp_path / "summary").unlink()
    assert runner("Compare with the base branch", 2).returncode == 0  # not valid specs

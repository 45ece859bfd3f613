"""Every format of a report, on findings and on a clean run; nothing of a spec's text obeys."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest

from archspec.diagnostics import Diagnostic, Label, Span
from archspec.lint import formats
from archspec.lint.formats.full import diagnostic
from archspec.lint.sources import Sources
from archspec.lint.style import PLAIN, Style
from archspec.paths import modules_in
from support import DATA, ROOT
from support.linting import HEAD, Project

CLEAN = """\
stem: {conv1: {conv: {channels: 16, kernel: 3}}, bn1: norm, relu: act}
head: {avgpool: global_avg_pool, flatten: flatten, fc: {linear: 10}}
"""
BIAS = """\
stem:
  conv1: {conv: {channels: 16, kernel: 3, bias: true}}
  bn1: norm
"""
#: An escape sequence, a bidi override, a line end, and what GitHub's commands are made of.
HOSTILE = r'stem: {"\e[31m\u202E%0A::error::,\r\nx": {conv: 8}}' + "\n"
NASTY = ("\x1b[31m", "\u202e")


@pytest.fixture
def found(project: Project) -> Project:
    """Two specs with findings (one of them hostile) and a clean one."""
    project.spec(BIAS, "bias")
    project.spec(CLEAN, "clean")
    project.spec(HOSTILE, "hostile")
    return project


# Text


def shown(text: str, one: Diagnostic, **texts: str) -> str:
    return diagnostic(one, "AS999", Sources({"f": text, **texts}), PLAIN)


def test_full(project: Project) -> None:
    project.spec("stem:\n  - conv: 64\n  - residual:\n      - conv: 128\n      - norm\n")
    message, *rest = project.lint("--format", "full").lines
    assert message.startswith("error[AS202] residual-shape-mismatch: the input is 64 x 32 x 32")
    assert "\n".join(rest) == dedent("""\
         --> specs/net.yaml:5:5
          |
        5 |   - residual:
          |     ^^^^^^^^^
        6 |       - conv: 128
        7 |       - norm
          |         ---- the body outputs 128 x 32 x 32
        help: add a 1x1 projection: `shortcut: conv_norm`

        1 error in 1 of 1 spec""")


def test_full_counts_what_can_be_fixed(project: Project) -> None:
    project.spec(BIAS)
    assert project.lint("--format", "full").out.endswith(
        "1 warning in 1 of 1 spec\n1 can be fixed with `--fix`\n"
    )


def test_full_counts_no_fix_in_a_file_that_is_not_linted(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body: [{conv: {chanels: 8}}]\n")
    project.spec("stem: [cell]\n")
    assert "can be fixed" in project.lint("--format", "full").out
    assert "can be fixed" not in project.lint("--format", "full", "specs/net.yaml").out


def test_marks_stand_under_wide_combining_and_invisible_characters_and_tabs() -> None:
    line = "日本\t\u202ee\u0301x: here"
    one = Diagnostic("r", "m", Span("f", 1, 10, 1, 14))
    assert shown(line, one).splitlines()[3:] == [
        "1 | 日本    \\u202ee\u0301x: here",
        "  |                   ^^^^",  # 4 + 4 + 6 + 1 + 0 + 3 columns before it
    ]


def test_a_long_line_is_cut_around_its_mark() -> None:
    line = "a" * 5000 + "HERE" + "b" * 5000
    one = Diagnostic("r", "m", Span("f", 1, 5001, 1, 5005))
    source, marks = shown(line, one).splitlines()[3:]
    assert len(source) < 140
    assert source[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_labels_in_other_files_and_far_lines() -> None:
    text = "one\ntwo\nthree\nfour\nfive"
    labels = (Label(Span("f", 5, 1, 5, 5), "far"), Label(Span("g", 12, 3, 12, 6), "elsewhere"))
    one = Diagnostic("rule", "message", Span("f", 1, 1, 1, 4), "do this", labels)
    assert shown(text, one, g="\n" * 11 + "  abc") == dedent("""\
        error[AS999] rule: message
          --> f:1:1
           |
         1 | one
           | ^^^
        ...
         5 | five
           | ---- far
          ::: g:12:3
           |
        12 |   abc
           |   --- elsewhere
        help: do this""")


def test_a_place_in_a_file_that_cannot_be_shown() -> None:
    one = Diagnostic("rule", "message", Span("nowhere.yaml", 7, 1, 7, 2))
    text = shown("", one)
    assert text.splitlines() == ["error[AS999] rule: message", " --> nowhere.yaml:7:1"]


def test_concise(project: Project) -> None:
    project.spec(BIAS)
    line = project.lint("--format", "concise").lines[0]
    assert line.startswith("specs/net.yaml:4:49: AS304 [redundant-bias] [*] the batch norm")


@pytest.mark.parametrize(
    ("environment", "args", "colored"),
    [
        ({}, [], False),
        ({}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ],
)
def test_colour_only_where_it_is_wanted(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    args: list[str],
    colored: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    project.spec(BIAS)
    assert ("\x1b[" in project.lint(*args, "--format", "full").out) is colored
    assert "\x1b[" not in project.lint(*args, "--format", "json").out


def test_a_style_paints_nothing_empty() -> None:
    assert Style(color=True)("error", "") == ""
    assert PLAIN("error", "text") == "text"


# For machines


@pytest.mark.parametrize("form", formats.names())
def test_every_format_on_findings(found: Project, form: str) -> None:
    said = found.lint("--format", form)
    assert said.code == 1
    assert not any(nasty in said.out for nasty in NASTY)
    assert "bad-name" in said.out
    assert "redundant-bias" in said.out
    assert str(found.folder) not in said.out


@pytest.mark.parametrize("form", formats.names())
def test_an_output_file_holds_what_would_be_printed(found: Project, form: str) -> None:
    printed = found.lint("--format", form).out
    said = found.lint("--format", form, "--output-file", "report.txt")
    assert (said.code, said.out) == (1, "")
    assert (found.folder / "report.txt").read_text("utf-8") == printed


@pytest.mark.parametrize("target", ["nowhere/report.txt", "specs"])
def test_an_output_file_that_cannot_be_written(found: Project, target: str) -> None:
    said = found.lint("--output-file", target)
    assert said.code == 2
    assert said.err.startswith(f"error: could not write `{target}`: ")
    assert str(found.folder) not in said.err
    assert not list(found.folder.glob("**/*.tmp"))


def test_json(found: Project) -> None:
    data = found.lint("--format", "json").data
    assert (data["version"], data["files"], data["errors"], data["warnings"]) == (1, 3, 1, 1)
    bias = data["findings"][0]
    assert (bias["code"], bias["rule"], bias["severity"]) == ("AS304", "redundant-bias", "warning")
    place = {"file": "specs/bias.yaml", "line": 4, "column": 49, "end_line": 4, "end_column": 53}
    assert bias["location"] | place == bias["location"]
    assert bias["fix"]["edits"][0]["text"] == ""


def test_sarif(found: Project) -> None:
    log = sarif(found)
    (run,) = log["runs"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"]) == ("AS304", "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specs/bias.yaml"
    assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert second["level"] == "error"
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        for part in ("shortDescription", "fullDescription", "help"):
            assert rule[part]["text"]
        assert "```yaml" in rule["help"]["markdown"]


def test_sarif_on_a_clean_run(project: Project) -> None:
    project.spec(CLEAN)
    assert sarif(project)["runs"][0]["results"] == []


def test_fingerprints_do_not_change_when_lines_move(project: Project) -> None:
    project.spec(BIAS)
    before = [fingerprints(project, form) for form in ("sarif", "gitlab", "json")]
    project.spec(f"# more\n# lines\n{BIAS}")
    assert before == [fingerprints(project, form) for form in ("sarif", "gitlab", "json")]
    project.spec(BIAS.replace("16", "32"))
    assert before != [fingerprints(project, form) for form in ("sarif", "gitlab", "json")]


def test_equal_lines_have_fingerprints_of_their_own(project: Project) -> None:
    line = "  - conv: {channels: 16, bias: true}\n  - norm\n"
    project.spec(f"stem:\n{line}{line}")
    for form in ("sarif", "gitlab", "json"):
        assert len(set(fingerprints(project, form))) == 2


def sarif(project: Project) -> dict:  # type: ignore[type-arg]
    """The SARIF log, held against the standard's schema."""
    log = project.lint("--format", "sarif").data
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    return log


def fingerprints(project: Project, form: str) -> list[str]:
    data = project.lint("--format", form).data
    if form == "sarif":
        results = data["runs"][0]["results"]
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]
    return [f["fingerprint"] for f in (data if form == "gitlab" else data["findings"])]


def test_github(found: Project) -> None:
    bias, hostile = found.lint("--format", "github").lines
    assert bias.startswith(
        "::warning title=AS304 redundant-bias,file=specs/bias.yaml,line=4,col=49,"
        "endLine=4,endColumn="
    )
    assert "%0Ahelp: " in bias
    assert hostile.startswith("::error title=AS117 bad-name,file=specs/hostile.yaml,line=3,")
    assert "%250A::error::,\\r\\nx" in hostile


def test_github_escapes_the_name_of_a_file(project: Project) -> None:
    project.write("specs/a%,b:c.yaml", HEAD.format(name="net") + BIAS)
    assert "file=specs/a%25%2Cb%3Ac.yaml," in project.lint("--format", "github").out


def test_gitlab(found: Project) -> None:
    bias, hostile = found.lint("--format", "gitlab").data
    assert bias["location"] == {"path": "specs/bias.yaml", "lines": {"begin": 4, "end": 4}}
    assert (bias["severity"], hostile["severity"]) == ("minor", "major")
    assert bias["check_name"] == "redundant-bias"
    assert bias["description"].startswith("AS304 redundant-bias: ")


def test_junit(found: Project) -> None:
    root = ElementTree.fromstring(found.lint("--format", "junit").out)
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["specs/bias.yaml", "specs/clean.yaml", "specs/hostile.yaml"]
    (case,) = suites["specs/clean.yaml"]
    assert list(case) == []
    (case,) = suites["specs/bias.yaml"]
    assert case.get("name") == "AS304 redundant-bias (line 4)"


CLEAN_RUN = {
    "full": "1 spec is clean\n",
    "concise": "1 spec is clean\n",
    "github": "",
    "gitlab": "[]\n",
}


@pytest.mark.parametrize("form", formats.names())
def test_every_format_on_a_clean_run(project: Project, form: str) -> None:
    project.spec(CLEAN)
    said = project.lint("--format", form)
    assert said.code == 0
    if form in CLEAN_RUN:
        assert said.out == CLEAN_RUN[form]
    elif form == "junit":
        root = ElementTree.fromstring(said.out)
        assert (root.get("tests"), root.get("failures")) == ("1", "0")
    else:
        assert said.data["version"]


def test_a_finding_in_a_shipped_file_is_placed_where_it_was_used(project: Project) -> None:
    project.spec("stages: {layer1: {block: basic, channels: 8, projection: none}}\n")
    place = project.lint("--format", "gitlab").data[0]["location"]
    assert place["path"] == "specs/net.yaml"
    assert sarif(project)["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]["uri"] == ("specs/net.yaml")


ADDED = '''"""A line for each file that has findings."""

from archspec.lint.formats import Format
from archspec.lint.report import Report
from archspec.lint.style import Style


def render(report: Report, style: Style) -> str:
    return "\\n".join(sorted({finding.span.file for finding in report.findings}))


FORMAT = Format(render)
'''
FILES = "specs/bias.yaml\nspecs/hostile.yaml\n"


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a format that is a module and nothing else."""
    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "files.py").write_text(ADDED)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(folder)])
    yield "files"
    sys.modules.pop("archspec.lint.formats.files", None)


def test_a_format_is_one_module(found: Project, added: str) -> None:
    """The command line, its help, the settings and `--output-file` find it by themselves."""
    usage = found.lint("--help").out
    assert f"{added},full" in usage
    assert re.search(rf"^  {added} +A line for each file that has findings\.$", usage, re.MULTILINE)
    assert found.lint(f"--format={added}").out == FILES
    assert found.lint(f"--format={added}").out == FILES  # from the cache
    found.write("archspec.toml", f'format = "{added}"\n')
    assert found.run("lint").out == found.run("lint").out == FILES
    assert f'format = "{added}"' in found.run("lint", "--show-settings").out
    found.write("archspec.toml", 'format = "file"\n')
    assert f"`concise`, `{added}`, `full`" in found.run("lint").err
    assert found.lint("--isolated", f"--format={added}", "--statistics").code == 2


def test_hidden_files_are_no_modules(tmp_path: Path) -> None:
    """Such as those of macOS next to each file of an archive, and locks of editors."""
    for name in ("bare.py", "._bare.py", ".#bare.py", "_private.py", "notes.txt"):
        (tmp_path / name).touch()
    assert modules_in([str(tmp_path)]) == ["bare"]


def test_every_format_says_what_it_is() -> None:
    described = formats.described()
    assert list(described) == formats.names()
    docs = (ROOT / "docs" / "lint.md").read_text("utf-8")
    for name, text in described.items():
        assert text.endswith("."), f"the first line of the docstring of {name} is a sentence"
        assert len(text) < 75, f"the first line of the docstring of {name} is one of `--help`"
        assert f"`{name}`" in docs, f"docs/lint.md names {name}"

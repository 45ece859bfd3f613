"""The linter as people live with it: what it says, what it leaves alone, how it exits."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest
import yaml

from archspec.lint import formats, lint
from archspec.lint.comments import suppressions
from support import ROOT
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
BROKEN = "stem: {conv1: {cov: 16}}\n"


# What is linted, and the exit code


def test_a_clean_spec(project: Project) -> None:
    project.spec(CLEAN)
    said = project.lint()
    assert (said.code, said.out, said.err) == (0, "1 spec is clean\n", "")


def test_an_error_exits_1(project: Project) -> None:
    project.spec(BROKEN)
    said = project.lint()
    assert said.code == 1
    assert said.lines == [
        "specs/net.yaml:3:16: AS120 [unknown-layer] [*] unknown layer `cov`",
        "1 error in 1 of 1 spec; [*] 1 can be fixed with `--fix`",
    ]


def test_a_warning_exits_1_only_if_strict(project: Project) -> None:
    project.spec(BIAS)
    assert project.lint().code == 0
    assert project.lint("--strict").code == 1


def test_folders_are_searched_in_order_and_hidden_files_left_out(project: Project) -> None:
    project.spec(BROKEN, "b")
    project.spec(BROKEN, "a")
    project.write("specs/zoo/c.yml", HEAD.format(name="c") + BROKEN)
    project.write("specs/.hidden/d.yaml", BROKEN)
    project.write("specs/.e.yaml", BROKEN)
    project.write("specs/notes.txt", BROKEN)
    files = [line.partition(":")[0] for line in project.lint().lines[:-1]]
    assert files == ["specs/a.yaml", "specs/b.yaml", "specs/zoo/c.yml"]
    assert "3 errors in 3 of 3 specs" in project.lint().out


def test_files_in_a_folder_blocks_are_blocks(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body: [{cov: 16}, norm]\n")
    project.spec(CLEAN)
    assert project.lint().lines == [
        "specs/blocks/cell.yaml:1:9: AS120 [unknown-layer] [*] unknown layer `cov`",
        "1 error in 1 of 2 files; [*] 1 can be fixed with `--fix`",
    ]


def test_what_is_wrong_in_a_block_is_said_once(project: Project) -> None:
    project.write("specs/blocks/cell.yaml", "body:\n  - residual: [{conv: 99}]\n")
    for name in ("one", "two"):
        project.spec("stem: {conv1: {conv: 16}, cell: cell}\n", name)
    said = project.lint("--format", "full")
    assert said.out.count("residual-shape-mismatch") == 1
    assert "`cell` is used here" in said.out


def test_two_specs_of_one_name(project: Project) -> None:
    project.spec(CLEAN, "one")
    project.write("specs/two.yaml", HEAD.format(name="one") + CLEAN)
    said = project.lint("--select", "duplicate-spec-name")
    assert said.lines[0] == (
        "specs/two.yaml:1:7: AS130 [duplicate-spec-name] two specs are named `one`"
    )


@pytest.mark.parametrize("name", ["cell", "zell"], ids=["before", "behind"])
def test_a_spec_called_like_a_training_script(project: Project, name: str) -> None:
    """Also where all that is known of the two is in the cache."""
    train = "train: {data: synthetic, epochs: 1, batch_size: 32, lr: 0.1}\n"
    project.spec(CLEAN + train, name)
    project.spec(CLEAN, f"train_{name}")
    for _ in range(2):
        said = project.lint()
        assert said.code == 1
        assert (
            f"`train_{name}.py` would overwrite the model or training script of `" in said.lines[0]
        )


@pytest.mark.parametrize("paths", [[], ["specs"], ["empty"]])
def test_no_spec_found_exits_2(project: Project, paths: list[str]) -> None:
    (project.folder / "empty").mkdir()
    if paths == ["specs"]:
        (project.folder / "specs").mkdir()
    said = project.lint(*paths)
    assert (said.code, said.out) == (2, "")
    assert "no specs found" in said.err


def test_a_file_that_cannot_be_opened_exits_2_and_the_rest_is_linted(project: Project) -> None:
    project.spec(BROKEN)
    said = project.lint("nothing.yaml", "specs")
    assert said.code == 2
    assert said.err == "error: could not read `nothing.yaml`: no such file or directory\n"
    assert "AS120" in said.out


def test_a_link_out_of_the_project_is_not_followed(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret.yaml"
    secret.write_text("password: 1234\n", "utf-8")
    project.spec(CLEAN)
    (project.folder / "specs/link.yaml").symlink_to(secret)
    said = project.lint("--format", "full")
    assert said.code == 2
    assert said.err == "error: `specs/link.yaml` is a symlink to a path outside the project\n"
    assert "1234" not in said.out


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
@pytest.mark.parametrize("form", formats.names())
def test_a_name_of_a_file_that_is_no_text(form: str, project: Project) -> None:
    project.spec(BROKEN)
    os.rename(project.folder / "specs/net.yaml", os.fsencode(project.folder) + b"/specs/\xff.yaml")
    said = project.lint("--format", form)
    assert (said.code, said.err) == (1, "")
    said.out.encode()
    assert project.lint("--format", form, "--output-file", "out").code == 1
    assert (project.folder / "out").read_text("utf-8") == said.out


@pytest.mark.parametrize("command", ["lint", "build"])
@pytest.mark.parametrize("named", [(), ("specs",), ("specs/link.yaml",), ("linked",)])
def test_nor_is_one_by_any_command_whatever_is_named(
    command: str,
    named: tuple[str, ...],
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("password: 1234\n", "utf-8")
    project.write("pyproject.toml", "")
    project.spec(CLEAN)
    (project.folder / "specs/link.yaml").symlink_to(outside / "secret.yaml")
    (project.folder / "linked").symlink_to(outside)
    said = project.run(command, *named)
    assert said.code == 2
    assert "is a symlink to a path outside the project\n" in said.err
    assert "password" not in said.out + said.err


@pytest.mark.parametrize(
    "wrong", [["--fromat", "json"], ["--format", "xml"], ["--select", "AS9"], ["-", "specs"]]
)
def test_wrong_usage_exits_2(project: Project, wrong: list[str]) -> None:
    project.spec(CLEAN)
    said = project.lint(*wrong)
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO((HEAD.format(name="net") + BROKEN).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    said = project.lint("-", "--stdin-filename", "specs/net.yaml", "--format", "full")
    assert said.code == 1
    assert "--> specs/net.yaml:3:16" in said.out
    assert "3 | stem: {conv1: {cov: 16}}" in said.out


def test_lint_as_a_function(project: Project) -> None:
    project.spec(BROKEN)
    report = lint(["specs"])
    assert report.exit_code() == 1
    assert [(f.code, f.diagnostic.rule) for f in report.findings] == [("AS120", "unknown-layer")]


def test_a_clean_run_imports_nothing_heavy(project: Project) -> None:
    project.spec(CLEAN)
    code = (
        "import sys\nfrom archspec.cli import main\nassert main(['lint']) == 0\n"
        "print([m for m in ('torch', 'jinja2', 'matplotlib', 'rich', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1 spec is clean", "[]"]


# Suppression

REASON = "the checkpoint has it"

#: Errors that a rule finds; `build` refuses each of them.
ERRORS = {
    "AS401": ("stem: [{conv: 8}]\n", "expect: {params: 1}"),
    "AS123": ("stem: [{conv: 8}]\n", "defaults: {gelu: {approximate: tanh}}"),
    "AS308": (CLEAN, "train: {data: fashion_mnist, epochs: 1, batch_size: 8, lr: 0.1}"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_nothing_silences_what_build_refuses(project: Project, code: str) -> None:
    rest, line = ERRORS[code]
    project.spec(f"{rest}{line}  # archspec: ignore[{code}] {REASON}\n")
    for option in (["--select=AS304"], [f"--ignore={code}"], []):
        told = project.lint("--format=full", *option)
        assert (told.code, told.out.count("error["), told.out.count("warning[")) == (1, 1, 0)
    assert "errors that prevent a build cannot be suppressed" in told.out
    assert project.run("build").code == 1


@pytest.mark.parametrize("rule", ["AS304", "redundant-bias", "AS3", "AS402, AS304"])
def test_a_comment_suppresses(project: Project, rule: str) -> None:
    project.spec(BIAS.replace("true}}", f"true}}}}  # archspec: ignore[{rule}] {REASON}"))
    said = project.lint("--strict", "--ignore", "unused-suppression")
    assert (said.code, said.out) == (0, "1 spec is clean (1 suppressed)\n")


def test_a_comment_above_suppresses_too(project: Project) -> None:
    project.spec(
        "stem:\n"
        f"  # archspec: ignore[redundant-bias] {REASON}\n"
        "  # and another comment\n"
        "\n"
        "  conv1:\n"
        "    conv: {channels: 16, kernel: 3, bias: true}\n"
        "  bn1: norm\n"
    )
    assert project.lint("--strict").out == "1 spec is clean (1 suppressed)\n"


def test_a_comment_in_a_block_file_suppresses_for_every_user(project: Project) -> None:
    body = "  - conv: {channels: 16, bias: true} # archspec: ignore[AS304] a reason\n  - norm\n"
    project.write("specs/blocks/cell.yaml", f"body:\n{body}")
    project.spec("stem: {cell: cell}\n", "one")
    assert project.lint("--strict").code == 0
    assert project.lint("--strict", "specs/one.yaml").code == 0


def test_a_comment_without_use(project: Project) -> None:
    project.spec(f"# archspec: ignore[redundant-bias] {REASON}\n{CLEAN}")
    said = project.lint()
    assert said.lines[0] == (
        "specs/net.yaml:3:1: AS190 [unused-suppression] [*] "
        "unused suppression: `redundant-bias` finds nothing here"
    )


def test_a_rule_that_is_off_makes_no_comment_useless(project: Project) -> None:
    project.spec(f"# archspec: ignore[redundant-bias] {REASON}\n{CLEAN}")
    assert project.lint("--strict", "--ignore", "AS304").code == 0


def test_what_is_accepted_in_a_base_is_accepted_in_its_variants(project: Project) -> None:
    stage = "  a: {block: basic, channels: 36}"
    head = "head: {pool: global_avg_pool, flatten: flatten, fc: {linear: 10}}\n"
    project.spec(f"stages:\n{stage}\n{head}", "base")
    for name in ("one", "two"):
        project.write(f"specs/{name}.yaml", f"name: {name}\nextends: base\n")
    said = project.lint("--strict")
    assert said.lines[0].startswith("specs/base.yaml:4:14: AS402 ")
    assert said.lines[1] == "1 warning in 1 of 3 specs"
    project.spec(f"stages:\n{stage}  # archspec: ignore[AS402] {REASON}\n{head}", "base")
    assert project.lint("--strict").out == "3 specs are clean (1 suppressed)\n"


def test_a_file_with_errors_makes_no_comment_useless(project: Project) -> None:
    project.spec(f"# archspec: ignore[redundant-bias] {REASON}\n{BROKEN}")
    assert "unused-suppression" not in project.lint().out


def test_a_comment_without_a_reason(project: Project) -> None:
    project.spec(BIAS.replace("true}}", "true}}  # archspec: ignore[AS304]"))
    assert project.lint().lines[0] == (
        "specs/net.yaml:4:57: AS191 [suppression-without-reason] suppression has no reason"
    )


@pytest.mark.parametrize(
    ("comment", "message", "hint"),
    [
        ("ignore[AS999] x", "unknown rule `AS999`", "`AS4"),
        ("ignore[AS199] x", "unknown rule `AS199`", "codes are `AS101` to `AS192`"),
        ("ignore[redundant-bais] x", "unknown rule", "did you mean `redundant-bias`?"),
        ("ignore[] x", "suppression comment names no rules", "# archspec: ignore[RULE] the reason"),
        ("disable=AS304", "suppression comment names no rules", "# archspec: ignore[RULE]"),
    ],
)
def test_a_comment_that_means_nothing(
    project: Project, comment: str, message: str, hint: str
) -> None:
    project.spec(f"# archspec: {comment}\n{CLEAN}")
    said = project.lint("--format", "full")
    assert f"warning[AS192] unknown-rule-in-suppression: {message}" in said.out
    assert hint in said.out


def test_what_keeps_a_spec_from_being_built_cannot_be_suppressed(project: Project) -> None:
    project.spec(BROKEN.replace("}}\n", f"}}}}  # archspec: ignore[AS120] {REASON}\n"))
    said = project.lint("--ignore", "AS1", "--format", "full")
    assert said.code == 1
    assert "errors that prevent a build cannot be suppressed" in said.out


@pytest.mark.parametrize(
    "text",
    [
        "doc: 'a # archspec: ignore[AS304] b'\n",
        'doc: "a # archspec: ignore[AS304] b"\n',
        "doc: a#archspec:ignore[AS304]\n",
        "doc: |\n  a # archspec: ignore[AS304]\n  # archspec: ignore[AS304]\n",
        "doc: >-\n\n  # archspec: ignore[AS304]\n",
        "doc: 'two\n  # archspec: ignore[AS304]\n  lines'\n",
    ],
)
def test_what_looks_like_a_comment_in_text_is_none(text: str) -> None:
    assert suppressions(text, "f") == ()


@pytest.mark.parametrize(
    "text",
    [
        "# archspec: ignore[x] \n" * 40_000,
        "stem:\n" + "".join(f"  a{n}: unknown{n}\n" for n in range(5000)),
        "".join(f"stam{n}: 1\n" for n in range(9000)),
    ],
)
def test_no_more_findings_than_a_person_reads(project: Project, text: str) -> None:
    project.spec(text)
    said = project.lint("--format", "json")
    assert 100 <= len(said.data["findings"]) <= 102


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: 1 # archspec: ignore[AS304] r", (1,)),
        ("a: [1, # archspec: ignore[AS304] r\n  2]", (1,)),
        ("a: | # archspec: ignore[AS304] r\n  text\n", (1,)),
        ("a:  # archspec: ignore[AS304] r\n  b: 1", (1, 2)),
        ("# archspec: ignore[AS304] r\n\n# more\r\na: 1\n", (4,)),
        ("a: |\n  text\n# archspec: ignore[AS304] r\nb: 1\n", (4,)),
        ("a: 'é'\n#archspec: ignore[AS304] r\nb: 1", (3,)),
    ],
)
def test_the_lines_a_comment_speaks_of(text: str, lines: tuple[int, ...]) -> None:
    (found,) = suppressions(text, "f")
    assert found.lines == lines
    assert found.reason == "r"


# Baseline and statistics


def test_a_baseline_knows_what_was_there(project: Project) -> None:
    project.spec(BIAS)
    said = project.lint("--write-baseline", "known.json")
    assert (said.code, said.out) == (0, "1 warning written to known.json\n")
    project.spec(f"# a new line\n\n{BIAS}")  # the finding has moved
    said = project.lint("--strict", "--baseline", "known.json")
    assert (said.code, said.out) == (0, "1 spec is clean (1 in the baseline)\n")
    project.spec(BIAS.replace("16", "32"))  # the line has changed
    assert project.lint("--strict", "--baseline", "known.json").code == 1


def test_a_baseline_holds_in_every_working_directory(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.spec(BIAS)
    project.write("archspec.toml", 'baseline = "known/base.json"\n')
    (project.folder / "known").mkdir()
    project.lint("--write-baseline", "known/base.json")
    assert project.lint("--strict").code == 0
    monkeypatch.chdir(project.folder / "specs")
    assert project.lint("--strict", ".").out == "1 spec is clean (1 in the baseline)\n"


def test_a_baseline_knows_how_often(project: Project) -> None:
    line = "  - conv: {channels: 8, bias: true}\n  - norm\n"
    project.spec(f"stem:\n{line}")
    project.lint("--write-baseline", "known.json")
    project.spec(f"stem:\n{line}{line}")
    said = project.lint("--strict", "--baseline", "known.json")
    assert said.code == 1
    assert "1 warning in 1 of 1 spec (1 in the baseline)" in said.out


def test_a_baseline_knows_no_errors(project: Project) -> None:
    """Else a pull request could bring a broken spec, and a baseline that knows it."""
    project.spec(BROKEN)
    project.spec(BIAS, "warned")
    said = project.lint("--write-baseline", "known.json")
    assert (said.code, said.out) == (1, "1 warning written to known.json\n")
    assert said.err.startswith("1 error left out: fix")
    entry = '{"rule": "unknown-layer", "file": "specs/net.yaml", "line": "%s", "count": 1}'
    project.write("forged.json", '{"version": 1, "findings": [' + entry % BROKEN.strip() + "]}")
    for file in ("known.json", "forged.json"):
        assert project.lint("--baseline", file).code == 1


ENDLESS = '{"version": 1, "findings": [{"rule": "", "file": "", "line": "", "count": 1e999}]}'


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', "[" * 9999, ENDLESS])
def test_a_baseline_that_is_none(project: Project, text: str) -> None:
    project.spec(CLEAN)
    project.write("known.json", text)
    said = project.lint("--baseline", "known.json")
    assert said.code == 2
    assert "it is not a baseline" in said.err
    assert "--write-baseline known.json" in said.err


def test_statistics(project: Project) -> None:
    project.spec(BIAS, "one")
    project.spec(BIAS, "two")
    project.spec(BROKEN, "three")
    assert project.lint("--statistics").lines == [
        "     2  AS304  redundant-bias",
        "     1  AS120  unknown-layer",
        "1 error, 2 warnings in 3 of 3 specs",
    ]
    rows = project.lint("--statistics", "--format", "json").data
    assert [(row["code"], row["count"], row["fixable"]) for row in rows] == [
        ("AS304", 2, 2),
        ("AS120", 1, 1),
    ]
    said = project.lint("--statistics", "--format", "sarif")
    assert (said.code, said.out) == (2, "")
    assert "`--format json`" in said.err


# Rules


def test_a_rule_explains_itself(project: Project) -> None:
    by_code, by_name = project.run("rule", "AS201"), project.run("rule", "channels-shrink")
    assert by_code.out == by_name.out
    assert by_code.out.startswith("AS201 channels-shrink (error)\n")
    assert "Example:" in by_code.out
    assert "Use instead:" in by_code.out


def test_all_rules(project: Project) -> None:
    lines = project.run("rule", "--all").lines
    assert lines == sorted(lines)
    assert any(line.startswith("AS304  redundant-bias") for line in lines)


@pytest.mark.parametrize("wrong", ["channel-shrink", "as2010", ""])
def test_a_rule_that_does_not_exist(project: Project, wrong: str) -> None:
    said = project.run("rule", wrong)
    assert said.code == 2
    assert f"unknown name `{wrong}`" in said.err


def test_the_manual_names_every_option(project: Project) -> None:
    page = (ROOT / "docs" / "lint.md").read_text("utf-8")
    options = set(re.findall(r"^ +(--[a-z-]+)", project.lint("--help").out, re.MULTILINE))
    named = {option for option in options if option in page or option[2:] in page}
    assert options - named == set()


@pytest.mark.parametrize("file", [".pre-commit-hooks.yaml", "action.yml", "docs/lint.md"])
def test_what_ci_runs_are_commands_that_exist(project: Project, file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    commands = re.findall(r"(?:\$ARCHSPEC\"|archspec) (lint|build)\b(.*)", text)
    assert commands
    for command, rest in commands:
        known = project.run(command, "--help").out
        assert [option for option in re.findall(r"--[a-z-]+", rest) if option not in known] == []


def test_the_action_and_the_hooks_are_yaml() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["entry"].split()[0] for hook in hooks] == ["archspec", "archspec"]
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    assert action["runs"]["using"] == "composite"
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)  # inputs come by the environment

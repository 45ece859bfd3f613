"""Completion in a shell, as bash asks for it, and what it costs other commands: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archspec import extras
from archspec.cli import COMMANDS, main
from archspec.cli.completion import SHELLS
from archspec.language import shipped
from support.linting import Project

#: Asks for the completions of a line, as the Tab key does.
TAB = f"""
archspec() {{ {sys.executable} -m archspec "$@"; }}
eval "$(archspec completion bash)"
COMP_LINE=$1 COMP_POINT=${{#1}} COMP_TYPE=9
_python_argcomplete archspec
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(line: str, folder: Path) -> list[str]:
    done = subprocess.run(
        ["bash", "-c", TAB, "bash", line], cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [word.strip() for word in done.stdout.split("\n") if word]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("archspec ", [*COMMANDS]),
        ("archspec ex", ["explain", "export"]),
        ("archspec explain bott", ["bottleneck"]),
        ("archspec explain ce", ["celu", "ceil", "cell"]),
        ("archspec rule AS20", [f"AS20{n}" for n in range(1, 10)]),
        ("archspec lint --str", ["--strict"]),
        ("archspec lint --select redu", ["redundant-bias"]),
        ("archspec lint sp", ["specs/"]),
        ("archspec show resnet3", [name for name in shipped() if name.startswith("resnet3")]),
        ("archspec show --pass ", ["parsed", "merged", "expanded", "classes"]),
        ("archspec completion ", [*SHELLS]),
    ],
)
def test_what_a_line_may_go_on_with(project: Project, line: str, words: list[str]) -> None:
    project.write("specs/blocks/cell.yaml", "body: [{conv: 8}]\n")
    assert sorted(completed(line, project.folder)) == sorted(words)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(project: Project, shell: str) -> None:
    said = project.run("completion", shell)
    assert said.code == 0
    assert "archspec" in said.out
    assert "_ARGCOMPLETE" in said.out or shell == "tcsh"


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "archspec.cli.completion", raising=False)
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    assert main(["completion", "bash"]) == 2
    wanted = f"`archspec completion` requires argcomplete: {extras.install('argcomplete')}"
    assert capsys.readouterr().err == f"error: {wanted}\n"


@pytest.mark.parametrize("words", [["--help"], ["lint", "--isolated"], ["list", "blocks"]])
def test_other_commands_do_not_load_it(project: Project, words: list[str]) -> None:
    project.spec("stem: [{conv: 8}]\n")
    check = "import sys; from archspec.cli import main\ntry: main(sys.argv[1:])\n"
    check += "except SystemExit: pass\nassert 'argcomplete' not in sys.modules"
    subprocess.run([sys.executable, "-c", check, *words], cwd=project.folder, check=True)

"""`archspec train`: what is written, which command is run, and how it ends.

The script is a stand-in that says what it was given: training itself is tested elsewhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.cli import main, parser, rendering, train
from archspec.codegen import HEADER
from archspec.codegen.verify import digest
from archspec.ir import Network
from archspec.language import Spec
from support import ROOT, write_spec

BODY = "input: [3, 8, 8]\nstem: {pool: global_avg_pool, flatten: flatten, fc: {linear: 4}}\n"
RECIPE = "train: {data: synthetic, epochs: 1, batch_size: 8, lr: 0.1}\n"
SCRIPT = '''\
"""Trains {root} ({recipe})."""

import json
import sys

if "--help" in sys.argv:
    print("usage: the script's")
    sys.exit()
open("given.json", "w").write(json.dumps(sys.argv))
sys.exit(int(sys.argv[-1]) if "--exit" in sys.argv else 0)
'''

Output = pytest.CaptureFixture[str]


class Replaced(Exception):
    """This process would be the command by now."""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec with a recipe, in the current folder."""

    def generate_training(
        spec: Spec, network: Network, model: str, single_file: bool = False
    ) -> str:
        text = SCRIPT.format(root=network.root.name, recipe=spec.train)
        return HEADER.format(spec=spec.name, digest=digest(text)) + text

    monkeypatch.setattr(rendering, "generate_training", generate_training)
    monkeypatch.setattr(train, "REPLACES", False)
    monkeypatch.chdir(tmp_path)
    return write_spec(tmp_path, BODY + RECIPE)


def given() -> list[str]:
    """What the script was called with."""
    words: list[str] = json.loads(Path("given.json").read_text())
    return words


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_run_has_its_model_and_script(spec: Path, capsys: Output) -> None:
    assert main(["train", "net.yaml"]) == 0
    assert files("runs/net") == ["net.py", "train_net.py"]
    assert given() == ["runs/net/train_net.py", "--out", "runs/net"]
    assert capsys.readouterr().out == "wrote runs/net/net.py\nwrote runs/net/train_net.py\n"
    assert main(["train", "net.yaml"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words",
    [
        "--epochs 3 --data synthetic",
        "--resume --lr=0.5 --compile",
        "--resume best.pt --seed -1",
        "-x unknown --ou=1",
        "-- --nproc 2 --help-me --set",
    ],
)
def test_what_is_not_ours_is_passed_on(spec: Path, words: str) -> None:
    assert main(["train", "net.yaml", "--out", "here", *words.split()]) == 0
    expected = [word for word in words.split() if word != "--"]
    assert given() == ["here/train_net.py", "--out", "here", *expected]


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "input=[3,16,16]", "net.yaml", "--epochs", "3"],
        ["net.yaml", "--epochs", "3", "--set", "input=[3,16,16]"],
    ],
)
def test_our_options_stand_anywhere(spec: Path, words: list[str]) -> None:
    assert main(["train", *words]) == 0
    assert given()[3:] == ["--epochs", "3"]
    assert "3 x 16 x 16" in Path("runs/net/net.py").read_text()


def test_options_of_the_script_stand_behind_the_spec(spec: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--epochs", "3", "net.yaml"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: --epochs" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1, 3, 130, 143])
def test_the_exit_code_is_the_scripts(spec: Path, code: int) -> None:
    assert main(["train", "net.yaml", "--exit", str(code)]) == code


def test_several_processes_are_started_by_torchrun(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execv(path: str, words: list[str]) -> None:
        raise Replaced(path, words)

    monkeypatch.setattr(train, "REPLACES", True)
    monkeypatch.setattr(os, "execv", execv)
    with pytest.raises(Replaced) as replaced:
        train.run(parser("train").parse_args("train net.yaml --nproc 2 --epochs 1".split()))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    script = ["runs/net/train_net.py", "--out", "runs/net", "--epochs", "1"]
    assert replaced.value.args == (sys.executable, [sys.executable, *torchrun, *script])


@pytest.mark.parametrize("number", ["0", "-1", "two", "2.5", "\u00b2"])
def test_a_wrong_number_of_processes(spec: Path, capsys: Output, number: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "net.yaml", "--nproc", number])
    assert stopped.value.code == 2
    assert "--nproc" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process cannot become another")
def test_a_signal_reaches_the_script_itself() -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    start = f"from archspec.cli.train import become; become([{sys.executable!r}, '-c', {script!r}])"
    with subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == 143


# Help ---------------------------------------------------------------------------------


def test_help_shows_both_kinds_of_options(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "net.yaml", "--help"]) == 0
    said = capfd.readouterr().out
    ours, _, theirs = said.partition("Options of the script:")
    assert "--nproc N" in ours
    assert "usage: the script's" in theirs
    assert not Path("runs").exists()


def test_help_without_a_spec(spec: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--help"])
    assert stopped.value.code == 0
    assert "`archspec train SPEC --help` shows" in shortened(capsys.readouterr().out)


def shortened(text: str) -> str:
    return " ".join(text.split())


# What is refused ----------------------------------------------------------------------


def test_a_spec_without_a_recipe(spec: Path, capsys: Output) -> None:
    spec.write_text(f"name: net\n{BODY}")
    assert main(["train", "net.yaml"]) == 1
    said = capsys.readouterr().err
    assert "net.yaml:1:1" in said
    assert "`train` is missing" in said
    assert "write `train: {data: fashion_mnist, epochs: 30, batch_size: 256, lr: 0.1}`" in said


def test_findings_are_those_of_build(spec: Path, capsys: Output) -> None:
    spec.write_text(f"name: net\n{BODY}{RECIPE}expect: {{params: 1}}\n")
    assert main(["build", "net.yaml", "-o", "-"]) == 1
    said = capsys.readouterr().err.replace("nothing was written\n", "")
    assert main(["train", "net.yaml"]) == 1
    assert capsys.readouterr().err == said
    assert not Path("runs").exists()


def test_without_torch(spec: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_spec", lambda name: None)
    assert main(["train", "net.yaml"]) == 2
    said = capsys.readouterr().err
    assert said == "error: training needs torch: python -m pip install 'archspec-nn[torch]'\n"
    assert not Path("runs").exists()


@pytest.mark.parametrize("resume", [[], ["--resume"]])
@pytest.mark.parametrize("state", ["last.pt", "best.pt", "log.csv"])
def test_a_run_keeps_its_script(spec: Path, capsys: Output, state: str, resume: list[str]) -> None:
    main(["train", "net.yaml"])
    Path("runs/net", state).touch()
    before = Path("runs/net/train_net.py").read_text()
    spec.write_text(spec.read_text().replace("lr: 0.1", "lr: 0.2"))
    assert main(["train", "net.yaml", *resume]) == 2
    said = capsys.readouterr().err
    assert "runs/net holds a run of another spec or recipe, which has another train_net.py" in said
    assert "choose another --out, or remove runs/net" in said
    assert Path("runs/net/train_net.py").read_text() == before
    assert main(["train", "net.yaml", *resume, "--out", "runs/second"]) == 0


def test_the_folder_of_another_networks_run(spec: Path, capsys: Output) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/last.pt").touch()
    write_spec(spec.parent, BODY + RECIPE, "other")
    assert main(["train", "other.yaml", "--out", "runs/net"]) == 2
    assert "which has another train_net.py" in capsys.readouterr().err
    assert files("runs/net") == ["last.pt", "net.py", "train_net.py"]


def test_a_run_goes_on_with_the_same_script(spec: Path) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/last.pt").touch()
    assert main(["train", "net.yaml", "--resume"]) == 0


def test_before_the_first_checkpoint_the_recipe_may_change(spec: Path) -> None:
    main(["train", "net.yaml"])
    spec.write_text(spec.read_text().replace("lr: 0.1", "lr: 0.2"))
    assert main(["train", "net.yaml"]) == 0
    assert "lr=0.2" in Path("runs/net/train_net.py").read_text()


def test_a_script_edited_by_hand_is_kept(spec: Path, capsys: Output) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/train_net.py").write_text("# mine\n")
    assert main(["train", "net.yaml"]) == 2
    assert "runs/net/train_net.py was edited by hand" in capsys.readouterr().err
    assert Path("runs/net/train_net.py").read_text() == "# mine\n"

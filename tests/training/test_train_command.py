"""`archspec train`: what is written, which command is run, and how it ends.

The script is a stand-in that says what it was given: training itself is tested elsewhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archspec.cli import main, parser, rendering, train
from archspec.codegen import HEADER
from archspec.codegen.verify import digest
from archspec.ir.classes import Network
from archspec.language import Spec
from support import ROOT, write_spec

BODY = "input: [3, 8, 8]\nstem: {pool: global_avg_pool, flatten: flatten, fc: {linear: 4}}\n"
RECIPE = "train: {data: synthetic, epochs: 1, batch_size: 8, lr: 0.1}\n"
SCRIPT = """\
# Trains {root} ({recipe}). Has {asked}.

import json
import sys

if "--help" in sys.argv:
    print("usage: the script's")
    sys.exit()
open("given.json", "w").write(json.dumps(sys.argv))
sys.exit(int(sys.argv[-1]) if "--exit" in sys.argv else 0)
"""

AGAIN = ["--resume", "auto"]  # the same command goes on
Output = pytest.CaptureFixture[str]


class Replaced(Exception):
    """This process would be the command by now."""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec with a recipe, in the current folder."""

    def generate_training(
        spec: Spec, network: Network, model: str, single_file: bool, asked: list[str]
    ) -> str:
        text = SCRIPT.format(
            root=network.root.name, recipe=spec.train, asked=" ".join(f'"--{x}"' for x in asked)
        )
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
    assert given() == ["runs/net/train_net.py", "--out", "runs/net", *AGAIN]
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
    assert given() == ["here/train_net.py", "--out", "here", *AGAIN, *expected]


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "input=[3,16,16]", "net.yaml", "--epochs", "3"],
        ["net.yaml", "--epochs", "3", "--set", "input=[3,16,16]"],
    ],
)
def test_our_options_stand_anywhere(spec: Path, words: list[str]) -> None:
    assert main(["train", *words]) == 0
    assert given()[3:] == [*AGAIN, "--epochs", "3"]
    assert "3 x 16 x 16" in Path("runs/net/net.py").read_text()


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], ""),
        (["--weights", "a.pt"], '"--weights"'),
        (["--tensorboard", "--cache=here"], '"--cache" "--tensorboard"'),
        (["--data", "weights"], ""),
    ],
)
def test_a_script_has_the_options_that_it_is_given(
    spec: Path, words: list[str], asked: str
) -> None:
    assert main(["train", "net.yaml", *words]) == 0
    assert f" Has {asked}." in Path("runs/net/train_net.py").read_text()


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
    script = ["runs/net/train_net.py", "--out", "runs/net", *AGAIN, "--epochs", "1"]
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


# SLURM --------------------------------------------------------------------------------

SHIMS = {
    "srun": 'echo $$ > running; exec "$@"',
    "scontrol": '[ "$1" = show ] && echo "${3%%,*}" || echo "$@" > requeued',
    "scancel": 'kill -TERM "$(cat running)"; echo "$@" > cancelled',
    # Saves at a signal, and has more to do unless it is told that this is the end.
    "python": "echo \"$@\" > launched\ntrap 'exit 143' TERM\ntouch ready\n"
    "[ -e finish ] && exit 0\n[ -e fail ] && exit 1\nwhile :; do sleep 0.05; done",
}
JOB = {"SLURM_JOB_ID": "31415", "SLURM_NNODES": "2", "SLURM_GPUS_ON_NODE": "8"}


@pytest.fixture
def cluster(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with stand-ins for SLURM's commands and for Python; its name needs quotes."""
    folder = tmp_path / "a 'bin'"
    folder.mkdir()
    for name, text in SHIMS.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_NODELIST", "node7,node9")
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return folder


def submitted(*files: str) -> subprocess.Popen[bytes]:
    """The job as SLURM starts it, once its run is on its way."""
    for file in ("ready", *files):
        Path(file).unlink(missing_ok=True)
    job = subprocess.Popen(["bash", "runs/net/net.sbatch"])
    while not Path("ready").exists():
        assert job.poll() is None
        time.sleep(0.01)
    return job


bash = pytest.mark.skipif(os.name != "posix", reason="needs bash")


@bash
def test_a_job_goes_back_to_the_queue_before_its_time_is_up(cluster: Path, capsys: Output) -> None:
    assert main(["train", "net.yaml", "--slurm", "--nproc", "8", "--data", "a b"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("submit it from this directory: sbatch runs/net/net.sbatch\n")
    assert files("runs/net") == ["net.py", "net.sbatch", "train_net.py"]
    assert not Path("given.json").exists(), "nothing is started"
    assert "#SBATCH --gpus-per-node=8\n" in Path("runs/net/net.sbatch").read_text()
    job = submitted()
    launched = Path("launched").read_text().split("--rdzv-backend")
    assert launched[0] == "-m torch.distributed.run --nnodes=2 --nproc-per-node=8 "
    assert "--rdzv-endpoint=node7:31415 " in launched[1]
    assert launched[1].endswith("train_net.py --out runs/net --resume auto --data a b\n")
    job.send_signal(signal.SIGUSR1)
    assert job.wait(30) == 143
    assert Path("requeued").read_text() == "requeue 31415\n"
    Path("requeued").unlink()
    Path("finish").touch()
    assert submitted().wait(30) == 0
    assert not Path("requeued").exists()


@bash
def test_a_job_that_fails_is_not_begun_again(cluster: Path) -> None:
    assert main(["train", "net.yaml", "--slurm"]) == 0
    Path("fail").touch()
    assert submitted().wait(30) == 1
    assert not Path("requeued").exists()


@bash
def test_a_file_for_slurm_that_was_edited_is_kept(cluster: Path, capsys: Output) -> None:
    assert main(["train", "net.yaml", "--slurm"]) == 0
    assert main(["train", "net.yaml", "--slurm"]) == 0
    file = Path("runs/net/net.sbatch")
    file.write_text(file.read_text().replace("24:00:00", "48:00:00"))
    assert main(["train", "net.yaml", "--slurm"]) == 2
    assert "runs/net/net.sbatch exists with different lines" in capsys.readouterr().err
    assert "48:00:00" in file.read_text()


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
    assert "missing `train` section" in said
    assert "add `train: {data: fashion_mnist, epochs: 30, batch_size: 256, lr: 0.1}`" in said


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
    assert said == "error: training requires torch: python -m pip install 'archspec-nn[torch]'\n"
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
    assert "its train_net.py differs\n" in said
    assert "choose a different --out, or remove runs/net" in said
    assert Path("runs/net/train_net.py").read_text() == before
    assert main(["train", "net.yaml", *resume, "--out", "runs/second"]) == 0


def test_the_folder_of_another_networks_run(spec: Path, capsys: Output) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/last.pt").touch()
    write_spec(spec.parent, BODY + RECIPE, "other")
    assert main(["train", "other.yaml", "--out", "runs/net"]) == 2
    assert "its train_net.py differs" in capsys.readouterr().err
    assert files("runs/net") == ["last.pt", "net.py", "train_net.py"]


def test_a_run_goes_on_with_the_same_script(spec: Path) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/last.pt").touch()
    assert main(["train", "net.yaml", "--resume"]) == 0


def test_a_run_gets_more_options_and_keeps_those_it_has(spec: Path, capsys: Output) -> None:
    main(["train", "net.yaml"])
    Path("runs/net/last.pt").touch()
    both = '"--cache" "--tensorboard"'
    for words, asked in (["--tensorboard"], '"--tensorboard"'), (["--cache=a"], both), ([], both):
        assert main(["train", "net.yaml", *words]) == 0
        assert f" Has {asked}." in Path("runs/net/train_net.py").read_text()
    spec.write_text(spec.read_text().replace("lr: 0.1", "lr: 0.2"))
    assert main(["train", "net.yaml"]) == 2
    assert "contains a run of a different spec" in capsys.readouterr().err


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

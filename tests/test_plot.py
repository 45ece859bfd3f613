"""`archspec plot`: what is read of a log, what is drawn, and what people are told."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from archspec.cli import main
from archspec.plot import Log, PlotError, draw, read_log
from archspec.plot.curves import COLORS, best_text
from archspec.plot.log import COLUMNS

HEADER = "step,epoch,lr,train_loss,test_loss,accuracy,images_per_second,seconds"
VALIDATED = "step,epoch,lr,train_loss,val_loss,val_accuracy,test_loss,test_accuracy"
Output = pytest.CaptureFixture[str]
Write = Callable[..., Path]


def row(epoch: int, accuracy: float = 0.5) -> str:
    return f"{epoch * 10},{epoch},0.1,{2 / epoch:.4f},{3 / epoch:.4f},{accuracy},2310.5,{epoch * 2}"


def rows(count: int) -> list[str]:
    return [row(epoch, 1 - 0.5 / epoch) for epoch in range(1, count + 1)]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the log of a run; the current folder is that of the runs."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *lines: str, header: str = HEADER) -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        text = "".join(f"{line}\n" for line in (header, *lines))
        (tmp_path / name / "log.csv").write_text(text, "utf-8")
        return Path(name)

    return run


def size(picture: Path) -> tuple[int, ...]:
    """Width and height that the header of a PNG says."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


# Reading ------------------------------------------------------------------------------


def test_a_backend_that_is_not_installed_does_not_matter(write: Write) -> None:
    command = [sys.executable, "-m", "archspec", "plot", str(write("run", row(1), row(2)))]
    environment = os.environ | {"MPLBACKEND": "no_such_backend"}
    subprocess.run(command, env=environment, check=True)


def test_the_training_loss_is_that_of_a_rows_own_steps(write: Write) -> None:
    """A log has the mean of the epoch so far; an epoch here is 20 steps."""
    rows = ["10,0.5,0.1,4", "20,1,0.1,3", "25,1.25,0.1,2", "35,1.75,0.1,1"]
    run = write("run", *(f"{row},,,9,9" for row in rows))
    assert read_log(run).curve("train_loss")[1] == [4, 2, 2, 0.5]


def test_a_log_is_read_by_its_header(write: Write) -> None:
    header = "seconds,zeros,r2,test_loss,train_loss,lr,epoch,step"
    log = read_log(
        write("run", "9,0.2,-0.5,3,2,0.1,0.5,10", "19,0.3,0.25,1,1,0,1,20", header=header)
    )
    assert log.measure == "r2"
    assert log.columns["epoch"] == [0.5, 1]
    assert log.columns["r2"] == [-0.5, 0.25]
    assert best_text(log) == "R\u00b2 0.250 at epoch 1"


def test_the_best_is_the_first_of_equals(write: Write) -> None:
    log = read_log(write("run", row(1, 0.5), row(2, 0.924), row(3, 0.924)))
    assert best_text(log) == "92.4 % at epoch 2"


def test_what_a_resumed_run_did_again_counts(write: Write) -> None:
    log = read_log(write("run", row(1, 0.1), row(2, 0.9), row(3, 0.8), row(2, 0.2), row(3, 0.3)))
    assert log.columns["accuracy"] == [0.1, 0.2, 0.3]


def test_a_row_that_is_being_written_is_left_out(write: Write) -> None:
    path = write("run", row(1), row(2)) / "log.csv"
    path.write_text(path.read_text("utf-8") + "30,3,0.1,0.4", "utf-8")
    assert read_log(path).columns["epoch"] == [1, 2]


@pytest.mark.parametrize("text", [f"{HEADER}\r\n{row(1)}\r\n", f"\ufeff{HEADER}\n\n{row(1)}"])
def test_other_line_ends_are_read_too(write: Write, text: str) -> None:
    path = write("run") / "log.csv"
    path.write_bytes(text.encode())
    assert read_log(path).columns["epoch"] == [1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("20,2,0.1,0.5,oops,0.7,2310,4", "log.csv:3:14: test_loss is `oops`: expected a number"),
        (
            "20,2,0.1,nan,0.5,0.7,2310,4",
            "log.csv:3:10: train_loss is `nan`: expected a finite number",
        ),
        ("20,2,-inf,0.5,0.5,0.7,2310,4", "log.csv:3:6: lr is `-inf`: expected a finite number"),
        ("20,2,0.1,0.5,0.5,92.4,2310,4", "accuracy is `92.4`: expected a fraction from 0 to 1"),
        (
            "20,2,0.1,0.5,1e99,0.7,2310,4",
            "test_loss is `1e99`: it is outside the range of training, 1e+40",
        ),
        ("20,2,0.1,0.5", "log.csv:3:10: wrong number of columns: the header has 8 columns"),
        ("20,2,0.1,0.5,0.5,0.7,2310,4,5,6", "wrong number of columns:"),
        ("\x1b[2J,2,0.1,0.5,0.5,0.7,2310,4", "step is `\\x1b[2J`: expected a number"),
    ],
)
def test_a_malformed_row_is_told_with_its_place(
    write: Write, capsys: Output, wrong: str, said: str
) -> None:
    run = write("run", row(1), wrong, row(3))
    assert main(["plot", str(run)]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.startswith("error: run/log.csv:3:")
    assert not (run / "curves.png").exists()


def test_all_that_is_wrong_is_told_at_once(write: Write, capsys: Output) -> None:
    write("one", row(1), "x", *["y"] * 9)
    write("two", row(1, math.inf))
    assert main(["plot", "one", "two", "three"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 8
    assert said[5:7] == [
        "error: one/log.csv: and 5 more",
        "error: two/log.csv:2:24: accuracy is `inf`: expected a finite number",
    ]
    assert said[7].startswith("error: three: run not found")


def test_a_run_that_is_not_there(write: Write, capsys: Output) -> None:
    write("resnet18", row(1))
    (Path("empty")).mkdir()
    assert main(["plot", "resnet81", "empty"]) == 2
    said = capsys.readouterr().err
    assert "resnet81: run not found (did you mean `resnet18`?" in said
    assert "empty: no log.csv in this directory" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no evaluations yet"),
        (f"{HEADER}\n", "no evaluations yet"),
        (f"{HEADER}\n20,2", "no evaluations yet"),
        ("step;epoch\n1;2\n", "log.csv:1:1: the header lacks step, epoch, lr"),
        (
            "step,epoch,lr,train_loss,test_loss\n1,1,1,1,1\n",
            "lacks val_loss with val_accuracy or val_r2",
        ),
        ("\0\udcff\n\0\n", "the header lacks"),
    ],
)
def test_a_log_without_evaluations(write: Write, text: str, said: str) -> None:
    path = write("run") / "log.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(PlotError, match=said):
        read_log("run")


def test_a_file_that_no_script_wrote_is_not_read(write: Write) -> None:
    with (write("run") / "log.csv").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(PlotError, match="at most 16 MiB"):
        read_log("run")


# Drawing ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 300])
def test_the_picture_lies_in_the_run(write: Write, capsys: Output, count: int) -> None:
    run = write("run", *rows(count))
    assert main(["plot", str(run)]) == 0
    assert capsys.readouterr().out == "wrote run/curves.png\n"
    assert size(run / "curves.png") == (936, 858)
    assert sorted(path.name for path in run.iterdir()) == ["curves.png", "log.csv"]


def test_the_ending_decides_the_form(write: Write) -> None:
    write("run", *rows(3))
    assert main(["plot", "run/log.csv", "-o", "out/of/here.SVG"]) == 0
    assert b"<svg" in Path("out/of/here.SVG").read_bytes()


def test_another_ending_is_refused(write: Write, capsys: Output) -> None:
    write("run", *rows(3))
    with pytest.raises(SystemExit) as stopped:
        main(["plot", "run", "-o", "curves.pdf"])
    assert stopped.value.code == 2
    assert "`curves.pdf` does not end in .png or .svg" in capsys.readouterr().err


def test_several_runs_replace_no_other_picture(write: Write, capsys: Output) -> None:
    write("a", *rows(3))
    write("b", *rows(5))
    assert main(["plot", "a", "b", "a"]) == 0
    before = Path("curves.png").read_bytes()
    assert main(["plot", "a", "b"]) == 2
    assert "curves.png exists: pass the path of the picture with -o" in capsys.readouterr().err
    assert main(["plot", "a", "b", "-o", "curves.png"]) == 0
    assert Path("curves.png").read_bytes() == before


@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_logs_give_equal_pictures(write: Write, form: str) -> None:
    logs = {"a": read_log(write("a", *rows(30))), "b": read_log(write("b", *rows(4)))}
    first = draw(logs, form)
    assert draw(logs, form) == first
    assert not any(word in first for word in (b"dc:date", b"matplotlib.org", b"Software"))


def test_what_matplotlib_is_told_elsewhere_changes_nothing(write: Write) -> None:
    import matplotlib

    log = {"run": read_log(write("run", *rows(3)))}
    first = draw(log, "svg")
    with matplotlib.rc_context({"text.usetex": True, "lines.linewidth": 9}):
        assert draw(log, "svg") == first
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_every_run_has_its_colour(write: Write) -> None:
    log = read_log(write("run", *rows(40)))
    picture = draw({"a": log, "b": log, "c": log}, "svg").decode()
    assert [f"stroke: {color}" in picture for color in COLORS] == [True] * 3 + [False] * 4
    with pytest.raises(PlotError, match="a picture can show at most 7"):
        draw({str(i): log for i in range(8)}, "svg")


def test_any_name_can_be_drawn(write: Write) -> None:
    log = read_log(write("run", *rows(3)))
    names = ("$\\frac", "$\\frac2", "_hidden", "_hidden2", "&<>", "x" * 500)
    ElementTree.fromstring(draw(dict.fromkeys(names, log), "svg"))


@pytest.mark.parametrize("runs", [1, 2])
def test_dollars_are_drawn(write: Write, runs: int) -> None:
    """A run called `$_$` shows two letters more than `_`, not a formula."""
    log = read_log(write("run", *rows(3)))
    others = {"other": log} if runs == 2 else {}
    plain, dollars = (draw({name: log, **others}, "svg") for name in ("_", "$_$"))
    assert dollars.count(b"DejaVuSans") == plain.count(b"DejaVuSans") + 1 + 2


@pytest.mark.parametrize("losses", [(1e40, 5e-324), (0, 0), (1e-9, 1e9), (-5, 5)])
@pytest.mark.filterwarnings("error")
def test_any_finite_numbers_can_be_drawn(losses: tuple[float, float]) -> None:
    columns = dict.fromkeys((*COLUMNS, "val_loss", "val_r2"), losses)
    draw({"run": Log("val_loss", "val_r2", columns)}, "png")


def test_validation_and_test_are_told_apart(write: Write) -> None:
    """The best is chosen by validation; the row whose weights were tested says what came of it."""
    write("run", "1,1,0.1,2,2,0.5,1.9,0.48", "2,2,0.1,1,3,0.4,,", header=VALIDATED)
    log = read_log(Path("run"))
    assert (log.part, log.kind, log.best, log.tested) == ("validation", "accuracy", (1, 0.5), 0.48)
    assert best_text(log) == "50.0 % at epoch 1, test 48.0 %"
    older = read_log(write("older", row(1)))
    assert (older.part, older.kind, older.tested) == ("test", "accuracy", None)
    draw({"run": log, "older": older}, "svg")


def test_a_run_without_validation_has_its_test(write: Write) -> None:
    log = read_log(write("run", "1,1,0.1,2,,,,", "2,2,0.1,1,,,1.9,0.48", header=VALIDATED))
    assert log.best is None
    assert best_text(log) == "test 48.0 %"
    draw({"run": log}, "svg")


def test_accuracy_and_r2_are_not_drawn_together(write: Write, capsys: Output) -> None:
    write("a", row(1))
    write("b", row(1), header=HEADER.replace("accuracy", "r2"))
    assert main(["plot", "a", "b"]) == 2
    assert (
        "some runs measure accuracy and others R2: plot them separately" in capsys.readouterr().err
    )


def test_without_matplotlib(write: Write, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    write("run", row(1))
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoMatplotlib, *sys.meta_path])
    assert main(["plot", "run"]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == "error: `archspec plot` requires matplotlib: python -m pip install 'archspec-nn[plot]'\n"
    )


class NoMatplotlib:
    """An import system that lacks matplotlib."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name=name)

"""`log.csv`, which a training script writes: a header, and rows.

A row at the end of an epoch has an evaluation, which is `nan` if it was not finite. Rows inside an
epoch have the training loss, and empty cells for the evaluation. The row whose weights were tested
also has the test result. Older logs only have evaluations on the test set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archspec.diagnostics import ArchspecError, Span, did_you_mean, plural
from archspec.records import Record

LOG = "log.csv"
COLUMNS = ("step", "epoch", "lr", "train_loss")
# Loss and measure of an evaluation; a log has one pair.
EVALUATIONS = (
    *(("val_loss", "val_accuracy"), ("val_loss", "val_r2")),
    *(("test_loss", "accuracy"), ("test_loss", "r2")),
)
LARGEST = 16 << 20  # bytes: 100,000 epochs need half of it
GREATEST = 1e40  # the maximum of float32 is 3.4e38
MOST_PROBLEMS = 5

Row = dict[str, float]


class PlotError(ArchspecError):
    """Runs that cannot be drawn. `.problems` has the reasons, with their locations."""

    def __init__(self, *problems: str) -> None:
        super().__init__(problems[0], more=problems[1:])
        self.problems = (self.message, *self.more)


class Log(Record):
    """The rows of a run: column -> numbers. `loss` and `measure` are those of evaluations.

    Missing and non-finite evaluations are NaN.
    """

    loss: str
    measure: str
    columns: Mapping[str, Sequence[float]]

    @property
    def kind(self) -> str:
        """`accuracy` (0 to 1) or `r2`."""
        return self.measure.removeprefix("val_")

    @property
    def part(self) -> str:
        """The part of the data that was evaluated."""
        return "test" if self.kind == self.measure else "validation"

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """The epochs and values of a column, without empty cells."""
        pairs = zip(self.columns["epoch"], self.columns[name], strict=True)
        points = [(epoch, value) for epoch, value in pairs if not math.isnan(value)]
        return [epoch for epoch, _ in points], [value for _, value in points]

    @property
    def best(self) -> tuple[float, float] | None:
        """Epoch and value of the largest measure; the first of equal ones, like `best.pt`."""
        points = zip(*self.curve(self.measure), strict=True)
        return max(points, key=lambda point: point[1], default=None)

    @property
    def tested(self) -> float | None:
        """The measure on the test set, if it was evaluated."""
        name = f"test_{self.kind}"
        values = self.curve(name)[1] if name in self.columns else []
        return values[-1] if values else None


def log_file(run: str | Path) -> Path:
    """The log of a run's directory; a file is itself a log."""
    path = Path(run)
    return path / LOG if path.is_dir() else path


def read_logs(runs: Sequence[str]) -> dict[str, Log]:
    """Name -> log, for run directories and `.csv` files; raises `PlotError` with all problems."""
    logs: dict[str, Log] = {}
    problems: list[str] = []
    for run, name in zip(runs, _names(runs), strict=True):
        try:
            logs[name] = read_log(run)
        except PlotError as error:
            problems += error.problems
    if problems:
        raise PlotError(*problems)
    return logs


def _names(runs: Sequence[str]) -> Sequence[str]:
    """The names of the directories or, if two have the same name, the paths as given."""
    files = [log_file(run).resolve() for run in runs]
    names = [file.parent.name if file.name == LOG else file.stem for file in files]
    return names if len(set(names)) == len(runs) else runs


def read_log(run: str | Path) -> Log:
    """The log in a run's directory, or a `.csv` file; raises `PlotError` with all problems."""
    path = log_file(run)
    lines = _text(Path(run), path).splitlines(keepends=True)
    if len(lines) < 2:
        raise PlotError(f"{path}: no evaluations yet; one row is written after each epoch")
    header = [name.strip() for name in lines[0].split(",")]
    wanted = _wanted(header, path)
    rows, problems = _rows(lines, header, wanted, path)
    if problems:
        raise PlotError(*_first(problems, path))
    if not rows:
        raise PlotError(f"{path}: no evaluations yet; one row is written after each epoch")
    columns = {name: [row[name] for row in rows] for name in wanted}
    columns["train_loss"] = list(_since_the_row_before(rows))
    loss, measure = wanted[len(COLUMNS) :][:2]
    return Log(loss, measure, columns)


def _text(run: Path, path: Path) -> str:
    if not run.exists():
        raise PlotError(f"{run}: run not found{_near(run)}")
    if not path.exists():
        raise PlotError(
            f"{run}: no {LOG} in this directory, so either it is not a run, or the run has "
            "no evaluations yet"
        )
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise PlotError(f"{path}: expected a file of at most {LARGEST >> 20} MiB")
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _near(run: Path) -> str:
    beside = [path.name for path in run.parent.glob("*/") if (path / LOG).is_file()]
    hint = did_you_mean(run.name, beside, "available")
    return f" ({hint})" if hint else ""


def _wanted(header: list[str], path: Path) -> list[str]:
    """The columns to read: `COLUMNS`, the two of an evaluation, and the test's measure if any."""
    missing = [name for name in COLUMNS if name not in header]
    pairs = [pair for pair in EVALUATIONS if {*pair} <= {*header}]
    if not pairs:
        missing.append("val_loss with val_accuracy or val_r2")
    if missing:
        found = f"the header lacks {', '.join(missing)}"
        raise PlotError(f"{path}:1:1: {found} (a training script writes {','.join(COLUMNS)},...)")
    tested = f"test_{pairs[0][1].removeprefix('val_')}"
    return [*COLUMNS, *pairs[0], *([tested] if tested in header else [])]


def _rows(
    lines: list[str], header: list[str], wanted: list[str], path: Path
) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    problems: list[str] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = dict(_cells(line, header))
        found = [
            f"{Span(path.as_posix(), number, c)}: {t}" for c, t in _wrong(cells, header, wanted)
        ]
        if found and number == len(lines) and not line.endswith("\n"):
            break  # the row is incomplete
        problems += found
        if not found:
            _add(rows, {name: float(cells[name][1] or math.nan) for name in wanted})
    return rows, problems


def _cells(line: str, header: list[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Column of the table -> column of the text, and its content."""
    column = 1
    for place, cell in enumerate(line.rstrip("\r\n").split(",")):
        yield header[place] if place < len(header) else "", (column, cell.strip())
        column += len(cell) + 1


def _wrong(
    cells: dict[str, tuple[int, str]], header: list[str], wanted: list[str]
) -> Iterator[tuple[int, str]]:
    """The error in a row, and its column in the text."""
    if list(cells) != header:
        expected = f"the header has {plural(len(header), 'column')}"
        yield max(column for column, _ in cells.values()), f"wrong number of columns: {expected}"
        return
    for name in wanted:
        column, text = cells[name]
        if name not in COLUMNS and text in ("", "nan"):
            continue
        reason = _no_number(name, text)
        if reason:
            yield column, f"{name} is `{text[:40]}`: {reason}"


def _no_number(name: str, text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return "expected a number"
    if not math.isfinite(number):
        return "expected a finite number"
    if abs(number) > GREATEST:
        return f"it is outside the range of training, {GREATEST:g}"
    if name.endswith("accuracy") and not 0 <= number <= 1:
        return "expected a fraction from 0 to 1"
    return ""


def _add(rows: list[Row], row: Row) -> None:
    """Add a row; a resumed run repeats evaluations, and the later ones count."""
    while rows and rows[-1]["step"] >= row["step"]:
        rows.pop()
    rows.append(row)


def _since_the_row_before(rows: list[Row]) -> Iterator[float]:
    """The mean training loss since the row before; a log has the mean of the epoch so far."""
    last = rows[-1]
    an_epoch = max(1, round(min(last["step"] / (last["epoch"] or 1), GREATEST)))
    start = total = before = 0.0  # the epoch's first step, the sum of its losses, the last row
    for row in rows:
        step, mean = row["step"], row["train_loss"]
        if (step - 1) // an_epoch * an_epoch != start:
            start = before = (step - 1) // an_epoch * an_epoch
            total = 0.0
        yield (mean * (step - start) - total) / max(1, step - before)
        total, before = mean * (step - start), step


def _first(problems: list[str], path: Path) -> list[str]:
    more = len(problems) - MOST_PROBLEMS
    return problems if more <= 0 else [*problems[:MOST_PROBLEMS], f"{path}: and {more} more"]

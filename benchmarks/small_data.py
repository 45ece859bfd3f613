"""Trains the networks of docs/data.md on the data that the page names, from several seeds.

python benchmarks/small_data.py [--seeds 3]

Needs scikit-learn and statsmodels. A row has the test figure of a baseline, of the linear model
that one would try first, and the mean and spread of ours. Nothing was chosen by the test rows.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
from sklearn import datasets  # type: ignore[import-not-found]
from sklearn.linear_model import LinearRegression, LogisticRegression  # type: ignore[import-not-found]
from sklearn.multioutput import MultiOutputClassifier  # type: ignore[import-not-found]

from child import ROOT

Array = numpy.ndarray[Any, Any]
Rows = dict[str, Array]
SHARES = (0.7, 0.85)  # where training and validation end
SEEN, AHEAD = 33, 5  # years


def rows_of(count: int, order: Array) -> Rows:
    ends = [int(count * share) for share in SHARES]
    return dict(zip(("train", "val", "test"), numpy.split(order, ends), strict=True))


def drawn(count: int) -> Rows:
    return rows_of(count, numpy.random.default_rng(0).permutation(count))


def scaled(values: Array, rows: Array) -> Array:
    """Mean 0 and deviation 1 in these rows."""
    return (values - values[rows].mean(0)) / values[rows].std(0)  # type: ignore[no-any-return]


def r2(y: Array, found: Array) -> float:
    """The mean of each output's, as a training script has it."""
    return float(numpy.mean(1 - ((y - found) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)))


def diabetes() -> tuple[Array, Array, Rows]:
    x, y = datasets.load_diabetes(return_X_y=True)
    rows = drawn(len(x))
    return scaled(x, rows["train"]), scaled(y[:, None], rows["train"]), rows


def sunspots() -> tuple[Array, Array, Rows]:
    from statsmodels.datasets import sunspots as data  # type: ignore[import-not-found]

    counts = numpy.sqrt(data.load_pandas().data.SUNACTIVITY.to_numpy())
    windows = numpy.lib.stride_tricks.sliding_window_view(counts, SEEN + AHEAD)
    rows = rows_of(len(windows), numpy.arange(len(windows)))
    years = counts[: len(rows["train"]) + SEEN]
    windows = (windows - years.mean()) / years.std()
    gap = AHEAD - 1  # no target of a part is an input or target of the one before
    rows = {"train": rows["train"][:-gap], "val": rows["val"][:-gap], "test": rows["test"]}
    return windows[:, None, :SEEN], windows[:, SEEN:], rows


def topics() -> tuple[Array, Array, Rows]:
    x, y = datasets.make_multilabel_classification(4000, 20, n_classes=5, random_state=0)
    rows = drawn(len(x))
    return scaled(x, rows["train"]), y, rows


def linear(x: Array, y: Array, rows: Rows) -> float:
    flat = x.reshape(len(x), -1)
    model = LinearRegression().fit(flat[rows["train"]], y[rows["train"]])
    return r2(y[rows["test"]], model.predict(flat[rows["test"]]))


def logistic(x: Array, y: Array, rows: Rows) -> float:
    model = MultiOutputClassifier(LogisticRegression()).fit(x[rows["train"]], y[rows["train"]])
    return float((model.predict(x[rows["test"]]) == y[rows["test"]]).mean())


def mean(x: Array, y: Array, rows: Rows) -> float:
    """The mean of the training targets, whatever is seen."""
    test = y[rows["test"]]
    return r2(test, numpy.broadcast_to(y[rows["train"]].mean(0), test.shape))


def commonest(x: Array, y: Array, rows: Rows) -> float:
    return float((y[rows["test"]] == y[rows["train"]].mean(0).round()).mean())


Baseline = Callable[[Array, Array, Rows], float]
SETS: dict[str, tuple[Callable[[], tuple[Array, Array, Rows]], Baseline, Baseline]] = {
    "diabetes": (diabetes, mean, linear),
    "sunspots": (sunspots, mean, linear),
    "topics": (topics, commonest, logistic),
}


def specs() -> Iterator[tuple[str, str]]:
    """The specs of the page, by their files."""
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    for text in re.findall(r"```yaml\n(.*?)```", page, re.S):
        yield text.split()[1], text


def save(path: Path, x: Array, y: Array, rows: Rows) -> None:
    pairs = {part: (x[which], y[which]) for part, which in rows.items()}
    torch.save(
        {part: tuple(torch.tensor(v).float() for v in pair) for part, pair in pairs.items()}, path
    )


def score(folder: Path, name: str, seed: int) -> float:
    """The test figure of one run."""
    command = [sys.executable, "-m", "archspec", "train", f"{name}.yaml", "--data", f"{name}.pt"]
    command += ["--seed", str(seed), "--out", f"runs/{name}{seed}"]
    given = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=given, stdout=subprocess.PIPE, text=True, check=True
    )
    (figure,) = re.findall(r"^test (?:R\^2|accuracy) (\S+?)(%?):", done.stdout, re.M)
    return float(figure[0]) / (100 if figure[1] else 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    print(f"{'':10} {'constant':>9} {'linear':>8} {'network':>9} {'spread':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in specs():
            (folder / file).write_text(text, "utf-8")
        for name, (make, constant, model) in SETS.items():
            x, y, rows = make()
            save(folder / f"{name}.pt", x, y, rows)
            found = [score(folder, name, seed) for seed in range(args.seeds)]
            spread = max(found) - min(found)
            first = f"{name:10} {constant(x, y, rows):9.3f} {model(x, y, rows):8.3f}"
            print(f"{first} {statistics.mean(found):9.3f} {spread:8.3f}")


if __name__ == "__main__":
    main()

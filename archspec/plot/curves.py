"""The picture: losses, accuracy or R2, and the learning rate, over epochs.

Runs differ in color (Okabe and Ito's) and, for people who cannot see colors, in the shape of their
points. Evaluations are solid lines, training is a dashed line with hollow points, and the large
point is a run's best.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archspec.extras import needed_for
from archspec.plot.log import Log, PlotError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
COLORS = ("#0072b2", "#e69f00", "#000000", "#56b4e9", "#d55e00", "#009e73", "#cc79a7")
SHAPES = "osD^vPX"
MOST_RUNS = len(COLORS)
EVALUATED: Mapping[str, Any] = {"linestyle": "-"}
TRAINED: Mapping[str, Any] = {"linestyle": "--", "markerfacecolor": "white"}
FEW = 12  # points on a curve
SHORT = 3  # epochs up to which their axis has ticks between them
WIDE = 50  # ratio of maximum and minimum loss above which the axis is logarithmic
STEPS = (1, 2, 5, 10)  # between the ticks of an axis
LONGEST_NAME = 48
NAME_OF_R2 = "R\u00b2"

STYLE: Mapping[Any, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "archspec",
    "text.parse_math": False,  # a run may be named $x$
}
UNDATED: Mapping[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def draw(logs: Mapping[str, Log], form: str) -> bytes:
    """A picture of runs, by name, in one of the `FORMATS`; equal logs give equal bytes.

    Raises `PlotError` for more than `MOST_RUNS` or runs with different measures.
    """
    _check(logs)
    with needed_for("`archspec plot`", "matplotlib"):
        import matplotlib
        from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # what a matplotlibrc sets would change the picture
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(7.2, 6.6), dpi=130, layout="constrained")
        _panels(figure, logs)
        file = io.BytesIO()
        figure.savefig(file, format=form, metadata=UNDATED[form])
    return file.getvalue()


def _check(logs: Mapping[str, Log]) -> None:
    if len(logs) > MOST_RUNS:
        raise PlotError(f"{len(logs)} runs: a picture can show at most {MOST_RUNS}")
    if len({log.kind for log in logs.values()}) > 1:
        raise PlotError("some runs measure accuracy and others R2: plot them separately")


def _panels(figure: Figure, logs: Mapping[str, Log]) -> None:
    panels = figure.subplots(3, sharex=True, height_ratios=(3, 3, 1))
    for log, color, shape in zip(logs.values(), COLORS, SHAPES, strict=False):
        _lines(panels, log, _look(color, shape, len(logs)))
    losses, measure, rate = panels
    (kind,) = {log.kind for log in logs.values()}
    parts = {log.part: None for log in logs.values()}
    part = " or ".join(parts)
    _loss_axis(losses, logs.values(), part)
    _measure_axis(measure, kind, part)
    _rate_axis(rate)
    if len(logs) == 1:
        _name_one(figure, measure, *logs.items())
    else:
        _name_all(figure, measure, logs)


def _lines(panels: Sequence[Axes], log: Log, look: Callable[[int], dict[str, Any]]) -> None:
    losses, measure, rate = panels

    def plot(axes: Axes, name: str, **style: Any) -> None:
        epochs, values = log.curve(name)
        axes.plot(epochs, values, **look(len(epochs)), **style)

    plot(losses, log.loss, **EVALUATED)
    plot(losses, "train_loss", **TRAINED)
    plot(measure, log.measure)
    best = [[number] for number in log.best or ()] or [[], []]
    measure.plot(*best, **_best(look(1)))
    plot(rate, "lr", alpha=0.6)


def _look(color: str, shape: str, runs: int) -> Callable[[int], dict[str, Any]]:
    """The markers of a curve: all on short curves; some on long ones to distinguish runs."""

    def look(points: int) -> dict[str, Any]:
        if points > FEW and runs == 1:
            return {"color": color}
        every = max(1, -(-points // FEW))
        return {"color": color, "marker": shape, "markersize": 4, "markevery": every}

    return look


def _best(look: dict[str, Any]) -> dict[str, Any]:
    marker = look.get("marker", SHAPES[0])
    return {"color": look["color"], "marker": marker, "markersize": 9, "markeredgecolor": "white"}


# Axes ---------------------------------------------------------------------------------


def _loss_axis(axes: Axes, logs: Iterable[Log], part: str) -> None:
    from matplotlib.lines import Line2D

    axes.set_title("loss")
    names = [(log, name) for log in logs for name in (log.loss, "train_loss")]
    losses = [value for log, name in names for value in log.curve(name)[1]]
    if 0 < WIDE * min(losses) < max(losses):
        axes.set_yscale("log")
    _written(axes, "{:g}".format)
    look: dict[str, Any] = {"color": "#444444", "markersize": 4}
    look["marker"] = axes.lines[0].get_marker()
    lines = [Line2D([], [], **look, **style) for style in (EVALUATED, TRAINED)]
    axes.legend(lines, [part, "train"], ncols=2, loc="lower right", bbox_to_anchor=(1, 0.98))


def _measure_axis(axes: Axes, kind: str, part: str) -> None:
    axes.set_title(f"{part} {'accuracy' if kind == 'accuracy' else NAME_OF_R2}")
    axes.margins(y=0.15)  # room above the best point for its label
    _written(axes, _percent if kind == "accuracy" else "{:g}".format)


def _rate_axis(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title("learning rate")
    axes.set_xlabel("epoch")
    whole = axes.dataLim.xmax > SHORT
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=whole, min_n_ticks=1, steps=STEPS))
    axes.yaxis.set_major_locator(MaxNLocator(2, steps=STEPS))
    _written(axes, "{:g}".format)


def _written(axes: Axes, form: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: form(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _percent(share: float) -> str:
    return f"{100 * share:g} %" if share < 1.001 else ""  # 1 may be marked as 1.0000000000000002


# Names --------------------------------------------------------------------------------


def best_text(log: Log) -> str:
    """`92.4 % at epoch 14, test 92.1 %`."""
    texts = []
    if log.best is not None:
        epoch, value = log.best
        texts.append(f"{_score(log, value)} at epoch {round(epoch, 2):g}")
    if log.tested is not None:
        texts.append(f"test {_score(log, log.tested)}")
    return ", ".join(texts) or "no evaluations yet"


def _score(log: Log, value: float) -> str:
    return f"{100 * value:.1f} %" if log.kind == "accuracy" else f"{NAME_OF_R2} {value:.3f}"


def _name_one(figure: Figure, axes: Axes, named: tuple[str, Log]) -> None:
    name, log = named
    figure.suptitle(_short(name), x=0.01, horizontalalignment="left", fontweight="bold")
    epochs = log.columns["epoch"]
    place = log.best or (epochs[-1], 0.0)
    right = place[0] > (epochs[0] + epochs[-1]) / 2
    axes.annotate(
        best_text(log),
        place,
        (6 if right else -6, 8),
        textcoords="offset points",
        horizontalalignment="right" if right else "left",
    )


def _name_all(figure: Figure, axes: Axes, logs: Mapping[str, Log]) -> None:
    handles = axes.lines[::2]  # between them are the best points
    texts = [f"{_short(name)}: {best_text(log)}" for name, log in logs.items()]
    legend = figure.legend(handles, ["?"] * len(texts), loc="outside upper left")
    for entry, text in zip(legend.get_texts(), texts, strict=True):
        entry.set_text(text)  # as a label, `_x` would mean that it is hidden


def _short(name: str) -> str:
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}\u2026{name[-half:]}"

"""Checks of the input shape of an op."""

from __future__ import annotations

from archspec.diagnostics import plural
from archspec.ir import Op, Real, Shape, ShapeError, Sizes, each


def spatial(op: Op, x: Shape) -> None:
    if not x.rank:
        raise ShapeError(
            f"`{op.key}` expects spatial dimensions, but its input is a vector of "
            f"{plural(x.channels, 'feature')}",
            "move it before `flatten`, or use `linear`",
        )
    channels_first(op, x)


def channels_first(op: Op, x: Shape) -> None:
    if x.last:
        raise ShapeError(
            f"`{op.key}` expects channels first, but its input is channels last ({x})",
            "add `channels_first` before it",
        )


def image(op: Op, x: Shape) -> None:
    spatial(op, x)
    if x.rank != 2:
        raise ShapeError(f"`{op.key}` expects an image, but its input is {x}")


def ranked(op: Op, sizes: Sizes, x: Shape, name: str) -> tuple[int, ...]:
    if isinstance(sizes, tuple) and len(sizes) != x.rank:
        sides = "; `zero_pad` accepts two, before and after" if name == "padding" else ""
        given, wanted = plural(len(sizes), "value"), plural(x.rank, "spatial dimension")
        raise ShapeError(
            f"`{name}` of `{op.key}` has {given}, but the input has {wanted}",
            f"use one number for all dimensions, or one per dimension{sides}",
        )
    return tuple(each(sizes, x.rank))


def divides(groups: int, channels: int, op: Op, which: str) -> None:
    if channels % groups:
        raise ShapeError(
            f"`{op.key}` cannot divide its {plural(channels, f'{which} channel')} into "
            f"{plural(groups, 'group')}",
            "use a number of channels divisible by `groups`",
            rule="groups-do-not-divide",
        )


def reflects(op: Op, most: int, pad: int, x: Shape) -> None:
    """Padding copied from the image itself, which is possible at most once."""
    if pad > most:
        raise ShapeError(
            f"`{op.key}` pads {plural(pad, 'pixel')} with the image's own, but {x} only has {most}",
            "increase the input size",
            rule="feature-map-vanishes",
        )


def ordered(op: Op, low: str, lower: Real, high: str, upper: Real) -> None:
    if lower >= upper:
        raise ShapeError(
            f"`{low}` of `{op.key}` is {float(lower):g}, but `{high}` is {float(upper):g}",
            f"`{low}` must be the smaller of the two",
            rule="out-of-range",
        )

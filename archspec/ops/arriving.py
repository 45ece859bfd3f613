"""What ops ask of the shape that arrives."""

from __future__ import annotations

from archspec.ir import Op, Real, Shape, ShapeError, Sizes, each


def spatial(op: Op, x: Shape) -> None:
    if not x.rank:
        raise ShapeError(
            f"`{op.key}` wants spatial sizes, and what arrives is {x.channels} plain features",
            "put it ahead of `flatten`, or use `linear`",
        )
    channels_first(op, x)


def channels_first(op: Op, x: Shape) -> None:
    if x.last:
        raise ShapeError(
            f"`{op.key}` wants the channels in front, and here they are behind ({x})",
            "put `channels_first` ahead of it",
        )


def image(op: Op, x: Shape) -> None:
    spatial(op, x)
    if x.rank != 2:
        raise ShapeError(f"`{op.key}` wants an image, and what arrives is {x}")


def ranked(op: Op, sizes: Sizes, x: Shape, name: str) -> tuple[int, ...]:
    if isinstance(sizes, tuple) and len(sizes) != x.rank:
        sides = "; `zero_pad` takes two, before and after" if name == "padding" else ""
        raise ShapeError(
            f"`{name}` of `{op.key}` names {len(sizes)} dimensions, and the input has {x.rank}",
            f"write one number for all, or one for each{sides}",
        )
    return tuple(each(sizes, x.rank))


def divides(groups: int, channels: int, op: Op, which: str) -> None:
    if channels % groups:
        raise ShapeError(
            f"{groups} groups do not divide the {channels} channels that {which} `{op.key}`",
            "choose channels that are a multiple of the groups",
            rule="groups-do-not-divide",
        )


def reflects(op: Op, most: int, pad: int, x: Shape) -> None:
    """What is padded is taken from the image itself, at most once."""
    if pad > most:
        raise ShapeError(
            f"`{op.key}` pads {pad} pixels with the image's own, and {x} has {most} to give",
            "make the input larger",
            rule="feature-map-vanishes",
        )


def ordered(op: Op, low: str, lower: Real, high: str, upper: Real) -> None:
    if lower >= upper:
        raise ShapeError(
            f"`{low}` of `{op.key}` is {float(lower):g}, and `{high}` {float(upper):g}",
            f"`{low}` is the smaller of the two",
            rule="out-of-range",
        )

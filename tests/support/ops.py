"""Every op with arguments that it takes, and the shapes that it takes."""

from __future__ import annotations

from typing import Any

from archspec.ir import Op, Shape, ShapeError, fields_of
from archspec.ops import OPS

ARRIVES = {
    "features": Shape(12),
    "line": Shape(12, (9,)),
    "image": Shape(12, (9, 7)),
    "video": Shape(12, (4, 5, 6)),
    "sequence": Shape(12, (9,), last=True),
}
#: Arguments by torch's names, where an op alone says too little.
GIVEN: dict[str, dict[str, Any]] = {
    "conv": {"out_channels": 8, "kernel_size": 3, "groups": 4},
    "linear": {"out_features": 5},
    "group_norm": {"num_groups": 3},
    "channel_scale": {"value": 0.5},
    "rescale": {"factor": 0.5},
    "max_pool": {"kernel_size": 2},
    "avg_pool": {"kernel_size": 2},
    "adaptive_avg_pool": {"output_size": 1},
    "reshape": {"shape": (12,)},
    "channel_shuffle": {"groups": 3},
    "pad_channels": {"out_channels": 16},
    "stochastic_depth": {"p": 0.1},
    "std_conv": {"out_channels": 8, "kernel_size": 3},
    "scaled_std_conv": {"out_channels": 8, "kernel_size": 3, "groups": 4},
    "conv_transpose": {"out_channels": 8, "kernel_size": 3, "groups": 4},
    "lp_pool": {"norm_type": 2, "kernel_size": 2},
    "adaptive_max_pool": {"output_size": 1},
    "mean": {"over": "channels"},
    "max": {"over": "channels"},
    **{f"{kind}_pad": {"padding": 1} for kind in ("zero", "replication", "reflection", "circular")},
    "crop": {"padding": 1},
    "constant_pad": {"padding": 1, "value": 0.5},
    "pixel_shuffle": {"upscale_factor": 2},
    "pixel_unshuffle": {"downscale_factor": 1},
    "upsample": {"scale_factor": 2, "mode": "nearest"},
    "local_response_norm": {"size": 5},
    "prelu": {"num_parameters": 12},
    "threshold": {"threshold": 0.1, "value": 0},
    "embedding": {"num_embeddings": 7, "embedding_dim": 5},
    "multi_head_attention": {"num_heads": 4},
    **{key: {"hidden_size": 5, "num_layers": 2} for key in ("lstm", "gru")},
    "select": {"position": "first"},
    "parameter": {"shape": (9, 12)},
}


def meetings() -> list[tuple[str, str]]:
    """Each op with each shape that it takes."""
    return [
        (arrives, key)
        for arrives, shape in ARRIVES.items()
        for key, op in OPS.items()
        if taken(op, shape)
    ]


def classes() -> list[tuple[str, str]]:
    """Each class of an op with one of the shapes that it takes: `Conv1d`, `Conv2d`, ..."""
    met = meetings()
    return [*{OPS[key].torch.format(rank=ARRIVES[at].rank): (at, key) for at, key in met}.values()]


def taken(op: type[Op], shape: Shape) -> bool:
    try:
        made(op, shape).output(shape)
    except ShapeError:
        return False
    return True


def made(op: type[Op], shape: Shape) -> Op:
    """The op with the arguments that it takes here."""
    try:
        return op(**usual(op, shape), **GIVEN.get(op.key, {}), rank=shape.rank)
    except TypeError as error:
        raise TypeError(f"add `{op.key}` to GIVEN in tests/support/ops.py: {error}") from error


def usual(op: type[Op], shape: Shape) -> dict[str, int]:
    """What no spec says of an op."""
    known = {"arrives": shape.channels, "dims": 0 if shape.last else shape.rank}
    known["axis"] = -1 if shape.last else 1
    return {f.torch: known[f.how.kind] for f in fields_of(op) if f.how.kind in known}

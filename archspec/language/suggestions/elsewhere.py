"""What other frameworks and papers call our ops."""

from __future__ import annotations

from functools import cache

from archspec.ops import OPS

# In small letters -> ours.
ELSEWHERE = {
    "convolution": "conv",
    "dwconv": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "depthwise_conv2d": "depthwise_conv",
    "depthwiseconv2d": "depthwise_conv",
    "fc": "linear",
    "dense": "linear",
    "fully_connected": "linear",
    "bn": "batch_norm",
    "gn": "group_norm",
    "ln": "layer_norm",
    "swish": "silu",
    "hswish": "hard_swish",
    "h_swish": "hard_swish",
    "hsigmoid": "hard_sigmoid",
    "h_sigmoid": "hard_sigmoid",
    "lrelu": "leaky_relu",
    "maxpooling2d": "max_pool",
    "averagepooling2d": "avg_pool",
    "average_pool": "avg_pool",
    "gap": "global_avg_pool",
    "global_pool": "global_avg_pool",
    "global_average_pool": "global_avg_pool",
    "globalaveragepooling2d": "global_avg_pool",
    "droppath": "stochastic_depth",
    "drop_path": "stochastic_depth",
}


def elsewhere(word: str) -> str:
    """What we call what is called `word` elsewhere; "" if that is unknown."""
    small = word.lower()
    return ELSEWHERE.get(small) or torch_names().get(small, "")


@cache
def torch_names() -> dict[str, str]:
    """What people write for an op elsewhere, in lower case: torch's own class names.

    Of two ops of one class it is the first, which takes the arguments of that class.
    """
    known: dict[str, str] = {}
    for op in OPS.values():
        for rank in ("", "1d", "2d", "3d"):
            known.setdefault(op.torch.replace("{rank}d", rank).lower(), op.key)
    return known

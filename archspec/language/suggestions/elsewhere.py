"""What other frameworks and papers call our ops."""

from __future__ import annotations

import re
from functools import cache

from archspec.known import known, plain
from archspec.ops import OPS

TORCH = re.compile(r"^(torch\.)?nn\.")

# Other frameworks' names -> ours.
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
    "squeeze_excite": "se",
    "squeeze_excitation": "se",
    "squeezeexcitation": "se",
    "none": "none",
}

# Keys that others give a stage -> what to write here.
OF_STAGES_ELSEWHERE = {
    **dict.fromkeys(
        ("planes", "filters", "num_filters", "out_channels", "out_planes", "dim", "features"),
        "write `channels: ...`: the channels that the stage outputs",
    ),
    **dict.fromkeys(
        ("depth", "num_blocks", "blocks", "layers", "num_layers", "n"),
        "write `repeat: ...`: the number of blocks",
    ),
    **dict.fromkeys(
        ("downsample", "subsample"),
        "write `stride: 2`: the first block then halves the size and projects its shortcut",
    ),
    **dict.fromkeys(("se", "use_se", "attn", "se_ratio"), "write `attention: se`"),
}


def elsewhere(word: str) -> str:
    """What we call what is called `word` elsewhere; "" if that is unknown."""
    bare = plain(TORCH.sub("", word))
    return _elsewhere().get(bare) or torch_names().get(bare, "")


@cache
def _elsewhere() -> dict[str, str]:
    return {plain(word): ours for word, ours in ELSEWHERE.items()}


@cache
def torch_names() -> dict[str, str]:
    """Torch's names of our ops as `known.plain` writes them: `conv2d`, `maxpool`.

    Of two ops of one class it is the first, which takes the arguments of that class.
    """
    names: dict[str, str] = {}
    for op in OPS.values():
        for rank in ("", "1d", "2d", "3d"):
            names.setdefault(plain(op.torch.replace("{rank}d", rank)), op.key)
    return names


def unsupported(word: str) -> str:
    """That a known layer is none of ours, or ""."""
    place = known(TORCH.sub("", word))
    if place is None:
        return ""
    return f"`{word}` isn't supported yet" + (f" ({place})" if place else "")

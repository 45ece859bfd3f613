"""Other frameworks' and papers' names of our ops."""

from __future__ import annotations

import re
from functools import cache

from archspec.known import known, plain
from archspec.ops import OPS

TORCH = r"^(torch\.)?nn\."

# Other frameworks' names of arguments -> ours; the first that the op has counts.
ELSEWHERE_ARGUMENTS = {
    **dict.fromkeys(("filters", "features", "units", "planes", "width"), ("channels", "features")),
    "channels": ("features",),
    **dict.fromkeys(("pool_size", "window_shape", "ksize", "filter_size", "window"), ("kernel",)),
    "strides": ("stride",),
    **dict.fromkeys(("dilation_rate", "kernel_dilation", "dilations"), ("dilation",)),
    "use_bias": ("bias",),
    **dict.fromkeys(("epsilon", "eps_value"), ("eps",)),
    **dict.fromkeys(("rate", "drop_rate", "drop_prob", "prob", "probability"), ("p",)),
    **dict.fromkeys(("feature_group_count", "num_group"), ("groups",)),
}
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
    "sync_bn": "batch_norm",
    "sync_batch_norm": "batch_norm",
    "frozen_bn": "frozen_batch_norm",
    "frozen_batch_norm2d": "frozen_batch_norm",
    "gn": "group_norm",
    "in_norm": "instance_norm",
    "inorm": "instance_norm",
    "ln": "layer_norm",
    "lrn": "local_response_norm",
    "grn": "global_response_norm",
    "rms_norm2d": "rms_norm",
    "deconv": "conv_transpose",
    "deconv2d": "conv_transpose",
    "deconvolution": "conv_transpose",
    "transposed_conv": "conv_transpose",
    "trans_conv": "conv_transpose",
    "transconv": "conv_transpose",
    "conv2d_transpose": "conv_transpose",
    "up_conv": "conv_transpose",
    "ws_conv": "std_conv",
    "std_conv2d_same": "std_conv",
    "scaled_std_conv2d_same": "scaled_std_conv",
    "swish": "silu",
    "hswish": "hard_swish",
    "h_swish": "hard_swish",
    "hsigmoid": "hard_sigmoid",
    "h_sigmoid": "hard_sigmoid",
    "lrelu": "leaky_relu",
    "htanh": "hard_tanh",
    "soft_plus": "softplus",
    "soft_sign": "softsign",
    "thresholded_relu": "threshold",
    "maxpooling2d": "max_pool",
    "averagepooling2d": "avg_pool",
    "average_pool": "avg_pool",
    "gap": "global_avg_pool",
    "global_pool": "global_avg_pool",
    "global_average_pool": "global_avg_pool",
    "globalaveragepooling2d": "global_avg_pool",
    "gmp": "global_max_pool",
    "global_max_pooling": "global_max_pool",
    "globalmaxpooling2d": "global_max_pool",
    "l2_pool": "lp_pool",
    "upsampling": "upsample",
    "upsample2d": "upsample",
    "upsampling_nearest2d": "upsample",
    "upsampling_bilinear2d": "upsample",
    "depth_to_space": "pixel_shuffle",
    "sub_pixel": "pixel_shuffle",
    "space_to_depth": "pixel_unshuffle",
    "s2d": "pixel_unshuffle",
    "reorg": "pixel_unshuffle",
    "zero_padding2d": "zero_pad",
    "spatial_dropout": "dropout2d",
    "take": "select",
    "layers": "sequence",
    "modules": "sequence",
    "gather": "select",
    "index_select": "select",
    "learned_constant": "parameter",
    "cls_token": "parameter",
    "class_token": "parameter",
    "pos_embed": "parameter",
    "pos_embedding": "parameter",
    "layer_scale": "channel_scale",
    "rescaling": "rescale",
    "mha": "multi_head_attention",
    "mhsa": "multi_head_attention",
    "self_attention": "multi_head_attention",
    "softmax2d": "softmax",
    "unflatten": "reshape",
    "droppath": "stochastic_depth",
    "drop_path": "stochastic_depth",
    "squeeze_excite": "se",
    "squeeze_excitation": "se",
    "squeezeexcitation": "se",
    **dict.fromkeys(("se_module", "semodule", "se_layer", "selayer", "se_block", "seblock"), "se"),
    **dict.fromkeys(("convmodule", "conv_module", "conv_bn_act", "convbnact"), "conv_norm_act"),
    **dict.fromkeys(("conv_bn_relu", "convbnrelu", "conv2dnormactivation"), "conv_norm_act"),
    **dict.fromkeys(("conv_bn", "convbn"), "conv_norm"),
    "cbam_module": "cbam",
    "channel_attn": "channel_attention",
    "spatial_attn": "spatial_attention",
    "reuse": "share",
    "tie": "share",
    "tied": "share",
    "none": "none",
}

# Keys of a stage elsewhere -> the hint.
OF_STAGES_ELSEWHERE = {
    **dict.fromkeys(
        ("planes", "filters", "num_filters", "out_channels", "out_planes", "dim", "features"),
        "use `channels: ...`: the channels that the stage outputs",
    ),
    **dict.fromkeys(
        ("depth", "num_blocks", "blocks", "layers", "num_layers", "n"),
        "use `repeat: ...`: the number of blocks",
    ),
    **dict.fromkeys(
        ("downsample", "subsample"),
        "use `stride: 2`: the first block then halves the spatial size and projects its shortcut",
    ),
    **dict.fromkeys(("se", "use_se", "attn", "attn_layer", "se_ratio"), "use `attention: se`"),
    "norm_layer": "use `norm: ...`",
    **dict.fromkeys(("act_layer", "activation"), "use `act: ...`"),
}


def elsewhere(word: str) -> str:
    """Our name for `word`, another framework's name; "" if it is unknown."""
    bare = plain(re.sub(TORCH, "", word))
    return _elsewhere().get(bare) or torch_names().get(bare, "")


@cache
def _elsewhere() -> dict[str, str]:
    return {plain(word): ours for word, ours in ELSEWHERE.items()}


@cache
def torch_names() -> dict[str, str]:
    """Torch's names of our ops in the form of `known.plain`: `conv2d`, `maxpool`.

    If two ops use one class, the first one is chosen, which takes the arguments of that class.
    """
    names: dict[str, str] = {}
    for op in OPS.values():
        for rank in ("", "1d", "2d", "3d"):
            names.setdefault(plain(op.torch.replace("{rank}d", rank)), op.key)
    for op in OPS.values():
        if op.extends:
            names.setdefault(plain(op.extends), op.key)
    return names


def unsupported(word: str) -> str:
    """A hint that archspec does not support a known layer, or ""."""
    place = known(re.sub(TORCH, "", word))
    if place is None:
        return ""
    return f"`{word}` is not supported yet" + (f" ({place})" if place else "")

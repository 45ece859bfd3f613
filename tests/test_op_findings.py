"""What lint says of the ops: sizes that do not fit, numbers that are too large, idle layers."""

from __future__ import annotations

import pytest

from archspec.lint.run import lint_text
from archspec.lint.settings import Settings

IMAGE, LINE = "[3, 32, 32]", "[4, 16]"
SEQUENCE = "{flatten: {start_dim: 2}}, channels_last"

#: Layers -> the rule, and a part of what it says. What hangs or has no bound fails here as well.
CASES = {
    "{conv_transpose: 8}": ("missing-key", "missing argument `kernel`"),
    "{conv_transpose: {channels: 8, kernel: 3, padding: 40}}": ("feature-map-vanishes", "-46"),
    "{conv_transpose: {channels: 8, kernel: 2, stride: 2, output_padding: 2}}": (
        "shape-mismatch",
        "with a stride of 2",
    ),
    "{conv_transpose: {channels: 8, kernel: 1000000000}}": ("out-of-range", "at most 4096"),
    "{upsample: 1000000000}": ("out-of-range", "at most 4096"),
    "{upsample: 4096}, {upsample: 4096}, {upsample: 4096}": ("feature-map-vanishes", "outputs"),
    "upsample": ("shape-mismatch", "neither `scale` nor `size`"),
    "{upsample: {scale: 2, size: 7}}": ("shape-mismatch", "both `scale` and `size`"),
    "{upsample: {scale: 2, mode: trilinear}}": (
        "shape-mismatch",
        "does not support 2 spatial dimensions",
    ),
    "{upsample: {scale: 2, align_corners: true}}": ("shape-mismatch", "no corners to align"),
    "{zero_pad: 1000000000}": ("out-of-range", "at most 4096"),
    "{zero_pad: [1, 2]}": ("shape-mismatch", "has 2 values, but the input has 4 edges"),
    "{crop: 16}": ("feature-map-vanishes", "outputs 3 x 0 x 0"),
    "{reflection_pad: 32}": ("feature-map-vanishes", "only has 31"),
    "{circular_pad: [0, 33, 0, 0]}": ("feature-map-vanishes", "only has 32"),
    "{pixel_shuffle: 1000000000}": ("out-of-range", "at most 4096"),
    "{pixel_shuffle: 2}": ("shape-mismatch", "makes one channel of 4, but the input has 3"),
    "{pixel_unshuffle: 5}": ("shape-mismatch", "expects sizes divisible by 5"),
    "{mean: length}": ("shape-mismatch", "the input has 2 spatial dimensions"),
    "{mean: hieght}": ("wrong-type", "expected one of `channels`"),
    "{std_conv: {channels: 3, groups: 3}}": ("shape-mismatch", "has no variance"),
    "global_avg_pool, instance_norm": ("feature-map-vanishes", "one value per channel"),
    "{prelu: 7}": ("shape-mismatch", "7 parameters, but the input has 3"),
    "glu": ("shape-mismatch", "halves the channels, but the input has 3"),
    "{hard_tanh: {min_val: 2}}": ("out-of-range", "`min_val` of `hard_tanh` is 2"),
    "{rrelu: {lower: 0.5}}": ("out-of-range", "`lower` of `rrelu` is 0.5"),
    "{frozen_batch_norm: {}, init: zeros}": ("bad-layer", "has no weight"),
    "{embedding: {num_embeddings: 10, channels: 4}}": (
        "shape-mismatch",
        "`embedding` expects a sequence of integers, but its input is",
    ),
    "{multi_head_attention: 1}": (
        "shape-mismatch",
        "` expects a sequence with channels last, but its input is",
    ),
    f"{SEQUENCE}, {{multi_head_attention: 2}}": (
        "shape-mismatch",
        "cannot divide its 3 input channels into 2 heads",
    ),
    f"{SEQUENCE}, {{lstm: {{hidden_size: 4, layers: 1000000000}}}}": ("out-of-range", "at most 16"),
    f"{SEQUENCE}, {{gru: {{hidden_size: 4, dropout: 0.1}}}}": ("shape-mismatch", "it has only one"),
    # What has no effect
    "selu, elu": ("no-op-layer", "`elu` directly follows `selu`"),
    "rms_norm, instance_norm": ("no-op-layer", "directly follows"),
    "{dropout2d: 0}": ("no-op-layer", "` of 0 has no effect"),
    "{crop: [0, 0, 0, 0]}": ("no-op-layer", "has no effect"),
    "{upsample: 1}": ("no-op-layer", "has no effect"),
    "{conv: {channels: 8, bias: true}}, instance_norm": ("redundant-bias", "instance norm after"),
    "{conv_transpose: {channels: 8, kernel: 2, bias: true}}, norm": (
        "redundant-bias",
        "batch norm after",
    ),
    "{std_conv: {channels: 8, kernel: 3, bias: false}}": ("bias-already-off", "`std_conv` has no"),
    "{lp_pool: {norm_type: 2, kernel: 2, stride: 3}}": ("stride-skips-pixels", "4 of every 9"),
    "{conv_transpose: {channels: 100, kernel: 2}}, norm": ("unaligned-channels", "multiple of 8"),
    "global_max_pool, flatten, {linear: 10}, log_softmax": ("head-mismatch", "`log_softmax`"),
}


def said(layers: str, given: str = IMAGE) -> list[tuple[str, str]]:
    text = f"name: net\ninput: {given}\nstem: [{layers}]\n"
    found = lint_text(text.encode(), "", Settings()).findings
    return [(f.diagnostic.rule, f"{f.diagnostic.message} ({f.diagnostic.hint})") for f in found]


@pytest.mark.parametrize("layers", CASES)
def test_what_lint_says_of_layers(layers: str) -> None:
    rule, part = CASES[layers]
    ((found, message),) = said(layers)
    assert found == rule
    assert part in message


def test_a_pad_for_each_side_is_a_layer_of_its_own() -> None:
    ((_, message),) = said("{conv: {channels: 8, kernel: 3, padding: [2, 0]}}", LINE)
    assert "; `zero_pad` accepts two, before and after" in message


def test_synthetic_numbers_have_no_embedding() -> None:
    train = "train: {data: synthetic, epochs: 1, batch_size: 8, lr: 0.1}"
    layers = "[{embedding: {num_embeddings: 9, channels: 4}}, channels_first, flatten, {linear: 2}]"
    text = f"name: net\ninput: [12]\nstem: {layers}\n{train}\n"
    rules = [f.diagnostic.rule for f in lint_text(text.encode(), "", Settings()).findings]
    assert rules == ["input-mismatch"]


NAMES = {
    "nn.LSTM": "lstm",
    "nn.MultiheadAttention": "multi_head_attention",
    "InstanceNorm3d": "instance_norm",
    "ZeroPad2d": "zero_pad",
    "deconv": "conv_transpose",
    "LRN": "local_response_norm",
    "grn": "global_response_norm",
    "mhsa": "multi_head_attention",
    "depth_to_space": "pixel_shuffle",
    "spatial_dropout": "dropout2d",
    "SyncBatchNorm": "batch_norm",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_from_elsewhere_lead_to_the_op(name: str) -> None:
    ((rule, message),) = said(name)
    assert rule == "unknown-layer"
    assert f"did you mean `{NAMES[name]}`" in message

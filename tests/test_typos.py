"""What `--fix` may replace: slips of one letter and torch's names, and no name that is known."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import yaml
from torch import nn

from archspec.diagnostics import did_you_mean
from archspec.known import known, plain
from archspec.language.suggestions.elsewhere import torch_names
from archspec.lint.run import lint_text
from archspec.lint.settings import Settings
from support.linting import Project
from support.typos import outcome, outcomes

TORCH = [name for name in dir(nn) if inspect.isclass(getattr(nn, name)) and name[0].isupper()]
TORCH = [name for name in TORCH if issubclass(getattr(nn, name), nn.Module)]
TIMM = """
silu swish mish relu relu6 leaky_relu elu prelu celu selu gelu gelu_tanh quick_gelu sigmoid tanh
hard_sigmoid hard_swish hard_mish identity hardsigmoid hardswish batchnorm batchnorm2d batchnorm1d
groupnorm groupnorm1 layernorm layernorm2d layernormfp32 layernorm2dfp32 rmsnorm rmsnorm2d
rmsnormfp32 rmsnorm2dfp32 simplenorm simplenorm2d simplenormfp32 simplenorm2dfp32
frozenbatchnorm2d evonormb0 evonormb1 evonormb2 evonorms0 evonorms0a evonorms1 evonorms1a
evonorms2 evonorms2a frn frntlu inplaceabn iabn se ese eca ecam ceca ge gc gca cbam lcbam coord
scoord ela strip sk splat lambda bottleneck halo nl bat fast avg avgmax catavgmax max
global_max_pool deconv
""".split()
REFERENCES = """
data_path model device batch_size epochs workers opt lr momentum weight_decay norm_weight_decay
bias_weight_decay transformer_embedding_decay label_smoothing mixup_alpha cutmix_alpha
lr_scheduler lr_warmup_epochs lr_warmup_method lr_warmup_decay lr_step_size lr_gamma lr_min
print_freq output_dir resume start_epoch cache_dataset sync_bn test_only auto_augment ra_magnitude
augmix_severity random_erase amp world_size dist_url model_ema model_ema_steps model_ema_decay
use_deterministic_algorithms interpolation val_resize_size val_crop_size train_crop_size
clip_grad_norm ra_sampler ra_reps weights backend use_v2 data_dir dataset train_split val_split
class_map pretrained initial_checkpoint num_classes gp img_size in_chans input_size crop_pct mean
std validation_batch_size channels_last fuser grad_accum_steps grad_checkpointing fast_norm
opt_eps opt_betas clip_grad clip_mode layer_decay sched sched_on_updates lr_base lr_base_size
lr_base_scale lr_noise lr_noise_pct lr_noise_std lr_cycle_mul lr_cycle_decay lr_cycle_limit
lr_k_decay warmup_lr min_lr epoch_repeats decay_milestones decay_epochs warmup_epochs
warmup_prefix cooldown_epochs patience_epochs decay_rate no_aug train_crop_mode scale ratio hflip
vflip color_jitter color_jitter_prob grayscale_prob gaussian_blur_prob aa aug_repeats aug_splits
jsd_loss bce_loss bce_sum bce_target_thresh reprob remode recount resplit mixup cutmix
cutmix_minmax mixup_prob mixup_switch_prob mixup_mode mixup_off_epoch smoothing
train_interpolation drop drop_connect drop_path drop_block bn_momentum bn_eps split_bn seed
worker_seeding log_interval recovery_interval checkpoint_hist save_images pin_mem no_prefetcher
output experiment eval_metric tta use_multi_epochs_loader log_wandb learning_rate num_train_epochs
max_steps warmup_steps warmup_ratio per_device_train_batch_size gradient_accumulation_steps
max_grad_norm lr_scheduler_type fp16 bf16 dataloader_num_workers max_epochs gradient_clip_val
accumulate_grad_batches num_workers optimizer criterion scheduler batch loss imgsz lr0 lrf
warmup_momentum warmup_bias_lr
""".split()

KERAS = """
he_normal he_uniform glorot_normal glorot_uniform lecun_normal lecun_uniform truncated_normal
random_normal random_uniform variance_scaling Identity msra
""".split()
HEAD = "name: net\ninput: [3, 32, 32]\n"
PLACES: dict[str, Callable[[list[str]], Any]] = {
    "layers": lambda words: {"stem": [*words]},
    "layers with arguments": lambda words: {"stem": [{word: {}} for word in words]},
    "defaults": lambda words: {"defaults": {word: {} for word in words}, "stem": ["norm"]},
    "arguments": lambda words: {"stem": [{"conv": {"channels": 8, **dict.fromkeys(words, 1)}}]},
    "keys": lambda words: {**dict.fromkeys(words, 1), "stem": ["norm"]},
    "keys of a stage": lambda words: {
        "stages": {"a": {"block": "basic", **dict.fromkeys(words, 1)}}
    },
    "keys of train": lambda words: {"train": {"data": "cifar10", **dict.fromkeys(words, 1)}},
    "ops of init": lambda words: {"init": {word: {"weight": "zeros"} for word in words}},
    "functions of init": lambda words: {
        "stem": [{"conv": 8, "init": {"weight": {word: {}}}} for word in words]
    },
    "parameters of init": lambda words: {
        "stem": [{"conv": 8, "init": {word: {}, "bias": "zeros"}} for word in words]
    },
    "modifiers": lambda words: {"stem": [{"conv": 8, word: 1} for word in words]},
    "arguments of a tensor": lambda words: {
        "stem": {"a": {"conv": 8}, "b": {"interpolate": {"like": "a", **dict.fromkeys(words, 1)}}}
    },
    "tensors": lambda words: {
        "stem": {"a": "norm", **{f"b{n}": {"act": {}, "from": w} for n, w in enumerate(words)}},
        "outputs": words,
    },
    "stages in a sequence": lambda words: {
        "stages": {"a": {"sequence": [{"block": "basic", **dict.fromkeys(words, 1)}]}}
    },
    "keys of a block": lambda words: {
        "stem": [{"b": 8}],
        "blocks": {"b": {"body": ["norm"], **dict.fromkeys(words, 1)}},
    },
    "blocks": lambda words: {"stages": {f"s{n}": {"block": w} for n, w in enumerate(words)}},
}


def offered(text: str) -> Iterator[tuple[str, str]]:
    """The words that `--fix` would replace, and by what."""
    lines = text.splitlines()
    for finding in lint_text(text.encode(), "", Settings()).findings:
        for edit in finding.diagnostic.fix.edits if finding.diagnostic.fix else ():
            old = lines[edit.span.line - 1][edit.span.column - 1 : edit.span.end_column - 1]
            yield old.strip("'"), edit.text


@pytest.mark.parametrize("place", PLACES)
def test_a_known_name_changes_to_an_alias_of_torch_at_most(place: str) -> None:
    known_names = list(dict.fromkeys([*TORCH, *map(str.lower, TORCH), *TIMM, *REFERENCES, *KERAS]))
    aliases = torch_names() | {"kernelsize": "kernel", "outchannels": "channels"}
    for start in range(0, len(known_names), 40):
        spec = PLACES[place](known_names[start : start + 40])
        for old, new in offered(HEAD + yaml.safe_dump(spec, sort_keys=False)):
            assert plain(old) == plain(new) or aliases[plain(old)] == new, (old, new)


def test_the_table_holds_every_class_of_torch() -> None:
    assert not [name for name in TORCH if not (known(name) or "").startswith("torch.nn")]


SLIPS = {
    "conv": ["cov", "onv", "convv", "cnov", "cobv"],
    "block": ["blok", "bolck", "bllock", "blpck"],
    "batch_norm": ["bacth_norm", "batch_nrm", "batchh_norm", "batcj_norm"],
}
OTHERS = {
    "conv": ["deconv", "dconv", "conv_", "convs", "cv", "convbn", "conv1x1"],
    "kernel": ["kernels", "colonel", "kernal_s"],
    "layer2": ["layer3", "layer", "layer22"],
    "conv_a": ["conv_b"],
    "relu": ["elu", "prelu", "celu", "rrelu", "selu", "crelu"],
    "gelu": ["glu", "reglu"],
    "global_avg_pool": ["global_max_pool", "global_pool"],
    "classes": ["class"],
    "act": ["cat", "add", "ack", "acts"],
}


@pytest.mark.parametrize("right", SLIPS)
def test_one_letter_is_a_slip(right: str) -> None:
    for wrong in SLIPS[right]:
        hint = did_you_mean(wrong, [right, "zzzz"])
        assert (hint.instead, hint.sure) == (right, len(wrong) > 2), wrong


@pytest.mark.parametrize("right", OTHERS)
def test_another_word_is_no_slip(right: str) -> None:
    for wrong in OTHERS[right]:
        assert not did_you_mean(wrong, [right]).sure or plain(wrong) == plain(right), wrong


ALIASES = {
    "num_classes": ("classes", ["num_clases", "nm_classes", "num_classess", "num_calsses"]),
    "kernelsize": ("kernel", ["kernelsze", "kernel_sizee", "kernlsize"]),
    "maxpool": ("max_pool", ["maxpoll", "mxpool"]),
    "batchnorm": ("batch_norm", ["bathnorm", "batchnormm"]),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_a_slip_in_the_name_that_others_use_is_a_guess(alias: str) -> None:
    right, slips = ALIASES[alias]
    assert did_you_mean(alias, [right], aliases={alias: right}).sure
    for wrong in slips:
        hint = did_you_mean(wrong, [right], aliases={alias: right})
        assert not hint.sure, wrong
        assert hint.startswith(f"did you mean `{right}`?"), wrong


def test_a_slip_of_two_words_is_none() -> None:
    assert str(did_you_mean("hear", ["heat", "head"], "")).startswith(
        "did you mean `head` or `heat`?"
    )
    assert not did_you_mean("hear", ["heat", "head"]).sure


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("momentun", "did you mean `momentum`?"),
        ("moment", "did you mean `momentum`? expected one of: batch_size, epochs, momentum"),
        ("xyzzy", "expected one of: batch_size, epochs, momentum"),
    ],
)
def test_only_a_guess_lists_the_choices(wrong: str, hint: str) -> None:
    assert did_you_mean(wrong, ["momentum", "batch_size", "epochs"]) == hint


UNSUPPORTED = {
    "unfold": "`unfold` is not supported yet (torch.nn.Unfold)",
    "unpool": "`unpool` is not supported yet (torch.nn.MaxUnpool2d)",
    "nn.Unfold": "`nn.Unfold` is not supported yet (torch.nn.Unfold)",
    "nn.Bilinear": "`nn.Bilinear` is not supported yet (torch.nn.Bilinear)",
    "evonorms0": "`evonorms0` is not supported yet (timm)",
    "gem": "`gem` is not supported yet",
    "MaxUnpool3d": "`MaxUnpool3d` is not supported yet (torch.nn.MaxUnpool3d)",
}


@pytest.mark.parametrize("word", UNSUPPORTED)
def test_a_layer_that_only_others_have(word: str) -> None:
    for text in (f"stem: [{word}]\n", f"defaults: {{{word}: {{}}}}\nstem: [norm]\n"):
        (finding,) = lint_text((HEAD + text).encode(), "", Settings()).findings
        assert finding.diagnostic.hint.startswith(UNSUPPORTED[word])
        assert "did you mean" not in finding.diagnostic.hint


CASES = {  # what `--fix` leaves as it is
    "a slip in another's name": "extends: resnet18\nargs: {num_clases: 10}\n",
    "a layer that then lacks an argument": "stem: [{Linaer: {channels: 8}}]\n",
    "a default of what is not there": "defaults: {convv: {bias: true}}\nstem: [norm]\n",
    "a number of something": "extends: mobilenet_v2\nargs: {num_width: 1}\n",
    "a slip in torch's name": "stem: [{conv: 8}, {MaxPol2d: {kernel: 2}}]\n",
    "a mixed pool": "extends: resnet18\nhead: {avgpool: mixed_pool, flatten: flatten}\n",
    "a transposed convolution": "stem: [{conv: 16}, {deconv: {channels: 8, kernel: 2}}]\n",
    "a gated unit": "stem: [{conv: 16}, reglu]\n",
    "classes beside args": "extends: resnet18\nclasses: 10\n",
    "a name in a list": "stem: [{conv1: {conv: {channels: 8}}}]\n",
    "a fix that leads to another finding": "defaults: {Gelu: {}}\nstem: [norm]\n",
    "a tensor or a norm": "stem: {a: {conv: 8}, b: {form: a}}\n",
    "another program's key": "stem: [norm]\ntrain: {data: cifar10, epochs: 1, learning_rate: 1}\n",
}


@pytest.mark.parametrize("case", CASES)
def test_a_guess_is_not_a_fix(case: str, project: Project) -> None:
    project.spec(CASES[case])
    for args in (["--fix"], [], ["--format=full"]):
        said = project.lint(*args)
        assert said.code == 1
        assert "[*]" not in said.out
        assert "can be fixed" not in said.out
    assert project.read() == CASES[case]


def test_a_warning_that_is_fixed_besides_is_no_wrong_change() -> None:
    bias = "{conv: {channels: 8, bias: true}}, norm"
    text = f"{HEAD}stem: [{bias}, {{relu: {{}}}}]\n"
    kinds = {said: kind for kind, said in (outcome(text, Random(n)) for n in range(12))}
    assert kinds["channels -> channwls"] == "fixed"
    assert "changed wrongly" not in kinds.values()


def test_one_typo_is_fixed_or_hinted_at_and_never_changed_wrongly() -> None:
    """`benchmarks/typos.py` draws 2,000."""
    counts, lines = outcomes(25)
    assert counts["changed wrongly"] == 0, lines
    assert counts["fixed"] + counts["right suggestion"] > 15, lines

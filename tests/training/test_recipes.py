"""Recipes of papers and libraries: each curve and rule beside the formula or code it is from."""

from __future__ import annotations

import argparse
import importlib
import math
import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.optim.swa_utils import AveragedModel

import archspec
from archspec.source.reader import parse
from resume import NETWORK, differing, module_of
from support import ROOT, peers
from support.modules import images, same_bits
from support.scripts import Script, bytes_of, recipe

TWO = """\
name: tiny
input: [1, 8, 8]
stem: [{conv: {channels: 8, kernel: 3}}, global_avg_pool, flatten, {linear: 8, save: a, name: mid}]
head: {fc: {linear: 10}, aux: {linear: 10, from: a}}
outputs: [fc, aux]
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModuleType]:
    """The functions of the training script of a shipped spec."""
    folder, made = tmp_path_factory.mktemp("shipped"), dict[str, ModuleType]()

    def of(name: str) -> ModuleType:
        if name not in made:
            path = folder / f"train_{name}.py"
            path.write_text(archspec.render_training(name, single_file=True), "utf-8")
            made[name] = module_of(path)
        return made[name]

    return of


@pytest.fixture(scope="module")
def of_timm() -> Any:
    """timm's module of augmentation; `timm.optim` and the like are imported beside it."""
    peers.torchvision_models()  # timm imports it
    return importlib.import_module("timm.data.auto_augment")


# The page -----------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
SECTIONS = {
    "torchvision's second ResNet-50": ["resnet50_tv2"],
    "ResNet strikes back": ["resnet50_a1", "resnet50_a2", "resnet50_a3"],
    "ResNet-18 for CIFAR-10": ["cifar_resnet18"],
    "Fashion-MNIST": ["wrn_28_10_fashion_mnist"],
}


def laid_over(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both maps, and what they have below the same key."""
    both = {key: laid_over(one[key], other[key]) for key in one.keys() & other.keys() - {"step"}}
    return one | other | both


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_says_what_the_spec_says(section: str) -> None:
    """Every key of the recipe, with its value, and no other."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[2:-2] for line in text.splitlines() if line.startswith("| ")][2:]
    for column, name in enumerate(SECTIONS[section]):
        said: dict[str, Any] = {}
        for row in rows:
            for span in re.findall(r"`(\w+: [^`]+)`", row[column]):
                said = laid_over(said, parse(span, "page").data)
        spec = archspec.load(name).data
        network = spec.get("defaults", {})
        recipe = {key: value for key, value in spec["train"].items() if key != "data"}
        assert said == recipe | {key: network[key] for key in said.keys() & network.keys()}


# The learning rate --------------------------------------------------------------------


def tv2(epoch: float) -> float:
    """LinearLR from 0.01 over 5 epochs, then CosineAnnealingLR over 595: one step an epoch."""
    if (epoch := math.floor(epoch)) < 5:
        return 0.5 * (0.01 + 0.99 * epoch / 5)
    return 0.5 * (1 + math.cos(math.pi * (epoch - 5) / 595)) / 2


def strikes_back(lr: float, epochs: int) -> Callable[[float], float]:
    """timm's: up from 1e-4 for 5 epochs, then the cosine over all epochs, down to 1e-6."""

    def rate(epoch: float) -> float:
        if (epoch := math.floor(epoch)) < 5:
            return 1e-4 + (lr - 1e-4) * epoch / 5
        return 1e-6 + (lr - 1e-6) * (1 + math.cos(math.pi * epoch / epochs)) / 2

    return rate


def triangle(epoch: float) -> float:
    """From a fifth of the peak, up for a fifth of the steps, then down to zero."""
    return float(numpy.interp(epoch, [0, 30, 150], [0.2 * 0.2, 0.2, 0]))


CURVES: dict[str, tuple[int, float, Callable[[float], float]]] = {
    "resnet50_tv2": (600, 0.5, tv2),
    "resnet50_a1": (600, 5e-3, strikes_back(5e-3, 600)),
    "resnet50_a2": (300, 5e-3, strikes_back(5e-3, 300)),
    "resnet50_a3": (100, 8e-3, strikes_back(8e-3, 100)),
    "cifar_resnet18": (150, 0.2, triangle),
}
AT = (0.0, 0.05, 0.4, 0.5, 1.0, 4.9, 5.0, 5.3, 30.0, 30.1, 50.0, 77.7, 99.9)  # epochs


@pytest.mark.parametrize("name", CURVES)
def test_the_learning_rate_is_that_of_the_reference(
    name: str, scripts: Callable[[str], ModuleType]
) -> None:
    epochs, peak, formula = CURVES[name]
    steps = epochs * 100
    for epoch in (*AT, epochs / 2, epochs - 0.5, epochs - 0.01):
        rate = scripts(name).learning_rate(round(epoch * 100), steps, 100, peak)
        assert rate == pytest.approx(formula(epoch), rel=1e-9), epoch


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step:UserWarning")
@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
def test_the_formulas_are_those_of_the_libraries(of_timm: Any) -> None:
    def optimizer(lr: float) -> torch.optim.Optimizer:
        return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr)

    of_torch, sgd = torch.optim.lr_scheduler, optimizer(0.5)
    up = of_torch.LinearLR(sgd, start_factor=0.01, total_iters=5)
    down = of_torch.CosineAnnealingLR(sgd, T_max=595)
    schedule = of_torch.SequentialLR(sgd, [up, down], milestones=[5])
    cosine = importlib.import_module("timm.scheduler").CosineLRScheduler
    timms = cosine(optimizer(5e-3), 300, lr_min=1e-6, warmup_t=5, warmup_lr_init=1e-4)
    for epoch in range(600):
        assert sgd.param_groups[0]["lr"] == pytest.approx(tv2(epoch), rel=1e-6)
        schedule.step()
        if epoch < 300:
            assert timms._get_lr(epoch) == pytest.approx([strikes_back(5e-3, 300)(epoch)])


# Augmentation -------------------------------------------------------------------------

#: Ours -> timm's name of the operation, and of its scale if that is another.
OPERATIONS = {
    "autocontrast": "AutoContrast",
    "equalize": "Equalize",
    "invert": "Invert",
    "posterize": "PosterizeIncreasing",
    "solarize": "SolarizeIncreasing",
    "solarize_add": "SolarizeAdd",
    "Brightness": "BrightnessIncreasing",
    "Color": "ColorIncreasing",
    "Contrast": "ContrastIncreasing",
    "Sharpness": "SharpnessIncreasing",
    "rotate": "Rotate",
    "shear_x": "ShearX",
    "shear_y": "ShearY",
    "move_x": "TranslateXRel",
    "move_y": "TranslateYRel",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_timms_at_ten_strengths(
    name: str,
    scripts: Callable[[str], ModuleType],
    of_timm: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = Image.fromarray(bytes_of(30, 40, 3).numpy())
    operation, scale = of_timm.NAME_TO_OP[OPERATIONS[name]], of_timm.LEVEL_TO_ARG[OPERATIONS[name]]
    changed, seen = scripts("resnet50_a2").changed, set[bytes]()
    for strength in (0.5, 1, 2, 3.7, 4, 5, 6, 7, 8.4, 9.9):
        for sign in (1, -1):
            monkeypatch.setattr(random, "random", lambda sign=sign: 0.5 - sign / 4)
            given = scale(strength, {}) if scale else ()
            for cubic in (False, True):
                kind = Image.Resampling.BICUBIC if cubic else Image.Resampling.BILINEAR
                how = {"resample": kind, "fillcolor": (124, 116, 104)}
                expected = operation(image, *given, **how).tobytes()
                assert changed(image, name, sign * strength / 10, cubic).tobytes() == expected
                seen.add(expected)
    assert len(seen) > 1 or scale is None
    assert changed(image, name, 1.0, False).size == image.size


def test_the_operations_are_all_that_timm_draws_from(of_timm: Any) -> None:
    assert {*OPERATIONS.values()} == {*of_timm.rand_augment_choices("", increasing=True)}


def test_strengths_are_drawn_around_the_magnitude(
    scripts: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two operations an image, each half of the time, of 7 ± 0.5, of either sign."""
    drawn = list[tuple[str, float, bool]]()

    def changed(image: int, name: str, level: float, cubic: bool) -> int:
        drawn.append((name, level, cubic))
        return image + 1

    module = scripts("resnet50_a2")
    monkeypatch.setattr(module, "changed", changed)
    torch.manual_seed(0)
    counts = [module.rand_augment(0, 2, 7, 0.5) for _ in range(2000)]
    assert {name for name, *_ in drawn} == {*OPERATIONS}
    assert numpy.bincount(counts) / 2000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)
    levels = numpy.array([level for _, level, _ in drawn]) * 10
    assert abs(levels).mean() == pytest.approx(7, abs=0.1)
    assert abs(levels).std() == pytest.approx(0.5, abs=0.05)
    assert (levels < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert numpy.mean([cubic for *_, cubic in drawn]) == pytest.approx(0.5, abs=0.05)
    drawn.clear()
    for _ in range(50):
        module.rand_augment(0, 2, 10, 5.0)
    assert max(abs(level) for _, level, _ in drawn) == 1.0


def changes(module: ModuleType, monkeypatch: pytest.MonkeyPatch, out: Path) -> list[Any]:
    """What a script does to the images of a folder."""
    found = list[Any]()

    def folder(root: Path, change: Any, *_: object) -> None:
        found.extend(change.transforms)
        raise InterruptedError

    monkeypatch.setattr(module, "Folder", folder)
    monkeypatch.setattr("sys.argv", ["train.py", "--data", "nowhere", "--out", str(out)])
    with pytest.raises(InterruptedError):
        module.train(module.options(), None)
    return found


def test_tv2_changes_images_as_torchvision_does(
    scripts: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """TrivialAugment with the wide ranges of its paper (Müller & Hutter, 2021, table 1)."""
    peers.torchvision_models()
    v2 = importlib.import_module("torchvision.transforms.v2")
    module = scripts("resnet50_tv2")
    part, to_image, trivial, to_tensor = changes(module, monkeypatch, tmp_path)
    assert (part.func, part.args) == (module.random_part, (176, 0.08, 1))
    assert part.keywords == {"mirror": True}
    assert (type(to_image), type(to_tensor)) == (v2.ToPILImage, v2.PILToTensor)
    assert type(trivial) is v2.TrivialAugmentWide
    assert trivial.interpolation is v2.InterpolationMode.BILINEAR
    space = trivial._AUGMENTATION_SPACE
    assert trivial.num_magnitude_bins == 31
    for level in (0, 3, 6, 10, 13, 16, 20, 23, 26, 30):
        for name, (magnitudes, signed) in space.items():
            found = magnitudes(31, 176, 176)
            wide = WIDE.get(name.rstrip("XY"))
            assert (found is None) == (wide is None), name
            if wide:
                assert signed == (name not in ("Posterize", "Solarize"))
                assert float(found[level]) == pytest.approx(wide(level / 30)), name


WIDE: dict[str, Callable[[float], float]] = {
    "Shear": lambda share: 0.99 * share,
    "Translate": lambda share: 32 * share,
    "Rotate": lambda share: 135 * share,
    "Brightness": lambda share: 0.99 * share,
    "Color": lambda share: 0.99 * share,
    "Contrast": lambda share: 0.99 * share,
    "Sharpness": lambda share: 0.99 * share,
    "Posterize": lambda share: 8 - round(6 * share),
    "Solarize": lambda share: 1 - share,  # of 255
}


# Repeated augmentation ----------------------------------------------------------------

COUNT, BATCH, EPOCHS = 43, 8, 3


@pytest.fixture(scope="module")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(tmp_path_factory.mktemp("script"), NETWORK + recipe("repeats: 3, ema: 0.9"))


def keys_of(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, rank: int, accumulate: int, step: int = 0
) -> list[Tensor]:
    """What a process of two takes in all steps, part by part."""
    monkeypatch.setattr(module, "RANK", rank)
    monkeypatch.setattr(module, "WORLD", 2)
    args = argparse.Namespace(accumulate=accumulate, batch_size=BATCH, seed=0)
    steps = COUNT // BATCH * EPOCHS
    return [*module.repeated_shares(COUNT, step, steps, "cpu", 3, args)]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_repeats_are_in_the_order_of_timms_sampler(
    accumulate: int, repeating: Script, of_timm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a permutation that is the same: of each epoch, the first 40 of 3 x 43."""
    sampler = importlib.import_module("timm.data.distributed_sampler").RepeatAugSampler
    monkeypatch.setattr(repeating.module, "seed_of", lambda seed, epoch: epoch)
    parts, each = 2 * accumulate, BATCH // (2 * accumulate)
    for rank in (0, 1):
        keys = keys_of(repeating.module, monkeypatch, rank, accumulate)
        for number in range(accumulate):
            ours = torch.cat(keys[number::accumulate])
            timms = sampler(range(COUNT), parts, rank * accumulate + number, num_repeats=3)
            for epoch in range(EPOCHS):
                timms.set_epoch(epoch)
                size = COUNT // BATCH * each
                theirs = [*timms][:size]
                assert (ours[epoch * size :][:size] % COUNT).tolist() == theirs


def test_repeats_are_in_the_order_of_torchvisions_sampler(
    repeating: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each image three times in a row, then every second of them for each of two processes."""
    generator = torch.Generator().manual_seed(repeating.module.seed_of(0, 0))
    order = torch.randperm(COUNT, generator=generator).tolist()
    in_a_row = [index for index in order for _ in range(3)]
    for rank in (0, 1):
        first_epoch = torch.cat(keys_of(repeating.module, monkeypatch, rank, 1)[:5])
        assert (first_epoch % COUNT).tolist() == in_a_row[rank::2][:20]


def test_each_copy_is_changed_in_its_own_way(
    repeating: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By keys of which none comes twice, and that a resumed run takes again."""
    parts = [keys_of(repeating.module, monkeypatch, rank, 1) for rank in (0, 1)]
    every = torch.cat(parts[0] + parts[1])
    assert len(every) == len(every.unique()) == COUNT // BATCH * BATCH * EPOCHS
    rest = keys_of(repeating.module, monkeypatch, 1, 1, step=7)
    assert all(map(torch.equal, rest, parts[1][7:]))
    assert len(rest) == len(parts[1]) - 7


# The average --------------------------------------------------------------------------


def test_the_average_is_counted_as_torchvision_counts(tmp_path: Path) -> None:
    """Each third step of an epoch; in the first epoch, its warm-up, the weights as they are."""
    said = "ema: 0.7, ema_every: 3, ema_from: 1, momentum: 0"
    script = Script(tmp_path, NETWORK + recipe(said, epochs="3"))
    weights = list[list[Tensor]]()

    def remember(optimizer: torch.optim.Optimizer, *_: object) -> None:
        weights.append([p.detach().clone() for p in optimizer.param_groups[0]["params"]])

    with register_optimizer_step_post_hook(remember):
        script(tmp_path / "run", "--precision", "fp32")
    an_epoch = len(weights) // 3
    assert an_epoch == 16
    holder = nn.ParameterList(weights[0])
    average = AveragedModel(holder, avg_fn=lambda old, new, _: 0.7 * old + 0.3 * new)
    for step, values in enumerate(weights):
        for parameter, value in zip(holder, values, strict=True):
            parameter.data.copy_(value)
        if step % an_epoch % 3 == 0:
            average.update_parameters(holder)
            if step < an_epoch:
                average.n_averaged.fill_(0)
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    names = [name for name, _ in script.module.Tiny().named_parameters()]
    for name, theirs in zip(names, average.module, strict=True):
        torch.testing.assert_close(state["model"][name], theirs.data)
        assert not torch.equal(state["model"][name], state["trained"][name])


# Flips --------------------------------------------------------------------------------


def test_every_image_is_mirrored_in_every_second_epoch(tmp_path: Path) -> None:
    script = Script(tmp_path, NETWORK + recipe("augment: {alternating_flip: true}"))
    x, index = images(200, 1, 4, 5), torch.arange(200)
    epochs = [script.module.alternate(x, index + epoch * 200, 200) for epoch in range(4)]
    turned = (epochs[0] == x.flip(3)).flatten(1).all(1)
    assert 70 < int(turned.sum()) < 130
    mirrored = torch.where(turned[:, None, None, None], x, x.flip(3))
    assert same_bits(epochs[1], mirrored)
    assert same_bits(epochs[2], epochs[0])
    assert same_bits(epochs[3], epochs[1])
    # Parts of a batch are mirrored as the whole is.
    assert same_bits(script.module.alternate(x[50:60], index[50:60], 200), epochs[0][50:60])
    assert "accuracy" in script(tmp_path / "run", "--steps", "2")


def test_an_evaluation_takes_the_mean_of_both_sides(tmp_path: Path) -> None:
    script = Script(tmp_path, TWO + recipe("test_flip: true, loss_weights: {aux: 1}"))
    source = script.path.read_text("utf-8")
    assert "\n                partial(mirrored, lambda x: net(x)[0]), feed, device\n" in source
    net, x = nn.Sequential(nn.Flatten(), nn.Linear(20, 3)), images(6, 1, 4, 5)
    mean = partial(script.module.mirrored, net)
    torch.testing.assert_close(mean(x), (net(x) + net(x.flip(3))) / 2)
    torch.testing.assert_close(mean(x), mean(x.flip(3)))
    assert "accuracy" in script(tmp_path / "run", "--steps", "2")


# A whole run --------------------------------------------------------------------------

TV2 = """\
epochs: 3, batch_size: 8, lr: 0.1, schedule: cosine, by_epoch: true, warmup: 1, warmup_lr: 0.01,
size: 16, test_size: 20, test_crop: 0.9655, repeats: 4, label_smoothing: 0.1, mixup: 0.2,
cutmix: 1.0, ema: 0.9, ema_every: 2, ema_from: 1, weight_decay: 1.0e-4,
augment: {flip: true, resized_crop: [0.3, 1], trivial_augment: true, erase: 0.1}"""


def test_a_run_by_the_keys_of_tv2_ends_in_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped inside an epoch, with other workers, and gone on with."""
    peers.torchvision_models()  # declares its ops where they do not load
    for part, count in (("train", 16), ("val", 4)):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(count):
                image = Image.fromarray(bytes_of(24, 30, 3, seed=number).numpy())
                image.save(tmp_path / part / label / f"{number}.png")
    network = NETWORK.replace("[1, 8, 8]", "[3, 16, 16]").replace("linear: 10", "linear: 2")
    script = Script(tmp_path / "script", f"{network}train: {{data: folder, {TV2}}}\n")
    data = ("--data", str(tmp_path), "--workers")
    script(tmp_path / "whole", *data, "0")
    monkeypatch.setattr(script.module, "signals", [(15, 0.0)])
    with pytest.raises(SystemExit, match="143"):
        script(tmp_path / "cut", *data, "0")
    monkeypatch.undo()
    script(tmp_path / "cut", *data, "2", "--resume", "auto")
    assert differing(tmp_path / "whole", tmp_path / "cut") == []

"""The parts of training scripts: schedules, optimizers, augmentation, regularisers."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler as of_torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from resume import NETWORK, REGULARISERS
from support import peers
from support.modules import images, same_bits
from support.scripts import Script, recipe

AN_EPOCH, EPOCHS, PEAK = 7, 6, 0.3
STEPS = AN_EPOCH * EPOCHS
Schedules = Callable[[torch.optim.Optimizer], of_torch.LRScheduler]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """With every regulariser."""
    return Script(tmp_path_factory.mktemp("script"), NETWORK + recipe(REGULARISERS, epochs="2"))


@pytest.fixture(scope="module")
def parts(script: Script) -> ModuleType:
    """Its functions."""
    return script.module


# The learning rate --------------------------------------------------------------------


def warm(steps: int, then: Schedules) -> Schedules:
    """Up in a line for some steps."""

    def schedule(optimizer: torch.optim.Optimizer) -> of_torch.LRScheduler:
        up = of_torch.LinearLR(optimizer, 1 / steps, total_iters=steps - 1)
        return of_torch.SequentialLR(optimizer, [up, then(optimizer)], [steps])

    return schedule


def cosine(steps: int = STEPS) -> Schedules:
    return lambda optimizer: of_torch.CosineAnnealingLR(optimizer, steps)


def linear(steps: int = STEPS) -> Schedules:
    return lambda optimizer: of_torch.LinearLR(optimizer, 1.0, 0.0, steps)


def at(*steps: int) -> Schedules:
    return lambda optimizer: of_torch.MultiStepLR(optimizer, list(steps), 0.2)


SCHEDULES: dict[str, Schedules] = {
    "schedule: constant": lambda o: of_torch.ConstantLR(o, 1.0),
    "schedule: linear": linear(),
    "schedule: cosine": cosine(),
    "schedule: {step: {every: 2, factor: 0.2}}": lambda o: of_torch.StepLR(o, 2 * AN_EPOCH, 0.2),
    "schedule: {step: {at: [1, 4], factor: 0.2}}": at(AN_EPOCH, 4 * AN_EPOCH),
    "warmup: 1": warm(7, cosine(STEPS - 7)),
    "warmup: 1.5, schedule: linear": warm(10, linear(STEPS - 10)),
    "warmup: 2, schedule: {step: {at: [4], factor: 0.2}}": warm(14, at(4 * AN_EPOCH - 14)),
}


@pytest.mark.filterwarnings("ignore:.*lr_scheduler.step:UserWarning")
@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize("said", SCHEDULES)
def test_a_schedule_is_torchs_at_every_step(said: str, tmp_path: Path) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], PEAK)
    schedule = SCHEDULES[said](optimizer)
    module = Script(tmp_path, NETWORK + recipe(said, epochs=str(EPOCHS))).module
    for step in range(STEPS):
        ours = module.learning_rate(step, STEPS, AN_EPOCH, PEAK)
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6, abs=1e-12), step
        optimizer.step()
        schedule.step()


# Optimizers ---------------------------------------------------------------------------


@pytest.mark.parametrize(("decay", "clip"), [(0.0, None), (0.02, None), (0.02, 1.0)])
def test_lamb_is_timms(decay: float, clip: float | None, tmp_path: Path) -> None:
    """With `clip`, which timm's does by itself, and without."""
    module = Script(tmp_path, NETWORK + recipe("optimizer: lamb")).module
    ours, theirs = (
        [nn.Parameter(images(4, 3, seed=1)), nn.Parameter(torch.zeros(5))] for _ in range(2)
    )
    groups = [{"params": ours, "weight_decay": decay}]
    peers.torchvision_models()  # timm imports it
    lamb = importlib.import_module("timm.optim").Lamb
    timms = lamb(theirs, lr=0.05, weight_decay=decay, max_grad_norm=clip)
    optimizer = module.Lamb(groups, lr=0.05)
    for step in range(10):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = images(*mine.shape, seed=step + 2)
            other.grad = mine.grad.clone()
        if clip:
            nn.utils.clip_grad_norm_(ours, clip)
        optimizer.step()
        timms.step()
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other)


@pytest.mark.parametrize(
    ("said", "decays"),
    [
        ("weight_decay: 0.01", [0.01, 0.0]),
        ("weight_decay: 0.01, optimizer: adamw", [0.01, 0.0]),
        ("weight_decay: 0.01, optimizer: lamb", [0.01, 0.0]),
        ("weight_decay: 0.01, decay_all: true", [0.01]),
        ("optimizer: adamw", [0.0]),
        ("nesterov: true", [0.0]),
    ],
)
def test_decay_is_on_kernels_and_matrices_alone(
    said: str, decays: list[float], tmp_path: Path
) -> None:
    Script(tmp_path, NETWORK + recipe(said))(tmp_path / "run", "--steps", "1")
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    groups = state["optimizer"]["param_groups"]
    assert [group["weight_decay"] for group in groups] == decays
    learnt = [w for name, w in state["model"].items() if name.rpartition(".")[2] in PARAMETERS]
    matrices = sum(weight.ndim > 1 for weight in learnt)
    sizes = [matrices, len(learnt) - matrices] if len(decays) == 2 else [len(learnt)]
    assert [len(group["params"]) for group in groups] == sizes


PARAMETERS = ("weight", "bias")


# Augmentation -------------------------------------------------------------------------


def test_crop_gives_windows_of_the_padded_image(parts: ModuleType) -> None:
    x = images(64, 2, 5, 7)
    assert same_bits(parts.crop(x, 0), x)
    cropped, padded = parts.crop(x, 1), nn.functional.pad(x, [1] * 4)
    windows = [padded[:, :, i : i + 5, j : j + 7] for i in range(3) for j in range(3)]
    found = torch.stack([(cropped == window).flatten(1).all(1) for window in windows])
    assert bool(found.any(0).all())
    assert bool(found.any(1).all()), "every place is taken by some image"


def test_flip_mirrors_some_images(parts: ModuleType) -> None:
    x = images(64, 2, 5, 7)
    mirrored = (parts.flip(x) == x.flip(3)).flatten(1).all(1)
    kept = (parts.flip(x) == x).flatten(1).all(1)
    assert 0 < int(mirrored.sum()) < 64
    assert 0 < int(kept.sum()) < 64
    flipped = parts.flip(x)
    assert bool(
        torch.stack([(flipped == y).flatten(1).all(1) for y in (x, x.flip(3))]).any(0).all()
    )


def test_erase_zeroes_one_rectangle_and_leaves_the_rest(parts: ModuleType) -> None:
    x = images(200, 3, 16, 16).abs() + 1
    erased = parts.erase(x, 0.5)
    gone = (erased == 0).all(1)
    assert torch.equal(torch.where(gone.unsqueeze(1), x, erased), x)
    assert 60 < int(gone.flatten(1).any(1).sum()) < 140
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(rows.unsqueeze(2) & columns.unsqueeze(1), gone)
    shares = gone.flatten(1).float().mean(1)
    assert float(shares.max()) < 0.45
    assert torch.equal(parts.erase(x, 0.0), x)


def one_hot(count: int) -> Tensor:
    return nn.functional.one_hot(torch.arange(count) % 10, 10).float()


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_a_mixture_keeps_the_sum_of_targets(parts: ModuleType, mix: str) -> None:
    x, y = images(20, 1, 8, 8), one_hot(20)
    for _ in range(10):
        mixed, targets = getattr(parts, mix)(x, y, 1.0)
        torch.testing.assert_close(targets.sum(1), torch.ones(20))
        share = 1 - targets[0, 0]
        if mix == "mixup":
            torch.testing.assert_close(mixed, (1 - share) * x + share * x.flip(0))
        else:
            other = (mixed == x.flip(0)).all(1)
            assert bool((other | (mixed == x).all(1)).all())
            torch.testing.assert_close(other[0].float().mean(), share)


# Regularisers -------------------------------------------------------------------------


def test_what_is_dropped_and_added_while_training_alone(parts: ModuleType) -> None:
    module, x = nn.Identity(), images(1000, 4)
    for change in (
        lambda: parts.drop_path(module, (), x, 0.25),
        lambda: parts.drop_features(module, (x,), 0.25)[0],
        lambda: parts.add_noise(module, (), x, 0.5),
    ):
        assert not torch.equal(change(), x)
        module.eval()
        assert torch.equal(change(), x)
        module.train()


def test_stochastic_depth_drops_whole_samples(parts: ModuleType) -> None:
    x = images(1000, 4)
    dropped = parts.drop_path(nn.Identity(), (), x, 0.25)
    gone = (dropped == 0).all(1)
    torch.testing.assert_close(dropped[~gone], x[~gone] / 0.75)
    assert 200 < int(gone.sum()) < 300


def test_the_average_is_torchs(parts: ModuleType) -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours = copy.deepcopy(net)
    theirs = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    theirs.update_parameters(net)  # the first is a copy
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for step in range(5):
        net(images(8, 3, seed=step)).square().sum().backward()
        optimizer.step()
        parts.follow(ours, net, 0.9)
        theirs.update_parameters(net)
    for name, value in theirs.module.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(ours.state_dict()[name], value)


def test_l1_has_exact_zeros_and_reports_them(script: Script, tmp_path: Path) -> None:
    weight, bias = torch.tensor([[0.5, -0.5, 0.01, -0.01, 0.1]]), torch.ones(2)
    script.module.shrink(torch.optim.SGD([weight, bias], lr=0.2), 0.5)
    torch.testing.assert_close(weight, torch.tensor([[0.4, -0.4, 0.0, 0.0, 0.0]]))
    assert bias.tolist() == [1, 1]
    assert script.module.share_of_zeros([weight]) == 0.6
    printed = script(tmp_path, "--steps", "4", "--lr", "2")
    trained = torch.load(tmp_path / "last.pt", weights_only=True)["trained"]
    weights = [weight for name, weight in trained.items() if name != "conv1.weight"]  # it is frozen
    kernels = torch.cat([weight.flatten() for weight in weights if weight.ndim > 1])
    share = float((kernels == 0).double().mean())
    assert share > 0
    assert (tmp_path / "log.csv").read_text().splitlines()[-1].split(",")[-1] == f"{share:.6g}"
    assert f"zeros {share:.1%}" in printed

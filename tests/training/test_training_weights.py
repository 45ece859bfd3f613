"""Runs that start from weights: what is taken, adapted or starts anew, and what is refused."""

from __future__ import annotations

import argparse
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.language import parse_text
from archspec.rules.checking import check_spec
from resume import NETWORK, finish
from support.forks import pair
from support.scripts import Script, recipe

STILL = ("--steps", "1", "--lr", "1e-30")  # a step that moves no weight
ALL = "reinitialized: none; unused: none"
CONVOLUTIONS = NETWORK.replace("flatten, {linear: 10}", "{conv: 10}, flatten")
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    return Script(tmp_path_factory.mktemp("script"), NETWORK + recipe("ema: 0.9"), "weights")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pt"


def saved(script: Script, path: Path, seed: int = 3) -> State:
    """Weights of its network, written to a file, with statistics that no new network has."""
    torch.manual_seed(seed)
    state: State = script.module.Tiny().state_dict()
    for tensor in state.values():
        tensor.add_(5 if tensor.dim() == 0 else torch.rand_like(tensor))
    torch.save(state, path)
    return state


def started(script: Script, path: Path) -> tuple[State, str]:
    """What a new network has once it took from a file, and the line about it."""
    torch.manual_seed(0)
    net = script.module.Tiny()
    _, taken, about = script.module.start_from(path, net)
    net.load_state_dict(taken, strict=False)
    return net.state_dict(), about


def differing(one: State, other: State) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def below(prefix: str, state: State) -> State:
    return {f"{prefix}.{name}": tensor for name, tensor in state.items()}


# Taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}},
        lambda state: below("module", state),
        lambda state: {"n_averaged": torch.ones(()), **below("module", state)},
        lambda state: {"model": below("module._orig_mod", state)},
    ],
)
def test_every_tensor_is_taken(
    script: Script, path: Path, wrapped: Callable[[State], dict[str, Any]]
) -> None:
    state = saved(script, path)
    torch.save(wrapped(state), path)
    found, about = started(script, path)
    assert differing(found, state) == []
    assert about == f"{path}: {len(state)} of {len(state)} tensors loaded; {ALL}"


def test_safetensors_whatever_they_are_called(script: Script, path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    state = saved(script, path)
    library.save_file(state, path)
    assert differing(started(script, path)[0], state) == []


def test_a_run_starts_from_them_and_then_goes_on_with_its_own(
    script: Script, path: Path, tmp_path: Path
) -> None:
    out, state = tmp_path / "run", saved(script, path)
    given = ("--weights", str(path), "--resume", "auto")
    printed = script(out, *STILL, *given)
    assert printed.startswith(f"{path}: {len(state)} of {len(state)} tensors loaded; {ALL}\ntiny: ")
    last = torch.load(out / "last.pt", weights_only=True)
    for name, _ in script.module.Tiny().named_parameters():
        assert torch.equal(last["trained"][name], state[name])
        assert torch.equal(last["model"][name], state[name])  # the average
    assert script(out, *STILL, *given).startswith("tiny: ")
    digest, other = last["settings"]["weights"], "was written with other settings: weights = "
    assert f"{other}{digest}, now None\n" in script.refuses(out, *STILL, "--resume", "auto")
    saved(script, path, seed=4)
    assert f"{other}{digest}, now " in script.refuses(out, *STILL, *given)


def test_a_run_starts_from_another_run(script: Script, tmp_path: Path) -> None:
    script(tmp_path / "one", "--steps", "2")
    path = tmp_path / "one" / "best.pt"
    found, about = started(script, path)
    assert differing(found, torch.load(path, weights_only=True)["model"]) == []
    assert about.endswith(ALL)


def test_several_processes_start_from_them(script: Script, path: Path, tmp_path: Path) -> None:
    state = saved(script, path)
    first, second = pair(script.path, tmp_path / "run", *STILL, "--weights", str(path))
    assert "tensors loaded" in finish(first)
    finish(second)
    last = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    for name, _ in script.module.Tiny().named_parameters():
        assert torch.equal(last["trained"][name], state[name])


# Adapted ------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_channels_and_classes_as_load_weights_adapts_them(
    script: Script, path: Path, tmp_path: Path, channels: int
) -> None:
    state = saved(script, path)
    torch.manual_seed(1)
    state["conv1.weight"] = torch.rand(8, 3, 3, 3)
    state["fc.weight"], state["fc.bias"] = torch.rand(4, 8), torch.rand(4)
    torch.save(state, path)
    text = NETWORK.replace("[1, 8, 8]", f"[{channels}, 8, 8]")
    net = archspec.build_module(archspec.load(_file(tmp_path, text)))
    archspec.load_weights(net, path, adapt_input=True, adapt_classes=True)
    torch.manual_seed(0)
    fresh = archspec.build_module(archspec.load(_file(tmp_path, text)))
    start = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    _, taken, about = script.module.start_from(path, fresh)
    fresh.load_state_dict(taken, strict=False)
    anew = ["fc.weight", "fc.bias"]
    assert differing(net.state_dict(), fresh.state_dict()) == anew
    assert [name for name in anew if not torch.equal(start[name], fresh.state_dict()[name])] == []
    made = "" if channels == 3 else f" (input channels of conv1.weight: 3 to {channels})"
    rest = "reinitialized: fc.weight (there [4, 8]), fc.bias (there [4]); unused: none"
    assert about == f"{path}: {len(start) - 2} of {len(start)} tensors loaded{made}; {rest}"


def _file(folder: Path, text: str) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(text, "utf-8")
    return path


def test_all_that_is_not_taken_is_told(script: Script, path: Path) -> None:
    state = saved(script, path)
    for name in ("bn1.bias", "bn1.num_batches_tracked"):
        del state[name]
    torch.save(state | {f"more.{n}": torch.zeros(1) for n in range(9)}, path)
    anew = "reinitialized: bn1.bias, bn1.num_batches_tracked"
    left = "unused: more.0, more.1, more.2, more.3, more.4, more.5 and 3 more"
    assert started(script, path)[1] == f"{path}: 30 of 32 tensors loaded; {anew}; {left}"


# Refused ------------------------------------------------------------------------------


def _cut(path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(9, 9)}, path)
    path.write_bytes(path.read_bytes()[:-300])


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.txt", "no weights")


def _recursive(path: Path) -> None:
    state: dict[str, Any] = {}
    state["model"] = state
    torch.save(state, path)


NOT_WEIGHTS: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "empty": Path.touch,
    "a page": lambda path: path.write_text("<!doctype html>"),
    "JSON": lambda path: path.write_text('{"a": {"b": 1}}  {'),
    "a header alone": lambda path: path.write_bytes(b"\xff\0\0\0\0\0\0\0{"),
    "truncated": _cut,
    "another archive": _zip,
    "in itself": _recursive,
    "code": lambda path: torch.save({"args": argparse.Namespace(), "model": {}}, path),
    "a module": lambda path: torch.save(nn.Linear(2, 2), path),
    "a tensor": lambda path: torch.save(torch.zeros(3), path),
    "numbers": lambda path: torch.save({"conv1.weight": 3}, path),
    "without values": lambda path: torch.save({"a": torch.zeros(2, device="meta")}, path),
}


@pytest.mark.parametrize("kind", NOT_WEIGHTS)
def test_what_is_no_file_of_weights(script: Script, path: Path, kind: str) -> None:
    NOT_WEIGHTS[kind](path)
    message = script.refuses(path.parent / "run", "--weights", str(path))
    assert message.startswith(f"error: --weights {path}: ")
    assert not (path.parent / "run" / "last.pt").exists()


def test_a_file_that_is_not_there(script: Script, path: Path) -> None:
    message = script.refuses(path.parent / "run", "--weights", str(path))
    assert message.startswith(f"error: --weights {path}: No such file or directory\nhelp: ")


def test_weights_of_another_network(script: Script, path: Path) -> None:
    torch.save({"encoder.0.weight": torch.zeros(8, 3, 3, 3), "decoder.w": torch.zeros(2)}, path)
    message = script.refuses(path.parent / "run", "--weights", str(path))
    assert "no tensor with a name and shape of the network\nhelp: " in message
    assert message.endswith("unused: encoder.0.weight, decoder.w")


def test_few_tensors_or_other_shapes_are_a_warning(script: Script, path: Path) -> None:
    state = saved(script, path)
    torch.save({"conv1.weight": state["conv1.weight"]}, path)
    about = started(script, path)[1]
    assert about.startswith(f"warning: {path}: 1 of 32 tensors loaded; reinitialized: bn1.weight, ")
    torch.save(state | {"first.0.conv1.weight": torch.zeros(8, 8, 1, 1)}, path)
    anew = "reinitialized: first.0.conv1.weight (there [8, 8, 1, 1])"
    assert started(script, path)[1].startswith(f"warning: {path}: 31 of 32 tensors loaded; {anew};")


# Frozen -------------------------------------------------------------------------------

GROUPS = "weight_decay: 0.01, l1: 0.001, clip: 1, noise: {activations: 0.1}"


@pytest.mark.parametrize(
    "keys",
    [
        "momentum: 0.5",
        f"{GROUPS}, ema: 0.9, stochastic_depth: 0.3",
        "optimizer: lamb, weight_decay: 0.1, accumulate: 2",
    ],
)
def test_what_is_frozen_keeps_weights_and_statistics(tmp_path: Path, keys: str) -> None:
    text = NETWORK + recipe(f"freeze: [stem, first.0], {keys}")
    script = Script(tmp_path / "script", text, "weights")
    state = saved(script, tmp_path / "weights.pt")
    given = ("--weights", str(tmp_path / "weights.pt"), "--resume", "auto")
    script(tmp_path / "run", "--epochs", "2", *given)
    last = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    for part in {"model", "trained"} & last.keys():
        changed = {name for name in differing(last[part], state) if "num_" not in name}
        learns = {name for name in state if name.startswith(("fc", "first.1."))}
        assert changed == {name for name in learns if "num_" not in name}
        kept = {name for name in state if name.endswith("bn1.num_batches_tracked")} - learns
        assert [name for name in kept if last[part][name] != state[name]] == []
    groups = last["optimizer"]["param_groups"]
    assert sum(len(group["params"]) for group in groups) == 8  # first.1 has six, fc two


def test_a_constant_is_frozen(tmp_path: Path) -> None:
    text = NETWORK.replace(
        "norm, act]", "norm, {add: [[], {parameter: [8, 1, 1], name: shift}]}, act]"
    )
    script = Script(tmp_path / "script", text + recipe("freeze: [stem]"))
    frozen = [name for name, _ in script.module.Tiny().named_parameters() if "first" not in name]
    script(tmp_path / "run", "--steps", "2", "--save-every", "0")
    torch.manual_seed(0)
    first = script.module.Tiny().state_dict()
    last = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["model"]
    assert len(frozen) == 6
    assert [n for n in frozen if not torch.equal(first[n], last[n])] == ["fc.weight", "fc.bias"]


@pytest.mark.parametrize(
    ("names", "at", "message", "hint"),
    [
        ("[frist]", "frist", "no layer with weights is named `frist`", "did you mean `first`?"),
        ("[stem, relu]", "relu", "no layer with weights is named `relu`", "available: "),
        ("[first.2]", "first.2", "no layer with weights is named `first.2`", "available: "),
        ("[stem, first, fc]", "freeze", "there is nothing to train", "remove the last one"),
    ],
)
def test_names_that_freeze_nothing(names: str, at: str, message: str, hint: str) -> None:
    text = NETWORK + recipe(f"freeze: {names}")
    (found,) = check_spec(parse_text(text, "tiny.yaml"))
    assert message in found.message
    assert hint in found.hint
    assert found.severity == "error"
    assert found.span is not None
    line = text.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == at


# A faster last layer ------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        "momentum: 0.9",
        "optimizer: adamw, weight_decay: 0.1",
        "optimizer: lamb",
        "freeze: [stem, first], weight_decay: 0.1",
    ],
)
def test_the_last_layer_learns_at_a_multiple(tmp_path: Path, keys: str) -> None:
    script = Script(tmp_path / "script", NETWORK + recipe(f"head_lr: 8, {keys}"))
    script(tmp_path / "run", "--steps", "2")
    groups = torch.load(tmp_path / "run" / "last.pt", weights_only=True)["optimizer"][
        "param_groups"
    ]
    rates = {group.get("factor", 1): group["lr"] for group in groups}
    sizes = Counter[float]()
    for group in groups:
        sizes[group.get("factor", 1)] += len(group["params"])
    assert sizes == ({8.0: 2} if "freeze" in keys else {1: 15, 8.0: 2})
    assert rates.get(1, rates[8.0] / 8) == pytest.approx(rates[8.0] / 8)


@pytest.mark.parametrize(
    ("network", "keys", "message"),
    [
        (NETWORK, "freeze: [fc], head_lr: 8", "frozen"),
        (CONVOLUTIONS, "head_lr: 8", "no linear layer"),
    ],
)
def test_a_rate_of_no_layer(network: str, keys: str, message: str) -> None:
    found = check_spec(parse_text(network + recipe(keys), "tiny.yaml"))
    assert message in next(d.message for d in found if d.rule == "idle-regulariser")


def test_a_multiple_is_one_of_the_step(tmp_path: Path) -> None:
    """Without momentum the first step of the last layer is eight times as long."""
    ends = []
    for factor in (1, 8):
        script = Script(tmp_path / f"{factor}", NETWORK + recipe(f"momentum: 0, head_lr: {factor}"))
        script(tmp_path / f"run{factor}", "--steps", "1")
        ends.append(torch.load(tmp_path / f"run{factor}" / "last.pt", weights_only=True)["model"])
    torch.manual_seed(0)
    start = script.module.Tiny().state_dict()
    one, eight = (end["fc.weight"] - start["fc.weight"] for end in ends)
    torch.testing.assert_close(eight, 8 * one, rtol=1e-4, atol=1e-7)
    assert torch.equal(ends[0]["conv1.weight"], ends[1]["conv1.weight"])


def test_layers_learn_at_rates_of_their_own(tmp_path: Path) -> None:
    keys = "lr_factors: {first.1: 0.25, stem: 0.1, first: 0.5}, head_lr: 4"
    script = Script(tmp_path / "script", NETWORK + recipe(keys))
    net = script.module.Tiny()
    first, twice = {n: p.clone() for n, p in net.named_parameters()}, net.double()
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    for line in script.path.read_text().splitlines():
        if line.strip().startswith("scale_lr(optimizer"):
            exec(line.strip(), {**vars(script.module), "optimizer": optimizer, "net": twice})
    named = {parameter: name for name, parameter in net.named_parameters()}
    found = {
        named[p]: group.get("factor", 1)
        for group in optimizer.param_groups
        for p in group["params"]
    }
    expected = {"conv1": 0.1, "bn1": 0.1, "first.0": 0.5, "first.1": 0.25, "fc": 4}
    assert found.keys() == first.keys()
    for name, factor in found.items():
        assert factor == next(
            f for path, f in expected.items() if f"{name}.".startswith(f"{path}.")
        )


@pytest.mark.parametrize(
    ("keys", "at", "message"),
    [
        ("lr_factors: {frist: 2}", "frist", "no layer with weights is named `frist`"),
        ("lr_factors: {first: 2}, freeze: [first]", "first", "`first` is frozen"),
        ("lr_factors: {fc: 2}, head_lr: 3", "fc", "`head_lr` sets the rate of `fc`"),
        ("head_warmup: 1, freeze: [fc]", "head_warmup", "`fc`, is frozen"),
    ],
)
def test_a_rate_that_has_no_effect(keys: str, at: str, message: str) -> None:
    text = NETWORK + recipe(keys, epochs="2")
    (found,) = check_spec(parse_text(text, "tiny.yaml"))
    assert (found.rule, found.severity) == ("idle-regulariser", "error")
    assert message in found.message
    assert found.span is not None
    line = text.splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == at


def test_a_head_that_learns_alone_first(tmp_path: Path) -> None:
    keys = "head_warmup: 1, clip: 1, momentum: 0.9"
    script = Script(tmp_path / "script", NETWORK + recipe(keys, epochs="2"))
    torch.manual_seed(0)
    first = script.module.Tiny().state_dict()
    learned = {}
    for epochs in ("1", "2"):
        script(tmp_path / epochs, "--epochs", epochs)
        last = torch.load(tmp_path / epochs / "last.pt", weights_only=True)["model"]
        names = {name for name, _ in script.module.Tiny().named_parameters()}
        learned[epochs] = names.intersection(differing(last, first))
    assert learned == {"1": {"fc.weight", "fc.bias"}, "2": names}


def test_a_head_warms_up_in_time() -> None:
    with pytest.raises(archspec.SpecError, match="the other layers never learn") as found:
        parse_text(NETWORK + recipe("head_warmup: 2", epochs="2"), "tiny.yaml")
    assert [d.rule for d in found.value.diagnostics] == ["conflicting-keys"]

"""A few steps with `meta` for the accelerator: what a step copies to it, and waits for from it.

Work on an accelerator is queued, and Python goes on. What asks for a number of it waits until the
queue is empty, and so does a copy from memory that is not pinned. (What gives a tensor whose size
depends on numbers waits too, and `meta` refuses that.)
"""

from __future__ import annotations

import contextlib
import linecache
import traceback
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from archspec.language.train import REGULARISERS
from resume import NETWORK, module_of
from support import peers
from support.scripts import Script, recipe

META = torch.device("meta")
SHORT = NETWORK.replace("repeat: 2", "repeat: 1")


def tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values if isinstance(values, (list, tuple)) else [values]:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors(value)


class Traffic(TorchDispatchMode):
    """Counts what goes from and to `meta`, by the line of the script that asks for it."""

    def __init__(self, script: Path) -> None:
        super().__init__()
        self.script, self.seen = str(script), Counter[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {**(kwargs or {})}
        name = func.overloadpacket._qualified_op_name.removeprefix("aten::")
        places = {tensor.device.type for tensor in tensors([args, list(given.values())])}
        if name == "_local_scalar_dense" and places == {"meta"}:
            self.note("waits")
            return 1.0
        if name in ("_to_copy", "copy_") and self.moves(name, args, given):
            return self.moved(name, func, args, given)
        if places == {"meta", "cpu"} and self.mixed(args):
            self.note("copies")
        return func(*args, **given)

    def moves(self, name: str, args: Any, given: Any) -> bool:
        other = args[1].device if name == "copy_" else given.get("device") or args[0].device
        return bool(args[0].device != other)

    def moved(self, name: str, func: Any, args: Any, given: Any) -> Any:
        source = args[1] if name == "copy_" else args[0]
        if source.device != META:
            self.note("copies")
            return func(*args, **given)
        self.note("waits")
        if name == "copy_":
            return args[0]
        kind = given.get("dtype") or source.dtype
        return torch.full(source.shape, not kind.is_floating_point, dtype=kind)

    def mixed(self, args: Any) -> bool:
        """Whether a tensor of the host is an operand; one number is part of the call."""
        return any(tensor.device != META and tensor.dim() for tensor in tensors(args))

    def made(self, make: Any, *given: Any, **named: Any) -> torch.Tensor:
        """`torch.tensor`, whose numbers are the host's."""
        if named.get("device") == META:
            self.note("copies")
        result: torch.Tensor = make(*given, **named)
        return result

    def note(self, what: str) -> None:
        stack = (frame for frame, _ in traceback.walk_stack(None))
        numbers = (f.f_lineno for f in stack if f.f_code.co_filename == self.script)
        line = " ".join(linecache.getline(self.script, next(numbers, 0)).split()) or "?"
        self.seen[f"{what}: {line}"] += 1


def unfused(name: str) -> Any:
    """An optimiser that is not fused, as for `meta` none is."""
    of = getattr(torch.optim, name)
    return lambda *given, fused, **named: of(*given, foreach=True, **named)


def run(script: Script, out: Path, *options: str) -> Counter[str]:
    """What a run did until its first evaluation, line by line."""
    module, traffic = script.module, Traffic(script.path)
    replaced = [
        mock.patch.object(module, "device_of", return_value=META),
        mock.patch.object(torch, "autocast", return_value=contextlib.nullcontext()),
        mock.patch.object(torch, "tensor", partial(traffic.made, torch.tensor)),
        *(mock.patch.object(torch.optim, name, unfused(name)) for name in ("SGD", "AdamW")),
    ]
    with contextlib.ExitStack() as stack:
        for patch in replaced:
            stack.enter_context(patch)
        stack.enter_context(traffic)
        script(out, "--precision", "fp32", *options)
    return traffic.seen


OF_ALL = [part.example for part in REGULARISERS if "early_stopping" not in part.example]
RECIPES = {
    "plain": "",
    "all regularisers": ", ".join(filter(None, OF_ALL)),
    "adamw": "optimizer: adamw, weight_decay: 0.1",
    "lamb": "optimizer: lamb, weight_decay: 0.1",
    "binary cross-entropy": "loss: bce",
}
SHARED = "copies: order = torch.randperm(count, generator=generator).to(device) + epoch * count"
START = {
    "copies: data = {part: (x.to(device), y.to(device)) for part, (x, y) in data.items()}",
    "copies: net = Tiny().to(device)",
    SHARED,
    "copies: mean, std = torch.tensor([MEAN, STD], device=device).reshape(2, -1, 1, 1)",
}
REPEATED = "copies: keys = (order[places // repeats] + copies * count).to(device)"
LOOK = "waits: *losses, total, stopping = (news / WORLD).tolist()"
EVALUATIONS = (
    "waits: table, count = table.reshape(OUTPUTS, OUTPUTS).cpu(), int(table.sum())",
    "waits: return float(loss) / count, int(table.diag().sum()) / count, table",
)


@pytest.mark.parametrize("kind", RECIPES)
def test_a_step_waits_for_nothing(kind: str, tmp_path: Path) -> None:
    script = Script(tmp_path, SHORT + recipe(RECIPES[kind], epochs="2"))
    few, more = (run(script, tmp_path / str(steps), "--steps", str(steps)) for steps in (4, 8))
    zeros = {"waits: zeros = sum(int((weight == 0).sum()) for weight in weights)"}
    of_l1 = zeros if kind == "all regularisers" else set()
    start = START ^ {SHARED, REPEATED} if kind == "all regularisers" else START
    assert few.keys() == {*start, LOOK, *EVALUATIONS, *of_l1}
    grown = {line for line in more if few[line] != more[line]}
    assert grown == {LOOK, *EVALUATIONS, *of_l1}
    rows = (tmp_path / "8" / "log.csv").read_text().splitlines()[1:]
    assert more[LOOK] == 1 + len(rows)  # of the first step too
    evaluated = sum(bool(row.split(",")[4]) for row in rows)
    assert evaluated == 2
    for line in EVALUATIONS:  # and once the test set
        assert more[line] * 2 == few[line] * (1 + evaluated)


def test_a_step_on_a_folder_copies_its_batch(tmp_path: Path) -> None:
    peers.torchvision_models()  # declares its ops where they do not load
    text = SHORT.replace("[1, 8, 8]", "[3, 8, 8]") + recipe(data="folder", batch_size="64")
    script = Script(tmp_path, text)
    options = ("--data", "synthetic", "--workers", "0", "--steps")
    few, more = (run(script, tmp_path / str(n), *options, str(n)) for n in (2, 6))
    batch = "copies: x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)"
    assert {line for line in more if few[line] != more[line]} == {batch}
    assert more[batch] - few[batch] == 2 * (6 - 2)  # images and labels


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ("((x - mean) / std)", "(x - torch.tensor(MEAN, device=x.device))", "copies"),
        (".to(device) + epoch", " + epoch", "copies"),
        ("(loss / args.accumulate)", "(loss / args.accumulate / float(loss))", "waits"),
    ],
)
def test_what_waits_is_found(then: str, now: str, found: str, tmp_path: Path) -> None:
    script = Script(tmp_path, SHORT + recipe())
    source = script.path.read_text()
    assert then in source
    script.path.write_text(source.replace(then, now))
    script.module = module_of(script.path)
    script.module.keep_memory = lambda: None
    few, more = (run(script, tmp_path / str(steps), "--steps", str(steps)) for steps in (2, 4))
    assert any(few[line] != more[line] for line in more if line.startswith(found) and line != LOOK)

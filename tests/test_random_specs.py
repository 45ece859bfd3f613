"""Networks drawn at random: the two readers and the counts agree with each other and torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from torch import nn

import archspec
from archspec.api import network
from archspec.codegen import generate
from archspec.runtime import build
from strategies import Spec, specs
from support import (
    Measured,
    assert_same_tensors,
    evaluate,
    images,
    module_from_source,
    same_bits,
    seeded,
)

EXAMPLES = int(os.environ.get("ARCHSPEC_EXAMPLES", "150"))
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=SLOW,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would build for minutes
)


def loaded(spec: Spec) -> archspec.Spec:
    """The spec, checked; what does not fit after all is drawn again."""
    try:
        checked = archspec.load(spec)
        archspec.analyze(checked)
    except archspec.SpecError:
        assume(False)
    return checked


def in_train_mode(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output of one step with its dropout drawn from a fixed seed."""
    torch.manual_seed(3)
    output: torch.Tensor = model.train()(x)
    return output


@many
@given(specs())
def test_readers_agree(spec: Spec) -> None:
    """Keys in order, seeded weights, and outputs in eval and in train mode, to the bit."""
    ir = network(loaded(spec))
    source = generate(ir)
    one, other = seeded(lambda: build(ir)), seeded(lambda: module_from_source(source))
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = images(2, *spec["input"])
    assert same_bits(evaluate(one, x), evaluate(other, x))
    assert same_bits(in_train_mode(one, x), in_train_mode(other, x))
    assert_same_tensors(one.state_dict(), other.state_dict())


@many
@given(specs())
def test_counts_are_what_torch_measures(spec: Spec) -> None:
    """Shapes, parameters and multiply-adds, layer by layer."""
    checked = loaded(spec)
    analysis = archspec.analyze(checked)
    measured = Measured(archspec.build_module(checked), analysis.input)
    assert (analysis.params, analysis.macs) == (measured.params, measured.macs)
    ours = Counter((row.path, row.output) for row in analysis.rows)
    assert ours == measured.calls
    assert {row.path: row.macs for row in analysis.rows} == {
        path: macs for path, (macs, _) in measured.leaves.items() if path in measured.leaves
    }
    x = images(2, *analysis.input)
    assert evaluate(archspec.build_module(checked), x).shape == (2, *analysis.output)


def test_sources_are_in_ruffs_format(tmp_path: Path) -> None:
    """Every source passes the verifier, and ruff would change and say nothing."""

    @settings(many, max_examples=EXAMPLES // 2)
    @given(specs())
    def write(spec: Spec) -> None:
        source = archspec.render(loaded(spec))
        (tmp_path / f"drawn_{len(list(tmp_path.iterdir()))}.py").write_text(source, "utf-8")

    write()
    for how in (["format", "--check", "--diff"], ["check"]):
        command = [sys.executable, "-m", "ruff", *how, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr

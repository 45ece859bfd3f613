"""Networks drawn at random: the two readers and the counts agree with each other and torch."""

from __future__ import annotations

from collections import Counter
from inspect import signature
from pathlib import Path

import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from torch import nn

import archspec
from archspec.api import network
from archspec.codegen import generate
from archspec.ops import OPS
from archspec.runtime import build
from archspec.verify.deploy import deployed
from archspec.verify.tensors import apart, flat, randomise
from support import own
from support.measured import Measured
from support.modules import (
    assert_same_tensors,
    class_from_source,
    evaluate,
    generated_module,
    images,
    module_from_source,
    seeded,
    tensors,
)
from support.strategies import EXAMPLES, Spec, specs
from support.tools import assert_clean
from support.uses import uses

# What `forward` may write out, so that no module stands for it.
METHODS = {op.torch for op in OPS.values() if op.written}
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=SLOW,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would build for minutes
)


def analyzed(spec: Spec) -> archspec.Analysis:
    """What a spec costs; what does not fit after all is drawn again."""
    try:
        return archspec.analyze(spec)
    except archspec.SpecError:
        assume(False)
        raise


def in_train_mode(model: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The outputs of one step with its dropout drawn from a fixed seed."""
    torch.manual_seed(3)
    return tensors(model.train()(x))


def assert_readers_agree(one: nn.Module, other: nn.Module, x: torch.Tensor) -> None:
    """Keys in order, seeded weights, and outputs in eval and in train mode, to the bit."""
    assert_same_tensors(one.state_dict(), other.state_dict())
    assert_same_tensors(tensors(evaluate(one, x)), tensors(evaluate(other, x)))
    assert_same_tensors(in_train_mode(one, x), in_train_mode(other, x))
    assert_same_tensors(one.state_dict(), other.state_dict())


def assert_counts_are_measured(analysis: archspec.Analysis, model: nn.Module) -> None:
    """Shapes, parameters and multiply-adds, layer by layer."""
    measured = Measured(model, analysis.input, "cpu")
    assert (analysis.params, analysis.macs) == (measured.params, measured.macs)
    rows = [row for row in analysis.rows if row.op not in ("Identity", "Parameter")]
    modules = dict(model.named_modules())
    rows = [row for row in rows if row.path in modules or row.op not in METHODS]
    rows = [row for row in rows if row.path.partition(".")[0] not in analysis.aside]
    counted = Counter((row.path, row.output) for row in rows)
    for path, shape in measured.calls - counted:  # without a sum, nothing is dropped
        assert (type(modules[path]).__name__, modules[path].p) == ("StochasticDepth", 0)
        counted[path, shape] += 1
    assert counted == measured.calls
    assert {row.path: row.macs for row in rows} == {
        path: macs for path, (macs, _) in measured.leaves.items() if path in measured.leaves
    }


def test_drawn_networks(tmp_path: Path) -> None:
    """Readers agree, counts are torch's, sources pass the verifier and are in ruff's format."""

    @many
    @given(specs())
    def check(spec: Spec) -> None:
        analysis = analyzed(spec)
        ir = network(archspec.load(spec))
        source = generate(ir)
        (tmp_path / f"drawn_{len(list(tmp_path.iterdir()))}.py").write_text(source, "utf-8")
        one = seeded(lambda: build(ir, modules=own.given(ir)))
        other = seeded(lambda: module_from_source(source))
        x = images(2, *spec["input"])
        assert_readers_agree(one, other, x)
        assert tensors(evaluate(one, x))["0"].shape == (2, *analysis.output)
        assert_counts_are_measured(analysis, one)

    check()
    assert_clean(tmp_path, config='lint.isort.known-first-party = ["support"]')


def test_drawn_uses_of_blocks(tmp_path: Path) -> None:
    """Readers agree with the analysis on blocks that are used with many different arguments."""

    @settings(many, max_examples=2 * EXAMPLES)
    @given(uses())
    def check(spec: Spec) -> None:
        analysis = analyzed(spec)
        assume(analysis.params < 1_000_000)
        source = archspec.render(spec)
        (tmp_path / f"drawn_{len(list(tmp_path.iterdir()))}.py").write_text(source, "utf-8")
        one = seeded(lambda: archspec.build_module(spec))
        shapes = {name: tuple(tensor.shape) for name, tensor in one.state_dict().items()}
        assert shapes == dict(analysis.state)
        assert_readers_agree(one, seeded(lambda: module_from_source(source)), images(2, 3, 6, 6))

    check()
    assert_clean(tmp_path)


def test_arguments_of_a_class_build_what_the_spec_does_with_them() -> None:
    """What stays an argument of the network's class is no number that anything depends on."""

    @settings(many, max_examples=max(EXAMPLES // 2, 1))
    @given(specs())
    def check(spec: Spec) -> None:
        analyzed(spec)
        made = class_from_source(archspec.render(spec))
        for name, parameter in list(signature(made.__init__).parameters.items())[1:]:
            given = {name: parameter.default + 3}
            with torch.device("meta"):
                one, other = made(**given), generated_module(archspec.load(spec, **given))
            shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (one, other)]
            assert shapes[0] == shapes[1]

    check()


def test_drawn_files_for_inference() -> None:
    """They load what the network has saved, and give what it gives: in float64, for a network that
    is drawn may blow up what a fold rounds.
    """

    @settings(many, max_examples=max(EXAMPLES // 2, 1))
    @given(specs())
    def check(spec: Spec) -> None:
        analyzed(spec)
        ir = network(archspec.load(spec))
        trained = build(ir, init=False, modules=own.given(ir)).eval()
        randomise(trained)
        module = deployed(archspec.render_deploy(spec), trained.state_dict())
        x = images(2, *spec["input"]).double()
        with torch.no_grad():
            pairs = zip(flat(module.double()(x)), flat(trained.double()(x)), strict=True)
            assert max(apart(one, other) for one, other in pairs) < 1e-3

    check()

"""A recipe for a network of several outputs: what each counts in the loss, and which is judged."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import Tensor

from archspec.diagnostics import Diagnostic, SpecError
from archspec.language import parse_text
from archspec.rules.checking import check_spec
from support.scripts import Script, recipe

NETWORK = """\
name: tiny
input: [1, 8, 8]
init: torch
stem: [{conv: {channels: 8, kernel: 3}}, norm, act]
stages:
  first: {block: basic, repeat: 1, channels: 8}
  second: {block: basic, repeat: 1, channels: 16, stride: 2}
head:
  pool: global_avg_pool
  flatten: flatten
  fc: {linear: 10}
  aux: {sequence: [global_avg_pool, flatten, {linear: 10}], from: first}
  five: {sequence: [global_avg_pool, flatten, {linear: 5}], from: first}
"""
AUX = "outputs: {eval: [fc], training: [fc, aux]}\n"
BOTH = "outputs: [fc, aux]\n"


def trained(folder: Path, text: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights after one step of plain descent, and the last row of the log."""
    Script(folder, NETWORK + text)(
        folder / "run", "--steps", "1", "--device", "cpu", "--precision", "fp32"
    )
    state = torch.load(folder / "run/last.pt", weights_only=True)["model"]
    with open(folder / "run/log.csv", encoding="utf-8") as file:
        return state, list(csv.DictReader(file))[-1]


def weights(said: str) -> str:
    return recipe(f"momentum: 0, schedule: constant{said}")


@pytest.mark.parametrize("outputs", [AUX, BOTH])
def test_the_loss_is_the_weighted_sum(outputs: str, tmp_path: Path) -> None:
    """A step of descent is linear in the weights; with 0 for the others it is that of one."""
    single, row = trained(tmp_path / "one", f"outputs: [fc]\n{weights('')}")
    main, other_row = trained(
        tmp_path / "main", outputs + weights(", loss_weights: {fc: 1, aux: 0}")
    )
    aux, _ = trained(tmp_path / "aux", outputs + weights(", loss_weights: {fc: 0, aux: 1}"))
    sum_, _ = trained(tmp_path / "sum", outputs + weights(", loss_weights: {aux: 0.25}"))
    none, _ = trained(tmp_path / "none", outputs + weights(", loss_weights: {fc: 0, aux: 0}"))
    for name in ("val_loss", "val_accuracy", "test_loss", "test_accuracy"):
        assert row[name] == other_row[name]
    moved = 0
    for name, start in none.items():
        if not name.endswith(("weight", "bias")):
            continue
        if name in single:
            assert torch.equal(single[name], main[name]), name
        step = (main[name] - start) + 0.25 * (aux[name] - start)
        torch.testing.assert_close(sum_[name] - start, step, rtol=1e-3, atol=1e-6)
        moved += bool(step.abs().max() > 1e-5)
    assert moved > 10


def test_a_script_goes_on_with_its_weights(tmp_path: Path) -> None:
    script = Script(
        tmp_path, NETWORK + BOTH + recipe("loss_weights: {aux: 0.3}, ema: 0.9, loss: bce")
    )
    assert 'LOSS_WEIGHTS = {"fc": 1.0, "aux": 0.3}' in script.path.read_text("utf-8")
    script(tmp_path / "run", "--steps", "1")
    assert "best val accuracy" in script(tmp_path / "run", "--steps", "1", "--resume")


# What is wrong -------------------------------------------------------------------------


def findings(text: str) -> list[Diagnostic]:
    try:
        return check_spec(parse_text(NETWORK + text, "net.yaml"))
    except SpecError as error:
        return list(error.diagnostics)


WRONG = {
    "no weights": (
        AUX + recipe(),
        ("head-mismatch", "`aux` has no weight in the loss", "`loss_weights: {aux: 0.3}`"),
    ),
    "a weight too few": (
        "outputs: {eval: [fc], training: [fc, aux, again]}\n" + recipe("loss_weights: {aux: 0.5}"),
        ("head-mismatch", "`again` has no weight", "`loss_weights: {aux: 0.5, again: 0.3}`"),
    ),
    "another name": (
        AUX + recipe("loss_weights: {aux: 0.3, axu: 0.3}"),
        ("head-mismatch", "there is no output `axu` in training", "did you mean `aux`?"),
    ),
    "below zero": (
        AUX + recipe("loss_weights: {aux: -1}"),
        ("out-of-range", "expected a number of at least 0, found `-1`", ""),
    ),
    "no number": (
        AUX + recipe("loss_weights: {aux: high}"),
        ("wrong-type", "expected a number of at least 0, found the string `high`", ""),
    ),
    "a number for all": (
        AUX + recipe("loss_weights: 0.3"),
        ("wrong-type", "expected a mapping from outputs to numbers", "for example, `{aux: 0.3}`"),
    ),
    "another program's word": (
        AUX + recipe("aux_loss_weight: 0.3"),
        ("unknown-key", "unknown key `aux_loss_weight`", "use `loss_weights`"),
    ),
    "one output": (
        "outputs: [fc]\n" + recipe("loss_weights: {fc: 1}"),
        (
            "head-mismatch",
            "`loss_weights` requires several outputs",
            "remove it",
        ),
    ),
    "the judged one is not trained": (
        "outputs: {eval: [fc], training: [aux, again]}\n"
        + recipe("loss_weights: {aux: 1, again: 1}"),
        ("head-mismatch", "evaluation uses the output `fc`", "training: [fc, ...]"),
    ),
    "another shape": (
        "outputs: [fc, five]\n" + recipe("loss_weights: {five: 1}"),
        (
            "head-mismatch",
            "`five` has the shape 5 and `fc` the shape 10",
            "use outputs with the same shape in `outputs`",
        ),
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(kind: str) -> None:
    text, (rule, message, hint) = WRONG[kind]
    more = "  again: {sequence: [global_avg_pool, flatten, {linear: 10}], from: first}\n"
    errors = [one for one in findings(more + text) if one.severity == "error"]
    assert [one.rule for one in errors] == [rule]
    assert message in errors[0].message
    assert hint in errors[0].hint

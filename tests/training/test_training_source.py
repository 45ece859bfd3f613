"""Training scripts as source: formatted, typed, and holding what they use alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec
from archspec.cli import main
from archspec.helpers import OF_MODELS, OF_SCRIPTS
from archspec.language import parse_text
from archspec.language.train import regularisers
from archspec.language.train.regularisers.base import SEED, Lines, Places
from archspec.language.train.regularisers.clip import Clip
from archspec.language.train.regularisers.l1 import L1
from archspec.training import ON_REQUEST
from resume import NETWORK, REGULARISERS
from support import ROOT
from support.scripts import recipe
from support.tools import assert_clean, run

FLAT = "name: tiny\ninput: [5]\nstem: [{linear: 8}, norm, act]\nhead: [{linear: 10}]\n"
GREY = NETWORK.replace("[1, 8, 8]", "[1, 28, 28]")
COLOUR = NETWORK.replace("[1, 8, 8]", "[3, 32, 32]")
KEYS = (
    *(part.example for part in regularisers.REGULARISERS),
    *("decay_all: true, weight_decay: 0.01", "nesterov: true"),
    *("momentum: 0", "optimizer: adamw", "optimizer: lamb, weight_decay: 0.02"),
    *("schedule: constant", "schedule: linear, warmup: 0.5", "warmup: 1"),
    *("schedule: {step: {every: 2}}", "schedule: {step: {at: [2, 3], factor: 0.5}}"),
    *("min_lr: 1.0e-3, by_epoch: true", "schedule: linear, min_lr: 1.0e-3"),
    *("warmup: 1, warmup_lr: 0.01", "warmup: 1, warmup_inside: true"),
    *("ema: 0.9, ema_every: 2", "ema: 0.9, ema_from: 2", "augment: {alternating_flip: true}"),
    *("accumulate: 2", "size: 12", "test_size: 12", "seed: 7", "mixup: 0.2", "cutmix: 1.0"),
    *("noise: 0.1", "noise: {activations: 0.1}", "validation: 0", "validation: 0.25"),
    *("augment: {flip: true}", "augment: {crop: 2}", "augment: {erase: 0.25}"),
    *("loss: bce", "loss: bce, label_smoothing: 0.1, mixup: 0.1, cutmix: 1.0"),
)
OF_FOLDERS = (
    *("", "augment: {flip: true}", "augment: {resized_crop: [0.08, 1], flip: true}"),
    *(
        "validation: 0",
        "augment: {rand_augment: 6, erase: 0.1}",
        "augment: {trivial_augment: true}, repeats: 4",
        "size: 24, test_size: 40, test_crop: 0.95",
    ),
)


HEADS = """\
name: tiny
input: [5]
stem: [{linear: 8, save: a}]
head: {first_of_the_heads: {linear: 10}, another_of_the_heads: {linear: 10, from: a}}
"""
EVAL = "outputs: {eval: [first_of_the_heads], training: [first_of_the_heads, another_of_the_heads]}"
WEIGHED = "loss_weights: {another_of_the_heads: 0.4}"


def texts() -> Iterator[str]:
    """Specs of which every line of the template is in some, and out of some."""
    for said in ("", *KEYS, REGULARISERS):
        yield NETWORK + recipe(said, epochs="4")
    for name in ("fashion_mnist", "mnist", "kmnist"):
        yield GREY + recipe(data=name)
        yield GREY + recipe(REGULARISERS, data=name, epochs="2")
    yield COLOUR + recipe(data="cifar10")
    for said in OF_FOLDERS:
        yield COLOUR + recipe(said, data="folder")
    yield COLOUR.replace("linear: 10", "linear: 1000") + recipe(data="imagenet")
    yield f"{HEADS}{EVAL}\n" + recipe(WEIGHED)
    yield f"{HEADS}outputs: [first_of_the_heads, another_of_the_heads]\n" + recipe(
        f"{WEIGHED}, loss: bce, ema: 0.9"
    )
    for data in ("tensors", "synthetic"):
        for loss in ("cross_entropy", "bce", "multi_label", "mse", "huber"):
            yield FLAT + recipe(f"loss: {loss}, ema: 0.9", data=data)
            yield NETWORK + recipe(f"loss: {loss}, noise: 0.1", data=data)


#: Packages that torch imports, and whose types are in no script.
UNUSED = (
    *(f"torch.{name}" for name in ("ao", "export", "func", "fx", "jit", "masked", "nested")),
    *(f"torch.{name}" for name in ("onnx", "package", "sparse", "testing")),
    *(f"torch.distributed.{name}" for name in ("_shard", "_tools", "algorithms", "fsdp", "nn")),
    *(f"torch.distributed.{name}" for name in ("_composable", "rpc", "tensor")),
    *(f"torch.nn.{name}" for name in ("intrinsic", "qat", "quantizable", "quantized")),
    *(f"torch._{name}" for name in ("decomp", "dynamo", "export", "functorch", "inductor")),
    *(f"torch._{name}" for name in ("higher_order_ops", "prims", "refs", "subclasses")),
    *("torch.utils.data.datapipes", "matplotlib", "numpy", "sympy", "unittest"),
)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all of them, every second one with its network."""
    folder = tmp_path_factory.mktemp("scripts")
    for number, text in enumerate(texts()):
        spec = folder / "tiny.yaml"
        spec.write_text(text, "utf-8")
        options = ON_REQUEST if number % 3 else ()
        source = archspec.render_training(spec, single_file=number % 2 == 1, options=options)
        (folder / f"script_{number}.py").write_text(source, "utf-8")
    (folder / "tiny.py").write_text(archspec.render(spec), "utf-8")
    return folder


@pytest.fixture(scope="module")
def trees(scripts: Path) -> dict[str, ast.Module]:
    """The syntax trees of the scripts."""
    paths = scripts.glob("script_*.py")
    return {path.name: ast.parse(path.read_text("utf-8")) for path in paths}


def test_ruff_has_nothing_to_say(scripts: Path) -> None:
    """By default it also finds names that are not there, and imports that are not used."""
    assert_clean(scripts, config='lint.extend-select = ["I"]')


def test_mypy_has_nothing_to_say(scripts: Path, pytestconfig: pytest.Config) -> None:
    """Of all shipped networks, and of scripts with each regulariser, kind of data and loss.

    One run for all, whose cache is kept: it takes half a minute to read torch, and what no script
    uses of it is left out.
    """
    chosen = [f"script_{number}.py" for number, text in enumerate(texts()) if telling(text)]
    assert len(chosen) == 9
    cache = pytestconfig.cache.mkdir("mypy")
    config = scripts / "mypy.ini"
    unused = ",".join(f"{name}.*" for name in UNUSED)
    config.write_text(f"[mypy]\n[mypy-{unused}]\nfollow_imports = skip\n", "utf-8")
    options = (f"--config-file={config}", f"--cache-dir={cache}", "--ignore-missing-imports")
    run("mypy", *options, ROOT / "generated", *(scripts / name for name in chosen))


def telling(text: str) -> bool:
    wanted = [recipe(REGULARISERS, epochs="4"), recipe(data="cifar10"), recipe(data="imagenet")]
    wanted += [recipe("loss: huber, ema: 0.9", data="tensors")]
    wanted += [recipe("loss: multi_label, noise: 0.1", data="synthetic")]
    wanted += [recipe("optimizer: lamb, weight_decay: 0.02", epochs="4")]
    wanted += [recipe(f"{WEIGHED}, loss: bce, ema: 0.9")]
    wanted += [recipe("augment: {rand_augment: 6, erase: 0.1}", data="folder")]
    wanted += [recipe("augment: {alternating_flip: true}", epochs="4")]
    return text.endswith(tuple(wanted))


def test_nothing_is_there_for_nothing(trees: dict[str, ast.Module]) -> None:
    """Every function, class and constant of a script is used in it, not a variable of its name."""
    for script, tree in trees.items():
        read = set[str]()
        made = {n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        for node in tree.body:
            names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
            read |= reads(node, names)
            made |= {name.id for name in names if name.id.isupper()} - {"STD"}  # beside MEAN
        assert made <= read, script


def reads(node: ast.stmt, names: list[ast.Name]) -> set[str]:
    """The names that a statement of a script reads, without the variables of a function."""
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    if isinstance(node, ast.FunctionDef):
        read -= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return read


def test_random_numbers_after_the_loss_are_the_same_in_all_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One seed that no part of a batch has, ahead of all that is drawn."""

    def drawing(self: Clip, network: Places) -> Lines:
        yield "gradients", "draw()"
        yield "seed", SEED

    for regulariser in (Clip, L1):
        monkeypatch.setattr(regulariser, "script", drawing)
    source = archspec.render_training(parse_text(NETWORK + recipe(), "tiny.yaml"))
    _, before, after = source.partition(f"        {SEED}\n")
    assert before
    assert after.startswith("        draw()\n        draw()\n        optimizer.step()\n")
    assert SEED not in after


def test_a_default_that_is_written_changes_nothing() -> None:
    """Not even the hash of the recipe, by which a run knows its checkpoints."""
    defaults = "momentum: 0.9, schedule: cosine, dropout: 0, augment: {flip: false}"
    written, unsaid = (parse_text(NETWORK + recipe(more), "tiny.yaml") for more in (defaults, ""))
    assert archspec.render_training(written) == archspec.render_training(unsaid)


def test_a_script_has_the_options_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays a script of the same recipe, by the hash of its checkpoints."""
    (tmp_path / "tiny.yaml").write_text(COLOUR + recipe(data="folder"), "utf-8")
    build, hashes = ["build", str(tmp_path / "tiny.yaml"), "-o", "-"], set()
    for count in range(len(ON_REQUEST) + 1):
        asked = ["--with", ",".join(ON_REQUEST[:count])] if count else []
        assert main([*build, *asked]) == 0
        printed = capsys.readouterr().out
        there = [name for name in ON_REQUEST if f'add("--{name}"' in printed]
        assert there == [*ON_REQUEST[:count]]
        hashes |= set(re.findall('^SPEC = "(.*)"', printed, re.MULTILINE))
    assert len(hashes) == 1
    with pytest.raises(SystemExit, match="2"):
        main([*build, "--with", "weihgts"])
    assert "expected one of weights, cache, tensorboard, found `weihgts`" in capsys.readouterr().err
    with pytest.raises(ValueError, match="found 'weihgts'"):
        archspec.render_training(tmp_path / "tiny.yaml", options=["weihgts"])


# Names --------------------------------------------------------------------------------


def test_no_class_of_a_network_hides_a_name_of_the_script(trees: dict[str, ast.Module]) -> None:
    """Those of all parts, and of what they and the scripts import."""
    template = ast.parse((ROOT / "templates" / "training.py").read_text("utf-8"))
    all_trees = [template, *trees.values()]
    names = {name for tree in all_trees for node in ast.walk(tree) for name in bound(node)}
    networks = {"Tiny", "BasicBlock"}
    wanted = {name for name in names if name[0].isupper()}
    assert wanted - OF_MODELS - networks == OF_SCRIPTS


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a class, an import, or an assignment binds."""
    if isinstance(node, ast.ClassDef):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


@pytest.mark.parametrize("name", ["path", "lamb", "iterator"])
def test_a_network_called_like_a_name_of_the_script(name: str) -> None:
    text = NETWORK.replace("name: tiny", f"name: {name}") + recipe("optimizer: lamb")
    source = archspec.render_training(parse_text(text, f"{name}.yaml"))
    assert f"from {name} import {name.capitalize()}Net\n" in source

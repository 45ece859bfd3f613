"""Checkpoints by content: whatever a file is called, it is loaded, or named for what it is."""

from __future__ import annotations

import argparse
import gzip
import io
import os
import pathlib
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import archspec
from archspec.checkpoints import kind_of, without_prefixes
from archspec.cli import main
from archspec.infer import identifier, infer_file
from support import write_spec
from support.modules import assert_same_tensors

State = dict[str, Tensor]


@pytest.fixture
def module(tmp_path: Path) -> nn.Module:
    text = (
        "input: [2, 4, 4]\nstem: {conv: {conv: 3}, bn: norm, flatten: flatten, fc: {linear: 2}}\n"
    )
    module = archspec.build_module(write_spec(tmp_path, text, "small"))
    for number, tensor in enumerate(module.state_dict().values()):
        tensor.fill_(number + 1)
    return module


def below(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def averaged(state: State) -> State:
    return {"n_averaged": torch.tensor(3), **below("module.", state)}


class Settings(dict[str, Any]):
    """A class of somebody's program."""


class Config:
    """Another, with values of its own."""

    def __init__(self) -> None:
        self.lr = 0.1


# What is loaded ----------------------------------------------------------------------------

WRAPPED: dict[str, Callable[[State], Any]] = {
    "model_best.pth.tar": lambda s: {"state_dict": s, "epoch": 1},
    "epoch=1.ckpt": lambda s: {"state_dict": below("model.", s)},
    "lightning.pth": lambda s: {"state_dict": below("net.", s)},
    "reference.pth": lambda s: {"model": s, "args": argparse.Namespace(lr=1)},
    "ema.pth": lambda s: {"model_ema": below("module.", s)},
    "timm_ema.pth": lambda s: {"state_dict_ema": s},
    "W.PTH": lambda s: {"state_dict": s},
    "no_suffix": lambda s: s,
    "called.safetensors": lambda s: s,
    "weights.bin": lambda s: below("base.encoder.net.", s),
    "path.pth": lambda s: {"model": s, "out": pathlib.PurePosixPath("runs")},
    "number.pth": lambda s: {"model": s, "best": np.float64(0.5)},
    "array.pth": lambda s: {"model": s, "curve": np.arange(3)},
    "config.pth": lambda s: {"model": s, "config": Config(), "type": Config},
    "generator.pth": lambda s: {"generator": s, "epoch": 3, "optimizer": {"lr": 0.1}},
    "optimizer.pth": lambda s: {"net": s, "opt": {"state": {0: {"m": s["fc.bias"]}}}},
    "averaged.pth": averaged,
    "averaged_ema.pth": lambda s: {"ema": averaged(s)},
    "nested.pth": lambda s: {"model": {"state_dict": below("_orig_mod.module.", s)}},
}


@pytest.mark.parametrize("name", WRAPPED)
def test_weights_are_found_whatever_the_file_is_called(
    name: str, module: nn.Module, tmp_path: Path
) -> None:
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.save(WRAPPED[name](state), tmp_path / name)
    fresh = archspec.build_module(tmp_path / "small.yaml")
    archspec.load_weights(fresh, tmp_path / name)
    assert_same_tensors(fresh.state_dict(), state)


def test_safetensors_by_another_name(module: nn.Module, tmp_path: Path) -> None:
    save_file(below("model.", module.state_dict()), tmp_path / "model.ckpt")
    fresh = archspec.build_module(tmp_path / "small.yaml")
    archspec.load_weights(fresh, tmp_path / "model.ckpt")
    assert_same_tensors(fresh.state_dict(), module.state_dict())
    assert kind_of(tmp_path / "model.ckpt") == "safetensors"


def test_a_prefix_of_the_network_itself_is_kept() -> None:
    names = [
        sorted(found) for found in without_prefixes({"body.conv.weight": 1, "body.fc.bias": 2})
    ]
    assert names == [["body.conv.weight", "body.fc.bias"], ["conv.weight", "fc.bias"]]
    assert len(list(without_prefixes({"a.weight": 1}))) == 2
    assert list(without_prefixes({})) == [{}]


def test_a_class_that_is_not_run_has_no_effect(tmp_path: Path, module: nn.Module) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "pwned"), "w"))

    known = set(torch.serialization.get_safe_globals())
    torch.save({"model": module.state_dict(), "extra": Evil()}, tmp_path / "w.pth")
    archspec.load_weights(module, tmp_path / "w.pth")
    assert not (tmp_path / "pwned").exists()
    assert set(torch.serialization.get_safe_globals()) == known


# What is named -----------------------------------------------------------------------------


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pth"))
    return file.getvalue()


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "1")
    return file.getvalue()


def scripted() -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), file)
    return file.getvalue()


OTHER: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    "page": (b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
    "page_without_doctype": (b"\xef\xbb\xbf\n <HTML lang=en>", "an HTML page"),
    "denied": (b'<?xml version="1.0"?><Error>AccessDenied</Error>', "an XML page"),
    "index": (b'{"metadata": {}, "weight_map": {}}', "a JSON file"),
    "scripted": (scripted, "a TorchScript archive.*torch.jit.load"),
    "exported": (zipped("m/archive_format", "m/data/weights/w"), "a program of torch.export"),
    "arrays": (zipped("a.npy"), "a NumPy archive"),
    "photos": (zipped("a.png"), "a ZIP archive without weights"),
    "half": (zipped("a/data.pkl")[:40], "damaged or truncated"),
    "array": (b"\x93NUMPY\x01\x00", "a NumPy array"),
    "keras": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "gz": (lambda: gzip.compress(b"weights"), "compressed: unpack it"),
    "tar": (tar, "a tar archive: unpack it"),
    "onnx": (b"\x08\x08\x12\x07pytorch\x1a\x051.0", "an ONNX model"),
    "gguf": (b"GGUF\x03", "a GGUF file"),
    "text": (
        b"hello",
        "it is damaged or truncated, or was never a .safetensors, .pt, or .pth file",
    ),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("name", OTHER)
def test_what_holds_no_weights_is_named(
    name: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = OTHER[name]
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content())
    if (name, suffix) == ("text", ".safetensors"):
        said = "not a safetensors file, or truncated"
    with pytest.raises(archspec.UnreadableFile, match=said) as caught:
        infer_file(path)
    assert "\n" not in str(caught.value)
    assert main(["infer", str(path)]) == 2
    assert capsys.readouterr().err == f"error: {caught.value}\n"


def test_places_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    for path, said in (
        (tmp_path, "it is a directory"),
        (tmp_path / "pipe.pt", "it is not a regular file"),
    ):
        with pytest.raises(archspec.UnreadableFile, match=said):
            kind_of(path)
    with pytest.raises(archspec.UnreadableFile, match="file not found"):
        kind_of(tmp_path / "gone.pt")
    with pytest.raises(archspec.UnreadableFile, match="cannot be opened"):
        kind_of("a\0b")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (nn.Linear(2, 2), r"their code is not run \(`torch\.nn\.modules.*state_dict"),
        ({"model": nn.Linear(2, 2)}, r"torch\.nn\.modules\.linear\.Linear"),
        (Settings(a=1), r"test_checkpoints\.Settings"),
        ({"actor": {"a": torch.ones(1)}, "critic": {"a": torch.ones(1)}}, "`actor`, `critic`"),
        ({"model": {"lr": 3}}, "`lr` is not a tensor"),
    ],
    ids=["module", "module_inside", "mapping", "several", "settings"],
)  # fmt: skip
def test_what_is_no_state_dict(content: Any, said: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(archspec.UnreadableFile, match=said):
        infer_file(tmp_path / "w.pt")


def test_a_mapping_that_holds_itself_ends(tmp_path: Path) -> None:
    endless: dict[str, Any] = {"a": 1}
    endless["model"] = endless
    torch.save(endless, tmp_path / "w.pt")
    with pytest.raises(archspec.UnreadableFile, match="no weights by name"):
        infer_file(tmp_path / "w.pt")


# Tensors that cannot be copied -------------------------------------------------------------

ODD: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "sparse": (lambda t: t.to_sparse(), "sparse_coo"),
    "rows": (lambda t: t.flatten(1).to_sparse_csr(), "sparse_csr|shape or type mismatch"),
    "meta": (lambda t: t.to("meta"), "without values"),
    "quantized": (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "qint8"),
    "complex": (lambda t: t.to(torch.complex64), "complex64"),
    "integers": (lambda t: t.to(torch.int8), "int8"),
    "bits": (lambda t: t > 0, "bool"),
}


@pytest.mark.parametrize("name", ["conv.weight", "fc.weight"])
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.filterwarnings("ignore")
def test_odd_tensors_are_found_before_anything_is_copied(
    kind: str, name: str, module: nn.Module, tmp_path: Path
) -> None:
    change, said = ODD[kind]
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = {name: tensor + 1 for name, tensor in before.items()}
    torch.save(state | {name: change(state[name])}, tmp_path / "w.pt")
    for adapt in (False, True):
        with pytest.raises(archspec.WeightsError, match=said) as caught:
            archspec.load_weights(module, tmp_path / "w.pt", adapt_input=adapt, adapt_classes=adapt)
        assert list(caught.value.mismatched) == [name]
        assert_same_tensors(module.state_dict(), before)


# Without torch -----------------------------------------------------------------------------


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("archspec.runtime")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(archspec, "runtime", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)


def test_infer_without_torch_says_what_to_install(
    module: nn.Module, tmp_path: Path, without_torch: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "best.pt").write_bytes(b"\x80\x02}q\x00.")
    assert main(["infer", str(tmp_path / "best.pt")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: reading `")
    assert said.endswith("best.pt` requires torch: python -m pip install 'archspec-nn[torch]'\n")
    with pytest.raises(ModuleNotFoundError, match="loading weights requires torch"):
        archspec.load_weights(module, tmp_path / "best.pt")


def test_what_is_named_needs_no_torch(tmp_path: Path, without_torch: None) -> None:
    (tmp_path / "page.pth").write_bytes(b"<html>")
    with pytest.raises(archspec.UnreadableFile, match="HTML"):
        infer_file(tmp_path / "page.pth")


# Names of inferred specs -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["torch", "train", "json", "class", "self", "Numpy", "match"])
def test_a_file_called_like_a_module_of_python(name: str, tmp_path: Path) -> None:
    assert identifier(name) == f"{name}_net"
    shapes = archspec.analyze("cifar_resnet20").state
    save_file({n: torch.empty(shape) for n, shape in shapes.items()}, tmp_path / f"{name}.pt")
    found = infer_file(tmp_path / f"{name}.pt")
    assert found.base == "cifar_resnet20"
    assert f"name: {name}_net" in (found.text or "")


def test_a_long_name_stays_a_name() -> None:
    assert len(identifier("x" * 99)) <= 60

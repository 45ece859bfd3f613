"""What goes wrong around a run: each fault is one error that says what to do, or loses nothing."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch._inductor import config as inductor

import archspec
from archspec.plot import read_log
from archspec.plot.curves import best_text, draw
from resume import NETWORK, finish
from support import peers
from support.forks import Command, Run, pair
from support.scripts import Script, bytes_of, recipe

posix = pytest.mark.skipif(os.name != "posix", reason="locks and signals are those of POSIX")
FLAT = "name: tiny\ninput: [4]\nstem: [{linear: 3}]\n"
SMALL = "name: tiny\ninput: [1, 4, 4]\nstem: [{conv: {channels: 8, kernel: 4}}, norm, flatten]\n"
THREE = NETWORK.replace("[1, 8, 8]", "[3, 8, 8]").replace("linear: 10", "linear: 3")


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """16 steps in one epoch."""
    return Script(tmp_path_factory.mktemp("simple"), NETWORK + recipe())


@pytest.fixture(scope="module")
def of_folders(tmp_path_factory: pytest.TempPathFactory) -> Script:
    peers.torchvision_models()  # declares its ops where they do not load
    text = THREE + recipe(data="folder", batch_size="2")
    return Script(tmp_path_factory.mktemp("folders"), text)


def ended(script: Script, out: Path, *options: str) -> Any:
    """How the whole script ends: its message, or its code."""
    words = [str(script.path), "--out", str(out), *options]
    handlers = mock.patch.object(signal, "signal")  # those of the tests stay
    argv = mock.patch.object(sys, "argv", words)
    with argv, handlers, pytest.raises(SystemExit) as caught:
        script.module.main()
    return caught.value.code


# Options ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        *(
            "--workers=-1",
            "--workers=1.5",
            "--workers=257",
            "--seed=99999999999999999999",
            "--seed=-1",
        ),
        *("--lr=nan", "--lr=inf", "--lr=0", "--save-every=nan", "--log-every=0", "--steps=-1"),
        *(f"--epochs={10**30}", "--batch-size=0", "--accumulate=-2", "--precision=fp8"),
    ],
)
def test_an_option_out_of_range(
    of_folders: Script, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(of_folders, tmp_path / "run", option) == 2
    assert f"{option.partition('=')[0]}" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("device", ["cpu:x", "meta", "cuda:99", "gpu", "cpu,cuda"])
def test_a_device_that_is_not_there(simple: Script, tmp_path: Path, device: str) -> None:
    message = simple.refuses(tmp_path / "run", "--device", device)
    assert message.startswith(f"error: unknown device {device}\nhelp: --device takes cpu")


@pytest.mark.parametrize("device", ["cuda:0", "cuda:1"])
def test_one_device_for_several_processes(
    simple: Script, tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    message = simple.refuses(tmp_path / "run", "--device", device)
    assert message.startswith(f"error: --device {device} is one GPU for 2 processes\nhelp: use")


@pytest.mark.parametrize(
    ("device", "processes", "index"),
    [("cuda:0", "1", 0), ("cuda:1", "1", 1), ("cuda", "1", 3), ("cuda", "4", 3)],
)
def test_a_device_with_an_index_is_taken(
    simple: Script, device: str, processes: str, index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a stand-in for GPUs: what is made on the device is made on the CPU."""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    monkeypatch.setenv("LOCAL_RANK", "3")
    taken: list[Any] = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(torch, "zeros", lambda *_, device: torch.ones(1))
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda _: None)
    assert simple.module.device_of(device) == torch.device("cuda", index)
    assert taken == [torch.device("cuda", index)]


@pytest.mark.parametrize("name", ["file", "file/run", "x" * 300, "dangling"])
def test_a_folder_that_cannot_be_made(simple: Script, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert simple.refuses(tmp_path / name).startswith(f"error: --out {tmp_path / name}: ")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("options", [["--batch-size=1"], ["--batch-size=4", "--accumulate=4"]])
def test_a_batch_norm_that_sees_one_value(tmp_path: Path, options: list[str]) -> None:
    script = Script(tmp_path, SMALL + recipe(batch_size="8", accumulate="1"))
    message = ended(script, tmp_path / "run", *options)
    least = 8 if "--accumulate=4" in options else 2
    assert f"help: use a --batch-size of {least} or more" in message


def test_a_batch_that_cannot_be_split(
    simple: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--batch-size=3", "--accumulate=2")
    assert ended(simple, tmp_path / "run", *options) == 2
    told = "--batch-size must be a multiple of 2, its parts"
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


# Libraries ----------------------------------------------------------------------------

FAILURES: dict[str, Exception] = {
    "missing": ModuleNotFoundError("No module named 'PIL'"),
    "of another torch": RuntimeError("operator torchvision::nms does not exist"),
    "of another CUDA": OSError("libcudart.so.12: cannot open shared object file"),
    "of another NumPy": ImportError("numpy.core.multiarray failed to import\nand a page more"),
    "of another Python": AttributeError("module 'ast' has no attribute 'Num'"),
}


def broken(folder: Path, library: str, failure: str) -> str:
    """Write a library that fails to be imported; what is to be said about it."""
    error = FAILURES[failure]
    (folder / f"{library}.py").write_text(f"raise {error!r}\n")
    again = "" if failure == "missing" else "--force-reinstall "
    return (
        f"error: {library} cannot be imported: {str(error).splitlines()[0]}\n"
        f"help: python -m pip install {again}{library}"
    )


@pytest.mark.parametrize("failure", FAILURES)
def test_torchvision_that_cannot_be_imported(
    of_folders: Script, tmp_path: Path, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = broken(tmp_path, "torchvision", failure)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    assert ended(of_folders, tmp_path / "run") == told


@pytest.mark.parametrize("failure", FAILURES)
def test_torch_that_cannot_be_imported(simple: Script, tmp_path: Path, failure: str) -> None:
    told = broken(tmp_path, "torch", failure)
    assert finish(importing(simple.path, tmp_path), 1) == f"{told}\n"


def importing(script: Path, folder: Path) -> subprocess.Popen[str]:
    """A script in a process that imports torch from a folder."""
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        text=True,
    )


def test_a_script_without_its_network(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    (tmp_path / "tiny.yaml").write_text(NETWORK + recipe())
    script.write_text(archspec.render_training(tmp_path / "tiny.yaml"))
    assert finish(Command(tmp_path, str(script)), 1) == (
        "error: the network cannot be imported: No module named 'tiny'\n"
        "help: keep its file next to this one\n"
    )


@posix
def test_compile_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(tmp_path, FLAT + recipe())
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "caches"))
    options = ("--device", "cpu", "--compile", "--steps", "1")
    with inductor.patch({"cpp.cxx": (None, "/nowhere")}):
        message = ended(script, tmp_path / "run", *options)
    torch.compiler.reset()
    assert message.startswith(
        "error: torch.compile failed: InvalidCxxCompiler: No working C++ compiler"
    )
    assert message.endswith("\nhelp: use --no-compile, or install the compiler that it needs")


# Memory -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["CUDA out of memory. Tried to allocate 2 GiB.", "DefaultCPUAllocator: can't allocate memory"],
)
@pytest.mark.parametrize(
    ("batch", "accumulate", "world", "told"),
    [
        (256, 1, 1, "--accumulate 2 processes 128 at a time"),
        (256, 4, 2, "--accumulate 8 processes 16 at a time"),
        (9, 1, 1, "--accumulate 3 processes 3 at a time"),
        (14, 2, 1, "--accumulate 14 processes 1 at a time"),
        (4, 2, 2, "use --precision bf16, smaller images, or a smaller network"),
        (1, 1, 1, "use --precision bf16, smaller images, or a smaller network"),
    ],
)
def test_advice_on_memory_can_be_followed(
    simple: Script,
    text: str,
    batch: int,
    accumulate: int,
    world: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simple.module, "WORLD", world)
    args = argparse.Namespace(batch_size=batch, accumulate=accumulate)
    with pytest.raises(SystemExit) as caught:
        simple.module.explain(RuntimeError(text), args)
    message = str(caught.value.code)
    assert f"\nhelp: {told}" in message
    if "--accumulate" in message:
        more = int(message.split("--accumulate ")[1].split()[0])
        assert batch % (world * more) == 0, "or the script refuses it"


# Tensors ------------------------------------------------------------------------------


def floats(*shape: int) -> Tensor:
    return torch.linspace(0, 1, torch.Size(shape).numel()).reshape(shape)


X, LABELS, VALUES = floats(6, 4), torch.arange(6) % 3, floats(6, 3)
TENSORS = {
    "fewer inputs": ("cross_entropy", X[:5], LABELS, "train targets are (6,), torch.int64"),
    "fewer targets": ("cross_entropy", X, LABELS[:5], "train targets are (5,), torch.int64"),
    "int32": ("cross_entropy", X, LABELS.int(), "train targets are (6,), torch.int32"),
    "labels as floats": ("bce", X, LABELS.float(), "train targets are (6,), torch.float32"),
    "from one": ("cross_entropy", X, LABELS + 1, "train targets are from 1 to 3"),
    "negative": ("bce", X, LABELS - 1, "train targets are from -1 to 1"),
    "bytes": ("cross_entropy", X.byte(), LABELS, "train inputs are (6, 4), torch.uint8"),
    "double": ("cross_entropy", X.double(), LABELS, "train inputs are (6, 4), torch.float64"),
    "empty": ("cross_entropy", X[:0], LABELS[:0], ", with at least one sample"),
    "integers": ("huber", X, VALUES.long(), "train targets are (6, 3), torch.int64"),
    "half": ("mse", X.half(), VALUES, "train inputs are (6, 4), torch.float16"),
    "complex": ("mse", X, VALUES + 0j, "train targets are (6, 3), torch.complex64"),
    "not finite": ("mse", X / 0, VALUES, "train inputs are from nan to nan"),
    "infinite": ("huber", X, VALUES + torch.inf, "train targets are from inf to inf"),
    "no shares": ("multi_label", X, VALUES * 2, "train targets are from 0 to 2"),
    "a number": ("mse", X, torch.tensor(1.0), "train targets are (), torch.float32"),
    "sparse": ("mse", X, (VALUES / 0).to_sparse(), "train targets are from nan to nan"),
    "a list": ("mse", X, [1.0, 2.0], "save it with torch.save("),
}


@pytest.fixture(scope="module")
def of_loss(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ModuleType]:
    """The script of a loss."""

    @cache
    def made(loss: str) -> ModuleType:
        text = FLAT + recipe(f"loss: {loss}", data="tensors")
        return Script(tmp_path_factory.mktemp(loss), text).module

    return made


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", TENSORS)
def test_tensors_that_the_loss_does_not_take(
    name: str, part: str, of_loss: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    loss, inputs, targets, told = TENSORS[name]
    module = of_loss(loss)
    right = (X, LABELS if loss in ("cross_entropy", "bce") else VALUES)
    torch.save({"train": right, "test": right, part: (inputs, targets)}, tmp_path / "data.pt")
    with pytest.raises(SystemExit) as caught:
        module.read_tensors(argparse.Namespace(data=str(tmp_path / "data.pt")))
    assert told.replace("train", part) in str(caught.value)
    assert str(tmp_path / "data.pt") in str(caught.value)


def test_a_process_without_test_samples_evaluates_nothing(tmp_path: Path) -> None:
    script = Script(tmp_path, FLAT + recipe(data="tensors", batch_size="2"))
    torch.save({"train": (X, LABELS), "test": (X[:1], LABELS[:1])}, tmp_path / "data.pt")
    for process in pair(script.path, tmp_path / "run", "--data", str(tmp_path / "data.pt")):
        finish(process)
    assert (tmp_path / "run" / "best.pt").exists()


# Images -------------------------------------------------------------------------------


def images(root: Path, train: str = "a b c", val: str = "a b c", count: int = 2) -> Path:
    for part, names in (("train", train), ("val", val)):
        for name in names.split():
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                image = Image.fromarray(bytes_of(9, 9, 3, seed=number).numpy())
                image.save(root / part / name / f"{number}.png")
    return root


@pytest.mark.parametrize("val", ["a b d", "A b c", "a b", "a b c d", "b c d"])
def test_classes_of_train_and_val_that_differ(of_folders: Script, tmp_path: Path, val: str) -> None:
    data = images(tmp_path / "data", val=val)
    message = of_folders.refuses(tmp_path / "run", "--data", str(data))
    differ = sorted({*"abc"} ^ {*val.replace(" ", "")})
    assert f"{data / 'val'} and train have different classes: {differ}\n" in message


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def floating(path: Path) -> None:
    Image.fromarray(floats(9, 9).numpy()).save(path, "TIFF")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "text": lambda path: path.write_text("not an image"),
    "empty": lambda path: path.write_bytes(b""),
    "floats": floating,
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize(("damage", "workers"), [*((name, "0") for name in DAMAGES), ("cut", "1")])
def test_an_image_that_cannot_be_read_is_named(
    of_folders: Script, tmp_path: Path, damage: str, workers: str
) -> None:
    data = images(tmp_path / "data")
    path = data / "train" / "b" / "1.png"
    DAMAGES[damage](path)
    message = of_folders.refuses(tmp_path / "run", "--data", str(data), "--workers", workers)
    assert message.startswith(f"error: could not read {path}: ")
    assert message.count("\n") == 1


def test_what_is_hidden_is_neither_class_nor_image(of_folders: Script, tmp_path: Path) -> None:
    data = images(tmp_path / "data")
    for hidden in (".ipynb_checkpoints", "a/.cache"):
        (data / "train" / hidden).mkdir()
        (data / "train" / hidden / "0.png").write_text("")
    (data / "train" / "a" / "._0.png").write_text("")
    (data / "train" / "a" / "notes.txt").write_text("")
    found = of_folders.module.Folder(data / "train", None)
    assert found.classes == ["a", "b", "c"]
    assert [Path(path).name for path, _ in found.images] == ["0.png", "1.png"] * 3


@pytest.mark.parametrize(
    ("train", "told"), [("", "train: 0, outputs in the spec: 3"), ("a b c", "no images in")]
)
def test_folders_without_images(of_folders: Script, tmp_path: Path, train: str, told: str) -> None:
    (tmp_path / "data" / "train").mkdir(parents=True)
    images(tmp_path / "data", train=train, count=0)
    assert told in of_folders.refuses(tmp_path / "run", "--data", str(tmp_path / "data"))


@pytest.mark.parametrize(("ending", "mode"), [("png", "I;16"), ("tif", "I;16"), ("tif", "I;16B")])
def test_sixteen_bits_are_scaled_to_eight(
    of_folders: Script, tmp_path: Path, ending: str, mode: str
) -> None:
    values = torch.tensor([0, 257 * 100, 65535]).numpy().astype(">u2" if "B" in mode else "<u2")
    path = tmp_path / f"deep.{ending}"
    Image.frombytes(mode, (3, 1), values.tobytes()).save(path)
    read = of_folders.module.read_image(str(path))
    assert [read.getpixel((x, 0)) for x in range(3)] == [(0,) * 3, (100,) * 3, (255,) * 3]


@pytest.mark.parametrize(("orientation", "first"), [(1, 0), (3, 1), (2, 1), (8, 1), (6, 0)])
def test_images_are_upright(
    of_folders: Script, tmp_path: Path, orientation: int, first: int
) -> None:
    image = Image.new("L", (2, 1))
    image.putpixel((1, 0), 200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    read = of_folders.module.read_image(str(tmp_path / "turned.png"))
    assert read.size == ((1, 2) if orientation > 4 else (2, 1))
    assert read.getpixel((0, 0)) == (200 * first,) * 3


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space (28)"),
        RuntimeError(
            "Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback (most recent"
            "\nRuntimeError: unable to allocate shared memory(shm) for file </torch_1>\n"
        ),
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error."),
        RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly"),
        OSError(11, "Resource temporarily unavailable"),
    ],
)
def test_workers_that_cannot_work(
    of_folders: Script, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loader(*_: Any, **__: Any) -> Any:
        raise error
        yield

    monkeypatch.setattr(of_folders.module, "DataLoader", loader)
    args = argparse.Namespace(workers=2)
    with pytest.raises(SystemExit, match=r"use --workers 0, .*--shm-size") as caught:
        next(iter(of_folders.module.batches([], [], "cpu", args)))
    assert str(error).rpartition("RuntimeError: ")[2].strip() in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_other_errors_of_workers_are_not_explained_away(
    of_folders: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "Caught RuntimeError in DataLoader worker process 0.\nRuntimeError: a bug"
    loader = mock.Mock(return_value=mock.MagicMock())
    loader.return_value.__iter__.side_effect = RuntimeError(told)
    monkeypatch.setattr(of_folders.module, "DataLoader", loader)
    with pytest.raises(RuntimeError, match="a bug"):
        next(iter(of_folders.module.batches([], [], "cpu", argparse.Namespace(workers=2))))


# Runs that meet, and their ends -------------------------------------------------------


@posix
def test_two_runs_in_one_folder(simple: Script, tmp_path: Path) -> None:
    out, long = tmp_path / "run", ("--steps", "100000", "--log-every", "1", "--save-every", "0")
    first = Run(simple.path, out, *long)
    while not (out / "last.pt").exists():
        assert first.poll() is None
        time.sleep(0.01)
    for options in ((), ("--resume",), ("--resume", "auto"), ("--seed", "2")):
        message = simple.refuses(out, *options)
        told = f"error: another process is training in {out}, on {platform.node()}\n"
        assert message.startswith(told)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    simple.module.signals.append((15, 0.0))
    try:
        with pytest.raises(SystemExit, match="143"):
            simple(out, *long, "--resume")
    finally:
        simple.module.signals.clear()


@posix
def test_the_lock_of_another_machine_is_waited_for(
    simple: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine may be gone, and the file server about to notice."""
    slept = list[float]()
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(simple.module, "LEASE", 1e9)
    (tmp_path / "lock").write_text("elsewhere")
    answers = iter([None, None])
    locked = simple.module.locked
    monkeypatch.setattr(simple.module, "locked", lambda path: next(answers, locked(path)))
    with simple.module.claimed(tmp_path):
        assert slept == [1, 1]
        assert (tmp_path / "lock").read_text() == platform.node()
    (tmp_path / "lock").write_text("elsewhere")
    monkeypatch.setattr(simple.module, "LEASE", -1)
    monkeypatch.setattr(simple.module, "locked", lambda path: None)
    assert f"training in {tmp_path}, on elsewhere\n" in simple.refuses(tmp_path)


@posix
def test_a_start_that_fails_holds_no_lock(of_folders: Script, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert "is not a directory" in of_folders.refuses(out, "--data", str(tmp_path / "nowhere"))
    assert [path.name for path in out.iterdir()] == ["lock"]
    code = f"import fcntl; fcntl.lockf(open({str(out / 'lock')!r}, 'a'), 6)"  # or fails
    subprocess.run([sys.executable, "-c", code], check=True)


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_torch_is_imported(
    simple: Script, tmp_path: Path, number: signal.Signals
) -> None:
    """A shell sees 130 and 143. No handler of Python's: it would wait for a call of C++ to end."""
    (tmp_path / "torch.py").write_text(
        "import time\nprint('on its way', flush=True)\ntime.sleep(9)"
    )
    process = importing(simple.path, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "on its way\n"
    process.send_signal(number)
    assert finish(process, -number) == ""


@pytest.mark.parametrize("resume", ["{out}/last.pt", "last.pt"])
def test_a_run_is_resumed_by_the_path_of_its_checkpoint(
    simple: Script, tmp_path: Path, resume: str
) -> None:
    out = tmp_path / "run"
    simple(out, "--steps", "1")
    assert "best val accuracy" in simple(out, "--steps", "1", "--resume", resume.format(out=out))
    assert "--resume takes a file in --out" in simple.refuses(out, "--resume", "last")


@pytest.mark.parametrize(
    "held",
    [
        *({"settings": 5}, {"settings": {}}, {"settings": {}, "run": 3}, [1, 2], 7),
        *({"settings": None, "run": {}}, {"settings": {}, "run": {"epoch": 1}}),
    ],
)
def test_a_checkpoint_that_holds_something_else(simple: Script, tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "last.pt")
    assert f"{tmp_path / 'last.pt'} is damaged: " in simple.refuses(tmp_path, "--resume")


# What is told -------------------------------------------------------------------------


def test_steps_go_on_while_a_checkpoint_is_written(
    simple: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that takes its time is waited for at the end, and by the next checkpoint."""
    reached, write = threading.Event(), simple.module.write
    waited = list[bool]()

    def slow(content: Any, *paths: Path) -> None:
        if paths[0].name == "best.pt" and not waited:
            waited.append(reached.wait(60))
        write(content, *paths)

    def show(text: str, end: str = "\n") -> None:
        if text.startswith("step 7 "):  # the first evaluation is after step 4
            reached.set()

    monkeypatch.setattr(simple.module, "write", slow)
    monkeypatch.setattr(simple.module, "show", show)
    simple(tmp_path / "run", "--steps", "32", "--log-every", "1")
    assert waited == [True]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("best.pt", "last.pt", "lock", "log.csv")
    }


def test_compiling_is_asked_for(simple: Script, tmp_path: Path) -> None:
    """On a CPU it is off unless it is said; the network itself is compiled, for all its uses."""
    with mock.patch.object(nn.Module, "compile") as compiled:
        simple(tmp_path / "run", "--steps", "1", "--compile")
        compiled.assert_called_once_with()
        told = "compile = True, now False: bits may differ"
        assert told in simple(tmp_path / "run", "--steps", "1", "--resume")
        compiled.assert_called_once_with()


@posix
@pytest.mark.parametrize("kind", ["full", "closed", "none", "ascii", "latin"])
def test_a_line_that_cannot_be_printed_ends_nothing(
    simple: Script, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    streams: dict[str, Callable[[], Any]] = {
        "full": lambda: open("/dev/full", "w"),  # noqa: SIM115
        "closed": lambda: os.fdopen(os.dup(writer), "w"),
        "none": lambda: None,
        "ascii": lambda: (tmp_path / "out").open("w", encoding="ascii"),
        "latin": lambda: (tmp_path / "out").open("w", encoding="latin-1"),
    }
    out = streams[kind]()
    os.close(writer)
    monkeypatch.setattr(sys, "stdout", out)
    for text in ("猫 \udcff", "more"):
        simple.module.show(text)
    if out is not None:
        out.close()
    if kind in ("ascii", "latin"):
        assert (tmp_path / "out").read_text() == "\\u732b \\udcff\nmore\n"


@pytest.mark.parametrize("loss", [torch.nan, torch.inf])
def test_an_evaluation_that_is_not_finite_is_never_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: float
) -> None:
    script = Script(tmp_path, NETWORK + recipe(epochs="2", batch_size="4096"))
    table = torch.eye(10).long()
    results = iter([(loss, 0.99, table), (2.0, 0.3, table), (2.5, 0.2, table)])
    monkeypatch.setattr(script.module, "evaluate_classes", lambda *_: next(results))
    printed = script(tmp_path / "run")
    assert "warning: at step 1 the val loss is not finite" in printed
    assert "best val accuracy 30.00%: step 2, in best.pt\n" in printed
    assert "test accuracy 20.00%: best.pt, read once\n" in printed
    assert (tmp_path / "run" / "log.csv").read_text().splitlines()[1].split(",")[4:6] == ["nan"] * 2
    log = read_log(tmp_path / "run")
    assert best_text(log) == "30.0 % at epoch 2, test 20.0 %"
    draw({"run": log}, "svg")
    monkeypatch.setattr(script.module, "evaluate_classes", lambda *_: (loss, 1, torch.eye(10)))
    assert "best" not in script(tmp_path / "bad", "--steps", "1")
    assert not (tmp_path / "bad" / "best.pt").exists()


def test_a_run_shows_signs_of_life(simple: Script, tmp_path: Path) -> None:
    printed = simple(tmp_path / "run").splitlines()
    assert printed[0].startswith("tiny: 1 x cpu, ")
    assert ", steps 16, batch 256, train 4,096, val 1,024, test 1,024, " in printed[0]
    assert printed[1].startswith("step 1 of 16  loss ")
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["2", "4", "6", "8", "10", "12", "14", "16"]
    log = read_log(tmp_path / "run")
    assert len(log.curve("train_loss")[0]) == 8
    assert log.curve("val_loss")[0] == [0.25, 0.5, 0.75, 1.0], "on no more than it trains on"


def test_a_run_is_drawn_before_its_first_evaluation(simple: Script, tmp_path: Path) -> None:
    simple.module.log(tmp_path, [{"step": 4, "epoch": 0.25, "lr": 0.1, "train_loss": 2.3}])
    log = read_log(tmp_path)
    assert best_text(log) == "no evaluations yet"
    draw({"run": log}, "svg")
    draw({"one": log, "other": log}, "svg")


def test_a_run_that_is_stopped_says_where(
    simple: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[str]()
    monkeypatch.setattr(simple.module, "signals", [(15, 0.0)])
    monkeypatch.setattr(simple.module, "show", lambda text, end="\n": told.append(text))
    with pytest.raises(SystemExit, match="143"):
        simple(tmp_path)
    assert told[-1] == f"stopped at step 1, saved in {tmp_path}; --resume auto"

"""How a command begins and ends: signals at any moment, outputs that cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archspec import extras
from archspec.cli import main
from archspec.resources import SPECS

#: Kills the process with a signal while a module is imported, and goes on if it lives.
STRUCK = """
import os, signal, sys
number, struck = int(sys.argv[1]), sys.argv[2]

class Strike:
    def find_spec(self, name, *_):
        if name == struck:
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Strike())
from archspec.__main__ import command
sys.argv[1:] = sys.argv[3:]
command()
"""


@pytest.mark.parametrize(
    ("module", "words", "signal"),
    [
        ("archspec.cli", ["lint"], 2),
        ("archspec.cli.show", ["show", "resnet18"], 15),
        ("pydantic", ["show", "resnet18"], 2),
        ("pydantic", ["show", "resnet18"], 15),
        ("archspec.runtime", ["infer", "w.pt"], 2),
    ],
)
def test_a_signal_while_modules_are_imported(
    module: str, words: list[str], signal: int, tmp_path: Path
) -> None:
    (tmp_path / "w.pt").write_bytes(b"\x80\x02}q\x00.")
    struck = subprocess.run(
        [sys.executable, "-c", STRUCK, str(signal), module, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (struck.returncode, struck.stdout, struck.stderr) == (128 + signal, "", "")


@pytest.mark.parametrize("words", ["lint --no-cache", "show", "diff resnet34"])
def test_what_only_reads_specs_loads_no_plugins_of_pydantic(words: str, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin-1.dist-info" / "entry_points.txt"
    plugin.parent.mkdir()
    plugin.write_text("[pydantic]\nplugin = missing:plugin\n", "utf-8")
    code = "import sys; from archspec.__main__ import command; sys.path.append('.'); command()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split(), str(SPECS / "resnet18.yaml")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    command = f"trap '' INT TERM; exec {sys.executable} -c \"$1\" 2 pydantic show resnet18"
    lived = subprocess.run(["sh", "-c", command, "sh", STRUCK], cwd=tmp_path, capture_output=True)
    assert (lived.returncode, lived.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "redirected", "code", "said"),
    [
        ("--help", ">/dev/full", 2, "No space left on device"),
        ("show --help", ">/dev/full", 2, "No space left on device"),
        ("--version", ">&-", 0, ""),
        ("list", ">/dev/full", 2, "No space left on device"),
        ("show missing", "2>/dev/full", 2, ""),
        ("show broken.yaml", "2>/dev/full", 1, ""),
        ("show broken.yaml", "2>&-", 1, ""),
        ("lint broken.yaml", ">/dev/full", 2, "No space left on device"),
        ("shew", "2>/dev/full", 2, ""),
        ("show resnet18", "| head -0", 0, ""),
        ("--help", "| head -0", 0, ""),
    ],
)
def test_outputs_that_cannot_be_written(
    words: str, redirected: str, code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("input: 1\n")
    command = f"set -o pipefail; {sys.executable} -m archspec {words} {redirected}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("library", extras.EXTRAS)
@pytest.mark.parametrize("module", ["show", "lint", "infer", "plot"])
def test_one_guard_for_all_libraries_and_commands(
    library: str, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("archspec.cli.parser", fails)
    error: ImportError = ModuleNotFoundError(f"No module named '{library}'", name=library)
    assert main([module]) == 2
    wanted = f"error: `archspec {module}` requires {library}: {extras.install(library)}\n"
    assert capsys.readouterr().err == wanted
    error = ImportError("libfoo.so: cannot open\nand more", name=f"{library}._C")
    assert main([module]) == 2
    said = capsys.readouterr().err
    assert said.endswith("is installed but cannot be imported (libfoo.so: cannot open)\n")
    error = ModuleNotFoundError("No module named 'other'", name="other")
    assert main([module]) == 2
    assert "this is a bug" in capsys.readouterr().err


@pytest.mark.parametrize("library", extras.EXTRAS)
@pytest.mark.parametrize(
    "error",
    [
        OSError("libcudart.so.12: cannot open"),
        RuntimeError("operator does not exist"),
        ImportError("failed to import\nand more"),
        AttributeError("no attribute"),
        ModuleNotFoundError("No module named 'numpy'", name="numpy"),
        SystemError(),
    ],
)
def test_a_library_that_is_there_may_fail_in_any_way(library: str, error: Exception) -> None:
    reason = str(error).partition("\n")[0] or "SystemError"
    told = f"drawing requires {library}, which is installed but cannot be imported ({reason})"
    with pytest.raises(ModuleNotFoundError) as caught, extras.needed_for("drawing", library):
        raise error
    assert str(caught.value) == told
    assert extras.advice(caught.value, "a command") == told

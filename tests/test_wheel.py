"""What people install: the wheel works away from this repository, and without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import archspec
from support import ROOT, SHIPPED

#: Commands in one process without torch, each as words with blanks between them.
COMMANDS = """\
import sys
sys.modules["torch"] = None
from archspec.cli import main
for words in sys.argv[1:]:
    assert main(words.split()) == 0, words
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run Python in a folder; on failure the test shows what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def archspecs(installed: Path, folder: Path, *commands: str) -> str:
    """What commands of the installed package print in a folder."""
    return run("-c", COMMANDS, *commands, cwd=folder, PYTHONPATH=str(installed))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel, and nothing else, is installed."""
    target = tmp_path_factory.mktemp("target") / "installed"
    options = ("--quiet", "--no-deps", "--no-index", "--target", target)
    run("-m", "pip", "install", *options, wheel, cwd=target.parent)
    return target


def test_the_wheel_holds_specs_templates_and_types(wheel: Path) -> None:
    assert wheel.name.startswith(f"archspec_nn-{archspec.__version__}-")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("specs", "templates"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        kept = [path for path in files if "__pycache__" not in path.parts]
        assert {f"archspec/{path.relative_to(ROOT)}" for path in kept} <= names
    assert "archspec/py.typed" in names
    assert not any(name.startswith(("tests/", "specs/", "templates/")) for name in names)


def test_a_shipped_spec_builds_from_it(installed: Path, tmp_path: Path) -> None:
    spec = os.path.relpath(installed / "archspec" / "specs" / "resnet18.yaml", tmp_path)
    listed = archspecs(installed, tmp_path, "list", f"build {spec} -o out")
    assert all(name in listed for name in SHIPPED)
    built = (tmp_path / "out" / "resnet18.py").read_text("utf-8")
    assert built == (ROOT / "generated" / "resnet18.py").read_text("utf-8")


def test_a_page_is_written_from_it(installed: Path, tmp_path: Path) -> None:
    archspecs(installed, tmp_path, "report resnet18")
    page = (tmp_path / "resnet18.html").read_text("utf-8")
    for name in ("report.css", "report.js"):
        assert (ROOT / "templates" / "report" / name).read_text("utf-8") in page


def test_an_own_spec_extends_a_shipped_one(installed: Path, tmp_path: Path) -> None:
    own = "extends: resnet18\nname: tiny\nargs: {classes: 3}\n"
    (tmp_path / "tiny.yaml").write_text(own, "utf-8")
    archspecs(installed, tmp_path, "build tiny.yaml -o out")
    assert "classes: int = 3" in (tmp_path / "out" / "tiny.py").read_text("utf-8")


def test_a_block_is_explained_from_it(installed: Path, tmp_path: Path) -> None:
    said = archspecs(installed, tmp_path, "explain bottleneck")
    assert said.startswith("bottleneck (built-in block)\n")
    assert "`base_width`" in said
    file = Path(said.splitlines()[-1].removeprefix("File: "))
    assert file == installed / "archspec" / "specs" / "blocks" / "bottleneck.yaml"


def test_a_project_is_set_up_from_it(installed: Path, tmp_path: Path) -> None:
    archspecs(installed, tmp_path, "init", "lint --strict", "build", "build --check")
    assert (tmp_path / "generated" / "my_resnet.py").is_file()
    assert (tmp_path / ".github" / "workflows" / "archspec.yml").is_file()

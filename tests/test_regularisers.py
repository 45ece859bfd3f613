"""A regulariser is one file: with it alone, a copy of the package has all that belongs to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resume import module_of
from support import ROOT

EXAMPLE = ROOT / "tests" / "data" / "orthogonal.py"
RECIPE = "train: {{data: synthetic, epochs: 2, batch_size: 64, lr: 0.05, {}}}\n"
HEAD = "name: tiny\ninput: [1, 8, 8]\n"
NETWORK = HEAD + "stem: [{conv: 4}, norm, act, global_avg_pool, flatten, {linear: 10}]\n"
BARE = HEAD.replace("1, 8, 8", "10") + "stem: [norm]\n"


class House:
    """A copy of the package with one file more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        package = shutil.copytree(ROOT / "archspec", folder / "archspec")
        shutil.copy(EXAMPLE, package / "language" / "train" / "regularisers")
        for beside in ("specs", "templates"):
            (folder / beside).symlink_to(ROOT / beside)

    def run(self, *words: str) -> str:
        """What a command prints."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert not done.stderr, done.stderr
        return done.stdout

    def lint(self, network: str, keys: str) -> str:
        (self.folder / "tiny.yaml").write_text(network + RECIPE.format(keys), "utf-8")
        return self.run("-m", "archspec", "lint", "--no-cache", "--format=full", "tiny.yaml")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


def test_reference_and_schema_have_it(house: House) -> None:
    row = "| `orthogonal` | a number of at least 0 | off | Strength with which rows are kept"
    docs = house.folder / "docs"
    docs.mkdir()
    shutil.copy(ROOT / "docs" / "tutorial.md", docs)
    house.run("-m", "archspec.docs")
    assert row in (docs / "reference.md").read_text("utf-8")
    schema = json.loads((docs / "archspec.schema.json").read_text("utf-8"))
    key = schema["properties"]["train"]["properties"]["orthogonal"]
    assert key.pop("description").startswith("Strength with which rows")
    assert key == {"type": ["number", "null"], "minimum": 0, "maximum": 1e6}


@pytest.mark.parametrize(
    ("network", "keys", "words"),
    [
        (NETWORK, "orthogonal: 1.0e-4", ["1 spec is clean"]),
        (NETWORK, "orthogonal: -1", ["expected a number of at least 0, found `-1`"]),
        (NETWORK, "orthogonl: 1", ["unknown key `orthogonl`", "did you mean `orthogonal`?"]),
        (NETWORK, "ortho: 1", ["unknown key `ortho`", "use `orthogonal`"]),
        (
            NETWORK,
            "weight_decay: 0.1, orthogonal: 1",
            ["conflicting-keys", "`weight_decay` shrinks them", "conflicts with this"],
        ),
        (BARE, "orthogonal: 1", ["idle-regulariser", "the network has none", "remove it"]),
    ],
)
def test_lint_knows_it(house: House, network: str, keys: str, words: list[str]) -> None:
    printed = house.lint(network, keys)
    assert all(word in printed for word in words), printed


def test_a_script_has_its_lines_and_the_function_that_they_call(
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert house.lint(NETWORK, "orthogonal: 1.0e-4, l1: 1.0e-3").startswith("1 spec")
    house.run("-m", "archspec", "build", "tiny.yaml", "-o", ".", "--force", "--single-file")
    script = (house.folder / "train_tiny.py").read_text("utf-8")
    assert "                loss = loss + 0.0001 * overlap(weights)\n" in script
    assert script.count("def overlap(") == script.count("    weights = [") == 1
    house.run("-m", "ruff", "format", "--isolated", "--check", "train_tiny.py")
    words = ["train_tiny.py", "--out", str(tmp_path), "--steps", "2", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", words)
    module = module_of(house.folder / "train_tiny.py")
    monkeypatch.setattr(module, "keep_memory", lambda: None)
    with ThreadPoolExecutor(1) as thread:
        module.train(module.options(), thread)
    assert "best val accuracy" in capsys.readouterr().out

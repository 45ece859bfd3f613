"""Tools that read source; where one finds something, the test shows what it printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import ROOT


def run(*command: str | Path) -> None:
    """Run a tool of this environment, which must find nothing."""
    words = [sys.executable, "-m", *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr


def assert_clean(*paths: Path, config: str = "") -> None:
    """Ruff would format nothing there, and has nothing to say, also of imports and names."""
    options = ["--isolated", *(["--config", config] if config else [])]
    for command in (["format", "--check", "--diff"], ["check"]):
        run("ruff", *command, *options, *paths)

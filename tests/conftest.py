"""Settings of the whole test run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.linting import Project

#: One thread a process, before torch is imported: workers share the cores, sums keep their order.
os.environ["OMP_NUM_THREADS"] = "1"

#: What is compiled is kept, for the workers of the next run and the commands that tests start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """An empty project, which is also the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path, capsys)

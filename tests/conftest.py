"""Settings of the whole test run."""

from __future__ import annotations

import gc
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


#: Modules and results that are kept are millions of objects, and no garbage. The networks that
#: tests drop are cycles, so a full collection follows every ten million objects.
gc.set_threshold(200_000, 10, 5)


def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """An empty project, which is also the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path, capsys)

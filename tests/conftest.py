"""Settings of the whole test run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from linting import Project


def pytest_configure() -> None:
    """One thread a worker: the workers share the cores, and sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """An empty project, which is also the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path, capsys)

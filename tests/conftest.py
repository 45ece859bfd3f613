"""Settings of the whole test run."""

from __future__ import annotations

import torch


def pytest_configure() -> None:
    """One thread a worker: the workers share the cores, and sums keep their order."""
    torch.set_num_threads(1)

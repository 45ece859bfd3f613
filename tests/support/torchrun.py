"""torchrun with workers that are forked from it, so that none has to import torch.

Otherwise it is `python -m torch.distributed.run`, and has its options.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.subprocess_handler import subprocess_handler


class Worker:
    """What torchrun needs of `subprocess.Popen`, under the same names."""

    def __init__(self, args: Sequence[str], env: Mapping[str, str], **_: Any) -> None:
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_work, args=(args[2:], env))  # after `python -u`
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> None:
        self._process.join(timeout)


def _work(words: Sequence[str], env: Mapping[str, str]) -> None:
    os.setsid()
    os.environ.update(env)
    sys.argv = [*words]
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    subprocess_handler.Popen = Worker  # type: ignore[misc, assignment]
    run.main()

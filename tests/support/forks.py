"""Commands in processes of their own, which need not import torch first.

Each is forked from a process that has imported it and done nothing else, so that it may train.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
#: An optimizer imports the last one, which takes as long as torch itself.
_context.set_forkserver_preload(["torch", "torch.distributed", "torch._dynamo"])


class Command:
    """A Python command that runs: what tests need of `subprocess.Popen`, under the same names.

    `words` follow `python`, and what is printed goes into a file in `folder`.
    """

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        file, name = tempfile.mkstemp(suffix=".txt", dir=folder)
        os.close(file)
        self.printed = Path(name)
        self._process = _context.Process(target=_run, args=(words, name, environment))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    returncode = property(poll)

    def communicate(self, timeout: float) -> tuple[str, str]:
        self._process.join(timeout)
        return self.printed.read_text(), ""


class Run(Command):
    """A script that trains."""

    def __init__(self, script: Path, out: Path, *options: str, **environment: str) -> None:
        super().__init__(script.parent, str(script), "--out", str(out), *options, **environment)


def pair(script: Path, out: Path, *options: str, more: Sequence[str] = ()) -> tuple[Run, Run]:
    """Two processes that train together, as torchrun would start them; the second is told more."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    first, second = (
        Run(script, out, *options, *said, **shared, RANK=rank, LOCAL_RANK=rank)
        for rank, said in (("0", ()), ("1", more))
    )
    return first, second


def _run(words: tuple[str, ...], printed: str, environment: dict[str, str]) -> None:
    file = os.open(printed, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1) for stream in (1, 2))
    os.environ.update(environment)
    os.execv = _become  # type: ignore[assignment]
    _python(*words)


def _become(_: str, words: list[str]) -> None:
    """What replaces this process is Python too, and need not start."""
    _python(*words[1:])
    sys.exit()


def _python(first: str, *others: str) -> None:
    """What `python` does with these words."""
    if first == "-m":
        sys.argv = [*others]
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *others]
        sys.path.insert(0, str(Path(first).parent))
        runpy.run_path(first, run_name="__main__")

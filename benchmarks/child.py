"""What a command takes in a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Used(NamedTuple):
    """CPU seconds and peak megabytes of a command, and its exit code."""

    seconds: float
    megabytes: float
    code: int


def measure(command: list[str], folder: Path, limit: int = 600, **environment: str) -> Used:
    """Runs a command of this checkout in `folder`; it is killed after `limit` CPU seconds.

    What it prints goes to a file: a pipe would need somebody who reads.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    limited = partial(resource.setrlimit, resource.RLIMIT_CPU, (limit, limit))
    with open(folder / "out.txt", "wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=out, stderr=out, preexec_fn=limited
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    return Used(seconds, used.ru_maxrss / 1024, process.returncode)

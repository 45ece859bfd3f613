"""The command `archspec`, and `python -m archspec`."""

import gc
import os
import signal
import sys
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _leave(number: int, _: FrameType | None) -> None:
    """End the process at once; nothing is half done while its modules are imported."""
    os._exit(128 + number)


def command() -> int:
    """The command; a signal ends it with exit code 128 + its number, from the first import on."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under `nohup`
            signal.signal(number, _leave)
    gc.set_threshold(100_000)  # most of a short run is imports, and they create no garbage
    from archspec.cli import command

    return command()


if __name__ == "__main__":
    sys.exit(command())

"""What the tests of training scripts share: a script as a module, run in this process."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest
import torch
from torch import Tensor

from resume import module_of, write_script


def recipe(more: str = "", **changed: str) -> str:
    """A short recipe on made-up data, with more keys, or some of them changed."""
    given = {"data": "synthetic", "epochs": "1", "batch_size": "256", "lr": "0.05"} | changed
    return f"train: {{{', '.join(f'{key}: {value}' for key, value in given.items())}, {more}}}\n"


def bytes_of(count: int, *shape: int, seed: int = 0, below: int = 256) -> Tensor:
    """Random bytes, the same whenever the arguments are."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(below, (count, *shape), generator=generator, dtype=torch.uint8)


class Script:
    """A rendered training script, to be run in this process, as if from the command line."""

    def __init__(self, folder: Path, text: str, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = write_script(folder, text, options)
        self.module = module_of(self.path)
        self.module.keep_memory = lambda: None

    def __call__(self, out: Path, *options: str) -> str:
        """Train; what was printed. A run that ends early raises SystemExit."""
        words = [str(self.path), "--out", str(out), *options]
        printed = io.StringIO()
        handlers = mock.patch.object(signal, "signal")  # those of the tests stay
        argv = mock.patch.object(sys, "argv", words)
        with argv, handlers, contextlib.redirect_stdout(printed):
            args = self.module.options()
            with self.module.claimed(args.out), ThreadPoolExecutor(1) as thread:
                self.module.train(args, thread)
        return printed.getvalue()

    def refuses(self, out: Path, *options: str) -> str:
        """The error of a run that does not start, or stops."""
        with pytest.raises(SystemExit) as caught:
            self(out, *options)
        message = caught.value.code
        assert isinstance(message, str), "an exit code of 1 is a message"
        assert message.startswith("error: ")
        assert "\nhelp: " in message
        return message

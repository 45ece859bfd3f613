"""A small project to lint, and what `archspec lint` says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from archspec.cli import main
from archspec.lint import many
from archspec.lint.check import check_text
from archspec.lint.checked import Checked
from archspec.memo import Memo

HEAD = "name: {name}\ninput: [3, 32, 32]\n"


@contextmanager
def one_memo() -> Iterator[None]:
    """Texts that are linted or fixed in here share results, as files of one run do."""
    shared = Memo()

    def check(text: str | bytes, file: str, *, memo: Memo | None = None) -> Checked:
        return check_text(text, file, memo=shared.trimmed())

    with mock.patch.object(many, "CHECKER", many.CHECKER._replace(text=check)):
        yield


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class Project:
    """A folder that is also the current one."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file as it is."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def spec(self, text: str, name: str = "net") -> Path:
        """Write `specs/NAME.yaml`, with `name` and `input` in its first two lines."""
        return self.write(f"specs/{name}.yaml", HEAD.format(name=name) + text)

    def read(self, name: str = "net") -> str:
        """What stands in a spec below its first two lines."""
        text = (self.folder / f"specs/{name}.yaml").read_bytes().decode()
        return text.removeprefix(HEAD.format(name=name))

    def lint(self, *args: str) -> Said:
        """Run `archspec lint`; unless `args` name a format, it prints a line for each finding."""
        named = any(word.startswith("--format") for word in args)
        return self.run("lint", *args, *([] if named else ["--format=concise"]))

    def run(self, *args: str) -> Said:
        """Run a command in this process."""
        try:
            code = main(args)
        except SystemExit as stop:  # argparse
            code = int(str(stop.code))
        said = self.capture.readouterr()
        return Said(code, said.out, said.err)

"""Runs the fenced blocks of a page of the docs, in order.

How a fragment becomes a whole spec is said at the top of docs/reference.md, and `completed` does
it. Beyond that:

- a block that opens with `# NAME` is written to that file, for the blocks after it; where the
  repository or an earlier command has the file, the block is an excerpt of it (`# ...` stands for
  what is left out), and `# generated/NAME.py` is an excerpt of what the spec NAME renders;
- `yaml error` is an example that is refused, and the block after it is what lint prints;
- other Python is executed, with the names of the blocks before it; `python error` raises, and the
  block after it is the message;
- lines of `sh` are commands of archspec, and the block after them is what one of them prints
  (`...` stands for anything); a block of `text` may have both, as `$ archspec ...` and its output;
- `toml` is a file of settings;
- `ignore: WHY` marks a block that is not run.

Anything else is an error, so that no block is skipped in silence.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

import archspec
from archspec.cli import main
from archspec.docs import FENCE, TITLE
from support import ROOT
from support.forks import Command

BLOCK = "name: example\ninput: [64, 56, 56]\n"
ROUNDING = re.compile(r"\b\d+(?:\.\d+)?e-\d+")  # errors of floats differ between machines


@dataclass(frozen=True)
class Example:
    """One fenced block; `line` is where it opens."""

    page: str
    line: int
    language: str
    info: str
    text: str

    @property
    def file(self) -> str:
        """The file that its first line names."""
        title = TITLE.match(self.text)
        return title[1] if title else ""

    @property
    def body(self) -> str:
        return TITLE.sub("", self.text, count=1)


def examples(page: str) -> list[Example]:
    text = (ROOT / page).read_text("utf-8")
    return [
        Example(
            page,
            text.count("\n", 0, found.start()) + 1,
            found[2],
            found[3].strip(),
            dedent(found[4]) if found[1] else found[4],
        )
        for found in FENCE.finditer(text)
    ]


def completed(text: str) -> str:
    """The whole spec that a fragment stands for."""
    keys = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    if text.startswith("- "):
        stride = "stride: 2" if re.search(r"\bstride\b(?!:)", text) else ""
        use = f"stem: [{{example: {{{stride}}}}}]"
        return f"{BLOCK}{use}\nblocks:\n  example:\n    body:\n{indent(text, ' ' * 6)}"
    if "body" in keys:
        use = "stages: {layer1: {block: example}}"
        return f"{BLOCK}{use}\nblocks:\n  example:\n{indent(text, ' ' * 4)}"
    start = "" if "name" in keys else "name: example\n"
    return start + ("" if keys & {"input", "extends"} else "extends: resnet50\n") + text


class Reader:
    """Goes through a page in `folder`, the working directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {}
        self.printed: list[str] = []
        shutil.copytree(ROOT / "specs", folder / "specs", ignore=shutil.ignore_patterns("zoo"))
        (folder / "generated").symlink_to(ROOT / "generated")

    def all(self, blocks: Iterable[Example]) -> list[str]:
        """What is wrong with them."""
        wrong = []
        for example in blocks:
            try:
                self.read(example)
            except (Exception, SystemExit, pytest.fail.Exception) as error:
                wrong.append(f"{example.page}:{example.line}: {type(error).__name__}: {error}")
        return wrong

    def read(self, example: Example) -> None:
        if example.info.startswith("ignore"):
            assert re.fullmatch(r"ignore: .{5,}", example.info), "say why: `ignore: WHY`"
        elif whole := self.whole(example.file):
            self.excerpt(example, whole)
        elif example.language in ("", "text") and example.text.startswith("$ "):
            command, _, output = example.text.removeprefix("$ ").partition("\n")
            self.printed = [_printed(command)[1]]
            self.output(output)
        else:
            self.kinds[example.language](self, example)

    def cell(self, source: str) -> None:
        """Runs a cell of a notebook as IPython does."""
        first, _, rest = source.partition("\n")
        if first.startswith("%%writefile "):
            Path(first.split()[1]).write_text(f"{rest}\n", "utf-8")
        elif first.startswith("!"):
            self.printed = [_printed(line.removeprefix("!"))[1] for line in source.splitlines()]
        else:
            self.python(Example("a cell", 1, "python", "", source))

    def whole(self, file: str) -> str:
        """The file that exists by that name, as text."""
        if file.startswith("generated/"):
            return archspec.render(Path(file).stem)
        paths = [folder / file for folder in (ROOT, self.folder) if file]
        return next((path.read_text("utf-8") for path in paths if path.exists()), "")

    def excerpt(self, example: Example, whole: str) -> None:
        for part in re.split(r"^ *# \.\.\.\n", example.body, flags=re.MULTILINE):
            assert part.strip("\n") in whole

    def spec(self, example: Example) -> None:
        path = self.folder / (example.file or "example.yaml")
        path.parent.mkdir(exist_ok=True)
        if path.parent.name == "blocks":
            path.write_text(example.text, "utf-8")
            return
        path.write_text(completed(example.text) if not example.file else example.text, "utf-8")
        if example.info != "error":
            archspec.render(path)
            return
        with pytest.raises(archspec.SpecError):
            archspec.render(path)
        code, printed = _printed(f"archspec lint --no-cache --isolated --format=full {path.name}")
        assert code == 1
        self.printed = [printed]

    def python(self, example: Example) -> None:
        code = compile(example.text, example.page, "exec")
        if example.info == "error":
            with pytest.raises((archspec.SpecError, archspec.WeightsError)) as caught:
                exec(code, self.names)
            self.printed = [_from_the_root(str(caught.value))]
            return
        with redirect_stdout(io.StringIO()) as said:
            exec(code, self.names)
        self.printed = [said.getvalue()]

    def commands(self, example: Example) -> None:
        self.printed = []
        for line in example.text.splitlines():
            code, printed = _printed(line)
            assert code == 0, f"{line}\n{printed}"
            self.printed.append(printed)

    def shown(self, example: Example) -> None:
        self.output(example.text)

    def output(self, text: str) -> None:
        parts = ROUNDING.sub("0", text).strip().split("...")
        pattern = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
        printed = [ROUNDING.sub("0", one).strip() for one in self.printed]
        assert any(map(pattern.fullmatch, printed)), "printed:\n" + "\n---\n".join(self.printed)

    def settings(self, example: Example) -> None:
        folder = self.folder / "settings"
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").write_text(example.text, "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            code, printed = _printed("archspec lint --show-settings")
        assert code == 0, printed

    kinds: dict[str, Callable[[Reader, Example], None]] = {
        "yaml": spec,
        "python": python,
        "sh": commands,
        "toml": settings,
        "text": shown,
        "mermaid": shown,
        "": shown,
    }


def _printed(line: str) -> tuple[int, str]:
    """The exit code of a command of archspec, and what it prints."""
    words = shlex.split(line, comments=True)
    assert words[:1] == ["archspec"], f"not run: {line}"
    if words[1] == "train":  # takes the place of its process
        run = Command(Path(), "-m", *words)
        printed, _ = run.communicate(timeout=600)
        run.printed.unlink()
        return run.returncode, printed
    return _verified(*words[1:]) if words[1] == "verify" else _done(*words[1:])


def _done(*words: str) -> tuple[int, str]:
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        code = main(words)
    return code, _from_the_root(said.getvalue())


#: `archspec verify` takes seconds, writes nothing, and is on several pages with the same words.
_verified = cache(_done)


def _from_the_root(text: str) -> str:
    """Shipped files are named as in the repository, wherever the working directory is."""
    return text.replace(f"{os.path.relpath(ROOT)}{os.sep}", "")

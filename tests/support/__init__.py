"""What tests share. Here are paths and specs; what needs torch has a module of its own."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import archspec

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
DATA = TESTS / "data"
SHIPPED = tuple(sorted(path.stem for path in (ROOT / "specs").glob("*.yaml")))
OURS = ("fashion_resnet8", "fashion_resnet8_wide", "fashion_resnet14")  # nobody else has these
PUBLISHED: dict[str, dict[str, Any]] = json.loads((DATA / "published.json").read_text("utf-8"))[
    "networks"
]


def write_spec(folder: Path, text: str, name: str = "net") -> Path:
    """Write a spec given inline, without its `name:`, and return its path."""
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\n{text}", "utf-8")
    return path


@cache
def analyzed(name: str) -> archspec.Analysis:
    """The analysis of a built-in spec, which several files of tests look at."""
    return archspec.analyze(name)


@cache
def rendered(name: str) -> str:
    """The source of a built-in spec, likewise."""
    return archspec.render(name)


def input_of(name: str) -> tuple[int, ...]:
    """The shape that a shipped spec says of its input."""
    return tuple(archspec.load(name).input)


def git(folder: Path, *words: str) -> str:
    """What a command of git prints in a repository; raises if it fails."""
    who = ("-c", "user.name=someone", "-c", "user.email=someone@example.com")
    command = ["git", *who, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout

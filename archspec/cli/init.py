"""`archspec init`: a first spec, its schema for editors, and checks for CI and pre-commit.

Set up a project in the current directory: a spec (unless specs/ has one), its JSON Schema for
completion in editors, a GitHub Actions workflow, and pre-commit hooks. Existing files are never
changed.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from archspec import __version__
from archspec.cli.files import Target, text_of, write
from archspec.cli.lines import say
from archspec.cli.schema import schema_of_project
from archspec.lint.discover import SUFFIXES, discover, is_block
from archspec.resources import TEMPLATES
from archspec.schema import text

FILES = TEMPLATES / "init"  # as in a project
SPECS = "specs"
SCHEMA = "archspec.schema.json"
HOOKS = ".pre-commit-config.yaml"
NEXT = """
Next:
  archspec lint         check the specs
  archspec show SPEC    print the layers, shapes, parameters, and multiply-adds of one
  archspec build        write the PyTorch source to generated/; commit it with the specs
  pre-commit install    check every commit (needs pre-commit)"""


def add_options(_: argparse.ArgumentParser) -> None:
    """`archspec init`: it has none."""


def run(args: argparse.Namespace) -> int:
    """0; raises `SpecError` for a block of the project that has findings."""
    wanted = _wanted()
    kept = [path for path in wanted if _is_there(path)]
    write(Target(path, made, None) for path, made in wanted.items() if path not in kept)
    say(*(f"kept {path.as_posix()}" for path in kept))
    if Path(HOOKS) in kept and Path(HOOKS).is_file() and "archspec" not in text_of(Path(HOOKS)):
        lines = wanted[Path(HOOKS)].partition("repos:\n")[2].splitlines()
        say("", f"{HOOKS} has no archspec hooks. To add them, append to its `repos`:", *lines)
    say(*NEXT.split("\n"))
    return 0


def _wanted() -> dict[Path, str]:
    """All files of a new project, with their text."""
    files = sorted(filter(Path.is_file, FILES.rglob("*")), reverse=True)  # specs first
    made = {path.relative_to(FILES): _filled(path) for path in files}
    if _has_specs():
        made = {path: text for path, text in made.items() if path.parts[0] != SPECS}
    return {**made, Path(SCHEMA): text(schema_of_project())}


def _filled(path: Path) -> str:
    return path.read_text("utf-8").replace("VERSION", __version__)


def _has_specs() -> bool:
    found = discover([SPECS]).files if os.path.lexists(SPECS) else []
    return not all(map(is_block, found))


def _is_there(path: Path) -> bool:
    """Whether the project has this file, possibly with the other YAML suffix."""
    suffixes = SUFFIXES if path.suffix in SUFFIXES else (path.suffix,)
    return any(os.path.lexists(path.with_suffix(suffix)) for suffix in suffixes)

"""The user's own specs: where they are searched for, and how much of them is read.

A directory may contain anything, so only some files are read, a file that cannot be a spec is
skipped, and a spec with findings is only named.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from archspec import resources
from archspec.diagnostics import SpecError, UnreadableFile
from archspec.files import MAX_BYTES, names_in, read_bytes
from archspec.infer.candidates import Candidate
from archspec.language.load import Loader
from archspec.memo import Memo
from archspec.paths import display_path, leaves_project
from archspec.records import Record
from archspec.source.folder import Files
from archspec.source.reader import parse

MOST_FILES = 200
SPECS = "specs"
SUFFIXES = (".yaml", ".yml")


class Own(Record):
    """The user's specs, what was skipped and why, and the file for the inferred spec."""

    specs: tuple[Candidate, ...] = ()
    skipped: tuple[str, ...] = ()
    output: Path | None = None


def folders_around(checkpoint: Path, output: Path | None) -> list[Path]:
    """Next to the written spec, next to the checkpoint, and in `specs/` of both directories."""
    beside = output.parent if output else Path()
    return [beside, checkpoint.parent, checkpoint.parent / SPECS, Path(SPECS)]


def own_specs(folders: Iterable[Path], output: Path | None = None) -> Own:
    """The specs in these directories that a spec in the file `output` may extend.

    A spec that depends on the file `output` is left out, because that file is about to change.
    """
    memo = Memo()
    specs, skipped, left = list[Candidate](), list[str](), MAX_BYTES
    for place, path in enumerate(_files(folders, skipped)):
        if place == MOST_FILES:
            skipped.append(f"only {MOST_FILES} YAML files are read")
            break
        try:
            text = read_bytes(path, left)
            if not (b"name" in text and (b"extends" in text or b"input" in text)):
                continue
            if len(text) > left:
                skipped.append(f"`{display_path(path)}` exceeds the total size limit")
                continue
            left -= len(text)
            files = Files()
            spec = _candidate(path, text, files, memo.trimmed())
            if spec is not None and not _needs(files, path, output):
                specs.append(spec)
        except SpecError:
            skipped.append(f"`{display_path(path)}` has findings; run `archspec lint` to see them")
        except UnreadableFile as error:
            skipped.append(str(error))
    return Own(tuple(specs), tuple(skipped), output)


def _files(folders: Iterable[Path], skipped: list[str]) -> Iterator[Path]:
    """The YAML files in the directories, each directory once; built-in specs are known anyway."""
    done = {os.path.realpath(folder) for folder in (resources.SPECS, resources.ZOO)}
    for folder in folders:
        if (real := os.path.realpath(folder)) in done:
            continue
        done.add(real)
        try:
            names = names_in(folder)
        except UnreadableFile as error:
            skipped.append(str(error))
            continue
        yield from (folder / name for name in names if name.endswith(SUFFIXES))


def _candidate(path: Path, text: bytes, files: Files, memo: Memo) -> Candidate | None:
    """The spec in a file, expanded; None if the file is for something else. Raises `SpecError`."""
    document = parse(text, display_path(path))
    if "name" not in document.data or not document.data.keys() & {"extends", "input"}:
        return None
    if leaves_project(path, path.parent):
        raise UnreadableFile(f"`{display_path(path)}` is a symlink to a path outside the project")
    base = path.stem
    if path.suffix != ".yaml" or not (base.isascii() and base.isidentifier()):
        message = f"`{display_path(path)}` has a name that `extends` cannot use: rename it"
        raise UnreadableFile(message)
    loader = Loader(files, memo, path.parent)
    candidate = Candidate(base, loader.load(loader.resolved(document)), path.parent)
    candidate.layers  # noqa: B018  it may have findings
    return candidate


def _needs(files: Files, path: Path, output: Path | None) -> bool:
    """Whether a spec is, extends, or would extend the file `output`."""
    if output is None:
        return False
    seen = {os.path.realpath(one) for one in (str(path), *files.seen)}
    return os.path.realpath(output) in seen

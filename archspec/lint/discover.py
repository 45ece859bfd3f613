"""Which files are meant, and which configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from typing import NoReturn

from archspec.diagnostics import UnreadableFile
from archspec.paths import display_path, leads_out, posix

SUFFIXES = (".yaml", ".yml")
BLOCKS = "blocks"
OWN, SHARED = "archspec.toml", "pyproject.toml"
SECTION = b"tool.archspec"
MOST_SETTINGS = 1 << 18  # bytes of a file with settings
MOST_SHARED = 16 << 20  # of one that may have some


def discover(
    paths: Iterable[str], exclude: Iterable[str] = (), force_exclude: bool = False
) -> list[str]:
    """The files, each once, in order. What a path names itself is excluded only by force."""
    patterns = tuple(exclude)
    found: dict[str, None] = {}
    for given in paths:
        path = posix(given)
        if force_exclude and is_excluded(path, patterns):
            continue
        check_named(path)
        if os.path.isdir(path):
            found.update(dict.fromkeys(_inside(path, patterns)))
        else:
            found[path] = None
    return list(found)


def beside_blocks(files: Iterable[str], exclude: Iterable[str] = ()) -> list[str]:
    """The other specs that see the blocks among the files: those in the folder of `blocks`."""
    known, patterns = dict.fromkeys(map(display_path, files)), tuple(exclude)
    blocks = filter(is_block, known)
    folders = dict.fromkeys(os.path.normpath(f"{block}/../..") for block in blocks)
    found = (path for folder in folders for path in _inside(folder, patterns, deep=False))
    return [path for path in found if path not in known and not is_excluded(path, patterns)]


def _inside(folder: str, patterns: tuple[str, ...], deep: bool = True) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        if not deep:
            folders.clear()
        start = "" if posix(where) == "." else f"{posix(where)}/"
        folders[:] = sorted(
            name for name in folders if name[0] != "." and not matches(start + name, patterns)
        )
        for name in sorted(files):
            path = start + name
            hidden = name[0] == "." or not name.endswith(SUFFIXES)
            if not hidden and not matches(path, patterns):
                check_found(path, folder)
                yield path


def check_found(path: str, folder: str) -> None:
    """What is found in a folder may not show what lies outside the project."""
    if not os.path.islink(path):
        return
    target = os.path.realpath(path)
    roots = (os.path.realpath(root) for root in (".", folder))
    if not any(target.startswith(os.path.join(root, "")) for root in roots):
        _refuse(path)


def check_named(path: str) -> None:
    """Nor may what is named where a project has a root: a shell names all that is in `specs/*`."""
    try:
        if os.path.realpath(path) == os.path.abspath(path):
            return
    except (OSError, ValueError):  # reported where it is opened
        return
    if leads_out(path):
        _refuse(path)


def _refuse(path: str) -> NoReturn:
    raise UnreadableFile(f"`{path}` is a link that leads out of the project")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether the path or its last part fits a pattern: `specs/old/*`, `*.tmp.yaml`."""
    name = path.rpartition("/")[2]
    return any(fnmatch(path, pattern) or fnmatch(name, pattern) for pattern in patterns)


def is_excluded(path: str, patterns: Iterable[str]) -> bool:
    """Whether a file, or a folder that it lies in, fits one of the patterns."""
    parts = path.split("/")
    return any(matches("/".join(parts[: n + 1]), patterns) for n in range(len(parts)))


def is_block(file: str) -> bool:
    """Files in a folder `blocks` are blocks."""
    return file.split("/")[-2:-1] == [BLOCKS]


def configuration(paths: Iterable[str]) -> str:
    """The closest file with settings, upwards from the folder that holds all `paths`, or ""."""
    folder = _common_folder(list(paths))
    while True:
        if os.path.isfile(own := os.path.join(folder, OWN)):
            return own
        if _speaks_of_us(shared := os.path.join(folder, SHARED)):
            return shared
        if os.path.dirname(folder) == folder:
            return ""
        folder = os.path.dirname(folder)


def _common_folder(paths: list[str]) -> str:
    whole = [os.path.join(os.getcwd(), posix(path)) for path in paths if path != "-"]
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in whole]
    return os.path.commonpath(folders) if folders else os.getcwd()


def _speaks_of_us(path: str) -> bool:
    if not os.path.isfile(path):  # a pipe would wait for its writer
        return False
    try:
        with open(path, "rb") as file:
            return SECTION in file.read(MOST_SHARED)
    except OSError:
        return False

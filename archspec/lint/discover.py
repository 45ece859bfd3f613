"""Which files to lint, and which configuration to use."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from archspec.files import check_named, is_there, outside_project, read_bytes
from archspec.lint.patterns import matches
from archspec.paths import display_path, folder_of_blocks, is_root, posix, working_folder

SUFFIXES = (".yaml", ".yml")
BLOCKS = "blocks"
PROJECT = (".git", "pyproject.toml")
OWN, SHARED = "archspec.toml", "pyproject.toml"
SECTION = b"tool.archspec"
MOST_SETTINGS = 1 << 18  # bytes of a file with settings
MOST_SHARED = 16 << 20  # of one that may have some


class Discovered(NamedTuple):
    """The files to lint.

    Attributes:
        files: each once, in order.
        excluded: the excluded files and directories.
        empty: the directories on the command line that have no specs.
    """

    files: list[str]
    excluded: list[str]
    empty: list[str]


def discover(
    paths: Iterable[str], exclude: Iterable[str] = (), force_exclude: bool = False
) -> Discovered:
    """The files of the given paths. The paths themselves are only excluded with `force_exclude`."""
    patterns = tuple(exclude)
    files: dict[str, None] = {}
    excluded, empty = list[str](), list[str]()
    for given in paths:
        path = posix(given)
        if force_exclude and matches(path, patterns):
            excluded.append(path)
            continue
        check_named(path)
        inside, left_out = [path], list[str]()
        if os.path.isdir(path):
            others = tuple(p for p in patterns if not matches(path, [p]))
            inside = list(_inside(path, others, left_out))
        if not inside and not left_out:
            empty.append(path)
        files.update(dict.fromkeys(inside))
        excluded += left_out
    return Discovered(list(files), excluded, empty)


def beside_blocks(files: Iterable[str], exclude: Iterable[str] = ()) -> list[str]:
    """Other specs that can use the blocks among the files: those next to `blocks`."""
    known, patterns = dict.fromkeys(map(display_path, files)), tuple(exclude)
    blocks = filter(is_block, known)
    folders = dict.fromkeys(map(folder_of_blocks, blocks))
    found = (path for folder in folders for path in _inside(folder, patterns, [], deep=False))
    return [path for path in found if path not in known]


def _inside(
    folder: str, patterns: tuple[str, ...], excluded: list[str], deep: bool = True
) -> Iterator[str]:
    def is_left(path: str) -> bool:
        if out := matches(path, patterns):
            excluded.append(path)
        return not out

    unread: list[str] = []  # reported like files that cannot be opened
    for where, folders, files in os.walk(folder, onerror=lambda e: unread.append(e.filename)):
        if not deep:
            folders.clear()
        start = "" if posix(where) == "." else f"{posix(where)}/"
        folders[:] = sorted(name for name in folders if name[0] != "." and is_left(start + name))
        for name in sorted(files):
            path = start + name
            hidden = name[0] == "." or not name.endswith(SUFFIXES)
            if not hidden and is_left(path):
                check_found(path, folder)
                yield path
    yield from map(posix, unread)


def check_found(path: str, folder: str) -> None:
    """A file found in a directory must not be outside the project."""
    if not os.path.islink(path):
        return
    target = os.path.realpath(path)
    roots = (os.path.realpath(root) for root in (".", folder))
    if not any(target.startswith(os.path.join(root, "")) for root in roots):
        raise outside_project(path)


def is_block(file: str) -> bool:
    """Files in a directory `blocks` are blocks, unless the directory is a whole project."""
    folder, _, name = file.rpartition("/")
    if name and folder.rpartition("/")[2] not in ("", ".", "..", BLOCKS):
        return False  # nearly always, without looking at the directory
    folder = os.path.dirname(os.path.normpath(os.path.join(working_folder(), file)))
    return os.path.basename(folder) == BLOCKS and not is_root(folder, PROJECT)


def configuration(paths: Iterable[str]) -> str:
    """The closest file with settings, upwards from the directory of all `paths`, or "".

    Raises `UnreadableFile` for a file that may have settings and cannot be read.
    """
    folder = _common_folder(list(paths))
    while True:
        if is_there(own := os.path.join(folder, OWN)):
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
    return is_there(path) and SECTION in read_bytes(path, MOST_SHARED)

"""File names: as displayed, whether they are in a project, and those of modules."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

AnyPath = str | os.PathLike[str]

MARKERS = ("pyproject.toml", "archspec.toml", ".git")
WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")  # where CI services check a repository out


def posix(path: AnyPath) -> str:
    """The path with forward slashes, without duplicates, as `pathlib` writes it."""
    return _posix(os.fspath(path))


@lru_cache(maxsize=256)
def _posix(path: str) -> str:
    text = path.replace(os.sep, "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return "/" * text.startswith("/") + "/".join(parts) or "."


def display_path(path: AnyPath) -> str:
    """The path relative to the working directory, with forward slashes.

    In `blocks`, a file there is not `../blocks/cell.yaml`.
    """
    text = posix(path)
    if text.startswith("../") and "/../" not in text.lstrip("./"):
        text = os.path.join(working_folder(), text)
    return _relative(text, working_folder()) if os.path.isabs(text) else text


@lru_cache(maxsize=256)
def _relative(path: str, working_folder: str) -> str:
    inside = path.removeprefix(f"{working_folder}/")
    if inside != path and ".." not in inside:
        return inside  # `relpath` is slow
    try:
        return posix(os.path.relpath(path, working_folder or None))
    except (OSError, ValueError):  # no working directory, a null byte, another drive
        return posix(path).rpartition("/")[2]


def working_folder() -> str:
    """The directory that displayed paths are relative to; "" if it no longer exists."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def folder_of_blocks(file: str) -> str:
    """The directory whose specs can use the block at this displayed path: that of `blocks`."""
    return os.path.normpath(f"{file}/../..")


def lies_in(file: str, folder: AnyPath) -> bool:
    """Whether this is the displayed path of a file in a directory, at any depth."""
    return file.startswith(_start(os.fspath(folder), working_folder()))


@lru_cache(maxsize=64)
def _start(folder: str, _working_folder: str) -> str:
    return display_path(folder) + "/"


def repository_path(file: str) -> str:
    """A displayed path relative to the root of the repository, as CI services expect it.

    The root is the directory that the service names, if the file is in it, or else the nearest one
    from the working directory upwards with a `.git`. Without any, the path stays as it is.
    """
    here = os.path.realpath(working_folder())
    whole = os.path.normpath(os.path.join(here, file))
    named = [os.path.realpath(os.environ[name]) for name in WORKSPACES if os.environ.get(name)]
    root = next((root for root in named if _is_in(whole, root)), project_root(here, (".git",)))
    try:
        return posix(os.path.relpath(whole, root))
    except ValueError:  # a null byte, another drive
        return file


@lru_cache(maxsize=256)
def project_root(folder: str, markers: tuple[str, ...] = MARKERS) -> str:
    """The nearest directory that contains a project's files, or `folder` itself."""
    here = start = os.path.realpath(folder)
    while not is_root(here, markers):
        above = os.path.dirname(here)
        if above == here:
            return start
        here = above
    return here


def is_root(folder: str, markers: tuple[str, ...] = MARKERS) -> bool:
    """Whether a directory itself contains a project's files."""
    return any(os.path.exists(os.path.join(folder, marker)) for marker in markers)


def leaves_project(path: AnyPath, folder: AnyPath) -> bool:
    """Whether a symlink leads from a file of the project of `folder` to one outside it.

    A spec may be untrusted: files that it names are only read inside its own project.
    """
    root = project_root(os.path.abspath(folder))
    return not _is_in(os.path.realpath(path), root)


def leads_out(path: AnyPath) -> bool:
    """Whether a path in the project of the working directory is, through a symlink, outside it.

    A path on the command line may be a symlink from an untrusted source. Without a project root,
    nothing is rejected.
    """
    here = working_folder()
    root = project_root(here)
    if not is_root(root):
        return False
    named = os.path.normpath(os.path.join(here, path))
    return _is_in(named, root) and not _is_in(os.path.realpath(path), root)


def is_in_project(path: AnyPath, folder: str) -> bool:
    """Whether a path is in the project of a directory, or in the working directory."""
    target = os.path.realpath(path)
    return any(_is_in(target, root) for root in (project_root(folder), working_folder()) if root)


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(os.path.join(root, ""))


def modules_in(folders: Iterable[str]) -> list[str]:
    """The names of the modules in the directories of a package, except private and hidden ones."""
    files = (file for folder in folders for file in os.listdir(folder))
    return sorted(f.removesuffix(".py") for f in files if f.endswith(".py") and f[0] not in "._")

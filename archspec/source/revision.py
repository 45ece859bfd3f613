"""Files as they are in a git revision, without the working tree."""

from __future__ import annotations

import os
import subprocess
from functools import cached_property
from typing import NamedTuple

from archspec.diagnostics import UnreadableFile
from archspec.files import MAX_BYTES
from archspec.paths import display_path, posix
from archspec.source.folder import Files

# Nothing is fetched, locked, or prompted for: git only reads the repository.
_QUIET = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_FILES = ("100644", "100755")
SECONDS = 60


class _Entry(NamedTuple):
    """A file of a commit: its type, its object name, and its size."""

    mode: str
    blob: str
    size: int


class RevisionFiles(Files):
    """The files of the repository that contains a directory, as they are in a revision.

    Files outside the repository, such as built-in specs, are read as they are. Raises
    `UnreadableFile` if the revision does not exist, or if there is no repository.
    """

    def __init__(self, folder: str, revision: str) -> None:
        super().__init__()
        self.folder, self.revision = folder, revision
        self.root = os.fsdecode(self._git("rev-parse", "--show-toplevel").rstrip(b"\n"))
        if not revision or revision.startswith("-"):
            raise self._no_revision()
        found = self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        self.commit = found.decode().strip()

    def is_there(self, path: str) -> bool:
        name = self._name(path)
        return super().is_there(path) if name is None else name in self._entries

    def stems(self, folder: str) -> list[str]:
        name = self._name(folder)
        if name is None:
            return super().stems(folder)
        start = f"{name}/" if name else ""
        inside = (one.removeprefix(start) for one in self._entries if one.startswith(start))
        names = (one for one in inside if one.endswith(".yaml") and "/" not in one)
        return sorted(one.removesuffix(".yaml") for one in names)

    def read(self, path: str) -> bytes:
        name = self._name(path)
        if name is None:
            return super().read(path)
        entry = self._entries.get(name)
        where = f"`{display_path(path)}` at `{self.revision}`"
        if entry is None:
            raise UnreadableFile(f"file not found: {where}")
        if entry.mode not in _FILES:
            raise UnreadableFile(f"could not read {where}: it is not a regular file")
        if entry.size > MAX_BYTES:
            raise UnreadableFile(f"could not read {where}: it exceeds {MAX_BYTES:,} bytes")
        return self._git("cat-file", "blob", entry.blob)

    def _name(self, path: str) -> str | None:
        """A path in git's form; None outside the repository. Follows symlinks to directories."""
        folder, last = os.path.split(os.path.abspath(path))
        whole = posix(os.path.join(os.path.realpath(folder), last))
        root = posix(os.path.realpath(self.root))
        if whole == root:
            return ""
        return whole.removeprefix(f"{root}/") if whole.startswith(f"{root}/") else None

    @cached_property
    def _entries(self) -> dict[str, _Entry]:
        """Every file of the commit by its path."""
        listed = self._git("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit)
        found = {}
        for line in listed.split(b"\0")[:-1]:
            about, _, name = line.partition(b"\t")
            mode, _, blob, size = about.decode().split()
            found[os.fsdecode(name)] = _Entry(mode, blob, int(size) if size.isdecimal() else 0)
        return found

    def _git(self, *words: str) -> bytes:
        """The output of git. Words are separate arguments: no shell reads them."""
        command = ["git", "--no-pager", "-C", self.folder or ".", *words]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                env={**os.environ, **_QUIET},
                check=False,
            )
        except FileNotFoundError:
            raise UnreadableFile("git is not installed, or not on the PATH") from None
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise UnreadableFile(f"could not run git: {error}") from None
        if done.returncode == 0:
            return done.stdout
        raise self._failed(words[0], done.stderr.decode(errors="replace").strip())

    def _failed(self, command: str, said: str) -> UnreadableFile:
        if "not a git repository" in said:
            return UnreadableFile(
                f"`{display_path(self.folder or '.')}` is not in a git repository"
            )
        if command == "rev-parse" and not said:
            return self._no_revision()
        return UnreadableFile(f"git {command}: {said.removeprefix('fatal: ')}")

    def _no_revision(self) -> UnreadableFile:
        return UnreadableFile(f"unknown revision `{self.revision}`")

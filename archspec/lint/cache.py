"""What lint found in files that have not changed since: a clean run reads nothing else.

An entry holds the findings of one file, whatever is selected, and a digest of all they depend on:
the text, the files it was seen to look for (there or not), the folders whose names were read.
All of it is void once a file of archspec itself has changed. That is told by times, of which one is
when the file came to this machine: nobody can prepare a cache for another, not even for an image
that all may look into. What is read is checked like any other stranger's data.

Only light modules here: this is all that a warm run imports.
"""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256

TYPE_CHECKING = False  # `typing` would be half of a warm run
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

FOLDER = ".archspec_cache"
VERSION = 1
SHARDS = 16
MOST_ENTRIES = 2_000  # a shard
MOST_BYTES = 16 << 20  # a shard
MOST_TEXT = 1 << 20  # a file
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of archspec.\n"
TEMPLATES = "templates"
MARKERS = ("pyproject.toml", "archspec.toml", ".git")
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN = (".py", ".jinja")


class Found:
    """What an entry says, not yet checked, and what it depends on."""

    def __init__(self, checked: dict[str, Any], seen: list[str]) -> None:
        self.checked, self.seen = checked, seen


class Cache:
    """The cache of the project that the working directory is in."""

    def __init__(self, folder: str = "") -> None:
        self.here = os.getcwd()
        self.folder = folder or os.path.join(root(self.here), FOLDER)
        self.stamp = stamp()
        self.shards: dict[str, dict[str, Any]] = {}
        self.changed: set[str] = set()
        self.states: dict[str, str] = {}

    def find(self, file: str, text: bytes) -> Found | None:
        """What is known of a file with this text; None if that is nothing, or out of date."""
        shard, key = self._place(file)
        entry = self._shard(shard).get(key)
        if not isinstance(entry, dict) or entry.get("text") != digest(text):
            return None
        seen, checked = entry.get("seen"), entry.get("checked")
        if not isinstance(seen, dict) or not isinstance(checked, dict):
            return None
        fresh = all(self.state(path) == state for path, state in seen.items())
        return Found(checked, list(seen)) if fresh else None

    def keep(self, file: str, text: bytes, seen: Iterable[str], checked: dict[str, Any]) -> None:
        """Remembers what was found, and what was looked at; folders end with a slash."""
        shard, key = self._place(file)
        entries = self._shard(shard)
        states = {path: self.state(path) for path in sorted(seen)}
        entry = {"text": digest(text), "seen": states, "checked": checked}
        if entry != entries.pop(key, None):
            self.changed.add(shard)
        entries[key] = entry  # the newest are last

    def save(self) -> None:
        """Writes what is new. A folder that cannot be written is no reason to fail."""
        try:
            if self.changed and not os.path.islink(self.folder):  # it may lead anywhere
                self._prepare()
                for shard in sorted(self.changed):
                    self._write(shard)
        except OSError:
            pass
        self.changed.clear()

    def state(self, path: str) -> str:
        """What a file holds, or a folder lists; "" if there is none."""
        if path not in self.states:
            self.states[path] = _listed(path) if path.endswith("/") else _held(path)
        return self.states[path]

    def _place(self, file: str) -> tuple[str, str]:
        key = digest(f"{self.here}\0{file}".encode(errors="surrogateescape"))
        return f"{int(key[:2], 16) % SHARDS:02x}", key

    def _shard(self, shard: str) -> dict[str, Any]:
        if shard not in self.shards:
            self.shards[shard] = self._read(shard)
        return self.shards[shard]

    def _read(self, shard: str) -> dict[str, Any]:
        text = _bytes(os.path.join(self.folder, f"{shard}.json"), MOST_BYTES)
        if not text.startswith(self._head()):  # not ours, and may take long to parse
            return {}
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return dict(data["files"]) if isinstance(data.get("files"), dict) else {}

    def _head(self) -> bytes:
        """How a shard begins that this archspec has written."""
        return json.dumps({"version": VERSION, "stamp": self.stamp}).rstrip("}").encode()

    def _write(self, shard: str) -> None:
        entries = self.shards[shard]
        newest = dict(list(entries.items())[-MOST_ENTRIES:])
        data = {"version": VERSION, "stamp": self.stamp, "files": newest}
        _replace(os.path.join(self.folder, f"{shard}.json"), json.dumps(data))

    def _prepare(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", TAG)):
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                _replace(path, text)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:40]


def read(path: str) -> bytes:
    """What a regular file of bounded size holds; b"" of any other."""
    return _bytes(path, MOST_TEXT)


def _bytes(path: str, most: int) -> bytes:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            return b""
        with open(path, "rb") as file:
            return file.read(most)
    except (OSError, ValueError):
        return b""


def _held(path: str) -> str:
    """A link counts as what it leads to: whether it leaves the project is a finding."""
    if not os.path.isfile(path):
        return ""
    return digest(os.path.realpath(path).encode(errors="replace") + b"\0" + read(path))


def _listed(folder: str) -> str:
    try:
        return digest("\0".join(sorted(os.listdir(folder))).encode(errors="replace"))
    except OSError:
        return ""


def _replace(path: str, text: str) -> None:
    """The whole file or none of it."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def root(folder: str) -> str:
    """The closest folder upwards that holds a project's files, or this one."""
    here = folder
    while not any(os.path.exists(os.path.join(here, marker)) for marker in MARKERS):
        above = os.path.dirname(here)
        if above == here:
            return folder
        here = above
    return here


def stamp() -> str:
    """Which archspec this is: every file of its own by size and time, but for specs and blocks.

    Of those an entry depends on what was seen, like on those of others.
    """
    import sys

    parts = [sys.version]
    for folder in (PACKAGE, *_beside()):
        for path, status in sorted(_files(folder)):
            parts.append(f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    return digest("\n".join(parts).encode(errors="replace"))


def _beside() -> list[str]:
    """In a checkout, the templates lie beside the package."""
    inside = os.path.join(PACKAGE, TEMPLATES)
    return [] if os.path.isdir(inside) else [os.path.join(os.path.dirname(PACKAGE), TEMPLATES)]


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith(OWN):
                yield entry.path, entry.stat()

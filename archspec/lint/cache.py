"""Findings of files that have not changed since: a clean run reads nothing else.

An entry holds the findings of one file, for any selection of rules, and a digest of everything they
depend on: the text, the files that were looked up (whether or not they exist), and the directories
that were listed. All entries are invalid once archspec itself, Python, or a library that it reads
with has changed. File times show that, and one of them is when the file was created on this
machine, so a cache cannot be prepared for another machine or for a container image that others can
read. Entries are checked like any other untrusted data.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.util import find_spec
from typing import Any, NamedTuple

from archspec.diagnostics import UnreadableFile
from archspec.files import is_there, names_in, read_bytes, remove_leftovers, temporary_in
from archspec.paths import project_root

FOLDER = ".archspec_cache"
VERSION = 1
SHARDS = 16
MOST_ENTRIES = 2_000  # per shard
MOST_BYTES = 16 << 20  # per shard
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache of archspec.\n"
TEMPLATES = "templates"
RULES = "rules"  # the shard of the names of rules
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN = (".py", ".jinja")
LIBRARIES = ("pydantic", "pydantic_core", "yaml")


class Found(NamedTuple):
    """The value of an entry, not yet checked, and what it depends on."""

    value: Any
    seen: list[str]


class Cache:
    """The cache of the project that contains the working directory."""

    def __init__(self, folder: str = "") -> None:
        self.here = os.getcwd()
        self.folder = folder or os.path.join(project_root(self.here), FOLDER)
        self.stamp = stamp()
        self.shards: dict[str, dict[str, Any]] = {}
        self.changed: set[str] = set()
        self.states: dict[str, str] = {}

    def find(self, file: str, text: bytes) -> Found | None:
        """The entry for a file with this text; None if there is none, or if it is out of date."""
        shard, key = self._place(file)
        entry = self._shard(shard).get(key)
        if not isinstance(entry, dict) or entry.get("text") != digest(text):
            return None
        seen = entry.get("seen")
        if not isinstance(seen, dict):
            return None
        fresh = all(self.state(path) == state for path, state in seen.items())
        return Found(entry.get("value"), list(seen)) if fresh else None

    def keep(self, file: str, text: bytes, seen: Iterable[str], value: Any) -> None:
        """Store a value, and what was looked up for it; directories end with a slash."""
        shard, key = self._place(file)
        states = {path: self.state(path) for path in sorted(seen)}
        entries = self._shard(shard)
        entries.pop(key, None)
        entries[key] = {"text": digest(text), "seen": states, "value": value}  # the newest last
        self.changed.add(shard)

    def codes(self) -> dict[str, Any]:
        """The stored names of rules, not yet checked."""
        return self._shard(RULES)

    def keep_codes(self, codes: Mapping[str, str]) -> None:
        """Store the names of rules: importing the rules takes longer than a cached run."""
        self.shards[RULES] = dict(codes)
        self.changed.add(RULES)

    def save(self) -> None:
        """Write the new entries. A directory that cannot be written to is not an error."""
        try:
            if self.changed and not os.path.islink(self.folder):  # it may lead anywhere
                self._prepare()
                for shard in sorted(self.changed):
                    self._write(shard)
        except OSError:
            pass
        self.changed.clear()

    def state(self, path: str) -> str:
        """The content of a file or a listing of a directory, or why it cannot be read; "" if
        missing.
        """
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
        if not text.startswith(self._head()):  # not ours, and may be slow to parse
            return {}
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return dict(data["files"]) if isinstance(data.get("files"), dict) else {}

    def _head(self) -> bytes:
        """The start of every shard that this archspec writes."""
        return json.dumps({"version": VERSION, "stamp": self.stamp}).rstrip("}").encode()

    def _write(self, shard: str) -> None:
        entries = self.shards[shard]
        newest = dict(list(entries.items())[-MOST_ENTRIES:])
        data = {"version": VERSION, "stamp": self.stamp, "files": newest}
        _replace(os.path.join(self.folder, f"{shard}.json"), json.dumps(data))

    def _prepare(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        remove_leftovers(self.folder)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", TAG)):
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                _replace(path, text)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:40]


def _bytes(path: str, most: int) -> bytes:
    """The content of a regular file of bounded size; b"" for all others."""
    try:
        data = read_bytes(path, most)
    except UnreadableFile:
        return b""
    return data if len(data) <= most else b""


def _held(path: str) -> str:
    """A symlink counts as its target: whether it leads out of the project is a finding."""
    try:
        if not is_there(path):
            return ""
        data = read_bytes(path)
    except UnreadableFile as error:
        data = b"\0" + str(error).encode()
    return digest(os.path.realpath(path).encode(errors="replace") + b"\0" + data)


def _listed(folder: str) -> str:
    try:
        return digest("\0".join(names_in(folder)).encode(errors="replace"))
    except UnreadableFile as error:
        return str(error)


def _replace(path: str, text: str) -> None:
    """The whole file or nothing."""
    temporary = temporary_in(os.path.dirname(path))
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def stamp() -> str:
    """This archspec, with its Python and libraries: the size and times of their files.

    Without specs and blocks: an entry depends on the ones that were looked up, as on any other
    file.
    """
    parts = [sys.version]
    own = (file for folder in (PACKAGE, *_beside()) for file in sorted(_files(folder)))
    for path, status in (*own, *_libraries()):
        parts.append(f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    return digest("\n".join(parts).encode(errors="replace"))


def _libraries() -> Iterator[tuple[str, os.stat_result]]:
    """The first file of each library that words findings or reads YAML, without importing any."""
    for name in LIBRARIES:
        spec = find_spec(name)
        if spec and spec.origin and os.path.exists(spec.origin):
            yield spec.origin, os.stat(spec.origin)


def _beside() -> list[str]:
    """In a checkout, the templates are next to the package."""
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

"""A run in which nothing has changed and all was clean, answered from the cache alone.

It imports none of the linter. Whatever is not as plain as that is the linter's business.
"""

from __future__ import annotations

import os

from archspec.lint.cache import Cache, read
from archspec.lint.discover import configuration, discover, is_block
from archspec.lint.words import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

TEXT = ("", "full", "concise")
DEFAULTS: dict[str, Any] = {
    "paths": ["specs"],
    "exclude": [],
    "force_exclude": False,
    "format": "",
    "baseline": "",
}
# Options that change nothing about a clean run; with any other, the linter runs.
PLAIN = (
    "paths",
    "force_exclude",
    "strict",
    "color",
    "isolated",
    "format",
    "stdin_filename",
    "jobs",
    "run",
    "command",
)


def unchanged(args: argparse.Namespace) -> bool:
    """Says that all is clean, where that is known."""
    others = [value for name, value in vars(args).items() if name not in PLAIN]
    if any(others) or "-" in args.paths or (args.format or "") not in TEXT:
        return False
    cache = Cache()
    settings = DEFAULTS if args.isolated else _settings(args.paths, cache)
    if settings is None or (args.format or settings["format"]) not in TEXT:
        return False
    given = args.paths or [path for path in settings["paths"] if os.path.exists(path)]
    force = args.force_exclude or settings["force_exclude"]
    files = discover(given, settings["exclude"], force)
    if not files or settings["baseline"] or not _all_clean(files, cache):
        return False
    blocks = sum(map(is_block, files))
    print(clean(len(files) - blocks, blocks))
    return True


def _all_clean(files: list[str], cache: Cache) -> bool:
    names: set[str] = set()
    for file in files:
        found = cache.find(file, read(file))
        if found is None or not _is_clean(found.checked):
            return False
        if name := found.checked.get("name"):
            if not _is_name(name, file):
                return False
            written = {name[0], f"train_{name[0]}"} if found.checked.get("script") else {name[0]}
            if written & names:
                return False
            names |= written
    return True


def _is_name(data: Any, file: str) -> bool:
    """A name with its place, which is in the file itself."""
    if not isinstance(data, list) or len(data) != 2 or not isinstance(data[1], list):
        return False
    return isinstance(data[0], str) and len(data[1]) == 5 and data[1][0] == file


def _is_clean(checked: dict[str, Any]) -> bool:
    nothing = checked.get("findings") == [] and checked.get("suppressions") == []
    return nothing and checked.get("complete") is True


def _settings(paths: list[str], cache: Cache) -> dict[str, Any] | None:
    """What the configuration file says of a clean run, if it was read before."""
    file = configuration(paths)
    if not file:
        return DEFAULTS
    found = cache.find(_key(file), read(file))
    return found.checked if found and _are_settings(found.checked) else None


def _are_settings(data: dict[str, Any]) -> bool:
    lists = (data.get("paths"), data.get("exclude"))
    names = all(isinstance(x, list) and all(isinstance(n, str) for n in x) for x in lists)
    if not names or not isinstance(data.get("force_exclude"), bool):
        return False
    return all(isinstance(data.get(name), str) for name in ("format", "baseline"))


def remember_settings(cache: Cache, settings: Any) -> None:
    """Keeps what a configuration file says, once it has been read and is right."""
    if settings.file:
        data = {name: getattr(settings, name) for name in DEFAULTS}
        data |= {name: list(data[name]) for name in ("paths", "exclude")}
        file = os.path.abspath(settings.file)
        cache.keep(_key(file), read(file), (), data)


def _key(file: str) -> str:
    return f"settings\0{file}"

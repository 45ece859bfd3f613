"""YAML text as plain data that knows its place: parse, locate, extend.

- data: what `parse` returns, and where each value of it stands
- files: files and bytes -> text
- reader: text -> data, within limits, for the file may be a stranger's
- scalars: what an unquoted word means
- findings: what is wrong in a file that YAML can read
- syntax: what is wrong in one that it cannot, in a person's words
- extends: a spec laid over the one it extends
- seen: what a check looked at; shared: what many specs have in common
- writing: files written whole or not at all
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.source.data import List as List
    from archspec.source.data import Map as Map
    from archspec.source.data import Text as Text
    from archspec.source.data import locate as locate
    from archspec.source.extends import merge as merge
    from archspec.source.extends import resolve as resolve
    from archspec.source.reader import parse as parse
    from archspec.source.reader import read as read
    from archspec.source.scalars import boolean_hint as boolean_hint

_WHERE = {
    "List": "data",
    "Map": "data",
    "Text": "data",
    "boolean_hint": "scalars",
    "locate": "data",
    "merge": "extends",
    "parse": "reader",
    "read": "reader",
    "resolve": "extends",
}

__all__ = [
    "List",
    "Map",
    "Text",
    "boolean_hint",
    "locate",
    "merge",
    "parse",
    "read",
    "resolve",
]


def __getattr__(name: str) -> Any:
    """Imported on first use: findings that are known are shown without a reader of YAML."""
    if name not in _WHERE:
        raise AttributeError(f"module 'archspec.source' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"archspec.source.{_WHERE[name]}"), name)
    return found

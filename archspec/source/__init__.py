"""YAML text as plain data that knows its place: parse, locate, extend.

- data: what `parse` returns, and where each value of it stands
- files: files and bytes -> text
- reader: text -> data, within limits, for the file may be a stranger's
- scalars: what an unquoted word means
- findings: what is wrong in a file that YAML can read
- syntax: what is wrong in one that it cannot, in a person's words
- extends: a spec laid over the one it extends
"""

from archspec.source.data import List, Map, Text, locate
from archspec.source.extends import merge, resolve
from archspec.source.reader import parse, read
from archspec.source.scalars import boolean_hint

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

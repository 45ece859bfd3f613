"""The reference of the language, made from the models and the ops.

Tables (arguments, types, defaults) come from the code; the purpose of a key is in `texts`. The
tests compare every text with the code, and build every example.

- entries: each construct, with its documentation
- page: all of them as `docs/reference.md`
- terminal: one of them as text
"""

from __future__ import annotations

from archspec.reference.entries import Code, Entry, Table, block_entry, sections
from archspec.reference.page import render
from archspec.reference.terminal import as_text, plain

__all__ = ["Code", "Entry", "Table", "as_text", "block_entry", "plain", "render", "sections"]

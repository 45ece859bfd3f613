"""`archspec show --pass`: the result of each pass over a spec, as text.

parsed     the spec's own file, before `extends`
merged     the spec after `extends`
expanded   every use of every block, with numbers, formulas, and shapes
classes    the classes of the generated source

documents  documents as YAML, with the location of each value
tree       expanded networks
listing    classes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archspec.api import MEMO
from archspec.classes import classes_of
from archspec.cli.passes.documents import file_and_line, line_and_column, with_places
from archspec.cli.passes.tree import tree_text
from archspec.diagnostics import visible
from archspec.expand import expand_network
from archspec.language import find, load
from archspec.language.load import Loader
from archspec.language.settings import changed_by
from archspec.source.folder import Files
from archspec.source.reader import read

Settings = dict[str, Any]


def parsed(source: str, _: Settings) -> str:
    """The spec's own file, each value with its line and column."""
    document = read(find(source))
    return f"# {visible(document.file)}\n{with_places(document, line_and_column)}"


def merged(source: str, settings: Settings) -> str:
    """The spec after `extends`, each value with its file and line."""
    path = find(source)
    document = Loader(Files(), MEMO, path.parent).resolved(read(path))
    return with_places(changed_by(settings, document), file_and_line)


def expanded(source: str, settings: Settings) -> str:
    """The network as a tree of its layers."""
    return tree_text(expand_network(load(source, settings, memo=MEMO), memo=MEMO))


def classes(source: str, settings: Settings) -> str:
    """The classes of the generated source, each before those that use it."""
    from archspec.cli.passes.listing import class_text  # imports jinja2

    spec = load(source, settings, memo=MEMO)
    return class_text(classes_of(expand_network(spec, memo=MEMO), spec))


PASSES: dict[str, Callable[[str, Settings], str]] = {
    "parsed": parsed,
    "merged": merged,
    "expanded": expanded,
    "classes": classes,
}

"""The resolved spec next to the generated source, line by line, with the links between them."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archspec import resources
from archspec.diagnostics import Span
from archspec.expand.context import USUAL
from archspec.ir.classes import Network
from archspec.ir.tree import ExpandedNetwork
from archspec.language import Spec
from archspec.language.spec import KEYS
from archspec.paths import lies_in
from archspec.report.defaults import defaults_of
from archspec.report.findings import Finding, file_name
from archspec.report.links import Links, links
from archspec.report.spec_lines import Line, Places, spec_lines
from archspec.source.document import Document

KEY = re.compile(r"^((?:- | )*)([^\s#:][^:]*)(:.*)?$", re.DOTALL)
Piece = tuple[str, str]  # a class of `report.css`, and text


@dataclass
class Shown:
    """A line as it is displayed. `to` has the ids of the linked lines on the other side."""

    id: str
    number: int
    pieces: list[Piece]
    note: str = ""
    title: str = ""
    kind: str = ""
    to: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The first of `to`."""
        return self.to[0] if self.to else ""


@dataclass
class File:
    """The displayed lines of one file, or of the source."""

    name: str
    what: str
    lines: list[Shown]


def panes(
    spec: Spec, network: Network, source: str, findings: Sequence[Finding], key: str
) -> tuple[list[File], File, list[str]]:
    """The spec with its blocks, the source, and the id of the line of each finding, in order.

    `key` starts the ids.
    """
    documents = _documents(spec, network.tree)
    notes = defaults_of(network.tree, spec)
    places, files, spans = Places(frozenset(spec.blocks)), list[File](), list[Span | None]()
    for block, document in documents.items():
        comments = {path: texts for (owner, path), texts in notes.items() if owner == block}
        lines = spec_lines(document, comments, () if block else KEYS)
        if not block:
            lines += _usual(spec)
        places.add(block, lines, len(spans))
        start = f"{key}y{len(files) + 1}-"
        shown = [_line(line, f"{start}{n}", n, spec) for n, line in enumerate(lines, 1)]
        files.append(File(file_name(document.file) or "spec", _what(block, document, spec), shown))
        spans += [line.span for line in lines]
    left = [line for file in files for line in file.lines]
    right = [Shown(f"{key}s{n}", n, pieces) for n, pieces in enumerate(python_pieces(source), 1)]
    _connect(left, right, links(source, network, spec.data), places)
    of_findings = [_place(one, spans, left) for one in findings]
    return files, File(f"{spec.name}.py", "generated", right), of_findings


def _documents(spec: Spec, tree: ExpandedNetwork) -> dict[str, Document]:
    """The spec (`""`), and the block files that it uses."""
    known = spec.library.documents
    used = sorted(name for name in tree.used if name in known and name not in spec.blocks)
    return {"": spec.document, **{name: known[name] for name in used}}


def _what(block: str, document: Document, spec: Spec) -> str:
    if not block:
        return "resolved" if spec.document.older else ""
    built_in = lies_in(document.file, resources.BLOCKS)
    return f"built-in block {block}" if built_in else f"block {block}"


def _usual(spec: Spec) -> list[Line]:
    """The default norm and activation, if the spec sets none."""
    unset = (key for key in USUAL if getattr(spec.defaults, key) is None)
    left = [f"{key}: {USUAL[key].layers[0].head}" for key in unset]
    return [Line(f"# defaults: {{{', '.join(left)}}}", default=True)] if left else []


def _line(line: Line, id: str, number: int, spec: Spec) -> Shown:
    note, title, kind = _origin(line, spec)
    return Shown(id, number, yaml_pieces(line.text), note, title, kind)


def _origin(line: Line, spec: Spec) -> tuple[str, str, str]:
    """The location that set a line: a short text, the full text, and a CSS class."""
    if line.default:
        return "default", "not in the spec", "default"
    span = line.span
    if span is None or not span.file:
        return "", "", ""
    if span.file.startswith("--set "):
        return "--set", span.file, "set"
    name = span.file.rpartition("/")[2]
    own = span.file == spec.document.file
    of_block = lies_in(span.file, resources.BLOCKS)
    text = f":{span.line}" if own or of_block else f"{name}:{span.line}"
    return text, f"{file_name(span.file)}:{span.line}", "" if own or of_block else "base"


def _connect(left: list[Shown], right: list[Shown], found: Links, places: Places) -> None:
    """The ids of the linked lines, for both sides."""
    for number, targets in found.items():
        line = right[number - 1]
        for at in targets:
            place = places.line(at)
            if place is not None and left[place].id not in line.to:
                line.to.append(left[place].id)
                left[place].to.append(line.id)
    for shown in left:
        shown.to.sort(key=lambda other: int(other.rpartition("s")[2]))


def _place(one: Finding, spans: Sequence[Span | None], left: list[Shown]) -> str:
    """Insert a finding below its line, and return the id of that line."""
    before = [n for n, s in enumerate(spans) if s and s.file == one.file and s.line <= one.line]
    if not before:
        return ""
    nearest = max(before, key=lambda n: (spans[n].line, -n))  # type: ignore[union-attr]
    left[nearest].findings.append(one)
    return left[nearest].id


# Colors ---------------------------------------------------------------------------------


def yaml_pieces(text: str) -> list[Piece]:
    """A line of YAML in pieces: its key, its value, and a comment."""
    if text.lstrip().startswith("#"):
        return [("c", text)]
    match = KEY.match(text)
    if match is None or match[3] is None or match[2][0] in "{['\"":
        return [("", text)]
    return [("", match[1]), ("k", match[2]), ("", match[3])]


def python_pieces(source: str) -> Iterator[list[Piece]]:
    """The lines of a source in pieces: keywords, comments, and docstrings."""
    marks: dict[int, list[tuple[int, int, str]]] = {}
    lines = source.removesuffix("\n").split("\n")
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = _kind(token, begins)
        if kind:
            for row in range(token.start[0], token.end[0] + 1):
                start = token.start[1] if row == token.start[0] else 0
                end = token.end[1] if row == token.end[0] else len(lines[row - 1])
                marks.setdefault(row, []).append((start, end, kind))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            begins = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return (_split(line, marks.get(row, ())) for row, line in enumerate(lines, 1))


def _kind(token: tokenize.TokenInfo, begins: bool) -> str:
    if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and begins):
        return "c"
    return "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else ""


def _split(line: str, marks: Sequence[tuple[int, int, str]]) -> list[Piece]:
    pieces, done = list[Piece](), 0
    for start, end, kind in marks:
        pieces += [("", line[done:start]), (kind, line[start:end])]
        done = end
    return [piece for piece in (*pieces, ("", line[done:])) if piece[1]]

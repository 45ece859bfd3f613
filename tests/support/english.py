"""Texts of archspec that people read, and phrases in them that read as translated."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from support import ROOT

PATTERNS = ROOT / "tests/data/english.txt"
KEPT = "english: ok"
INLINE_CODE = re.compile(r"(?<!`)`[^`\n]+`(?!`)")


class Text(NamedTuple):
    """A text, and the line of a file that it starts on."""

    file: str
    line: int
    text: str


def patterns() -> dict[str, tuple[re.Pattern[str], str]]:
    """Name -> a pattern, and what to write instead."""
    blocks = re.findall(r"^([\w-]+): (.*)\n    (.*)$", PATTERNS.read_text("utf-8"), re.MULTILINE)
    return {name: (compiled(pattern), instead) for name, instead, pattern in blocks}


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A blank matches any white space."""
    return re.compile(pattern.replace(" ", r"\s+"), re.MULTILINE | flags)


def glossary() -> dict[str, list[str]]:
    """Term -> the phrases it replaces, from the table of CONTRIBUTING.md."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = page[page.index("| term | means | replaces |") :].split("\n\n")[0].split("\n")[2:]
    rows = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in table if row]
    return {term: re.findall(r"`([^`]+)`", replaced) for term, _, replaced in rows}


def places(found: re.Pattern[str], texts: list[Text]) -> Iterator[str]:
    """`file:line: phrase` for each match that is not marked as deliberate."""
    for file, line, text in texts:
        for match in found.finditer(text):
            at = line + text.count("\n", 0, match.start())
            if KEPT not in (ROOT / file).read_text("utf-8").split("\n")[at - 1]:
                yield f"{file}:{at}: {' '.join(match[0].split())}"


def texts() -> Iterator[Text]:
    """The texts of the package, the templates, the specs, and the generated pages."""
    for pattern, read in READERS.items():
        for path in sorted(ROOT.glob(pattern)):
            file = path.relative_to(ROOT).as_posix()
            for line, text in read(path.read_text("utf-8")):
                yield Text(file, line, INLINE_CODE.sub("`_`", text))


def _blank(match: re.Match[str]) -> str:
    """The same number of lines, without words."""
    return "\n" * match[0].count("\n") or "_"


def _jinja(source: str) -> Iterator[tuple[int, str]]:
    yield 1, re.sub(r"{%.*?%}|{{.*?}}", _blank, source, flags=re.DOTALL)


def _markdown(source: str) -> Iterator[tuple[int, str]]:
    """Without fenced code."""
    yield 1, re.sub(r"^```.*?^```", _blank, source, flags=re.DOTALL | re.MULTILINE)


def _python(source: str) -> Iterator[tuple[int, str]]:
    """Comments, docstrings, and strings of more than one word; an f-string is one text."""
    tree = ast.parse(source)
    inside = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    for node in ast.walk(tree):
        text = ""
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            text = re.sub(r"^( *)\w+  ", r"\1_ ", node.value, flags=re.M)  # a table of modules
        elif isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else "{_}" for v in node.values)
            text = "".join(map(str, parts))
        if " " in text:
            yield node.lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _yaml(source: str) -> Iterator[tuple[int, str]]:
    """`doc` texts, and comments."""
    for number, line in enumerate(source.split("\n"), 1):
        if comment := re.search(r"(?:^|\s)#\s*(.+)", line):
            yield number, comment[1]
    for node in _docs(yaml.compose(source)):
        yield node.start_mark.line + 1 + (node.style in (">", "|")), node.value


def _docs(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "doc":
                yield value
            yield from _docs(value)


READERS = {
    "archspec/**/*.py": _python,
    "templates/*.py": _python,
    "templates/*.jinja": _jinja,
    "specs/**/*.yaml": _yaml,
    "docs/*.md": _markdown,
    "benchmarks/*.md": _markdown,
    "README.md": _markdown,
    "CHANGELOG.md": _markdown,
}

"""The lines of files with findings, read on first use."""

from __future__ import annotations

import re

from archspec.diagnostics import Span, UnreadableFile
from archspec.files import MAX_BYTES, read_bytes

LINE_BREAK = re.compile(r"\r\n?|\n")


class Sources:
    """Lines by file. `texts` holds text that is not in a file, such as standard input."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        self.texts = texts or {}
        self._lines: dict[str, list[str]] = {}

    def lines(self, file: str) -> list[str]:
        if file not in self._lines:
            self._lines[file] = LINE_BREAK.split(self.text(file))
        return self._lines[file]

    def text(self, file: str) -> str:
        """A whole file, without its byte order mark; "" if it cannot be read."""
        return self.texts[file] if file in self.texts else _read(file)

    def line(self, span: Span | None) -> str:
        """The line in which a span starts; "" if there is none."""
        lines = self.lines(span.file) if span else []
        return lines[span.line - 1] if span and span.line <= len(lines) else ""


def _read(file: str) -> str:
    try:
        data = read_bytes(file)
        return data.decode().removeprefix("\ufeff") if len(data) <= MAX_BYTES else ""
    except (UnicodeDecodeError, UnreadableFile):
        return ""

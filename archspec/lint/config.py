"""The configuration file: the closest `archspec.toml`, or `pyproject.toml` with our table."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from archspec.diagnostics import Span, UnreadableFile, did_you_mean
from archspec.files import marked_encoding, read_bytes
from archspec.lint import formats
from archspec.lint.checked import Codes
from archspec.lint.discover import MOST_SETTINGS, OWN, SHARED
from archspec.lint.patterns import seen_from_here
from archspec.lint.select import check_selectors
from archspec.lint.settings import KEYS, Settings, SettingsError
from archspec.paths import display_path, is_in_project

TABLE = "tool.archspec"
MOST_DOTS = 64
MOST_NAMES = 1000  # of a list
PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_DEEP = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{MOST_DOTS}}}""")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def read(path: str, codes: Codes) -> Settings:
    """The settings in a file; raises `SettingsError`, with its location."""
    file = display_path(path)
    text = _text(path, file)
    table = _table(_parse(text, file), os.path.basename(path) == SHARED)
    if not isinstance(table, Mapping):
        raise SettingsError(f"expected `{TABLE}` to be a table, found {table!r}", "", Span(file))
    return _Reader(text, path, codes).settings(table)


def _text(path: str, file: str) -> str:
    """The text of a file that may be untrusted, with normalized line ends."""
    if not is_in_project(path, os.path.dirname(path)):
        raise SettingsError(
            f"`{file}` is a symlink to a path outside the project", "copy the file here"
        )
    try:
        data = read_bytes(path, MOST_SETTINGS)
        text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    except UnreadableFile as error:
        raise SettingsError(str(error)) from None
    except UnicodeDecodeError:
        found = marked_encoding(data) or "not UTF-8"
        raise SettingsError(f"could not read `{file}`: it is {found}", "save it as UTF-8") from None
    if len(data) > MOST_SETTINGS:
        message = f"file exceeds {MOST_SETTINGS:,} bytes"
        hint = f"move the archspec settings to `{OWN}`" if os.path.basename(path) == SHARED else ""
        raise SettingsError(message, hint, Span(file))
    return text


def _parse(text: str, file: str) -> Any:
    if deep := _DEEP.search(text):  # the time grows with the square of the dots
        line = text.count("\n", 0, deep.start()) + 1
        message = f"a key of more than {MOST_DOTS} dots"
        raise SettingsError(message, "", Span(file, line, 1, line, 2))
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError("brackets are nested too deeply", "", Span(file)) from None
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line, column = map(int, place.groups()) if place else (text.count("\n") + 1, 1)
        words = _PLACE.sub("", message).strip()
        span = Span(file, line, column, line, column + 1)
        raise SettingsError(f"invalid TOML: {words[:1].lower()}{words[1:]}", "", span) from None
    except ValueError:  # of Python's own
        raise SettingsError("a number with too many digits", "", Span(file)) from None


def _table(data: Any, shared: bool) -> Any:
    for step in TABLE.split(".") if shared else ():
        data = data.get(step, {}) if isinstance(data, Mapping) else data
    return data


class _Reader:
    """One table of settings; mistakes are reported at their lines."""

    def __init__(self, text: str, path: str, codes: Codes) -> None:
        self.lines, self.file, self.codes = text.splitlines(), display_path(path), codes
        self.folder, self.name = os.path.split(path)

    def settings(self, table: Mapping[str, Any]) -> Settings:
        values: dict[str, Any] = {"file": self.file}
        for key, value in table.items():
            if key not in KEYS:
                hint: str = did_you_mean(key, KEYS, "available")
                if key == "tool":
                    hint = f"remove the table header: `{OWN}` takes top-level keys"
                self.fail(f"unknown key `{key}`", hint, key)
            values[key.replace("-", "_")] = self.value(key, value)
        return Settings(**values)

    def value(self, key: str, value: Any) -> Any:
        if key in ("strict", "force-exclude"):
            return value if isinstance(value, bool) else self.expected(key, "true or false")
        if key == "format":
            known = formats.names()
            return value if value in known else self.expected(key, f"one of {_list(known)}")
        if key == "baseline":
            text = value if isinstance(value, str) else self.expected(key, "the name of a file")
            return self.inside(text, key)
        if key == "per-file-ignores":
            if not isinstance(value, Mapping):
                self.expected(key, 'a table such as `{"specs/old" = ["AS304"]}`')
            return tuple(
                (seen_from_here(p, self.folder), self.names(key, rules, p))
                for p, rules in value.items()
            )
        names = self.names(key, value, key)
        if key == "paths":
            return tuple(self.inside(name, key) for name in names)
        if key == "exclude":
            return tuple(seen_from_here(name, self.folder) for name in names)
        return names

    def names(self, key: str, value: Any, place: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self.expected(place, "a list of strings")
        if len(value) > MOST_NAMES:
            self.expected(place, f"a list of at most {MOST_NAMES:,} strings")
        if key in ("select", "extend-select", "ignore", "per-file-ignores"):
            self.check_rules(value, place)
        if key == "imports" and not all(map(PACKAGE.fullmatch, value)):
            self.expected(place, "a list of packages and modules, such as `mypkg.layers`")
        return tuple(value)

    def check_rules(self, selectors: list[str], place: str) -> None:
        try:
            check_selectors(selectors, self.codes)
        except SettingsError as error:
            raise SettingsError(error.message, error.hint, self.span(place)) from None

    def inside(self, path: str, key: str) -> str:
        """The same for a path that must be in the project: a file may not name any other."""
        if "\0" in path or not is_in_project(os.path.join(self.folder, path), self.folder):
            hint = "pass it on the command line instead"
            self.fail(f"`{path}` is not in the project", hint, key)
        return self.here(path)

    def here(self, path: str) -> str:
        """A path of the file, relative to the working directory."""
        relative = not os.path.isabs(path) and self.folder != os.getcwd()
        return display_path(os.path.join(self.folder, path)) if relative else path

    def expected(self, key: str, what: str) -> Any:
        self.fail(f"`{key}` is {what}", "", key)

    def fail(self, message: str, hint: str, key: str) -> None:
        raise SettingsError(message, hint, self.span(key))

    def span(self, key: str) -> Span:
        """The location of a key in our table, or the table if the key is written in another way."""
        table, ours = "", self.name == OWN
        header = Span(self.file)
        pattern = re.compile(rf"""(\s*|.*[{{,.]\s*)["']?({re.escape(key)})["']?\s*=""")
        for number, line in enumerate(self.lines, 1):
            if found := re.match(r"\s*\[([^\[\]]+)\]", line):
                table = re.sub(r"[\s\"']", "", found[1])
                if table == TABLE or table == f"{TABLE}.{key}":
                    header = Span(self.file, number, 1, number, len(line) + 1)
            inside = table.startswith(TABLE) or ours or TABLE in line
            if inside and (found := pattern.match(line)):
                start, end = found.span(2)
                return Span(self.file, number, start + 1, number, end + 1)
        return header


def _list(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)

"""What one may set: in `[tool.archspec]` of `pyproject.toml`, in `archspec.toml`, on the line."""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

import json
from typing import NamedTuple

from archspec.diagnostics import Span

Names = tuple[str, ...]


class Settings(NamedTuple):
    """Settings of `lint`.

    Attributes:
        paths: what is linted where the command line names nothing.
        exclude: patterns of files and folders to leave out.
        force_exclude: those that are named are left out too.
        select: the rules that are on; none named means all.
        extend_select: rules that are on as well.
        ignore: rules that are off.
        per_file_ignores: patterns of files, each with the rules that are off there.
        strict: warnings count as errors do.
        format: how findings are written; "" is `full` on a terminal and `concise` elsewhere.
        baseline: a file of findings that are known and not reported.
        file: the file that the settings are from, "" if there is none.
    """

    paths: Names = ("specs",)
    exclude: Names = ()
    force_exclude: bool = False
    select: Names = ()
    extend_select: Names = ()
    ignore: Names = ()
    per_file_ignores: tuple[tuple[str, Names], ...] = ()
    strict: bool = False
    format: str = ""
    baseline: str = ""
    file: str = ""


class SettingsError(Exception):
    """Settings that are not valid (exit code 2 on the command line)."""

    def __init__(self, message: str, hint: str = "", span: Span | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.span = message, hint, span


def show(settings: Settings) -> str:
    """The settings as TOML."""
    lines = [f"# {settings.file or 'no configuration file: these are the defaults'}"]
    for name in KEYS:
        value = getattr(settings, name.replace("-", "_"))
        if name == "format":
            value = value or "full"
            lines.append(f'format = "{value}"' + " # concise where output is no terminal")
        elif name == "per-file-ignores":
            ignores = (f"{_text(pattern)} = {_list(rules)}" for pattern, rules in value)
            lines.append(f"{name} = {{{', '.join(ignores)}}}")
        elif isinstance(value, tuple):
            lines.append(f"{name} = {_list(value)}")
        else:
            lines.append(f"{name} = {_text(value) if isinstance(value, str) else _bool(value)}")
    return "\n".join(lines)


KEYS = [name.replace("_", "-") for name in Settings._fields if name != "file"]


def _text(value: str) -> str:
    return json.dumps(value)


def _list(values: Names) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _bool(value: bool) -> str:
    return "true" if value else "false"

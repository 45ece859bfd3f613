"""Values read from the JSON of the cache, by their types; anything else is rejected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from archspec.diagnostics import Span
from archspec.lint import formats
from archspec.lint.checked import Checked, Codes
from archspec.lint.settings import Settings
from archspec.paths import display_path

CODE = re.compile(r"AS\d{3}")
NAME = re.compile(r"[a-z0-9-]+")


def codes_from(data: Mapping[str, Any]) -> Codes:
    """Names and codes of rules; none if there is anything else."""
    ours = (NAME.fullmatch(name) and CODE.fullmatch(str(code)) for name, code in data.items())
    return data if all(ours) else {}


def settings_from(data: Any) -> Settings | None:
    """The settings in a file; None for data that archspec did not write."""
    try:
        settings: Settings = _read(Settings, data)
    except ValueError:
        return None
    return settings if settings.format in ("", *formats.names()) else None


def checked_from(data: Any, file: str, seen: Iterable[str], codes: Codes) -> Checked | None:
    """The result for a file; None for data that archspec did not write.

    Locations must be in the file, or in one that was looked up with it.
    """
    try:
        checked: Checked = _read(Checked, data)
    except ValueError:
        return None
    spans = list(_spans(checked))
    elsewhere = {span.file for span in spans} - {file}
    ours = checked.file == file and (not elsewhere or elsewhere <= set(map(display_path, seen)))
    lines = all(min(span[1:5]) > 0 for span in spans)
    known = all(finding.rule in codes for finding in checked.findings)
    return checked if ours and lines and known else None


def _spans(value: Any) -> Iterable[Span]:
    """The locations in a value."""
    if isinstance(value, Span):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _spans(part)


def _read(kind: Any, data: Any) -> Any:
    """A value of type `kind` from its JSON; raises `ValueError` for any other data."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is UnionType:  # the only unions are with None
        return None if data is None else _read(inside[0], data)
    if origin is Literal:
        kind = str if data in inside else None
    elif origin is tuple and inside[-1] is ...:
        return tuple(_read(inside[0], part) for part in _list(data))
    elif origin is tuple:
        return tuple(_read(of, part) for of, part in zip(inside, _list(data), strict=True))
    elif hasattr(kind, "_fields"):
        kinds = kind.__annotations__.values()
        return kind(*(_read(of, part) for of, part in zip(kinds, _list(data), strict=True)))
    if type(data) is not kind:
        raise ValueError
    return data


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError
    return data

"""Settings: what `--set` and keyword arguments say, laid over what a spec says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archspec.diagnostics import Span, SpecError, did_you_mean
from archspec.language.models import KEYS
from archspec.language.problems import Problem, describe, diagnose
from archspec.source import Map, parse
from archspec.source.data import copy


def setting(text: str) -> tuple[str, Any]:
    """`args.classes=10` as a path and a value; the value is read as YAML."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        problem = Problem("setting", f"`{text}` sets nothing", "write `--set args.classes=10`")
        raise SpecError([diagnose(problem, None)])
    return path.strip(), parse(f"value: {value}", f"--set {path}")["value"]


def keywords(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `build_module` as settings: `classes=10`, `input=[1, 28, 28]`."""
    for name, value in values.items():
        if not isinstance(value, (int, float, list, tuple)):
            raise TypeError(f"{name}={describe(value)}: a number is expected")
    return {
        name if name == "input" else f"args.{name}": list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }


def changed_by(settings: Mapping[str, Any], data: Mapping[str, Any]) -> Map:
    """A copy of the mapping with these values, by path; raises `SpecError`."""
    changed = copy(data)
    problems = [p for path, value in settings.items() for p in _set(changed, path, value)]
    if problems:
        raise SpecError(diagnose(problem, None) for problem in problems)
    return changed


def _set(data: Map, path: str, value: Any) -> Iterable[Problem]:
    *outer, last = path.split(".")
    here: Any = data
    for step in outer:
        if not isinstance(here, Mapping) or step not in here:
            known = list(here) if isinstance(here, Mapping) else []
            yield _no_place(path, step, known)
            return
        here = here[step]
    if not isinstance(here, Map):
        yield _no_place(path, last, [])
    elif path not in KEYS and path in data.get("args", {}):
        yield Problem("setting", f"there is no `{path}` to set", f"did you mean `args.{path}`?")
    elif outer == ["args"] and last not in here:
        yield _no_place(path, last, list(here))
    else:
        here[last] = value
        here.key_spans[last] = here.value_spans[last] = Span(f"--set {path}")


def _no_place(path: str, step: str, known: list[str]) -> Problem:
    hint = did_you_mean(step, known, "there are") or "see `archspec show SPEC --resolved`"
    return Problem("setting", f"there is no `{path}` to set (`{step}` is not in the spec)", hint)

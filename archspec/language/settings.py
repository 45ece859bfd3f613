"""Settings: what `--set` and keyword arguments say, laid over what a spec says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archspec.diagnostics import Diagnostic, Span, SpecError, did_you_mean, dotted, shown
from archspec.language.problems import Problem, describe
from archspec.language.spec import KEYS
from archspec.source.document import Changed, Document, copied
from archspec.source.reader import parse


def setting(text: str) -> tuple[str, Any]:
    """`args.classes=10` as a path and a value; the value is read as YAML."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        problem = Problem("setting", f"`{text}` sets nothing", "write `--set args.classes=10`")
        raise SpecError([_finding(problem)])
    return path.strip(), parse(f"value: {value}", f"--set {path}").data["value"]


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


def changed_by(settings: Mapping[str, Any], document: Document) -> Document:
    """A copy of the document with these values, by path; raises `SpecError`."""
    data = copied(document.data)
    problems = [
        problem.below(*path.split("."))
        for path, value in settings.items()
        for problem in _set(data, path, value)
    ]
    if problems:
        raise SpecError(map(_finding, problems))
    return Changed(data, document, {tuple(p.split(".")): _place(p, document) for p in settings})


def _place(path: str, document: Document) -> Span:
    return Span(f"--set {path}") if document.top else Span("", path=shown(path))


def _finding(problem: Problem) -> Diagnostic:
    return Diagnostic(problem.rule, problem.message, None, problem.hint, path=dotted(problem.path))


def _set(data: dict[str, Any], path: str, value: Any) -> Iterable[Problem]:
    *outer, last = path.split(".")
    here: Any = data
    if outer == ["args"]:
        data.setdefault("args", {})
    for step in outer:
        if not isinstance(here, dict) or step not in here:
            yield _no_place(path, step, list(here) if isinstance(here, dict) else [])
            return
        here = here[step]
    if not isinstance(here, dict):
        yield _no_place(path, last, [])
    elif path not in KEYS and path in data.get("args", {}):
        yield Problem("setting", f"there is no `{path}` to set", f"did you mean `args.{path}`?")
    elif value is not None:
        here[last] = value
    elif here.pop(last, here) is here:
        yield _no_place(path, last, list(here))


def _no_place(path: str, step: str, known: list[str]) -> Problem:
    hint = did_you_mean(step, known, "there are") or "see `archspec show SPEC --resolved`"
    return Problem("setting", f"there is no `{path}` to set (`{step}` is not in the spec)", hint)

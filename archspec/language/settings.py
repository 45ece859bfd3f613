"""Settings: `--set` and keyword arguments, which override values of a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from archspec.diagnostics import Diagnostic, Span, SpecError, did_you_mean, dotted, shown
from archspec.language.problems import Problem, describe
from archspec.language.spec import KEYS
from archspec.places import Path
from archspec.source.document import Changed, Document, copied, holds
from archspec.source.reader import parse

SECTIONS = ("args", "stages", "stem", "head", "blocks", "defaults")
# What else a keyword argument may mean.
_MEANT = {
    "args": "; pass arguments by name, as in `classes=10`",
    "weights": "; `archspec.from_weights` loads a checkpoint",
}
PLACE = r"[0-9]{1,6}\Z"


def setting(text: str) -> tuple[str, Any]:
    """`args.classes=10` as a path and a value; the value is read as YAML."""
    if problem := _not_text(text):
        raise SpecError([_finding(problem)])
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        message = f"expected `PATH=VALUE` after `--set`, found `{text}`"
        problem = Problem("setting", message, "for example, `--set args.classes=10`")
        raise SpecError([_finding(problem)])
    return path.strip(), parse(f"value: {value}", f"--set {path}").data["value"]


def _not_text(text: str) -> Problem | None:
    """The problem with bytes that are not UTF-8, as they reach a program from a shell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        hint = "set up the terminal for UTF-8, or write the character as `\\u00e9` in double quotes"
        return Problem("not-utf8", f"`{text}` is not UTF-8", hint)
    return None


class Keywords(dict[str, Any]):
    """Settings from keyword arguments of Python: findings in them show `classes=10`."""


def keywords(values: Mapping[str, Any]) -> Keywords:
    """Keyword arguments of `build_module` as settings: `classes=10`, `input=[1, 28, 28]`."""
    for name, value in values.items():
        if not name.isidentifier():
            raise TypeError(f"expected the name of an argument, such as `classes`, found {name!r}")
        if not isinstance(value, (int, float, list, tuple)):
            hint = _MEANT.get(name, "")
            raise TypeError(f"{name}: expected a number or a list, found {describe(value)}{hint}")
    return Keywords(
        {
            name if name == "input" else f"args.{name}": list(value)
            if isinstance(value, tuple)
            else value
            for name, value in values.items()
        }
    )


def changed_by(settings: Mapping[str, Any], document: Document) -> Document:
    """A copy of the document with these values, by path; raises `SpecError`."""
    data = copied(document.data)
    if isinstance(settings, Keywords) and not isinstance(data.get("args", {}), dict):
        return document  # which is reported instead
    places, problems = dict[Path, Span | Path](), list[Problem]()
    for path, value in settings.items():
        steps = _steps(data, path)
        found = list(_set(data, steps, path, value))
        problems += (problem.below(*steps) for problem in found)
        places[steps] = _place(path, value, settings, document)
    if problems:
        raise SpecError(map(_finding, problems))
    return Changed(data, document, places)


def _place(path: str, value: Any, settings: Mapping[str, Any], document: Document) -> Span:
    if isinstance(settings, Keywords):
        return Span("", path=shown(f"{path.removeprefix('args.')}={value!r}"))
    return Span(f"--set {path}") if document.top else Span("", path=shown(path))


def _finding(problem: Problem) -> Diagnostic:
    return Diagnostic(problem.rule, problem.message, None, problem.hint, path=dotted(problem.path))


def _steps(data: Any, path: str) -> Path:
    """The keys in a path. A key may itself contain dots; a number is an index into a list."""
    here, steps, rest = data, list[str | int](), path.split(".")
    while rest:
        ends = range(len(rest), 1, -1) if isinstance(here, dict) else ()
        end = next((end for end in ends if ".".join(rest[:end]) in here), 1)
        step: str | int = ".".join(rest[:end])
        if isinstance(here, list) and re.match(PLACE, rest[0]):
            step = int(step)
        rest, here = rest[end:], here[step] if holds(here, step) else None
        steps.append(step)
    return tuple(steps)


def _set(data: dict[str, Any], steps: Path, path: str, value: Any) -> Iterator[Problem]:
    *outer, last = steps
    here: Any = data
    if problem := _not_text(path) or _in_a_section(data, steps, path):
        yield problem
        return
    if path == "extends":
        hint = "use a spec of two lines, `name: ...` and `extends: ...`"
        yield Problem("setting", "`extends` cannot be overridden", hint)
        return
    if outer == ["args"]:
        data.setdefault("args", {})
    for place, step in enumerate(outer):
        if not holds(here, step):
            yield _no_place(data, path, steps[:place], step, here)
            return
        here = here[step]
    if isinstance(here, list) and value is None:
        hint = f"set the whole list: `--set {'.'.join(map(str, outer))}=[...]`"
        yield Problem("setting", f"cannot remove `{path}`: it is in a list", hint)
    elif (isinstance(here, dict) and value is not None) or holds(here, last):
        if value is None:
            del here[last]
        else:
            here[last] = value
    else:
        yield _no_place(data, path, tuple(outer), last, here)


def _in_a_section(data: dict[str, Any], steps: Path, path: str) -> Problem | None:
    """A path that starts with the name of a stage, an entry, or an argument."""
    sections = [key for key in SECTIONS if steps[0] not in (*KEYS, *data)]
    for key in sections:
        if holds(data.get(key), _steps(data.get(key), path)[0]):
            hint = f"did you mean `{key}.{path}`?"
            return Problem("setting", f"cannot set `{path}`: it is not in the spec", hint)
    return None


def _no_place(data: dict[str, Any], path: str, outer: Path, step: str | int, here: Any) -> Problem:
    message = f"cannot set `{path}`: the spec has no `{step}`"
    if isinstance(here, list):
        hint = f"it is a list: its entries are 0 to {len(here) - 1}" if here else "it is empty"
    elif isinstance(here, dict):
        hint = did_you_mean(str(step), list(here), "available")
    else:
        whole = ".".join(map(str, outer))
        message = f"cannot set `{path}`: `{whole}` is {describe(here)}"
        hint = f"set the whole value: `--set '{whole}={{...}}'`"
    return Problem(
        "setting", message, hint or ("run `archspec show SPEC --resolved` to see the resolved spec")
    )

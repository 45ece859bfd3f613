"""Findings inside pydantic: raised with a place relative to what is validated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from archspec.diagnostics import Diagnostic, Hint, Label, Span, did_you_mean
from archspec.source import locate

Step = str | int


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding whose place is a path below the value being validated.

    `key` points at the key of the path, not at its value.
    """

    rule: str
    message: str
    hint: str = ""
    path: tuple[Step, ...] = ()
    key: bool = False

    def below(self, *steps: Step) -> Problem:
        return Problem(self.rule, self.message, self.hint, (*steps, *self.path), self.key)


class Problems(Exception):
    """Findings of a plain function, before they reach pydantic."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)


def fail(rule: str, message: str, hint: str = "", *path: Step, key: bool = False) -> NoReturn:
    raise Problems([Problem(rule, message, hint, path, key)])


class Collector:
    """Gathers the findings of several steps, so that a person sees all at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, rule: str, message: str, hint: str = "", *path: Step, key: bool = False) -> None:
        self.problems.append(Problem(rule, message, hint, path, key))

    def trying(self, *steps: Step) -> _Trying:
        """A `with` block whose findings are kept, placed below `steps`."""
        return _Trying(self, steps)

    def finish(self) -> None:
        if self.problems:
            raise Problems(self.problems)


class _Trying:
    def __init__(self, collector: Collector, steps: tuple[Step, ...]) -> None:
        self.collector, self.steps = collector, steps

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> bool:
        if not isinstance(error, Problems):
            return False
        self.collector.problems += [p.below(*self.steps) for p in error.problems]
        return True


def to_pydantic(error: Problems) -> ValidationError:
    """The same findings as pydantic's own error, which it places inside the larger one."""
    return ValidationError.from_exception_data("spec", [_details(p) for p in error.problems])


def _details(problem: Problem) -> InitErrorDetails:
    context = {"message": problem.message, "hint": problem.hint, "key": problem.key}
    return InitErrorDetails(
        type=PydanticCustomError(problem.rule, "{message}", context),
        loc=problem.path,
        input=None,
    )


def problems_of(error: ValidationError, choices: Iterable[str] = ()) -> list[Problem]:
    """Pydantic's findings in our words; `choices` are the keys of the outermost model."""
    return [_problem(e, list(choices)) for e in error.errors(include_url=False)]


def _problem(error: Any, choices: Sequence[str]) -> Problem:
    kind, path, context = error["type"], tuple(error["loc"]), error.get("ctx", {})
    if "key" in context and "message" in context:
        return Problem(kind, context["message"], context["hint"], path, context["key"])
    if kind == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), choices) if len(path) == 1 else ""
        return Problem("unknown-key", f"unknown key `{path[-1]}`", hint, path, key=True)
    if kind == "missing":
        return Problem("missing-key", f"`{path[-1]}` is missing", f"write `{path[-1]}:`", path[:-1])
    found = describe(error["input"])
    expected = error["msg"][0].lower() + error["msg"][1:]
    rule = "wrong-type" if kind.endswith("_type") else "out-of-range"
    return Problem(rule, f"{expected}, found {found}", "", path)


def describe(value: Any) -> str:
    """A value as a person would name it, cut short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value!r}`"[:40]
        case str():
            return f"the text `{value[:40]}`"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a map" if value else "an empty map"
    return f"a {type(value).__name__}"


def diagnose(problem: Problem, data: Any, *labels: Label) -> Diagnostic:
    """The finding at its place in `data`."""
    span: Span | None = locate(data, problem.path, problem.key)
    hint = problem.hint
    fix = hint.at(span) if problem.key and isinstance(hint, Hint) else None
    return Diagnostic(problem.rule, problem.message, span, hint, labels, fix=fix)

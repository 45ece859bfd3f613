"""From a file, a name or a mapping to a checked `Spec`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archspec import resources
from archspec.diagnostics import Diagnostic, SpecError, UnreadableFile, did_you_mean
from archspec.source import Map, parse, read, resolve
from archspec.source.files import display_path
from archspec.spec.blocks import block_of
from archspec.spec.check import check, check_block
from archspec.spec.library import BlockError, Library
from archspec.spec.models import Spec
from archspec.spec.problems import Problem, Problems, describe, diagnose, problems_of

Source = str | Path | Mapping[str, Any] | Spec
KEYS = [f.alias or name for name, f in Spec.model_fields.items()]


def load(source: Source, settings: Mapping[str, Any] | None = None) -> Spec:
    """A checked spec.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet50`), a mapping, or
    a `Spec`. `settings` are values laid over it, by path: `{"args.classes": 10}`.

    Raises `SpecError` with every finding, and `UnreadableFile` if there is no such file.
    """
    if isinstance(source, Spec) and not settings and source._library is not None:
        return source
    if isinstance(source, Spec):
        beside = source._library.beside if source._library else None
        return from_data(_plain(source), beside, settings)
    if isinstance(source, Mapping):
        return from_data(source, None, settings)
    path = find(source)
    return from_data(_resolved(read(path), path.parent), path.parent, settings)


def _plain(spec: Spec) -> Mapping[str, Any]:
    if spec.data is None:
        raise TypeError("this Spec was not made from a mapping or a file")
    return spec.data  # type: ignore[no-any-return]


def find(source: str | Path) -> Path:
    """The file that a path or a shipped name means; raises `UnreadableFile`."""
    path = Path(source)
    if path.suffix or path.exists() or len(path.parts) > 1:
        return path
    for folder in (resources.SPECS, resources.ZOO):
        if (folder / f"{source}.yaml").is_file():
            return folder / f"{source}.yaml"
    hint = did_you_mean(str(source), shipped())
    raise UnreadableFile(f"there is no file and no shipped spec `{source}` ({hint})")


def shipped() -> list[str]:
    """The names of the specs that come with archspec."""
    folders = (resources.SPECS, resources.ZOO)
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def parse_text(text: str | bytes, file: str, beside: Path | None = None) -> Spec:
    """A checked spec from YAML text that stands in no file; `file` names it in findings."""
    return from_data(_resolved(parse(text, file), beside), beside, None)


def check_block_text(text: str | bytes, file: str) -> list[Diagnostic]:
    """What is wrong with a block that stands in a file of its own, whoever uses it."""
    path = Path(file)
    data = parse(text, file)
    try:
        block = block_of(data)
    except Problems as error:
        raise SpecError(diagnose(p, data) for p in error.problems) from None
    return check_block(path.stem, block, Library({}, path.parent.parent))


def _resolved(data: Map, beside: Path | None) -> Map:
    return resolve(data, partial(_base, beside))


def _base(beside: Path | None, name: str, span: Any) -> Map:
    """The spec that another extends: the file beside it, then the shipped ones."""
    folders = [*([beside] if beside else []), resources.SPECS, resources.ZOO]
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file() and not (span and display_path(path) == span.file):
            return read(path)
    known = {p.stem for folder in folders for p in folder.glob("*.yaml")}
    hint = did_you_mean(name, known)
    raise SpecError([Diagnostic("extends", f"there is no spec `{name}` to extend", span, hint)])


def from_data(
    data: Mapping[str, Any], beside: Path | None, settings: Mapping[str, Any] | None
) -> Spec:
    """A checked spec from a merged mapping."""
    if settings:
        data = _with_settings(data, settings)
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        raise SpecError(diagnose(p, data) for p in problems_of(error, KEYS)) from None
    except BlockError as error:
        raise SpecError(error.diagnostics) from None
    spec._library = Library(spec.blocks, beside)
    spec._changed = bool(settings)
    findings = check(spec)
    if findings:
        raise SpecError(findings)
    return spec


# Settings from outside ----------------------------------------------------------------


def _with_settings(data: Mapping[str, Any], settings: Mapping[str, Any]) -> Map:
    changed = _copy(data)
    problems = [p for path, value in settings.items() for p in _set(changed, path, value)]
    if problems:
        raise SpecError(diagnose(problem, None) for problem in problems)
    return changed


def _copy(data: Mapping[str, Any]) -> Map:
    """The maps anew, everything else shared; places are kept."""
    copy = Map({k: _copy(v) if isinstance(v, Mapping) else v for k, v in data.items()})
    for name in ("span", "key_spans", "value_spans"):
        if hasattr(data, name):
            setattr(copy, name, getattr(data, name))
    return copy


def _set(data: Map, path: str, value: Any) -> Iterable[Problem]:
    *outer, last = path.split(".")
    here: Any = data
    for step in outer:
        if not isinstance(here, Mapping) or step not in here:
            known = list(here) if isinstance(here, Mapping) else []
            yield _no_place(path, step, known)
            return
        here = here[step]
    if not isinstance(here, dict):
        yield _no_place(path, last, [])
    elif outer == ["args"] and last not in here:
        yield _no_place(path, last, list(here))
    else:
        here[last] = value


def _no_place(path: str, step: str, known: list[str]) -> Problem:
    hint = did_you_mean(step, known, "there are") or "see `archspec show SPEC --resolved`"
    return Problem("setting", f"there is no `{path}` to set (`{step}` is not in the spec)", hint)


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

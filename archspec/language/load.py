"""From a file, a name or a mapping to a checked `Spec`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archspec import resources
from archspec.diagnostics import Diagnostic, SpecError, UnreadableFile, did_you_mean
from archspec.language.amount import characters
from archspec.language.check import check
from archspec.language.library import BlockError, Library
from archspec.language.models import KEYS, Spec
from archspec.language.problems import Problem, diagnose, problems_of
from archspec.source import Map, parse, read, resolve, seen
from archspec.source.extends import Unmerged, led_here
from archspec.source.files import MAX_BYTES, display_path, leaves_project, working_folder
from archspec.source.findings import MAX_FINDINGS
from archspec.source.shared import shared_file

Source = str | Path | Mapping[str, Any] | Spec
WRITTEN = [*KEYS, "extends"]

MOST_ROUNDS = 3


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
        data = _resolved(source, None) if "extends" in source else source
        return from_data(data, None, settings)
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
    here = path.with_name(f"{path.name}.yaml")
    if here.is_file():
        hint = f"did you mean `{here}`?"
    else:
        hint = did_you_mean(path.name, shipped()) or "`archspec list` names the shipped specs"
    raise UnreadableFile(f"there is no file and no shipped spec `{source}` ({hint})")


def shipped() -> list[str]:
    """The names of the specs that come with archspec."""
    folders = (resources.SPECS, resources.ZOO)
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def parse_text(
    text: str | bytes, file: str, beside: Path | None = None, but: str | None = None
) -> Spec:
    """A checked spec from YAML text that stands in no file; `file` names it in findings.

    `but` is a name that it may not extend.
    """
    data = parse(text, file)
    if but is not None and data.get("extends") == but:
        raise SpecError([Diagnostic("extends", f"`{but}` extends `{but}`", data.span)])
    return from_data(_resolved(data, beside), beside, None)


def _resolved(data: Mapping[str, Any], beside: Path | None) -> Map:
    bases = _Bases(beside)
    try:
        return resolve(dict(data) if not isinstance(data, Map) else data, bases.find)
    except Unmerged as error:
        raise SpecError([*error.diagnostics, *_findings(error.rest, beside)]) from None


def _findings(data: Map, beside: Path | None, rounds: int = MOST_ROUNDS) -> Iterable[Diagnostic]:
    try:
        from_data(data, beside, None, rounds)
    except SpecError as error:
        return error.diagnostics
    return ()


@lru_cache(maxsize=64)
def _parsed_once(path: str, _stamp: tuple[int, int, str]) -> Map:
    return read(path)


def _parsed(path: str) -> Map:
    """A base, read again only when the file or its shown path has changed; never altered."""
    status = os.stat(path)
    return _parsed_once(path, (status.st_mtime_ns, status.st_size, working_folder()))


class _Bases:
    """The specs that one extends. All of them are no larger than one may be."""

    def __init__(self, beside: Path | None) -> None:
        self.beside = beside
        self.bytes = 0

    def find(self, name: str, span: Any) -> Map:
        """The spec of a name: the file beside, then the shipped ones."""
        folders = [*([self.beside] if self.beside else []), resources.SPECS, resources.ZOO]
        for folder in folders:
            path = f"{folder}/{name}.yaml"
            if seen.is_file(path) and not (span and _is_shown(path, name, span.file)):
                if folder is self.beside and leaves_project(path, folder):
                    message = f"`{name}` is a link that leads out of the project"
                    copy = "put a copy of the file here"
                    raise SpecError([Diagnostic("extends", message, span, copy)])
                return self.read(path, span)
        raise _nothing_to_extend(name, folders, span)

    def read(self, path: str, span: Any) -> Map:
        """A spec that is there."""
        size = shared_file(os.path.getsize, path, partial(os.path.getsize, path))
        self.bytes += size
        if size <= MAX_BYTES < self.bytes:
            message = f"the specs that this one extends are larger than {MAX_BYTES:,} bytes"
            raise SpecError([Diagnostic("too-large", message, span, "extend smaller ones")])
        return shared_file(_parsed, path, partial(_parsed, path))


def _is_shown(path: str, name: str, file: str) -> bool:
    """Whether `file` is how the path is shown."""
    return file.endswith(f"{name}.yaml") and display_path(path) == file


def _nothing_to_extend(name: str, folders: Iterable[Path], span: Any) -> SpecError:
    known = {stem for folder in folders for stem in seen.stems(folder)} - {name}
    hint: str = did_you_mean(name, known) or "`archspec list specs` names the shipped ones"
    if span and Path(span.file).stem == name:
        hint = "a spec never extends itself: name another one, or remove the line"
    return SpecError([Diagnostic("extends", f"there is no spec `{name}` to extend", span, hint)])


def from_data(
    data: Mapping[str, Any],
    beside: Path | None,
    settings: Mapping[str, Any] | None,
    rounds: int = MOST_ROUNDS,
) -> Spec:
    """A checked spec from a merged mapping; what is wrong is left out so many times."""
    if settings:
        from archspec.language.settings import changed_by

        data = changed_by(settings, data)
    try:
        characters(data, "this spec")
        spec = Spec.read(data)
    except ValidationError as error:
        from archspec.language.wrong.indented import told

        problems = told(_only_extends(problems_of(error, WRITTEN)), data)
        found = [diagnose(p, data) for p in problems]
        found += _elsewhere(data, problems, beside, rounds)
        raise SpecError(led_here(found, data)) from None
    except (BlockError, SpecError) as error:
        raise SpecError(led_here(error.diagnostics, data)) from None
    spec.keep(data, Library(spec.blocks, beside), bool(settings))
    findings = check(spec)
    if findings:
        raise SpecError(led_here(findings, data))
    return spec


def _elsewhere(
    data: Mapping[str, Any], problems: list[Problem], beside: Path | None, rounds: int
) -> list[Diagnostic]:
    """What is wrong in the rest of a spec: read again without what has findings already."""
    from archspec.language.rest import of_the_rest, without

    few = rounds and len(problems) <= MAX_FINDINGS
    rest = without(data, problems) if few else None
    if rest is None:
        return []
    return of_the_rest(_findings(rest, beside, rounds - 1), problems)


def _only_extends(problems: list[Problem]) -> list[Problem]:
    """A misspelt `extends` alone: what is missing besides may stand in the spec that it names."""
    return [p for p in problems if getattr(p.hint, "instead", "") == "extends"] or problems

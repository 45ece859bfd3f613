"""From a file, a name, or a mapping to a checked `Spec`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from os.path import isdir
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archspec import resources
from archspec.diagnostics import Diagnostic, SpecError, UnreadableFile, did_you_mean
from archspec.files import is_there, names_in, read_bytes, similar
from archspec.language.bases import Bases
from archspec.language.check import check
from archspec.language.library import Library, parsed
from archspec.language.limits import characters
from archspec.language.lines import at_user_line
from archspec.language.problems import Problem, describe, diagnose, problems_of
from archspec.language.reading import unknown_args
from archspec.language.recovery import is_aside, of_the_rest, without
from archspec.language.settings import changed_by
from archspec.language.spec import KEYS, Spec
from archspec.language.suggestions.indented import empty_sections
from archspec.language.suggestions.unknown import not_nested, section_hints
from archspec.language.train import Train
from archspec.memo import Memo
from archspec.paths import display_path
from archspec.source.document import Document
from archspec.source.extends import UnmergedError, led_here, resolve
from archspec.source.findings import MAX_FINDINGS
from archspec.source.folder import Files
from archspec.source.reader import parse

Source = str | Path | Mapping[str, Any] | Spec
WRITTEN = [*KEYS, "extends"]
MOST_ROUNDS = 3
_LIST = "run `archspec list specs` to see the built-in specs"
Tried = tuple[Iterable[Diagnostic], Spec | None]  # the findings, and the spec if it can be read


def load(
    source: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    memo: Memo | None = None,
    files: Files | None = None,
) -> Spec:
    """A checked spec.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet50`), a mapping, or
    a `Spec`. `settings` override values by path: `{"args.classes": 10}`. `memo` holds results that
    specs share, `files` the files as read in this run.

    Raises `SpecError` with all findings, and `UnreadableFile` if the file does not exist or if it
    or a file it needs cannot be read.
    """
    if not isinstance(source, (str, PathLike, Mapping, Spec)):
        expected = "the path of a file, the name of a built-in spec, a mapping, or a `Spec`"
        raise TypeError(f"expected {expected}; found {describe(source)}")
    if isinstance(source, Spec) and not settings and source.library is not None:
        return source
    loader = Loader(files or Files(), memo)
    if isinstance(source, Spec):
        loader.beside = source.library.beside if source.library else None
        return loader.load(source.document, settings)
    if isinstance(source, Mapping):
        document = Document(source)
        whole = loader.resolved(document) if "extends" in source else document
        return loader.load(whole, settings)
    path = find(source)
    loader.beside = path.parent
    document = parsed(read_bytes(path), display_path(path), memo=memo)
    return loader.load(loader.resolved(document), settings)


def find(source: str | Path) -> Path:
    """The file of a path or a built-in name; raises `UnreadableFile`."""
    if not str(source).strip():
        raise UnreadableFile("expected a file or a built-in spec, found an empty name", _LIST)
    if "\n" in str(source):
        message = "expected a file or a built-in spec, found text of several lines"
        raise UnreadableFile(message, "save the text in a file, or pass `yaml.safe_load(text)`")
    path = Path(source)
    if isdir(path):
        message = f"could not read `{display_path(path)}`: it is a directory"
        raise UnreadableFile(message, "use the path of a file in it")
    if is_there(path):
        return path
    if path.suffix or len(path.parts) > 1:
        message = f"could not read `{display_path(path)}`: no such file or directory"
        own = f"did you mean the built-in spec `{path.stem}`?" if path.stem in shipped() else ""
        raise UnreadableFile(message, own or similar(path))
    for folder in (resources.SPECS, resources.ZOO):
        if (folder / f"{source}.yaml").is_file():
            return folder / f"{source}.yaml"
    here = {Path(name).stem: name for name in names_in(".") if name.endswith(".yaml")}
    hint = did_you_mean(path.name, [*shipped(), *here.values()], aliases=here) or _LIST
    raise UnreadableFile(f"no file or built-in spec named `{source}`", hint)


def shipped() -> list[str]:
    """The names of the built-in specs."""
    folders = (resources.SPECS, resources.ZOO)
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def parse_text(
    text: str | bytes,
    file: str,
    beside: Path | None = None,
    but: str | None = None,
    *,
    memo: Memo | None = None,
    files: Files | None = None,
) -> Spec:
    """A checked spec from YAML text that is not in a file; findings refer to it as `file`.

    `but` is a name that it may not extend.
    """
    document = parse(text, file)
    if but is not None and document.data.get("extends") == but:
        message = f"`{but}` extends `{but}`"
        raise SpecError([Diagnostic("extends", message, document.span())])
    loader = Loader(files or Files(), memo, beside)
    return loader.load(loader.resolved(document))


class Loader:
    """Makes specs from documents: extends, reads, checks."""

    def __init__(self, files: Files, memo: Memo | None, beside: Path | None = None) -> None:
        self.files, self.memo, self.beside = files, memo, beside

    def resolved(self, document: Document) -> Document:
        """The document with its base specs merged in."""
        bases = Bases(self.beside, self.files, self.memo)
        try:
            return resolve(document, bases.find, self.memo)
        except UnmergedError as error:
            found, _ = self._tried(error.rest, MOST_ROUNDS)
            raise SpecError([*error.diagnostics, *found]) from None

    def load(self, document: Document, settings: Mapping[str, Any] | None = None) -> Spec:
        """A checked spec in which every argument that was set is used."""
        spec = self.spec(document, settings)
        if problems := list(unknown_args(spec, memo=self.memo)):
            findings = [diagnose(p, spec.document) for p in problems]
            raise _with_rest(SpecError(led_here(findings, spec.document)), spec)
        return spec

    def spec(
        self,
        document: Document,
        settings: Mapping[str, Any] | None = None,
        rounds: int = MOST_ROUNDS,
    ) -> Spec:
        """A checked spec from a merged document; mistakes are left out at most this many times."""
        if settings:
            document = changed_by(settings, document)
        rest: Spec | None = None
        try:
            characters(document, "this spec")
            spec = Spec.model_validate(document.data, context=self.memo)
            library = Library(spec.blocks, self.beside, self.files, self.memo, document)
            spec.keep(document, library, bool(settings))
            findings = check(spec, library)
        except ValidationError as error:
            problems = problems_of(error, WRITTEN)
            problems = empty_sections(_only_extends(problems), document.data)
            problems = section_hints(problems, document.data, Train.model_fields)
            shown = not_nested(problems, document.data)
            findings = [diagnose(p, document) for p in shown]
            more, rest = self._elsewhere(document, problems, rounds)
            findings += more
        except SpecError as error:
            findings = list(error.diagnostics)
        if findings:
            raise _with_rest(SpecError(map(at_user_line, led_here(findings, document))), rest)
        return spec

    def _tried(self, document: Document, rounds: int) -> Tried:
        try:
            return (), self.spec(document, None, rounds)
        except SpecError as error:
            return error.diagnostics, None

    def _elsewhere(self, document: Document, problems: list[Problem], rounds: int) -> Tried:
        """The findings in the rest of a spec: read again without the parts that already have
        findings.
        """
        few = rounds and len(problems) <= MAX_FINDINGS
        rest = without(document, problems) if few else None
        if rest is None:
            return (), None
        found, spec = self._tried(rest, rounds - 1)
        return of_the_rest(found, problems), spec if all(map(is_aside, problems)) else None


def _with_rest(error: SpecError, rest: Spec | None) -> SpecError:
    error.readable = rest
    return error


def _only_extends(problems: list[Problem]) -> list[Problem]:
    """A misspelled `extends` alone: keys missing besides may be in the spec that was meant."""
    return [p for p in problems if getattr(p.hint, "instead", "") == "extends"] or problems

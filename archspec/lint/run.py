"""`lint`: the files of some paths -> a report."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from archspec.diagnostics import Diagnostic, Label, Span, UnreadableFile
from archspec.files import is_there
from archspec.lint.baseline import without_known
from archspec.lint.checked import Checked, Codes, is_fatal
from archspec.lint.deferred import checker
from archspec.lint.discover import Discovered, beside_blocks, discover
from archspec.lint.imports import not_allowed
from archspec.lint.lookup import check_files
from archspec.lint.patterns import matches
from archspec.lint.report import Report, with_fingerprints
from archspec.lint.select import Selection
from archspec.lint.settings import Settings, SettingsError
from archspec.lint.sources import Sources
from archspec.lint.suppress import Suppressed
from archspec.paths import AnyPath, display_path

NUMBER = r"\d+"


def lint(paths: Iterable[AnyPath] = (), settings: Settings | None = None) -> Report:
    """Lint files, and directories with everything in them.

    Raises `UnreadableFile` if there is nothing to lint, and `SettingsError` for invalid settings.
    """
    settings = settings or Settings()
    files, _ = files_of((os.fspath(path) for path in paths), settings)
    checked = check_files(files, beside=beside_blocks(files, settings.exclude))
    return report_of(checked, settings, checker().codes)


def files_of(paths: Iterable[str], settings: Settings) -> tuple[list[str], list[str]]:
    """The files to lint, and warnings about paths and patterns that match nothing.

    Raises `UnreadableFile` if all files are excluded or none exist, and `SettingsError` if `paths`
    in a
    settings file names a path that does not exist.
    """
    named = list(paths)
    given = named or _existing(settings)
    found = discover(given, settings.exclude, settings.force_exclude)
    if not found.files and not (settings.force_exclude and discover(given).files):
        listed = ", ".join(f"`{path}`" for path in named or settings.paths)
        hint = "" if named else "name a file or directory: `archspec lint PATH`"
        raise UnreadableFile(f"no specs found in {listed}", hint)
    warnings = [f"no specs found in `{path}`" for path in found.empty]
    if not named:  # otherwise most patterns are about other files
        warnings += [f"{text}, which matches no files" for text in _unmatched(found, settings)]
    return found.files, warnings


def _existing(settings: Settings) -> list[str]:
    existing = [path for path in settings.paths if is_there(path)]
    for path in settings.paths if settings.paths != Settings().paths else ():
        if path not in existing:
            message = f"`paths` in `{settings.file}` names `{path}`, which does not exist"
            raise SettingsError(message, "paths are relative to the settings file")
    return existing


def _unmatched(found: Discovered, settings: Settings) -> Iterator[str]:
    """The patterns that match neither a linted file nor anything else that exists."""
    ignores = [pattern for pattern, _ in settings.per_file_ignores]
    lists = [
        ("exclude", settings.exclude, found.excluded),
        ("per-file-ignores", ignores, found.files),
    ]
    for key, patterns, paths in lists:
        for pattern in patterns:
            if not any(matches(path, [pattern]) for path in paths) and not is_there(pattern):
                yield f"`{key}` has `{pattern}`"


def report_of(
    checked: Iterable[Checked], settings: Settings, codes: Codes, sources: Sources | None = None
) -> Report:
    """The selected findings of checked files."""
    gathered = _Gathered(Selection(settings, codes), sources or Sources())
    for one in checked:
        gathered.add(one)
    report = gathered.report()
    return without_known(report, settings.baseline) if settings.baseline else report


class _Gathered:
    """All files of a run; of a clean one, hardly more than the name is kept."""

    def __init__(self, selection: Selection, sources: Sources) -> None:
        self.selection, self.sources = selection, sources
        self.files: list[str] = []
        self.unreadable: dict[str, None] = {}
        self.found: dict[tuple[str, Span | None, str], Diagnostic] = {}
        self.comments: dict[str, Checked] = {}
        self.written: dict[str, tuple[str, Span]] = {}

    def add(self, checked: Checked) -> None:
        if checked.unreadable:
            self.unreadable[checked.unreadable] = None  # once, however many files need it
            return
        self.files.append(checked.file)
        if checked.suppressions:
            self.comments[checked.file] = checked
        allowed = self.selection.settings.imports
        more = (*self._same_name(checked), *not_allowed(checked.imports, allowed))
        for diagnostic in (*checked.findings, *more):
            # A mistake in a block or a base spec is reported once, however many specs use it and
            # with whatever sizes.
            key = (diagnostic.rule, diagnostic.span, re.sub(NUMBER, "0", diagnostic.message))
            self.found.setdefault(key, diagnostic)

    def _same_name(self, checked: Checked) -> Iterator[Diagnostic]:
        """The files that `build` would generate for both this spec and one before it."""
        if checked.name is None:
            return
        name, span = checked.name
        for file in (name, f"train_{name}") if checked.script else (name,):
            other, first = self.written.setdefault(file, checked.name)
            if first is span:
                continue
            message = f"two specs are named `{name}`"
            if other != name:
                message = f"`{file}.py` would overwrite the model or training script of `{other}`"
            hint = "rename one of them: the name is that of the generated file"
            labels = (Label(first, "the other spec"),)
            yield Diagnostic("duplicate-spec-name", message, span, hint, labels)
            return

    def report(self) -> Report:
        """The findings to report, in order."""
        suppressed = Suppressed(self.comments, self.selection, self.sources)
        left = [
            shown
            for found in self.found.values()
            if self._wanted(found) and (shown := suppressed.left_of(found))
        ]
        left += [d for d in suppressed.findings() if self._wanted(d)]
        order = {file: number for number, file in enumerate(self.files)}
        left.sort(key=lambda d: _place(d, order))
        findings = with_fingerprints(left, self.selection.codes, self.sources)
        return Report(
            tuple(self.files), findings, tuple(self.unreadable), self.sources, suppressed.number
        )

    def _wanted(self, diagnostic: Diagnostic) -> bool:
        if is_fatal(diagnostic):
            return True
        file = diagnostic.span.file if diagnostic.span else ""
        left_out = matches(file, self.selection.settings.exclude) and file not in self.files
        return not left_out and self.selection.has(diagnostic.rule, file)


def _place(diagnostic: Diagnostic, order: dict[str, int]) -> tuple[int, Span, str, str]:
    span = diagnostic.span or Span("")
    return order.get(span.file, len(order)), span, diagnostic.rule, diagnostic.message


def named(file: str, settings: Settings) -> tuple[str, Settings]:
    """The name of a text that is not in a file, and the settings that apply to it."""
    if file:
        return display_path(file), settings
    ignore = (*settings.ignore, "name-differs-from-file")
    return "stdin.yaml", settings._replace(ignore=ignore)


def is_left_out(file: str, settings: Settings) -> bool:
    """Whether `force_exclude` excludes a text with this name; never, without a name."""
    return bool(file) and settings.force_exclude and matches(display_path(file), settings.exclude)


def lint_text(text: bytes, file: str, settings: Settings) -> Report:
    """Lint a text as if it were in `file`; without `file`, it may have any name."""
    if is_left_out(file, settings):
        return report_of([], settings, checker().codes)
    name, settings = named(file, settings)
    sources = Sources({name: text.decode(errors="replace").removeprefix("\ufeff")})
    return report_of([checker().text(text, name)], settings, checker().codes, sources)

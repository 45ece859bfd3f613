"""`lint`: the files of some paths -> a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from archspec.diagnostics import Diagnostic, Label, Span, UnreadableFile
from archspec.lint.check import Checked, check_text, is_fatal
from archspec.lint.discover import discover, is_excluded
from archspec.lint.many import check_files
from archspec.lint.report import Report, with_fingerprints
from archspec.lint.select import Selection
from archspec.lint.settings import Settings
from archspec.lint.sources import Sources
from archspec.lint.visible import visible
from archspec.record import field, record, replace

NUMBER = re.compile(r"\d+")


def lint(paths: Iterable[str | Path] = (), settings: Settings | None = None) -> Report:
    """Lints files, and folders with all that is in them.

    Raises `UnreadableFile` if there is nothing to lint, `SettingsError` for settings that mean
    nothing.
    """
    settings = settings or Settings()
    return report_of(check_files(files_of(map(str, paths), settings)), settings)


def files_of(paths: Iterable[str], settings: Settings) -> list[Path]:
    """The files to lint; raises `UnreadableFile` if there are none but those that are excluded."""
    named = list(paths)
    given = named or [path for path in settings.paths if Path(path).exists()]
    files = [Path(file) for file in discover(given, settings.exclude, settings.force_exclude)]
    if not files and not (settings.force_exclude and discover(given)):
        listed = ", ".join(f"`{visible(path)}`" for path in named or settings.paths)
        raise UnreadableFile(f"no spec found in {listed}")
    return files


def report_of(
    checked: Iterable[Checked], settings: Settings, sources: Sources | None = None
) -> Report:
    """The findings that are wanted, of files that were checked."""
    gathered = _Gathered(Selection(settings), sources or Sources())
    for one in checked:
        gathered.add(one)
    found, suppressed = gathered.finish()
    report = Report(
        tuple(gathered.files),
        with_fingerprints(found, gathered.sources) if found else (),
        tuple(gathered.unreadable),
        suppressed=suppressed,
        sources=gathered.sources,
    )
    if settings.baseline:
        from archspec.lint.baseline import without_known

        return without_known(report, settings.baseline)
    return report


@record(eq=False, frozen=False)
class _Gathered:
    """All files of a run; of a clean one hardly more than its name is kept."""

    selection: Selection
    sources: Sources
    files: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    found: dict[tuple[str, Span | None, str], Diagnostic] = field(default_factory=dict)
    comments: dict[str, Checked] = field(default_factory=dict)
    written: dict[str, tuple[str, Span]] = field(default_factory=dict)

    def add(self, checked: Checked) -> None:
        if checked.unreadable:
            self.unreadable.append(checked.unreadable)
            return
        self.files.append(checked.file)
        if checked.suppressions:
            self.comments[checked.file] = checked
        for diagnostic in (*checked.findings, *self._same_name(checked)):
            # What is wrong in a block or a base is said once, however many use it and whatever
            # sizes they use it with.
            key = (diagnostic.rule, diagnostic.span, NUMBER.sub("0", diagnostic.message))
            self.found.setdefault(key, diagnostic)

    def _same_name(self, checked: Checked) -> Iterator[Diagnostic]:
        """The files that `build` would write of this spec and of one before it."""
        if checked.name is None:
            return
        name, span = checked.name
        for file in (name, f"train_{name}") if checked.script else (name,):
            other, first = self.written.setdefault(file, checked.name)
            if first is span:
                continue
            message = f"two specs are called `{name}`"
            if other != name:
                message = f"`{file}.py` is also the model or the training script of `{other}`"
            hint = "give one another name: it is the name of the generated file"
            labels = (Label(first, "the other one"),)
            yield Diagnostic("duplicate-spec-name", message, span, hint, labels)
            return

    def finish(self) -> tuple[list[Diagnostic], int]:
        """The findings to report, in order, and how many comments suppress."""
        from archspec.lint.suppress import Suppressed

        suppressed = Suppressed(self.comments, self.selection, self.sources)
        left = [
            told
            for found in self.found.values()
            if self._wanted(found) and (told := suppressed.left_of(found))
        ]
        left += [d for d in suppressed.findings() if self._wanted(d)]
        order = {file: number for number, file in enumerate(self.files)}
        return sorted(left, key=lambda d: _place(d, order)), suppressed.number

    def _wanted(self, diagnostic: Diagnostic) -> bool:
        if is_fatal(diagnostic):
            return True
        file = diagnostic.span.file if diagnostic.span else ""
        left_out = is_excluded(file, self.selection.settings.exclude) and file not in self.files
        return not left_out and self.selection.has(diagnostic.rule, file)


def _place(diagnostic: Diagnostic, order: dict[str, int]) -> tuple[int, Span, str, str]:
    span = diagnostic.span or Span("")
    return order.get(span.file, len(order)), span, diagnostic.rule, diagnostic.message


def named(file: str, settings: Settings) -> tuple[str, Settings]:
    """What a text that stands in no file is called, and the settings that then hold."""
    from archspec.source.files import display_path

    if file:
        return display_path(file), settings
    ignore = (*settings.ignore, "name-differs-from-file")
    return "stdin.yaml", replace(settings, ignore=ignore)


def lint_text(text: bytes, file: str, settings: Settings) -> Report:
    """Lints a text as if it stood in `file`; without one, it may have any name."""
    name, settings = named(file, settings)
    sources = Sources({name: text.decode(errors="replace").removeprefix("\ufeff")})
    return report_of([check_text(text, name)], settings, sources)

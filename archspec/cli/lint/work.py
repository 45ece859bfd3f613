"""What the linter is asked to do, and what is written of it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TextIO

from archspec.cli.lint.settings import configured, settings_of
from archspec.diagnostics import Diagnostic, UnreadableFile
from archspec.lint.settings import Settings, SettingsError, show

if TYPE_CHECKING:
    from archspec.lint.cache import Cache
    from archspec.lint.report import Report


def lint(args: argparse.Namespace) -> int:
    """0 clean, 1 findings, 2 nothing could be linted."""
    try:
        settings = settings_of(args)
        if args.show_settings:
            print(show(settings))
            return 0
        return _lint(args, settings)
    except SettingsError as error:
        return _refused(error, args.color)
    except UnreadableFile as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _lint(args: argparse.Namespace, settings: Settings) -> int:
    if args.statistics:
        _check_statistics(args.format)
    if args.fix or args.diff:
        return _fix(args, settings)
    report = _report(args, settings)
    if args.write_baseline:
        return _write_baseline(report, args.write_baseline)
    _write(report, settings, args)
    return _unreadable(report) or report.exit_code(settings.strict)


def _write_baseline(report: Report, file: str) -> int:
    from archspec.lint.baseline import write_baseline
    from archspec.lint.words import count

    number = write_baseline(report, file)
    print(f"{count(number, 'warning')} written to {file}")
    if report.errors:
        left = f"{count(report.errors, 'error')} left out"
        print(f"{left}: mend what keeps a spec from being built, or exclude it", file=sys.stderr)
    return _unreadable(report) or report.exit_code()


def _check_statistics(form: str | None) -> None:
    from archspec.lint.formats.statistics import FORMATS as KNOWN

    if form and form not in KNOWN:
        raise SettingsError(f"there are no statistics as `{form}`", "write `--format json`")


def _report(args: argparse.Namespace, settings: Settings) -> Report:
    from archspec.lint.many import check_files
    from archspec.lint.run import files_of, report_of

    if "-" not in args.paths:
        files = files_of(args.paths, settings)
        return report_of(check_files(files, _cache(args, settings), args.jobs), settings)
    from archspec.lint.run import lint_text

    return lint_text(_standard_input(args), args.stdin_filename or "", settings)


def _cache(args: argparse.Namespace, settings: Settings) -> Cache | None:
    if args.no_cache:
        return None
    from archspec.lint.cache import Cache
    from archspec.lint.quick import remember_settings

    cache = Cache()
    if settings.file and not args.isolated:
        remember_settings(cache, configured(args.paths))
    return cache


def _standard_input(args: argparse.Namespace) -> bytes:
    if len(args.paths) > 1:
        raise SettingsError("`-` stands alone: other paths cannot be linted with it")
    return sys.stdin.buffer.read()


def _fix(args: argparse.Namespace, settings: Settings) -> int:
    from archspec.lint.fixes import fix, fix_text
    from archspec.lint.run import files_of

    mended: bytes | None = None
    if "-" in args.paths:
        report, mended, diff = fix_text(_standard_input(args), args.stdin_filename or "", settings)
    else:
        report, diff = fix(files_of(args.paths, settings), settings, write=not args.diff)
    if args.diff:
        print(diff, end="")
        what = f"{report.fixed} would be fixed" if diff else "nothing to fix"
        print(what, file=sys.stderr)
        return _unreadable(report) or (1 if diff else 0)
    if mended is not None:  # the text goes where it came from, so findings go elsewhere
        sys.stdout.buffer.write(mended)
    _write(report, settings, args, None if mended is None else sys.stderr)
    return _unreadable(report) or report.exit_code(settings.strict)


def _write(
    report: Report, settings: Settings, args: argparse.Namespace, stream: TextIO | None = None
) -> None:
    from archspec.lint.formats import PLAIN, TEXT, render
    from archspec.lint.formats.style import is_terminal, style_for

    stream = stream or sys.stdout
    terminal = not args.output_file and is_terminal(stream)
    form = settings.format or ("full" if terminal else "concise")
    style = PLAIN if args.output_file or form not in TEXT else style_for(stream, args.color)
    if args.statistics:
        from archspec.lint.formats.statistics import render as statistics

        text = statistics(report, form, style)
    else:
        text = render(report, form, style)
    text = text.encode(errors="backslashreplace").decode()  # names of files may be any bytes
    if args.output_file:
        from pathlib import Path

        from archspec.source.writing import write_text

        write_text(Path(args.output_file), f"{text}\n" if text else "")
    elif text:
        print(text, file=stream)


def _unreadable(report: Report) -> int:
    for reason in report.unreadable:
        print(f"error: {reason}", file=sys.stderr)
    return 2 if report.unreadable else 0


def _refused(error: SettingsError, color: str) -> int:
    from archspec.lint.formats.full import diagnostic
    from archspec.lint.formats.style import style_for
    from archspec.lint.sources import Sources

    found = Diagnostic("", error.message, error.span, error.hint)
    print(diagnostic(found, "", Sources(), style_for(sys.stderr, color)), file=sys.stderr)
    return 2

"""The operations of the linter, and their output."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from archspec.cli.findings import print_error
from archspec.cli.lines import fail, note, say
from archspec.cli.lint.settings import settings_of
from archspec.diagnostics import plural
from archspec.files import write_text
from archspec.lint import formats
from archspec.lint.baseline import write_baseline
from archspec.lint.cache import Cache
from archspec.lint.discover import beside_blocks
from archspec.lint.fixes import fix, fix_text, without_refused
from archspec.lint.lookup import check_files, rule_codes
from archspec.lint.report import Report
from archspec.lint.run import files_of, lint_text, report_of
from archspec.lint.settings import Settings, SettingsError, show
from archspec.lint.statistics import table
from archspec.lint.style import PLAIN, style_for


def lint(args: argparse.Namespace) -> int:
    """0 clean, 1 findings, 2 nothing could be linted."""
    try:
        return _lint(args)
    except SettingsError as error:
        print_error(error, args.color)
        return error.exit_code


def _lint(args: argparse.Namespace) -> int:
    cache = None if args.no_cache else Cache()
    codes = rule_codes(cache)
    settings = settings_of(args, codes, cache)
    if args.show_settings:
        print(show(settings))
        return 0
    if args.statistics and args.format and not formats.load(args.format).statistics:
        message = f"`--statistics` does not support `--format {args.format}`"
        raise SettingsError(message, "use `--format json`")
    if args.fix or args.diff:
        return _fix(args, settings)
    if "-" in args.paths:
        report = lint_text(_standard_input(args), args.stdin_filename or "", settings)
    else:
        files = _files(args, settings)
        checked = check_files(files, cache, args.jobs, beside_blocks(files, settings.exclude))
        report = report_of(checked, settings, codes)
    if args.write_baseline:
        return _write_baseline(report, args.write_baseline)
    _write(without_refused(report, settings), settings, args)
    return _unreadable(report) or report.exit_code(settings.strict)


def _write_baseline(report: Report, file: str) -> int:
    number = write_baseline(report, file)
    say(f"{plural(number, 'warning')} written to {file}")
    if report.errors:
        left = f"{plural(report.errors, 'error')} left out"
        note(f"{left}: fix these errors, or exclude the files")
    return _unreadable(report) or report.exit_code()


def _files(args: argparse.Namespace, settings: Settings) -> list[str]:
    files, warnings = files_of(args.paths, settings)
    for warning in warnings:
        note(f"warning: {warning}")
    return files


def _standard_input(args: argparse.Namespace) -> bytes:
    if len(args.paths) > 1:
        raise SettingsError("`-` cannot be combined with other paths")
    return sys.stdin.buffer.read()


def _fix(args: argparse.Namespace, settings: Settings) -> int:
    text: bytes | None = None
    if "-" in args.paths:
        report, text, diff = fix_text(_standard_input(args), args.stdin_filename or "", settings)
    else:
        report, diff = fix(_files(args, settings), settings, write=not args.diff)
    if args.diff:
        print(diff, end="")
        what = f"{report.fixed} would be fixed" if diff else "nothing to fix"
        note(what)
        return _unreadable(report) or (1 if diff else 0)
    if text is not None:  # the text goes to standard output, so findings go to standard error
        sys.stdout.buffer.write(text)
    _write(report, settings, args, None if text is None else sys.stderr)
    return _unreadable(report) or report.exit_code(settings.strict)


def _write(
    report: Report, settings: Settings, args: argparse.Namespace, stream: TextIO | None = None
) -> None:
    stream = stream or sys.stdout
    form = formats.load(settings.format)
    style = style_for(stream, args.color) if form.color and not args.output_file else PLAIN
    render = (form.statistics or table) if args.statistics else form.render
    text = render(report, style)
    text = text.encode(errors="backslashreplace").decode()  # names of files may be any bytes
    if args.output_file:
        write_text(args.output_file, f"{text}\n" if text else "")
    elif text:
        print(text, file=stream)


def _unreadable(report: Report) -> int:
    for reason in report.unreadable:
        fail(reason)
    return 2 if report.unreadable else 0

"""`archspec lint`: what is wrong with specs, and what to write instead."""

from __future__ import annotations

import argparse
import sys

TYPE_CHECKING = False  # `typing` costs more than all that a run without changes needs
if TYPE_CHECKING:
    from typing import Any, TextIO

    from archspec.lint.cache import Cache
    from archspec.lint.report import Report
    from archspec.lint.settings import Settings

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab", "junit")


def add_parser(commands: Any) -> None:
    """`archspec lint [PATHS]`."""
    parser = commands.add_parser(
        "lint",
        description="Checks specs, and files in folders `blocks` as blocks. Exit code 0: clean; "
        "1: findings; 2: usage, configuration, a file that cannot be opened, or no spec found.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: specs; - is stdin)"
    )
    parser.add_argument("--strict", action="store_true", help="warnings exit 1 too")
    _add_rules(parser)
    _add_output(parser)
    _add_changes(parser)
    _add_configuration(parser)
    parser.set_defaults(run=run)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "rules", "RULES are codes (AS304), beginnings of codes (AS3) or names, with commas"
    )
    group.add_argument("--select", metavar="RULES", help="only these")
    group.add_argument("--extend-select", metavar="RULES", help="these as well")
    group.add_argument("--ignore", metavar="RULES", help="not these")
    group.add_argument(
        "--per-file-ignores", metavar="PATTERN:RULE", action="append", help="not this one there"
    )
    group.add_argument("--exclude", metavar="PATTERN", action="append", help="leave files out")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", choices=FORMATS, help="default: full on a terminal, concise elsewhere"
    )
    group.add_argument("--output-file", metavar="FILE", help="write there")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    group.add_argument("--statistics", action="store_true", help="only how many, by rule")


def _add_changes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("changes")
    group.add_argument("--fix", action="store_true", help="mend what is safe to mend")
    group.add_argument("--diff", action="store_true", help="show what --fix would change")
    group.add_argument("--baseline", metavar="FILE", help="findings that are known")
    group.add_argument("--write-baseline", metavar="FILE", help="write down what is found")


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration")
    group.add_argument("--stdin-filename", metavar="FILE", help="the name of what `-` reads")
    group.add_argument("--isolated", action="store_true", help="read no configuration file")
    group.add_argument("--show-settings", action="store_true", help="print them and do nothing")
    group.add_argument("--no-cache", action="store_true", help="check every file anew")
    group.add_argument(
        "--jobs", type=int, default=0, metavar="N", help="processes at most (default: the cores)"
    )


def run(args: argparse.Namespace) -> int:
    """0 clean, 1 findings, 2 nothing could be linted."""
    if not args.no_cache and _unchanged(args):
        return 0
    from archspec.diagnostics import UnreadableFile
    from archspec.lint.settings import SettingsError, show

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


def _unchanged(args: argparse.Namespace) -> bool:
    from archspec.lint.quick import unchanged

    try:
        return unchanged(args)
    except Exception:  # told by the linter, in its words
        return False


def _cache(args: argparse.Namespace, settings: Settings) -> Cache | None:
    if args.no_cache:
        return None
    from archspec.lint.cache import Cache
    from archspec.lint.quick import remember_settings

    cache = Cache()
    if settings.file and not args.isolated:
        remember_settings(cache, _configured(args.paths))
    return cache


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
    from archspec.lint.settings import SettingsError

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


def _standard_input(args: argparse.Namespace) -> bytes:
    if len(args.paths) > 1:
        from archspec.lint.settings import SettingsError

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


def _refused(error: Any, color: str) -> int:
    from archspec.diagnostics import Diagnostic
    from archspec.lint.formats.full import diagnostic
    from archspec.lint.formats.style import style_for
    from archspec.lint.sources import Sources

    found = Diagnostic("", error.message, error.span, error.hint)
    print(diagnostic(found, "", Sources(), style_for(sys.stderr, color)), file=sys.stderr)
    return 2


def settings_of(args: argparse.Namespace) -> Settings:
    """The configuration file's settings, with the command line's laid over them."""
    from archspec.lint.settings import Settings
    from archspec.record import replace

    settings = Settings() if args.isolated else _configured(args.paths)
    if args.select is not None:
        settings = replace(settings, select=_names(args.select), extend_select=())
    more = tuple(_per_file(text) for text in args.per_file_ignores or ())
    return replace(
        settings,
        extend_select=settings.extend_select + _names(args.extend_select),
        ignore=settings.ignore + _names(args.ignore),
        per_file_ignores=settings.per_file_ignores + more,
        exclude=settings.exclude + tuple(args.exclude or ()),
        strict=settings.strict or args.strict,
        format=args.format or settings.format,
        baseline="" if args.write_baseline else args.baseline or settings.baseline,
    )


def _configured(paths: list[str]) -> Settings:
    from archspec.lint.config import find, read
    from archspec.lint.settings import Settings

    file = find(paths)
    return read(file) if file else Settings()


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _per_file(text: str) -> tuple[str, tuple[str, ...]]:
    from archspec.lint.settings import SettingsError

    pattern, colon, rules = text.rpartition(":")
    if not colon or not pattern or not rules:
        hint = "write e.g. `--per-file-ignores 'specs/old/*:AS304'`"
        raise SettingsError(f"`--per-file-ignores {text}` has no rule", hint)
    return pattern, _names(rules)

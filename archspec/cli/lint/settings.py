"""The settings of a run: its options, laid over the configuration file."""

from __future__ import annotations

import argparse

from archspec.lint.settings import Settings, SettingsError
from archspec.record import replace


def settings_of(args: argparse.Namespace) -> Settings:
    """The configuration file's settings, with the command line's laid over them."""
    settings = Settings() if args.isolated else configured(args.paths)
    if args.select is not None:
        settings = replace(settings, select=_names(args.select), extend_select=())
    more = tuple(_per_file(text) for text in args.per_file_ignores or ())
    return replace(
        settings,
        extend_select=settings.extend_select + _names(args.extend_select),
        ignore=settings.ignore + _names(args.ignore),
        per_file_ignores=settings.per_file_ignores + more,
        exclude=settings.exclude + tuple(args.exclude or ()),
        force_exclude=settings.force_exclude or args.force_exclude,
        strict=settings.strict or args.strict,
        format=args.format or settings.format,
        baseline="" if args.write_baseline else args.baseline or settings.baseline,
    )


def configured(paths: list[str]) -> Settings:
    """The settings of the file that is in force where these paths are linted."""
    from archspec.lint.config import find, read

    file = find(paths)
    return read(file) if file else Settings()


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _per_file(text: str) -> tuple[str, tuple[str, ...]]:
    pattern, colon, rules = text.rpartition(":")
    if not colon or not pattern or not rules:
        hint = "write e.g. `--per-file-ignores 'specs/old/*:AS304'`"
        raise SettingsError(f"`--per-file-ignores {text}` has no rule", hint)
    return pattern, _names(rules)

"""The settings of a run: its options override the configuration file."""

from __future__ import annotations

import argparse

from archspec.lint.cache import Cache
from archspec.lint.checked import Codes
from archspec.lint.lookup import project_settings
from archspec.lint.settings import Settings, SettingsError


def settings_of(args: argparse.Namespace, codes: Codes, cache: Cache | None) -> Settings:
    """The configuration file's settings, overridden by the command line."""
    named = [args.stdin_filename or path if path == "-" else path for path in args.paths]
    settings = Settings()
    if not args.isolated:
        settings = project_settings(named, codes=codes, cache=cache)
    if args.select is not None:
        settings = settings._replace(select=_names(args.select), extend_select=())
    more = tuple(_per_file(text) for text in args.per_file_ignores or ())
    return settings._replace(
        extend_select=settings.extend_select + _names(args.extend_select),
        ignore=settings.ignore + _names(args.ignore),
        per_file_ignores=settings.per_file_ignores + more,
        exclude=settings.exclude + tuple(args.exclude or ()),
        force_exclude=settings.force_exclude or args.force_exclude,
        strict=settings.strict or args.strict,
        format=args.format or settings.format,
        baseline="" if args.write_baseline else args.baseline or settings.baseline,
    )


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _per_file(text: str) -> tuple[str, tuple[str, ...]]:
    pattern, colon, rules = text.rpartition(":")
    if not colon or not pattern or not rules:
        hint = "for example, `--per-file-ignores 'specs/old/*:AS304'`"
        raise SettingsError(f"`--per-file-ignores {text}` has no rule", hint)
    return pattern, _names(rules)

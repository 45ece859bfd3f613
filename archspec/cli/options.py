"""Options that several commands share."""

from __future__ import annotations

import argparse
from typing import Any

from archspec.files import check_named
from archspec.language import Spec, load
from archspec.language.settings import setting


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--set PATH=VALUE`, which may be repeated."""
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="PATH=VALUE",
        action="append",
        default=[],
        help="override a value, e.g. args.classes=10 or input=[1,28,28] (paths as in `show "
        "--resolved`)",
    )


def settings(args: argparse.Namespace) -> dict[str, Any]:
    """The values of `--set`; raises `SpecError`."""
    return dict(setting(text) for text in args.settings)


def chosen(args: argparse.Namespace) -> Spec:
    """The spec that a command names, with `--set` applied; raises `SpecError`."""
    check_named(args.spec)
    return load(args.spec, settings(args))

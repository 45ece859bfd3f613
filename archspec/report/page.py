"""The page: a template without logic, with its style sheet and script."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jinja2
from markupsafe import Markup

from archspec import resources
from archspec.memo import Memo
from archspec.report.view import Subject, view

FOLDER = resources.TEMPLATES / "report"


@cache
def environment() -> jinja2.Environment:
    """The template's environment: everything is escaped except this package's own markup."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )


def page(subjects: Sequence[Subject], version: str, memo: Memo | None = None) -> str:
    """Render one page about these networks; equal specs and settings result in equal pages.

    Raises `SpecError` for a spec that cannot be expanded.
    """
    template = environment().get_template("report.html.jinja")
    style, script = Markup(_file("report.css")), Markup(_file("report.js"))
    several = len(subjects) > 1
    shown = view(subjects, memo)
    return template.render(view=shown, version=version, several=several, style=style, script=script)


def _file(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")

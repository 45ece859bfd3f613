"""Output formats: one module each, found by its name.

The first line of its docstring is its description in `--help`, and `FORMAT` writes a report.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from archspec.diagnostics import Span, visible
from archspec.lint.report import Finding, Report, summary
from archspec.lint.style import PLAIN, Style
from archspec.paths import modules_in, repository_path

Render = Callable[[Report, Style], str]


class Format(NamedTuple):
    """How a report is written: as text without a final line end, also for a clean run.

    Attributes:
        render: the text of all findings.
        color: whether it uses colors, like text for people.
        statistics: the text with the number of findings per rule, if it has one.
    """

    render: Render
    color: bool = False
    statistics: Render | None = None


def names() -> list[str]:
    """The available formats: the modules of this package."""
    return modules_in(__path__)


def load(name: str) -> Format:
    """A format."""
    found: Format = import_module(f"{__name__}.{name}").FORMAT
    return found


def described() -> dict[str, str]:
    """Format -> its description in one line."""
    docs = {name: import_module(f"{__name__}.{name}").__doc__ or "" for name in names()}
    return {name: doc.partition("\n")[0] for name, doc in docs.items()}


# Shared by the formats ------------------------------------------------------------------


def line(finding: Finding, style: Style = PLAIN, mark: str = "") -> str:
    """A finding on one line, its location first, with a mark before the message."""
    diagnostic = finding.diagnostic
    place = style("bold", visible(str(finding.span)))
    code = style(diagnostic.severity, finding.code)
    return f"{place}: {code} [{diagnostic.rule}] {mark}{visible(diagnostic.message)}"


def fixable(report: Report) -> frozenset[Finding]:
    """The findings that `--fix` would fix: those with a fix, in linted files."""
    files = frozenset(report.files)
    return frozenset(f for f in report.findings if f.diagnostic.fix and f.span.file in files)


def closing(report: Report, before: str = "\n") -> str:
    """The last lines for people: the number of findings, and how many `--fix` would fix."""
    number = len(fixable(report))
    return summary(report) + (f"{before}{number} can be fixed with `--fix`" if number else "")


def help_line(finding: Finding) -> str:
    """The hint of a finding as a line to append, if it has one."""
    hint = finding.diagnostic.hint
    return f"\nhelp: {visible(hint)}" if hint else ""


def place_inside(finding: Finding) -> Span:
    """The location of a finding in the repository, for services that know nothing else.

    For a finding in a file outside, such as a built-in block, it is the use of that file.
    """
    labels = (label.span for label in finding.diagnostic.labels)
    spans = [in_repository(span) for span in (finding.span, *labels)]
    return next((span for span in spans if not span.file.startswith("../")), spans[0])


def in_repository(span: Span) -> Span:
    """The same location, with a path relative to the root of the repository."""
    return span._replace(file=repository_path(span.file))

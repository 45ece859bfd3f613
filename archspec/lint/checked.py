"""The result for one file, and the functions that compute it."""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from archspec.diagnostics import Diagnostic, Span
from archspec.lint.imports import Imports
from archspec.memo import Memo

Codes = Mapping[str, str]  # rule name -> code

MARK = "archspec:"
FORM = "# archspec: ignore[RULE] the reason"


class Suppression(NamedTuple):
    """One comment: the rules it names, with their locations, and the lines it applies to."""

    span: Span
    rules: tuple[tuple[str, Span], ...]
    reason: str
    lines: tuple[int, ...]


class Checked(NamedTuple):
    """The result for one file.

    Attributes:
        file: the path as displayed.
        findings: every finding, suppressed or not, in order of location.
        suppressions: the suppression comments.
        complete: whether the file could be read to the end and all rules ran.
        name: a spec's name and its location.
        script: whether it has a recipe, so that a training script is generated too.
        imports: the classes that it imports.
        unreadable: why the file cannot be opened, if it cannot.
    """

    file: str
    findings: tuple[Diagnostic, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    complete: bool = True
    name: tuple[str, Span] | None = None
    script: bool = False
    imports: Imports = ()
    unreadable: str = ""


class Fresh(NamedTuple):
    """The result of reading a file: findings, its bytes, and everything else that was looked up."""

    checked: Checked
    text: bytes = b""
    seen: frozenset[str] = frozenset()


class CheckText(Protocol):
    """Checks a text as if it were in a file."""

    def __call__(self, text: str | bytes, file: str, *, memo: Memo | None = None) -> Checked: ...


class Checker(NamedTuple):
    """The functions that read specs.

    Attributes:
        codes: rule name -> code.
        files: the findings of files, with a maximum number of processes.
        text: the findings in a text as if it were in a file.
        parses: whether archspec can read the text of a file as YAML.
        suppressions: the suppression comments in the text of a file.
    """

    codes: Codes
    files: Callable[[list[str], int], Iterator[Fresh]]
    text: CheckText
    parses: Callable[[str, str], bool]
    suppressions: Callable[[str, str], tuple[Suppression, ...]]


def is_fatal(finding: Diagnostic) -> bool:
    """Whether it prevents a build; such a finding cannot be suppressed."""
    return finding.severity == "error"

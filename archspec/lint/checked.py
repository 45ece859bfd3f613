"""What is known of one file, and what finds it out."""

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
    """One comment: the rules it names, each with its place, and the lines it speaks of."""

    span: Span
    rules: tuple[tuple[str, Span], ...]
    reason: str
    lines: tuple[int, ...]


class Checked(NamedTuple):
    """What is known of one file.

    Attributes:
        file: the path as it is shown.
        findings: every finding, suppressed or not, in order of place.
        suppressions: the comments that suppress.
        complete: whether the file could be read to the end and all rules ran.
        name: a spec's name and where it is written.
        script: whether it has a recipe, so that a training script is written too.
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
    """A file that was read: what was found, in which bytes, and what else was looked at."""

    checked: Checked
    text: bytes = b""
    seen: frozenset[str] = frozenset()


class CheckText(Protocol):
    """Finds what is wrong in a text as if it stood in a file."""

    def __call__(self, text: str | bytes, file: str, *, memo: Memo | None = None) -> Checked: ...


class Checker(NamedTuple):
    """What reads specs.

    Attributes:
        codes: rule name -> code.
        files: the findings of files, with at most so many processes.
        text: the findings of a text as if it stood in a file.
        parses: whether the text of a file is YAML that archspec reads.
        suppressions: the comments in the text of a file.
    """

    codes: Codes
    files: Callable[[list[str], int], Iterator[Fresh]]
    text: CheckText
    parses: Callable[[str, str], bool]
    suppressions: Callable[[str, str], tuple[Suppression, ...]]


def is_fatal(finding: Diagnostic) -> bool:
    """Whether it keeps the spec from being built; then nothing can silence it."""
    return finding.severity == "error"

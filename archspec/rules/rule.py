"""A rule: a code, a name, and a docstring that is both its documentation and its test.

The docstring has a summary line, the reason for the rule, and two examples:

    A layer has no effect.

    Why this is bad, in a paragraph or two.

    Bad:

        stem: [act, act]

    Good:

        stem: [act]

    What else to do, and when to suppress the rule.

    Fix safety:

    What `--fix` changes, for a rule that it fixes.

An example is a spec, or a part of one: `completed` adds a missing `name` and `input`. A line
`# file: blocks/cell.yaml` starts another file; `# set: args.classes=10` and
`# outputs: layer1` stand for command-line arguments.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from textwrap import dedent
from typing import Any

from archspec.diagnostics import CODES, Diagnostic, Severity
from archspec.records import Record

Check = Callable[[Any], Iterator[Diagnostic]]  # of a `View`, or of what is `Written`
Page = Callable[[], None]  # a function for its docstring
Concern = Callable[[Any], bool]  # of a `Step`

FILE = "# file: "
SETTING = "# set: "
OUTPUT = "# outputs: "
SPEC_FILE = "net.yaml"
_INPUT = "input: [3, 32, 32]\n"
_NAME = "name: net\n"


class Example(Record):
    """A spec as shown in the documentation. Bytes that are not UTF-8 are written as `\\xfc`."""

    text: str

    def settings(self) -> list[str]:
        """The overrides: `args.classes=10`."""
        return self._marked(SETTING)

    def outputs(self) -> list[str]:
        """The requested outputs."""
        return self._marked(OUTPUT)

    def _marked(self, mark: str) -> list[str]:
        lines = self.text.splitlines()
        return [line.removeprefix(mark) for line in lines if line.startswith(mark)]

    def completed(self) -> dict[str, bytes]:
        """Name -> complete spec or block, as the bytes of a file."""
        return {
            name: _bytes(text if "blocks/" in name else _completed(text))
            for name, text in self.files().items()
        }

    def files(self) -> dict[str, str]:
        """Name -> text; the first file is the spec."""
        named = re.search(r"^name: (\w+)$", self.text, re.MULTILINE)
        name = f"{named[1]}.yaml" if named else SPEC_FILE
        files: dict[str, str] = {}
        for line in self.text.splitlines(keepends=True):
            if line.startswith(FILE):
                name = line.removeprefix(FILE).strip()
                files.setdefault(name, "")
            elif not line.startswith((SETTING, OUTPUT)):
                files[name] = files.get(name, "") + line
        return files


def _bytes(text: str) -> bytes:
    """The bytes of a file, including those that are not UTF-8."""
    return re.sub(
        rb"\\x([89a-f][0-9a-f])", lambda found: bytes.fromhex(found[1].decode()), text.encode()
    )


def _completed(text: str) -> str:
    """The text with a missing `name` and `input` added, unless it is deliberately not a mapping."""
    if not re.search(r"^(?!name|input|extends)[a-z]+:", text, re.MULTILINE):
        return text
    if not re.search(r"^(input|extends):", text, re.MULTILINE):
        text = _INPUT + text
    return text if re.search(r"^name:", text, re.MULTILINE) else _NAME + text


class Rule(Record, eq=False):
    """A rule of the linter. `check` is None if another part of archspec reports it.

    A rule `of_blocks` checks blocks as written, even if no spec uses them. A rule with a `concern`
    can only find something if a step of the network is of concern, which is computed per block,
    once
    for all networks.
    """

    code: str
    name: str
    severity: Severity
    page: str
    fixable: bool = False
    check: Check | None = None
    of_blocks: bool = False
    concern: Concern | None = None

    @property
    def summary(self) -> str:
        """The rule in one sentence."""
        return self._sections["summary"]

    @property
    def why(self) -> str:
        """Why it matters."""
        return self._sections["why"]

    @property
    def bad(self) -> Example:
        """An example with the finding."""
        return Example(self._sections["bad"])

    @property
    def good(self) -> Example:
        """The same example without it."""
        return Example(self._sections["good"])

    @property
    def instead(self) -> str:
        """Additional advice; often empty."""
        return self._sections["instead"]

    @property
    def safety(self) -> str:
        """What `--fix` changes; empty for a rule that it does not fix."""
        return self._sections["safety"]

    @cached_property
    def _sections(self) -> dict[str, str]:
        first, _, rest = self.page.partition("\n")
        text = dedent(rest)
        summary, _, rest = f"{first}\n{text}".partition("\n\n")
        why, _, rest = f"\n{rest}".partition("\nBad:\n\n")
        bad, _, rest = rest.partition("\n\nGood:\n\n")
        good, _, rest = _code(rest)
        instead, _, safety = f"\n{rest}".partition("\nFix safety:\n\n")
        return {
            "summary": " ".join(summary.split()),
            "why": why.strip(),
            "bad": _code(bad)[0],
            "good": good,
            "instead": instead.strip(),
            "safety": safety.strip(),
        }


def _code(text: str) -> tuple[str, str, str]:
    """The indented lines at the start of `text`, without their indentation, and the rest."""
    lines = text.splitlines()
    end = next((n for n, line in enumerate(lines) if line and line[0] != " "), len(lines))
    code = "\n".join(line[4:] for line in lines[:end]).strip("\n")
    return (f"{code}\n" if code else ""), "", "\n".join(lines[end:])


RULES: dict[str, Rule] = {}


def _add(rule: Rule) -> None:
    for other in RULES.values():
        clash = other.code == rule.code or other.name == rule.name
        assert not clash, f"{rule.code} {rule.name}: {other.code} {other.name} already exists"
    RULES[rule.name] = rule
    CODES[rule.name] = rule.code


def _page(function: Callable[..., Any]) -> str:
    """The docstring, with a tab for each `\\t`: Python 3.13 expands real tabs."""
    return (function.__doc__ or "").replace(r"\t", "\t")


def reported(
    code: str, name: str, severity: Severity = "error", fixable: bool = False
) -> Callable[[Page], Page]:
    """Make a rule of a docstring, for findings of other parts of archspec."""

    def register(page: Page) -> Page:
        _add(Rule(code, name, severity, _page(page), fixable))
        return page

    return register


def rule(
    code: str,
    name: str,
    severity: Severity = "warning",
    fixable: bool = False,
    of_blocks: bool = False,
    concern: Concern | None = None,
) -> Callable[[Check], Check]:
    """Make a rule of a function from a spec to findings."""

    def register(check: Check) -> Check:
        _add(Rule(code, name, severity, _page(check), fixable, check, of_blocks, concern))
        return check

    return register

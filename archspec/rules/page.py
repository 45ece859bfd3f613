"""The catalogue as a page of the manual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archspec.rules.rule import Example, Rule

FAMILIES = {
    "AS1": "YAML, keys and names",
    "AS2": "Shapes and channels",
    "AS3": "Architecture",
    "AS4": "Cost and hardware",
}

INTRODUCTION = """\
# Rules

What `archspec lint` finds, why it matters, and what to write instead. This page is generated:
`python -m archspec.rules > docs/rules.md`. `archspec rule AS201` shows one rule in the terminal.

An error keeps the spec from being built, or breaks a promise of the spec itself, for which
`archspec build` refuses it too; a warning is a network that builds and is probably not what its
author wants. A comment with a reason suppresses a warning, on its line or on the line above:

```yaml
# archspec: ignore[redundant-bias] the published checkpoint has these biases
```

Errors cannot be suppressed.

Every example on this page is linted by the tests: the bad one has the finding, the good one has
none. `name` and `input` are left out where they do not matter.
"""


def render(rules: Iterable[Rule]) -> str:
    """The page as Markdown."""
    ordered = sorted(rules, key=lambda rule: rule.code)
    parts = [INTRODUCTION, _table(ordered)]
    for prefix, title in FAMILIES.items():
        parts.append(f"## {prefix}xx: {title}\n")
        parts += [_section(rule) for rule in ordered if rule.code.startswith(prefix)]
    return "\n".join(parts)


def _table(rules: Iterable[Rule]) -> str:
    rows = ["| code | name | severity | finds |", "| --- | --- | --- | --- |"]
    for rule in rules:
        severity = f"{rule.severity}, fixable" if rule.fixable else rule.severity
        link = f"[{rule.name}](#{_anchor(rule)})"
        rows.append(f"| {rule.code} | {link} | {severity} | {rule.summary} |")
    return "\n".join(rows) + "\n"


def _anchor(rule: Rule) -> str:
    return f"{rule.code.lower()}-{rule.name}"


def _section(rule: Rule) -> str:
    fixable = ", mended by `--fix`" if rule.fixable else ""
    parts = [
        f"### {rule.code} {rule.name}",
        f"{rule.summary} ({rule.severity}{fixable})",
        rule.why,
        "Bad:",
        *_fenced(rule.bad),
        "Good:",
        *_fenced(rule.good),
        rule.instead,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _fenced(example: Example) -> Iterator[str]:
    files = example.files()
    options = [f"--set {setting}" for setting in example.settings()]
    options += [f"--outputs {name}" for name in example.outputs()]
    for name, text in files.items():
        if len(files) > 1:
            yield f"`{name}`:"
        elif options:
            yield f"With `{' '.join(options)}`:"
        yield f"```yaml\n{text.rstrip()}\n```"

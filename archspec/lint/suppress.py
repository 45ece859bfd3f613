"""What comments suppress, and findings about the comments themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from archspec.diagnostics import Diagnostic, Edit, Fix, Span, shortened
from archspec.lint.checked import FORM, MARK, Checked, Suppression, is_fatal
from archspec.lint.deferred import checker
from archspec.lint.select import Selection, unknown_rule
from archspec.lint.sources import Sources

ByLine = dict[int, list[Suppression]]

MOST = 100  # findings about the comments of one file
FATAL = "errors that prevent a build cannot be suppressed"


def _by_line(comments: Iterable[Suppression]) -> ByLine:
    by_line: ByLine = {}
    for comment in comments:
        for line in comment.lines:
            by_line.setdefault(line, []).append(comment)
    return by_line


class Suppressed:
    """The comments of a run, and which of them have suppressed a finding."""

    def __init__(
        self, checked: Mapping[str, Checked], selection: Selection, sources: Sources
    ) -> None:
        self.checked = checked
        self.selection = selection
        self.sources = sources
        self.by_line = {file: _by_line(one.suppressions) for file, one in checked.items()}
        self.used: set[tuple[Span, str]] = set()
        self.number = 0

    def left_of(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """The finding, unless a comment suppresses it."""
        hits = self._hits(diagnostic)
        self.used.update(hits)
        if hits and is_fatal(diagnostic):
            return diagnostic._replace(hint=f"{diagnostic.hint}; {FATAL}".lstrip("; "))
        self.number += bool(hits)
        return None if hits else diagnostic

    def _hits(self, diagnostic: Diagnostic) -> list[tuple[Span, str]]:
        span = diagnostic.span
        return [
            (place, rule)
            for comment in (self._of(span.file).get(span.line, ()) if span else ())
            for rule, place in comment.rules
            if diagnostic.rule in self.selection.names_of(rule)
        ]

    def _of(self, file: str) -> ByLine:
        """The comments in a file, which may be one that was used but not linted."""
        if file not in self.by_line:
            text = "\n".join(self.sources.lines(file))
            comments = checker().suppressions(text, file) if MARK in text else ()
            self.by_line[file] = _by_line(comments)
        return self.by_line[file]

    def findings(self) -> Iterator[Diagnostic]:
        """The findings about the comments in linted files."""
        for one in self.checked.values():
            about = (found for c in one.suppressions for found in self._about(c, one.complete))
            yield from islice(about, MOST)

    def _about(self, comment: Suppression, complete: bool) -> Iterator[Diagnostic]:
        if not comment.rules:
            hint, message = f"use `{FORM}`", "suppression comment names no rules"
            yield _warning("unknown-rule-in-suppression", message, comment.span, hint)
            return
        known = [(rule, place) for rule, place in comment.rules if self.selection.names_of(rule)]
        for rule, place in comment.rules:
            if (rule, place) not in known:
                hint = unknown_rule(rule, self.selection.codes)
                message = f"unknown rule `{rule}`"
                yield _warning("unknown-rule-in-suppression", message, place, hint)
        if not comment.reason:
            hint, message = f"add a reason: `{FORM}`", "suppression has no reason"
            yield _warning("suppression-without-reason", message, comment.span, hint)
        unused = [rule for rule, place in known if (place, rule) not in self.used]
        if complete and unused and self._could_be_used(unused, comment.span.file):
            yield self._unused(comment, unused)

    def _could_be_used(self, rules: Iterable[str], file: str) -> bool:
        names = (name for rule in rules for name in self.selection.names_of(rule))
        return all(self.selection.has(name, file) for name in names)

    def _unused(self, comment: Suppression, unused: list[str]) -> Diagnostic:
        listed = ", ".join(f"`{rule}`" for rule in unused)
        message = (
            f"unused suppression: {listed} {'finds' if len(unused) == 1 else 'find'} nothing here"
        )
        every = len(unused) == len(comment.rules)
        hint = "remove the comment" if every else f"remove {listed} from the comment"
        edit = self._without(comment) if every else _only_used(comment, unused)
        fix = Fix(hint, (edit,))
        return _warning("unused-suppression", message, comment.span, hint, fix)

    def _without(self, comment: Suppression) -> Edit:
        """The comment with the spaces before it, or with its line if nothing else is on it."""
        span = comment.span
        before = self.sources.line(span)[: span.column - 1]
        if before.strip():
            start = len(before.rstrip()) + 1
            return Edit(Span(span.file, span.line, start, span.line, span.end_column), "")
        return Edit(Span(span.file, span.line, 1, span.line + 1, 1), "")


def _warning(rule: str, message: str, span: Span, hint: str, fix: Fix | None = None) -> Diagnostic:
    return shortened(Diagnostic(rule, message, span, hint, severity="warning", fix=fix))


def _only_used(comment: Suppression, unused: list[str]) -> Edit:
    places = [place for _, place in comment.rules]
    kept = ", ".join(rule for rule, _ in comment.rules if rule not in unused)
    first, last = places[0], places[-1]
    return Edit(Span(first.file, first.line, first.column, last.line, last.end_column), kept)

"""Findings in a file that YAML can read: one function per finding."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, Label, Span
from archspec.source.scalars import MAX_DIGITS, list_of
from archspec.source.syntax import shown

MAX_DEPTH = 64
MAX_NODES = 20_000
MAX_FINDINGS = 100

_BEGIN = "start with `name: my_network`, then `input:` and `stages:`"


def empty_file(file: str) -> Diagnostic:
    return Diagnostic("empty-file", "the file is empty", Span(file), _BEGIN)


def not_a_mapping(value: object, span: Span) -> Diagnostic:
    found, hint = f"`{shown(str(value))}`", _BEGIN
    if isinstance(value, list):
        found = "a list"
    elif value is None:
        found = "nothing"
    elif isinstance(value, str) and ":" in value:
        hint = "add a space after `:`, as in `name: my_network`"
    elif isinstance(value, str) and "=" in value:
        hint = "use `:` instead of `=`, as in `name: my_network`"
    message = f"expected a mapping at the top level, found {found}"
    return Diagnostic("not-a-mapping", message, span, hint)


def duplicate_key(key: str, span: Span, first: Span) -> Diagnostic:
    message, hint = f"duplicate key `{shown(key)}`", "remove one of the two"
    labels = (Label(first, "first defined here"),)
    return Diagnostic("duplicate-key", message, span, hint, labels)


def key_not_text(written: str, value: object, span: Span) -> Diagnostic:
    found, hint = "is not a string", "use a name"
    if isinstance(value, (dict, list)):
        found = "is a list or mapping; keys must be strings"
        hint = "use a name; quote strings that start with `{`, `[`, or `?`"
        if isinstance(value, dict) and len(value) == 1 and None in value.values():
            hint = f"use `{shown(next(iter(value)))}`: expressions need no braces"
    elif written:
        hint = f'use a name, or quote it: `"{shown(written)}"`'
    named = f"the key `{shown(written)}`" if written else "this key"
    return Diagnostic("key-not-text", f"{named} {found}", span, hint)


def grown_together(name: str, value: str, written: str, span: Span) -> Diagnostic:
    """`{channels:64}` and `{kernel 7}`, which YAML reads as a key without a value."""
    message = f"YAML reads `{shown(written)}` as one word"
    if ":" not in written:
        message = f"missing `:` after `{shown(name)}`"
    hint = f"use `{shown(name)}: {shown(value)}`" if len(value) <= 60 else "add `: ` between them"
    return Diagnostic("yaml-syntax", message, span, hint)


def no_space_after_dash(written: str, span: Span) -> Diagnostic:
    """`-conv: 64`, which YAML reads as a key, or several lines like `-norm`, a single string."""
    hint = f"use `- {shown(written[1:])}`"
    return Diagnostic("yaml-syntax", "missing space after `-`", span, hint)


def no_colon(name: str, span: Span) -> Diagnostic:
    """`conv1 {conv: 64}` on a line of its own."""
    end = span.column + len(name)
    place = Span(span.file, span.line, span.column, span.line, end)
    hint = f"use `{shown(name)}: {{...}}`"
    return Diagnostic("yaml-syntax", f"missing `:` after `{shown(name)}`", place, hint)


def too_many_nodes(span: Span) -> Diagnostic:
    message = f"more than {MAX_NODES:,} values in one file"
    return Diagnostic("too-large", message, span, "split the file")


def too_many_findings(span: Span | None) -> Diagnostic:
    message = f"stopped after {MAX_FINDINGS} findings"
    return Diagnostic("too-large", message, span, "fix these first")


def too_deep(span: Span) -> Diagnostic:
    message = f"nested more than {MAX_DEPTH} levels deep"
    hint = "move the inner layers to a block under `blocks:`"
    return Diagnostic("too-large", message, span, hint)


def too_many_digits(span: Span) -> Diagnostic:
    message = f"a number of more than {MAX_DIGITS} digits"
    return Diagnostic("too-large", message, span, "use fewer digits")


def not_finite(text: str, span: Span) -> Diagnostic:
    message = f"`{shown(text)}` is not a finite number"
    return Diagnostic("not-finite", message, span, "use a number below 1e308")


def feature(what: str, span: Span, hint: str) -> Diagnostic:
    return Diagnostic("yaml-feature", f"specs cannot use {what}", span, hint)


def alias(name: str, span: Span) -> Diagnostic:
    hint = "write out the value; quote strings that start with `*`"
    return feature(f"aliases (`*{shown(name)}`)", span, hint)


def anchor(name: str, span: Span) -> Diagnostic:
    hint = "remove it; quote strings that start with `&`"
    return feature(f"anchors (`&{shown(name)}`)", span, hint)


def tag(name: str, span: Span) -> Diagnostic:
    hint = "remove it; quote strings that start with `!`"
    name = name.replace("tag:yaml.org,2002:", "!!")
    return feature(f"tags (`{shown(name)}`)", span, hint)


def merge_key(span: Span) -> Diagnostic:
    return feature("merge keys (`<<`)", span, "use `extends` or a block instead")


def directive(span: Span) -> Diagnostic:
    return feature("`%` directives", span, "remove the line")


def second_document(span: Span) -> Diagnostic:
    hint = "use one file per spec, and remove this line"
    return feature("a second document", span, hint)


def after_the_end(character: str, span: Span) -> Diagnostic:
    message = f"found `{shown(character)}` after the end of the mapping"
    return Diagnostic("yaml-syntax", message, span, "check the brackets before it")


def unquoted_comma(piece: str, whole: str, span: Span) -> Diagnostic:
    """YAML splits `{channels: min(64, width)}` at the comma."""
    message = f"YAML splits this at the comma and reads `{shown(piece)}`"
    example = whole if 0 < len(whole) <= 60 else "min(64, width)"
    hint = f'quote the expression: `"{shown(example)}"`'
    if listed := list_of(example):
        hint = f"use a list: `{shown(listed)}`"
    if whole:
        end = span.column + len(whole)
        span = Span(span.file, span.line, span.column, span.line, end)
    return Diagnostic("unquoted-comma", message, span, hint)

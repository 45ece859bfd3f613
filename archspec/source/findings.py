"""What is wrong in a file that YAML can read: one function a finding."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, Label, Span
from archspec.source.scalars import MAX_DIGITS, list_of
from archspec.source.syntax import shown

MAX_DEPTH = 64
MAX_NODES = 20_000
MAX_FINDINGS = 100

_BEGIN = "begin with `name: my_network`, then `input:` and `stages:`"


def empty_file(file: str) -> Diagnostic:
    return Diagnostic("empty-file", "the file is empty", Span(file), _BEGIN)


def not_a_mapping(value: object, span: Span) -> Diagnostic:
    found, hint = f"`{shown(str(value))}`", _BEGIN
    if isinstance(value, list):
        found = "a list"
    elif value is None:
        found = "nothing"
    elif isinstance(value, str) and ":" in value:
        hint = "write a space after `:`, as in `name: my_network`"
    message = f"expected `key: value` lines, found {found}"
    return Diagnostic("not-a-mapping", message, span, hint)


def duplicate_key(key: str, span: Span, first: Span) -> Diagnostic:
    message, hint = f"`{shown(key)}` is given twice", "remove one of the two"
    labels = (Label(first, "first given here"),)
    return Diagnostic("duplicate-key", message, span, hint, labels)


def key_not_text(written: str, value: object, span: Span) -> Diagnostic:
    found, hint = "is not text", "write a name"
    if isinstance(value, (dict, list)):
        found = "is a list or map; keys are text"
        hint = "write a name; quote text that begins with `{`, `[` or `?`"
    elif written:
        hint = f'write a name, or quote it: `"{shown(written)}"`'
    named = f"the key `{shown(written)}`" if written else "this key"
    return Diagnostic("key-not-text", f"{named} {found}", span, hint)


def grown_together(name: str, value: str, written: str, span: Span) -> Diagnostic:
    """`{channels:64}` and `{kernel 7}`, which YAML takes for a key without a value."""
    message = f"`{shown(written)}` is one word to YAML"
    if ":" not in written:
        message = f"there is no `:` behind `{shown(name)}`"
    hint = f"write `{shown(name)}: {shown(value)}`" if len(value) <= 60 else "write `: ` between"
    return Diagnostic("yaml-syntax", message, span, hint)


def no_colon(name: str, span: Span) -> Diagnostic:
    """`conv1 {conv: 64}` as a line of its own."""
    end = span.column + len(name)
    place = Span(span.file, span.line, span.column, span.line, end)
    hint = f"write `{shown(name)}: {{...}}`"
    return Diagnostic("yaml-syntax", f"there is no `:` behind `{shown(name)}`", place, hint)


def too_many_nodes(span: Span) -> Diagnostic:
    message = f"more than {MAX_NODES:,} values in one file"
    return Diagnostic("too-large", message, span, "split the file")


def too_many_findings(span: Span | None) -> Diagnostic:
    message = f"more than {MAX_FINDINGS} findings; what follows was not read"
    return Diagnostic("too-large", message, span, "mend these first")


def too_deep(span: Span) -> Diagnostic:
    message = f"more than {MAX_DEPTH} levels, one inside the other"
    hint = "give inner layers a name under `blocks:`"
    return Diagnostic("too-large", message, span, hint)


def too_many_digits(span: Span) -> Diagnostic:
    message = f"a number of more than {MAX_DIGITS} digits"
    return Diagnostic("too-large", message, span, "write fewer digits")


def not_finite(text: str, span: Span) -> Diagnostic:
    message = f"`{shown(text)}` is not a finite number"
    return Diagnostic("not-finite", message, span, "write a number below 1e308")


def feature(what: str, span: Span, hint: str) -> Diagnostic:
    return Diagnostic("yaml-feature", f"{what} is not used in specs", span, hint)


def alias(name: str, span: Span) -> Diagnostic:
    hint = "write the value out; quote text that begins with `*`"
    return feature(f"an alias (`*{shown(name)}`)", span, hint)


def anchor(name: str, span: Span) -> Diagnostic:
    hint = "remove it; quote text that begins with `&`"
    return feature(f"an anchor (`&{shown(name)}`)", span, hint)


def tag(name: str, span: Span) -> Diagnostic:
    hint = "remove it; quote text that begins with `!`"
    name = name.replace("tag:yaml.org,2002:", "!!")
    return feature(f"a tag (`{shown(name)}`)", span, hint)


def merge_key(span: Span) -> Diagnostic:
    return feature("a merge (`<<`)", span, "use `extends` or a block instead")


def directive(span: Span) -> Diagnostic:
    return feature("a `%` directive", span, "remove the line")


def second_document(span: Span) -> Diagnostic:
    hint = "write one spec a file, and remove this line"
    return feature("a second document", span, hint)


def after_the_end(character: str, span: Span) -> Diagnostic:
    message = f"found `{shown(character)}` after the end of the map"
    return Diagnostic("yaml-syntax", message, span, "check the brackets before it")


def unquoted_comma(piece: str, whole: str, span: Span) -> Diagnostic:
    """YAML cuts `{channels: min(64, width)}` at the comma."""
    message = f"YAML cuts this at the comma, to `{shown(piece)}`"
    example = whole if 0 < len(whole) <= 60 else "min(64, width)"
    hint = f'quote what has a comma: `"{shown(example)}"`'
    if listed := list_of(example):
        hint = f"write a list: `{shown(listed)}`"
    if whole:
        end = span.column + len(whole)
        span = Span(span.file, span.line, span.column, span.line, end)
    return Diagnostic("unquoted-comma", message, span, hint)

"""Bytes -> text."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, Span, SpecError
from archspec.files import MAX_BYTES, marked_encoding
from archspec.source.syntax import span_at


def decode(text: str | bytes, file: str) -> str:
    """The text of a file of bounded size, without its byte order mark."""
    try:
        data = text if isinstance(text, bytes) else text.encode()
        if len(data) > MAX_BYTES:
            hint = "split the file; specs rarely exceed a few hundred lines"
            message = f"file exceeds {MAX_BYTES:,} bytes"
            raise SpecError([Diagnostic("too-large", message, Span(file), hint)])
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        found = f"byte {error.start} (0x{error.object[error.start]:02x})"
        if encoding := marked_encoding(error.object):
            found = f"the file is {encoding}; its first byte (0x{error.object[0]:02x})"
    except UnicodeEncodeError as error:
        before = error.object[: error.start]
        found = f"character {error.start} (half of a surrogate pair)"
    message, span = f"{found} is not UTF-8", span_at(before, len(before), file)
    hint = "save the file as UTF-8"
    raise SpecError([Diagnostic("not-utf8", message, span, hint)])

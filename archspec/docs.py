"""`python -m archspec.docs` writes the pages of `docs/` that are made from the code."""

from __future__ import annotations

from archspec import reference, resources
from archspec.files import write_files
from archspec.rules import RULES
from archspec.rules.page import render
from archspec.schema import block_schema, spec_schema, text


def pages() -> dict[str, str]:
    """Their texts, by the names of their files."""
    return {
        "reference.md": reference.render(),
        "rules.md": render(RULES.values()),
        "archspec.schema.json": text(spec_schema()),
        "archspec-block.schema.json": text(block_schema()),
    }


if __name__ == "__main__":
    write_files({resources.folder("docs") / name: page for name, page in pages().items()})

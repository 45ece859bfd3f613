"""`python -m archspec.docs` writes the files of `docs/` that are generated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from archspec import reference, resources
from archspec.files import write_files
from archspec.rules import RULES
from archspec.rules.page import render
from archspec.schema import block_schema, spec_schema, text

FOLDER = resources.folder("docs")
# The indent, the language, the words after it, and the content of a fenced block.
FENCE = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^ *```$\n?", re.MULTILINE | re.DOTALL)
# The file that the first line of a block names.
TITLE = re.compile(r"# (\S+\.(?:yaml|py))\n")


def pages() -> dict[str, str]:
    """The texts of the pages, by file name."""
    return {
        "reference.md": reference.render(),
        "rules.md": render(RULES.values()),
        "tutorial.ipynb": notebook((FOLDER / "tutorial.md").read_text("utf-8")),
        "archspec.schema.json": text(spec_schema()),
        "archspec-block.schema.json": text(block_schema()),
    }


def notebook(page: str) -> str:
    """A page as a Jupyter notebook: blocks that can be run are cells, with the output shown."""
    cells: list[dict[str, Any]] = []
    for kind, content in _parts(page):
        if kind == "output":
            cells[-1]["outputs"] = [_output(content)]
            continue
        name = f"cell-{len(cells)}"
        cells.append({"cell_type": kind, "id": name, "metadata": {}, "source": content})
        if kind == "code":
            cells[-1] |= {"execution_count": None, "outputs": []}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1) + "\n"


def _output(content: str) -> dict[str, str]:
    return {"name": "stdout", "output_type": "stream", "text": content}


def _parts(page: str) -> Iterator[tuple[str, str]]:
    """Kinds and contents: `markdown`, `code`, and the `output` of the code before it."""
    end = 0
    for found in FENCE.finditer(page):
        parts = list(_block(found[2], found[3], found[4]))
        if parts:  # otherwise, the block is part of the text
            if between := page[end : found.start()].strip():
                yield "markdown", between
            yield from parts
            end = found.end()
    yield "markdown", page[end:].strip()


def _block(language: str, info: str, content: str) -> Iterator[tuple[str, str]]:
    title = TITLE.match(content)
    if "ignore" in info or (title and language == "python"):
        return
    if title:
        yield "code", f"%%writefile {title[1]}\n{content.rstrip()}"
    elif language == "sh":
        yield "code", "\n".join(f"!{line}" for line in content.splitlines())
    elif content.startswith("$ "):
        command, _, output = content.removeprefix("$ ").partition("\n")
        yield "code", f"!{command}"
        yield "output", output
    elif language == "text":
        yield "output", content
    else:
        yield "code", content.rstrip()


if __name__ == "__main__":
    write_files({FOLDER / name: page for name, page in pages().items()})

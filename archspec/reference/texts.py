"""The purpose of each key, with an example: `texts.yaml`, for the reference and the schemas."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from archspec import resources


class Text(NamedTuple):
    """The purpose of a construct, and an example."""

    text: str
    example: str


FILE = resources.PACKAGE / "reference" / "texts.yaml"
_TABLES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))


def _texts(table: str) -> dict[str, Text]:
    return {key: Text(**entry) for key, entry in _TABLES[table].items()}


SPEC_KEYS = _texts("spec_keys")
STAGE_KEYS = _texts("stage_keys")
BLOCK_KEYS = _texts("block_keys")
COMBINATORS = _texts("combinators")
MODIFIERS = _texts("modifiers")
WORDS = _texts("words")
FUNCTIONS = _texts("functions")
SCOPE: dict[str, str] = _TABLES["scope"]
LEFT_OUT: dict[str, str] = _TABLES["left_out"]
BLOCK_EXAMPLES: dict[str, str] = _TABLES["block_examples"]
PAGE: dict[str, str] = _TABLES["page"]

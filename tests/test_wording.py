"""Texts in plain English: no translated phrases, and one term per concept."""

from __future__ import annotations

import re
from functools import cache

import pytest

from archspec.resources import TEMPLATES
from archspec.rules import RULES
from support.english import Text, compiled, glossary, patterns, places, texts

BAD = {
    "is-no": "the file is no YAML",
    "stands": "what stands here",
    "ahead-of": "put `flatten` ahead of it",
    "a-for-per": "images, one a GPU",
    "it-says": "its stage says 64",
}


@cache
def everything() -> list[Text]:
    return list(texts())


@pytest.mark.parametrize("name", patterns())
def test_no_text_reads_as_translated(name: str) -> None:
    pattern, instead = patterns()[name]
    assert [*places(pattern, everything())] == [], f"write {instead}"


@pytest.mark.parametrize("term", glossary())
def test_each_concept_has_one_term(term: str) -> None:
    found = compiled(rf"\b(?:{'|'.join(glossary()[term])})(?!\w)", re.IGNORECASE)
    assert [*places(found, everything())] == [], f"write {term}"


@pytest.mark.parametrize("name", BAD)
def test_a_pattern_finds_what_it_is_for(name: str) -> None:
    assert patterns()[name][0].search(BAD[name])


def test_texts_of_every_kind_are_read() -> None:
    suffixes = {re.sub(r".*\.", "", text.file) for text in everything()}
    assert suffixes == {"py", "jinja", "yaml", "md"}
    assert len(everything()) > 5000


@pytest.mark.parametrize("name", RULES)
def test_the_summary_of_a_rule_is_a_sentence(name: str) -> None:
    assert re.fullmatch(r"[A-Z`].*\.", RULES[name].summary)
    assert RULES[name].why
    assert bool(RULES[name].safety) == RULES[name].fixable


# A number and a plural in an f-string of a script. After `{n} of {m}` the plural is right.
COUNTED = re.compile(
    r"(?<! of )\{(?:n|\w*count|number|few|many|steps|size|len\([^)]*\))(?::,)?\} [a-z]+s\b"
)


@pytest.mark.parametrize("text", ["{n} classes", "{steps:,} steps", "{len(a)} tensors"])
def test_a_plural_after_a_number_is_found(text: str) -> None:
    assert COUNTED.search(text)


def test_scripts_do_not_print_1_classes() -> None:
    scripts = sorted(path for path in TEMPLATES.iterdir() if path.suffix in (".py", ".jinja"))
    assert len(scripts) > 4
    found = [(path.name, *COUNTED.findall(path.read_text("utf-8"))) for path in scripts]
    assert found == [(path.name,) for path in scripts]

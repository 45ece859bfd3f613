"""Each construct of the language: in the schema for editors, in the suggestions, in the reference.

The constructs are those of the models and tables that read a spec, so a new one is here at once.
`test_docs.py` builds the examples of the reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from archspec.diagnostics import Diagnostic
from archspec.expression import FUNCTIONS
from archspec.ir.ops import DIMENSIONS
from archspec.language.arguments import op_arguments, written_fields
from archspec.language.blocks import Block
from archspec.language.functions import FUNCTIONS as STARTS
from archspec.language.interpolation import HOW, LIKE
from archspec.language.library import built_in
from archspec.language.load import WRITTEN
from archspec.language.problems import Problems
from archspec.language.spec import Bounds, Expect
from archspec.language.stages import Run
from archspec.language.starts import WORDS
from archspec.language.tensors import OF_SLICE, Outputs
from archspec.language.train import DATA_SETS, Train
from archspec.language.words import COMBINATORS, MODIFIERS, PARTS_OF_ALL, SCOPE
from archspec.lint.checked import is_fatal
from archspec.lint.fixes import fix_text
from archspec.lint.run import lint_text
from archspec.lint.settings import Settings
from archspec.ops import OPS
from archspec.reference import Code, Entry, Table, sections
from archspec.resources import BLOCKS
from archspec.source.reader import parse
from support import ROOT
from support.linting import one_memo
from support.pages import completed

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "archspec.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
OWN = Settings(imports=("mypkg",))
RECIPE = "name: net\nextends: fashion_resnet8\n"


def keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


#: Kind -> its words, from what reads a spec.
CONSTRUCTS: dict[str, list[str]] = {
    "keys of a spec": [*WRITTEN],
    "keys of a stage": keys(Run),
    "keys of a block": keys(Block),
    "keys of train": keys(Train),
    "data sets": [*DATA_SETS],
    "combinators": [*COMBINATORS],
    "modifiers": [*MODIFIERS],
    "words for layers": [*PARTS_OF_ALL, "none"],
    "functions that initialize weights": [*STARTS],
    "functions in expressions": [*FUNCTIONS],
    "names in a block": [*SCOPE],
    "ops": [*OPS],
    "built-in blocks": sorted(path.stem for path in BLOCKS.glob("*.yaml")),
}
#: Words that have no entry of their own, but are in the example of another.
INSIDE: dict[str, list[str]] = {
    "expect": [*Expect.model_fields, *Bounds.model_fields],
    "outputs": [*Outputs._fields],
    "slice": [*OF_SLICE],
    "interpolate": [LIKE, *HOW],
    "init": ["weight", "bias"],
    "call": ["text"],
}
#: Values that are words: the entry of their key lists them.
VALUES: dict[tuple[str, str], list[str]] = {
    ("keys of a spec", "init"): [*WORDS],
    ("modifiers", "along"): [*DIMENSIONS],
}
IN_STRINGS = ("functions in expressions", "names in a block")
EVERY = [(kind, word) for kind, words in CONSTRUCTS.items() for word in words]
#: Words of one or two letters look like too many others.
MEANT = [(kind, word) for kind, word in EVERY if len(word) > 2 and kind not in IN_STRINGS]


# The schema for editors -----------------------------------------------------------------


def offered(schema: Any) -> Iterator[str]:
    """Every key and word that a schema knows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
        yield from ([schema["const"]] if isinstance(schema.get("const"), str) else ())
        for part in schema.values():
            yield from offered(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from offered(part)


PLACES: dict[str, Any] = {
    "keys of a spec": SCHEMA["properties"],
    "keys of a stage": SCHEMA["$defs"]["run"]["properties"],
    "keys of a block": SCHEMA["$defs"]["block"]["properties"],
    "combinators": SCHEMA["$defs"]["layer-map"]["properties"],
    "modifiers": SCHEMA["$defs"]["layer-map"]["properties"],
    "ops": SCHEMA["$defs"]["layer-map"]["properties"],
    "built-in blocks": SCHEMA["$defs"]["layer-map"]["properties"],
}


@pytest.mark.parametrize("kind", [kind for kind in CONSTRUCTS if kind not in IN_STRINGS])
def test_the_schema_knows_each_construct(kind: str) -> None:
    there = PLACES.get(kind) or {*offered(SCHEMA)}
    assert [word for word in CONSTRUCTS[kind] if word not in there] == []


def test_the_schema_knows_each_argument() -> None:
    for key, op in OPS.items():
        assert [*SCHEMA["$defs"][f"op-{key}"]["properties"]] == [*written_fields(op)]
    for name, function in STARTS.items():
        assert {*offered(SCHEMA["$defs"][f"start-{name}"])} >= function.arguments.keys()
    for path in BLOCKS.glob("*.yaml"):
        block, _ = built_in(path.stem)
        known = {*offered(SCHEMA["$defs"][f"block-{path.stem}"])}
        assert known >= {*block.args, *block.parts, *block.inputs}
    words = [word for words in (*INSIDE.values(), *VALUES.values()) for word in words]
    assert {*offered(SCHEMA)} >= {*words}


# The reference, whose examples are built -------------------------------------------------


@pytest.mark.parametrize("kind", CONSTRUCTS)
def test_the_reference_has_an_entry_for_each_construct(kind: str) -> None:
    found = [entry.name for entry in sections()[kind]]
    assert [word for word in CONSTRUCTS[kind] if word not in found] == []


def entry_of(kind: str, word: str) -> Entry:
    (entry,) = (entry for entry in sections()[kind] if entry.name == word)
    return entry


def example_of(kind: str, word: str) -> str:
    """The example of an entry; "" if it has none."""
    return next((p.text for p in entry_of(kind, word).parts if isinstance(p, Code)), "")


@pytest.mark.parametrize("kind", [kind for kind in CONSTRUCTS if kind not in IN_STRINGS])
def test_each_entry_has_an_example_that_uses_it(kind: str) -> None:
    """Functions of `init` are in tables; any of them is written as the examples of `init` are."""
    if kind == "functions that initialize weights":
        return
    unused = [word for word in CONSTRUCTS[kind] if not written(word, example_of(kind, word))]
    assert unused == []


@pytest.mark.parametrize("owner", INSIDE)
def test_a_word_without_an_entry_is_in_an_example(owner: str) -> None:
    pages = [entry for entries in sections().values() for entry in entries]
    examples = [part.text for e in pages for part in e.parts if isinstance(part, Code)]
    text = "\n".join(example for example in examples if written(owner, example))
    assert [word for word in INSIDE[owner] if not written(word, text)] == []


@pytest.mark.parametrize("owner", VALUES)
def test_an_entry_lists_its_words(owner: tuple[str, str]) -> None:
    summary = entry_of(*owner).summary
    assert [word for word in VALUES[owner] if f"`{word}`" not in summary] == []


def test_the_reference_has_each_argument() -> None:
    for key, op in OPS.items():
        parts = entry_of("ops", key).parts
        rows = [row[0] for part in parts if isinstance(part, Table) for row in part.rows]
        assert rows == [f"`{name}`" for name in written_fields(op)]


def written(word: str, text: str) -> list[int]:
    """Where a word is in a text: as a key if it is one anywhere."""
    found = re.finditer(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text)
    places = [match.start() for match in found]
    return [place for place in places if text[place + len(word) :][:1] == ":"] or places


# Suggestions and fixes -------------------------------------------------------------------


def slips(word: str) -> list[str]:
    """The word with its last letter doubled, an inner letter left out, and two swapped."""
    made = [word + word[-1], word[:2] + word[3:], word[:-3] + word[-2] + word[-3] + word[-1]]
    return [slip for slip in made if len(word) > 4 and slip != word] or made[:1]


def whole(kind: str, word: str) -> str:
    """A spec that uses a construct."""
    if kind in ("keys of train", "data sets"):
        return RECIPE + example_of(kind, word)
    if kind == "functions that initialize weights":
        given = {n: a.default for n, a in STARTS[word].arguments.items() if a.default is None}
        inside = ", ".join(f"{name}: 0.5" for name in given)
        return completed(f"init: {{conv: {{{word}: {{{inside}}}}}}}\n")
    return completed(example_of(kind, word))


def errors(text: str) -> list[Diagnostic]:
    found = lint_text(text.encode(), "", OWN).findings
    return [one.diagnostic for one in found if is_fatal(one.diagnostic)]


@cache
def fixed(text: str) -> str:
    return fix_text(text.encode(), "", OWN)[1].decode()


@pytest.fixture(scope="module")
def shared() -> Iterator[None]:
    """Most words are in a spec that extends the same one."""
    with one_memo():
        yield


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(("kind", "word"), MEANT)
def test_a_slip_is_one_finding_that_names_the_word(kind: str, word: str) -> None:
    """It is fixed or hinted at, and nothing else is changed."""
    text = whole(kind, word)
    place, before = written(word, text)[-1], {str(one) for one in errors(text)}
    for slip in slips(word):
        wrong = text[:place] + slip + text[place + len(word) :]
        found = [one for one in errors(wrong) if str(one).replace(slip, word) not in before]
        mended = fixed(wrong)
        if mended not in (text, fixed(text)):
            assert mended == wrong
            assert f"`{word}`" in found[0].hint.partition("?")[0], found
        assert len(found) == 1, found


def test_a_slip_in_an_argument_names_it() -> None:
    for key, op in OPS.items():
        for name in (name for name in written_fields(op) if len(name) > 2):
            with pytest.raises(Problems) as caught:
                op_arguments(op, {name + name[-1]: 1})
            assert f"`{name}`" in caught.value.problems[0].hint, (key, name)


@pytest.mark.parametrize(
    ("kind", "word"), [one for one in MEANT if one[0] not in ("built-in blocks", "data sets")]
)
def test_an_editor_marks_a_slip(kind: str, word: str) -> None:
    text = whole(kind, word)
    place = written(word, text)[0]
    wrong = text[:place] + word + word[-1] + text[place + len(word) :]
    assert not [*VALIDATOR.iter_errors(parse(text, "net.yaml").data)]
    marked = not VALIDATOR.is_valid(parse(wrong, "net.yaml").data)
    # A key of a stage may be an argument of its block, and a layer type a block of the project.
    assert marked or kind in ("keys of a stage", "combinators", "ops", "words for layers")

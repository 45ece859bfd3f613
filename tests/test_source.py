"""YAML text to data and its places: what is read, what is refused and where, and `extends`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from archspec.diagnostics import Diagnostic, Span, SpecError, UnreadableFile
from archspec.source import reader
from archspec.source.document import Document, Step
from archspec.source.extends import Find, UnmergedError, merge, resolve
from archspec.source.reader import parse, read
from archspec.source.scalars import boolean_hint


def data(text: str | bytes) -> dict[str, Any]:
    return dict(parse(text, "net.yaml").data)


def findings(text: str | bytes) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        parse(text, "net.yaml")
    return list(caught.value.diagnostics)


def finding(text: str | bytes) -> Diagnostic:
    (only,) = findings(text)
    return only


def unresolved(document: Document, find: Find, match: str | None = None) -> Diagnostic:
    with pytest.raises(SpecError, match=match) as caught:
        resolve(document, find)
    (only,) = caught.value.diagnostics
    return only


def place(found: Diagnostic) -> tuple[str, int, int]:
    assert found.span is not None
    return found.rule, found.span.line, found.span.column


# What is read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("no", "no"),
        ("on", "on"),
        ("0", 0),
        ("010", 10),
        ("-64", -64),
        ("+3", 3),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("1e-6", 1e-6),
        ("1E5", 1e5),
        (".5", 0.5),
        ("-2.", -2.0),
        ("4.2e9", 4.2e9),
        ("-", "-"),
        ("1 / 4", "1 / 4"),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        ("nan", "nan"),
        ("٣", "٣"),
        ("'1'", "1"),
        ('"null"', "null"),
    ],
)
def test_scalars_mean_what_a_person_means(written: str, value: object) -> None:
    (got,) = data(f"a: {written}\n" if written != "-" else "a: '-'").values()
    assert got == value
    assert type(got) is type(value)


def test_everything_knows_its_place() -> None:
    document = parse("stem:\n  conv1: {conv: 64}\nsizes: [1, 'two']  # end\n\n", "f")
    assert document.data == {"stem": {"conv1": {"conv": 64}}, "sizes": [1, "two"]}
    assert document.file == "f"
    assert document.span() == Span("f", 1, 1, 3, 18)
    assert document.span(["stem"], key=True) == Span("f", 1, 1, 1, 5)
    assert document.span(["stem"]) == Span("f", 2, 3, 2, 20)
    assert document.span(["stem", "conv1", "conv"]) == Span("f", 2, 17, 2, 19)
    assert document.span(["sizes", 0]) == Span("f", 3, 9, 3, 10)
    assert document.span(["sizes", 1]) == Span("f", 3, 12, 3, 17)
    one, two = document.mark(["sizes", 0]), document.mark(["sizes", 1])
    assert one is not None
    assert two is not None
    assert (one.quoted, two.quoted) == (False, True)
    assert two.span == Span("f", 3, 12, 3, 17)


def test_data_is_plain() -> None:
    top = parse("sizes: [1, 'two']", "f").data
    assert type(top) is dict
    assert type(top["sizes"]) is list
    assert type(top["sizes"][1]) is str


def test_columns_count_characters_and_a_byte_order_mark_is_none() -> None:
    document = parse("\ufeffdoc: é😀\r\na: {b: 1}".encode(), "f")
    assert document.span(["doc"]) == Span("f", 1, 6, 1, 8)
    assert document.span(["a", "b"], key=True) == Span("f", 2, 5, 2, 6)


def test_a_document_survives_pickling() -> None:
    document = parse("a: {b: [x]}", "f")
    again = pickle.loads(pickle.dumps(document))
    assert again.data == document.data
    assert again.span(["a", "b", 0]) == document.span(["a", "b", 0]) == Span("f", 1, 9, 1, 10)


# Where it is

LAYERS = "stem:\n  conv1: {conv: {kernel: 3}}\nsizes: [5, 6]\n"


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ([], (1, 1), (1, 1)),
        (["stem", "conv1", "conv", "kernel"], (2, 26), (2, 18)),
        (["stem", "conv1", "nowhere", "conv"], (2, 10), (2, 3)),
        (["stem", "conv1", "conv", "missing"], (2, 17), (2, 11)),
        (["stem", "conv1", "conv", "kernel", "beyond"], (2, 26), (2, 18)),
        (["sizes", 1], (3, 12), (3, 12)),
        (["sizes", 2], (3, 8), (3, 1)),
        (["sizes", "1"], (3, 8), (3, 1)),
        (["stem", 0], (2, 3), (1, 1)),
        (["nowhere"], (1, 1), (1, 1)),
    ],
)
def test_a_path_is_followed_as_far_as_it_leads(
    path: list[Step], value: tuple[int, int], key: tuple[int, int]
) -> None:
    document = parse(LAYERS, "f")
    found, found_key = document.span(path), document.span(path, key=True)
    assert found is not None
    assert found_key is not None
    assert (found.line, found.column) == value
    assert (found_key.line, found_key.column) == key


@pytest.mark.parametrize("key", [False, True])
def test_data_from_python_has_paths_and_no_lines(key: bool) -> None:
    document = Document({"a": [{"b": "c"}]})
    assert document.span([], key) is None
    assert document.span(["a", 0, "b"], key) == Span("", path="a.0.b")
    assert document.mark(["a", 0, "b"]) is None
    assert document.file == ""


# What is refused

REFUSED = [
    ("", "empty-file", 1, 1),
    ("# nothing\n", "empty-file", 1, 1),
    ("- a\n", "not-a-mapping", 1, 1),
    ("name:resnet\n", "not-a-mapping", 1, 1),
    ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
    ("a: &x 1\n", "yaml-feature", 1, 4),
    ("a: *x\n", "yaml-feature", 1, 4),
    ("*x : a\n", "yaml-feature", 1, 1),
    ("a: !!str 1\n", "yaml-feature", 1, 4),
    ("a: !python/object/apply:os.system [x]\n", "yaml-feature", 1, 4),
    ("a: !e!x y\n", "yaml-feature", 1, 4),
    ("a: !%C0%80 b\n", "yaml-feature", 1, 1),
    ("<<: {a: 1}\n", "yaml-feature", 1, 1),
    ("a: 1\n---\nb: 2\n", "yaml-feature", 2, 1),
    ("a: 1\n...\nb: 2\n", "yaml-feature", 3, 1),
    ("%YAML 1.2\n---\na: 1\n", "yaml-feature", 1, 1),
    ("1: a\n", "key-not-text", 1, 1),
    ("true: a\n", "key-not-text", 1, 1),
    ("? [a]\n: b\n", "key-not-text", 1, 3),
    ("a: {{ b }}\n", "key-not-text", 1, 5),
    ("a: {~: 1}\n", "key-not-text", 1, 5),
    ("a: .nan\n", "not-finite", 1, 4),
    ("a: -.INF\n", "not-finite", 1, 4),
    ("a: 1e999\n", "not-finite", 1, 4),
    ("a: " + "9" * 31, "too-large", 1, 4),
    ("a: 0x" + "f" * 31, "too-large", 1, 4),
    ("a: 0." + "3" * 5000, "too-large", 1, 4),
    (b"a: 1\nb: \xff\n", "not-utf8", 2, 4),
    ("a: 1\n".encode("utf-16"), "not-utf8", 1, 1),
    ("a: \ud800", "not-utf8", 1, 4),
    ("a: b\0c", "yaml-syntax", 1, 5),
    ("a: é\u2028b: c", "yaml-syntax", 1, 5),
    ("a:\n\tb: 1\n", "tab-indentation", 2, 1),
    ("a:\n  b: 1\n\tc: 2\n", "tab-indentation", 3, 1),
    ("a: |\n\ttext\n", "tab-indentation", 2, 1),
    ("a:\n  -\t- 1\n", "tab-indentation", 2, 4),
    ("a: b: c\n", "yaml-syntax", 1, 5),
    ("a: 1\n b: 2\n", "yaml-syntax", 2, 3),
    ("a:\n    b: 1\n  c: 2\n", "yaml-syntax", 3, 3),
    ("a: 1\nb\nc: 2\n", "yaml-syntax", 2, 1),
    ("a: 'b' c\n", "yaml-syntax", 1, 8),
    ("a: [1, 2\n", "yaml-syntax", 2, 1),
    ("a: {b: 1]\n", "yaml-syntax", 1, 9),
    ("a: 'b\n", "yaml-syntax", 1, 4),
    ('a: "\\q"\n', "yaml-syntax", 1, 5),
    ("a: @b\n", "yaml-syntax", 1, 4),
    ("{a: 1} b\n", "yaml-syntax", 1, 8),
    ("a: {b: min(64, width)}\n", "unquoted-comma", 1, 8),
    ("a: [max(8, 16, w), 1]\n", "unquoted-comma", 1, 5),
]


@pytest.mark.parametrize(("text", "rule", "line", "column"), REFUSED)
def test_what_is_wrong_is_said_where_it_is(
    text: str | bytes, rule: str, line: int, column: int
) -> None:
    found = finding(text)
    assert place(found) == (rule, line, column)
    assert found.message
    assert found.hint


def test_a_value_of_several_lines_may_start_with_a_dash() -> None:
    assert parse("a: -5 degrees\n  or colder", "a.yaml").data == {"a": "-5 degrees or colder"}
    assert finding("a:\n  -norm\n  -act").message == "missing space after `-`"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a: {b: min(64, w) // 2}", "splits", 'quote the expression: `"min(64, w) // 2'),
        ("a: b: c", "a second `:`", "quote"),
        ("a:\n\tb: 1", "the line is indented with a tab", "indent with two spaces per level"),
        ("name:net", "found `name:net`", "a space after `:`"),
        ("a: [1 2}", "expected `,` or `]`, found `}`", "close the list"),
        ("a: 'b' c", "found `c` after the end of the value", "quote the whole value"),
        ("'\\e[31m': 1\n'\\e[31m': 1", "duplicate key `\\e[31m`", "remove"),
        ('"\\e": 1\n"\\e": 1', "duplicate key `\\x1b`", "remove"),
    ],
)
def test_findings_are_in_a_persons_words(text: str, message: str, hint: str) -> None:
    found = finding(text)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "line", "column", "label"),
    [
        ("a: 1\na: 2", 1, 1, "first defined here"),
        ("a: {b: [\n  1, 2}", 1, 8, "opened here"),
    ],
)
def test_a_second_place_is_labelled(text: str, line: int, column: int, label: str) -> None:
    (second,) = finding(text).labels
    assert (second.span.line, second.span.column, second.text) == (line, column, label)


def test_all_findings_come_at_once_also_before_a_syntax_error() -> None:
    text = "a: &x 1\na: *x\nb: .inf\n1: 2\nc: {d: max(1, 2)}\ne: [\n"
    assert [place(found) for found in findings(text)] == [
        ("yaml-feature", 1, 4),
        ("duplicate-key", 2, 1),
        ("yaml-feature", 2, 4),
        ("not-finite", 3, 4),
        ("key-not-text", 4, 1),
        ("unquoted-comma", 5, 8),
        ("yaml-syntax", 7, 1),
    ]


def test_brackets_outside_of_braces_need_no_quotes() -> None:
    assert data("a: min(64, width)\nb: {c: 'f(1, 2)', d: f(x)}") == {
        "a": "min(64, width)",
        "b": {"c": "f(1, 2)", "d": "f(x)"},
    }


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off", "True", "FALSE", "true"])
def test_words_that_look_like_booleans_have_a_hint(word: str) -> None:
    right = "true" if word.lower() in ("yes", "on", "true") else "false"
    assert f"`{right}`" in boolean_hint(word)


@pytest.mark.parametrize("word", ["", "maybe", "0", "n", "nothing"])
def test_other_words_have_none(word: str) -> None:
    assert boolean_hint(word) == ""


# Limits, and what a stranger may send

MEBIBYTE = 1 << 20


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ("#" * (MEBIBYTE - 5) + "\na: 1", "#" * (MEBIBYTE - 4) + "\na: 1"),
        ("a: " + "[" * 63 + "]" * 63, "a: " + "[" * 64 + "]" * 64),
        ("a: [" + "1," * 19_997 + "]", "a: [" + "1," * 19_998 + "]"),
        ("a: " + "9" * 30, "a: " + "9" * 31),
    ],
    ids=["bytes", "depth", "nodes", "digits"],
)
def test_limits(within: str, beyond: str) -> None:
    parse(within, "f")
    assert finding(beyond).rule == "too-large"


UNITS = "- |[|{|{a: |? |[a: |&a |- &a b\n|'|%|\t|:|: |a: |#|- - \n|-\n|---\n|*a |!"


@pytest.mark.parametrize("unit", UNITS.split("|"))
def test_a_mebibyte_of_anything_is_refused(unit: str) -> None:
    assert findings((unit * MEBIBYTE)[:MEBIBYTE])


@pytest.mark.parametrize("start", ["", "---\n", "a: 1\n", "{a: 1}\n", "a: 1\n...\n"])
def test_tag_directives_never_reach_the_parser(start: str) -> None:
    """libyaml compares each with all before it: half a minute for a mebibyte."""
    tags = "".join(f"%TAG !t{i}! tag:t\n" for i in range(50_000))
    assert "yaml-feature" in {found.rule for found in findings(start + tags)}


def test_findings_are_counted_too() -> None:
    found = findings("a: [" + "*b ," * 9_000 + "]")
    assert len(found) == 101
    assert found[-1].rule == "too-large" or found[-2].rule == "too-large"


FRAGMENTS = (
    "a|b: |- |\n|  |\t|{|}|[|]|, |: |?|&x |*x|!t|<<: |'|\"|\\|>-\n|#|%|---\n|...\n"
    "|1|.inf|null|min(1, 2)|\r|é|\u2028|\0|😀|\ufeff"
)
fragments = st.sampled_from(FRAGMENTS.split("|"))


def attempt(action: Callable[[], Document]) -> Document | SpecError:
    try:
        return action()
    except SpecError as error:
        return error


@pytest.mark.parametrize("events", [reader._Events, yaml.SafeLoader])
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.lists(fragments).map("".join) | st.text() | st.binary())
def test_never_anything_but_data_or_findings(
    text: str | bytes, events: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_Events", events)
    result = attempt(lambda: parse(text, "f"))
    if isinstance(result, SpecError):
        assert result.diagnostics
        assert all(found.span and found.rule for found in result.diagnostics)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.sampled_from(["conv", "none"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["conv", "norm", "name", "block", "stem", "a"]), inner)
    ),
)
specs = st.dictionaries(
    st.sampled_from(["stem", "stages", "defaults", "blocks", "head", "args"]), plain
)


@settings(max_examples=100, deadline=None)
@given(specs, specs)
def test_merging_gives_data_or_findings(base: Any, over: Any) -> None:
    merged = merge(Document(base), Document(over))
    assert set(merged.data) <= set(base) | set(over)
    assert merge(merged, Document({})).data == merged.data
    top = Document({"extends": "base", **over})
    result = attempt(lambda: resolve(top, lambda name, span: Document(base)))
    if merged.deletions:
        assert isinstance(result, UnmergedError)
        assert {found.rule for found in result.diagnostics} == {"extends"}
        result = result.rest
    assert isinstance(result, Document)
    assert result.data == merged.data


# Files


def test_a_file_is_called_what_people_call_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "net.yaml").write_text("name: net")
    monkeypatch.chdir(tmp_path)
    for path in ["specs/net.yaml", "./specs/net.yaml", tmp_path / "specs/net.yaml"]:
        assert read(path).file == "specs/net.yaml"
    monkeypatch.chdir(tmp_path / "specs")
    assert read(tmp_path / "specs" / "net.yaml").file == "net.yaml"


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    for path, reason in {
        "missing.yaml": "no such file",
        ".": "directory",
        "pipe": "not a regular file",
        "/dev/zero": "not a regular file",
        "a\0b": "it is not a valid file name",
    }.items():
        with pytest.raises(UnreadableFile, match=reason):
            read(path)


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(SpecError, match="too-large"):
        read(path)


# extends


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ("args: {a: 1, b: 2}", "args: {b: 3, c: 4}", "args: {a: 1, b: 3, c: 4}"),
        ("input: [3, 8, 8]", "input: [1]", "input: [1]"),
        ("args: {a: 1, b: 2}", "args: {a: null}", "args: {b: 2}"),
        ("init: torch\nargs: {}", "init: null", "args: {}"),
        ("stem: {a: norm}", "stem: {a: {norm: {}}}", "stem: {a: {norm: {}}}"),
        (
            "stem: {a: {conv: {channels: 64, kernel: 7}, name: x}}",
            "stem: {a: {conv: {kernel: 3}}}",
            "stem: {a: {conv: {channels: 64, kernel: 3}, name: x}}",
        ),
        (
            "stem: {a: {conv: {kernel: 7}, name: x}, b: act}",
            "stem: {a: {max_pool: {kernel: 3}}}",
            "stem: {a: {max_pool: {kernel: 3}}, b: act}",
        ),
        (
            "stem: {a: {conv: {kernel: 7}, name: x}}",
            "stem: {a: {conv: null, max_pool: 2}}",
            "stem: {a: {max_pool: 2}}",
        ),
        (
            "head: {fc: {linear: 9, when: a}}",
            "head: {fc: {when: b}}",
            "head: {fc: {linear: 9, when: b}}",
        ),
        (
            "stem: {a: {deep: {act: {relu: {inplace: true}}, width: 3}}}",
            "stem: {a: {deep: {act: {silu: {}}}}}",
            "stem: {a: {deep: {act: {silu: {}}, width: 3}}}",
        ),
        (
            "stem: {a: {conv: 1, else: {max_pool: {kernel: 3}}}}",
            "stem: {a: {else: {avg_pool: {stride: 2}}}}",
            "stem: {a: {conv: 1, else: {avg_pool: {stride: 2}}}}",
        ),
        (
            "stages: {l1: {block: basic, repeat: 2, attention: {se: {ratio: 1}}}}",
            "stages: {l1: {repeat: 3, attention: {eca: {}}}}",
            "stages: {l1: {block: basic, repeat: 3, attention: {eca: {}}}}",
        ),
        (
            "stages: {l1: {block: basic}}",
            "stages: {l1: {block: bottleneck}}",
            "stages: {l1: {block: bottleneck}}",
        ),
        (
            "stages: {t: {transition: {channels: 4}}}",
            "stages: {t: {transition: {stride: 2}}}",
            "stages: {t: {transition: {channels: 4, stride: 2}}}",
        ),
        (
            "stages: {t: {transition: {channels: 4}}}",
            "stages: {t: {max_pool: 2}}",
            "stages: {t: {max_pool: 2}}",
        ),
        (
            "defaults: {norm: {group_norm: 32}, basic: {attention: {se: {}}, a: 1}}",
            "defaults: {norm: {batch_norm: {}}, basic: {attention: {eca: {}}}}",
            "defaults: {norm: {batch_norm: {}}, basic: {attention: {eca: {}}, a: 1}}",
        ),
        (
            "blocks: {b: {parts: {p: {se: {a: 1}}}, args: {w: 1}}}",
            "blocks: {b: {parts: {p: {eca: {}}}, args: {v: 2}}}",
            "blocks: {b: {parts: {p: {eca: {}}}, args: {w: 1, v: 2}}}",
        ),
        (
            "name: a\nclass: A\ndoc: d\nexpect: {params: 1}\nextends: z\nargs: {}",
            "name: b",
            "args: {}\nname: b",
        ),
    ],
)
def test_maps_merge_values_replace_null_deletes_another_head_replaces(
    base: str, over: str, result: str
) -> None:
    merged = merge(parse(base, "base"), parse(over, "over"))
    expected = data(result)
    assert merged.data == expected
    assert list(merged.data) == list(expected)
    assert merged.deletions == ()


def test_places_travel_with_the_values() -> None:
    base = parse("args: {a: 1, b: 2}\nstem: [x]", "base.yaml")
    merged = merge(base, parse("args:\n  b: 3", "over.yaml"))
    assert merged.span(["args", "a"]) == Span("base.yaml", 1, 11, 1, 12)
    assert merged.span(["args", "b"]) == Span("over.yaml", 2, 6, 2, 7)
    assert merged.span(["stem", 0]) == Span("base.yaml", 2, 8, 2, 9)
    assert merged.span() == Span("over.yaml", 1, 1, 2, 7)
    assert base.data == {"args": {"a": 1, "b": 2}, "stem": ["x"]}


def test_what_python_lays_over_a_file_has_paths() -> None:
    merged = merge(parse("args: {a: 1}", "base"), Document({"args": {"b": 2}}))
    assert merged.data == {"args": {"a": 1, "b": 2}}
    assert merged.span(["args", "a"]) == Span("base", 1, 11, 1, 12)
    assert merged.span(["args", "b"]) == Span("", path="args.b")


def library(**specs: str) -> Find:
    def find(name: str, span: Span | None) -> Document:
        if name not in specs:
            raise SpecError([Diagnostic("extends", f"no spec `{name}`", span)])
        return parse(specs[name], f"{name}.yaml")

    return find


def test_null_must_delete_something() -> None:
    top = parse("extends: base\nstem: {maxpol: null}", "over")
    found = unresolved(top, library(base="stem: {maxpool: x}"))
    assert place(found) == ("extends", 2, 8)
    assert "did you mean `maxpool`?" in found.hint


def test_a_chain_is_merged_from_its_root() -> None:
    find = library(
        a="name: a\ninput: [3]\nargs: {x: 1, y: 1, z: 1}",
        b="extends: a\nname: b\nargs: {y: 2, z: 2}",
    )
    top = parse("extends: b\nname: c\nargs: {z: 3}", "c.yaml")
    result = resolve(top, find)
    assert result.data == {"input": [3], "args": {"x": 1, "y": 2, "z": 3}, "name": "c"}
    assert result.extended == Span("c.yaml", 1, 10, 1, 11)
    assert top.data["extends"] == "b"


def test_a_spec_that_extends_nothing_is_itself() -> None:
    for document in [parse("name: a", "f"), Document({"name": "a"})]:
        result = resolve(document, library())
        assert result.data == {"name": "a"}
        assert result.extended is None


@pytest.mark.parametrize(
    "name",
    [
        "''",
        "1",
        "null",
        "[a]",
        "../a",
        "a/b",
        "a\\b",
        "a.yaml",
        "..",
        "a b",
        "é",
        "C:\\a",
    ],
)
def test_extends_takes_a_name_never_a_path(name: str) -> None:
    found = unresolved(parse(f"name: n\nextends: {name}", "f"), library())
    assert place(found) == ("extends", 2, 10)


def chain(length: int) -> dict[str, str]:
    return {f"s{i}": f"extends: s{i + 1}" for i in range(length)} | {f"s{length}": "a: 1"}


def test_ten_specs_deep_is_deep_enough() -> None:
    top = parse("extends: s0", "top.yaml")
    assert resolve(top, library(**chain(9))).data == {"a": 1}
    found = unresolved(top, library(**chain(10)), match="more than 10 specs")
    assert found.span is not None
    assert found.span.file == "s9.yaml"


def test_a_circle_is_shown_with_the_way_round() -> None:
    find = library(a="extends: b", b="extends: a")
    found = unresolved(parse("extends: b", "a.yaml"), find, match="`a` extends itself")
    assert str(found.span) == "b.yaml:1:10"
    assert [str(label.span) for label in found.labels] == ["a.yaml:1:10"]


def test_a_spec_may_extend_another_of_its_name() -> None:
    find = library(resnet50="a: 1")
    assert resolve(parse("extends: resnet50", "my/resnet50.yaml"), find).data == {"a": 1}


def test_an_error_in_a_base_names_the_line_that_uses_it() -> None:
    find = library(a="x: 1\nx: 2", b="extends: a")
    found = unresolved(parse("extends: b", "c.yaml"), find)
    assert str(found.span) == "a.yaml:2:1"
    places = [(str(label.span), label.text) for label in found.labels]
    assert places == [
        ("a.yaml:1:1", "first defined here"),
        ("b.yaml:1:10", "extended from here"),
        ("c.yaml:1:10", "extended from here"),
    ]


def test_an_unknown_base_is_an_error_of_the_line_that_names_it() -> None:
    found = unresolved(parse("extends: nowhere", "c.yaml"), library())
    assert str(found.span) == "c.yaml:1:10"
    assert found.labels == ()

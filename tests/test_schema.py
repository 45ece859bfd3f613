"""The JSON Schema for editors: valid, takes what is shipped, says one thing of a typo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archspec.rules import RULES
from archspec.schema import block_schema, spec_schema
from archspec.source.reader import parse, read
from support import ROOT

SPECS = sorted([*ROOT.glob("specs/*.yaml"), *ROOT.glob("specs/zoo/*.yaml")])
BLOCKS = sorted(ROOT.glob("specs/blocks/*.yaml"))
HEAD = "name: net\ninput: [3, 32, 32]\n"

SPEC = jsonschema.Draft202012Validator(spec_schema())
BLOCK = jsonschema.Draft202012Validator(block_schema())


def findings(yaml: str) -> list[Any]:
    return list(SPEC.iter_errors(parse(yaml, "net.yaml").data))


def test_both_are_schemas_of_their_draft() -> None:
    for schema in (spec_schema(), block_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.sampled("path", SPECS[::6], of=SPECS, ids=lambda path: path.stem)
def test_shipped_specs_are_valid(path: Path) -> None:
    assert list(SPEC.iter_errors(read(path).data)) == []


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.stem)
def test_shipped_blocks_are_valid(path: Path) -> None:
    assert list(BLOCK.iter_errors(read(path).data)) == []


@pytest.mark.parametrize("name", RULES)
def test_good_examples_are_valid(name: str) -> None:
    files = RULES[name].good.completed().items()
    for file, data in (one for one in files if one[0].endswith(".yaml")):
        validator = BLOCK if "blocks/" in file else SPEC
        assert list(validator.iter_errors(parse(data, file).data)) == []


TYPOS = {
    "stem: [{conv: {channels: 64, kernal: 3}}]": ("stem", 0, "conv"),
    "stem: [{conv: 64, kernel: 3}]": ("stem", 0),
    "stem: [{conv: 64, whne: true}]": ("stem", 0),
    "stem: [{conv: 0}]": ("stem", 0, "conv"),
    "stem: [{conv: null}]": ("stem", 0, "conv"),
    "stem: [{conv: {channels: 64, bias: yes}}]": ("stem", 0, "conv", "bias"),
    "stem: [{dropout: 20}]": ("stem", 0, "dropout"),
    "stem: [{max_pool: {kernel: 2, ceil: true}}]": ("stem", 0, "max_pool"),
    "stem: [{gelu: {approximate: tan}}]": ("stem", 0, "gelu", "approximate"),
    "stem: [{relu: 3}]": ("stem", 0, "relu"),
    "stem: [null]": ("stem", 0),
    "stem: [{conv: 64, else: act}]": ("stem", 0),
    "stem: [{conv: 64, shortcut: act}]": ("stem", 0),
    "stem: [{residual: [act], shortct: conv_norm}]": ("stem", 0),
    "stem: [{residual: act}]": ("stem", 0, "residual"),
    "stem: [{concat: act}]": ("stem", 0, "concat"),
    "stem: 3": ("stem",),
    "head: {forward: act}": ("head",),
    "stages: {a: {block: basic, chanels: 64}}": ("stages", "a"),
    "stages: {a: {block: basic, repeat: 0}}": ("stages", "a", "repeat"),
    "stages: {a: {repeat: 3, channels: 64}}": ("stages", "a"),
    "stages: {a: {max_pool: {kernal: 2}}}": ("stages", "a", "max_pool"),
    "defaults: {bottleneck: {gruops: 32}}": ("defaults", "bottleneck"),
    "defaults: {conv: {bais: true}}": ("defaults", "conv"),
    "expect: {parms: 3}": ("expect",),
    "expect: {params: {mx: 3}}": ("expect", "params"),
    "blocks: {cell: {args: {}}}": ("blocks", "cell"),
    "blocks: {cell: {body: [act], parts: {channels: none}}}": ("blocks", "cell", "parts"),
    "names: {batchnorm: bn}": ("names",),
    "args: {classes: many}": ("args", "classes"),
    "init: rsnet": ("init",),
    "inptu: [3]": (),
}


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_is_one_finding_at_its_place(typo: str) -> None:
    (found,) = findings(HEAD + typo)
    assert tuple(found.absolute_path) == TYPOS[typo]


@pytest.mark.parametrize(
    "changed",
    [
        "stages: {layer3: {repeat: 23}}",
        "stages: {layer3: {attention: se}}",
        "stages: {layer4: null}",
        "stem: {maxpool: null}",
        "stem: {conv1: {conv: {stride: null}}}",
        "defaults: {conv: null}",
        "expect: null",
    ],
)
def test_a_spec_that_extends_another_may_say_a_part_of_it_or_delete(changed: str) -> None:
    assert findings(f"name: net\nextends: resnet50\n{changed}\n") == []


@pytest.mark.parametrize(
    "named",
    [
        "stem: [{conv: 8, name: convs.0}]",
        "stem: {convs.0: {conv: 8}}",
        "stages: {parts.a: {block: basic, channels: 8}}",
        "stem: [{concat: {convs.0: {conv: 8}, convs.1: {conv: 8}}}]",
    ],
)
def test_a_name_has_dots_where_lint_takes_them(named: str) -> None:
    assert findings(HEAD + named) == []
    assert len(findings(HEAD + named.replace("s.", "s..", 1))) == 1


def test_a_spec_may_have_its_own_block_of_a_built_in_name() -> None:
    own = "blocks: {basic: {args: {depth: 2}, body: [{conv: channels}]}}\n"
    stages = "stages: {a: {block: basic, channels: 64, depth: 3}}\n"
    assert findings(HEAD + own + stages) == []
    assert len(findings(HEAD + stages)) == 1


def test_an_editor_has_something_to_say_of_each_key() -> None:
    properties = spec_schema()["properties"]
    assert [key for key in properties if not properties[key].get("description")] == []
    conv = spec_schema()["$defs"]["op-conv"]["properties"]
    assert conv["kernel"]["description"] == "`kernel_size` of `Conv2d`. By default `1`."
    assert conv["stride"]["default"] == 1


def test_interpolate_takes_a_name_alone_or_in_a_map() -> None:
    layers = HEAD + "stem: [{conv: 8, save: a}, "
    for given in ("a", "{like: a}", "{like: a, mode: bilinear, align_corners: false}"):
        assert findings(f"{layers}{{interpolate: {given}}}]") == []
    for given in ("2", "{}", "{mode: nearest}", "{like: a, mode: cubic}", "{like: a, scale: 2}"):
        assert len(findings(f"{layers}{{interpolate: {given}}}]")) == 1

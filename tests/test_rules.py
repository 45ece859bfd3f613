"""The catalogue of lint: every rule is listed, explained, and does what its page shows."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from archspec.api import MEMO
from archspec.classes import classes
from archspec.cli import main
from archspec.diagnostics import Diagnostic, SpecError
from archspec.language import load, parse_text
from archspec.language.settings import setting
from archspec.rules import RULES, Example, Rule, by_code
from archspec.rules.checking import check_block_text, check_spec, errors_of
from archspec.rules.page import FAMILIES
from archspec.rules.rule import reported
from support import ROOT

PACKAGE = ROOT / "archspec"
KEBAB = re.compile(r"[a-z]+(-[a-z0-9]+)*\Z")
# Functions that take the name of a rule as their first argument, or as `rule`.
REPORTING = {
    "Diagnostic",
    "Finding",
    "Problem",
    "at_key",
    "error",
    "fail",
    "feature",
    "finding",
    "report",
}
BY_KEYWORD = {"ShapeError"}
SHAPES = {f"{head}-shape-mismatch" for head in ("add", "concat", "multiply")}
BY_THE_LINTER = {"unused-suppression", "suppression-without-reason", "unknown-rule-in-suppression"}
WITHOUT_PLACE = {"setting", "unknown-output"}
ACROSS_FILES = {"duplicate-spec-name", "import-not-allowed"}
SPECS = sorted([*ROOT.glob("specs/*.yaml"), *ROOT.glob("specs/zoo/*.yaml")])

rules = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def rules_but(names: set[str]) -> pytest.MarkDecorator:
    """Every rule but those whose examples a test further down shows with the whole linter."""
    chosen = {name: rule for name, rule in RULES.items() if name not in names}
    return pytest.mark.parametrize("rule", chosen.values(), ids=chosen)


# The catalogue ------------------------------------------------------------------------


def test_every_rule_that_is_reported_is_listed() -> None:
    emitted = {name for path in PACKAGE.rglob("*.py") for name in _emitted(path)}
    assert emitted - RULES.keys() == set()


def test_every_rule_that_is_listed_is_reported() -> None:
    emitted = {name for path in PACKAGE.rglob("*.py") for name in _emitted(path)}
    assert RULES.keys() - emitted - SHAPES - BY_THE_LINTER - ACROSS_FILES == set()


def _emitted(path: Path) -> Iterator[str]:
    """The names of rules in the calls that report."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for said in _rule_arguments(node):
                name = constants.get(said.id) if isinstance(said, ast.Name) else None
                for part in ast.walk(said):
                    name = part.value if isinstance(part, ast.Constant) else name
                    if isinstance(name, str) and KEBAB.match(name):
                        yield name


def _rule_arguments(call: ast.Call) -> Iterator[ast.expr]:
    function = call.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    adds = isinstance(function, ast.Attribute) and name == "add" and len(call.args) >= 2
    if (name in REPORTING or adds) and call.args:
        yield call.args[0]
    if name in REPORTING | BY_KEYWORD:
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "rule")


@rules
def test_a_rule_has_a_code_of_its_family_a_name_and_a_page(rule: Rule) -> None:
    assert re.fullmatch(r"AS[1-4]\d\d", rule.code)
    assert rule.code[:3] in FAMILIES
    assert KEBAB.match(rule.name)
    assert rule.summary.endswith(".")
    assert rule.why.endswith(".")
    assert rule.bad.text
    assert rule.good.text
    assert by_code(rule.code) is rule
    assert by_code(rule.name.upper()) is rule


@pytest.mark.parametrize(("code", "name"), [("AS301", "new"), ("AS399", "depth-mismatch")])
def test_codes_and_names_are_given_once(code: str, name: str) -> None:
    with pytest.raises(AssertionError, match="AS301 depth-mismatch already exists"):
        reported(code, name)(lambda: None)


# Examples -----------------------------------------------------------------------------


@rules_but(BY_THE_LINTER | ACROSS_FILES)
def test_the_bad_example_has_the_finding_and_no_other(rule: Rule, tmp_path: Path) -> None:
    found = _findings(rule.bad, tmp_path)
    assert {finding.rule for finding in found} == {rule.name}
    assert all(finding.severity == rule.severity for finding in found)
    assert all(finding.span or rule.name in WITHOUT_PLACE for finding in found)


@pytest.mark.parametrize("name", sorted(BY_THE_LINTER | ACROSS_FILES))
def test_what_the_linter_alone_can_see(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for example, expected in ((RULES[name].bad, {name}), (RULES[name].good, set())):
        folder = tmp_path / ("bad" if expected else "good")
        _write(example, folder)
        monkeypatch.chdir(folder)
        main(["lint", ".", "--no-cache", "--format=concise"])
        assert set(re.findall(r"\[([a-z-]+)\]", capsys.readouterr().out)) == expected


@rules_but(BY_THE_LINTER)
def test_the_good_example_is_clean(rule: Rule, tmp_path: Path) -> None:
    assert _findings(rule.good, tmp_path) == []


def _write(example: Example, folder: Path) -> list[Path]:
    paths = []
    for name, text in example.completed().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        paths.append(path)
    return paths


def _findings(example: Example, folder: Path) -> list[Diagnostic]:
    paths = _write(example, folder)
    os.chdir(folder)
    try:
        settings = dict(setting(text) for text in example.settings())
        spec = load(paths[0].relative_to(folder), settings)
        if example.outputs():
            classes(spec, example.outputs())
        return check_spec(spec)
    except SpecError as error:
        return list(error.diagnostics)
    finally:
        os.chdir(ROOT)


# What single rules promise ------------------------------------------------------------


def lint(text: str, file: str = "net.yaml") -> list[Diagnostic]:
    return check_spec(parse_text(text, file))


def names(found: list[Diagnostic]) -> list[str]:
    return [finding.rule for finding in found]


HEAD = "name: net\ninput: [3, 64, 64]\n"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs_have_no_errors(path: Path) -> None:
    assert errors_of(load(path, memo=MEMO), memo=MEMO) == []


def test_a_finding_inside_a_shipped_block_is_told_at_the_line_that_uses_it() -> None:
    text = HEAD + "stages:\n  layer1: {block: conv_norm, channels: 64, stride: 2}\n"
    (finding,) = lint(text)
    assert finding.rule == "stride-skips-pixels"
    assert finding.span is not None
    assert (finding.span.file, finding.span.line) == ("net.yaml", 4)
    assert finding.labels[0].span.file.endswith("specs/blocks/conv_norm.yaml")


def test_a_finding_inside_a_block_of_the_spec_is_told_at_the_block() -> None:
    text = HEAD + (
        "stages:\n  layer1: {block: cell, channels: 64}\n"
        "blocks:\n  cell:\n    body:\n      - conv: {channels: channels, bias: true}\n"
        "      - norm\n"
    )
    (finding,) = lint(text)
    assert finding.rule == "redundant-bias"
    assert finding.span is not None
    assert finding.span.line == 8


def test_a_size_is_told_where_it_is_decided() -> None:
    blocks = "blocks:\n  cell: {body: [{conv: {channels: %s, kernel: 3}}, norm, act]}\n"
    stages = "stages:\n  layer1: {block: cell, channels: 100}\n"
    (literal,) = lint(HEAD + blocks % 100 + stages)
    (handed,) = lint(HEAD + blocks % "channels" + stages)
    assert (literal.rule, handed.rule) == ("unaligned-channels", "unaligned-channels")
    assert literal.span is not None
    assert handed.span is not None
    assert (literal.span.line, handed.span.line) == (4, 6)
    assert handed.labels[0].span.line == 4


def test_what_an_inherited_stage_is_given_is_told_in_the_file_that_gives_it() -> None:
    text = "name: net\nextends: resnet50\nstages: {layer3: {repeat: 6, reduced: 250}}\n"
    (finding,) = lint(text)
    assert finding.rule == "unaligned-channels"
    assert finding.span is not None
    assert finding.span.file == "net.yaml"


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("extends: resnet18\nstages: {layer2: {stride: 1}}\n", "2:27", "use `stride: 2`"),
        (
            "extends: resnet50\ninput: [3, 32, 32]\n",
            "2:8",
            "increase the image size, or reduce the stride",
        ),
        (
            "extends: resnet50d\ninput: [3, 32, 32]\n",
            "2:8",
            "increase the image size, or reduce the stride",
        ),
        ("extends: resnet50d\nargs: {classes: 10}\n", "", ""),
    ],
)
def test_what_a_variant_makes_of_a_shipped_spec_is_told_in_the_variant(
    text: str, place: str, hint: str
) -> None:
    found = lint(f"{text}name: net\n")
    assert [str(d.span) for d in found] == ([f"net.yaml:{place}"] if place else [])
    assert all(hint in d.hint for d in found)


def test_a_bias_that_another_use_needs_is_no_finding() -> None:
    text = HEAD + (
        "blocks:\n  cell:\n    parts: {after: none}\n    body:\n"
        "      - conv: {channels: channels, kernel: 3, bias: true}\n      - after\n      - act\n"
        "stages:\n  a: {block: cell, channels: 64, after: norm}\n"
        "  b: {block: cell, channels: 64}\n"
    )
    assert lint(text) == []


def test_a_bias_is_needed_where_more_than_the_norm_reads_it() -> None:
    text = HEAD + "stem:\n  - conv: {channels: 64, bias: true}\n  - residual: [norm, act]\n"
    assert lint(text) == []


def test_the_fix_of_a_redundant_bias_takes_the_argument_out() -> None:
    text = HEAD + "stem: [{conv: {channels: 64, bias: true, kernel: 3}}, norm]\n"
    (finding,) = lint(text)
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    line = text.splitlines()[2]
    fixed = line[: edit.span.column - 1] + edit.text + line[edit.span.end_column - 1 :]
    assert fixed == "stem: [{conv: {channels: 64, kernel: 3}}, norm]"


def test_a_bias_from_defaults_has_no_fix_for_others_may_need_it() -> None:
    text = HEAD + "defaults: {conv: {bias: true}}\nstem: [{conv: 64}, norm, act]\n"
    (finding,) = lint(text)
    assert finding.rule == "redundant-bias"
    assert finding.fix is None
    assert finding.span is not None
    assert finding.span.line == 3


@pytest.mark.parametrize(
    ("name", "depth"), [("resnet18", 18), ("cifar_resnet20", 20), ("resnext50_32x4d", 50)]
)
def test_depth_of_a_name(name: str, depth: int) -> None:
    text = f"name: {name}_again\nextends: {name}\n"
    assert lint(text, f"{name}_again.yaml") == []
    assert lint(text + f"expect: {{depth: {depth}}}\n", f"{name}_again.yaml") == []
    found = lint(text + f"expect: {{depth: {depth + 2}}}\n", f"{name}_again.yaml")
    assert [(d.rule, d.severity) for d in found] == [("depth-mismatch", "error")]


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        ("other.yaml", "use `name: other`, or rename the file"),
        ("my-net.yml", "rename the file: `net.yml`"),
        ("..yaml", "rename the file: `net.yaml`"),
    ],
)
def test_the_hint_for_a_name_is_one_that_can_be_followed(file: str, hint: str) -> None:
    (finding,) = lint("name: net\ninput: [3, 8, 8]\nstem: [norm]\n", file)
    assert (finding.rule, finding.hint) == ("name-differs-from-file", hint)


def test_a_name_is_held_against_the_network_too() -> None:
    text = "name: resnet19\nextends: resnet18\nexpect: {depth: 18}\n"
    (finding,) = lint(text, "resnet19.yaml")
    assert (finding.rule, finding.severity) == ("depth-mismatch", "warning")


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        ("{params: 269722}", True),
        ("{params: 269721}", False),
        ("{params: {max: 300000}}", True),
        ("{params: {max: 200000}}", False),
        ("{macs: {min: 1e6, max: 1e8}}", True),
        ("{macs: {min: 1e8}}", False),
        ("{depth: {max: 19}}", False),
        ("{output: [10]}", True),
        ("{output: [11]}", False),
    ],
)
def test_budget(expect: str, holds: bool) -> None:
    found = lint(f"name: net\nextends: cifar_resnet20\nexpect: {expect}\n")
    assert names(found) == ([] if holds else ["budget"])


def test_a_budget_is_void_with_arguments_from_outside() -> None:
    spec = load(ROOT / "specs" / "resnet18.yaml", {"args.classes": 100})
    assert check_spec(spec) == []


def test_a_default_that_is_inherited_and_unused_is_no_finding() -> None:
    text = "name: net\nextends: resnet18_fashion_mnist\nstages:\n" + "".join(
        f"  layer{n}: {{block: bottleneck}}\n" for n in range(1, 5)
    )
    assert "unused-default" not in names(lint(text))


@pytest.mark.parametrize("name", ["torch", "numpy", "math", "struct", "typing"])
def test_a_generated_file_takes_no_module_s_place(name: str) -> None:
    """Beside a `torch.py` no script could import torch."""
    with pytest.raises(SpecError) as caught:
        lint(f"name: {name}\ninput: [3, 32, 32]\nstem: [norm]\n", f"{name}.yaml")
    (found,) = caught.value.diagnostics
    assert (found.rule, str(found.span)) == ("bad-name", f"{name}.yaml:1:7")
    assert f"`{name}_net`" in found.hint


@pytest.mark.parametrize(
    ("window", "share"),
    [
        ("kernel: 1, stride: 2", "(kernel 1, stride 2) reads only 1 of every 4 pixels"),
        ("kernel: 3, stride: 4", "(kernel 3, stride 4) reads only 9 of every 16 pixels"),
        (
            "kernel: [3, 1], stride: [1, 2]",
            "(kernel 3x1, stride 1x2) reads only 1 of every 2 pixels",
        ),
        ("kernel: 3, dilation: 2, stride: 2", "dilation 2) reads only 1 of every 4 pixels"),
        ("kernel: 2, dilation: 2, stride: 3", "dilation 2) reads only 4 of every 9 pixels"),
        ("kernel: 3, dilation: 2, stride: 3", ""),
        ("kernel: 4, stride: 4", ""),
    ],
)
def test_the_share_of_pixels_that_a_window_reads(window: str, share: str) -> None:
    text = f"name: net\ninput: [3, 32, 32]\nstem: [{{conv: {{channels: 8, {window}}}}}]\n"
    found = lint(text)
    assert names(found) == (["stride-skips-pixels"] if share else [])
    assert all(share in d.message for d in found)


def test_a_single_pixel_is_read_whatever_the_stride() -> None:
    text = "name: net\ninput: [3, 1, 4]\nstem: [{conv: {channels: 8, stride: [2, 1]}}]\n"
    assert lint(text) == []


@pytest.mark.parametrize(
    ("size", "residual", "hint"),
    [
        ("8, 8, 8", "[{conv: 16}]", "`shortcut: conv_norm`"),
        ("8, 8", "[{conv: {channels: 8, kernel: 3, stride: 2}}]", "`shortcut: conv_norm`"),
        ("8", "[{linear: 16}]", "`shortcut: {linear: 16}`"),
        ("8, 8, 8", "[global_avg_pool]", "keep the size and dimensions"),
        ("8, 8, 8", "[{conv: {channels: 8, kernel: 3, padding: 0}}]", "check kernel, padding"),
        (
            "8, 8, 8",
            "[{conv: 16}], shortcut: {conv: 8}",
            "make the shapes match: check channels, stride, kernel, and padding of both",
        ),
        (
            "8, 8, 8",
            "[{conv: 16}], shortcut: conv_norm, project: 1 > 2",
            "`project` disables the shortcut here: remove it, or make its condition true",
        ),
    ],
)
def test_what_to_write_where_a_sum_does_not_fit(size: str, residual: str, hint: str) -> None:
    (found,) = lint(f"name: net\ninput: [{size}]\nstem: [{{residual: {residual}}}]\n")
    assert found.rule == "residual-shape-mismatch"
    assert hint in found.hint


def test_a_stage_without_layers() -> None:
    text = "stages: {a: {block: empty}, b: {block: basic, channels: 8}}\n"
    assert lint(f"{HEAD}{text}blocks: {{empty: {{inline: true, body: []}}}}\n") == []


def test_a_stage_may_take_fewer_channels_with_a_reason() -> None:
    last = "c: {block: basic, shrink: meant}}\n"
    assert lint(f"{HEAD}stages: {{a: {{block: basic, channels: 64}}, b: {{conv: 32}}, {last}") == []


def test_a_block_is_told_from_the_same_block_as_a_shortcut() -> None:
    use = "{conv_norm: {channels: channels // 2, stride: stride}}"
    body = "{residual: [{conv: {channels: channels // 2, kernel: 3, stride: stride}}, norm]"
    stages = "stem: [{conv: 8}]\nstages: {a: {block: s, channels: 16, stride: 2}}\n"
    cell = f"blocks: {{s: {{body: [{{concat: [[{body}, shortcut: {use}}}], [{use}]]}}]}}}}\n"
    assert names(lint(HEAD + stages + cell)) == ["stride-skips-pixels"]


GUESSES = {
    "planes, by an argument": (
        "args: {w: 64}\nstem: [{conv: w}]\nstages: {a: {block: bottleneck, channels: w}}\n",
        "channels-are-not-planes",
    ),
    "an instance norm of what enters the block": (
        "blocks: {c: {body: [{group_norm: in_channels}, {conv: channels}]}}\n"
        "stem: [{conv: 8}]\nstages: {a: {block: c, channels: 8}}\n",
        "",
    ),
    "a block that texts alone speak of": (
        "doc: a cell\nstem: [{conv: 8}]\nblocks: {cell: {doc: the cell, body: [norm]}}\n",
        "unused-block",
    ),
    "a grouped convolution": (
        "stem: [{conv: 64}, {conv: {channels: 100, kernel: 3, groups: 4}}]\n",
        "unaligned-channels",
    ),
    "a depthwise convolution": (
        "input: [100, 8, 8]\nstem: [depthwise_conv, {conv: 64}]\n",
        "",
    ),
    "softmax ahead of flatten": (
        "stem: [{conv: 10}, global_avg_pool, softmax, flatten]\n",
        "head-mismatch",
    ),
    "softmax ahead of a dropout": (
        "head: [global_avg_pool, flatten, {linear: 10}, softmax, dropout]\n",
        "head-mismatch",
    ),
    "nothing dropped": ("stem: [{conv: 8}, {stochastic_depth: 0}]\n", "no-op-layer"),
}


@pytest.mark.parametrize("name", GUESSES)
def test_what_was_probably_meant(name: str) -> None:
    text, rule = GUESSES[name]
    head = HEAD.splitlines()[0] + "\n" if text.startswith("input") else HEAD
    assert names(lint(head + text)) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("expect", "hint"),
    [
        ("params: {min: 3000}", "make the network larger"),
        ("macs: {max: 2}", "make it smaller"),
        ("params: 3", "change the network back"),
        ("depth: {min: 4}", "check `repeat` of the stages, or update `expect` to 1"),
        ("output: [4]", "or set `output: [64, 64, 64]`"),
    ],
)
def test_what_to_do_about_a_budget(expect: str, hint: str) -> None:
    (found,) = lint(f"{HEAD}stem: [{{conv: {{channels: 64, kernel: 3}}}}]\nexpect: {{{expect}}}\n")
    assert hint in found.hint


def test_a_budget_of_one_is_singular() -> None:
    one = "expect: {params: 1, macs: {max: 1}, depth: {min: 2}}"
    found = lint(f"{HEAD}stem: [{{conv: {{channels: 64, kernel: 3}}}}]\n{one}\n")
    expected = ["expected 1 parameter,", "expected at most 1 multiply-add,", "at least 2 layers,"]
    for diagnostic, words in zip(found, expected, strict=True):
        assert words in diagnostic.message


def test_shortcuts_may_skip_pixels() -> None:
    assert lint("name: net\nextends: resnet50\n") == []


def test_planes_are_told_from_channels_by_an_expansion_that_is_given() -> None:
    stem = HEAD + "stem: [{conv: {channels: 64, kernel: 7, stride: 2}}, norm, act]\n"
    stage = "stages: {layer1: {block: bottleneck, repeat: 3, channels: 64%s}}\n"
    assert names(lint(stem + stage % "")) == ["channels-are-not-planes"]
    assert lint(stem + stage % ", expansion: 1") == []


def test_a_block_in_a_file_of_its_own() -> None:
    text = "args: {kernel: 3}\nbody: [{conv: {channels: channels, kernel: 5}}, norm]\n"
    (finding,) = check_block_text(text, "blocks/cell.yaml")
    assert (finding.rule, str(finding.span)) == ("unused-argument", "blocks/cell.yaml:1:8")


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("specs/blocks/*.yaml")), ids=lambda path: path.stem
)
def test_shipped_blocks_are_clean(path: Path) -> None:
    assert check_block_text(path.read_bytes(), f"blocks/{path.name}") == []

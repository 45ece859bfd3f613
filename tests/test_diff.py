"""`archspec diff`: what it says of ten pairs, of small changes, and of every shipped spec."""

from __future__ import annotations

import copy
import json
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings

import archspec
from archspec.diff import FORMATS, Comparison, compare
from archspec.language.load import shipped
from support import ROOT, analyzed, git
from support.linting import Project
from support.strategies import EXAMPLES, specs

DATA = ROOT / "tests" / "data" / "diff"

#: Golden texts, of which seven are those of the issue and three were written before the code.
PAIRS = {
    "v1": ("resnet50", "resnet50_v1"),
    "d": ("resnet50", "resnet50d"),
    "se": ("resnet50", "seresnet50"),
    "my_resnet18": ("resnet18", str(DATA / "my_resnet18.yaml")),
    "deeper": ("resnet50", "resnet101"),
    "wide": ("resnet50", "wide_resnet50_2"),
    "pruned": ("resnet50", str(DATA / "pruned_resnet50.yaml")),
    "norm": ("vgg11", "vgg11_bn"),
    "repeated": ("convnext_tiny", "convnext_small"),
}


def golden(name: str) -> str:
    return (DATA / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAIRS)
def test_it_says_what_was_written_down(name: str, project: Project) -> None:
    assert project.run("diff", *PAIRS[name]).out == golden(f"{name}.txt")
    assert project.run("diff", *PAIRS[name], "--format=markdown").out == golden(f"{name}.md")


def test_the_docs_show_what_is_printed() -> None:
    page = (ROOT / "docs" / "diff.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = [re.sub(r"\A\$.*\n", "", text) for kind, text in blocks if kind in ("", "text")]
    assert shown == [golden(f"{name}.txt") for name in ("d", "v1", "git")]


@pytest.mark.parametrize("name", PAIRS)
def test_what_fits_is_what_has_equal_names_and_shapes(name: str, project: Project) -> None:
    told = project.run("diff", *PAIRS[name], "--format=json").data["checkpoint"]
    old, new = (archspec.analyze(one).state for one in PAIRS[name])
    fit = old.items() & new.items()
    assert told["keys"] == len(old)
    assert told["fit"] == len(fit)
    assert {*told["lost"]} == old.keys() - dict(fit)
    assert {*told["fresh"]} == new.keys() - dict(fit)
    assert told["share"] == pytest.approx(_values(dict(fit)) / _values(old))


def _values(state: dict[str, tuple[int, ...]]) -> int:
    return sum(map(math.prod, state.values()))


SHIPPED = shipped()


@pytest.mark.sampled("name", SHIPPED[::6], of=SHIPPED)
def test_a_shipped_spec_equals_itself(name: str) -> None:
    verdict = compare(analyzed(name), archspec.analyze(name)).verdict
    assert verdict == "no change in the architecture"


@pytest.mark.sampled("name", SHIPPED[::6], of=SHIPPED)
def test_shipped_specs_have_reports(name: str) -> None:
    """One and the next, in every format."""
    check_reports(compare(analyzed(SHIPPED[SHIPPED.index(name) - 1]), analyzed(name)))


def check_reports(comparison: Comparison) -> None:
    """It says something, in ASCII, and all that changed is in some line."""
    for render in FORMATS.values():
        assert render(comparison, True)
    text = FORMATS["text"](comparison, False)
    assert text.isascii()
    assert comparison.facts.equal == ("no change" in text.splitlines()[0])
    if not comparison.facts.equal:
        assert comparison.lines
        assert not comparison.verdict.startswith((";", ","))


@settings(
    max_examples=max(EXAMPLES // 2, 1),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
)
@given(specs(), specs())
def test_drawn_specs(one: dict[str, Any], other: dict[str, Any]) -> None:
    try:
        before, after = archspec.analyze(one), archspec.analyze(other)
    except archspec.SpecError:  # some do not fit after all
        assume(False)
        raise
    assert compare(before, archspec.analyze(copy.deepcopy(one))).facts.equal
    check_reports(compare(before, after))
    check_reports(compare(after, before))


NET: dict[str, Any] = {
    "name": "net",
    "input": [3, 32, 32],
    "stem": {"conv1": {"conv": {"channels": 16, "kernel": 3}}, "bn1": "norm", "relu": "act"},
    "stages": {"layer1": {"block": "mine", "repeat": 2, "channels": 16}},
    "head": {"avgpool": "global_avg_pool", "flatten": "flatten", "fc": {"linear": 10}},
    "blocks": {
        "mine": {
            "body": [
                {
                    "residual": [
                        {"conv": {"channels": "channels", "kernel": 3}},
                        "norm",
                        "act",
                        {"conv": {"channels": "channels", "kernel": 3}},
                        "norm",
                    ],
                    "shortcut": "none",
                },
                "act",
            ]
        }
    },
}
BODY = NET["blocks"]["mine"]["body"]
LAYERS = BODY[0]["residual"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The network with one value changed, or taken away."""
    net = copy.deepcopy(NET)
    here: Any = net
    *ahead, last = path.split(".")
    for key in ahead:
        here = here[int(key) if isinstance(here, list) else key]
    if value is None:
        del here[last]
    elif isinstance(here, list):
        here[int(last)] = value
    else:
        here[last] = value
    return net


INNER = "blocks.mine.body"
CHANGES: dict[str, tuple[str, Any, list[str]]] = {
    "activation": (
        "defaults",
        {"act": "silu"},
        [
            "SiLU instead of ReLU everywhere",
            "~ relu, layer1.*.relu   SiLU instead of ReLU",
            "checkpoint: all 32 keys fit, but the outputs differ: ReLU became SiLU",
        ],
    ),
    "norm": (
        "defaults",
        {"norm": {"group_norm": 4}},
        [
            "group norm instead of batch norm everywhere",
            "~ bn1, layer1.*.bn1, bn2   GroupNorm instead of BatchNorm2d",
        ],
    ),
    "kernel": (
        "stem.conv1",
        {"conv": {"channels": 16, "kernel": 5}},
        ["other kernel", "~ conv1   kernel_size 3 -> 5", "; not conv1.weight"],
    ),
    "dilation": (
        f"{INNER}.0.residual.3",
        {"conv": {"channels": "channels", "kernel": 3, "dilation": 2}},
        [
            "other dilation; every weight still loads",
            "~ layer1.*.conv2   dilation 1 -> 2",
            "but the outputs differ: the dilation changed",
        ],
    ),
    "dropout": (
        "head",
        {
            "avgpool": "global_avg_pool",
            "flatten": "flatten",
            "dropout": {"dropout": 0.5},
            "fc": {"linear": 10},
        },
        ["new dropout; every weight still loads", "all 32 keys fit; only training differs"],
    ),
    "order": (
        f"{INNER}.0.residual",
        [LAYERS[2], LAYERS[0], LAYERS[1], LAYERS[3], LAYERS[4]],
        [
            "another order of layers; every weight still loads",
            "~ layer1.*   the layers run in a different order",
            "but the outputs differ: the order changed",
        ],
    ),
    "connections": (
        f"{INNER}.0",
        {"multiply": [LAYERS, []]},
        [
            "other connections; every weight still loads",
            "~ layer1.*   the layers are connected differently",
            "but the outputs differ: the connections changed",
        ],
    ),
    "input": (
        "input",
        [3, 64, 64],
        ["input of 64 x 64; every weight still loads", "checkpoint: all 32 keys fit\n"],
    ),
    "bias": (
        "head.fc",
        {"linear": {"features": 10, "bias": False}},
        ["other bias", "~ fc   bias true -> false", "31 of 32 keys fit"],
    ),
    "fewer blocks": (
        "stages.layer1.repeat",
        1,
        ["1 fewer block in layer1", "~ layer1   repeat 2 -> 1; each block that is gone had"],
    ),
    "part": (
        f"{INNER}.0.residual",
        [*LAYERS, {"scale": ["global_avg_pool", {"conv": 16}, "sigmoid"]}],
        ["+ layer1.*.avgpool   after bn2", "avgpool pools globally"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change(name: str) -> None:
    path, value, expected = CHANGES[name]
    comparison = compare(archspec.analyze(NET), archspec.analyze(changed(path, value)))
    text = FORMATS["text"](comparison, True) + "\n"
    for part in expected:
        assert part in text, text


@pytest.mark.parametrize(("stages", "norms"), [(1, "its norm"), (2, "their norms")])
def test_norms_without_a_name_follow_their_layers(stages: int, norms: str) -> None:
    net = yaml.safe_load((ROOT / "specs" / "resnet18.yaml").read_text("utf-8"))
    narrow = copy.deepcopy(net)
    for stage in ("layer4", "layer3")[:stages]:
        narrow["stages"][stage]["channels"] //= 2
    text = FORMATS["text"](compare(archspec.analyze(net), archspec.analyze(narrow)), True)
    [line] = [line for line in text.splitlines() if "0.downsample.0  " in line]
    assert line.endswith(f", with {norms}")


def test_another_name_is_no_change() -> None:
    net = changed("stages.layer1.block", "other")
    net["blocks"] = {"other": net["blocks"]["mine"]}
    assert compare(archspec.analyze(NET), archspec.analyze(net)).facts.equal


def test_layers_with_other_names() -> None:
    net = changed("stages", {"stage1": NET["stages"]["layer1"]})
    comparison = compare(archspec.analyze(NET), archspec.analyze(net))
    assert comparison.verdict == "other names, the same layers"
    assert comparison.notes == ["24 more keys fit once layer1 is renamed to stage1; then all fit"]


# The command --------------------------------------------------------------------------------


def test_more_lines_than_a_few(project: Project) -> None:
    few = project.run("diff", "mobilenet_v3_large", "mobilenet_v3_small").lines
    every = project.run("diff", "mobilenet_v3_large", "mobilenet_v3_small", "--all").lines
    [more] = [line for line in few if line.endswith("more (--all)")]
    assert len(every) == len(few) - 1 + int(more.split()[2])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["resnet18", "resnet18"], 0),
        (["resnet18", "resnet18", "--exit-code"], 0),
        (["resnet18", "resnet34"], 0),
        (["resnet18", "resnet34", "--exit-code"], 1),
        (["resnet18"], 2),
        (["resnet18", "resnet34", "resnet50"], 2),
        (["resnet18", "resnet34", "--git", "main"], 2),
        (["resnet18", "resnet34", "--format", "yaml"], 2),
        (["resnet18", "resnet35"], 2),
    ],
)
def test_exit_codes(words: list[str], code: int, project: Project) -> None:
    assert project.run("diff", *words).code == code


def test_settings_change_both(project: Project) -> None:
    told = project.run("diff", "resnet18", "resnet34", "--set=args.classes=10", "--format=json")
    assert [told.data[side]["output"] for side in ("before", "after")] == [[10], [10]]


# A revision of git --------------------------------------------------------------------------


@pytest.fixture
def repository(project: Project) -> Project:
    """A project with one commit: a spec, what it extends, and its block."""
    project.write(
        "base.yaml",
        "name: base\ninput: [3, 32, 32]\nstages: {layer1: {block: mine, channels: 8}}\n",
    )
    project.write("net.yaml", "extends: base\nname: net\n")
    project.write("blocks/mine.yaml", "doc: A convolution.\nbody: [{conv: {channels: channels}}]\n")
    git(project.folder, "init", "-q", "-b", "main")
    commit(project)
    return project


def commit(project: Project) -> None:
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-q", "-m", "change")


def test_the_text_of_a_revision_that_is_the_same_network(project: Project) -> None:
    text = (ROOT / "specs" / "resnet50.yaml").read_text("utf-8")
    project.write("resnet50.yaml", text)
    git(project.folder, "init", "-q", "-b", "main")
    commit(project)
    text = text.replace("epochs: 90", "epochs: 100").replace("ResNet-50 for", "ResNet-50, for")
    project.write("resnet50.yaml", text)
    assert project.run("diff", "--git", "main", "resnet50.yaml").out == golden("git.txt")
    said = project.run("diff", "--git=main", "resnet50.yaml", "--format=markdown")
    assert said.out == golden("git.md")


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("net.yaml", "extends: base\nname: net\nstages: {layer1: {repeat: 2}}\n", "~ layer1"),
        (
            "base.yaml",
            "name: base\ninput: [3, 32, 32]\nstages: {layer1: {block: mine, channels: 16}}\n",
            "~ layer1.0.conv1   channels 8 -> 16",
        ),
        (
            "blocks/mine.yaml",
            "doc: A convolution.\nbody: [{conv: {channels: channels, kernel: 3}}]\n",
            "kernel_size 1 -> 3",
        ),
    ],
)
def test_all_that_a_spec_is_made_of_is_as_it_was(
    file: str, text: str, line: str, repository: Project
) -> None:
    repository.write(file, text)
    before = git(repository.folder, "status", "--porcelain")
    said = repository.run("diff", "--git", "HEAD", "net.yaml")
    assert said.lines[0].startswith("net (HEAD) -> net: ")
    assert line in said.out
    assert git(repository.folder, "status", "--porcelain") == before


def test_from_a_folder_of_the_repository(
    repository: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(
        "base.yaml",
        "name: base\ninput: [1, 32, 32]\nstages: {layer1: {block: mine, channels: 8}}\n",
    )
    for folder, name in (("blocks", "../net.yaml"), (".", f"{repository.folder}/net.yaml")):
        monkeypatch.chdir(repository.folder / folder)
        assert "1 input channel" in repository.run("diff", "--git", "main", name).out


def test_a_file_that_is_new(repository: Project) -> None:
    repository.write("new.yaml", "extends: base\nname: new\n")
    said = repository.run("diff", "--git", "HEAD", "new.yaml")
    assert (said.code, said.err) == (2, "error: file not found: `new.yaml` at `HEAD`\n")


def test_a_revision_that_cannot_be_read_says_so(repository: Project) -> None:
    text = "extends: base\nname: net\n"
    repository.write("net.yaml", text.replace("base", "bass"))
    commit(repository)
    repository.write("net.yaml", text)
    said = repository.run("diff", "--git", "HEAD", "net.yaml")
    assert said.code == 2
    assert said.err == "error: cannot use `HEAD`: net.yaml:1: unknown spec `bass` in `extends`\n"


def test_a_link_in_a_revision_is_not_followed(repository: Project) -> None:
    file = repository.folder / "link.yaml"
    file.symlink_to("net.yaml")
    commit(repository)
    file.unlink()
    repository.write("link.yaml", "extends: base\nname: net\n")
    said = repository.run("diff", "--git", "HEAD", "link.yaml")
    assert said.code == 2
    assert "it is not a regular file" in said.err


@pytest.mark.parametrize(
    "revision",
    [
        "--output=stolen",
        "-h",
        "",
        "nope",
        "HEAD:net.yaml",
        "main --",
        "$(touch stolen)",
        "\x1b[31m",
    ],
)
def test_what_is_no_revision(revision: str, repository: Project) -> None:
    said = repository.run("diff", f"--git={revision}", "net.yaml")
    assert said.code == 2
    assert said.err.startswith("error: unknown revision `")
    assert "\x1b" not in said.err
    assert not (repository.folder / "stolen").exists()


def test_outside_of_a_repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.folder.parent))
    file = project.spec("stem: [{conv: 8}]")
    said = project.run("diff", "--git=HEAD", "specs/net.yaml")
    assert (said.code, said.err) == (2, "error: `specs` is not in a git repository\n")
    assert file.exists()


def test_without_git(repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.folder))
    said = repository.run("diff", "--git=HEAD", "net.yaml")
    assert (said.code, said.err) == (2, "error: git is not installed, or not on the PATH\n")


HOSTILE = "![x](http://example.org) <img> | `code` *bold*"


BLOCKS = {
    "doc": {"doc": f"{HOSTILE}.", "body": ["norm"]},
    "title": {"doc": f"{HOSTILE} (Me, 2020)", "body": ["norm"]},
    "argument": {"import": "own.Own", "like": "identity", "call": {"how": {"text": HOSTILE}}},
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_markdown_obeys_no_text_from_a_spec(block: dict[str, Any], project: Project) -> None:
    spec = {"name": "net", "input": [3, 8, 8], "stem": [{"conv": 8}]}
    text = json.dumps({**spec, "blocks": {"mine": block}, "stages": {"layer1": {"block": "mine"}}})
    project.write("a.yaml", text)
    project.write("b.yaml", text.replace("code", "text"))
    project.write("c.yaml", json.dumps(spec))
    for one, other in (("a", "b"), ("a", "c"), ("c", "a")):
        said = project.run("diff", f"{one}.yaml", f"{other}.yaml", "--format=markdown")
        assert said.code == 0, said.err
        assert said.out.count("`") % 2 == 0
        outside = "".join(said.out.split("`")[::2])
        assert not re.search(r"(?<!\\)[<\[!]", outside), said.out


def test_names_of_files_tell_two_specs_of_one_name_apart(project: Project) -> None:
    for folder, channels in (("a", 8), ("b", 16)):
        head = "name: net\ninput: [3, 8, 8]\n"
        project.write(f"{folder}/net.yaml", f"{head}stem: [{{conv: {channels}}}]\n")
    assert project.run("diff", "a/net.yaml", "b/net.yaml").lines[0].startswith("a/net.yaml -> b/")


def test_json_is_whole(project: Project) -> None:
    data = json.loads(project.run("diff", "resnet50", "resnet50d", "--format=json").out)
    assert data["verdict"] == "new stem, new projection shortcuts"
    assert data["after"]["receptive_field"] == [431, 431]
    assert data["renamed"]["layer1.0.downsample.0"] == "layer1.0.downsample.1"
    stride = [c for c in data["changes"] if c["after"] == "layer2.0.downsample.1"]
    assert stride == [
        {
            "kind": "changed",
            "before": "layer2.0.downsample.0",
            "after": "layer2.0.downsample.1",
            "arguments": {"stride": [2, 1]},
        }
    ]

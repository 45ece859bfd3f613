"""`infer` finds the user's own specs, and writes one that extends them where it is saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import archspec
from archspec.infer import Inference, infer, own as own_module
from archspec.infer.own import own_specs
from support.linting import Project
from support.own import Scaled

CELL = """\
args: {width: channels // 2}
parts: {gate: none}
body:
  - residual:
      - {conv: {channels: width, kernel: 3, stride: stride}, name: inner}
      - norm
      - act
      - {conv: {channels: channels, kernel: 3}, name: outer}
    shortcut: conv_norm
  - gate
"""
NET = """\
name: own_net
class: OwnNet
input: [3, 16, 16]
args: {categories: 10}
defaults: {act: silu}
stem: {first: {conv: {channels: 8, kernel: 3}}}
stages:
  low: {block: cell, repeat: 2, channels: 8}
  high: {block: cell, repeat: 2, channels: 16, stride: 2, gate: {conv: {channels: channels}}}
head:
  pool: [global_avg_pool, flatten]
  last: {linear: categories}
"""
R18 = "extends: resnet18\nname: r18\ndefaults: {act: silu}\nargs: {classes: 5}\n"


def give(project: Project, folder: str = "specs", name: str = "mynet") -> None:
    """The spec, in a file that is called otherwise, and its block beside it."""
    project.write(f"{folder}/{name}.yaml", NET)
    project.write(f"{folder}/blocks/cell.yaml", CELL)


def save(project: Project, over: str = "", base: str = "mynet", to: str = "runs/best") -> None:
    """The weights of `specs/BASE.yaml`, or of one that says something otherwise."""
    spec = project.folder / f"specs/{base}.yaml"
    if over:
        spec = project.write("specs/over_.yaml", f"extends: {base}\nname: over_\n{over}")
    file = project.folder / f"{to}.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(archspec.build_module(spec).state_dict(), file)
    if over:
        spec.unlink()


def body(text: str) -> str:
    """What a spec says, comments aside."""
    return "".join(line for line in text.splitlines(True) if not line.startswith("#"))


def shapes_of(project: Project, over: str, base: str) -> dict[str, tuple[int, ...]]:
    spec = project.write("specs/over_.yaml", f"extends: {base}\nname: over_\n{over}")
    shapes = archspec.analyze(spec).state
    spec.unlink()
    return shapes


def explained(project: Project, shapes: Mapping[str, tuple[int, ...]]) -> Inference:
    return infer(shapes, "mine", own_specs([project.folder / "specs"]))


# What is found -------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["specs", "runs", "runs/specs", "."])
def test_own_specs_are_looked_for_around_the_checkpoint(project: Project, folder: str) -> None:
    give(project)
    save(project)
    for path in ("specs/mynet.yaml", "specs/blocks/cell.yaml"):
        (project.folder / path).unlink()
    give(project, folder)
    said = project.run("infer", "runs/best.safetensors")
    assert said.code == 0, said.err
    assert body(said.out) == "extends: mynet\nname: best\n"
    file = os.path.normpath(f"{folder}/mynet.yaml")
    assert f"save it next to {file}" in said.err
    assert f"extends {file}, which itself has these names and shapes\n" in said.err


@pytest.mark.parametrize(
    "over",
    [
        "input: [1, 16, 16]\nargs: {categories: 7}\n",
        "stages:\n  low: {width: [3, 5]}\n  high: {channels: 12, width: 7}\n",
    ],
)
def test_what_differs_is_written_and_loads(project: Project, over: str) -> None:
    give(project)
    save(project, over)
    said = project.run("infer", "runs/best.safetensors", "-o", "specs/best.yaml")
    assert said.code == 0, said.err
    text = (project.folder / "specs/best.yaml").read_text("utf-8")
    assert body(text) == f"extends: mynet\nname: best\n{over}"
    assert said.err.startswith("extends specs/mynet.yaml\n")
    model = archspec.from_weights("specs/best.yaml", "runs/best.safetensors").eval()
    assert model(torch.zeros(1, *archspec.load("specs/best.yaml").input)).shape[0] == 1
    assert project.lint("specs").code == 0


def test_classes_written_as_a_number(project: Project) -> None:
    give(project)
    text = NET.replace("args: {categories: 10}\n", "").replace("categories", "10")
    project.write("specs/mynet.yaml", text)
    save(project, "head: {last: {linear: 4}}\n")
    said = project.run("infer", "runs/best.safetensors")
    assert body(said.out) == "extends: mynet\nname: best\nhead: {last: {linear: 4}}\n"


def test_a_pruned_resnet_of_ones_own(project: Project) -> None:
    project.write("specs/r18.yaml", R18)
    over = "stages:\n  layer1: {width: [50, 60]}\n  layer4: {width: 300}\n"
    found = explained(project, shapes_of(project, over, "r18"))
    assert body(found.text or "") == f"extends: r18\nname: mine\n{over}"


def test_the_fewest_changes_come_first(project: Project) -> None:
    project.write("specs/r18.yaml", R18)
    project.write("specs/r_.yaml", R18.replace("resnet18", "r18").replace("name: r18", "name: r_"))
    found = explained(project, archspec.analyze("resnet18").state)
    assert (found.base, found.file, found.unchanged) == ("resnet18", None, True)
    assert "specs/r18.yaml" in found.alternatives
    found = explained(project, shapes_of(project, "args: {classes: 5}\n", "resnet18"))
    assert (found.base, found.file, found.unchanged) == ("r18", "specs/r18.yaml", True)
    assert found.alternatives[:2] == ("specs/r_.yaml", "resnet18")
    assert "extends specs/r18.yaml" in found.notes


def test_text_of_a_spec_is_quoted(project: Project) -> None:
    give(project)
    odd = NET.replace("head:", 'blocks: {a: {doc: "a \\"b\\" \\\\ c\\n- d", body: [act]}}\nhead:')
    project.write("specs/mynet.yaml", odd.replace("pool:", "more: a\n  pool:"))
    save(project, "stages: {low: {width: 3}}\n")
    said = project.run("infer", "runs/best.safetensors")
    assert body(said.out) == "extends: mynet\nname: best\nstages: {low: {width: 3}}\n"


# Where it is saved ---------------------------------------------------------------------


def test_a_spec_elsewhere_cannot_extend_it(project: Project) -> None:
    give(project)
    save(project)
    said = project.run("infer", "runs/best.safetensors", "-o", "out/best.yaml")
    assert said.code == 1
    assert "`specs/mynet.yaml` matches, but `extends: mynet` in `out/best.yaml`" in said.err
    assert "write the spec to `specs`" in said.err
    assert not (project.folder / "out").exists()


def test_a_shipped_spec_is_extended_from_anywhere(project: Project) -> None:
    project.write("specs/r18.yaml", R18)
    save(project, base="r18")
    said = project.run("infer", "runs/best.safetensors", "-o", "out/best.yaml")
    assert said.code == 0
    text = (project.folder / "out/best.yaml").read_text("utf-8")
    assert body(text) == "extends: resnet18\nname: best\nargs: {classes: 5}\n"
    assert "a different computation: specs/r18.yaml" in said.err


def test_a_shipped_spec_that_a_file_hides(project: Project) -> None:
    project.write("specs/resnet18.yaml", R18.replace("name: r18", "name: resnet18"))
    shapes = archspec.analyze("resnet18").state
    output = project.folder / "specs/best.yaml"
    found = infer(shapes, "best", own_specs([project.folder / "specs"], output))
    assert (found.base, found.file) == ("resnet18", "specs/resnet18.yaml")
    assert "args: {classes: 1000}" in (found.text or "")


def test_no_spec_extends_or_replaces_itself(project: Project) -> None:
    give(project)
    save(project, to="specs/mynet")
    checkpoint = "specs/mynet.safetensors"
    said = project.run("infer", checkpoint)
    assert body(said.out) == "extends: mynet\nname: mynet_inferred\n"
    said = project.run("infer", checkpoint, "-o", "specs/mynet.yaml")
    assert (said.code, (project.folder / "specs/mynet.yaml").read_text("utf-8")) == (2, NET)
    said = project.run("infer", checkpoint, "-o", "specs/mynet.yaml", "--force")
    assert said.code == 1
    project.write("specs/variant.yaml", "extends: mynet\nname: variant\n")
    said = project.run("infer", checkpoint, "-o", "specs/mynet.yaml", "--force")
    assert said.code == 1, "`variant` would extend itself"
    assert (project.folder / "specs/mynet.yaml").read_text("utf-8") == NET


def test_a_spec_that_would_come_to_extend_the_new_one(project: Project) -> None:
    project.write("specs/r18.yaml", R18)
    save(project, base="r18")
    said = project.run("infer", "runs/best.safetensors", "-o", "specs/resnet18.yaml")
    text = (project.folder / "specs/resnet18.yaml").read_text("utf-8")
    assert said.code == 0
    assert body(text) == "extends: resnet18\nname: resnet18\nargs: {classes: 5}\n"
    assert project.run("show", "specs/r18.yaml").code == 0


# What else lies there ------------------------------------------------------------------


def clutter(project: Project) -> None:
    """What `specs/` may hold besides."""
    outside = project.folder.parent / f"{project.folder.name}_outside.yaml"
    outside.write_text(NET, "utf-8")
    project.write("pyproject.toml", "")
    project.write("specs/latin.yaml", b"name: caf\xe9\ninput: [3]\n")
    project.write("specs/huge.yaml", b"name: a\ninput: [3]\n#" + b"x" * (2 << 20))
    project.write("specs/compose.yaml", "name: app\nservices: {input: {image: a}}\n")
    project.write("specs/python.yaml", "- !!python/object/apply:os.system [name, input]\n")
    project.write("specs/one.yaml", "extends: two\nname: one\n")
    project.write("specs/two.yaml", "extends: one\nname: two\n")
    project.write("specs/my-net.yaml", NET)
    project.write("specs/short.yml", NET)
    (project.folder / "specs/folder.yaml").mkdir()
    os.mkfifo(project.folder / "specs/pipe.yaml")
    os.symlink(outside, project.folder / "specs/link.yaml")
    os.symlink("round.yaml", project.folder / "specs/round.yaml")


def test_what_is_no_spec_is_passed_over(project: Project) -> None:
    give(project)
    save(project)
    clutter(project)
    said = project.run("infer", "runs/best.safetensors")
    assert body(said.out) == "extends: mynet\nname: best\n"
    skipped = {line.split("`")[1]: line for line in said.err.splitlines() if "skipped: " in line}
    names = "folder huge latin link my-net one pipe python round two".split()
    assert sorted(skipped) == sorted([*(f"specs/{n}.yaml" for n in names), "specs/short.yml"])
    assert "to a path outside the project" in skipped["specs/link.yaml"]
    assert "rename it" in skipped["specs/my-net.yaml"]
    assert "archspec lint" in skipped["specs/one.yaml"]
    assert "` exceeds the total size limit" in skipped["specs/huge.yaml"]


def test_few_files_are_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    give(project, name="z")
    for place in range(4):
        project.write(f"specs/a{place}.yaml", "input: name\n")
    assert [one.base for one in own_specs([Path("specs")]).specs] == ["z"]
    monkeypatch.setattr(own_module, "MOST_FILES", 4)
    found = own_specs([Path("specs")])
    assert not found.specs
    assert found.skipped == ("only 4 YAML files are read",)


@pytest.mark.parametrize("name", ["specs", "runs/specs"])
def test_a_folder_that_is_none(project: Project, name: str) -> None:
    save_file({"a": torch.zeros(2)}, project.write("runs/a.safetensors", ""))
    project.write(name, "")
    said = project.run("infer", "runs/a.safetensors")
    assert said.code == 1
    assert f"skipped: could not read `{name}`" in said.err


# Modules of the user's own --------------------------------------------------------------

OWN = """\
name: mine
input: [3, 16, 16]
args: {classes: 10}
stem: {conv1: {conv: 8}, first: scaled}
stages: {low: {block: cell, repeat: 2, channels: 8}}
head: {pool: global_avg_pool, flat: flatten, last: {linear: classes}}
blocks:
  scaled:
    import: support.own.Scaled
    call: {dim: in_channels, factor: 1 / 4, sizes: [2, 1], flat: false}
    like: identity
    params: in_channels
  cell: {body: [{conv: channels}, norm, act, scaled]}
"""


Changes = dict[str, tuple[int, ...] | None]


def of_own(project: Project, changes: Changes) -> Inference:
    """What is found for a network with modules of one's own; some tensors are others, or gone."""
    path = project.write("specs/mine.yaml", OWN)
    network = archspec.build_module(path, modules={"Scaled": Scaled}, classes=7)
    shapes: Changes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    shapes |= changes
    return explained(project, {key: shape for key, shape in shapes.items() if shape is not None})


def test_tensors_of_own_modules_are_taken_as_they_are(project: Project) -> None:
    found = of_own(project, {})
    assert body(found.text or "") == "extends: mine\nname: mine\nargs: {classes: 7}\n"
    assert found.unknown[0] == "the inside of `first`, `low.0.scaled`, `low.1.scaled`"


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"first.weight": None, "first.a.b": (2, 3), "first.c": (2,)}, True),
        ({"first.bn.running_mean": (8,), "first.bn.num_batches_tracked": ()}, True),
        ({"first.weight": (9,)}, False),
        ({"first.weight": None}, False),
        ({"firsts.weight": (8,)}, False),
        ({"low.2.scaled.weight": (8,)}, False),
        ({"conv1.weight": (8, 3, 3, 3)}, False),
    ],
)
def test_they_have_as_many_parameters_as_is_said(
    changes: Changes, known: bool, project: Project
) -> None:
    assert (of_own(project, changes).text is not None) is known

"""The documentation is true: every example builds, every excerpt is one, every command runs.

How blocks are run is said in `support/pages.py`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

import archspec
from archspec.docs import pages
from archspec.expression import FUNCTIONS
from archspec.language import shipped
from archspec.language.blocks import Block
from archspec.language.spec import Spec
from archspec.language.stages import Run
from archspec.language.train import REGULARISERS, Train
from archspec.language.words import COMBINATORS, MODIFIERS, SCOPE
from archspec.ops import OPS
from archspec.reference import render, texts, torch_classes
from archspec.resources import BLOCKS
from support import ROOT
from support.pages import Reader, examples

ELSEWHERE = {
    "rules.md": "tests/test_rules.py runs the examples of the rules' docstrings",
    "tutorial.md": "test_the_notebook_runs",
}
PAGES = [
    "README.md",
    *(f"docs/{p.name}" for p in sorted(ROOT.glob("docs/*.md")) if p.name not in ELSEWHERE),
]


def files_of_checkpoints() -> None:
    """What the page calls its checkpoints."""
    shipped = archspec.build_module("resnet50")
    torch.save(shipped.state_dict(), "resnet50.pth")
    save_file(shipped.state_dict(), "resnet50.safetensors")
    own = archspec.build_module("resnet50", classes=10).state_dict()
    save_file({k: v for k, v in own.items() if "layer3.5.bn3.running" not in k}, "mine.safetensors")
    (mystery,) = [b.body for b in examples("docs/checkpoints.md") if b.file == "mystery.yaml"]
    _saved(mystery, "mystery")
    Path("runs").mkdir()
    net = "name: mynet\ninput: [3, 8, 8]\nstem: [{conv: 5}, norm, act, {conv: 7}]\n"
    Path("specs/mynet.yaml").write_text(net, "utf-8")
    _saved(net, "runs/best")


def _saved(spec: str, name: str) -> None:
    save_file(archspec.build_module(yaml.safe_load(spec)).state_dict(), f"{name}.safetensors")


def files_of_lint() -> None:
    net = "name: net\ninput: [3, 32, 32]\nstem: [{cnov: 8}]\n"
    Path("net.yaml").write_text(net, "utf-8")


FILES = {"docs/checkpoints.md": files_of_checkpoints, "docs/lint.md": files_of_lint}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_is_true(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = examples(page)
    assert blocks or "```" not in (ROOT / page).read_text("utf-8")
    reader = Reader(tmp_path)
    FILES.get(page, lambda: None)()
    wrong = reader.all(blocks)
    assert not wrong, "\n".join(wrong)


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a kernel, which takes two dozen packages; `Reader.cell` knows the magics it uses."""
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    for cell in json.loads(pages()["tutorial.ipynb"])["cells"]:
        if cell["cell_type"] == "code":
            reader.cell(cell["source"])
            for output in cell["outputs"]:
                reader.output(output["text"])
    for example in examples("docs/tutorial.md"):
        if example.file.endswith(".py"):
            reader.read(example)
    assert {path.name for path in Path("runs").iterdir()} == {"short", "slow"}
    assert Path("both.png").stat().st_size > 10_000


def test_what_is_generated_is_up_to_date() -> None:
    docs = ROOT / "docs"
    stale = [name for name, text in pages().items() if (docs / name).read_text("utf-8") != text]
    assert not stale, "run `python -m archspec.docs`"


def aliases(model: type[Spec] | type[Block] | type[Run]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_reference_has_every_construct() -> None:
    assert set(texts.SPEC_KEYS) == aliases(Spec) | {"extends"}
    assert set(texts.STAGE_KEYS) == aliases(Run) | {"any other key"}
    assert set(texts.BLOCK_KEYS) == aliases(Block)
    assert all(field.description for field in Train.model_fields.values())
    assert set(texts.COMBINATORS) == set(COMBINATORS)
    assert set(texts.MODIFIERS) == set(MODIFIERS)
    assert set(texts.SCOPE) == set(SCOPE)
    assert set(texts.FUNCTIONS) == set(FUNCTIONS)
    assert set(texts.BLOCK_EXAMPLES) <= {path.stem for path in BLOCKS.glob("*.yaml")}
    page = render()
    assert all(f"### `{key}`\n" in page for key in OPS)


def test_the_reference_has_every_class_of_torch() -> None:
    """Losses, containers and the Lazy ones aside."""
    containers = {"Container", "DataParallel", "Module", "Sequential"}
    containers |= {f"{kind}{of}" for kind in ("Module", "Parameter") for of in ("Dict", "List")}
    theirs = {
        name
        for name, cls in vars(nn).items()
        if isinstance(cls, type) and issubclass(cls, nn.Module)
        if "Loss" not in name and not name.startswith("Lazy") and name not in containers
    }
    ours = [cls for name in torch_classes.words() for cls in torch_classes.classes(name)]
    assert len(ours) == len(set(ours))
    assert theirs <= set(ours)
    assert all(hasattr(nn, name) for name in ours)


def test_an_example_uses_what_it_is_an_example_of() -> None:
    keys = texts.SPEC_KEYS | texts.BLOCK_KEYS | texts.COMBINATORS | texts.MODIFIERS
    unused = [key for key, (_, text) in keys.items() if not re.search(rf"\b{key}\b", text)]
    unused += [key for key, (_, call) in texts.FUNCTIONS.items() if f"{key}(" not in call]
    unused += [key for key, op in OPS.items() if op.example and key not in op.example]
    assert not unused


def test_the_page_of_training_has_each_regulariser() -> None:
    text = (ROOT / "docs" / "training.md").read_text("utf-8")
    table = text.partition("\n## Regularizers\n")[2].partition("\n```")[0]
    own = {key for part in REGULARISERS for key in part.__annotations__} & Train.model_fields.keys()
    missing = sorted(key for key in own if f"`{key}: " not in table)
    assert not missing, f"docs/training.md: say under Regularizers what {missing} do"


@pytest.mark.parametrize(
    "page",
    ["CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))],
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert not [target for target in targets if not leads_somewhere(page, target)]


def leads_somewhere(page: str, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = (ROOT / page).parent / name if name else ROOT / page
    return file.exists() and (not anchor or anchor in anchors(file.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_has_no_relative_link_which_would_break_on_pypi() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\(([^)]+)\)|\bsrc=\"([^\"]+)\"", text)
    assert [link for link in map("".join, targets) if not link.startswith("https://")] == []
    assert all((ROOT / page).exists() for page in re.findall(r"`(docs/[\w.]+)`", text))


def test_the_site_leads_to_each_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")))
    assert not [page for page in pages if f": {page}\n" not in text]


def test_the_readme_names_shipped_specs() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, section = text.partition("## Built-in networks\n\n")
    table = section.partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert len(named) > 20
    assert named <= set(shipped())

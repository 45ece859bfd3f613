"""The documentation is true: every example builds, every excerpt is one, every command runs.

Examples are the fenced blocks of the pages, in order. How a fragment becomes a whole spec is said
at the top of docs/reference.md, and `completed` does it. Beyond that:

- a block that opens with `# NAME.yaml` is written to that file, for the examples after it; where
  the repository has the file, the block is an excerpt of it (`# ...` stands for what is left out);
- a block that opens with `# generated/NAME.py` is an excerpt of what the spec NAME renders;
- `yaml error` is an example that is refused, and the `text` block behind it is what lint prints;
- `yaml ignore` is YAML of other programs;
- other Python is executed, and lines of `sh` that start with `archspec` are run.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest
from torch import nn

import archspec
from archspec.cli import main
from archspec.docs import pages
from archspec.expression import FUNCTIONS
from archspec.language import shipped
from archspec.language.blocks import Block
from archspec.language.spec import Spec
from archspec.language.stages import Run
from archspec.language.train import REGULARISERS, Train
from archspec.language.train.basics import Basics
from archspec.language.words import COMBINATORS, MODIFIERS, SCOPE
from archspec.ops import OPS
from archspec.reference import render, texts, torch_classes
from archspec.resources import BLOCKS
from support import ROOT

PAGES = (
    *("README.md", "docs/language.md", "docs/lint.md", "docs/reference.md", "docs/shapes.md"),
    "docs/checkpoints.md",
    "docs/data.md",
    "docs/diff.md",
    "docs/deploy.md",
    "docs/training.md",
    "docs/verify.md",
)
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = "name: example\ninput: [64, 56, 56]\n"
TITLE = re.compile(r"# (\S+\.(?:yaml|py))\n")


@dataclass(frozen=True)
class Example:
    """One fenced block; `line` is where it opens."""

    page: str
    line: int
    language: str
    info: str
    text: str

    @property
    def file(self) -> str:
        """The file that its first line names."""
        title = TITLE.match(self.text)
        return title[1] if title else ""

    @property
    def body(self) -> str:
        return TITLE.sub("", self.text, count=1)


def examples(page: str) -> list[Example]:
    text = (ROOT / page).read_text("utf-8")
    return [
        Example(page, text.count("\n", 0, found.start()) + 1, *found.groups())
        for found in FENCE.finditer(text)
    ]


def completed(text: str) -> str:
    """The whole spec that a fragment stands for."""
    keys = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    if text.startswith("- "):
        stride = "stride: 2" if re.search(r"\bstride\b(?!:)", text) else ""
        use = f"stem: [{{example: {{{stride}}}}}]"
        return f"{BLOCK}{use}\nblocks:\n  example:\n    body:\n{indent(text, ' ' * 6)}"
    if "body" in keys:
        use = "stages: {layer1: {block: example}}"
        return f"{BLOCK}{use}\nblocks:\n  example:\n{indent(text, ' ' * 4)}"
    start = "" if "name" in keys else "name: example\n"
    return start + ("" if keys & {"input", "extends"} else "extends: resnet50\n") + text


class Reader:
    """Goes through a page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused = ""

    def read(self, example: Example) -> None:
        if "ignore" in example.info.split():
            return
        if example.file.startswith("generated/"):
            self.excerpt(example, archspec.render(Path(example.file).stem))
        elif example.file and (ROOT / example.file).exists():
            self.excerpt(example, (ROOT / example.file).read_text("utf-8"))
        elif example.language == "yaml":
            self.spec(example)
        elif example.language == "python":
            exec(compile(example.text, example.page, "exec"), {})
        elif example.language == "sh":
            self.commands(example)
        elif example.language == "text" and self.refused:
            assert example.text == self.refused, f"lint says:\n{self.refused}"
            self.refused = ""

    def excerpt(self, example: Example, whole: str) -> None:
        for part in re.split(r"^ *# \.\.\.\n", example.body, flags=re.MULTILINE):
            assert part.strip("\n") in whole

    def spec(self, example: Example) -> None:
        path = self.folder / (example.file or "example.yaml")
        path.parent.mkdir(exist_ok=True)
        if path.parent.name == "blocks":
            path.write_text(example.text, "utf-8")
            return
        path.write_text(completed(example.text) if not example.file else example.text, "utf-8")
        if "error" not in example.info.split():
            archspec.render(path)
            return
        with pytest.raises(archspec.SpecError):
            archspec.render(path)
        with redirect_stdout(io.StringIO()) as said:
            assert main(["lint", "--no-cache", "--isolated", "--format=full", path.name]) == 1
        self.refused = said.getvalue()

    def commands(self, example: Example) -> None:
        for line in example.text.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["archspec"]:
                assert main(words[1:]) == 0, line


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_the_page_is_true(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "specs", tmp_path / "specs", ignore=shutil.ignore_patterns("zoo"))
    (tmp_path / "generated").symlink_to(ROOT / "generated")
    reader, wrong = Reader(tmp_path), []
    for example in examples(page):
        try:
            reader.read(example)
        except (Exception, pytest.fail.Exception) as error:
            wrong.append(f"{page}:{example.line}: {type(error).__name__}: {error}")
    assert not wrong, "\n".join(wrong)
    assert examples(page)


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
    own = {key for part in REGULARISERS for key in part.model_fields} - set(Basics.model_fields)
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

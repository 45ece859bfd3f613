"""docs/torchvision.md: what `compare_zoo.py --torchvision` has found, a row for each network."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archspec.files import write_files
from support import ROOT, SHIPPED
from support.peers import models
from support.zoo_peers import ZOO

PAGE = ROOT / "docs" / "torchvision.md"
TEXT = """\
# torchvision's networks

This page compares torchvision's classification networks with the built-in specs of the same name.
`python tests/compare_zoo.py --torchvision` measures and writes it.

- **Keys**: the names and shapes of all weights and statistics, in order. If they are the same,
  torchvision's checkpoints [load](checkpoints.md#load-weights).
- **First weights**: the weights that both networks draw from the same seed, compared bit for bit.
- **Outputs, training**: the largest difference with the same random weights in both networks, as a
  share of the largest value. Outputs are measured in eval mode, for images of two sizes. Training
  is the loss, gradients, and running statistics of one step. Both use float64 unless noted.
- **Readers**: the live module compared with the generated file, bit for bit.

| network | parameters | keys | initial weights | outputs | training | readers |
| --- | ---: | --- | --- | ---: | ---: | --- |
"""
ABSENT = "| {} | | {} | | | | |"
DIFFERS = "| `{}` | | differ, or could not be compared | | | | |"


def names() -> list[str]:
    """torchvision's networks for classes of images."""
    found: list[str] = models.list_models(module=models)
    return found


def rows(page: str) -> dict[str, str]:
    """The row of each network in a page."""
    found = re.findall(r"^\| `?([a-z]\w+)`? .*$", page.partition("| --- ")[2], re.MULTILINE)
    lines = [line for line in page.splitlines(keepends=True) if line.startswith("| ")][2:]
    return dict(zip(found, lines, strict=True))


def row(line: Mapping[str, str]) -> str:
    """What was found of one network, whose keys are equal: else there is nothing to compare."""
    training = max((line[key] for key in ("loss", "gradients", "running")), key=_number)
    outputs = _shown(max(line["eval"], line["eval 2"], key=_number))
    if line["in"] != "float64":
        outputs += f" ({line['in']})"
    cells = ("parameters", "keys", "seed", "outputs", "training", "readers")
    found = {**line, "keys": "same", "outputs": outputs, "training": _shown(training)}
    return f"| `{line['network']}` | " + " | ".join(found[cell] for cell in cells) + " |"


def _number(text: str) -> float:
    return -1.0 if text == "-" else float(text)


def _shown(text: str) -> str:
    return "0" if _number(text) == 0 else text


def absent(name: str) -> str:
    return (
        ABSENT.format(name, "not compared" if name in {*SHIPPED, *ZOO} else "not built in") + "\n"
    )


def write_row(name: str, line: Mapping[str, str] | None) -> None:
    """What was found of one network, if anything, into the page, whose other rows stay."""
    known = rows(PAGE.read_text("utf-8")) if PAGE.is_file() else {}
    known[name] = (row(line) if line else DIFFERS.format(name)) + "\n"
    page = TEXT + "".join(known.get(name) or absent(name) for name in names())
    write_files({PAGE: page})

"""Draws the flowcharts of `archspec show --format mermaid` with Mermaid, in headless Chromium.

Not part of the suite, which reads the flowcharts as text: run it by hand after a change to them.

    npm pack mermaid@11 && tar xzf mermaid-11*.tgz        # GitHub draws with Mermaid 11
    python tests/draw_mermaid.py package/dist/mermaid.min.js
    python tests/draw_mermaid.py mermaid.min.js resnet18 --pictures DIR     # also keeps screenshots

It asserts that Mermaid draws each shipped spec, with a box per row and an arrow per input.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import archspec
from archspec.cli.formats import mermaid
from browse_report import Chromium, chromium

ROOT = Path(__file__).parent.parent
PAGE = """<!doctype html><meta charset="utf-8"><div id="drawn"></div>
<script src="{}"></script>
<script>mermaid.initialize({{startOnLoad: false, securityLevel: "strict"}})</script>
"""
DRAW = """(async () => {
  const {svg} = await mermaid.render("one", %s);
  drawn.innerHTML = svg;
  return [".node", ".flowchart-link"].map(name => drawn.querySelectorAll(name).length);
})()"""


def names() -> Iterator[str]:
    """The shipped specs."""
    for folder in ("specs", "specs/zoo"):
        yield from sorted(path.stem for path in (ROOT / folder).glob("*.yaml"))


def check(tab: Chromium, name: str) -> None:
    """Draw one spec, and count its boxes and arrows."""
    spec = archspec.load(name)
    text = mermaid.render(archspec.analyze(spec), spec, None)
    boxes = text.count("\n") - text.count("->") - text.count("\n  class")
    draw = {"expression": DRAW % json.dumps(text), "awaitPromise": True, "returnByValue": True}
    found = tab.call("Runtime.evaluate", **draw)
    assert "exceptionDetails" not in found, (name, found["exceptionDetails"])
    assert found["result"]["value"] == [boxes, text.count("->")], (name, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library", type=Path, metavar="mermaid.min.js")
    parser.add_argument("names", nargs="*", metavar="SPEC")
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    args = parser.parse_args()
    args.names = args.names or list(names())
    with chromium() as tab, tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE.format(args.library.resolve().as_uri()), "utf-8")
        tab.open(page)
        for name in args.names:
            check(tab, name)
            if args.pictures:
                tab.picture(args.pictures / f"{name}.png")
    print(f"Mermaid draws {len(args.names)} flowcharts")


if __name__ == "__main__":
    main()

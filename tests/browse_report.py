"""Opens the pages of `archspec report` in headless Chromium and uses them by keyboard.

Not part of the suite, which reads the pages as text: run it by hand after a change to the page.

    python tests/browse_report.py                     # needs `chromium` on the path
    python tests/browse_report.py --pictures DIR      # also keeps screenshots and PDFs

It asserts for each page: no message on the console, no request but for the page itself, nothing
wider than the window at 1280 and 420 pixels, no overlapping text in a plot, and the right colors in
light, dark, and print. The picture is on the first printed page. ResNet-152 must load in less than
a second, and sorting, searching, the rows of the picture, and the links between lines must work by
keyboard.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archspec.cli import main

SINGLE = ["resnet18", "resnet152", "mobilenet_v3_large", "unet", "hrnet_w18_small"]
SEVERAL = ["resnet50", "resnet50d", "seresnet50", "mobilenet_v2", "efficientnet_b0", "vgg16"]
LOAD = 1.0  # seconds
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}
BOTTOM = 'document.querySelector(".picture").getBoundingClientRect().bottom'
FIRST_PAGE = (297 - 2 * 16) / 25.4 * 96  # an A4 page without its margins
OVERLAPS = """
[...document.querySelectorAll("svg.plot")].flatMap(svg => {
  const texts = [...svg.querySelectorAll("text")];
  const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right - 1 && a.top < b.bottom - 3;
  return boxes.flatMap(([one, a], n) => boxes.slice(n + 1)
    .filter(([, b]) => meet(a, b) && meet(b, a)).map(([other]) => `${one} / ${other}`));
})
"""


class Chromium:
    """A tab, spoken to in Chromium's DevTools protocol over a pipe."""

    def __init__(self, profile: str) -> None:
        ours, theirs = os.pipe(), os.pipe()
        # Higher than 3 and 4, which the browser expects and which may be taken here.
        read = fcntl.fcntl(ours[0], fcntl.F_DUPFD, 20)
        write = fcntl.fcntl(theirs[1], fcntl.F_DUPFD, 20)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        self.process = subprocess.Popen(
            ["chromium", *flags, "--remote-debugging-pipe", f"--user-data-dir={profile}"],
            preexec_fn=lambda: [os.dup2(read, 3), os.dup2(write, 4)].clear(),
            close_fds=False,
            stderr=subprocess.DEVNULL,
        )
        for handle in (ours[0], theirs[1], read, write):
            os.close(handle)
        self.out, self.into = ours[1], theirs[0]
        self.number, self.rest, self.session = 0, b"", ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            self.rest += os.read(self.into, 1 << 20)
        message, self.rest = self.rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command and its result; what happens meanwhile goes to `events`."""
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, path: Path) -> None:
        """Opens a file, and waits until it has loaded."""
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not self.happened("Page.loadEventFired"):
            self.events.append(self._next())

    def happened(self, method: str) -> list[dict[str, Any]]:
        """What was reported of one kind since the page was opened."""
        return [one["params"] for one in self.events if one.get("method") == method]

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """One key."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27, " ": 32}.get(key, 0)
        shared = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def width(self, pixels: int) -> None:
        shared = {"deviceScaleFactor": 1, "mobile": pixels < 600}
        self.call("Emulation.setDeviceMetricsOverride", width=pixels, height=900, **shared)

    def scheme(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        options = {"preferCSSPageSize": True, "printBackground": True}
        return base64.b64decode(self.call("Page.printToPDF", **options)["data"])


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser that is closed at the end, with a profile of its own."""
    profile = tempfile.mkdtemp()
    browser = Chromium(profile)
    try:
        yield browser
    finally:
        browser.process.terminate()
        browser.process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def looks(browser: Chromium, page: Path, pictures: Path | None) -> None:
    """Light, dark, narrow, and print."""
    for width in (1280, 420):
        browser.width(width)
        for scheme in ("light", "dark"):
            browser.scheme(scheme)
            browser.open(page)
            assert browser.js("document.documentElement.scrollWidth") <= width, (page, width)
            assert browser.js("getComputedStyle(document.body).backgroundColor") == PAPER[scheme]
            assert browser.js(OVERLAPS) == [], page
            if pictures:
                browser.picture(pictures / f"{page.stem}_{scheme}_{width}.png")
    pdf = browser.pdf()  # dark is preferred, and paper is white all the same
    assert pdf.startswith(b"%PDF")
    browser.width(680)  # the text width of A4
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert browser.js(OVERLAPS) == [], page
    assert browser.js("getComputedStyle(document.body).backgroundColor") == PAPER["light"]
    if page.stem in SINGLE:  # the picture is on the first page, below the facts
        assert browser.js(BOTTOM) <= FIRST_PAGE, page
    browser.call("Emulation.setEmulatedMedia", media="", features=[])
    browser.width(1280)
    if pictures:
        (pictures / f"{page.stem}.pdf").write_bytes(pdf)


def is_quiet(browser: Chromium, page: Path) -> None:
    """No message on the console, and no request but for the page."""
    browser.open(page)
    for kind in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
        assert not browser.happened(kind), browser.happened(kind)
    requests = [one["request"]["url"] for one in browser.happened("Network.requestWillBeSent")]
    assert requests == [page.resolve().as_uri()], requests


def load_time(browser: Chromium, page: Path) -> float:
    """Seconds until everything has loaded: the second fastest of five, on a machine with others."""
    times = []
    for _ in range(5):
        browser.open(page)
        span = "(t => t.loadEventEnd - t.startTime)(performance.getEntriesByType('navigation')[0])"
        times.append(browser.js(span) / 1000)
    return sorted(times)[1]


def works_by_keyboard(browser: Chromium, page: Path) -> None:
    """Sorting, searching, rows of the picture, and lines, without a pointer."""
    browser.open(page)
    shown = "[...document.querySelectorAll('.layers tbody tr')].filter(r => r.offsetParent)"
    paths = f"{shown}.map(r => r.cells[1].firstChild.data.trim())"
    assert browser.js(f"{paths}[0]") == "conv1"
    browser.js("document.querySelectorAll('.layers thead button')[8].focus()")
    browser.press("Enter", "\r")
    sort = "document.querySelectorAll('.layers thead th')[8].getAttribute('aria-sort')"
    numbers = f"{shown}.map(r => Number(r.cells[8].dataset.v))"
    found = browser.js(numbers)
    assert browser.js(sort) == "descending"
    assert found == sorted(found, reverse=True)
    browser.press(" ", " ")
    found = browser.js(numbers)
    assert browser.js(sort) == "ascending"
    assert found == sorted(found)
    before = len(found)
    browser.js("document.querySelector('input[type=search]').focus()")
    browser.type("layer3 conv2")
    found = browser.js(paths)
    assert found
    assert all(path.startswith("layer3.") and path.endswith("conv2") for path in found)
    status = "document.querySelector('.layers [role=status]').textContent"
    assert browser.js(status).startswith(f"{len(found)} of ")
    browser.js("document.querySelector('input[type=search]').select()")
    browser.type(" ")
    assert len(browser.js(paths)) == before
    browser.js("document.querySelector('.picture [data-path=layer2]').focus()")
    browser.press("Enter", "\r")
    found = browser.js(paths)
    assert found
    assert all(path.startswith("layer2.") for path in found)
    assert browser.js("document.activeElement.type") == "search"
    browser.js("document.querySelector('.source a.no').focus()")
    browser.press("Enter", "\r")
    assert browser.js("document.querySelectorAll('.hit').length") >= 2
    browser.open(page)
    order = list(dict.fromkeys(_tab_order(browser)))
    assert order == ["A", "g", "INPUT", "DIV", "BUTTON"]  # sections, picture, search, table


def _tab_order(browser: Chromium) -> list[str]:
    """What Tab visits from the top on; each shows that it has the focus."""
    found = []
    for _ in range(40):
        browser.press("Tab")
        found.append(browser.js("document.activeElement.tagName"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert found[-1] == "BODY" or browser.js(outline) != "none", found
    return found


def run() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    pictures = parser.parse_args().pictures
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        pages = {name: Path(folder) / f"{name}.html" for name in [*SINGLE, "several"]}
        for name, page in pages.items():
            assert main(["report", *([name] if name in SINGLE else SEVERAL), "-o", str(page)]) == 0
            is_quiet(browser, page)
            looks(browser, page, pictures)
            print(f"{name}: {page.stat().st_size / 1e3:.0f} kB, {load_time(browser, page):.2f} s")
        assert load_time(browser, pages["resnet152"]) < LOAD
        works_by_keyboard(browser, pages["resnet152"])
    print("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(run())

"""What a stranger's file may do to the command line: be told what is wrong, or be built and run."""

from __future__ import annotations

import io
import json
import math
import signal
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from torch import nn

from archspec.analysis import Analysis, analyze_network
from archspec.api import MEMO
from archspec.classes import classes
from archspec.cli import main
from archspec.language import load
from archspec.lint import formats
from archspec.runtime import build
from support import own
from support.linting import Said
from support.modules import assert_same_tensors, evaluate, images, network_class, seeded, tensors

SECONDS = 20  # of CPU time
LONGEST_ERROR = 300_000
FORMATS = formats.names()
#: What a terminal obeys, and what turns the reading direction.
OBEYED = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202a\u202b\u202d\u202e\u2066\u2067"}
OBEYED -= {"\n"}


def taken_or_refused(text: str | bytes) -> None:
    """Lint says what is wrong, and build agrees; or all is built, and both readers run alike."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with TemporaryDirectory() as folder, chdir(folder), no_hang():
        Path("net.yaml").write_bytes(data)
        clean = linted(FORMATS[crc32(data) % len(FORMATS)])
        built = run("build", "net.yaml", "-o", "out", "--force")
        assert built.code == (0 if clean else 1), built
        if clean:
            runs_as_interpreted(Path("out"))
        if crc32(data) % 8 == 0:
            mended(data)


def linted(form: str) -> bool:
    """Whether lint finds no errors; what it says is well said in this format."""
    said = run(
        "lint", "--no-cache", "--ignore=name-differs-from-file", "--format", form, "net.yaml"
    )
    well_said(said, form)
    return said.code == 0


def well_said(said: Said, form: str) -> None:
    assert said.code in (0, 1), said
    assert not said.err
    assert len(said.out) < LONGEST_ERROR
    assert not OBEYED.intersection(said.out), form
    if form == "junit":
        ElementTree.fromstring(said.out)
    elif form == "github":
        *told, _ = said.out.splitlines() or [""]
        assert all(line.startswith(("::error ", "::warning ")) for line in told)
    elif form in ("json", "sarif", "gitlab"):
        json.loads(said.out)
    elif said.code:
        assert "net.yaml:" in said.out, f"{form} names no line, or needs a check of its own"


def mended(data: bytes) -> None:
    """`--fix` leaves a file that is read as well as before, and nothing to mend."""
    before = run("lint", "--no-cache", "--statistics", "net.yaml")
    shown = run("lint", "--diff", "net.yaml")
    assert Path("net.yaml").read_bytes() == data
    fixed = run("lint", "--fix", "net.yaml")
    assert {before.code, shown.code, fixed.code} <= {0, 1}
    assert (Path("net.yaml").read_bytes() != data) == (shown.out != "")
    assert run("lint", "--diff", "net.yaml").out == ""


def runs_as_interpreted(folder: Path) -> None:
    """The files compile, and the network is the interpreter's, weights and outputs to the bit."""
    spec = load(Path("net.yaml"), memo=MEMO)
    texts = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    script = {f"train_{spec.name}.py"} if spec.train else set()
    assert texts.keys() == {f"{spec.name}.py"} | script
    codes = {name: compile(text, name, "exec") for name, text in texts.items()}
    network = classes(spec, memo=MEMO)
    analysis = analyze_network(network.tree)
    if small(analysis):
        namespace: dict[str, Any] = {"__name__": "built"}
        exec(codes[f"{spec.name}.py"], namespace)  # it passed the verifier
        made = network_class(namespace)
        one = seeded(lambda: build(network, modules=own.given(network)))
        readers_agree(one, seeded(made), analysis)


def small(analysis: Analysis) -> bool:
    outputs = [analysis.output, *(row.output for row in analysis.rows)]
    largest = max(map(math.prod, outputs))
    return analysis.params < 10**6 and analysis.macs < 10**8 and largest < 10**6


def readers_agree(one: nn.Module, other: nn.Module, analysis: Analysis) -> None:
    assert_same_tensors(one.state_dict(), other.state_dict())
    x = images(2, *analysis.input)
    assert_same_tensors(tensors(evaluate(one, x)), tensors(evaluate(other, x)))


def run(*words: str) -> Said:
    """A command in this process. Where archspec itself fails it says so, and the test too."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = main(words)
    assert "this is a bug" not in err.getvalue(), err.getvalue()
    return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def no_hang() -> Iterator[None]:
    """Counts CPU time, so that a busy machine is no hang."""

    def stop(*_: Any) -> None:
        raise AssertionError(f"not done within {SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)

"""Names from outside (of files, tensors, classes of data) are escaped wherever they are printed."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from archspec import build_module, load, load_weights
from archspec.diagnostics import Diagnostic, Span, SpecError, UnreadableFile, WeightsError, visible
from archspec.lint import formats
from archspec.plot import PlotError
from resume import NETWORK
from support.linting import Project, Said
from support.scripts import Script, recipe

HOSTILE = {
    "a command in a line of its own": "a\n::add-mask::a",
    "a command": "::error::a",
    "an older command": "a##[group]b",
    "a command of Azure": "##vso[task.complete]",
    "colour": "a\x1b[31mb",
    "a title": "a\x1b]0;b\x07",
    "right to left": "a\u202eb",
    "invisible": "a\u200bb",
    "a carriage return": "a\rb",
    "a line separator": "a\u2028b",
    "C1": "a\x9b31mb",
    "Latin-1": "caf\udce9",
}
NAMES = [pytest.param(name, id=what) for what, name in HOSTILE.items()]
HEAD = "name: net\ninput: [3, 32, 32]\n"
BIAS = f"{HEAD}stem: [{{conv: {{channels: 16, kernel: 3, bias: true}}}}, norm]\n"
COMMANDS = ("::error ", "::warning ")  # what the format `github` itself writes


def check_obeyed_nowhere(text: str, own: tuple[str, ...] = ()) -> None:
    """Every line is printable, can be encoded, and is no command of CI but those of our `own`."""
    for line in text.split("\n"):
        assert line.isprintable()
        start = line.strip().removeprefix("::: ")  # so begins a second place of a finding
        assert not own or not line or line.startswith(own)
        assert own or not start.startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


def check(said: Said, own: tuple[str, ...] = ()) -> None:
    assert said.out or said.err
    check_obeyed_nowhere(said.out, own)
    check_obeyed_nowhere(said.err)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_visible_is_one_harmless_line(text: str) -> None:
    check_obeyed_nowhere(visible(text))
    assert "\n" not in visible(text)
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", ["specs/net.yaml", "\u732b", "na\u00efve", "a::b", "## a", "a: b"])
def test_visible_leaves_other_names_as_they_are(text: str) -> None:
    assert visible(text) == text


# Lint ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", formats.names())
def test_every_format(project: Project, form: str) -> None:
    """The name of a file in the working directory begins lines; of what it holds, nothing does."""
    for name in HOSTILE.values():
        project.write(f"{name}.yaml", BIAS)
        project.write(f"specs/{name}.yaml", BIAS.replace("{conv", "{cnov"))
        project.write(f"bytes/{name}.yaml", b"\xff")
    check(project.lint(".", "--format", form), COMMANDS if form == "github" else ())
    project.lint(".", "--format", form, "--output-file", "report")
    text = (project.folder / "report").read_text("utf-8")
    check_obeyed_nowhere(text, COMMANDS if form == "github" else ())


def test_machines_are_told_the_name_itself(project: Project) -> None:
    """JSON has escapes of its own, and percent encoding is SARIF's."""
    project.write("specs/a\n\x1b.yaml", BIAS)
    paths = [
        project.lint("--format", "json").data["findings"][0]["location"]["file"],
        project.lint("--format", "gitlab").data[0]["location"]["path"],
    ]
    assert paths == ["specs/a\n\x1b.yaml"] * 2
    assert "specs/a%0A%1B.yaml" in project.lint("--format", "sarif").out


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_reports_are_text_for_every_parser(project: Project, form: str) -> None:
    """Half a surrogate pair, which stands for a byte that is no text, is not JSON to all."""
    project.write("specs/caf\udce9.yaml", BIAS)
    json.dumps(project.lint("--format", form).data, ensure_ascii=False).encode()


def test_other_ways_to_lint(project: Project, name: str) -> None:
    project.write(f"specs/{name}.yaml", BIAS)
    check(project.lint("--statistics"))
    check(project.lint("--diff"))
    check(project.lint("--write-baseline", f"{name}.json"))
    check(project.lint("--baseline", f"{name}.json"))
    check(project.lint("--show-settings", "--ignore", name, "--exclude", name))
    check(project.lint("--ignore", name))
    check(project.lint("--per-file-ignores", name))
    check(project.lint("--output-file", f"specs/{name}/report"))
    check(project.lint("--fix"))
    check(project.lint(f"{name}.yaml"))
    (project.folder / name).mkdir()
    check(project.lint(name))
    project.write(f"{name}/archspec.toml", f"{json.dumps(name)} = 1\n".replace("\\udc", "\\u00"))
    check(project.lint(name))


# Other commands ------------------------------------------------------------------------


def test_build_and_show(project: Project, name: str) -> None:
    project.write("specs/net.yaml", f"{HEAD}stem: [{{conv: 8}}]\n")
    assert project.run("build").code == 0
    model = (project.folder / "generated/net.py").read_text("utf-8")
    project.write(f"generated/{name}.py", model)
    for args in ([], ["--check"], ["-o", name], ["-o", name, "--check"], [name], [f"{name}.yaml"]):
        check(project.run("build", *args))
    project.write(f"{name}/net.py", "edited = 1\n")
    check(project.run("build", "-o", name))
    project.write(f"{name}.yaml", f"{HEAD}stem: [{{conv: 8}}]\n")
    for args in ([], ["--pass", "merged"], ["--pass", "parsed"], ["--resolved"], ["--set", name]):
        check(project.run("show", f"{name}.yaml", *args))
    check(project.run("show", name))
    project.write(f"{name}.yaml", ": [")
    check(project.run("show", f"{name}.yaml"))
    check(project.run("build", f"{name}.yaml"))


def test_rule_and_wrong_options(project: Project, name: str) -> None:
    check(project.run("rule", name))
    check(project.run("lint", f"--{name}"))
    check(project.run("plot", "run", "-o", name))
    check(project.run("train", "net", "--nproc", name))
    check(project.run("list", name))
    check(project.run("infer", name))


def test_plot_and_train(project: Project, name: str) -> None:
    check(project.run("plot", name))
    project.write(f"{name}/log.csv", f"step,epoch,{name}\n".encode(errors="surrogateescape"))
    check(project.run("plot", name))
    project.write("specs/net.yaml", f"{HEAD}stem: [{{conv: 8}}]\n" + recipe())
    project.write(f"{name}/train_net.py", "edited = 1\n")
    check(project.run("train", "specs/net.yaml", "--out", name))
    project.write(f"{name}/last.pt", "")
    check(project.run("train", "specs/net.yaml", "--out", name))


def tensors(*names: str) -> bytes:
    """A `.safetensors` file of tensors of one number."""
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps(dict.fromkeys(names, entry)).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def test_infer(project: Project, name: str) -> None:
    project.write(f"{name}.safetensors", tensors(name))
    check(project.run("infer", f"{name}.safetensors"))
    check(project.run("infer", f"{name}.safetensors", "-o", f"{name}.yaml"))
    project.write(f"{name}.safetensors", tensors(name)[:-3])
    check(project.run("infer", f"{name}.safetensors"))
    project.write("whole.safetensors", tensors("conv1.weight", name))
    check(project.run("infer", "whole.safetensors"))


# Python --------------------------------------------------------------------------------


def test_errors_in_python(project: Project, name: str) -> None:
    for error in (
        SpecError([Diagnostic("unknown-key", name, Span(name), name)]),
        UnreadableFile(name),
        PlotError(name),
        PlotError("one", name),
    ):
        check_obeyed_nowhere(str(error))
    project.write("specs/net.yaml", f"{HEAD}stem: [{{conv: 8}}]\n")
    file = project.folder / "weights.pt"  # torch writes no other name that is no text
    torch.save({name: torch.zeros(1)}, file)
    with pytest.raises(WeightsError) as caught:
        load_weights(build_module("specs/net.yaml"), file)
    check_obeyed_nowhere(str(caught.value))


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "a tensor": lambda name: {"stem": {"a": {"conv": 8, "from": name}}},
    "outputs": lambda name: {"stem": {"a": {"conv": 8}}, "outputs": {name: ["a"]}},
    "a function of init": lambda name: {"stem": [{"conv": 8, "init": {"weight": {name: {}}}}]},
    "a name with dots": lambda name: {"stem": [{"conv": 8, "name": f"convs.{name}"}]},
    "a modifier": lambda name: {"stem": [{"conv": 8, name: 1}]},
    "a child": lambda name: {"stages": {"a": {"sequence": {name: {"block": "basic"}}}}},
    "a choice": lambda name: {"stem": [{"select": name}]},
}


@pytest.mark.parametrize("place", PLACES)
def test_specs_in_python(place: str, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load({"name": "net", "input": [3, 8, 8], **PLACES[place](name)})
    check_obeyed_nowhere(str(caught.value))


# Training scripts ----------------------------------------------------------------------

CLASSES = ["\u732b", *HOSTILE.values()]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    text = NETWORK.replace("[1, 8, 8]", "[1, 28, 28]") + recipe(data="mnist", batch_size="8")
    return Script(tmp_path_factory.mktemp("named"), text)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_classes_of_data(script: Script, encoding: str, tmp_path: Path) -> None:
    """What the output cannot encode is escaped too, after all the training."""
    table = torch.eye(len(CLASSES), dtype=torch.long)
    module, printed = script.module, io.BytesIO()

    def trained(*_: object) -> None:
        for line in module.per_class(table, CLASSES):
            module.show(line)

    with (
        mock.patch.object(sys, "argv", ["train", "--out", str(tmp_path)]),
        mock.patch.object(sys, "stdout", io.TextIOWrapper(printed, encoding, "strict")),
        mock.patch.object(module, "train", trained),
        mock.patch("signal.signal"),
    ):
        module.main()
        sys.stdout.flush()
        text = printed.getvalue().decode(encoding)
    check_obeyed_nowhere(text.replace("\r\n", "\n"))
    assert text.count("\n") == len(CLASSES) + 1
    assert ("\u732b" if encoding == "utf-8" else "\\u732b") in text


def test_errors_of_scripts(script: Script, tmp_path: Path, name: str) -> None:
    """Names of folders and files, and what a library says of them, are one line."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "last.pt").write_text("")
    for options in (
        ["--data", name],
        ["--out", name],
        ["--out", name, "--resume"],
        ["--device", name],
    ):
        words = ["train", "--data", "synthetic", *options]
        with (
            mock.patch.object(sys, "argv", words),
            contextlib.chdir(tmp_path),
            mock.patch("signal.signal"),
            pytest.raises(SystemExit) as caught,
        ):
            script.module.main()
        message = str(caught.value.code)
        check_obeyed_nowhere(message)
        assert message.startswith("error: ")
        assert message.count("\n") == 1


def test_lines_of_scripts(script: Script, tmp_path: Path) -> None:
    out = tmp_path / "".join(HOSTILE.values())
    text = script(out, "--data", "synthetic", "--steps", "1")
    check_obeyed_nowhere(text)
    assert "best.pt" in text

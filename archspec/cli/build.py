"""`archspec build`: specs in, PyTorch source out."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.cli.options import add_settings, settings

if TYPE_CHECKING:
    from archspec.diagnostics import Diagnostic
    from archspec.spec import Spec

DEFAULT = "specs"


def add_parser(commands: Any) -> None:
    """`archspec build [PATHS]`."""
    parser = commands.add_parser(
        "build",
        description="Renders specs into standalone PyTorch source. If one spec has findings, "
        "nothing is written.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="specs, folders of specs, names of shipped specs"
    )
    parser.add_argument(
        "-o", "--output", default="generated", metavar="DIR", help="where to (- prints it)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is not up to date"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand"
    )
    parser.add_argument(
        "--outputs",
        metavar="LAYERS",
        help="give features instead: the layers to return, e.g. layer2,layer4",
    )
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 written or up to date, 1 findings, 2 nothing to build."""
    from archspec.cli.report import print_diagnostics

    sources = find_specs(args.paths)
    files, findings = _render_all(sources, args)
    if findings:
        print_diagnostics(findings)
        print("nothing was written", file=sys.stderr)
        return 1
    if args.output == "-":
        print("\n\n".join(text.rstrip("\n") for text in files.values()))
        return 0
    folder = Path(args.output)
    orphans = [] if args.paths else _orphans(folder, files)
    return _check(folder, files, orphans) if args.check else _write(folder, files, orphans, args)


def find_specs(paths: list[str]) -> list[str | Path]:
    """The specs that the arguments mean; raises `UnreadableFile` if there are none."""
    from archspec.diagnostics import UnreadableFile

    found: list[str | Path] = []
    for given in paths or [DEFAULT]:
        path = Path(given)
        if not path.is_dir():
            found.append(given)
            continue
        inside = sorted(p for p in path.glob("*.yaml") if p.is_file())
        if not inside:
            raise UnreadableFile(f"{given}: no spec (*.yaml) in this folder")
        found += inside
    if not paths and not Path(DEFAULT).is_dir():
        raise UnreadableFile("there is no folder `specs` here; name a spec: archspec build PATH")
    return found


def _render_all(
    sources: list[str | Path], args: argparse.Namespace
) -> tuple[dict[str, str], list[Diagnostic]]:
    """File name -> text, and the findings of all specs."""
    from archspec.diagnostics import Diagnostic, SpecError
    from archspec.spec import load

    chosen = settings(args)
    files: dict[str, str] = {}
    findings: list[Diagnostic] = []
    for source in sources:
        try:
            spec = load(source, chosen)
            errors = _errors(spec)
            findings += errors
            name = f"{spec.name}.py"
            if name in files:
                span = spec.where("name")
                hint = "the name is the name of the file that is written"
                message = f"two specs are called `{spec.name}`"
                findings.append(Diagnostic("duplicate-spec-name", message, span, hint))
            if not errors:
                files[name] = _render(spec, args.outputs)
        except SpecError as error:
            findings += error.diagnostics
    return files, findings


def _errors(spec: Spec) -> list[Diagnostic]:
    from archspec.rules import check_spec

    return [finding for finding in check_spec(spec) if finding.severity == "error"]


def _render(spec: Spec, outputs: str | None) -> str:
    from archspec.api import render

    if outputs is None:
        return render(spec)
    return render(spec, outputs=[name.strip() for name in outputs.split(",")])


# Files --------------------------------------------------------------------------------


def _old(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _orphans(folder: Path, files: dict[str, str]) -> list[Path]:
    """Generated files whose spec is gone."""
    from archspec.codegen import generated

    found = sorted(folder.glob("*.py")) if folder.is_dir() else []
    return [p for p in found if p.name not in files and generated(_old(p) or "")]


def _check(folder: Path, files: dict[str, str], orphans: list[Path]) -> int:
    stale = [name for name, text in files.items() if _old(folder / name) != text]
    for name in stale:
        state = "is out of date" if (folder / name).is_file() else "is missing"
        print(f"{(folder / name).as_posix()} {state}")
    for path in orphans:
        print(f"{path.as_posix()} has no spec")
    if stale or orphans:
        print("help: run `archspec build`, and delete what has no spec")
        return 1
    print(f"{_count(len(files))} up to date in {folder.as_posix()}")
    return 0


def _write(
    folder: Path, files: dict[str, str], orphans: list[Path], args: argparse.Namespace
) -> int:
    changed = {name: text for name, text in files.items() if _old(folder / name) != text}
    edited = [] if args.force else [n for n in changed if _edited(_old(folder / n))]
    for name in edited:
        edit = f"{(folder / name).as_posix()} was edited by hand or not written by archspec"
        print(f"error: {edit}", file=sys.stderr)
    if edited:
        print("help: move it, or overwrite it with --force; nothing was written", file=sys.stderr)
        return 1
    write_files(folder, changed)
    for name in changed:
        print(f"wrote {(folder / name).as_posix()}")
    for path in orphans:
        print(f"warning: {path.as_posix()} has no spec; delete it", file=sys.stderr)
    same = len(files) - len(changed)
    print(f"{len(changed)} written, {same} unchanged in {folder.as_posix()}")
    return 0


def _edited(text: str | None) -> bool:
    from archspec.codegen import untouched

    return text is not None and not untouched(text)


def _count(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"


def write_files(folder: Path, files: dict[str, str]) -> None:
    """All or nothing: every file is complete beside its place before the first is moved."""
    folder.mkdir(parents=True, exist_ok=True)
    ready: list[tuple[str, Path]] = []
    try:
        for name, text in files.items():
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".tmp")
            ready.append((temporary, folder / name))
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o666 & ~_umask())
        for temporary, path in ready:
            os.replace(temporary, path)
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

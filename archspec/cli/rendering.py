"""From command-line arguments to the text of files, for `build` and `train`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from archspec.api import network, render_deploy
from archspec.codegen import generate
from archspec.diagnostics import Diagnostic, SpecError, UnreadableFile
from archspec.files import check_named, is_there, names_in
from archspec.language import Spec, load
from archspec.lint.discover import check_found
from archspec.lint.imports import not_allowed
from archspec.lint.lookup import project_settings, rule_codes
from archspec.rules.checking import all_of, errors_of
from archspec.training import generate_training

DEFAULT = "specs"
DEPLOY = "_deploy.py"  # the suffix of files for inference


def find_specs(paths: Sequence[str]) -> list[str | Path]:
    """The specs of the arguments; raises `UnreadableFile` if there are none."""
    found: list[str | Path] = []
    for given in paths or [DEFAULT]:
        path = Path(given)
        inside = _inside(path) if path.is_dir() else []
        if path.is_dir() and not inside:
            raise UnreadableFile(f"{given}: no specs (*.yaml) in this directory")
        check_named(given)
        for one in inside:
            check_found(one.as_posix(), given)
        found += inside or [given]
    if not paths and not is_there(DEFAULT):
        raise UnreadableFile(
            "the directory `specs` does not exist", "name a spec: `archspec build PATH`"
        )
    return found


def _inside(folder: Path) -> list[Path]:
    paths = [folder / name for name in names_in(folder) if name.endswith(".yaml")]
    return [path for path in paths if not path.is_dir()]


def render_all(
    sources: Iterable[str | Path | Spec],
    settings: Mapping[str, Any],
    outputs: Sequence[str] | None = None,
    single_file: bool = False,
    asked: Collection[str] = (),
    deploy: bool = False,
) -> tuple[dict[str, str], list[Diagnostic]]:
    """File name -> text, and the findings of all specs; `asked` has the options for scripts."""
    files: dict[str, str] = {}
    findings: list[Diagnostic] = []
    specs: list[Spec] = []
    for source in sources:
        try:
            specs.append(spec := load(source, settings))
            errors = [*errors_of(spec), *_not_allowed(spec)]
            findings += errors
            if not errors:
                if deploy:
                    files[deploy_name(spec)] = render_deploy(spec, outputs=outputs)
                else:
                    files |= _render(spec, outputs, single_file, asked)
        except SpecError as error:
            findings += all_of(error)
    return files, findings + list(_clashes(specs, outputs is None and not deploy))


def _not_allowed(spec: Spec) -> list[Diagnostic]:
    """A finding for each class that a spec imports but the settings do not allow."""
    imports = spec.library.imports()
    if not imports:
        return []
    return list(not_allowed(imports, project_settings(codes=rule_codes()).imports))


def _render(
    spec: Spec, outputs: Sequence[str] | None, single_file: bool, asked: Collection[str]
) -> dict[str, str]:
    """The model and, if the spec has a recipe, the training script; or both in one file."""
    net = network(spec, outputs=outputs)
    text = generate(net)
    model = {f"{spec.name}.py": text}
    if spec.train is None or outputs is not None:
        return model
    script = {script_name(spec): generate_training(spec, net, text, single_file, asked)}
    return script if single_file else model | script


def script_name(spec: Spec) -> str:
    """The file that trains a spec's network."""
    return f"train_{spec.name}.py"


def deploy_name(spec: Spec) -> str:
    """The file of a spec's network for inference."""
    return f"{spec.name}{DEPLOY}"


def _clashes(specs: Sequence[Spec], scripts: bool) -> Iterator[Diagnostic]:
    """Specs that would generate the same file."""
    seen: set[str] = set()
    trained = {script_name(s): s.name for s in specs if scripts and s.train is not None}
    for spec in specs:
        if spec.name in seen:
            hint = "the spec's name is the name of the generated file"
            yield _clash(spec, f"two specs are named `{spec.name}`", hint)
        seen.add(spec.name)
        if other := trained.get(f"{spec.name}.py"):
            message = f"`{spec.name}.py` is also the training script of the spec `{other}`"
            yield _clash(spec, message, "rename one of the two")


def _clash(spec: Spec, message: str, hint: str) -> Diagnostic:
    return Diagnostic("duplicate-spec-name", message, spec.where("name"), hint)

"""Settings: `[tool.archspec]` in `pyproject.toml`, `archspec.toml`, and the command line."""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

from typing import NamedTuple

from archspec.diagnostics import ArchspecError, visible, visible_json

Names = tuple[str, ...]


class Settings(NamedTuple):
    """Settings of `lint`.

    Attributes:
        paths: what to lint if the command line names nothing.
        exclude: patterns of files and directories to skip.
        force_exclude: also skip those that the command line names.
        select: the rules that are on; all if empty.
        extend_select: additional rules that are on.
        ignore: rules that are off.
        per_file_ignores: patterns of files, each with the rules that are off for them.
        strict: whether warnings count as errors.
        format: the output format.
        imports: the packages that specs may import modules from.
        baseline: a file of accepted warnings.
        file: the file that the settings are from, "" if there is none.
    """

    paths: Names = ("specs",)
    exclude: Names = ()
    force_exclude: bool = False
    select: Names = ()
    extend_select: Names = ()
    ignore: Names = ()
    per_file_ignores: tuple[tuple[str, Names], ...] = ()
    strict: bool = False
    format: str = "full"
    imports: Names = ()
    baseline: str = ""
    file: str = ""


class SettingsError(ArchspecError):
    """Invalid settings."""


KEYS = [name.replace("_", "-") for name in Settings._fields if name != "file"]


def show(settings: Settings) -> str:
    """The settings as TOML, in which strings, lists, and booleans are those of JSON."""
    lines = [f"# {visible(settings.file) or 'no configuration file: these are the defaults'}"]
    for key in KEYS:
        value = getattr(settings, key.replace("-", "_"))
        text = visible_json(value)
        if key == "per-file-ignores":
            ignores = (f"{visible_json(one)} = {visible_json(rules)}" for one, rules in value)
            text = f"{{{', '.join(ignores)}}}"
        lines.append(f"{key} = {text}")
    return "\n".join(lines)

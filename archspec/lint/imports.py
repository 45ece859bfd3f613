"""Which packages a spec may import from: those in the settings of the project."""

# Without `annotations` from `__future__`: `lint.serialize` reads the types of fields.

from collections.abc import Iterable, Iterator

from archspec.diagnostics import Diagnostic, Span

Imports = tuple[tuple[str, Span], ...]  # dotted paths of classes, and their locations


def not_allowed(imports: Imports, packages: Iterable[str]) -> Iterator[Diagnostic]:
    """A finding for each class that is in none of the packages."""
    allowed = tuple(f"{package}." for package in packages)
    for path, span in imports:
        if not path.startswith(allowed):
            message = f"the settings of this project do not allow the import of `{path}`"
            package = path.partition(".")[0]
            where = "`archspec.toml`, or in `[tool.archspec]` of `pyproject.toml`"
            hint = f'if you trust it, add `imports = ["{package}"]` to {where}'
            yield Diagnostic("import-not-allowed", message, span, hint)

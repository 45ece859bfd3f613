"""The rules put to work."""

from __future__ import annotations

from archspec.diagnostics import Diagnostic, SpecError
from archspec.lower import lower
from archspec.spec import Spec


def check_spec(spec: Spec) -> list[Diagnostic]:
    """Every finding about a spec that has been loaded, in order of place."""
    try:
        lower(spec)
    except SpecError as error:
        return list(error.diagnostics)
    return []
def duplicate_names(specs: list[Spec]) -> list[Diagnostic]:
    return []

"""The linter: files in, findings out, in the words of whoever reads them.

- check: one file -> its findings
- discover: which files are meant
- comments, suppress: `# archspec: ignore[AS304] the reason`
- settings, config, select: what is on, and who says so
- run, report: all files -> a report
- cache, plain, quick: files that have not changed are not read again
- baseline: findings that are known
- fixes: findings mended in the text
- sources, visible: the lines that are shown, made safe to show
- formats: a report as text, JSON, SARIF, ...
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from archspec.lint.report import Finding as Finding
    from archspec.lint.report import Report as Report
    from archspec.lint.run import lint as lint
    from archspec.lint.settings import Settings as Settings
    from archspec.lint.settings import SettingsError as SettingsError

_WHERE = {
    "Finding": "report",
    "Report": "report",
    "Settings": "settings",
    "SettingsError": "settings",
    "lint": "run",
}

__all__ = ["Finding", "Report", "Settings", "SettingsError", "lint"]


def __getattr__(name: str) -> Any:
    """Imported on first use: a run in which nothing has changed needs none of it."""
    if name not in _WHERE:
        raise AttributeError(f"module 'archspec.lint' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"archspec.lint.{_WHERE[name]}"), name)

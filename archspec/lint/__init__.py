"""The linter: files in, findings out.

- settings, config, select: which rules are on, and who says so
- discover: which files are meant
- lookup, cache, serialize: what is known of files that have not changed
- deferred: the way to all that reads YAML, taken only where a file has changed
- many, check, comments: files -> findings; `# archspec: ignore[AS304] the reason`
- checked: what is known of a file
- run, suppress, baseline, report: what is known of all files -> a report
- fixes: findings fixed in the text
- sources, excerpt, style, statistics: what formats have in common
- formats: a report as text, JSON, SARIF, ...: a module each
"""

from __future__ import annotations

from archspec.lint.report import Finding, Report
from archspec.lint.run import lint
from archspec.lint.settings import Settings, SettingsError

__all__ = ["Finding", "Report", "Settings", "SettingsError", "lint"]

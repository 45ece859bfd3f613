"""The linter: files in, findings out.

- settings, config, select: which rules are on, and where that is set
- discover: which files to lint
- lookup, cache, serialize: results for files that have not changed
- deferred: imports everything that reads YAML, only if a file has changed
- many, check, comments: files -> findings; `# archspec: ignore[AS304] the reason`
- checked: the result for one file
- run, suppress, baseline, report: the results for all files -> a report
- fixes: findings fixed in the text
- sources, excerpt, style, statistics: shared by the formats
- formats: a report as text, JSON, SARIF, ...: one module each
"""

from __future__ import annotations

from archspec.lint.report import Finding, Report
from archspec.lint.run import lint
from archspec.lint.settings import Settings, SettingsError

__all__ = ["Finding", "Report", "Settings", "SettingsError", "lint"]

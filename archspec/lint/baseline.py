"""A baseline: accepted warnings, so that a repository with warnings can start clean.

A finding is recognized by its rule, its file, and the content of its line, so that it may move.
Files are relative to the baseline, so that it applies in every working directory. Errors are never
accepted: a spec with an error cannot be built.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from archspec.diagnostics import UnreadableFile, shown
from archspec.files import read_bytes, write_text
from archspec.lint.checked import is_fatal
from archspec.lint.report import Report, content
from archspec.lint.settings import SettingsError
from archspec.paths import posix

VERSION = 1
MOST_BYTES = 4 << 20
FIELDS = ("rule", "file", "line")

Key = tuple[str, str, str]


def write_baseline(report: Report, file: str) -> int:
    """Write the report's warnings, and return their number."""
    keys = zip(report.findings, _keys(report, file), strict=True)
    counted = Counter(key for finding, key in keys if not is_fatal(finding.diagnostic))
    findings = [
        dict(zip(FIELDS, key, strict=True)) | {"count": number}
        for key, number in sorted(counted.items())
    ]
    whole = {"version": VERSION, "findings": findings}
    write_text(file, json.dumps(whole, indent=2) + "\n")
    return counted.total()


def without_known(report: Report, file: str) -> Report:
    """The report without the findings in the baseline, each as often as the baseline has it."""
    known = _read(file)
    left = []
    for finding, key in zip(report.findings, _keys(report, file), strict=True):
        if known[key] > 0 and not is_fatal(finding.diagnostic):
            known[key] -= 1
        else:
            left.append(finding)
    return report._replace(findings=tuple(left), known=len(report.findings) - len(left))


def _keys(report: Report, file: str) -> list[Key]:
    folder = os.path.dirname(os.path.abspath(file))
    return [
        (f.diagnostic.rule, _seen_from(folder, f.span.file), content(f.diagnostic, report.sources))
        for f in report.findings
    ]


def _seen_from(folder: str, file: str) -> str:
    try:
        return posix(os.path.relpath(file, folder))
    except ValueError:  # on another drive
        return file


def _read(file: str) -> Counter[Key]:
    try:
        data = read_bytes(file, MOST_BYTES)
        if len(data) > MOST_BYTES:
            raise _unread(file, f"it exceeds {MOST_BYTES:,} bytes")
        return _counted(json.loads(data), file)
    except UnreadableFile as error:
        raise _unread(file, str(error).rpartition("`: ")[2]) from None
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        raise _unread(file, "it is not a baseline") from None


def _unread(file: str, reason: str) -> SettingsError:
    hint = f"create it with `archspec lint --write-baseline {file}`"
    return SettingsError(f"could not read baseline `{file}`: {reason}", hint)


def _counted(data: Any, file: str) -> Counter[Key]:
    if (version := data["version"]) != VERSION or version is True:
        found = f"its format is version {shown(str(version))}"
        raise _unread(file, f"{found}, but this archspec reads {VERSION}")
    known: Counter[Key] = Counter()
    for finding in data["findings"]:
        rule, path, line = (str(finding[name]) for name in FIELDS)
        known[rule, path, line] += int(finding["count"])
    return known

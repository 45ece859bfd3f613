"""Patterns of files and directories: one syntax for all settings.

A name matches in any directory (`old`, `*.tmp.yaml`); a pattern with a slash before its end is a
path relative to the settings file (`specs/old`, `specs/*/old`, `/old`, `**/old`). A pattern that
matches a directory matches everything in it. A trailing slash, doubled slashes, and `./` make no
difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

from archspec.paths import display_path, posix, working_folder

_SPECIAL = re.compile(r"[*?[]")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a file or directory, or one that contains it, matches one of the patterns."""
    here = working_folder()
    return any(_fits(path, pattern, here) for pattern in patterns)


def seen_from_here(pattern: str, folder: str) -> str:
    """A pattern relative to `folder`, made relative to the working directory."""
    text = pattern.replace(os.sep, "/").rstrip("/")
    if _is_name(text):
        return text
    if not posix(text).startswith(f"{posix(folder)}/"):
        text = text.lstrip("/")
    path = display_path(os.path.join(folder, text))
    return path if "/" in path else f"./{path}"  # otherwise it would be a name


def _is_name(text: str) -> bool:
    return "/" not in text and text not in (".", "..")


def _fits(path: str, pattern: str, here: str) -> bool:
    of_names, expression = _expression(pattern, here)
    if of_names:
        return any(map(expression.match, map(os.path.normcase, display_path(path).split("/"))))
    whole = os.path.normpath(os.path.join(here, path))
    return expression.match(os.path.normcase(whole)) is not None


@lru_cache(maxsize=4096)
def _expression(pattern: str, here: str) -> tuple[bool, re.Pattern[str]]:
    """Whether a pattern is for names, and the expression for names or for whole paths."""
    text = seen_from_here(pattern, here)
    if _is_name(text):
        return True, _compiled([text])
    start = _SPECIAL.sub(r"[\g<0>]", here)
    forms = [os.path.normpath(os.path.join(start, text))]
    if os.path.isabs(pattern):  # or it starts with a slash because it is a path
        forms.append(os.path.normpath(pattern))
    return False, _compiled([*forms, *(form.replace(f"**{os.sep}", "") for form in forms)])


def _compiled(forms: Iterable[str]) -> re.Pattern[str]:
    wanted = (os.path.normcase(form + end) for form in forms for end in ("", "/*"))
    return re.compile("|".join(map(translate, dict.fromkeys(wanted))))

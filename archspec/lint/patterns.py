"""Patterns of files and folders: one syntax, wherever settings take them.

A name fits in any folder (`old`, `*.tmp.yaml`); what has a slash before its end is a path from the
folder of its settings file (`specs/old`, `specs/*/old`, `/old`, `**/old`). What fits a folder fits
all that is in it. A slash at the end, doubled ones and `./` make no difference to a path.
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
    """Whether a file or folder, or a folder that it is in, fits one of the patterns."""
    here = working_folder()
    return any(_fits(path, pattern, here) for pattern in patterns)


def seen_from_here(pattern: str, folder: str) -> str:
    """A pattern that is written for `folder`, for the working directory."""
    text = pattern.replace(os.sep, "/").rstrip("/")
    if _is_name(text):
        return text
    if not posix(text).startswith(f"{posix(folder)}/"):
        text = text.lstrip("/")
    path = display_path(os.path.join(folder, text))
    return path if "/" in path else f"./{path}"  # else it would be a name


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
    """Whether a pattern is one of names, and the expression for names or for whole paths."""
    text = seen_from_here(pattern, here)
    if _is_name(text):
        return True, _compiled([text])
    start = _SPECIAL.sub(r"[\g<0>]", here)
    forms = [os.path.normpath(os.path.join(start, text))]
    if os.path.isabs(pattern):  # or it begins with a slash for being a path
        forms.append(os.path.normpath(pattern))
    return False, _compiled([*forms, *(form.replace(f"**{os.sep}", "") for form in forms)])


def _compiled(forms: Iterable[str]) -> re.Pattern[str]:
    wanted = (os.path.normcase(form + end) for form in forms for end in ("", "/*"))
    return re.compile("|".join(map(translate, dict.fromkeys(wanted))))

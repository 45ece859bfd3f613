"""Which rules are on: by code (`AS304`), by code prefix (`AS3`), or by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from archspec.diagnostics import did_you_mean
from archspec.lint.checked import Codes
from archspec.lint.patterns import matches
from archspec.lint.settings import Settings, SettingsError

_CODE = r"(?i:as)\d\w*|[A-Z]{1,4}\d{3,4}"
_LIST = "run `archspec rule --all`"
_NAME = 100  # a name is more specific than any code


class Selection:
    """Whether a rule is on for a file. The more specific setting wins; if equal, `ignore` wins."""

    def __init__(self, settings: Settings, codes: Codes) -> None:
        self.settings, self.codes = settings, codes
        self._names: dict[str, frozenset[str]] = {}
        self.on = (*(settings.select or ("AS",)), *settings.extend_select)
        of_files = (rule for _, rules in settings.per_file_ignores for rule in rules)
        check_selectors((*self.on, *settings.ignore, *of_files), codes)

    def has(self, rule: str, file: str) -> bool:
        """Whether findings of `rule` (its name) are reported in `file`."""
        return _is_on(rule, self.codes[rule], self.on, self._ignored(file))

    def names_of(self, selector: str) -> frozenset[str]:
        """The names of the rules that a selector matches; none if there is no such rule."""
        if selector not in self._names:
            self._names[selector] = frozenset(_named(selector, self.codes))
        return self._names[selector]

    def _ignored(self, file: str) -> tuple[str, ...]:
        ignored = self.settings.ignore
        for pattern, selectors in self.settings.per_file_ignores:
            if matches(file, [pattern]):
                ignored += selectors
        return ignored


@cache
def _is_on(rule: str, code: str, on: tuple[str, ...], off: tuple[str, ...]) -> bool:
    wanted, unwanted = _closest(rule, code, on), _closest(rule, code, off)
    return wanted > 0 and wanted > unwanted


def _closest(rule: str, code: str, selectors: Iterable[str]) -> int:
    """How specific the closest selector of the rule is; 0 if none matches."""
    return max((_says(selector, rule, code) for selector in selectors), default=0)


def _says(selector: str, rule: str, code: str) -> int:
    if selector == rule:
        return _NAME
    return len(selector) if code.startswith(selector) else 0


def _named(selector: str, codes: Codes) -> list[str]:
    return [name for name, code in codes.items() if _says(selector, name, code)]


def check_selectors(selectors: Iterable[str], codes: Codes) -> None:
    """Raises `SettingsError` for a selector that matches no rule."""
    for selector in selectors:
        if not _named(selector, codes):
            raise SettingsError(f"unknown rule `{selector}`", unknown_rule(selector, codes))


def is_code(name: str) -> bool:
    """Whether a name looks like the code of a rule, or of a rule of another tool."""
    return bool(re.fullmatch(_CODE, name))


def unknown_rule(selector: str, codes: Codes) -> str:
    """The hint for an unknown rule."""
    if is_code(selector):
        return f"{_near(selector.upper(), sorted(codes.values()))} to see all rules"
    near = did_you_mean(selector, [*codes]).partition("?")
    return f"{near[0]}? " * bool(near[1]) + f"{_LIST} to see all rules"


def _near(code: str, known: list[str]) -> str:
    """The code that is meant, if any: that of fewer digits, or the codes of its family."""
    if code[:5] in known:
        return f"did you mean `{code[:5]}`? {_LIST}"
    family = [one for one in known if one.startswith(code[:3])] or known
    return f"codes are `{family[0]}` to `{family[-1]}`: {_LIST}"

"""Which rules are on: by code (`AS304`), by the beginning of one (`AS3`), or by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from archspec.diagnostics import did_you_mean
from archspec.lint.discover import matches
from archspec.lint.settings import Settings, SettingsError

_NAME = 100  # a name says more than any code


class Selection:
    """Whether a rule is on for a file. What says more wins, and `ignore` wins over equals."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.on = (*(settings.select or ("AS",)), *settings.extend_select)
        self.everything = not (settings.select or settings.ignore or settings.per_file_ignores)
        if not self.everything or settings.extend_select:
            check_selectors((*self.on, *settings.ignore, *_of_files(settings)))

    def has(self, rule: str, file: str) -> bool:
        """Whether findings of `rule` (its name) in `file` are wanted."""
        return self.everything or _is_on(rule, self.on, self._ignored(file))

    def _ignored(self, file: str) -> tuple[str, ...]:
        ignored = self.settings.ignore
        for pattern, selectors in self.settings.per_file_ignores:
            if matches(file, [pattern]):
                ignored += selectors
        return ignored


@cache
def _is_on(rule: str, on: tuple[str, ...], off: tuple[str, ...]) -> bool:
    wanted, unwanted = _closest(rule, on), _closest(rule, off)
    return wanted > 0 and wanted > unwanted


def _closest(rule: str, selectors: Iterable[str]) -> int:
    """How much the closest selector says of the rule; 0 if none fits."""
    from archspec.rules import RULES

    code = RULES[rule].code
    return max((_says(selector, rule, code) for selector in selectors), default=0)


def _says(selector: str, rule: str, code: str) -> int:
    if selector == rule:
        return _NAME
    return len(selector) if code.startswith(selector) else 0


@lru_cache(maxsize=1024)
def names_of(selector: str) -> tuple[str, ...]:
    """The names of the rules that a selector means."""
    from archspec.rules import RULES

    return tuple(name for name, rule in RULES.items() if _says(selector, name, rule.code))


def check_selectors(selectors: Iterable[str]) -> None:
    """Raises `SettingsError` for a selector that fits no rule."""
    for selector in selectors:
        if not names_of(selector):
            raise SettingsError(f"there is no rule `{selector}`", unknown_rule(selector))


def unknown_rule(selector: str) -> str:
    """What to write instead of a rule that does not exist."""
    from archspec.rules import RULES

    choices = [*RULES, *(rule.code for rule in RULES.values())]
    wrong = selector.upper() if selector[:2].upper() == "AS" else selector
    if wrong in choices:
        return f"did you mean `{wrong}`?"
    near = did_you_mean(wrong, choices).partition("?")
    return f"{near[0]}? " * bool(near[1]) + "`archspec rule --all` lists the rules"


def _of_files(settings: Settings) -> list[str]:
    return [selector for _, selectors in settings.per_file_ignores for selector in selectors]

"""Imports that most runs do not need: pydantic, YAML and the rules, and TOML.

The functions below import them when called. Everywhere else imports are at the top, except those
of torch, jinja2, and matplotlib.
"""

from archspec.lint.checked import Checker, Codes
from archspec.lint.settings import Settings


def checker() -> Checker:
    """Everything needed to check a file."""
    from archspec.lint.many import CHECKER

    return CHECKER


def read_config(file: str, codes: Codes) -> Settings:
    """The settings in a configuration file; raises `SettingsError`."""
    from archspec.lint.config import read

    return read(file, codes)

"""What most runs do without: pydantic, YAML and the rules, and TOML.

The functions below import them when they are called. Everywhere else imports stand at the
top, but for those of torch, jinja2 and matplotlib.
"""

# Without `annotations` from `__future__`: NamedTuple would compile each, in every run.

from archspec.lint.checked import Checker, Codes
from archspec.lint.settings import Settings


def checker() -> Checker:
    """All that it takes to check a file."""
    from archspec.lint.many import CHECKER

    return CHECKER


def read_config(file: str, codes: Codes) -> Settings:
    """The settings of a configuration file; raises `SettingsError`."""
    from archspec.lint.config import read

    return read(file, codes)

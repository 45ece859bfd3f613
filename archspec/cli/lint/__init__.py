"""`archspec lint`: find problems in specs, and how to fix them.

Check specs, and files in directories named `blocks` as blocks. Exit code 0: clean; 1: findings; 2:
invalid usage or configuration, a file that cannot be opened, or no specs found.

- options: the command-line options
- settings: the options, which override a configuration file
- work: the operations of the linter, and their output
"""

from __future__ import annotations

from archspec.cli.lint.options import add_options
from archspec.cli.lint.work import lint as run

__all__ = ["add_options", "run"]

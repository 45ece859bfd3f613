"""`python -m archspec`."""

import sys

from archspec.cli import command

if __name__ == "__main__":
    sys.exit(command())

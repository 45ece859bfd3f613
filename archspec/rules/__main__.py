"""The page of all rules: `python -m archspec.rules > docs/rules.md`."""

from __future__ import annotations

import sys

from archspec.rules import RULES
from archspec.rules.page import render

sys.stdout.write(render(RULES.values()))

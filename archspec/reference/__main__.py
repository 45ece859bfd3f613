"""`python -m archspec.reference`."""

from __future__ import annotations

import sys

from archspec.reference.page import render

sys.stdout.write(render())

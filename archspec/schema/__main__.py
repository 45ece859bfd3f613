"""`python -m archspec.schema [block]`."""

from __future__ import annotations

import sys

from archspec.schema.documents import block_schema, spec_schema, text

sys.stdout.write(text(block_schema() if sys.argv[1:] == ["block"] else spec_schema()))

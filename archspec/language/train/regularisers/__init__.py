"""Regularizers: one module each, found because it is in this package; see `base.Regulariser`."""

import os
from importlib import import_module

from archspec.language.train.regularisers.base import Places, Regulariser

for _file in os.listdir(__path__[0]):
    if _file.endswith(".py") and _file[0] not in "._":
        import_module(f"{__name__}.{_file.removesuffix('.py')}")

REGULARISERS = sorted(Regulariser.__subclasses__(), key=lambda part: part.place())

__all__ = ["REGULARISERS", "Places", "Regulariser"]

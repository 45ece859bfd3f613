"""Regularizers: one module each, found because it is in this package; see `base.Regulariser`."""

from importlib import import_module
from pkgutil import iter_modules

from archspec.language.train.regularisers.base import Places, Regulariser

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

REGULARISERS = sorted(Regulariser.__subclasses__(), key=lambda part: part.place())

__all__ = ["REGULARISERS", "Places", "Regulariser"]

"""Regularizers: one module each, found because it is in this package; see `base.Regulariser`."""

from importlib import import_module

from archspec.language.train.regularisers.base import Places, Regulariser
from archspec.paths import modules_in

for _name in modules_in(__path__):
    import_module(f"{__name__}.{_name}")

REGULARISERS = sorted(Regulariser.__subclasses__(), key=lambda part: part.place())

__all__ = ["REGULARISERS", "Places", "Regulariser"]

"""Modules that come along with others and that lint never needs, imported once they are used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

# Pydantic imports both; the one for plugins, which have no part in lint, the other for tokens.
UNUSED = ("importlib.metadata", "secrets")


class Later(ModuleType):
    """Stands for a module of functions; the first call of one imports it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system asks of every module
            raise AttributeError(name)

        def function(*args: Any, **named: Any) -> Any:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            return getattr(import_module(self.__name__), name)(*args, **named)

        return function


def postpone() -> None:
    """Saves a quarter of the time that importing pydantic takes."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for name in UNUSED:
        sys.modules.setdefault(name, Later(name))

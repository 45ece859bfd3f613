"""Libraries that only some commands and functions need, and the extras that install them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

EXTRAS = {
    **{"torch": "torch", "safetensors": "safetensors", "matplotlib": "plot"},
    **{"torchvision": "peers", "timm": "peers", "argcomplete": "completion"},
    **{"onnx": "onnx", "onnxscript": "onnx", "onnxruntime": "onnx", "PIL": "onnx"},
    **{"openvino": "openvino"},
}


def install(library: str) -> str:
    """The command that installs a library of `EXTRAS`."""
    return f"python -m pip install 'archspec-nn[{EXTRAS[library]}]'"


class MissingLibrary(ModuleNotFoundError):
    """A library that is not installed or cannot be imported; the message says what to do."""


def advice(error: ImportError, what: str) -> str | None:
    """The message if `what` needs a library; None if the error is about no known library."""
    if isinstance(error, MissingLibrary):
        return str(error)
    library = (error.name or "").partition(".")[0]
    if library not in EXTRAS:
        return None
    return _text(error, what, library)


def _text(error: Exception, what: str, library: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == library:
        return f"{what} requires {library}: {install(library)}"
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{what} requires {library}, which is installed but cannot be imported ({reason})"


@contextmanager
def needed_for(what: str, library: str) -> Iterator[None]:
    """Report what to install if an import in the `with` block fails; raises `MissingLibrary`."""
    try:
        yield
    except Exception as error:  # a library built for another one may raise anything
        raise MissingLibrary(_text(error, what, library), name=library) from None

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
    """A library that is not installed, or cannot be imported; the message says what to do."""


def advice(error: ImportError, what: str) -> str | None:
    """What to do where `what` needs a library; None if the error is about no library of ours."""
    if isinstance(error, MissingLibrary):
        return str(error)
    library = (error.name or "").partition(".")[0]
    if library not in EXTRAS:
        return None
    return _text(error, what, library)


def _text(error: Exception, what: str, library: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == library:
        return f"{what} needs {library}: {install(library)}"
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{what} needs {library}, which is installed but cannot be imported ({reason})"


@contextmanager
def needed_for(what: str, library: str) -> Iterator[None]:
    """Imports in the `with` block that fail say what to install; raises `MissingLibrary`."""
    try:
        yield
    except Exception as error:  # a library built for another one may raise any
        raise MissingLibrary(_text(error, what, library), name=library) from None

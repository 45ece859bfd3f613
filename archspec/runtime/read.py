"""The tensors of a checkpoint. Code in a file is never run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from archspec.checkpoints import SAVE, kind_of, unreadable
from archspec.diagnostics import shown
from archspec.extras import needed_for

# The keys under which trainers keep a state dict; then its average, if there is nothing else.
WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema", "model_ema", "ema")
CODE = re.compile(r"nsupported (?:global|class|GLOBAL):? (?:GLOBAL )?`?([\w.]+)")
MOST_WRAPPERS = 4  # nested in each other
MOST_INERT = 64  # classes in one file
_SAFE = Lock()  # torch's list of safe classes is per process


def read_tensors(path: str | Path, device: str = "cpu") -> dict[str, Tensor]:
    """Every tensor of a checkpoint by its name, whatever the name of the file.

    The file is from safetensors or `torch.save`. A state dict may be wrapped in dicts, under
    `state_dict`, `model`, or any key that has no other weights next to it. Tensors are mapped from
    the file if possible, so reading costs little until they are used.

    Raises `UnreadableFile` if the file does not exist, is damaged, or contains something else.
    """
    path = Path(path)
    if kind_of(path) == "safetensors":
        return _safetensors(path)
    found, inert = _pickled(path, device)
    return _tensors_alone(_unwrapped(found, path), path, inert)


def _safetensors(path: Path) -> dict[str, Tensor]:
    with needed_for("reading .safetensors", "safetensors"):
        from safetensors import SafetensorError, safe_open
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise unreadable(path, f"it is damaged or truncated ({error})") from None


class _Inert:
    """Replaces values of classes other than tensors: runs no code, and holds nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _pickled(path: Path, device: str) -> tuple[Any, tuple[str, ...]]:
    """The contents of a file of `torch.save`, and all names in it that would be code."""
    inert: dict[str, type] = {}
    file: Any
    mapped, file = zipfile.is_zipfile(path), path  # files of torch 1.5 cannot be mapped
    if path.suffix == ".safetensors":  # torch decides by that
        mapped, file = False, BytesIO(path.read_bytes())
    while True:
        try:
            with _SAFE, torch.serialization.safe_globals([*inert.values()]):
                return torch.load(file, device, weights_only=True, mmap=mapped or None), (*inert,)
        except Exception as error:  # torch raises whatever it finds, of many types
            code = CODE.search(str(error))
            name = code[1] if code else ""
            if not name or name in inert or len(inert) == MOST_INERT:
                raise unreadable(path, _reason(error, name or next(iter(inert), ""))) from None
            inert[name] = _stub(name)


def _stub(name: str) -> type:
    """A class that replaces a class or function in a file."""
    module, _, own = name.rpartition(".")
    return type(own, (_Inert,), {"__module__": module or "builtins"})


def _reason(error: Exception, code: str) -> str:
    """In a few words, from torch's long text."""
    if code:
        return f"it contains objects other than tensors, and {_not_run(code)}"
    first = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
    return f"it is damaged or truncated ({first})"


def _not_run(code: str) -> str:
    return f"their code is not run (`{shown(code)}`): save only the weights, `{SAVE}`"


def _unwrapped(found: Any, path: Path) -> Any:
    """The state dict in a saved value: that of a known key, or the only one."""
    for _ in range(MOST_WRAPPERS):
        if not isinstance(found, Mapping) or _is_state(found):
            break
        inner = {key: value for key, value in found.items() if isinstance(value, Mapping)}
        states = {key: value for key, value in inner.items() if _is_state(value)}
        known = [key for key in WRAPPERS if key in inner]
        if len(states) > 1 and not known:
            listed = ", ".join(f"`{shown(str(key))}`" for key in list(states)[:9])
            raise unreadable(path, f"it contains several sets of weights: {listed}; save only one")
        if not known and not states:
            return found
        found = inner[known[0] if known else next(iter(states))]
    return found


def _is_state(found: Mapping[Any, Any]) -> bool:
    return bool(found) and all(isinstance(value, Tensor) for value in found.values())


def _tensors_alone(found: Any, path: Path, code: tuple[str, ...]) -> dict[str, Tensor]:
    whole = isinstance(found, Mapping)
    if whole and _is_state(found):
        return {str(key): value for key, value in found.items()}
    values = list(found.values()) if whole else [found]
    if stub := next((value for value in values if isinstance(value, _Inert)), None):
        name = f"{type(stub).__module__}.{type(stub).__qualname__}"
        raise unreadable(path, _reason(ValueError(), name))
    if not whole:
        raise unreadable(path, f"it contains no weights by name, but a {type(found).__name__}")
    other = [str(key) for key, value in found.items() if not isinstance(value, Tensor)]
    what = f"`{shown(other[0])}` is not a tensor" if other else "it is empty"
    raise unreadable(path, f"it contains no weights by name ({what})")

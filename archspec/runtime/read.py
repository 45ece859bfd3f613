"""The tensors of a checkpoint. No code in a file is ever run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archspec.diagnostics import UnreadableFile
from archspec.paths import display_path

WRAPPERS = ("state_dict", "model", "model_state_dict")
PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and of torch.compile
CODE = re.compile(r"Unsupported (?:global|class): (?:GLOBAL )?`?([\w.]+)|GLOBAL ([\w.]+)")
PICKLED = (".pt", ".pth", ".bin")


def read_tensors(path: str | Path, device: str = "cpu") -> dict[str, Tensor]:
    """Every tensor of a `.safetensors`, `.pt` or `.pth` file by its name.

    A state dict may be wrapped in a dict under `state_dict`, `model` or `model_state_dict`, and
    its names may all begin with `module.` or `_orig_mod.`. Tensors are mapped from the file
    where that is possible, so reading costs little until they are used.

    Raises `UnreadableFile`: there is no such file, it is damaged, or it holds something else.
    """
    path = Path(path)
    name = display_path(path)
    if not path.is_file():
        raise UnreadableFile(f"cannot read `{name}`: there is no such file")
    if path.suffix == ".safetensors":
        found: Any = _safetensors(path, name)
    elif path.suffix in PICKLED:
        found = _unwrapped(_pickled(path, name, device))
    else:
        raise UnreadableFile(
            f"cannot read `{name}`: weights are in .safetensors, .pt or .pth files"
        )
    return without_prefixes(_tensors_alone(found, name))


def _safetensors(path: Path, name: str) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError:
        message = "reading .safetensors wants the safetensors library"
        raise ModuleNotFoundError(f"{message}: pip install 'archspec-nn[safetensors]'") from None
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UnreadableFile(f"cannot read `{name}`: it is damaged or cut off ({error})") from None


def _pickled(path: Path, name: str, device: str) -> Any:
    mapped = zipfile.is_zipfile(path)  # files from before torch 1.6 cannot be mapped
    try:
        return torch.load(path, device, weights_only=True, mmap=mapped or None)
    except Exception as error:  # torch raises what it meets, of many kinds
        raise UnreadableFile(f"cannot read `{name}`: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """In a few words, from torch's page of text."""
    if code := CODE.search(str(error)):
        return f"it holds more than tensors, and code in it is not run (`{code[1] or code[2]}`)"
    first = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
    return f"it is damaged or cut off ({first})"


def _unwrapped(found: Any) -> Any:
    for key in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            return found[key]
    return found


def _tensors_alone(found: Any, name: str) -> dict[str, Tensor]:
    if not isinstance(found, Mapping):
        kind = type(found).__name__
        raise UnreadableFile(f"cannot read `{name}`: it holds no weights by name, but a {kind}")
    other = [key for key, value in found.items() if not isinstance(value, Tensor)]
    if other or not found:
        what = f"`{other[0]}` is no tensor" if other else "it is empty"
        raise UnreadableFile(f"cannot read `{name}`: it holds no weights by name ({what})")
    return {str(key): value for key, value in found.items()}


def without_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same without what wrappers of a module put before every name."""
    for prefix in PREFIXES * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors

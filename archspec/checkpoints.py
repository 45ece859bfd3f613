"""The format of a file with weights, by its content, and the names in it; without torch.

The name of a file is not reliable: `model_best.pth.tar` is not a tar archive, and a download named
`resnet50.pth` may be a web page.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal, TypeVar

from archspec.diagnostics import UnreadableFile
from archspec.paths import display_path

T = TypeVar("T")
Kind = Literal["safetensors", "pickle"]

HEAD = 1024  # bytes at the start of a file that identify it
MOST_HEADER = 100_000_000  # of .safetensors: the limit of its library
SAVE = "torch.save(model.state_dict(), FILE)"
MOST_PARTS = 8  # of a prefix
AVERAGED = "n_averaged"  # the counter of torch's AveragedModel, next to `module.`
_UNPACK = "unpack it, and pass the file in it"
_ZIP, _PICKLE = b"PK\x03\x04", re.compile(rb"\x80[\x02-\x05]")

# The start of a file, what it is then, and what to do.
_BEGINNINGS = (
    (rb"version https://git-lfs", "a Git LFS pointer", "`git lfs pull` fetches the file itself"),
    (rb"<(!doctype html|html|head|body)\b", "an HTML page",
     "the address is that of a page about the file; download the file itself"),
    (rb"<\?xml\b", "an XML page", "servers send these instead of a file; download it again"),
    (rb"[{\[]", "a JSON file", "pass the file that holds the weights"),
    (rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "compressed", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"\x89HDF", "an HDF5 file, as written by Keras", "convert it to PyTorch first"),
    (rb"\x93NUMPY", "a NumPy array", f"save weights by name: `{SAVE}`"),
    (rb"GGUF", "a GGUF file", "convert it to .safetensors first"),
    (rb"\x08[\x01-\x7f]\x12.(pytorch|onnx|tf2onnx)", "an ONNX model",
     f"save the weights where it was made: `{SAVE}`"),
)  # fmt: skip
# The same for the name of a file in a ZIP archive.
_MEMBERS = (
    (r"[^/]+/(code/.*|constants\.pkl)", "a TorchScript archive",
     "save only its weights: `torch.save(torch.jit.load(FILE).state_dict(), NEW)`"),
    (r"([^/]+/)?(archive_format|serialized_exported_program\.json)", "a program of torch.export",
     "save only its weights: `torch.save(torch.export.load(FILE).state_dict, NEW)`"),
    (r".*\.npy", "a NumPy archive", f"save weights by name: `{SAVE}`"),
    (r"model\.weights\.h5", "a Keras model", "convert it to PyTorch first"),
)  # fmt: skip


def kind_of(path: str | Path) -> Kind:
    """The format of the weights in a file.

    Raises `UnreadableFile` if the file does not exist, or is something else, which is named.
    """
    head, size = _head(Path(path))
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length <= min(MOST_HEADER, size - 8):
        return "safetensors"
    if head.startswith(_ZIP):
        _check_members(path)
        return "pickle"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what, help in _BEGINNINGS:
        if re.match(pattern, text, re.DOTALL | re.IGNORECASE):
            raise unreadable(path, f"it is {what}: {help}")
    if _PICKLE.match(head):
        return "pickle"
    if Path(path).suffix.lower() == ".safetensors":  # its reader reports what is wrong
        return "safetensors"
    raise unreadable(
        path, "it is damaged or truncated, or was never a .safetensors, .pt, or .pth file"
    )


def unreadable(path: str | Path, reason: str) -> UnreadableFile:
    """The error for a file with weights."""
    return UnreadableFile(f"could not read `{display_path(path)}`: {reason}")


def _head(path: Path) -> tuple[bytes, int]:
    """The start of a file, and its size; does not wait for a pipe."""
    try:
        status = path.stat()
        if S_ISDIR(status.st_mode):
            raise unreadable(path, "it is a directory: pass the file with weights in it")
        if not S_ISREG(status.st_mode):
            raise unreadable(path, "it is not a regular file")
        with open(path, "rb") as file:
            return file.read(HEAD), status.st_size
    except FileNotFoundError:
        raise unreadable(path, "file not found") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise unreadable(path, reason.lower()) from None


def _check_members(path: str | Path) -> None:
    """Raises `UnreadableFile` for a ZIP archive that `torch.save` did not write."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise unreadable(
            path, "it is damaged or truncated (a ZIP archive without its end)"
        ) from None
    for pattern, what, help in _MEMBERS:
        if any(re.fullmatch(pattern, name) for name in names):
            raise unreadable(path, f"it is {what}: {help}")
    if not any(name.endswith("data.pkl") for name in names):
        raise unreadable(path, f"it is a ZIP archive without weights: {_UNPACK}")


def without_prefixes(tensors: Mapping[str, T]) -> Iterator[dict[str, T]]:
    """Tensors by their names, then without the first part of all names, if all share it; and so on.

    Wrappers of a module add such parts before every name: `module.`, `_orig_mod.`, `model.`.
    """
    names = dict(tensors)
    yield names
    for _ in range(MOST_PARTS):
        names = {name: tensor for name, tensor in names.items() if name != AVERAGED} or names
        parts = {name.partition(".")[0] for name in names}
        if len(parts) != 1 or not all(name.partition(".")[2] for name in names):
            return
        names = {name.partition(".")[2]: tensor for name, tensor in names.items()}
        yield names


def nearest(tensors: Mapping[str, T], wanted: Iterable[str]) -> dict[str, T]:
    """The tensors with the same prefix as the requested names."""
    known = set(wanted)
    found = list(without_prefixes(tensors))
    return next((names for names in found if known & names.keys()), found[0])

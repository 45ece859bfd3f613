"""The file system as one run sees it.

Each file and directory is read once, and the paths that a spec looked up are recorded, so that
lint's cache knows when a finding may have changed.
"""

from __future__ import annotations

from typing import Any

from archspec.files import is_there, names_in, read_bytes


class Files:
    """Files and directories, each read once. `seen` are the paths that were requested.

    Directories end with a slash in it.
    """

    def __init__(self, known: dict[Any, Any] | None = None) -> None:
        self._known: dict[Any, Any] = {} if known is None else known
        self.seen: set[str] = set()

    def view(self) -> Files:
        """The same files for another spec, with a separate record."""
        return Files(self._known)

    def is_there(self, path: str) -> bool:
        """Whether anything has this name; raises `UnreadableFile` if the directory cannot be
        searched.
        """
        self.seen.add(path)
        return bool(self._once("is there", path, is_there))

    def stems(self, folder: str) -> list[str]:
        """The names of the YAML files in a directory, without suffix; raises `UnreadableFile`."""
        self.seen.add(f"{folder}/")
        found: list[str] = self._once("stems", folder, _stems)
        return found

    def read(self, path: str) -> bytes:
        """The content of a file; raises `UnreadableFile`."""
        self.seen.add(path)
        text: bytes = self._once("text", path, read_bytes)
        return text

    def _once(self, what: str, path: str, look: Any) -> Any:
        key = (what, path)
        if key not in self._known:
            self._known[key] = look(path)
        return self._known[key]


def _stems(folder: str) -> list[str]:
    return [name.removesuffix(".yaml") for name in names_in(folder) if name.endswith(".yaml")]

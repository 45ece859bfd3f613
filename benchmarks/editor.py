"""What an editor shows: yaml-language-server with our schemas, driven over its standard input.

    npm install --prefix DIR yaml-language-server@1
    python benchmarks/editor.py DIR/node_modules/.bin/yaml-language-server

Each case is a document with a `|` where the cursor stands, and what must be offered, shown or
marked there. The exit code is 1 if anything is missing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archspec.schema import spec_schema, text

SCHEMA = "spec.schema.json"
SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
HEAD = "name: net\ninput: [3, 32, 32]\n"
COMPLETED = {
    "name: net\nextends: res|": ["resnet18", "resnet50"],
    f"{HEAD}stages:\n  a:\n    block: |": ["basic", "bottleneck"],
    f"{HEAD}stages:\n  a:\n    block: bo|": ["bottleneck"],
    f"{HEAD}stages:\n  a:\n    block:\n      - ba|": ["basic"],
    f"{HEAD}stages:\n  a:\n    block: basic\n    attention: |": ["se", "none"],
    f"{HEAD}stages:\n  a:\n    block: basic\n    atten|": ["attention"],
    f"{HEAD}stem:\n  - con|": ["conv", "conv_norm_act"],
    f"{HEAD}stem:\n  - conv: {{ker|": ["kernel"],
    f"{HEAD}stem:\n  conv1:\n    con|": ["conv"],
    f"{HEAD}stem:\n  act1: |": ["act", "relu", "none"],
    f"{HEAD}defaults:\n  act: |": ["silu", "hard_swish"],
    f"{HEAD}defaults:\n  norm: |": ["batch_norm", "layer_norm"],
    f"{HEAD}defaults:\n  bot|": ["bottleneck"],
    f"{HEAD}head:\n  - |": ["flatten", "global_avg_pool"],
    f"{HEAD}blocks:\n  cell:\n    body:\n      - ac|": ["act"],
    f"{HEAD}blocks:\n  cell:\n    parts: {{}}\n    body:\n      - residual: []\n        short|": [
        "shortcut"
    ],
    f"{HEAD}init: |": ["resnet", "torch"],
    f"{HEAD}train:\n  optimizer: |": ["sgd", "adamw"],
    f"{HEAD}stem:\n  - gelu: {{approximate: |": ["none", "tanh"],
}
HOVERED = {
    f"{HEAD}stages:\n  a:\n    block: bottl|eneck\n": "1x1",
    f"{HEAD}stem:\n  - con|v: 64\n": "onvolution",
    f"{HEAD}stem:\n  - bottl|eneck: 64\n": "1x1",
    f"{HEAD}stem:\n  - glo|bal_avg_pool\n": "ean",
    "name: net\nextends: resn|et50\n": "ResNet",
}
MARKED = [
    f"{HEAD}stem:\n  - Conv|2d: 64\n",
    f"{HEAD}stem:\n  - BatchNorm|2d\n",
    f"{HEAD}stem:\n  - conv: {{channels: 64, kernel|_size: 3}}\n",
    f"{HEAD}stages:\n  a: {{block: basic, channels: 64, out_channels|: 3}}\n",
    f"{HEAD}stages:\n  a: {{block: basic, chanels|: 64}}\n",
]


class Server:
    """A language server, and what it says."""

    def __init__(self, command: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([command, "--stdio"], stdin=pipe, stdout=pipe)
        self.numbers = count(1)
        self.findings: dict[str, list[Any]] = {}

    def send(self, method: str, params: Any, **more: Any) -> None:
        """A message without an answer."""
        data = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        self._write(data)

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        self.process.stdin.flush()

    def ask(self, method: str, params: Any) -> Any:
        """The answer to a request."""
        number = next(self.numbers)
        self.send(method, params, id=number)
        return next(m for m in self.messages() if m.get("id") == number and "method" not in m).get(
            "result"
        )

    def messages(self) -> Iterator[Any]:
        """What arrives; the server asks for its settings."""
        assert self.process.stdout is not None
        while True:
            size = 0
            while line := self.process.stdout.readline().strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            message = json.loads(self.process.stdout.read(size))
            if message.get("method") == "textDocument/publishDiagnostics":
                self.findings[message["params"]["uri"]] = message["params"]["diagnostics"]
            if "method" in message and "id" in message:
                items = message["params"].get("items", []) if message["params"] else []
                wanted = [SETTINGS if item.get("section") == "yaml" else None for item in items]
                answer = {"jsonrpc": "2.0", "id": message["id"], "result": wanted}
                self._write(json.dumps(answer).encode())
            yield message

    def open(self, folder: Path, document: str) -> dict[str, Any]:
        """Opens a document, and waits for its findings; the place of the cursor in it."""
        modeline = f"# yaml-language-server: $schema={(folder / SCHEMA).as_uri()}\n"
        before, _, after = (modeline + document).partition("|")
        uri = (folder / f"{next(self.numbers)}.yaml").as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": before + after}
        self.send("textDocument/didOpen", {"textDocument": item})
        next(m for m in self.messages() if uri in self.findings and m)
        *lines, last = before.split("\n")
        position = {"line": len(lines), "character": len(last)}
        return {"textDocument": {"uri": uri}, "position": position}


@contextmanager
def started(command: str, folder: Path) -> Iterator[Server]:
    """A server beside the schema of specs."""
    (folder / SCHEMA).write_text(text(spec_schema()), "utf-8")
    server = Server(command)
    server.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
    server.send("initialized", {})
    settings = {"yaml": SETTINGS}
    server.send("workspace/didChangeConfiguration", {"settings": settings})
    try:
        yield server
    finally:
        server.process.terminate()


def failures(server: Server, folder: Path) -> Iterator[str]:
    """What is missing of what must be shown."""
    for document, wanted in COMPLETED.items():
        at = server.open(folder, document)
        found = server.ask("textDocument/completion", at) or {"items": []}
        labels = {item["label"] for item in found["items"]}
        if not labels.issuperset(wanted):
            yield f"{document}\n  offers {sorted(labels)}, expected {wanted}"
    for document, said in HOVERED.items():
        shown = json.dumps(server.ask("textDocument/hover", server.open(folder, document)))
        if said not in shown:
            yield f"{document}\n  shows {shown}, expected {said!r}"
    for document in MARKED:
        at = server.open(folder, document)
        lines = [d["range"]["start"]["line"] for d in server.findings[at["textDocument"]["uri"]]]
        if at["position"]["line"] not in lines:
            yield f"{document}\n  is marked in lines {lines}"


def main() -> int:
    """Tries every case."""
    with TemporaryDirectory() as name, started(sys.argv[1], Path(name)) as server:
        found = list(failures(server, Path(name)))
    for failure in found:
        print(failure)
    print(f"{len(found)} of {len(COMPLETED) + len(HOVERED) + len(MARKED)} cases fail")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

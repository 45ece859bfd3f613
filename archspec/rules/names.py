"""AS1xx: names that mean two things, or another than their reader thinks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import basename
from typing import Any

from archspec.diagnostics import Diagnostic, Label
from archspec.language import Block
from archspec.language.identifiers import IDENTIFIER
from archspec.language.reading import words_of
from archspec.language.words import PARTS_OF_ALL
from archspec.ops import OPS
from archspec.rules.rule import reported, rule
from archspec.rules.view import View, Written


@reported("AS140", "tensor-twice")
def tensor_twice() -> None:
    """Two tensors of one class have the same name.

    A name means one tensor wherever it is read. In the network the keys of its entries are names
    of tensors too.

    Bad:

        stem:
          - {conv: 64, save: skip}
          - {norm: {}, save: skip}
          - add: [[], {from: skip}]

    Good:

        stem:
          - {conv: 64, save: skip}
          - {norm: {}, save: normed}
          - add: [{from: normed}, {from: skip}]
    """


@reported("AS128", "attribute-twice")
def attribute_twice() -> None:
    """Two layers of one class have the same name.

    The second would take the place of the first.

    Bad:

        stem:
          - {conv: 64, name: first}
          - {conv: 64, name: first}

    Good:

        stem:
          - {conv: 64, name: first}
          - {conv: 64, name: second}
    """


@reported("AS130", "duplicate-spec-name")
def duplicate_spec_name() -> None:
    """Two specs have the same name.

    The name is the name of the file that `build` writes: one would overwrite the other.

    Bad:

        # file: first/net.yaml
        name: net
        stem: [norm]
        # file: second/net.yaml
        name: net
        stem: [act]

    Good:

        # file: first/net.yaml
        name: net
        stem: [norm]
        # file: second/other.yaml
        name: other
        stem: [act]
    """


@rule("AS131", "name-differs-from-file")
def name_differs_from_file(view: View) -> Iterator[Diagnostic]:
    """A spec is called otherwise than its file.

    `extends` and the command line find a spec by its file, and the generated file has its name:
    who reads one looks for the other.

    Bad:

        # file: small_net.yaml
        name: little_net
        stem: [norm]

    Good:

        # file: small_net.yaml
        name: small_net
        stem: [norm]
    """
    file = basename(view.file)
    stem, dot, suffix = file.rpartition(".")  # `splitext` sees no suffix in `..yaml`
    span = view.spec.where("name")
    if span and dot and suffix in ("yaml", "yml") and stem != view.spec.name:
        message = f"the spec `{view.spec.name}` stands in the file `{file}`"
        hint = f"write `name: {stem}`, or rename the file"
        if not IDENTIFIER.match(stem):
            hint = f"rename the file: `{view.spec.name}.{suffix}`"
        yield view.finding("name-differs-from-file", message, span, hint)


@rule("AS135", "shadowed-name", of_blocks=True)
def shadowed_name(view: Written) -> Iterator[Diagnostic]:
    """A part has the name of a block, and hides it.

    In the body the name means the part, whatever fills it, and the block of the name cannot be
    used there any more.

    Bad:

        blocks:
          cell:
            parts: {conv_norm_act: none}
            body: [{conv: {channels: channels, kernel: 3}}, conv_norm_act]
        stages:
          layer1: {block: cell, channels: 64}

    Good:

        blocks:
          cell:
            parts: {extra: none}
            body: [{conv: {channels: channels, kernel: 3}}, extra]
        stages:
          layer1: {block: cell, channels: 64}

    A part that is filled with the block of its name by default (`parts: {se: se}`) is no finding.
    """
    for own, block in view.blocks.items():
        for name, default in block.parts.items():
            heads = [layer.head for layer in default.layers]
            if name not in heads and view.library.block(name) is not None:
                span = view.in_block(own, "parts", name, key=True)
                message = f"the part `{name}` hides the block of that name"
                hint = "call the part otherwise"
                yield view.finding("shadowed-name", message, span, hint)


@rule("AS137", "captured-name")
def captured_name(view: View) -> Iterator[Diagnostic]:
    """A name means an argument of the block, and the spec has one of that name.

    What fills the norm, the activation or a part is read as if it stood in the body of the block:
    there the block's own arguments hide those of the spec. `--set` changes the spec's, and the
    network stays as it is.

    Bad:

        args: {groups: 8}
        defaults: {norm: {group_norm: groups}}
        stages:
          layer1: {block: conv_norm, channels: 64}

    Good:

        args: {norm_groups: 8}
        defaults: {norm: {group_norm: norm_groups}}
        stages:
          layer1: {block: conv_norm, channels: 64}

    Where the block's argument is meant, call the one of the spec otherwise too.
    """
    args = view.spec.args.keys()
    known = _blocks_used(view) if args else {}
    if all(args.isdisjoint(block.args) for block in known.values()):
        return
    found: dict[tuple[tuple[str | int, ...], str], list[str]] = {}
    for path, raw, block, own in _fillers(view, known):
        for name in sorted(words_of(raw, keys=False) & args & own.keys()):
            if view.here(*path):
                found.setdefault((path, name), []).append(block)
    for (path, name), blocks in found.items():
        listed = ", ".join(f"`{block}`" for block in sorted(set(blocks)))
        message = f"`{name}` means the argument of {listed} here, not the spec's `{name}`"
        hint = f"call the spec's otherwise: `args: {{network_{name}: {view.spec.args[name]}}}`"
        at = view.spec.where("args", name, key=True)
        labels = (Label(at, "not this one"),) if at else ()
        yield view.finding("captured-name", message, view.spec.where(*path), hint, labels)


Filler = tuple[tuple[str | int, ...], Any, str, Mapping[str, Any]]


def _fillers(view: View, known: Mapping[str, Block]) -> Iterator[Filler]:
    """What fills a part: where it is written, what is written, the block it is read in."""
    spec = view.spec
    for part in PARTS_OF_ALL:
        for name, block in known.items():
            if _has_head(block, part):
                yield ("defaults", part), (spec.defaults.raw or {}).get(part), name, block.args
    given: list[tuple[tuple[str | int, ...], Mapping[str, Any], str]]
    given = [(("defaults", name), spec.defaults.blocks.get(name, {}), name) for name in known]
    for place, stage in spec.runs.items():
        given += [(place, stage.given, name) for name in dict.fromkeys(stage.blocks)]
    for path, values, name in given:
        for part in values.keys() & {*known[name].parts, *PARTS_OF_ALL}:
            yield (*path, part), values[part], name, known[name].args


def _blocks_used(view: View) -> dict[str, Block]:
    used = sorted(view.network.used - OPS.keys())
    return {name: block for name in used if (block := view.library.block(name)) is not None}


def _has_head(block: Block, head: str) -> bool:
    return any(layer.head == head for layer, _ in block.body.all)


@reported("AS143", "import-not-allowed")
def import_not_allowed() -> None:
    """A block imports a class from a package that the project does not name.

    To import a module runs it, and a spec may be a stranger's. So `lint` and `build` import
    nothing, and `build` and `train` write only imports from packages that `imports` names, in
    `[tool.archspec]` of `pyproject.toml` or in `archspec.toml`.

    Bad:

        blocks:
          grn: {import: mypkg.layers.GRN, call: {dim: in_channels}, like: identity}
        stem: [{conv: 64}, grn]

    Good:

        # file: net.yaml
        blocks:
          grn: {import: mypkg.layers.GRN, call: {dim: in_channels}, like: identity}
        stem: [{conv: 64}, grn]
        # file: archspec.toml
        imports = ["mypkg"]
    """

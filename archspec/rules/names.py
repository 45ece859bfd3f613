"""AS1xx: names with two meanings, or with one that readers do not expect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import basename
from typing import Any

from archspec.diagnostics import Diagnostic, Label
from archspec.language import Block
from archspec.language.identifiers import IDENTIFIER
from archspec.language.reading import words_of
from archspec.language.words import PARTS_OF_ALL
from archspec.rules.rule import reported, rule
from archspec.rules.view import View, Written


@reported("AS140", "tensor-twice")
def tensor_twice() -> None:
    """Two tensors of a class have the same name.

    A name refers to the same tensor wherever it is used. In the network, the keys of its entries
    are names of tensors too.

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
    """Two layers of a class have the same attribute name.

    The second layer would replace the first.

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

    `build` names the generated file after the spec, so one file would overwrite the other.

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
    """A spec's name differs from its file name.

    `extends` and the command line find a spec by its file name, but the generated file has the
    spec's name. If they differ, one is hard to find from the other.

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
        message = f"spec `{view.spec.name}` is in `{file}`, which does not match its name"
        hint = f"use `name: {stem}`, or rename the file"
        if not IDENTIFIER.match(stem):
            hint = f"rename the file: `{view.spec.name}.{suffix}`"
        yield view.finding("name-differs-from-file", message, span, hint)


@rule("AS135", "shadowed-name", of_blocks=True)
def shadowed_name(view: Written) -> Iterator[Diagnostic]:
    """A part shadows a block of the same name.

    In the body, the name refers to the part, so the block with this name cannot be used there.

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

    A part whose default is the block of the same name (`parts: {se: se}`) is not reported.
    """
    for own, block in view.blocks.items():
        for name, default in block.parts.items():
            heads = [layer.head for layer in default.layers]
            if name not in heads and view.library.block(name) is not None:
                span = view.in_block(own, "parts", name, key=True)
                message = f"part `{name}` shadows the block of the same name"
                hint = "rename the part"
                yield view.finding("shadowed-name", message, span, hint)


@rule("AS137", "captured-name")
def captured_name(view: View) -> Iterator[Diagnostic]:
    """A block's argument shadows a spec argument of the same name.

    The layers given for the norm, the activation, or a part are evaluated in the body of the block,
    where the block's arguments hide those of the spec. Overriding the spec's argument with `--set`
    would not change them.

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

    If you mean the block's argument, rename the spec's argument anyway.
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
        message = f"`{name}` refers to the argument of {listed}, not to the spec's `{name}`"
        hint = f"rename the spec's argument: `args: {{network_{name}: {view.spec.args[name]}}}`"
        at = view.spec.where("args", name, key=True)
        labels = (Label(at, "the spec's argument"),) if at else ()
        yield view.finding("captured-name", message, view.spec.where(*path), hint, labels)


Filler = tuple[tuple[str | int, ...], Any, str, Mapping[str, Any]]


def _fillers(view: View, known: Mapping[str, Block]) -> Iterator[Filler]:
    """The layers given for a part: location, YAML, and the block they are evaluated in."""
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
    known, used = view.library.known(), view.network.used
    return {name: block for name, block in known.items() if name in used}


def _has_head(block: Block, head: str) -> bool:
    return any(layer.head == head for layer, _ in block.body.all)


@reported("AS143", "import-not-allowed")
def import_not_allowed() -> None:
    """A block imports a class from a package that the project does not allow.

    Importing a module runs it, and a spec may be untrusted. So `lint` and `build` import nothing,
    and `build` and `train` only write imports from the packages listed in `imports`, in
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

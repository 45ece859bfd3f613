"""AS1xx: names and arguments that nothing uses, or that mean two things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from posixpath import basename
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Diagnostic, Label
from archspec.rules.rule import rule, told
from archspec.source.shared import shared_pair

if TYPE_CHECKING:
    from archspec.rules.view import View, Written
    from archspec.spec import Block, Spec

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PARTS_OF_ALL = ("norm", "act")
_NO_VALUE = ("name", "class", "doc", "extends", "args", "blocks", "train")
_SHARED = ("stem", "head", "defaults", "stages")


@rule("AS123", "unused-default", "error")
def unused_default(view: View) -> Iterator[Diagnostic]:
    """`defaults` speaks of something that the network does not use.

    A default for a block that no stage names changes nothing, and the network is not the variant
    that its author thinks it is.

    Bad:

        defaults:
          basic: {attention: se}
        stages:
          layer1: {block: bottleneck, repeat: 2, channels: 256}

    Good:

        defaults:
          bottleneck: {attention: se}
        stages:
          layer1: {block: bottleneck, repeat: 2, channels: 256}

    What a spec inherits and does not use is no finding.
    """
    used = view.opened.used
    for name in view.spec.defaults.raw or ():
        if name not in used and view.here("defaults", name):
            message = f"nothing in this network uses `{name}`"
            span = view.spec.where("defaults", name, key=True)
            yield view.finding("unused-default", message, span, _used_instead(name, used))


def _used_instead(name: str, used: Iterable[str]) -> str:
    listed = ", ".join(f"`{word}`" for word in sorted(used))
    return f"remove it, or name what is used: {listed}" if listed else "remove it"


told(
    "AS130",
    "duplicate-spec-name",
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
    """,
)


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
    from archspec.spec.identifiers import IDENTIFIER

    file = basename(view.file)
    stem, dot, suffix = file.rpartition(".")  # `splitext` sees no suffix in `..yaml`
    span = view.spec.where("name")
    if span and dot and suffix in ("yaml", "yml") and stem != view.spec.name:
        message = f"the spec `{view.spec.name}` stands in the file `{file}`"
        hint = f"write `name: {stem}`, or rename the file"
        if not IDENTIFIER.match(stem):
            hint = f"rename the file: `{view.spec.name}.{suffix}`"
        yield view.finding("name-differs-from-file", message, span, hint)


@rule("AS132", "unused-block")
def unused_block(view: View) -> Iterator[Diagnostic]:
    """A block of this spec that nothing uses.

    A stage still names the block that this one was to take the place of, or nobody needs it now.

    Bad:

        blocks:
          cell: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}
        stages:
          layer1: {block: basic, channels: 64}

    Good:

        blocks:
          cell: {body: [{conv: {channels: channels, kernel: 3}}, norm, act]}
        stages:
          layer1: {block: cell, channels: 64}

    A block for several specs has a file of its own: `blocks/cell.yaml` beside them.
    """
    data = view.spec.data
    unused = [name for name in view.blocks if name not in view.opened.used]
    if not unused:
        return
    elsewhere = _words({key: data[key] for key in data if key not in _NO_VALUE}, keys=True)
    inside = {name: _in_block(block) for name, block in view.spec.blocks.items()}
    named = Counter(word for words in inside.values() for word in words)
    for name in unused:
        if name not in elsewhere and named[name] == (name in inside[name]):
            span = view.spec.where("blocks", name, key=True)
            yield view.finding(
                "unused-block", f"nothing uses the block `{name}`", span, "remove it"
            )


def _in_block(block: Block) -> set[str]:
    """Every word of a block, but for those of its documentation."""
    return _words({key: block.raw[key] for key in block.raw if key != "doc"}, keys=True)


@rule("AS133", "unused-argument", of_blocks=True)
def unused_argument(view: Written) -> Iterator[Diagnostic]:
    """A block has an argument or part that its body does not use.

    Whoever sets it sees no change.

    Bad:

        blocks:
          cell:
            args: {kernel: 3}
            body: [{conv: {channels: channels, kernel: 5}}, norm, act]
        stages:
          layer1: {block: cell, channels: 64}

    Good:

        blocks:
          cell:
            args: {kernel: 5}
            body: [{conv: {channels: channels, kernel: kernel}}, norm, act]
        stages:
          layer1: {block: cell, channels: 64}
    """
    from archspec.source import locate

    for block in view.blocks.values():
        for kind, name in _unread(block):
            span = locate(block.raw, (kind, name), key=True)
            what = "argument" if kind == "args" else "part"
            message = f"the body does not use the {what} `{name}`"
            yield view.finding("unused-argument", message, span, "use it in the body, or remove it")


def _unread(block: Block) -> Iterator[tuple[str, str]]:
    """What neither the body nor another default reads; in the body a part may be a head."""
    raw = block.raw
    sections = [raw[section] for section in ("args", "parts") if section in raw]
    defaults = {n: _words(value, keys=False) for part in sections for n, value in part.items()}
    named = Counter(word for words in defaults.values() for word in words)
    for kind, declared in (("args", block.args), ("parts", block.parts)):
        body = _words(raw["body"], keys=kind == "parts") if declared else ()
        for name in declared:
            if name not in body and named[name] == (name in defaults.get(name, ())):
                yield kind, name


@rule("AS134", "unused-size")
def unused_size(view: View) -> Iterator[Diagnostic]:
    """An entry of `args` that nothing in the network reads.

    `--set` takes it and changes nothing. A block does not see the network's args: hand it on by
    an argument of the block.

    Bad:

        args: {classes: 10, width: 64}
        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: classes

    Good:

        args: {classes: 10, width: 64}
        stem: [{conv: width}, global_avg_pool, flatten]
        head:
          - linear: classes
    """
    read = _read(view.spec) if view.spec.args else ()
    for name in view.spec.args:
        if name not in read and view.here("args", name):
            span = view.spec.where("args", name, key=True)
            hint = "use it, or remove it"
            yield view.finding("unused-size", f"nothing reads `{name}`", span, hint)


def _read(spec: Spec) -> set[str]:
    """Every word in the values of a spec; of what many have in common, found once."""
    shared: list[Any] = [spec.stem, spec.head, spec.defaults, *spec.stages.values()]
    rest = {key: spec.data[key] for key in spec.data if key not in _NO_VALUE + _SHARED}
    own = [shared_pair(_words, part, partial(_words, part.raw, keys=False)) for part in shared]
    return _words(rest, keys=False).union(*own)


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
    from archspec.source import locate

    for block in view.blocks.values():
        for name, default in block.parts.items():
            heads = [layer.head for layer in default.layers]
            if name not in heads and view.library.block(name) is not None:
                span = locate(block.raw, ("parts", name), key=True)
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
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for path, raw, block, own in _fillers(view, known):
        for name in sorted(_words(raw, keys=False) & args & own.keys()):
            if view.here(*path):
                found.setdefault((path, name), []).append(block)
    for (path, name), blocks in found.items():
        listed = ", ".join(f"`{block}`" for block in sorted(set(blocks)))
        message = f"`{name}` means the argument of {listed} here, not the spec's `{name}`"
        hint = f"call the spec's otherwise: `args: {{network_{name}: {view.spec.args[name]}}}`"
        at = view.spec.where("args", name, key=True)
        labels = (Label(at, "not this one"),) if at else ()
        yield view.finding("captured-name", message, view.spec.where(*path), hint, labels)


Filler = tuple[tuple[str, ...], Any, str, Mapping[str, Any]]


def _fillers(view: View, known: Mapping[str, Block]) -> Iterator[Filler]:
    """What fills a part: where it is written, what is written, the block it is read in."""
    spec = view.spec
    for part in PARTS_OF_ALL:
        for name, block in known.items():
            if _has_head(block, part):
                yield ("defaults", part), (spec.defaults.raw or {}).get(part), name, block.args
    given = [(("defaults", name), spec.defaults.blocks.get(name, {}), name) for name in known]
    for key, stage in spec.stages.items():
        given += [(("stages", key), stage.given, name) for name in dict.fromkeys(stage.blocks)]
    for path, values, name in given:
        for part in values.keys() & {*known[name].parts, *PARTS_OF_ALL}:
            yield (*path, part), values[part], name, known[name].args


def _blocks_used(view: View) -> dict[str, Block]:
    from archspec.ops import OPS

    used = sorted(view.opened.used - OPS.keys())
    return {name: block for name in used if (block := view.library.block(name)) is not None}


def _has_head(block: Block, head: str) -> bool:
    from archspec.rules.view import layers_of

    return any(layer.head == head for layer in layers_of(block.body))


def _words(raw: Any, keys: bool) -> set[str]:
    """Every word in the texts of a value; those of its keys too if `keys`."""
    found: set[str] = set()
    if isinstance(raw, dict):
        for key, value in raw.items():
            found |= _words(value, keys)
            if keys:
                found.add(key)
    elif isinstance(raw, list):
        for value in raw:
            found |= _words(value, keys)
    elif isinstance(raw, str):
        found.update(_WORD.findall(raw))
    return found

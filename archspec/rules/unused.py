"""AS1xx: what is declared and nothing uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set

from archspec.diagnostics import Diagnostic, Span
from archspec.language import Block
from archspec.language.reading import NO_VALUE, names_of_tensors, words_of, words_read
from archspec.language.spec import Section
from archspec.language.stack import Stack
from archspec.language.stages import Stage
from archspec.language.tensors import Outputs
from archspec.places import At
from archspec.rules.rule import rule
from archspec.rules.view import View, Written


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
    used = view.network.used
    for name in view.spec.defaults.raw or ():
        if name not in used and view.here("defaults", name):
            message = f"nothing in this network uses `{name}`"
            span = view.spec.where("defaults", name, key=True)
            yield view.finding("unused-default", message, span, _used_instead(name, used))


def _used_instead(name: str, used: Iterable[str]) -> str:
    listed = ", ".join(f"`{word}`" for word in sorted(used))
    return f"remove it, or name what is used: {listed}" if listed else "remove it"


@rule("AS139", "unused-init")
def unused_init(view: View) -> Iterator[Diagnostic]:
    """`init` speaks of an op that the network does not use.

    It changes nothing, and the weights are not those that its author thinks they are.

    Bad:

        stem: [{conv: 64}, norm, act]
        init: {group_norm: zeros}

    Good:

        stem: [{conv: 64}, norm, act]
        init: {batch_norm: zeros}

    What a spec inherits and does not use is no finding.
    """
    written = view.spec.data.get("init")
    for op in written if isinstance(written, dict) else ():
        if op not in view.network.used and view.here("init", op):
            message = f"nothing in this network uses `{op}`"
            span = view.spec.where("init", op, key=True)
            yield view.finding("unused-init", message, span, "remove it")


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
    unused = [name for name in view.blocks if name not in view.network.used]
    if not unused:
        return
    elsewhere = words_of({key: data[key] for key in data if key not in NO_VALUE}, keys=True)
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
    return words_of({key: block.raw[key] for key in block.raw if key != "doc"}, keys=True)


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
    for own, block in view.blocks.items():
        for kind, name in _unread(block):
            if kind == "inputs":
                span = view.in_block(own, kind, block.inputs.index(name))
            else:
                span = view.in_block(own, kind, name, key=True)
            what = {"args": "argument", "parts": "part", "inputs": "input"}[kind]
            message = f"the body does not use the {what} `{name}`"
            yield view.finding("unused-argument", message, span, "use it in the body, or remove it")


@rule("AS141", "unused-tensor", of_blocks=True)
def unused_tensor(view: Written) -> Iterator[Diagnostic]:
    """A layer saves a tensor that nothing reads.

    The name is a leftover, or something else was meant to read it.

    Bad:

        stem:
          - {conv: 64, save: skip}
          - norm
          - act

    Good:

        stem:
          - {conv: 64, save: skip}
          - norm
          - add: [[], {from: skip}]
          - act
    """
    memo = view.library.memo
    for own, block in view.blocks.items():
        names = {
            *names_of_tensors(block.body, memo=memo),
            *((name, False) for name in block.outputs),
        }
        for place in _unused_tensors([(block.body, At(("body",)))], names):
            yield _unused_tensor(view, view.in_block(own, *place.path))
    if isinstance(view, View):
        for place in _unused_in_network(view):
            if view.here(*place.path):
                yield _unused_tensor(view, view.spec.where(*place.path))


Names = Set[tuple[str, bool]]  # of tensors, and whether each is saved, or may be read


def _unused_in_network(view: View) -> Iterator[At]:
    spec = view.spec
    given = spec.outputs or Outputs(())
    names = {(name, False) for mode in given for name in mode}
    pieces: list[Section | Stage] = [spec.stem, spec.head, *spec.stages.values()]
    names = names.union(*(names_of_tensors(piece, memo=view.memo) for piece in pieces))
    yield from _unused_tensors(spec.stacks(), names)
    for key, stage in spec.stages.items():
        if stage.save and not any((name, False) in names for name in stage.save):
            yield At(("stages", key, "save"))


def _unused_tensors(stacks: Iterable[tuple[Stack, At]], names: Names) -> Iterator[At]:
    """Where names are saved that nothing reads."""
    if not any(saved for _, saved in names):
        return
    for stack, at in stacks:
        for layer, place in stack.all:
            if layer.save and not any((name, False) in names for name in layer.save):
                yield at.below(*place.path, "save")


def _unused_tensor(view: Written, span: Span | None) -> Diagnostic:
    message = "nothing reads the tensor that is saved here"
    return view.finding("unused-tensor", message, span, "remove `save`, or read it: `from: ...`")


@rule("AS310", "dead-layer")
def dead_layer(view: View) -> Iterator[Diagnostic]:
    """A layer whose result nothing uses.

    Behind a layer that reads another tensor (`from`), what was computed so far is gone, unless it
    has a name that something reads. Such a layer is not built.

    Bad:

        stem:
          - {conv: 64, save: skip}
          - conv: 32
          - {norm: {}, from: skip}

    Good:

        stem:
          - {conv: 64, save: skip}
          - conv: 64
          - norm
          - add: [[], {from: skip}]
    """
    for at in sorted(view.network.dead, key=str):
        message, hint = "nothing uses what this layer gives", "read it, or remove the layer"
        yield view.finding("dead-layer", message, view.lines.span(at), hint)


DOES = ("body", "like", "call", "params", "macs")  # the keys of a block that say what it does


def _unread(block: Block) -> Iterator[tuple[str, str]]:
    """What neither the body nor another default reads; in the body a part may be a head."""
    raw = block.raw
    sections = [raw[section] for section in ("args", "parts") if section in raw]
    defaults = {n: words_of(value, keys=False) for part in sections for n, value in part.items()}
    named = Counter(word for words in defaults.values() for word in words)
    inputs = dict.fromkeys(() if block.imported else block.inputs)  # a class reads them all
    for kind, declared in (("args", block.args), ("parts", block.parts), ("inputs", inputs)):
        body = words_of([raw.get(k) for k in DOES], keys=kind == "parts") if declared else ()
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
    read = words_read(view.spec, memo=view.memo) if view.spec.args else ()
    for name in view.spec.args:
        if name not in read and view.here("args", name):
            span = view.spec.where("args", name, key=True)
            hint = "use it, or remove it"
            yield view.finding("unused-size", f"nothing reads `{name}`", span, hint)

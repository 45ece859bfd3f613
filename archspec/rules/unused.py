"""AS1xx: declarations that are never used."""

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
    """`defaults` configures something the network does not use.

    A default for a block that no stage uses has no effect, so the network is not the variant that
    its author expects.

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

    Inherited defaults that are unused are not reported.
    """
    used = view.network.used
    for name in view.spec.defaults.raw or ():
        if name not in used and view.here("defaults", name):
            message = f"default `{name}` is unused in this network"
            span = view.spec.where("defaults", name, key=True)
            yield view.finding("unused-default", message, span, _used_instead(name, used))


def _used_instead(name: str, used: Iterable[str]) -> str:
    listed = ", ".join(f"`{word}`" for word in sorted(used))
    return f"remove it, or name one that is used: {listed}" if listed else "remove it"


@rule("AS139", "unused-init")
def unused_init(view: View) -> Iterator[Diagnostic]:
    """`init` configures an op the network does not use.

    The key has no effect, so the weights are not initialized as their author expects.

    Bad:

        stem: [{conv: 64}, norm, act]
        init: {group_norm: zeros}

    Good:

        stem: [{conv: 64}, norm, act]
        init: {batch_norm: zeros}

    Inherited keys that are unused are not reported.
    """
    written = view.spec.data.get("init")
    for op in written if isinstance(written, dict) else ():
        if op not in view.network.used and view.here("init", op):
            message = f"`init` of `{op}` is unused in this network"
            span = view.spec.where("init", op, key=True)
            yield view.finding("unused-init", message, span, "remove it")


@rule("AS132", "unused-block")
def unused_block(view: View) -> Iterator[Diagnostic]:
    """A block in this spec is never used.

    Either a stage still uses the block that this one was meant to replace, or nothing needs the
    block any more.

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

    If several specs share a block, move it to its own file, `blocks/cell.yaml`, next to them.
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
            yield view.finding("unused-block", f"block `{name}` is never used", span, "remove it")


def _in_block(block: Block) -> set[str]:
    """Every word in a block except those of its `doc`."""
    return words_of({key: block.raw[key] for key in block.raw if key != "doc"}, keys=True)


@rule("AS133", "unused-argument", of_blocks=True)
def unused_argument(view: Written) -> Iterator[Diagnostic]:
    """A block declares an argument or part that its body never uses.

    Setting it has no effect.

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
            message = f"the body never uses the {what} `{name}`"
            yield view.finding("unused-argument", message, span, "use it in the body, or remove it")


@rule("AS141", "unused-tensor", of_blocks=True)
def unused_tensor(view: Written) -> Iterator[Diagnostic]:
    """A layer saves a tensor that is never read.

    Either the name is a leftover, or another layer was meant to read the tensor.

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
    """The locations of saved tensors that are never read."""
    if not any(saved for _, saved in names):
        return
    for stack, at in stacks:
        for layer, place in stack.all:
            if layer.save and not any((name, False) in names for name in layer.save):
                yield at.below(*place.path, "save")


def _unused_tensor(view: Written, span: Span | None) -> Diagnostic:
    message = "the tensor saved here is never read"
    return view.finding("unused-tensor", message, span, "remove `save`, or read it: `from: ...`")


@rule("AS310", "dead-layer")
def dead_layer(view: View) -> Iterator[Diagnostic]:
    """A layer's output is never used.

    After a layer that reads another tensor (`from`), the output of the layers before it is lost,
    unless it has a name that is read later. Such a layer is not built.

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
        message, hint = "the output of this layer is never used", "use it, or remove the layer"
        yield view.finding("dead-layer", message, view.lines.span(at), hint)


DOES = ("body", "like", "call", "params", "macs")  # the keys of a block that describe what it does


def _unread(block: Block) -> Iterator[tuple[str, str]]:
    """Names that neither the body nor another default uses; in the body, a part may be a layer
    type.
    """
    raw = block.raw
    sections = [raw[section] for section in ("args", "parts") if section in raw]
    defaults = {n: words_of(value, keys=False) for part in sections for n, value in part.items()}
    named = Counter(word for words in defaults.values() for word in words)
    inputs = dict.fromkeys(() if block.imported else block.inputs)  # a class uses all of them
    for kind, declared in (("args", block.args), ("parts", block.parts), ("inputs", inputs)):
        body = words_of([raw.get(k) for k in DOES], keys=kind == "parts") if declared else ()
        for name in declared:
            if name not in body and named[name] == (name in defaults.get(name, ())):
                yield kind, name


@rule("AS134", "unused-size")
def unused_size(view: View) -> Iterator[Diagnostic]:
    """An entry of `args` is never used.

    `--set` accepts it, but it has no effect. A block cannot see the network's arguments: pass the
    value through an argument of the block.

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
            yield view.finding("unused-size", f"`{name}` is never used", span, hint)

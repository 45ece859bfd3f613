"""The sections, stages and defaults of a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from archspec.language.check.expressions import check_names
from archspec.language.check.findings import Findings, Scope
from archspec.language.check.layers import Layers
from archspec.language.check.lengths import check_lengths
from archspec.language.layers import Stack
from archspec.language.models import Defaults, Section, Spec
from archspec.language.names import INDICES, SCOPE
from archspec.language.stages import Run, Stage
from archspec.source import locate, shared
from archspec.source.files import display_path

OF_STAGES = tuple(Run.model_fields)


class Network:
    """Every place of a spec where layers or numbers stand."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.library = spec._library
        self.args = frozenset(spec.args)
        self.layers = Layers(self.library, self.args)
        self.found = self.layers.found

    def check(self) -> Findings:
        """What is found, in the order of the language's keys."""
        spec, network = self.spec, Scope(self.args)
        self._once(spec.stem, partial(self._section, spec.stem, network))
        for stage in spec.stages.values():
            self._once(stage, partial(self._stage, stage))
        self._once(spec.head, partial(self._section, spec.head, network))
        for name, block in spec.blocks.items():
            self.layers.check_block(name, block)
        self._once(spec.defaults, partial(self._defaults, spec.defaults))
        check_lengths(self.found, spec, self.library)
        self._any_layer()
        self._files_beside()
        return self.found

    def _once(self, piece: Any, check: Callable[[], None]) -> None:
        """Not again, if it was right in a spec that sees the same; its blocks are looked up."""
        store = shared.store()
        if store is None:
            check()
            return
        own = id(self.library.own) if self.library.own else 0
        key = (id(piece), self.args, own, self.library.folders[0])
        if key in store.checked:
            self.library.look_up(store.checked[key][1])
            return
        before = len(self.found)
        check()
        if len(self.found) == before:
            store.checked[key] = piece, self.library.met()

    def _section(self, section: Section, scope: Scope) -> None:
        for _, stack in section.entries:
            self.layers.stack(stack, scope)

    def _stage(self, stage: Stage) -> None:
        network = Scope(self.args)
        if stage.between is not None:
            self.layers.stack(stage.between, network)
            return
        here = Scope(self.args | set(INDICES))
        check_names(self.found, network, stage.repeat, stage.raw, "repeat")
        check_names(self.found, here, stage.channels, stage.raw, "channels")
        check_names(self.found, here, stage.stride, stage.raw, "stride")
        inside = Scope(self.args | set(SCOPE))
        for name in dict.fromkeys(stage.blocks):
            block = self.layers.known_block(name, stage.where("block"), Scope(frozenset()))
            if block is not None:
                given, raw = stage.given, stage.raw
                self.layers.call(name, block, given, raw, (), inside, stage.span, OF_STAGES)

    def _defaults(self, defaults: Defaults) -> None:
        anywhere = Scope(self.args | set(SCOPE))
        for name, stack in (("norm", defaults.norm), ("act", defaults.act)):
            if stack is not None:
                self.layers.stack(stack, anywhere)
                self._not_itself(name, stack)
        for name, given in defaults.ops.items():
            for arg, value in given.items():
                check_names(self.found, anywhere, value, defaults.raw, name, arg)
        for name, given in defaults.blocks.items():
            self._default_of_block(name, given, defaults.raw, anywhere)

    def _default_of_block(
        self, name: str, given: Mapping[str, Any], raw: Any, anywhere: Scope
    ) -> None:
        span = locate(raw, (name,), key=True)
        if not self.layers.is_block(name):
            from archspec.language.check.unknown import default_hint

            message, hint = f"`{name}` is no op and no block", default_hint(name, self.library)
            self.found.report("unknown-default", message, span, hint)
            return
        block = self.layers.known_block(name, span, anywhere)
        if block is not None:
            scope = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
            self.layers.call(name, block, given, raw, (name,), scope, span)

    def _not_itself(self, name: str, stack: Stack) -> None:
        if any(layer.head == name for layer in stack.layers):
            hint = "name an op or a block: `norm: {group_norm: 32}`"
            self.found.report("cycle", f"`{name}` is filled with itself", stack.span, hint)

    def _any_layer(self) -> None:
        spec = self.spec
        sections = [stack.layers for part in (spec.stem, spec.head) for _, stack in part.entries]
        if not any(sections) and not spec.stages:
            hint = "write a `stem`, `stages` or a `head`, e.g. `stem: [{conv: 64}, norm, act]`"
            self.found.report("no-layers", "the network has no layers", spec.where("name"), hint)

    def _files_beside(self) -> None:
        """Files of blocks that no layer can mean, for the name means something else."""
        for name, path in self.library.hidden():
            self.layers.wrong_name(name, display_path(path))

"""The sections, stages and defaults of a spec."""

from __future__ import annotations

from functools import partial

from archspec.language.check.findings import Findings, Scope, Where
from archspec.language.check.layers import Layers
from archspec.language.check.lengths import check_lengths
from archspec.language.layers import Stack
from archspec.language.library import Library, bind_defaults, bind_use
from archspec.language.spec import Defaults, Section, Spec
from archspec.language.stages import Run, Stage
from archspec.language.suggestions.unknown import default_hint
from archspec.language.words import INDICES, SCOPE
from archspec.paths import display_path

OF_STAGES = tuple(Run.model_fields)


class Network:
    """Every place of a spec where layers or numbers stand."""

    def __init__(self, spec: Spec, library: Library) -> None:
        self.spec, self.library, self.document = spec, library, spec.document
        self.args = frozenset(spec.args)
        self.layers = Layers(library, self.args)
        self.found = self.layers.found

    def check(self) -> Findings:
        """What is found; raises `SpecError` where it is too much."""
        spec, network = self.spec, Scope(self.args)
        self._section(spec.stem, self._at("stem"), network)
        for key, stage in spec.stages.items():
            self._stage(stage, self._at("stages", key))
        self._section(spec.head, self._at("head"), network)
        for name in spec.blocks:
            if (block := self.library.block(name)) is not None:
                self.layers.meet(name, block)
        self._defaults(spec.defaults)
        self.layers.check_blocks()
        check_lengths(self.found, spec, self.library)
        self._any_layer()
        for name, path in self.library.hidden():
            self.layers.wrong_name(name, display_path(path))
        return self.found

    def _at(self, *path: str) -> Where:
        return Where(self.document, path)

    def _section(self, section: Section, where: Where, scope: Scope) -> None:
        for name, stack in section.entries:
            self.layers.stack(stack, where if name is None else where.below(name), scope)

    def _stage(self, stage: Stage, where: Where) -> None:
        network = Scope(self.args)
        if stage.between is not None:
            self.layers.stack(stage.between, where, network)
            return
        here = Scope(self.args | set(INDICES))
        self.found.check_value(network, stage.repeat, where.below("repeat"))
        self.found.check_value(here, stage.channels, where.below("channels"))
        self.found.check_value(here, stage.stride, where.below("stride"))
        inside = Scope(self.args | set(SCOPE))
        for name in dict.fromkeys(stage.blocks):
            block = self.layers.known_block(name, where.span("block"), Scope(frozenset()))
            if block is not None:
                use = partial(bind_use, stage, name, block, OF_STAGES)
                self.layers.call(use, block, where, inside, where.span())

    def _defaults(self, defaults: Defaults) -> None:
        anywhere = Scope(self.args | set(SCOPE))
        for name, stack in (("norm", defaults.norm), ("act", defaults.act)):
            if stack is not None:
                where = self._at("defaults", name)
                self.layers.stack(stack, where, anywhere)
                self._not_itself(name, stack, where)
        for name, given in defaults.ops.items():
            for arg, value in given.items():
                self.found.check_value(anywhere, value, self._at("defaults", name, arg))
        for name in defaults.blocks:
            self._default_of_block(name, self._at("defaults", name), anywhere)

    def _default_of_block(self, name: str, where: Where, anywhere: Scope) -> None:
        span = where.span(key=True)
        if not self.layers.is_block(name):
            message = f"`{name}` is no op and no block"
            hint = default_hint(name, self.library.names())
            self.found.report("unknown-default", message, span, hint)
            return
        block = self.layers.known_block(name, span, anywhere)
        if block is not None:
            scope = Scope(frozenset([*SCOPE, *block.args, *block.parts]))
            use = partial(bind_defaults, self.spec.defaults, name, block)
            self.layers.call(use, block, where, scope, span)

    def _not_itself(self, name: str, stack: Stack, where: Where) -> None:
        if any(layer.head == name for layer in stack.layers):
            hint = "name an op or a block: `norm: {group_norm: 32}`"
            self.found.report("cycle", f"`{name}` is filled with itself", where.span(), hint)

    def _any_layer(self) -> None:
        spec = self.spec
        sections = [stack.layers for part in (spec.stem, spec.head) for _, stack in part.entries]
        if not any(sections) and not spec.stages:
            hint = "write a `stem`, `stages` or a `head`, e.g. `stem: [{conv: 64}, norm, act]`"
            self.found.report("no-layers", "the network has no layers", spec.where("name"), hint)

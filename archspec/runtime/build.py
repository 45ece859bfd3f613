"""IR -> live `nn.Module`, with initialized or uninitialized weights."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archspec import helpers
from archspec.expression import Expr, Name, names
from archspec.ir import Apply, Attend, Constant, Interpolate, Method, Reader, run
from archspec.ir.classes import (
    Class,
    Layer,
    Modules,
    Network,
    New,
    Reference,
    Sequential,
    When,
    nowhere,
)
from archspec.ir.construction import (
    Call,
    bound,
    call,
    children,
    is_constant,
    number as number_of,
    numbers,
    turns,
)
from archspec.runtime import own
from archspec.runtime.starts import constant, start


def build(network: Network, init: bool = True, modules: Mapping[str, Any] = {}) -> nn.Module:
    """The network, constructed and initialized like its generated source.

    Without `init`, random weights are left uninitialized, to be loaded; everything else
    (statistics,
    filters, constant weights) is initialized. `modules` are the classes that blocks import, by name
    or dotted path.
    """
    given = own.chosen(network, modules)
    module = _constructed(network, init, given)
    if given:
        own.check(module, network)
    return module


def _constructed(network: Network, init: bool, own: Mapping[str, Any]) -> nn.Module:
    root = network.root
    env = {p.name: p.default.value if p.default else None for p in root.parameters}
    return _Builder(network, init, own).construct(root, env)


class _NothingDrawn(TorchFunctionMode):
    """While active, no tensor of this thread is filled with random numbers."""

    DRAWS = frozenset({nn.init.kaiming_uniform_, nn.init.uniform_, Tensor.uniform_, Tensor.normal_})

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in self.DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


class _Builder:
    """Constructs modules in the order in which Python would: arguments before bodies."""

    def __init__(self, network: Network, init: bool, own: Mapping[str, Any]) -> None:
        self.network, self.init, self.own = network, init, own
        self.calls: dict[New, Call] = {}  # of blocks that are constructed again and again
        self.helpers = import_module("archspec.runtime.modules")
        self.types = {id(cls): self._type(cls) for cls in network.classes}

    def _type(self, cls: Class) -> type[nn.Module]:
        return live(cls, self.network if cls is self.network.root else None)

    def construct(self, cls: Class, env: dict[str, Any]) -> nn.Module:
        for local in cls.locals:
            env[local.name] = number_of(local.value, env)
        module = self._filled(cls, env)
        if self.init:
            start(cls, module, env, self.network.root)
        return module

    def _filled(self, cls: Class, env: Mapping[str, Any]) -> nn.Module:
        module = self.types[id(cls)]()
        self._fill(module, cls.layers, env, cls)
        for flag in cls.flags:
            setattr(module, flag.name, number_of(flag.value, env))
        return module

    def _fill(
        self, module: nn.Module, layers: Iterable[Layer], env: Mapping[str, Any], cls: Class
    ) -> None:
        starts = {start.path: start.draws for start in cls.draws if start.made}
        for layer in layers:
            if is_constant(layer.new):
                parameter = constant(layer.new, starts.get(layer.name, ()), env, self.init)
                module.register_parameter(layer.name, parameter)
                continue
            for name, known in turns(layer, env):
                module.add_module(name, self._layer(layer, known, cls))

    def _layer(self, layer: Layer, env: Mapping[str, Any], cls: Class) -> nn.Module:
        if isinstance(layer.new, Name):
            module: nn.Module = env[layer.new.id]
            return module
        if isinstance(layer.new, Modules):
            module = nn.ModuleList() if layer.new.listed else nn.ModuleDict()
            self._fill(module, layer.new.layers, env, cls)
            return module
        if isinstance(layer.new, When):
            there = [*children(Sequential((layer.new,)), env)]
            return self.make(there[0], env) if there else nn.Identity()
        return self.make(layer.new, env)

    def make(self, new: New | Sequential, env: Mapping[str, Any]) -> nn.Module:
        if isinstance(new, Sequential):
            return nn.Sequential(*[self.make(child, env) for child in children(new, env)])
        if isinstance(new.what, Name):
            made: nn.Module = env[new.what.id]()
            return made
        how = self._call(new)
        if isinstance(new.what, Class):
            given = bound(new.what, how, lambda value: self._argument(value, env))
            return self.construct(new.what, given)
        positional = [self._argument(value, env) for value in how.positional]
        keywords = {name: self._argument(value, env) for name, value in how.keywords.items()}
        kind = self._class_of(new) if self.init else _undrawn(self._class_of(new), new.what)
        return kind(*positional, **keywords)

    def _call(self, new: New) -> Call:
        if new not in self.calls:
            self.calls[new] = call(new)
        return self.calls[new]

    def _argument(self, value: Any, env: Mapping[str, Any]) -> Any:
        if isinstance(value, (New, Sequential)):
            return self.make(value, env)
        if isinstance(value, Reference):
            return self._torch_class(value.torch)
        return numbers(value, env)

    def _class_of(self, new: Any) -> Any:
        if new.what.imported:
            return self.own[new.what.imported]
        return self._torch_class(new.torch)

    def _torch_class(self, name: str) -> Any:
        return getattr(self.helpers if name in helpers.HELPERS else nn, name)


def _undrawn(kind: Any, op: Any) -> Callable[..., nn.Module]:
    """The construction of a layer without drawing its random weights.

    A mode works for every layer, but it watches every call: half of the time of a convolution.
    """
    if op.projects or op.norm:
        return partial(_reset_by, _to_identity if op.norm else _not_at_all, kind)
    return partial(_watched, kind) if op.imported or op.weighted else kind


def _reset_by(reset: Callable[..., None], kind: Any, *args: Any, **keywords: Any) -> nn.Module:
    """A layer that is constructed with another `reset_parameters`."""
    module = _resetting(kind, reset)(*args, **keywords)
    module.__class__ = kind
    return module


@cache
def _resetting(kind: type[nn.Module], reset: Callable[..., None]) -> type[nn.Module]:
    return type(kind.__name__, (kind,), {"reset_parameters": reset})


def _not_at_all(layer: nn.Module) -> None:
    """What only draws is left out."""


def _to_identity(norm: nn.Module) -> None:
    """A norm's statistics are reset by its constructor, so these are left."""
    for name, parameter in norm._parameters.items():
        if parameter is not None:
            parameter.data.fill_(name == "weight")


def _watched(kind: Any, *args: Any, **keywords: Any) -> nn.Module:
    with _NothingDrawn():
        return kind(*args, **keywords)  # type: ignore[no-any-return]


class Live(type):
    """The metaclass of modules' classes; such a class is pickled as its IR."""

    _archspec: Class
    _archspec_network: Network | None


def live(cls: Class, network: Network | None = None) -> type[nn.Module]:
    """The class of the modules that a class of the IR describes; of a network if it is its root."""
    base = nn.Sequential if cls.sequential else Joined if cls.inputs else Interpreted
    names = {"_archspec": cls, "__doc__": cls.doc, "__module__": __name__}
    found: Any = Live(cls.name, (base,), names | {"_archspec_network": network})
    return found  # type: ignore[no-any-return]


def _reduced(cls: Live) -> Any:
    """The pickled form of a class of modules, without the lines of its spec."""
    if cls in (Interpreted, Joined):
        return cls.__qualname__
    network = cls._archspec_network
    if network is not None:
        network = replace(network, place=nowhere, tree=None)
    return live, (cls._archspec, network)


copyreg.pickle(Live, _reduced)


class Interpreted(nn.Module, metaclass=Live):
    """A live class of the IR: its layers are attributes, and its body is evaluated."""

    _archspec: Class

    def forward(self, x: Tensor) -> Any:
        cls = self._archspec
        body = cls.trained if self.training else cls.evaluated
        return run(body, x, _Tensors(self))


class Joined(Interpreted):
    """A class of the IR with several inputs."""

    def forward(self, x: Tensor, *others: Tensor) -> Any:
        named = dict(zip(self._archspec.inputs, others, strict=True))
        return run(self._archspec.body, x, _Tensors(self), named)


class _Tensors(Reader[Tensor]):
    """The reader whose `x` is a tensor."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.modules: Mapping[str, Any] = module._modules

    def apply(self, layer: Apply, x: Tensor, others: Sequence[Tensor]) -> Any:
        return self._module(layer.layer)(x, *others)

    def _module(self, path: str) -> Any:
        """A layer, which may be inside containers."""
        name, _, rest = path.partition(".")
        module = self.modules[name]
        return module.get_submodule(rest) if rest else module

    def constant(self, layer: Constant, x: Tensor) -> Tensor:
        value: Tensor = getattr(self.module, layer.layer)
        return value.expand(x.shape[0], *[-1] * layer.dims) if layer.dims else value

    def attend(self, layer: Attend, x: Tensor) -> Tensor:
        given: tuple[Tensor, Any] = self._module(layer.layer)(x, x, x, need_weights=False)
        return given[0]

    def method(self, how: Method, x: Tensor) -> Tensor:
        keywords = {"keepdim": True} if how.keepdim else {}
        made: Tensor = getattr(x, how.name)(*how.arguments, **keywords)
        return made

    def unpack(self, x: Any, names: tuple[str, ...]) -> list[Tensor]:
        return list(x)

    def add(self, values: list[Tensor], flag: str) -> Tensor:
        total = values[0]
        if flag and not getattr(self.module, flag):
            return total
        for value in values[1:]:
            total = total + value
        return total

    def multiply(self, values: list[Tensor]) -> Tensor:
        product = values[0]
        for value in values[1:]:
            product = product * value
        return product

    def concat(self, values: list[Tensor], dim: int) -> Tensor:
        return torch.cat(values, dim)

    def split(self, x: Tensor, parts: int, sizes: tuple[Expr, ...]) -> list[Tensor]:
        if not sizes:
            return list(x.chunk(parts, 1))
        return list(torch.split(x, [self.number(size) for size in sizes], 1))

    def slice(self, x: Tensor, start: Expr, stop: Expr) -> Tensor:
        return x[:, self.number(start) : self.number(stop)]

    def number(self, size: Expr) -> int:
        """A size in the module's own numbers."""
        return int(number_of(size, {name: getattr(self.module, name) for name in names(size)}))

    def interpolate(self, how: Interpolate, x: Tensor, like: Tensor) -> Tensor:
        size, align = like.shape[-how.rank :], how.align_corners
        return nn.functional.interpolate(x, size=size, mode=how.mode, align_corners=align)

    def give(self, values: list[Tensor]) -> Any:
        return values[0] if len(values) == 1 else tuple(values)

    def unsqueeze(self, x: Tensor, count: int) -> Tensor:
        return x[(..., *[None] * count)]

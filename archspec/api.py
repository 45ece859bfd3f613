"""The library's functions, each a few steps long; slow imports happen on first use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from archspec.analysis import Analysis, analyze_network
from archspec.classes import classes
from archspec.diagnostics import LATER, SpecError
from archspec.expand import expand_network
from archspec.extras import needed_for
from archspec.ir import Network
from archspec.language import Spec
from archspec.language import load as load_spec
from archspec.language.load import Source
from archspec.language.settings import keywords
from archspec.language.spec import PICTURES
from archspec.memo import Memo

if TYPE_CHECKING:
    from torch import nn

# Results that the specs of a process share, by value. Only this module passes it on.
MEMO = Memo()
# Most runs have no findings, so the rules are imported when the first code is needed.
LATER.append(partial(import_module, "archspec.rules"))


def _picture(spec: Spec) -> str | None:
    """A spec as SVG, with a name of its own among the pictures of a page; None if it has errors."""
    from archspec.picture import svg

    try:
        analysis = analyze(spec)
    except SpecError:
        return None
    return svg(analysis, f"archspec-{crc32(svg(analysis).encode()):08x}")


PICTURES.append(_picture)


def load(source: Source, **args: Any) -> Spec:
    """A checked spec; `source` is a YAML file, the name of a built-in spec, or a mapping.

    Keyword arguments override the spec's `args` by name, and `input`: `load("resnet18",
    classes=10, input=[1, 28, 28])`.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: the file, or one that it needs, does not exist or cannot be read.
    """
    MEMO.trimmed()
    return load_spec(source, keywords(args), memo=MEMO)


def network(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Network:
    """The IR of a spec: the classes you would write by hand, as data.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed. To
    set an argument of the spec named `outputs`, use `load`.
    """
    return classes(load(source, **args), _checked(outputs), memo=MEMO)


def _checked(outputs: Any) -> Sequence[str] | None:
    """Outputs as names of layers; raises `TypeError`."""
    listed = isinstance(outputs, Sequence) and not isinstance(outputs, str)
    if outputs is None or (listed and all(isinstance(name, str) for name in outputs)):
        return outputs  # type: ignore[no-any-return]
    hint = "to set an argument of the spec with this name, use `load`"
    raise TypeError(f"outputs={outputs!r}: expected a list of names of layers; {hint}")


def build_module(
    source: Source,
    *,
    outputs: Sequence[str] | None = None,
    init: bool = True,
    modules: Mapping[str, type[nn.Module]] = {},
    **args: Any,
) -> nn.Module:
    """The network as a live `torch.nn.Module`, with fresh weights from torch's generator.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    Its input is (N, *input) and its output (N, *output). With the same seed, its weights are those
    of the rendered source, bit for bit. The module can be copied, pickled, traced, exported, and
    compiled; `torch.jit.script` only works with the rendered source.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed.

    For a block that imports its class, pass the class in `modules`, by name or dotted path:
    `modules={"GRN": GRN}`. Nothing that a spec names is imported.

    With `init=False`, random weights are left uninitialized, to be loaded later, which is ten times
    as fast.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: the file does not exist.
        TypeError: a block imports a class that `modules` does not have.
        ModuleNotFoundError: torch is not installed.
    """
    with needed_for("a live module", "torch"):
        from archspec.runtime import build

    return build(network(source, outputs=outputs, **args), init, modules)


def from_weights(
    source: Source,
    path: str | Path,
    *,
    outputs: Sequence[str] | None = None,
    adapt_input: bool = False,
    adapt_classes: bool = False,
    ignore: Sequence[str] = (),
    modules: Mapping[str, type[nn.Module]] = {},
    **args: Any,
) -> nn.Module:
    """The network as a live `torch.nn.Module`, with the weights of a checkpoint.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed.

    For a block that imports its class, pass the class in `modules`, by name or dotted path:
    `modules={"GRN": GRN}`. Nothing that a spec names is imported.

    `path` is a file of safetensors or `torch.save`, with any name; nothing in it is executed. All
    names and shapes must match. Names below those in `ignore` (`["fc"]`) may be in the file and are
    skipped, as are layers that were removed by `outputs`.

    With `adapt_input`, the number of input channels of the first convolution may differ from the
    file: the weights are summed for one channel, otherwise repeated and scaled. `adapt_classes`
    reinitializes the last linear layer if its number of outputs differs.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding. WeightsError: the
        file does not match; the error lists every name that is missing, unexpected, or has a
        different shape, with the lines of the spec. UnreadableFile: the file does not exist, is
        damaged, or contains no weights. TypeError: a block imports a class that `modules` does not
        have. ModuleNotFoundError: torch or safetensors is required but not installed.
    """
    module = build_module(source, outputs=outputs, init=False, modules=modules, **args)
    return load_weights(
        module, path, adapt_input=adapt_input, adapt_classes=adapt_classes, ignore=ignore
    )


def load_weights(
    module: nn.Module,
    path: str | Path,
    *,
    adapt_input: bool = False,
    adapt_classes: bool = False,
    ignore: Sequence[str] = (),
) -> nn.Module:
    """Load the weights of a checkpoint into `module`, and return it.

    `path` is a file of safetensors or of `torch.save`, whatever it is called. A prefix that all
    names share is removed, and other contents (an optimizer, settings) are skipped. Nothing in a
    file is executed. All names and shapes must match, or nothing is loaded. Names below those in
    `ignore` (`["fc"]`) may be in the file and are left aside, as are layers that were cut off by
    `outputs`.

    With `adapt_input`, the number of input channels of the first convolution may differ from the
    file: the weights are summed for one channel, otherwise repeated and scaled. `adapt_classes`
    reinitializes the last linear layer if its number of outputs differs.

    Raises:
        WeightsError: the file does not match; the error lists every name that is missing,
        unexpected, or has a different shape, with the lines of the spec. UnreadableFile: the file
        does not exist, is damaged, or contains no weights.
    """
    with needed_for("loading weights", "torch"):
        from archspec.runtime import load_weights

    return load_weights(module, path, adapt_input, adapt_classes, ignore)


def render(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """The network as standalone PyTorch source, which imports torch and whatever its blocks import.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: the file does not exist.
    """
    from archspec.codegen import generate

    return generate(network(source, outputs=outputs, **args))


def render_deploy(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """The network for inference, as standalone PyTorch source: norms folded, sums fused.

    Its function `from_training_checkpoint` loads the weights of the network from `render`.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: the file does not exist.
    """
    from archspec.deploy.source import generate_deploy

    spec = load(source, **args)
    return generate_deploy(spec, expand_network(spec, _checked(outputs), memo=MEMO))


def render_training(
    source: Source, *, single_file: bool = False, options: Collection[str] = (), **args: Any
) -> str:
    """The script that trains a spec's network by its `train` section, as standalone source.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    It imports the network from the file of `render`, named after the spec; with `single_file` it
    contains the network itself. `options` are optional features of a script: `weights`, `cache`,
    `tensorboard`.

    Raises:
        ValueError: the spec has no `train` section, or an option is unknown.
        SpecError: the spec cannot be used, or its recipe does not match the network;
            `.diagnostics` holds every finding.
        UnreadableFile: the file does not exist.
    """
    from archspec.codegen import generate
    from archspec.rules.checking import errors_of
    from archspec.training import ON_REQUEST, generate_training

    if unknown := set(options) - {*ON_REQUEST}:
        raise ValueError(f"expected one of {', '.join(ON_REQUEST)}, found {min(unknown)!r}")
    spec = load(source, **args)
    if spec.train is None:
        raise ValueError(f"spec {spec.name} has no `train` section")
    if errors := errors_of(spec, memo=MEMO):
        raise SpecError(errors)
    net = classes(spec, memo=MEMO)
    return generate_training(spec, net, generate(net), single_file, options)


def analyze(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Analysis:
    """Shapes, parameters and multiply-adds of a network, layer by layer, without torch.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    The result prints as the table of `archspec show`, also in a notebook; `.rows` are its layers.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), it returns a tuple of
    these, in this order, or a single tensor. Layers that none of them depends on are removed.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: the file does not exist.
    """
    expanded = expand_network(load(source, **args), _checked(outputs), memo=MEMO)
    return analyze_network(expanded, memo=MEMO)

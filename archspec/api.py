"""The library's functions, each a few steps long; what is heavy is imported when used."""

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

# What the specs of a process have in common, by value. It is passed in from here, at the door.
MEMO = Memo()
# Most users see no finding: the rules are imported for the code of the first.
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
    """A checked spec; `source` is a YAML file, the name of a shipped spec, or a mapping.

    Keyword arguments set the spec's `args` by name, and `input`: `load("resnet18",
    classes=10, input=[1, 28, 28])`.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file, or one that it needs cannot be read.
    """
    MEMO.trimmed()
    return load_spec(source, keywords(args), memo=MEMO)


def network(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Network:
    """The IR of a spec: the classes that one would write by hand, as data.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.
    An argument of the spec that is called `outputs` is set by `load`.
    """
    return classes(load(source, **args), _checked(outputs), memo=MEMO)


def _checked(outputs: Any) -> Sequence[str] | None:
    """Outputs as names of layers; raises `TypeError`."""
    listed = isinstance(outputs, Sequence) and not isinstance(outputs, str)
    if outputs is None or (listed and all(isinstance(name, str) for name in outputs)):
        return outputs  # type: ignore[no-any-return]
    hint = "an argument of the spec that is called so is set by `load`"
    raise TypeError(f"outputs={outputs!r}: names of layers are expected, as a list; {hint}")


def build_module(
    source: Source,
    *,
    outputs: Sequence[str] | None = None,
    init: bool = True,
    modules: Mapping[str, type[nn.Module]] = {},
    **args: Any,
) -> nn.Module:
    """The network as a live `torch.nn.Module`, with fresh weights from torch's generator.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    It takes (N, *input) and gives (N, *output); the same seed gives the weights of the rendered
    source, bit for bit. The module can be copied, pickled, traced, exported and compiled;
    `torch.jit.script` takes the rendered source alone.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.

    A block that imports its class takes it from `modules`, by name or by dotted path:
    `modules={"GRN": GRN}`. Nothing that a spec names is imported.

    With `init=False` weights that would be random are whatever the memory held, until they are
    loaded; that is ten times as fast.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
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

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.

    A block that imports its class takes it from `modules`, by name or by dotted path:
    `modules={"GRN": GRN}`. Nothing that a spec names is imported.

    `path` is a file of safetensors or of `torch.save`, whatever it is called; nothing in it is
    executed. Names and shapes must fit, all of them. Names below those in `ignore` (`["fc"]`)
    may be in the file and are left aside, as are layers that were cut off by `outputs`.

    `adapt_input` lets the first convolution have another number of input channels than in the
    file: the weights are summed for one channel, otherwise repeated and scaled. `adapt_classes`
    starts the last linear layer afresh where its number of features differs.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        WeightsError: the file does not fit; it lists every name that is missing, unexpected or
            of another shape, with the lines of the spec.
        UnreadableFile: there is no such file, it is damaged, or it holds no weights.
        TypeError: a block imports a class that `modules` does not have.
        ModuleNotFoundError: torch or safetensors is needed and not installed.
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
    """Loads the weights of a checkpoint into `module`, and returns it.

    `path` is a file of safetensors or of `torch.save`, whatever it is called. A prefix that all
    its names share is taken off, and what else is in it (an optimizer, settings) is left aside.
    Nothing in a file is executed. Names and shapes must fit, all of them, or nothing is loaded.
    Names below those in `ignore` (`["fc"]`) may be in the file and are left aside, as are layers
    that were cut off by `outputs`.

    `adapt_input` lets the first convolution have another number of input channels than in the
    file: the weights are summed for one channel, otherwise repeated and scaled. `adapt_classes`
    starts the last linear layer afresh where its number of features differs.

    Raises:
        WeightsError: the file does not fit; it lists every name that is missing, unexpected or
            of another shape, with the lines of the spec.
        UnreadableFile: there is no such file, it is damaged, or it holds no weights.
    """
    with needed_for("loading weights", "torch"):
        from archspec.runtime import load_weights

    return load_weights(module, path, adapt_input, adapt_classes, ignore)


def render(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """The network as standalone PyTorch source, which imports torch, and what its blocks import.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
    """
    from archspec.codegen import generate

    return generate(network(source, outputs=outputs, **args))


def render_deploy(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """The network for inference, as standalone PyTorch source: norms folded, sums fused.

    Its function `from_training_checkpoint` takes the weights of the network that `render` gives.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
    """
    from archspec.deploy.source import generate_deploy

    spec = load(source, **args)
    return generate_deploy(spec, expand_network(spec, _checked(outputs), memo=MEMO))


def render_training(
    source: Source, *, single_file: bool = False, options: Collection[str] = (), **args: Any
) -> str:
    """The script that trains a spec's network by its `train` section, as standalone source.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    It imports the network from the file that `render` gives, called after the spec; with
    `single_file` it holds the network itself. `options` names those that a script has only if
    asked for: `weights`, `cache`, `tensorboard`.

    Raises:
        ValueError: the spec has no `train`, or there is no such option.
        SpecError: the spec cannot be used, or its recipe does not fit the network;
            `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
    """
    from archspec.codegen import generate
    from archspec.rules.checking import errors_of
    from archspec.training import ON_REQUEST, generate_training

    if unknown := set(options) - {*ON_REQUEST}:
        raise ValueError(f"{min(unknown)!r} is none of {', '.join(ON_REQUEST)}")
    spec = load(source, **args)
    if spec.train is None:
        raise ValueError(f"the spec {spec.name} has no `train`")
    if errors := errors_of(spec, memo=MEMO):
        raise SpecError(errors)
    net = classes(spec, memo=MEMO)
    return generate_training(spec, net, generate(net), single_file, options)


def analyze(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Analysis:
    """Shapes, parameters and multiply-adds of a network, layer by layer, without torch.

    `source` is the path of a YAML file, the name of a shipped spec (`resnet18`), a mapping, or
    what `archspec.load` gave; keyword arguments set the spec's `args` by name, and `input`.

    The result prints as the table of `archspec show`, also in a notebook; `.rows` are its layers.

    With `outputs`, names of the network's tensors (`["layer2", "layer4"]`), its result is a tuple
    of these, in this order, or the one tensor, and layers that lead to none are not there.

    Raises:
        SpecError: the spec cannot be used; `.diagnostics` holds every finding.
        UnreadableFile: there is no such file.
    """
    expanded = expand_network(load(source, **args), _checked(outputs), memo=MEMO)
    return analyze_network(expanded, memo=MEMO)

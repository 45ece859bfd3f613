"""The functions of the library, in a few lines each. Slow imports happen on first use."""

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
from archspec.ir.classes import Network
from archspec.language import Spec, load as load_spec
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
    """Draw a spec as SVG with ids that are unique in a notebook; None if it has errors."""
    from archspec.picture import svg

    try:
        analysis = analyze(spec)
    except SpecError:
        return None
    return svg(analysis, f"archspec-{crc32(svg(analysis).encode()):08x}")


PICTURES.append(_picture)


def load(source: Source, **args: Any) -> Spec:
    """Load and check a spec.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), or a mapping.
    Keyword arguments override the spec's `args` by name, and `input`:
    `load("resnet18", classes=10, input=[1, 28, 28])`.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
        UnreadableFile: the file, or one that it needs, does not exist or cannot be read.
    """
    MEMO.trimmed()
    return load_spec(source, keywords(args), memo=MEMO)


def network(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Network:
    """Return the IR of a spec: the classes you would write by hand, as data.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed. To set an argument of the spec named `outputs`, use `load`.
    """
    return classes(load(source, **args), _checked(outputs), memo=MEMO)


def _checked(outputs: Any) -> Sequence[str] | None:
    """Check that `outputs` is None or a list of strings; raises `TypeError`."""
    if outputs is None or (isinstance(outputs, Sequence) and _are_names(outputs)):
        return outputs
    hint = "to set an argument of the spec with this name, use `load`"
    raise TypeError(f"outputs={outputs!r}: expected a list of names of layers; {hint}")


def _are_names(values: Any) -> bool:
    listed = isinstance(values, Collection) and not isinstance(values, (str, bytes, Mapping))
    return listed and all(isinstance(name, str) for name in values)


def build_module(
    source: Source,
    *,
    outputs: Sequence[str] | None = None,
    init: bool = True,
    modules: Mapping[str, type[nn.Module]] = {},
    **args: Any,
) -> nn.Module:
    """Build a network as a live `torch.nn.Module`, with random weights from torch's generator.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    The module maps (N, *input) to (N, *output). From the same seed, its weights are those of the
    rendered source, bit for bit. It can be copied, pickled, traced, exported, and compiled;
    `torch.jit.script` only works with the rendered source.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed.

    If a block imports a class, pass that class in `modules`, by name or dotted path:
    `modules={"GRN": GRN}`. archspec itself imports nothing that a spec names.

    With `init=False`, weights that would be random are uninitialized memory, to be loaded later.
    This is about ten times as fast.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
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
    """Build a network as a live `torch.nn.Module`, with the weights of a checkpoint.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed.

    If a block imports a class, pass that class in `modules`, by name or dotted path:
    `modules={"GRN": GRN}`. archspec itself imports nothing that a spec names.

    `path` is a file of safetensors or of `torch.save`, with any name. No code in it is run. All
    names and shapes must match. Tensors of the file below the names in `ignore` (`["fc"]`) are
    skipped, and so are those of layers that `outputs` removed.

    With `adapt_input`, the first convolution may have a different number of input channels than in
    the file: for one channel, its weights are summed, otherwise they are repeated and scaled. With
    `adapt_classes`, the last linear layer is reinitialized if its number of outputs differs.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
        WeightsError: the file does not match; the error lists every name that is missing,
            unexpected, or has a different shape, with the lines of the spec.
        UnreadableFile: the file does not exist, is damaged, or contains no weights.
        TypeError: a block imports a class that `modules` does not have.
        ModuleNotFoundError: torch or safetensors is required but not installed.
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

    `path` is a file of safetensors or of `torch.save`, with any name. No code in it is run. All
    names and shapes must match, or nothing is loaded. A prefix that all names share is removed, and
    other contents (an optimizer, settings) are skipped. Tensors of the file below the names in
    `ignore` (`["fc"]`) are skipped, and so are those of layers that `outputs` removed.

    With `adapt_input`, the first convolution may have a different number of input channels than in
    the file: for one channel, its weights are summed, otherwise they are repeated and scaled. With
    `adapt_classes`, the last linear layer is reinitialized if its number of outputs differs.

    Raises:
        WeightsError: the file does not match; the error lists every name that is missing,
            unexpected, or has a different shape, with the lines of the spec.
        UnreadableFile: the file does not exist, is damaged, or contains no weights.
        ModuleNotFoundError: torch or safetensors is required but not installed.
    """
    with needed_for("loading weights", "torch"):
        from archspec.runtime import load_weights

    if not _are_names(ignore):
        raise TypeError(f"ignore={ignore!r}: expected a list of names, such as `['fc']`")
    return load_weights(module, path, adapt_input, adapt_classes, ignore)


def render(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """Render a network as standalone PyTorch source.

    The source imports torch, and the classes that blocks of the spec import.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
        UnreadableFile: the file does not exist.
    """
    from archspec.codegen import generate

    return generate(network(source, outputs=outputs, **args))


def render_deploy(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> str:
    """Render a network for inference as standalone PyTorch source: norms folded, sums fused.

    The function `from_training_checkpoint` in it loads checkpoints of the network from `render`.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
        UnreadableFile: the file does not exist.
    """
    from archspec.deploy.source import generate_deploy

    spec = load(source, **args)
    return generate_deploy(spec, expand_network(spec, _checked(outputs), memo=MEMO))


def render_training(
    source: Source, *, single_file: bool = False, options: Collection[str] = (), **args: Any
) -> str:
    """Render the script that trains a network by the `train` section of its spec.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    The script imports the network from a module that is named after the spec and has the source of
    `render`. With `single_file`, it contains the network itself. `options` adds optional features:
    `weights`, `cache`, and `tensorboard`.

    Raises:
        ValueError: the spec has no `train` section, or an option is unknown.
        SpecError: the spec has errors, or its recipe does not match the network;
            `.diagnostics` has all findings.
        UnreadableFile: the file does not exist.
    """
    from archspec.codegen import generate
    from archspec.rules.checking import errors_of
    from archspec.training import ON_REQUEST, generate_training

    choices = ", ".join(f"`{name}`" for name in ON_REQUEST)
    if not _are_names(options):
        raise TypeError(f"options={options!r}: expected a list of {choices}")
    if unknown := set(options) - {*ON_REQUEST}:
        raise ValueError(f"options: expected a list of {choices}, found {min(unknown)!r}")
    spec = load(source, **args)
    if spec.train is None:
        raise ValueError(f"spec {spec.name} has no `train` section")
    if errors := errors_of(spec, memo=MEMO):
        raise SpecError(errors)
    net = classes(spec, memo=MEMO)
    return generate_training(spec, net, generate(net), single_file, options)


def analyze(source: Source, *, outputs: Sequence[str] | None = None, **args: Any) -> Analysis:
    """Calculate shapes, parameters, and multiply-adds of a network, layer by layer, without torch.

    `source` is the path of a YAML file, the name of a built-in spec (`resnet18`), a mapping, or the
    result of `archspec.load`; keyword arguments override the spec's `args` by name, and `input`.

    The result prints as the table of `archspec show`, and a notebook displays it. `.rows` has the
    layers.

    With `outputs`, names of tensors such as `["layer2", "layer4"]`, the network returns a tuple of
    these tensors in this order or, for one name, a tensor. Layers that they do not depend on are
    removed.

    Raises:
        SpecError: the spec has errors; `.diagnostics` has all findings.
        UnreadableFile: the file does not exist.
    """
    expanded = expand_network(load(source, **args), _checked(outputs), memo=MEMO)
    return analyze_network(expanded, memo=MEMO)

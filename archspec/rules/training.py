"""AS3xx: a network against its data, loss, and recipe."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import Diagnostic, Span, SpecError, plural
from archspec.expand import expand_network
from archspec.expression import Name
from archspec.language import load
from archspec.language.train import DATA_SETS, Train
from archspec.rules.losses import wrong_weights
from archspec.rules.rule import rule
from archspec.rules.steps import Step
from archspec.rules.view import View

_KEEPS = ("flatten", "identity")  # what a loss applies to its input
_OF_A_SIGMOID = ("bce", "multi_label")


@rule("AS302", "head-mismatch")
def head_mismatch(view: View) -> Iterator[Diagnostic]:
    """The network's output does not fit its loss or data.

    Cross-entropy expects the values before the softmax: with a softmax in the network too, training
    is slow and stops improving early. An activation after the classifier sets every negative score
    to zero. And a data set with ten classes requires ten outputs.

    Bad:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10
          - softmax

    Good:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10

    If you need probabilities, apply the softmax to the output after training. With `loss: mse` or
    `huber`, a network can end in any layer. If training has several outputs, `loss_weights` sets
    the weight of each. If a recipe (`train`) cannot train the network at all, the finding is an
    error.
    """
    train = view.spec.train
    if train is None or not train.of_values:
        yield from _last(view, train)
    if train is not None:
        yield from _outputs(view, train)
        for wrong in wrong_weights(view.network, train.loss_weights):
            span = place_of(view, *wrong.path, key=wrong.key)
            hint = without(view, wrong.hint)
            yield view.finding("head-mismatch", wrong.message, span, hint, severity="error")


def _last(view: View, train: Train | None) -> Iterator[Diagnostic]:
    """The op after the scores."""
    last, loss = view.own_steps.last, train.loss if train else "cross_entropy"
    while last is not None and (last.op.key in _KEEPS or last.op.drops):
        last = last.before
    if last is None:
        return
    message = ""
    if last.op.shares and (train is None or train.of_classes):
        message = f"the network ends in `{last.op.key}`, but {_shown(loss)} applies its own"
        if loss == "bce":
            message = f"the network ends in `{last.op.key}`, but `bce` expects scores"
    elif last.op.key == "sigmoid" and loss in _OF_A_SIGMOID:
        message = f"the network ends in `sigmoid`, but {_shown(loss)} applies its own"
    elif last.op.activation and _behind(last, "linear"):
        message = f"`{last.op.key}` follows the classifier"
    if message:
        yield view.finding("head-mismatch", message, view.at(last), "remove it", view.labels(last))


def _shown(loss: str) -> str:
    return "cross-entropy" if loss == "cross_entropy" else f"`{loss}`"


def _behind(step: Step, key: str) -> bool:
    """Whether an op with this key comes directly before."""
    return step.before is not None and step.before.op.key == key


def _outputs(view: View, train: Train) -> Iterator[Diagnostic]:
    """The outputs against the loss, and against the classes of the data."""
    output, wanted = view.network.output, DATA_SETS[train.data].classes
    if output.rank:
        found = " x ".join(map(str, output.sizes))
        message = f"the loss expects one number per class, but the network outputs {found}"
        hint = "end in `global_avg_pool`, `flatten`, and a `linear`"
    elif wanted not in (None, output.channels):
        message = (
            f"`{train.data}` has {plural(wanted, 'class')}, but the network has "
            f"{plural(output.channels, 'output')}"
        )
        hint = _of_width(view, wanted)
    elif train.of_classes and output.channels == 1:
        message = f"the network has one output, and `{train.loss}` of a single class is always 0"
        hint = "for regression use `loss: mse`; for a yes-or-no target use `loss: multi_label`"
    elif not any(True for _ in view.weights):
        message = "the network has no weights, so there is nothing to train"
        hint = "end in a `linear`, or remove `train`"
    else:
        return
    span, hint = place_of(view, "data"), without(view, hint)
    yield view.finding("head-mismatch", message, span, hint, severity="error")


def _of_width(view: View, wanted: int) -> str:
    """How to get this many outputs: by the argument that sets them, or by the last layer."""
    leaving = view.network.root.leaving.channels
    if isinstance(leaving, Name) and leaving.id in view.spec.args:
        return f"use `args: {{{leaving.id}: {wanted}}}`"
    return f"end in `linear: {wanted}`"


@rule("AS308", "input-mismatch", "error")
def input_mismatch(view: View) -> Iterator[Diagnostic]:
    """The recipe's data does not match the network's input.

    Color images have three channels, and gray ones have one. A network whose last layers depend on
    the image size accepts no other size.

    Bad:

        input: [3, 28, 28]
        stem: [{conv: 64}, global_avg_pool, flatten, {linear: 10}]
        train: {data: fashion_mnist, epochs: 5, batch_size: 256, lr: 0.1}

    Good:

        input: [1, 28, 28]
        stem: [{conv: 64}, global_avg_pool, flatten, {linear: 10}]
        train: {data: fashion_mnist, epochs: 5, batch_size: 256, lr: 0.1}

    Images with a different size than the network's `input` are resized to squares.
    """
    train = view.spec.train
    if train is None:
        return
    data = DATA_SETS[train.data]
    channels, *sizes = view.spec.input
    if data.channels and len(sizes) != 2:
        message = f"`{train.data}` contains images, but the network's input is {view.spec.input}"
        hint = f"for example, `input: [{data.channels}, 32, 32]`, or `data: tensors`"
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    elif data.channels not in (None, channels):
        given = plural(data.channels, "channel")
        message = f"`{train.data}` has {given}, but the network expects {channels}"
        hint = f"use `input: {[data.channels, *sizes]}`"
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    elif data.channels and train.size is None and len(set(sizes)) > 1:
        made = " x ".join(map(str, sizes))
        message = f"`{train.data}` is resized to squares, but the network expects {made}"
        hint = (
            f"use `input: {[channels, sizes[-1], sizes[-1]]}`, or set `size` to the side of a "
            "square"
        )
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    counting = next((step.op.key for step in view.steps if step.op.counts), None)
    if counting and train.data == "synthetic":
        message = f"`synthetic` generates real numbers, but `{counting}` expects integers"
        hint = without(view, "use `data: tensors`")
        yield view.finding("input-mismatch", message, place_of(view, "data"), hint)
    for key in ("size", "test_size"):
        if (side := getattr(train, key)) and (message := _at_size(view, side)):
            hint = without(view, "remove it, or end in `global_avg_pool` and `flatten`")
            yield view.finding("input-mismatch", message, place_of(view, key), hint)


def _at_size(view: View, side: int) -> str:
    """Why the network does not accept images of this size; "" if it does."""
    sizes = view.spec.input[1:]
    if len(sizes) != 2:
        return f"the input is {view.spec.input}, which is not an image"
    try:
        same = at_size(view, side).analysis.params == view.analysis.params
    except SpecError:
        return f"the network does not accept images of {side} x {side}"
    made = " x ".join(map(str, sizes))
    return "" if same else f"the last layers only accept images of {made}"


def at_size(view: View, side: int) -> View:
    """The network for square images of this side; raises `SpecError`."""
    channels, *sizes = view.spec.input
    if sizes == [side, side]:
        return view
    spec = load(view.spec, {"input": [channels, side, side]}, memo=view.memo)
    return View(spec, expand_network(spec, memo=view.memo), view.memo)


# Places -------------------------------------------------------------------------------


def place_of(view: View, *path: str | int, key: bool = False) -> Span | None:
    """The location in the recipe; for inherited values, the `train` of this file."""
    span = view.spec.where("train", *path, key=key)
    return span if span and span.file == view.file else view.spec.where("train", key=True) or span


def without(view: View, hint: str) -> str:
    """The hint; if settings changed the spec, how to drop its recipe."""
    left_out = "set `train` to `null` to drop the recipe" if view.spec.changed else ""
    return "; ".join(filter(None, [hint, left_out]))

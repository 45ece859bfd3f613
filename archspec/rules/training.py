"""AS3xx: a network against its data, its loss and its recipe."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.diagnostics import Diagnostic, Span, SpecError
from archspec.expand import expand_network
from archspec.language import load
from archspec.language.train import DATA_SETS, Train
from archspec.rules.losses import wrong_weights
from archspec.rules.rule import rule
from archspec.rules.steps import Step
from archspec.rules.view import View

_KEEPS = ("flatten", "identity")  # of what arrives, what a loss makes of it
_OF_A_SIGMOID = ("bce", "multi_label")


@rule("AS302", "head-mismatch")
def head_mismatch(view: View) -> Iterator[Diagnostic]:
    """The network ends in what its loss or its data do not take.

    Cross-entropy takes what stands before the softmax: with both, training is slow and stops
    early. An activation behind the classifier cuts off every score below zero. And a data set of
    ten classes wants ten outputs.

    Bad:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10
          - softmax

    Good:

        stem: [{conv: 64}, global_avg_pool, flatten]
        head:
          - linear: 10

    Where probabilities are wanted, take the softmax of the output after training. With `loss: mse`
    or `huber` a network may end as it likes. Where training gives several outputs, `loss_weights`
    says what each counts. What a recipe (`train`) cannot be trained with is an error.
    """
    train = view.spec.train
    if train is None or not train.of_values:
        yield from _last(view, train)
    if train is not None:
        yield from _outputs(view, train)
        for message, hint, path, key in wrong_weights(view.network, train.loss_weights):
            span = place_of(view, *path, key=key)
            hint = without(view, hint)
            yield view.finding("head-mismatch", message, span, hint, severity="error")


def _last(view: View, train: Train | None) -> Iterator[Diagnostic]:
    """What stands behind the scores."""
    last, loss = view.own_steps.last, train.loss if train else "cross_entropy"
    while last is not None and (last.op.key in _KEEPS or last.op.drops):
        last = last.before
    if last is None:
        return
    message = ""
    if last.op.shares and (train is None or train.of_classes):
        message = f"the network ends in `{last.op.key}`, and {_shown(loss)} takes its own"
        if loss == "bce":
            message = f"the network ends in `{last.op.key}`, and `bce` takes scores"
    elif last.op.key == "sigmoid" and loss in _OF_A_SIGMOID:
        message = f"the network ends in `sigmoid`, and {_shown(loss)} takes its own"
    elif last.op.activation and _behind(last, "linear"):
        message = f"`{last.op.key}` stands behind the classifier"
    if message:
        yield view.finding("head-mismatch", message, view.at(last), "remove it", view.labels(last))


def _shown(loss: str) -> str:
    return "cross-entropy" if loss == "cross_entropy" else f"`{loss}`"


def _behind(step: Step, key: str) -> bool:
    """Whether the op of this key stands right before."""
    return step.before is not None and step.before.op.key == key


def _outputs(view: View, train: Train) -> Iterator[Diagnostic]:
    """The outputs against the loss, and against the classes of the data."""
    output, wanted = view.network.output, DATA_SETS[train.data].classes
    if output.rank:
        found = " x ".join(map(str, output.sizes))
        message = f"a loss takes one number a class, and the network gives {found}"
        hint = "end in `global_avg_pool`, `flatten` and a `linear`"
    elif wanted not in (None, output.channels):
        message = f"`{train.data}` has {wanted} classes, and the network gives {output.channels}"
        hint = f"end in `linear: {wanted}`"
    elif train.of_classes and output.channels == 1:
        message = f"the network gives one number, and `{train.loss}` of one class is always right"
        hint = "a number to predict is `loss: mse`; yes or no is `loss: multi_label`"
    elif not any(True for _ in view.weights):
        message = "the network has no weights, so there is nothing to train"
        hint = "end in a `linear`, or remove `train`"
    else:
        return
    span, hint = place_of(view, "data"), without(view, hint)
    yield view.finding("head-mismatch", message, span, hint, severity="error")


@rule("AS308", "input-mismatch", "error")
def input_mismatch(view: View) -> Iterator[Diagnostic]:
    """The recipe trains on other data than the network takes.

    Images in colour have three channels and grey ones have one, and a network whose last layers
    are made for one size of image takes no other.

    Bad:

        input: [3, 28, 28]
        stem: [{conv: 64}, global_avg_pool, flatten, {linear: 10}]
        train: {data: fashion_mnist, epochs: 5, batch_size: 256, lr: 0.1}

    Good:

        input: [1, 28, 28]
        stem: [{conv: 64}, global_avg_pool, flatten, {linear: 10}]
        train: {data: fashion_mnist, epochs: 5, batch_size: 256, lr: 0.1}

    Images of another size than the network's `input` are resized, to squares.
    """
    train = view.spec.train
    if train is None:
        return
    data = DATA_SETS[train.data]
    channels, *sizes = view.spec.input
    if data.channels and len(sizes) != 2:
        message = f"`{train.data}` has images, and the input is {view.spec.input}"
        hint = f"write e.g. `input: [{data.channels}, 32, 32]`, or `data: tensors`"
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    elif data.channels not in (None, channels):
        given = "1 channel" if data.channels == 1 else f"{data.channels} channels"
        message = f"`{train.data}` has {given}, and the network takes {channels}"
        hint = f"write `input: {[data.channels, *sizes]}`"
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    elif data.channels and train.size is None and len(set(sizes)) > 1:
        made = " x ".join(map(str, sizes))
        message = f"`{train.data}` is trained on squares, and the network takes {made}"
        hint = f"write `input: {[channels, sizes[-1], sizes[-1]]}`, or say the `size` of a square"
        yield view.finding("input-mismatch", message, place_of(view, "data"), without(view, hint))
    counting = next((step.op.key for step in view.steps if step.op.counts), None)
    if counting and train.data == "synthetic":
        message = f"`synthetic` draws real numbers, and `{counting}` takes whole ones"
        hint = without(view, "write `data: tensors`")
        yield view.finding("input-mismatch", message, place_of(view, "data"), hint)
    for key in ("size", "test_size"):
        if (side := getattr(train, key)) and (message := _at_size(view, side)):
            hint = without(view, "remove it, or end in `global_avg_pool` and `flatten`")
            yield view.finding("input-mismatch", message, place_of(view, key), hint)


def _at_size(view: View, side: int) -> str:
    """Why the network does not take images of this size; "" if it does."""
    sizes = view.spec.input[1:]
    if len(sizes) != 2:
        return f"the input is {view.spec.input}, which is no image"
    try:
        same = at_size(view, side).analysis.params == view.analysis.params
    except SpecError:
        return f"the network takes no images of {side} x {side}"
    made = " x ".join(map(str, sizes))
    return "" if same else f"the last layers are made for images of {made} alone"


def at_size(view: View, side: int) -> View:
    """The network for square images of this side; raises `SpecError`."""
    channels, *sizes = view.spec.input
    if sizes == [side, side]:
        return view
    spec = load(view.spec, {"input": [channels, side, side]}, memo=view.memo)
    return View(spec, expand_network(spec, memo=view.memo), view.memo)


# Places -------------------------------------------------------------------------------


def place_of(view: View, *path: str | int, key: bool = False) -> Span | None:
    """Where the recipe says it; of what is inherited, the `train` of this very file."""
    span = view.spec.where("train", *path, key=key)
    return span if span and span.file == view.file else view.spec.where("train", key=True) or span


def without(view: View, hint: str) -> str:
    """The hint; where the spec was changed from outside, how to do without its recipe."""
    left_out = "`--set train=null` leaves the recipe out" if view.spec.changed else ""
    return "; ".join(filter(None, [hint, left_out]))

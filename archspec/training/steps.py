"""The lines of a script for a recipe's optimizer, schedule, and loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.codegen import layout
from archspec.codegen.layout import CallText, Text
from archspec.diagnostics import plural
from archspec.training.lines import ALL

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.training.lines import Lines

INSIDE = "    "  # the indentation of these lines in a function
OPTIMIZERS = {"sgd": "torch.optim.SGD", "adamw": "torch.optim.AdamW", "lamb": "Lamb"}
LOSSES = {
    "cross_entropy": "cross_entropy",
    "bce": "binary_cross_entropy_with_logits",
    "multi_label": "binary_cross_entropy_with_logits",
    "mse": "mse_loss",
    "huber": "huber_loss",
}


def unindented(text: Text, before: str = "", depth: int = 1) -> list[str]:
    """The lines of a call at an indentation of `depth`."""
    indent = INSIDE * depth
    return [line.removeprefix(indent) for line in layout.lines(text, indent, before)]


def optimizer(recipe: Train, lines: Lines) -> list[str]:
    """The optimizer of the network's parameters."""
    given: list[Text] = [*(lines["parameters"] or lines["trained"] or [ALL]), "lr=args.lr"]
    if recipe.optimizer == "sgd" and recipe.momentum:
        given.append(f"momentum={recipe.momentum!r}")
    if recipe.nesterov:
        given.append("nesterov=True")
    given += lines["optimizer argument"]
    if recipe.optimizer != "lamb":
        given.append("fused=True")
    made = CallText(OPTIMIZERS[recipe.optimizer], tuple(given))
    return [*dict.fromkeys(lines["once"]), *unindented(made, "optimizer = ")]


def schedule_words(recipe: Train) -> str:
    """The schedule as a sentence."""
    schedule = recipe.schedule
    end = f"{recipe.min_lr:g}" if recipe.min_lr else "zero"
    words = {
        "constant": "constant",
        "linear": f"linear decay to {end}",
        "cosine": f"cosine decay to {end}",
        "step": f"times {schedule.factor:g} every {plural(schedule.every, 'epoch')}",
    }[schedule.kind]
    if schedule.at:
        words = f"times {schedule.factor:g} after epoch {' and '.join(map(str, schedule.at))}"
    if recipe.warmup:
        epochs = int(recipe.warmup) if recipe.warmup.is_integer() else recipe.warmup
        words = f"{plural(epochs, 'epoch')} of warmup, then {words}"
    return f"{words[0].upper()}{words[1:]}; depends only on the step."


def schedule(recipe: Train) -> Iterator[str]:
    """The body of the function of the learning rate."""
    done, least = "step / steps", recipe.min_lr
    if recipe.by_epoch:
        yield "step -= step % an_epoch  # a new rate after each epoch"
    if recipe.warmup:
        warmup, start = f"{recipe.warmup:g} * an_epoch", recipe.warmup_lr
        yield f"warmup = {warmup}" if recipe.warmup % 1 == 0 else f"warmup = round({warmup})"
        yield "if step < warmup:"
        risen = f"{start!r} + (peak - {start!r}) * step" if start else "peak * (step + 1)"
        yield f"{INSIDE}return {risen} / warmup"
        if not recipe.warmup_inside:
            done = "(step - warmup) / (steps - warmup)"
    kind, factor = recipe.schedule.kind, repr(recipe.schedule.factor)
    fall = f"{least!r} + (peak - {least!r})" if least else "peak"
    if kind == "constant":
        yield "return peak"
    elif kind == "linear":
        yield f"return {fall} * (1 - {done})"
    elif kind == "cosine":
        yield f"done = {done}"
        yield f"return {fall} * (1 + math.cos(math.pi * done)) / 2"
    elif recipe.schedule.at:
        epochs = ", ".join(map(str, recipe.schedule.at))
        comma = "," if len(recipe.schedule.at) == 1 else ""
        yield f"passed = sum(step >= epoch * an_epoch for epoch in ({epochs}{comma}))"
        yield f"return peak * {factor}**passed"
    else:
        yield f"return peak * {factor} ** (step // ({recipe.schedule.every} * an_epoch))"


def loss(recipe: Train, lines: Lines, several: bool) -> list[str]:
    """The training loss of the scores, which may be in half precision, or of several outputs."""
    given = ("scores.float()", "y", *lines["loss argument"])
    call = CallText(f"F.{LOSSES[recipe.loss]}", given)
    if not several:
        return [f"loss = {layout.flat(call)}"]
    each = unindented(call, "loss += factor * ", 5)
    return [
        "loss = torch.zeros((), device=device)",
        "for factor, scores in zip(LOSS_WEIGHTS.values(), outputs, strict=True):",
        *(f"{INSIDE}{line}" for line in each),
    ]

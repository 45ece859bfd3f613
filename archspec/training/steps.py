"""The lines of a script for a recipe's optimiser, schedule, batches and loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.codegen.layout import CallText, KeywordText, Text, lines

if TYPE_CHECKING:
    from archspec.language.train import Train

INSIDE = "    "  # how deep these lines stand in a function
OPTIMIZERS = {"sgd": "torch.optim.SGD", "adamw": "torch.optim.AdamW", "lamb": "Lamb"}
MIXED_IN = 0.2  # of a class, from which on it counts as there (the "ResNet strikes back" recipes)


def unindented(text: Text, before: str = "", depth: int = 1) -> list[str]:
    """The lines of a call that will stand `depth` steps deep."""
    indent = INSIDE * depth
    return [line.removeprefix(indent) for line in lines(text, indent, before)]


def optimizer(recipe: Train) -> Iterator[str]:
    """Decay on kernels and matrices alone, unless the recipe wants it on all."""
    apart = bool(recipe.weight_decay) and not recipe.decay_all
    decay = KeywordText("weight_decay", repr(recipe.weight_decay))
    first = "net.parameters()"
    if apart or recipe.l1:
        yield "weights = [p for p in net.parameters() if p.ndim > 1]"
    if apart:
        first = "groups"
        yield "others = [p for p in net.parameters() if p.ndim < 2]  # of norms, and biases"
        yield "groups = ["
        yield f'{INSIDE}{{"params": weights, "weight_decay": {recipe.weight_decay!r}}},'
        yield f'{INSIDE}{{"params": others, "weight_decay": 0.0}},'
        yield "]"
    given: list[Text] = [first, KeywordText("lr", "args.lr")]
    if recipe.optimizer == "sgd" and recipe.momentum:
        given.append(KeywordText("momentum", repr(recipe.momentum)))
    if recipe.nesterov:
        given.append(KeywordText("nesterov", "True"))
    if not apart and (recipe.weight_decay or recipe.optimizer == "adamw"):
        given.append(decay)
    if recipe.optimizer != "lamb":
        given.append(KeywordText("fused", "True"))
    yield from unindented(CallText(OPTIMIZERS[recipe.optimizer], tuple(given)), "optimizer = ")


def schedule_words(recipe: Train) -> str:
    """The schedule as a sentence."""
    schedule = recipe.schedule
    words = {
        "constant": "the same throughout",
        "linear": "down to zero in a line",
        "cosine": "down to zero in half a cosine",
        "step": f"times {schedule.factor:g} every {schedule.every} epochs",
    }[schedule.kind]
    if schedule.at:
        words = f"times {schedule.factor:g} after epoch {' and '.join(map(str, schedule.at))}"
    if recipe.warmup:
        words = f"up for {recipe.warmup:g} epochs, then {words}"
    return f"{words[0].upper()}{words[1:]}: a function of the step alone."


def schedule(recipe: Train) -> Iterator[str]:
    """The body of the function of the learning rate."""
    done = "step / steps"
    if recipe.warmup:
        warmup, done = f"{recipe.warmup:g} * an_epoch", "(step - warmup) / (steps - warmup)"
        yield f"warmup = {warmup}" if recipe.warmup % 1 == 0 else f"warmup = round({warmup})"
        yield "if step < warmup:"
        yield f"{INSIDE}return peak * (step + 1) / warmup"
    kind, factor = recipe.schedule.kind, repr(recipe.schedule.factor)
    if kind == "constant":
        yield "return peak"
    elif kind == "linear":
        yield f"return peak * (1 - {done})"
    elif kind == "cosine":
        yield f"done = {done}"
        yield "return peak * (1 + math.cos(math.pi * done)) / 2"
    elif recipe.schedule.at:
        epochs = ", ".join(map(str, recipe.schedule.at))
        comma = "," if len(recipe.schedule.at) == 1 else ""
        yield f"passed = sum(step >= epoch * an_epoch for epoch in ({epochs}{comma}))"
        yield f"return peak * {factor}**passed"
    else:
        yield f"return peak * {factor} ** (step // ({recipe.schedule.every} * an_epoch))"


def augmentation(recipe: Train) -> Iterator[str]:
    """Of a batch of prepared images, on its device."""
    if recipe.augment.crop:
        yield f"x = crop(x, {recipe.augment.crop})"
    if recipe.augment.flip and not recipe.augment.resized_crop:
        yield "x = flip(x)"
    if recipe.augment.erase:
        yield f"x = erase(x, {recipe.augment.erase!r})"


def noise_and_mixture(recipe: Train) -> Iterator[str]:
    """What changes inputs last, and targets."""
    if recipe.noise.inputs:
        yield f"x = x + {recipe.noise.inputs!r} * torch.randn_like(x)"
    mixed = bool(recipe.mixup or recipe.cutmix)
    if recipe.loss == "bce" or (mixed and recipe.loss == "cross_entropy"):
        yield "y = F.one_hot(y, OUTPUTS).float()"
    one, other = f"mixup(x, y, {recipe.mixup!r})", f"cutmix(x, y, {recipe.cutmix!r})"
    if recipe.mixup and recipe.cutmix:
        yield f"x, y = {one} if torch.rand(()) < 0.5 else {other}"
    elif mixed:
        yield f"x, y = {one if recipe.mixup else other}"
    if mixed and recipe.loss == "bce":
        yield f"y = (y > {MIXED_IN}).float()  # what was mixed in is there"
    if recipe.label_smoothing and recipe.loss == "bce":
        smooth = recipe.label_smoothing
        yield f"y = y * {1 - smooth:.6g} + {smooth!r} / OUTPUTS"


def loss(recipe: Train) -> str:
    """The training loss of scores, which may be of half precision."""
    smooth = f", label_smoothing={recipe.label_smoothing!r}" if recipe.label_smoothing else ""
    return {
        "cross_entropy": f"F.cross_entropy(scores.float(), y{smooth})",
        "bce": "F.binary_cross_entropy_with_logits(scores.float(), y)",
        "multi_label": "F.binary_cross_entropy_with_logits(scores.float(), y)",
        "mse": "F.mse_loss(scores.float(), y)",
        "huber": "F.huber_loss(scores.float(), y)",
    }[recipe.loss]

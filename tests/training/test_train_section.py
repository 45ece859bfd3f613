"""The `train:` section: each mistake one finding at its place, and one form for what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from archspec.diagnostics import Diagnostic, SpecError
from archspec.language import Spec, load, parse_text, shipped
from archspec.language.problems import Problems
from archspec.language.train import DATA_SETS, REGULARISERS, Regulariser, Schedule, Train
from archspec.language.train.recipe import train_of
from archspec.language.train.regularisers.augment import Augment, RandAugment
from archspec.language.train.regularisers.noise import Noise
from archspec.language.train.schedule import Step
from archspec.rules.checking import check_spec
from archspec.schema import spec_schema
from archspec.source.reader import parse
from support.hostile import as_yaml, hostile_recipes, recipes
from support.strategies import EXAMPLES

HEAD = "name: net\ninput: [3, 32, 32]\n"
PLAIN = "stem: [{conv: {channels: 16, kernel: 3}}, norm, act, global_avg_pool, flatten]\n"
TEN = "head: [{linear: 10}]\n"
NETWORK = HEAD + PLAIN + TEN
NEEDED = "data: cifar10, epochs: 30, batch_size: 256, lr: 0.1"
SCHEMA = jsonschema.Draft202012Validator(spec_schema())


def findings(text: str) -> list[Diagnostic]:
    """Everything that loading and lint say."""
    try:
        return check_spec(parse_text(text, "net.yaml"))
    except SpecError as error:
        return list(error.diagnostics)


def train(section: str) -> Train:
    recipe = parse_text(f"{NETWORK}train: {{{NEEDED}{section}}}\n", "net.yaml").train
    assert recipe is not None
    return recipe


def marked(text: str) -> tuple[str, str]:
    """The text without `<` and `>`, and the place of what stands between them."""
    before, _, rest = text.partition("<")
    inside, _, after = rest.partition(">")
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    return before + inside + after, f"net.yaml:{line}:{column}"


def needed(**changed: str) -> str:
    """The four needed keys, some of them changed."""
    given = {"data": "cifar10", "epochs": "30", "batch_size": "256", "lr": "0.1"} | changed
    return ", ".join(f"{key}: {value}" for key, value in given.items())


# One key ------------------------------------------------------------------------------

#: The section, with `<` and `>` around what the finding points at; its rule; words of its message;
#: words of its hint.
WRONG = {
    "a typo in a key": (
        f"train: {{{NEEDED}, <nesterow>: true}}",
        ("unknown-key", "unknown key `nesterow`", "did you mean `nesterov`?"),
    ),
    "another program's word for a key": (
        "train: {data: cifar10, epochs: 30, batch_size: 256, <learning_rate>: 0.1}",
        ("unknown-key", "unknown key `learning_rate`", "use `lr`"),
    ),
    "a typo below `augment`": (
        f"train: {{{NEEDED}, augment: {{<filp>: true}}}}",
        ("unknown-key", "unknown key `filp`", "did you mean `flip`?"),
    ),
    "a typo below `step`": (
        f"train: {{{NEEDED}, schedule: {{step: {{evry: 30, every: 10}}}}}}".replace(
            "evry", "<evry>"
        ),
        ("unknown-key", "unknown key `evry`", "did you mean `every`?"),
    ),
    "a data set that does not exist": (
        f"train: {{{needed(data='<fashon_mnist>')}}}",
        ("unknown-name", "unknown data set `fashon_mnist`", "did you mean `fashion_mnist`?"),
    ),
    "an optimizer that does not exist": (
        f"train: {{{NEEDED}, optimizer: <adam>}}",
        ("unknown-name", "unknown optimizer `adam`", "did you mean `adamw`?"),
    ),
    "a loss that does not exist": (
        f"train: {{{NEEDED}, loss: <CrossEntropyLoss>}}",
        ("unknown-name", "unknown loss `CrossEntropyLoss`", "did you mean `cross_entropy`?"),
    ),
    "a schedule that does not exist": (
        f"train: {{{NEEDED}, schedule: <cosin>}}",
        ("unknown-name", "unknown schedule `cosin`", "did you mean `cosine`?"),
    ),
    "a step schedule without its steps": (
        f"train: {{{NEEDED}, schedule: <step>}}",
        ("missing-key", "`step` requires `every` or `at`", "{step: {every: 30, factor: 0.1}}"),
    ),
    "no learning rate": (
        "train: <{data: cifar10, epochs: 30, batch_size: 256}>",
        ("missing-key", "missing required key `lr`", "add `lr: 0.1`"),
    ),
    "a decimal number of epochs": (
        f"train: {{{needed(epochs='<30.0>')}}}",
        ("wrong-type", "an integer from 1 to 100,000, found `30.0`", "use `30`"),
    ),
    "an expression": (
        f"train: {{{needed(lr='<0.1 * 2>')}}}",
        (
            "wrong-type",
            "a number above 0, found the string `0.1 * 2`",
            "recipes do not support expressions",
        ),
    ),
    "no learning at all": (
        f"train: {{{needed(lr='<0>')}}}",
        ("out-of-range", "expected a number above 0, found `0`", ""),
    ),
    "a dropout in percent": (
        f"train: {{{NEEDED}, dropout: <20>}}",
        ("out-of-range", "a number of at least 0 and below 1, found `20`", ""),
    ),
    "a word of YAML 1.1 for a boolean": (
        f"train: {{{NEEDED}, nesterov: <yes>}}",
        ("wrong-type", "expected `true` or `false`", "use `true`"),
    ),
    "nothing, where nothing is inherited": (
        f"train: {{{NEEDED}, momentum: <null>}}",
        ("wrong-type", "found nothing", "remove the key"),
    ),
    "epochs that do not rise": (
        f"train: {{{NEEDED}, schedule: {{step: {{at: <[20, 10]>}}}}}}",
        (
            "out-of-range",
            "epochs must be in increasing order",
            "in ascending order",
        ),
    ),
    "an epoch that is none": (
        f"train: {{{NEEDED}, schedule: {{step: {{at: [10, <ten>]}}}}}}",
        ("wrong-type", "found the string `ten`", ""),
    ),
    "a step schedule that says nothing": (
        f"train: {{{NEEDED}, schedule: {{step: <{{factor: 0.5}}>}}}}",
        ("missing-key", "missing required key `every`", "`at: [30, 60]`"),
    ),
    "a range that is none": (
        f"train: {{{needed(data='folder')}, augment: {{resized_crop: <[1, 0.08]>}}}}",
        ("out-of-range", "` is greater than `", "put the smaller value first"),
    ),
    "one share of the area": (
        f"train: {{{needed(data='folder')}, augment: {{resized_crop: <0.08>}}}}",
        ("wrong-type", "expected two fractions", "[0.08, 1]"),
    ),
    "a flag for noise": (
        f"train: {{{NEEDED}, noise: <true>}}",
        ("wrong-type", "a number of at least 0 or a mapping, found `true`", "{inputs: 0.05"),
    ),
    "text for the section": (
        "train: <cifar10>",
        ("wrong-type", "expected a mapping", "epochs: 30"),
    ),
    "a size that nobody has": (
        f"train: {{{NEEDED}, size: <65537>}}",
        ("out-of-range", "from 1 to 65,536", ""),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_in_a_key(name: str) -> None:
    section, (rule, message, hint) = WRONG[name]
    text, place = marked(f"{NETWORK}{section}\n")
    (found,) = findings(text)
    assert (found.rule, found.severity, str(found.span)) == (rule, "error", place)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize("part", REGULARISERS)
def test_the_example_of_a_regulariser_gives_all_of_its_keys(part: type[Regulariser]) -> None:
    keys = part.__annotations__.keys() & Train.model_fields.keys()
    assert parse(f"{{{part.example}}}", "example").data.keys() == keys


# Keys beside one another --------------------------------------------------------------

#: The section; words of the message; words of the hint; the other key, if it is written.
TOGETHER = {
    "momentum of an optimizer without": (
        f"{NEEDED}, optimizer: adamw, <momentum>: 0.9",
        ("`momentum` requires `optimizer: sgd`", "`momentum: null`", "optimizer"),
    ),
    "nesterov without momentum": (
        f"{NEEDED}, momentum: 0, <nesterov>: true",
        ("requires a nonzero", "`momentum: 0.9`", "momentum"),
    ),
    "decay of all that does not decay": (
        f"{NEEDED}, <decay_all>: true",
        ("`decay_all` requires a nonzero `weight_decay`", "`weight_decay: 1.0e-4`", ""),
    ),
    "smooth labels for numbers": (
        f"{needed(data='tensors')}, loss: mse, <label_smoothing>: 0.1",
        ("the loss is `mse`", "remove it", "loss"),
    ),
    "mixup of numbers": (
        f"{needed(data='tensors')}, loss: huber, <mixup>: 0.2",
        ("`cross_entropy`, `bce`, or `multi_label`", "remove it", "loss"),
    ),
    "a regression on classes": (
        f"{NEEDED}, loss: <mse>",
        ("`cifar10` has classes", "`data: tensors`", "data"),
    ),
    "padding for a folder": (
        f"{needed(data='folder')}, augment: {{<crop>: 4}}",
        ("`folder` is a directory of images", "resized_crop", "data"),
    ),
    "an Inception crop in memory": (
        f"{NEEDED}, augment: {{<resized_crop>: [0.08, 1]}}",
        ("`cifar10` is held in memory", "`crop: 4`", "data"),
    ),
    "RandAugment in memory": (
        f"{NEEDED}, augment: {{<rand_augment>: 6}}",
        ("`cifar10` is held in memory", "remove it", "data"),
    ),
    "TrivialAugment in memory": (
        f"{NEEDED}, augment: {{<trivial_augment>: true}}",
        ("`cifar10` is held in memory", "remove it", "data"),
    ),
    "an alternating flip of a folder": (
        f"{needed(data='folder')}, augment: {{<alternating_flip>: true}}",
        ("`folder` is a directory of images", "use `flip`", "data"),
    ),
    "two flips": (
        f"{NEEDED}, augment: {{flip: true, <alternating_flip>: true}}",
        ("replaces `flip`", "`flip: null`", "flip"),
    ),
    "TrivialAugment and RandAugment": (
        f"{needed(data='folder')}, augment: {{rand_augment: 6, <trivial_augment>: true}}",
        ("replaces `rand_augment`", "`rand_augment: null`", "rand_augment"),
    ),
    "more copies than a batch has images": (
        f"{needed(data='cifar10', batch_size='64')}, repeats: <65>",
        ("65 copies of an image do not fit in a batch of 64", "use fewer", "batch_size"),
    ),
    "how to average without an average": (
        f"{NEEDED}, <ema_every>: 32",
        ("` requires a nonzero `ema`", "`ema: 0.999`", ""),
    ),
    "an average that never begins": (
        f"{NEEDED}, ema: 0.9, ema_from: <30>",
        ("epoch 30 is never reached", "start averaging earlier", "epochs"),
    ),
    "where a warm-up begins that there is not": (
        f"{NEEDED}, warmup: 0, <warmup_lr>: 0.01",
        ("` requires a nonzero `warmup`", "`warmup_lr: null`", "warmup"),
    ),
    "a warm-up inside that there is not": (
        f"{NEEDED}, <warmup_inside>: true",
        ("` requires a nonzero `warmup`", "`warmup: 5`", ""),
    ),
    "a warm-up from above": (
        f"{NEEDED}, warmup: 1, warmup_lr: <0.2>",
        ("0.2 is above the peak learning rate", "use a lower value", "lr"),
    ),
    "an end above the peak": (
        f"{NEEDED}, min_lr: <0.2>",
        ("0.2 is above the peak learning rate, `lr: 0.1`", "use a lower value", "lr"),
    ),
    "an end of steps": (
        f"{NEEDED}, schedule: {{step: {{every: 9}}}}, <min_lr>: 0.01",
        ("the schedule is `step`", "`min_lr: null`", "schedule"),
    ),
    "a middle crop in memory": (
        f"{NEEDED}, <test_crop>: 0.95",
        ("`cifar10` is held in memory", "remove it", "data"),
    ),
    "a warm-up without an end": (
        f"{NEEDED}, warmup: <30>",
        ("lasts for all 30 epochs", "use a shorter warmup", "epochs"),
    ),
    "patience without an end": (
        f"{NEEDED}, early_stopping: <30>",
        ("are too few for `early_stopping: 30`", "use a smaller value", "epochs"),
    ),
    "a step behind the end": (
        f"{NEEDED}, schedule: {{step: {{every: <30>}}}}",
        ("epoch 30 is never reached", "use an earlier epoch", "epochs"),
    ),
    "one of the steps behind the end": (
        f"{NEEDED}, schedule: {{step: {{at: <[10, 31]>}}}}",
        ("epoch 31 is never reached", "use an earlier epoch", "epochs"),
    ),
    "steps said twice": (
        f"{NEEDED}, schedule: {{step: {{at: [10], <every>: 10}}}}",
        ("cannot be combined", "remove one of the two", "at"),
    ),
    "micro-batches that are not equal": (
        f"{NEEDED}, accumulate: <3>",
        ("the batch of 256 is not divisible", "the same number", "batch_size"),
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_keys_that_do_not_belong_together(name: str) -> None:
    section, (message, hint, other) = TOGETHER[name]
    text, place = marked(f"{NETWORK}train: {{{section}}}\n")
    (found,) = findings(text)
    assert (found.rule, str(found.span)) == ("conflicting-keys", place)
    assert message in found.message
    assert hint in found.hint
    lines = text.splitlines()
    named = [lines[x.span.line - 1][x.span.column - 1 :].split(":")[0] for x in found.labels]
    assert named == ([other] if other else [])


def test_all_findings_at_once_with_those_of_the_network() -> None:
    section = f"train: {{{needed(lr='0')}, optimizer: adamw, nesterov: true, sed: 1}}\n"
    rules = [d.rule for d in findings(f"{HEAD}{PLAIN}head: [{{liner: 10}}]\n{section}")]
    assert rules == ["unknown-layer", "out-of-range", "conflicting-keys", "unknown-key"]


MODELS = {
    "{%s}": Train,
    "{schedule: {step: {every: 1, %s}}}": Step,
    "{noise: {%s}}": Noise,
    "{augment: {%s}}": Augment,
    "{augment: {rand_augment: {magnitude: 1, %s}}}": RandAugment,
}


@pytest.mark.parametrize(
    ("written", "key"), [(form, key) for form in MODELS for key in MODELS[form].model_fields]
)
def test_null_is_never_a_value(written: str, key: str) -> None:
    given = yaml.safe_load(written % f"{key}: null")
    with pytest.raises(Problems) as raised:
        train_of({**yaml.safe_load(f"{{{NEEDED}}}"), "data": "imagenet", **given})
    found = [one for one in raised.value.problems if one.path[-1:] == (key,)]
    assert [(one.rule, one.message.endswith(", found nothing")) for one in found] == [
        ("wrong-type", True)
    ]


# Against the network ------------------------------------------------------------------

RESIDUAL = "stages: {layer1: {block: basic, repeat: 2, channels: 16}}\n"
FEATURES = "name: net\ninput: [13]\nhead: [{linear: 10}]\n"
FLAT = HEAD + "stem: [{conv: 8}, flatten, {linear: 10}]\n"

#: A network and a section; its rule, words of the message, words of the hint.
AGAINST = {
    "other classes": (
        f"{HEAD}{PLAIN}head: [{{linear: 100}}]\ntrain: {{{needed(data='<cifar10>')}}}",
        ("head-mismatch", "10 classes, but the network has 100 outputs", "`linear: 10`"),
    ),
    "an image for a class": (
        f"{HEAD}stem: [{{conv: 10}}]\ntrain: {{{needed(data='<cifar10>')}}}",
        ("head-mismatch", "the network outputs 10 x 32 x 32", "`global_avg_pool`"),
    ),
    "one class": (
        f"{HEAD}{PLAIN}head: [{{linear: 1}}]\ntrain: {{{needed(data='<folder>')}}}",
        ("head-mismatch", "of a single class is always 0", "`loss: multi_label`"),
    ),
    "grey images for a network of colours": (
        f"{NETWORK}train: {{{needed(data='<mnist>')}}}",
        ("input-mismatch", "`mnist` has 1 channel", "`input: [1, 32, 32]`"),
    ),
    "images for a network of features": (
        f"{FEATURES}train: {{{needed(data='<cifar10>')}}}",
        ("input-mismatch", "input is [13]", "`data: tensors`"),
    ),
    "another size than the last layer is made for": (
        f"{FLAT}train: {{{NEEDED}, size: <28>}}",
        ("input-mismatch", "only accept images of 32 x 32", "`global_avg_pool`"),
    ),
    "a size for features": (
        f"{FEATURES}train: {{{needed(data='tensors')}, test_size: <28>}}",
        ("input-mismatch", "which is not an image", "remove it"),
    ),
    "too small an image": (
        f"{HEAD}stem: [{{conv: {{channels: 10, kernel: 5, padding: 0}}}}, global_avg_pool, flatten]"
        f"\ntrain: {{{NEEDED}, size: <3>}}",
        ("input-mismatch", "does not accept images of 3 x 3", ""),
    ),
    "images that are no squares": (
        f"name: net\ninput: [3, 48, 32]\n{PLAIN}{TEN}train: {{{needed(data='<cifar10>')}}}",
        (
            "input-mismatch",
            "` is resized to squares, but the network expects",
            "`input: [3, 32, 32]`",
        ),
    ),
    "nothing to train": (
        f"name: net\ninput: [10]\nstem: [act]\ntrain: {{{needed(data='<synthetic>')}}}",
        ("head-mismatch", "the network has no weights", "`linear`"),
    ),
    "no kernel to draw to zero": (
        f"name: net\ninput: [10]\nstem: [norm]\n"
        f"train: {{{needed(data='synthetic')}, <l1>: 0.1, weight_decay: 0.1, decay_all: true}}",
        ("idle-regulariser", "`l1` acts on kernels and matrices", "remove it"),
    ),
    "no kernel that decays": (
        f"name: net\ninput: [10]\nstem: [norm]\n"
        f"train: {{{needed(data='synthetic')}, <weight_decay>: 0.1}}",
        ("idle-regulariser", "`weight_decay` acts on kernels", "remove it"),
    ),
    "a batch norm of one sample": (
        f"{HEAD}stem: [global_avg_pool, flatten, <norm>, {{linear: 10}}]\n"
        f"train: {{{needed(batch_size='4')}, accumulate: 4}}",
        (
            "norm-with-batch-of-one",
            "so a batch of 1 fails in training",
            "more samples",
        ),
    ),
    "dropout without a linear layer": (
        f"{HEAD}stem: [{{conv: 10}}, global_avg_pool, flatten]\n"
        f"train: {{{NEEDED}, <dropout>: 0.2}}",
        ("idle-regulariser", "no linear layer", "remove it"),
    ),
    "stochastic depth without a residual block": (
        f"{NETWORK}train: {{{NEEDED}, <stochastic_depth>: 0.1}}",
        ("idle-regulariser", "no residual block", "remove it"),
    ),
    "stochastic depth twice": (
        f"{HEAD}{RESIDUAL.replace('channels: 16', 'channels: 16, drop_path: 0.1')}"
        f"head: [global_avg_pool, flatten, {{linear: 10}}]\n"
        f"train: {{{NEEDED}, <stochastic_depth>: 0.1}}",
        ("idle-regulariser", "has a `drop_path`", "one of the two"),
    ),
    "noise behind no stage": (
        f"{NETWORK}train: {{{NEEDED}, noise: {{<activations>: 0.1}}}}",
        ("idle-regulariser", "no stages", "remove it"),
    ),
    "augmentation of features": (
        f"{FEATURES}train: {{{needed(data='tensors')}, <augment>: {{flip: true}}}}",
        ("idle-regulariser", "`augment` requires images, but the input is", "remove it"),
    ),
    "mirrored features": (
        f"{FEATURES}train: {{{needed(data='tensors')}, <test_flip>: true}}",
        ("idle-regulariser", "`test_flip` requires images, but the input is", "remove it"),
    ),
}


@pytest.mark.parametrize("name", AGAINST)
def test_a_recipe_against_its_network(name: str) -> None:
    marked_text, (rule, message, hint) = AGAINST[name]
    text, place = marked(f"{marked_text}\n")
    (found,) = (d for d in findings(text) if d.severity == "error")
    assert (found.rule, str(found.span)) == (rule, place)
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("last", "loss", "message"),
    [
        ("softmax", "cross_entropy", "cross-entropy applies its own"),
        ("softmax", "bce", "`, but `bce` expects scores"),
        ("sigmoid", "bce", "`bce` applies its own"),
        ("sigmoid", "multi_label", "`multi_label` applies its own"),
        ("relu", "cross_entropy", "` follows the classifier"),
        ("softmax", "mse", ""),
        ("relu", "huber", ""),
    ],
)
def test_the_end_of_a_network_against_its_loss(last: str, loss: str, message: str) -> None:
    head = f"head: [{{linear: 10}}, <{last}>]\n"
    section = f"train: {{{needed(data='synthetic')}, loss: {loss}}}\n"
    text, place = marked(HEAD + PLAIN + head + section)
    found = findings(text)
    assert [(d.rule, str(d.span)) for d in found] == ([("head-mismatch", place)] if message else [])
    assert all(message in d.message for d in found)


def test_what_is_set_from_outside_is_held_against_the_recipe_too() -> None:
    (found,) = check_spec(load("resnet50", {"args.classes": 10}))
    assert "set `train` to `null` to drop the recipe" in found.hint
    assert check_spec(load("resnet50", {"args.classes": 10, "train": None})) == []


# What is right ------------------------------------------------------------------------


def test_the_defaults() -> None:
    recipe = train("")
    assert (recipe.loss, recipe.optimizer, recipe.momentum) == ("cross_entropy", "sgd", 0.9)
    assert recipe.schedule == Schedule(kind="cosine")
    assert (recipe.accumulate, recipe.size, recipe.test_size, recipe.test_crop) == (
        *(1, None, None),
        0.875,
    )
    off = ("dropout", "stochastic_depth", "label_smoothing", "mixup", "cutmix", "l1", "ema", "clip")
    assert not any(getattr(recipe, key) for key in (*off, "early_stopping", "warmup", "seed"))
    assert not any(dict(recipe.augment).values())
    assert recipe.noise == Noise(inputs=0, activations=0)


@pytest.mark.parametrize(
    ("section", "key", "form"),
    [
        ("schedule: constant", "schedule", Schedule(kind="constant")),
        ("schedule: {step: {every: 9}}", "schedule", Schedule(kind="step", every=9, factor=0.1)),
        ("schedule: {step: {at: [9], factor: 0.5}}", "schedule.at", (9,)),
        ("schedule: {step: {at: [9], factor: 0.5}}", "schedule.factor", 0.5),
        ("noise: 0.05", "noise", Noise(inputs=0.05, activations=0.0)),
        ("noise: {activations: 1}", "noise", Noise(inputs=0.0, activations=1.0)),
        ("augment: {flip: true, crop: 4}", "augment.crop", 4),
        ("data: folder, augment: {rand_augment: 6}", "augment.rand_augment.magnitude", 6.0),
        ("data: folder, augment: {rand_augment: 6}", "augment.rand_augment.layers", 2),
        (
            "data: folder, augment: {rand_augment: {layers: 3, magnitude: 6}}",
            "augment.rand_augment",
            RandAugment(layers=3, magnitude=6.0, deviation=0.0),
        ),
        ("data: folder, augment: {resized_crop: [0.08, 1]}", "augment.resized_crop", (0.08, 1.0)),
        ("warmup: 1", "warmup", 1.0),
        ("dropout: 0", "dropout", 0.0),
    ],
)
def test_each_way_to_write_it_is_read_to_one_form(section: str, key: str, form: Any) -> None:
    said, _, rest = section.rpartition("data: folder, ")
    text = needed(data="folder") if said or "folder" in section else NEEDED
    value: Any = parse_text(f"{NETWORK}train: {{{text}, {rest}}}\n", "net.yaml").train
    for step in key.split("."):
        value = getattr(value, step)
    assert value == form
    assert type(value) is type(form)


@pytest.mark.parametrize("data", DATA_SETS)
def test_every_data_set_can_be_trained_on(data: str) -> None:
    known = DATA_SETS[data]
    shape, classes = [known.channels or 3, 32, 32], known.classes or 10
    text = f"name: net\ninput: {shape}\n{PLAIN}head: [{{linear: {classes}}}]\n"
    assert findings(f"{text}train: {{{needed(data=data)}}}\n") == []


def test_shipped_recipes() -> None:
    with_recipe = {name for name in shipped() if load(name).train}
    assert {"resnet18_fashion_mnist", "cifar_resnet20", "resnet50", "resnet50_a3"} <= with_recipe
    assert load("resnet101").train is None


# extends ------------------------------------------------------------------------------


@pytest.fixture
def variant(tmp_path: Path) -> Any:
    """Loads `net.yaml`, which extends `middle`, which extends `base`, by its `train`."""
    base = NETWORK.replace("net", "base") + f"train: {{{NEEDED}, momentum: 0.8, dropout: 0.2}}\n"
    (tmp_path / "base.yaml").write_text(base, "utf-8")
    (tmp_path / "middle.yaml").write_text("name: middle\nextends: base\n", "utf-8")

    def loaded(section: str) -> Spec:
        path = tmp_path / "net.yaml"
        path.write_text(f"name: net\nextends: middle\n{section}\n", "utf-8")
        return load(path)

    return loaded


def test_a_spec_that_says_nothing_of_train_has_no_recipe(variant: Any) -> None:
    assert variant("args: {}").train is None
    assert variant("train: null").train is None


def test_a_recipe_is_laid_over_the_one_it_starts_from(variant: Any) -> None:
    assert variant("train: {}").train.momentum == 0.8
    changed = variant("train: {lr: 0.5, dropout: null}").train
    assert (changed.lr, changed.momentum, changed.dropout, changed.epochs) == (0.5, 0.8, 0.0, 30)


def test_a_conflict_with_what_is_inherited_is_told_in_the_file_that_makes_it(variant: Any) -> None:
    with pytest.raises(SpecError) as caught:
        variant("train: {optimizer: lamb}")
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert (Path(found.span.file).name, found.span.line, found.span.column) == ("net.yaml", 3, 9)
    assert [Path(label.span.file).name for label in found.labels] == ["base.yaml"]
    assert variant("train: {optimizer: lamb, momentum: null}").train.optimizer == "lamb"


def test_nothing_to_delete(variant: Any) -> None:
    with pytest.raises(SpecError, match="no `mixup` to remove"):
        variant("train: {mixup: null}")


# Anything -----------------------------------------------------------------------------

many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
NETWORKS = (NETWORK, f"{HEAD}{RESIDUAL}{TEN}", FEATURES, FLAT)


def told_well(text: str) -> list[Diagnostic]:
    found = findings(text)
    assert all(d.span and d.message for d in found)
    return found


def as_spec(network: str, recipe: Any) -> str:
    return f"{network}train: {as_yaml(recipe)}\n"


@many
@given(hostile_recipes())
def test_nasty_recipes(recipe: Any) -> None:
    for network in NETWORKS:
        told_well(as_spec(network, recipe))


@many
@given(recipes())
def test_keys_that_are_right_by_themselves_conflict_at_most(recipe: Any) -> None:
    text = as_spec(NETWORK, recipe)
    found = {d.rule for d in told_well(text) if d.severity == "error"}
    known = {"conflicting-keys", "missing-key", "head-mismatch", "input-mismatch"}
    assert found <= {*known, "idle-regulariser"}
    if "missing-key" not in found:
        assert list(SCHEMA.iter_errors(load_plain(text))) == []


@many
@given(hostile_recipes())
def test_what_the_models_take_the_schema_takes(recipe: Any) -> None:
    """And what the schema refuses, the models refuse."""
    text = as_spec(NETWORK, recipe)
    try:
        parse_text(text, "net.yaml")
    except SpecError:
        return
    assert list(SCHEMA.iter_errors(load_plain(text))) == []


def load_plain(text: str) -> Any:
    return parse(text, "net.yaml").data


@pytest.mark.parametrize(
    "name", [name for name in WRONG if "rise" not in name and "range" not in name]
)
def test_an_editor_finds_the_same_mistakes(name: str) -> None:
    text, _ = marked(f"{NETWORK}{WRONG[name][0]}\n")
    allowed = name in ("nothing, where nothing is inherited", "a decimal number of epochs")
    allowed = allowed or name == "a step schedule that says nothing"
    assert bool(list(SCHEMA.iter_errors(load_plain(text)))) is not allowed

"""The recipe: `train` and what stands below it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel

from archspec.language.train import Augment, Noise, RandAugment, Train
from archspec.language.train.forms import AREA, CURVES, EPOCHS, STRENGTH, Step
from archspec.language.train.values import takes
from archspec.reference import texts as reference
from archspec.schema.pieces import Schema, closed, described, filled, properties_of, when


def train() -> Schema:
    """The recipe. Which keys go together is the linter's business."""
    shares = {"items": filled(AREA.schema()), "minItems": 2, "maxItems": 2}
    epochs = {"items": filled(EPOCHS.schema()), "minItems": 1, "maxItems": 100}
    strength = takes(RandAugment, "magnitude").schema()
    augment = {
        "resized_crop": {"type": ["array", "null"], **shares},
        "rand_augment": when("object", _form(RandAugment), strength),
    }
    step = _form(Step, {"at": {"type": ["array", "null"], **epochs}})
    own = {
        "schedule": when("object", closed({"step": step}), {"enum": [*CURVES, None]}),
        "noise": when("object", _form(Noise), STRENGTH.schema()),
        "augment": _form(Augment, augment),
    }
    texts = {key: (text, "") for key, text in reference.TRAIN_KEYS.items()}
    properties = described(_form(Train, own)["properties"], texts)
    return {**closed(properties), "type": ["object", "null"]}


def _form(model: type[BaseModel], own: Mapping[str, Schema] = MappingProxyType({})) -> Schema:
    """A part of the recipe; what is off by default has no default that one could write."""
    properties = properties_of(model, own)
    for schema in properties.values():
        if schema.get("default") in (None, 0) and schema.get("type") != ["boolean", "null"]:
            schema.pop("default", None)
    return {**closed(properties), "type": ["object", "null"]}

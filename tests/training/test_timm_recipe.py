"""The recipe for timm's `train.py` in docs/training.md: what `create_model` passes is obeyed."""

from __future__ import annotations

import re
import sys
import types

import pytest
import torch

import archspec
from support import ROOT, peers


@pytest.mark.parametrize("classes", [None, 10, 7, 1])
def test_the_recipe_obeys_the_number_of_classes(
    classes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers.torchvision_models()  # declares its ops where they do not load
    import timm

    page = (ROOT / "docs" / "training.md").read_text("utf-8")
    (recipe,) = re.findall(r"```python ignore[^\n]*\n(@timm.*?)```", page, re.DOTALL)
    module = types.ModuleType("mine")
    monkeypatch.setitem(sys.modules, "mine", module)
    exec(archspec.render("resnet18_fashion_mnist"), vars(module))
    exec(recipe, vars(module) | {"timm": timm, "__name__": "mine"})
    # As train.py calls it: num_classes is None unless --num-classes says it.
    model = timm.create_model(
        "resnet18_fashion_mnist", pretrained=False, in_chans=1, num_classes=classes, drop_rate=0.0
    )
    assert model.num_classes == (classes or 10)
    assert model.eval()(torch.zeros(1, 1, 64, 64)).shape == (1, classes or 10)
    assert timm.data.resolve_data_config({"input_size": (1, 224, 224)}, model=model)

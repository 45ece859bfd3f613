"""A spec with a recipe -> a training script.

sets     facts about published data sets
choices  the lines that a recipe determines
steps    those for optimizer, schedule, batches, and loss
data     those that load the data
lines    lines by their location; how a value is written
parts    the functions, imports, and constants of `templates/training.py` that a script uses
verify   parses the script again
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from archspec.codegen import environment, marked
from archspec.codegen.view import own_imports
from archspec.training.choices import Choices
from archspec.training.options import ON_REQUEST as ON_REQUEST
from archspec.training.parts import assemble, classes_of
from archspec.training.verify import verify

if TYPE_CHECKING:
    from archspec.ir.classes import Network
    from archspec.language import Spec


def generate_training(
    spec: Spec,
    network: Network,
    model: str,
    single_file: bool = False,
    asked: Collection[str] = (),
) -> str:
    """The script that trains a network by its spec's `train` section, next to its file, `model`.

    With `single_file` the network's classes are in the script itself. Of the options in
    `ON_REQUEST`,
    the script has those in `asked`. The spec must have no lint errors: the network then has a layer
    for everything in the recipe.
    """
    assert spec.train is not None, "a spec without `train` has no training script"
    template = environment().get_template("train.py.jinja")
    text = assemble(template, Choices(spec, network), "")
    # A script of another version does not resume from this one's checkpoints, and vice versa.
    what = hashlib.sha256((model + text).encode()).hexdigest()[:16]
    view = Choices(spec, network, classes_of(model) if single_file else (), asked)
    text = assemble(template, view, what)
    verify(text, {f"from {spec.name} import {network.root.name}", *own_imports(network)})
    return marked(network.spec, text)

"""A spec with a recipe -> a training script.

sets     what is known of published data sets
choices  the lines that a recipe decides
steps    those of optimiser, schedule, batches and loss
data     those that bring the data
lines    lines by their place; how a value is written
parts    which functions, imports and constants of `templates/training.py` a script uses
verify   the script, parsed again
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
    from archspec.ir import Network
    from archspec.language import Spec


def generate_training(
    spec: Spec,
    network: Network,
    model: str,
    single_file: bool = False,
    asked: Collection[str] = (),
) -> str:
    """The script that trains a network as its spec's `train` says, beside its file, `model`.

    With `single_file` the network's classes are in the script itself, and of the options in
    `ON_REQUEST` it has those `asked` for. The spec is one in which lint finds no error: the
    network has a place for all that the recipe asks for.
    """
    assert spec.train is not None, "a spec without `train` has no training script"
    template = environment().get_template("train.py.jinja")
    text = assemble(template, Choices(spec, network), "")
    # A script of another version does not go on with this one's checkpoints, nor the reverse.
    what = hashlib.sha256((model + text).encode()).hexdigest()[:16]
    view = Choices(spec, network, classes_of(model) if single_file else (), asked)
    text = assemble(template, view, what)
    verify(text, {f"from {spec.name} import {network.root.name}", *own_imports(network)})
    return marked(network.spec, text)

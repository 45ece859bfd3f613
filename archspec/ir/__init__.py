"""The network as data: as a tree of layers with their shapes, and as the classes of a file.

In `ir.tree`, every use of every block is separate; lint, `show`, totals, and training read it. A
`Class` is what you would write by hand: parameters, layers, and a body, which defines what
`forward` computes. Printer and interpreter are folds over it: `call` defines how a layer is
constructed, `run` what a forward computes. Neither knows any op by name.

ops           what an op is; shapes
bodies        what a forward computes; the places where training acts
fold          `run`, which evaluates it
liveness      the parts of a body that its result depends on
tree          the expanded network
containers    the order of layers in containers
visitor       the layers of the tree, in the order in which they run
classes       Class, New, Layer, Network
construction  `call`, and the values of sizes

Import the last two by their own names: only what makes classes needs them, and lint does not.
"""

from archspec.ir.bodies import (
    Add,
    Apply,
    Attend,
    Body,
    Chain,
    Concat,
    Constant,
    Give,
    Interpolate,
    Load,
    Method,
    Multiply,
    Save,
    Slice,
    Split,
    Unsqueeze,
    applications,
    applied,
    main_path,
    renamed,
    residual_ends,
)
from archspec.ir.fold import Reader, X, run
from archspec.ir.ops import (
    Argument,
    Field,
    Kind,
    Op,
    OpField,
    Real,
    Shape,
    ShapeError,
    Sizes,
    argument,
    each,
    fields_of,
    op,
)

__all__ = [
    "Add",
    "Apply",
    "Argument",
    "Attend",
    "Body",
    "Chain",
    "Concat",
    "Constant",
    "Field",
    "Give",
    "Interpolate",
    "Kind",
    "Load",
    "Method",
    "Multiply",
    "Op",
    "OpField",
    "Reader",
    "Real",
    "Save",
    "Shape",
    "ShapeError",
    "Sizes",
    "Slice",
    "Split",
    "Unsqueeze",
    "X",
    "applications",
    "applied",
    "argument",
    "each",
    "fields_of",
    "main_path",
    "op",
    "renamed",
    "residual_ends",
    "run",
]

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
    Add as Add,
    Apply as Apply,
    Attend as Attend,
    Body as Body,
    Chain as Chain,
    Concat as Concat,
    Constant as Constant,
    Give as Give,
    Interpolate as Interpolate,
    Load as Load,
    Method as Method,
    Multiply as Multiply,
    Save as Save,
    Slice as Slice,
    Split as Split,
    Unsqueeze as Unsqueeze,
    applications as applications,
    applied as applied,
    main_path as main_path,
    renamed as renamed,
    residual_ends as residual_ends,
)
from archspec.ir.fold import Reader as Reader, run as run
from archspec.ir.ops import (
    Field as Field,
    Op as Op,
    OpField as OpField,
    Real as Real,
    Shape as Shape,
    ShapeError as ShapeError,
    Sizes as Sizes,
    argument as argument,
    each as each,
    fields_of as fields_of,
)

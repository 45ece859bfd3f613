"""Layers that torch has no class for: their source, printed as a whole and executed as it is."""

from __future__ import annotations

from archspec import resources

FILE = resources.TEMPLATES / "modules.py"
_TEXT = FILE.read_text(encoding="utf-8")

# class name -> source; split at blank lines, because parsing would cost each start of lint
HELPERS: dict[str, str] = {
    part.removeprefix("class ").partition("(")[0]: part.rstrip()
    for part in _TEXT.split("\n\n\n")
    if part.startswith("class ")
}

OF_MODELS = frozenset({"Tensor", "F", "Module", "Sequential", "True", "False", "None"})
# Names with another meaning in training scripts; a test compares this with their template.
OF_SCRIPTS = frozenset(
    """Any CLASSES COLUMNS Callable DDP DIGESTS DataLoader Dataset FOLDERS
    Folder Future INPUT Image ImageEnhance ImageOps Iterator LEASE LOSS_WEIGHTS Lamb MEAN NAME
    OUTPUTS Path RANK RESIDUALS SIZE SPEC STAGES STD SUFFIXES Sequence Store SummaryWriter
    SyntheticImages TARGET TARGETS TEST_SIZE ThreadPoolExecutor URL WORLD""".split()
)
# Additional names in files for inference; a test compares this with their template.
OF_DEPLOY = frozenset({"ACTIVATIONS", "Any", "FOLDED", "FusedConv2d", "ONEDNN"})
NEVER_A_CLASS = OF_MODELS | OF_SCRIPTS | OF_DEPLOY


def qualified(name: str) -> str:
    """A class as a generated file names it: one of torch, or one in the file itself."""
    return name if name in HELPERS or name in OF_DEPLOY else f"nn.{name}"


def extended(name: str) -> str:
    """The class of torch that a helper extends; "" for a class of torch."""
    return HELPERS.get(name, "").partition("(nn.")[2].partition(")")[0]

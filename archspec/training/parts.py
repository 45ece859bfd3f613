"""The parts of a script: it contains the functions, imports, and constants that it uses."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from inspect import getsource
from typing import TYPE_CHECKING

from archspec import resources
from archspec.codegen.layout import STEP
from archspec.codegen.view import wrapped
from archspec.language.train import REGULARISERS
from archspec.python import parse_python
from archspec.training.choices import Choices

if TYPE_CHECKING:
    import jinja2


Definition = ast.FunctionDef | ast.ClassDef

OF_REGULARISERS = "# The functions of the regularizers are inserted here."
FILLED = ("standard", "torch", "network", "constants", "parts")  # last, as the names in use decide
STANDARD = (
    "argparse contextlib copy ctypes gzip hashlib io math os platform signal struct sys tarfile "
    "time zipfile zlib"
).split()
FROM_STANDARD = {
    "collections.abc": ("Callable", "Iterator", "Sequence"),
    "concurrent.futures": ("Future", "ThreadPoolExecutor"),
    "functools": ("partial",),
    "importlib.util": ("find_spec",),
    "pathlib": ("Path",),
    "typing": ("Any",),
}
TORCH = (
    ("import torch", ("torch",)),
    ("import torch.distributed as dist", ("dist",)),
    ("from torch import Tensor, nn", ("nn",)),
    ("from torch.nn import functional as F", ("F",)),
    ("from torch.nn.parallel import DistributedDataParallel as DDP", ("DDP",)),
    ("from torch.optim.swa_utils import get_ema_multi_avg_fn", ("get_ema_multi_avg_fn",)),
    ("from torch.utils.data import DataLoader, Dataset", ("Dataset",)),
)
EARLY = {"signal"}  # imported by the template, before a signal may arrive  # english: ok
# Modules that only some runs need are imported where they are used.
INSIDE_FUNCTIONS = (
    "import fcntl",
    "import msvcrt",
    "from torch.utils.tensorboard import SummaryWriter",
    "from PIL import Image, ImageOps",
    "from PIL import Image, ImageEnhance, ImageOps",
    "from safetensors.torch import load as unpacked",
    "from simplejpeg import decode_jpeg",
    "from torchvision.transforms import v2",
)


def allowed(node: ast.Import | ast.ImportFrom, own: Set[str]) -> bool:
    """Whether a script may import this: a module in this list, or in its `own` lines."""
    line = ast.unparse(node)
    if isinstance(node, ast.Import) and line.removeprefix("import ") in STANDARD:
        return True
    if isinstance(node, ast.ImportFrom) and node.module in FROM_STANDARD:
        return {alias.name for alias in node.names} <= set(FROM_STANDARD[node.module])
    return line in {*own, *INSIDE_FUNCTIONS, *(line for line, _ in TORCH)}


def assemble(template: jinja2.Template, view: Choices, spec: str) -> str:
    """The script with everything that it uses, and nothing else."""
    bare = template.render(view=view, **dict.fromkeys(FILLED, ("pass",)))
    used = _names(bare)
    wanted = _closure(used)
    used = used.union(*(_reads()[name] for name in wanted))
    parts = [source for name, source in _parts().items() if name in wanted]
    constants = [line for name, line in view.constants(spec) if name in used]
    for line in constants:
        used |= _names(line)
    text = template.render(
        view=view,
        standard=_standard(used),
        torch=[line for line, names in TORCH if used & set(names)],
        network=_network(view),
        constants=constants,
        parts=parts,
    )
    return "\n".join(line.rstrip() for line in text.split("\n"))


def classes_of(source: str) -> Sequence[str]:
    """The classes of a model file, as lines, with two empty ones before each."""
    lines, found = source.splitlines(), list[str]()
    for node in parse_python(source).body:
        if isinstance(node, ast.ClassDef):
            found += ["", "", *lines[node.lineno - 1 : node.end_lineno]]
    return found


@cache
def _parts() -> dict[str, str]:
    """Function or class that a script may use -> its source, in order."""
    text = (resources.TEMPLATES / "training.py").read_text(encoding="utf-8")
    first, last = text.split(OF_REGULARISERS)
    found = dict(_defined(first, (ast.FunctionDef, ast.ClassDef)))
    for part in REGULARISERS:
        found |= _defined(getsource(sys.modules[part.__module__]), (ast.FunctionDef,))
    return found | dict(_defined(last, (ast.FunctionDef, ast.ClassDef)))


def _defined(text: str, kinds: tuple[type[Definition], ...]) -> Iterator[tuple[str, str]]:
    """The public functions and classes of a module."""
    lines = text.splitlines()
    for node in parse_python(text).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            yield node.name, "\n".join(lines[first - 1 : node.end_lineno])


@cache
def _reads() -> dict[str, set[str]]:
    """Part -> the names that it uses."""
    return {name: _names(source) for name, source in _parts().items()}


def _closure(used: set[str]) -> set[str]:
    """The parts that are used, and those that they use."""
    reads, wanted, open_ = _reads(), set[str](), used
    while new := (open_ & reads.keys()) - wanted:
        wanted |= new
        open_ = {name for part in new for name in reads[part]}
    return wanted


def _names(source: str) -> set[str]:
    """The names that a module reads, without the variables of its functions."""
    return set[str]().union(*map(_reads_of, parse_python(source).body))


def _reads_of(node: ast.stmt) -> set[str]:
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    own = isinstance(node, ast.FunctionDef)
    stored = {name.id for name in names if own and isinstance(name.ctx, ast.Store)}
    return {name.id for name in names} - stored


def _standard(used: set[str]) -> list[str]:
    found = [f"import {name}" for name in STANDARD if name in used - EARLY]
    for module, names in FROM_STANDARD.items():
        if wanted := [name for name in names if name in used]:
            found.append(f"from {module} import {', '.join(wanted)}")
    return found


def _network(view: Choices) -> Iterable[str]:
    return wrapped(f"from {view.name} import {view.class_name}", STEP)

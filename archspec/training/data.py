"""The lines of a script that bring its data: from memory, from a folder, or made up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archspec.codegen.layout import WIDTH
from archspec.language.train import ANY_TARGET, DATA_SETS
from archspec.training.sets import IMAGENET_MEAN, IMAGENET_STD, PUBLISHED
from archspec.training.steps import INSIDE

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.training.lines import Lines

READERS = {"cifar10": "read_cifar10", "tensors": "read_tensors"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
MOST_BYTES = 2**27  # of made-up data


class Data:
    """What a recipe's data set, and the network's input, decide."""

    def __init__(self, recipe: Train, lines: Lines, input: tuple[int, ...], outputs: int) -> None:
        self.recipe, self.lines, self.known = recipe, lines, DATA_SETS[recipe.data]
        self.published = PUBLISHED.get(recipe.data)
        self.folder = self.known.kind == "folder"
        self.classes = recipe.of_classes
        # Images are bytes where the data set has bytes, or is made up of classes of images.
        made_up = recipe.data == "synthetic" and self.classes and len(input) == 3
        self.images = recipe.data not in ANY_TARGET or made_up
        side = self.known.size
        self.input = (input[0], side, side) if side else input
        self.outputs = outputs
        self.size = recipe.size or input[-1]
        self.test_size = recipe.test_size or (input[-1] if self.folder else self.size)

    @property
    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and deviation of each channel, of bytes."""
        if self.published:
            return self.published.mean, self.published.std
        if self.folder:
            return IMAGENET_MEAN, IMAGENET_STD
        return (127.0,) * self.input[0], (52.0,) * self.input[0]

    @property
    def names(self) -> str:
        """The classes' names, as an expression."""
        if self.published:
            return "CLASSES"
        return "names" if self.folder else "list(map(str, range(OUTPUTS)))"

    def read(self) -> Iterator[str]:
        """Reads or makes the data, and counts it."""
        if self.folder:
            yield from self._folders()
            yield "count = len(training)"
            return
        made = f"[*{self._maker}({self._count}, 1), *{self._maker}({self._count // 4}, 2)]"
        if self.recipe.data == "synthetic":
            yield f"data = {made}"
        else:
            yield 'if args.data == "synthetic":'
            yield f"{INSIDE}data = {made}"
            yield "else:"
            yield f"{INSIDE}data = {READERS.get(self.recipe.data, 'read_idx_set')}(args)"
        names = f"{self.x}, {self.y}, test_{self.x}, test_{self.y}"
        yield f"{names} = [part.to(device) for part in data]"
        yield f"count = len({self.x})"

    @property
    def x(self) -> str:
        return "images" if self.images else "inputs"

    @property
    def y(self) -> str:
        return "labels" if self.classes else "targets"

    @property
    def targets(self) -> str:
        """What the loss takes as a target: its kind, the least and the greatest value."""
        if self.classes:
            return "torch.int64, 0, OUTPUTS - 1"
        return f"torch.float32, {'-3e38, 3e38' if self.recipe.of_values else '0, 1'}"

    @property
    def _maker(self) -> str:
        if self.images:
            return "synthetic"
        if self.classes:
            return "synthetic_choices"
        return "synthetic_values" if self.recipe.of_values else "synthetic_labels"

    @property
    def _count(self) -> int:
        return max(256, min(4096, MOST_BYTES // math.prod(self.input) // 64 * 64))

    def _folders(self) -> Iterator[str]:
        enlarged = round(self.test_size / self.recipe.test_crop)
        yield "names = list(map(str, range(OUTPUTS)))"
        yield 'if args.data == "synthetic":'
        yield f"{INSIDE}training: Any = SyntheticImages(4096, {self.size})"
        yield f"{INSIDE}testing: Any = SyntheticImages(1024, {self.test_size})"
        yield "else:"
        yield f'{INSIDE}with needs("torchvision"):'
        imported = "from torchvision.transforms import v2"
        yield f"{INSIDE * 2}{imported}  # type: ignore[import-untyped]"
        yield ""
        yield f"{INSIDE}root = Path(args.data or FOLDERS[0])"
        yield f"{INSIDE}change = v2.Compose("
        yield f"{INSIDE * 2}["
        for step in self._changes():
            yield f"{INSIDE * 3}{step},"
        yield f"{INSIDE * 2}]"
        yield f"{INSIDE})"
        yield f'{INSIDE}training = Folder(root / "train", change, args.seed)'
        yield f"{INSIDE}middle = [v2.Resize({enlarged}), v2.CenterCrop({self.test_size})]"
        yield f"{INSIDE}whole = v2.Compose([v2.PILToTensor(), *middle])"
        yield f"{INSIDE}names = training.classes"
        yield f'{INSIDE}testing = Folder(root / "val", whole, like=names)'
        yield f"{INSIDE}for part in (training, testing) if args.cache else ():"
        yield f"{INSIDE * 2}store(part, {max(enlarged, self._enlarged)}, args)"

    def _changes(self) -> Iterator[str]:
        usual = ["v2.PILToTensor()", f"v2.Resize({self._enlarged})", "v2.RandomCrop({size})"]
        for line in self.lines["crop"] or usual:
            yield line.format(size=self.size)
        yield from self.lines["transform"]

    @property
    def _enlarged(self) -> int:
        """The shorter side of an image of which a part is taken to train with."""
        return round(self.size / self.recipe.test_crop)

    def feed(self) -> Iterator[str]:
        """This process's batches, to train with; and the keys of those to test with."""
        yield 'keys = shares(count, run["step"], steps, args)'
        if self.folder:
            yield "feed = iter(batches(training, keys, args))"
            length = "len(testing)"
        else:
            yield f"feed = (({self.x}[key % count], {self.y}[key % count]) for key in keys)"
            length = f"len(test_{self.x})"
        yield f"test_keys = torch.arange({length}).split(args.batch_size // parts)"
        yield "test_keys = test_keys[RANK::WORLD]  # none, if others have all"

    def batch(self) -> Iterator[str]:
        """A training batch, on its device, prepared and augmented."""
        if self.folder:
            yield "x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)"
        if self.images:
            yield "x = prepare(x)"
        yield from self.lines["images"]
        if self.resized(self.size):
            yield f"x = resize(x, {self.size})"
        yield from self.lines["inputs"]
        if self.recipe.loss == "bce":
            yield "y = F.one_hot(y, OUTPUTS).float()"
        yield from (*self.lines["mixture"], *self.lines["targets"])

    def resized(self, size: int) -> bool:
        """Whether images in memory are brought to another size."""
        return len(self.input) == 3 and not self.folder and size != self.input[-1]

    def test(self, indent: str) -> Iterator[str]:
        """The batches to test with, prepared."""
        if self.folder:
            yield "loaded = batches(testing, test_keys, args)"
            yield "test = ((prepare(x.to(device)), y.to(device)) for x, y in loaded)"
            return
        x, y = f"test_{self.x}[key]", f"test_{self.y}[key]"
        if self.images:
            x = f"prepare({x})"
        if self.resized(self.test_size):
            x = f"resize({x}, {self.test_size})"
        flat = f"test = (({x}, {y}) for key in test_keys)"
        if len(indent + flat) <= WIDTH:
            yield flat
        else:
            yield from ("test = (", f"{INSIDE}({x}, {y})", f"{INSIDE}for key in test_keys", ")")

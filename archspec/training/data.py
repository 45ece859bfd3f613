"""The lines of a script that load its data: from memory, from a directory, or synthetic."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from archspec.codegen.layout import WIDTH
from archspec.language.train import ANY_TARGET, DATA_SETS
from archspec.training.sets import PUBLISHED, statistics
from archspec.training.steps import INSIDE

if TYPE_CHECKING:
    from archspec.language.train import Train
    from archspec.training.lines import Lines

READERS = {"cifar10": "read_cifar10", "tensors": "read_tensors"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
MOST_BYTES = 2**27  # of synthetic data


class Data:
    """The choices that depend on a recipe's data set and the network's input."""

    def __init__(
        self,
        recipe: Train,
        lines: Lines,
        input: tuple[int, ...],
        outputs: int,
        asked: Collection[str],
    ) -> None:
        self.asked = asked
        self.recipe, self.lines, self.known = recipe, lines, DATA_SETS[recipe.data]
        self.published = PUBLISHED.get(recipe.data)
        self.folder = self.known.kind == "folder"
        self.classes = recipe.of_classes
        # Images are bytes if the data set has bytes, or is synthetic classes of images.
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
        return statistics(self.recipe.data, self.input[0])

    @property
    def names(self) -> str:
        """The classes' names, as an expression."""
        if self.published:
            return "CLASSES.split()"
        return "names" if self.folder else "list(map(str, range(OUTPUTS)))"

    def read(self) -> Iterator[str]:
        """Load or generate the data, and count it."""
        if self.folder:
            yield from self._folders()
            yield "sizes = {part: len(images) for part, images in data.items()}"
            return
        few = self._count // 4
        made = (
            f'sizes = {{"train": {self._count}, "val": {few}, "test": {few}}}',
            f"data = {{part: {self._maker}(n, seed_of(part)) for part, n in sizes.items()}}",
        )
        if self.recipe.data == "synthetic":
            yield from made
        else:
            yield 'if args.data == "synthetic":'
            yield from (INSIDE + line for line in made)
            yield "else:"
            read = f"{READERS.get(self.recipe.data, 'read_idx_set')}(args)"
            read = f"of_first(lambda: {read})" if self.published else read
            yield f"{INSIDE}data = {read}"
            if share := self.recipe.validation:
                inside = INSIDE if self.published else INSIDE * 2
                if not self.published:
                    yield f'{INSIDE}if "val" not in data:'
                yield f'{inside}x, y = data["train"]'
                yield f"{inside}kept, held = held_out(len(x), {share!r}, args.seed)"
                parts = '{"train": (x[kept], y[kept]), "val": (x[held], y[held])}'
                yield f"{inside}data |= {parts}"
        yield "data = {part: (x.to(device), y.to(device)) for part, (x, y) in data.items()}"
        yield f'{self.x}, {self.y} = data["train"]'
        yield "sizes = {part: len(x) for part, (x, _) in data.items()}"

    @property
    def x(self) -> str:
        return "images" if self.images else "inputs"

    @property
    def y(self) -> str:
        return "labels" if self.classes else "targets"

    @property
    def targets(self) -> str:
        """The targets of the loss: their type, minimum, and maximum."""
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
        enlarged = int(self.test_size / self.recipe.test_crop)
        made = f'"train": (4096, {self.size}), "val": (1024, {self.test_size})'
        yield "data: dict[str, Any] = {}"
        yield "names = list(map(str, range(OUTPUTS)))"
        yield 'if args.data == "synthetic":'
        yield f'{INSIDE}made = {{{made}, "test": (1024, {self.test_size})}}'
        yield f"{INSIDE}for part, (n, side) in made.items():"
        yield f"{INSIDE * 2}data[part] = SyntheticImages(n, side, seed_of(part))"
        yield "else:"
        yield f'{INSIDE}with needs("torchvision"):'
        imported = "from torchvision.transforms import v2"
        yield f"{INSIDE * 2}{imported}  # type: ignore[import-untyped]"
        yield ""
        yield f"{INSIDE}root = Path(args.data or FOLDERS[0])"
        change, *more = self._changes()
        if more:
            yield f"{INSIDE}changes = ["
            yield from (f"{INSIDE * 2}{step}," for step in (change, *more))
            yield f"{INSIDE}]"
            change = "v2.Compose(changes)"
        yield f"{INSIDE}change = {change}"
        middle = f"v2.Resize({enlarged}), v2.CenterCrop({self.test_size})"
        yield f"{INSIDE}whole = v2.Compose([v2.PILToTensor(), {middle}])"
        yield f'{INSIDE}data["train"] = Folder(root / "train", change, args.seed)'
        yield f'{INSIDE}names = data["train"].classes'
        yield f'{INSIDE}for part in ("val", "test"):'
        yield f"{INSIDE * 2}if (root / part).is_dir():"
        yield f"{INSIDE * 3}data[part] = Folder(root / part, whole, like=names)"
        if "cache" in self.asked:
            yield f"{INSIDE}for images in data.values() if args.cache else ():"
            yield f"{INSIDE * 2}keep_decoded(images, {max(enlarged, self._enlarged)}, args)"
        if share := self.recipe.validation:
            yield f'{INSIDE}if "val" not in data:'
            yield f'{INSIDE * 2}images = data["train"]'
            yield f"{INSIDE * 2}kept, held = held_out(len(images), {share!r}, args.seed)"
            yield f'{INSIDE * 2}data["train"] = images.some(kept, change)'
            yield f'{INSIDE * 2}data["val"] = images.some(held, whole)'

    def _changes(self) -> Iterator[str]:
        usual = ["v2.PILToTensor()", f"v2.Resize({self._enlarged})", "v2.RandomCrop({size})"]
        for line in self.lines["crop"] or usual:
            yield line.format(size=self.size)
        yield from self.lines["transform"]

    @property
    def _enlarged(self) -> int:
        """The shorter side of an image that is cropped for training."""
        return int(self.size / self.recipe.test_crop)

    @property
    def place(self) -> str:
        """Where the keys of samples are: with the samples."""
        return '"cpu"' if self.folder else "device"

    def feed(self) -> Iterator[str]:
        """This process's batches, for training."""
        given = f'count, run["step"], steps, {self.place}'
        keys = next(iter(self.lines["keys"]), "shares({given}, args)")
        yield f"keys = {keys.format(given=given)}"
        if self.folder:
            yield 'feed = iter(batches(data["train"], keys, device, args))'
            return
        x = f"{self.x}[key % count]"
        for around in self.lines["sample"]:
            x = around.format(x)
        yield from _pairs(x, f"{self.y}[key % count]", INSIDE)

    def batch(self) -> Iterator[str]:
        """A training batch, on its device, prepared and augmented."""
        x = "prepare(x)" if self.images else "x"
        if self.lines["images"] and self.images:
            yield "x = prepare(x)"
            x = "x"
        yield from self.lines["images"]
        if self.resized(self.size):
            x = f"resize({x}, {self.size})"
        if x != "x":
            yield f"x = {x}"
        yield from self.lines["inputs"]
        if self.recipe.loss == "bce":
            yield "y = F.one_hot(y, OUTPUTS).float()"
        yield from (*self.lines["mixture"], *self.lines["targets"])

    def resized(self, size: int) -> bool:
        """Whether images in memory are resized."""
        return len(self.input) == 3 and not self.folder and size != self.input[-1]

    def part(self, indent: str) -> Iterator[str]:
        """The batches of these keys of a part of the data, prepared."""
        if self.folder:
            yield "keys = torch.arange(sizes[part]).split(args.batch_size // parts)[RANK::WORLD]"
            loaded = "batches(data[part], keys, device, args)"
            yield f"feed = ((prepare(x), y) for x, y in {loaded})"
            return
        yield "keys = torch.arange(sizes[part], device=device).split(part_size)[RANK::WORLD]"
        yield "all_x, all_y = data[part]"
        x, y = "all_x[key]", "all_y[key]"
        if self.images:
            x = f"prepare({x})"
        if self.resized(self.test_size):
            x = f"resize({x}, {self.test_size})"
        yield from _pairs(x, y, indent)


def _pairs(x: str, y: str, indent: str) -> Iterator[str]:
    """The feed of samples and targets for keys."""
    flat = f"feed = (({x}, {y}) for key in keys)"
    if len(indent + flat) <= WIDTH:
        yield flat
    else:
        yield from ("feed = (", f"{INSIDE}({x}, {y})", f"{INSIDE}for key in keys", ")")

"""The blocks that get a panel: one of each form, those with the most multiply-adds first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from archspec.ir import Shape
from archspec.picture.panel import simplified
from archspec.picture.rows import Graph, Node
from archspec.picture.steps import Box, Join, Step, Tensor, Unit


@dataclass(eq=False)
class Use:
    """A use of a block: its row, its input shape, and whether its shortcut has a layer."""

    unit: Unit
    node: Node
    place: int
    enters: Shape
    projects: bool


@dataclass(eq=False)
class Form:
    """Uses of a block that differ only in sizes and in whether the shortcut has layers.

    `kin` are the rows of all forms of the block.
    """

    kind: str
    kin: list[Node]
    uses: list[Use] = field(default_factory=list)
    residual: bool = False
    title: str = ""

    @property
    def macs(self) -> int:
        """Multiply-adds of all uses together."""
        return sum(use.unit.cost.macs for use in self.uses)

    @property
    def optional(self) -> bool:
        """Whether only some uses have a layer in the shortcut."""
        return len({use.projects for use in self.uses}) > 1

    @property
    def shown(self) -> Use:
        """The use to draw: the first with a projection that resizes the image, or a typical one."""
        projecting = [use for use in self.uses if use.projects]
        strided = [use for use in projecting if use.enters.spatial != use.unit.y.spatial]
        later = [use for use in self.uses if use.place]
        return (strided or projecting or later or self.uses)[0]

    @property
    def leads(self) -> bool:
        """Whether all uses are the first blocks of their rows."""
        return not any(use.place for use in self.uses)

    @property
    def nodes(self) -> list[Node]:
        """The rows of all uses."""
        return list(dict.fromkeys(use.node for use in self.uses))

    @property
    def where(self) -> str:
        """The names of its rows."""
        return listed(self.nodes, self.kin)

    @property
    def note(self) -> str:
        """The note below the panel: which use it shows, and how the others differ."""
        use = self.shown
        shown = _ordinal(use) if len(use.node.units) > 1 else use.node.title
        told = [f"Shown: {shown}."] if len(self.uses) > 1 else []
        if self.optional:
            projecting = [one for one in self.uses if one.projects]
            where = f"in {len(projecting)} of {len(self.uses)} blocks"
            if not any(one.place for one in projecting):
                rows = listed([one.node for one in projecting], self.kin)
                where = f"in the first block of {rows}"
            told.append(
                f"The dashed projection is {where}; elsewhere the shortcut is the identity."
            )
        return " ".join(told)


def _ordinal(use: Use) -> str:
    names = ("first", "second", "third")
    which = f"{names[use.place]} block" if use.place < 3 else f"block {use.place + 1}"
    return f"{which} of {use.node.title}"


def listed(nodes: Iterable[Node], among: Sequence[Node]) -> str:
    """The names of rows in short: `layer1 – layer4`, if these are all rows between the two."""
    parts = list[str]()
    for run in runs(nodes, among):
        titles = [node.title for node in run]
        parts += titles if len(titles) < 3 else [f"{titles[0]} \u2013 {titles[-1]}"]
    return (", " if len(parts) > 2 else " and ").join(parts)


def runs(nodes: Iterable[Node], among: Sequence[Node]) -> list[list[Node]]:
    """These of the rows `among`, split where others are between them."""
    chosen = {*nodes}
    return [[*run] for inside, run in groupby(among, chosen.__contains__) if inside]


def forms(graph: Graph) -> list[Form]:
    """The forms of all blocks, those with the most multiply-adds first."""
    found = dict[object, Form]()
    for use in _uses(graph):
        drawn = simplified(use.unit.steps)
        if sum(1 for _ in layers_in(drawn)) < 2:
            continue
        residual = any(_shortcut(join) is not None for join in _joins(drawn))
        key = (use.unit.kind, _signature(drawn))
        kin = [node for node in graph.nodes if node.kind == use.node.kind]
        form = found.setdefault(key, Form(use.unit.kind, kin, residual=residual))
        form.uses.append(use)
    ordered = sorted(found.values(), key=lambda form: -form.macs)
    for form in ordered:
        others = [one for one in ordered if one.kind == form.kind]
        form.title = form.kind
        if len({one.residual for one in others}) > 1:
            form.title += ", with shortcut" if form.residual else ", no shortcut"
    rivals = [[one for one in ordered if _alike(one, form)] for form in ordered]
    which = [_which(form, others) for form, others in zip(ordered, rivals, strict=True)]
    for form, text in zip(ordered, which, strict=True):
        form.title += text
    return ordered


def _alike(one: Form, other: Form) -> bool:
    """Whether two forms would have one title above the same rows."""
    shared = one.title == other.title and not {*one.nodes}.isdisjoint(other.nodes)
    return shared and one is not other


def _which(form: Form, rivals: Sequence[Form]) -> str:
    """How a form differs from those with the same title."""
    if len(rivals) == 1 and form.leads != rivals[0].leads:
        return ", first block" + "s" * (len(form.uses) > 1) if form.leads else ", other blocks"
    return f", {_ordinal(form.uses[0])}" if rivals else ""


def _uses(graph: Graph) -> Iterator[Use]:
    for node in (node for node in graph.nodes if not node.aside):
        source = next(iter(node.inputs), -1)
        shapes = [graph.output(source), *(unit.y for unit in node.units)]
        for place, (enters, unit) in enumerate(zip(shapes, node.units, strict=False)):
            if node.kind:
                projects = any(map(_shortcut, _joins(simplified(unit.steps))))
                yield Use(unit, node, place, enters, projects)


def _joins(steps: Sequence[Step]) -> Iterator[Join]:
    """The joins in these steps, except those in a residual, whose shortcut is that of the block."""
    for step in steps:
        if isinstance(step, Join):
            yield step
            for branch in step.branches if _shortcut(step) is None else ():
                yield from _joins(branch)


def layers_in(steps: Sequence[Step]) -> Iterator[Step]:
    """All boxes in these steps."""
    for step in steps:
        if isinstance(step, Join):
            for branch in step.branches:
                yield from layers_in(branch)
        elif not isinstance(step, Tensor):
            yield step


def _shortcut(join: Join) -> tuple[Step, ...] | None:
    """The branch of a residual sum with the fewest layers, if it is a shortcut."""
    if join.sign != "+" or len(join.branches) != 2:
        return None
    short = min(join.branches, key=lambda branch: sum(1 for _ in layers_in(branch)))
    few = len(short) <= 3 and all(isinstance(step, Box) for step in short)
    return short if few else None


def _signature(steps: Sequence[Step]) -> object:
    """A key that is equal for uses that look the same when drawn."""
    return tuple(map(_mark, steps))


def _mark(step: Step) -> object:
    match step:
        case Box(kind=kind, takes=takes, notes=notes):
            return kind, takes, bool(notes)
        case Join(sign=sign, branches=branches):
            shortcut = _shortcut(step)
            kept = [branch for branch in branches if branch is not shortcut]
            return sign, shortcut is not None, tuple(map(_signature, kept))
        case Tensor(saved=saved):
            return saved
    return step.kind if isinstance(step, Unit) else ""

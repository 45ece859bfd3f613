"""Shapes, parameters, and multiply-adds of a network, layer by layer, without torch."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, TypeVar, get_args

from archspec.conventions import CONVENTIONS, Count
from archspec.diagnostics import did_you_mean, plural
from archspec.ir import Apply, Body, Chain, Give, Load, Op, Save, Shape, applications, applied
from archspec.ir.bodies import is_gated, parts_of
from archspec.ir.containers import gathered
from archspec.ir.tree import BlockCall, Container, ExpandedNetwork, ModuleNode, OpCall, OpSite, Site
from archspec.ir.visitor import visits_of
from archspec.memo import Memo, remember
from archspec.memory import STATES, Memory, Precision, memory_of, step_of
from archspec.receptive import ReceptiveField, receptive_field
from archspec.records import Record

T = TypeVar("T")


class Row(NamedTuple):
    """One layer: its path, its op, its output, and its cost.

    `output` is the shape for one sample. `macs` are the multiply-adds of convolutions and linear,
    recurrent, and attention layers, without biases; other layers have none.
    """

    path: str
    op: str
    output: tuple[int, ...]
    params: int
    macs: int
    layer: Op


class Cost(NamedTuple):
    """Parameters, multiply-adds, and weighted layers on the longest path."""

    params: int = 0
    macs: int = 0
    depth: int = 0


class Analysis(Record):
    """Shapes, parameters, and multiply-adds of a network.

    `input`, `output`, and `outputs` are shapes of one sample, and `macs` multiply-adds for one
    sample. `depth` is the number of convolutions and linear layers on the longest path; a stem
    counts as one (He et al., 2015).
    """

    name: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    depth: int
    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)
    network: ExpandedNetwork | None = field(default=None, repr=False, compare=False)
    memo: Memo | None = field(default=None, repr=False, compare=False)
    count: Count | None = field(default=None, repr=False, compare=False)  # by another convention

    def counted(self, convention: str) -> "Analysis":
        """Count operations like fvcore, torchinfo, or ptflops, as the `macs` of a new analysis.

        Raises `ValueError` for any other convention.
        """
        _check("convention", convention, CONVENTIONS)
        found = replace(self, count=CONVENTIONS[convention])
        return replace(found, macs=sum(row.macs for row in found.rows))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The layers in the order in which they run; parameters are counted the first time."""
        seen: set[str] = set()
        rows, network = list[Row](), self.network
        if network is None:
            return ()
        running = {id(application.site) for application in applications(network.evaluated)}
        for name, site in network.root.sites:
            for visit in visits_of(network, name, site):
                op, y = visit.site.op, visit.site.y
                params = 0 if visit.path in seen else visit.site.call.params
                macs = self._count(op, visit.site.x, y) if id(site) in running else 0
                seen.add(visit.path)
                rows.append(Row(visit.path, visit.site.call.torch, y.sizes, params, macs, op))
        return tuple(rows)

    def _count(self, op: Op, x: Shape, y: Shape) -> int:
        return self.count(op, x, y) if self.count else op.macs(y)

    def attribute(self, path: str) -> str:
        """The attribute of the network that a layer is in; one in a container has dots."""
        parts = path.split(".")
        paths = (".".join(parts[:count]) for count in range(1, len(parts)))
        return next((here for here in paths if here in self._attributes), path)

    @cached_property
    def _attributes(self) -> frozenset[str]:
        root = self.network.root if self.network else None
        return frozenset(child.attribute for child in root.attributes) if root else frozenset()

    @property
    def aside(self) -> frozenset[str]:
        """Attributes that only run during training, and whose multiply-adds do not count."""
        network = self.network
        if network is None or not network.training:
            return frozenset()
        return frozenset(applied(network.root.body)) - frozenset(applied(network.evaluated))

    @property
    def state(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of the network's `state_dict`, in the order of computation.

        Layers of one container, such as `convs.0` and `convs.1`, are adjacent.
        """
        return state(self.rows)

    def memory(
        self,
        batch: int,
        precision: Precision = "fp32",
        optimizer: str = "sgd",
        ema: bool = False,
        frozen: Collection[str] = (),
    ) -> Memory:
        """Calculate the memory of `batch` samples on one device, in bytes.

        The result has the peaks of a training step and of inference. With `bf16` or `fp16`,
        autocast runs layers that multiply by weights, but the weights stay in float32. `ema`
        includes a copy of the weights. The layers and stages at the paths in `frozen` are not
        trained. Raises `ValueError` for an unknown optimizer, precision, or path, or a batch
        below 1.
        """
        return self._memory(memory_of, batch, precision, optimizer, ema, frozen)

    def training_peak(
        self,
        batch: int,
        precision: Precision = "fp32",
        optimizer: str = "sgd",
        ema: bool = False,
        frozen: Collection[str] = (),
    ) -> int:
        """Calculate `memory(...).training` alone, in less time."""
        return self._memory(step_of, batch, precision, optimizer, ema, frozen).training

    def _memory(
        self,
        calculate: Callable[..., T],
        batch: int,
        precision: Precision,
        optimizer: str,
        ema: bool,
        frozen: Collection[str],
    ) -> T:
        _check("precision", precision, get_args(Precision))
        _check("optimizer", optimizer, STATES)
        if not isinstance(batch, int) or batch < 1:
            raise ValueError(f"batch: expected an integer of at least 1, found {batch!r}")
        if self.network is None:
            raise ValueError("the analysis has no network")
        self._check_paths("frozen", frozen)
        memo = self.memo.trimmed() if self.memo else Memo()
        return calculate(self.network, batch, precision, optimizer, ema, frozen, memo=memo)

    def _check_paths(self, name: str, paths: Collection[str]) -> None:
        """Raise `ValueError` if a path is not that of a layer, or of a module with layers."""
        if isinstance(paths, str) or not all(isinstance(path, str) for path in paths):
            raise TypeError(f"{name}={paths!r}: expected a list of paths, such as `['conv1']`")
        for path in paths:
            if path not in self._paths:
                hint = did_you_mean(path, self._paths)
                raise ValueError("; ".join(filter(None, [f"{name}: unknown path {path!r}", hint])))

    @cached_property
    def _paths(self) -> frozenset[str]:
        """The paths of all layers, and of the modules that they are in."""
        parts = (row.path.split(".") for row in self.rows)
        return frozenset(path for each in parts for path in accumulate(each, "{}.{}".format))

    def __str__(self) -> str:
        """The table that `archspec show` prints."""
        return table(self)

    def _repr_html_(self) -> str:
        """The same table in a notebook."""
        head, columns, rows, total = _table(self, None)
        lines = [_html(columns, "th"), *(_html(row, "td") for row in rows), _html(total, "th")]
        return f"<table><caption>{head.translate(_ESCAPES)}</caption>{''.join(lines)}</table>"

    @cached_property
    def receptive_field(self) -> ReceptiveField | None:
        """The number of input pixels that one value of the last feature map depends on."""
        return receptive_field(self.network) if self.network else None

    @property
    def activations(self) -> int:
        """The number of values in the outputs of all layers, for one sample."""
        return sum(math.prod(row.output) for row in self.rows)


def state(rows: Iterable[Row]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the saved tensors of these layers."""
    return {
        name: shape
        for row in gathered(rows, lambda row: row.path)
        for name, shape in row.layer.saved(row.path).items()
    }


def _check(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}; found {value!r}")


def analyze_network(network: ExpandedNetwork, *, memo: Memo | None = None) -> Analysis:
    """The counts of the network, from the counts of its blocks: each is counted once."""
    memo = memo.session() if memo else Memo()
    root = network.root
    params = sum(_parameters(child.module, memo) for child in root.attributes)
    way = _Way(memo)
    longest = way.through(network.evaluated, 0)
    tops = root.sites
    depths = [(name, _cost_at(site, memo).depth) for name, site in tops]
    depth = _depth(depths, network.stages)
    if network.linked:  # paths join, and side branches lead away
        depth = longest - max(_of_stem(depths, network.stages) - 1, 0)
    return Analysis(
        network.name,
        network.input.sizes,
        network.output.sizes,
        params,
        way.macs,
        depth,
        _leaving(network),
        network,
        memo=memo,
    )


def _leaving(network: ExpandedNetwork) -> dict[str, tuple[int, ...]]:
    """The output sizes of each attribute, and of outputs that have other names."""
    sizes = {name: site.y.sizes for name, site in network.root.sites}
    outputs = (*network.outputs, *network.training)
    return {**sizes, **{name: network.tensors[name].shape.sizes for name in outputs}}


def _depth(depths: list[tuple[str, int]], stages: tuple[str, ...]) -> int:
    """Weighted layers on the longest path; a stem of several counts as one (He et al., 2015)."""
    stem = _of_stem(depths, stages)
    return min(stem, 1) - stem + sum(depth for _, depth in depths)


def _of_stem(depths: list[tuple[str, int]], stages: tuple[str, ...]) -> int:
    """Weighted layers before the first stage of blocks."""
    first = next((place for place, (name, _) in enumerate(depths) if name in stages), 0)
    return sum(depth for _, depth in depths[:first])


def _cost(container: Container, *, memo: Memo | None) -> Cost:
    params = sum(_parameters(child.module, memo) for child in container.attributes)
    way = _Way(memo)
    depth = way.through(container.body, 0)
    return Cost(params, way.macs, depth)


_cost_of_part = remember(_cost)  # a network itself occurs once


def _parameters(module: ModuleNode, memo: Memo | None) -> int:
    if isinstance(module, OpCall):
        return module.params
    container = module.instance if isinstance(module, BlockCall) else module
    return _cost_of_part(container, memo=memo).params


def _cost_at(site: Site | None, memo: Memo | None) -> Cost:
    """Multiply-adds and depth of an application."""
    if site is None:
        return Cost()
    if isinstance(site, OpSite):
        macs = site.op.macs(site.y)
        return Cost(0, macs, int(macs > 0))
    return _cost_of_part(site.container, memo=memo)


class _Way:
    """The path through a body: multiply-adds so far, and the depth of each named tensor."""

    def __init__(self, memo: Memo | None) -> None:
        self.memo, self.macs = memo, 0
        self.depths: dict[str, int] = {}

    def through(self, body: Body, depth: int) -> int:
        """The weighted layers passed at the end of a body, with `depth` before it."""
        match body:
            case Apply(site=site, inputs=inputs, outputs=outputs):
                cost = _cost_at(site, self.memo)
                self.macs += cost.macs
                depth = max([depth, *(self.depths.get(name, 0) for name in inputs)]) + cost.depth
                self.depths |= dict.fromkeys(outputs, depth)
            case Chain(steps=parts):
                for part in parts:
                    depth = self.through(part, depth)
            case Save(name=name):
                self.depths[name] = depth
            case Load(name=name):
                return self.depths.get(name, 0)
            case Give(names=names):
                return max(self.depths.get(name, 0) for name in names)
            case _ if branches := parts_of(body):
                ways = [self.through(branch, depth) for branch in branches]
                return ways[0] if is_gated(body) else max(ways)
        return depth


# As a table -------------------------------------------------------------------------------

COLUMNS = ("layer", "op", "output", "parameters", "MACs")
_Cells = tuple[str, ...]
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})  # `html` is slow to import


def table(analysis: Analysis, depth: int | None = None) -> str:
    """The layers line by line, and their sum; names are cut after `depth` parts."""
    head, columns, rows, total = _table(analysis, depth)
    wide = [max(map(len, column)) for column in zip(columns, *rows, total, strict=True)]
    rule = "-" * (sum(wide) + 8)
    lines = [_line(row, wide) for row in rows]
    return "\n".join([head, "", _line(columns, wide), rule, *lines, rule, _line(total, wide)])


def _table(analysis: Analysis, depth: int | None) -> tuple[str, _Cells, list[_Cells], _Cells]:
    """The title, the names of the columns, the rows, and the last row."""
    rows: list[_Cells] = [
        (path, op, _sizes(output), _number(params), _number(macs))
        for path, op, output, params, macs in _rows(analysis, depth)
    ]
    total = ("total", "", _sizes(analysis.output), _number(analysis.params), _number(analysis.macs))
    layers = plural(analysis.depth, "weighted layer")
    head = f"{analysis.name}: input {_sizes(analysis.input)}, {layers}"
    if analysis.receptive_field:
        head += f", receptive field {analysis.receptive_field}"
    return head, COLUMNS, rows, total


def _html(row: _Cells, tag: str) -> str:
    names = (text.translate(_ESCAPES) for text in row[:3])
    left = "".join(f'<{tag} style="text-align: left">{name}</{tag}>' for name in names)
    right = "".join(f'<{tag} style="text-align: right">{text}</{tag}>' for text in row[3:])
    return f"<tr>{left}{right}</tr>"


def _rows(
    analysis: Analysis, depth: int | None
) -> list[tuple[str, str, tuple[int, ...], int, int]]:
    """One row per layer, or per part of the network if names are cut after `depth` parts."""
    rows: dict[str, tuple[str, str, tuple[int, ...], int, int]] = {}
    for place, row in enumerate(analysis.rows):
        if row.op == "Identity":
            continue
        parts = row.path.split(".")
        cut = depth is not None and len(parts) > depth
        path = ".".join(parts[:depth]) if cut else row.path
        key = path if cut else f"{path} {place}"
        op = "" if cut else row.op
        before = rows.get(key, (path, op, (), 0, 0))
        rows[key] = (path, op, row.output, before[3] + row.params, before[4] + row.macs)
    return list(rows.values())


def _line(row: tuple[str, ...], wide: list[int]) -> str:
    left = [f"{text:{width}}" for text, width in zip(row[:3], wide[:3], strict=True)]
    right = [f"{text:>{width}}" for text, width in zip(row[3:], wide[3:], strict=True)]
    return "  ".join(left + right).rstrip()


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _number(number: int) -> str:
    return f"{number:,}" if number else ""

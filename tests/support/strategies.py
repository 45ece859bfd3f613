"""Specs drawn at random that mean something: every combinator, rank, and way to give a size.

A spec is built along its data flow, so nearly all that is drawn is valid. All channel
counts are multiples of 8 (a block's `width` of 4), so that groups and splits come out even.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from archspec.language.words import COMBINATORS, OF_TENSORS
from support import own

#: How many a test draws. Several tests draw such specs, so that few a test are many in all.
EXAMPLES = int(os.environ.get("ARCHSPEC_EXAMPLES", "25"))

Spec = dict[str, Any]
Layers = list[Any]

ACTS = ("relu", "silu", "gelu", "hard_swish", {"leaky_relu": 0.2}, "relu6", "mish", "tanh")
ACTS += ("prelu", {"elu": 0.5}, {"hard_tanh": {"min_val": -2}})
NORMS = ("batch_norm", {"group_norm": 2}, {"group_norm": {"groups": 4, "eps": 0.001}}, "layer_norm")
STARTS: tuple[Any, ...] = (
    "torch",
    "ones",
    {"constant": "1 / 3"},
    {"trunc_normal": {"std": 0.02}},
    {"weight": {"uniform": {"a": -0.1, "b": 0.1}}, "bias": {"normal": {"std": 1e-6}}},
    {"bias": 0.5},
)
CONSTANTS = ("torch", "ones", {"constant": "1 / 3"}, {"trunc_normal": {"std": 0.02}})
TENSORS = ("y", "z", "u", "skip", "y2", "len", "tensor", "t", "keys", "print")
NO_ATTRIBUTE = {*COMBINATORS, *OF_TENSORS, "join"} - {"sequence"}
NORMS += ("rms_norm", "frozen_batch_norm")
RATES = ("0.1 * index", "0.2 * block_index / block_count", "0.2 if index else 0", "0.5 - rate")
POOL = {"norm_type": 2, "kernel": 2}
NAMES = ("deep", "torch", "max", "super", "Tensor", "module", "y", "tensor", "range", "F", "print")


def sum_with(name: str) -> Any:
    """What arrives and a tensor."""
    return {"add": [[], {"from": name}]}


@dataclass
class Drawn:
    """A spec while it is drawn."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    rank: int
    blocks: dict[str, Any] = field(default_factory=dict)
    inlines: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)  # blocks that keep channels and sizes
    names: int = 0
    tensors: set[str] = field(default_factory=set)

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def chance(self, of_ten: int) -> bool:
        return bool(self.draw(st.integers(0, 9)) < of_ten)

    def count(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def name(self) -> str:
        """An attribute name of its own; some are words of Python or of torch."""
        self.names += 1
        return f"{self.one_of(*NAMES)}_{self.names}"

    def named(self, layer: Any) -> Any:
        """The layer, now and then with a name."""
        if isinstance(layer, dict) and self.chance(2):
            return {**layer, "name": self.name()}
        return layer

    # Layers that keep channels and sizes

    def affine(self, channels: str, kernel: int = 1, **more: Any) -> Any:
        """The layer with weights that a rank has: `conv`, or `linear` for features."""
        if not self.rank:
            return {"linear": channels}
        given = {"channels": channels, "kernel": kernel, **more}
        if kernel > 1 and self.chance(1):
            given["dilation"] = 2
        if kernel > 1 and self.rank > 1 and self.chance(1):
            given["kernel"] = [kernel, *[1] * (self.rank - 1)]
        return {"conv": given}

    def keep(self, channels: str, deep: int) -> Layers:
        """A few layers that leave what arrives: `channels` channels, the same sizes."""
        simple = [self.norm, self.act, self.dropout, self.weights, self.when, self.scaled]
        simple += [self.repeated, self.resized, self.constant]
        nested = [self.residual, self.scale, self.concat, self.add, self.split, self.sequence]
        nested += [self.link, self.multiply, self.parts, self.slice, self.shared, self.container]
        nested += [self.call] * bool(self.same or self.inlines)
        layers: Layers = []
        for _ in range(self.count(1, 3)):
            kinds = simple + (nested if deep else [])
            layers += self.one_of(*kinds)(channels, deep - 1)
        return layers

    def norm(self, channels: str, deep: int) -> Layers:
        return [self.one_of("norm", "norm", *NORMS)]

    def act(self, channels: str, deep: int) -> Layers:
        return [self.one_of("act", "act", *ACTS)]

    def dropout(self, channels: str, deep: int) -> Layers:
        return [{self.one_of("dropout", "alpha_dropout"): self.one_of(0.1, 0.5)}]

    def weights(self, channels: str, deep: int) -> Layers:
        groups = self.one_of({}, {}, {"groups": 2}, {"groups": "in_channels // 4"}, {"bias": True})
        if groups.get("groups") == "in_channels // 4" and channels not in ("in_channels", "12"):
            groups = {"groups": 4}
        layer = self.named(self.affine(channels, self.one_of(1, 3), **groups))
        return [{**layer, "init": self.one_of("zeros", *STARTS)} if self.chance(3) else layer]

    def when(self, channels: str, deep: int) -> Layers:
        condition = self.one_of("index > 0", "stride == 1", "channels > 16", "stage == 1", False)
        layer = {**self.affine(channels), "when": condition}
        if self.chance(6):
            layer["else"] = self.one_of("act", ["norm", "act"], [self.affine(channels)])
        return [layer]

    def scaled(self, channels: str, deep: int) -> Layers:
        if not self.rank:
            return [{"channel_scale": 0.1}]
        last = ["channels_last", "layer_norm", {"linear": channels}, "channels_first"]
        affine = self.one_of({"channel_scale": 0.1}, {"rescale": "1 / (index + 2)"})
        return self.one_of([affine], [{"channel_shuffle": 2}], last)

    def constant(self, channels: str, deep: int) -> Layers:
        """A learned constant that what arrives is multiplied by, or that is added to it."""
        name, init = self.name(), self.one_of({}, *({"init": start} for start in CONSTANTS))
        shape = [channels, *[1] * self.rank]
        whole = {"parameter": [1, *shape], "name": name, **init}
        gate = self.one_of([{**whole, "parameter": shape}], [whole], [whole, "sigmoid"])
        return [self.one_of({"scale": gate}, {"multiply": [[], gate]}, {"add": [[], gate]})]

    def resized(self, channels: str, deep: int) -> Layers:
        """Layers of which the second takes back what the first does to channels or sizes."""
        choices: list[Layers] = [[self.affine(f"2 * ({channels})"), "glu"]]
        if self.rank:
            grown = {"conv_transpose": {"channels": channels, "kernel": 2, "stride": 2}}
            choices += [[grown, {"avg_pool": 2}], [{"upsample": 2}, {"lp_pool": POOL}]]
            sides = [0, 1] * self.rank
            choices += [
                [{"zero_pad": sides}, {"crop": sides}],
                [{"replication_pad": 1}, {"crop": 1}],
            ]
            choices.append([{"concat": [[], {"mean": "channels"}]}, self.affine(channels)])
            choices.append(self.joined())
        if self.rank == 1:
            over = [{"multi_head_attention": 2}, {"gru": channels}]
            choices.append(["channels_last", self.one_of(*over), "channels_first"])
        if self.rank == 2:
            choices.append([{"pixel_shuffle": 2}, {"pixel_unshuffle": 2}])
        return self.one_of(*choices)

    def joined(self) -> Layers:
        """What arrives, twice along one of its sizes, and that size halved again."""
        sizes = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}[self.rank]
        along = self.one_of(*sizes)
        halved = [2 if size == along else 1 for size in sizes]
        twice = {"concat": [[], ["act"]], "along": along}
        return [twice, {self.one_of("avg_pool", "max_pool"): {"kernel": halved, "stride": halved}}]

    def container(self, channels: str, deep: int) -> Layers:
        """Layers in a list or a mapping of modules, which are attributes of their class."""
        name, layers = self.name(), [self.affine(channels), {"norm": {}}]
        keys = self.one_of(("0", "1"), ("1", "a"), ("0.0", "0.1"), ("0.b", "1"))
        named = [{**one, "name": f"{name}.{key}"} for one, key in zip(layers, keys, strict=True)]
        return [{"residual": [named[0], "act", named[1]]}]

    def residual(self, channels: str, deep: int) -> Layers:
        layer: dict[str, Any] = {"residual": self.keep(channels, deep)}
        if self.chance(3):
            layer["before"] = self.one_of("norm", ["norm", "act"])
        if self.chance(3):
            layer["drop_path"] = self.one_of("rate", 0, 0.2, *RATES)
        return [layer]

    def scale(self, channels: str, deep: int) -> Layers:
        gate: Layers = [self.affine(channels), "sigmoid"]
        if self.rank and self.chance(7):
            gate = ["global_avg_pool", *gate]
            if self.chance(5):
                gate = ["global_avg_pool", "flatten", {"linear": channels}, "hard_sigmoid"]
        return [{"scale": gate}]

    def branches(self, *branches: Any) -> Any:
        """Branches as a list, or as a map with names."""
        if self.chance(6) or not all(branches):
            return list(branches)
        return {self.name(): self.plain(branch) for branch in branches}

    def plain(self, branch: Layers) -> Any:
        """Layers that may stand under an attribute: no combinator among them."""
        kept = [
            layer for layer in branch if isinstance(layer, str) or not set(layer) & NO_ATTRIBUTE
        ]
        return (kept[0] if len(kept) == 1 else kept) if kept else "act"

    def concat(self, channels: str, deep: int) -> Layers:
        wide = self.affine(self.one_of("4", "8"), 3)
        some = {**self.affine("8"), "when": self.one_of("index > 0", "stride == 1")}
        first = self.one_of([], self.keep(channels, 0))
        branches = self.branches(first, [wide], *([[some]] if self.chance(3) else []))
        if isinstance(branches, list) and self.chance(3):
            branches.append(some)
        return [{"concat": branches}, self.affine(channels)]

    def add(self, channels: str, deep: int) -> Layers:
        return [{"add": self.branches(self.keep(channels, deep), self.keep(channels, 0))}]

    def split(self, channels: str, deep: int) -> Layers:
        left = self.one_of([], ["act"], [self.affine("4"), "norm"])
        right = [self.affine(self.one_of("8", "16"))]
        return [{"split": self.branches(left, right)}, self.affine(channels)]

    def tensor(self) -> str:
        """A name of its own for a tensor; often one that a generated `forward` would choose."""
        self.names += 1
        word = self.one_of(*TENSORS)
        name = f"{word}_{self.names}" if word in self.tensors else word
        self.tensors.add(name)
        return str(name)

    def saved(self, name: str) -> Any:
        """A name for what arrives, or for what one more layer gives."""
        return self.one_of({"save": name}, {"act": {}, "save": name})

    def link(self, channels: str, deep: int) -> Layers:
        """A tensor that is read again behind other layers, or by a block that takes two."""
        name, other = self.tensor(), self.tensor()
        layers = [self.saved(name), *self.keep(channels, 0)]
        joints: list[Layers] = [
            [{self.one_of("add", "multiply"): [[], {"from": name}]}],
            [{"add": [{"from": name}, self.keep(channels, 0)]}],
            [{"concat": [[], {**self.affine("8"), "from": name}]}, self.affine(channels)],
            [
                {**self.affine(channels), "save": other, "from": name},
                {"add": [[], {"from": other}]},
            ],
            [{"save": other}, {"from": name}, "act", {"add": [{"from": other}, []]}],
            [
                {"residual": [{"act": {}, "save": other}, self.affine(channels)]},
                {"add": [{"from": name}, {"from": other}, []]},
            ],
        ]
        if self.rank:
            mode = self.one_of("nearest", ("linear", "bilinear", "trilinear")[self.rank - 1])
            larger = {"interpolate": self.one_of(name, {"like": name, "mode": mode})}
            smaller = self.one_of({"upsample": 2}, {"max_pool": {"kernel": 3, "ceil_mode": True}})
            joints.append([smaller, larger, {"add": [[], {"from": name}]}])
        if "join" in self.blocks:
            call = {"join": {"channels": channels, "skip": name}}
            joints.append([{**call, "save": [other]}, {"multiply": [[], {"from": other}]}])
            joints.append([self.named(call)])
        if "mixed" in self.blocks:
            layer = self.named({"mixed": {"skip": name}, "save": [other, f"{other}_"]})
            joints.append([layer, {**self.affine(channels), "from": f"{other}_"}])
            joints.append([{"mixed": {"skip": name}}, {"residual": [{"mixed": {"skip": name}}]}])
        return [*layers, *self.one_of(*joints)]

    def shared(self, channels: str, deep: int) -> Layers:
        """A layer that is applied again: to what it gives, to a tensor, beside itself."""
        layer: Any = {"norm": {}}
        if self.chance(8):
            row = {"sequence": [self.affine(channels), "norm"]}
            blocks = [{block: {"channels": channels}} for block in self.same]
            layer = self.one_of(self.affine(channels, 3), row, *blocks)
        name, other = self.name(), self.tensor()
        made, again = {**layer, "name": name}, {"share": name}
        joints: list[Layers] = [
            [made, "act", {**again, "repeat": self.count(0, 2)}],
            [{"save": other}, made, {"add": [[], {**again, "from": other}]}],
            [{"multiply": [[made, "sigmoid"], ["act", again]]}],
            [{"residual": [made, "act", again]}, {**again, "when": "index > 0", "else": "act"}],
        ]
        turn = {**layer, "name": f"{other}{{index}}_", "repeat": 2}
        joints.append([turn, {"share": f"{other}{{1 - index}}_", "repeat": self.count(0, 2)}])
        if self.rank:
            joints.append([{"scale": [made, "global_avg_pool", again, "sigmoid"]}])
            joints.append([{"concat": {name: layer, other: "act"}}, self.affine(channels), again])
        return list(self.one_of(*joints))

    def multiply(self, channels: str, deep: int) -> Layers:
        gate = [self.affine(self.one_of(channels, "1")), "sigmoid"]
        if self.rank and self.chance(3):
            gate = ["global_avg_pool", *gate]
        return [{"multiply": self.branches(self.keep(channels, 0), gate)}]

    def parts(self, channels: str, deep: int) -> Layers:
        left = self.one_of([], ["act"], [self.affine("4")])
        sizes = self.one_of(
            [4, f"{channels} - 4"], [f"{channels} // 2 - 2", f"{channels} // 2 + 2"]
        )
        split = {"split": self.branches(left, [self.affine("8")]), "sizes": sizes}
        return [split, self.affine(channels)]

    def slice(self, channels: str, deep: int) -> Layers:
        given = self.one_of(4, {"start": 1, "channels": 2}, {"channels": f"{channels} - 2"})
        return [{"slice": given}, self.affine(channels)]

    def sequence(self, channels: str, deep: int) -> Layers:
        inner = [self.affine(channels, 3), "norm", self.one_of("act", *ACTS)]
        if self.chance(3):
            inner.insert(self.count(0, 3), [self.affine(channels), "norm"])
        if self.chance(3):
            inner.append({**self.affine(channels), "repeat": self.count(0, 2)})
        if self.chance(7):
            return [self.named({"sequence": inner})]
        named = {f"{self.one_of('child', '0x', 'a-b')}{n}": one for n, one in enumerate(inner)}
        numbered = {"numbered": True} if self.chance(5) else {}
        return [self.named({"sequence": named, **numbered})]

    def repeated(self, channels: str, deep: int) -> Layers:
        """A layer that stands several times, now and then with a name for each turn."""
        layer = {**self.affine(channels), "repeat": self.count(0, 3)}
        if self.chance(3):
            layer["name"] = f"{self.name()}_{{index + 1}}"
        if self.chance(2):
            layer["when"] = self.one_of("index > 0", "repeat == 2")
        return [layer]

    def call(self, channels: str, deep: int) -> Layers:
        """Another block of the spec, ours or a shorthand."""
        return [self.named({self.one_of(*self.same, *self.inlines): {"channels": channels}})]

    # Blocks

    def stride(self, channels: str) -> Layers:
        """Layers that take the block's stride."""
        if not self.rank:
            return [{"linear": channels}]
        conv = self.affine(channels, self.one_of(1, 3, 5), stride="stride")
        pool = {self.one_of("max_pool", "avg_pool"): {"kernel": 3, "stride": "stride"}}
        ceil = {"avg_pool": {"kernel": "stride", "stride": "stride", "ceil_mode": True}}
        choices = [[conv], [conv], [pool, self.affine(channels)]]
        choices.append([{**ceil, "when": "stride > 1"}, self.affine(channels)])
        return list(self.one_of(*choices))

    def shortcut(self) -> Any:
        if not self.rank:
            return self.one_of({"linear": "channels"}, [{"linear": "channels"}, "norm"])
        conv: dict[str, Any] = {"conv": {"channels": "channels", "stride": "stride"}}
        listed = [conv, "norm"]
        choices = [conv, {**conv, "name": "shortcut"}, listed, "conv_norm", "projection", "none"]
        return self.one_of(*choices)

    def block(self) -> dict[str, Any]:
        """A block that gives `channels` and takes `stride`."""
        args: dict[str, Any] = {"ratio": 2, "groups": 1, "width": "channels // ratio", "rate": 0}
        args["depth"] = self.count(0, 2)
        body: Layers = [self.affine("width"), "norm", "act"]
        body += self.keep("width", self.count(0, 2))
        if self.rank == 2:
            args["window"] = self.one_of(3, [3, 1])
            window = {
                "kernel": "window",
                "padding": self.one_of("window // 2", "(window - 1) // 2"),
            }
            body.append({"conv": {"channels": "width", **window}})
        body += self.stride("channels")
        body += self.row() if self.chance(5) else []
        body += self.one_of([], ["norm"], ["norm", "attention"], ["norm", "gate", "act"])
        if self.chance(7):
            residual: dict[str, Any] = {"residual": body, "shortcut": self.shortcut()}
            if self.chance(3):
                residual["before"] = ["norm", "act"]
            if self.chance(3):
                residual["drop_path"] = self.one_of("rate", 0, *RATES)
            if self.chance(1) and residual["shortcut"] != "none":
                residual["project"] = "index == 0"
            body = [residual, *self.one_of([], ["act"])]
        if self.rank and self.chance(5):
            groups = self.affine("channels", 3, groups="groups")
            body.append(groups)
        projection = "conv_norm" if self.rank else "none"
        parts = {"attention": "none", "gate": self.one_of("none", "sigmoid")}
        parts["projection"] = projection
        block: dict[str, Any] = {"args": args, "parts": parts, "body": body}
        if self.chance(2):
            block["doc"] = self.draw(st.text(max_size=120))
        return block

    def row(self) -> Layers:
        """A sequence of as many layers as the user of the block says."""
        blocks = [{block: {"channels": "channels"}} for block in self.same]
        layer = self.one_of(self.affine(self.one_of("channels", "2 * channels")), *blocks)
        ahead, behind = self.one_of([], ["norm"]), self.one_of([], [self.affine("channels")])
        if "widen" in self.blocks and self.chance(6):
            layer = {"widen": {"growth": self.one_of(8, "channels // 2", "groups * 4")}}
        if "2 * channels" in str(layer) or "widen" in layer:
            behind = [self.affine("channels")]
        some = ["depth", "2 * depth"] if ahead or behind else []
        row = {**layer, "repeat": self.one_of("depth + 1", *some)}
        return [self.named({"sequence": [*ahead, row, *behind]})]

    def own_blocks(self) -> None:
        """Blocks of the spec's own: shorthands, blocks that keep sizes, blocks of stages."""
        if self.chance(6):
            layers = [self.affine("channels"), *self.keep("channels", 0)]
            self.blocks["shorthand"] = {"inline": True, "body": layers}
            self.inlines.append("shorthand")
        if self.chance(5):
            body: Layers = [self.affine("channels"), {"add": [[], {"from": "skip"}]}]
            body += [{"save": "first"}, {**self.affine("channels"), "from": "skip"}]
            body += [{"multiply": [[], {"from": "first"}], "save": "second"}]
            self.blocks["join"] = {"inputs": ["skip"], "outputs": ["second", "first"], "body": body}
            if self.chance(3):
                self.blocks["join"]["inline"] = True
        if self.chance(6):
            layers = [self.affine("channels"), *self.keep("channels", 1)]
            if self.chance(5):
                some = self.one_of(self.affine("channels"), {"norm": {}}, {"act": {}})
                if_wide = self.one_of("channels > 8", "channels > 12", "index > 0")
                layers.insert(self.count(0, 1), {**some, "when": if_wide})
            if self.chance(3):
                layers.append({"add": [[], {"from": "input"}]})
            block = {"args": {"rate": 0}, "body": layers, "name": self.one_of("unit", "max")}
            if self.chance(4):
                block["init"] = self.init()
            self.blocks["unit"] = block
            self.same.append("unit")
        if self.chance(5):
            self.blocks["widen"] = self.widen()
        if self.chance(8):
            self.blocks["scaled"] = own.BLOCK
            self.same.append("scaled")
        if self.chance(5):
            self.blocks["mixed"] = own.TWO
        for name in ("alpha", "beta")[: self.count(1, 2)]:
            self.blocks[name] = self.block()
            if self.chance(2):
                self.blocks[name]["init"] = self.init()
            if self.chance(3):
                self.blocks[name]["class"] = self.one_of("Block", "Alpha", "Network")

    def widen(self) -> dict[str, Any]:
        """A block that gives what arrives and some more channels, as in DenseNet."""
        width = self.one_of("in_channels", "growth", "max(8, in_channels // 16 * 8)")
        blocks: list[Any] = [{block: {"channels": width}} for block in self.same]
        more = self.one_of([], ["norm", "act"], [self.affine(width)], *([one] for one in blocks))
        body = [{"concat": [[], [*more, self.affine("growth", self.one_of(1, 3))]]}]
        return {"args": {"growth": 8}, "body": body}

    def init(self) -> Any:
        """What starts how, in a block or in the whole."""
        ops = ("conv", "linear", "batch_norm", "conv")
        return self.one_of("torch", {op: self.one_of(*STARTS) for op in ops[: self.count(1, 4)]})

    def stage(self, last: int, index: int) -> tuple[dict[str, Any], int]:
        names = [name for name in self.blocks if name in ("alpha", "beta")]
        repeat = self.count(1, 3)
        channels = last + 8 * self.count(0, 1)
        stage: dict[str, Any] = {"block": self.one_of(*names), "repeat": repeat}
        if len(names) > 1 and repeat > 1 and self.chance(3):
            stage["block"] = [self.one_of(*names) for _ in range(repeat)]
        stage["channels"] = channels
        if self.chance(2):
            channels = last + 8 * (repeat - 1)
            stage["channels"] = f"{last} + 8 * index"
        elif self.chance(2):
            stage["channels"] = [channels] * repeat
        if self.rank and self.chance(6):
            stage["stride"] = self.one_of(2, 2, 3, [2, *[1] * (repeat - 1)])
        if self.chance(3):
            stage["ratio"] = self.one_of(1, "1 + index % 2", [1] * repeat)
        if self.chance(3):
            stage["width"] = self.one_of(12, [4 * (n + 1) for n in range(repeat)])
        if self.chance(4):
            stage["groups"] = self.one_of(2, 4, [2] * repeat, "8 if index else 1")
        if self.rank == 2 and self.chance(3):
            stage["window"] = [self.one_of(1, 3, [1, 5], [3, 1]) for _ in range(repeat)]
        if self.chance(5):
            stage["depth"] = [self.count(0, 3) for _ in range(repeat)]
        if self.chance(3):
            stage["rate"] = self.one_of(0.1, "0.3 * block_index / block_count", "index / 10")
        if self.chance(5):
            stage["attention"] = self.attention()
        if self.chance(2):
            stage["norm"] = self.one_of(*NORMS)
        if self.chance(2):
            stage["act"] = self.one_of(*ACTS)
        return stage, channels

    def attention(self) -> Any:
        choices: list[Any] = [{"act": {}, "when": "index > 0"}, ["act", "norm"], *self.same]
        if self.rank:
            condition = self.one_of("index == 0", "channels > 16", "block_index % 2 == 1")
            choices += ["se", {"se": {"ratio": "1 / 4"}}, {"se": {}, "when": condition}]
            choices += ["eca"] if self.rank == 2 else []
        return self.one_of(*choices)

    def placed(self, stage: dict[str, Any]) -> Any:
        """A stage as an attribute, or as a child of a sequence."""
        if self.chance(2):
            stage["name"] = f"{self.one_of('block', 'unit-')}{{index + 1}}"
        if self.chance(8):
            return stage
        if self.chance(5):
            return [self.one_of("act", ["act"]), stage]
        numbered = {"numbered": True} if self.chance(5) else {}
        return {"sequence": {"first": "act", "blocks": stage}, **numbered}

    def between(self, channels: int) -> Any:
        """Layers between the stages; blocks that are repeated count as a stage."""
        given = {"channels": channels, "rate": "0.3 * block_index / block_count"}
        rows = {"alpha": {**given, "ratio": "1 + stage % 2"}, "repeat": self.count(1, 3)}
        return self.one_of("act", "norm", ["norm", "act"], rows, ["act", rows])

    # The network

    def stem(self) -> Any:
        first = self.affine("base", self.one_of(1, 3, 5))
        if self.rank and self.chance(3):
            first["conv"]["stride"] = 2
        layers: dict[str, Any] = {"conv1": first, "bn1": "norm", "relu": "act"}
        if self.rank and self.chance(3):
            layers["maxpool"] = {"max_pool": {"kernel": 3, "stride": self.one_of(1, 2)}}
        if self.rank and self.chance(1):
            layers["blur"] = {"blur_pool": {"stride": self.one_of(1, 2)}}
        return list(layers.values()) if self.chance(3) else layers

    def head(self) -> Any:
        if not self.rank:
            return {"classifier": {"linear": "classes"}}
        pool = self.one_of("global_avg_pool", {"adaptive_avg_pool": 2}, None)
        layers = {"pool": pool, "flatten": "flatten", "drop": {"dropout": 0.2}}
        layers["classifier"] = {"linear": self.one_of("classes", "classes", "classes + 1")}
        there = {name: layer for name, layer in layers.items() if layer}
        return list(there.values()) if self.chance(3) else there

    def side_head(self, spec: Spec, stages: dict[str, Any]) -> None:
        """A second classifier on a stage, and what the network gives in each mode."""
        body: Layers = ["global_avg_pool", "flatten", {"dropout": 0.5}] if self.rank else ["act"]
        body += [{"linear": "out"}] * self.chance(5)
        last = {"linear": self.one_of("out", "out + 1")}
        if self.chance(3):
            self.blocks["last"] = {"args": {"width": 3}, "body": [{"linear": "width"}]}
            body.append({"last": {"width": self.one_of("out", "out * 2", 3)}})
        body += [{"residual": ["act", last], "shortcut": [last]}] * self.chance(2)
        self.blocks["side"] = {"args": {"out": 3}, "body": body}
        stage = self.one_of(*stages)
        if not isinstance(spec["head"], dict) or "block" not in stages[stage]:
            return
        first, *_, last = [*spec["head"], *spec["head"]]
        out = self.one_of("classes", "classes + 1", 5)
        head = {**spec["head"], first: self.read(spec["head"][first], "main")}
        side = {"side": {"out": out}, "from": stage}
        spec["head"] = {"main": {"add": [[], []]}, "side": side, **head}
        outputs = [last, "side"] if self.chance(5) else {"eval": [last], "training": [last, "side"]}
        spec["outputs"] = outputs

    def read(self, layer: Any, name: str) -> Any:
        return {layer: {}, "from": name} if isinstance(layer, str) else {**layer, "from": name}

    def defaults(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if self.chance(3):
            given["norm"] = self.one_of(*NORMS)
        if self.chance(3):
            given["act"] = self.one_of(*ACTS)
        if self.rank and self.chance(2):
            given["conv"] = {"bias": True}
        if self.chance(3):
            given["alpha"] = {"ratio": self.one_of(1, "1 if stage == 1 else 2")}
        return given


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Spec:
    """A mapping that `archspec.load` takes (but for rare shapes that do not fit)."""
    rank = draw(st.sampled_from((2, 2, 2, 1, 3, 0)))
    drawn = Drawn(draw, rank)
    largest = {0: 0, 1: 33, 2: 21, 3: 9}[rank]
    sizes = [drawn.count(5, largest) for _ in range(rank)]
    base = drawn.one_of(8, 16)
    drawn.own_blocks()
    spec: Spec = {
        "name": "drawn",
        "input": [drawn.count(1, 4) if rank else drawn.count(2, 13), *sizes],
        "args": {"classes": drawn.count(2, 11), "base": base},
        "stem": drawn.stem(),
    }
    channels, stages = base, {}
    for index in range(drawn.count(1, 4)):
        stage, channels = drawn.stage(channels, index)
        stages[f"layer{index + 1}"] = drawn.placed(stage)
        if drawn.chance(2):
            stages[f"between{index + 1}"] = drawn.between(channels)
    spec |= {"stages": stages, "head": drawn.head()}
    if drawn.chance(3):
        drawn.side_head(spec, stages)
    spec["blocks"] = drawn.blocks
    defaults = drawn.defaults()
    if defaults:
        spec["defaults"] = defaults
    if drawn.chance(2):
        spec["names"] = {"batch_norm": "bnorm", "group_norm": "gn", "relu": "act"}
    if drawn.chance(4):
        spec["init"] = drawn.init()
    if drawn.chance(2):
        spec["doc"] = draw(st.text(max_size=200))
    return spec

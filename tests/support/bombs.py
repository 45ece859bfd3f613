"""Folders that a stranger would send to stop a linter: each tries to be the worst of its kind.

Every file is within the reader's limits (1 MiB, 20,000 values, 64 levels), for what is beyond
them is refused at once. The spec of a folder is `net.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

Files = dict[str, str]
SPEC: dict[str, Any] = {"name": "net", "input": [8, 8, 8], "stem": {"conv1": {"conv": 8}}}
STAGE: dict[str, Any] = {"block": "b", "channels": 8}
BOMBS: dict[str, Callable[[], Files]] = {}


def net(**sections: Any) -> Files:
    """A folder with one spec. JSON is YAML, and takes the fewest bytes a value."""
    return {"net.yaml": json.dumps(SPEC | sections)}


def one_block(body: list[Any], stage: dict[str, Any] | None = None, **block: Any) -> Files:
    """A spec with one stage of one block."""
    layer1 = STAGE | (stage or {})
    return net(blocks={"b": {"body": body, **block}}, stages={"layer1": layer1})


def cut(files: Files, most: int) -> Files:
    """The same with at most so many entries in a list or a map, and comments below them."""
    return {name: _shorter(text, most) for name, text in files.items()}


def _shorter(text: str, most: int) -> str:
    first, *comments = text.split("\n")
    if first.startswith("{"):
        first = json.dumps(_cut(json.loads(first), most))
        return "\n".join([first, *comments[:most]])
    return text


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, dict):
        return {key: _cut(inner, most) for key, inner in islice(value.items(), most)}
    return [_cut(inner, most) for inner in value[:most]] if isinstance(value, list) else value


def bomb(name: str) -> Callable[[Callable[[], Files]], Callable[[], Files]]:
    def keep(make: Callable[[], Files]) -> Callable[[], Files]:
        BOMBS[name] = make
        return make

    return keep


def case(name: str, make: Callable[[], Files]) -> None:
    BOMBS[name] = make


# Blocks in blocks ---------------------------------------------------------------------


def nested(levels: int, last: list[Any], uses: Callable[[str], list[Any]], **more: Any) -> Files:
    """Each block uses the next one as `uses` says; the last has the layers `last`."""
    blocks: dict[str, Any] = {f"b{n}": {"body": uses(f"b{n + 1}"), **more} for n in range(levels)}
    blocks[f"b{levels}"] = {"body": last, **more}
    return net(blocks=blocks, stages={"layer1": {"block": "b0", "channels": 8}})


def twice(name: str) -> list[Any]:
    return [name, name]


def widening(name: str) -> list[Any]:
    return [{name: {"channels": "channels + 1"}}, {name: {"channels": "channels + 2"}}]


CONV = [{"conv": "channels"}]
case("blocks that use blocks twice", lambda: nested(30, CONV, twice))
case("the same inline", lambda: nested(30, CONV, twice, inline=True))
case("just few enough of them", lambda: nested(13, CONV, twice))
case("just few enough inline", lambda: nested(13, CONV, twice, inline=True))
case("just few enough, all unequal", lambda: nested(13, CONV, widening))
case("nothing, a billion times", lambda: nested(30, [], twice))
case("nothing, a billion times, inline", lambda: nested(30, [], twice, inline=True))
case(
    "a layer that is not there, often",
    lambda: nested(30, [{"conv": 8, "when": False}], twice, inline=True),
)
case(
    "sums of sums in inline blocks",
    lambda: nested(30, [], lambda name: [{"add": [[name], [name]]}], inline=True),
)
case(
    "conditions in conditions",
    lambda: nested(
        30, CONV, lambda name: [{name: {}, "when": "index > 5", "else": [name, name]}], inline=True
    ),
)
case(
    "shortcuts in shortcuts",
    lambda: nested(
        20, CONV, lambda name: [{"residual": [name], "shortcut": [name], "project": True}]
    ),
)
case("wide blocks of wide blocks", lambda: nested(4, ["relu"] * 9, lambda name: [name] * 9))


@bomb("own modules that are like own modules, twice")
def _like() -> Files:
    own = {"import": "support.own.Scaled", "inputs": ["t"], "outputs": ["p", "q"]}
    blocks = {
        f"b{n}": {**own, "like": [{f"b{n + 1}": {"t": "input"}, "save": ["a", "b"]}, {f"b{n + 1}":
                  {"t": "b"}, "save": ["p", "q"]}]}
        for n in range(30)
    }  # fmt: skip
    blocks["b30"] = {**own, "like": [{"save": "p"}, {"concat": [[], {"from": "t"}], "save": "q"}]}
    return net(blocks=blocks, head={"h": {"b0": {"t": "conv1"}}})


@bomb("parts that fill parts")
def _parts_in_parts() -> Files:
    names = [f"p{n}" for n in range(10)]
    below = dict.fromkeys(names, names)
    blocks: dict[str, Any] = {
        f"b{n}": {"parts": dict.fromkeys(names, "none"), "body": [{f"b{n + 1}": below}]}
        for n in range(25)
    }
    blocks["b25"] = {"parts": dict.fromkeys(names, "none"), "body": [*names]}
    stage = {"block": "b0", "channels": 8} | dict.fromkeys(names, "relu")
    return net(blocks=blocks, stages={"layer1": stage})


@bomb("parts that hand on parts")
def _parts_handed_on() -> Files:
    names = [f"p{n}" for n in range(10)]
    block = {"parts": dict.fromkeys(names, "none")}
    turned = {name: names[n - 1] for n, name in enumerate(names)}
    blocks: dict[str, Any] = {
        f"b{n}": {**block, "body": [{f"b{n + 1}": turned}]} for n in range(30)
    }
    blocks["b30"] = {**block, "body": [*names]}
    stage = {"block": "b0", "channels": 8} | dict.fromkeys(names, "relu")
    return net(blocks=blocks, stages={"layer1": stage})


# Many blocks --------------------------------------------------------------------------


def stages_of(count: int, repeat: int, **stage: Any) -> dict[str, Any]:
    return {f"s{n}": {"block": "b", "repeat": repeat, **stage} for n in range(count)}


WIDENING = {"channels": "8 * (1 + block_index)"}
case(
    "a hundred stages of a thousand",
    lambda: net(
        stages={f"s{n}": {"block": "basic", "repeat": 1000, "channels": 8} for n in range(100)}
    ),
)
case(
    "stages of unequal basic blocks",
    lambda: net(stages={f"s{n}": {"block": "basic", "repeat": 100, **WIDENING} for n in range(10)}),
)
case(
    "stages of unequal bottlenecks",
    lambda: net(
        stages={
            f"s{n}": {"block": "bottleneck", "repeat": 100, "channels": "256 + 256 * block_index"}
            for n in range(9)
        }
    ),
)
case(
    "a thousand unequal bottlenecks",
    lambda: net(
        stages={
            f"s{n}": {"block": "bottleneck", "repeat": 1000, "channels": "256 + 256 * block_index"}
            for n in range(1)
        }
    ),
)
case(
    "stages of unequal MBConv",
    lambda: net(stages={f"s{n}": {"block": "mbconv", "repeat": 100, **WIDENING} for n in range(9)}),
)
case(
    "a body that is never there",
    lambda: net(
        blocks={"b": {"body": [*CONV, *[{"relu": {}, "when": "index < 0"}] * 3000]}},
        stages=stages_of(1, 1000, **WIDENING),
    ),
)
case(
    "a body of relus",
    lambda: net(
        blocks={"b": {"body": [*CONV, *["relu"] * 4000]}}, stages=stages_of(1, 1000, **WIDENING)
    ),
)
case(
    "a body of inline nothings",
    lambda: net(
        blocks={"b": {"body": [*CONV, *["e"] * 4000]}, "e": {"inline": True, "body": []}},
        stages=stages_of(1, 1000, **WIDENING),
    ),
)
case(
    "a body of empty parts",
    lambda: net(
        blocks={"b": {"parts": {"p": "none"}, "body": [*CONV, *["p"] * 4000]}},
        stages=stages_of(1, 1000, **WIDENING),
    ),
)
case(
    "stages of inline blocks",
    lambda: net(
        blocks={"b": {"inline": True, "body": [*CONV, "norm", "act"]}},
        stages=stages_of(1, 1000, **WIDENING),
    ),
)

case(
    "thousands of blocks that are counted",
    lambda: net(
        blocks={"b": {"body": [{"conv": "8 + block_index % 9"}]}},
        stem=[{"b": {}, "repeat": 1 + n % 2} for n in range(3000)],
    ),
)
case(
    "counted, and never there",
    lambda: net(
        blocks={"b": {"body": [{"relu": {}, "when": "block_index < 0"}]}},
        stem={f"a{n}": [{"b": {}, "repeat": 1000}] for n in range(2000)},
    ),
)

LONG = " + ".join(["index * 3 % 7"] * 11)  # the longest that is taken
case(
    "arguments of long formulas",
    lambda: net(
        blocks={
            "b": {
                "args": {f"a{n}": 1 for n in range(100)},
                "body": [*CONV, *[{"conv": f"a{n}"} for n in range(100)], *CONV],
            }
        },
        stages=stages_of(
            2, 1000, channels="8 + index", **{f"a{n}": f"{n} + {LONG}" for n in range(100)}
        ),
    ),
)
case(
    "defaults of long formulas",
    lambda: net(
        blocks={
            "b": {
                "args": {f"a{n}": f"{n} + {LONG}" for n in range(300)},
                "body": [
                    *CONV,
                    {"relu": {}, "when": " + ".join(f"a{n}" for n in range(30)) + " < 0"},
                ],
            }
        },
        stages=stages_of(1, 1000, **WIDENING),
    ),
)
case(
    "stage channels of long formulas",
    lambda: net(
        blocks={"b": {"body": CONV}},
        stages=stages_of(20, 100, channels=f"round_to({LONG}, 8) * 0 + 8 + block_index"),
    ),
)
case(
    "long lists, block by block",
    lambda: net(
        blocks={
            "b": {
                "args": {f"a{n}": 1 for n in range(15)},
                "body": [
                    *CONV,
                    {"relu": {}, "when": " + ".join(f"a{n}" for n in range(15)) + " < 0"},
                ],
            }
        },
        stages=stages_of(1, 1000, channels=8, **{f"a{n}": list(range(1000)) for n in range(15)}),
    ),
)
case(
    "big fractions",
    lambda: net(
        blocks={
            "b": {
                "args": {
                    f"a{n}": "/".join(["999999999999989"] * 10 + ["(1 + index)"]) for n in range(40)
                },
                "body": [
                    *CONV,
                    {"relu": {}, "when": " + ".join(f"a{n}" for n in range(40)) + " < 0"},
                ],
            }
        },
        stages=stages_of(1, 1000, **WIDENING),
    ),
)


@bomb("arguments that lead from one to the next")
def _defined() -> Files:
    args = {"a0": "channels"} | {f"a{n}": f"a{n - 1} + 1 - 1 + index - index" for n in range(1, 39)}
    body = [{"conv": "a38"}, {"conv": "channels"}]
    return net(blocks={"b": {"args": args, "body": body}}, stages=stages_of(1, 1000, **WIDENING))


@bomb("arguments that settle one after the other")
def _settling() -> Files:
    """Each round of lowering finds one more argument that a decision depends on."""
    args = {f"a{n}": 8 for n in range(200)}
    stem = [
        {"conv": " + ".join(["0", *(f"a{m}" for m in range(n, min(n + 40, 200)))])}
        for n in range(200)
    ]
    stem = [layer for conv in stem for layer in (conv, {"concat": [["relu"], []]})]
    return net(args=args, stem=stem)


# Long lists of layers -----------------------------------------------------------------

case("six thousand equal convolutions", lambda: net(stem=[{"conv": 8}] * 6000))
case(
    "six thousand unequal convolutions",
    lambda: net(stem=[{"conv": 9 + n % 1000} for n in range(6000)]),
)
case(
    "thousands of repeated layers",
    lambda: one_block([{"relu": {}, "repeat": 0}] * 3900),
)
case("nine thousand words", lambda: net(stem=["relu"] * 9900))
case("nine thousand norms", lambda: net(stem=["norm"] * 9900))
case(
    "six thousand unequal dropouts",
    lambda: net(stem=[{"dropout": n / 10_000} for n in range(6000)]),
)
case(
    "names that are taken",
    lambda: net(
        stem=[{"relu": {}, "name": f"dropout{n + 2}"} for n in range(1500)]
        + [{"dropout": n / 10_000} for n in range(1500)]
    ),
)
case("six thousand named layers", lambda: net(stem={f"a{n}": {"conv": 8} for n in range(6000)}))
case(
    "six thousand long expressions",
    lambda: net(
        stem=[{"conv": f"{n} + {LONG[:77].replace('index', 'w')}"} for n in range(6000)],
        args={"w": 1},
    ),
)
case(
    "two thousand longer ones",
    lambda: net(
        stem=[{"conv": f"{n} + {LONG.replace('index', 'w')}"} for n in range(2000)],
        args={"w": 1},
    ),
)
DENSE = "+".join(["w"] * 38)  # the most terms for its length, and as deep as is taken
case(
    "arguments of many terms",
    lambda: net(
        blocks={
            "b": {"args": {"w": 1} | {f"a{n}": f"{n}+{DENSE}" for n in range(9000)}, "body": CONV}
        },
        stages=stages_of(1, 1, channels=8),
    ),
)
case(
    "lists of many terms",
    lambda: net(
        args={"w": 1},
        stages=stages_of(18, 1000, channels=8, stride=[f"{n}+{DENSE[:40]}w" for n in range(1000)]),
    ),
)
case(
    "just few enough terms",
    lambda: net(args={"w": 1}, stem=[{"conv": f"{n}+{DENSE}"} for n in range(1240)]),
)
case("wide branches", lambda: net(stem=[{"concat": [["relu"]] * 64}, {"conv": 8}] * 100))
case("wide splits", lambda: net(stem=[{"conv": 64}] + [{"split": [["relu"]] * 64}] * 140))
case(
    "tensors as large as the one before",
    lambda: net(
        stem=[{"conv": 8, "save": "a0"}]
        + [
            layer
            for n in range(1000)
            for layer in ({"upsample": 2}, {"interpolate": f"a{n}", "save": f"a{n + 1}"})
        ]
    ),
)
case("branches in branches", lambda: net(stem=[branching(2, 10)]))
case("concats that double", lambda: net(stem=[{"concat": [[], []]}] * 60))
case(
    "kernels of four dimensions",
    lambda: net(
        input=[8, 8, 8, 8],
        stem=[
            {
                "conv": {
                    "channels": 8,
                    "kernel": [3, 1, 1],
                    "padding": [1, 0, 0],
                    "stride": [1, 1, 1],
                }
            }
        ]
        * 1100,
    ),
)
case(
    "all of it in one block",
    lambda: one_block(
        [{"conv": {"channels": f"channels + {n}", "kernel": 3}} for n in range(3000)] + CONV
    ),
)
case(
    "a block of unequal sizes",
    lambda: one_block(
        [{"conv": f"channels * {n + 1} // {n + 3} + 1"} for n in range(3000)] + CONV, {"repeat": 3}
    ),
)


def branching(width: int, levels: int) -> Any:
    return {"add": [[branching(width, levels - 1)] for _ in range(width)]} if levels else "relu"


def inside(layer: Any, levels: int, head: str = "residual") -> Any:
    for _ in range(levels):
        layer = {head: [layer]}
    return layer


def repeated(levels: int, count: int) -> Any:
    layer: Any = {"conv": 8}
    for _ in range(levels):
        layer = {"sequence": [layer], "repeat": count}
    return layer


case("sequences that repeat sequences", lambda: net(stem=[repeated(20, 2)]))
case("a thousand times a thousand", lambda: net(stem=[repeated(2, 1000)]))
case(
    "containers in containers",
    lambda: net(stem=[{"conv": 8, "name": f"c{n % 50}.{n // 50}.a"} for n in range(4000)]),
)
case(
    "initializations of many formulas",
    lambda: net(
        stem=[
            {"conv": 8, "init": {"normal": {"std": f"sqrt(1 / (fan_in + {n}))"}}}
            for n in range(1500)
        ]
    ),
)
case("residuals in residuals", lambda: net(stem=[inside("relu", 28) for _ in range(150)]))
case(
    "residuals around convolutions", lambda: net(stem=[inside({"conv": 8}, 28) for _ in range(150)])
)
case("gates in gates", lambda: net(stem=[inside("sigmoid", 28, "scale") for _ in range(150)]))


# Findings without end -----------------------------------------------------------------

A = "a" * 40
case("unknown keys", lambda: net(**{f"sten{n}": 1 for n in range(9000)}))
case("unknown layers", lambda: net(stem=[{f"convv{n}": 1} for n in range(6000)]))
case(
    "unknown layers in stages",
    lambda: net(stages={f"s{n}": [{f"convv{m}": 1} for m in range(60)] for n in range(100)}),
)
case(
    "unknown names among many",
    lambda: net(
        args={f"{A}{n}": 1 for n in range(3000)},
        stem=[{"linear": f"{n}{A}"[::-1]} for n in range(3000)],
    ),
)
case(
    "unknown blocks among many",
    lambda: net(
        blocks={f"{A}{n}": {"body": []} for n in range(3000)},
        stem=[f"{A}x{n}" for n in range(3000)],
    ),
)
case(
    "unknown arguments of an op",
    lambda: net(stem=[{"conv": {"channels": 8, "kernal": n}} for n in range(3000)]),
)
case(
    "unknown arguments of one layer",
    lambda: net(stem=[{"conv": {f"kernal{n}": 1 for n in range(9000)}}]),
)
case(
    "unknown arguments of a block",
    lambda: one_block(
        CONV, {f"{A}x{n}": 1 for n in range(4000)}, args={f"{A}{n}": 1 for n in range(4000)}
    ),
)
case("unknown ops in names", lambda: net(names={f"conw{n}": "a" for n in range(9000)}))
case("unknown defaults", lambda: net(defaults={f"conw{n}": {} for n in range(9000)}))
case("bad names in args", lambda: net(args={f"A-{n}": 1 for n in range(9000)}))
case("bad expressions", lambda: net(stem=[{"conv": f"{n} +"} for n in range(6000)]))
case("two heads", lambda: net(stem=[{"conv": 8, f"kernal{n}": 3} for n in range(4000)]))
case("wrong types", lambda: net(stem=[{"conv": {"channels": [[]]}} for _ in range(4000)]))
case(
    "stages full of wrong things",
    lambda: net(
        stages={
            f"s{n}": {
                "block": "basic",
                "channels": "x" * 20,
                **{f"projektion{m}": 1 for m in range(90)},
            }
            for n in range(100)
        }
    ),
)
case(
    "blocks full of wrong things",
    lambda: net(
        blocks={f"b{n}": {"body": [{"conv": {"kernal": 1}}], "argz": 1} for n in range(2500)}
    ),
)
case(
    "shrinking stages",
    lambda: net(stages={f"s{n}": {"block": "basic", "channels": 900 - n} for n in range(100)}),
)
case("unused blocks", lambda: net(blocks={f"b{n}": {"body": CONV} for n in range(3000)}))
case("unused arguments", lambda: one_block(CONV, args={f"a{n}": 1 for n in range(9000)}))
case("unused parts", lambda: one_block(CONV, parts={f"p{n}": "relu" for n in range(9000)}))
case("unused sizes", lambda: net(args={f"a{n}": 1 for n in range(9000)}))
case(
    "nine thousand warnings",
    lambda: net(stem=[{"conv": {"channels": 9, "bias": True}}, "norm", "relu", "relu"] * 1900),
)
case(
    "warnings inside blocks",
    lambda: one_block([{"conv": 9}, "act", "act"] * 1000 + CONV, {"repeat": 3}),
)
case("redundant words", lambda: net(stem=[{"dropout": 0}, "norm", "norm"] * 3000))
case(
    "pixels that are skipped",
    lambda: net(
        input=[8, 4096, 4096],
        stem=[{"conv": {"channels": 9, "stride": 2}}, {"blur_pool": {"stride": 1}}] * 5,
    ),
)


# Text ---------------------------------------------------------------------------------


def comments(line: str, count: int) -> Files:
    return {"net.yaml": f"{json.dumps(SPEC)}\n" + line * count}


case("suppressions", lambda: comments("# archspec: ignore[AS304] x\n", 37_000))
case("suppressions of unknown rules", lambda: comments("#archspec: ignore[AS999]\n", 41_000))
case(
    "suppressions of many rules",
    lambda: comments("# archspec: ignore[" + "AS304,AS305,budget,no-op-layer," * 30 + "]\n", 1000),
)
case("comments", lambda: comments("#\n", 500_000))
case("blank lines", lambda: {"net.yaml": json.dumps(SPEC) + "\n" * 1_000_000})
case("a long name", lambda: net(name="a" * 1_000_000))
case("a long text", lambda: net(doc="a" * 1_000_000))
case("long keys", lambda: net(stem={f"k{n}" + "x" * 100_000: "relu" for n in range(9)}))
case(
    "many texts of many letters",
    lambda: net(stem=[{"conv": "\U0001d4d1" * 200} for _ in range(1000)]),
)
case(
    "a line as long as the file",
    lambda: net(
        stem=[{"conv": {"channels": 8, "kernal": 3}, "name": "x" * 200} for _ in range(4000)]
    ),
)
case("a recipe", lambda: net(train={f"k{n}": [n] for n in range(6000)}))
case("brackets", lambda: net(stem=[{"conv": "(" * 99 + "8" + ")" * 99} for _ in range(2000)]))
case("minus", lambda: net(stem=[{"conv": "-" * 190 + "8"} for _ in range(2000)]))
case("a deep list", lambda: net(train={"a": deep(60)}))


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else []


# Other files --------------------------------------------------------------------------


@bomb("a chain of many terms")
def _chain_of_terms() -> Files:
    files = {}
    for number in range(10):
        base = {} if number == 9 else {"extends": f"n{number + 1}"}
        stem = {f"k{number}x{n}": {"conv": f"{n}+{DENSE}"} for n in range(950)}
        spec = SPEC | {"name": f"n{number}", "args": {"w": 1}, "stem": stem, **base}
        files[f"n{number}.yaml"] = json.dumps(spec)
    return {"net.yaml": json.dumps({"name": "net", "extends": "n0"})} | files


@bomb("a chain of large files")
def _chain() -> Files:
    files = {}
    for number in range(10):
        base = {} if number == 9 else {"extends": f"n{number + 1}"}
        train = {f"k{number}x{n}": ["x" * 30] for n in range(6000)}
        spec = SPEC | {"name": f"n{number}", "train": train, **base}
        files[f"n{number}.yaml"] = json.dumps(spec)
    return {"net.yaml": json.dumps({"name": "net", "extends": "n0"})} | files


@bomb("a chain of long comments")
def _chain_of_text() -> Files:
    files = {}
    for number in range(10):
        base = {} if number == 9 else {"extends": f"n{number + 1}"}
        spec = SPEC | {"name": f"n{number}", **base}
        files[f"n{number}.yaml"] = json.dumps(spec) + "\n#" + "a" * 1_040_000
    return {"net.yaml": json.dumps({"name": "net", "extends": "n0"})} | files


@bomb("a chain of maps that are merged")
def _merged() -> Files:
    files = {}
    for number in range(10):
        base = {} if number == 9 else {"extends": f"n{number + 1}"}
        stem = {f"k{number}x{n}": "relu" for n in range(950)}
        files[f"n{number}.yaml"] = json.dumps(SPEC | {"name": f"n{number}", "stem": stem, **base})
    return {"net.yaml": json.dumps({"name": "net", "extends": "n0"})} | files


@bomb("a folder of large blocks")
def _block_files() -> Files:
    body = json.dumps({"doc": "x" * 500, "body": [*CONV, *[{"relu": {}, "when": False}] * 4000]})
    files = {f"blocks/b{n}.yaml": body for n in range(100)}
    stages = {f"s{n}": {"block": f"b{n}", "channels": 8} for n in range(100)}
    return {"net.yaml": json.dumps(SPEC | {"stages": stages})} | files


# Constants ----------------------------------------------------------------------------

SCALE = {"scale": [{"parameter": ["channels", 1, 1], "name": "p{index}", "init": "normal"}]}
case("a constant, often", lambda: one_block([{**SCALE, "repeat": 1000}], {"repeat": 1000}))
case(
    "constants as large as they may be",
    lambda: one_block(
        [{"add": [[], {"parameter": [2**20, 2**20, 1], "name": f"p{n}"}]} for n in range(1000)]
    ),
)


# Tensors with names -------------------------------------------------------------------


def saves(count: int, layer: Callable[[int], Any]) -> list[Any]:
    """Layers that each name what they give."""
    first = {"conv": 8, "save": "t0"}
    return [first, *({**layer(n), "save": f"t{n + 1}"} for n in range(count))]


@bomb("sums of sums, by name")
def _sums() -> Files:
    body = saves(1000, lambda n: {"add": [{"from": f"t{n}"}] * 2})
    return one_block(body)


@bomb("a chain of names")
def _names() -> Files:
    return one_block(saves(3000, lambda n: {"act": {}, "from": f"t{n}"}))


@bomb("concatenations of concatenations")
def _concatenations() -> Files:
    return net(stem=saves(100, lambda n: {"concat": [{"from": f"t{n}"}] * 2}))


@bomb("names that nothing reads")
def _unread() -> Files:
    return net(stem=saves(2000, lambda n: {"act": {}}))


@bomb("blocks that hand on tensors, twice in twice")
def _handed_on() -> Files:
    blocks: dict[str, Any] = {
        f"b{n}": {
            "inputs": ["s"],
            "body": [{f"b{n + 1}": {"s": "s"}}, {f"b{n + 1}": {"s": "input"}}],
        }
        for n in range(40)
    }
    blocks["b40"] = {"inputs": ["s"], "body": [{"add": [[], {"from": "s"}]}, *CONV]}
    return net(blocks=blocks, stem=[{"conv": 8, "save": "s"}, {"b0": {"s": "s"}}])


@bomb("inline blocks of names in inline blocks")
def _inline_names() -> Files:
    blocks: dict[str, Any] = {
        f"b{n}": {
            "inline": True,
            "body": [{"save": "a"}, f"b{n + 1}", {"add": [[], {"from": "a"}]}],
        }
        for n in range(60)
    }
    blocks["b60"] = {"inline": True, "body": CONV}
    return net(blocks=blocks, stem=["b0"] * 100)


@bomb("outputs by the hundred")
def _outputs() -> Files:
    names = [f"t{n}" for n in range(2000)]
    return net(stem=saves(2000, lambda n: {"act": {}}), outputs=names)


# Lists --------------------------------------------------------------------------------


@bomb("long lists, handed on")
def _lists() -> Files:
    def uses(name: str) -> list[Any]:
        return [{name: {"sizes": "sizes + 1"}}, {name: {"sizes": [1] * 150}}]

    return nested(30, [{"reshape": "sizes"}], uses, args={"sizes": [8] * 150})


# Layers that are shared ---------------------------------------------------------------


@bomb("a layer that is shared, often")
def _shared() -> Files:
    again = {"share": "a", "repeat": 1000}
    return net(stem=[{"conv": 8, "name": "a"}, *[{**again, "when": "index % 2 == 0"}] * 100])


@bomb("a long row that is shared at other sizes")
def _rows() -> Files:
    row = {"sequence": [{"conv": 8, "repeat": 1000}, "act"], "name": "a"}
    return net(stem=[row, *[{"upsample": 2}, {"share": "a"}, {"max_pool": 3}, {"share": "a"}] * 50])


@bomb("blocks that share what they hold, at other sizes")
def _shared_blocks() -> Files:
    def uses(name: str) -> list[Any]:
        return [
            {name: {}, "name": "a"},
            {"upsample": {"scale": 2}},
            {"share": "a"},
            {"max_pool": 2},
        ]

    return nested(30, CONV, uses)


@bomb("stages that are shared")
def _shared_stages() -> Files:
    stages: dict[str, Any] = {"s0": {"block": "basic", "channels": 8, "repeat": 1000}}
    return net(stages={**stages, **{f"s{n}": {"share": "s0"} for n in range(1, 99)}})

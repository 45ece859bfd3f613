"""Where archspec stands, compared with the tools that people know: one command, one page.

    python benchmarks/table.py [GROUP ...] [--rounds 9]

Writes docs/benchmarks.json, and docs/benchmarks.md from it. With groups named, the others keep the
rows that are in the file. A peer whose package isn't installed is listed as such; that of
structcast-model, `scm`, may be in an environment of its own. Everything runs on one thread. It
takes about a quarter of an hour, most of which torch.compile needs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, _inductor as inductor, nn

import archspec
from archspec.api import network
from archspec.export.graph import compiled, graph, openvino, program
from archspec.export.int8 import quantized
from archspec.export.measure import of_onnx, of_openvino, of_package
from archspec.export.modules import folded, loaded
from archspec.export.taken import Taken
from archspec.verify.peers import torchvision_models
from archspec.verify.tensors import images, randomise
from child import ROOT
from deploy import CALLS, CLOCKS, COMPARED, DEVICE, GPU, TYPES, case, deployed, peak, runs
from lint_speed import UNUSED, write_variants
from rounds import (
    Contender,
    Group,
    Taken as Seconds,
    Turns,
    called,
    command,
    in_turns,
    machine,
    page,
    table,
)
from structcast import template

DATA, PAGE = ROOT / "docs" / "benchmarks.json", ROOT / "docs" / "benchmarks.md"
WARM = 50  # variants
ON_CPU = ("fp32", "bf16")
LINT = (sys.executable, "-m", "archspec", "lint")


def linting(folder: Path, rounds: int) -> Group:
    """One file, in a process of its own."""
    shutil.copy(ROOT / "specs" / "resnet50.yaml", folder)
    wrong = (folder / "resnet50.yaml").read_text("utf-8") + UNUSED + "\n"
    (folder / "unused.yaml").write_text(wrong, "utf-8")
    rows = {
        "check-jsonschema": schema_check(folder, "resnet50.yaml"),
        "archspec lint, cold": cached(folder, *LINT, "--no-cache", "resnet50.yaml"),
        "archspec lint, a finding": cached(folder, *LINT, "--no-cache", "unused.yaml"),
        "archspec lint, unchanged": cached(folder, *LINT, "resnet50.yaml"),
        "ruff check, of the generated file": ruff(folder),
        "python -c pass": cached(folder, sys.executable, "-c", "pass"),
        "python -c 'import torch'": cached(folder, sys.executable, "-c", "import torch"),
    }
    note = (
        "`resnet50.yaml`, in a new process each time. **check-jsonschema** checks only the schema."
    )
    return group("Lint one spec", note, rows, rounds)


def linting_many(folder: Path, rounds: int) -> Group:
    """A folder of variants."""
    for name, more in (("clean", []), ("wrong", [UNUSED])):
        write_variants(folder / name, 200, more)
    files = sorted(f"clean/{path.name}" for path in (folder / "clean").iterdir())
    rows = {
        "check-jsonschema": schema_check(folder, *files),
        "archspec lint": cached(folder, *LINT, "--no-cache", "--jobs=1", "clean"),
        "archspec lint, a finding each": cached(folder, *LINT, "--no-cache", "--jobs=1", "wrong"),
        "archspec lint, unchanged": cached(folder, *LINT, "--jobs=1", "clean"),
    }
    note = "200 variants of built-in ResNets. **check-jsonschema** doesn't resolve `extends`."
    return group("Lint 200 specs", note, rows, rounds)


def building(folder: Path, rounds: int) -> Group:
    """From a spec to source."""
    build = (sys.executable, "-m", "archspec", "build", "resnet50", "--force", "-o", "out")
    rows = {
        "python -c 'import torch'": cached(folder, sys.executable, "-c", "import torch"),
        "archspec build": cached(folder, *build),
        "archspec build --target deploy": cached(folder, *build, "--target", "deploy"),
        "structcast-model": structcast(folder),
    }
    note = (
        "Generating ResNet-50 and its training script, compared with **import torch**. "
        "structcast-model writes one class, without a training script, from a list of all layers."
    )
    return group("Build", note, rows, rounds)


def analysis(folder: Path, rounds: int) -> Group:
    """Parameters and multiply-adds of one more variant."""
    write_variants(folder / "variants", WARM + 2 * (rounds + 1))
    files = itertools.count()
    models = torchvision_models()
    net, x = models.resnet50().eval(), torch.zeros(1, 3, 224, 224)

    def one_more() -> archspec.Analysis:
        return archspec.analyze(folder / "variants" / f"variant{next(files)}.yaml")

    for _ in range(WARM):  # what variants share is worked out once
        one_more()

    def torchinfo() -> None:
        tool: Any = import_module("torchinfo")
        tool.summary(net, input_data=x, verbose=0)

    def fvcore() -> None:
        tool: Any = import_module("fvcore.nn")
        counted = tool.FlopCountAnalysis(net, x)
        counted.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
        counted.total()

    rows = {
        "torchinfo": if_there("torchinfo", torchinfo),
        "fvcore": if_there("fvcore", fvcore),
        "archspec.analyze": called(one_more),
        "archspec.analyze and memory": called(lambda: one_more().memory(32)),
    }
    note = "A new variant of a ResNet, compared with **torchinfo** on a live ResNet-50."
    return group("Analysis", note, rows, rounds)


def construction(folder: Path, rounds: int) -> Group:
    """A live module."""
    models, source = torchvision_models(), dict[str, Any]()
    exec(archspec.render("resnet50"), source)
    rows = {
        "torchvision": called(lambda: models.resnet50()),
        "generated source": called(lambda: source["ResNet50"]()),
        "archspec.build_module": called(lambda: archspec.build_module("resnet50")),
        "archspec.build_module, init=False": called(
            lambda: archspec.build_module("resnet50", init=False)
        ),
    }
    note = "ResNet-50 with new weights, from its spec each time, compared with **torchvision**."
    return group("Construction", note, rows, rounds)


def inference(spec: str, folder: Path, rounds: int) -> Group:
    """One image."""
    other = torchvision_models().get_model(spec, weights=None).eval()
    randomise(other)
    weights, x, source = folder / "weights.pt", images(1, 3, 224, 224), dict[str, Any]()
    torch.save(other.state_dict(), weights)
    exec(archspec.render(spec), source)
    generated = next(c for name, c in source.items() if name.lower() == spec)().eval()
    generated.load_state_dict(other.state_dict())
    nets = {
        "torchvision": other,
        "torch.compile, with freezing": frozen(other, x),
        "archspec.build_module": archspec.from_weights(spec, weights).eval(),
        "generated source": generated,
        **{f"generated for deploy, {n}": deployed(spec, weights, TYPES[n]) for n in ON_CPU},
    }

    note = (
        f"`{spec}`, one image of 224 x 224, compared with **torchvision** in eager mode and "
        "float32. The last six rows run the files of `archspec export`."
    )
    rows: dict[str, Contender | None] = {name: runs(net, x) for name, net in nets.items()}
    timm = find_spec("timm") and import_module("timm").create_model(spec).eval()
    rows["timm"] = runs(timm, x) if timm else None
    rows |= exported(spec, weights, x)
    return group(f"Inference, {spec}", note, rows, 3 * rounds)


def exported(name: str, weights: Path, x: Tensor) -> dict[str, Contender | None]:
    """The files of `archspec export`, on one thread."""
    names = ("onnxruntime fp32", "onnxruntime int8", "OpenVINO fp32", "OpenVINO bf16")
    names += ("OpenVINO int8", "AOTInductor fp32")
    if not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime", "openvino"))):
        return dict.fromkeys(names)
    spec, taken = archspec.load(name), Taken((3, 224, 224))
    net = network(spec)
    made = program(folded(spec, net, loaded(net, weights)).folded, taken)
    model = graph(made, net.tree.outputs)
    fp32 = model.SerializeToString()

    def int8(first: bool) -> bytes:
        return quantized(deepcopy(model), [taken.random(1)], first=first).SerializeToString()

    variants = (
        of_onnx("onnxruntime fp32", fp32),
        of_onnx("onnxruntime int8", int8(first=False)),
        of_openvino("OpenVINO fp32", openvino(fp32)),
        of_openvino("OpenVINO bf16", openvino(fp32), "bf16"),
        of_openvino("OpenVINO int8", openvino(int8(first=True))),
        of_package("AOTInductor fp32", compiled(made)),
    )
    return {variant.name: runs(variant.run, x) for variant in variants}


def frozen(net: nn.Module, x: Tensor) -> Callable[[Tensor], Any]:
    """The network compiled with its weights as constants."""
    made = torch.compile(net)
    with inductor.config.patch(freezing=True), torch.inference_mode():
        made(x)
    return made


def inference_on_gpu(base: str, types: list[str], batch: int, folder: Path, rounds: int) -> Group:
    """ResNet-50 in one type, eager and compiled."""
    found = case("resnet50", base, types, batch, compiled=True, folder=folder)
    note = (
        f"`resnet50`, {batch} images of 224 x 224, on {torch.cuda.get_device_name()}, compared "
        f"with **torchvision** in eager mode. A turn is {CALLS} calls. Ratios are of wall time."
    )
    rows = {name: runs(net, found.x, CALLS) for name, net in found.nets.items()}
    title = f"Inference on a GPU, {base}, batch {batch}"
    return Group(title, note, next(iter(rows)), in_turns(rows, rounds), clock="wall")


def training(folder: Path, rounds: int) -> Group:
    """Steps of the training script."""
    import train

    network, batch, where = ("resnet50", 256, "a GPU") if GPU else ("resnet18", 16, "one thread")
    options = argparse.Namespace(network=network, batch_size=batch, rounds=rounds, steps=4, warm=1)
    options.threads, options.folder = torch.get_num_threads(), str(folder)
    contenders = train.ON_GPU if GPU else [c for c in train.ON_CPU if not c.compile]
    train.render(options.network, options.folder, options.batch_size)
    times = train.compete(contenders, options)
    turns = {
        contender.name: [Seconds(cpu, wall) for wall, cpu in taken]
        for contender, taken in zip(contenders, times, strict=True)
    }
    base = contenders[0].name
    note = (
        f"Four steps of `{network}` with {batch} images of 224 x 224 on {where}. archspec runs the "
        f"generated script, with all it does per step; **{base}** is a bare loop over one batch."
    )
    return Group("Training step", note, base, turns, clock=CLOCKS[DEVICE])


def loading(folder: Path, rounds: int) -> Group:
    """Images of a folder."""
    import loader

    loader.write_images(folder, 200)
    module = loader.script_of("resnet50", folder)
    sets = {"torchvision": loader.torchvision_folder(folder), **dict(loader.ours(module, folder))}

    def reads(load: loader.Loader) -> Contender:
        return called(lambda: loader.seconds(load, 200, 0, lambda: 0.0))

    note = (
        "Random crops of 224 x 224 from 200 JPEG files of about 500 x 375 pixels, in one process, "
        "compared with **torchvision**'s ImageFolder."
    )
    rows = {name: reads(data) for name, data in sets.items()}
    simplejpeg = {} if find_spec("simplejpeg") else {"archspec, simplejpeg": None}
    return group("Loader", note, {**rows, **simplejpeg}, rounds)


ON_GPU = {
    f"gpu-{base}-{batch}": partial(inference_on_gpu, base, types, batch)
    for (base, types), batch in itertools.product(COMPARED, (1, 256))
}
GROUPS: dict[str, Callable[[Path, int], Group]] = {
    "lint": linting,
    "many": linting_many,
    "build": building,
    "analysis": analysis,
    "construction": construction,
    "resnet18": partial(inference, "resnet18"),
    "resnet50": partial(inference, "resnet50"),
    **(ON_GPU if GPU else {}),
    "training": training,
    "loader": loading,
}


def group(title: str, note: str, rows: dict[str, Contender | None], rounds: int) -> Group:
    """The first contender that is there is the base."""
    there = {name: run for name, run in rows.items() if run}
    turns: Turns = in_turns(there, rounds)
    return Group(title, note, next(iter(there)), turns, [name for name in rows if not rows[name]])


def if_there(package: str, function: Callable[[], object]) -> Contender | None:
    return called(function) if find_spec(package) else None


def cached(folder: Path, *words: str) -> Contender:
    """A command with a cache of its own, and with compiled files, as users have them."""
    own = {"XDG_CACHE_HOME": str(folder), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return command(words, folder, PYTHONDONTWRITEBYTECODE="", **own)


def schema_check(folder: Path, *files: str) -> Contender | None:
    schema = str(ROOT / "docs" / "archspec.schema.json")
    tool = shutil.which("check-jsonschema")
    return cached(folder, tool, "--schemafile", schema, *files) if tool else None


def structcast(folder: Path) -> Contender | None:
    """structcast-model, which may be installed in an environment of its own."""
    tool, file = shutil.which("scm"), folder / "resnet50.yaml"
    file.write_text(yaml.safe_dump(template(torchvision_models().resnet50())), "utf-8")
    words = ("torch", "create", "model", str(file), "-o", str(folder / "resnet50.py"))
    return cached(folder, tool, *words) if tool else None


def ruff(folder: Path) -> Contender | None:
    tool = shutil.which("ruff")
    file = str(ROOT / "generated" / "resnet50.py")
    return cached(folder, tool, "check", "--isolated", "--no-cache", file) if tool else None


def measured(names: list[str], rounds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            found = table(GROUPS[name](Path(folder), rounds))
        print(
            f"{found['title']}",
            *(f"  {r['name']}: {r['ratio']:g}" for r in found["rows"]),
            sep="\n",
        )
        yield name, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    if unknown := {*args.groups} - {*GROUPS}:
        parser.error(f"no group {', '.join(unknown)}: {', '.join(GROUPS)}")
    torch.set_num_threads(1)
    before = json.loads(DATA.read_text("utf-8"))["groups"] if args.groups and DATA.exists() else []
    found = {group["key"]: group for group in before}
    peaks = {name: peak(name, "cpu") / 1e9 for name in ON_CPU}
    for name, group in measured(args.groups or [*GROUPS], args.rounds):
        found[name] = {"key": name, **group}
    groups = [found[name] for name in GROUPS if name in found]
    data = {**machine(), "torch": torch.__version__, **peaks, "groups": groups}
    DATA.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(data), "utf-8")


if __name__ == "__main__":
    main()

"""A spec inferred from a checkpoint, by names and shapes alone.

header      names and shapes of a file, without torch and without its values
own         the user's own specs
candidates  the specs with these names and shapes
resnet      a ResNet with other sizes and options
widths      a spec with other widths, as after pruning
text        the YAML, in the fewest lines
check       checks that a spec has these names and shapes, in the directory it is saved in
inference   the result
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from archspec.checkpoints import kind_of, without_prefixes
from archspec.diagnostics import plural, shown
from archspec.extras import needed_for
from archspec.infer.candidates import Candidate, Match, matches, shipped_specs, templates
from archspec.infer.check import Goal, checked
from archspec.infer.header import read_header
from archspec.infer.inference import UNKNOWN, Inference
from archspec.infer.own import Own, folders_around, own_specs
from archspec.infer.resnet import NoResNet, propose
from archspec.infer.text import difference, inherited, plain, written
from archspec.infer.widths import NoWidths, with_widths
from archspec.language.load import shipped
from archspec.language.names import is_spec_name
from archspec.paths import display_path
from archspec.source.extends import merge_data

MOST_OWN = 3  # modules to name


def infer_file(
    path: str | Path, name: str | None = None, output: str | Path | None = None
) -> Inference:
    """Infer a spec from a file of safetensors or `torch.save`; the spec is named after the file.

    It may extend the specs in the directory of the file `output`, in which it will be saved
    (without `output`, the working directory), in the directory of the checkpoint, and in `specs/`
    of either.

    For a `.safetensors` file, only the header is read, without torch. Raises `UnreadableFile`, and
    `ModuleNotFoundError` for a file that requires torch if torch is not installed.
    """
    path, output = Path(path), Path(output) if output else None
    if kind_of(path) == "safetensors":
        shapes = read_header(path)
    else:
        with needed_for(f"reading `{display_path(path)}`", "torch"):
            from archspec.runtime import read_tensors

        shapes = {key: tuple(tensor.shape) for key, tensor in read_tensors(path).items()}
    own = own_specs(folders_around(path, output), output)
    word = identifier(name or (output or path).stem)
    if not name and not output and any(one.base == word for one in own.specs):
        word = identifier(f"{word[:47]}_inferred")  # it would shadow that file
    return infer(shapes, word, own)


def identifier(text: str) -> str:
    """A name for a spec, from the name of a file: `resnet50-0676ba61` is `resnet50_0676ba61`."""
    word = re.sub(r"\W", "_", text, flags=re.ASCII)[:56]
    word = word if re.match(r"[A-Za-z]", word) else "inferred"
    return word if is_spec_name(word) else f"{word}_net"


def infer(
    shapes: Mapping[str, tuple[int, ...]], name: str = "inferred", own: Own | None = None
) -> Inference:
    """Infer a spec whose network has a `state_dict` with these names and shapes.

    The spec is expanded, and has exactly these names and shapes, except for the counters of batch
    norms if `shapes` has none. `own` are specs in addition to the built-in ones
    (`archspec.infer.own.own_specs`).
    """
    own = own or Own()
    tried = list[Inference]()
    for found in _tries(shapes, name, own):
        tried.append(found)
        if found.text is not None:
            break
    best = tried[-1] if tried[-1].text is not None else tried[0]
    return dataclasses.replace(best, skipped=own.skipped)


def _tries(shapes: Mapping[str, tuple[int, ...]], name: str, own: Own) -> Iterator[Inference]:
    candidates = [*own.specs, *shipped_specs().values()]
    goal = Goal({}, name, own)
    for whole in without_prefixes(shapes):
        goal = Goal(whole, name, own)
        found = matches(whole, candidates)
        for place, match in enumerate(found):
            others = [one.candidate for one in (*found[:place], *found[place + 1 :])]
            yield _from_match(match, others, goal)
    yield from _of_other_widths(own.specs, goal)
    yield _of_other_sizes(goal)
    yield from _of_other_widths(shipped_specs().values(), goal)


# A spec as it is -----------------------------------------------------------------------


def _from_match(match: Match, others: Iterable[Candidate], goal: Goal) -> Inference:
    over: dict[str, Any] = {}
    base, spec = match.candidate.base, match.candidate.spec
    if match.channels is not None:
        over["input"] = [match.channels, *spec.input[1:]]
    if match.classes is not None:
        if "classes" not in spec.args:
            found = f"`{match.candidate.shown}` matches"
            reason = f"{found}, except that the last layer has {plural(match.classes, 'output')}"
            return Inference(reasons=(reason,))
        over["args"] = {"classes": match.classes}
    based = _based(match.candidate, tuple(one.shown for one in others))
    based = dataclasses.replace(based, unchanged=not over)
    return checked({"extends": base, "name": goal.name, **over}, goal, based, match.candidate)


def _based(candidate: Candidate, alternatives: tuple[str, ...]) -> Inference:
    file, own = candidate.shown if candidate.folder else None, candidate.layers.own
    modules = f"the inside of {', '.join(f'`{path}`' for path in list(own)[:MOST_OWN])}"
    unknown = (modules + ", ..." * (len(own) > MOST_OWN), *UNKNOWN) if own else UNKNOWN
    return Inference(base=candidate.base, alternatives=alternatives, unknown=unknown, file=file)


# A ResNet with other sizes ---------------------------------------------------------------


def _of_other_sizes(goal: Goal) -> Inference:
    try:
        spec, guesses = propose(goal.shapes)
    except NoResNet as error:
        return Inference(reasons=(_unlike(goal), f"it is not a ResNet: {error}"))
    wanted: dict[str, Any] = {"name": goal.name, **spec}
    base = _nearest(wanted, goal.name)
    if base is not None:
        over = {"extends": base, "name": goal.name, **difference(*_sides(base, wanted))}
        candidate = shipped_specs()[base]
        shorter = checked(over, goal, Inference(base=base, guesses=guesses), candidate)
        if shorter.text is not None:
            return shorter
    return checked(wanted, goal, Inference(guesses=guesses))


def _unlike(goal: Goal) -> str:
    if not goal.shapes:
        return "there are no tensors"
    few = ", ".join(f"`{shown(key)}`" for key in list(goal.shapes)[:3])
    yours = " and none of yours" if goal.own.specs else ""
    return f"no built-in spec{yours} has these {plural(len(goal.shapes), 'tensor')} ({few}, ...)"


def _sides(base: str, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A built-in spec, and what a spec that extends it must have; its arguments may stay."""
    data = inherited(shipped_specs()[base].spec.data)
    whole = {key: value for key, value in wanted.items() if key != "name"}
    if "args" in data:
        whole.setdefault("args", data["args"])
    return data, whole


def _nearest(wanted: dict[str, Any], name: str) -> str | None:
    """The built-in spec that requires the fewest changes, if they are shorter than a whole spec."""
    best, least = None, len(written(wanted, ()).split("\n"))
    for base in sorted(shipped(), key=lambda base: (len(base), base)):
        data, whole = _sides(base, wanted)
        if list(data.get("stages", {})) != list(wanted["stages"]):
            continue
        over = difference(data, whole)
        lines = len(written({"extends": base, "name": name, **over}, ()).split("\n"))
        if lines < least and plain(merge_data(data, over).data) == whole:
            best, least = base, lines
    return best


# A spec of other widths ------------------------------------------------------------------


def _of_other_widths(candidates: Iterable[Candidate], goal: Goal) -> Iterator[Inference]:
    for candidate, others in templates(goal.shapes, candidates):
        spec = candidate.spec
        try:
            wanted = with_widths(spec, goal.shapes)
        except NoWidths as error:
            yield Inference(reasons=(f"`{candidate.shown}` has these names, but {error}",))
            continue
        over = difference(inherited(spec.data), wanted)
        whole = {"extends": candidate.base, "name": goal.name, **over}
        yield checked(whole, goal, _based(candidate, others), candidate)


__all__ = ["Inference", "infer", "infer_file"]

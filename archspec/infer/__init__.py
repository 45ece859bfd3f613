"""From a checkpoint back to a spec, by names and shapes alone.

header   names and shapes of a file, without torch and without its numbers
shipped  the shipped specs that have these names and shapes
resnet   a ResNet of other sizes and options
widths   a shipped spec with other widths, as pruning leaves them
text     the YAML, in the fewest lines
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archspec.checkpoints import kind_of, without_prefixes
from archspec.diagnostics import SpecError, UnreadableFile, shown
from archspec.extras import needed_for
from archspec.infer.header import Shapes, read_header
from archspec.infer.resnet import NoResNet, Proposal, propose
from archspec.infer.shipped import MEMO, Match, known, matches, state_of, templates
from archspec.infer.text import difference, inherited, plain, written
from archspec.infer.widths import NoWidths, with_widths
from archspec.language.load import parse_text, shipped
from archspec.language.names import is_spec_name
from archspec.paths import display_path
from archspec.source.extends import merge_data

MOST_REASONS = 12
UNKNOWN = (
    "strides, and with them the size of the input",
    "activations, and whether they are in place",
    "pools and anti-aliasing",
    "padding and dilation",
    "dropout and stochastic depth",
    "eps and momentum of norms",
)


@dataclass(frozen=True, slots=True)
class Inference:
    """What names and shapes say of a network.

    `text` is a spec with exactly these names and shapes, None if none was found; then `reasons`
    say why. `alternatives` are shipped specs that have the same and compute something else,
    `guesses` what was decided for this one, `unknown` what shapes never tell.
    """

    text: str | None = None
    base: str | None = None
    alternatives: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    unknown: tuple[str, ...] = UNKNOWN
    reasons: tuple[str, ...] = ()

    @property
    def notes(self) -> str:
        """All but the text, for people."""
        if self.text is None:
            lines = ["no spec was found that explains these names and shapes:"]
            return "\n".join([*lines, *(f"  - {reason}" for reason in self.reasons)])
        lines = [f"extends {self.base}" if self.base else "extends no shipped spec"]
        if self.alternatives:
            listed = ", ".join(self.alternatives)
            lines.append(f"the same names and shapes, but another function: {listed}")
        lines += [f"guessed: {guess}" for guess in self.guesses]
        return "\n".join([*lines, f"not to be known from shapes: {'; '.join(self.unknown)}"])


def infer_file(path: str | Path, name: str | None = None) -> Inference:
    """`infer` for a file of safetensors or of `torch.save`; the spec is called after the file.

    Of `.safetensors` only the header is read, without torch. Raises `UnreadableFile`, and
    `ModuleNotFoundError` for a file that needs torch where there is none.
    """
    path = Path(path)
    if kind_of(path) == "safetensors":
        shapes = read_header(path)
    else:
        with needed_for(f"reading `{display_path(path)}`", "torch"):
            from archspec.runtime import read_tensors

        shapes = {key: tuple(tensor.shape) for key, tensor in read_tensors(path).items()}
    return infer(shapes, identifier(name or path.stem))


def identifier(text: str) -> str:
    """A name for a spec, of the name of a file: `resnet50-0676ba61` is `resnet50_0676ba61`."""
    word = re.sub(r"\W", "_", text, flags=re.ASCII)[:56]
    word = word if re.match(r"[A-Za-z]", word) else "inferred"
    return word if is_spec_name(word) else f"{word}_net"


def infer(shapes: Mapping[str, tuple[int, ...]], name: str = "inferred") -> Inference:
    """The spec of a network whose `state_dict` has these names and shapes.

    What it proposes has been lowered and has exactly these names and shapes, the counters of
    batch norms aside where `shapes` has none.
    """
    whole: Shapes = {}
    for whole in without_prefixes(shapes):
        if found := matches(whole):
            return _from_match(found, whole, name)
    sized = _of_other_sizes(whole, name)
    if sized.text is not None:
        return sized
    return next((one for one in _of_other_widths(whole, name) if one.text is not None), sized)


def _of_other_sizes(shapes: Shapes, name: str) -> Inference:
    try:
        proposal = propose(shapes)
    except NoResNet as error:
        return Inference(reasons=(*_unlike(shapes), f"it is no ResNet: {error}"))
    return _from_proposal(proposal, shapes, name)


def _unlike(shapes: Shapes) -> tuple[str, ...]:
    few = ", ".join(f"`{shown(key)}`" for key in list(shapes)[:3])
    if not shapes:
        return ("there are no tensors",)
    return (f"no shipped spec has these {len(shapes)} tensors ({few}, ...)",)


# A shipped spec ------------------------------------------------------------------------


def _from_match(found: list[Match], shapes: Shapes, name: str) -> Inference:
    best = found[0]
    base, others = best.spec.name, tuple(match.spec.name for match in found[1:])
    over: dict[str, Any] = {}
    if best.channels is not None and best.channels != best.spec.input[0]:
        over["input"] = [best.channels, *best.spec.input[1:]]
    usual = best.spec.args.get("classes")
    if best.classes is not None and best.classes != usual:
        if usual is None:
            return Inference(reasons=(f"`{base}` fits but for {best.classes} features at its end",))
        over["args"] = {"classes": best.classes}
    whole = {"extends": base, "name": name, **over}
    return _checked(whole, shapes, Inference(base=base, alternatives=others))


# A ResNet of other sizes ----------------------------------------------------------------


def _from_proposal(proposal: Proposal, shapes: Shapes, name: str) -> Inference:
    wanted: dict[str, Any] = {"name": name, **proposal.spec}
    base = _nearest(wanted, name)
    first = Inference(guesses=proposal.guesses)
    if base is not None:
        over = {"extends": base, "name": name, **difference(*_sides(base, wanted))}
        shorter = _checked(over, shapes, Inference(base=base, guesses=proposal.guesses))
        if shorter.text is not None:
            return shorter
    return _checked(wanted, shapes, first)


def _sides(base: str, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A shipped spec, and what is wanted of one that extends it; args that it has may stay."""
    data = inherited(known()[base][0].data)
    whole = {key: value for key, value in wanted.items() if key != "name"}
    if "args" in data:
        whole.setdefault("args", data["args"])
    return data, whole


def _nearest(wanted: dict[str, Any], name: str) -> str | None:
    """The shipped spec from which the least has to be changed, if that is less than the whole."""
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


# A shipped spec of other widths ----------------------------------------------------------


def _of_other_widths(shapes: Shapes, name: str) -> Iterator[Inference]:
    for spec, others in templates(shapes):
        try:
            wanted = with_widths(spec, shapes)
        except NoWidths:
            continue
        over = {"extends": spec.name, "name": name, **difference(inherited(spec.data), wanted)}
        yield _checked(over, shapes, Inference(base=spec.name, alternatives=others))


# The check ------------------------------------------------------------------------------


def _checked(spec: dict[str, Any], shapes: Shapes, found: Inference) -> Inference:
    """`found` with the text of `spec`, if that has exactly these names and shapes."""
    text = written(spec, _comments(found, len(shapes)))
    like = f"`{found.base}`" if found.base else "a ResNet"
    try:
        state = state_of(parse_text(text, "the inferred spec", memo=MEMO), shapes)
    except SpecError as error:
        reasons = tuple(d.message for d in error.diagnostics[:MOST_REASONS])
        return Inference(reasons=(f"it is much like {like}, but none can be built", *reasons))
    if state != shapes:
        head = f"it is much like {like}, but these do not fit the others"
        return Inference(reasons=(head, *_differences(state, shapes)))
    return Inference(text, found.base, found.alternatives, found.guesses, found.unknown)


def _comments(found: Inference, count: int) -> list[str]:
    lines = [f"Inferred from the names and shapes of {count} tensors. They do not tell:"]
    lines += [f"{'; '.join(found.unknown)}."]
    if found.alternatives:
        lines.append(f"The same names and shapes: {', '.join(found.alternatives)}.")
    return lines + [f"Guessed: {guess}." for guess in found.guesses]


def _differences(state: Shapes, shapes: Shapes) -> list[str]:
    lines = []
    for key in dict.fromkeys([*shapes, *state]):
        if key not in state:
            lines.append(f"`{shown(key)}` has no place")
        elif key not in shapes:
            lines.append(f"`{key}` is missing")
        elif state[key] != shapes[key]:
            lines.append(f"`{shown(key)}` has shape {shapes[key]} where {state[key]} is expected")
    more = len(lines) - MOST_REASONS
    return lines[:MOST_REASONS] + ([f"and {more} more"] if more > 0 else [])


def main_text(path: str | Path, name: str | None = None) -> tuple[int, str, str]:
    """For the command line: exit code, YAML for the output, and notes for people.

    0: a spec was found; 1: none explains the file; 2: the file cannot be read.
    """
    try:
        found = infer_file(path, name)
    except UnreadableFile as error:
        return 2, "", str(error)
    return (1 if found.text is None else 0), found.text or "", found.notes


__all__ = ["Inference", "infer", "infer_file", "main_text"]

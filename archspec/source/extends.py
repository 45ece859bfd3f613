"""`extends`: a spec merged into its base spec.

Mappings merge key by key, lists and values replace, null removes, and a layer with a different
layer type replaces the layer. A new layer or stage is inserted before the inherited one that
follows it in the spec, or at the end. A recipe (`train`) is only inherited by a spec with its own
`train`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from archspec.diagnostics import Diagnostic, Label, Span, SpecError, did_you_mean
from archspec.memo import Memo, remember
from archspec.source.document import Document, Merged, Step
from archspec.source.syntax import shown

MAX_EXTENDS = 10
NOT_INHERITED = ("name", "class", "doc", "extends", "expect")
MODIFIERS = frozenset(
    """name repeat when else init from save numbered shortcut project before drop_path along
    sizes""".split()
)

DRAWING = frozenset(  # functions of torch.nn.init
    """constant dirac eye kaiming_normal kaiming_uniform normal ones orthogonal sparse trunc_normal
    uniform xavier_normal xavier_uniform zeros""".split()
)

# The kind of each mapping: kind -> key -> kind of the value ("" is any other key). "layers" holds
# layers by name: attributes, branches, parts, and arguments alike, since an argument is a number or
# a layer.
_KINDS: dict[str, dict[str, str]] = {
    "spec": {
        "stem": "layers",
        "head": "layers",
        "stages": "stages",
        "defaults": "defaults",
        "blocks": "blocks",
        "init": "init",
    },
    "layers": {"": "layer"},
    "layer": {
        "": "layers",
        "sequence": "stages",
        **dict.fromkeys(MODIFIERS, "layer"),
        "init": "starts",
    },
    "stages": {"": "stage"},
    "defaults": {"": "layers", "norm": "layer", "act": "layer"},
    "blocks": {"": "block"},
    "block": {"parts": "layers", "body": "layer", "like": "layer", "init": "init"},
    "init": {"": "starts"},
    "starts": {"": "start"},
}

Find = Callable[[str, Span | None], Document]


class Deletion(NamedTuple):
    """A null that removes nothing: its path, and the existing keys."""

    path: tuple[Step, ...]
    known: tuple[str, ...]


class MergeResult(NamedTuple):
    """A mapping merged over another; `ours` is what `Merged` needs to find locations."""

    data: dict[str, Any]
    ours: dict[str, Any]
    deletions: tuple[Deletion, ...] = ()


class UnmergedError(SpecError):
    """A null removes a key that does not exist; `rest` is the merged spec without it."""

    def __init__(self, diagnostics: Iterable[Diagnostic], rest: Document) -> None:
        super().__init__(diagnostics)
        self.rest = rest


def resolve(document: Document, find: Find, memo: Memo | None = None) -> Document:
    """The spec with all of its base specs merged in.

    `find` returns the document with a name, requested at a span. The result has no key `extends`,
    but
    `Document.extended` still has its location. Raises `SpecError`.
    """
    chain, spans = _chain(document, find)
    result, findings = chain.pop(), list[Diagnostic]()
    while chain:
        over = chain.pop()
        # Other specs use the same bases, but not the same spec.
        merged = (_shared_merge if chain else merge)(result, over, memo=memo)
        found = [_no_deletion(deletion, over) for deletion in merged.deletions]
        findings += [_labelled(d, spans[: len(chain)]) for d in found]
        result = merged
    result = _as_own(result, "train" in document.data)
    if findings:
        raise UnmergedError(findings, result)
    return result


def _chain(document: Document, find: Find) -> tuple[list[Document], list[Span | None]]:
    """The document and its base specs, with the location of each `extends`."""
    chain, spans = [document], list[Span | None]()
    while "extends" in chain[-1].data:
        try:
            name, span = _name(chain[-1]), chain[-1].span(("extends",))
            if len(spans) == MAX_EXTENDS:
                raise _error(f"a chain of `extends` has more than {MAX_EXTENDS} specs", span)
            spans.append(span)
            base = find(name, span)
        except SpecError as error:
            raise SpecError(_labelled(d, spans) for d in error.diagnostics) from None
        _check_cycle(chain, base, spans)
        chain.append(base)
    return chain, spans


def _as_own(document: Document, trained: bool) -> Document:
    """Without `extends`; a recipe is not inherited by every variant of a network."""
    left = [key for key in ("extends", *(() if trained else ("train",))) if key in document.data]
    if not left:
        return document
    data = {key: value for key, value in document.data.items() if key not in left}
    if isinstance(document, Merged):
        return Merged(data, document.base, document.over, document.ours, document.deletions)
    return Document(data, document.top)


def merge(base: Document, over: Document, *, memo: Memo | None = None) -> Merged:
    """`over` merged over `base`; `deletions` are the nulls that remove nothing."""
    inherited = {key: v for key, v in base.data.items() if key not in NOT_INHERITED}
    data, ours, deletions = merge_data(inherited, over.data)
    return Merged(data, base, over, ours, deletions)


_shared_merge = remember(merge)


def merge_data(base: Mapping[str, Any], over: Mapping[str, Any]) -> MergeResult:
    """The same for the data of two specs only."""
    deletions: list[Deletion] = []
    data, ours = _merged("spec", base, over, (), deletions)
    return MergeResult(data, ours, tuple(deletions))


def _merged(
    kind: str,
    base: Mapping[str, Any],
    over: Mapping[str, Any],
    path: tuple[Step, ...],
    deletions: list[Deletion],
) -> tuple[dict[str, Any], dict[str, Any]]:
    result, ours = dict(base), dict[str, Any]()
    kinds = _KINDS.get(kind, {})
    for key, value in over.items():
        if value is None:
            if key not in result:
                deletions.append(Deletion((*path, key), tuple(map(str, result))))
            result.pop(key, None)
            continue
        inner = kinds.get(key) or kinds.get("", "data")
        old, own = result.get(key), True
        if inner in ("init", "starts"):
            old, value = _opened(inner, old), _opened(inner, value, base=False)
        if isinstance(old, dict) and isinstance(value, dict):
            value, own = _joined(inner, old, value, (*path, key), deletions)
        result[key], ours[key] = value, own
    if kind in ("layers", "stages"):
        result = _in_order(result, base, over)
    return result, ours


def _in_order(
    result: dict[str, Any], base: Mapping[str, Any], over: Mapping[str, Any]
) -> dict[str, Any]:
    """Insert each new key before the next key in `over` that `base` has too."""
    if over.keys() <= base.keys():
        return result
    order = [key for key in result if key in base]
    place = len(order)
    for key in reversed([key for key in over if key in result]):
        if key in base:
            place = order.index(key)
        else:
            order.insert(place, key)
    return {key: result[key] for key in order}


def _joined(
    kind: str,
    old: dict[str, Any],
    new: dict[str, Any],
    path: tuple[Step, ...],
    deletions: list[Deletion],
) -> tuple[dict[str, Any], Any]:
    if kind == "stage":  # without `block` it is a layer between the stages
        kind = "layers" if "block" in old else "layer"
    if kind == "start":  # a function with its arguments
        return _replaced(old, new, path, deletions), True
    heads = _heads(new) if kind == "layer" else set()
    if heads and heads != _heads(old):
        return _replaced(old, new, path, deletions), True
    return _merged(kind, old, new, path, deletions)


def _opened(kind: str, value: Any, base: bool = True) -> Any:
    """The short form of `init`, by op or by parameter, so that more can be merged into it.

    A word for the whole mapping is only expanded if something is merged into it.
    """
    if value in ("resnet", "torch"):
        opened = {"weight": value} if kind == "starts" else {"conv": "torch"}
        return value if not base else {} if value == "resnet" else opened
    alone = not isinstance(value, dict) or (len(value) == 1 and value.keys() <= DRAWING)
    return {"weight": value} if kind == "starts" and value is not None and alone else value


def _replaced(
    base: dict[str, Any],
    over: dict[str, Any],
    path: tuple[Step, ...],
    deletions: list[Deletion],
) -> dict[str, Any]:
    """`over` alone; its nulls remove keys of the replaced layer."""
    for key, value in over.items():
        if value is None and key not in base:
            deletions.append(Deletion((*path, key), tuple(map(str, base))))
    return {key: value for key, value in over.items() if value is not None}


def _heads(layer: dict[str, Any]) -> set[str]:
    return {k for k, v in layer.items() if v is not None and k not in MODIFIERS}


# Findings


def led_here(findings: Iterable[Diagnostic], document: Document) -> list[Diagnostic]:
    """Findings about a merged spec; those in a base spec with the line that extends it."""
    at = document.extended
    return [_led(finding, at) if at else finding for finding in findings]


def _led(finding: Diagnostic, at: Span) -> Diagnostic:
    places = [finding.span, *(label.span for label in finding.labels)]
    if finding.span is None or any(place and place.file == at.file for place in places):
        return finding
    return finding._replace(labels=(*finding.labels, Label(at, "extended from here")))


def _error(message: str, span: Span | None, hint: str = "") -> SpecError:
    return SpecError([Diagnostic("extends", message, span, hint)])


def _no_deletion(deletion: Deletion, over: Document) -> Diagnostic:
    key = str(deletion.path[-1])
    message = f"`null` removes an inherited key, but there is no `{shown(key)}` to remove"
    hint = did_you_mean(key, deletion.known, "available")
    return Diagnostic("extends", message, over.span(deletion.path, key=True), hint)


def _name(document: Document) -> str:
    """The name of the base spec, checked: it is never a path."""
    name, span = document.data["extends"], document.span(("extends",))
    if not isinstance(name, str):
        raise _error("`extends` is not a string", span, _name_hint(name))
    if not (name.isascii() and name.isidentifier()):
        message = f"`extends: {shown(name)}` is not the name of a spec"
        raise _error(message, span, _name_hint(name))
    return name


def _name_hint(written: Any) -> str:
    """The hint with the name that is meant: of a path, of a single item, or with other letters."""
    only = written[0] if isinstance(written, list) and len(written) == 1 else written
    last = str(only).replace("\\", "/").rpartition("/")[2]
    name = re.sub(r"\W", "", re.sub(r"\.ya?ml\Z", "", last))
    fits = name.isascii() and name.isidentifier() and isinstance(only, str)
    hint = f"use a spec's name: `extends: {shown(name) if fits else 'resnet50'}`"
    return f"{hint}, without directory or suffix" if last != str(only) or "." in last else hint


def _check_cycle(chain: list[Document], base: Document, spans: list[Span | None]) -> None:
    """A file that occurs twice. The file, not the name: a file may extend another with its name."""
    if any(document is base or document.file == base.file != "" for document in chain):
        labels = tuple(Label(span, "through this") for span in spans[:-1] if span)
        message = f"`{_name(chain[-1])}` extends itself"
        hint = "break the cycle by removing one `extends`"
        raise SpecError([Diagnostic("extends", message, spans[-1], hint, labels)])


def _labelled(diagnostic: Diagnostic, spans: list[Span | None]) -> Diagnostic:
    labels = tuple(
        Label(span, "extended from here")
        for span in reversed(spans)
        if span and span != diagnostic.span
    )
    return diagnostic._replace(labels=diagnostic.labels + labels)

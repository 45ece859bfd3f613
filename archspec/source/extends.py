"""`extends`: a spec laid over the one it starts from.

Maps merge key by key, lists and values replace, null deletes, and a layer under another
head replaces the layer. A new layer or stage stands ahead of the old one that is written
behind it, or at the end. Spans travel with the values. A recipe (`train`) is inherited
only by a spec that says `train` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from archspec.diagnostics import Diagnostic, Label, Span, SpecError, did_you_mean
from archspec.record import replace
from archspec.resources import SPECS
from archspec.source.data import Map, locate
from archspec.source.files import lies_in
from archspec.source.shared import shared_merge
from archspec.source.syntax import shown

MAX_EXTENDS = 10
NOT_INHERITED = ("name", "class", "doc", "extends", "expect")
MODIFIERS = frozenset(
    ["name", "when", "else", "init", "shortcut", "project", "before", "drop_path"]
)

# What kind of map stands where: kind -> key -> kind of the value ("" is any other key).
# "layers" holds layers by name: attributes, branches, parts and arguments alike, since
# an argument is a number or a layer.
_KINDS: dict[str, dict[str, str]] = {
    "spec": {
        "stem": "layers",
        "head": "layers",
        "stages": "stages",
        "defaults": "defaults",
        "blocks": "blocks",
    },
    "layers": {"": "layer"},
    "layer": {"": "layers", **dict.fromkeys(MODIFIERS, "layer")},
    "stages": {"": "stage"},
    "defaults": {"": "layers", "norm": "layer", "act": "layer"},
    "blocks": {"": "block"},
    "block": {"parts": "layers", "body": "layer"},
}

Find = Callable[[str, Span | None], Map]


class Unmerged(SpecError):
    """Something is deleted that is not there; `rest` is what is left all the same."""

    def __init__(self, diagnostics: Iterable[Diagnostic], rest: Map) -> None:
        super().__init__(diagnostics)
        self.rest = rest


def resolve(data: dict[str, Any], find: Find) -> Map:
    """The spec with all that it extends merged in.

    `find` gives the parsed spec of a name, asked for at a span. The result holds no
    `extends`, but its `value_spans` still tell where that stood. Raises `SpecError`.
    """
    chain = [data if isinstance(data, Map) else Map(data)]
    spans: list[Span | None] = []
    while "extends" in chain[-1]:
        with _UsedAt(spans):
            name, span = _name(chain[-1]), locate(chain[-1], ["extends"])
            if len(spans) == MAX_EXTENDS:
                raise _error(f"more than {MAX_EXTENDS} specs extend one another", span)
        spans.append(span)
        with _UsedAt(spans):
            base = find(name, span)
        _check_cycle(chain, base, spans)
        chain.append(base)
    result, findings = chain.pop(), list[Diagnostic]()
    while chain:
        base, over = result, chain.pop()
        try:
            result = shared_merge(base, over, partial(merge, base, over))
        except Unmerged as error:
            result = error.rest
            findings += [_labelled(d, spans[: len(chain)]) for d in error.diagnostics]
    result.pop("extends", None)
    result = result if "train" in data else _without_recipe(result)
    if findings:
        raise Unmerged(findings, result)
    return result


def _without_recipe(spec: Map) -> Map:
    """The recipe of a network is not one for each variant of it: other classes, other data."""
    if "train" not in spec:
        return spec
    result = Map(spec)
    _delete(result, "train")
    return result


def merge(base: dict[str, Any], over: dict[str, Any]) -> Map:
    """`over` laid over `base`; `Unmerged` where it deletes what is not there."""
    findings: list[Diagnostic] = []
    inherited = Map(base)
    for key in NOT_INHERITED:
        _delete(inherited, key)
    result = _merged("spec", inherited, over, findings)
    if findings:
        raise Unmerged(findings, result)
    return result


def _merged(
    kind: str, base: dict[str, Any], over: dict[str, Any], findings: list[Diagnostic]
) -> Map:
    result = Map(base)
    kinds = _KINDS.get(kind, {})
    for key, value in over.items():
        if value is None:
            _delete_known(result, key, over, findings)
            continue
        inner = kinds.get(key) or kinds.get("", "data")
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = _joined(inner, old, value, findings)
        result[key] = value
        _take_spans(result, key, over)
    if kind in ("layers", "stages"):
        _in_order(result, base, over)
    if isinstance(over, Map) and hasattr(over, "span"):
        result.span = over.span
    return result


def _in_order(result: Map, base: dict[str, Any], over: dict[str, Any]) -> None:
    """Moves each new key ahead of the next key in `over` that `base` has too."""
    if over.keys() <= base.keys():
        return
    order = [key for key in result if key in base]
    place = len(order)
    for key in reversed([key for key in over if key in result]):
        if key in base:
            place = order.index(key)
        else:
            order.insert(place, key)
    for key in order:
        result[key] = result.pop(key)


def _joined(kind: str, old: dict[str, Any], new: dict[str, Any], findings: list[Diagnostic]) -> Map:
    if kind == "stage":  # without `block` it is a layer between the stages
        kind = "layers" if "block" in old else "layer"
    heads = _heads(new) if kind == "layer" else set()
    if heads and heads != _heads(old):
        return _replaced(old, new, findings)
    return _merged(kind, old, new, findings)


def _replaced(base: dict[str, Any], over: dict[str, Any], findings: list[Diagnostic]) -> Map:
    """`over` alone; its nulls delete what the replaced layer had."""
    result = Map(over)
    for key in [key for key, value in over.items() if value is None]:
        _delete(result, key)
        if key not in base:
            findings.append(_nothing_to_delete(key, base, over))
    return result


def _heads(layer: dict[str, Any]) -> set[str]:
    return {k for k, v in layer.items() if v is not None and k not in MODIFIERS}


def led_here(findings: Iterable[Diagnostic], data: object) -> list[Diagnostic]:
    """Findings about a merged spec; those in what it extends with the line that extends it."""
    at = data.value_spans.get("extends") if isinstance(data, Map) else None
    return [_at_own(_led(finding, at) if at else finding) for finding in findings]


def _at_own(finding: Diagnostic) -> Diagnostic:
    """What comes with archspec is right by itself: there it is the line that uses it."""
    if finding.span is None or not lies_in(finding.span.file, SPECS):
        return finding
    own = [label for label in finding.labels if not lies_in(label.span.file, SPECS)]
    if not own:
        return finding
    others = (label for label in finding.labels if label.span != own[-1].span)
    labels = (Label(finding.span, "found here"), *others)
    return replace(finding, span=own[-1].span, labels=labels, fix=None)


def _led(finding: Diagnostic, at: Span) -> Diagnostic:
    places = [finding.span, *(label.span for label in finding.labels)]
    if finding.span is None or any(place and place.file == at.file for place in places):
        return finding
    return replace(finding, labels=(*finding.labels, Label(at, "extended here")))


# Keys and their spans


def _take_spans(result: Map, key: str, source: dict[str, Any]) -> None:
    if isinstance(source, Map) and key in source.key_spans:
        result.key_spans[key] = source.key_spans[key]
        result.value_spans[key] = source.value_spans[key]
    else:
        _forget_spans(result, key)


def _forget_spans(result: Map, key: str) -> None:
    result.key_spans.pop(key, None)
    result.value_spans.pop(key, None)


def _delete(result: Map, key: str) -> None:
    result.pop(key, None)
    _forget_spans(result, key)


def _delete_known(result: Map, key: str, over: dict[str, Any], findings: list[Diagnostic]) -> None:
    if key not in result:
        findings.append(_nothing_to_delete(key, result, over))
    _delete(result, key)


# Findings


def _error(message: str, span: Span | None, hint: str = "") -> SpecError:
    return SpecError([Diagnostic("extends", message, span, hint)])


def _nothing_to_delete(key: str, base: dict[str, Any], over: dict[str, Any]) -> Diagnostic:
    message = f"null deletes, but there is no `{shown(str(key))}` here to delete"
    hint = did_you_mean(str(key), map(str, base), "there are")
    return Diagnostic("extends", message, locate(over, [key], key=True), hint)


def _name(data: Map) -> str:
    """The name that a spec extends, checked: it never is a path."""
    name, span = data["extends"], locate(data, ["extends"])
    hint = "write a spec's name: `extends: resnet50`"
    if not isinstance(name, str):
        raise _error("`extends` is not text", span, hint)
    if not (name.isascii() and name.isidentifier()):
        message = f"`extends: {shown(name)}` is not the name of a spec"
        if name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name:
            hint += ", without folder or suffix"
        raise _error(message, span, hint)
    return name


def _check_cycle(chain: list[Map], base: Map, spans: list[Span | None]) -> None:
    """A file met twice. The file, not the name: a file may extend one of its name."""
    if any(data is base or _file(data) == _file(base) != "" for data in chain):
        labels = tuple(Label(span, "by way of this") for span in spans[:-1] if span)
        message = f"`{_name(chain[-1])}` extends itself"
        hint = "remove one `extends` of the circle"
        raise SpecError([Diagnostic("extends", message, spans[-1], hint, labels)])


def _file(data: Map) -> str:
    span: Span | None = getattr(data, "span", None)
    return span.file if span else ""


class _UsedAt:
    """What is wrong inside a base is told with the lines that extend it."""

    def __init__(self, spans: list[Span | None]) -> None:
        self.spans = spans

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, SpecError):
            raise SpecError(_labelled(d, self.spans) for d in error.diagnostics) from None


def _labelled(diagnostic: Diagnostic, spans: list[Span | None]) -> Diagnostic:
    labels = tuple(
        Label(span, "extended here") for span in reversed(spans) if span and span != diagnostic.span
    )
    return replace(diagnostic, labels=diagnostic.labels + labels)

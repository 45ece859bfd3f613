"""Weight initialization, as the last statements of a constructor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archspec.codegen.containers import reached
from archspec.codegen.layout import (
    STEP,
    WIDTH,
    CallText,
    FormulaText,
    KeywordText,
    Text,
    TupleText,
    lines,
)
from archspec.expression import Expr, Name, names, new_name, with_names
from archspec.helpers import extended, qualified
from archspec.ir.classes import Class, Layer, Network, New
from archspec.ir.draws import FANS, Anchor, Case, Draw, Special, Start

BODY = STEP * 2
LONGEST = 30  # a name that leaves room on its line
FEATURES = {"fan_in": "module.in_features", "fan_out": "module.out_features"}


def starts(cls: Class, network: Network) -> list[str]:
    """The initialization of a class after its layers are made; of the network, also the rest."""
    made: list[str] = []
    for start in cls.draws:
        if start.apart and not start.literal:
            made += _apart("self", start, BODY)
    made += _Loop(cls).lines()
    return made + _literal(network) if cls is network.root else made


# Initialization without random numbers -------------------------------------------------


def _literal(network: Network) -> list[str]:
    """In a loop over the classes, and then for the network's own layers."""
    others = [cls for cls in network.classes if cls is not network.root and _own(cls)]
    made = [f"{BODY}for module in self.modules():"] if others else []
    alike: dict[tuple[str, ...], list[str]] = {}
    for cls in others:
        drawn = [line for s in _own(cls) for line in _apart("module", s, BODY + STEP * 2)]
        alike.setdefault(tuple(drawn), []).append(cls.name)
    for inside, classes in alike.items():
        made += _branch("if", _isinstance(classes), inside, BODY + STEP)
    for start in _own(network.root):
        made += _apart("self", start, BODY)
    return made


def _own(cls: Class) -> list[Start]:
    drawn = [start for start in cls.draws if start.apart and start.literal]
    return [start for start in drawn if any(draw.function != "torch" for draw in start.draws)]


def _apart(owner: str, start: Start, indent: str) -> Iterator[str]:
    for draw in start.draws:
        if draw.function != "torch":
            place = _parameter(owner, start.path, draw.parameter)
            yield from _call(draw, place, _parameter(owner, start.path, "weight"), indent)


def constant(layer: Layer, draws: Sequence[Draw]) -> list[str]:
    """A parameter of the class, initialized as soon as it is made; to zeros by default."""
    assert isinstance(layer.new, New)
    shape = layer.new.arguments["shape"]
    sizes = tuple(map(FormulaText, shape if isinstance(shape, tuple) else (shape,)))
    place, after = f"self.{layer.name}", list[str]()
    made = CallText("torch.zeros", sizes)
    for draw in draws:
        if draw.function == "ones":
            made = CallText("torch.ones", sizes)
        elif draw.full is not None:
            of_shape = TupleText(sizes)
            made = CallText("torch.full", (of_shape, FormulaText(draw.full)))
        elif draw.function not in ("zeros", "torch"):
            made = CallText("torch.empty", sizes)
            after = [*_call(draw, place, place, BODY)]
    return [*lines(CallText("nn.Parameter", (made,)), BODY, f"{place} = "), *after]


def _parameter(owner: str, path: str, name: str) -> str:
    if "." in path or path[0].isdigit():
        return f'{owner}.get_parameter("{path}.{name}")'
    return f"{owner}.{path}.{name}"


def _call(draw: Draw, place: str, weight: str, indent: str, linear: bool = False) -> Iterator[str]:
    """A call of a function of torch.nn.init; `weight` has the `fan_in` and `fan_out`."""
    formulas = [value for _, value in draw.arguments if isinstance(value, Expr)]
    used = frozenset[str]().union(*map(names, formulas)) & {*FANS}
    if used and not linear:
        targets = ", ".join(fan if fan in used else "_" for fan in FANS)
        whole = CallText("nn.init._calculate_fan_in_and_fan_out", (weight,))
        yield from lines(whole, indent, f"{targets} = ")
    arguments = (place, *(_argument(name, value, linear) for name, value in draw.arguments))
    yield from lines(CallText(f"nn.init.{draw.function}_", arguments), indent)


def _argument(name: str, value: Expr | str, linear: bool) -> Text:
    if isinstance(value, Expr) and linear:
        value = with_names(value, lambda word: Name(FEATURES.get(word, word)))
    text: Text = f'"{value}"' if isinstance(value, str) else FormulaText(value)
    return text if name == "val" else KeywordText(name, text)


# The loop -----------------------------------------------------------------------------


@dataclass(eq=False)
class _Loop:
    """The loop of a class over its modules, with the sets that it needs first."""

    cls: Class
    sets: dict[tuple[Anchor, ...], str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        cases = [*self.cases()]
        if not cases:
            return []
        made = [
            line for anchors, name in self.sets.items() for line in _set(self.cls, name, anchors)
        ]
        return [*made, f"{BODY}for module in self.modules():", *cases]

    def cases(self) -> Iterator[str]:
        """A branch for each case; a second `if` where two in a row do the same."""
        word = "if"
        before: Sequence[str] = ()
        named = [name for case in self.cls.loop for name in case.torch]
        bases = {*named} & {*map(extended, named)}
        for case in self.cls.loop:
            kinds = _isinstance([*map(qualified, case.torch)])
            skipped = [f"{BODY}{STEP * 2}continue"]
            branch = [*self.inside(case, BODY + STEP * 2)] or skipped
            # A helper that fails a joined condition would get to the branch of its base class.
            whole = bases & {*map(extended, case.torch)}
            conditions, inside = ([kinds], branch) if whole else _joined(kinds, branch, BODY + STEP)
            word = "if" if not bases and inside == before else word
            yield from _condition(word, conditions, BODY + STEP)
            yield from inside
            word, before = ("elif" if case.draws or case.specials else word), inside

    def inside(self, case: Case, indent: str) -> Iterator[str]:
        """The special cases, those without initialization first, and the others; then the common
        part.
        """
        word, around, last = "if", indent, _last(case)
        for special in case.specials:
            skipped = [f"{indent}{STEP}continue"]
            draws = special.draws[: len(special.draws) - len(last)]
            inside = [*_draws(draws, indent + STEP, case.torch)] or skipped
            yield from _branch(word, self.condition(special), inside, indent)
            word = "elif" if special.draws else word
        usual = case.draws[: len(case.draws) - len(last)]
        if word == "elif" and usual:
            yield f"{indent}else:"
            indent += STEP
        yield from _draws(usual, indent, case.torch)
        yield from _draws(last, around, case.torch)

    def condition(self, special: Special) -> str:
        first, *others = special.anchors
        if first.cls is None and not others and len(first.path) <= LONGEST:
            return f"module is {reached(first.path, self.cls)}"
        if special.anchors not in self.sets:
            self.sets[special.anchors] = self.name(special)
        return f"module in {self.sets[special.anchors]}"

    def name(self, special: Special) -> str:
        """A name for the set that nothing else in the constructor has."""
        words = [
            word
            for word in special.anchors[0].path.split(".")
            if word.isidentifier() and len(word) <= LONGEST
        ]
        word = f"{words[-1]}_layers" if words and special.draws else "drawn"
        known = {p.name for p in self.cls.parameters} | {one.name for one in self.cls.locals}
        taken = {*self.sets.values(), *known, "module"}
        return new_name(word, taken)


def _last(case: Case) -> tuple[Draw, ...]:
    """The last part of the special layers' initialization, like that of the others."""
    special = [special.draws for special in case.specials if special.draws]
    last: tuple[Draw, ...] = ()
    rows = [case.draws, *(draws[1:] for draws in special)]
    for draws in zip(*map(reversed, rows), strict=False):
        if not special or len({draw._replace(optional=False) for draw in draws}) > 1:
            break
        last = (max(draws, key=lambda draw: draw.optional), *last)
    return last


def _draws(draws: Iterable[Draw], indent: str, torch: tuple[str, ...]) -> Iterator[str]:
    conv = all(name.startswith("Conv") for name in torch)
    for draw in draws:
        optional = draw.optional or (conv and draw.parameter == "bias")  # torch's type annotation
        place = f"module.{draw.parameter}"
        weight = place if draw.parameter.endswith("weight") else "module.weight"
        inside = [*_call(draw, place, weight, indent + STEP * optional, torch == ("Linear",))]
        there = _branch("if", f"{place} is not None", inside, indent)
        yield from there if optional else inside


def _isinstance(classes: Sequence[str]) -> str:
    kinds = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
    return f"isinstance(module, {kinds})"


def _branch(word: str, condition: str, inside: Sequence[str], indent: str) -> Iterator[str]:
    """A branch; a single inner condition is joined with the outer one."""
    conditions, inside = _joined(condition, inside, indent)
    yield from _condition(word, conditions, indent)
    yield from inside


def _joined(condition: str, inside: Sequence[str], indent: str) -> tuple[list[str], Sequence[str]]:
    """The conditions of a branch and what is inside."""
    start, conditions = f"{indent}{STEP}if ", [condition]
    alone = all(line.startswith(start[:-3] + STEP) for line in inside[1:])
    if inside[0].startswith(start) and inside[0].endswith(":") and alone:
        conditions += inside[0][len(start) : -1].split(" and ")
        inside = [line[len(STEP) :] for line in inside[1:]]
    return conditions, inside


def _condition(word: str, conditions: Sequence[str], indent: str) -> Iterator[str]:
    """The line of a branch, or several."""
    whole = f"{indent}{word} {' and '.join(conditions)}:"
    first, *others = conditions
    if len(whole) <= WIDTH:
        yield whole
    elif not others:
        name, _, arguments = first.partition("(")
        yield from lines(
            CallText(name, tuple(arguments[:-1].split(", ", 1))), indent, f"{word} ", ":"
        )
    else:
        yield f"{indent}{word} ("
        yield f"{indent}{STEP}{first}"
        yield from [f"{indent}{STEP}and {other}" for other in others]
        yield f"{indent}):"


def _set(cls: Class, name: str, anchors: Sequence[Anchor]) -> Iterator[str]:
    """The modules at some paths, those of the network itself first."""
    own = [reached(anchor.path, cls) for anchor in anchors if anchor.cls is None]
    made = [_listed(own)] if own else []
    inside: dict[tuple[Class, bool], list[str]] = {}
    for anchor in anchors:
        if anchor.cls is not None:
            deep = bool(anchor.path) and not anchor.path.isidentifier()
            inside.setdefault((anchor.cls, deep), []).append(anchor.path)
    for (inner, deep), paths in inside.items():
        rows = [paths] if deep else [[path] for path in paths]
        made += [_comprehension(inner, row) for row in rows]
    for place, parts in enumerate(made):
        sign = "|=" if place else "="
        whole = f"{BODY}{name} {sign} {{{' '.join(parts)}}}"
        middle = f"{BODY}{STEP}{' '.join(parts)}"
        if len(whole) <= WIDTH and not parts[-1].endswith(","):
            yield whole
            continue
        yield f"{BODY}{name} {sign} {{"
        fits = len(middle) <= WIDTH and not parts[-1].endswith(",")
        yield from [middle] if fits else [f"{BODY}{STEP}{part}" for part in parts]
        yield f"{BODY}}}"


def _listed(places: Sequence[str]) -> list[str]:
    flat = ", ".join(places)
    return [flat] if len(flat) < WIDTH // 2 else [f"{place}," for place in places]


def _comprehension(cls: Class, paths: Sequence[str]) -> list[str]:
    """The modules at some paths in those of a class."""
    condition = ["for m in self.modules()", f"if isinstance(m, {cls.name})"]
    if not paths[0]:
        return ["part", *condition, "for part in m.modules()"]
    if paths[0].isidentifier():
        return [f"m.{paths[0]}", *condition]
    texts = [f'"{path}"' for path in paths]
    named = ["for name, part in m.named_modules()", *_among(texts)]
    return ["part", *condition, *named]  # only some uses have a shortcut


def _among(texts: Sequence[str]) -> list[str]:
    """Whether `name` is one of some strings, in as few lines as fit."""
    which = f"== {texts[0]}" if len(texts) == 1 else f"in ({', '.join(texts)})"
    room = WIDTH - len(BODY + STEP)
    if len(f"if name {which}") <= room:
        return [f"if name {which}"]
    if len(which) <= room:
        return ["if name", which]
    return ["if name", "in (", *(f"{STEP}{text}," for text in texts), ")"]

"""Findings inside pydantic, raised with a path relative to the validated value."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from archspec.diagnostics import Diagnostic, Hint, Label, Span, did_you_mean, instead
from archspec.expression import Name
from archspec.source.document import Document, Step
from archspec.source.findings import MAX_FINDINGS, too_many_findings

S = TypeVar("S", bound=Step)
T = TypeVar("T")


class Problem(NamedTuple):
    """A finding whose location is a path below the value being validated.

    `key` points at the key of the path, not at its value. `because` is the path of another key
    that it conflicts with; `word` is the exact name within an expression. `missing` is the key that
    a model requires and the value at the path lacks.
    """

    rule: str
    message: str
    hint: str = ""
    path: tuple[Step, ...] = ()
    key: bool = False
    because: tuple[Step, ...] = ()
    word: Name | None = None
    missing: str = ""

    def below(self, *steps: Step) -> "Problem":
        because = (*steps, *self.because) if self.because else ()
        return self._replace(path=(*steps, *self.path), because=because)


class Problems(Exception):
    """Findings of a plain function, before they reach pydantic."""

    def __init__(self, problems: Iterable[Problem], full: "Collector | None" = None) -> None:
        self.problems = tuple(problems)
        self.full = full  # for a collector that is full
        super().__init__(self.problems)


def fail(rule: str, message: str, hint: str = "", *path: Step, key: bool = False) -> NoReturn:
    raise Problems([Problem(rule, message, hint, path, key)])


class Collector:
    """Collects the findings of several steps, so that users see all of them at once.

    After `MAX_FINDINGS` it raises them: a file with more is hostile or not a spec at all.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, rule: str, message: str, hint: str = "", *path: Step, key: bool = False) -> None:
        self.keep([Problem(rule, message, hint, path, key)])

    def lacks(self, key: str, message: str, hint: str) -> None:
        self.keep([Problem("missing-key", message, hint, missing=key)])

    def keep(self, problems: Iterable[Problem]) -> None:
        self.problems += problems
        if len(self.problems) > MAX_FINDINGS:
            raise Problems(self.problems, full=self)

    def trying(self, *steps: Step, names: bool = True) -> "_Trying":
        """A `with` block whose findings are kept, with their paths placed below `steps`.

        `names`: a bad name is itself the last step, so it is reported at the key.
        """
        return _Trying(self, steps, names)

    def finish(self) -> None:
        if self.problems:
            raise Problems(self.problems)


class _Trying:
    def __init__(self, collector: Collector, steps: tuple[Step, ...], names: bool) -> None:
        self.collector, self.steps, self.names = collector, steps, names

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> bool:
        if not isinstance(error, Problems) or error.full is self.collector:
            return False
        self.collector.keep(map(self.placed, error.problems))
        return True

    def placed(self, problem: Problem) -> Problem:
        if self.names and problem.rule == "bad-name" and not problem.path:
            problem = problem._replace(key=True)
        return problem.below(*self.steps)


def read_items(
    values: Mapping[S, Any], read: Callable[[S, Any], T], names: bool = True
) -> dict[S, T]:
    """What `read` makes of each key and value; raises the findings of all of them at once."""
    found, result = Collector(), dict[S, T]()
    for key, value in values.items():
        with found.trying(key, names=names):
            result[key] = read(key, value)
    found.finish()
    return result


def read_list(values: Iterable[Any], read: Callable[[Any], T], names: bool = True) -> list[T]:
    """The same for a list."""
    return [*read_items(dict(enumerate(values)), lambda _, value: read(value), names).values()]


def check_mapping(value: Any, what: str, hint: str) -> None:
    """Raises `Problems` for anything but a mapping."""
    if not isinstance(value, Mapping):
        fail("wrong-type", f"expected {what}, found {describe(value)}", hint)


def to_pydantic(error: Problems) -> ValidationError:
    """The same findings as pydantic's own error, which pydantic places inside the outer one."""
    return ValidationError.from_exception_data("spec", [_details(p) for p in error.problems])


def _details(problem: Problem) -> InitErrorDetails:
    context = {"message": problem.message, "hint": problem.hint, "key": problem.key}
    context |= {"steps": len(problem.path), "because": problem.because}
    context |= {"missing": problem.missing}
    return InitErrorDetails(
        type=PydanticCustomError(problem.rule, "{message}", context),
        loc=problem.path,
        input=None,
    )


_EXAMPLES = {
    "name": "name: my_network",
    "input": "input: [3, 224, 224]",
    "body": "body: [conv: 64, norm, act]",
    "data": "data: fashion_mnist",
    "epochs": "epochs: 30",
    "batch_size": "batch_size: 256",
    "lr": "lr: 0.1",
    "magnitude": "magnitude: 6",
}
_BESIDE = {"channels-shrink": "compared with this value"}  # the label of the other key
_FIXABLE = ("unknown-block",)  # whose value is the word to replace; otherwise the key is
_EXPECTED = {
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "list_type": "expected a list",
    "string_type": "expected a string",
    "bool_type": "expected `true` or `false`",
    "int_type": "expected an integer",
    "float_type": "expected a number",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "too_short": "expected a list of at least {min_length}",
    "too_long": "expected a list of at most {max_length}",
}


ONE_INPUT = "concatenate the tensors along the channels: `input: [4, 32, 32]`; `slice` takes parts"
_HALF = 'decode it with its actual encoding; for example, `name.encode(errors="replace").decode()`'


def problems_of(
    error: ValidationError,
    choices: Iterable[str] = (),
    worded: Callable[[Any], Problem | None] = lambda _: None,
) -> list[Problem]:
    """Pydantic's findings in our words.

    `choices` are the keys of the outermost model. `worded` words some errors itself.
    """
    known = list(choices)
    try:
        errors = [e for e in error.errors(include_url=False) if not _counts_wrong_items(e)]
    except UnicodeEncodeError as half:  # in a mapping; files are read as UTF-8
        found = ascii(half.object[half.start : half.end])
        return [Problem("not-utf8", f"a string contains {found}, half of a surrogate pair", _HALF)]
    said = (worded(e) or _problem(e, known) for e in errors[:MAX_FINDINGS])
    problems = list(dict.fromkeys(said))  # several shapes are one finding
    if len(errors) > MAX_FINDINGS:
        many = too_many_findings(None)
        problems.append(Problem(many.rule, many.message, many.hint, tuple(errors[-1]["loc"])))
    # A missing key and an unknown key with a similar name are one finding, and so is a key that
    # requires it.
    lacking = {p.missing for p in problems if p.missing}
    problems = [_of_missing(p, lacking) for p in problems]
    meant = {p.hint.instead for p in problems if isinstance(p.hint, Hint)} - {""}
    return [p for p in problems if p.missing not in meant and not _requires(p, meant)]


def _requires(problem: Problem, keys: Set[str]) -> bool:
    """Whether a finding is that one of these keys is not set."""
    needs = problem.rule == "conflicting-keys" and " requires " in problem.message
    return needs and any(problem.message.endswith(f" `{key}`") for key in keys)


def _of_missing(problem: Problem, lacking: Set[str]) -> Problem:
    """An unknown key with several similar names, of which one is missing: that one is meant."""
    asked = re.findall(r"`(\w+)`", problem.hint.partition("?")[0])
    meant = [word for word in asked if word in lacking]
    if problem.rule != "unknown-key" or len(asked) < 2 or len(meant) != 1:
        return problem
    (word,), wrong = meant, str(problem.path[-1])
    return problem._replace(hint=instead(f"did you mean `{word}`?", wrong, word))


def _counts_wrong_items(error: Any) -> bool:
    """Whether a list is too short only because pydantic dropped its invalid items."""
    short = error["type"] == "too_short"
    return short and len(error["input"]) >= int(error["ctx"]["min_length"])


# Section -> its keys, and what others call them.
_BELOW: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "expect": (
        ("params", "macs", "depth", "output"),
        {"flops": "macs", "parameters": "params", "layers": "depth"},
    )
}


_LAYERS = "body stem stages head"
# What others call keys of ours, where a spec or a block has them.
_CALLED = {
    **dict.fromkeys(("layers", "features", "model", "network", "architecture", "arch"), _LAYERS),
    "block": "stages blocks",
    **dict.fromkeys(("backbone", "trunk", "encoder"), "body stem stages"),
    **dict.fromkeys(("body", "forward"), "body stem stages head"),
    **dict.fromkeys(("classifier", "top"), "head"),
    **dict.fromkeys(("input_shape", "input_size", "in_shape", "image_size", "shape"), "input"),
    **dict.fromkeys(("inherits", "inherit", "base", "parent", "from", "include"), "extends"),
    **dict.fromkeys(("training", "recipe", "hyperparameters"), "train"),
    **dict.fromkeys(("description", "comment", "notes"), "doc"),
    **dict.fromkeys(("arguments", "variables", "vars", "params", "parameters", "config"), "args"),
    **dict.fromkeys(("title", "model_name"), "name"),
}


def _problem(error: Any, choices: Sequence[str]) -> Problem:
    kind, path, context = error["type"], tuple(error["loc"]), error.get("ctx", {})
    if "key" in context and "message" in context:
        outside = path[: len(path) - context["steps"]]
        because = (*outside, *context["because"]) if context["because"] else ()
        found = Problem(kind, context["message"], context["hint"], path, context["key"], because)
        return found._replace(missing=context.get("missing", ""))
    if kind == "extra_forbidden":
        elsewhere: Mapping[str, str] = {}
        if len(path) > 1:
            choices, elsewhere = _BELOW.get(str(path[0]), ((), {}))
        hint = unknown_key(str(path[-1]), choices, elsewhere) if choices else ""
        return Problem("unknown-key", f"unknown key `{path[-1]}`", hint, path, key=True)
    if kind == "missing":
        key = str(path[-1])
        hint = f"add `{_EXAMPLES.get(key, f'{key}: ...')}`"
        message = f"missing required key `{key}`"
        return Problem("missing-key", message, hint, path[:-1], missing=key)
    if kind == "literal_error":
        return _no_choice(context["expected"], error["input"], path)
    if path[:1] == ("input",) and isinstance(error["input"], (list, dict)) and _shapes(path, error):
        return Problem("wrong-type", "expected one shape, found several", ONE_INPUT, ("input",))
    pydantic_says = error["msg"][0].lower() + error["msg"][1:]
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else pydantic_says
    rule = "wrong-type" if kind.endswith("_type") else "out-of-range"
    hint = f"for example, `{_EXAMPLES[str(path[0])]}`" if path and path[0] in _EXAMPLES else ""
    if kind == "list_type" and not hint and isinstance(error["input"], (int, float, str)):
        hint = f"use `{path[-1]}: [{error['input']}]`"[:80]
    if path == ("input",) and (sizes := _sizes(error["input"])):
        hint = f"use `input: [{', '.join(sizes)}]`"
    return Problem(rule, f"{expected}, found {describe(error['input'])}", hint, path)


def _shapes(path: tuple[Step, ...], error: Any) -> bool:
    """Whether an `input` holds several shapes: a list of lists, or a mapping of them."""
    value = error["input"]
    inside = value.values() if isinstance(value, Mapping) else ()
    return len(path) == 2 or any(isinstance(part, list) for part in inside)


def _sizes(value: Any) -> list[str]:
    """The numbers of a shape in another form: `3x32x32`, `(3, 32, 32)`, or a mapping."""
    values = value.values() if isinstance(value, Mapping) else [value]
    numbers = re.findall(r"\d+", " ".join(map(str, values))[:100])
    return numbers if 1 < len(numbers) <= 4 else []


def _no_choice(expected: str, found: Any, path: tuple[Step, ...]) -> Problem:
    """A value that is not one of a few words, which pydantic lists as `'resnet' or 'torch'`."""
    words = expected.split("'")[1::2]
    message = f"expected {expected.replace(chr(39), '`')}, found {describe(found)}"
    if isinstance(found, str):
        return Problem("out-of-range", message, did_you_mean(found, words, "available"), path)
    return Problem("wrong-type", message, "", path)


def unknown_key(key: str, choices: Iterable[str], elsewhere: Mapping[str, str]) -> str:
    """The hint for an unknown key; `elsewhere` maps other names of the choices."""
    known = [*choices]
    called = [elsewhere[key]] if key in elsewhere else _CALLED.get(key, "").split()
    meant = [word for word in called if word in known]
    if not meant:
        return did_you_mean(key, known)
    if len(meant) == 1:
        return instead(f"use `{meant[0]}`", key, meant[0])
    return f"use one of {', '.join(f'`{word}`' for word in meant)}"


def describe(value: Any) -> str:
    """A short description of a value, for messages."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value!r}`"[:40]
        case str():
            return f"the string `{value[:40]}`"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping" if value else "an empty mapping"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} `{kind}`"


def diagnose(problem: Problem, document: Document, *labels: Label) -> Diagnostic:
    """The finding with its location in a document."""
    span = document.span(problem.path, problem.key)
    if problem.word:
        span = _span_of_word(problem.word, document, problem.path)
    hint, fixable = problem.hint, problem.key or problem.rule in _FIXABLE
    fix = hint.at(span) if fixable and isinstance(hint, Hint) else None
    other = _place_of_key(document, problem.because)
    if span and other:
        span, other = _own_first(document, span, other)
        labels = (*labels, Label(other, _BESIDE.get(problem.rule, "conflicts with this")))
    return Diagnostic(problem.rule, problem.message, span, hint, labels, fix=fix)


def _span_of_word(word: Name, document: Document, path: Sequence[Step]) -> Span | None:
    """The span of a name in an expression, if the expression is on one line."""
    span = document.span(path)
    mark = document.mark(path) or document.mark(path[:-1])  # `conv: 8 * width` is a shorthand
    if span is None or mark is None or mark.parts or mark.span != span:
        return span
    if word.column is None or span.line != span.end_line:
        return span
    start = span.column + word.column + (1 if mark.quoted else 0)
    end = start + len(word.id)
    return span._replace(column=start, end_column=end) if end <= span.end_column else span


def _place_of_key(document: Document, path: Sequence[Step]) -> Span | None:
    """The span of a key, if it is written at all."""
    data: Any = document.data
    for step in path:
        if not isinstance(data, Mapping) or step not in data:
            return None
        data = data[step]
    return document.span(path, key=True) if path else None


def _own_first(document: Document, span: Span, other: Span) -> tuple[Span, Span]:
    """Of two spans, the one in the user's own file first: the other may be inherited."""
    inherited = span.file != document.file == other.file
    return (other, span) if inherited else (span, other)

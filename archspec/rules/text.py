"""AS1xx: the YAML itself."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS101", "yaml-syntax")
def yaml_syntax() -> None:
    """The file is no YAML.

    A bracket or quote that is not closed, keys of one map in different columns, or a value that
    YAML reads otherwise than a person does. Nothing behind the place can be read.

    Bad:

        stem: [norm, act

    Good:

        stem: [norm, act]
    """


@reported("AS102", "tab-indentation")
def tab_indentation() -> None:
    """A tab in the indentation.

    YAML indents with spaces alone; what a tab means would depend on the editor.

    Bad:

        stem:
        \t- norm

    Good:

        stem:
          - norm
    """


@reported("AS103", "unquoted-comma")
def unquoted_comma() -> None:
    """YAML cuts an expression at its comma.

    Inside braces and brackets a comma ends the value, so `{channels: min(64, 32)}` is a map with
    the keys `channels` and `32)`.

    Bad:

        args: {width: 48}
        stem:
          - conv: {channels: min(64, width)}

    Good:

        args: {width: 48}
        stem:
          - conv: {channels: "min(64, width)"}

    Quote what has a comma, or write the map in lines of its own.
    """


@reported("AS104", "duplicate-key")
def duplicate_key() -> None:
    """A key is given twice.

    Most readers of YAML keep the last of the two in silence, and nobody knows which was meant.

    Bad:

        input: [3, 224, 224]
        input: [3, 32, 32]
        stem: [norm]

    Good:

        input: [3, 32, 32]
        stem: [norm]
    """


@reported("AS105", "key-not-text")
def key_not_text() -> None:
    """A key is a number, a boolean, a list or a map.

    The keys of a spec are names: of attributes, of arguments, of layers.

    Bad:

        stages:
          1: {block: basic, channels: 64}

    Good:

        stages:
          layer1: {block: basic, channels: 64}
    """


@reported("AS106", "yaml-feature")
def yaml_feature() -> None:
    """An anchor, alias, tag, merge, directive or second document.

    These let a short file grow without bound or say one thing in two places. A spec has its own
    words for reuse: `defaults`, `extends` and blocks.

    Bad:

        stages:
          layer1: &first {block: basic, channels: 64}
          layer2: *first

    Good:

        stages:
          layer1: {block: basic, channels: 64}
          layer2: {block: basic, channels: 64}
    """


@reported("AS107", "not-utf8")
def not_utf8() -> None:
    """The file is not UTF-8.

    Other encodings look alike in an editor and differ on the next machine.

    Bad:

        doc: \\xfcberholt
        stem: [norm]

    Good:

        doc: überholt
        stem: [norm]

    Save the file as UTF-8.
    """


@reported("AS108", "empty-file")
def empty_file() -> None:
    """The file is empty.

    A spec has at least a `name` and an `input`.

    Bad:

        # to be written

    Good:

        name: net
        input: [3, 32, 32]
        stem: [norm]
    """


@reported("AS109", "not-a-mapping")
def not_a_mapping() -> None:
    """The file is not made of `key: value` lines.

    A spec is a map of its sections. Often it is the space behind a colon that is missing.

    Bad:

        - conv: 64
        - norm

    Good:

        stem:
          - conv: 64
          - norm
    """


@reported("AS110", "too-large")
def too_large() -> None:
    """Larger, deeper or more than archspec takes.

    Specs come from pull requests of strangers, so everything has a limit: 1 MiB and 20,000 values
    a file, 64 levels, 100 findings, 5,000 blocks, 100,000 characters of expressions. No network
    known to us comes near.

    Bad:

        stages:
          layer1: {block: basic, repeat: 600, channels: 64}
          layer2: {block: basic, repeat: 600, channels: 128, stride: 2}

    Good:

        stages:
          layer1: {block: basic, repeat: 60, channels: 64}
          layer2: {block: basic, repeat: 60, channels: 128, stride: 2}
    """


@reported("AS111", "not-finite")
def not_finite() -> None:
    """A number that is infinite or none.

    `.inf`, `.nan` and numbers beyond 1e308 are no sizes and no rates.

    Bad:

        stem:
          - dropout: .nan

    Good:

        stem:
          - dropout: 0.1
    """

"""AS1xx: the YAML itself."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS101", "yaml-syntax")
def yaml_syntax() -> None:
    """The file is not valid YAML.

    A bracket or quote is not closed, the keys of a mapping are in different columns, or YAML reads
    a value differently from what its author meant. The rest of the file cannot be read.

    Bad:

        stem: [norm, act

    Good:

        stem: [norm, act]
    """


@reported("AS102", "tab-indentation")
def tab_indentation() -> None:
    """A line is indented with a tab.

    YAML allows only spaces for indentation, because the width of a tab depends on the editor.

    Bad:

        stem:
        \\t- norm

    Good:

        stem:
          - norm
    """


@reported("AS103", "unquoted-comma")
def unquoted_comma() -> None:
    """YAML splits an unquoted expression at its comma.

    Inside braces and brackets, a comma ends a value, so `{channels: min(64, 32)}` is a mapping with
    the keys `channels` and `32)`.

    Bad:

        args: {width: 48}
        stem:
          - conv: {channels: min(64, width)}

    Good:

        args: {width: 48}
        stem:
          - conv: {channels: "min(64, width)"}

    Quote the expression, or write the mapping with one key per line.
    """


@reported("AS104", "duplicate-key")
def duplicate_key() -> None:
    """A mapping contains the same key twice.

    Most YAML readers silently keep the last one, which may not be the one that was meant.

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
    """A key is not a string.

    The keys of a spec are names: of attributes, arguments, and layers.

    Bad:

        stages:
          1: {block: basic, channels: 64}

    Good:

        stages:
          layer1: {block: basic, channels: 64}
    """


@reported("AS106", "yaml-feature")
def yaml_feature() -> None:
    """The file uses an unsupported YAML feature: an anchor, alias, tag, merge key, directive, or
    second document.

    These features allow a short file to expand without limit, or to define one value in two places.
    To reuse parts of a spec, use `defaults`, `extends`, and blocks.

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
    """The file is not valid UTF-8.

    Other encodings look the same in one editor, but differ on the next machine.

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

    A spec requires at least a `name` and an `input`.

    Bad:

        # to be written

    Good:

        name: net
        input: [3, 32, 32]
        stem: [norm]
    """


@reported("AS109", "not-a-mapping")
def not_a_mapping() -> None:
    """The file does not contain a mapping of `key: value` pairs.

    A spec is a mapping of sections. Often the space after a colon is missing.

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
    """The spec exceeds a limit on size, nesting depth, or count.

    Specs may come from pull requests by unknown authors, so everything has a limit: per file 1 MiB,
    20,000 values, 64 levels, and 100 findings; per network 5,000 blocks; and 100,000 characters of
    expressions. No network that we know of is close to these limits.

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
    """A number is infinite, NaN, or out of range for a float.

    `.inf`, `.nan`, and numbers beyond 1e308 are not valid sizes or rates.

    Bad:

        stem:
          - dropout: .nan

    Good:

        stem:
          - dropout: 0.1
    """

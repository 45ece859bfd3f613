"""AS1xx: the YAML itself."""

from __future__ import annotations

from archspec.rules.rule import told

told(
    "AS101",
    "yaml-syntax",
    """The file is no YAML.

    A bracket or quote that is not closed, keys of one map in different columns, or a value that
    YAML reads otherwise than a person does. Nothing behind the place can be read.

    Bad:

        stem: [norm, act

    Good:

        stem: [norm, act]
    """,
)
told(
    "AS102",
    "tab-indentation",
    """A tab in the indentation.

    YAML indents with spaces alone; what a tab means would depend on the editor.

    Bad:

        stem:
        \t- norm

    Good:

        stem:
          - norm
    """,
)
told(
    "AS103",
    "unquoted-comma",
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
    """,
)
told(
    "AS104",
    "duplicate-key",
    """A key is given twice.

    Most readers of YAML keep the last of the two in silence, and nobody knows which was meant.

    Bad:

        input: [3, 224, 224]
        input: [3, 32, 32]
        stem: [norm]

    Good:

        input: [3, 32, 32]
        stem: [norm]
    """,
)
told(
    "AS105",
    "key-not-text",
    """A key is a number, a boolean, a list or a map.

    The keys of a spec are names: of attributes, of arguments, of layers.

    Bad:

        stages:
          1: {block: basic, channels: 64}

    Good:

        stages:
          layer1: {block: basic, channels: 64}
    """,
)
told(
    "AS106",
    "yaml-feature",
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
    """,
)
told(
    "AS107",
    "not-utf8",
    """The file is not UTF-8.

    Other encodings look alike in an editor and differ on the next machine.

    Bad:

        doc: \udcfcberholt
        stem: [norm]

    Good:

        doc: überholt
        stem: [norm]

    Save the file as UTF-8.
    """,
)
told(
    "AS108",
    "empty-file",
    """The file is empty.

    A spec has at least a `name` and an `input`.

    Bad:

        # to be written

    Good:

        name: net
        input: [3, 32, 32]
        stem: [norm]
    """,
)
told(
    "AS109",
    "not-a-mapping",
    """The file is not made of `key: value` lines.

    A spec is a map of its sections. Often it is the space behind a colon that is missing.

    Bad:

        - conv: 64
        - norm

    Good:

        stem:
          - conv: 64
          - norm
    """,
)
told(
    "AS110",
    "too-large",
    f"""Larger, deeper or more than archspec takes.

    Specs come from pull requests of strangers, so everything has a limit: 1 MiB and 20,000 values
    a file, 64 levels, 100 findings, 5,000 blocks, 100,000 characters of expressions. No network
    known to us comes near.

    Bad:

        stem: {"[" * 70}norm{"]" * 70}

    Good:

        stem: [norm]
    """,
)
told(
    "AS111",
    "not-finite",
    """A number that is infinite or none.

    `.inf`, `.nan` and numbers beyond 1e308 are no sizes and no rates.

    Bad:

        stem:
          - dropout: .nan

    Good:

        stem:
          - dropout: 0.1
    """,
)

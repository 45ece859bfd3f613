"""AS19x: comments to the linter."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS190", "unused-suppression", "warning", fixable=True)
def unused_suppression() -> None:
    """A comment suppresses a finding that is not there.

    What it excused is gone. Left in the file it would hide the next finding
    of its kind.

    Bad:

        stem:
          # archspec: ignore[redundant-bias] the checkpoint has them
          - conv: {channels: 64, kernel: 3}
          - norm

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm

    `--fix` removes it.
    """


@reported("AS191", "suppression-without-reason", "warning")
def suppression_without_reason() -> None:
    """A comment suppresses a finding and does not say why.

    The next reader cannot tell a decision from a shrug, nor when it is over.

    Bad:

        stem:
          # archspec: ignore[redundant-bias]
          - conv: {channels: 64, kernel: 3, bias: true}
          - norm

    Good:

        stem:
          # archspec: ignore[redundant-bias] the checkpoint has them
          - conv: {channels: 64, kernel: 3, bias: true}
          - norm
    """


@reported("AS192", "unknown-rule-in-suppression", "warning")
def unknown_rule_in_suppression() -> None:
    """A comment names a rule that does not exist.

    It suppresses nothing; most often it is a typing error.

    Bad:

        stem:
          # archspec: ignore[redundant-bais] the checkpoint has them
          - conv: {channels: 64, kernel: 3}
          - norm

    Good:

        stem:
          # archspec: ignore[redundant-bias] the checkpoint has them
          - conv: {channels: 64, kernel: 3, bias: true}
          - norm

    `archspec rule --all` lists the rules.
    """

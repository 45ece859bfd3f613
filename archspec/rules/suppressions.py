"""AS19x: suppression comments."""

from __future__ import annotations

from archspec.rules.rule import reported


@reported("AS190", "unused-suppression", "warning", fixable=True)
def unused_suppression() -> None:
    """A suppression comment matches no finding.

    The finding is gone. The comment would hide the next finding of its rule.

    Bad:

        stem:
          # archspec: ignore[redundant-bias] the checkpoint has them
          - conv: {channels: 64, kernel: 3}
          - norm

    Good:

        stem:
          - conv: {channels: 64, kernel: 3}
          - norm

    Fix safety:

    The fix removes the comment, or the names of the unused rules from it.
    """


@reported("AS191", "suppression-without-reason", "warning")
def suppression_without_reason() -> None:
    """A suppression comment has no reason.

    Without a reason, readers cannot see whether the suppression was a decision, or when it can be
    removed.

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
    """A suppression comment names an unknown rule.

    The comment suppresses nothing. Usually the name has a typo.

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

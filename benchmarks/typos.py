"""What becomes of one typo in a spec: whether `lint --fix` fixes it, or its hint is right.

python benchmarks/typos.py [--specs 2000] [--seed 0] [--show KIND]

Draws specs at random and drops, doubles, swaps or hits beside one letter of one word of each.
Prints the share of each outcome and exits 1 if one was changed to anything but what it was.
`--show` lists the typos of one outcome. A typo in a name that is the user's own to choose, or
that makes another valid word, is no finding (`still valid`).
"""

from __future__ import annotations

import argparse
import sys

from child import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from support.typos import outcomes

KINDS = ("fixed", "right suggestion", "no suggestion", "wrong suggestion", "changed wrongly")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--specs", type=int, default=2000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--show", default="changed wrongly", metavar="KIND")
    given = parser.parse_args()
    counts, lines = outcomes(given.specs, given.seed)
    for kind, line in lines:
        if kind == given.show:
            print(f"{kind}: {line}")
    valid = counts.pop("still valid", 0)
    for kind in KINDS:
        print(f"{kind:18}{counts[kind]:6}{counts[kind] / sum(counts.values()):8.1%}")
    print(f"{'still valid':18}{valid:6}")
    return 1 if counts["changed wrongly"] else 0


if __name__ == "__main__":
    sys.exit(main())

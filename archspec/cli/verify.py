"""`archspec verify`: a network compared with its own source, torch's counters, and a peer.

Check that the live module and the generated source are the same network (names, initial weights,
outputs, gradients), and that torch counts the same shapes, parameters, and multiply-adds as `show`.
Exit code 0: all checks pass; 1: a check fails; 2: the peer does not exist, or its weights have
different names.
"""

from __future__ import annotations

import argparse

from archspec.api import analyze, network, render_deploy
from archspec.cli.lines import say
from archspec.cli.options import add_settings, chosen
from archspec.diagnostics import ArchspecError
from archspec.extras import needed_for
from archspec.ir.construction import imported


def add_options(parser: argparse.ArgumentParser) -> None:
    """`archspec verify SPEC [--against PEER]`."""
    add = parser.add_argument
    add("spec", metavar="SPEC", help="a YAML file or the name of a built-in spec")
    add(
        "--against",
        metavar="PEER",
        default="",
        help="torchvision:NAME or timm:NAME: with its random weights, matched by name, the outputs "
        "and a training step must agree",
    )
    add(
        "--deploy",
        action="store_true",
        help="also check the file of `build --target deploy`: it loads the weights of training, "
        "and in batches of 1, 2, and 5 the outputs agree to 1e-5 of the largest value",
    )
    add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """See the description of the command; findings are raised as `SpecError`."""
    spec = chosen(args)
    net = network(spec)
    if classes := imported(net):
        listed = ", ".join(f"`{path}`" for path in classes)
        message = f"{spec.name} imports {listed}; `verify` does not run code that a spec names"
        raise ArchspecError(message)
    with needed_for("`archspec verify`", "torch"):
        from archspec.verify import checks
    witness, done, failed = "", 0, 0
    deploy = render_deploy(spec) if args.deploy else ""
    for check in checks(net, analyze(spec), args.against, deploy):
        if check.against != witness:
            witness = check.against
            say(witness)
        say(f"  {'ok' if check.passed else 'FAIL':<5} {check.name:<15} {check.detail}")
        done, failed = done + 1, failed + (not check.passed)
    say(
        f"{spec.name}: {f'{failed} of {done} checks fail' if failed else f'all {done} checks pass'}"
    )
    return int(failed > 0)

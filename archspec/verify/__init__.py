"""A network compared with independent references: its source, torch's counters, another library."""

from __future__ import annotations

from collections.abc import Iterator

from archspec.analysis import Analysis
from archspec.ir.classes import Network
from archspec.verify.check import Check as Check
from archspec.verify.counts import checks_of_counts
from archspec.verify.deploy import checks_of_deploy
from archspec.verify.peers import PeerError as PeerError, checks_of_peer, peer
from archspec.verify.source import checks_of_source


def checks(
    network: Network, analysis: Analysis, against: str = "", deploy: str = ""
) -> Iterator[Check]:
    """Run the checks, and yield each result: source, torch's counts, inference, then the peer.

    `against` is `torchvision:NAME` or `timm:NAME`; "" means no peer. `deploy` is the network's file
    for inference, if it should be checked too. Raises `PeerError` before the first check if there
    is no such network, or its weights have different names or shapes.
    """
    other = peer(against, network, analysis) if against else None
    yield from checks_of_source(network, analysis.input)
    yield from checks_of_counts(network, analysis)
    if deploy:
        yield from checks_of_deploy(network, deploy, analysis.input)
    if other is not None:
        yield from checks_of_peer(network, other, against, analysis.input)

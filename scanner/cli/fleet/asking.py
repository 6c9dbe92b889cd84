"""`--verify` over a fleet: each credential once, from this machine, with one budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scanner.cli.arguments.common import Options
from scanner.cli.fleet.telling import tell
from scanner.cli.online import Online
from scanner.findings import Finding
from scanner.fleet.recall import Recall
from scanner.fleet.words import Repository
from scanner.verification import Verification


def found_out(
    findings: Sequence[Finding], repositories: Iterable[Repository], asker: Online, options: Options
) -> Mapping[str, Verification]:
    """What Binance answers about some findings, by their ids. Their values are read again where they stand."""
    recall = Recall(repositories, lambda label: tell(options, f"reading values again in {label}"))
    return asker.found_out(recall.credentials(findings))

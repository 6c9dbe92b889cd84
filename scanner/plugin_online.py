"""Asks Binance on behalf of the detect-secrets plugin, where somebody switched that on; the host has no place for it.

The host makes an instance of each plugin and calls `verify` of a value several times. So one asker serves all instances
of a process, asks each credential once, and says once what it sends. Pairs alone are asked about: of anything else
Binance's answer could not be that it lives.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache

from scanner.errors import ScannerError
from scanner.model import Credential, Kind
from scanner.report.sanitize import printable, without_values
from scanner.verification import Verdict
from scanner.verify.pacing import Limits
from scanner.verify.probes import HOSTS
from scanner.verify.transport import UrllibTransport
from scanner.verify.verifier import Verifier

_FIRST = "api.binance.com"
_LIVES = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)


class Asking:
    """Asks about the pairs of one file after the other. Nobody is asked before the first one."""

    def __init__(self, transport: UrllibTransport) -> None:
        self._transport = transport
        self._verifier = Verifier(transport, limits=Limits(swapped=False, lone_keys=False))
        self._announced = False

    def live(self, credentials: Sequence[Credential]) -> frozenset[str]:
        """The digests of the values that live: keys, and the secrets that sign for them."""
        pairs = [credential for credential in credentials if credential.kind is Kind.KEY_PAIR]
        if not self._verifier.plan(pairs).jobs:
            return frozenset()
        if not self._announced:
            self._announced = True
            _tell(self._announcement())
        try:
            found = self._verifier.verify(pairs).values()
        finally:
            self._transport.close()
        digests = (digest for each in found if each.verdict in _LIVES for digest in (each.key, each.secret))
        return frozenset(digest for digest in digests if digest is not None)

    def _announcement(self) -> str:
        others = ", ".join(self._transport.route(host) for host in sorted(HOSTS - {_FIRST}))
        return (
            "verify is switched on: each API key that is found with its secret is sent, with a signature and not with "
            f"its secret, to {self._transport.route(_FIRST)}; what is or may be of another system to {others}"
        )


def live_of(credentials: Sequence[Credential], loopback: str | None) -> frozenset[str]:
    """The digests of the values that live, none where Binance cannot be asked; why is told.

    `loopback` is a URL on this very machine that stands in for Binance, for tests and rehearsals.
    """
    try:
        return _asking(os.getpid(), loopback).live(credentials)
    except ScannerError as error:
        _tell(f"not verified: {error}")
        return frozenset()


@lru_cache(maxsize=1)
def _asking(process: int, loopback: str | None) -> Asking:  # noqa: ARG001 - a forked process needs its own
    """The one asker of a process."""
    return Asking(UrllibTransport(loopback=loopback))


def _tell(message: str) -> None:
    sys.stderr.write(f"binance-leaks: {without_values(printable(message))}\n")
    sys.stderr.flush()

"""Verification for the detect-secrets plugin: check pairs with Binance."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache

from binance_leaks.environments import HOSTS, Environment
from binance_leaks.errors import ScannerError
from binance_leaks.model import Credential, Kind
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.verification import Verdict
from binance_leaks.verify.rate_limit import Limits
from binance_leaks.verify.transport import UrllibTransport
from binance_leaks.verify.verifier import Verifier

_MAIN_HOST = Environment.MAINNET.facts.probes[0].host
_ACTIVE = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)


def live_digests(credentials: Sequence[Credential], loopback: str | None) -> frozenset[str]:
    """Return the digests of the values that are active.

    Returns None, with a line on stderr, where Binance cannot be reached. `loopback` is a URL on this machine that
    replaces Binance in tests and rehearsals.
    """
    try:
        return _checker(os.getpid(), loopback).live_digests(credentials)
    except ScannerError as error:
        warn(f"not verified: {error}")
        return frozenset()


class _PairChecker:
    """A checker for the pairs of one file after the other; connects for the first pair."""

    def __init__(self, transport: UrllibTransport) -> None:
        self._transport = transport
        self._verifier = Verifier(transport, limits=Limits(swapped=False, lone_keys=False))
        self._is_announced = False

    def live_digests(self, credentials: Sequence[Credential]) -> frozenset[str]:
        """Return the digests of active keys and of the secrets that sign for them."""
        pairs = [credential for credential in credentials if credential.kind is Kind.KEY_PAIR]
        if not self._verifier.plan(pairs).checks:
            return frozenset()
        if not self._is_announced:
            self._is_announced = True
            warn(self._announcement())
        try:
            found = self._verifier.verify(pairs).values()
        finally:
            self._transport.close()
        if self._verifier.interrupted:
            raise KeyboardInterrupt
        digests = (digest for each in found if each.verdict in _ACTIVE for digest in (each.key, each.secret))
        return frozenset(digest for digest in digests if digest is not None)

    def _announcement(self) -> str:
        others = ", ".join(self._transport.route(host) for host in sorted(HOSTS - {_MAIN_HOST}))
        return (
            "verify is switched on: each API key that is found with its secret is sent, with a signature and not with "
            f"its secret, to {self._transport.route(_MAIN_HOST)}; what is or may be of another system to {others}"
        )


@lru_cache(maxsize=1)
def _checker(process: int, loopback: str | None) -> _PairChecker:  # noqa: ARG001 - a forked process needs its own
    return _PairChecker(UrllibTransport(loopback=loopback))


def warn(message: str) -> None:
    sys.stderr.write(f"binance-leaks: {without_values(printable(message))}\n")
    sys.stderr.flush()

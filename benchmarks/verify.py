"""Shows what verification costs: many credentials against the played exchange of the tests, on loopback.

How long it takes, how many requests and connections, and how the rate compares with what the exchange allows. The
exchange runs in the same process, so that its work is part of the time; `--latency` plays the distance to the real one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from binance_leaks.environments import Probe, probes_for
from binance_leaks.model import Credential, Environment
from binance_leaks.verification import Verdict, Verification
from binance_leaks.verify.cache import CacheFile
from binance_leaks.verify.rate_limit import Limits, SystemClock
from binance_leaks.verify.transport import UrllibTransport
from binance_leaks.verify.verifier import Verifier
from timing import markdown, seconds

from tests.binance.accounts import TESTNET, Account, hmac_account
from tests.binance.exchange import Asked, Exchange
from tests.binance.server import serving
from tests.verify.credentials import pair

HEADER = ("run", "live", "time", "requests", "connections", "weight a minute", "at most", "Binance's limit")
UNPACED = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One run, or one with each of `caches`: what is checked, of which `opened` accounts exist, and how."""

    name: str
    credentials: Sequence[Credential]
    opened: Sequence[Account]
    probe: Probe
    limits: Limits
    latency: float
    caches: Sequence[Path] = ()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Shows what verification costs, on loopback.")
    parser.add_argument("--credentials", type=int, default=1000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.05, metavar="SECONDS", help="(default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = plans(options.credentials, options.latency, Path(folder) / "cache.json")
        rows = [row for plan in made for row in measure(plan)]
    print(markdown(HEADER, rows))
    return 0


def plans(number: int, latency: float, cache: Path) -> list[Plan]:
    """Distinct ones, repeats of one, one in two revoked, a cached second run, a slower host, and without any pacing."""
    rng = Random()
    limits = Limits(credentials=number, seconds=1e6)
    (main_probe,) = probes_for(Environment.MAINNET, b"Zz")
    (test_probe, _) = probes_for(Environment.TESTNET, b"Zz")
    accounts = [hmac_account(rng) for _ in range(number)]
    few = [hmac_account(rng, host=TESTNET) for _ in range(max(1, number // 20))]
    distinct = [pair(account) for account in accounts]
    repeated = [pair(accounts[0])] * number

    def plan(name: str, credentials: Sequence[Credential], opened: Sequence[Account], **more: object) -> Plan:
        fields = {"probe": main_probe, "limits": limits, "latency": latency, **more}
        return Plan(name=name, credentials=credentials, opened=opened, **fields)  # type: ignore[arg-type]  # see above

    unpaced = Limits(credentials=number, share=UNPACED)
    return [
        plan("distinct", distinct, accounts),
        plan("one, repeated", repeated, accounts),
        plan("half revoked", distinct, accounts[::2]),
        plan("distinct, cached", distinct, accounts, caches=(cache, cache)),
        plan(
            "testnet, weight 20", [pair(each, environment=Environment.TESTNET) for each in few], few, probe=test_probe
        ),
        plan("without pacing or distance", distinct, accounts, limits=unpaced, latency=0.0),
    ]


def measure(plan: Plan) -> Iterator[list[str]]:
    """The rows of a run. The exchange itself refuses, and bans, who asks too much: then fewer are live."""
    exchange = Exchange(plan.opened)
    exchange.latency = plan.latency
    with serving(exchange) as url:
        for number, file in enumerate(plan.caches or (None,), start=1):
            cache = CacheFile(file) if file else None
            exchange.asked.clear()
            with UrllibTransport(loopback=url) as transport:
                verifier = Verifier(transport, limits=plan.limits, cache=cache)
                start = time.perf_counter()
                found = verifier.verify(plan.credentials, progress(plan.name))
                wall = time.perf_counter() - start
            if cache is not None:
                cache.save(SystemClock().now())
            name = f"{plan.name}, run {number}" if cache else plan.name
            yield row(f"{len(plan.credentials):,} {name}", plan, found, exchange.asked, wall)


def row(name: str, plan: Plan, found: dict[str, Verification], asked: Sequence[Asked], wall: float) -> list[str]:
    """Figures as text. The rate is that from the first to the last request; `at most` is our own limit."""
    live = sum(verification.verdict is Verdict.LIVE for verification in found.values())
    moments = [one.at for one in asked]
    lasted = max(moments) - min(moments) if len(moments) > 1 else 0.0
    rate = (len(moments) - 1) * plan.probe.weight * 60 / lasted if lasted else 0.0
    paced = plan.limits.share < UNPACED
    return [
        name,
        f"{live:,} of {len(found):,}",
        seconds(wall),
        f"{len(asked):,}",
        str(len({one.connection for one in asked})),
        f"{rate:,.0f}" if lasted else "–",
        f"{plan.probe.limit * plan.limits.share:,.0f}" if paced else "no limit",
        f"{plan.probe.limit:,}",
    ]


def progress(name: str) -> Callable[[int, int], None]:
    """Show the progress on a terminal."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: {done} of {total}  ", end="\r" if done == total else "", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())

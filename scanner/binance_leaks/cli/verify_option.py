"""`--verify`: the only place that makes what opens connections, and it says beforehand what goes where."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.arguments.common import Options
from binance_leaks.errors import UsageError
from binance_leaks.model import Credential, Secret

if TYPE_CHECKING:
    from binance_leaks.pipeline.apply_verification import Verified, Verify
    from binance_leaks.verification import Verification
    from binance_leaks.verify.cache import CacheFile
    from binance_leaks.verify.verifier import Verifier

Recall = Callable[[], Mapping[str, Secret]]
"""Gives the bytes of values that left the process which found them, by their digests."""

FIRST_LINE = (
    "binance-leaks: --verify: each API key that is found will be sent to Binance, in a request signed with its secret; "
    "what goes where is told before\n"
)
_OF_VERIFY = {
    "verify_limit": "--verify-limit",
    "verify_cache": "--verify-cache",
    "verify_ca": "--verify-ca",
    "verify_loopback": "--verify-loopback",
    "proxy": "--proxy",
    "environment_proxy": "--proxy-from-environment",
}


@dataclass(frozen=True, slots=True)
class Online:
    """What asks Binance. Its limits hold for the whole run."""

    verifier: Verifier
    cache: CacheFile | None
    options: Options

    def ask(self, credentials: Sequence[Credential]) -> Verified:
        """Tells what goes where, then asks. The credentials must hold their bytes."""
        from binance_leaks.pipeline.apply_verification import verified  # start-up: clean scans need no detector

        return verified(credentials, self.found_out(credentials))

    def found_out(self, credentials: Sequence[Credential]) -> Mapping[str, Verification]:
        """The same, with the answers as they are, by the ids of the credentials."""
        sys.stderr.write(f"binance-leaks: {self.verifier.announcement(credentials)}\n")
        sys.stderr.flush()
        with _progress(self.options, len(credentials)) as show:
            found = self.verifier.verify(credentials, show)
        if self.cache is not None:
            from binance_leaks.verify.rate_limit import SystemClock  # start-up: only with --verify

            self.cache.save(SystemClock().now())
        return found


@contextmanager
def online(options: Options, *, first_line: str = FIRST_LINE) -> Iterator[Online | None]:
    """What asks Binance, if the user wants that, else None. To be entered before a scan, so that none is in vain.

    `first_line` is said before anything else. Raises UsageError for options of `--verify` that cannot be used. Opens
    nothing before something is asked.
    """
    if not getattr(options, "verify", False):
        _refuse_alone(options)
        yield None
        return
    sys.stderr.write(first_line)
    sys.stderr.flush()
    from binance_leaks.verify.cache import CacheFile, NoCache  # start-up: only with --verify
    from binance_leaks.verify.rate_limit import Limits  # as above
    from binance_leaks.verify.transport import UrllibTransport  # as above
    from binance_leaks.verify.verifier import Verifier  # as above

    cache = CacheFile(Path(options.verify_cache)) if options.verify_cache else None
    limits = Limits(credentials=options.verify_limit) if options.verify_limit else Limits()
    with UrllibTransport(
        proxy=options.proxy,
        use_environment_proxy=options.environment_proxy,
        loopback=options.verify_loopback,
        ca_file=Path(options.verify_ca) if options.verify_ca else None,
    ) as transport:
        yield Online(Verifier(transport, limits=limits, cache=cache or NoCache()), cache, options)


def asking(asker: Online | None, recall: Recall = dict) -> Verify | None:
    """As `conclude` takes it: values are brought back where they left the process that found them."""
    if asker is None:
        return None

    def verify(credentials: Sequence[Credential]) -> Verified:
        secrets = recall()
        return asker.ask([credential.with_secrets(secrets) for credential in credentials])

    return verify


def _refuse_alone(options: Options) -> None:
    """Options that only `--verify` heeds, without it: whoever gives one believes that something is asked."""
    for name, option in _OF_VERIFY.items():
        if getattr(options, name, None):
            raise UsageError(f"{option} does nothing without --verify", hint="Add --verify, or leave it out.")


@contextmanager
def _progress(options: Options, count: int) -> Iterator[Callable[[int, int], None]]:
    if count < 2 or getattr(options, "no_progress", False) or options.quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from binance_leaks.cli.progress import VerifyProgress  # rich: only where somebody looks on

    with VerifyProgress() as bar:
        yield bar.update

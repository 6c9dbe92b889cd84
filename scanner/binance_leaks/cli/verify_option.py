"""`--verify`: the only place that opens connections.

It prints what is sent where before it sends it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from binance_leaks.cli.settings import OnlineSettings, OutputSettings
from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Credential

if TYPE_CHECKING:
    from binance_leaks.pipeline.apply_verification import Verified
    from binance_leaks.verification import Verification
    from binance_leaks.verify.cache import CacheFile
    from binance_leaks.verify.verifier import Verifier

EXCEPTION = "except that of a pair whose key is unknown the other half is sent as the key, once, as they may be swapped"
FIRST_LINE = (
    "binance-leaks: --verify: each API key that is found will be sent to Binance, in a request signed with its secret, "
    f"which stays here, {EXCEPTION}; the hosts are printed first\n"
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
class OnlineVerifier:
    """A verifier with the options of the command line.

    Its limits apply to the whole run.
    """

    verifier: Verifier
    cache: CacheFile | None
    output: OutputSettings

    def verify(self, credentials: Sequence[Credential]) -> Verified:
        """Print what is sent where, then check and apply the results.

        The credentials must have their secrets.
        """
        from binance_leaks.pipeline.apply_verification import verified  # start-up: clean scans need no detector

        return replace(verified(credentials, self.check(credentials)), interrupted=self.interrupted)

    @property
    def interrupted(self) -> bool:
        """Whether the user interrupted a check: what was not checked by then is reported as such."""
        return self.verifier.interrupted

    def check(self, credentials: Sequence[Credential]) -> Mapping[str, Verification]:
        """Print what is sent where, then check.

        The results are by the ids of the credentials.
        """
        sys.stderr.write(f"binance-leaks: {self.verifier.announcement(credentials)}\n")
        sys.stderr.flush()
        with _progress(self.output, len(credentials)) as show:
            found = self.verifier.verify(credentials, show)
        if self.cache is not None:
            from binance_leaks.verify.rate_limit import SystemClock  # start-up: only with --verify

            self.cache.save(SystemClock().now())
        return found


@contextmanager
def online_verifier(
    settings: OnlineSettings, output: OutputSettings, *, first_line: str = FIRST_LINE
) -> Iterator[OnlineVerifier | None]:
    """Give a verifier if the user wants one, else None.

    Enter this before a scan, so that no scan is wasted.

    `first_line` is printed before anything else. Raises UsageError for options of `--verify` that cannot be used. Opens
    no connection before something is checked.
    """
    if not settings.verify:
        _refuse_alone(settings)
        yield None
        return
    sys.stderr.write(first_line)
    sys.stderr.flush()
    from binance_leaks.verify.cache import CacheFile, NoCache  # start-up: only with --verify
    from binance_leaks.verify.rate_limit import Limits  # as above
    from binance_leaks.verify.transport import UrllibTransport  # as above
    from binance_leaks.verify.verifier import Verifier  # as above

    cache = CacheFile(Path(settings.verify_cache)) if settings.verify_cache else None
    limits = Limits(credentials=settings.verify_limit) if settings.verify_limit else Limits()
    with UrllibTransport(
        proxy=settings.proxy,
        use_environment_proxy=settings.environment_proxy,
        loopback=settings.verify_loopback,
        ca_file=Path(settings.verify_ca) if settings.verify_ca else None,
    ) as transport:
        yield OnlineVerifier(Verifier(transport, limits=limits, cache=cache or NoCache()), cache, output)


def _refuse_alone(settings: OnlineSettings) -> None:
    """Refuse options of `--verify` without it: a user who gives one expects that something is checked."""
    for name, option in _OF_VERIFY.items():
        if getattr(settings, name):
            raise UsageError(f"{option} does nothing without --verify", hint="Add --verify, or leave it out.")


@contextmanager
def _progress(output: OutputSettings, count: int) -> Iterator[Callable[[int, int], None]]:
    if count < 2 or output.no_progress or output.quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from binance_leaks.cli.progress import VerifyProgress  # rich: only on a terminal

    with VerifyProgress() as bar:
        yield bar.update

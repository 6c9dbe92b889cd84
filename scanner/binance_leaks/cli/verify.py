"""`binance-leaks verify`: audit the user's own keys, from anywhere but arguments."""

from __future__ import annotations

import errno
import getpass
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from binance_leaks.audit import AuditOutcome, Purpose, audit_of
from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import configured
from binance_leaks.cli.output import colored, page_width
from binance_leaks.cli.run import scan_progress
from binance_leaks.cli.scan import configuration_folder, refuse_empty_path
from binance_leaks.cli.settings import CommandSettings
from binance_leaks.cli.verify_option import EXCEPTION, OnlineVerifier, online_verifier
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Confidence, Credential, Environment
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.triage import weigh
from binance_leaks.pipeline.user_keys import (
    from_environment,
    from_text,
    in_environment,
    private_key_in,
    quoted_variables,
    typed,
    with_private_key,
)
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.reading import read_file
from binance_leaks.report import write_report
from binance_leaks.report.audit import Audited, render_audit_json, render_audit_text

FIRST_LINE = (
    "binance-leaks: verify: each API key is sent to Binance, in a request signed with its secret, which stays here, "
    f"{EXCEPTION}; the hosts are printed first\n"
)
_STDIN = "standard input"
_PROMPT = "prompt"
_LARGEST = 1 << 20
_STATUS = {
    AuditOutcome.PASSED: ExitStatus.CLEAN,
    AuditOutcome.FAILED: ExitStatus.FINDINGS,
    AuditOutcome.UNKNOWN: ExitStatus.INCOMPLETE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifySettings(CommandSettings):
    """`verify`."""

    env_file: str | None
    stdin: bool
    key_only: bool
    scan_paths: Sequence[str] | None
    private_key: str | None
    purpose: str | None
    environment: str | None
    audit_format: str


def run(options: Options) -> ExitStatus:
    """Check the user's keys with Binance and report what they can do."""
    settings = VerifySettings.of(options)
    with online_verifier(settings.online, settings.output, first_line=FIRST_LINE) as verifier:
        if verifier is None:
            raise UsageError("verify needs a verifier")
        return _audit(settings, verifier)


def _audit(settings: VerifySettings, verifier: OnlineVerifier) -> ExitStatus:
    purpose = Purpose(settings.purpose) if settings.purpose else None
    private_key = private_key_in(_content(settings.private_key), settings.private_key) if settings.private_key else None
    credentials, unread = _credentials(settings)
    if private_key is not None:
        credentials = with_private_key(credentials, private_key)
    credentials = in_environment(credentials, Environment(settings.environment) if settings.environment else None)
    verified = verifier.verify(credentials)
    now = datetime.now(timezone.utc)
    audited = [
        Audited(
            credential=credential.without_secrets(),
            audit=audit_of(
                verified.verifications[credential.id], environment=credential.environment, purpose=purpose, now=now
            ),
        )
        for credential in verified.credentials
    ]
    if settings.audit_format == "json":
        text = render_audit_json(audited, purpose=purpose, now=now, complete=not verified.interrupted)
    else:
        text = render_audit_text(audited, purpose=purpose, width=page_width(), color=colored(settings.output.color))
    write_report(text, sys.stdout)
    if verified.interrupted:
        limit = settings.limit if settings.limit is not None and settings.limit.is_over else None
        why = limit.describe() if limit is not None else "interrupted"
        sys.stderr.write(f"binance-leaks: {why}: keys that were not checked by then are reported as not checked\n")
        return ExitStatus.INCOMPLETE if limit is not None else ExitStatus.INTERRUPTED
    outcomes = {each.audit.outcome for each in audited}
    if unread:
        sys.stderr.write(f"binance-leaks: {unread:,} items could not be read; run `binance-leaks scan` to list them\n")
        outcomes.add(AuditOutcome.UNKNOWN)
    worst = next(
        (each for each in (AuditOutcome.FAILED, AuditOutcome.UNKNOWN) if each in outcomes), AuditOutcome.PASSED
    )
    return _STATUS[worst]


def _credentials(settings: VerifySettings) -> tuple[tuple[Credential, ...], int]:
    """The credentials of the source that was named, and the number of items that could not be read."""
    if settings.scan_paths is not None:
        return _scanned(settings)
    if settings.env_file is not None:
        return _some(_read(_content(settings.env_file), settings.env_file, settings), settings.env_file), 0
    if settings.stdin:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return _some(_read(_limited(sys.stdin.buffer.read(_LARGEST + 1), _STDIN), _STDIN, settings), _STDIN), 0
    found = from_environment(os.environ)
    for name in quoted_variables(os.environ):
        sys.stderr.write(f"binance-leaks: {name}: the quotes around its value are no part of it\n")
    if not found and _is_terminal():
        return (_prompted(secret=settings.private_key is None),), 0
    return _some(found, "the environment"), 0


def _read(data: bytes, where: str, settings: VerifySettings) -> tuple[Credential, ...]:
    """The credentials in text. A value that is there alone is the API key only if the user says so."""
    return from_text(data, where, key_only=settings.key_only or settings.private_key is not None)


def _some(credentials: tuple[Credential, ...], where: str) -> tuple[Credential, ...]:
    if not credentials:
        raise UsageError(
            f"no Binance credential was found in {where}",
            hint="Set BINANCE_API_KEY and BINANCE_API_SECRET, or use --env-file, --stdin or --scan.",
        )
    return credentials


def _prompted(*, secret: bool) -> Credential:
    """Read a key and its secret from the terminal, without echo."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
            key = getpass.getpass("API key (not shown): ").strip()
            other = getpass.getpass("Secret key (not shown): ").strip() if secret else None
    except (EOFError, getpass.GetPassWarning):
        raise UsageError("no key could be read from the terminal", hint="Use --env-file or --stdin.") from None
    if not key or other == "":
        raise UsageError("no key was given", hint="Both key and secret are needed.")
    return typed(key.encode("utf-8"), other.encode("utf-8") if other is not None else None, path=_PROMPT)


def _scanned(settings: VerifySettings) -> tuple[tuple[Credential, ...], int]:
    """Return what a scan of paths finds, suppressed or not, with medium confidence or more, but no known examples."""
    paths = tuple(settings.scan_paths or ["."])
    refuse_empty_path(paths)
    source = FileSource(
        paths=[Path(path) for path in paths],
        target=" ".join(paths),
        jobs=usable_cores(),
        all_files=True,
        excluded=configured(settings.gate, configuration_folder(paths)).exclusion(),
    )
    with scan_progress(settings.output) as show:
        detected = source.read(show)
    if detected.interrupted:
        raise KeyboardInterrupt
    secrets = detected.reread_secrets()
    found = (
        credential.with_secrets(secrets)
        for credential in weigh(detected.credentials, detected.nearby)
        if credential.confidence >= Confidence.MEDIUM and not credential.known_example
    )
    return tuple(found), sum(skipped.lost for skipped in detected.skipped)


def _content(file: str) -> bytes:
    if not file:
        raise UsageError("the name of a file is empty", hint="Is a variable unset?")
    try:
        return read_file(file, _LARGEST)
    except OSError as error:
        hint = "Use --scan for large files." if error.errno == errno.EFBIG else ""
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint=hint) from None


def _limited(data: bytes, where: str) -> bytes:
    if len(data) > _LARGEST:
        raise UsageError(f"{where} is larger than 1 MiB", hint="Use --scan for large files.")
    return data


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

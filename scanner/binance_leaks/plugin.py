"""The detect-secrets plugin: reports the findings of a file line by line.

detect-secrets passes one line after the other, with five lines around it. That is too little to recognize a Binance
credential, so the file itself is read, once, and each value is reported with its line. The passed lines alone decide
where no such file can be read, as for `scan --string`.

Two features of detect-secrets would lose values, and are compensated here. Its filter `is_indirect_reference` drops the
line `client = Client("KEY", "SECRET")` before any plugin sees it. Of YAML and INI files it passes rewritten lines, in
which lists, comments and the ends of blocks are missing. Values there are reported with the first line that is passed,
if every other filter of detect-secrets lets them through. What remains lost: a file of which the filter drops every
line (unless run with `--disable-filter detect_secrets.filters.heuristic.is_indirect_reference`), and files that
detect-secrets does not read at all, such as those that are no UTF-8.

It checks nothing with Binance unless `"verify": true` is in its settings, as a baseline has them, or
BINANCE_LEAKS_VERIFY is 1; BINANCE_LEAKS_VERIFY=0 forbids it, also against a baseline. An active value is then marked as
verified.

In a baseline a value is identified by the digest of its text, a private key by that of the base64 of its DER, however
it is wrapped. `audit` shows what is on the line: the value, or the part of it that begins there. A private key in PEM
is reported where it begins, so that `audit` shows its first lines, and comments that allow it work as for any value.

detect-secrets executes this file by its path, outside of any package: absolute imports only, no dataclasses. It
registers every plugin class it finds here, imported ones too, unless the name begins with an underscore.
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64encode
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar, NamedTuple

from detect_secrets.constants import VerifiedResult
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.filters import allowlist, heuristic
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import get_filters, get_settings
from detect_secrets.util.code_snippet import CodeSnippet, get_code_snippet
from detect_secrets.util.filetype import FileType, determine_file_type
from detect_secrets.util.inject import call_function_with_arguments

from binance_leaks.baseline.known import REFERENCE_FILTER, SECRET_TYPES
from binance_leaks.detect import prefilter
from binance_leaks.detect.credentials import drop_unrelated_private_keys
from binance_leaks.detect.engine import detect
from binance_leaks.detect.pairing_across_files import pair_across_files
from binance_leaks.model import Confidence, Credential, Occurrence, Role
from binance_leaks.pipeline.triage import credentials_alone, unified
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles

CAREFUL_FILTER = "binance_leaks.plugin.is_indirect_reference"
"""What our hook puts in its place."""
_ALLOWLIST_FILTER = "detect_secrets.filters.allowlist.is_line_allowlisted"
_OUR_COMMENT = "binance-leaks"
_SWITCH = "BINANCE_LEAKS_VERIFY"
_LOOPBACK = "BINANCE_LEAKS_VERIFY_LOOPBACK"
_ON, _OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_RUN = re.compile(r"[A-Za-z0-9+/]{16,}")
_PIECE = re.compile(r"[A-Za-z0-9+/]{8,}")
_BEGINS = re.compile(r"-----BEGIN [A-Z ]{1,40}-----|[^A-Za-z0-9]{0,8}[A-Za-z0-9+/=_-]{8,}")
_SECTION = re.compile(r"^\[[^\]\n]+\]", re.MULTILINE)


def is_indirect_reference(line: str) -> bool:
    """The filter of this name in detect-secrets, except for lines that may have a credential."""
    return heuristic.is_indirect_reference(line) and not prefilter.may_hold(_encoded(line))


class _Found(NamedTuple):
    """A value and its line: `text` identifies it, `shown` is its part on the line; `pragma`: detect-secrets allows
    it.
    """

    line: int
    text: str
    shown: str
    pragma: bool
    sha256: str


class _File:
    """A file in lines as detect-secrets counts them, with the values to report."""

    def __init__(self, filename: str, text: str) -> None:
        self._filename = filename
        self._text = text
        self.lines = [line.rstrip() for line in text.split("\n")]
        self.credentials: tuple[Credential, ...] = ()
        self.found: dict[int, list[_Found]] = {}

    def holds(self, line: str, number: int) -> bool:
        """Whether the file has all of a line that could be part of a value.

        If so, the line was scanned with the file.
        """
        if 0 < number <= len(self.lines) and self.lines[number - 1] == line:
            return True
        return all(run in self._runs for run in _RUN.findall(line))

    @cached_property
    def rewritten(self) -> bool:
        """Whether detect-secrets may pass other lines than those in the file."""
        return determine_file_type(self._filename) is FileType.YAML or _SECTION.search(self._text) is not None

    @cached_property
    def _runs(self) -> frozenset[str]:
        return frozenset(_RUN.findall(self._text))


class _Detector(RegexBasedDetector):
    """A plugin that reports the values of one role.

    It is regex-based, as detect-secrets skips its heuristics for such plugins.
    """

    denylist = ()
    role: ClassVar[Role]

    def __init__(
        self, confidence: str = Confidence.MEDIUM.value, verify: bool = False, verify_loopback: str | None = None
    ) -> None:
        levels = {level.value: level for level in Confidence}
        if confidence not in levels:
            raise ValueError(f"confidence of {type(self).__name__} must be one of {', '.join(levels)}")
        if not isinstance(verify, bool):
            raise ValueError(f"verify of {type(self).__name__} must be true or false")
        self._least = levels[confidence]
        self._verifies = verify
        self._loopback = verify_loopback
        self._nearby = EvidenceNearFiles()
        self._file: _File | None = None
        self._version: tuple[str, int, int] | None = None
        self._last_line = 0
        self._overlooked_done = False
        self._credentials: tuple[Credential, ...] = ()
        self._last_reported: list[_Found] = []
        self._reported_secrets: set[PotentialSecret] = set()

    def analyze_line(
        self, filename: str, line: str, line_number: int = 0, context: CodeSnippet | None = None, **_options: object
    ) -> set[PotentialSecret]:
        """Return the values on a line, and once per pass those on lines left out.

        detect-secrets leaves lines out of YAML and INI files.
        """
        file = self._read(filename)
        if file is None:
            self._credentials = ()
            return self._secrets(filename, self._in_context(filename, line, line_number, context))
        if not file.found and file.holds(line, line_number):
            return set()  # nearly every line of nearly every file
        if line_number <= self._last_line:
            self._overlooked_done = False
        self._last_line = line_number
        found = list(file.found.get(line_number, ()))
        self._credentials = file.credentials
        if not found and not file.holds(line, line_number):
            found = self._in_context(filename, line, line_number, context)
        if file.found and not self._overlooked_done:
            found += self._overlooked(file, filename, line, context)
        return self._secrets(filename, found)

    def analyze_string(self, string: str) -> Generator[str, None, None]:
        """Return the values in a string without a file."""
        self._credentials = ()
        yield from (each.text for each in self._in_context("", string, 1, None))

    def verify(self, secret: str) -> VerifiedResult:
        """Check with Binance whether the last reported value is active, if configured.

        Never `VERIFIED_FALSE`: detect-secrets drops such values, and a key that Binance does not know may belong to
        another system. Done here and not in `analyze_line`, since `--no-verify` prevents this call.
        """
        digests = {each.sha256 for each in self._last_reported if secret in (each.text, each.shown)}
        if not digests or not _is_switched_on(self._verifies):
            return VerifiedResult.UNVERIFIED

        from binance_leaks.plugin_verification import live_digests  # opens no connection unless switched on

        checked = [each for each in self._credentials if not digests.isdisjoint(value.sha256 for value in each.values)]
        if not digests <= live_digests(checked, os.environ.get(_LOOPBACK) or self._loopback):
            return VerifiedResult.UNVERIFIED
        for reported in self._reported_secrets:
            if reported.secret_value == secret:
                reported.is_verified = True
        return VerifiedResult.VERIFIED_TRUE

    def json(self) -> dict[str, object]:
        """Name and settings, as a baseline stores them; defaults are left out."""
        settings: dict[str, object] = {"name": type(self).__name__, "confidence": self._least.value}
        if self._verifies:
            settings["verify"] = True
        if self._loopback is not None:
            settings["verify_loopback"] = self._loopback
        return settings

    def _read(self, filename: str) -> _File | None:
        """The file, cached while it is unchanged; None where it cannot be read."""
        try:
            status = os.stat(filename)  # noqa: PTH116 - called for every line
            version = (filename, status.st_mtime_ns, status.st_size)
            if version == self._version:
                return self._file
            data = Path(filename).read_bytes() if stat.S_ISREG(status.st_mode) else None
        except (OSError, ValueError):
            return None
        self._version, self._last_line, self._overlooked_done = version, 0, False
        self._file = self._detect_in(filename, data) if data is not None else None
        return self._file

    def _detect_in(self, filename: str, data: bytes) -> _File:
        plain = unified(data)
        file = _File(filename, plain.decode("utf-8", "surrogateescape"))
        if prefilter.may_hold(plain):
            file.credentials, skipped = credentials_alone(filename, plain, self._nearby)
            for each in skipped:
                _warn_of_rest(filename, each.why)
            for found in self._reportable(file.credentials, file.lines):
                file.found.setdefault(found.line, []).append(found)
        return file

    def _reportable(self, credentials: Iterable[Credential], lines: Sequence[str]) -> Iterator[_Found]:
        """The values of enough confidence that are not published and not allowed by our comments."""
        for credential in credentials:
            if credential.known_example or credential.confidence < self._least:
                continue
            for occurrence in credential.occurrences:
                allowed = occurrence.location.allowed or ""
                if occurrence.value.role is self.role and not allowed.lower().startswith(_OUR_COMMENT):
                    text = _text(occurrence)
                    shown = _part_on_line(text, occurrence, lines)
                    yield _Found(occurrence.location.line, text, shown, bool(allowed), occurrence.value.sha256)

    def _in_context(self, filename: str, line: str, number: int, context: CodeSnippet | None) -> list[_Found]:
        """The values on one of the lines passed by detect-secrets, which may itself span several lines."""
        lines, target = [line], 0
        if context and [each.rstrip() for each in context.lines[context.target_index :][:1]] == [line.rstrip()]:
            lines, target = [each.rstrip() for each in context.lines], context.target_index
        data = _encoded("\n".join(lines))
        if not prefilter.may_hold(data):
            return []
        first = sum(each.count("\n") + 1 for each in lines[:target]) + 1
        last = first + lines[target].count("\n")
        credentials = drop_unrelated_private_keys(pair_across_files(detect(data, path=filename)))
        self._credentials = (*self._credentials, *credentials)
        reported = self._reportable(credentials, "\n".join(lines).split("\n"))
        return [each._replace(line=number) for each in reported if first <= each.line <= last]

    def _overlooked(self, file: _File, filename: str, line: str, context: CodeSnippet | None) -> list[_Found]:
        """The values whose lines detect-secrets will not pass, if its other filters let them through."""
        around = context or get_code_snippet([line], 1)
        if allowlist.is_line_allowlisted(filename=filename, line=line, context=around):
            # detect-secrets passes allowed lines only when it looks for what they allow, and for nothing else.
            return []
        self._overlooked_done = True
        references = not {REFERENCE_FILTER, CAREFUL_FILTER}.isdisjoint(get_settings().filters)
        return [
            each
            for number, found in file.found.items()
            if file.rewritten or (references and heuristic.is_indirect_reference(file.lines[number - 1]))
            for each in found
            if not self._filtered(each, filename, file.lines)
        ]

    def _filtered(self, found: _Found, filename: str, lines: Sequence[str]) -> bool:
        """Whether a filter of detect-secrets, except that of references, hides a value on its own line."""
        context = get_code_snippet(list(lines), found.line)
        line, secret = context.target_line, found.shown
        known = {"filename": filename, "line": line, "context": context, "secret": secret, "plugin": self}
        for hides in get_filters():
            if hides.path in (REFERENCE_FILTER, CAREFUL_FILTER):
                continue
            try:
                if call_function_with_arguments(hides, **known):
                    return True
            except TypeError:  # a filter that needs what is not known here; the host passes over it likewise
                continue
        return False

    def _secrets(self, filename: str, found: list[_Found]) -> set[PotentialSecret]:
        pragmas_hold = _ALLOWLIST_FILTER in get_settings().filters
        secrets = set()
        for each in found:
            if not (each.pragma and pragmas_hold):
                secret = PotentialSecret(self.secret_type, filename, each.text, each.line)
                secret.secret_value = each.shown
                secrets.add(secret)
        if found:
            self._last_reported, self._reported_secrets = found, secrets
        return secrets


class BinanceApiKeyDetector(_Detector):
    """API keys of Binance."""

    role = Role.API_KEY
    secret_type = SECRET_TYPES[role]


class BinanceSecretKeyDetector(_Detector):
    """HMAC secrets of Binance."""

    role = Role.SECRET_KEY
    secret_type = SECRET_TYPES[role]


class BinancePrivateKeyDetector(_Detector):
    """Ed25519 and RSA private keys that sign for Binance."""

    role = Role.PRIVATE_KEY
    secret_type = SECRET_TYPES[role]


@lru_cache
def _warn_of_rest(filename: str, why: str) -> None:
    """Warn, once for all plugins, of a file that was not searched to its end."""
    from binance_leaks.plugin_verification import warn  # no other file needs it

    warn(f"{filename}: {why}")


def _is_switched_on(setting: bool) -> bool:
    """Whether verification is on: by the environment, else by the plugin's settings."""
    switch = os.environ.get(_SWITCH, "").strip().lower()
    return switch in _ON or (setting and switch not in _OFF)


def _text(occurrence: Occurrence) -> str:
    value = occurrence.value.secret.reveal() if occurrence.value.secret else b""
    return b64encode(value).decode("ascii") if occurrence.value.role is Role.PRIVATE_KEY else value.decode("ascii")


def _part_on_line(text: str, occurrence: Occurrence, lines: Sequence[str]) -> str:
    """The part of a value on its line: all of it, else the longest part, else what begins there."""
    number, column = occurrence.location.line, occurrence.location.column
    line = lines[number - 1] if number <= len(lines) else ""
    if text in line:
        return text
    parts: list[str] = [part for part in _PIECE.findall(line) if part in text]
    if parts:
        return max(parts, key=len)
    begins = _BEGINS.match(line, column - 1)
    return begins[0] if begins else line.strip() or text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

"""Values in the names of files and folders, such as `binance_<key>.txt` or `accounts/<key>/orders.json`."""

from __future__ import annotations

from binance_leaks.detect import prefilter, rules
from binance_leaks.detect.candidates import LENGTH
from binance_leaks.detect.credentials import Group, merge_credentials
from binance_leaks.detect.document import Document
from binance_leaks.detect.engine import groups_in
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Credential, Evidence, Grade, Occurrence

_RUN = lazy_pattern(r"[A-Za-z0-9]{64,}")
_SEPARATOR = lazy_pattern(r"[_+=-](?=[A-Za-z0-9]{64})|(?<=[A-Za-z0-9]{64})[_+=-]")
_IN_NAME = Evidence(grade=Grade.STATEMENT, text="in the name of its file or folder", for_binance=False)


def detect_in_path(path: str, evidence_path: str | None = None) -> tuple[Credential, ...]:
    """Return the credentials in a path, or in the part of it that may be evidence.

    Each is located at the file or folder whose name holds it, as if in its first line. Digests are names of files
    everywhere, so hexadecimal values do not count.
    """
    named = path if evidence_path is None else evidence_path.replace("/./", "/")[-len(path) :]
    if len(named) < LENGTH or not prefilter.path_may_hold(named.encode("utf-8", "surrogateescape")):
        return ()
    text = _SEPARATOR.sub(" ", named).replace("/", "\n")
    document = Document(text=text, path=_RUN.sub("", named))
    ends = [len(path) - len(named) + end for end in _ends_of_names(text)]
    return merge_credentials(
        Group.of(*(_located(occurrence, path, ends) for occurrence in group.occurrences))
        for group in groups_in(document, path)
        if all(occurrence.rule == rules.HMAC for occurrence in group.occurrences)
    )


def digests_in_path(path: str) -> frozenset[str]:
    """Return the digests of the values in a path."""
    return frozenset(value.sha256 for credential in detect_in_path(path) for value in credential.values)


def _ends_of_names(text: str) -> list[int]:
    return [at for at, char in enumerate(text) if char == "\n"] + [len(text)]


def _located(occurrence: Occurrence, path: str, ends: list[int]) -> Occurrence:
    """The occurrence of a value in the name that is in its line."""
    location = occurrence.location
    shown = path[: ends[occurrence.last_line - 1]].removesuffix("!")  # of an archive, before its member
    return replace(
        occurrence,
        location=replace(location, path=shown, line=1, column=1, allowed=None),
        last_line=1,
        evidence=(*occurrence.evidence, _IN_NAME),
        in_path=True,
    )

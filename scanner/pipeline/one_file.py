"""One file, judged by itself: its credentials, and the lines of its values."""

from __future__ import annotations

import io
from pathlib import Path

from scanner.detect import prefilter
from scanner.detect.credentials import lacks_evidence, paired_across, settled, with_evidence
from scanner.model import Credential
from scanner.pipeline.detection import credentials_in
from scanner.sources.piece import Piece
from scanner.sources.plain import read_plain
from scanner.sources.roots import Roots
from scanner.sources.surroundings import FileSurroundings


def credentials_alone(filename: str, data: bytes, surroundings: FileSurroundings) -> tuple[Credential, ...]:
    """The credentials of a file as a scan of it alone judges them."""
    root = Roots().root(filename)
    evidence_path = root.evidence if root.in_work_tree or Path(filename).is_absolute() else root.shown
    pieces = read_plain(filename, evidence_path, io.BytesIO(data))
    found = [credential for piece in pieces if isinstance(piece, Piece) for credential in credentials_in(piece)]
    weighed = []
    for credential in paired_across(found):
        lacking = lacks_evidence(credential) and not credential.known_example
        evidence = surroundings.mention(filename) if lacking else None
        weighed.append(with_evidence(credential, evidence) if evidence is not None else credential)
    return settled(paired_across(weighed))


def lines_of(filename: str) -> dict[str, int]:
    """The first line of every value in a file, by SHA-1 as in baselines; nothing where no such file can be read."""
    try:
        plain = unified(Path(filename).read_bytes()) if Path(filename).is_file() else b""
    except (OSError, ValueError):
        return {}
    if not prefilter.may_hold(plain):
        return {}
    lines: dict[str, int] = {}
    for credential in credentials_alone(filename, plain, FileSurroundings()):
        for sighting in credential.sightings:
            line = sighting.location.line
            lines[sighting.value.sha1] = min(line, lines.get(sighting.value.sha1, line))
    return lines


def unified(data: bytes) -> bytes:
    """Content with line ends as detect-secrets reads them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

"""Remember what the last scan of a project found, so that `allow` can name it by id.

A file for each project in the user's own state folder: digests, ids, masks and locations, no values.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from binance_leaks.findings import Finding, Result
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Exposure, container_of
from binance_leaks.path_bytes import encode_path
from binance_leaks.reading import read_file
from binance_leaks.report.names import join_masks, title
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.sources.path_roots import PathRoots
from binance_leaks.writing import replace_file

_SCHEMA = "binance-leaks-last-scan/1"
_LARGEST = 16 << 20
_MOST_FINDINGS = 1000
_ON_DISK = (Exposure.STAGED, Exposure.PRESENT)
_DIGEST = lazy_pattern(r"[0-9a-f]{64}")
_ID = lazy_pattern(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFinding:
    """A finding as far as `allow` needs it."""

    id: str
    title: str
    """What it is, with its masks."""
    sha256: tuple[str, ...]
    files: tuple[str, ...]
    """Absolute paths of the files on disk that may hold it, but those with a value in the path itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LastScan:
    """The findings of a scan, and the project that they are in."""

    project: str
    """The top of the repository that was scanned; outside of one the folder."""
    config: str | None
    """The configuration that was used."""
    findings: tuple[KnownFinding, ...]


def remember(result: Result, *, folder: str | None, config: str | None) -> bool:
    """Remember the findings of a scan whose paths lead to files from `folder`; return whether `allow` will find them.

    None of what can go wrong here is a reason to fail a scan.
    """
    try:
        findings = known_findings(result, folder)[:_MOST_FINDINGS]
        here = project_of(os.curdir)
        project = _scanned_project(findings, folder) or here
        scan = LastScan(
            project=project,
            config=_join(os.curdir, config) if config else None,
            findings=findings,
        )
        data = json.dumps(_content_of(scan), indent=1).encode("ascii")
        for top in {project, here}:
            file = _file_of(top)
            if file is None or _is_inside(file, {project, here}):
                return False
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(file, data, private=True)
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def recall(folder: str = os.curdir) -> LastScan | None:
    """Return the last scan of the project of a folder, None where none was remembered."""
    with suppress(OSError, ValueError, RuntimeError, RecursionError):
        file = _file_of(project_of(folder))
        if file is not None:
            return _parse(json.loads(read_file(file, _LARGEST)))
    return None


def known_findings(result: Result, folder: str | None) -> tuple[KnownFinding, ...]:
    """Return the findings of a result whose paths lead to files from `folder`, None where there are no such files."""
    redactor = Redactor.of(result)
    return tuple(_known(finding, folder, redactor) for finding in result.findings)


def project_of(folder: str) -> str:
    """Return the top of the repository that a folder is in, outside of one the folder, without links."""
    return PathRoots().top(folder) or os.path.realpath(folder)


def _known(finding: Finding, folder: str | None, redactor: Redactor) -> KnownFinding:
    named = dict.fromkeys(place.path for place in finding.locations if place.exposure in _ON_DISK)
    return KnownFinding(
        id=finding.id,
        title=Quoted(redactor).path(f"{title(finding)}: {join_masks(finding)}"),
        sha256=tuple(sorted(value.sha256 for value in finding.values)),
        files=tuple(_join(folder, path) for path in named if redactor.path(path) == path) if folder is not None else (),
    )


def _join(folder: str, path: str) -> str:
    return os.path.abspath(os.path.join(folder, path))  # noqa: PTH100, PTH118 - as text: members of archives, any bytes


def _scanned_project(findings: Iterable[KnownFinding], folder: str | None) -> str | None:
    """The project of the first file with a finding, else of the folder that was scanned."""
    for finding in findings:
        for file in finding.files:
            return project_of(os.path.dirname(container_of(file)))  # noqa: PTH120 - as above
    return project_of(folder) if folder is not None else None


def record_folder() -> Path | None:
    """Return the folder of all records, where programs of the system keep what they remember."""
    folder = _state_folder(os.environ)
    return folder / "binance-leaks" / "last-scan" if folder is not None else None


def _file_of(project: str) -> Path | None:
    folder = record_folder()
    name = sha256(encode_path(project)).hexdigest()[:32]
    return folder / f"{name}.json" if folder is not None else None


def _state_folder(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("XDG_STATE_HOME", "")
    if named and Path(named).is_absolute():
        return Path(named)
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return Path(local) if local else None
    home = Path.home()
    return home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "state"


def _is_inside(file: Path, projects: Iterable[str]) -> bool:
    """Whether a file would be in a project: a scan writes nothing into what it scans."""
    real = Path(os.path.realpath(file))
    return any(real.is_relative_to(project) for project in projects)


def _content_of(scan: LastScan) -> Mapping[str, object]:
    return {
        "schema": _SCHEMA,
        "project": scan.project,
        "config": scan.config,
        "findings": [
            {"id": each.id, "title": each.title, "sha256": each.sha256, "files": each.files} for each in scan.findings
        ],
    }


def _parse(content: object) -> LastScan | None:
    """A scan as it was written, None for anything else."""
    match content:
        case {"schema": schema, "project": str(project), "config": str() | None as config, "findings": list(findings)}:
            read = [each for entry in findings if (each := _parse_finding(entry)) is not None]
            if schema == _SCHEMA and read:
                return LastScan(project=project, config=config, findings=tuple(read))
    return None


def _parse_finding(entry: object) -> KnownFinding | None:
    match entry:
        case {"id": str(identity), "title": str(described), "sha256": list(digests), "files": list(files)}:
            texts = [each for each in (*digests, *files) if isinstance(each, str)]
            if len(texts) == len(digests) + len(files) and digests and all(map(_DIGEST.fullmatch, digests)):
                return KnownFinding(
                    id=identity if _ID.fullmatch(identity) else "",
                    title=described,
                    sha256=tuple(digests),
                    files=tuple(files),
                )
    return None

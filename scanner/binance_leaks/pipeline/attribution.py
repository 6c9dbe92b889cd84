"""Attribute hits in objects: credentials with paths, commits, refs and exposure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import partial
from pathlib import Path

from binance_leaks.detect.credentials import credential_of, merge_credentials, with_stated
from binance_leaks.detect.path_values import digests_in_path
from binance_leaks.environments import Environment
from binance_leaks.findings import Skipped
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import (
    COMMIT_MESSAGE,
    TAG_MESSAGE,
    Commit,
    Credential,
    Evidence,
    Exposure,
    Location,
    Occurrence,
)
from binance_leaks.path_bytes import decode_path
from binance_leaks.pipeline.files import credentials_in_object, may_hold, search
from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.pipeline.history_worker import Hit
from binance_leaks.pipeline.provenance import HistoryTracer, Provenance
from binance_leaks.replacements import can_replace
from binance_leaks.sources.commits import Ref
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.git import Git
from binance_leaks.sources.nearby_evidence import EvidenceNearCommits
from binance_leaks.sources.objects.parse import parse_commit
from binance_leaks.sources.read_content import Chunk, read_stream

_MAX_TAG_DEPTH = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributed:
    """Credentials with their locations in the history.

    Also, for each path, a commit that has its neighbours.
    """

    credentials: tuple[Credential, ...]
    commits: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """Whether a remote has all of the repository, as for the mirror of a URL."""

    everything: bool

    def has(self, refs: Iterable[Ref]) -> bool:
        """Whether a remote has one of these refs."""
        return any(self.everything or ref.is_remote for ref in refs)


class EvidenceNearHistory(EvidenceNearCommits):
    """Evidence beside a file in the commit that added it; for a message, that of the repository."""

    def evidence_near(self, path: str) -> Evidence | None:
        """Return the evidence beside a path."""
        return super().evidence_near("" if path in (COMMIT_MESSAGE, TAG_MESSAGE) else path)


def attribute(
    scan: ObjectScan,
    git: Git,
    refs: list[Ref],
    *,
    remote: Remote,
    excluded: Callable[[str], bool],
    lfs_files: Mapping[bytes, Path],
) -> Attributed:
    """Find the provenance of all that a scan found.

    Reads the objects in question again, with their paths. `lfs_files` are the files on disk that pointer blobs
    represent.
    """
    blobs = {name: hit for name, hit in scan.objects.hits.items() if hit.kind == "blob"}
    messages = {name: hit for name, hit in scan.objects.hits.items() if hit.kind in ("commit", "tag")}
    contents = {name: hit.digests for name, hit in blobs.items()}
    tracer = HistoryTracer(scan, contents, refs)
    in_names = _values_in_names(scan)
    if in_names:  # known only now that the trees were read; they are read again for these few repositories
        both = {
            blob: contents.get(blob, frozenset()) | in_names.get(blob, frozenset()) for blob in {*contents, *in_names}
        }
        tracer = HistoryTracer(scan, both, refs)
    provenances, of_messages = tracer.trace(name for name, hit in messages.items() if hit.kind == "commit")
    provenances = dict(_with_lfs_name(provenance, key, lfs_files) for key, provenance in provenances.items())
    provenances = {
        key: provenance
        for key, provenance in provenances.items()
        if not excluded(provenance.path)
        and (not in_names or key[0] in contents.get(provenance.blob, ()) or key[0] in digests_in_path(provenance.path))
    }
    reader = _Reader(scan, git, lfs_files)
    locator = _Locator(provenances, reader.commits(provenances.values()), remote, _stated_environments(blobs, tracer))
    read = list(reader.read_again(_select_reads(provenances, blobs, tracer), blobs))
    for blob, path, credential in read:
        locator.record(credential, blob, path)
    found = [locator.locate(credential, blob, path) for blob, path, credential in read]
    for name, hit in messages.items():
        held_by = of_messages.get(name, ()) if hit.kind == "commit" else _refs_to_tag(git, name, refs)
        found += reader.message(name, hit.kind, held_by, pushed=remote.has(held_by))
    return Attributed(
        credentials=merge_credentials(credential for credential in found if credential.occurrences),
        commits={
            provenance.path: provenance.commit.hex()
            for provenance in provenances.values()
            if provenance.commit is not None
        },
    )


def _stated_environments(hits: Mapping[bytes, Hit], tracer: HistoryTracer) -> dict[tuple[str, str], set[Environment]]:
    """What the versions of each file state of the environment of its values, by digest and path."""
    found: dict[tuple[str, str], set[Environment]] = {}
    for blob, hit in hits.items():
        paths = tracer.paths_of(blob)
        for occurrence in (each for credential in hit.credentials for each in credential.occurrences):
            for path in paths:
                found.setdefault((occurrence.value.sha256, path), set()).add(occurrence.environment)
    return found


def _values_in_names(scan: ObjectScan) -> dict[bytes, frozenset[str]]:
    """The digests of the values in the names of files and folders, by a blob that has such a path."""
    found: dict[bytes, frozenset[str]] = {}
    for name, blob in scan.named_files():
        digests = digests_in_path(decode_path(name))
        if digests:
            found[blob] = found.get(blob, frozenset()) | digests
    return found


def _with_lfs_name(
    provenance: Provenance, key: tuple[str, str], lfs_files: Mapping[bytes, Path]
) -> tuple[tuple[str, str], Provenance]:
    """The key and provenance of an LFS file; one that no pointer in a tree names gets the name of its object."""
    if provenance.blob not in lfs_files or not provenance.path.startswith("blob:"):
        return key, provenance
    path = f"lfs object {lfs_files[provenance.blob].name}"
    return (key[0], path), replace(provenance, path=path)


def _select_reads(
    provenances: Mapping[tuple[str, str], Provenance], blobs: Mapping[bytes, Hit], tracer: HistoryTracer
) -> dict[bytes, set[str]]:
    """Select the blobs to read again, with their paths.

    They are the first version of each value at a path and the one at a tip, and of each value the version in which the
    detector is most confident.
    """
    wanted: dict[bytes, set[str]] = {}
    for provenance in provenances.values():
        for blob in (provenance.blob, provenance.tip):
            if blob is not None:
                wanted.setdefault(blob, set()).add(provenance.path)
    best: dict[str, tuple[tuple[int, int], bytes]] = {}
    for name, hit in sorted(blobs.items()):
        for credential in hit.credentials:
            for value in credential.values:
                rank = credential.confidence.rank, len(credential.values)
                if value.sha256 not in best or rank > best[value.sha256][0]:
                    best[value.sha256] = rank, name
    by_digest = dict(sorted(provenances))
    for digest, (_, blob) in best.items():
        if blob not in wanted and digest in by_digest:
            wanted[blob] = set(tracer.paths_of(blob)[:1]) or {by_digest[digest]}
    return wanted


class _Locator:
    """A tracer that adds provenance to the locations of credentials."""

    def __init__(
        self,
        provenances: Mapping[tuple[str, str], Provenance],
        commits: Mapping[bytes, Commit],
        remote: Remote,
        stated: Mapping[tuple[str, str], Set[Environment]],
    ) -> None:
        self._provenances = provenances
        self._commits = commits
        self._remote = remote
        self._first: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._allowed: dict[tuple[str, str], str | None] = {}
        self._not_replaceable: set[tuple[str, str]] = set()
        self._names: dict[int, tuple[str, ...]] = {}
        self._stated = stated

    def record(self, credential: Credential, blob: bytes, path: str) -> None:
        """Record the lines of values in the first version of a file, and the comments that allow them in the last."""
        for occurrence in credential.occurrences:
            provenance = self._provenance_of(occurrence, blob, path)
            if provenance is None:
                continue
            location = occurrence.location
            key = occurrence.value.sha256, location.path
            if not location.replaceable:
                self._not_replaceable.add(key)
            if blob == provenance.blob:
                self._first.setdefault(key, (location.line, location.column, occurrence.last_line))
            if blob == (provenance.tip or provenance.blob):
                self._allowed.setdefault(key, location.allowed)

    def locate(self, credential: Credential, blob: bytes, path: str) -> Credential:
        """A credential that was read in a blob under a path, with its provenance."""
        occurrences = [self._occurrence(occurrence, blob, path) for occurrence in credential.occurrences]
        kept = [occurrence for occurrence in occurrences if occurrence is not None]
        if not kept:
            return replace(credential, occurrences=())
        return credential_of(kept)

    def _occurrence(self, occurrence: Occurrence, blob: bytes, path: str) -> Occurrence | None:
        provenance = self._provenance_of(occurrence, blob, path)
        if provenance is None:
            return None
        location = occurrence.location
        key = occurrence.value.sha256, location.path
        line, column, last_line = self._first.get(key, (location.line, location.column, occurrence.last_line))
        return replace(
            with_stated(occurrence, self._stated.get((occurrence.value.sha256, path), ())),
            last_line=last_line,
            location=replace(
                location,
                line=line,
                column=column,
                exposure=_exposure(provenance),
                commit=self._commits.get(provenance.commit) if provenance.commit else None,
                removed=self._commits.get(provenance.removed) if provenance.removed else None,
                blob=provenance.blob.hex(),
                refs=self._ref_names(provenance.refs),
                pushed=self._remote.has(provenance.refs),
                allowed=self._allowed.get(key, location.allowed),
                replaceable=key not in self._not_replaceable,
            ),
        )

    def _ref_names(self, refs: tuple[Ref, ...]) -> tuple[str, ...]:
        """The names of refs, made once for each tuple: provenances share and keep these, so `id` is stable."""
        names = self._names.get(id(refs))
        if names is None:
            names = self._names[id(refs)] = tuple(ref.shown for ref in refs)
        return names

    def _provenance_of(self, occurrence: Occurrence, blob: bytes, path: str) -> Provenance | None:
        """The provenance of a value; that of another in the same file where the detector needs the path to see it."""
        return self._provenances.get((occurrence.value.sha256, path)) or next(
            (
                provenance
                for (_, where), provenance in self._provenances.items()
                if where == path and blob in (provenance.blob, provenance.tip)
            ),
            None,
        )


def _exposure(provenance: Provenance) -> Exposure:
    if provenance.tip is not None:
        return Exposure.PRESENT
    return Exposure.HISTORY if provenance.refs else Exposure.UNREACHABLE


class _Reader:
    """A reader of objects under their paths."""

    def __init__(self, scan: ObjectScan, git: Git, lfs_files: Mapping[bytes, Path]) -> None:
        self._scan = scan
        self._git = git
        self._lfs_files = lfs_files

    def commits(self, provenances: Iterable[Provenance]) -> dict[bytes, Commit]:
        """Author, date and subject of the commits of some provenances."""
        names = {
            name for provenance in provenances for name in (provenance.commit, provenance.removed) if name is not None
        }
        return {name: parse_commit(name.hex(), content) for name, content in self._contents(names)}

    def read_again(
        self, wanted: Mapping[bytes, set[str]], hits: Mapping[bytes, Hit]
    ) -> Iterator[tuple[bytes, str, Credential]]:
        """The credentials of some blobs under some paths.

        Where one cannot be read again, those that were found before.
        """
        unread = set(wanted)
        for name, content in self._contents(wanted):
            unread.discard(name)
            for path in sorted(wanted[name]):
                for result in search(self._chunks(name, content, path), is_worth=may_hold):
                    for credential in result[1] if not isinstance(result, Skipped) else ():
                        yield name, path, _with_replaceable(credential, content)

        for name in sorted(unread):
            for path in sorted(wanted[name]):
                for credential in hits[name].credentials if name in hits else ():
                    yield name, path, credential.moved(partial(_below, path))

    def _chunks(self, name: bytes, content: bytes, path: str) -> Iterator[Chunk | Skipped]:
        file = self._lfs_files.get(name)
        if file is None:
            return read_stream(path, path, io.BytesIO(content), size=len(content))
        return read_chunks(FileEntry(path=str(file), shown=path, evidence_path=path, explicit=True))

    def message(self, name: bytes, kind: str, refs: tuple[Ref, ...], *, pushed: bool) -> Iterator[Credential]:
        """The credentials of a commit or tag.

        Lines and columns are those of the message, or of the headers.
        """
        for _, content in self._contents([name]):
            about = parse_commit(name.hex(), content)
            place = partial(
                replace,
                path=COMMIT_MESSAGE if kind == "commit" else TAG_MESSAGE,
                exposure=Exposure.MESSAGE if refs else Exposure.UNREACHABLE,
                commit=about,
                refs=tuple(ref.shown for ref in refs),
                pushed=pushed,
            )
            for credential in credentials_in_object(content):
                yield credential.moved(place)

    def _contents(self, names: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Some objects with their content: from the packs, and through git what is not in one or too large."""
        listed = []
        for name in sorted(names):
            held = self._scan.content(name) if name not in self._lfs_files else None
            if held is None:
                listed.append(name)
            else:
                yield name, held[1]
        with self._git.blobs((name.hex() for name in listed), []) as blobs:
            for name, (_, stream) in zip(listed, blobs, strict=True):
                if stream is not None:
                    yield name, stream.read()


def _with_replaceable(credential: Credential, content: bytes) -> Credential:
    return replace(
        credential,
        occurrences=tuple(
            replace(
                occurrence,
                location=replace(occurrence.location, replaceable=can_replace(content, occurrence.value)),
            )
            for occurrence in credential.occurrences
        ),
    )


def _below(path: str, place: Location) -> Location:
    return replace(place, path=path + place.path)


def _refs_to_tag(git: Git, name: bytes, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The refs that lead to a tag, directly or through other tags."""
    found = []
    for ref in refs:
        target = ref.target
        for _ in range(_MAX_TAG_DEPTH):
            if target == name:
                found.append(ref)
                break
            content = git.run("cat-file", "tag", target.hex(), accept=(0, 128))
            if not content.startswith(b"object "):
                break
            target = bytes.fromhex(decode_path(content[7 : content.index(b"\n")]))
    return tuple(found)

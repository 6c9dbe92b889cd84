"""From hits in objects to credentials with paths, commits, refs and exposure."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from binance_leaks.detect import prefilter
from binance_leaks.detect.credentials import credential_of, merge_credentials
from binance_leaks.errors import GitError
from binance_leaks.findings import Skipped
from binance_leaks.model import COMMIT_MESSAGE, TAG_MESSAGE, Commit, Credential, Exposure, Location, Occurrence
from binance_leaks.pipeline.files import credentials_in, credentials_in_object
from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.pipeline.history_worker import Hit
from binance_leaks.pipeline.provenance import Lineage, Stay
from binance_leaks.sources.chunk import Chunk
from binance_leaks.sources.commits import Ref
from binance_leaks.sources.files import FileEntry, read_chunks
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects.parse import parse_commit
from binance_leaks.sources.read_content import read_stream

_MOST_TAGS_DEEP = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributed:
    """Credentials with their places in history, and for each path the commit that has its neighbours."""

    credentials: tuple[Credential, ...]
    commits: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """Whether all that a repository has came from elsewhere, as in a mirror of a URL."""

    everything: bool

    def has(self, refs: Iterable[Ref]) -> bool:
        """Whether a remote has one of these refs."""
        return any(self.everything or ref.is_remote for ref in refs)


def attribute(
    scan: ObjectScan,
    git: Git,
    refs: list[Ref],
    *,
    remote: Remote,
    excluded: Callable[[str], bool],
    stand_ins: Mapping[bytes, Path],
) -> Attributed:
    """Finds out where everything comes from that a scan has found. Reads the objects in question again, with paths.

    `stand_ins` are files on disk whose content some blobs stand for.
    """
    blobs = {name: hit for name, hit in scan.held.hits.items() if hit.kind == "blob"}
    messages = {name: hit for name, hit in scan.held.hits.items() if hit.kind in ("commit", "tag")}
    lineage = Lineage(scan, {name: hit.digests for name, hit in blobs.items()}, refs)
    stays, of_messages = lineage.stays(name for name, hit in messages.items() if hit.kind == "commit")
    stays = dict(_named_after(stay, key, stand_ins) for key, stay in stays.items())
    stays = {key: stay for key, stay in stays.items() if not excluded(stay.path)}
    reader = _Reader(scan, git, stand_ins)
    places = _Places(stays, reader.commits(stays.values()), remote)
    read = list(reader.again(_worth_reading(stays, blobs, lineage), blobs))
    for blob, path, credential in read:
        places.note(credential, blob, path)
    found = [places.placed(credential, blob, path) for blob, path, credential in read]
    for name, hit in messages.items():
        held_by = of_messages.get(name, ()) if hit.kind == "commit" else _tags_to(git, name, refs)
        found += reader.message(name, hit.kind, held_by, pushed=remote.has(held_by))
    return Attributed(
        credentials=merge_credentials(credential for credential in found if credential.occurrences),
        commits={stay.path: stay.commit.hex() for stay in stays.values() if stay.commit is not None},
    )


def _named_after(stay: Stay, key: tuple[str, str], stand_ins: Mapping[bytes, Path]) -> tuple[tuple[str, str], Stay]:
    """A stay at no path of a file that no pointer in a tree stands for, under the name of the file."""
    if stay.blob not in stand_ins or not stay.path.startswith("blob:"):
        return key, stay
    path = f"lfs object {stand_ins[stay.blob].name}"
    return (key[0], path), replace(stay, path=path)


def _worth_reading(
    stays: Mapping[tuple[str, str], Stay], blobs: Mapping[bytes, Hit], lineage: Lineage
) -> dict[bytes, set[str]]:
    """The blobs to read again, with their paths: of each stay the first and, where there is one, that at a tip; of each
    value the one that says most of it."""
    wanted: dict[bytes, set[str]] = {}
    for stay in stays.values():
        for blob in (stay.blob, stay.tip):
            if blob is not None:
                wanted.setdefault(blob, set()).add(stay.path)
    best: dict[str, tuple[int, int, bytes]] = {}
    for name, hit in sorted(blobs.items()):
        for credential in hit.credentials:
            for value in credential.values:
                rank = (credential.confidence.rank, len(credential.values), name)
                if value.sha256 not in best or rank[:2] > best[value.sha256][:2]:
                    best[value.sha256] = rank
    by_digest = dict(sorted(stays))
    for digest, (_, _, blob) in best.items():
        if blob not in wanted and digest in by_digest:
            wanted[blob] = set(lineage.paths_of(blob)[:1]) or {by_digest[digest]}
    return wanted


class _Places:
    """Puts the locations of credentials in their history."""

    def __init__(self, stays: Mapping[tuple[str, str], Stay], commits: Mapping[bytes, Commit], remote: Remote) -> None:
        self._stays = stays
        self._commits = commits
        self._remote = remote
        self._first: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._allowed: dict[tuple[str, str], str | None] = {}
        self._names: dict[int, tuple[str, ...]] = {}

    def note(self, credential: Credential, blob: bytes, path: str) -> None:
        """Remembers where values stand in the first version of a file, and what allows them in the last."""
        for occurrence in credential.occurrences:
            stay = self._stay(occurrence, blob, path)
            if stay is None:
                continue
            location = occurrence.location
            key = occurrence.value.sha256, location.path
            if blob == stay.blob:
                self._first.setdefault(key, (location.line, location.column, occurrence.last_line))
            if blob == (stay.tip or stay.blob):
                self._allowed.setdefault(key, location.allowed)

    def placed(self, credential: Credential, blob: bytes, path: str) -> Credential:
        """A credential that was read in a blob under a path."""
        occurrences = [self._occurrence(occurrence, blob, path) for occurrence in credential.occurrences]
        kept = [occurrence for occurrence in occurrences if occurrence is not None]
        if not kept:
            return replace(credential, occurrences=())
        return credential_of(kept)

    def _occurrence(self, occurrence: Occurrence, blob: bytes, path: str) -> Occurrence | None:
        stay = self._stay(occurrence, blob, path)
        if stay is None:
            return None
        location = occurrence.location
        key = occurrence.value.sha256, location.path
        line, column, last_line = self._first.get(key, (location.line, location.column, occurrence.last_line))
        return replace(
            occurrence,
            last_line=last_line,
            location=replace(
                location,
                line=line,
                column=column,
                exposure=_exposure(stay),
                commit=self._commits.get(stay.commit) if stay.commit else None,
                removed=self._commits.get(stay.removed) if stay.removed else None,
                blob=stay.blob.hex(),
                refs=self._shown(stay.refs),
                pushed=self._remote.has(stay.refs),
                allowed=self._allowed.get(key, location.allowed),
            ),
        )

    def _shown(self, refs: tuple[Ref, ...]) -> tuple[str, ...]:
        """The names of refs, made once for all places of the same ones: the stays keep these, and so their numbers."""
        names = self._names.get(id(refs))
        if names is None:
            names = self._names[id(refs)] = tuple(ref.shown for ref in refs)
        return names

    def _stay(self, occurrence: Occurrence, blob: bytes, path: str) -> Stay | None:
        """The stay of a value; that of another in the same file where only the path tells that it is one."""
        return self._stays.get((occurrence.value.sha256, path)) or next(
            (stay for (_, where), stay in self._stays.items() if where == path and blob in (stay.blob, stay.tip)), None
        )


def _exposure(stay: Stay) -> Exposure:
    if stay.tip is not None:
        return Exposure.PRESENT
    return Exposure.HISTORY if stay.refs else Exposure.UNREACHABLE


class _Reader:
    """Reads objects again, now that it is known what they are."""

    def __init__(self, scan: ObjectScan, git: Git, stand_ins: Mapping[bytes, Path]) -> None:
        self._scan = scan
        self._git = git
        self._stand_ins = stand_ins

    def commits(self, stays: Iterable[Stay]) -> dict[bytes, Commit]:
        """The commits of some stays, for the reader."""
        names = {name for stay in stays for name in (stay.commit, stay.removed) if name is not None}
        return {name: parse_commit(name.hex(), content) for name, content in self._contents(names)}

    def again(
        self, wanted: Mapping[bytes, set[str]], hits: Mapping[bytes, Hit]
    ) -> Iterator[tuple[bytes, str, Credential]]:
        """The credentials of some blobs under some paths; what was found before where one cannot be read again."""
        unread = set(wanted)
        for name, content in self._contents(wanted):
            unread.discard(name)
            for path in sorted(wanted[name]):
                for chunk in self._chunks(name, content, path):
                    if isinstance(chunk, Chunk) and prefilter.may_hold(chunk.data):
                        for credential in credentials_in(chunk):
                            yield name, path, credential

        for name in sorted(unread):
            for path in sorted(wanted[name]):
                for credential in hits[name].credentials:
                    yield name, path, credential.moved(partial(_under, path))

    def _chunks(self, name: bytes, content: bytes, path: str) -> Iterator[Chunk | Skipped]:
        file = self._stand_ins.get(name)
        if file is None:
            return read_stream(path, path, io.BytesIO(content), size=len(content))
        return read_chunks(FileEntry(path=str(file), shown=path, evidence_path=path, explicit=True))

    def message(self, name: bytes, kind: str, refs: tuple[Ref, ...], *, pushed: bool) -> Iterator[Credential]:
        """The credentials of a commit or tag; lines and columns are those of the message, or of the headers."""
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
            held = self._scan.content(name) if name not in self._stand_ins else None
            if held is None:
                listed.append(name)
            else:
                yield name, held[1]
        at = 0
        while at < len(listed):
            try:
                with self._git.blobs(name.hex() for name in listed[at:]) as blobs:
                    for _, stream in blobs:
                        if stream is not None:
                            yield listed[at], stream.read()
                        at += 1
            except GitError:  # noqa: PERF203 - goes on behind what makes git stop
                at += 1


def _under(path: str, place: Location) -> Location:
    return replace(place, path=path + place.path)


def _tags_to(git: Git, name: bytes, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The refs that lead to a tag, straight or over other tags."""
    found = []
    for ref in refs:
        target = ref.target
        for _ in range(_MOST_TAGS_DEEP):
            if target == name:
                found.append(ref)
                break
            content = git.run("cat-file", "tag", target.hex(), accept=(0, 128))
            if not content.startswith(b"object "):
                break
            target = bytes.fromhex(os.fsdecode(content[7 : content.index(b"\n")]))
    return tuple(found)

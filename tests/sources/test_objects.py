"""The pack reader gives what git gives, byte for byte, however the objects are packed and whatever reads them."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

import pytest
from binance_leaks.detect import sieve
from binance_leaks.findings import ScanStats
from binance_leaks.model import Credential
from binance_leaks.pipeline import history_scan, history_worker
from binance_leaks.pipeline.history import HistoryDetected, HistorySource
from binance_leaks.pipeline.history_scan import ObjectScan
from binance_leaks.sources.git import Git
from binance_leaks.sources.objects import delta_forest, tree_index, walk
from binance_leaks.sources.objects.codec import best_codec, plain_codec
from binance_leaks.sources.objects.database import ObjectDatabase, find_alternates, open_packs
from binance_leaks.sources.objects.delta_forest import ObjectType, build_delta_forest
from binance_leaks.sources.objects.pack import LARGEST, Pack, read_object
from binance_leaks.sources.objects.walk import ContextSizes, walk_delta_trees, walk_plainly

from tests.corpus import fill, load
from tests.fast_import import fast_import, pad
from tests.forged_packs import appending, back, blob, delta, name_of, write_pack
from tests.repositories import Repository

Objects = dict[str, tuple[str, bytes]]
CODECS = {"best": best_codec(), "plain": plain_codec()}
WALKS = {"best": walk_delta_trees, "plain": walk_plainly}
FILES = ("a.py", "b/c.txt", "b/d/e.bin", "f")


class Collector:
    """Keeps everything that it is shown; checks what is passed as new in it."""

    def __init__(self, kind: ObjectType, around: ContextSizes | None = None) -> None:
        self.around = around
        self.search = None
        self.found: dict[int, tuple[str, bytes]] = {}
        self._kind = kind.name.lower()

    def visit(self, entry: int, content: bytes, fresh: bytes, inherited: int, seen: int | None) -> int:
        assert entry not in self.found
        assert seen is None
        assert inherited == 0 or inherited - 1 in self.found
        assert self.around is not None or fresh == content
        self.found[entry] = self._kind, content
        return entry + 1


def by_git(folder: Path) -> Objects:
    """Every object by git's own word."""
    done = subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects", "--unordered"],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    objects, at = Objects(), 0
    while at < len(done.stdout):
        end = done.stdout.index(b"\n", at)
        name, kind, size = done.stdout[at:end].decode("ascii").split()
        objects[name] = kind, done.stdout[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)
    return objects


def walked(pack: Pack, codec: str, around: ContextSizes | None = None) -> Objects:
    """Every object that the walk through a pack shows; nothing is left out."""
    forest, _ = build_delta_forest(pack)
    assert (forest.astray, forest.endless) == ((), ())
    objects = Objects()
    for kind in ObjectType:
        collector = Collector(kind, around)
        reported = WALKS[codec](pack, forest, forest.roots[kind], collector, CODECS[codec])
        assert (reported.left, reported.forged) == ([], [])
        assert reported.objects == len(collector.found)
        assert reported.size == sum(len(content) for _, content in collector.found.values())
        objects.update((pack.id_at(entry).hex(), found) for entry, found in collector.found.items())
    assert len(objects) == pack.count
    return objects


def versions(rng: Random, commits: int) -> Iterator[Mapping[str, bytes]]:
    """Files that are edited, cut, doubled, emptied and replaced."""
    held = {name: rng.randbytes(2000).hex().encode() for name in FILES}
    for _ in range(commits):
        changed = rng.sample(FILES, rng.randint(1, 2))
        for name in changed:
            held[name] = _edited(rng, held[name])
        yield {name: held[name] for name in changed}


def _edited(rng: Random, content: bytes) -> bytes:
    at = rng.randint(0, len(content))
    end = min(len(content), at + rng.randint(0, 200))
    match rng.randrange(8):
        case 0:
            return content[:at] + content[end:]
        case 1:
            return (content[end:] + content[:at])[:60_000]
        case 2:
            return (content + content[at:end] * 3)[:60_000]
        case 3:
            return rng.choice([b"", b"\n", rng.randbytes(3000)])
        case _:
            return content[:at] + rng.randbytes(rng.randint(1, 300)) + content[end:]


def fill_repository(repository: Repository, *, seed: int = 1, commits: int = 150) -> Repository:
    """Commits, tags, a note, loose and packed objects."""
    fast_import(repository, versions(Random(seed), commits))
    repository.git("tag", "--annotate", "--message=a tag", "v1", "main~3")
    repository.git("tag", "--annotate", "--message=a tag of a tag", "v2", "v1")
    repository.git("notes", "add", "--message=a note", "main")
    repository.git("branch", "lost", "main~50")
    repository.git("checkout", "--quiet", "--force", "main")
    repository.commit({"loose.txt": Random(seed).randbytes(500)})
    return repository


def _packs(repository: Repository) -> list[Path]:
    return sorted(repository.path(".git/objects/pack").glob("*.pack"))


def _repacked(*words: str, settings: tuple[str, ...] = ()) -> Callable[[Repository], None]:
    options = [word for setting in settings for word in ("-c", setting)]

    def form(repository: Repository) -> None:
        repository.git(*options, "repack", "-a", "-d", "-f", "--quiet", *words)

    return form


def _aggressive(repository: Repository) -> None:
    repository.git("gc", "--quiet", "--aggressive", "--prune=now")


def _several(repository: Repository) -> None:
    names = sorted(by_git(repository.folder))
    for part in range(3):
        subprocess.run(
            ["git", "pack-objects", "--quiet", "--delta-base-offset", ".git/objects/pack/pack"],
            cwd=repository.folder, input="\n".join(names[part::2]).encode(), capture_output=True, check=True,
        )  # fmt: skip
    assert len(_packs(repository)) >= 3


def _cruft(repository: Repository) -> None:
    repository.git("branch", "-D", "lost")
    repository.git("update-ref", "refs/heads/main", "main~20")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--cruft", "--prune=never")
    assert list(repository.path(".git/objects/pack").glob("*.mtimes"))


def _promisor(repository: Repository) -> None:
    repository.git("repack", "-a", "-d", "--quiet")
    _packs(repository)[0].with_suffix(".promisor").write_bytes(b"")


def _far(repository: Repository) -> None:
    repository.git("repack", "-a", "-d", "--quiet")
    (pack,) = _packs(repository)
    index = pack.with_suffix(".idx")
    small = index.stat().st_size
    index.unlink()
    repository.git("index-pack", "--index-version=2,0x40", str(pack))
    assert index.stat().st_size > small + 8 * 100


def _long_chains(repository: Repository) -> None:
    repository.git("repack", "-a", "-d", "-f", "--quiet", "--depth=4095", "--window=50")


FORMS: Mapping[str, Callable[[Repository], None]] = {
    "fast-import": lambda _: None,
    "repacked": _repacked(),
    "REF_DELTA": _repacked(settings=("repack.useDeltaBaseOffset=false",)),
    "no deltas": _repacked("--window=0"),
    "not compressed": _repacked("-F", settings=("core.compression=0",)),
    "gc --aggressive": _aggressive,
    "several packs": _several,
    "cruft pack": _cruft,
    "promisor pack": _promisor,
    "offsets of 64 bits": _far,
    "long chains": _long_chains,
}


def assert_as_git(repository: Repository, codec: str = "best") -> list[Pack]:
    """Pack and loose objects together are what git has, each with the bytes that git gives."""
    expected = by_git(repository.folder)
    database = ObjectDatabase.of(Git(str(repository.folder)))
    opened = open_packs(database.pack_files(), database.id_size)
    assert opened.skipped == []
    names = {name.hex() for name in (*database.loose(), *opened.by_git)}
    for pack in opened.packs:
        for around in (None, ContextSizes(256, 256)):
            objects = walked(pack, codec, around)
            assert {name for name, found in objects.items() if found != expected[name]} == set()
        names |= objects.keys()
        for name, found in objects.items():
            assert read_object([pack], bytes.fromhex(name), CODECS[codec]) == found
    assert names == expected.keys()
    return opened.packs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_repository(Repository.create(tmp_path_factory.mktemp("objects") / "project")).folder


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Repository:
    subprocess.run(["cp", "-a", str(folder), str(tmp_path / "project")], check=True)
    return Repository(tmp_path / "project")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, codec: str, copy: Repository) -> None:
    FORMS[form](copy)
    assert assert_as_git(copy, codec)


def test_an_index_of_version_1_is_left_to_git(copy: Repository) -> None:
    _repacked(settings=("pack.indexVersion=1",))(copy)
    assert assert_as_git(copy) == []


@pytest.mark.parametrize("packed", (False, True))
def test_ids_of_sha256(packed: bool, tmp_path: Path) -> None:
    repository = fill_repository(Repository.create(tmp_path / "project", "--object-format=sha256"))
    if packed:
        _aggressive(repository)
    (pack, *_) = assert_as_git(repository)
    assert pack.id_size == 32


def test_alternates(copy: Repository, tmp_path: Path) -> None:
    _aggressive(copy)
    copy.git("clone", "--quiet", "--shared", str(copy.folder), str(tmp_path / "ours"))
    ours = Repository(tmp_path / "ours")
    ours.commit({"ours.txt": b"ours"})
    assert len(assert_as_git(ours)) == 1
    assert not _packs(ours)


def test_more_alternates_than_are_read(repository: Repository, tmp_path: Path) -> None:
    """Those beyond are reported: what git finds there, nobody looks at."""
    lenders = [tmp_path / f"lender {number}" for number in range(70)]
    for lender in lenders:
        lender.mkdir()
    listed = repository.folder / ".git/objects/info/alternates"
    listed.write_text("".join(f"{lender}\n" for lender in lenders), "utf-8")
    database = ObjectDatabase.of(Git(str(repository.folder)))
    reported = [Path(each.what.removeprefix("objects borrowed from ")) for each in database.unread]
    assert [*database.folders[1:], *reported] == lenders
    assert 60 < len(database.folders) < 70


@pytest.mark.parametrize("content", [b"x" * 5000, b"x/\n" * (1 << 16)], ids=("a long line", "many lines"))
def test_alternates_that_are_none(repository: Repository, content: bytes) -> None:
    (repository.folder / ".git/objects/info/alternates").write_bytes(content)
    database = ObjectDatabase.of(Git(str(repository.folder)))
    assert len(database.folders) == 1
    assert 1 <= len(database.unread) < 40_000


def test_a_list_of_alternates_without_end(repository: Repository) -> None:
    """It is not read whole: a sparse file costs its owner nothing."""
    listed = repository.folder / ".git/objects/info/alternates"
    with listed.open("wb") as stream:
        stream.truncate(1 << 40)
    folders, unread = find_alternates(listed.parents[1])
    assert len(folders) == 1
    assert unread[0].why == "its list of alternates is too long"


def test_a_list_of_alternates_that_cannot_be_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = repository.folder / ".git/objects/info/alternates"
    listed.parent.mkdir(exist_ok=True)
    listed.write_bytes(b"/elsewhere\n")

    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", fail)
    _, unread = find_alternates(listed.parents[1])
    assert [each.why for each in unread] == [f"its list of alternates cannot be read: {os.strerror(errno.EACCES)}"]


@pytest.mark.parametrize("codec", CODECS)
def test_a_chain_longer_than_git_makes_them(codec: str, repository: Repository) -> None:
    content = b"some bytes\n" * 50
    entries = [blob(content)]
    for number in range(4200):  # git makes 4095 at most
        more = b"%d\n" % number
        entries.append(delta(back(len(entries[-1].raw)), appending(len(content), more), name=name_of(content + more)))
        content += more
    write_pack(repository.folder, entries)
    (pack,) = assert_as_git_without_single(repository, codec)
    assert read_object([pack], name_of(content), CODECS[codec]) == ("blob", content)


def assert_as_git_without_single(repository: Repository, codec: str) -> list[Pack]:
    """As above but for the objects one by one, which would take long with long chains."""
    database = ObjectDatabase.of(Git(str(repository.folder)))
    packs = open_packs(database.pack_files(), database.id_size).packs
    assert {name: found for pack in packs for name, found in walked(pack, codec).items()} == by_git(repository.folder)
    return packs


def test_what_is_too_large_is_left_to_git(repository: Repository) -> None:
    large = b"0123456789abcde\n" * (LARGEST // 16) + b"more"
    repository.commit({"large.txt": large, "small.txt": b"small"})
    repository.commit({"large.txt": b"x" + large})
    repository.git("repack", "-a", "-d", "--quiet")
    (pack,) = open_packs(ObjectDatabase.of(Git(str(repository.folder))).pack_files(), 20).packs
    forest, _ = build_delta_forest(pack)
    collector = Collector(ObjectType.BLOB)
    reported = walk_delta_trees(pack, forest, forest.roots[ObjectType.BLOB], collector, best_codec())
    assert [content for _, content in collector.found.values()] == [b"small"]
    assert {pack.id_at(entry).hex() for entry in reported.left} == {
        repository.git("rev-parse", f"{commit}:large.txt") for commit in ("main", "main~1")
    }


@pytest.mark.parametrize("size", (1, 1000, 10_000, 1 << 40))
def test_shares_are_all_roots_once(size: int, copy: Repository) -> None:
    _aggressive(copy)
    (pack,) = open_packs(ObjectDatabase.of(Git(str(copy.folder))).pack_files(), 20).packs
    forest, base = build_delta_forest(pack)
    entries = []
    for kind in ObjectType:
        shares = forest.shares(kind, size)
        roots = [root for share in shares for root in share]
        assert sorted(roots) == sorted(forest.roots[kind])
        weights = [sum(forest.weight[root] for root in share) for share in shares]
        assert weights == sorted(weights, reverse=True)
        entries += list(forest.below(roots))
    assert sorted(entries) == list(range(pack.count))
    assert sum(forest.with_bases(entries, base)) == pack.count


def leaking(repository: Repository) -> Repository:
    """Files that grow and shrink by entries of the corpus, so that their versions are deltas of each other."""
    rng = Random(3)
    cases = [case for case in load() if case.expect]
    padding = b"".join(b"line %d of some text that says nothing\n" % number for number in range(300))
    held = dict.fromkeys(FILES, padding)
    commits: list[Mapping[str, bytes]] = []
    for case in rng.sample(cases, 45):
        name = rng.choice(FILES)
        at = rng.choice([0, rng.randrange(len(padding)), len(held[name])])
        whole = held[name][:at] + fill(case, 1).data + held[name][at:]
        held[name] = whole if len(whole) < 14_000 else padding
        commits.append({name: whole})
    fast_import(repository, commits)
    return repository


def reported(outcome: HistoryDetected) -> tuple[list[Credential], list[str], set[bytes], set[int], ScanStats]:
    """What two scans of the same must agree on."""
    credentials = sorted(outcome.credentials, key=lambda credential: credential.id)
    return (
        credentials,
        sorted(f"{skipped.what}: {skipped.why}" for skipped in outcome.skipped),
        set(outcome.hits),
        set(outcome.scanned),
        outcome.stats,
    )


def scan(repository: Repository, jobs: int = 1) -> HistoryDetected:
    return HistorySource(folder=str(repository.folder), target=".", anchor=".", jobs=jobs).read()


def test_parallel_is_serial(repository: Repository) -> None:
    leaking(repository)
    pad(repository)
    alone = reported(scan(repository))
    assert len(alone[0]) > 35
    same = reported(scan(repository, jobs=3)) == alone
    assert same


def test_plain_is_fast(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    leaking(repository)
    fast = reported(scan(repository))
    for module in (walk, tree_index, delta_forest, history_worker, sieve):
        monkeypatch.setattr(module, "compiled", None)
    monkeypatch.setattr(history_worker, "best_codec", plain_codec)
    monkeypatch.setattr(history_scan, "best_codec", plain_codec)
    plain = reported(scan(repository))
    assert fast[2] == plain[2]
    same = fast == plain
    assert same


def _opened(repository: Repository) -> ObjectScan:
    return ObjectScan(ObjectDatabase.of(Git(str(repository.folder))), str(repository.folder), jobs=1)


@pytest.mark.parametrize("replace", (_aggressive, _several, _repacked(), _far))
def test_packs_replaced_after_they_were_opened(replace: Callable[[Repository], None], repository: Repository) -> None:
    leaking(repository)
    repository.commit({"loose.txt": fill(load()[0], 5).data})
    repository.git("reset", "--quiet", "--soft", "main~1")
    objects = by_git(repository.folder)
    with _opened(repository) as undisturbed:
        undisturbed.read(lambda _: None)
    with _opened(repository) as opened:
        before = _packs(repository)
        replace(repository)
        for pack in before:
            for path in (pack, pack.with_suffix(".idx")):
                path.unlink(missing_ok=pack not in _packs(repository))
        opened.read(lambda _: None)
        packed = {name: opened.content(bytes.fromhex(name)) for name in objects}
    assert opened.objects.skipped == []
    assert opened.objects.missing == set()
    assert set(opened.objects.hits) == set(undisturbed.objects.hits)
    assert {name for name, found in packed.items() if found is not None and found != objects[name]} == set()

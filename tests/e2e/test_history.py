"""`history` in a repository with a pair in each hiding place: all are found, once, and attributed rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import SystemRandom

import pytest
from binance_leaks.pipeline.history import HistorySource
from binance_leaks.sources.commits import Ref, list_refs
from binance_leaks.sources.git import Git

from tests.corpus.values import hex_value
from tests.e2e import Pair, digest, run
from tests.e2e.histories import Leak, Looked, Spot, history, identity, read, tell
from tests.hideout import AUTHOR, Hidden, Hideout, Stand
from tests.hiding_contents import CALL, module
from tests.hiding_places import MESSAGE, build
from tests.repositories import Repository


@pytest.fixture(scope="module")
def hideout(tmp_path_factory: pytest.TempPathFactory) -> Hideout:
    return build(tmp_path_factory.mktemp("hideout") / "project", seed=SystemRandom().randrange(2**32))


@pytest.fixture(scope="module")
def looked(hideout: Hideout) -> Looked:
    return history(cwd=hideout.repository.folder)


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


class TestHidingPlaces:
    """Each test compares one thing at all places and names those where it is wrong."""

    def test_all_are_found_and_nothing_else(self, hideout: Hideout, looked: Looked) -> None:
        assert (looked.status, looked.complete, looked.skipped) == (1, True, "")
        missed = [hidden.place for hidden in hideout.hidden if not looked.holds(hidden.pair)]
        assert not missed
        assert looked.ids == {identity(hidden.pair) for hidden in hideout.hidden}

    def test_each_is_one_finding_of_a_pair(self, hideout: Hideout, looked: Looked) -> None:
        by_id = {leak["id"]: leak for leak in looked.leaks}
        assert len(by_id) == len(looked.leaks) == len(hideout.hidden)
        for hidden in hideout.hidden:
            leak = by_id[identity(hidden.pair)]
            roles = {found["sha256"]: found["role"] for found in leak["values"]}
            assert roles == {digest(hidden.pair.key): "api-key", digest(hidden.pair.secret): "secret-key"}, hidden.place
            assert (leak["kind"], leak["confidence"]) == ("key-pair", "high"), hidden.place

    def test_paths(self, hideout: Hideout, looked: Looked) -> None:
        by_id = {leak["id"]: leak for leak in looked.leaks}
        wrong = {}
        for hidden in hideout.hidden:
            reported = {place["path"] for place in by_id[identity(hidden.pair)]["locations"]}
            if reported != {stand.path for stand in hidden.stands}:
                wrong[hidden.place] = reported
        assert not wrong

    def test_one_location_for_each_role_and_path(self, looked: Looked) -> None:
        for leak in looked.leaks:
            stands = [(place["role"], place["path"]) for place in leak["locations"]]
            assert len(stands) == len(set(stands))

    def test_exposure(self, hideout: Hideout, looked: Looked) -> None:
        assert not wrong(hideout, looked, lambda place: place["exposure"], lambda stand: stand.exposure)

    def test_the_commit_that_brought_it_in(self, hideout: Hideout, looked: Looked) -> None:
        assert not wrong(hideout, looked, commit_of, lambda stand: stand.commit, but=("tag message", "nested tag"))

    def test_the_commit_that_took_it_out(self, hideout: Hideout, looked: Looked) -> None:
        # A stash has the commit of what was untracked as a parent and none of its files.
        but = ("dropped stash: untracked",)
        assert not wrong(hideout, looked, removal_of, lambda stand: stand.removed, but=but)

    def test_refs(self, hideout: Hideout, looked: Looked) -> None:
        assert not wrong(hideout, looked, lambda place: set(place["refs"]), hideout.refs)
        for leak in looked.leaks:
            for place in leak["locations"]:
                assert len(place["refs"]) == len(set(place["refs"]))

    def test_pushed(self, hideout: Hideout, looked: Looked) -> None:
        def expected(stand: Stand) -> bool:
            return any(name.startswith("origin/") for name in hideout.refs(stand))

        assert not wrong(hideout, looked, lambda place: place["pushed"], expected)
        assert {place["pushed"] for leak in looked.leaks for place in leak["locations"]} == {True, False}

    def test_the_line_in_the_first_version(self, hideout: Hideout, looked: Looked) -> None:
        secrets = wrong(
            hideout, looked, lambda place: place["line"], lambda stand: stand.line, role="secret-key",
            but=("compiled code", "database", "commit message", "unreachable message", "tag message", "nested tag"),
        )  # fmt: skip
        assert not secrets

    def test_the_first_version(self, hideout: Hideout, looked: Looked) -> None:
        git = hideout.repository.git
        wrong = {}
        for hidden, stand, place in stands(hideout, looked):
            if stand.path.startswith("blob:"):
                blob = stand.path.removeprefix("blob:")
            elif stand.commit is None or stand.path == MESSAGE:
                continue
            else:
                blob = stand.blob or git("rev-parse", f"{stand.commit}:{stand.path.partition('!/')[0]}")
            if place["blob"] != blob:
                wrong[hidden.place] = place["blob"]
        assert not wrong

    def test_what_is_reported_of_a_commit(self, hideout: Hideout, looked: Looked) -> None:
        git = hideout.repository.git
        for _, stand, place in stands(hideout, looked):
            for reported in (place["commit"], place["removed"]):
                if reported is None or stand.commit is None:
                    continue
                author, date, subject = git("show", "-s", "--format=%an <%ae>%n%aI%n%s", reported["id"]).split("\n")
                assert author == AUTHOR
                assert (reported["author"], reported["subject"]) == (author, subject)
                assert datetime.fromisoformat(reported["date"]) == datetime.fromisoformat(date)
                assert datetime.fromisoformat(reported["date"]).utcoffset() is not None


def commit_of(place: Spot) -> str | None:
    """The id of the commit that brought it in."""
    return place["commit"]["id"] if place["commit"] else None


def removal_of(place: Spot) -> str | None:
    """The id of the commit that took it out."""
    return place["removed"]["id"] if place["removed"] else None


def stands(hideout: Hideout, looked: Looked) -> Iterator[tuple[Hidden, Stand, Spot]]:
    """All locations with what is to be reported for them; those that are missing are another test's concern."""
    by_id: dict[str, Leak] = {leak["id"]: leak for leak in looked.leaks}
    for hidden in hideout.hidden:
        for stand in hidden.stands:
            leak = by_id.get(identity(hidden.pair))
            for place in leak["locations"] if leak else ():
                if place["path"] == stand.path:
                    yield hidden, stand, place


def wrong(
    hideout: Hideout,
    looked: Looked,
    reported: Callable[[Spot], object],
    expected: Callable[[Stand], object],
    *,
    role: str = "",
    but: tuple[str, ...] = (),
) -> dict[str, tuple[object, object]]:
    """The places where something else is reported than expected, with both."""
    return {
        f"{hidden.place}, {stand.path}": (reported(place), expected(stand))
        for hidden, stand, place in stands(hideout, looked)
        if reported(place) != expected(stand) and hidden.place not in but and place["role"].startswith(role)
    }


class TestSmallRepositories:
    """Where it is started, what it takes, and how it ends."""

    def test_an_empty_repository(self, repository: Repository) -> None:
        looked = history(cwd=repository.folder)
        assert (looked.status, looked.leaks, looked.complete) == (0, [], True)
        assert history(cwd=Repository.create(repository.folder / "bare", "--bare").folder).status == 0

    def test_a_clean_repository(self, repository: Repository) -> None:
        repository.commit({"README.md": "A bot.\n"})
        looked = history(cwd=repository.folder)
        assert (looked.status, looked.leaks, looked.complete, looked.err) == (0, [], True, "")
        assert looked.objects >= 1

    def test_where_it_is_started(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.commit({"sub/bot.py": module(pair), "other/clean.py": "\n"})
        ways: list[tuple[list[str | Path], Path]] = [
            ([], repository.folder),
            (["."], repository.folder),
            ([], repository.path("other")),
            ([repository.folder], tmp_path),
            ([repository.folder / ".git"], tmp_path),
            ([repository.folder.name], repository.folder.parent),
        ]
        for words, cwd in ways:
            looked = history(*words, cwd=cwd)
            assert looked.paths == {"sub/bot.py"}, words
            assert looked.ids == {identity(pair)}

    def test_what_is_no_repository(self, tmp_path: Path) -> None:
        folder = tmp_path / "plain"
        folder.mkdir()
        file = tmp_path / "file"
        file.write_text("a file\n")
        tell(run("history", cwd=folder), 2, 3)
        for words in ((folder,), (file,), (tmp_path / "missing",), ("",)):
            tell(run("history", *words, cwd=tmp_path), 2, 3)

    @pytest.mark.parametrize(
        "words",
        [
            (".", "."), ("--jobs", "0"), ("--since", ""), ("--since", "no such day"), ("--branch", "missing"),
            ("--branch", "--all"), ("--confidence", "some"), ("--no-such-option",), ("--config", "missing.toml"),
        ],
        ids=" ".join,
    )  # fmt: skip
    def test_usage(self, repository: Repository, words: tuple[str, ...]) -> None:
        repository.commit({"README.md": "A bot.\n"})
        tell(run("history", *words, cwd=repository.folder), 2)

    def test_the_gate(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": f'api_key = "{pair.key}"\n'})
        assert run("history", cwd=repository.folder).status == 0
        assert run("history", "--confidence", "low", cwd=repository.folder).status == 1
        assert run("history", "--confidence", "low", "--fail-on", "critical", cwd=repository.folder).status == 0

    def test_the_text_report(self, repository: Repository, pair: Pair) -> None:
        commit = repository.commit({"bot.py": module(pair)}, message="It trades")
        outcome = run("history", cwd=repository.folder)
        assert outcome.status == 1
        for printed in ("HIGH", f"{pair.key[:4]}…{pair.key[-4:]}", f"bot.py:{CALL}", commit[:7], "It trades", "A Test"):
            assert printed in outcome.out
        assert "\x1b" not in outcome.out
        assert read(run("history", "--format", "json", cwd=repository.folder)).ids == {identity(pair)}

    def test_help(self, tmp_path: Path) -> None:
        outcome = run("history", "--help", cwd=tmp_path)
        assert (outcome.status, outcome.err) == (0, "")
        for option in (
            "--reachable", "--since", "--branch", "--path", "--submodules", "--keep", "--state", "--allow-incomplete",
            "--write-replacements", "--jobs", "--no-progress",
        ):  # fmt: skip
            assert option in outcome.out


class TestBesideTheObjects:
    """What git itself does not keep among the objects of the repository."""

    def test_an_object_of_git_lfs(self, repository: Repository, pair: Pair) -> None:
        oid = digest(module(pair))
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(module(pair))}\n"
        repository.write(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", module(pair))
        commit = repository.commit({"data/bot.py": pointer}, message="Large")
        removed = repository.commit({"data/bot.py": "small\n"}, message="Small")
        looked = history(cwd=repository.folder)
        assert looked.ids == {identity(pair)}
        for place in looked.leaks[0]["locations"]:
            assert (place["path"], place["line"], place["exposure"]) == ("data/bot.py", CALL, "history")
            assert (commit_of(place), removal_of(place), place["refs"]) == (commit, removed, ["main"])

    def test_a_submodule(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        library, ours = Repository.create(tmp_path / "library"), Pair.fresh()
        library.commit({"deep/bot.py": module(pair)}, message="In the library")
        library.commit({"deep/bot.py": "import os\n"})
        repository.commit({"ours.py": module(ours)})
        repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.folder), "lib")
        repository.commit(message="A library")
        assert repository.path(".git/modules/lib").is_dir()
        assert history(cwd=repository.folder).ids == {identity(ours)}
        looked = history("--submodules", cwd=repository.folder)
        assert looked.ids == {identity(ours), identity(pair)}
        (leak,) = (leak for leak in looked.leaks if leak["id"] == identity(pair))
        for place in leak["locations"]:
            assert place["path"].endswith("deep/bot.py")
            assert place["exposure"] == "history"
            assert place["commit"] is not None
            assert place["commit"]["subject"] == "In the library"

    def test_an_interrupt_in_a_submodule(
        self, repository: Repository, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository.commit({"bot.py": module(pair)})
        Repository.create(repository.path(".git/modules/lib"))

        def interrupted(git: Git) -> list[Ref]:
            if "modules" in str(git.folder):
                raise KeyboardInterrupt
            return list_refs(git)

        monkeypatch.setattr("binance_leaks.pipeline.history.list_refs", interrupted)
        monkeypatch.setattr(
            "binance_leaks.pipeline.history._submodules", lambda folder: [("lib", folder / "lib" / ".git")]
        )
        source = HistorySource(folder=str(repository.folder), target=".", anchor=".", submodules=True)
        detected = source.read()
        assert detected.interrupted
        assert {value.sha256 for each in detected.credentials for value in each.values} == pair.digests

    def test_what_only_a_path_shows_is_where_it_came_with_what_content_shows(self, repository: Repository) -> None:
        """Hex counts where something says Binance, such as the name of a folder, and blobs are read without names."""
        rng = SystemRandom()
        shown, others = Pair.fresh(), Pair.fresh()
        hidden = Pair(key=hex_value(rng), secret=hex_value(rng))
        lines = [
            f"{name}API_KEY={each.key}\n{name}API_SECRET={each.secret}\n\n"
            for name, each in (("", shown), ("TEST_", hidden))
        ]
        first = repository.commit({"a/.env": others.dotenv})
        second = repository.commit({"binance/.env": "\n".join(lines)})
        found = {leak["id"]: leak["locations"] for leak in history(cwd=repository.folder).leaks}
        for pair, path, commit in (
            (others, "a/.env", first),
            (shown, "binance/.env", second),
            (hidden, "binance/.env", second),
        ):
            for place in found[identity(pair)]:
                assert place["commit"] is not None
                assert (place["path"], place["commit"]["id"]) == (path, commit)

    def test_halves_in_commits_that_never_met(self, repository: Repository, pair: Pair) -> None:
        repository.commit({".env": f"BINANCE_API_KEY={pair.key}\n"})
        repository.commit({".env": "", "settings.py": f'BINANCE_API_SECRET = "{pair.secret}"\n'})
        looked = history(cwd=repository.folder)
        assert {found["sha256"] for leak in looked.leaks for found in leak["values"]} == pair.digests
        assert looked.paths == {".env", "settings.py"}

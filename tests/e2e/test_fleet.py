"""`fleet` on this machine: what is found where, what a second run does, what the store reports, what goes wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from pathlib import Path
from random import SystemRandom
from secrets import token_hex
from typing import TypedDict

import pytest

from tests.binance.accounts import TRADE, WITHDRAW, hmac_account
from tests.binance.exchange import Exchange
from tests.binance.server import serving
from tests.e2e import Pair, digest, value
from tests.e2e.fleets import Fleet, found, held, marks, report
from tests.repositories import Repository


class _Row(TypedDict):
    """What of a listed repository is asked here."""

    repository: str
    address: str
    state: str
    stats: dict[str, int]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    made = Fleet(top=tmp_path)
    made.folder.mkdir()
    return made


class TestFinds:
    """One finding per credential, with every repository that holds it."""

    def test_one_key_in_several_repositories_is_one_finding(self, fleet: Fleet) -> None:
        shared, own = Pair.fresh(), Pair.fresh()
        fleet.add("bot", {"bot.py": shared.python})
        fleet.add("tools/copy", {"old/.env": shared.dotenv, "own.py": own.python})
        fleet.add("clean")
        ran = fleet.run("scan", fleet.folder, "--format", "json")
        assert ran.status == 1
        assert found(report(ran)) == held((shared, ["bot", "tools/copy"]), (own, ["tools/copy"]))
        stats = report(ran)["scan"]["stats"]
        assert (stats["repositories"], stats["repositories_failed"]) == (3, 0)

    def test_fleet_is_short_for_fleet_scan(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        ran = fleet.run(fleet.folder, "--format", "json")
        assert (ran.status, found(report(ran))) == (1, held((pair, ["bot"])))

    def test_what_one_repository_proves_counts_in_all(self, fleet: Fleet) -> None:
        """A value without evidence for Binance at its location is reported, if it is known elsewhere."""
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.add("notes", {"a.txt": f"{pair.key}\n"})
        fleet.add("others", {"a.txt": f"{value()}\n"})
        assert found(fleet.scan()) == held((pair, ["bot", "notes"]))

    def test_a_secret_alone_goes_to_its_key(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.add("half", {"settings.py": f'BINANCE_API_SECRET = "{pair.secret}"\n'})
        assert found(fleet.scan()) == held((pair, ["bot", "half"]))

    def test_a_deleted_file_an_amended_commit_and_a_message(self, fleet: Fleet) -> None:
        gone, amended, reported = Pair.fresh(), Pair.fresh(), Pair.fresh()
        bot = fleet.add("bot", {"bot.py": gone.python})
        bot.git("rm", "--quiet", "bot.py")
        bot.commit(message=f"Binance {reported.dotenv}")
        bot.stage("x.py", amended.python)
        bot.git("commit", "--quiet", "--amend", "--no-edit")
        bot.git("rm", "--quiet", "--cached", "x.py")
        bot.git("commit", "--quiet", "--amend", "--no-edit")
        assert found(fleet.scan()) == held((gone, ["bot"]), (amended, ["bot"]), (reported, ["bot"]))

    def test_urls_are_cloned_and_the_clones_are_removed(self, fleet: Fleet, tmp_path: Path) -> None:
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        bare = tmp_path / "served.git"
        bot.git("clone", "--quiet", "--bare", ".", str(bare))
        (tmp_path / "tmp").mkdir()
        ran = fleet.run(
            "scan", f"ssh://git@host.example{bare}", "--format", "json", env=_served(tmp_path, fleet.top / "tmp")
        )
        assert (ran.status, list(found(report(ran)))) == (1, list(held((pair, []))))
        assert list((tmp_path / "tmp").iterdir()) == []

    def test_the_configuration_of_a_repository_does_not_count_that_of_the_user_does(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        allow = f'[[allow]]\nsha256 = "{digest(pair.key)}"\n[[allow]]\nsha256 = "{digest(pair.secret)}"\n'
        fleet.add("bot", {"bot.py": pair.python, ".binance-leaks.toml": allow})
        assert found(fleet.scan()) == held((pair, ["bot"]))
        (fleet.top / "ours.toml").write_text(allow)
        assert found(fleet.scan("--config", fleet.top / "ours.toml")) == {}
        shown = fleet.scan("--config", fleet.top / "ours.toml", "--show-suppressed")
        assert [leak["suppressed"] and leak["suppressed"]["by"] for leak in shown["findings"]] == ["config"]

    def test_suppressed_only_where_all_repositories_allow_it(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        allowed = f'client = Client("{pair.key}", "{pair.secret}")  # binance-leaks: allow\n'
        fleet.add("bot", {"bot.py": f"from binance.client import Client\n{allowed}"})
        assert found(fleet.scan()) == {}
        fleet.add("copy", {"bot.py": pair.python})
        assert found(fleet.scan()) == held((pair, ["bot", "copy"]))

    def test_more_refs_than_anybody_reads(self, fleet: Fleet) -> None:
        """Of a mirror with all pull requests a report would be of gigabytes."""
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        packed = "".join(f"{bot.head()} refs/tags/v{number:04}\n" for number in range(800))
        (bot.folder / ".git/packed-refs").write_text(packed)
        ran = fleet.run("scan", fleet.folder, "--format", "json")
        assert found(report(ran)) == held((pair, ["bot"]))
        assert 800 > ran.out.count('"v0') >= 2
        assert len(ran.out) < 20_000

    def test_excluded_paths(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python, "docs/a.py": Pair.fresh().python})
        assert found(fleet.scan("--exclude", "docs/")) == held((pair, ["bot"]))


class TestLogins:
    """The law: what is in a URL to log in goes to git alone."""

    @pytest.mark.parametrize("form", ["https://me:{}@127.0.0.1:9/a.git", "https://{}@127.0.0.1:9/a.git"])
    @pytest.mark.parametrize("listed", [False, True])
    def test_it_is_nowhere(self, fleet: Fleet, form: str, listed: bool) -> None:
        login, url = token_hex(12), form
        named = url.format(login)
        if listed:
            (fleet.top / "list.txt").write_text(f"{named}\n")
            named = str(fleet.top / "list.txt")
        ran = fleet.run("scan", named, "--store", fleet.store, "--retries", "0", "--format", "json")
        assert ran.status == 3
        lists = ("runs", "repositories")
        reported = [fleet.run("list", what, "--store", fleet.store, "--format", "json") for what in lists]
        reported.append(fleet.run("report", "--store", fleet.store))
        stored = b"".join(file.read_bytes() for file in fleet.top.glob(f"{fleet.store.name}*"))
        assert b"127.0.0.1:9/a" in stored
        assert not [one for one in (ran, *reported) if login in one.out + one.err]
        assert login.encode() not in stored

    def test_it_is_refused_where_none_can_be(self, fleet: Fleet) -> None:
        login = token_hex(12)
        ran = fleet.run("scan", f"file://me:{login}@localhost/a", "--store", fleet.store)
        assert ran.status == 2
        assert "not a valid URL" in ran.err
        assert login not in ran.err


class TestForks:
    """Repositories that share an object store are read once, and each has what is its own."""

    def test_a_fork_that_borrows(self, fleet: Fleet) -> None:
        common, hidden, own = Pair.fresh(), Pair.fresh(), Pair.fresh()
        upstream = fleet.add("upstream", {"bot.py": common.python})
        upstream.git("clone", "--quiet", "--shared", str(upstream.folder), str(fleet.folder / "fork"))
        fork = Repository(fleet.folder / "fork")
        upstream.stage("x.py", hidden.python)
        upstream.git("rm", "--quiet", "--cached", "x.py")
        fork.commit({"own.py": own.python})
        reported = fleet.scan()
        assert found(reported) == held((common, ["upstream", "fork"]), (hidden, ["upstream"]), (own, ["fork"]))
        objects = {scan["repository"]: scan["stats"]["blobs"] for scan in _listed(fleet)}
        assert objects["upstream"] == 2
        assert objects["fork"] <= 3, "the fork reads its own and what was found, nothing else"

    def test_a_fork_that_borrows_from_others_too(self, fleet: Fleet) -> None:
        """What nobody else is listed for is its own."""
        pool, common = Pair.fresh(), Pair.fresh()
        lender = Repository.create(fleet.top / "elsewhere")
        lender.commit({"bot.py": pool.python})
        upstream = fleet.add("upstream", {"bot.py": common.python})
        upstream.git("clone", "--quiet", "--shared", str(upstream.folder), str(fleet.folder / "fork"))
        with (fleet.folder / "fork/.git/objects/info/alternates").open("a") as stream:
            stream.write(f"{lender.folder}/.git/objects\n")
        assert found(fleet.scan()) == held((common, ["upstream", "fork"]), (pool, ["fork"]))

    def test_a_work_tree_and_its_repository_are_one(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        bot.git("worktree", "add", "--quiet", str(fleet.folder / "linked"), "-b", "other")
        reported = fleet.scan()
        assert reported["scan"]["stats"]["repositories"] == 1
        assert found(reported) == held((pair, ["bot"]))


class TestAgain:
    """A second run scans what is new, and says what became of what was known."""

    def test_nothing_new(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.add("clean")
        first, second = fleet.scan(), fleet.scan()
        assert marks(first) == {frozenset(pair.digests): None}
        assert marks(second) == {frozenset(pair.digests): "still-there"}
        assert second["scan"]["stats"]["repositories_unchanged"] == 2
        assert [{**leak, "mark": None} for leak in second["findings"]] == first["findings"]

    def test_what_could_be_read_only_later(self, fleet: Fleet) -> None:
        """An object that is mended has the same id, and so changes nothing that one could see from outside."""
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        damaged = bot.loose(bot.blob("bot.py"))
        sound = damaged.read_bytes()
        damaged.chmod(0o600)
        damaged.write_bytes(sound[:20])
        first = fleet.scan()
        assert (found(first), first["scan"]["complete"]) == ({}, False)
        damaged.write_bytes(sound)
        second = fleet.scan()
        assert found(second) == held((pair, ["bot"]))
        assert second["scan"]["complete"]

    def test_new_still_there_and_gone(self, fleet: Fleet) -> None:
        stays, goes, comes = Pair.fresh(), Pair.fresh(), Pair.fresh()
        bot = fleet.add("bot", {"bot.py": stays.python})
        other = fleet.add("other", {"bot.py": goes.python})
        fleet.scan()
        bot.commit({"more.py": comes.python})
        shutil.rmtree(other.folder)
        fleet.add("other")
        reported = fleet.scan()
        assert marks(reported) == {frozenset(stays.digests): "still-there", frozenset(comes.digests): "new"}
        stats = reported["scan"]["stats"]
        assert (stats["new"], stats["still_there"], stats["gone"]) == (1, 1, 1)
        ran = fleet.run("diff", "--store", fleet.store, "--format", "json")
        assert marks(report(ran)) == {
            frozenset(stays.digests): "still-there",
            frozenset(comes.digests): "new",
            frozenset(goes.digests): "gone",
        }
        earlier = fleet.run("report", "--store", fleet.store, "--run", "1", "--format", "json")
        assert found(report(earlier)) == held((stays, ["bot"]), (goes, ["other"]))

    def test_only_what_is_new_is_read(self, fleet: Fleet) -> None:
        bot = fleet.add("bot", {f"{number}.txt": f"{number}\n" for number in range(50)})
        fleet.scan()
        pair = Pair.fresh()
        bot.commit({"bot.py": pair.python})
        assert found(fleet.scan()) == held((pair, ["bot"]))
        assert _listed(fleet)[0]["stats"]["blobs"] == 1

    def test_an_unchanged_run_between_forgets_nothing(self, fleet: Fleet) -> None:
        bot = fleet.add("bot", {f"{number}.txt": f"{number}\n" for number in range(50)})
        fleet.scan()
        fleet.scan()
        pair = Pair.fresh()
        bot.commit({"bot.py": pair.python})
        assert found(fleet.scan()) == held((pair, ["bot"]))
        assert _listed(fleet)[0]["stats"]["blobs"] == 1

    def test_a_difference_fails_for_what_is_new_only(self, fleet: Fleet) -> None:
        old = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": old.python})
        fleet.scan()
        fleet.scan()
        same = fleet.run("diff", "--store", fleet.store)
        assert (same.status, same.out) == (0, "Nothing new: 1 credential is still there.\n")
        verbose = fleet.run("diff", "--store", fleet.store, "--verbose")
        assert (verbose.status, len(verbose.out.splitlines()) > 3) == (0, True)
        bot.commit({"more.py": Pair.fresh().python})
        fleet.scan()
        assert fleet.run("diff", "--store", fleet.store).status == 1
        assert fleet.run("diff", "1", "2", "--store", fleet.store).status == 0

    def test_rescan_reads_everything(self, fleet: Fleet) -> None:
        fleet.add("bot", {f"{number}.txt": f"{number}\n" for number in range(50)})
        fleet.scan()
        fleet.scan("--rescan")
        assert _listed(fleet)[0]["stats"]["blobs"] == 50

    def test_other_settings_are_another_scan(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"docs/bot.py": pair.python})
        assert found(fleet.scan("--exclude", "docs/")) == {}
        assert found(fleet.scan()) == held((pair, ["bot"]))

    def test_what_a_url_has_is_not_cloned_again(self, fleet: Fleet, tmp_path: Path) -> None:
        """The refs that it names tell whether anything is new; what is new of it alone is read then."""
        bot = fleet.add("bot", {f"{number}.txt": f"{number}\n" for number in range(50)})
        url, env = f"ssh://git@host.example{bot.folder}", _served(tmp_path, fleet.top)
        words = ("scan", url, "--store", fleet.store, "--format", "json")
        assert report(fleet.run(*words, env=env))["scan"]["stats"]["repositories_unchanged"] == 0
        assert report(fleet.run(*words, env=env))["scan"]["stats"]["repositories_unchanged"] == 1
        pair = Pair.fresh()
        bot.commit({"bot.py": pair.python})
        reported = report(fleet.run(*words, env=env))
        assert list(found(reported)) == list(held((pair, [])))
        assert reported["scan"]["stats"]["blobs"] == 1

    def test_a_repository_that_is_new_in_the_list(self, fleet: Fleet) -> None:
        fleet.add("bot", {"bot.py": Pair.fresh().python})
        fleet.scan()
        pair = Pair.fresh()
        fleet.add("late", {"bot.py": pair.python})
        assert marks(fleet.scan())[frozenset(pair.digests)] == "new"

    def test_a_run_that_died_is_no_run_before(self, fleet: Fleet) -> None:
        """What it found was never reported: it is new for the next one."""
        bot = fleet.add("bot", {"bot.py": Pair.fresh().python})
        fleet.scan()
        pair = Pair.fresh()
        bot.commit({"more.py": pair.python})
        fleet.scan()
        with sqlite3.connect(fleet.store) as connection:
            connection.execute("UPDATE runs SET status = 'abandoned' WHERE id = 2")
        connection.close()
        assert marks(fleet.scan())[frozenset(pair.digests)] == "new"
        compared = fleet.run("diff", "--store", fleet.store, "--format", "json")
        assert (compared.status, marks(report(compared))[frozenset(pair.digests)]) == (1, "new")

    def test_a_known_key_in_one_more_repository(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.add("public")
        fleet.scan()
        Repository(fleet.folder / "public").commit({"x.py": pair.python})
        fleet.scan()
        text = fleet.run("diff", "--store", fleet.store)
        assert (text.status, "Now also in public." in text.out) == (1, True), text.out
        reported = report(fleet.run("diff", "1", "--store", fleet.store, "--format", "json"))
        standing = {place["repository"]: place["standing"] for place in reported["findings"][0]["locations"]}
        assert standing == {"bot": True, "public": False}
        assert reported["findings"][0]["fails"]

    def test_a_path_that_vanishes_is_reported_by_every_report(self, fleet: Fleet) -> None:
        kept, lost = Pair.fresh(), Pair.fresh()
        bot = fleet.add("bot", {"bot.py": kept.python})
        ledger = fleet.add("ledger", {"bot.py": lost.python})
        (fleet.top / "list.txt").write_text(f"{bot.folder}\tbot\n{ledger.folder}\tledger\n")
        words = ("--store", fleet.store, "--format", "json", "--fail-on", "none")
        assert fleet.run("scan", "list.txt", *words).status == 0
        ledger.folder.rename(fleet.top / "elsewhere")
        ran = fleet.run("scan", "list.txt", *words)
        again = fleet.run("report", *words)
        for each in (ran, again, fleet.run("diff", *words)):
            assert each.status == 3, each.err
            assert found(report(each)) == held((kept, ["bot"]), (lost, ["ledger"]))
            assert report(each)["scan"]["stats"]["repositories_failed"] == 1
        rows = fleet.run("list", "--store", fleet.store, env={"COLUMNS": "40"}).out.splitlines()
        assert len(rows) == 3, "piped, each repository is one line"
        assert "no such folder" in rows[2]
        assert fleet.run("scan", "list.txt", *words, "--allow-incomplete").status == 0
        assert [fleet.run(each, *words).status for each in ("report", "diff")] == [0, 0]

    def test_what_could_not_be_scanned_is_not_gone(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        list_file = fleet.top / "list.txt"
        list_file.write_text(f"{bot.folder}\n")
        fleet.run("scan", list_file, "--store", fleet.store)
        (bot.folder / ".git" / "HEAD").write_text("no head\n")
        ran = fleet.run("scan", fleet.folder, list_file, "--store", fleet.store, "--format", "json")
        assert ran.status in (2, 3)
        differs = fleet.run("diff", "--store", fleet.store, "--format", "json")
        assert "gone" not in marks(report(differs)).values() if differs.status != 2 else True


class TestStore:
    """What the file holds and does not hold."""

    def test_no_value_and_only_for_its_owner(self, fleet: Fleet) -> None:
        pairs = [Pair.fresh(), Pair.fresh()]
        fleet.add("bot", {"bot.py": pairs[0].python, f"{pairs[1].key}.txt": pairs[1].dotenv})
        fleet.scan()
        assert stat.S_IMODE(fleet.store.stat().st_mode) == 0o600
        content = b"".join(path.read_bytes() for path in fleet.top.glob("fleet.db*"))
        for pair in pairs:
            assert pair.key.encode() not in content
            assert pair.secret.encode() not in content
        assert digest(pairs[0].key).encode() in content

    def test_people_can_ask_it(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.scan()
        with sqlite3.connect(fleet.store) as connection:
            rows = connection.execute("SELECT repository, path, line FROM exposed ORDER BY line").fetchall()
        connection.close()
        assert ("bot", "bot.py", 2) in rows

    def test_all_formats_from_the_store(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.scan()
        for name in ("text", "json", "sarif", "github", "gitlab", "junit", "csv", "markdown", "html"):
            ran = fleet.run("report", "--store", fleet.store, "--format", name)
            assert (ran.status, "bot" in ran.out) == (1, True), name

    def test_text_that_somebody_wrote_into_it(self, fleet: Fleet) -> None:
        """A store may come from a colleague: what lists show of it is inert."""
        fleet.add("bot", {"bot.py": Pair.fresh().python})
        fleet.scan()
        secret = value()
        with sqlite3.connect(fleet.store) as connection:
            for column in ("runs.target", "runs.host", "runs.version", "scans.label", "scans.reason", "scans.worker"):
                table, _, name = column.partition(".")
                connection.execute(f"UPDATE {table} SET {name} = ?", (f"\x1b[2J\u202e {secret}",))  # noqa: S608 - ours
        connection.close()
        for what in ("runs", "repositories", "credentials"):
            for form in ("text", "json"):
                ran = fleet.run("list", what, "--store", fleet.store, "--format", form, env={"COLUMNS": "400"})
                assert ran.status == 0
                assert not [bad for bad in ("\x1b", "\u202e", secret) if bad in ran.out + ran.err], (what, form)

    def test_lists(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.scan()
        fleet.scan()
        runs = json.loads(fleet.run("list", "runs", "--store", fleet.store, "--format", "json").out)["runs"]
        assert [(each["id"], each["status"]) for each in runs] == [(1, "finished"), (2, "finished")]
        assert _listed(fleet)[0]["state"] == "unchanged"
        assert _listed(fleet)[0]["address"] == str(fleet.folder / "bot" / ".git")
        credentials = json.loads(fleet.run("list", "credentials", "--store", fleet.store, "--format", "json").out)[
            "credentials"
        ]
        assert [(each["mark"], each["repositories"]) for each in credentials] == [("still-there", ["bot"])]
        for what in ("runs", "repositories", "credentials"):
            assert fleet.run("list", what, "--store", fleet.store).status == 0


class TestVerify:
    """Each credential is checked once over the whole fleet, with values that are read again."""

    def test_once_with_all_repositories(self, fleet: Fleet) -> None:
        exchange, rng = Exchange(), SystemRandom()
        rich, poor = hmac_account(rng, permissions=WITHDRAW), hmac_account(rng, permissions=TRADE)
        exchange.add(rich)
        exchange.add(poor)
        code = 'from binance.client import Client\nclient = Client("{}", "{}")\n'
        for name in ("a", "b", "c"):
            fleet.add(name, {"bot.py": code.format(rich.key, rich.secret.decode())})
        fleet.add("d", {"deep/.env": f"BINANCE_API_KEY={poor.key}\nBINANCE_API_SECRET={poor.secret.decode()}\n"})
        dead = Pair.fresh()
        fleet.add("e", {"x.py": dead.python})
        with serving(exchange) as url:
            reported = fleet.scan("--verify", "--verify-loopback", url)
        verdicts = [(leak["verification"] or {})["verdict"] for leak in reported["findings"]]
        assert verdicts == ["live", "live", "not-found"]
        assert [leak["risk"]["level"] for leak in reported["findings"]][:2] == ["critical", "high"]
        assert {place["repository"] for place in reported["findings"][0]["locations"]} == {"a", "b", "c"}
        assert [asked.key for asked in exchange.asked].count(rich.key) == 1
        again = report(fleet.run("report", "--store", fleet.store, "--format", "json"))
        assert [leak["verification"] for leak in again["findings"]] == [
            leak["verification"] for leak in reported["findings"]
        ]

    def test_in_a_message(self, fleet: Fleet) -> None:
        exchange, rng = Exchange(), SystemRandom()
        account = hmac_account(rng, permissions=WITHDRAW)
        exchange.add(account)
        bot = fleet.add("bot")
        bot.commit(message=f"Binance api key {account.key} secret {account.secret.decode()}")
        with serving(exchange) as url:
            reported = fleet.scan("--verify", "--verify-loopback", url)
        assert [(leak["verification"] or {})["verdict"] for leak in reported["findings"]] == ["live"]


class TestBadInput:
    """Clear errors, and never 0 where something is missing."""

    @pytest.mark.parametrize(
        ("words", "status", "message"),
        [
            ((), 2, "no repositories are named"),
            (("",), 2, "empty"),
            (("nothing.txt",), 2, "nothing.txt"),
            (("--resume",), 2, "--resume needs the --store"),
            (("src", "--store", "no/such/fleet.db"), 2, "no folder no/such"),
            (("src", "--time-limit", "soon"), 2, "must be a time"),
            (("src", "--time-limit", "0"), 2, "must be a time"),
            (("src", "--clone-limit", "much"), 2, "must be a size"),
            (("src", "--retries", "-1"), 2, "retries"),
            (("src", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"), 2, "not allowed with"),
            (("src", "--baseline", "x"), 2, "--baseline"),
            (("src", "--verify-limit", "3"), 2, "does nothing without --verify"),
            (("report",), 2, "--store"),
            (("report", "--store", "fleet.db"), 2, "fleet.db"),
            (("list", "--store", "fleet.db"), 2, "fleet.db"),
            (("diff", "1", "2", "3", "--store", "fleet.db"), 2, "more than two runs"),
        ],
    )
    def test_usage(self, fleet: Fleet, words: tuple[str, ...], status: int, message: str) -> None:
        fleet.add("bot")
        ran = fleet.run(*words)
        assert (ran.status, message in ran.err) == (status, True), ran.err
        assert len(ran.err.splitlines()) <= 2

    def test_malformed_lines_are_reported_together(self, fleet: Fleet) -> None:
        bot = fleet.add("bot")
        (fleet.top / "list.txt").write_text(f"{bot.folder}\nhttp://host.example/a.git\next::sh -c x\n")
        ran = fleet.run("scan", "list.txt")
        assert ran.status == 2
        assert "list.txt:2" in ran.err
        assert "list.txt:3" in ran.err

    def test_a_repository_that_is_not_there(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        bot = fleet.add("bot", {"bot.py": pair.python})
        (fleet.top / "list.txt").write_text(f"{bot.folder}\tbot\n{fleet.top / 'gone'}\n")
        ran = fleet.run("scan", "list.txt", "--format", "json", "--fail-on", "none")
        assert ran.status == 3
        assert found(report(ran)) == held((pair, ["bot"]))
        assert any("gone" in skipped["what"] for skipped in report(ran)["scan"]["skipped"])
        assert fleet.run("scan", "list.txt", "--fail-on", "none", "--allow-incomplete").status == 0

    def test_a_run_that_is_not_there(self, fleet: Fleet) -> None:
        fleet.add("bot")
        fleet.scan()
        for words in (("report", "--run", "7"), ("diff", "1", "7"), ("list", "--run", "7")):
            ran = fleet.run(*words, "--store", fleet.store)
            assert (ran.status, "7" in ran.err) == (2, True), ran.err

    def test_nothing_to_resume(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        fleet.add("bot", {"bot.py": pair.python})
        fleet.scan()
        ran = fleet.run("scan", "--store", fleet.store, "--resume", "--format", "json")
        assert (ran.status, found(report(ran))) == (1, held((pair, ["bot"])))
        assert "nothing left to do" in ran.err

    def test_a_file_of_another_program(self, fleet: Fleet) -> None:
        fleet.add("bot")
        fleet.store.write_bytes(b"no database at all" * 100)
        before = fleet.store.read_bytes()
        ran = fleet.run("scan", fleet.folder, "--store", fleet.store)
        assert (ran.status, fleet.store.read_bytes()) == (2, before), ran.err


class TestTakenForAnother:
    """No repository is reported under the name of another."""

    def test_a_folder_that_git_does_not_take(self, fleet: Fleet) -> None:
        """git would go on to the repository around it."""
        around, own = Pair.fresh(), Pair.fresh()
        Repository.create(fleet.folder).commit({"bot.py": around.python})
        inner = fleet.add("inner", {"bot.py": own.python})
        (inner.folder / ".git/commondir").write_text(" .\n")
        reported = fleet.scan()
        assert found(reported) == held((around, ["src"]))
        assert [each["what"] for each in reported["scan"]["skipped"]] == ["inner"]


class TestHostile:
    """Names that a stranger chose inject nothing, and nothing of his is run."""

    def test_names(self, fleet: Fleet) -> None:
        pair = Pair.fresh()
        name = "<script>alert(1)</script>\x1b[31m\u202e"
        fleet.add(name, {"bot.py": pair.python})
        ran = fleet.run(fleet.folder, "--format", "html")
        assert (ran.status, "&lt;script&gt;alert" in ran.out) == (1, True)
        assert "<script>alert" not in ran.out
        reported = fleet.run(fleet.folder)
        assert "\x1b" not in reported.out
        assert "\u202e" not in reported.out


def _listed(fleet: Fleet) -> list[_Row]:
    ran = fleet.run("list", "--store", fleet.store, "--format", "json")
    listed: list[_Row] = json.loads(ran.out)["repositories"]
    return listed


def _served(folder: Path, temporary: Path) -> dict[str, str]:
    """An ssh that serves this disk."""
    script = folder / "ssh"
    script.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    script.chmod(0o755)
    return {"GIT_SSH": str(script), "GIT_SSH_VARIANT": "simple", "TMPDIR": str(temporary)}

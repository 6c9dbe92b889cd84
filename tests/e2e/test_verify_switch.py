"""`--verify` on every scanning command, against a played exchange; and that nothing is opened without it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import TypedDict

import pytest

from tests.binance.accounts import (
    READ,
    TESTNET,
    TRADE,
    TRANSFER,
    WITHDRAW,
    Account,
    ed25519_account,
    hmac_account,
)
from tests.binance.exchange import Answer, Exchange
from tests.binance.server import serving
from tests.corpus.values import pem
from tests.e2e import PROGRAM, Named, Outcome, Pair, Place, run
from tests.repositories import Repository

TRIPWIRE = """
import os, sys
def _heard(event, arguments):
    if event == "socket.__new__" or event.startswith(("socket.connect", "socket.getaddrinfo", "socket.sendto")):
        os.write(2, b"a socket was opened\\n")
        os._exit(99)
sys.addaudithook(_heard)
"""


class Reported(TypedDict):
    """A verification as the JSON report has it."""

    verdict: str
    tier: str | None
    permissions: dict[str, object]
    ip_restricted: bool | None
    checked_at: str | None
    host: str | None
    note: str


class Leak(TypedDict):
    """A finding as the JSON report has it."""

    id: str
    kind: str
    confidence: str
    risk: dict[str, object]
    values: list[Named]
    locations: list[Place]
    verification: Reported | None


@dataclass(frozen=True, kw_only=True)
class Played:
    """A server at a URL, and the rules that it plays by."""

    url: str
    exchange: Exchange

    def scan(self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Outcome:
        """A command with --verify that asks this server."""
        return run(*words, "--verify", "--verify-loopback", self.url, cwd=cwd, env=env, stdin=stdin)

    def leaks(self, *words: str | Path, cwd: Path, stdin: bytes = b"") -> list[Leak]:
        """The findings of such a command."""
        ran = self.scan(*words, "--format", "json", cwd=cwd, stdin=stdin)
        found: list[Leak] = json.loads(ran.out)["findings"]
        return found


@pytest.fixture
def rng() -> Random:
    return SystemRandom()


@pytest.fixture
def played() -> Iterator[Played]:
    exchange = Exchange()
    with serving(exchange) as url:
        yield Played(url=url, exchange=exchange)


HOST = 'BASE_URL = "https://api.binance.com"\n'


def call(account: Account) -> str:
    """A Python module with a pair."""
    return f'from binance.client import Client\nclient = Client("{account.key}", "{account.secret.decode()}")\n'


def verdicts(leaks: Sequence[Leak]) -> list[str | None]:
    return [leak["verification"]["verdict"] if leak["verification"] else None for leak in leaks]


def printed(leak: Leak) -> Reported:
    assert leak["verification"] is not None
    return leak["verification"]


class TestCommands:
    """Each command asks about what it found, with the values that it has or reads again."""

    @pytest.fixture
    def account(self, played: Played, rng: Random) -> Account:
        account = hmac_account(rng, permissions=WITHDRAW)
        played.exchange.add(account)
        return account

    def alive(self, leaks: Sequence[Leak]) -> None:
        assert verdicts(leaks) == ["live"]
        reported = printed(leaks[0])
        assert (reported["tier"], reported["ip_restricted"], reported["host"]) == ("withdraw", False, "api.binance.com")
        assert reported["permissions"]["enableWithdrawals"] is True
        assert leaks[0]["risk"]["level"] == "critical"
        assert leaks[0]["confidence"] == "high"

    def test_scan(self, played: Played, account: Account, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(call(account))
        self.alive(played.leaks("scan", ".", cwd=tmp_path))

    def test_scan_in_several_processes(self, played: Played, account: Account, tmp_path: Path) -> None:
        for number in range(700):
            (tmp_path / f"{number}.txt").write_text("word\n" * 3000)
        (tmp_path / "zz.py").write_text(call(account))
        self.alive(played.leaks("scan", ".", "--jobs", "2", cwd=tmp_path))

    def test_scan_of_standard_input(self, played: Played, account: Account, tmp_path: Path) -> None:
        self.alive(played.leaks("scan", "-", cwd=tmp_path, stdin=call(account).encode()))

    @pytest.mark.parametrize("command", ["staged", "message"])
    def test_hooks_of_a_commit_have_no_such_switch(self, command: str, tmp_path: Path) -> None:
        outcome = run(command, "message", "--verify", cwd=tmp_path)
        assert outcome.status == 2
        assert "unrecognized arguments: --verify" in outcome.err

    def test_history(self, played: Played, account: Account, repository: Repository) -> None:
        repository.commit({"bot.py": call(account)})
        repository.commit({"bot.py": "import os\n"})
        self.alive(played.leaks("history", cwd=repository.folder))

    def test_range(self, played: Played, account: Account, repository: Repository) -> None:
        repository.commit({"a.py": "import os\n"})
        repository.commit({"bot.py": call(account)})
        self.alive(played.leaks("range", "HEAD~1..HEAD", cwd=repository.folder))
        self.alive(played.leaks("ci", "--base", "HEAD~1", cwd=repository.folder))
        self.alive(played.leaks("push", cwd=repository.folder))

    def test_range_in_a_message(self, played: Played, account: Account, repository: Repository) -> None:
        repository.commit({"a.py": "import os\n"})
        repository.commit(message=f"Binance API key {account.key} secret {account.secret.decode()}")
        self.alive(played.leaks("range", "HEAD~1..HEAD", cwd=repository.folder))

    def test_what_stood_there_before_a_range_is_not_asked(
        self, played: Played, account: Account, repository: Repository
    ) -> None:
        repository.commit({"bot.py": call(account)})
        repository.commit({"bot.py": call(account) + "print()\n"})
        assert played.leaks("range", "HEAD~1..HEAD", cwd=repository.folder) == []
        assert played.exchange.asked == []

    def test_what_is_allowed_is_not_asked(self, played: Played, account: Account, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(call(account).replace(")\n", ")  # binance-leaks: allow\n"))
        assert played.leaks("scan", ".", "--show-suppressed", cwd=tmp_path)[0]["verification"] is None
        assert played.exchange.asked == []

    def test_what_is_not_sure_enough_is_not_asked(self, played: Played, account: Account, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(f'api_key = "{account.key}"\n')
        assert played.leaks("scan", "a.txt", cwd=tmp_path) == []
        assert played.exchange.asked == []


class TestFirstWords:
    """What is sent where is reported before anything else."""

    def test_with_something_to_ask(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng)
        (tmp_path / "bot.py").write_text(call(account))
        lines = played.scan("scan", ".", cwd=tmp_path).err.splitlines()
        assert lines[0].startswith("binance-leaks: --verify: each API key")
        assert "api.binance.com (1)" in lines[1]

    def test_with_nothing_to_ask(self, played: Played, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("import os\n")
        ran = played.scan("scan", ".", cwd=tmp_path)
        assert ran.status == 0
        assert played.exchange.asked == []

    def test_quiet_reports_it_all_the_same(self, played: Played, rng: Random, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(call(hmac_account(rng)))
        assert "api.binance.com (1)" in played.scan("scan", "-q", ".", cwd=tmp_path).err


class TestSettled:
    """What the answers change about credentials."""

    def test_swapped_halves_are_turned(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng, permissions=TRADE)
        played.exchange.add(account)
        key, secret = account.key, account.secret.decode()
        (tmp_path / ".env").write_text(f"BINANCE_API_KEY={secret}\nBINANCE_API_SECRET={key}\n")
        (leak,) = played.leaks("scan", "--all-files", ".", cwd=tmp_path)
        assert printed(leak)["verdict"] == "live"
        assert "wrong way round" in printed(leak)["note"]
        places = {place["role"]: place["line"] for place in leak["locations"]}
        assert places == {"api-key": 2, "secret-key": 1}
        masked = {value["role"]: value["masked"] for value in leak["values"]}
        assert masked["api-key"] == f"{key[:4]}\u2026{key[-4:]}"
        assert masked["secret-key"] == f"{secret[:4]}\u2026"

    def test_two_keys_near_one_secret(self, played: Played, rng: Random, tmp_path: Path) -> None:
        """The secret goes to the key that it signs for."""
        first, second = hmac_account(rng), hmac_account(rng, permissions=TRADE)
        played.exchange.add(first, second)
        secret = second.secret.decode()
        (tmp_path / "a.py").write_text(
            f'# Binance\nfirst_api_key = "{first.key}"\napi_secret = "{secret}"\nsecond_api_key = "{second.key}"\n'
        )
        leaks = played.leaks("scan", "a.py", cwd=tmp_path)
        by_kind = {leak["kind"]: leak for leak in leaks}
        assert set(by_kind) == {"key-pair", "api-key"}
        pair = by_kind["key-pair"]
        assert {value["masked"][:4] for value in pair["values"]} == {second.key[:4], secret[:4]}
        assert printed(pair)["verdict"] == "live"
        assert printed(by_kind["api-key"])["verdict"] == "key-live-secret-wrong"

    def test_a_lone_secret_is_never_sent(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng)
        (tmp_path / "a.env").write_text(f"BINANCE_API_SECRET={account.secret.decode()}\n")
        (leak,) = played.leaks("scan", "a.env", cwd=tmp_path)
        assert printed(leak)["verdict"] == "not-asked"
        assert played.exchange.asked == []

    def test_a_private_key(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = ed25519_account(rng, permissions=TRADE)
        played.exchange.add(account)
        block = pem("PRIVATE KEY", account.secret)
        (tmp_path / "bot.py").write_text(f'import binance\napi_key = "{account.key}"\nprivate_key = """{block}"""\n')
        (leak,) = played.leaks("scan", "bot.py", cwd=tmp_path)
        assert (printed(leak)["verdict"], printed(leak)["tier"]) == ("live", "trade")

    def test_testnet(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng, host=TESTNET)
        played.exchange.add(account)
        (tmp_path / "bot.py").write_text(call(account).replace(")\n", ", testnet=True)\n"))
        (leak,) = played.leaks("scan", "bot.py", cwd=tmp_path)
        assert (printed(leak)["verdict"], printed(leak)["host"]) == ("live", TESTNET)
        assert leak["risk"]["level"] in ("info", "low")

    def test_a_live_key_beside_the_word_testnet(self, played: Played, rng: Random, tmp_path: Path) -> None:
        """It is what answers that counts, for the gate too."""
        account = hmac_account(rng, permissions=TRADE)
        played.exchange.add(account)
        (tmp_path / "bot.py").write_text(call(account).replace(")\n", ", testnet=True)\n"))
        (tmp_path / "pyproject.toml").write_text('[tool.binance-leaks.fail-on]\ntestnet = "none"\n')
        assert run("scan", "bot.py", cwd=tmp_path).status == 0
        assert played.scan("scan", "bot.py", cwd=tmp_path).status == 1
        (leak,) = played.leaks("scan", "bot.py", cwd=tmp_path)
        assert (printed(leak)["host"], leak["risk"]["level"]) == ("api.binance.com", "high")

    def test_one_request_however_often_it_is_there(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng)
        played.exchange.add(account)
        for number in range(50):
            (tmp_path / f"bot{number}.py").write_text(call(account))
        assert len(played.leaks("scan", ".", cwd=tmp_path)) == 1
        assert len(played.exchange.asked) == 1


class TestRanking:
    """Seven pairs of one repository, the most harmful first."""

    @pytest.fixture
    def accounts(self, played: Played, rng: Random) -> list[Account]:
        live = [
            hmac_account(rng, permissions=WITHDRAW),
            hmac_account(rng, permissions=TRANSFER),
            hmac_account(rng, permissions=TRADE),
            hmac_account(rng, permissions=TRADE, addresses=("127.0.0.1",)),
            hmac_account(rng, permissions=READ),
        ]
        played.exchange.add(*live)
        return live

    def repository_of(self, accounts: Sequence[Account], repository: Repository) -> tuple[list[str], Pair, Pair]:
        revoked, wrong = Pair.fresh(), Pair(key=accounts[4].key, secret=Pair.fresh().secret)
        other = hmac_account(SystemRandom())
        wrong = Pair(key=other.key, secret=wrong.secret)
        files = {f"bot{number}.py": call(account) for number, account in enumerate(accounts)}
        repository.commit({**files, "revoked.py": revoked.python + HOST, "wrong.py": wrong.python})
        return [account.key for account in accounts], revoked, wrong

    def test_the_order(self, played: Played, accounts: list[Account], repository: Repository) -> None:
        keys, revoked, wrong = self.repository_of(accounts, repository)
        played.exchange.add(Account(key=wrong.key, secret=Pair.fresh().secret.encode(), permissions=READ))
        leaks = played.leaks("history", cwd=repository.folder)
        reported = [(printed(leak)["verdict"], printed(leak)["tier"], printed(leak)["ip_restricted"]) for leak in leaks]
        assert reported[:5] == [
            ("live", "withdraw", False),
            ("live", "transfer", False),
            ("live", "trade", False),
            ("live", "trade", True),
            ("live", "read", False),
        ]
        assert {verdict for verdict, _, _ in reported[5:]} == {"not-found", "key-live-secret-wrong"}
        assert reported[6][0] == "not-found"
        starts = [value["masked"][:4] for leak in leaks for value in leak["values"] if value["role"] == "api-key"]
        assert starts == [key[:4] for key in (*keys, wrong.key, revoked.key)]
        for leak in leaks:
            reasons = leak["risk"]["reasons"]
            assert isinstance(reasons, list)
            assert reasons

    @pytest.mark.parametrize("name", ["text", "sarif", "markdown", "csv", "github", "gitlab", "junit", "html"])
    def test_every_format_reports_it(
        self, played: Played, accounts: list[Account], repository: Repository, name: str
    ) -> None:
        self.repository_of(accounts, repository)
        ran = played.scan("history", "--format", name, cwd=repository.folder)
        assert ran.status == 1
        assert "withdraw" in ran.out
        assert "probably revoked" in ran.out.lower()


class TestInterrupted:
    """Ctrl-C while it is checked: what was verified is reported, and the report is incomplete."""

    def test_what_was_verified_is_reported(self, played: Played, rng: Random, tmp_path: Path) -> None:
        _, *silent = accounts = [hmac_account(rng, permissions=TRADE) for _ in range(7)]
        played.exchange.add(*accounts)
        for number, account in enumerate(accounts):
            (tmp_path / f"bot{number}.py").write_text(call(account))
        for account in silent:
            played.exchange.script(Answer(manner="silent"), key=account.key)
        command = [*PROGRAM, "scan", ".", "--verify", "--verify-loopback", played.url, "--format", "json"]
        with subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            deadline = time.monotonic() + 60
            while len({asked.key for asked in played.exchange.asked}) < 4 and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        report = json.loads(out)
        assert report["scan"]["complete"] is False
        assert len(report["findings"]) == 7
        assert "not-asked" in verdicts(report["findings"])
        assert verdicts(report["findings"]).count("live") <= 1


class TestOptions:
    """How it is asked."""

    def test_a_cache(self, played: Played, rng: Random, tmp_path: Path) -> None:
        account = hmac_account(rng)
        played.exchange.add(account)
        (tmp_path / "bot.py").write_text(call(account))
        cache = tmp_path / "cache.json"
        for _ in range(2):
            assert verdicts(played.leaks("scan", "bot.py", "--verify-cache", cache, cwd=tmp_path)) == ["live"]
        assert len(played.exchange.asked) == 1
        assert stat.S_IMODE(cache.stat().st_mode) == 0o600
        content = cache.read_text()
        assert account.key[:12] not in content
        assert account.secret.decode()[:12] not in content

    def test_a_cache_that_others_may_write(self, played: Played, tmp_path: Path) -> None:
        cache = tmp_path / "cache.json"
        cache.write_text("{}")
        cache.chmod(0o666)
        ran = played.scan("scan", ".", "--verify-cache", cache, cwd=tmp_path)
        assert ran.status == 2
        assert "not believed" in ran.err

    def test_a_limit(self, played: Played, rng: Random, tmp_path: Path) -> None:
        accounts = [hmac_account(rng) for _ in range(5)]
        played.exchange.add(*accounts)
        for number, account in enumerate(accounts):
            (tmp_path / f"bot{number}.py").write_text(call(account))
        leaks = played.leaks("scan", ".", "--verify-limit", "2", cwd=tmp_path)
        assert sorted(verdicts(leaks), key=str) == ["live", "live", "not-asked", "not-asked", "not-asked"]
        assert len(played.exchange.asked) == 2

    @pytest.mark.parametrize(
        "words",
        [
            ["--verify-limit", "3"],
            ["--verify-cache", "x"],
            ["--proxy", "http://127.0.0.1:1"],
            ["--proxy-from-environment"],
            ["--verify-loopback", "http://127.0.0.1:1"],
            ["--verify-ca", "x"],
        ],
    )
    def test_nothing_of_it_without_the_switch(self, tmp_path: Path, words: list[str]) -> None:
        ran = run("scan", ".", *words, cwd=tmp_path)
        assert ran.status == 2
        assert words[0] in ran.err

    @pytest.mark.parametrize(
        "url", ["http://192.0.2.1/", "https://api.binance.example/", "ftp://127.0.0.1", "nonsense"]
    )
    def test_only_loopback_is_in(self, tmp_path: Path, url: str) -> None:
        ran = run("scan", ".", "--verify", "--verify-loopback", url, cwd=tmp_path)
        assert ran.status == 2

    @pytest.mark.parametrize("limit", ["0", "-1", "x", "1000000"])
    def test_limits_that_are_none(self, tmp_path: Path, limit: str) -> None:
        assert run("scan", ".", "--verify", "--verify-limit", limit, cwd=tmp_path).status == 2

    @pytest.mark.parametrize(
        ("answer", "word"),
        [
            (Answer(status=403, body=b"<html>firewall</html>"), "firewall"),
            (Answer(status=418), "banned"),
            (Answer(status=451), "place"),
            (Answer(status=503), "failure"),
            (Answer(manner="garbage"), "network"),
            (Answer(status=302, headers={"Location": "http://192.0.2.1/"}), "redirects"),
        ],
    )
    def test_no_answer_is_neither_live_nor_dead(
        self, played: Played, rng: Random, tmp_path: Path, answer: Answer, word: str
    ) -> None:
        played.exchange.script(answer)
        (tmp_path / "bot.py").write_text(call(hmac_account(rng)))
        (leak,) = played.leaks("scan", ".", cwd=tmp_path)
        assert printed(leak)["verdict"] == "inconclusive"
        assert word in printed(leak)["note"]
        assert played.scan("scan", ".", cwd=tmp_path).status == 1


class TestOffline:
    """Without --verify no socket is opened, by no command."""

    @pytest.fixture
    def wired(self, tmp_path: Path) -> Mapping[str, str]:
        """An environment in which a process that opens a socket ends at once."""
        (tmp_path / "wire").mkdir()
        (tmp_path / "wire" / "sitecustomize.py").write_text(TRIPWIRE)
        paths = [str(tmp_path / "wire"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(paths)}

    def test_the_wire_is_live(self, wired: Mapping[str, str], played: Played, rng: Random, tmp_path: Path) -> None:
        (tmp_path / "bot.py").write_text(call(hmac_account(rng)))
        assert played.scan("scan", "bot.py", cwd=tmp_path, env=wired).status == 99

    def test_no_socket(self, wired: Mapping[str, str], repository: Repository) -> None:
        pair = Pair.fresh()
        repository.commit({"a.py": "import os\n"})
        repository.commit({"bot.py": pair.python}, message=f"Binance API key {pair.key} secret {pair.secret}")
        repository.stage("staged.py", Pair.fresh().python)
        (repository.folder / "message").write_text(f"Binance API key {pair.key}\n")
        commands = (
            ("scan", "."), ("staged",), ("history",), ("range", "HEAD~1..HEAD"), ("ci", "--base", "HEAD~1"), ("push",),
            ("message", "message"), ("baseline", "create"),
        )  # fmt: skip
        for words in commands:
            ran = run(*words, cwd=repository.folder, env=wired)
            assert ran.status in (0, 1), (words, ran.err)

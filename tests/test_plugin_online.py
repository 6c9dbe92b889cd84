"""The plugin verifies only if switched on: real programs of detect-secrets, a played exchange."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from binance_leaks.plugin import BinanceApiKeyDetector
from detect_secrets.constants import VerifiedResult

from tests.binance.accounts import Account, ed25519_account, hmac_account
from tests.binance.exchange import Answer, Exchange, refusal
from tests.binance.server import serving
from tests.corpus.values import pem
from tests.program_server import run_text
from tests.repositories import Repository
from tests.test_plugin import ALL_LINES, PLUGIN
from tests.verify.test_law import pieces

SOCKETS = """
import sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from detect_secrets.{module} import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:
    status = end.code
print("SEEN", seen, [name for name in sys.modules if name.startswith("binance_leaks.verify.")], file=sys.stderr)
sys.exit(status)
"""


class Host:
    """The programs of detect-secrets in a repository, and a played exchange."""

    def __init__(self, repository: Repository, exchange: Exchange, url: str) -> None:
        self.repository = repository
        self.folder = repository.folder
        self.exchange = exchange
        self.url = url
        self.live = hmac_account(Random())
        self.gone = hmac_account(Random())
        exchange.add(self.live)

    def run(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A run, which prints no value."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE")}
        done = run_text(program, *arguments, cwd=self.folder, env={**kept, **variables})
        assert "Traceback" not in done.stderr, done.stderr
        for account in (self.live, self.gone):
            for part in (account.key.encode(), account.secret):
                assert not [piece for piece in pieces(part) if piece in (done.stdout + done.stderr).encode()]
        return done

    def scan(self, *arguments: str, **variables: str) -> dict[str, dict[int, bool]]:
        """By file and line whether the values in a fresh baseline are verified."""
        words = ("-c", "1", "scan", "--all-files", "-p", PLUGIN, *ALL_LINES, *arguments)
        self.done = self.run("detect-secrets", *words, **variables)
        assert self.done.returncode == 0, self.done.stderr
        return self.verified(self.done.stdout)

    @staticmethod
    def verified(baseline: str) -> dict[str, dict[int, bool]]:
        return {
            file: {each["line_number"]: each["is_verified"] for each in found if each["type"].startswith("Binance")}
            for file, found in json.loads(baseline)["results"].items()
        }

    @property
    def on(self) -> dict[str, str]:
        """Variables that switch it on."""
        return {"BINANCE_LEAKS_VERIFY": "1", "BINANCE_LEAKS_VERIFY_LOOPBACK": self.url}

    def write(self, name: str, account: Account) -> None:
        self.repository.write(name, f"BINANCE_API_KEY={account.key}\nBINANCE_API_SECRET={account.secret.decode()}\n")

    def baseline(self, **settings: object) -> Path:
        """A baseline that knows nothing, made with our plugins and these settings."""
        made = self.run("detect-secrets", "scan", "-p", PLUGIN, *ALL_LINES, "--exclude-files", ".*")
        content = json.loads(made.stdout)
        for plugin in content["plugins_used"]:
            if plugin["name"].startswith("Binance"):
                plugin.update(settings)
        content["filters_used"] = [each for each in content["filters_used"] if "pattern" not in each]
        content["results"] = {}
        file = self.folder / ".secrets.baseline"
        file.write_text(json.dumps(content, indent=2))
        return file


@pytest.fixture
def host(repository: Repository) -> Iterator[Host]:
    exchange = Exchange()
    with serving(exchange) as url:
        yield Host(repository, exchange, url)


def test_off_by_default(host: Host) -> None:
    host.write("a.env", host.live)
    assert host.scan(BINANCE_LEAKS_VERIFY_LOOPBACK=host.url) == {"a.env": {1: False, 2: False}}
    assert host.done.stderr == ""
    assert host.exchange.asked == []


@pytest.mark.parametrize("switch", ["", "0", "no", "maybe"])
@pytest.mark.parametrize("module", ["main", "pre_commit_hook"])
def test_no_socket_is_opened_while_it_is_off(host: Host, module: str, switch: str) -> None:
    host.write("a.env", host.live)
    words = ["scan", "--all-files"] if module == "main" else []  # one file, which it scans in this process
    done = subprocess.run(
        [sys.executable, "-c", SOCKETS.format(module=module), *words, "-p", PLUGIN, "a.env"],
        cwd=host.folder,
        env={**os.environ, "BINANCE_LEAKS_VERIFY": switch, "BINANCE_LEAKS_VERIFY_LOOPBACK": host.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == (0 if module == "main" else 1), done.stderr
    assert done.stderr.splitlines()[-1] == "SEEN [] []"
    assert host.exchange.asked == []


def test_on_by_variable(host: Host) -> None:
    host.write("a.env", host.live)
    host.write("b.env", host.gone)
    assert host.scan(**host.on) == {"a.env": {1: True, 2: True}, "b.env": {1: False, 2: False}}
    assert {asked.key for asked in host.exchange.asked} == {host.live.key, host.gone.key}


def test_each_credential_is_asked_once_and_what_is_sent_is_reported_once(host: Host) -> None:
    """Three plugins, two values and two calls for each: one request, even from two files."""
    for name in ("a.env", "b.env", "c.env"):
        host.write(name, host.live)
    assert all(all(lines.values()) for lines in host.scan(**host.on).values())
    assert len(host.exchange.asked) == 1
    assert host.done.stderr.count("verify is switched on") == len(host.done.stderr.splitlines()) == 1
    assert "in place of api.binance.com" in host.done.stderr


def test_several_processes(host: Host) -> None:
    for number in range(8):
        host.write(f"{number}.env", host.live)
    done = host.run("detect-secrets", "-c", "4", "scan", "--all-files", "-p", PLUGIN, **host.on)
    found = host.verified(done.stdout)
    assert len(found) == 8
    assert all(all(lines.values()) for lines in found.values())
    assert 1 <= len(host.exchange.asked) <= 4


def test_on_by_the_settings_of_a_baseline(host: Host) -> None:
    host.write("a.env", host.live)
    file = host.baseline(verify=True, verify_loopback=host.url)
    done = host.run("detect-secrets", "-c", "1", "scan", "--all-files", "--baseline", file.name)
    assert done.returncode == 0, done.stderr
    assert host.verified(file.read_text()) == {"a.env": {1: True, 2: True}}
    assert len(host.exchange.asked) == 1
    ours = [each for each in json.loads(file.read_text())["plugins_used"] if each["name"].startswith("Binance")]
    assert {(each["verify"], each["verify_loopback"]) for each in ours} == {(True, host.url)}


def test_a_variable_forbids_what_a_baseline_wants(host: Host) -> None:
    host.write("a.env", host.live)
    file = host.baseline(verify=True, verify_loopback=host.url)
    host.run("detect-secrets", "scan", "--all-files", "--baseline", file.name, BINANCE_LEAKS_VERIFY="0")
    assert host.verified(file.read_text()) == {"a.env": {1: False, 2: False}}
    assert host.exchange.asked == []


@pytest.mark.parametrize("by", ["variable", "settings"])
def test_the_hook(host: Host, by: str) -> None:
    host.write("a.env", host.live)
    file = host.baseline(**({"verify": True, "verify_loopback": host.url} if by == "settings" else {}))
    host.repository.git("add", "--all")
    variables = host.on if by == "variable" else {}
    done = host.run("detect-secrets-hook", "-c", "1", "--json", "--baseline", file.name, "a.env", **variables)
    assert done.returncode == 1, done.stderr
    assert host.verified(done.stdout) == {"a.env": {1: True, 2: True}}
    assert len(host.exchange.asked) == 1


def test_the_hook_only_for_what_lives(host: Host) -> None:
    host.write("a.env", host.live)
    host.write("b.env", host.gone)
    done = host.run("detect-secrets-hook", "-p", PLUGIN, "--only-verified", "--json", "a.env", "b.env", **host.on)
    assert host.verified(done.stdout) == {"a.env": {1: True, 2: True}}


def test_no_verify_is_obeyed(host: Host) -> None:
    host.write("a.env", host.live)
    assert host.scan("--no-verify", **host.on) == {"a.env": {1: False, 2: False}}
    assert host.exchange.asked == []


def test_our_own_hook_asks_nobody(host: Host) -> None:
    host.write("a.env", host.live)
    done = host.run("binance-leaks", "detect-secrets-hook", "a.env", **host.on)
    assert done.returncode == 1
    assert host.exchange.asked == []


@pytest.mark.parametrize(
    ("answer", "lives"),
    [
        (refusal(401, -1002), True),
        (refusal(400, -1022), False),
        (refusal(401, -2008), False),
        (refusal(401, -2014), False),
        (refusal(401, -2015), False),
        (Answer(status=451), False),
        (Answer(status=403, body=b"<html>"), False),
        (Answer(status=503), False),
        (Answer(manner="garbage"), False),
    ],
)
def test_nothing_is_ever_dropped(host: Host, answer: Answer, lives: bool) -> None:
    """Whatever is answered, a finding stays; only a live one counts as verified."""
    host.write("a.env", host.live)
    host.exchange.script(answer)
    assert host.scan(**host.on) == {"a.env": {1: lives, 2: lives}}


def test_calls_and_private_keys(host: Host) -> None:
    account = ed25519_account(Random())
    host.exchange.add(account)
    host.repository.write("bot.py", f'import binance\nc = Client("{host.live.key}", "{host.live.secret.decode()}")\n')
    key = pem("PRIVATE KEY", account.secret)
    host.repository.write("bot.md", f"# binance\n\nBINANCE_API_KEY={account.key}\n\n{key}\n")
    found = host.scan(**host.on)
    assert found["bot.py"] == {2: True}
    assert found["bot.md"] == {3: True, 5: True}


def test_halves_alone_are_not_asked_about(host: Host) -> None:
    host.repository.write("a.env", f"BINANCE_API_KEY={host.live.key}\n")
    host.repository.write("b/b.env", f"BINANCE_API_SECRET={host.live.secret.decode()}\n")
    found = host.scan(**host.on)
    assert found == {"a.env": {1: False}, "b/b.env": {1: False}}
    assert host.exchange.asked == []
    assert host.done.stderr == ""


def test_allowed_values_are_not_asked_about(host: Host) -> None:
    key, secret = host.live.key, host.live.secret.decode()
    host.repository.write(
        "a.py", f'BINANCE_API_KEY = "{key}"  # pragma: allowlist secret\nSECRET = "{secret}"  # binance-leaks: allow\n'
    )
    assert not any(host.scan(**host.on).values())
    assert host.exchange.asked == []


@pytest.mark.parametrize("url", ["http://api.example:80", "https://192.0.2.1:443", "http://127.0.0.1", "nonsense"])
def test_only_this_machine_is_in(host: Host, url: str) -> None:
    host.write("a.env", host.live)
    found = host.scan(BINANCE_LEAKS_VERIFY="1", BINANCE_LEAKS_VERIFY_LOOPBACK=url)
    assert found == {"a.env": {1: False, 2: False}}
    assert "not verified: another base URL" in host.done.stderr
    assert host.exchange.asked == []


def test_a_string(host: Host) -> None:
    text = f"BINANCE_API_KEY={host.live.key} BINANCE_API_SECRET={host.live.secret.decode()}"
    done = host.run("detect-secrets", "scan", "-p", PLUGIN, "--string", text, **host.on)
    shown = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in done.stdout.splitlines()}
    assert shown["BinanceApiKeyDetector"] == shown["BinanceSecretKeyDetector"] == "True  (verified)"


def test_a_wrong_setting_of_a_baseline_is_reported(host: Host) -> None:
    host.write("a.env", host.live)
    file = host.baseline(verify="yes")
    done = host.run("binance-leaks", "detect-secrets-hook", "--baseline", file.name, "a.env")
    assert done.returncode == 2
    assert "verify of BinanceApiKeyDetector must be true or false" in done.stderr


def test_settings_are_what_makes_it_anew() -> None:
    plain, on = BinanceApiKeyDetector(), BinanceApiKeyDetector(verify=True, verify_loopback="http://127.0.0.1:1")
    assert plain.json() == {"name": "BinanceApiKeyDetector", "confidence": "medium"}
    settings = {name: value for name, value in on.json().items() if name != "name"}
    assert BinanceApiKeyDetector(**settings).json() == on.json()  # type: ignore[arg-type]
    assert on.verify("never told") is VerifiedResult.UNVERIFIED

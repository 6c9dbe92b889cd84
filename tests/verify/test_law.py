"""The law: nothing that leaves the process but the signed request holds a value, and of that only the key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from urllib.parse import quote, urlsplit

import pytest
from binance_leaks.model import Credential, Environment
from binance_leaks.verification import Verdict
from binance_leaks.verify.cache import CacheFile
from binance_leaks.verify.rate_limit import Limits, SystemClock
from binance_leaks.verify.transport import UrllibTransport
from binance_leaks.verify.verifier import Verifier

from tests.binance.accounts import (
    DEMO,
    FUTURES_TESTNET,
    TESTNET,
    US,
    Account,
    ed25519_account,
    hmac_account,
    rsa_account,
)
from tests.binance.certificates import Authority
from tests.binance.exchange import Exchange
from tests.binance.recorder import recording
from tests.binance.server import serving
from tests.repositories import Repository
from tests.verify.credentials import certain, credential, pair, value_of


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def accounts_of_all_kinds(rng: Random) -> list[Account]:
    """Live ones of each environment and type of key."""
    return [
        hmac_account(rng),
        ed25519_account(rng),
        rsa_account(rng),
        hmac_account(rng, addresses=("192.0.2.1",)),
        hmac_account(rng, permissions={}),
        *[hmac_account(rng, host=host) for host in (TESTNET, DEMO, US, FUTURES_TESTNET)],
    ]


ENVIRONMENTS = {
    TESTNET: Environment.TESTNET,
    DEMO: Environment.DEMO,
    US: Environment.US,
    FUTURES_TESTNET: Environment.FUTURES_TESTNET,
}


def pieces(value: bytes) -> list[bytes]:
    """Parts of a value, in forms in which it could be reported, each long enough to be no accident."""
    forms = (value, value.hex().encode(), quote(value).encode())
    return [form[start : start + 12] for form in forms for start in range(0, len(form) - 12, 4)]


class TestOnTheWire:
    def test_only_requests_hold_keys_and_nothing_holds_a_secret(self) -> None:
        rng = Random()
        live, gone = accounts_of_all_kinds(rng), [hmac_account(rng), ed25519_account(rng), rsa_account(rng)]
        lone_key, lone_secret = hmac_account(rng), hmac_account(rng)
        exchange = Exchange([*live, lone_key], ahead=20_000)
        credentials = [
            *[pair(each, environment=ENVIRONMENTS.get(each.host, Environment.MAINNET)) for each in live],
            *[pair(each, environment=Environment.UNKNOWN) for each in gone],
            credential(value_of(lone_key, key=True)),
            credential(value_of(lone_secret, key=False)),
        ]
        with (
            serving(exchange) as url,
            recording(port_of(url)) as (tapped, heard),
            UrllibTransport(loopback=tapped) as transport,
        ):
            Verifier(transport, limits=Limits(swapped=False)).verify(credentials)
        sent, received = bytes(heard.sent), bytes(heard.received)
        for account in (*live, *gone, lone_key):
            assert sent.count(account.key.encode()) == sent.count(b"X-MBX-APIKEY: " + account.key.encode()) > 0
            assert account.key.encode() not in received
        for account in (*live, *gone, lone_key, lone_secret):
            assert not [piece for piece in pieces(account.secret) if piece in sent + received]
        assert lone_secret.key.encode() not in sent
        requests = [line for line in sent.split(b"\r\n") if b" HTTP/1.1" in line]
        assert {line.split(b" ")[0] for line in requests} == {b"GET"}
        assert len(requests) == len(exchange.asked)

    def test_swapped_halves_are_the_one_exception(self) -> None:
        """Of a pair whose key is unknown, the value of the secret is once sent as the key, and announced before."""
        rng = Random()
        gone = hmac_account(rng)
        with (
            serving(Exchange()) as url,
            recording(port_of(url)) as (tapped, heard),
            UrllibTransport(loopback=tapped) as transport,
        ):
            verifier = Verifier(transport)
            assert "the other is sent as key, once" in verifier.announcement([pair(gone)])
            verifier.verify([pair(gone)])
        assert heard.sent.count(gone.secret) == heard.sent.count(b"X-MBX-APIKEY: " + gone.secret) == 1

    @pytest.mark.parametrize("environment", [Environment.US, Environment.MAINNET, Environment.TESTNET, Environment.TH])
    def test_by_the_owner_s_word_the_exception_goes_to_one_system(self, environment: Environment) -> None:
        rng = Random()
        gone = hmac_account(rng)
        asked = certain(pair(gone, environment=environment))
        exchange = Exchange()
        with (
            serving(exchange) as url,
            recording(port_of(url)) as (tapped, heard),
            UrllibTransport(loopback=tapped) as transport,
        ):
            verifier = Verifier(transport)
            announced = verifier.announcement([asked])
            verifier.verify([asked])
        hosts = [each.host for each in exchange.asked if each.key == gone.secret.decode()]
        assert hosts == [probe.host for probe in environment.facts.probes]
        assert all(host in announced for host in hosts)
        assert heard.sent.count(gone.secret) == len(hosts)

    def test_through_a_tunnel_nothing_at_all(self, tmp_path: Path) -> None:
        rng = Random()
        authority = Authority(tmp_path)
        accounts = accounts_of_all_kinds(rng)
        exchange = Exchange(accounts)
        credentials = [pair(each, environment=ENVIRONMENTS.get(each.host, Environment.MAINNET)) for each in accounts]
        with (
            serving(exchange, certificate=authority.certificate("127.0.0.1")) as url,
            recording(port_of(url), proxy=True) as (proxy, heard),
            UrllibTransport(loopback=url, ca_file=authority.file, proxy=proxy) as transport,
        ):
            found = Verifier(transport).verify(credentials)
        assert sum(each.verdict is Verdict.LIVE for each in found.values()) == len(accounts) - 2
        reported = bytes(heard.sent + heard.received)
        for account in accounts:
            assert not [
                piece for part in (account.key.encode(), account.secret) for piece in pieces(part) if piece in reported
            ]
        assert b"X-MBX-APIKEY" not in reported

    def test_no_result_nor_cache_holds_a_value(self, tmp_path: Path) -> None:
        rng = Random()
        accounts = [*accounts_of_all_kinds(rng), gone := hmac_account(rng)]
        exchange = Exchange(accounts)
        del exchange.accounts[gone.host, gone.key]
        cache = CacheFile(tmp_path / "cache.json")
        credentials = [pair(each, environment=ENVIRONMENTS.get(each.host, Environment.MAINNET)) for each in accounts]
        with serving(exchange) as url, UrllibTransport(loopback=url) as transport:
            verifier = Verifier(transport, cache=cache)
            reported = (
                repr(verifier.verify(credentials))
                + verifier.announcement(credentials)
                + repr(verifier.plan(credentials))
            )
        cache.save(SystemClock().now())
        data = reported.encode() + (tmp_path / "cache.json").read_bytes()
        for account in accounts:
            assert not [
                piece for part in (account.key.encode(), account.secret) for piece in pieces(part) if piece in data
            ]


WATCHED = """
import sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(("socket.", "http.")) else None)
from binance_leaks.cli import main
status = main(sys.argv[1:])
loaded = [name for name in sys.modules if name.startswith(("urllib3", "binance_leaks.verify."))]
print("SEEN", int(status), sorted(set(seen)), loaded, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["scan", "."], ["history"], ["staged"]])
def test_without_a_verifier_no_socket_is_opened(repository: Repository, arguments: list[str]) -> None:
    account = hmac_account(Random())
    line = f'client = binance.Client("{account.key}", "{account.secret.decode()}")\n'
    repository.commit({"bot.py": line, "other.py": "x = 1\n"})
    repository.stage("bot2.py", line)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        cwd=repository.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "SEEN 1 [] []"


def test_importing_and_building_reaches_nobody() -> None:
    """urllib3 binds a socket to see whether there is IPv6; no more than that."""
    program = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event) if event.startswith('socket.') else None)\n"
        "from binance_leaks.verify.transport import UrllibTransport\n"
        "from binance_leaks.verify.verifier import Verifier\n"
        "with UrllibTransport() as transport:\n"
        "    print(Verifier(transport).verify([]), set(seen) - {'socket.__new__', 'socket.bind'})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "{} set()"


def test_a_plan_asks_nothing() -> None:
    exchange = Exchange()
    credentials: list[Credential] = [pair(hmac_account(Random()))]
    with serving(exchange) as url, UrllibTransport(loopback=url) as transport:
        Verifier(transport).plan(credentials)
        Verifier(transport).announcement(credentials)
    assert exchange.asked == []

"""`binance-leaks verify`: the user's own keys, from everywhere but arguments, against a played exchange."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import cast

import pytest
from jsonschema import Draft202012Validator

from tests.binance.accounts import (
    FUTURES_TESTNET,
    READ,
    TESTNET,
    TRADE,
    TRANSFER,
    US,
    WITHDRAW,
    Account,
    ed25519_account,
    hmac_account,
    rsa_account,
)
from tests.binance.exchange import Answer, Exchange, refusal
from tests.binance.server import serving
from tests.corpus.values import encrypted_der, pem
from tests.e2e import PROGRAM, Outcome, digest, run
from tests.verify.test_law import pieces

HERE = ("127.0.0.1",)
YOUNG = {"createTime": int(time.time() * 1000) - 5 * 86_400_000}
NOTHING = {name: "" for name in os.environ if "BINANCE" in name.upper()}


class Desk:
    """A user's desk: a folder, a played exchange, and the program."""

    def __init__(self, folder: Path, exchange: Exchange, url: str) -> None:
        self.folder = folder
        self.exchange = exchange
        self.url = url
        self.rng = Random()

    def account(self, **more: object) -> Account:
        """A fresh account that is young and bound to this machine, by default."""
        account = hmac_account(self.rng, **{"extra": YOUNG, "addresses": HERE, **more})  # type: ignore[arg-type]
        self.exchange.add(account)
        return account

    def verify(self, *words: str | Path, env: dict[str, str] | None = None, stdin: str | bytes = b"") -> Outcome:
        """A run, which shows no part of any account's values."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        outcome = run(
            "verify", "--verify-loopback", self.url, *words, cwd=self.folder, env={**NOTHING, **(env or {})}, stdin=data
        )
        hold_nothing(outcome.out + outcome.err, *self.exchange.accounts.values())
        return outcome

    def keys(self, *words: str | Path, **more: object) -> tuple[int, list[dict[str, object]]]:
        """Status and keys of a run in JSON, after the schema has been held against it."""
        outcome = self.verify("--format", "json", *words, **more)  # type: ignore[arg-type]
        report = json.loads(outcome.out)
        text = (files("binance_leaks.report") / "binance-leaks-audit-1.schema.json").read_text(encoding="utf-8")
        Draft202012Validator(json.loads(text)).validate(report)
        return outcome.status, cast("list[dict[str, object]]", report["keys"])


def hold_nothing(text: str, *accounts: Account) -> None:
    for account in accounts:
        for part in (account.key.encode(), account.secret):
            assert not [piece for piece in pieces(part) if piece in text.encode()]


def env_of(account: Account) -> dict[str, str]:
    return {"BINANCE_API_KEY": account.key, "BINANCE_API_SECRET": account.secret.decode()}


def dotenv(account: Account) -> str:
    return "".join(f"{name}={value}\n" for name, value in env_of(account).items())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    exchange = Exchange()
    with serving(exchange) as url:
        yield Desk(tmp_path, exchange, url)


class TestSources:
    """Where keys come from."""

    def test_environment(self, desk: Desk) -> None:
        account = desk.account()
        others = {"GITHUB_TOKEN": desk.account().key, "KRAKEN_API_KEY": desk.account().key}
        status, (key,) = desk.keys(env={**env_of(account), **others})
        assert (status, key["verdict"], key["standing"], key["tier"]) == (0, "live", "fine", "read")
        assert {asked.key for asked in desk.exchange.asked} == {account.key}

    def test_several_accounts_of_the_environment(self, desk: Desk) -> None:
        one, two = desk.account(), desk.account(permissions=TRADE)
        variables = {f"BINANCE_{n}_API_{half}": value for n, account in (("MAIN", one), ("BOT", two))
                     for half, value in (("KEY", account.key), ("SECRET", account.secret.decode()))}  # fmt: skip
        status, keys = desk.keys(env=variables)
        assert status == 0
        assert {key["tier"] for key in keys} == {"read", "trade"}

    def test_the_environment_reports_which_system(self, desk: Desk) -> None:
        account = desk.account(host=TESTNET)
        variables = {f"BINANCE_TESTNET_API_{half}": value for half, value in
                     (("KEY", account.key), ("SECRET", account.secret.decode()))}  # fmt: skip
        status, (key,) = desk.keys(env=variables)
        assert (status, key["verdict"], key["environment"], key["permissions"]) == (0, "live", "testnet", None)
        assert [asked.host for asked in desk.exchange.asked] == [TESTNET]

    @pytest.mark.parametrize("form", ["{}\n", "{}\r\n", " {}\t", '"{}"', "'{}'", '"{}"\n'])
    def test_values_as_containers_hand_them_on(self, desk: Desk, form: str) -> None:
        account = desk.account()
        variables = {name: form.format(value) for name, value in env_of(account).items()}
        status, (key,) = desk.keys(env=variables)
        assert (status, key["verdict"], key["kind"]) == (0, "live", "key-pair")

    def test_quotes_that_are_left_out_are_reported(self, desk: Desk) -> None:
        variables = {name: f'"{value}"' for name, value in env_of(desk.account()).items()}
        others = {"KRAKEN_API_KEY": '"k"', "BINANCE_LISTEN_KEY": '"l"', "BINANCE_NOTES": f'"{"n" * 20_000}"'}
        reported = desk.verify(env={**variables, **others}).err
        assert {name for name in (*variables, *others) if f"{name}: the quotes around its value" in reported} == set(
            variables
        )

    @pytest.mark.parametrize("name", ["BINANCE_API_KEY", "BINANCE_API_SECRET"])
    @pytest.mark.parametrize("damage", ["short", "long", "quote", "placeholder", "inner blank"])
    def test_a_malformed_variable_is_not_taken_for_absent(self, desk: Desk, name: str, damage: str) -> None:
        variables = env_of(desk.account())
        value = variables[name]
        variables[name] = {
            "short": value[:-1],
            "long": value + "a",
            "quote": f'"{value}',
            "placeholder": "changeme",
            "inner blank": f"{value[:30]} {value[30:]}",
        }[damage]
        outcome = desk.verify(env=variables)
        assert (outcome.status, f"{name} is set, but its value is malformed" in outcome.err) == (2, True)
        assert desk.exchange.asked == []

    def test_a_variable_about_a_key_is_none(self, desk: Desk) -> None:
        more = {"BINANCE_API_KEY_FILE": "/run/secrets/key", "BINANCE_KEY_TYPE": "HMAC", "BINANCE_API_SECRET_PATH": "x"}
        assert desk.verify(env={**env_of(desk.account()), **more}).status == 0

    @pytest.mark.parametrize("form", ["{}", "{}\n", '"{}"', '["{}"]', "X={}", "# of Binance\n{}\n"])
    def test_a_value_alone_may_be_the_secret_and_is_not_sent(self, desk: Desk, form: str) -> None:
        text = form.format(desk.account().secret.decode())
        for words in (["--stdin"], ["--env-file", "one.txt"]):
            (desk.folder / "one.txt").write_text(text)
            outcome = desk.verify(*words, stdin=text)
            assert (outcome.status, "add --key-only" in outcome.err) == (2, True)
        assert desk.exchange.asked == []

    @pytest.mark.parametrize(("host", "environment"), [(TESTNET, "testnet"), (US, "us")])
    def test_the_owner_s_word_counts_for_more_than_names(self, desk: Desk, host: str, environment: str) -> None:
        account = desk.account(host=host)
        _, (key,) = desk.keys("--environment", environment, env=env_of(account))
        assert (key["verdict"], key["environment"]) == ("live", environment)
        assert {asked.host for asked in desk.exchange.asked} == {host}

    def test_what_is_of_another_company_stays_there(self, desk: Desk) -> None:
        """An unknown key of Binance.US: its value that may be swapped goes to Binance.US alone, and is announced."""
        account = hmac_account(desk.rng, host=US)
        outcome = desk.verify("--environment", "us", env=env_of(account))
        assert {asked.host for asked in desk.exchange.asked} == {US}
        assert "to the host that is asked first" in outcome.err
        assert "probably revoked or deleted, Binance.US" in outcome.out
        desk.exchange.asked.clear()
        assert desk.verify("--environment", "th", env=env_of(account)).status == 3
        assert desk.exchange.asked == []

    def test_an_encrypted_private_key(self, desk: Desk) -> None:
        account = ed25519_account(desk.rng, addresses=HERE)
        desk.exchange.add(account)
        locked = pem("ENCRYPTED PRIVATE KEY", encrypted_der(desk.rng))
        variables = {"BINANCE_API_KEY": account.key, "BINANCE_PRIVATE_KEY": locked}
        (desk.folder / ".env").write_text(f'BINANCE_API_KEY={account.key}\nBINANCE_PRIVATE_KEY="{locked}"\n')
        for status, (key,) in (desk.keys(env=variables), desk.keys("--env-file", ".env"), desk.keys("--scan", ".")):
            assert (status, key["verdict"], key["cause"]) == (3, "key-live-secret-wrong", "encrypted")
            assert "is encrypted" in str(key["note"])

    @pytest.mark.parametrize(
        "form",
        [
            "{k}\n{s}\n",
            "{k}\r\n{s}",
            "  {k} {s}  ",
            "BINANCE_API_KEY={k}\nBINANCE_SECRET={s}\n",
            "API_KEY={k}\nAPI_SECRET={s}\n",
            '{{"apiKey": "{k}", "secretKey": "{s}"}}',
            "export KEY='{k}'\nexport SECRET='{s}'\n",
        ],
    )
    @pytest.mark.parametrize("kind", ["hmac", "hex"])
    def test_standard_input(self, desk: Desk, form: str, kind: str) -> None:
        account = desk.account(host=FUTURES_TESTNET) if kind == "hex" else desk.account()
        text = form.format(k=account.key, s=account.secret.decode())
        for data in (text.encode(), text.encode("utf-8-sig"), b"\xff\xfe" + text.encode("utf-16-le")):
            status, (key,) = desk.keys("--stdin", stdin=data)
            assert (status, key["verdict"]) == (0, "live")

    def test_env_file(self, desk: Desk) -> None:
        account = desk.account(permissions=TRADE)
        file = desk.folder / ".env"
        file.write_text(f"DJANGO_SECRET_KEY={desk.account().secret.decode()}\n{dotenv(account)}")
        status, (key,) = desk.keys("--env-file", file)
        assert (status, key["tier"]) == (0, "trade")

    def test_scan(self, desk: Desk) -> None:
        one, two = desk.account(), desk.account()
        for name, account in (("a", one), ("b", two)):
            (desk.folder / name).mkdir()
            (desk.folder / name / ".env").write_text(dotenv(account))
        status, keys = desk.keys("--scan")
        assert (status, len(keys)) == (0, 2)
        assert len(desk.keys("--scan", "a", "b")[1]) == 2
        assert len(desk.keys("--scan", "b")[1]) == 1
        (desk.folder / "c").mkdir()
        assert desk.keys("--scan", "c") == (0, [])
        assert desk.verify("--scan", "gone").status in (2, 3)

    @pytest.mark.parametrize("make", [ed25519_account, rsa_account])
    def test_private_key_file(self, desk: Desk, make: object) -> None:
        account = make(desk.rng, extra=YOUNG, addresses=HERE)  # type: ignore[operator]
        desk.exchange.add(account)
        file = desk.folder / "key.pem"
        file.write_text(pem("PRIVATE KEY", account.secret))
        for status, (key,) in (
            desk.keys("--private-key", file, env={"BINANCE_API_KEY": account.key}),
            desk.keys("--private-key", file, "--stdin", stdin=account.key),
        ):
            assert (status, key["verdict"], key["kind"]) == (0, "live", "key-pair")

    def test_swapped_halves_are_turned(self, desk: Desk) -> None:
        account = desk.account()
        status, (key,) = desk.keys("--stdin", stdin=f"{account.secret.decode()}\n{account.key}\n")
        assert (status, key["verdict"]) == (0, "live")
        values = cast("list[dict[str, str]]", key["values"])
        assert {value["role"]: value["sha256"] for value in values}["api-key"] == digest(account.key)

    @pytest.mark.parametrize(
        ("words", "stdin", "reported"),
        [
            ([], "", "no Binance credential was found in the environment"),
            (["--stdin"], "hello\n", "no Binance credential was found in standard input"),
            (["--stdin"], "x" * (1 << 21), "larger than 1 MiB"),
            (["--env-file", "gone.env"], "", "gone.env cannot be read"),
            (["--env-file", "."], "", "cannot be read"),
            (["--env-file", ""], "", "the name of a file is empty"),
            (["--scan", ""], "", "the path is empty"),
            (["--proxy", "http://127.0.0.1:1"], "", "a proxy would see"),
            (["--private-key", "gone.pem"], "", "gone.pem cannot be read"),
            (["--stdin", "--env-file", "a"], "", "not allowed with"),
            (["--purpose", "fun"], "", "invalid choice"),
            (["key.txt"], "", "unrecognized arguments"),
            (["--verify"], "", "--verify"),
        ],
    )
    def test_what_cannot_be_done(self, desk: Desk, words: list[str], stdin: str, reported: str) -> None:
        outcome = desk.verify(*words, stdin=stdin)
        assert outcome.status == 2
        assert reported in outcome.err
        assert desk.exchange.asked == []

    def test_private_keys_that_cannot_be_used(self, desk: Desk) -> None:
        account = ed25519_account(desk.rng)
        for text, reported in (
            ("no key\n", "holds no Ed25519 or RSA private key"),
            (pem("ENCRYPTED PRIVATE KEY", encrypted_der(desk.rng)), "is encrypted"),
        ):
            (desk.folder / "key.pem").write_text(text)
            outcome = desk.verify("--private-key", "key.pem", env={"BINANCE_API_KEY": account.key})
            assert (outcome.status, reported in outcome.err) == (2, True)
        (desk.folder / "key.pem").write_text(pem("PRIVATE KEY", account.secret))
        two = {"BINANCE_A_API_KEY": desk.account().key, "BINANCE_B_API_KEY": desk.account().key}
        assert "2 were given" in desk.verify("--private-key", "key.pem", env=two).err


class TestArguments:
    """Values in arguments are refused, and not repeated."""

    @pytest.mark.parametrize(
        "form", ["{v}", "--api-key={v}", "BINANCE_API_KEY={v}", "--stdin={v}", "x/{v}", "'{v}'", "{v}{v}"]
    )
    @pytest.mark.parametrize("kind", ["key", "secret", "hex", "seed", "pem"])
    def test_refused(self, desk: Desk, form: str, kind: str) -> None:
        value = {
            "key": desk.account().key,
            "secret": desk.account().secret.decode(),
            "hex": hmac_account(desk.rng, host=FUTURES_TESTNET).key,
            "seed": "MC4CAQAwBQYDK2VwBCIEI" + desk.account().key[:43],
            "pem": pem("PRIVATE KEY", ed25519_account(desk.rng).secret),
        }[kind]
        if kind == "hex" and form == "{v}{v}":
            return
        outcome = desk.verify("--purpose", "tax", form.format(v=value))
        assert outcome.status == 2
        assert "arguments are never read" in outcome.err
        assert "shell's history" in outcome.err
        assert not [at for at in range(0, len(value) - 4, 4) if value[at : at + 8] in outcome.err + outcome.out]
        assert desk.exchange.asked == []

    def test_a_file_may_have_a_digest_for_a_name(self, desk: Desk) -> None:
        folder = desk.folder / digest("x")
        folder.mkdir()
        (folder / ".env").write_text(dotenv(desk.account()))
        assert desk.verify("--env-file", folder / ".env").status == 0
        assert desk.verify(f"--env-file={folder / '.env'}").status == 0
        assert desk.verify("--scan", folder.name).status == 0


class TestAudit:
    """What is reported, and the exit status."""

    @pytest.mark.parametrize(
        ("permissions", "bound", "purpose", "status"),
        [
            (READ, True, "tax", 0),
            (READ, False, "tax", 0),
            (TRADE, True, "tax", 1),
            (TRADE, True, "grid", 0),
            (TRADE, False, None, 0),
            (TRANSFER, True, None, 0),
            (TRANSFER, False, None, 1),
            (WITHDRAW, True, "trading-bot", 1),
            (WITHDRAW, True, None, 0),
            (WITHDRAW, False, None, 1),
        ],
    )
    def test_status(
        self, desk: Desk, permissions: dict[str, bool], bound: bool, purpose: str | None, status: int
    ) -> None:
        account = desk.account(permissions=permissions, addresses=HERE if bound else ())
        words = ["--purpose", purpose] if purpose else []
        for form in ("text", "json"):
            assert desk.verify("--format", form, *words, env=env_of(account)).status == status

    def test_text(self, desk: Desk) -> None:
        account = desk.account(permissions=WITHDRAW, addresses=(), extra={"createTime": 1_600_000_000_000})
        outcome = desk.verify("--purpose", "portfolio", env={**env_of(account), "COLUMNS": "100"})
        assert outcome.status == 1
        first = outcome.err.splitlines()[0]
        assert first.startswith("binance-leaks: verify: each API key is sent to Binance")
        assert "in place of api.binance.com" in outcome.err
        for words in (
            ": active, mainnet",
            "api.binance.com accepted it",
            "withdrawals                 yes, not needed",
            "futures                     no",
            "any address",
            "2020-09-13",
            "replace it now",
            "portfolio, which needs account data",
            "Fault: It may do more than portfolio needs",
            "1. Edit the key at https://www.binance.com/en/my/settings/api-management",
            "1 key audited, 1 with faults.",
        ):
            assert words in outcome.out
        assert "\x1b" not in outcome.out
        assert "\x1b" in desk.verify("--color", "always", env=env_of(account)).out

    @pytest.mark.parametrize(
        ("answer", "verdict"),
        [
            (refusal(400, -1022), "key-live-secret-wrong"),
            (refusal(401, -2008), "not-found"),
            (refusal(401, -2014), "malformed"),
            (refusal(401, -2015), "inconclusive"),
            (refusal(401, -1002), "live-no-permission"),
            (Answer(status=451), "inconclusive"),
            (Answer(status=403, body=b"<html>"), "inconclusive"),
            (Answer(status=418), "inconclusive"),
            (Answer(status=503), "inconclusive"),
            (Answer(manner="cut"), "inconclusive"),
        ],
    )
    def test_what_could_not_be_reported(self, desk: Desk, answer: Answer, verdict: str) -> None:
        account = desk.account()
        desk.exchange.script(answer)
        status, (key,) = desk.keys("--purpose", "tax", env=env_of(account))
        assert (status, key["verdict"], key["standing"], key["permissions"]) == (3, verdict, "untold", None)
        assert "state unknown" not in desk.verify(env=env_of(account)).out or verdict == "inconclusive"

    def test_halves(self, desk: Desk) -> None:
        account = desk.account()
        alone = desk.verify("--stdin", stdin=account.key)
        assert (alone.status, "--key-only" in alone.err, desk.exchange.asked) == (2, True, [])
        key = desk.verify("--stdin", "--key-only", stdin=account.key)
        assert (key.status, "probably active, checked without its secret" in key.out) == (3, True)
        asked = len(desk.exchange.asked)
        secret = desk.verify("--stdin", stdin=f"BINANCE_API_SECRET={account.secret.decode()}\n")
        assert (secret.status, "its API key was not found" in secret.out) == (3, True)
        assert len(desk.exchange.asked) == asked
        private = ed25519_account(desk.rng)
        (desk.folder / "key.pem").write_text(pem("PRIVATE KEY", private.secret))
        lacking = desk.verify(
            "--private-key", "key.pem", "--stdin", stdin=f"BINANCE_API_SECRET={account.secret.decode()}"
        )
        assert (lacking.status, "none was given" in lacking.err) == (2, True)

    def test_a_fault_outweighs_what_could_not_be_reported(self, desk: Desk) -> None:
        good, gone = desk.account(permissions=WITHDRAW), hmac_account(desk.rng)
        file = desk.folder / "keys.env"
        file.write_text(dotenv(good).replace("BINANCE", "BINANCE_A") + dotenv(gone).replace("BINANCE", "BINANCE_B"))
        status, keys = desk.keys("--env-file", file, "--purpose", "tax")
        assert (status, {key["standing"] for key in keys}) == (1, {"wrong", "untold"})

    def test_environment_where_nothing_reports(self, desk: Desk) -> None:
        account = desk.account(host=US)
        text = f"{account.key}\n{account.secret.decode()}\n"
        assert desk.verify("--stdin", stdin=text).status == 3
        status, (key,) = desk.keys("--stdin", "--environment", "us", stdin=text)
        assert (status, key["verdict"], key["environment"]) == (3, "live", "us")

    def test_no_permission_that_a_server_made_up_is_obeyed(self, desk: Desk) -> None:
        account = desk.account(extra={**YOUNG, "enableMoonLanding": True, "enable\x1b[31mRed": True, "msg": "x"})
        outcome = desk.verify("--purpose", "tax", env=env_of(account))
        assert outcome.status == 1
        assert "enableMoonLanding" in outcome.out
        assert "\x1b" not in outcome.out

    def test_answers_are_remembered(self, desk: Desk) -> None:
        account = desk.account()
        for _ in range(2):
            assert desk.verify("--verify-cache", desk.folder / "cache", env=env_of(account)).status == 0
        assert len(desk.exchange.asked) == 1
        hold_nothing((desk.folder / "cache").read_text(), account)

    def test_help_has_examples(self, desk: Desk) -> None:
        outcome = desk.verify("--help")
        assert outcome.status == 0
        assert "binance-leaks verify --env-file .env --purpose trading-bot" in outcome.out


class Terminal:
    """The program on a pseudo terminal."""

    def __init__(self, desk: Desk, *words: str) -> None:
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, "verify", "--verify-loopback", desk.url, *words],
            cwd=desk.folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**{name: value for name, value in os.environ.items() if "BINANCE" not in name}, "COLUMNS": "120"},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self.shown = ""

    def until(self, words: str) -> None:
        """Read until these words were shown."""
        while words not in self.shown and self._read():
            pass
        assert words in self.shown, self.shown

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Read what is left, and give the exit status."""
        while self._read():
            pass
        os.close(self.master)
        return self.process.wait(30)

    def _read(self) -> bool:
        try:
            ready, _, _ = select.select([self.master], [], [], 30)
            data = os.read(self.master, 65536) if ready else b""
        except OSError:
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


def _take_terminal() -> None:
    """Make standard input the terminal of the new session, for `/dev/tty`."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
class TestPrompt:
    """On a terminal, where the environment holds nothing."""

    def test_prompt(self, desk: Desk) -> None:
        account = desk.account()
        terminal = Terminal(desk, "--purpose", "tax")
        terminal.until("API key (not shown): ")
        assert "each API key is sent to Binance" in terminal.shown
        terminal.type(account.key + "\n")
        terminal.until("Secret key (not shown): ")
        terminal.type(account.secret.decode() + "\n")
        assert terminal.end() == 0
        assert ": active, mainnet" in terminal.shown
        hold_nothing(terminal.shown, account)

    def test_nothing_typed(self, desk: Desk) -> None:
        terminal = Terminal(desk)
        terminal.until("API key (not shown): ")
        terminal.type("\n")
        terminal.until("Secret key (not shown): ")
        terminal.type("\n")
        assert terminal.end() == 2
        assert "no key was given" in terminal.shown

    def test_something_else_typed(self, desk: Desk) -> None:
        """Such as a password, of which no letter may be shown."""
        terminal = Terminal(desk)
        terminal.until("API key (not shown): ")
        terminal.type("hunter2\n")
        terminal.until("Secret key (not shown): ")
        terminal.type("swordfish\n")
        assert terminal.end() == 2
        assert "no key of Binance's" in terminal.shown
        assert "hunt" not in terminal.shown
        assert "fish" not in terminal.shown
        assert desk.exchange.asked == []

    def test_end_of_file(self, desk: Desk) -> None:
        terminal = Terminal(desk)
        terminal.until("API key (not shown): ")
        terminal.type("\x04")
        assert terminal.end() == 2
        assert "Traceback" not in terminal.shown

    def test_interrupted(self, desk: Desk) -> None:
        terminal = Terminal(desk)
        terminal.until("API key (not shown): ")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "interrupted" in terminal.shown
        assert "Traceback" not in terminal.shown


def test_an_interrupt_while_asking(desk: Desk) -> None:
    account = desk.account()
    desk.exchange.script(Answer(manner="silent"))
    with subprocess.Popen(
        [*PROGRAM, "verify", "--verify-loopback", desk.url],
        cwd=desk.folder,
        env={**os.environ, **env_of(account)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not desk.exchange.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    hold_nothing(out + err, account)


def test_an_interrupt_keeps_what_was_verified(desk: Desk) -> None:
    live, silent = desk.account(), [desk.account() for _ in range(6)]
    for account in silent:
        desk.exchange.script(Answer(manner="silent"), key=account.key)
    names = {f"BINANCE_{n}_API_{half}": value for n, account in zip("ABCDEFG", (live, *silent), strict=True)
             for half, value in (("KEY", account.key), ("SECRET", account.secret.decode()))}  # fmt: skip
    with subprocess.Popen(
        [*PROGRAM, "verify", "--verify-loopback", desk.url, "--format", "json"],
        cwd=desk.folder,
        env={**os.environ, **names},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while len(desk.exchange.asked) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    report = json.loads(out)
    assert report["complete"] is False
    verdicts = [key["verdict"] for key in report["keys"]]
    assert len(verdicts) == 7
    assert verdicts.count("live") == 1
    assert "not-asked" in verdicts
    hold_nothing(out + err, live, *silent)

"""The plugin in the real programs of detect-secrets: scan, baseline, audit, and what they lose."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha1, sha256
from pathlib import Path
from random import Random

import binance_leaks.plugin
import pytest
from binance_leaks.baseline.known import PLUGIN_NAMES, REFERENCE_FILTER
from binance_leaks.plugin import (
    BinanceApiKeyDetector,
    BinancePrivateKeyDetector,
    BinanceSecretKeyDetector,
    is_indirect_reference,
)
from detect_secrets.constants import VerifiedResult
from detect_secrets.core.plugins.util import get_plugins_from_file
from detect_secrets.util.code_snippet import get_code_snippet

from tests.corpus import values
from tests.program_server import run_text

PLUGIN = str(Path(binance_leaks.plugin.__file__).resolve())
TYPES = {"api-key": "Binance API Key", "secret-key": "Binance Secret Key", "private-key": "Binance Private Key"}
ALL_LINES = ("--disable-filter", REFERENCE_FILTER)
UNFIT = "def unfit() -> int:\n    return 1\n"

Reported = set[tuple[str, int, str, str]]
"""File, line, type, digest as a baseline has it."""


def program(
    name: str, *arguments: str, cwd: Path, stdin: str = "", status: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run our program, or one of detect-secrets; `status` is what it must end with, None for any."""
    done = run_text(name, *arguments, cwd=cwd, stdin=stdin)
    assert status is None or done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8"))


def scan(folder: Path, *arguments: str) -> Reported:
    """What `detect-secrets scan` of all files in a folder reports through our plugin."""
    return entries(baseline_of(folder, *arguments))


def baseline_of(folder: Path, *arguments: str) -> str:
    """The baseline that `detect-secrets scan` prints."""
    return program("detect-secrets", "-c", "2", "scan", "--all-files", "-p", PLUGIN, *arguments, ".", cwd=folder).stdout


def audited(baseline: Path, *flags: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Our way into `detect-secrets audit`."""
    return program("binance-leaks", "detect-secrets-audit", *flags, baseline.name, cwd=baseline.parent, stdin=stdin)


def entries(baseline: str) -> Reported:
    return {
        (file, secret["line_number"], secret["type"], secret["hashed_secret"])
        for file, secrets in json.loads(baseline)["results"].items()
        for secret in secrets
        if secret["type"].startswith("Binance")
    }


def lines(found: Reported) -> set[tuple[str, int, str]]:
    return {(file, line, kind) for file, line, kind, _ in found}


class Values:
    """Fresh values, which remembers by which digest a baseline knows each."""

    def __init__(self) -> None:
        self._rng = Random()
        self.known: dict[str, str] = {}

    def __call__(self) -> str:
        value = values.hmac_value(self._rng)
        self.known[sha256(value.encode()).hexdigest()] = sha1(value.encode()).hexdigest()  # noqa: S324
        return value

    def ed25519(self) -> bytes:
        return self._private(values.ed25519_der(self._rng))

    def rsa(self, *, pkcs1: bool = False) -> bytes:
        return self._private(values.rsa_der(pkcs1=pkcs1))

    def _private(self, der: bytes) -> bytes:
        self.known[sha256(der).hexdigest()] = sha1(base64.b64encode(der)).hexdigest()  # noqa: S324
        return der


@pytest.fixture
def value() -> Values:
    return Values()


def shapes(value: Values) -> dict[str, str]:
    """A dozen ways in which credentials are written down, a folder each so that none speaks for another."""
    ed25519 = values.pem("PRIVATE KEY", value.ed25519())
    half = value()
    return {
        "assigned/keys.py": f'# binance\nAPI_KEY = "{value()}"\nAPI_SECRET = "{value()}"\n',
        "called/bot.py": f'from binance.client import Client\n\nclient = Client("{value()}", "{value()}")\n',
        "called/bot.go": f'package main\n\nvar client = binance.NewClient("{value()}", "{value()}")\n',
        "env/.env": f"BINANCE_API_KEY={value()}\nBINANCE_API_SECRET={value()}\n",
        "yaml/config.yaml": f"binance:\n  api_key: {value()}\n  api_secret: '{value()}'  # mine\n",
        "lists/config.yml": f"binance:\n  api_keys:\n    - {value()}\n    - {value()}\n# api_secret: {value()}\n",
        "ini/bot.ini": f"[binance]\n# old: api_key = {value()}\napi_key = {value()}\napi_secret = {value()}\n",
        "json/config.json": json.dumps({"exchange": "binance", "apiKey": value(), "secret": value()}, indent=1) + "\n",
        "wide/far.py": f'import binance\n\nAPI_KEY = "{value()}"\n{UNFIT * 20}\nAPI_SECRET = "{value()}"\n',
        "pem/binance/key.pem": ed25519,
        "pem/binance/rsa.pem": values.pem("RSA PRIVATE KEY", value.rsa(pkcs1=True)),
        "block/config.yaml": "binance_private_key: |\n" + "".join(f"  {line}\n" for line in ed25519.splitlines()),
        "escaped/config.json": json.dumps({"binance": {"privateKey": values.pem("PRIVATE KEY", value.rsa())}}) + "\n",
        "encoded/secret.yaml": f"metadata:\n  name: binance\ndata:\n  api-key: {_base64(value())}\n",
        "pieces/keys.py": f'# binance\nAPI_SECRET = (\n    "{half[:40]}"\n    "{half[40:]}"\n)\n',
        "id/keys.py": f'binance_key_id = "{value()}"\nbinance_secret = "{value()}"\n',
        "clean/clean.py": UNFIT,
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def own_scan(folder: Path, value: Values) -> Reported:
    """What `binance-leaks scan` finds in a folder, in the form of detect-secrets."""
    report = json.loads(program("binance-leaks", "scan", "--format", "json", ".", cwd=folder, status=None).stdout)
    found: Reported = set()
    for finding in report["findings"]:
        for location in finding["locations"]:
            digests = {value.known[each["sha256"]] for each in finding["values"] if each["role"] == location["role"]}
            assert len(digests) == 1
            found.add((location["path"], location["line"], TYPES[location["role"]], *digests))
    return found


class TestScan:
    """`detect-secrets scan -p` against `binance-leaks scan`."""

    def test_same_values_as_our_own_scan(self, tmp_path: Path, value: Values) -> None:
        write(tmp_path, shapes(value))
        expected = own_scan(tmp_path, value)
        assert {file for file, *_ in expected} == shapes(value).keys() - {"clean/clean.py"}
        assert scan(tmp_path, "-n", *ALL_LINES) == expected

    def test_same_values_without_the_flag_too(self, tmp_path: Path, value: Values) -> None:
        """The filter of indirect references hides the calls, but each file has a line that it does not hide."""
        write(tmp_path, shapes(value))
        assert scan(tmp_path, "-n") == own_scan(tmp_path, value)

    def test_what_is_lost_without_the_flag(self, tmp_path: Path, value: Values) -> None:
        """A file of which the filter hides every line: no plugin gets any line."""
        client = f'client = Client("{value()}", "{value()}")\n'
        write(tmp_path, {"binance/one.py": client, "binance/two.py": client + client})
        assert scan(tmp_path, "-n") == set()
        assert len(scan(tmp_path, "-n", *ALL_LINES)) == 4
        write(tmp_path, {"binance/one.py": client + "client.ping()\n", "binance/two.py": ""})
        assert {(file, line) for file, line, *_ in scan(tmp_path, "-n")} == {("binance/one.py", 1)}

    def test_what_the_host_does_not_read(self, tmp_path: Path, value: Values) -> None:
        """Files that are no UTF-8, lock files and the like are passed over before any plugin is asked."""
        text = f"BINANCE_API_KEY={value()}\nBINANCE_API_SECRET={value()}\n"
        (tmp_path / "wide.env").write_bytes(text.encode("utf-16"))
        (tmp_path / "latin.env").write_bytes(b"# caf\xe9\n" + text.encode())
        (tmp_path / "yarn.lock").write_text(text)
        assert scan(tmp_path, "-n", *ALL_LINES) == set()
        assert len(own_scan(tmp_path, value)) == 6

    def test_verification_finds_nothing_untrue(self, tmp_path: Path, value: Values) -> None:
        """By default every plugin is asked to verify; what it calls false is dropped."""
        write(tmp_path, {".env": shapes(value)["env/.env"]})
        assert len(scan(tmp_path)) == 2
        assert scan(tmp_path, "--only-verified") == set()

    def test_string(self, tmp_path: Path, value: Values) -> None:
        def verdicts(*arguments: str) -> dict[str, str]:
            done = program("detect-secrets", "scan", "-p", PLUGIN, *arguments, cwd=tmp_path)
            rows = [line.split(":", 1) for line in done.stdout.splitlines()]
            return {name.strip(): verdict.strip() for name, verdict in rows if name.strip() in PLUGIN_NAMES}

        secret, call = f"BINANCE_API_SECRET={value()}", f'binance.Client("{value()}", "{value()}")'
        assert verdicts("--string", secret) == {
            "BinanceApiKeyDetector": "False",
            "BinanceSecretKeyDetector": "True  (unverified)",
            "BinancePrivateKeyDetector": "False",
        }
        assert verdicts("-n", "--string", call)["BinanceApiKeyDetector"] == "True"
        assert set(verdicts("--string", "hello = world").values()) == {"False"}

    def test_two_plugin_files(self, tmp_path: Path, value: Values) -> None:
        other = tmp_path / "other.py"
        other.write_text(
            "from detect_secrets.plugins.base import BasePlugin\n\n\n"
            "class MarkDetector(BasePlugin):\n    secret_type = 'Mark'\n\n"
            "    def analyze_string(self, string):\n        if 'MARK' in string:\n            yield 'MARKED'\n"
        )
        write(tmp_path, {".env": f"MARK=1\n{shapes(value)['env/.env']}"})
        found = json.loads(baseline_of(tmp_path, "-n", "-p", str(other)))["results"][".env"]
        kinds = {(secret["type"], secret["line_number"]) for secret in found}
        assert kinds >= {("Mark", 1), ("Binance API Key", 2), ("Binance Secret Key", 3)}

    def test_no_value_is_printed(self, tmp_path: Path, value: Values) -> None:
        call = f'client = Client("{value()}", "{value()}")\n'
        pem = values.pem("PRIVATE KEY", value.ed25519())
        write(tmp_path, {"bot.py": f"import binance\n{call}", "binance.pem": pem})
        printed = baseline_of(tmp_path, "-n")
        assert len(entries(printed)) == 3
        assert not [part for part in (call + pem).replace("\n", '"').split('"') if len(part) == 64 and part in printed]


class TestAllowed:
    """What its author has allowed is not reported."""

    def test_comments(self, tmp_path: Path, value: Values) -> None:
        text = (
            "import binance\n"
            f'API_KEY = "{value()}"  # pragma: allowlist secret\n'
            f'API_SECRET = "{value()}"  # binance-leaks: allow\n'
            f'client = Client("{value()}", "{value()}")  # pragma: allowlist secret\n'
            f'client = Client("{value()}", "{value()}")  # binance-leaks: allow\n'
            "# pragma: allowlist nextline secret\n"
            f'client = Client("{value()}", "{value()}")\n'
            f'client = Client("{value()}", "{value()}")\n'
        )
        write(tmp_path, {"bot.py": text})
        for flags in ((), ALL_LINES):
            assert {line for _, line, _, _ in scan(tmp_path, "-n", *flags)} == {8}

    def test_comment_on_another_line_of_a_private_key(self, tmp_path: Path, value: Values) -> None:
        key = values.pem("PRIVATE KEY", value.ed25519())
        write(tmp_path, {"binance/a.pem": f"# pragma: allowlist nextline secret\n{key}", "binance/b.pem": f"#\n{key}"})
        assert lines(scan(tmp_path, "-n")) == {("binance/b.pem", 2, "Binance Private Key")}

    def test_what_is_allowed_can_be_listed(self, tmp_path: Path, value: Values) -> None:
        """`--only-allowlisted` reports what the host's comments hide, and nothing else."""
        text = (
            "import binance\n"
            f'API_KEY = "{value()}"  # pragma: allowlist secret\n'
            f'API_SECRET = "{value()}"\n'
            f'client = Client("{value()}", "{value()}")\n'
        )
        write(tmp_path, {"bot.py": text})
        assert lines(scan(tmp_path, "-n", "--only-allowlisted")) == {("bot.py", 2, "Binance API Key")}

    def test_filters_of_the_user_hold_for_hidden_lines(self, tmp_path: Path, value: Values) -> None:
        hidden = f'client = Client("{value()}", "{value()}")\n'
        write(tmp_path, {"bot.py": f"import binance\n{hidden}", "old.py": f"import binance\nold = {hidden}"})
        found = scan(tmp_path, "-n", "--exclude-lines", "^old")
        assert {file for file, *_ in found} == {"bot.py"}
        assert scan(tmp_path, "-n", "--exclude-secrets", "[A-Za-z0-9]{64}") == set()

    def test_published_examples(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: Values) -> None:
        key, secret = value(), value()
        file = tmp_path / ".env"
        file.write_text(f"BINANCE_API_KEY={key}\nBINANCE_API_SECRET={secret}\n")
        assert len(BinanceApiKeyDetector().analyze_line(str(file), f"BINANCE_API_KEY={key}", 1)) == 1
        published = {sha256(each.encode()).hexdigest(): "the documents" for each in (key, secret)}
        monkeypatch.setattr("binance_leaks.detect.credentials.published_as", published.get)
        assert BinanceApiKeyDetector().analyze_line(str(file), f"BINANCE_API_KEY={key}", 1) == set()


class TestBaseline:
    """Written, read again, audited."""

    def test_settings_survive(self, tmp_path: Path, value: Values) -> None:
        """Only medium confidence and above is reported, unless the baseline says otherwise."""
        write(tmp_path, {"who/knows.txt": f"{value()}\n", "env/.env": shapes(value)["env/.env"]})
        file = tmp_path / ".secrets.baseline"
        file.write_text(baseline_of(tmp_path, "-n"))
        content = json.loads(file.read_text())
        ours = {plugin["name"]: plugin for plugin in content["plugins_used"] if plugin["name"] in PLUGIN_NAMES}
        assert ours.keys() == set(PLUGIN_NAMES)
        assert {plugin["confidence"] for plugin in ours.values()} == {"medium"}
        assert {plugin["path"] for plugin in ours.values()} == {f"file://{PLUGIN}"}
        assert len(entries(file.read_text())) == 2
        for plugin in ours.values():
            plugin["confidence"] = "low"
        file.write_text(json.dumps(content))
        for _ in range(2):
            program("detect-secrets", "scan", "--all-files", "-n", "--baseline", str(file), ".", cwd=tmp_path)
            assert len(entries(file.read_text())) == 3
            assert json.loads(file.read_text())["plugins_used"] == content["plugins_used"]

    def test_audit_finds_every_value_again(self, tmp_path: Path, value: Values) -> None:
        """But those in lines that the host leaves out of YAML files: there is no line to report."""
        files = {name: text for name, text in shapes(value).items() if name.split("/")[0] not in ("lists", "block")}
        write(tmp_path, files)
        file = tmp_path / ".secrets.baseline"
        file.write_text(baseline_of(tmp_path, "-n", *only_ours(tmp_path)))
        found = entries(file.read_text())
        assert len(found) == len(own_scan(tmp_path, value))
        audit = audited(file, stdin="n\n" * len(found))
        assert "not found" not in audit.stdout
        labels = [secret for secrets in json.loads(file.read_text())["results"].values() for secret in secrets]
        assert [secret.get("is_secret") for secret in labels] == [True] * len(found)

        stats = json.loads(audited(file, "--stats", "--json").stdout)
        assert {name: stats[name]["stats"]["raw"]["true-positives"] for name in PLUGIN_NAMES} == {
            name: sum(kind == TYPES[role] for _, _, kind, _ in found)
            for name, role in zip(PLUGIN_NAMES, ("api-key", "private-key", "secret-key"), strict=True)
        }
        report = json.loads(audited(file, "--report").stdout)["results"]
        reported = {(entry["filename"], int(line)) for entry in report for line in entry["lines"]}
        assert reported == {(name, line) for name, line, _, _ in found}

    def test_audit_by_the_host_alone(self, tmp_path: Path, value: Values) -> None:
        """detect-secrets 1.5.0 cannot audit what any plugin of `-p` found; once it can, `run_audit` may go."""
        write(tmp_path, {".env": shapes(value)["env/.env"]})
        file = tmp_path / ".secrets.baseline"
        file.write_text(baseline_of(tmp_path, "-n"))
        command = [str(Path(sys.executable).with_name("detect-secrets")), "audit", file.name]
        done = subprocess.run(
            command, cwd=tmp_path, input="s\ns\n", capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "TypeError")

    def test_audit_shows_where_a_private_key_begins(self, tmp_path: Path, value: Values) -> None:
        write(tmp_path, {"binance.pem": "\n\n" + values.pem("PRIVATE KEY", value.ed25519())})
        file = tmp_path / ".secrets.baseline"
        file.write_text(baseline_of(tmp_path, "-n", *only_ours(tmp_path)))
        audit = audited(file, stdin="s\n")
        assert "Binance Private Key" in audit.stdout
        assert "-----BEGIN PRIVATE KEY-----" in audit.stdout
        assert lines(entries(file.read_text())) == {("binance.pem", 3, "Binance Private Key")}

    def test_a_private_key_is_the_same_however_it_is_wrapped(self, tmp_path: Path, value: Values) -> None:
        pem = values.pem("PRIVATE KEY", value.rsa())
        flat = "".join(pem.splitlines()[1:-1])
        files = {"binance/a.pem": pem, "binance/b.json": json.dumps({"key": pem}), "binance/c.env": f"KEY={flat}\n"}
        write(tmp_path, files)
        found = scan(tmp_path, "-n")
        assert {file for file, *_ in found} == files.keys()
        assert len({digest for *_, digest in found}) == 1


def only_ours(folder: Path) -> list[str]:
    """Flags that leave our plugins alone; the host has none but to disable the others by name."""
    names = program("detect-secrets", "scan", "--list-all-plugins", cwd=folder).stdout.split()
    return [flag for name in names for flag in ("--disable-plugin", name)]


class TestContract:
    """What detect-secrets asks of a plugin file."""

    def test_registers_three_plugins(self) -> None:
        for _ in range(2):
            found: list[type[object]] = list(get_plugins_from_file(PLUGIN))
            assert sorted(plugin.__name__ for plugin in found) == sorted(PLUGIN_NAMES)

    def test_types_stay_as_baselines_have_them(self) -> None:
        plugins = (BinanceApiKeyDetector, BinanceSecretKeyDetector, BinancePrivateKeyDetector)
        assert [plugin.secret_type for plugin in plugins] == list(TYPES.values())

    def test_verify_asks_nobody(self, value: Values) -> None:
        for plugin in (BinanceApiKeyDetector(), BinanceSecretKeyDetector(), BinancePrivateKeyDetector()):
            assert plugin.verify(value()) is VerifiedResult.UNVERIFIED

    @pytest.mark.parametrize("confidence", ["low", "medium", "high"])
    def test_settings_are_what_makes_it_anew(self, confidence: str) -> None:
        settings = BinanceApiKeyDetector(confidence=confidence).json()
        assert settings == {"name": "BinanceApiKeyDetector", "confidence": confidence}

    def test_unknown_confidence(self) -> None:
        with pytest.raises(ValueError, match="must be one of low, medium, high"):
            BinanceApiKeyDetector(confidence="certain")

    def test_string_alone(self, value: Values) -> None:
        secret = value()
        assert list(BinanceSecretKeyDetector().analyze_string(f"BINANCE_SECRET={secret}")) == [secret]
        assert list(BinanceApiKeyDetector().analyze_string(f"BINANCE_SECRET={secret}")) == []

    def test_filter_lets_credentials_through(self, value: Values) -> None:
        assert not is_indirect_reference(f'client = Client("{value()}", "{value()}")')
        assert is_indirect_reference('secret = read_secret("BINANCE")')
        assert not is_indirect_reference("secret = 1")


class TestLines:
    """One line, with what is known around it."""

    def test_only_what_is_on_the_line(self, tmp_path: Path, value: Values) -> None:
        file = tmp_path / "bot.py"
        first, second = value(), value()
        text = f'import binance\napi_key = "{first}"\nother_api_key = "{second}"\n'
        file.write_text(text)
        plugin = BinanceApiKeyDetector()
        rows = text.split("\n")
        found = [plugin.analyze_line(str(file), row, number) for number, row in enumerate(rows, 1)]
        assert [[secret.secret_value for secret in each] for each in found] == [[], [first], [second], []]
        assert [secret.line_number for each in found for secret in each] == [2, 3]

    def test_context_decides_without_a_file(self, value: Values) -> None:
        key = value()
        rows = ["import binance\n", "\n", f'api_key = "{key}"\n']
        plugin = BinanceApiKeyDetector()
        for line_number in (3, 30):  # a diff counts otherwise
            found = plugin.analyze_line("gone.py", rows[2].rstrip(), line_number, get_code_snippet(rows, 3))
            assert [(secret.secret_value, secret.line_number) for secret in found] == [(key, line_number)]
        assert plugin.analyze_line("gone.py", rows[0].rstrip(), 1, get_code_snippet(rows, 1)) == set()

    def test_a_line_that_the_file_does_not_hold(self, tmp_path: Path, value: Values) -> None:
        """Lines may come from another state of the file than the one on disk: nothing on them is lost."""
        file = tmp_path / "bot.py"
        file.write_text("import binance\n\n\n")
        row = f'BINANCE_API_KEY = "{value()}"'
        assert len(BinanceApiKeyDetector().analyze_line(str(file), row, 2, get_code_snippet([row], 1))) == 1

    def test_the_whole_file_has_the_last_word(self, tmp_path: Path) -> None:
        """A line that looks like a credential's by itself, in a file that says what it is, is judged by the file."""
        file = tmp_path / "digests.txt"
        row = values.base64_lines(Random())[0]
        file.write_text("binance\n-----BEGIN CERTIFICATE-----\n" + "".join(f"{row}\n" for _ in range(9)))
        plugin = BinanceApiKeyDetector(confidence="low")
        assert plugin.analyze_line(str(file), row, 5, get_code_snippet([row], 1)) == set()

    def test_a_changed_file_is_read_again(self, tmp_path: Path, value: Values) -> None:
        file = tmp_path / ".env"
        plugin = BinanceApiKeyDetector()
        for count in (1, 2, 3):
            row = f"BINANCE_API_KEY={value()}" + " " * count
            file.write_text(row)
            os.utime(file, ns=(count, count))
            assert len(plugin.analyze_line(str(file), row.rstrip(), 1)) == 1

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends(self, tmp_path: Path, value: Values, end: str) -> None:
        file = tmp_path / "bot.py"
        rows = ["import binance", "", f'api_key = "{value()}"', f'secret_key = "{value()}"', ""]
        file.write_bytes(end.join(rows).encode())
        assert len(BinanceSecretKeyDetector().analyze_line(str(file), rows[3], 4)) == 1

    def test_a_file_is_read_and_judged_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The cost of ten thousand lines is ten thousand look-ups, not ten thousand detections."""
        file = tmp_path / "long.py"
        rows = [f"value_{number} = {number}" for number in range(10_000)]
        file.write_text("\n".join(rows))
        reads: list[Path] = []
        read_bytes = Path.read_bytes

        def counted(path: Path) -> bytes:
            reads.append(path)
            return read_bytes(path)

        def detected(*_: object, **__: object) -> None:
            raise AssertionError("nothing here is worth the detector's time")

        monkeypatch.setattr(Path, "read_bytes", counted)
        monkeypatch.setattr("binance_leaks.plugin.detect", detected)
        monkeypatch.setattr("binance_leaks.plugin.credentials_alone", detected)
        plugin = BinanceApiKeyDetector()
        assert not any(plugin.analyze_line(str(file), row, number) for number, row in enumerate(rows, 1))
        assert reads == [file]

"""Which values are known where: paths of every system, digests as detect-secrets makes them, labels."""

from __future__ import annotations

from pathlib import Path
from random import Random

import binance_leaks.plugin
import pytest
from binance_leaks.baseline.file import Baseline, Found, updated
from binance_leaks.baseline.known import PLUGIN_NAMES, SECRET_TYPES, Label, path_from, stored
from binance_leaks.model import Confidence, Role, Value
from binance_leaks.plugin import _Detector
from detect_secrets.core.plugins.util import get_plugins_from_file
from detect_secrets.core.potential_secret import PotentialSecret

from tests.corpus import values


def entry(path: str, value: Value, **more: object) -> dict[str, object]:
    return {"type": SECRET_TYPES[value.role], "filename": path, "hashed_secret": value.sha1, **more}


def baseline(**results: list[dict[str, object]]) -> Baseline:
    named = {path.replace("__", "/"): listed for path, listed in results.items()}
    return Baseline(content={"version": "1.5.0", "results": named}, results=named)


def our_plugins() -> list[type[_Detector]]:
    """The plugins as detect-secrets loads them."""
    return list(get_plugins_from_file(str(Path(binance_leaks.plugin.__file__).resolve())))


@pytest.fixture
def value() -> Value:
    return Value.of(Role.API_KEY, values.hmac_value(Random()).encode())


class TestDigests:
    """A value's SHA-1 is what detect-secrets makes of what our plugin reports."""

    @pytest.mark.parametrize("role", Role)
    def test_of_every_role(self, tmp_path: Path, role: Role) -> None:
        rng = Random()
        der = values.rsa_der() if rng.random() < 0.5 else values.ed25519_der(rng)
        raw = der if role is Role.PRIVATE_KEY else values.hmac_value(rng).encode()
        named = {Role.API_KEY: "api_key", Role.SECRET_KEY: "api_secret", Role.PRIVATE_KEY: "private_key"}[role]
        shown = values.pem("PRIVATE KEY", der) if role is Role.PRIVATE_KEY else raw.decode()
        file = tmp_path / "settings.py"
        file.write_text(f'import binance\nbinance_{named} = """{shown}"""\n')
        found = {
            secret.secret_hash
            for plugin in (each() for each in our_plugins())
            for number, line in enumerate(file.read_text().splitlines(), start=1)
            for secret in plugin.analyze_line(str(file), line, number)
            if secret.type == SECRET_TYPES[role]
        }
        assert found == {Value.of(role, raw).sha1}

    def test_of_text(self, value: Value) -> None:
        assert value.secret is not None
        assert PotentialSecret.hash_secret(value.secret.reveal().decode()) == value.sha1

    def test_types_are_those_of_the_plugin(self) -> None:
        plugins = {each.__name__: each for each in our_plugins()}
        assert sorted(plugins, key=str.lower) == list(PLUGIN_NAMES)
        assert {each.role: str(each().secret_type) for each in plugins.values()} == SECRET_TYPES


class TestMatching:
    """Path and value; whatever the line, the role and the system that it was written on."""

    def test_path_and_value(self, value: Value) -> None:
        known = baseline(a__b=[entry("a/b", value)]).known("/")
        other = Value.of(Role.API_KEY, values.hmac_value(Random()).encode())
        assert known.label(value, "a/b") is Label.UNAUDITED
        assert known.label(value, "a/c") is None
        assert known.label(other, "a/b") is None

    def test_a_value_without_its_digest_is_never_known(self, value: Value) -> None:
        empty = Value(role=Role.API_KEY, sha256=value.sha256, masked=value.masked)
        assert baseline(a=[entry("a", empty)]).known("/").label(empty, "a") is None

    def test_paths_of_windows(self, value: Value) -> None:
        results = {"src\\bot.py": [entry("src\\bot.py", value)]}
        known = Baseline(content={}, results=results).known("/")
        assert known.label(value, "src/bot.py") is Label.UNAUDITED
        assert known.label(value, "src\\bot.py") is Label.UNAUDITED

    def test_another_role_of_the_same_value(self, value: Value) -> None:
        known = baseline(a=[entry("a", value)]).known("/")
        assert known.label(value.in_role(Role.SECRET_KEY), "a") is Label.UNAUDITED

    def test_entries_of_other_plugins_know_nothing(self, value: Value) -> None:
        other = {**entry("a", value), "type": "Base64 High Entropy String"}
        assert baseline(a=[other]).known("/").label(value, "a") is None

    @pytest.mark.parametrize(
        ("printed", "label"), [(None, Label.UNAUDITED), (True, Label.REAL), (False, Label.FALSE_ALARM)]
    )
    def test_labels(self, value: Value, printed: bool | None, label: Label) -> None:
        assert baseline(a=[entry("a", value, is_secret=printed)]).known("/").label(value, "a") is label

    def test_the_most_severe_label_holds(self, value: Value) -> None:
        twice = [entry("a", value, is_secret=True), entry("a", value.in_role(Role.SECRET_KEY), is_secret=False)]
        assert baseline(a=twice).known("/").label(value, "a") is Label.REAL


class TestPaths:
    """How a file is called, from wherever it was scanned."""

    @pytest.mark.parametrize(
        ("path", "anchor"),
        [("b/c.py", "top/a"), ("c.py", "top/a/b"), ("../a/b/c.py", "top/x"), ("./b/../b/c.py", "top/a")],
    )
    def test_from_anywhere(self, tmp_path: Path, path: str, anchor: str) -> None:
        for folder in ("top/a/b", "top/x"):
            (tmp_path / folder).mkdir(parents=True)
        top = str(tmp_path / "top")
        assert path_from(top, path, str(tmp_path / anchor)) == "a/b/c.py"
        assert path_from(top, str(tmp_path / anchor / path), "/") == "a/b/c.py"

    def test_over_links(self, tmp_path: Path) -> None:
        (tmp_path / "real" / "src").mkdir(parents=True)
        (tmp_path / "link").symlink_to("real")
        (tmp_path / "real" / "last").symlink_to("src/elsewhere")
        for root, way in (("real", "link"), ("link", "real")):
            assert path_from(str(tmp_path / root), str(tmp_path / way / "src/a.py"), ".") == "src/a.py"
        assert path_from(str(tmp_path / "real"), "last", str(tmp_path / "link")) == "last"

    def test_members_of_archives(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        assert path_from(str(tmp_path), "x.zip!/in/../side", str(tmp_path / "a")) == "a/x.zip!/in/../side"

    def test_no_value_in_a_path_is_stored(self) -> None:
        value = values.hmac_value(Random())
        assert value not in stored(f"keys/{value}.txt")
        assert value not in stored(f"keys/x{value}x")
        plain = f"objects/{values.hexadecimal(Random(), 64)}/a.py"
        assert stored(plain) == plain


class TestUpdate:
    """What comes in, stays and goes."""

    @staticmethod
    def found(path: str, value: Value, line: int = 1) -> Found:
        return Found(value=value, path=path, line=line)

    def test_nothing_changes_nothing(self, value: Value) -> None:
        before = baseline(b=[entry("b", value, line_number=7, is_secret=True)], a=[])
        found = [self.found("b", value, line=9)]
        after = updated(before, found, present={("b", value.sha1)}, gone=lambda _: True)
        assert after.baseline == before
        assert after.baseline.text() == before.text()
        assert (after.added, after.dropped, after.kept) == ((), (), 1)

    def test_new_ones_stand_by_path_then_type_then_digest(self) -> None:
        rng = Random()
        keys = sorted((Value.of(Role.API_KEY, values.hmac_value(rng).encode()) for _ in range(3)), key=lambda k: k.sha1)
        secret = Value.of(Role.SECRET_KEY, values.hmac_value(rng).encode())
        before = Baseline.new(Confidence.MEDIUM)
        found = [self.found("b", secret, 1), self.found("b", keys[2], 5), self.found("b", keys[0], 9)]
        found += [self.found("a/z", keys[1]), self.found("c", keys[1], 4), self.found("c", keys[1], 2)]
        after = updated(before, found, present=frozenset(), gone=lambda _: True).baseline
        assert list(after.results) == ["a/z", "b", "c"]
        assert [raw["hashed_secret"] for raw in after.results["b"]] == [keys[0].sha1, keys[2].sha1, secret.sha1]
        assert [raw["line_number"] for raw in after.results["c"]] == [2]
        again = updated(after, reversed(found), present=frozenset(), gone=lambda _: False)
        assert again.baseline == after

    def test_others_stay_where_they_are(self, value: Value) -> None:
        others: list[dict[str, object]] = [
            {"type": "Z", "hashed_secret": "2"},
            {"type": "A", "hashed_secret": "1", "whatever": [1]},
        ]
        before = baseline(z=others, m=[], b=others)
        after = updated(before, [self.found("b", value)], present=frozenset(), gone=lambda _: True).baseline
        assert list(after.results) == ["z", "m", "b"]
        assert [raw for raw in after.results["b"] if raw in others] == others
        assert after.results["z"] == others

    def test_gone(self, value: Value) -> None:
        other: dict[str, object] = {"type": "Other", "hashed_secret": value.sha1}
        before = baseline(a=[entry("a", value)], b=[entry("b", value), other], c=[entry("c", value)])
        after = updated(before, [], present={("c", value.sha1)}, gone=lambda path: path != "a")
        assert dict(after.baseline.results) == {"a": before.results["a"], "b": [other], "c": before.results["c"]}
        assert [each.path for each in after.dropped] == ["b"]
        assert after.kept == 2

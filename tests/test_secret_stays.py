"""The law that no value leaves: who may reveal a secret, and what the types that hold one show of it."""

from __future__ import annotations

import ast
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

import binance_leaks
import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.findings import Finding, Risk, SuppressedBy, Suppression
from binance_leaks.masking import Secret
from binance_leaks.model import (
    Confidence,
    Credential,
    Environment,
    Evidence,
    Grade,
    Kind,
    Location,
    Occurrence,
    RiskLevel,
    Role,
    Value,
)

from tests.corpus import values

PACKAGE = Path(binance_leaks.__file__).parent
MAY_REVEAL = ("masking.py", "model.py", "plugin.py", "replacements.py", "verify/")
MOST_SHOWN = 4


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def revealing(code: str) -> list[int]:
    """Lines that name the method that reveals, or reach for the field behind it, whatever they do with it."""
    found = []
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Attribute(attr="reveal") | ast.Constant(value="reveal" | "_bytes"):
                found.append(node.lineno)
            case ast.Attribute(attr="_bytes", value=holder):
                if not (isinstance(holder, ast.Name) and holder.id == "self"):
                    found.append(node.lineno)
    return found


class TestRevealing:
    """Who asks a secret for its bytes."""

    def test_only_who_may(self) -> None:
        others = {path.relative_to(PACKAGE).as_posix(): path for path in modules()}
        found = {
            name: revealing(path.read_text(encoding="utf-8"))
            for name, path in others.items()
            if not name.startswith(MAY_REVEAL)
        }
        assert len(found) > 200
        assert {name: lines for name, lines in found.items() if lines} == {}

    def test_the_law_has_teeth(self) -> None:
        assert revealing("value.secret.reveal()") == [1]
        assert revealing("show = value.secret.reveal\nshow()") == [1]
        assert revealing("getattr(value.secret, 'reveal')()") == [1]
        assert revealing("value.secret._bytes") == [1]
        assert revealing("secret._bytes") == [1]
        assert revealing("Secret.reveal(value.secret)") == [1]
        assert revealing("reveal = 1") == []

    def test_those_who_may_are_still_there(self) -> None:
        """An exception that nobody uses is to be removed."""
        using = {path.name for path in modules() if revealing(path.read_text(encoding="utf-8"))}
        assert using >= {"model.py", "plugin.py", "replacements.py", "signing.py", "transport.py"}


class Held:
    """One object of every type that holds a value."""

    def __init__(self, role: Role) -> None:
        rng = Random()
        self.bytes = values.ed25519_der(rng) if role is Role.PRIVATE_KEY else values.hmac_value(rng).encode()
        self.secret = Secret(self.bytes)
        self.value = Value.of(role, self.bytes)
        location = Location(role=role, path="bot.py", line=1, column=1)
        self.occurrence = Occurrence(
            value=self.value,
            location=location,
            rule="hmac",
            last_line=1,
            evidence=(Evidence(grade=Grade.STATEMENT, text="its name mentions Binance"),),
        )
        self.credential = Credential(
            values=(self.value,),
            occurrences=(self.occurrence,),
            environment=Environment.MAINNET,
            confidence=Confidence.HIGH,
            evidence=("its name mentions Binance",),
        )
        self.finding = Finding(
            id=self.credential.id,
            kind=Kind(role.value),
            environment=Environment.MAINNET,
            confidence=Confidence.HIGH,
            risk=Risk(level=RiskLevel.HIGH, reasons=("it is one",)),
            values=(self.value,),
            locations=(location,),
            evidence=("its name mentions Binance",),
            suppressed=Suppression(by=SuppressedBy.INLINE, reason="binance-leaks: allow"),
        )

    @property
    def all(self) -> tuple[object, ...]:
        return self.secret, self.value, self.occurrence, self.credential, self.finding

    def shown_in(self, text: str | bytes) -> bool:
        """Whether more of the value is in a text than a mask may show, as it is or as Python writes bytes."""
        data = text.encode() if isinstance(text, str) else text
        written = (self.bytes, repr(self.bytes)[2:-1].encode(), self.bytes.hex().encode())
        return any(
            form[start : start + 2 * MOST_SHOWN] in data
            for form in written
            for start in range(0, len(form) - 2 * MOST_SHOWN, MOST_SHOWN)
        )


@pytest.fixture(params=list(Role), ids=lambda role: role.value)
def held(request: pytest.FixtureRequest) -> Held:
    return Held(request.param)


WAYS: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "f-string": lambda each: f"{each} {each!r} {each!s} {each!a}",
    "percent": lambda each: "%s %r" % (each, each),  # noqa: UP031
    "in a list": lambda each: str([each, {"value": each}, (each,)]),
    "log": lambda each: logging.Formatter("%(message)s").format(
        logging.LogRecord("test", logging.ERROR, "", 1, "found %s %r", (each, each), None)
    ),
    "json": lambda each: json.dumps({"value": each}, default=repr),
}


class TestShowing:
    """What the types show of the value that they hold."""

    @pytest.mark.parametrize("way", WAYS)
    def test_no_text_holds_it(self, held: Held, way: str) -> None:
        for each in held.all:
            assert not held.shown_in(WAYS[way](each))

    def test_alignment_does_not_bring_it_out(self, held: Held) -> None:
        assert not held.shown_in(f"{held.secret:>200}")

    def test_the_test_would_see_it(self, held: Held) -> None:
        for text in (held.bytes, repr(held.bytes), held.bytes.hex(), [held.bytes]):
            assert held.shown_in(text if isinstance(text, bytes) else str(text))

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_it_is_not_pickled(self, held: Held, protocol: int) -> None:
        for each in held.all:
            with pytest.raises(TypeError) as raised:
                pickle.dumps(each, protocol)
            assert not held.shown_in("".join(traceback.format_exception(raised.value)))

    def test_it_is_not_copied_deeply(self, held: Held) -> None:
        with pytest.raises(TypeError):
            copy.deepcopy(held.value)

    def test_without_it_all_can_be_sent(self, held: Held) -> None:
        for each in (held.value.without_secret(), held.occurrence.without_secret(), held.credential.without_secrets()):
            data = pickle.dumps(each)
            assert not held.shown_in(data)
            assert pickle.loads(data) == each  # noqa: S301

    def test_a_mask_shows_little(self, held: Held) -> None:
        masked, role = held.value.masked, held.value.role
        text = held.bytes.decode("latin-1")
        expected = {
            Role.API_KEY: f"{text[:MOST_SHOWN]}…{text[-MOST_SHOWN:]}",
            Role.SECRET_KEY: f"{text[:MOST_SHOWN]}…",
            Role.PRIVATE_KEY: f"private key, {len(text)} bytes",
        }
        assert masked == expected[role]

    def test_a_secret_shows_nothing_at_all(self, held: Held) -> None:
        assert {repr(held.secret), str(held.secret), f"{held.secret}"} == {"Secret(***)"}
        assert not hasattr(held.secret, "__dict__")


class TestFound:
    """The same of what the detector makes."""

    def test_credentials_of_a_file(self) -> None:
        rng = Random()
        key, secret = values.hmac_value(rng), values.hmac_value(rng)
        pem = values.pem("PRIVATE KEY", values.ed25519_der(rng))
        text = f'import binance\nclient = Client("{key}", "{secret}")\nprivate_key = """{pem}"""\n'
        found = detect(text.encode(), path="binance.py")
        assert {value.role for credential in found for value in credential.values} == set(Role)
        for way in WAYS.values():
            shown = way(found)
            assert not [word for word in (key, secret, *pem.splitlines()[1:-1]) if word[8:24] in shown]

    def test_an_error_in_the_middle(self) -> None:
        """A traceback shows lines of code and messages, not what variables hold."""
        rng = Random()
        line = f'BINANCE_SECRET = "{values.hmac_value(rng)}"'
        (found,) = detect(line.encode())
        with pytest.raises(TypeError) as raised:
            pickle.dumps(found)
        assert line.split('"')[1][:8] not in "".join(traceback.format_exception(raised.value))

"""Credentials of several files: merged by value, their roles settled, judged again with evidence from beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from binance_leaks.detect.credentials import (
    drop_unrelated_private_keys,
    lacks_evidence,
    merge_credentials,
    with_evidence,
)
from binance_leaks.detect.engine import detect
from binance_leaks.model import UNDECIDED, Confidence, Credential, Environment, Evidence, Grade, Kind, Role, Value

from tests.corpus import values


def _detected(files: Mapping[str, str]) -> list[Credential]:
    rng = Random("credentials")
    filled = {name: values.hmac_value(rng) for name in ("key", "secret", "other")}
    filled["private"] = values.ed25519_pem_body(rng)
    return [found for path, text in files.items() for found in detect(text.format(**filled).encode(), path=path)]


def _merged(*texts: str) -> tuple[Credential, ...]:
    return merge_credentials(_detected({f"{number}.txt": text for number, text in enumerate(texts)}))


@pytest.mark.parametrize("order", [1, -1])
class TestRoles:
    """A value that is something else in another file."""

    def test_name_counts_before_position(self, order: int) -> None:
        (found,) = _merged(*['Client("{secret}", "{key}")', "API_KEY={key}\n\n\nAPI_SECRET={secret}\n"][::order])
        assert found.kind is Kind.KEY_PAIR
        assert len(found.occurrences) == 4
        assert {occurrence.value.role for occurrence in found.occurrences if occurrence.location.column == 9} == {
            Role.API_KEY,
            Role.SECRET_KEY,
        }

    def test_pair_counts_before_lone_value(self, order: int) -> None:
        (found,) = _merged(*["API_KEY={key}\nAPI_SECRET={secret}\n", "API_SECRET={key}"][::order])
        assert found.kind is Kind.KEY_PAIR
        assert len(found.occurrences) == 3

    def test_two_secrets_are_no_pair(self, order: int) -> None:
        found = _merged(*["{key}\n{secret}\n", "API_SECRET={key}\n", "API_SECRET={secret}\n"][::order])
        assert [credential.kind for credential in found] == [Kind.SECRET_KEY, Kind.SECRET_KEY]
        assert [len(credential.occurrences) for credential in found] == [2, 2]


def test_value_without_a_role_is_undecided_until_something_gives_it_one() -> None:
    for texts, undecided in (
        (['x = "{key}" # binance'], True),
        (['x = "{key}" # binance', "{key}"], True),
        (['x = "{key}" # binance', 'api_key = "{key}"'], False),
        (["[{key}, {secret}, {other}] # binance"], True),
        (['keys = ["{key}", "{secret}", "{other}"] # binance'], False),
        (['x = "{key}" # binance', 'api_secret = "{key}"'], False),
        (["{key}\n{secret}\n"], False),
    ):
        found = _merged(*texts)
        assert {each.is_undecided for each in found} == {undecided}, texts
        assert {UNDECIDED in each.evidence for each in found} == {undecided}, texts


def test_two_undecided_values_are_a_pair_unless_they_are_called_two_things() -> None:
    for text, kinds in (
        ("a = '{key}'\nb = '{secret}'\nbinance.Client(a, b)", [Kind.KEY_PAIR]),
        ("# binance\nvalue1 = '{key}'\nvalue2 = '{secret}'", [Kind.KEY_PAIR]),
        ("# binance\nvalue_a = '{key}'\nvalue_b = '{secret}'", [Kind.KEY_PAIR]),
        ("Binance keys\nfirst: {key}\nand the other one is {secret}", [Kind.KEY_PAIR]),
        ("Binance keys\nfirst: {key}\n\nthe second: {secret}", [Kind.KEY_PAIR]),
        ("# binance\nfirst = '{key}'\norder = '{secret}'", [Kind.API_KEY, Kind.API_KEY]),
        ("# binance\nfirst_order = '{key}'\nsecond_trade = '{secret}'", [Kind.API_KEY, Kind.API_KEY]),
        ("Cookie: p20t={key}; d1og={secret}\nHost: www.binance.com", [Kind.API_KEY, Kind.API_KEY]),
        ("Cookie: p20t={key}; csrftoken={secret}\nHost: www.binance.com", [Kind.API_KEY, Kind.API_KEY]),
        ('{{"exchange": "binance", "order": "{key}", "trade": "{secret}"}}', [Kind.API_KEY, Kind.API_KEY]),
    ):
        assert [found.kind for found in _merged(text)] == kinds, text


@pytest.mark.parametrize(
    "use",
    [
        "binance.Client({a}, {b})",
        "Client(self.{a},\n       self.{b}, testnet=True)",
        "BinanceApiClientFactory.newInstance({a}, {b});",
        "Client(api_key={a}, api_secret={b})",
        "Spot(key={a}, secret={b})",
        "ccxt.binance({{'secret': {b}, 'apiKey': {a}}})",
        "Client::new(Some({a}.into()), Some({b}.into()))",
    ],
)
@pytest.mark.parametrize(("one", "other"), [("foo", "bar"), ("key1", "key2"), ("login", "pwd")])
def test_use_of_variables_gives_their_values_roles(use: str, one: str, other: str) -> None:
    lines = [f"{one} = '{{key}}'", f"{other} = '{{secret}}'"]
    for between in ("\n", "\n" + "x = 1\n" * 50):
        for ordered in (lines, lines[::-1]):
            call = use.format(a=one, b=other).replace("{", "{{").replace("}", "}}")
            (found,) = _merged(f"# binance\n{between.join(ordered)}\n{call}\n")
            assert found.kind is Kind.KEY_PAIR
            assert found.values == tuple(_named_pair())


def _named_pair() -> list[Value]:
    (found,) = _merged("API_KEY={key}\nAPI_SECRET={secret}\n")
    return list(found.values)


@pytest.mark.parametrize(
    "use",
    [
        "set_cookies(foo, bar)",
        "binance.Client(foo, bar)\nbinance.Client(bar, foo)",
        "StreamClient(api_key, listen_key)",
        "Client(foo, timeout)",
        "hmac.new(key=bar.encode(), msg=query)",
        "key = bar\nhmac.new(key, query)",
        "sorted(rows, key=foo)",
        "cache.set(key=foo, value=bar)",
    ],
)
def test_uses_that_say_nothing_give_no_roles(use: str) -> None:
    found = _merged(f"# binance\nfoo = '{{key}}'\n\n\nbar = '{{secret}}'\nlisten_key = '{{other}}'\n{use}\n")
    assert [each.is_undecided for each in found] == [True, True]


@pytest.mark.parametrize("use", ["Client(url, login)", "options(login, timeout)", "f(key=login)"])
def test_a_name_that_is_not_clear_is_not_made_clear_by_a_use_that_says_no_more(use: str) -> None:
    (found,) = _merged(f"# binance\nlogin = '{{secret}}'\n{use}\n")
    assert found.is_undecided


@pytest.mark.parametrize("use", ["{{'X-MBX-APIKEY': {a}}}", "set_api_key({a})", "f(secret={b})"])
@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("foo", "bar"), ("binance_1", "binance_2")])
def test_the_use_of_one_of_two_undecided_values_says_which_is_the_key(use: str, one: str, other: str) -> None:
    lines = [f"{one} = '{{key}}'\n", f"{other} = '{{secret}}'\n"]
    call = use.format(a=one, b=other).replace("{", "{{").replace("}", "}}")
    for ordered in (lines, lines[::-1]):
        (found,) = _merged("# binance\n" + "".join(ordered) + call)
        assert found.values == tuple(_named_pair())


def test_two_values_that_are_both_used_as_keys_are_no_pair() -> None:
    found = _merged("# binance\na = '{key}'\nb = '{secret}'\nf(api_key=a)\n" + "\n" * 200 + "f(api_key=b)\n")
    assert [each.kind for each in found] == [Kind.API_KEY, Kind.API_KEY]


@pytest.mark.parametrize(
    "comment", ["/* NOTE */", "<!-- NOTE -->", "{- NOTE -}", "(* NOTE *)", "# NOTE\n", "// NOTE\n"]
)
@pytest.mark.parametrize(
    "form", ["Client('KEY', COMMENT 'SECRET')", "'KEY', COMMENT 'SECRET'", "['KEY',\n COMMENT'SECRET']"]
)
@pytest.mark.parametrize("note", ["key", "the API key", "the first one", "see below"])
def test_a_comment_between_two_values_does_not_make_the_second_a_key(comment: str, form: str, note: str) -> None:
    text = form.replace("COMMENT", comment.replace("NOTE", note)).replace("{", "{{").replace("}", "}}")
    (found,) = _merged("# binance\n" + text.replace("KEY", "{key}").replace("SECRET", "{secret}"))
    assert found.values == tuple(_named_pair())


def test_a_value_of_another_service_is_not_paired_by_its_use() -> None:
    found = _merged("import binance\nfoo = '{key}'\n\n\n\nbar = '{secret}'  # kraken\nClient(foo, bar)\n")
    assert sorted(len(each.values) for each in found) == [1, 1]
    assert max(each.confidence for each in found) is Confidence.HIGH


@pytest.mark.parametrize("note", ["/* testnet key */", "# testnet key\n"])
def test_a_comment_that_distinguishes_a_key_from_others_makes_no_pair_of_two_systems(note: str) -> None:
    found = _merged(f"# binance\n['{{key}}',\n {note}'{{secret}}']")
    assert {each.environment for each in found} == {Environment.MAINNET, Environment.TESTNET}


def test_a_lone_half_joins_its_pair() -> None:
    (found,) = _merged("API_SECRET={secret}", "API_KEY={key}\nAPI_SECRET={secret}\n", "API_KEY={key}")
    assert found.kind is Kind.KEY_PAIR
    assert [occurrence.location.path for occurrence in found.occurrences] == ["0.txt", "1.txt", "1.txt", "2.txt"]


def test_two_keys_beside_one_secret_are_two() -> None:
    found = _merged("API_KEY={key}\nAPI_SECRET={secret}\n", "API_KEY={other}\nAPI_SECRET={secret}\n")
    assert [credential.kind for credential in found] == [Kind.KEY_PAIR, Kind.KEY_PAIR]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", 'api_key = "{key}"', True),
        ("a.py", 'api_key = "{key}"\napi_secret = "{secret}"', True),
        ("a.py", 'import binance\napi_key = "{key}"', False),
        ("a.py", 'kraken_api_key = "{key}"', False),
        ("a.py", '"{key}"', False),
        ("a.py", "{key}\n{secret}", False),
        ("credentials.txt", "{key}\n{secret}", True),
        (".secrets", "{key}\n{secret}", True),
        ("my-api-keys", "{key}\n{secret}", True),
        ("secrets.py", "{key}\n{secret}", False),
        ("binance/credentials.txt", "{key}\n{secret}", False),
        ("credentials.txt", "{key}", False),
    ],
)
def test_what_evidence_beside_it_could_change(path: str, text: str, expected: bool) -> None:
    (found,) = _detected({path: text})
    assert lacks_evidence(found) is expected


def test_evidence_beside_it_counts_but_not_for_the_environment() -> None:
    beside = Evidence(grade=Grade.SIBLING, text="“binance” in requirements.txt")
    (found,) = _detected({"a.py": 'api_key = "{key}"\nTESTNET = True\n'})
    renewed = with_evidence(found, beside)
    assert (found.confidence, renewed.confidence) == (Confidence.LOW, Confidence.MEDIUM)
    assert renewed.evidence == ("named “api_key”", beside.text)
    assert renewed.environment is found.environment
    assert not lacks_evidence(renewed)


def test_private_keys_of_whatever_are_dropped() -> None:
    armoured = "-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"
    found = _detected({"a.pem": armoured, "a.py": 'api_key = "{key}"'})
    assert [each.kind for each in drop_unrelated_private_keys(found)] == [Kind.API_KEY]
    found = _detected({"binance.pem": armoured})
    assert drop_unrelated_private_keys(found) == tuple(found)


@pytest.mark.parametrize("order", [1, -1])
def test_versions_of_a_file_that_disagree(order: int) -> None:
    live, test = (
        _detected({"a.py": f"from binance import Client\nClient('{{key}}', '{{secret}}'{more})\n"})
        for more in (", base_url='https://api.binance.us'", ", testnet=True")
    )
    (found,) = merge_credentials([*live, *test][::order])
    assert found.environment is Environment.US
    assert len(found.occurrences) == 2
    assert "versions of its files disagree about its environment (us, testnet): the more severe one counts" in (
        found.evidence
    )


def test_the_stronger_of_two_versions_is_kept() -> None:
    weak, strong = (_detected({"a.py": f'{name} = "{{key}}"\n'}) for name in ("some_value", "bnc_apikey"))
    (found,) = merge_credentials([*weak, *strong])
    assert found.occurrences[0].named
    (again,) = merge_credentials([*strong, *weak])
    assert again == found


def test_another_blob_is_another_occurrence() -> None:
    (found,) = _detected({"a.py": 'api_key = "{key}"\n'})
    other = found.moved(lambda location: replace(location, blob="b"))
    (merged,) = merge_credentials([found, other])
    assert len(merged.occurrences) == 2

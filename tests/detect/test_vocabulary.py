"""Laws of the vocabulary: every word of it counts on every way into the program, and where it says, nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from itertools import cycle
from random import Random

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.detect.names import Strength, read_name
from binance_leaks.detect.sieve import NO_TRAITS, best_sieve
from binance_leaks.detect.vocabulary import (
    BINANCE_IN_NAMES,
    EXCHANGE_NAME,
    KEY_NAMES,
    KEY_WORDS,
    LEGACY_NAMES,
    SECRET_NAMES,
    SECRET_WORDS,
    TERMS,
    VOCABULARY,
    NameWord,
    Term,
)
from binance_leaks.model import Confidence, Role
from binance_leaks.sources.staged_fast_path import count_clean_files

from tests.corpus.values import hex_value, hmac_value
from tests.e2e import Found, digest, digests, run
from tests.repositories import Repository
from tests.test_plugin import scan as scan_with_detect_secrets

ORDINARY = "thing"
KEY_SAMPLES = tuple(sorted({*KEY_WORDS, *(sample for word in KEY_NAMES for sample in word.samples)}))
SECRET_SAMPLES = tuple(sorted({*SECRET_WORDS, *(sample for word in SECRET_NAMES for sample in word.samples)}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """A text whose values are reported because of one word, and the same text with an ordinary word in its place."""

    name: str
    text: str
    without: str
    values: tuple[str, ...]
    encoding: str = "utf-8"

    @property
    def content(self) -> bytes:
        """The text as it is in a file."""
        return self.text.encode(self.encoding)

    @property
    def digests(self) -> set[str]:
        """The digests of the values."""
        return {digest(value) for value in self.values}


def _evidence(name: str, word: str, rng: Random, *, encoding: str = "utf-8") -> Witness:
    """Hexadecimal values with plain names, which are nothing unless something speaks for Binance."""
    key, secret = hex_value(rng), hex_value(rng)
    text = f"see {{}} for it\n\nx = 1\napi_key = {key}\napi_secret = {secret}\n"
    return Witness(
        name=name, text=text.format(word), without=text.format(ORDINARY), values=(key, secret), encoding=encoding
    )


def _terms(rng: Random) -> Iterator[Witness]:
    for term in TERMS:
        if not term.names_only:
            for sample in term.samples:
                yield _evidence(f"evidence {sample}", sample, rng)
                if term.legacy_encoding:
                    yield _evidence(f"evidence {sample} encoded", sample, rng, encoding=term.legacy_encoding)
        if term.name_expression and term.pattern.isalpha():
            value = hmac_value(rng)
            text = f"api_key_{{}} = {value}\n"
            yield Witness(
                name=f"name {term.pattern}",
                text=text.format(term.pattern),
                without=text.format(ORDINARY),
                values=(value,),
            )


def _names(rng: Random) -> Iterator[Witness]:
    """Hexadecimal values, which are nothing unless they have the name of a credential."""
    for samples, text in (
        (KEY_SAMPLES, "# binance\n\n{}: {}\napi_secret: {}\n"),
        (SECRET_SAMPLES, "# binance\n\napi_key: {1}\n{0}: {2}\n"),
    ):
        for sample in samples:
            values = hex_value(rng), hex_value(rng)
            yield Witness(
                name=f"credential {sample}",
                text=text.format(sample, *values),
                without=text.format(ORDINARY, *values),
                values=values,
            )


WITNESSES = (*_terms(Random(1)), *_names(Random(2)))
IN_UNICODE = tuple(witness for witness in WITNESSES if witness.encoding == "utf-8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A repository with a commit that adds a file for every witness, each in a folder of its own."""

    repository: Repository
    files: Mapping[str, Witness]
    base: str


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    repository = Repository.create(tmp_path_factory.mktemp("project"))
    base = repository.commit({"notes": "words\n"})
    files = {f"{number}/settings.txt": witness for number, witness in enumerate(WITNESSES)}
    for path, witness in files.items():
        repository.write(path, witness.content)
    repository.git("add", "--all")
    return Tree(repository=repository, files=files, base=base)


@pytest.fixture(scope="module")
def committed(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    folder = tree.repository.folder
    copy = Repository(tmp_path_factory.mktemp("committed"))
    tree.repository.git("clone", "--quiet", "--no-hardlinks", str(folder), str(copy.folder))
    for path, witness in tree.files.items():
        copy.write(path, witness.content)
    copy.git("add", "--all")
    copy.commit()
    copy.git("gc", "--quiet")
    return Tree(repository=copy, files=tree.files, base=tree.base)


def missed(found: set[str]) -> set[str]:
    """Names of the witnesses of which some value was not found."""
    return {witness.name for witness in WITNESSES if not witness.digests <= found}


def of(findings: list[Found]) -> set[str]:
    return missed(digests(findings))


def test_nothing_else_makes_it_a_finding() -> None:
    found_anyway = []
    for witness in WITNESSES:
        credentials = detect(witness.without.encode(witness.encoding))
        reported = [credential for credential in credentials if credential.confidence >= Confidence.MEDIUM]
        if witness.digests <= {value.sha256 for credential in reported for value in credential.values}:
            found_anyway.append(witness.name)
    assert found_anyway == []


def test_scan(tree: Tree) -> None:
    assert of(run("scan", "--format", "json", ".", cwd=tree.repository.folder).report["findings"]) == set()


def test_staged(tree: Tree) -> None:
    assert of(run("staged", "--format", "json", cwd=tree.repository.folder).report["findings"]) == set()


def test_staged_fast_path(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.repository.folder)
    assert {witness.name for path, witness in tree.files.items() if count_clean_files([path]) is not None} == set()


def test_history(committed: Tree) -> None:
    assert of(run("history", "--format", "json", cwd=committed.repository.folder).report["findings"]) == set()


def test_history_without_the_compiled_module(committed: Tree) -> None:
    outcome = run("history", "--format", "json", cwd=committed.repository.folder, env={"BINANCE_LEAKS_PURE": "1"})
    assert of(outcome.report["findings"]) == set()


@pytest.mark.parametrize("command", [("scan", "."), ("history",)], ids=("scan", "history"))
def test_far_away_in_a_large_file(command: tuple[str, ...], repository: Repository) -> None:
    """A file that is read in parts is one file: what speaks for Binance may be in another part than the values."""
    witness = _evidence("far away", "binance", Random(4))
    first, rest = witness.text.split("\n", 1)
    repository.commit({"large.txt": first + "\n" + "nothing to see in this line\n" * 400_000 + rest})
    found = digests(run(*command, "--format", "json", cwd=repository.folder).report["findings"])
    assert witness.digests <= found


def test_range(committed: Tree) -> None:
    outcome = run("range", f"{committed.base}..HEAD", "--format", "json", cwd=committed.repository.folder)
    assert of(outcome.report["findings"]) == set()


def test_detect_secrets(tree: Tree) -> None:
    """detect-secrets reads no file that is not in Unicode."""
    found = {stored for _, _, _, stored in scan_with_detect_secrets(tree.repository.folder)}
    known = {witness.name: {sha1(value.encode()).hexdigest() for value in witness.values} for witness in IN_UNICODE}  # noqa: S324
    assert {name for name, stored in known.items() if not stored <= found} == set()


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.pattern)
def test_samples_of_terms(term: Term) -> None:
    for sample in term.samples:
        match = VOCABULARY.search(sample)
        assert (match is None) is term.names_only
        assert match is None or sample[match.start() :].lower().startswith(term.literals)
    if term.name_expression and term.pattern.isalpha():
        assert BINANCE_IN_NAMES.search(term.pattern)


@pytest.mark.parametrize(
    "word", ["fapi.", "recvWindow", "newListenKey", "order.place", "session.logon", "account.status"]
)
def test_whole_words_are_no_part_of_others(word: str) -> None:
    assert VOCABULARY.search(f"see {word}" if word[-1].isalpha() else f"see {word}x")
    assert not VOCABULARY.search(f"see my{word}x")


def test_what_must_follow_a_word() -> None:
    assert VOCABULARY.search("the fapi/v1")
    assert not VOCABULARY.search("the fapi there")


@pytest.mark.parametrize("name", ["Binance", "币安", "幣安", "바이낸스", "バイナンス", "бинанс"])
def test_names_of_the_exchange(name: str) -> None:
    assert EXCHANGE_NAME.match(name)
    assert not EXCHANGE_NAME.match("recvWindow")


@pytest.mark.parametrize(
    ("words", "role"), ((SECRET_NAMES, Role.SECRET_KEY), (KEY_NAMES, Role.API_KEY)), ids=("secrets", "keys")
)
def test_samples_of_names(words: tuple[NameWord, ...], role: Role) -> None:
    samples = [sample for word in words for sample in word.samples]
    assert [sample for sample in samples if read_name(sample).role is not role] == []


def test_legacy_words_are_in_their_encodings() -> None:
    assert all(word.encode(encoding) for encoding, words in LEGACY_NAMES.items() for word in words)


def test_clear_names_beside_futures() -> None:
    """Hexadecimal values with clear names count, at low, in the company of the futures testnet alone."""
    fast, rng = best_sieve(), Random(3)
    keys = [sample for sample in KEY_SAMPLES if read_name(sample).strength is Strength.STRONG]
    secrets = [sample for sample in SECRET_SAMPLES if read_name(sample).strength is Strength.STRONG]
    longest = max(len(keys), len(secrets))
    passed, lost = 0, set()
    for _, key, secret in zip(range(longest), cycle(keys), cycle(secrets), strict=False):
        padding = "# nothing to see in this line of the file\n" * 10
        text = f"testnet\n{padding}{key}: {hex_value(rng)}\n{padding}{secret}: {hex_value(rng)}\n{padding}"
        content = text.encode()
        if detect(content):
            passed += 1
            if not fast.suspects(content, fast.traits(content, content, NO_TRAITS)):
                lost.add((key, secret))
    assert passed > 5, "nothing is found: the shape is of no use here"
    assert lost == set()

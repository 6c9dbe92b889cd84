"""Ways to get a credential past `range`, `ci` and `push` that once worked."""

from __future__ import annotations

import hashlib
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

import pytest

from tests.corpus.values import hex_value
from tests.e2e import Pair
from tests.e2e.ranges import Gate, brought_by, gate, removed_by
from tests.hiding_contents import dotenv
from tests.repositories import Repository

FUTURES = 'from binance.um_futures import UMFutures\nURL = "https://testnet.binancefuture.com"\n'


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def project(repository: Repository) -> Repository:
    repository.commit({"README.md": "A bot.\n"})
    repository.git("branch", "base")
    return repository


def over(repository: Repository) -> Gate:
    return gate("range", "base..main", cwd=repository.folder)


class TestMessages:
    def test_a_line_that_reads_like_the_header_of_a_signature(self, project: Repository, pair: Pair) -> None:
        for start in ("gpgsig is broken", "mergetag of what\n was"):
            project.commit({}, message=f"{start}\n {pair.dotenv}".replace("\nBINANCE", "\n BINANCE"))
            assert over(project).is_of(pair)
            project.git("reset", "--quiet", "--hard", "base")

    def test_a_signature_that_has_no_end(self, project: Repository, pair: Pair) -> None:
        text = f"Sign\n\n-----BEGIN PGP SIGNATURE-----\n\n{'x' * 60}\n" + "words\n" * 700 + pair.dotenv
        project.commit({}, message=text)
        assert over(project).is_of(pair)


class TestLines:
    """Whose lines were there, and the value was not."""

    def test_base64_whose_first_line_stays(self, project: Repository, pair: Pair) -> None:
        head = "# how the bot for Binance is set up, in the order in which it starts\nmode = live\n" * 3
        project.commit({"bot.b64": _folded(head + "log = yes\n" * 9)})
        project.git("branch", "--force", "base")
        project.commit({"bot.b64": _folded(head + pair.dotenv)})
        assert over(project).is_of(pair)

    def test_halves_brought_together_by_a_deletion(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": _in_halves(pair, '  ", "\n')})
        project.git("branch", "--force", "base")
        project.commit({"bot.py": _in_halves(pair, "")})
        assert over(project).is_of(pair)

    def test_a_value_that_a_later_commit_reports_of(self, project: Repository) -> None:
        lines = _hex_pair()
        first = project.commit({"bot.py": lines})
        assert over(project).status == 0
        second = project.commit({"bot.py": FUTURES + lines})
        found = over(project)
        assert found.status == 1
        assert {brought_by(place) for place in found.places} == {second}
        assert first != second

    def test_a_value_that_a_later_commit_reports_of_under_another_name(self, project: Repository) -> None:
        lines = _hex_pair()
        project.commit({"old.py": lines})
        project.git("mv", "old.py", "new.py")
        project.commit({"new.py": FUTURES + lines})
        assert over(project).status == 1

    def test_a_value_of_the_base_that_a_commit_reports_of_stood_there(self, project: Repository) -> None:
        lines = _hex_pair()
        project.commit({"bot.py": lines})
        project.git("branch", "--force", "base")
        project.commit({"bot.py": f"# a comment\n{lines}"})
        project.commit({"bot.py": f"{FUTURES}# a comment\n{lines}"})
        assert over(project).status == 0

    def test_a_name_that_comes_later(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": f"x = '{pair.secret}'\n"})
        assert over(project).status == 0
        project.commit({"bot.py": f"BINANCE_API_SECRET = '{pair.secret}'\n"})
        assert over(project).status == 1


class TestHistory:
    def test_a_graft_hides_no_commit(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.env": dotenv(pair)})
        project.git("rm", "--quiet", "bot.env")
        head = project.commit()
        project.write(".git/info/grafts", f"{head} {project.git('rev-parse', 'base')}\n")
        assert over(project).is_of(pair)

    @pytest.mark.parametrize("words", [("range", "base..main"), ("ci", "--base", "base")])
    def test_a_list_of_commits_hides_none(self, project: Repository, pair: Pair, words: Sequence[str]) -> None:
        """git takes the parents of commits from it, and compares them with nothing."""
        base = project.git("rev-parse", "base")
        project.commit({"a.env": pair.dotenv})
        project.git("rm", "-q", "a.env")
        after = project.commit()
        project.commit()  # of the newest one git reads the commit itself
        project.git("commit-graph", "write", "--reachable")
        names = sorted(project.git("rev-list", "main").split())
        rows = _Chunks(project.path(".git/objects/info/commit-graph"), header=8)
        rows.write(b"CDAT", 36 * names.index(after) + 20, names.index(base).to_bytes(4, "big"))
        assert project.git("rev-list", "--count", "base..main") == "2"
        assert gate(*words, cwd=project.folder).is_of(pair)

    @pytest.mark.parametrize("words", [("range", "base..main"), ("ci", "--base", "base")])
    def test_an_index_of_several_packs_gives_no_other_contents(
        self, project: Repository, pair: Pair, words: Sequence[str]
    ) -> None:
        project.commit({"a.env": pair.dotenv})
        project.git("repack", "-adq")
        project.git("multi-pack-index", "write")
        listed = project.git("cat-file", "--batch-check=%(objectname)", "--batch-all-objects").split()
        ours, other = (listed.index(project.git("rev-parse", name)) for name in ("main:a.env", "main:README.md"))
        rows = _Chunks(project.path(".git/objects/pack/multi-pack-index"), header=12)
        rows.write(b"OOFF", 8 * ours, rows.read(b"OOFF", 8 * other, 8))
        assert project.git("show", "main:a.env") == "A bot."
        assert gate(*words, cwd=project.folder).is_of(pair)

    def test_a_submodule_in_the_place_of_the_file(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.env": dotenv(pair)})
        project.git("rm", "--quiet", "bot.env")
        project.git("update-index", "--add", "--cacheinfo", f"160000,{project.git('rev-parse', 'base')},bot.env")
        removed = project.commit()
        found = over(project)
        assert found.is_of(pair)
        assert {removed_by(place) for place in found.places} == {removed}

    def test_a_name_that_ends_with_a_carriage_return(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.env\r": dotenv(pair)})
        assert {place["exposure"] for place in over(project).places} == {"present"}

    def test_more_lost_files_than_a_command_line_takes(self, project: Repository, pair: Pair) -> None:
        project.git("checkout", "--quiet", "-b", "side")
        folder = "/".join(["d" * 240] * 8)
        for number in range(1_200):  # 2.3 MB of names
            project.write(f"{folder}/{number}.env", f"BINANCE_API_KEY={pair.key}\n")
        project.git("add", ".")
        project.commit()
        project.git("checkout", "--quiet", "main")
        project.commit({"README.md": "Another bot.\n"})
        project.git("merge", "--quiet", "--no-ff", "--strategy", "ours", "--message", "a merge", "side")
        found = over(project)
        assert found.status == 1
        assert {removed_by(place) for place in found.places} == {project.head()}


class TestDamage:
    def test_thousands_of_damaged_objects_are_reported(self, project: Repository) -> None:
        names = [f"{number}.txt" for number in range(1500)]
        for name in names:
            project.write(name, f"file {name}\n")
        project.git("add", ".")
        project.commit()
        for line in project.git("ls-tree", "-r", "HEAD").splitlines():
            loose = project.loose(line.split()[2])
            loose.chmod(0o644)
            loose.write_bytes(b"\x78\x01 no zlib stream")
        found = over(project)
        assert found.status == 3
        assert found.report is not None
        assert len(found.report["scan"]["skipped"]) >= len(names)


class TestPush:
    def test_the_message_of_a_tag_of_a_tag_of_a_tag(self, project: Repository, pair: Pair, tmp_path: Path) -> None:
        remote = Repository.create(tmp_path / "remote", "--bare")
        project.git("remote", "add", "origin", str(remote.folder))
        project.git("push", "--quiet", "origin", "main")
        tag = project.git("rev-parse", "main")
        for number in range(20):
            project.git("tag", "-a", f"t{number}", tag, "--message", pair.dotenv if number == 0 else "a tag")
            tag = project.git("rev-parse", f"t{number}")
        line = f"refs/tags/t19 {tag} refs/tags/t19 {'0' * 40}\n"
        found = gate("push", "origin", str(remote.folder), cwd=project.folder, stdin=line.encode())
        assert found.is_of(pair)
        for number in range(20, 101):
            project.git("tag", "-a", f"t{number}", tag, "--message", "a tag")
            tag = project.git("rev-parse", f"t{number}")
        line = f"refs/tags/t100 {tag} refs/tags/t100 {'0' * 40}\n"
        assert gate("push", "origin", str(remote.folder), cwd=project.folder, stdin=line.encode()).status == 3

    def test_a_branch_whose_name_has_a_line_separator(self, project: Repository, pair: Pair) -> None:
        head = project.commit({"bot.env": dotenv(pair)})
        line = f"refs/heads/a\u2028b {head} refs/heads/a\u2028b {project.git('rev-parse', 'base')}\n"
        found = gate("push", "origin", "file:///nowhere", cwd=project.folder, stdin=line.encode())
        assert found.is_of(pair)


class TestPolicyOfTheBase:
    """A change may make the configuration, or a folder on the way to it, a link: what the base has there counts."""

    @pytest.mark.parametrize("setting", ['exclude = ["/fixtures/"]', '[[allow]]\npath = "/fixtures/"\nreason = "ours"'])
    @pytest.mark.parametrize("link", [".binance-leaks.toml", "ci"])
    def test_patterns_count_from_where_the_base_has_the_configuration(
        self, project: Repository, pair: Pair, setting: str, link: str
    ) -> None:
        inside = "ci/gate.toml" if link == "ci" else link
        project.commit({inside: f"{setting}\n", "bots/gate.toml": ""})
        project.git("branch", "--force", "base")
        project.git("rm", "-r", "--quiet", link)
        project.path(link).symlink_to("bots" if link == "ci" else "bots/gate.toml")
        project.stage(link)
        project.commit({"bots/fixtures/bot.env": dotenv(pair)})
        assert gate("range", "base..main", "--policy", "base", "--config", inside, cwd=project.folder).status == 1
        if link != "ci":
            assert gate("range", "base..main", "--policy", "base", cwd=project.folder).status == 1

    @pytest.mark.parametrize("outside", [False, True])
    def test_the_folder_of_the_configuration_becomes_a_link(
        self, project: Repository, pair: Pair, tmp_path: Path, *, outside: bool
    ) -> None:
        lax = Repository(tmp_path / "lax") if outside else project
        lax.write("lax/gate.toml", 'fail-on = "none"\n')
        project.commit({"ci/gate.toml": 'fail-on = "info"\n'})
        project.git("branch", "--force", "base")
        project.git("rm", "-r", "--quiet", "ci")
        project.path("ci").symlink_to(lax.path("lax"))
        project.commit({"bot.env": dotenv(pair)})
        words = ("--policy", "base", "--config", "ci/gate.toml")
        assert gate("range", "base..main", *words, cwd=project.folder).status == 1


def test_a_tag_that_is_called_like_the_short_id_of_the_base(project: Repository, pair: Pair) -> None:
    project.commit({"bot.env": dotenv(pair)})
    project.git("rm", "--quiet", "bot.env")
    head = project.commit()
    short = project.git("rev-parse", "base")[:12]
    project.git("tag", short, head)
    variables = {
        "BITBUCKET_BUILD_NUMBER": "1",
        "BITBUCKET_COMMIT": head,
        "BITBUCKET_PR_ID": "1",
        "BITBUCKET_PR_DESTINATION_COMMIT": short,
        "BITBUCKET_PR_DESTINATION_BRANCH": "main",
    }
    assert gate("ci", cwd=project.folder, env=variables).is_of(pair)


class _Chunks:
    """A file of git in chunks, with a table of their names and offsets behind a header, and a digest at the end."""

    def __init__(self, file: Path, *, header: int) -> None:
        self._file = file
        data = file.read_bytes()
        table = [data[header + 12 * number :][:12] for number in range(data[6])]
        self._starts = {row[:4]: int.from_bytes(row[4:], "big") for row in table}

    def read(self, chunk: bytes, at: int, size: int) -> bytes:
        return self._file.read_bytes()[self._starts[chunk] + at :][:size]

    def write(self, chunk: bytes, at: int, new: bytes) -> None:
        data = self._file.read_bytes()
        at += self._starts[chunk]
        data = data[:at] + new + data[at + len(new) : -20]
        self._file.chmod(0o644)
        self._file.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())


def _folded(text: str) -> str:
    return "\n".join(textwrap.wrap(b64encode(text.encode()).decode(), 76)) + "\n"


def _in_halves(pair: Pair, between: str) -> str:
    key, secret = (f'("{value[:32]}"\n{between}  "{value[32:]}")' for value in (pair.key, pair.secret))
    return f"from binance.client import Client\nkey = {key}\nsecret = {secret}\nclient = Client(key, secret)\n"


def _hex_pair() -> str:
    key, secret = hex_value(SystemRandom()), hex_value(SystemRandom())
    return f'api_key = "{key}"\napi_secret = "{secret}"\nclient = connect(api_key, api_secret)\n'

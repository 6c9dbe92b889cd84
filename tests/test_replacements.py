"""The file for git-filter-repo: what is in it, who may read it, and that the real program rewrites by it."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from binance_leaks import replacements
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.model import Confidence, Credential, Environment, Role, Value
from binance_leaks.replacements import write_replacements

from tests.corpus import values
from tests.repositories import Repository

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
HARMLESS = "nothing to hide\n"


def credential(*found: Value) -> Credential:
    return Credential(
        values=found, occurrences=(), environment=Environment.MAINNET, confidence=Confidence.HIGH, evidence=()
    )


def pair(rng: Random) -> tuple[str, str, Credential]:
    """A key, its secret, and the credential that they are."""
    key, secret = values.hmac_value(rng), values.hmac_value(rng)
    found = credential(Value.of(Role.API_KEY, key.encode()), Value.of(Role.SECRET_KEY, secret.encode()))
    return key, secret, found


def private(der: bytes) -> Credential:
    return credential(Value.of(Role.PRIVATE_KEY, der))


def literals(file: Path) -> list[bytes]:
    """What the file replaces, as git-filter-repo reads it: a line split at its last arrow."""
    found = []
    for line in file.read_bytes().splitlines():
        old, new = line.rsplit(b"==>", 1)
        assert old.startswith(b"literal:")
        assert new == b"***REMOVED***"
        found.append(old.removeprefix(b"literal:"))
    return found


def rewritten(file: Path, text: str) -> str:
    """A text after the literals of a file were replaced in it, one after the other."""
    data = text.encode()
    for literal in literals(file):
        data = data.replace(literal, b"***REMOVED***")
    return data.decode()


class TestContent:
    """What the file says."""

    def test_each_value_once(self, tmp_path: Path) -> None:
        key, secret, found = pair(Random())
        alone = credential(Value.of(Role.SECRET_KEY, secret.encode()))
        assert write_replacements(tmp_path / "out", [found, alone, found]) == 2
        assert {key.encode(), secret.encode()} <= set(literals(tmp_path / "out"))
        assert len(set(literals(tmp_path / "out"))) == len(literals(tmp_path / "out"))

    def test_no_literal_is_short(self, tmp_path: Path) -> None:
        rng = Random()
        ders = (values.ed25519_der(rng), values.rsa_der(), values.rsa_der(pkcs1=True), values.encrypted_der(rng))
        assert write_replacements(tmp_path / "out", [pair(rng)[2], *map(private, ders)]) == 6
        assert min(map(len, literals(tmp_path / "out"))) >= 40

    def test_what_has_left_its_process_is_skipped(self, tmp_path: Path) -> None:
        _, _, found = pair(Random())
        assert write_replacements(tmp_path / "none", []) == 0
        assert list(tmp_path.iterdir()) == []
        assert write_replacements(tmp_path / "out", [found.without_secrets()]) == 0
        assert (tmp_path / "out").read_bytes() == b""  # what is removed by path only needs a file for the command

    @pytest.mark.parametrize("around", ["{}", "{}\n", "key: {}\n", "ab{}", "abc{}xyz", '{{"key": "{}"}}'])
    def test_a_value_in_base64_is_found_at_any_place(self, tmp_path: Path, around: str) -> None:
        key, _, found = pair(Random())
        write_replacements(tmp_path / "out", [found])
        encoded = base64.b64encode(around.format(key).encode()).decode()
        left = rewritten(tmp_path / "out", f"data: {encoded}\n")
        assert "***REMOVED***" in left
        assert not any(encoded[at : at + 12] in left for at in range(16, 76))

    @pytest.mark.parametrize("form", ["ed25519", "rsa", "pkcs1", "encrypted"])
    @pytest.mark.parametrize("columns", [64, 76, 10_000])
    @pytest.mark.parametrize("joint", ["\n", "\r\n", "\\n", "\n    ", '" +\n  "'])
    def test_a_private_key_is_found_however_it_is_broken(
        self, tmp_path: Path, form: str, columns: int, joint: str
    ) -> None:
        rng = Random()
        der = {
            "ed25519": values.ed25519_der(rng),
            "rsa": values.rsa_der(),
            "pkcs1": values.rsa_der(pkcs1=True),
            "encrypted": values.encrypted_der(rng),
        }[form]
        assert write_replacements(tmp_path / "out", [private(der)]) == 1
        body = base64.b64encode(der).decode()
        lines = [body[start : start + columns] for start in range(0, len(body), columns)]
        left = rewritten(tmp_path / "out", joint.join(lines))
        assert not any(body[at : at + 40] in left for at in range(len(body) - 40))
        assert sum(map(len, left.split("***REMOVED***"))) < len(body) // 3 + len(joint) * len(lines)

    def test_a_seed_by_itself_is_found(self, tmp_path: Path) -> None:
        der = values.ed25519_der(Random())
        write_replacements(tmp_path / "out", [private(der)])
        seed = base64.b64encode(der[-32:]).decode()
        assert rewritten(tmp_path / "out", f"seed={seed}") == "seed=***REMOVED***="


class TestFile:
    """How the file is made."""

    @POSIX
    def test_only_the_user_can_read_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        modes: list[int] = []
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", watched)
        before = os.umask(0)
        try:
            write_replacements(tmp_path / "out", [pair(Random())[2]])
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
        assert modes == [0o600]
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        file = tmp_path / "out"
        file.write_text("mine")
        with pytest.raises(UsageError) as raised:
            write_replacements(file, [pair(Random())[2]])
        assert "Delete it" in raised.value.hint
        assert file.read_text() == "mine"

    @POSIX
    @pytest.mark.parametrize("target", ["there", "nowhere"])
    def test_no_link_is_followed(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "there").write_text("mine")
        (tmp_path / "out").symlink_to(tmp_path / target)
        with pytest.raises(UsageError):
            write_replacements(tmp_path / "out", [pair(Random())[2]])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "there"]
        assert (tmp_path / "there").read_text() == "mine"

    def test_a_folder_that_is_missing_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="there is no folder"):
            write_replacements(tmp_path / "no" / "out", [pair(Random())[2]])

    @pytest.mark.parametrize("links", [True, False])
    def test_a_file_that_appears_meanwhile_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
    ) -> None:
        file, asked = tmp_path / "out", 0

        def early(path: Path) -> None:
            nonlocal asked
            asked += 1
            if asked == 1:
                path.write_text("mine")

        def refused(source: Path, target: Path) -> None:
            raise PermissionError(f"no links: {source.name} {target.name}")

        monkeypatch.setattr(replacements, "refuse_existing", early)
        if not links:
            monkeypatch.setattr(os, "link", refused)
        with pytest.raises(ScanError):
            write_replacements(file, [pair(Random())[2]])
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
        assert file.read_text() == "mine"

    def test_without_links_it_is_renamed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(source: Path, target: Path) -> None:
            raise PermissionError(f"no links: {source.name} {target.name}")

        monkeypatch.setattr(os, "link", refused)
        assert write_replacements(tmp_path / "out", [pair(Random())[2]]) == 2
        assert [path.name for path in tmp_path.iterdir()] == ["out"]


class TestFilterRepo:
    """The real git-filter-repo."""

    @staticmethod
    def filter(repository: Repository, *options: str | Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "git_filter_repo", "--quiet", *options],
            cwd=repository.folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    @staticmethod
    def everything(repository: Repository) -> bytes:
        """Every object of the object database, reachable or not."""
        done = subprocess.run(
            ["git", "cat-file", "--batch", "--batch-all-objects"],
            cwd=repository.folder, capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout

    def test_no_object_holds_a_value_any_more(self, repository: Repository, tmp_path: Path) -> None:
        rng = Random()
        key, secret, found = pair(rng)
        der = values.rsa_der()
        pem = values.pem("PRIVATE KEY", der)
        repository.commit({"README": HARMLESS})
        repository.commit({"bot.py": f'client = Client("{key}", "{secret}")\n', "key.pem": pem})
        encoded = base64.b64encode(f"{secret}\n".encode()).decode()
        repository.commit({"k8s.yaml": f"data:\n  secret: {encoded}\n"}, message=f"use {key}")
        repository.git("tag", "--annotate", "v1", "--message", f"with {secret}")
        repository.git("rm", "--quiet", "bot.py", "key.pem", "k8s.yaml")
        repository.commit(message="clean up")
        repository.commit({"amended": f"{key}\n"}, message="oops")
        repository.git("commit", "--quiet", "--amend", "--no-verify", "--message", f"oops, {secret}")
        gone = [key, secret, encoded, *pem.splitlines()[1:-2]]
        before = self.everything(repository)
        assert all(each.encode() in before for each in gone)

        file = tmp_path / "replacements.txt"
        assert write_replacements(file, [found, private(der)]) == 3
        self.filter(repository, "--force", "--replace-text", file, "--replace-message", file)

        after = self.everything(repository)
        assert not [each for each in gone if each.encode() in after]
        assert HARMLESS.encode() in after
        assert after.count(b"***REMOVED***") > len(gone) // 2
        assert repository.git("show", "-s", "--format=%s", "HEAD") == "oops, ***REMOVED***"

    def test_the_commands_for_a_clone(self, repository: Repository, tmp_path: Path) -> None:
        """As the report gives them for what was pushed, notes included."""
        key, _, found = pair(Random())
        repository.commit({"README": HARMLESS})
        repository.commit({"bot.py": f"KEY = '{key}'\n"})
        repository.git("notes", "add", "--message", key)
        remote = Repository.create(tmp_path / "remote.git", "--bare")
        repository.git("push", "--quiet", "--mirror", str(remote.folder))
        tmp_path.joinpath("work").mkdir()
        repository.git(
            "clone", "--quiet", "--mirror", "--no-local", str(remote.folder), str(tmp_path / "work/clean.git")
        )
        clean = Repository(tmp_path / "work" / "clean.git")
        write_replacements(tmp_path / "work" / "replacements.txt", [found])
        self.filter(clean, "--replace-text", "../replacements.txt", "--replace-message", "../replacements.txt")
        clean.git("push", "--quiet", "--force", "--mirror", str(remote.folder))
        remote.git("gc", "--quiet", "--prune=now")
        for each in (clean, remote):
            assert key.encode() not in self.everything(each)
            assert HARMLESS.encode() in self.everything(each)

    def test_the_commands_for_what_nothing_leads_to(self, repository: Repository) -> None:
        key, _, _ = pair(Random())
        repository.commit({"README": HARMLESS})
        repository.commit({"bot.py": f"KEY = '{key}'\n"})
        repository.git("reset", "--quiet", "--hard", "HEAD~")
        repository.write("README", f"{key}\n")
        repository.git("stash", "push", "--quiet")
        repository.git("stash", "drop", "--quiet")
        assert key.encode() in self.everything(repository)
        repository.git("reflog", "expire", "--expire=now", "--all")
        repository.git("gc", "--quiet", "--prune=now")
        assert key.encode() not in self.everything(repository)


def test_an_iterator_is_enough(tmp_path: Path) -> None:
    found: Iterable[Credential] = (pair(Random())[2] for _ in range(3))
    assert write_replacements(tmp_path / "out", found) == 6

"""Fetches: few settings of a clone count, nothing else of it is written, and a silent remote is given up."""

from __future__ import annotations

import gzip
import http.server
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from binance_leaks.errors import GitError
from binance_leaks.sources.fetching import Fetcher

from tests.repositories import Repository
from tests.sources.test_clone import listening

HOST = "https://host.example/"
COUNTING = {
    "core.sharedrepository", "credential.username", "http.extraheader", "http.sslcainfo", "http.sslcapath",
    "http.version",
    f"credential.{HOST}.username", f"http.{HOST}.extraheader", f"http.{HOST}.sslcainfo", f"http.{HOST}.sslcapath",
    f"http.{HOST}.version", "remote.origin.fetch", "remote.origin.partialclonefilter", "remote.origin.promisor",
    "remote.origin.url", f"url.{HOST}.insteadof",
}  # fmt: skip
"""All that a clone can say about how git fetches, of what git documents."""


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository.create(tmp_path / "upstream")
    for number in range(4):
        repository.commit({"a.py": f"x = {number}\n"})
    return repository


@pytest.fixture
def clone(upstream: Repository, tmp_path: Path) -> Repository:
    upstream.git("clone", "--quiet", "--depth=1", upstream.folder.as_uri(), str(tmp_path / "clone"))
    return Repository(tmp_path / "clone")


def fetched(clone: Repository, upstream: Repository) -> bool:
    """Whether a commit of the remote that the clone does not have gets there."""
    lacking = upstream.git("rev-parse", "HEAD~2")
    assert clone.run("cat-file", "-e", lacking).status != 0
    assert Fetcher(str(clone.folder)).more([lacking])
    return clone.run("cat-file", "-e", lacking).status == 0


def in_effect(clone: Repository, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The settings with which git would fetch."""
    listed: list[str] = []

    def look(fetcher: Fetcher, *_: object, **__: object) -> tuple[int, list[str]]:
        folder = clone.folder.parent / uuid4().hex
        folder.mkdir()
        fetcher._copy_refs(folder)
        git, _ = fetcher._git_in(folder)
        listed.extend(git.run("config", "--list", "-z").decode().split("\0")[:-1])
        return 0, []

    monkeypatch.setattr(Fetcher, "_run", look)
    Fetcher(str(clone.folder)).more(["main"])
    return listed


def test_which_settings_of_a_clone_count(clone: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    documented = subprocess.run(["git", "help", "--config"], capture_output=True, text=True, check=True).stdout.split()
    value = uuid4().hex
    names = {re.sub(r"<(?:name|remote|group)>", "origin", re.sub(r"<(?:url|base)>", HOST, name)) for name in documented}
    names |= {
        f"{name.partition('.')[0]}.{HOST}.{name.partition('.')[2]}"
        for name in names
        if re.match(r"(http|credential)\.\w+$", name)
    }
    names = {re.sub(r"<[^>]*>|\*", "origin", name) for name in names}
    assert len(names) > 500
    found = [(name, value) for name in names if name != "remote.origin.vcs"]
    found += [("remote.origin.url", HOST), ("http.cookiefile", "x"), ("http.savecookies", "true")]
    monkeypatch.setattr(Fetcher, "_local_settings", [(name.lower(), value) for name, value in found])
    settings = dict(entry.partition("\n")[::2] for entry in in_effect(clone, monkeypatch))
    ours = {name for name, given in settings.items() if given in (value, HOST)} | {
        "remote.origin.promisor"
    } & settings.keys()
    assert ours == {name.replace(HOST.lower(), HOST) for name in COUNTING}


@pytest.mark.parametrize(
    ("proxy", "counts"),
    [
        ("http://localhost:29418/", True), ("127.0.0.1:80", True), ("http://[::1]:80", True), ("", True),
        ("http://proxy.example:80", False), ("http://localhost.example", False),
        ("http://127.0.0.1@proxy.example", False), ("socks5://localhost:1", False),
    ],
)  # fmt: skip
def test_a_proxy_of_the_clone_counts_on_this_machine(
    clone: Repository, monkeypatch: pytest.MonkeyPatch, proxy: str, counts: bool
) -> None:
    clone.git("config", "http.http://bitbucket.example.proxy", proxy)
    assert (f"http.http://bitbucket.example.proxy\n{proxy}" in in_effect(clone, monkeypatch)) is counts


def test_settings_that_are_included_count_as_the_clone_s(
    clone: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "included").write_text(f"[http]\n\textraHeader = a: {tmp_path.name}\n\tcookieFile = x\n")
    clone.git("config", f"includeIf.gitdir:{clone.folder}/.git.path", str(tmp_path / "included"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.cookieFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "mine")
    settings = in_effect(clone, monkeypatch)
    assert f"http.extraheader\na: {tmp_path.name}" in settings
    assert [each for each in settings if each.startswith("http.cookie")] == ["http.cookiefile\nmine"]


def test_a_failure_names_the_settings_that_do_not_count(clone: Repository) -> None:
    clone.git("remote", "set-url", "origin", "https://127.0.0.1:9/a")
    word = uuid4().hex
    for name, value in (
        ("http.proxy", "http://proxy.example"),
        (f"http.https://me:{word}@127.0.0.1.sslVerify", "false"),
    ):
        clone.git("config", name, value)
    with pytest.raises(GitError, match="git fetch") as caught:
        Fetcher(str(clone.folder)).more(["main"])
    assert "http.proxy, http.https://127.0.0.1.sslverify" in caught.value.hint
    assert word not in caught.value.hint + str(caught.value)


class TestWhatIsWritten:
    """What git fetches arrives in the clone, and nothing but objects, the boundary and branches of the remote."""

    def test_branches_of_the_remote_only(self, clone: Repository, upstream: Repository) -> None:
        clone.git("config", "remote.origin.fetch", "+refs/*:refs/*")
        upstream.git("branch", "other")
        new = upstream.commit({"a.py": "new\n"})
        clone.git("remote", "set-head", "origin", "--delete")
        before = clone.git("for-each-ref")
        assert fetched(clone, upstream)
        assert Fetcher(str(clone.folder)).more(["+refs/heads/main:refs/remotes/origin/main"])
        after = clone.git("for-each-ref")
        assert set(after.splitlines()) - set(before.splitlines()) == {f"{new} commit\trefs/remotes/origin/main"}
        assert not clone.path(".git/FETCH_HEAD").exists()

    @pytest.mark.parametrize("link", ["logs", "logs/refs/remotes/origin/new", "refs/remotes/origin"])
    def test_no_link_is_followed(self, clone: Repository, upstream: Repository, tmp_path: Path, link: str) -> None:
        upstream.git("branch", "new")
        clone.git("config", "user.name", "$(touch x)")
        there, path = tmp_path / "there", clone.path(f".git/{link}")
        if path.is_dir():
            path.rename(there)
        else:
            there.write_text("mine\n")
        for name in ("refs/remotes/origin/new", "refs/remotes/origin"):
            (there / name).parent.mkdir(parents=True, exist_ok=True) if there.is_dir() else None
        before = sorted(there.rglob("*")), there.read_text() if there.is_file() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(there)
        with pytest.raises(GitError, match="link"):
            Fetcher(str(clone.folder)).more(["+refs/heads/new:refs/remotes/origin/new"])
        assert (sorted(there.rglob("*")), there.read_text() if there.is_file() else "") == before

    @pytest.mark.parametrize("log", ["logs/refs/heads/other", "logs/HEAD"])
    def test_no_link_is_followed_from_the_log_of_another_name(
        self, clone: Repository, upstream: Repository, tmp_path: Path, log: str
    ) -> None:
        upstream.git("branch", "new")
        if log == "logs/HEAD":
            clone.git("symbolic-ref", "HEAD", "refs/remotes/origin/new")
        else:
            clone.git("symbolic-ref", "refs/remotes/origin/new", "refs/heads/other")
        there, path = tmp_path / "there", clone.path(f".git/{log}")
        there.write_text("mine\n")
        path.unlink(missing_ok=True)
        path.symlink_to(there)
        with pytest.raises(GitError, match="link") if log == "logs/HEAD" else nullcontext():
            Fetcher(str(clone.folder)).more(["+refs/heads/new:refs/remotes/origin/new"])
        assert there.read_text() == "mine\n"
        assert clone.run("rev-parse", "--verify", "refs/heads/other").status != 0

    def test_a_branch_that_leads_to_another_ref(self, clone: Repository, upstream: Repository) -> None:
        upstream.git("branch", "new", "HEAD~1")
        clone.git("branch", "other")
        clone.git("symbolic-ref", "refs/remotes/origin/new", "refs/heads/other")
        other = clone.git("rev-parse", "other")
        assert Fetcher(str(clone.folder)).more(["+refs/heads/new:refs/remotes/origin/new"])
        assert clone.git("rev-parse", "other") == other
        assert clone.git("rev-parse", "refs/remotes/origin/new") == upstream.git("rev-parse", "new")

    def test_a_locked_branch_is_not_waited_for(self, clone: Repository, upstream: Repository) -> None:
        upstream.git("branch", "new")
        clone.git("config", "core.filesRefLockTimeout", "90000")
        clone.path(".git/refs/remotes/origin/new.lock").touch()
        started = time.monotonic()
        with pytest.raises(GitError, match="lock"):
            Fetcher(str(clone.folder)).more(["+refs/heads/new:refs/remotes/origin/new"])
        assert time.monotonic() - started < 60

    def test_a_boundary_that_is_a_link(self, clone: Repository, upstream: Repository, tmp_path: Path) -> None:
        shallow = clone.path(".git/shallow")
        shallow.rename(tmp_path / "there")
        shallow.symlink_to(tmp_path / "there")
        before = (tmp_path / "there").read_text()
        assert fetched(clone, upstream)
        assert (tmp_path / "there").read_text() == before
        clone.git("fsck")

    def test_all_of_the_history(self, clone: Repository) -> None:
        fetcher = Fetcher(str(clone.folder))
        for _ in range(4):
            fetcher.more(["HEAD"])
        assert clone.git("rev-list", "--count", "HEAD") == "4"
        assert not clone.path(".git/shallow").exists()
        clone.git("fsck")

    def test_another_kind_of_ids(self, tmp_path: Path) -> None:
        upstream = Repository.create(tmp_path / "upstream", "--object-format=sha256")
        for number in range(4):
            upstream.commit({"a.py": f"x = {number}\n"})
        upstream.git("clone", "--quiet", "--depth=1", upstream.folder.as_uri(), str(tmp_path / "clone"))
        assert fetched(Repository(tmp_path / "clone"), upstream)

    def test_a_work_tree_beside_and_a_path_as_address(self, clone: Repository, upstream: Repository) -> None:
        clone.git("remote", "set-url", "origin", "../upstream")
        clone.git("worktree", "add", "--quiet", "--detach", "../beside")
        assert fetched(Repository(clone.folder.parent / "beside"), upstream)


def test_a_repository_on_this_disk_fetches_nothing_itself(
    clone: Repository, upstream: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    script = upstream.script("look", f'echo "$GIT_ALLOW_PROTOCOL" > {seen}', 'exec "$@"')
    settings = tmp_path / "settings"
    settings.write_text(f"[uploadpack]\n\tpackObjectsHook = {script}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert fetched(clone, upstream)
    assert seen.read_text().startswith("none-")


@dataclass
class Served:
    """Repositories of a folder at http://127.0.0.1:{port}/; `headers` are those that came."""

    port: int
    headers: list[dict[str, str]] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    root: Path
    served: Served

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        self._answer(self.rfile.read(int(length)) if length else b"".join(self._chunks()))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def _answer(self, body: bytes) -> None:
        self.served.headers.append(dict(self.headers.items()))
        path, _, query = self.path.partition("?")
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        variables = {
            "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        ran = subprocess.run(["git", "http-backend"], env={**os.environ, **variables}, input=body, capture_output=True)
        head, _, content = ran.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.send_header("Set-Cookie", "a=b; Max-Age=1000; Path=/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def served(upstream: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(_Handler):
        root = upstream.folder.parent

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Handler.served = Served(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Handler.served
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("of", ["", "http://127.0.0.1:{}/.", "http://127.0.0.1:{}/upstream/.git."])
def test_headers_are_sent_and_no_file_is_written_or_sent(
    clone: Repository, upstream: Repository, tmp_path: Path, served: Served, of: str
) -> None:
    jar, scope, word = tmp_path / "jar", of.format(served.port), uuid4().hex
    jar.write_text(f"127.0.0.1\tFALSE\t/\tFALSE\t{2**33}\tmine\t{word}\n")
    before = jar.read_text()
    clone.git("remote", "set-url", "origin", f"http://127.0.0.1:{served.port}/upstream/.git")
    for name, value in {
        "extraHeader": f"X-Token: {tmp_path.name}", "cookieFile": str(jar), "saveCookies": "true",
        "userAgent": "theirs", "proxy": "http://proxy.invalid:1",
    }.items():  # fmt: skip
        clone.git("config", f"http.{scope}{name}", value)
    assert fetched(clone, upstream)
    assert {headers.get("X-Token") for headers in served.headers} == {tmp_path.name}
    assert not any("Cookie" in headers or headers["User-Agent"] == "theirs" for headers in served.headers)
    assert jar.read_text() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/a", "https://127.0.0.1:{}/a", "ssh://git@127.0.0.1:{}/a"])
def test_a_remote_that_does_not_answer(clone: Repository, url: str) -> None:
    with listening(answer=True) as port:
        clone.git("remote", "set-url", "origin", url.format(port))
        begun = time.monotonic()
        with pytest.raises(GitError, match="git fetch: the host did not answer in time"):
            Fetcher(str(clone.folder), patience=1).more(["main"])
        assert time.monotonic() - begun < 60


def test_no_place_for_temporary_folders(clone: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(GitError, match="no folder to fetch in") as caught:
        Fetcher(str(clone.folder)).more(["main"])
    assert "TMPDIR" in caught.value.hint

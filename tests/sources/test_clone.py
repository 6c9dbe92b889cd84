"""Clones: all refs arrive, nothing hostile runs, no login shows, every failure is reported, nothing is left behind."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.server
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from binance_leaks.errors import GitError, ScannerError, UsageError
from binance_leaks.sources.clone import (
    CloneProgress,
    clone_mirror,
    is_url,
    list_remote_refs,
    redact_url,
    temporary_clone,
    update_clone,
)
from binance_leaks.sources.urls import normalize_url
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.repositories import Repository

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs shell scripts and process groups of POSIX")

each_transport = pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{}/a",
        pytest.param(
            "ssh://git@127.0.0.1:{}/a",
            marks=pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed"),
        ),
    ],
)


def quiet(_: CloneProgress) -> None:
    return None


def refs(folder: Path) -> set[str]:
    return set(Repository(folder).git("for-each-ref", "--format=%(objectname) %(refname)").splitlines())


def reported(error: ScannerError) -> str:
    return f"{error}\n{error.hint}\n{error!r}\n{error.__cause__}"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def source(repository: Repository) -> Repository:
    """A repository with refs of every kind."""
    repository.commit({"a": "one\n"})
    repository.git("tag", "--annotate", "v1", "--message", "first")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit({"b": "two\n"})
    repository.git("checkout", "--quiet", "main")
    repository.git("notes", "add", "--message", "a note", "HEAD")
    repository.git("update-ref", "refs/pull/1/head", "side")
    repository.git("branch", "--quiet", "--delete", "--force", "side")
    return repository


@pytest.mark.parametrize(
    "text",
    [
        "https://host/a.git", "HTTPS://host/a", "http://host/a", "ssh://git@host:22/a", "file:///a/b", "git://host/a",
        "git@host:a/b.git", "host:a", "[::1]:a", "me@[::1]:a", "ext::sh -c true", "fd::3", "::a", "ftp://host/a",
        "ext://sh", "x-y::https://host/a",
    ],
)  # fmt: skip
def test_urls(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a", "a/b", "./a:b", "/a:b", "../host:a", "~/a:b", "a/b:c", "C:\\a", "C:/a", "x" * 5000]
)
def test_paths(text: str) -> None:
    assert not is_url(text)


def test_what_is_here_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_url("host:a")
    (tmp_path / "host:a").mkdir()
    assert not is_url("host:a")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a.git", "https://host/a.git"),
        ("https://{0}@host/a", "https://host/a"),
        ("https://me:{0}@host:8443/a", "https://host:8443/a"),
        ("https://me:x@{0}@host/a", "https://host/a"),
        ("https://me:{0}/x@host/a", "https://…"),
        ("https://host/a?access_token={0}", "https://host/a"),
        ("https://host/a#{0}", "https://host/a"),
        ("https://host?{0}", "https://host"),
        ("http://me:{0}@host/a", "http://host/a"),
        ("ssh://git@host:22/a", "ssh://git@host:22/a"),
        ("ssh://git:{0}@host/a", "ssh://git@host/a"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("me:{0}@host:a", "host:a"),
        ("x::https://me:{0}@host/a", "x::https://host/a"),
        ("file:///a/b@c", "file:///a/b@c"),
        ("/a:b@c", "/a:b@c"),
        ("https://host/\x1b[31m", "https://host/\ufffd[31m"),
    ],
)
def test_a_shown_url_holds_no_login(url: str, shown: str) -> None:
    secret = uuid4().hex
    assert redact_url(url.format(secret)) == shown
    assert secret not in shown


@pytest.mark.parametrize("write", ["file://{}", "{}"])
def test_all_refs_arrive(source: Repository, tmp_path: Path, write: str) -> None:
    seen: list[CloneProgress] = []
    clone_mirror(write.format(source.folder), tmp_path / "mirror", seen.append)
    mirror = Repository(tmp_path / "mirror")
    assert refs(mirror.folder) == refs(source.folder) > set()
    assert {line.split()[1] for line in refs(mirror.folder)} >= {
        "refs/notes/commits",
        "refs/pull/1/head",
        "refs/tags/v1",
    }
    assert mirror.git("rev-parse", "--is-bare-repository") == "true"
    mirror.git("fsck", "--full")
    assert not list((mirror.folder / "hooks").glob("*")) if (mirror.folder / "hooks").exists() else True
    assert seen[0] == CloneProgress(phase="connecting", done=0, total=None)
    assert {one.phase for one in seen} >= {"counting objects", "receiving objects"}
    assert all(one.total is None or 0 <= one.done <= one.total for one in seen)


def test_an_empty_repository(repository: Repository, tmp_path: Path) -> None:
    clone_mirror(f"file://{repository.folder}", tmp_path / "mirror", quiet)
    assert refs(tmp_path / "mirror") == set()


def test_a_damaged_object_arrives(source: Repository, tmp_path: Path) -> None:
    """git would refuse what its checks do not like, if the user has switched them on."""
    raw = source.git("cat-file", "commit", "HEAD").replace("author A Test <", "author A Test <<")
    path = source.write("raw", raw + "\n")
    odd = source.git("hash-object", "-t", "commit", "-w", "--literally", str(path))
    source.git("update-ref", "refs/heads/odd", odd)
    settings = source.write("settings", "[transfer]\n\tfsckObjects = true\n[fetch]\n\tfsckObjects = true\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        assert source.run("clone", "--mirror", f"file://{source.folder}", str(tmp_path / "other")).status != 0
        clone_mirror(f"file://{source.folder}", tmp_path / "mirror", quiet)
    assert refs(tmp_path / "mirror") == refs(source.folder)


@pytest.mark.parametrize(
    "url",
    [
        "http://host/a", "git://host/a", "ftp://host/a", "ext::touch {marker}", "fd::3", "ext://touch {marker}",
        "git+ssh://host/a", "::x", "file::/a", "https::https://host/a", "ssh://-oProxyCommand=touch {marker}/a",
        "-oProxyCommand=touch:a", "me@-oProxyCommand=x:a", "--upload-pack=touch:a", "https://-x/a", "https:///a",
        "https://host/a?b", "https://host/a#b", "https://host/a\nb", "https://me:x%0ay@host/a", "", "nowhere",
        "ssh://me@/a", "me:word@host:a",
    ],
)  # fmt: skip
def test_what_is_refused(url: str, tmp_path: Path, temporary: Path) -> None:
    marker = tmp_path / "marker"
    filled = url.format(marker=marker)
    with pytest.raises(UsageError):
        clone_mirror(filled, tmp_path / "mirror", quiet)
    with pytest.raises(UsageError):
        update_clone(filled, tmp_path / "mirror", quiet)
    with pytest.raises(UsageError), temporary_clone(filled, quiet):
        pass
    assert not marker.exists()
    assert not (tmp_path / "mirror").exists()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("url", ["http://host/a", "ext::true"])
def test_a_refused_protocol_has_a_hint(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        clone_mirror(url, tmp_path / "mirror", quiet)
    assert "https://" in caught.value.hint


def test_a_full_folder_is_not_touched(source: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "a").write_text("mine")
    for way in (clone_mirror, update_clone):
        with pytest.raises(UsageError):
            way(f"file://{source.folder}", folder, quiet)
    with pytest.raises(UsageError):
        update_clone(f"file://{source.folder}", folder / "a", quiet)
    assert (folder / "a").read_text() == "mine"


def test_no_such_repository(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    with pytest.raises(GitError, match="there is no such repository") as caught:
        clone_mirror(f"file://{tmp_path}/nowhere", tmp_path / "mirror", quiet)
    assert caught.value.hint
    assert not list((tmp_path / "mirror").iterdir())


class TestTemporary:
    def test_it_is_removed(self, source: Repository, temporary: Path) -> None:
        with temporary_clone(f"file://{source.folder}", quiet) as folder:
            assert folder.is_relative_to(temporary)
            assert refs(folder) == refs(source.folder)
            closed = folder / "closed"
            closed.mkdir()
            (closed / "a").touch()
            (closed / "a").chmod(stat.S_IREAD)
            closed.chmod(stat.S_IREAD | stat.S_IEXEC)
        assert not list(temporary.iterdir())

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
    def test_it_is_removed_after_an_error(
        self, source: Repository, temporary: Path, error: type[BaseException]
    ) -> None:
        with pytest.raises(error), temporary_clone(f"file://{source.folder}", quiet):
            raise error
        assert not list(temporary.iterdir())

    @pytest.mark.parametrize("phase", ["connecting", "receiving objects"])
    def test_it_is_removed_after_an_interrupt_while_it_is_cloned(
        self, source: Repository, temporary: Path, phase: str
    ) -> None:
        def interrupt(progress: CloneProgress) -> None:
            if progress.phase == phase:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), temporary_clone(f"file://{source.folder}", interrupt):
            pytest.fail("it went on")
        assert not list(temporary.iterdir())

    def test_it_is_removed_after_a_failure(self, tmp_path: Path, temporary: Path) -> None:
        with pytest.raises(GitError), temporary_clone(f"file://{tmp_path}/nowhere", quiet):
            pytest.fail("it went on")
        assert not list(temporary.iterdir())

    def test_its_name_speaks_of_no_exchange(self, source: Repository, temporary: Path) -> None:
        with temporary_clone(f"file://{source.folder}", quiet) as folder:
            assert "binance" not in str(folder.relative_to(temporary)).lower()


class TestKept:
    def test_it_is_brought_up_to_date(self, source: Repository, tmp_path: Path) -> None:
        url, folder = f"file://{source.folder}", tmp_path / "kept"
        update_clone(url, folder, quiet)
        gone = Repository(folder).git("rev-parse", "refs/pull/1/head")
        source.git("update-ref", "-d", "refs/pull/1/head")
        source.git("commit", "--quiet", "--amend", "--allow-empty", "--message", "another")
        source.git("branch", "new")
        assert refs(folder) != refs(source.folder)
        seen: list[CloneProgress] = []
        update_clone(url, folder, seen.append)
        assert refs(folder) == refs(source.folder)
        assert Repository(folder).git("cat-file", "-t", gone) == "commit"
        assert "receiving objects" in {one.phase for one in seen} or "counting objects" in {one.phase for one in seen}
        update_clone(url, folder, quiet)
        assert refs(folder) == refs(source.folder)

    def test_a_folder_that_was_made_for_it(self, source: Repository, tmp_path: Path) -> None:
        (tmp_path / "kept").mkdir()
        update_clone(str(source.folder), tmp_path / "kept", quiet)
        update_clone(str(source.folder), tmp_path / "kept", quiet)
        assert refs(tmp_path / "kept") == refs(source.folder)

    def test_a_mirror_of_something_else(self, source: Repository, tmp_path: Path) -> None:
        update_clone(f"file://{source.folder}", tmp_path / "kept", quiet)
        other = Repository.create(tmp_path / "other")
        with pytest.raises(UsageError) as caught:
            update_clone(f"file://{other.folder}", tmp_path / "kept", quiet)
        assert caught.value.hint
        assert refs(tmp_path / "kept") == refs(source.folder)

    def test_a_clone_that_is_no_mirror(self, source: Repository, tmp_path: Path) -> None:
        for name, option in (("bare", "--bare"), ("tree", "--no-local")):
            source.git("clone", "--quiet", option, f"file://{source.folder}", str(tmp_path / name))
            with pytest.raises(UsageError):
                update_clone(f"file://{source.folder}", tmp_path / name, quiet)

    @posix_only
    @pytest.mark.parametrize(
        "name", ["remote.origin.uploadpack", "core.sshCommand", "core.fsmonitor", "include.path", "remote.origin.vcs"]
    )
    def test_settings_that_could_run_a_program(self, source: Repository, tmp_path: Path, name: str) -> None:
        url, folder, marker = f"file://{source.folder}", tmp_path / "kept", tmp_path / "marker"
        update_clone(url, folder, quiet)
        Repository(folder).git("config", name, f"touch {marker};")
        with pytest.raises(UsageError):
            update_clone(url, folder, quiet)
        assert not marker.exists()

    @posix_only
    def test_its_hooks_do_not_run(self, source: Repository, tmp_path: Path) -> None:
        url, folder, marker = f"file://{source.folder}", tmp_path / "kept", tmp_path / "marker"
        update_clone(url, folder, quiet)
        for name in ("reference-transaction", "post-update", "pre-auto-gc"):
            Repository(folder).script(f"hooks/{name}", f"touch {marker}")
        source.commit({"c": "three\n"})
        update_clone(url, folder, quiet)
        assert refs(folder) == refs(source.folder)
        assert not marker.exists()


@posix_only
def test_a_hostile_repository_runs_nothing(source: Repository, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    harm = f"touch {marker}"
    for name in ("post-checkout", "reference-transaction", "pre-receive", "post-upload-pack", "pre-auto-gc"):
        source.script(f".git/hooks/{name}", harm)
    source.git("update-index", "--add", "--cacheinfo", f"160000,{source.git('rev-parse', 'HEAD')},inner")
    modules = f'[submodule "inner"]\n\tpath = inner\n\turl = ext::sh -c "{harm}"\n\tupdate = !{harm}\n'
    source.commit({".gitmodules": modules, ".gitattributes": "* filter=harm diff=harm\n"})
    for name in (
        "filter.harm.smudge", "filter.harm.process", "diff.harm.textconv", "core.fsmonitor",
        "uploadpack.packObjectsHook", "core.alternateRefsCommand", "core.sshCommand", "core.gitProxy",
        "core.pager", "credential.helper",
    ):  # fmt: skip
        source.git("config", name, harm)
    marker.unlink(missing_ok=True)
    clone_mirror(f"file://{source.folder}", tmp_path / "mirror", quiet)
    assert (tmp_path / "mirror" / "HEAD").exists()
    assert not marker.exists()


@posix_only
def test_templates_and_hooks_of_the_user_do_not_run(
    source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    user = Repository(tmp_path / "user")
    user.script("template/hooks/reference-transaction", f"touch {marker}")
    user.script("hooks/reference-transaction", f"touch {marker}")
    settings = user.write(
        "settings",
        f"[init]\n\ttemplateDir = {user.folder}/template\n[core]\n\thooksPath = {user.folder}/hooks\n"
        "[clone]\n\tdefaultRemoteName = upstream\n",
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", f"{user.folder}/template")
    update_clone(f"file://{source.folder}", tmp_path / "mirror", quiet)
    update_clone(f"file://{source.folder}", tmp_path / "mirror", quiet)
    assert not (tmp_path / "mirror" / "hooks").exists()
    assert not marker.exists()


def test_variables_of_a_hook_do_no_harm(source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Repository.create(tmp_path / "other")
    before = sorted(str(path) for path in other.folder.rglob("*"))
    values = {
        "GIT_DIR": str(other.folder / ".git"),
        "GIT_WORK_TREE": str(other.folder),
        "GIT_OBJECT_DIRECTORY": str(other.folder / ".git" / "objects"),
        "GIT_INDEX_FILE": str(other.folder / ".git" / "index"),
        "GIT_QUARANTINE_PATH": str(other.folder / ".git" / "objects"),
        "GIT_CONFIG_PARAMETERS": "'core.bare=false'",
        "GIT_TRACE": "1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    clone_mirror(f"file://{source.folder}", tmp_path / "mirror", quiet)
    assert {name: os.environ[name] for name in values} == values
    for name in values:
        monkeypatch.delenv(name)
    assert refs(tmp_path / "mirror") == refs(source.folder)
    assert sorted(str(path) for path in other.folder.rglob("*")) == before


# A server that is silent, or hangs up


@contextlib.contextmanager
def listening(*, answer: bool) -> Iterator[int]:
    """A port at which connections are held, or closed at once."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection) if answer else connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    for connection in held:
        connection.close()


@each_transport
def test_a_server_that_does_not_answer(url: str, temporary: Path) -> None:
    with listening(answer=True) as port:
        begun = time.monotonic()
        failing = pytest.raises(GitError, match="did not answer in time")
        with failing as caught, temporary_clone(url.format(port), quiet, patience=1):
            pytest.fail("it went on")
        assert time.monotonic() - begun < 120
    assert caught.value.hint
    assert not list(temporary.iterdir())


def test_refs_of_a_server_that_does_not_answer() -> None:
    with listening(answer=True) as port, pytest.raises(GitError, match="did not answer in time"):
        list_remote_refs(f"https://127.0.0.1:{port}/a", patience=1)


def test_refs_of_a_remote(source: Repository, tmp_path: Path) -> None:
    listed = list_remote_refs(f"file://{source.folder}").decode().splitlines()
    assert {line.replace("\t", " ") for line in listed if "HEAD" not in line and "^{}" not in line} == refs(
        source.folder
    )
    with pytest.raises(GitError, match="no such repository"):
        list_remote_refs(f"file://{tmp_path}/nowhere")


@each_transport
def test_a_server_that_hangs_up(url: str, tmp_path: Path) -> None:
    with listening(answer=False) as port, pytest.raises(GitError, match="the connection broke off"):
        clone_mirror(url.format(port), tmp_path / "mirror", quiet, patience=20)
    assert not (tmp_path / "mirror").exists()


@each_transport
def test_a_closed_port(url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(GitError, match="refused the connection"):
        clone_mirror(url.format(port), tmp_path / "mirror", quiet)


# A real server that asks for a login


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A repository behind a login at https://{address}/; `seen` are the headers that came, `running` what ran then."""

    address: str
    login: str
    seen: list[str] = field(default_factory=list)
    running: list[bytes] = field(default_factory=list)


class _Handler(http.server.SimpleHTTPRequestHandler):
    expected = ""
    served: Served

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.served.seen.append(given)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                self.served.running.append(path.read_bytes())
        if given == self.expected:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def served(source: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    folder = tmp_path / "public"
    source.git("clone", "--quiet", "--mirror", str(source.folder), str(folder / "a.git"))
    Repository(folder / "a.git").git("update-server-info")
    login = f"me:{uuid4().hex}/@{uuid4().hex}"
    expected = f"Basic {base64.b64encode(login.encode()).decode()}"
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(_Handler):
        """One for each test."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        answering = Served(address=f"127.0.0.1:{server.server_address[1]}", login=login)
        Handler.served = answering
        Handler.expected = expected
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        settings = tmp_path / "settings"
        settings.write_text(f"[http]\n\tsslCAInfo = {certificate}\n\tproxy = \n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield answering
        server.shutdown()
        thread.join(10)


def _certificate(folder: Path) -> Path:
    """A certificate for the loopback address with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def _encoded(login: str) -> str:
    user, _, password = login.partition(":")
    return f"{user}:{password.replace('/', '%2F').replace('@', '%40')}"


class TestLogin:
    def test_it_is_used_and_kept_nowhere(self, served: Served, source: Repository, tmp_path: Path) -> None:
        url, folder = f"https://{_encoded(served.login)}@{served.address}/a.git", tmp_path / "mirror"
        update_clone(url, folder, quiet)
        update_clone(url, folder, quiet)
        assert refs(folder) == refs(source.folder)
        password = served.login.partition(":")[2]
        for path in folder.rglob("*"):
            if path.is_file():
                assert password.partition("/")[0].encode() not in path.read_bytes()

    def test_no_process_shows_it(self, served: Served, tmp_path: Path) -> None:
        """A command line is open to every user of the machine."""
        if not Path("/proc/self/cmdline").exists():
            pytest.skip("needs /proc")
        clone_mirror(f"https://{_encoded(served.login)}@{served.address}/a.git", tmp_path / "mirror", quiet)
        assert any(b"git-remote-https" in line or b"git\0" in line for line in served.running)
        assert not any(served.login.partition(":")[2][:32].encode() in line for line in served.running)

    def test_a_helper_of_the_user_does_not_store_it(self, served: Served, tmp_path: Path) -> None:
        store = tmp_path / "store"
        settings = Path(os.environ["GIT_CONFIG_GLOBAL"])
        settings.write_text(settings.read_text() + f"[credential]\n\thelper = store --file {store}\n")
        clone_mirror(f"https://{_encoded(served.login)}@{served.address}/a.git", tmp_path / "mirror", quiet)
        assert not store.exists()

    def test_a_helper_of_the_user_gives_it(self, served: Served, tmp_path: Path) -> None:
        store = tmp_path / "store"
        store.write_text(f"https://{_encoded(served.login)}@{served.address.replace(':', '%3a')}\n")
        settings = Path(os.environ["GIT_CONFIG_GLOBAL"])
        settings.write_text(settings.read_text() + f"[credential]\n\thelper = store --file {store}\n")
        for at, login in enumerate(("", "me@")):
            clone_mirror(f"https://{login}{served.address}/a.git", tmp_path / f"mirror{at}", quiet)

    @pytest.mark.parametrize("write", ["{}@", "me:{}@", ""])
    def test_a_wrong_one_does_not_show(self, served: Served, temporary: Path, write: str) -> None:
        secret = uuid4().hex
        url, failing = f"https://{write.format(secret)}{served.address}/a.git", pytest.raises(GitError, match="a login")
        with failing as caught, temporary_clone(url, quiet):
            pytest.fail("it went on")
        assert secret not in reported(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.hint
        assert not list(temporary.iterdir())

    def test_an_unknown_certificate(self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        with pytest.raises(GitError, match="certificate"):
            clone_mirror(f"https://{_encoded(served.login)}@{served.address}/a.git", tmp_path / "mirror", quiet)
        assert not served.seen


# A git that fails as a test wants it


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a script in the place of git."""
    import git  # the real one must be there when GitPython is imported

    assert git.__version__
    scripts = Repository(tmp_path / "scripts")

    def put(*lines: str) -> None:
        scripts.script("git", 'case "$*" in *sshCommand*) exit 1;; esac', *lines)
        monkeypatch.setenv("PATH", f"{scripts.folder}{os.pathsep}{os.environ['PATH']}")

    return put


@posix_only
@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("fatal: write error: No space left on device", "the disk is full"),
        ("error: file write error: Disk quota exceeded", "the disk is full"),
        ("fatal: unable to access 'https://host/a/': Could not resolve host: host", "the host was not found"),
        ("ssh: Could not resolve hostname host: Name or service not known", "the host was not found"),
        ("fatal: unable to access 'https://host/a/': Could not resolve proxy: p", "the proxy was not found"),
        ("fatal: could not read Username for 'https://host': terminal prompts disabled", "needs a login"),
        ("fatal: unable to get password from user", "needs a login"),
        ("git@host: Permission denied (publickey).", "needs a login"),
        ("fatal: unable to access 'https://host/a/': Timeout was reached", "did not answer in time"),
        ("Timeout, server host not responding.", "did not answer in time"),
        ("ssh -o BatchMode=yes -o ConnectTimeout=60: 1: ssh: not found", "there is no ssh on this machine"),
        ("error: cannot run ssh: No such file or directory", "there is no ssh on this machine"),
        ("remote: Repository not found.", "there is no such repository"),
        ("fatal: repository 'https://host/a/' not found", "there is no such repository"),
        ("fatal: the remote end hung up unexpectedly", "the connection broke off"),
        ("Host key verification failed.", "the key of the ssh host is not known"),
        ("fatal: transport 'http' not allowed", "your git settings lead to a protocol that is not allowed"),
        ("fatal: something \033[31mnew", "something [31mnew"),
        ("nothing that is known", "git failed"),
    ],
)
def test_what_a_failure_means(play: Callable[..., None], tmp_path: Path, printed: str, meant: str) -> None:
    play("cat >&2 <<'END'", "remote: Counting objects: 99999999999999999999, done.", printed, "END", "exit 128")
    with pytest.raises(GitError) as caught:
        clone_mirror("https://host/a", tmp_path / "mirror", quiet)
    assert meant in str(caught.value)
    assert str(caught.value).startswith("https://host/a cannot be cloned: ")
    assert str(caught.value).isprintable()
    assert caught.value.hint
    assert not (tmp_path / "mirror").exists()


@posix_only
def test_what_a_server_reports_of_the_login_is_not_reported(play: Callable[..., None], tmp_path: Path) -> None:
    user, password = uuid4().hex, uuid4().hex
    play('echo "fatal: remote error: no $CLONE_USER with $CLONE_PASSWORD" >&2', "exit 128")
    with pytest.raises(GitError, match="remote error: no … with …") as caught:
        clone_mirror(f"https://{user}:{password}@host/a", tmp_path / "mirror", quiet)
    assert user not in reported(caught.value)
    assert password not in reported(caught.value)


@posix_only
def test_endless_words_of_a_server(play: Callable[..., None], tmp_path: Path) -> None:
    many = "99" * 300
    play(
        f"printf 'Counting objects: {many}\\r' >&2",
        f"printf 'Receiving objects: 1%% ({many}/{many})\\r' >&2",
        "head -c 3000000 /dev/zero | tr '\\0' x >&2",
        "printf '\\377\\n' >&2",
        "yes 'remote: words' | head -n 100000 >&2",
    )
    seen: list[CloneProgress] = []
    clone_mirror("https://host/a", tmp_path / "mirror", seen.append)
    assert [one.phase for one in seen] == ["connecting", "counting objects", "receiving objects"]


@posix_only
@pytest.mark.parametrize("deaf", ["", "trap '' TERM"])
def test_an_interrupt_leaves_no_process(play: Callable[..., None], tmp_path: Path, temporary: Path, deaf: str) -> None:
    pids = tmp_path / "pids"
    play(
        deaf,
        "sleep 600 &",
        f'echo "$! $$" > {pids}',
        "echo 'Receiving objects:  50% (1/2)' >&2",
        "wait",
        "sleep 600",
    )

    def interrupt(progress: CloneProgress) -> None:
        if progress.phase == "receiving objects":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), temporary_clone("https://host/a", interrupt):
        pytest.fail("it went on")
    for pid in map(int, pids.read_text().split()):
        assert _ends(pid)
    assert not list(temporary.iterdir())


def _ends(pid: int) -> bool:
    """Whether a process is gone, or a zombie that nobody waits for."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


@posix_only
def test_a_signal_while_git_is_silent(play: Callable[..., None], tmp_path: Path, temporary: Path) -> None:
    pids = tmp_path / "pids"
    play(f'echo "$$" > {pids}', "sleep 600")

    def interrupt() -> None:
        while not pids.exists() or not pids.read_text():
            time.sleep(0.02)
        time.sleep(1)  # until git counts as started
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt), temporary_clone("https://host/a", quiet):
            pytest.fail("it went on")
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join(10)
    assert _ends(int(pids.read_text()))
    assert not list(temporary.iterdir())


@posix_only
@pytest.mark.parametrize(
    ("variables", "settings", "meant"),
    [
        ({}, "", "ssh -o BatchMode=yes"),
        ({"GIT_SSH_COMMAND": "ssh -i mine"}, "[core]\n\tsshCommand = other\n", "ssh -i mine -o BatchMode=yes"),
        ({"GIT_SSH": "/a b/ssh"}, "", "'/a b/ssh' -o BatchMode=yes"),
        ({"GIT_SSH": "plink"}, "", "plink"),
        ({}, "[core]\n\tsshCommand = ssh -F mine\n", "ssh -F mine -o BatchMode=yes"),
    ],
)
def test_the_ssh_command_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], settings: str, meant: str
) -> None:
    """The real git reads the settings; an alias of the user's would not be asked."""
    scripts = Repository(tmp_path / "scripts")
    real = os.environ["PATH"]
    scripts.script(
        "git",
        f'case "$*" in *sshCommand*) PATH={real} exec git "$@";; esac',
        f'printf %s "$GIT_SSH_COMMAND" > {tmp_path}/printed',
        f"env > {tmp_path}/variables",
    )
    (tmp_path / "settings").write_text(settings)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    import git  # as above

    assert git.__version__
    monkeypatch.setenv("PATH", f"{scripts.folder}{os.pathsep}{real}")
    clone_mirror("ssh://git@host/a", tmp_path / "mirror", quiet)
    assert (tmp_path / "printed").read_text().startswith(meant)
    given = dict(line.partition("=")[::2] for line in (tmp_path / "variables").read_text().splitlines())
    assert given["GIT_ALLOW_PROTOCOL"] == "https:ssh:file"
    assert given["GIT_TERMINAL_PROMPT"] == "0"
    assert given["GIT_ASKPASS"] == ""


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import git  # as above

    assert git.__version__
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="the git program was not found"):
        clone_mirror("https://host/a", tmp_path / "mirror", quiet)
    assert not (tmp_path / "mirror").exists()


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://me:{0}@Host:443/a%2Db//c.git/", "https://host/a-b/c"),
        ("https://host:8443/a", "https://host:8443/a"),
        ("https://host:/.git", "https://host/.git"),
        ("git@Host:org/a.git", "ssh://git@host/org/a"),
        ("ssh://git:{0}@host:22/org/a", "ssh://git@host/org/a"),
        ("me@host:a", "ssh://me@host/~/a"),
        ("me@host:/a", "ssh://me@host/a"),
        ("[::1]:a", "ssh://[::1]/~/a"),
        ("file:///a/b.git", "file:///a/b"),
    ],
)
def test_one_spelling_for_all(url: str, canonical: str) -> None:
    made = normalize_url(url.format(uuid4().hex))
    assert made == canonical
    assert normalize_url(made) == canonical


@pytest.mark.parametrize(
    "url", ["ftp://host/a", "ext::sh -c id", "https://host/a#x", "https://%0a@host/a", "https://%ff@host/a"]
)
def test_what_is_not_cloned_has_no_spelling(url: str) -> None:
    with pytest.raises(UsageError):
        normalize_url(url)

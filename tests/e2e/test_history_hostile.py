"""`history` of repositories and addresses that would run something: nothing runs, prompts or hangs."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

import pytest

from tests.e2e import PROGRAM, Pair, run
from tests.e2e.histories import history, identity, lines, tell
from tests.hideout import Hideout
from tests.hiding_contents import PADDING, module
from tests.hiding_places import build
from tests.repositories import Repository


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """A folder in which everything that is run leaves a file."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


SETTINGS = (
    "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.askPass", "core.pager", "core.editor",
    "core.alternateRefsCommand", "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean",
    "filter.x.smudge", "filter.x.process", "gpg.program", "gpg.ssh.program", "credential.helper",
    "uploadpack.packObjectsHook", "remote.origin.uploadpack", "remote.origin.vcs", "merge.x.driver",
    "interactive.diffFilter", "pager.log", "pager.cat-file", "sequence.editor", "trailer.x.command", "core.hookspath",
)  # fmt: skip


def make_hostile(repository: Repository, marks: Path) -> None:
    """Settings, hooks, attributes and an include, each of which leaves a mark where it is heeded."""

    def marking(name: str) -> str:
        return str(repository.script(f".git/evil/{name}", f'touch "{marks}/{name}"', "cat"))

    for name in SETTINGS:
        if name != "core.hookspath":
            repository.git("config", name, marking(name))
    for hook in ("post-checkout", "pre-auto-gc", "post-rewrite", "reference-transaction", "post-index-change"):
        marking(f"hook-{hook}")
        repository.path(f".git/evil/hook-{hook}").rename(repository.path(f".git/evil/{hook}"))
        repository.script(f".git/hooks/{hook}", f'touch "{marks}/{hook}"')
    repository.git("config", "core.hookspath", str(repository.path(".git/evil")))
    for word in ("log", "rev-list", "cat-file", "for-each-ref", "history"):
        repository.git("config", f"alias.{word}", f"!touch {marks}/alias-{word}")
    for name, value in (
        ("log.showSignature", "true"), ("protocol.ext.allow", "always"), ("protocol.allow", "always"),
        ("remote.origin.url", f"ext::touch {marks}/fetched"), ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"), ("extensions.partialClone", "origin"),
        ("core.repositoryformatversion", "1"), ("include.path", "evil/more"), ("core.bare", "false"),
        ("maintenance.auto", "true"), ("gc.auto", "1"), ("log.mailmap", "true"), ("diff.orderFile", "/nowhere"),
    ):  # fmt: skip
        repository.git("config", name, value)
    repository.write(".git/evil/more", f'[core]\n\tfsmonitor = "touch {marks}/include"\n')
    repository.write(".git/info/attributes", "* diff=x filter=x merge=x\n")


class TestRepositories:
    """What a repository configures is not heeded."""

    def test_nothing_is_run(self, repository: Repository, pair: Pair, marks: Path) -> None:
        repository.commit({"bot.py": module(pair), "lost.py": PADDING})
        blob = repository.blob("lost.py")
        repository.commit({"bot.py": PADDING, "lost.py": ""})
        repository.loose(blob).unlink()
        make_hostile(repository, marks)
        repository.write("bot.py", "changed\n")
        repository.run("status")
        repository.run("log", "-p", "--ext-diff")
        assert len(list(marks.iterdir())) > 1, "git itself would run nothing, so that this test proves nothing"
        for mark in marks.iterdir():
            mark.unlink()
        for words in ([], ["--reachable", "--since", "2001-01-01", "--path", "*.py", "--submodules"]):
            looked = history(*words, cwd=repository.folder)
            assert not looked.complete, "an object is missing"
            assert looked.ids == {identity(pair)}
            assert not list(marks.iterdir())

    def test_a_clone_of_it(self, repository: Repository, pair: Pair, marks: Path) -> None:
        repository.commit({"bot.py": module(pair), ".gitattributes": "* filter=x\n"})
        make_hostile(repository, marks)
        repository.git("config", "--unset", "extensions.partialClone")
        for mark in marks.iterdir():
            mark.unlink()
        looked = history(f"file://{repository.folder}", cwd=marks.parent)
        assert looked.ids == {identity(pair)}
        assert not list(marks.iterdir())

    def test_variables_of_another_repository(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        """GIT_DIR and its like, as a hook of another repository hands them on, lead nowhere else."""
        repository.commit({"bot.py": module(pair)})
        other = Repository.create(tmp_path / "other")
        other.commit({"other.py": module(Pair.fresh())})
        env = {
            "GIT_DIR": str(other.path(".git")), "GIT_WORK_TREE": str(other.folder),
            "GIT_OBJECT_DIRECTORY": str(other.path(".git/objects")), "GIT_INDEX_FILE": str(other.path(".git/index")),
            "GIT_EXTERNAL_DIFF": "false", "GIT_NAMESPACE": "odd",
        }  # fmt: skip
        for words in ([], [repository.folder]):
            assert history(*words, cwd=repository.folder, env=env).ids == {identity(pair)}

    def test_nothing_is_written(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": module(pair)})
        repository.git("config", "gc.auto", "1")

        def state() -> dict[str, tuple[int, int]]:
            paths = [path for path in repository.folder.rglob("*") if path.is_file()]
            return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}

        before = state()
        history(cwd=repository.folder)
        run("history", cwd=repository.folder)
        assert state() == before


@pytest.fixture(scope="module")
def hideout(tmp_path_factory: pytest.TempPathFactory) -> Hideout:
    return build(tmp_path_factory.mktemp("url") / "project", seed=SystemRandom().randrange(2**32))


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and closes them without a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                if select.select([server], [], [], 0.1)[0]:
                    server.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        stop.set()
        thread.join()


class TestAddresses:
    """Addresses that are cloned, and those that are not."""

    def test_a_clone_in_a_temporary_folder(self, hideout: Hideout, tmp_path: Path) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        looked = history(f"file://{hideout.repository.folder}", cwd=tmp_path, env={"TMPDIR": str(temporary)})
        assert not list(temporary.iterdir())
        here = history(cwd=hideout.repository.folder)
        # All that a mirror has came from elsewhere.
        assert lines(looked) == [replace(line, pushed=True) for line in lines(here) if line.exposure != "unreachable"]

    def test_a_clone_that_is_kept(self, repository: Repository, pair: Pair, tmp_path: Path) -> None:
        repository.commit({"bot.py": module(pair)})
        url, kept = f"file://{repository.folder}", tmp_path / "kept"
        first = history(url, "--keep", kept, cwd=tmp_path)
        assert Repository(kept).git("rev-parse", "--is-bare-repository") == "true"
        assert first.ids == {identity(pair)}
        assert lines(history(kept, cwd=tmp_path)) == lines(first)
        full = tmp_path / "full"
        full.mkdir()
        (full / "file").write_text("mine\n")
        tell(run("history", url, "--keep", full, cwd=tmp_path), 2, 3)
        assert [path.name for path in full.iterdir()] == ["file"]

    @pytest.mark.parametrize(
        "url",
        [
            "ext::touch {marks}/ext", "ext::sh -c touch% {marks}/ext", "fd::17", "git://127.0.0.1:{port}/a.git",
            "http://127.0.0.1:{port}/a.git", "ftp://127.0.0.1:{port}/a.git", "javascript://x",
            "--upload-pack=touch {marks}/option", "-u", "-c", "--config=core.sshCommand=touch",
            "ssh://-oProxyCommand=touch%20{marks}/ssh/a", "-oProxyCommand=touch:a", "https://-x/a",
        ],
    )  # fmt: skip
    def test_refused(self, url: str, marks: Path, silent: int) -> None:
        address = url.format(marks=marks, port=silent)
        for words in ([address], ["--", address]):
            tell(run("history", *words, cwd=marks.parent, timeout=20), 2, 3)
            assert not list(marks.iterdir())

    def test_no_answer(self, silent: int, tmp_path: Path) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        for url in (
            f"https://user:pa55word@127.0.0.1:{silent}/a.git", f"ssh://user@127.0.0.1:{silent}/a.git",
            f"file://{tmp_path}/missing.git", f"file://{temporary}", "https:///", "file://",
        ):  # fmt: skip
            reported = tell(run("history", url, cwd=tmp_path, env={"TMPDIR": str(temporary)}, timeout=30), 2, 3)
            assert "pa55word" not in reported
            assert not list(temporary.iterdir())

    def test_a_full_disk(self, hideout: Hideout, tmp_path: Path) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        url = f"file://{hideout.repository.folder}"
        limited = ("sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *PROGRAM)
        reported = run("history", url, cwd=tmp_path, env={"TMPDIR": str(temporary)}, program=limited)
        tell(reported, 3)
        assert not list(temporary.iterdir())

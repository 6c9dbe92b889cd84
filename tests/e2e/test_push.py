"""`binance-leaks push` as a real pre-push hook of git, in front of a real bare repository, and under pre-commit."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e import Pair, run
from tests.e2e.ranges import gate
from tests.e2e.test_pre_commit import PRE_COMMIT
from tests.hiding_contents import module
from tests.repositories import Ran, Repository


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def project(repository: Repository, tmp_path: Path) -> Repository:
    """A repository with a commit, the hook, and an empty bare remote `origin`."""
    Repository.create(tmp_path / "remote.git", "--bare")
    repository.git("remote", "add", "origin", (tmp_path / "remote.git").as_uri())
    repository.commit({"README.md": "A bot for Binance.\n"})
    repository.hook("pre-push", "push")
    return repository


def refused(repository: Repository, *words: str) -> str:
    """A push that the hook stops; nothing of it reaches the remote."""
    before = repository.git("ls-remote", "origin")
    ran = repository.run("push", *words)
    assert ran.status != 0
    assert "credential" in ran.out + ran.err, ran.err
    assert repository.git("ls-remote", "origin") == before
    return ran.out + ran.err


class TestHook:
    """git runs the hook and gives it all refs of the push."""

    def test_a_clean_first_push(self, project: Repository) -> None:
        ran = project.run("push", "origin", "main")
        assert ran.status == 0, ran.err
        assert "push of main to origin (1 commit)" in ran.err

    def test_the_root_commit_of_a_first_push(self, repository: Repository, tmp_path: Path, pair: Pair) -> None:
        Repository.create(tmp_path / "remote.git", "--bare")
        repository.git("remote", "add", "origin", (tmp_path / "remote.git").as_uri())
        repository.commit({"bot.py": module(pair)})
        repository.hook("pre-push", "push")
        refused(repository, "origin", "main")

    def test_a_later_push(self, project: Repository, pair: Pair) -> None:
        project.git("push", "--quiet", "origin", "main")
        project.commit({"bot.py": module(pair)})
        project.commit({"bot.py": "import os\n"}, message="Without it")
        reported = refused(project, "origin", "main")
        assert "2 commits" in reported

    def test_what_was_pushed_before_does_not_block(self, project: Repository, pair: Pair) -> None:
        project.commit({"bot.py": module(pair)})
        project.git("push", "--quiet", "--no-verify", "origin", "main")
        project.commit({"a.py": "import os\n"})
        assert project.run("push", "origin", "main").status == 0
        project.git("branch", "topic")
        ran = project.run("push", "origin", "topic")
        assert ran.status == 0
        assert "push of topic to origin: nothing to scan" in ran.err

    def test_all_refs_of_a_push(self, project: Repository, pair: Pair) -> None:
        project.git("branch", "clean")
        project.git("checkout", "--quiet", "-b", "leaky")
        project.commit({"bot.py": module(pair)})
        reported = refused(project, "origin", "main", "clean", "leaky")
        assert "main, clean, leaky" in reported

    def test_a_new_branch(self, project: Repository, pair: Pair) -> None:
        project.git("push", "--quiet", "origin", "main")
        project.git("checkout", "--quiet", "-b", "topic")
        project.commit({"bot.py": module(pair)})
        assert "(1 commit)" in refused(project, "origin", "topic")

    def test_a_deletion(self, project: Repository) -> None:
        project.git("push", "--quiet", "origin", "main", "main:topic")
        ran = project.run("push", "origin", ":topic")
        assert ran.status == 0, ran.err
        assert "push of deletions: nothing to scan" in ran.err

    def test_a_deletion_beside_a_leak(self, project: Repository, pair: Pair) -> None:
        project.git("push", "--quiet", "origin", "main", "main:topic")
        project.commit({"bot.py": module(pair)})
        refused(project, "origin", ":topic", "main")

    def test_a_forced_push(self, project: Repository, pair: Pair) -> None:
        project.commit({"a.py": "1\n"})
        project.git("push", "--quiet", "origin", "main")
        project.git("reset", "--quiet", "--hard", "HEAD~1")
        project.commit({"bot.py": module(pair)})
        refused(project, "--force", "origin", "main")

    def test_a_tag(self, project: Repository, pair: Pair) -> None:
        project.git("push", "--quiet", "origin", "main")
        project.git("tag", "-a", "v1", "-m", f"Binance API key {pair.key} secret {pair.secret}")
        assert "tag message" in refused(project, "origin", "v1")

    def test_a_message(self, project: Repository, pair: Pair) -> None:
        project.commit(message=f"Binance API key {pair.key} secret {pair.secret}")
        assert "commit message" in refused(project, "origin", "main")

    def test_what_somebody_else_pushed(self, project: Repository, tmp_path: Path, pair: Pair) -> None:
        """The remote has commits that are not here."""
        project.git("push", "--quiet", "origin", "main")
        other = tmp_path / "other"
        project.git("clone", "--quiet", (tmp_path / "remote.git").as_uri(), str(other))
        Repository(other).commit({"b.py": "1\n"})
        Repository(other).git("push", "--quiet", "origin", "HEAD:main")
        project.commit({"bot.py": module(pair)})
        refused(project, "--force", "origin", "main")

    def test_an_address_in_place_of_a_name(self, project: Repository, tmp_path: Path, pair: Pair) -> None:
        address = (tmp_path / "remote.git").as_uri()
        assert project.run("push", address, "main").status == 0
        project.git("fetch", "--quiet", "origin")
        project.commit({"bot.py": module(pair)})
        assert "(1 commit)" in refused(project, address, "main")

    def test_from_a_work_tree_of_its_own(self, project: Repository, tmp_path: Path, pair: Pair) -> None:
        project.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "topic")
        tree = Repository(tmp_path / "tree")
        tree.commit({"bot.py": module(pair)})
        ran = tree.run("push", "origin", "topic")
        assert ran.status != 0
        assert "bot.py" in ran.out + ran.err

    def test_everything_up_to_date(self, project: Repository) -> None:
        project.git("push", "--quiet", "origin", "main")
        assert project.run("push", "origin", "main").status == 0

    @pytest.mark.parametrize("kind", ["blob", "tree"])
    def test_a_tag_without_a_commit(self, project: Repository, pair: Pair, kind: str) -> None:
        blob = project.blob("README.md") if kind == "blob" else "HEAD^{tree}"
        project.git("tag", "harmless", blob)
        project.git("tag", "-m", "of a tag", "nested", "harmless")
        ran = project.run("push", "origin", "harmless", "nested")
        assert ran.status == 0, ran.err
        project.stage("lib/bot.env", pair.dotenv)
        leaking = project.blob("lib/bot.env") if kind == "blob" else project.git("write-tree").strip()
        project.git("tag", "-m", "of a tag", "leaking", project.git("rev-parse", leaking).strip())
        shown = refused(project, "origin", "leaking")
        assert f"{'blob:' + leaking if kind == 'blob' else 'lib/bot.env'}:1:17" in shown
        assert "Delete the tag" in shown
        assert "git rebase" not in shown


class TestByHand:
    """Without git's standard input."""

    def test_what_the_remote_has_not(self, project: Repository, pair: Pair) -> None:
        project.git("push", "--quiet", "origin", "main")
        project.commit({"bot.py": module(pair)})
        assert gate("push", cwd=project.folder).is_of(pair)
        assert gate("push", "origin", cwd=project.folder).is_of(pair)

    def test_what_is_no_hooks_input(self, project: Repository) -> None:
        ran = run("push", "origin", "file:///x", cwd=project.folder, stdin=b"what is this\n")
        assert ran.status == 2
        assert "pre-push hook" in ran.err

    def test_outside_of_a_repository(self, tmp_path: Path) -> None:
        assert run("push", "origin", "file:///x", cwd=tmp_path, stdin=b"").status == 3


class TestPreCommit:
    """The real pre-commit program, with local hooks of the same settings."""

    @pytest.fixture
    def hooked(self, project: Repository, tmp_path: Path) -> Repository:
        published = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text("utf-8"))
        hooks = [hook for hook in published if hook["id"] in ("binance-leaks", "binance-leaks-push")]
        for hook in hooks:
            hook["entry"] = hook["entry"].replace("python", shlex.quote(sys.executable), 1)
            hook["language"] = "system"
        (project.folder / ".git/hooks/pre-push").unlink()
        config = {"repos": [{"repo": "local", "hooks": hooks}]}
        project.commit({".pre-commit-config.yaml": yaml.safe_dump(config)})
        self.pre_commit(project, tmp_path, "install", "--hook-type", "pre-push", "--hook-type", "pre-commit")
        return project

    def pre_commit(self, project: Repository, tmp_path: Path, *words: str) -> Ran:
        done = subprocess.run(
            [PRE_COMMIT, *words],
            cwd=project.folder,
            env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache")},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Ran(status=done.returncode, out=os.fsdecode(done.stdout), err=os.fsdecode(done.stderr))

    def test_a_push(self, hooked: Repository, pair: Pair) -> None:
        ran = hooked.run("push", "origin", "main")
        assert ran.status == 0, ran.out + ran.err
        hooked.commit({"bot.py": module(pair)})
        hooked.commit({"bot.py": "import os\n"})
        assert "bot.py" in refused(hooked, "origin", "main")

    def test_a_first_push_with_the_root_commit(self, hooked: Repository, pair: Pair) -> None:
        hooked.commit({"bot.py": module(pair)})
        hooked.commit({"bot.py": "import os\n"})
        assert "bot.py" in refused(hooked, "origin", "main")

    def test_a_new_branch_and_a_deletion(self, hooked: Repository, pair: Pair) -> None:
        assert hooked.run("push", "origin", "main").status == 0
        hooked.git("checkout", "--quiet", "-b", "topic")
        hooked.commit({"a.py": "import os\n"})
        assert hooked.run("push", "origin", "topic").status == 0
        assert hooked.run("push", "origin", ":topic").status == 0
        hooked.commit({"bot.py": module(pair)})
        refused(hooked, "origin", "topic")

    @pytest.mark.parametrize("stage", ["pre-commit", "pre-push", "manual"])
    def test_between_two_revisions(self, hooked: Repository, tmp_path: Path, pair: Pair, stage: str) -> None:
        """What is added and removed again is in no file that pre-commit passes."""
        base = hooked.head() or ""
        hooked.commit({"bot.py": module(pair)})
        hooked.commit({"bot.py": "import os\n"})
        words = ("run", "--hook-stage", stage, "--from-ref")
        ran = self.pre_commit(hooked, tmp_path, *words, base, "--to-ref", "HEAD")
        assert ran.status == 1, ran.out
        assert "bot.py" in ran.out
        hooked.commit({"bot.py": "import sys\n"})
        assert self.pre_commit(hooked, tmp_path, *words, "HEAD~1", "--to-ref", "HEAD").status == 0

    def test_what_stood_there_before_two_revisions(self, hooked: Repository, tmp_path: Path, pair: Pair) -> None:
        hooked.commit({"bot.py": module(pair)})
        hooked.commit({"bot.py": module(pair) + "print()\n"})
        ran = self.pre_commit(hooked, tmp_path, "run", "--from-ref", "HEAD~1", "--to-ref", "HEAD")
        assert ran.status == 0, ran.out

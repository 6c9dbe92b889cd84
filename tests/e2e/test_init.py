"""`binance-leaks init` as users run it, and the hooks that it sets up under the real pre-commit."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from binance_leaks.cli.arguments.setup import CI_SYSTEMS
from binance_leaks.setup.plan import WorkTree

from tests.e2e import PROGRAM, Pair, run
from tests.repositories import Repository

CONFIG = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/binance-leaks.yml"
JOB = ".gitlab/binance-leaks.gitlab-ci.yml"
TOOLS = Path(sys.executable).parent


def answered(repository: Repository, answer: str) -> tuple[int, str]:
    """Run `init` on a terminal of its own, where somebody types an answer."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "init"], cwd=repository.folder, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # what Linux says once the other end is closed
            pass
        status = process.wait(60)
    os.close(ours)
    return status, shown.decode()


def test_writes_what_it_shows(repository: Repository) -> None:
    ran = run("init", "--ci", "github", "--from-index", cwd=repository.folder)
    assert ran.status == 0, ran.err
    for name in (CONFIG, WORKFLOW):
        shown = [f"+{line}" for line in repository.path(name).read_text("utf-8").splitlines()]
        assert "\n".join(shown) in ran.out
        assert f"--- /dev/null\n+++ b/{name}\n" in ran.out
        assert f"Wrote {name}." in ran.out
    assert "pre-commit install" in ran.out
    again = run("init", "--ci", "github", "--from-index", cwd=repository.folder)
    assert again.status == 0
    assert "Nothing to do." in again.out
    assert "+++" not in again.out


def test_dry_run_writes_nothing(repository: Repository) -> None:
    ran = run("init", "--ci", "gitlab", "--from-index", "--dry-run", cwd=repository.folder)
    assert ran.status == 0
    assert "+++ b/.gitlab-ci.yml" in ran.out
    assert [path.name for path in repository.folder.iterdir()] == [".git"]


def test_the_top_of_the_work_tree_is_meant(repository: Repository) -> None:
    folder = repository.folder / "a" / "b"
    folder.mkdir(parents=True)
    assert run("init", cwd=folder).status == 0
    assert repository.path(CONFIG).exists()
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("answer", "writes"), [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False)])
def test_a_terminal_is_asked(repository: Repository, answer: str, writes: bool) -> None:
    status, shown = answered(repository, answer)
    assert status == 0
    assert "[y/N]" in shown
    assert repository.path(CONFIG).exists() == writes
    assert ("Nothing was written" in shown) != writes


@pytest.mark.parametrize(
    "words",
    [
        (),
        *(("--ci", name, "--from-index") for name in CI_SYSTEMS),
        ("--ci", "github", "--from-index", "--upload-sarif"),
    ],
)
def test_what_is_written_is_clean_for_ourselves(repository: Repository, words: tuple[str, ...]) -> None:
    assert run("init", *words, cwd=repository.folder).status == 0
    ran = run("scan", "--confidence", "low", ".", cwd=repository.folder)
    assert ran.status == 0, ran.out


def test_one_refusal_holds_everything_back(repository: Repository) -> None:
    repository.write(CONFIG, "repos: &all []\n")
    ran = run("init", "--ci", "github", "--from-index", cwd=repository.folder)
    assert ran.status == 2
    assert "uses anchors" in ran.out
    assert "  - repo: local" in ran.out
    assert f"{CONFIG} left alone; nothing was written" in ran.err
    assert not repository.path(WORKFLOW).exists()
    assert repository.path(CONFIG).read_text("utf-8") == "repos: &all []\n"


@pytest.mark.parametrize("content", ["name: ours\n", "", "# Written by somebody else\n"])
def test_a_workflow_of_others_stays(repository: Repository, content: str) -> None:
    repository.write(WORKFLOW, content)
    ran = run("init", "--ci", "github", "--from-index", "--yes", cwd=repository.folder)
    assert ran.status == 2
    assert f"--- a/{WORKFLOW}" in ran.out
    assert repository.path(WORKFLOW).read_text("utf-8") == content


def test_an_edited_workflow_stays_and_an_untouched_one_follows(repository: Repository) -> None:
    assert run("init", "--ci", "github", "--from-index", cwd=repository.folder).status == 0
    origin = ("--repo", "https://github.com/an-owner/a-tool", "--rev", "v1")
    ran = run("init", "--ci", "github", *origin, cwd=repository.folder)
    assert ran.status == 0, ran.err
    assert "an-owner/a-tool@v1" in repository.path(WORKFLOW).read_text("utf-8")
    edited = repository.path(WORKFLOW).read_text("utf-8").replace("timeout-minutes: 20", "timeout-minutes: 5")
    repository.write(WORKFLOW, edited)
    ran = run("init", "--ci", "github", "--from-index", cwd=repository.folder)
    assert ran.status == 2
    assert "edited" in ran.out
    assert repository.path(WORKFLOW).read_text("utf-8") == edited


def test_what_a_stranger_wrote_is_shown_inert(repository: Repository) -> None:
    pair = Pair.fresh()
    repository.write(CONFIG, f"# \x1b[2J {pair.secret}\u202e\r\nrepos: []\r\n".encode())
    ran = run("init", cwd=repository.folder)  # run() looks for values
    assert ran.status == 2  # YAML forbids the escape
    repository.write(CONFIG, f"# {pair.secret}\u202e\u200b\r\nrepos: []\r\n")
    ran = run("init", cwd=repository.folder)
    assert ran.status == 0, ran.err
    assert pair.secret[:8] not in ran.out
    assert repository.path(CONFIG).read_bytes().startswith(f"# {pair.secret}\u202e\u200b\r\n".encode())
    repository.write(CONFIG, "# \u202e\u200b\r\nrepos: []\r\n")
    assert "\\u202e\\u200b" in run("init", cwd=repository.folder).out
    repository.write(WORKFLOW, b"# \x1b[31m\xff\x00\n")
    ran = run("init", "--ci", "github", "--from-index", cwd=repository.folder)
    assert ran.status == 2
    assert "# \\x1b[31m\\xff\\x00" in ran.out


def test_a_file_without_end_of_line(repository: Repository) -> None:
    repository.write(CONFIG, "fail_fast: true")
    ran = run("init", cwd=repository.folder)
    assert ran.status == 0
    assert "-fail_fast: true\n\\ No newline at end of file\n+fail_fast: true\n" in ran.out


def test_links_that_lead_out_are_refused(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("repos: []\n", "utf-8")
    repository.path(CONFIG).symlink_to(outside)
    ran = run("init", "--yes", cwd=repository.folder)
    assert ran.status == 2
    assert "out of the work tree" in ran.err
    repository.path(CONFIG).unlink()
    (tmp_path / "elsewhere").mkdir()
    repository.path(".github").symlink_to(tmp_path / "elsewhere")
    ran = run("init", "--ci", "github", "--from-index", "--yes", cwd=repository.folder)
    assert ran.status == 2
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not repository.path(CONFIG).exists()
    assert outside.read_text("utf-8") == "repos: []\n"


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (("--ci", "hudson"), "invalid choice"),
        (("--repo", "https://git.example/x"), "--rev"),
        (("--rev", "v1"), "--repo"),
        (("--upload-sarif",), "--ci github"),
        (("--upload-sarif", "--ci", "gitlab"), "--ci github"),
        (("--ci", "github"), "--repo URL --rev COMMIT, or --from-index"),
        (("--from-index",), "--from-index is for --ci"),
        (("--ci", "gitlab", "--from-index", "--repo", "https://git.example/x", "--rev", "v1"), "in place of --repo"),
        (("--repo", "../near", "--rev", "v1", "--ci", "github"), "CI cannot fetch"),
        (("--repo", "https://x:y@git.example/x", "--rev", "v1"), "a user name or a token"),
        (("extra",), "unrecognized"),
    ],
)
def test_wrong_use(repository: Repository, words: tuple[str, ...], reported: str) -> None:
    ran = run("init", *words, cwd=repository.folder)
    assert ran.status == 2
    assert reported in ran.err
    assert not ran.out
    assert [path.name for path in repository.folder.iterdir()] == [".git"]


def test_where_there_is_no_work_tree(tmp_path: Path) -> None:
    ran = run("init", cwd=tmp_path, env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert ran.status == 2
    assert "not in the work tree of a git repository" in ran.err
    subprocess.run(["git", "init", "--quiet", "--bare", "bare"], cwd=tmp_path, check=True, timeout=60)
    assert run("init", cwd=tmp_path / "bare").status == 2
    assert not (tmp_path / "bare" / CONFIG).exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to the superuser")
def test_a_folder_that_cannot_be_written(repository: Repository) -> None:
    repository.folder.chmod(0o555)
    try:
        ran = run("init", cwd=repository.folder)
    finally:
        repository.folder.chmod(0o755)
    assert ran.status == 2
    assert "cannot be written" in ran.err


def test_no_draft_is_left_behind(repository: Repository) -> None:
    repository.write(CONFIG, "repos: []\n")
    run("init", cwd=repository.folder)
    assert sorted(path.name for path in repository.folder.iterdir()) == [".git", CONFIG]
    assert WorkTree(repository.folder).read(CONFIG) is not None


def installed(repository: Repository, folder: Path) -> dict[str, str]:
    """Sets the hooks up as a user does, and gives the environment in which git then runs."""
    env = {
        "PRE_COMMIT_HOME": str(folder / "cache"),
        "PATH": os.pathsep.join([str(TOOLS), os.environ.get("PATH", "")]),
    }
    assert run("init", cwd=repository.folder).status == 0
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install"],
        cwd=repository.folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("pre-commit", "commit-msg", "pre-push"):
        assert repository.path(f".git/hooks/{kind}").exists()
    repository.stage(CONFIG)
    return env


def test_the_written_hooks_hold_a_commit_back(repository: Repository, tmp_path: Path) -> None:
    pair = Pair.fresh()
    repository.write(CONFIG, "# ours\nrepos: []  # none yet\n")
    env = installed(repository, tmp_path)
    repository.stage("bot.py", pair.python)
    ran = repository.run("commit", "-m", "a change", env=env)
    assert ran.status == 1
    assert "bot.py:2" in ran.out + ran.err
    assert pair.secret not in ran.out + ran.err
    repository.stage("bot.py", "import os\n")
    ran = repository.run("commit", "-m", f"binance: {pair.call}", env=env)
    assert ran.status == 1
    assert "commit message" in ran.out + ran.err
    ran = repository.run("commit", "-m", "a change", env=env)
    assert ran.status == 0, ran.out + ran.err


def test_the_written_hooks_hold_a_push_back(repository: Repository, tmp_path: Path) -> None:
    repository.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    repository.git("remote", "add", "origin", str(tmp_path / "remote"))
    env = installed(repository, tmp_path)
    clean = repository.commit()
    ran = repository.run("push", "origin", "main", env=env)
    assert ran.status == 0, ran.out + ran.err
    repository.commit({"bot.py": Pair.fresh().python})
    repository.commit({"bot.py": "import os\n"})
    ran = repository.run("push", "origin", "main", env=env)
    assert ran.status == 1
    assert "bot.py:2" in ran.out + ran.err
    assert Repository(tmp_path / "remote").git("rev-parse", "main") == clean


def test_ci_gets_the_program_where_the_hooks_get_it(repository: Repository) -> None:
    origin = ("--repo", "https://git.example/tools/binance-leaks", "--rev", "v1")
    assert run("init", *origin, cwd=repository.folder).status == 0
    ran = run("init", "--ci", "buildkite", cwd=repository.folder)
    assert ran.status == 0, ran.err
    pipeline = repository.path(".buildkite/pipeline.yml").read_text()
    assert 'clone --quiet "https://git.example/tools/binance-leaks"' in pipeline
    assert 'checkout --quiet "v1"' in pipeline
    ran = run("init", "--ci", "buildkite", *origin[:3], "v2", cwd=repository.folder)
    assert ran.status == 0, ran.err
    for name in (CONFIG, ".buildkite/pipeline.yml"):
        assert "v2" in repository.path(name).read_text("utf-8")
        assert "v1" not in repository.path(name).read_text("utf-8")
    assert "Nothing to do." in run("init", "--ci", "buildkite", cwd=repository.folder).out


def test_a_pipeline_of_others_is_shown_what_to_add(repository: Repository) -> None:
    repository.write("azure-pipelines.yml", "steps: []\n")
    ran = run("init", "--ci", "azure", "--from-index", "--yes", cwd=repository.folder)
    assert ran.status == 2
    assert "  - script: python -I -m binance_leaks ci --policy base" in ran.out
    assert repository.path("azure-pipelines.yml").read_text("utf-8") == "steps: []\n"

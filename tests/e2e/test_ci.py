"""`binance-leaks ci` in the environments that CI systems document, played in real clones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import Pair, run
from tests.e2e.ranges import Gate, brought_by, gate
from tests.hiding_contents import module
from tests.repositories import Repository

ZEROS = "0" * 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Forge:
    """A remote with a main branch that holds an old pair, and a feature branch of three commits with a new one.

    The feature branch adds the pair and takes it out again. Main has gone on since. `merge` is what the forge makes of
    both to try a pull request.
    """

    origin: Repository
    old: Pair
    pair: Pair
    fork: str
    before: str
    head: str
    main: str
    merge: str

    def clone(self, folder: Path, *options: str, checkout: str = "head") -> Repository:
        """A clone as a CI system makes it, with a commit checked out that may be on no branch."""
        cloned = Repository.create(folder)
        cloned.git("remote", "add", "origin", self.origin.folder.as_uri())
        commit = {"head": self.head, "merge": self.merge, "main": self.main}[checkout]
        cloned.git("fetch", "--quiet", "--no-tags", *options, "origin", commit)
        cloned.git("checkout", "--quiet", "--detach", commit)
        return cloned

    def full(self, folder: Path, *, checkout: str = "head") -> Repository:
        """A clone with all branches."""
        cloned = self.clone(folder, checkout=checkout)
        cloned.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        return cloned


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    origin = Repository.create(tmp_path / "origin")
    origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
    origin.git("config", "uploadpack.allowFilter", "true")
    old, pair = Pair.fresh(), Pair.fresh()
    origin.commit({"old.env": old.dotenv})
    fork = origin.commit({"README.md": "A bot for Binance.\n"})
    origin.git("checkout", "--quiet", "-b", "feature")
    before = origin.commit({"feature.py": "import os\n"})
    origin.commit({"bot.py": module(pair)}, message="Add the bot")
    head = origin.commit({"bot.py": "import os\n"}, message="Without the key")
    origin.git("checkout", "--quiet", "main")
    main = origin.commit({"other.py": module(Pair.fresh())})
    merge = origin.git("commit-tree", "-p", main, "-p", head, "-m", "try it", f"{head}^{{tree}}")
    origin.git("update-ref", "refs/pull/7/merge", merge)
    origin.git("update-ref", "refs/pull/7/head", head)
    origin.git("update-ref", "refs/merge-requests/7/head", head)
    return Forge(origin=origin, old=old, pair=pair, fork=fork, before=before, head=head, main=main, merge=merge)


def github(folder: Path, event: str, payload: object, **more: str) -> Mapping[str, str]:
    """The variables of an Actions run, with its event file."""
    file = folder / "event.json"
    file.write_text(payload if isinstance(payload, str) else json.dumps(payload), "utf-8")
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(file), **more}


def pull_request(forge: Forge, *, base: str | None = None) -> object:
    return {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": {"ref": "feature", "sha": forge.head},
            "base": {"ref": "main", "sha": base or forge.main},
        },
        "repository": {"default_branch": "main"},
    }


def push(before: str, after: str, *, ref: str = "refs/heads/feature", **more: object) -> object:
    return {"ref": ref, "before": before, "after": after, "repository": {"default_branch": "main"}, **more}


def ci(repository: Repository, env: Mapping[str, str], *words: str) -> Gate:
    return gate("ci", *words, cwd=repository.folder, env=env)


def assert_only_the_new_pair(found: Gate, forge: Forge, *, commits: int = 3) -> None:
    assert found.status == 1, found.err
    assert found.is_of(forge.pair)
    assert found.stats["commits"] == commits
    assert {place["exposure"] for place in found.places} == {"history"}


class TestGitHub:
    """Events of GitHub Actions."""

    def test_what_cannot_be_scanned_is_annotated(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.clone(tmp_path / "clone", "--depth=1", checkout="merge")
        env = github(tmp_path, "pull_request", pull_request(forge), GITHUB_SHA=forge.merge)
        for words in (["--format", "github"], ["--format=github"]):
            ran = run("ci", *words, cwd=clone.folder, env=env)
            assert ran.status == 3
            (line,) = ran.out.splitlines()
            assert line.startswith("::error title=Not scanned for Binance credentials::")
            assert "%0ASet `fetch-depth: 0` at actions/checkout" in line
        assert run("ci", cwd=clone.folder, env=env).out == ""

    @pytest.mark.parametrize("checkout", ["merge", "head"])
    def test_pull_request(self, forge: Forge, tmp_path: Path, checkout: str) -> None:
        clone = forge.full(tmp_path / "clone", checkout=checkout)
        env = github(tmp_path, "pull_request", pull_request(forge), GITHUB_SHA=forge.merge)
        found = ci(clone, env)
        assert_only_the_new_pair(found, forge)
        assert "GitHub Actions, pull request 7: " in found.err

    def test_a_base_that_has_moved_on(self, forge: Forge, tmp_path: Path) -> None:
        """The event names an old base; the branch was brought up to date since, with what main had."""
        forge.origin.git("checkout", "--quiet", "feature")
        forge.origin.git("merge", "--quiet", "--no-edit", "main")
        head = forge.origin.head() or ""
        merge = forge.origin.git("commit-tree", "-p", forge.main, "-p", head, "-m", "try", f"{head}^{{tree}}")
        forge.origin.git("update-ref", "refs/pull/7/merge", merge)
        clone = forge.full(tmp_path / "clone")
        clone.git("fetch", "--quiet", "origin", "refs/pull/7/merge")
        payload = {
            "pull_request": {"number": 7, "head": {"sha": head}, "base": {"ref": "main", "sha": forge.fork}},
        }
        found = ci(clone, github(tmp_path, "pull_request", payload, GITHUB_SHA=merge))
        assert found.is_of(forge.pair)

    @pytest.mark.parametrize("depth", ["1", "2"])
    def test_a_shallow_clone_fails(self, forge: Forge, tmp_path: Path, depth: str) -> None:
        clone = forge.clone(tmp_path / "clone", f"--depth={depth}", checkout="merge")
        env = github(tmp_path, "pull_request", pull_request(forge), GITHUB_SHA=forge.merge)
        found = ci(clone, env)
        assert (found.status, found.report) == (3, None)
        assert "fetch-depth: 0" in found.err

    @pytest.mark.parametrize("depth", ["1", "2"])
    def test_a_shallow_clone_may_fetch(self, forge: Forge, tmp_path: Path, depth: str) -> None:
        clone = forge.clone(tmp_path / "clone", f"--depth={depth}", checkout="merge")
        env = github(tmp_path, "pull_request", pull_request(forge), GITHUB_SHA=forge.merge)
        assert_only_the_new_pair(ci(clone, env, "--fetch"), forge)

    def test_it_deepens_no_more_than_it_must(self, forge: Forge, tmp_path: Path) -> None:
        stream = "".join(
            f"commit refs/heads/long\nmark :{number}\ncommitter A <a@project.example> {1_600_000_000 + number} +0000\n"
            f"data 1\nx\n{f'from :{number - 1}' if number > 1 else ''}\n"
            for number in range(1, 3001)
        )
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"], cwd=forge.origin.folder, input=stream.encode(), check=True
        )
        base = forge.origin.git("rev-parse", "refs/heads/long")
        head = forge.origin.git("commit-tree", "-p", base, "-m", "new", f"{base}^{{tree}}")
        forge.origin.git("update-ref", "refs/pull/8/head", head)
        clone = Repository.create(tmp_path / "clone")
        clone.git("remote", "add", "origin", forge.origin.folder.as_uri())
        clone.git("fetch", "--quiet", "--depth=1", "origin", head)
        payload = {"pull_request": {"number": 8, "head": {"sha": head}, "base": {"sha": base}}}
        found = ci(clone, github(tmp_path, "pull_request", payload), "--fetch")
        assert (found.status, found.stats["commits"]) == (0, 1)
        assert int(clone.git("rev-list", "--count", head)) < 1000

    def test_a_partial_clone(self, forge: Forge, tmp_path: Path) -> None:
        clone = tmp_path / "partial"
        forge.origin.git(
            "clone", "--quiet", "--no-checkout", "--filter=blob:none", forge.origin.folder.as_uri(), str(clone)
        )
        partial = Repository(clone)
        env = github(tmp_path, "pull_request", pull_request(forge))
        found = ci(partial, env)
        assert found.status == 3
        assert found.report is not None
        assert {one["why"].rpartition(" is ")[2] for one in found.report["scan"]["skipped"]} == {"not in this clone"}
        assert_only_the_new_pair(ci(partial, env, "--fetch"), forge)

    def test_pull_request_target(self, forge: Forge, tmp_path: Path) -> None:
        """The base is checked out: that must not pass for the pull request."""
        clone = forge.clone(tmp_path / "clone", checkout="main")
        env = github(tmp_path, "pull_request_target", pull_request(forge), GITHUB_SHA=forge.main)
        found = ci(clone, env)
        assert found.status == 3
        assert "github.event.pull_request.head.sha" in found.err
        assert_only_the_new_pair(ci(clone, env, "--fetch"), forge)

    def test_push(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        assert_only_the_new_pair(ci(clone, github(tmp_path, "push", push(forge.before, forge.head))), forge, commits=2)

    def test_a_new_branch(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = github(tmp_path, "push", push(ZEROS, forge.head, created=True))
        assert_only_the_new_pair(ci(clone, env), forge)

    def test_a_new_branch_without_the_default_branch(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.clone(tmp_path / "clone")
        env = github(tmp_path, "push", push(ZEROS, forge.head, created=True))
        found = ci(clone, env)
        assert found.status == 3
        assert "branch main of the remote" in found.err
        assert_only_the_new_pair(ci(clone, env, "--fetch"), forge)

    def test_a_new_branch_that_brings_nothing(self, forge: Forge, tmp_path: Path) -> None:
        """Something is scanned all the same: a gate that looked at nothing must not pass."""
        clone = forge.full(tmp_path / "clone", checkout="main")
        found = ci(clone, github(tmp_path, "push", push(ZEROS, forge.main, created=True)))
        assert found.stats["commits"] == 1
        assert "main has all of its commits already: the newest one was scanned" in found.err

    def test_the_first_push_of_all(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone", checkout="main")
        found = ci(clone, github(tmp_path, "push", push(ZEROS, forge.main, ref="refs/heads/main", created=True)))
        assert found.stats["commits"] == 3
        assert len(found.found) == 2
        assert "its whole history was scanned" in found.err

    def test_a_forced_push(self, forge: Forge, tmp_path: Path) -> None:
        """What was there before is gone: what no other branch has is new."""
        clone = forge.full(tmp_path / "clone")
        env = github(tmp_path, "push", push("ab" * 20, forge.head, forced=True))
        found = ci(clone, env)
        assert_only_the_new_pair(found, forge)
        assert "is gone, as after a forced push" in found.err

    @pytest.mark.parametrize("default", [None, "main"])
    def test_a_forced_push_takes_no_policy_of_some_branch(
        self, forge: Forge, tmp_path: Path, default: str | None
    ) -> None:
        """Of the branches that it is compared with only the default one is not up to who pushes."""
        for number in range(1_000):  # until the branch is the first of those that it is compared with
            forge.origin.git("checkout", "--quiet", "-B", "other", "main")
            if forge.origin.commit({".binance-leaks.toml": 'exclude = ["**"]\n'}, message=str(number)) < forge.main:
                break
        clone = forge.full(tmp_path / "clone")
        named = {"default_branch": default} if default else {}
        env = github(tmp_path, "push", push("ab" * 20, forge.head, forced=True, repository=named))
        assert_only_the_new_pair(ci(clone, env, "--policy", "base"), forge)

    def test_a_forced_push_that_is_still_here(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = github(tmp_path, "push", push(forge.before, forge.head, forced=True))
        assert_only_the_new_pair(ci(clone, env), forge, commits=2)

    def test_an_unknown_commit_before(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        found = ci(clone, github(tmp_path, "push", push("ab" * 20, forge.head)))
        assert (found.status, found.report) == (3, None)

    def test_a_tag(self, forge: Forge, tmp_path: Path) -> None:
        other = Pair.fresh()
        forge.origin.git("tag", "-a", "v1", forge.main, "-m", f"Binance API key {other.key} secret {other.secret}")
        tag = forge.origin.git("rev-parse", "refs/tags/v1")
        clone = forge.full(tmp_path / "clone", checkout="main")
        clone.git("fetch", "--quiet", "origin", "refs/tags/v1:refs/tags/v1")
        found = ci(clone, github(tmp_path, "push", push(ZEROS, tag, ref="refs/tags/v1")))
        assert other.digests <= {value["sha256"] for finding in found.found for value in finding["values"]}
        assert "tag message" in {place["path"] for place in found.places}

    def test_a_deleted_branch(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone", checkout="main")
        ran = run("ci", cwd=clone.folder, env=github(tmp_path, "push", push(forge.head, ZEROS, deleted=True)))
        assert (ran.status, ran.out) == (0, "")
        assert "it only deletes" in ran.err

    def test_a_merge_group(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone", checkout="merge")
        payload = {"merge_group": {"base_sha": forge.main, "head_sha": forge.merge}}
        assert_only_the_new_pair(ci(clone, github(tmp_path, "merge_group", payload)), forge, commits=4)

    @pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "release"])
    def test_other_events(self, forge: Forge, tmp_path: Path, event: str) -> None:
        clone = forge.full(tmp_path / "clone")
        env = github(tmp_path, event, {"repository": {"default_branch": "main"}})
        assert_only_the_new_pair(ci(clone, env), forge)

    @pytest.mark.parametrize(
        "payload",
        [
            "",
            "{",
            "[]",
            "null",
            "{}",
            '{"pull_request": 7}',
            '{"pull_request": {"head": {"sha": "x"}, "base": {}}}',
            "[" * 99_999,
        ],
    )
    @pytest.mark.parametrize("event", ["pull_request", "push", "merge_group"])
    def test_a_malformed_event(self, forge: Forge, tmp_path: Path, event: str, payload: str) -> None:
        clone = forge.full(tmp_path / "clone")
        found = ci(clone, github(tmp_path, event, payload))
        assert (found.status, found.report) == (3, None)
        assert "--base" in found.err

    def test_a_missing_event(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = {**github(tmp_path, "pull_request", {}), "GITHUB_EVENT_PATH": str(tmp_path / "nowhere.json")}
        assert ci(clone, env).status == 3
        assert ci(clone, {**env, "GITHUB_EVENT_PATH": ""}).status == 3
        assert_only_the_new_pair(ci(clone, env, "--base", "origin/main"), forge)

    @pytest.mark.parametrize(("name", "system"), [("GITEA_ACTIONS", "Gitea"), ("FORGEJO_ACTIONS", "Forgejo")])
    def test_others_that_speak_alike(self, forge: Forge, tmp_path: Path, name: str, system: str) -> None:
        clone = forge.full(tmp_path / "clone", checkout="head")
        found = ci(clone, {**github(tmp_path, "pull_request", pull_request(forge)), name: "true"})
        assert_only_the_new_pair(found, forge)
        assert f"{system} Actions, pull request 7" in found.err


class TestGitLab:
    """Variables of GitLab CI/CD."""

    def variables(self, **more: str) -> Mapping[str, str]:
        return {"GITLAB_CI": "true", "CI": "true", "CI_DEFAULT_BRANCH": "main", **more}

    def test_merge_request(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = self.variables(
            CI_COMMIT_SHA=forge.head, CI_MERGE_REQUEST_IID="7", CI_MERGE_REQUEST_DIFF_BASE_SHA=forge.fork
        )
        found = ci(clone, env)
        assert_only_the_new_pair(found, forge)
        assert "GitLab, merge request 7" in found.err

    def test_merged_results(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone", checkout="merge")
        env = self.variables(
            CI_COMMIT_SHA=forge.merge,
            CI_MERGE_REQUEST_IID="7",
            CI_MERGE_REQUEST_DIFF_BASE_SHA=forge.fork,
            CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=forge.head,
            CI_MERGE_REQUEST_TARGET_BRANCH_SHA=forge.main,
        )
        assert_only_the_new_pair(ci(clone, env), forge)

    def test_a_shallow_clone(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.clone(tmp_path / "clone", "--depth=2")
        env = self.variables(
            CI_COMMIT_SHA=forge.head, CI_MERGE_REQUEST_IID="7", CI_MERGE_REQUEST_DIFF_BASE_SHA=forge.fork
        )
        found = ci(clone, env)
        assert found.status == 3
        assert "GIT_DEPTH: 0" in found.err
        assert_only_the_new_pair(ci(clone, env, "--fetch"), forge)

    def test_a_branch(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = self.variables(CI_COMMIT_SHA=forge.head, CI_COMMIT_BRANCH="feature", CI_COMMIT_BEFORE_SHA=forge.before)
        assert_only_the_new_pair(ci(clone, env), forge, commits=2)

    def test_a_new_branch(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone")
        env = self.variables(CI_COMMIT_SHA=forge.head, CI_COMMIT_BRANCH="feature", CI_COMMIT_BEFORE_SHA=ZEROS)
        assert_only_the_new_pair(ci(clone, env), forge)

    def test_the_first_push_of_all(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.full(tmp_path / "clone", checkout="main")
        env = self.variables(
            CI_COMMIT_SHA=forge.main, CI_COMMIT_BRANCH="main", CI_COMMIT_BEFORE_SHA=ZEROS, CI_PIPELINE_SOURCE="push"
        )
        assert ci(clone, env).stats["commits"] == 3


class TestOthers:
    """Variables of the other systems."""

    @pytest.mark.parametrize(
        "variables",
        [
            {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_COMMIT": "HEAD_ID", "BITBUCKET_PR_ID": "7",
             "BITBUCKET_PR_DESTINATION_BRANCH": "main", "BITBUCKET_PR_DESTINATION_COMMIT": "SHORT_MAIN_ID"},
            {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_COMMIT": "HEAD_ID", "BITBUCKET_BRANCH": "feature"},
            {"TF_BUILD": "True", "BUILD_REASON": "PullRequest", "BUILD_SOURCEVERSION": "MERGE_ID",
             "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main", "SYSTEM_PULLREQUEST_SOURCECOMMITID": "HEAD_ID",
             "SYSTEM_PULLREQUEST_PULLREQUESTID": "7"},
            {"TF_BUILD": "True", "BUILD_SOURCEVERSION": "HEAD_ID", "BUILD_SOURCEBRANCH": "refs/heads/feature"},
            {"CIRCLECI": "true", "CIRCLE_SHA1": "HEAD_ID", "CIRCLE_BRANCH": "feature"},
            {"JENKINS_URL": "http://ci.example", "GIT_COMMIT": "HEAD_ID", "CHANGE_ID": "7", "CHANGE_TARGET": "main"},
            {"JENKINS_URL": "http://ci.example", "GIT_COMMIT": "HEAD_ID", "BRANCH_NAME": "feature",
             "GIT_PREVIOUS_COMMIT": "FORK_ID"},
            {"BUILDKITE": "true", "BUILDKITE_COMMIT": "HEAD_ID", "BUILDKITE_PULL_REQUEST": "7",
             "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"},
            {"BUILDKITE": "true", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_PULL_REQUEST": "false",
             "BUILDKITE_BRANCH": "feature", "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main"},
            {},
            {"CI": "true"},
        ],
        ids=lambda variables: "-".join(variables)[:40] or "none",
    )  # fmt: skip
    def test_them(self, forge: Forge, tmp_path: Path, variables: Mapping[str, str]) -> None:
        ids = {"HEAD_ID": forge.head, "MERGE_ID": forge.merge, "FORK_ID": forge.fork, "SHORT_MAIN_ID": forge.main[:12]}
        env = {name: ids.get(value, value) for name, value in variables.items()}
        clone = forge.full(tmp_path / "clone", checkout="merge" if "MERGE_ID" in variables.values() else "head")
        assert_only_the_new_pair(ci(clone, env), forge)
        shallow = forge.clone(tmp_path / "shallow", "--depth=1")
        refused = ci(shallow, env)
        assert (refused.status, refused.report) == (3, None)
        assert "--fetch" in refused.err
        assert_only_the_new_pair(ci(shallow, env, "--fetch"), forge)

    def test_without_a_remote(self, repository: Repository) -> None:
        repository.commit({"a.py": "import os\n"})
        found = ci(repository, {})
        assert found.status == 3
        assert "--base" in found.err

    def test_base_and_head_by_hand(self, forge: Forge) -> None:
        found = ci(forge.origin, {}, "--base", "main", "--head", "feature")
        assert_only_the_new_pair(found, forge)
        assert brought_by(found.places[0]) == forge.origin.git("rev-parse", "feature~1")

    def test_an_unknown_base_by_hand(self, forge: Forge) -> None:
        assert ci(forge.origin, {}, "--base", "nowhere").status == 3

    def test_outside_of_a_repository(self, tmp_path: Path) -> None:
        ran = run("ci", cwd=tmp_path)
        assert ran.status == 3
        assert "not a git repository" in ran.err

    def test_a_remote_that_is_gone(self, forge: Forge, tmp_path: Path) -> None:
        clone = forge.clone(tmp_path / "clone", "--depth=1")
        clone.git("remote", "set-url", "origin", (tmp_path / "nowhere").as_uri())
        found = ci(clone, {}, "--fetch")
        assert found.status == 3
        assert "git fetch" in found.err

    def test_a_branch_name_that_is_no_name(self, forge: Forge, tmp_path: Path) -> None:
        trap = tmp_path / "trap"
        clone = forge.clone(tmp_path / "clone")
        for name in ("--upload-pack=touch " + str(trap), "main:refs/heads/evil", "a b", "../x", "-x", "x\n"):
            env = {"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "7", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": name}
            gate("ci", "--fetch", cwd=clone.folder, env=env)
        assert not trap.exists()
        assert "evil" not in clone.git("for-each-ref")

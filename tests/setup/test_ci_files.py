"""What is written for GitHub and GitLab: valid by the published schemas, and put into a pipeline only where safe."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from binance_leaks.cli.arguments.setup import CI_SYSTEMS
from binance_leaks.errors import UsageError
from binance_leaks.setup.ci_templates import (
    JOB,
    PIPELINE,
    PIPELINES,
    WORKFLOW,
    plan_github,
    plan_gitlab,
    plan_pipeline,
    template,
)
from binance_leaks.setup.package_source import PACKAGE, PackageSource, install_commands
from binance_leaks.setup.plan import Keep, Plan, Refuse, Write

from tests.schemas import complaints

GITHUB = PackageSource(url="https://github.com/an-owner/a.tool.git", rev="0123456789abcdef0123456789abcdef01234567")
ELSEWHERE = PackageSource(url="https://git.example/tools/binance-leaks", rev="v1.2.0")
OURS = f"/{JOB}"


def written(plan: Plan) -> str:
    assert isinstance(plan, Write), plan
    return plan.new.decode("utf-8")


@pytest.mark.parametrize("upload", [False, True])
@pytest.mark.parametrize("source", [None, GITHUB, ELSEWHERE])
def test_the_workflow(tmp_path: Path, source: PackageSource | None, upload: bool) -> None:
    text = written(plan_github(None, source, upload_sarif=upload))
    file = tmp_path / "workflow.yml"
    file.write_text(text, "utf-8")
    assert not complaints("github-workflows", file)
    workflow = yaml.safe_load(text)
    assert set(workflow[True]) == {"pull_request", "push", "merge_group"}  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["binance-leaks"]
    assert ("security-events" in job.get("permissions", {})) == upload
    assert job["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert not any("${{" in step.get("run", "") for step in job["steps"])
    if source is GITHUB:
        assert job["steps"][1]["uses"] == f"an-owner/a.tool@{GITHUB.rev}"
        assert job["steps"][1]["with"] == {"policy": "base", **({"upload-sarif": True} if upload else {})}
    else:
        *installs, scan = [step["run"] for step in job["steps"][2:] if "run" in step]
        assert tuple(installs) == install_commands(source, "python")
        assert scan.startswith("python -I -m binance_leaks ci --policy base --time-limit 15m --format github")


def test_a_workflow_of_another_version_is_updated() -> None:
    old = written(plan_github(None, None, upload_sarif=False)).encode()
    assert isinstance(plan_github(old, None, upload_sarif=False), Keep)
    assert isinstance(plan_github(old, GITHUB, upload_sarif=False), Write)
    assert isinstance(plan_github(old + b"#\n", GITHUB, upload_sarif=False), Refuse)


def test_the_template_is_right(tmp_path: Path) -> None:
    file = tmp_path / PIPELINE
    file.write_text(template("gitlab-ci.yml", None), "utf-8")
    assert not complaints("gitlab-ci", file)
    job = yaml.safe_load(template("gitlab-ci.yml", None))["binance-leaks"]
    assert job["variables"]["GIT_DEPTH"] == "0"
    assert job["before_script"] == [f'python -I -m pip install --quiet "{PACKAGE}"']
    assert job["allow_failure"] is False
    assert job["artifacts"]["reports"] == {"secret_detection": "gl-secret-detection-report.json"}
    file.write_text(template("gitlab-ci.yml", None).replace("when: always", "when: sometimes"), "utf-8")
    assert complaints("gitlab-ci", file)


@pytest.mark.parametrize("source", [None, GITHUB, ELSEWHERE])
def test_a_project_without_a_pipeline(tmp_path: Path, source: PackageSource | None) -> None:
    job, pipeline = plan_gitlab(None, None, source)
    for name, plan in (("a.yml", job), ("b.yml", pipeline)):
        (tmp_path / name).write_text(written(plan), "utf-8")
        assert not complaints("gitlab-ci", tmp_path / name)
    assert yaml.safe_load(written(pipeline))["include"] == [{"local": OURS}]
    assert tuple(yaml.safe_load(written(job))["binance-leaks"]["before_script"]) == install_commands(source, "python")
    again = plan_gitlab(written(pipeline).encode(), written(job).encode(), source)
    assert all(isinstance(plan, Keep) for plan in again)


@pytest.mark.parametrize(
    ("old", "includes"),
    [
        ("test:\n  script: make\n", []),
        ("test:\n  script: make", []),
        ("test:\r\n  script: !reference [.a, script]\r\n", []),
        ("# top\ninclude:\n  - local: /a.yml\n  - template: B.yml  # b\n    # of b\n\ntest: {}\n", ["/a.yml", None]),
        ("include:\n- local: /a.yml\ntest: &t\n  script: make\nother: *t\n", ["/a.yml"]),
        (".a: &a\n  x: 1\ntest:\n  <<: *a\n  script: make\n", []),
    ],
)  # fmt: skip
def test_a_pipeline_is_included_into(old: str, includes: list[str | None]) -> None:
    _, plan = plan_gitlab(old.encode(), None, None)
    new = written(plan)
    included = yaml.safe_load(new.replace("!reference ", ""))["include"]
    assert [entry.get("local") for entry in included] == [*includes, OURS]
    rest = iter(new.splitlines())
    assert all(line in rest for line in old.splitlines())
    assert ("\r\n" in new) == ("\r\n" in old)
    assert isinstance(plan_gitlab(new.encode(), None, None)[1], Keep)


@pytest.mark.parametrize(
    "old",
    [
        "include: /a.yml\n",
        "include: [/a.yml]\n",
        "include:\n  local: /a.yml\n",
        "include: []\n",
        "spec:\n  inputs: {}\n---\ntest: {script: make}\n",
        "{test: {script: make}}\n",
        "test:\n\tscript: make\n",
        "include: *x\n",
        "test:\n  script: make\n...\n",
    ],
)
def test_pipelines_that_are_left_alone(old: str) -> None:
    job, plan = plan_gitlab(old.encode(), None, None)
    assert isinstance(plan, Refuse)
    assert yaml.safe_load(plan.by_hand) == {"include": [{"local": OURS}]}
    assert isinstance(job, Write)


@pytest.mark.parametrize("old", [f"include: {OURS}\n", f"include: [{JOB}]\n", f"include:\n  - local: '{OURS}'\n"])
def test_a_pipeline_that_includes_it_stays(old: str) -> None:
    assert isinstance(plan_gitlab(old.encode(), None, None)[1], Keep)


def test_the_job_fits_the_pipeline() -> None:
    job, _ = plan_gitlab(b"stages: [lint, 'on: x']\ntest: {script: make}\n", None, None)
    ours = yaml.safe_load(written(job))["binance-leaks"]
    assert ours["stage"] == "lint"
    assert ours["rules"] == [{"if": "$CI_COMMIT_BRANCH"}]
    assert isinstance(job, Write)
    assert any("branches only" in note for note in job.notes)

    pipeline = b"stages: [lint, test]\nworkflow:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n"
    job, _ = plan_gitlab(pipeline, None, None)
    ours = yaml.safe_load(written(job))["binance-leaks"]
    assert ours["stage"] == "test"
    assert len(ours["rules"]) == 3


@pytest.mark.parametrize(
    ("url", "action"),
    [
        ("https://github.com/o/n", "o/n@v1"),
        ("https://github.com/o/n.git", "o/n@v1"),
        ("https://github.com/o/n/", "o/n@v1"),
        ("git@github.com:o/n.git", "o/n@v1"),
        ("ssh://git@github.com/o/n", "o/n@v1"),
        ("https://github.com/o/n/tree", None),
        ("https://github.com.evil.example/o/n", None),
        ("https://evil.example/github.com/o/n", None),
        ("https://gitlab.com/o/n", None),
    ],
)
def test_where_the_action_is(url: str, action: str | None) -> None:
    assert PackageSource(url=url, rev="v1").action == action


@pytest.mark.parametrize(
    ("url", "rev"),
    [
        ("https://git.example/x", None),
        (None, "v1"),
        ("", "v1"),
        ("--upload-pack=x", "v1"),
        ("https://git.example/x\nrepos: []", "v1"),
        ("https://a-name@git.example/x", "v1"),
        ("https://a-name:word@git.example/x", "v1"),
        ("https://git.example/x", "--x"),
        ("https://git.example/x", "v1; make"),
        ("https://git.example/x", "${{ github.token }}"),
        ("https://git.example/x", ""),
    ],
)
def test_origins_that_are_refused(url: str | None, rev: str | None) -> None:
    with pytest.raises(UsageError):
        PackageSource.of(url, rev)


@pytest.mark.parametrize(
    "url", ["../near", "git@git.example:x", "file:///x", "https://git.example/$(make)", "http://x"]
)
def test_origins_that_ci_cannot_fetch(url: str) -> None:
    source = PackageSource.of(url, "v1")
    assert source is not None
    with pytest.raises(UsageError, match="CI cannot fetch"):
        plan_github(None, source, upload_sarif=False)
    with pytest.raises(UsageError, match="CI cannot fetch"):
        plan_gitlab(None, None, source)


def test_everything_from_a_repository_is_installed_by_hash() -> None:
    fetch, checkout, dependencies, program = install_commands(ELSEWHERE, "python3")
    assert f'git clone --quiet "{ELSEWHERE.url}" ' in fetch
    assert checkout.endswith(f' checkout --quiet "{ELSEWHERE.rev}"')
    assert dependencies.startswith("python3 -I -m pip install --quiet --require-hashes -r /")
    assert "--no-index --no-deps --no-build-isolation" in program


def test_places() -> None:
    assert WORKFLOW.startswith(".github/workflows/")
    assert PIPELINE == ".gitlab-ci.yml"


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("source", [None, GITHUB, ELSEWHERE])
def test_whole_pipelines(name: str, source: PackageSource | None) -> None:
    pipeline = PIPELINES[name]
    first = plan_pipeline(pipeline, None, source)
    text = written(first)
    assert all(command in text for command in install_commands(source, "")[:2])
    assert ("--require-hashes" in text) == (source is not None)
    assert "-m binance_leaks ci --policy base --time-limit 15m" in text
    assert "@PACKAGE@" not in text
    assert text.startswith("// " if name == "jenkins" else "# ")
    assert isinstance(plan_pipeline(pipeline, text.encode(), source), Keep)
    newer = PackageSource(url=ELSEWHERE.url, rev="v9")
    assert 'checkout --quiet "v9"' in written(plan_pipeline(pipeline, text.encode(), newer))
    assert isinstance(plan_pipeline(pipeline, text.encode() + b"#\n", newer), Refuse)


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_of_others(name: str) -> None:
    pipeline = PIPELINES[name]
    plan = plan_pipeline(pipeline, b"of others\n", ELSEWHERE)
    assert isinstance(plan, Refuse)
    assert pipeline.is_ours != bool(plan.by_hand)
    if plan.by_hand:
        added = b"of others\n" + plan.by_hand.encode()
        assert isinstance(plan_pipeline(pipeline, added, ELSEWHERE), Keep)


def test_every_system_is_offered() -> None:
    assert {"github", "gitlab", *PIPELINES} == set(CI_SYSTEMS)

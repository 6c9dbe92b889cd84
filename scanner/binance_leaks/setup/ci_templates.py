"""What runs the gate in CI: a workflow on GitHub, an included job on GitLab, a whole pipeline elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType

import yaml

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.setup.package_source import PackageSource, install_commands, quoted
from binance_leaks.setup.plan import Keep, Plan, Refuse, Write, has_marker, plan_file
from binance_leaks.setup.yaml_edit import Edit, UnsafeEditError, YamlFile, events

WORKFLOW = ".github/workflows/binance-leaks.yml"

# Actions are pinned to commits: a tag can be moved.
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
UPLOAD_SARIF = "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2"

_HEAD = f"""\
name: binance-leaks

on:
  pull_request:
  push:
    branches: ["**"]
  merge_group:

permissions:
  contents: read

# A newer push to a pull request cancels the run of the one before; runs of branches are never cancelled.
concurrency:
  group: binance-leaks-${{{{ github.event.pull_request.number || github.run_id }}}}
  cancel-in-progress: true

jobs:
  binance-leaks:
    name: Binance credentials
    runs-on: ubuntu-latest
    timeout-minutes: 20
@PERMISSIONS@    steps:
      - uses: {CHECKOUT}
        with:
          fetch-depth: 0  # the gate needs the commits between base and head
          persist-credentials: false
"""
_MAY_UPLOAD = """\
    permissions:
      contents: read
      security-events: write  # for the upload to code scanning
"""
_ACTION = """\
      - uses: @ACTION@
"""
_POLICY = """\
        with:
          policy: base  # a pull request cannot allow its own findings
"""
_ACTION_UPLOADS = """\
          upload-sarif: true
"""
_PACKAGE = f"""\
      - uses: {SETUP_PYTHON}
        with:
          python-version: "3.12"
      - run: python -I -m pip install --quiet "@PACKAGE@"
      - run: |
          python -I -m binance_leaks ci --policy base --time-limit 15m --format github \\
            --format "json:$RUNNER_TEMP/binance-leaks.json"@SARIF@
          test -s "$RUNNER_TEMP/binance-leaks.json" || exit 3  # without a report nothing was scanned
"""
_SARIF = ' --format "sarif:$RUNNER_TEMP/binance-leaks.sarif"'
_PACKAGE_UPLOADS = f"""\
      - uses: {UPLOAD_SARIF}
        if: ${{{{ !cancelled() }}}}
        continue-on-error: true  # the token of a fork may not upload
        with:
          sarif_file: ${{{{ runner.temp }}}}/binance-leaks.sarif
          category: binance-leaks
"""


_INSTALL = lazy_pattern(
    r"^(?P<before> *(?:- (?:run: |script: )?|sh '))"
    r"(?P<python>\S+) -I -m pip install --quiet \"@PACKAGE@\"(?P<after>'?)$",
    re.MULTILINE,
)


def plan_github(old: bytes | None, source: PackageSource | None, *, upload_sarif: bool) -> Plan:
    """Plan the workflow.

    It uses our action where the source is on GitHub, and installs the package elsewhere.
    """
    return plan_file(WORKFLOW, old, _workflow(source, upload_sarif=upload_sarif))


def _workflow(source: PackageSource | None, *, upload_sarif: bool) -> str:
    head = _HEAD.replace("@PERMISSIONS@", _MAY_UPLOAD if upload_sarif else "")
    if source is not None and source.action is not None:
        return head + _ACTION.replace("@ACTION@", source.action) + _POLICY + (_ACTION_UPLOADS if upload_sarif else "")
    body = _with_install_commands(_PACKAGE, source)
    body = body.replace("@SARIF@", _SARIF if upload_sarif else "")
    return head + body + (_PACKAGE_UPLOADS if upload_sarif else "")


PIPELINE = ".gitlab-ci.yml"
JOB = ".gitlab/binance-leaks.gitlab-ci.yml"

_TEMPLATE = "gitlab-ci.yml"
_INCLUDE = "include"
_STAGE = "  stage: test\n"
_MERGE_REQUESTS = """\
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
"""
_KNOWN = ("merge_request_event", "CI_MERGE_REQUEST", "merge_requests", "Workflows/")
"""What is in a pipeline that already runs for merge requests."""
_BRANCHES_ONLY = (
    "The pipeline does not run for merge requests, so the job runs for branches only: "
    "a pipeline of this job alone could decide whether a merge request can be merged."
)

_FRESH = f"""\
{_INCLUDE}:
  - local: /{JOB}

# One pipeline per change: for its merge request, else for its branch.
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH
    - if: $CI_COMMIT_TAG
"""


def template(name: str, source: PackageSource | None) -> str:
    """Return a file of the folder `templates`, in which CI installs the program from a source."""
    text = resources.files("binance_leaks.setup").joinpath("templates").joinpath(name).read_text("utf-8")
    return _with_install_commands(text, source)


def _with_install_commands(text: str, source: PackageSource | None) -> str:
    """Return a template with the commands of its source in the place of each one that installs the program."""

    def commands(line: re.Match[str]) -> str:
        return "\n".join(
            line["before"] + command + line["after"] for command in install_commands(source, line["python"])
        )

    return _INSTALL.sub(commands, text)


def plan_gitlab(pipeline: bytes | None, job: bytes | None, source: PackageSource | None) -> tuple[Plan, Plan]:
    """Plan the job's file and the pipeline that includes it, in this order."""
    included = _plan_pipeline(pipeline)
    body, notes = _job(None if pipeline is None else pipeline.decode("utf-8", "replace"), source)
    return plan_file(JOB, job, body, notes=notes), included


def _job(pipeline: str | None, source: PackageSource | None) -> tuple[str, tuple[str, ...]]:
    """Return the job for a pipeline, in one of its stages and for the events that it runs for, and notes."""
    body = template(_TEMPLATE, source)
    notes: tuple[str, ...] = ()
    if pipeline is None:
        return body, notes
    stages = _stage_names(pipeline)
    if stages and "test" not in stages:
        body = body.replace(_STAGE, f"  stage: {quoted(stages[0])}\n")
    if pipeline.strip() and not any(word in pipeline for word in _KNOWN):
        body = body.replace(_MERGE_REQUESTS, "")
        notes = (_BRANCHES_ONLY,)
    return body, notes


def _stage_names(pipeline: str) -> list[str]:
    """Return the stages that the pipeline itself names; an included file may name others."""
    try:
        stages = YamlFile.read(pipeline.encode("utf-8")).value("stages")
    except UnsafeEditError:
        return []
    listed = stages.value if isinstance(stages, yaml.SequenceNode) else []
    return [node.value for node in listed if isinstance(node, yaml.ScalarNode)]


def _plan_pipeline(old: bytes | None) -> Plan:
    if old is None:
        return Write(path=PIPELINE, old=None, new=_FRESH.encode("utf-8"))
    try:
        return _add_include(old)
    except UnsafeEditError as error:
        return Refuse(path=PIPELINE, why=str(error), by_hand=f"{_INCLUDE}:\n  - local: /{JOB}\n")


def _add_include(old: bytes) -> Plan:
    document = YamlFile.read(old)
    included = document.value(_INCLUDE)
    if included is not None and any(path.lstrip("/") == JOB for path in _scalars(included)):
        return Keep(path=PIPELINE)
    edit, added = _edit(document, included)
    new = document.edited([edit])
    after = events(new[len(document.mark) :].decode("utf-8"))
    wanted = [events(added)] if document.root is None else _insertions(events(document.text), events(added))
    if after not in wanted:
        raise UnsafeEditError("its layout is unusual")
    return Write(path=PIPELINE, old=old, new=new)


def _edit(document: YamlFile, included: yaml.Node | None) -> tuple[Edit, str]:
    """Return the edit that adds the include, and what it adds as YAML by itself."""
    item = f"- local: /{JOB}\n"
    end = len(document.text)
    if document.root is None:
        return (end, end, _FRESH), _FRESH
    if included is None:
        column = " " * document.root.start_mark.column
        added = f"{_INCLUDE}:\n  {item}"
        apart = "\n" if document.text.endswith("\n") and not document.text.endswith(("\n\n", "\n\r\n")) else ""
        return (end, end, apart + f"{column}{_INCLUDE}:\n{column}  {item}"), added
    if not isinstance(included, yaml.SequenceNode) or included.flow_style or not included.value:
        raise UnsafeEditError("its include is not a list with a line for each item")
    column = " " * included.start_mark.column
    at = document.after_comments(document.after(included), deeper_than=max(included.start_mark.column - 1, 0))
    return (at, at, column + item), item


def _insertions(before: list[tuple[str, ...]], added: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    """Yield every valid result: the events of before, with those that were added at one position."""
    new = added[3:-3]  # without the ends of the stream, the document, and the mapping or list that it is in
    return (before[:at] + new + before[at:] for at in range(len(before)))


def _scalars(node: yaml.Node) -> Iterator[str]:
    stack = [node]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node.value
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
        elif isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """A CI system that reads one file, which may have other jobs, too.

    `is_ours` is True where the file is for this job alone.
    """

    path: str
    template: str
    comment: str = "#"
    is_ours: bool = False


PIPELINES: Mapping[str, Pipeline] = MappingProxyType(
    {
        "bitbucket": Pipeline(path="bitbucket-pipelines.yml", template="bitbucket-pipelines.yml"),
        "azure": Pipeline(path="azure-pipelines.yml", template="azure-pipelines.yml"),
        "circleci": Pipeline(path=".circleci/config.yml", template="circleci.yml"),
        "jenkins": Pipeline(path="Jenkinsfile", template="Jenkinsfile", comment="//"),
        "buildkite": Pipeline(path=".buildkite/pipeline.yml", template="buildkite.yml"),
        "gitea": Pipeline(path=".gitea/workflows/binance-leaks.yml", template="gitea.yml", is_ours=True),
        "forgejo": Pipeline(path=".forgejo/workflows/binance-leaks.yml", template="gitea.yml", is_ours=True),
    }
)
"""The systems by the name that `init --ci` has for them."""
_RUNS_THE_GATE = lazy_pattern(rb"binance[-_]leaks ci\b")


def plan_pipeline(pipeline: Pipeline, old: bytes | None, source: PackageSource | None) -> Plan:
    """Plan the file of a system. One with jobs of others is kept if it runs the gate, else a person must add ours."""
    body = template(pipeline.template, source)
    if old is None or pipeline.is_ours or has_marker(old):
        return plan_file(pipeline.path, old, body, comment=pipeline.comment)
    if _RUNS_THE_GATE.search(old):
        return Keep(path=pipeline.path)
    return Refuse(path=pipeline.path, why="it was there before", by_hand=body)

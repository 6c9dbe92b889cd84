"""GitHub: a workflow that runs the gate on pull requests, pushes and in the merge queue."""

from __future__ import annotations

from binance_leaks.setup.package_source import PACKAGE, PackageSource, quoted
from binance_leaks.setup.plan import Plan, plan_file

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
    timeout-minutes: 15
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
_ACTION_UPLOADS = """\
        with:
          upload-sarif: true
"""
_PACKAGE = f"""\
      - uses: {SETUP_PYTHON}
        with:
          python-version: "3.12"
      - run: python -I -m pip install "$PACKAGE"
        env:
          PACKAGE: @PACKAGE@
      - run: |
          python -I -m binance_leaks ci --format github --format "json:$RUNNER_TEMP/binance-leaks.json"@SARIF@
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


def plan_github(old: bytes | None, source: PackageSource | None, *, upload_sarif: bool) -> Plan:
    """Plan the workflow: it uses our action where the source is on GitHub, and installs the package elsewhere."""
    return plan_file(WORKFLOW, old, _workflow(source, upload_sarif=upload_sarif))


def _workflow(source: PackageSource | None, *, upload_sarif: bool) -> str:
    head = _HEAD.replace("@PERMISSIONS@", _MAY_UPLOAD if upload_sarif else "")
    if source is not None and source.action is not None:
        return head + _ACTION.replace("@ACTION@", source.action) + (_ACTION_UPLOADS if upload_sarif else "")
    body = _PACKAGE.replace("@PACKAGE@", quoted(source.requirement if source else PACKAGE))
    body = body.replace("@SARIF@", _SARIF if upload_sarif else "")
    return head + body + (_PACKAGE_UPLOADS if upload_sarif else "")

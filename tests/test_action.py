"""The GitHub action: valid, safe from what its inputs say, and its scripts played with real bash."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from binance_leaks.setup import ci_templates

from tests.e2e import Pair
from tests.repositories import Repository
from tests.schemas import complaints

TOP = Path(__file__).resolve().parents[1]
ACTION = TOP / "action.yml"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
FINDINGS = 2

Step = dict[str, object]


def action() -> dict[str, dict[str, object]]:
    """The action, read."""
    read: dict[str, dict[str, object]] = yaml.safe_load(ACTION.read_text("utf-8"))
    return read


def steps() -> list[Step]:
    """Its steps."""
    listed = action()["runs"]["steps"]
    assert isinstance(listed, list)
    return listed


def step(name: str) -> Step:
    """The step of this name."""
    return next(one for one in steps() if one["name"] == name)


def test_the_schema_takes_it(tmp_path: Path) -> None:
    assert not complaints("github-actions", ACTION)
    bad = tmp_path / "action.yml"
    bad.write_text(ACTION.read_text("utf-8").replace("using: composite", "using: nothing"), "utf-8")
    assert complaints("github-actions", bad)


def test_nothing_is_put_into_the_text_of_a_script() -> None:
    scripts = [str(one["run"]) for one in steps() if "run" in one]
    assert len(scripts) >= 3
    assert not any("${{" in script for script in scripts)
    assert all(one["shell"] == "bash" for one in steps() if "run" in one)


def test_python_never_looks_into_the_repository() -> None:
    for script in (str(one["run"]) for one in steps() if "run" in one):
        for line in script.splitlines():
            started = re.findall(r"(?:\$PYTHON|/python)\"( -\w)?", line)
            assert all(option == " -I" for option in started), line


def test_only_what_has_a_hash_is_installed() -> None:
    lines = [line for one in steps() for line in str(one.get("run", "")).splitlines() if "pip install" in line]
    assert len(lines) == 2
    assert "--require-hashes -r" in lines[0]
    assert "--no-index --no-deps --no-build-isolation" in lines[1]


def test_actions_are_pinned_and_the_same_everywhere() -> None:
    used = [str(one["uses"]) for one in steps() if "uses" in one]
    assert all(PINNED.fullmatch(one) for one in used)
    for ours in (ci_templates.SETUP_PYTHON, ci_templates.UPLOAD_SARIF):
        assert ours.split(" ")[0] in used
        assert ours in ACTION.read_text("utf-8")


def test_inputs_and_outputs_are_those_that_are_documented() -> None:
    document = (TOP / "docs/ci.md").read_text("utf-8")
    for name in (*action()["inputs"], *action()["outputs"]):
        assert f"`{name}`" in document, name
    text = ACTION.read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action()["inputs"])


@dataclass(frozen=True, kw_only=True)
class Played:
    """How a run of the scan's step went: its exit status, outputs, and the arguments of the program."""

    status: int
    outputs: Mapping[str, str]
    arguments: list[str]
    out: str


def play(folder: Path, inputs: Mapping[str, str], *, ends: int = 1, writes: bool = True) -> Played:
    """Run the scan's step with a program in place of ours that writes its arguments down and two findings."""
    folder.joinpath("programs").mkdir(exist_ok=True)
    stub = folder / "programs" / "stub.py"
    stub.write_text(
        "import json, sys\n"
        f"open({str(folder / 'arguments')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        "files = dict(word.split(':', 1) for word in sys.argv if word.startswith(('sarif:', 'json:')))\n"
        f"findings = [{{}}] * {FINDINGS} + [{{'suppressed': {{'by': 'inline'}}}}]\n"
        "report = {'schema': 'binance-leaks/1', 'findings': findings}\n"
        f"for name in (files if {writes} else ()):\n"
        "    open(files[name], 'w').write(json.dumps(report))\n"
        f"sys.exit({ends})\n",
        "utf-8",
    )
    return play_with([str(stub)], folder, inputs)


def play_with(
    program: Sequence[str], folder: Path, inputs: Mapping[str, str], event: Mapping[str, str] = MappingProxyType({})
) -> Played:
    """Run the scan's step with a program of Python in place of the installed one, in a folder called `work`."""
    temporary, work, programs = folder / "temp dir", folder / "work", folder / "programs"
    for made in (temporary, work, programs):
        made.mkdir(exist_ok=True)
    script = programs / "python"
    script.write_text(
        f"""#!/bin/sh
if [ "$1 $2 $3" = "-I -m binance_leaks" ]; then shift 3; exec {shlex.join([sys.executable, *program])} "$@"; fi
exec {shlex.quote(sys.executable)} "$@"
""",
        "utf-8",
    )
    script.chmod(0o755)
    scan = step("Scan")
    variables = scan["env"]
    assert isinstance(variables, dict)
    specs = [(name, spec) for name, spec in action()["inputs"].items() if isinstance(spec, dict)]
    defaults = {name: str(spec.get("default", "")) for name, spec in specs}
    reported = {**defaults, **inputs}
    environment = {name: INPUT.sub(lambda found: reported[found[1]], str(value)) for name, value in variables.items()}
    outputs = folder / "outputs"
    outputs.touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", str(scan["run"])],
        cwd=work,
        env={
            **os.environ,
            **environment,
            **event,
            "PROGRAMS": str(programs),
            "RUNNER_TEMP": str(temporary),
            "GITHUB_OUTPUT": str(outputs),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    arguments = folder / "arguments"
    return Played(
        status=done.returncode,
        outputs=dict(line.split("=", 1) for line in outputs.read_text("utf-8").splitlines()),
        arguments=json.loads(arguments.read_text("utf-8")) if arguments.exists() else [],
        out=done.stdout + done.stderr,
    )


@pytest.mark.parametrize("ends", [0, 1, 2, 3, 130])
def test_the_job_ends_as_the_scan_does(tmp_path: Path, ends: int) -> None:
    played = play(tmp_path, {}, ends=ends)
    assert played.status == ends, played.out
    assert played.outputs["status"] == str(ends)
    assert played.outputs["findings"] == str(FINDINGS)
    assert Path(played.outputs["sarif-file"]).is_file()
    assert Path(played.outputs["json-file"]).is_file()
    reports = tmp_path / "temp dir" / "binance-leaks-reports"
    formats = ["github", f"sarif:{reports}/report.sarif", f"json:{reports}/report.json"]
    assert played.arguments == ["ci", *(word for name in formats for word in ("--format", name)), "--time-limit=15m"]


@pytest.mark.parametrize("ends", [2, 3])
def test_a_scan_that_writes_no_report(tmp_path: Path, ends: int) -> None:
    played = play(tmp_path, {}, ends=ends, writes=False)
    assert played.status == ends
    assert played.outputs == {"status": str(ends), "findings": "", "sarif-file": "", "json-file": ""}


@pytest.mark.parametrize("ends", [0, 1])
def test_a_verdict_without_a_report_is_none(tmp_path: Path, ends: int) -> None:
    played = play(tmp_path, {}, ends=ends, writes=False)
    assert played.status == 3
    assert played.outputs == {"status": "3", "findings": "", "sarif-file": "", "json-file": ""}
    assert "::error::" in played.out


@pytest.mark.parametrize("content", ["", "{", "{}", '{"findings": []}', '{"schema": "another", "findings": []}'])
def test_a_report_that_is_none_of_ours(tmp_path: Path, content: str) -> None:
    stub = tmp_path / "stub.py"
    stub.write_text(
        "import sys\n"
        "name = next(word[5:] for word in sys.argv if word.startswith('json:'))\n"
        f"open(name, 'w').write({content!r})\n",
        "utf-8",
    )
    played = play_with([str(stub)], tmp_path, {})
    assert played.status == 3
    assert played.outputs["json-file"] == ""


def test_a_report_of_before_is_not_taken_for_ours(tmp_path: Path) -> None:
    play(tmp_path, {}, ends=0)
    (tmp_path / "outputs").unlink()
    assert play(tmp_path, {}, ends=3, writes=False).outputs["findings"] == ""


def test_inputs_become_options(tmp_path: Path) -> None:
    inputs = {
        "fail-on": "high",
        "confidence": "low",
        "baseline": ".secrets.baseline",
        "config": "a b.toml",
        "fetch": "true",
        "time-limit": "5m",
        "sarif-file": "out.sarif",
        "args": "--exclude\nvendor/ and more\r\n\n--show-suppressed\n",
    }
    played = play(tmp_path, inputs, ends=0)
    assert played.status == 0, played.out
    assert played.arguments[4] == "sarif:out.sarif"
    assert played.arguments[7:] == [
        "--fail-on=high", "--confidence=low", "--baseline=.secrets.baseline", "--config=a b.toml", "--fetch",
        "--time-limit=5m", "--exclude", "vendor/ and more", "--show-suppressed",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["fail-on", "confidence", "baseline", "config", "args", "fetch", "time-limit"])
@pytest.mark.parametrize(
    "evil", ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "'; touch pwned #", "x && touch pwned", "*", "\\"]
)
def test_inputs_are_no_commands(tmp_path: Path, name: str, evil: str) -> None:
    played = play(tmp_path, {"time-limit": "", name: evil}, ends=0)
    assert played.status == 0, played.out
    assert not list((tmp_path / "work").iterdir())
    if name != "fetch":
        assert played.arguments[7:] == [evil if name == "args" else f"--{name}={evil}"]
    else:
        assert played.arguments[7:] == []


def test_an_input_forges_no_output(tmp_path: Path) -> None:
    played = play(tmp_path, {"sarif-file": "x\nstatus=0"}, ends=1)
    assert played.status == 2
    assert played.outputs == {}


def test_with_the_real_program(tmp_path: Path) -> None:
    pair = Pair.fresh()
    repository = Repository.create(tmp_path / "work")
    before = repository.commit({"a.py": "import os\n"})
    repository.commit({"bot.py": pair.python})
    repository.git("rm", "--quiet", "bot.py")
    after = repository.commit()
    payload = {"ref": "refs/heads/main", "before": before, "after": after, "repository": {"default_branch": "main"}}
    (tmp_path / "event.json").write_text(json.dumps(payload), "utf-8")
    event = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    played = play_with(["-I", "-m", "binance_leaks"], tmp_path, {}, event)
    assert played.status == 1, played.out
    assert played.outputs["findings"] == "1"
    assert "::error file=bot.py,line=2" in played.out
    assert "bot.py" in (tmp_path / "summary").read_text("utf-8")
    assert json.loads(Path(played.outputs["sarif-file"]).read_text("utf-8"))["version"] == "2.1.0"
    assert pair.secret not in played.out + (tmp_path / "summary").read_text("utf-8")
    (tmp_path / "outputs").unlink()
    assert play_with(["-I", "-m", "binance_leaks"], tmp_path, {"fail-on": "none"}, event).status == 0

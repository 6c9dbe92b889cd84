"""The recipes in the documents: valid by the schemas of their CI systems, and naming only what exists."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import dask
import pytest
import yaml
from binance_leaks import __version__
from binance_leaks.cli.parser import build
from binance_leaks.config import load_config
from binance_leaks.setup import ci_templates, pre_commit
from binance_leaks.setup.package_source import PackageSource
from distributed import Security

from tests.schemas import complaints

TOP = Path(__file__).resolve().parents[1]
DOCUMENT = TOP / "docs/ci.md"
FLEET = TOP / "docs/fleet.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMAS = {
    ".github/workflows": "github-workflows",
    ".gitea/workflows": "github-workflows",
    ".gitlab-ci.yml": "gitlab-ci",
    "bitbucket-pipelines.yml": "bitbucket-pipelines",
    "azure-pipelines.yml": "azure-pipelines",
    ".circleci/config.yml": "circle-ci",
    ".buildkite/pipeline.yml": "buildkite",
}
# Their options are those of the programs that they run.
PASSED_ON = frozenset({"detect-secrets-hook", "detect-secrets-audit"})
COMMAND = re.compile(r"(?:binance-leaks|-m binance_leaks|SystemExit\(main\(\)\))\"? ((?:[a-z][a-z-]*)(?: [^\n`|#']*)?)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language, its text, and for YAML the file that its first line names."""

    language: str
    text: str

    @property
    def file(self) -> str:
        return self.text.splitlines()[0].removeprefix("# ")

    @property
    def schema(self) -> str | None:
        path = PurePosixPath(self.file)
        return next((SCHEMAS[name] for name in (str(path), str(path.parent)) if name in SCHEMAS), None)


def blocks(language: str, document: Path = DOCUMENT) -> list[Block]:
    """The blocks of one language, in order."""
    found = BLOCK.findall(document.read_text("utf-8"))
    return [Block(language=name, text=text) for name, text in found if name == language]


def sources() -> list[Path]:
    """Every file that reports how the program is called in CI and as a hook."""
    return [
        DOCUMENT,
        FLEET,
        TOP / "README.md",
        TOP / "action.yml",
        TOP / "scanner/binance_leaks/setup/ci_templates.py",
        *(TOP / "scanner/binance_leaks/setup/templates").iterdir(),
        TOP / "scanner/binance_leaks/setup/pre_commit.py",
        TOP / ".pre-commit-hooks.yaml",
    ]


def test_every_system_has_its_recipe() -> None:
    assert {block.schema for block in blocks("yaml")} - {None} == set(SCHEMAS.values())


@pytest.mark.parametrize(
    "block",
    [*blocks("yaml"), *(block for block in blocks("yaml", FLEET) if block.schema is not None)],
    ids=lambda block: block.file,
)
def test_recipes_are_valid(tmp_path: Path, block: Block) -> None:
    file = tmp_path / PurePosixPath(block.file).name
    file.write_text(block.text, "utf-8")
    if block.schema is None:
        assert block.file == ".pre-commit-config.yaml"
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "validate-config", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        assert not complaints(block.schema, file)


def test_the_settings_for_tls_are_those_of_dask() -> None:
    shown = next(block for block in blocks("yaml", FLEET) if "dask" in block.file)
    reported = yaml.safe_load(shown.text)["distributed"]["comm"]
    with dask.config.set({f"distributed.comm.tls.{name}": value for name, value in reported["tls"].items()}):
        for role in ("scheduler", "worker", "client"):
            read = Security().get_tls_config_for_role(role)
            assert all(read[name] for name in ("ca_file", "cert", "key")), role
    assert reported.keys() <= dask.config.get("distributed.comm").keys()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("github-workflows", "on: push\njobs:\n  a: {steps: 1}\n"),
        ("gitlab-ci", "a: {script: [a], artifacts: {reports: {nothing: x}}}\n"),
        ("bitbucket-pipelines", "pipelines: {default: [{stop: 1}]}\n"),
        ("azure-pipelines", "steps: [{nothing: x}]\n"),
        ("circle-ci", "version: 2.1\njobs: {a: {docker: 1, steps: 2}}\n"),
        ("buildkite", "steps: [{wait: [1], command: {}}]\n"),
    ],
)
def test_the_schemas_refuse_what_is_wrong(tmp_path: Path, schema: str, text: str) -> None:
    (tmp_path / "x.yml").write_text(text, "utf-8")
    assert complaints(schema, tmp_path / "x.yml")


def test_the_configuration_is_understood(tmp_path: Path) -> None:
    tables = blocks("toml")
    assert tables
    for block in tables:
        (tmp_path / "pyproject.toml").write_text(block.text, "utf-8")
        load_config(tmp_path / "pyproject.toml")


def test_recipes_are_the_templates() -> None:
    source = PackageSource(url="https://git.example/tools/binance-leaks", rev=f"v{__version__}")
    texts = [block.text for language in ("yaml", "groovy") for block in blocks(language)]
    shown = {text.splitlines()[0].split(" ")[1]: text.partition("\n")[2] for text in texts}
    gitlab = ci_templates.template("gitlab-ci.yml", source)
    assert yaml.safe_load(shown[ci_templates.PIPELINE]) == yaml.safe_load(gitlab)
    for pipeline in ci_templates.PIPELINES.values():
        if "forgejo" not in pipeline.path:
            assert shown[pipeline.path] == ci_templates.template(pipeline.template, source)


def test_actions_are_pinned_to_the_same_commits() -> None:
    pins = (ci_templates.CHECKOUT, ci_templates.SETUP_PYTHON, ci_templates.UPLOAD_SARIF)
    known = {pin.split("@")[0]: pin for pin in pins}
    used = re.findall(r"uses: (?:https://github\.com/)?(\S+@\S+.*)", DOCUMENT.read_text("utf-8"))
    assert len(used) >= 5
    for one in used:
        assert known.get(one.split("@")[0], one) == one
        assert one.startswith("OWNER/") or one.split("@")[0] in known


def test_nothing_is_installed_by_a_name_alone() -> None:
    for source in sources():
        assert "binance-leaks==" not in source.read_text("utf-8").replace("==VERSION", "")


def test_hook_ids_exist() -> None:
    offered = {hook["id"] for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    named = {hook.id for hook in pre_commit.HOOKS}
    for source in (DOCUMENT, TOP / "README.md"):
        text = source.read_text("utf-8")
        named |= set(re.findall(r"\bid: (binance-leaks[\w-]*)", text))
        named |= set(re.findall(r"hooks? (?:id )?`(binance-leaks[\w-]*)`", text))
    assert "binance-leaks-push" in named
    assert named <= offered


def known_options() -> dict[str, set[str]]:
    """The options of every command, from the parser itself."""
    commands = next(action for action in build()._actions if isinstance(action, argparse._SubParsersAction))
    return {name: options_of(parser) for name, parser in commands.choices.items()}


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a command, with those of its actions."""
    found = {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= {option for each in action.choices.values() for option in options_of(each)}
    return found


def called() -> set[tuple[str, str]]:
    """Commands of ours with each option that they are given, in any of the sources."""
    found = set()
    for source in sources():
        for words in COMMAND.findall(source.read_text("utf-8").replace("\\\n", " ")):
            command, *arguments = re.split(r"\s+", words.strip())
            options = [word.split("=")[0].rstrip(".,;:)\"'") for word in arguments if word.startswith("-")]
            found |= {(command, option) for option in ("", *options) if option not in ("-", "--")}
    scan = re.findall(r"(--[a-z][a-z-]+)", (TOP / "action.yml").read_text("utf-8").split("words=(ci")[1])
    return found | {("ci", option) for option in scan}


def test_commands_and_options_exist() -> None:
    known = known_options()
    asked = {(command, option) for command, option in called() if command in known}
    assert len(asked) > 10
    assert {("ci", "--format"), ("ci", "--fetch"), ("init", "--ci"), ("staged", "")} <= asked
    wrong = {(command, option) for command, option in asked if option and option not in known.get(command, {option})}
    assert not {(command, option) for command, option in wrong if command not in PASSED_ON}


def test_shell_lines_can_be_read() -> None:
    for block in blocks("sh"):
        for line in block.text.splitlines():
            assert shlex.split(line)[0] == "binance-leaks"

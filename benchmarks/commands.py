"""The command line of each scanner for the same work: a tree or a file, what is staged, or a history.

Each peer gets one rule only, its own report format, no network and no validation; all else stays as its maker ships it.
`lean` takes away what a peer does beyond the rule (decoding, archives, language detection), so that no ratio rests on
work that an option could have left out.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs import Program, Tool
from timing import BenchmarkError, Command

RULES = Path(__file__).with_name("rules")

FOUND: Mapping[Tool, int] = {
    Tool.BINANCE_LEAKS: 1,
    Tool.GITLEAKS: 1,
    Tool.BETTERLEAKS: 1,
    Tool.KINGFISHER: 200,
    Tool.DETECT_SECRETS: 1,
}
"""The exit status that says that something was found; 0 says that nothing was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Where and how the programs run. Reports go to the scratch folder, one file a program."""

    scratch: Path
    env: Mapping[str, str]
    lean: bool = False

    def report(self, tool: Tool) -> Path:
        """Where the program writes its findings."""
        return self.scratch / f"{tool.value}.json"


def scan_tree(program: Program, target: Path, setting: Setting) -> Command:
    """Scan a folder, or one file of any size, and write a report."""
    report = str(setting.report(program.tool))
    match program.tool:
        case Tool.BINANCE_LEAKS:
            arguments = ["scan", str(target), "--no-progress", "--format", f"json:{report}"]
        case Tool.GITLEAKS:
            arguments = ["dir", str(target), *_gitleaks(setting), "-f", "json", "-r", report]
        case Tool.BETTERLEAKS:
            arguments = ["fs", str(target), *_betterleaks(setting), "-o", report]
        case Tool.KINGFISHER:
            arguments = ["scan", str(target), *_kingfisher(setting), "--git-history", "none", "--exclude", "**/.git/**"]
            arguments += ["--max-file-size", "0", "-f", "json", "-o", report]
        case Tool.DETECT_SECRETS:
            folder = target if target.is_dir() else target.parent
            arguments = ["-C", str(folder), "scan", "--all-files", "--exclude-files", r"(^|/)\.git/"]
            arguments += [*_detect_secrets(program), "." if target.is_dir() else target.name]
    silent = frozenset({0}) if program.tool is Tool.DETECT_SECRETS else frozenset({0, FOUND[program.tool]})
    return Command(
        name=program.tool.value,
        argv=(str(program.path), *arguments),
        cwd=setting.scratch,
        env=setting.env,
        expected=silent,
        stdout=Path(report) if program.tool is Tool.DETECT_SECRETS else None,
    )


def scan_staged(program: Program, repository: Path, files: Sequence[str], setting: Setting, *, status: int) -> Command:
    """Scan what is staged, as each maker's own pre-commit hook does. `status` is the one exit status that is right."""
    path = program.path
    match program.tool:
        case Tool.BINANCE_LEAKS:
            arguments = ["staged"]
        case Tool.GITLEAKS:
            arguments = ["git", "--pre-commit", "--staged", *_gitleaks(setting), "."]
        case Tool.BETTERLEAKS:
            arguments = ["git", "--staged", *_betterleaks(setting), "."]
        case Tool.KINGFISHER:
            arguments = ["scan", ".", "--staged", *_kingfisher(setting)]
        case Tool.DETECT_SECRETS:
            path = program.path.with_name("detect-secrets-hook")
            arguments = [*_detect_secrets(program), *files]
    return Command(
        name=path.name,
        argv=(str(path), *arguments),
        cwd=repository,
        env=setting.env,
        expected=frozenset({status}),
    )


def scan_history(program: Program, repository: Path, setting: Setting, *, limit: float | None) -> Command:
    """Scan all that a repository ever held, as far as the program goes, and write a report."""
    report = str(setting.report(program.tool))
    match program.tool:
        case Tool.BINANCE_LEAKS:
            arguments = [
                "history",
                str(repository),
                "--no-progress",
                "--allow-incomplete",
                "--format",
                f"json:{report}",
            ]
        case Tool.GITLEAKS:
            arguments = ["git", str(repository), "--log-opts=--all", *_gitleaks(setting), "-f", "json", "-r", report]
        case Tool.BETTERLEAKS:
            arguments = ["git", str(repository), *_betterleaks(setting), "-o", report]
        case Tool.KINGFISHER:
            arguments = ["scan", str(repository), *_kingfisher(setting), "--git-history", "full"]
            arguments += ["--max-file-size", "0", "-f", "json", "-o", report]
        case Tool.DETECT_SECRETS:
            raise BenchmarkError("detect-secrets reads no history")
    return Command(
        name=program.tool.value,
        argv=(str(program.path), *arguments),
        cwd=setting.scratch,
        env=setting.env,
        expected=frozenset({0, FOUND[program.tool]}),
        limit=limit,
    )


def scan_commits(
    program: Program, repository: Path, base: str, head: str, setting: Setting, *, limit: float | None
) -> Command:
    """Scan what the commits between two revisions introduce, as each maker recommends for a pull request."""
    report = str(setting.report(program.tool))
    match program.tool:
        case Tool.BINANCE_LEAKS:
            arguments = ["range", f"{base}..{head}", "--no-progress", "--format", f"json:{report}"]
        case Tool.GITLEAKS:
            arguments = ["git", ".", f"--log-opts={base}..{head}", *_gitleaks(setting), "-f", "json", "-r", report]
        case Tool.BETTERLEAKS:
            arguments = ["git", ".", f"--log-opts={base}..{head}", *_betterleaks(setting), "-o", report]
        case Tool.KINGFISHER:
            arguments = ["scan", ".", *_kingfisher(setting), "--since-commit", base, "--branch", head]
            arguments += ["--max-file-size", "0", "-f", "json", "-o", report]
        case Tool.DETECT_SECRETS:
            raise BenchmarkError("detect-secrets reads no commits")
    return Command(
        name=program.tool.value,
        argv=(str(program.path), *arguments),
        cwd=repository,
        env=setting.env,
        expected=frozenset({0, FOUND[program.tool]}),
        limit=limit,
    )


def _gitleaks(setting: Setting) -> list[str]:
    quiet = ["--no-banner", "--no-color", "--log-level", "error", "--redact"]
    return ["--config", str(RULES / "gitleaks.toml"), *quiet, *(["--max-decode-depth", "0"] if setting.lean else [])]


def _betterleaks(setting: Setting) -> list[str]:
    quiet = ["--no-banner", "--no-color", "--silent", "--log-level", "error", "--redact"]
    lean = ["--max-decode-depth=0", "--max-archive-depth=0"] if setting.lean else []
    return ["--config", str(RULES / "betterleaks.toml"), *quiet, *lean]


def _kingfisher(setting: Setting) -> list[str]:
    offline = ["--no-validate", "--no-update-check", "--redact", "--quiet"]
    lean = ["--turbo", "--no-extract-archives"] if setting.lean else []
    return ["--rules-path", str(RULES / "kingfisher.yml"), "--load-builtins=false", *offline, *lean]


def _detect_secrets(program: Program) -> list[str]:
    """Our plugin and no other; no verification; and not the filter that drops every `Client("KEY", "SECRET")`."""
    listed = subprocess.run([program.path, "scan", "--list-all-plugins"], capture_output=True, text=True, check=False)
    names = listed.stdout.split()
    if listed.returncode or not names:
        raise BenchmarkError("detect-secrets does not list its plugins")
    disabled = [part for name in names for part in ("--disable-plugin", name)]
    indirect = ["--disable-filter", "detect_secrets.filters.heuristic.is_indirect_reference"]
    return ["-n", "-p", str(RULES / "detect_secrets_plugin.py"), *disabled, *indirect]

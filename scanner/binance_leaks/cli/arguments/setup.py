"""Arguments of `init` and `doctor`."""

from __future__ import annotations

from binance_leaks.agents.contracts import AGENTS

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands

CI_SYSTEMS = (
    "github", "gitlab", "bitbucket", "azure", "circleci", "jenkins", "buildkite", "gitea", "forgejo",
)  # fmt: skip


def add_init(commands: Commands) -> None:
    """Add `init`."""
    parser = commands.add_parser(
        "init",
        help="set up the hooks of pre-commit, CI, and the hooks of coding agents",
        description="Adds the hooks to .pre-commit-config.yaml and, with --ci, what CI needs; with --agent, instead,\n"
        "the hook to the settings of a coding agent. Shows the difference first and, on a terminal, asks. It adds\n"
        "to files that it did not write, or leaves them alone; what it wrote itself, and nobody edited since, it\n"
        "brings up to date.",
        epilog="examples:\n"
        "  binance-leaks init --dry-run\n"
        "  binance-leaks init --ci github --repo https://github.com/OWNER/binance-leaks --rev v1.2.0\n"
        "  binance-leaks init --ci gitlab --repo https://git.example/tools/binance-leaks --rev v1.2.0\n"
        "  binance-leaks init --agent claude-code\n"
        "  binance-leaks init --agent cursor --user\n\n"
        "exit status: 0 done or nothing to do, 2 a file was left alone and nothing was written",
    )
    parser.add_argument("--ci", choices=CI_SYSTEMS, help="also write what this CI system needs")
    parser.add_argument(
        "--repo",
        metavar="URL",
        help="where hooks and CI get this program (default: for hooks the installed one; for CI that of the hooks)",
    )
    parser.add_argument("--rev", metavar="REV", help="commit or tag of --repo")
    parser.add_argument(
        "--from-index", action="store_true", help="let CI install the package of this name from the package index"
    )
    parser.add_argument("--upload-sarif", action="store_true", help="let GitHub show findings in its security tab")
    parser.add_argument(
        "--agent",
        action="append",
        choices=tuple(AGENTS),
        default=[],
        help="add the hook to this agent's settings in the project, and nothing else; repeatable",
    )
    parser.add_argument(
        "--user", action="store_true", help="add it to your own settings of the agent, for every project"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(target="binance_leaks.cli.init:run")


def add_doctor(commands: Commands) -> None:
    """Add `doctor`."""
    parser = commands.add_parser(
        "doctor",
        help="check whether the hooks are really run here",
        description="Looks at the hooks of this repository, the configuration, the baseline and the installation.\n"
        "Then it puts a generated key pair through the hooks for commits and messages, as git would run them.\n"
        "Nothing in the repository changes, and other hooks of pre-commit are skipped. Hooks of coding agents, of\n"
        "the project and your own, are looked at and tried where init --agent set them up. Each line is ok, or\n"
        "says what to do.",
        epilog="example: binance-leaks doctor\n\n"
        "exit status: 0 commits are checked, 1 something that should be checked is not, 2 not in a work tree,\n"
        "3 it could not be found out, as where a hook does not end",
    )
    parser.add_argument("--no-run", action="store_true", help="only look: do not run the hooks")
    parser.add_argument("--json", action="store_true", help="print the checks as JSON")
    parser.set_defaults(target="binance_leaks.cli.doctor:run")

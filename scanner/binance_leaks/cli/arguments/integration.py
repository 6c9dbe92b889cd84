"""Arguments of what connects to other programs: `init`, `completion`, `plugin-path` and those of detect-secrets."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands

SHELLS = ("bash", "zsh", "fish")


def add_init(commands: Commands) -> None:
    """Add `init`."""
    parser = commands.add_parser(
        "init",
        help="set up the hooks of pre-commit, and CI",
        description="Adds the hooks to .pre-commit-config.yaml and, with --ci, what CI needs. Shows the difference\n"
        "first and, on a terminal, asks. It adds to files that it did not write, or leaves them alone.",
        epilog="examples:\n"
        "  binance-leaks init --dry-run\n"
        "  binance-leaks init --ci github\n"
        "  binance-leaks init --ci gitlab --repo https://git.example/tools/binance-leaks --rev v1.2.0\n\n"
        "exit status: 0 done or nothing to do, 2 a file was left alone and nothing was written",
    )
    parser.add_argument("--ci", choices=("github", "gitlab"), help="also write what this CI system needs")
    parser.add_argument(
        "--repo", metavar="URL", help="where hooks and CI get this program (default: the installed one, the index)"
    )
    parser.add_argument("--rev", metavar="REV", help="commit or tag of --repo")
    parser.add_argument("--upload-sarif", action="store_true", help="let GitHub show findings in its security tab")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(target="binance_leaks.cli.init:run")


def add_completion(commands: Commands) -> None:
    """Add `completion`."""
    parser = commands.add_parser(
        "completion",
        help="print a shell completion script",
        description="Prints a script that makes a shell complete commands, options and their values.",
        epilog="examples:\n"
        "  source <(binance-leaks completion bash)        # in ~/.bashrc\n"
        "  source <(binance-leaks completion zsh)         # in ~/.zshrc, after compinit\n"
        "  binance-leaks completion fish | source         # in ~/.config/fish/config.fish",
    )
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    parser.set_defaults(target="binance_leaks.cli.completion:run")


def add_plugin_path(commands: Commands) -> None:
    """Add `plugin-path`."""
    parser = commands.add_parser(
        "plugin-path",
        help="print the path of the detect-secrets plugin",
        description="Prints the path of the plugin file.",
        epilog='example: detect-secrets scan -p "$(binance-leaks plugin-path)"',
    )
    parser.set_defaults(target="binance_leaks.cli.detect_secrets:print_plugin_path")


def add_detect_secrets(commands: Commands) -> None:
    """Add `detect-secrets-hook` and `detect-secrets-audit`, whose arguments are those of detect-secrets."""
    commands.add_parser(
        "detect-secrets-hook",
        help="run detect-secrets-hook with this plugin; takes its arguments",
        description='Runs detect-secrets-hook with this plugin and without the filter that hides Client("K", "S").',
        epilog="example: binance-leaks detect-secrets-hook --baseline .secrets.baseline bot.py",
    )
    commands.add_parser(
        "detect-secrets-audit",
        help="same as baseline audit, with paths from the current folder",
        description="Runs detect-secrets audit, which by itself stops at any plugin that was given with -p.",
        epilog="example: binance-leaks detect-secrets-audit .secrets.baseline",
    )

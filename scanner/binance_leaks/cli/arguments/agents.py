"""Arguments of `agent-hook`."""

from __future__ import annotations

from binance_leaks.agents.contracts import AGENTS

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands


def add_agent_hook(commands: Commands) -> None:
    """Add `agent-hook`."""
    parser = commands.add_parser(
        "agent-hook",
        help="answer a coding agent's hook: stop prompts, tool calls and files with credentials",
        description="Reads one event of an agent's hook from standard input, scans the prompt, the arguments or the\n"
        "output of the tool and the file that is about to be read, and answers in the format that the agent\n"
        "expects. An event without a credential passes, and the agent's own permissions decide. `init --agent`\n"
        "sets it up.",
        epilog="examples:\n"
        "  binance-leaks agent-hook --agent claude-code\n"
        "  binance-leaks agent-hook --agent cursor --fail-closed\n\n"
        "exit status: 0 answered, on standard output if there is more to say, 2 stopped: what was wrong is on\n"
        "standard error",
    )
    parser.add_argument("--agent", choices=tuple(AGENTS), help="the agent (default: the one that sends such events)")
    gate = parser.add_argument_group("gate")
    fail = gate.add_mutually_exclusive_group()
    fail.add_argument(
        "--fail-open",
        action="store_const",
        const=True,
        dest="fail_open",
        help="let an event pass that could not be scanned (default: only if it merely names a file that cannot be "
        "opened)",
    )
    fail.add_argument(
        "--fail-closed",
        action="store_const",
        const=False,
        dest="fail_open",
        help="stop every event that could not be scanned",
    )
    gate.add_argument(
        "--config",
        metavar="FILE",
        help="use this configuration in full (default: only the project's entries that allow a digest)",
    )
    parser.set_defaults(target="binance_leaks.cli.agent_scan:run")

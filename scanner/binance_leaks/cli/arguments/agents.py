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
        description="Reads one event of an agent's hook from standard input, looks at the prompt, the arguments or\n"
        "the output of the tool and the file that is about to be read, and answers as the agent's contract has\n"
        "it. An event without a credential passes, and the agent's own permissions decide. `init --agent` sets it up.",
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
        help="let pass what could not be looked at (default: a file that the event only names)",
    )
    fail.add_argument(
        "--fail-closed",
        action="store_const",
        const=False,
        dest="fail_open",
        help="stop what could not be looked at (default: all but such a file)",
    )
    gate.add_argument(
        "--config",
        metavar="FILE",
        help="your own configuration, which counts as a whole (default: of the project's, values allowed by digest)",
    )
    parser.set_defaults(target="binance_leaks.cli.agent_hook:run")

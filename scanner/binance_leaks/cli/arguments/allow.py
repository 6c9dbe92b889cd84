"""Arguments of `allow`."""

from __future__ import annotations

from binance_leaks.cli.arguments.common import add_config

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands


def add_allow(commands: Commands) -> None:
    """Add `allow`."""
    parser = commands.add_parser(
        "allow",
        help="allow a false alarm, in the configuration or by a comment",
        description="Allows findings of the last scan in this project, by the ids that it printed, or values by their\n"
        "digests: adds an entry with the digests to the configuration, and makes one where there is none. Both\n"
        "halves of a pair are allowed at once.",
        epilog="examples:\n"
        "  binance-leaks allow --last --reason 'generated for tests'\n"
        "  binance-leaks allow 3f9c12ab --inline\n"
        "  binance-leaks allow --list\n"
        "  binance-leaks allow --prune --dry-run\n\n"
        "exit status: 0 done or nothing to do, 2 usage or configuration, and nothing was written, 3 --prune could not\n"
        "read everything, 130 interrupted",
    )
    parser.add_argument(
        "what", nargs="*", metavar="ID|SHA256", help="beginning of the id of a finding, or the digest of a value"
    )
    action = parser.add_argument_group("action").add_mutually_exclusive_group()
    action.add_argument("--last", action="store_true", help="allow everything that the last scan found")
    action.add_argument("--list", action="store_true", help="list the entries of the configuration")
    action.add_argument(
        "--prune", action="store_true", help="remove entries that match nothing in the files or the history any more"
    )
    entry = parser.add_argument_group("entry")
    entry.add_argument("--reason", metavar="TEXT", help="why it is allowed; reports show it")
    entry.add_argument(
        "--inline", action="store_true", help="add a comment to the lines, instead of an entry in the configuration"
    )
    entry.add_argument("--report", metavar="FILE", help="a JSON report to take ids from, instead of the last scan")
    add_config(entry)
    entry.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.set_defaults(target="binance_leaks.cli.allow:run")

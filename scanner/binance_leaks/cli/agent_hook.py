"""`binance-leaks agent-hook`: read an event, and let one pass that certainly holds nothing.

Nearly every event is such: this imports little, and the rest where there is more to do. Whatever goes wrong here is
answered as the agent's contract has it: any other exit status than 2 would let the event pass.
"""

from __future__ import annotations

import os
import signal
import sys

from binance_leaks.agents.answers import BLOCKED, Answer, Notice, let_pass, stop, warn
from binance_leaks.agents.contracts import AGENTS
from binance_leaks.agents.event import LARGEST, AgentEvent, UnreadableEventError, read_event
from binance_leaks.detect import first_test, prefilter
from binance_leaks.errors import ConfigError, UsageError, describe_fault
from binance_leaks.sources.fast_path import LARGE, is_harmless

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from binance_leaks.cli.arguments.common import Options

TIME_LIMIT = 15.0
"""Seconds after which an event counts as not scanned: agents end a hook after 30, and then let the event pass."""
_PICTURES = ("BINANCE_LEAKS_PICTURES", "off")
"""The variable and the mode of `sources.pictures.settings`, which costs an import: a picture takes a second or two."""
_OPEN, _CLOSED, _AGENT, _CONFIG = "--fail-open", "--fail-closed", "--agent", "--config"


def answer_event(words: Sequence[str]) -> int:
    """Answer the event on standard input, and return the exit status.

    Raises UsageError and ConfigError, whose exit status stops the agent, as does an answer that cannot be written.
    """
    try:
        status = _answer_event(words)
        sys.stdout.flush()
    except UnreadableEventError:  # the alarm came again, while an answer was made
        return BLOCKED
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of the answer goes nowhere
        return BLOCKED
    return status


def _answer_event(words: Sequence[str]) -> int:
    options = _PlainOptions.parse(words) or _parse_fully(words)
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("it reads an event of an agent from standard input", hint="init --agent sets an agent up.")
    os.environ.setdefault(*_PICTURES)
    event: AgentEvent | None = None
    before = _start_clock()
    try:
        if sys.stdin is None:
            raise UnreadableEventError("standard input is closed")
        event = read_event(sys.stdin.buffer.read(LARGEST + 1), options.agent)
        if event.contract is None:
            return _write(Answer(errors=f"binance-leaks: nothing to scan in this event of {event.agent.title}\n"))
        if _is_clean(event):
            return _write(let_pass(event))
        return _scan_fully(words, event)
    except (UsageError, ConfigError):
        raise
    except UnreadableEventError as error:
        return write_unread(event, str(error), is_open=options.is_open)
    except BaseException as error:  # an interrupt or a lack of memory, too
        return write_unread(event, f"internal error, {describe_fault(error)}", is_open=options.is_open)
    finally:
        _stop_clock(before)


def _start_clock() -> object:
    """Raise UnreadableEventError when it takes too long, and again if that is caught, where the system can."""
    if sys.platform == "win32":
        return None

    def end(_: int, __: object) -> NoReturn:
        raise UnreadableEventError(f"it took longer than {TIME_LIMIT:.0f} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT, 1)
    return before


def _stop_clock(before: object) -> None:
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)  # type: ignore[arg-type]  # what it was


def write_unread(event: AgentEvent | None, why: str, *, is_open: bool | None, is_file: bool = False) -> int:
    """Answer an event that could not be scanned. By default it passes only with `is_file`.

    `is_file` is True if a file that the event merely names, and that cannot be opened, is all that was not scanned.
    """
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, 0)  # the answer is not to be interrupted
    passes = is_file if is_open is None else is_open
    try:
        from binance_leaks.report.agent_notice import describe_unread  # start-up: only where something went wrong

        notice = describe_unread(event, why, stopped=not passes)
    except Exception:  # the installation is damaged
        notice = Notice("binance-leaks could not scan this event.", "binance-leaks could not scan this event.")
    return _write(warn(event, notice) if passes else stop(event, notice))


def _write(answer: Answer) -> int:
    sys.stderr.write(answer.errors)
    sys.stdout.write(answer.output)
    sys.stdout.flush()
    return answer.status


def _scan_fully(words: Sequence[str], event: AgentEvent) -> int:
    from binance_leaks.cli.parser import parse  # start-up: argparse and the rest only where there is more to do

    options: Options = parse(["agent-hook", *words])
    options.event = event
    return options.run(options)


def _parse_fully(words: Sequence[str]) -> _PlainOptions:
    """Raise UsageError for options that are wrong, and SystemExit after help."""
    from binance_leaks.cli.parser import parse  # start-up: as above

    options = parse(["agent-hook", *words])
    return _PlainOptions(options.agent, options.fail_open)


class _PlainOptions:
    """The options of a command line without mistakes, which need no parser."""

    __slots__ = ("agent", "is_open")

    def __init__(self, agent: str | None, is_open: bool | None) -> None:
        self.agent = agent
        self.is_open = is_open

    @classmethod
    def parse(cls, words: Sequence[str]) -> _PlainOptions | None:
        """Return the options, None where the parser must look at them."""
        agent, is_open, rest = None, None, list(words)
        while rest:
            word = rest.pop(0)
            name, equals, value = word.partition("=")
            if word in (_OPEN, _CLOSED) and is_open is None:
                is_open = word == _OPEN
            elif name in (_AGENT, _CONFIG) and (equals or rest):
                value = value if equals else rest.pop(0)
                agent = value if name == _AGENT else agent
            else:
                return None
        return cls(agent, is_open) if agent is None or agent in AGENTS else None


def _is_clean(event: AgentEvent) -> bool:
    """Whether nothing in an event can be a credential, nor in the files that it names."""
    if prefilter.path_may_hold(os.fsencode(event.target)) or any(map(first_test.may_hold, event.contents())):
        return False
    return all(_is_clean_file(path) for path in event.files)


def _is_clean_file(path: str) -> bool:
    """Whether a file is small, whole and certainly without a credential. Nothing is opened that could make it wait."""
    if prefilter.path_may_hold(os.fsencode(path)) or not os.path.isfile(path):  # noqa: PTH113
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return False
    with open(descriptor, "rb") as stream:  # noqa: PTH123
        if os.fstat(descriptor).st_size > LARGE:
            return False
        data = stream.read(LARGE + 1)
    return len(data) <= LARGE and is_harmless(data)

"""Put a generated key pair through a hook, as git would run it for a commit.

The index, the objects and the message are in a temporary folder, and the entries of the index are marked as unchanged,
so that nothing of the repository changes and no manager of hooks puts changes of the work tree aside. Other hooks of
pre-commit are skipped.
"""

from __future__ import annotations

import errno
import os
import secrets
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path

from binance_leaks.config import Config
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.path_bytes import decode_path
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.setup.doctor.hooks import Hook, call
from binance_leaks.setup.doctor.project import fails_on_a_pair
from binance_leaks.setup.pre_commit import HOOKS, INSTALLED, PATH
from binance_leaks.sources.git import Git
from binance_leaks.temporary_folders import temporary_folder

TIME_LIMIT = 120.0
"""Seconds after which a hook is ended: the first run may install an environment."""
_ALPHABET = string.ascii_letters + string.digits
_SETTINGS = {"core.splitIndex": "false", "core.fsmonitor": "false"}
"""With a split index, git would write a part of ours into the repository."""
_LARGEST_OUTPUT = 1 << 20
_REGULAR = "100644"
_NOT_FOUND = 127
"""The exit status of a program that cannot be started."""
_NAMES = ("binance_leaks_doctor.py", ".env.binance-leaks-doctor", "binance-leaks-doctor/settings.json")
"""Names of the file of the commit: the first that the project does not exclude counts."""


class Outcome(Enum):
    """What a hook did with a generated key pair."""

    REFUSED = auto()
    PASSED = auto()
    BROKEN = auto()
    """It refuses everything."""
    TIMED_OUT = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """The outcome, and the exit status of a hook that ended."""

    outcome: Outcome
    status: int = 0


def check_by_trial(hook: Hook, top: Path, config: Config) -> Check:
    """Put a pair through a hook, and tell what that means."""
    is_excluded = config.exclusion()
    name = next((name for name in _NAMES if not is_excluded(name) and not os.path.lexists(top / name)), None)
    if name is None:
        return _check(hook, State.WARNING, "not tried: the configuration excludes every file", "Narrow exclude down.")
    trial = try_hook(hook, top, name)
    if trial.outcome is Outcome.REFUSED:
        return _check(hook, State.OK, "refused a generated key pair")
    if trial.outcome is Outcome.TIMED_OUT:
        return _check(
            hook,
            State.UNKNOWN,
            f"did not end within {TIME_LIMIT:.0f} seconds",
            f"Run it to see why: git hook run {hook.kind}",
        )
    if trial.outcome is Outcome.BROKEN:
        return _broken(hook, trial.status)
    return _passed(hook, config)


def _broken(hook: Hook, status: int) -> Check:
    found = f"refuses every commit, with status {status}"
    if status == _NOT_FOUND:
        found += ": a program that it starts is not found"
    if hook.configured is None:
        return _check(hook, State.FAILURE, found, f"Run it to see why: {hook.file}")
    manager = hook.manager if hook.manager == "prek" else "pre-commit"
    remedy = f"{manager} run shows why; {manager} clean && {manager} install --install-hooks makes its programs anew."
    return _check(hook, State.FAILURE, found, remedy)


def _passed(hook: Hook, config: Config) -> Check:
    found = "a generated key pair passed"
    if not fails_on_a_pair(config):
        return _check(hook, State.WARNING, f"{found}, as fail-on has it")
    entry = hook.entry
    if entry is not None and hook.kind == INSTALLED[0] and not _runs_always(entry):
        return _check(
            hook,
            State.WARNING,
            f"{found}: without always_run, the hook {entry.get('id')} runs for files on the disk only",
            f"Add `always_run: true` to it in {PATH}.",
        )
    remedy = f"See the lines above; if they are ok, look at how {hook.source} calls binance-leaks."
    if not hook.calls_us:
        remedy = f"Add to {hook.source}: {call(hook.kind)}"
    return _check(hook, State.FAILURE, found, remedy)


def _runs_always(entry: Mapping[str, object]) -> bool:
    """Whether pre-commit runs a hook without files; of the two of the manifest, ours does."""
    return entry.get("always_run", "entry" not in entry and entry.get("id") == HOOKS[0].id) is True


def _check(hook: Hook, state: State, found: str, remedy: str = "") -> Check:
    return Check(name=f"{hook.kind}, tried", state=state, found=found, remedy=remedy)


def try_hook(hook: Hook, top: Path, name: str, *, limit: float = TIME_LIMIT) -> Trial:
    """Put a pair through a hook for commits or messages; the file of the commit is called `name`.

    A hook that names the pair has refused it. Of another one that fails, what it does with harmless text decides.
    """
    key, pair = generate_pair()
    harmless = "# a commit of binance-leaks doctor\n"
    done = _run(hook, top, name, pair, limit)
    if done is None:
        return Trial(outcome=Outcome.TIMED_OUT)
    status, output = done
    if status == 0:
        return Trial(outcome=Outcome.PASSED)
    if names_key(output, key):
        return Trial(outcome=Outcome.REFUSED, status=status)
    control = _run(hook, top, name, harmless, limit)
    if control is None:
        return Trial(outcome=Outcome.TIMED_OUT)
    return Trial(outcome=Outcome.BROKEN if control[0] else Outcome.REFUSED, status=status)


def generate_pair() -> tuple[str, str]:
    """Return an API key, and lines of a program that has it with its secret."""
    key, secret = ("".join(secrets.choice(_ALPHABET) for _ in range(64)) for _ in "12")
    return key, f'BINANCE_API_KEY = "{key}"\nBINANCE_API_SECRET = "{secret}"\n'


def names_key(output: bytes, key: str) -> bool:
    """Whether output shows the mask of a key."""
    return f"{key[:4]}…{key[-4:]}".encode() in output


def _run(hook: Hook, top: Path, name: str, text: str, limit: float) -> tuple[int, bytes] | None:
    """Run a hook for a commit of this text; its status and output, None if it did not end in time."""
    is_message = hook.kind == INSTALLED[1]
    with temporary_folder("binance-leaks-doctor") as place:
        variables = _make_index(top, place, name, "#\n" if is_message else text)
        message = place / "COMMIT_EDITMSG"
        message.write_text(text if is_message else "A commit\n", "utf-8")
        arguments = [str(message)] if is_message else []
        environment = {**os.environ, **variables, **_skips(hook), "GIT_EDITOR": ":", "PRE_COMMIT_COLOR": "never"}
        output = place / "output"
        with output.open("wb") as stream:
            status = _run_process([str(hook.file), *arguments], top, environment, stream.fileno(), limit)
        with output.open("rb") as stream:
            return None if status is None else (status, stream.read(_LARGEST_OUTPUT))


def _make_index(top: Path, place: Path, name: str, text: str) -> Mapping[str, str]:
    """Make an index of HEAD and one file more; return the variables by which git uses it."""
    objects = Path(
        top, decode_path(Git(str(top), inherit=True).run("rev-parse", "--git-path", "objects").rstrip(b"\n"))
    )
    known = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
    (place / "objects").mkdir()
    variables = {
        "GIT_INDEX_FILE": str(place / "index"),
        "GIT_OBJECT_DIRECTORY": str(place / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join([_quoted(str(objects)), *([known] if known else [])]),
        **_settings(),
    }
    git = Git(str(top), inherit=True, variables=variables)
    if git.run("rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1)):
        git.run("read-tree", "HEAD")
    blob = git.run_with(text, "hash-object", "-w", "--stdin").decode().strip()
    git.run("update-index", "--add", "--cacheinfo", f"{_REGULAR},{blob},{name}")
    names = decode_path(git.run("ls-files", "-z"))
    git.run_with(names, "update-index", "-z", "--assume-unchanged", "--stdin")
    return variables


def _settings() -> Mapping[str, str]:
    """The variables that add our settings to those that the environment has."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    named = {
        f"GIT_CONFIG_{part}_{first + at}": text
        for at, setting in enumerate(_SETTINGS.items())
        for part, text in zip(("KEY", "VALUE"), setting, strict=True)
    }
    return {**named, "GIT_CONFIG_COUNT": str(first + len(_SETTINGS))}


def _quoted(path: str) -> str:
    """A path as git reads it in a list that colons separate."""
    if os.pathsep not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _skips(hook: Hook) -> Mapping[str, str]:
    """The variables that make pre-commit and prek skip the hooks of others."""
    if hook.configured is None:
        return {}
    others = ",".join(hook.configured.others)
    return {
        name: ",".join(filter(None, (others, os.environ.get(name))))
        for name in ("SKIP", "PREK_SKIP")
        if name == "SKIP" or name in os.environ
    }


def run_with_input(words: Sequence[str], folder: Path, text: str, *, limit: float) -> tuple[int, bytes] | None:
    """Run a program with this text as its standard input; its status and output, None if it did not end in time."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(text.encode())
        given.seek(0)
        status = _run_process(words, folder, os.environ, output.fileno(), limit, given=given.fileno())
        output.seek(0)
        return None if status is None else (status, output.read(_LARGEST_OUTPUT))


def _run_process(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int,
    limit: float,
    *,
    given: int = subprocess.DEVNULL,
) -> int | None:
    """Run a program for at most `limit` seconds; return its status, None if it was ended."""
    try:
        with _started(words, folder, environment, output, given) as process:
            return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    except OSError:
        return _NOT_FOUND


@contextmanager
def _started(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], output: int, given: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program in a process group of its own, of which nothing is left afterwards."""
    process = _start(words, folder, environment, output, given)
    try:
        yield process
    finally:
        if sys.platform != "win32":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            process.kill()
        process.wait()


def _start(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], output: int, given: int
) -> subprocess.Popen[bytes]:
    """Start a hook as git does: by itself, else through the shell where it has no first line that names a program."""

    def start(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdin=given, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    try:
        return start(*words)
    except OSError as error:
        if sys.platform != "win32" and error.errno != errno.ENOEXEC:
            raise
        return start("sh", *words)

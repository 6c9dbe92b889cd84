"""Follow a git that reaches a remote: without prompts, not longer than the remote answers, and not beyond this process.

The remote may be silent, hang up or send any text. Such a git has helpers, so it runs in a session of its own, which is
ended as a whole.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, TypeVar

from binance_leaks.sources.plumbing import NO_PROTOCOL, find_program

PATIENCE = 60
"""Seconds for which a remote may be silent. For the first answer it has twice that."""
_AFTER_ANSWER = 10
"""How many times longer it may be silent once it has answered: it may have much to count and to compress."""
_LOCAL_WORK = ("Receiving objects: 100%", "Unpacking objects: 100%", "Resolving deltas:", "Checking connectivity:")
_LONGEST = 4096
_LINES_KEPT = 40
_SETTINGS = (
    "transfer.bundleURI=false", "fetch.recurseSubmodules=false",
    "gc.auto=0", "maintenance.auto=false",  # both would go on in the background
    "http.lowSpeedLimit=1", "credential.interactive=false",
)  # fmt: skip
_END_GROUP = 'read -r _; kill -s TERM -- "-$1"; sleep 1; kill -s KILL -- "-$1"'
LOCAL_UPLOAD_PACK = f"GIT_ALLOW_PROTOCOL={NO_PROTOCOL} git-upload-pack"
"""What sends the objects of a repository on this disk. It obeys the settings there, and fetches nothing itself."""
_FAILURES = (
    (("no space left", "out of diskspace", "quota exceeded"), "the disk is full",
     "Free some space, or point TMPDIR or --keep at a larger disk."),
    (("could not resolve proxy",), "the proxy was not found", "Check http.proxy and the variable https_proxy."),
    (("could not resolve host", "name or service not known", "nodename nor servname", "name resolution"),
     "the host was not found", "Check the address and the connection."),
    (("connection refused", "failed to connect", "couldn't connect", "no route to host", "network is unreachable"),
     "the host refused the connection", "Check the address, the port and the firewall."),
    (("ssh: not found", "ssh: command not found", "cannot run ssh"), "there is no ssh on this machine",
     "Install an ssh client, or use an address with https."),
    (("timed out", "operation too slow", " timeout", "timeout, server"), "the host did not answer in time", ""),
    (("host key verification failed",), "the key of the ssh host is not known", "Connect to it once with ssh."),
    (("certificate",), "the certificate of the host cannot be verified", "Check the address and http.sslCAInfo."),
    (("could not read username", "could not read password", "unable to get password", "authentication failed",
      "permission denied (", "terminal prompts disabled", "returned error: 401", "returned error: 403",
      "returned error: 407"),
     "there is no such repository, or it needs a login",
     "Check the address; set up a credential helper of git, or an ssh key, that may read it."),
    (("repository not found", "' not found", "returned error: 404", "not appear to be a git repository",
      "does not exist", "could not be found"),
     "there is no such repository", "Check the address and that you may read it."),
    (("dubious ownership",), "the repository belongs to another user",
     "If you trust it: git config --global --add safe.directory FOLDER"),
    (("' not allowed",), "your git settings lead to a protocol that is not allowed",
     "Look for url.*.insteadOf; only https, ssh and file are allowed."),
    (("hung up", "early eof", "unexpected disconnect", "connection reset", "empty reply", "non-properly terminated",
      "unexpected eof", "handshake", "rpc failed", "connection closed", "closed by remote"),
     "the connection broke off", ""),
)  # fmt: skip


class RunningGit(Protocol):
    """A git that was started as the leader of a session."""

    @property
    def pid(self) -> int: ...
    @property
    def stdout(self) -> IO[bytes] | None: ...
    @property
    def stderr(self) -> IO[bytes] | None: ...
    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def terminate(self) -> None: ...


_Git = TypeVar("_Git", bound=RunningGit)


def transport_settings(patience: int) -> list[str]:
    """Options of git: nothing goes on in the background, and a remote that sends nothing is given up."""
    return [part for name in (*_SETTINGS, f"http.lowSpeedTime={patience}") for part in ("-c", name)]


def ssh_without_prompts(command: str, patience: int) -> str:
    """A command for ssh without prompts and without a master that outlives it; other programs unchanged."""
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        return command
    if Path(program).name.lower().removesuffix(".exe") != "ssh":
        return command
    alive = f"-o ServerAliveInterval={max(1, patience // 4)} -o ServerAliveCountMax=4"
    return f"{command} -o BatchMode=yes -o ControlMaster=no -o ConnectTimeout={patience} {alive}"


@contextmanager
def ending_with_us(start: Callable[[], _Git]) -> Iterator[_Git]:
    """Start git, and end it and its helpers with this block, and with this process, however that ends.

    An interrupt is raised in the main thread alone: git is started in another, so that none comes between its start and
    its end. A process that is killed tells nobody, but its end of a pipe is closed: a shell waits for that.
    """
    started: Future[_Git] = Future()
    starter = threading.Thread(target=_start, args=(start, started), name="start of git", daemon=True)
    shell = find_program("sh") if sys.platform != "win32" else None
    try:
        starter.start()
        process = started.result()
        if shell is None:
            yield process
            return
        with subprocess.Popen(
            [shell, "-c", _END_GROUP, "sh", str(process.pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        ) as lifeline:  # fmt: skip
            try:
                yield process
            finally:
                stop(process)
                lifeline.kill()
    finally:
        if not started.cancel() and started.exception() is None:
            stop(started.result())


def _start(start: Callable[[], _Git], started: Future[_Git]) -> None:
    if started.set_running_or_notify_cancel():
        try:
            started.set_result(start())
        except BaseException as error:
            started.set_exception(error)


def follow(
    process: RunningGit, messages: IO[bytes], patience: int, heard: Callable[[str], None] = lambda _: None
) -> tuple[int, list[str]]:
    """Read the messages of git to its end; return its exit status and the last lines.

    git is ended where the remote is silent for too long, and `timed out` is then the last line.
    """
    kept: deque[str] = deque(maxlen=_LINES_KEPT)
    # http.lowSpeedTime does not count while a connection is made, where curl waits for five minutes.
    silence = _Silence(process, patience)
    silence.start()
    try:
        for line in _lines(messages):
            kept.append(line)
            silence.heard(line)
            heard(line)
        status = process.wait()
    finally:
        silence.stop()
    if silence.is_over:
        return status or 1, [*kept, "timed out"]
    return status, list(kept)


def explain_failure(lines: Sequence[str], *, again: str, secrets: Sequence[str] = ()) -> tuple[str, str]:
    """What the last messages of git mean, and what to do; `again` where the remote may answer another time."""
    text = "\n".join(lines).lower()
    for words, message, hint in _FAILURES:
        if any(word in text for word in words):
            return message, hint or again
    said = next((line for line in reversed(lines) if line.startswith(("fatal: ", "error: "))), "fatal: git failed")
    for secret in filter(None, secrets):
        said = said.replace(secret, "…")
    return "".join(letter for letter in said.partition(": ")[2] if letter.isprintable())[:200], again


def stop(process: RunningGit) -> None:
    """End git and its helpers where it still runs; kindly first, so that it takes its locks away."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.terminate()
        process.wait()
        return
    try:
        with suppress(ProcessLookupError, PermissionError):  # it may end by itself in this moment
            os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + 3
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Silence(threading.Thread):
    """Ends git when a remote is silent for too long."""

    def __init__(self, process: RunningGit, patience: int) -> None:
        super().__init__(name="silence of a remote", daemon=True)
        self._process = process
        self._patience = patience
        self._until = time.monotonic() + 2 * patience
        self._done = threading.Event()
        self.is_over = False

    def heard(self, line: str) -> None:
        if line.startswith(_LOCAL_WORK):
            self._until = float("inf")
        elif not line.startswith("Cloning into"):
            self._until = time.monotonic() + _AFTER_ANSWER * self._patience

    def stop(self) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        while not self._done.wait(0.2):
            if time.monotonic() > self._until:
                self.is_over = True
                stop(self._process)
                return


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """The lines of git's messages; a carriage return ends one, too, and none is long."""
    rest = b""
    while data := os.read(stream.fileno(), 1 << 16):
        *lines, rest = re.split(rb"[\r\n]+", rest + data)
        yield from (line[:_LONGEST].decode("utf-8", "replace") for line in lines if line)
        rest = rest[:_LONGEST]
    if rest:
        yield rest.decode("utf-8", "replace")

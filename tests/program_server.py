"""Run the program in a fork of a process that has imported it: as a process of its own, without its start-up time.

`python -m tests.program_server FD` is a server; `run_program` is called by tests, and starts each server once for each
process of the test run. A request is one byte with the file descriptors of a run: its standard streams, a pipe with
the request's text, a pipe for its exit status.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_FOLDER = Path(__file__).resolve().parents[1]
_OTHERS = {"detect-secrets": "detect_secrets.main", "detect-secrets-hook": "detect_secrets.pre_commit_hook"}
"""Programs of others with our plugin in them: each is the function `main` of a module."""


@dataclass(frozen=True, slots=True)
class Server:
    """A module that serves, and variables of its environment."""

    module: str = "tests.program_server"
    env: tuple[tuple[str, str], ...] = ()


def run_program(
    words: Sequence[bytes],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout: float = 120,
    program: str = "binance-leaks",
    server: Server = Server(),
) -> subprocess.CompletedProcess[bytes]:
    """Run `binance-leaks WORDS`, or another program, and return its exit status and output, as `subprocess.run` does.

    Raises subprocess.TimeoutExpired, and FileNotFoundError where there is no such folder.
    """
    if not cwd.is_dir():
        raise FileNotFoundError(cwd)
    text = json.dumps([program, [word.hex() for word in words], os.fspath(cwd), dict(env)]).encode("ascii")
    pipes = [os.pipe() for _ in range(5)]
    (in_read, in_write), (out_read, out_write), (err_read, err_write), (ask_read, ask_write), (end_read, end_write) = (
        pipes
    )
    theirs = [in_read, out_write, err_write, ask_read, end_write]
    try:
        socket.send_fds(_connection(server), [b"r"], theirs)
    finally:
        for number in theirs:
            os.close(number)
    for number, content in ((ask_write, text), (in_write, stdin)):
        threading.Thread(target=_write, args=(number, content), daemon=True).start()
    out, err, end = _read_all([out_read, err_read, end_read], words, timeout)
    return subprocess.CompletedProcess(words, int(end), out, err)


def run_text(
    program: str, *words: str | Path, cwd: Path, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program as `run_program` does, with text."""
    ran = run_program(
        [os.fsencode(word) for word in words],
        cwd=cwd,
        env=os.environ if env is None else env,
        stdin=stdin.encode(),
        program=program,
    )
    return subprocess.CompletedProcess(words, ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def _write(number: int, content: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(number, "wb", buffering=0) as pipe:
        rest = memoryview(content)
        while rest:
            rest = rest[pipe.write(rest) :]


def _read_all(numbers: Sequence[int], words: Sequence[bytes], timeout: float) -> list[bytes]:
    """What comes out of each pipe until all are closed. The first thing in the last one is the process's number."""
    read = {number: bytearray() for number in numbers}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for number in numbers:
            selector.register(number, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                os.kill(int(bytes(read[numbers[-1]]).split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(words), timeout)
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                read[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    *outputs, end = (bytes(content) for content in read.values())
    return [*outputs, end.split()[1]]


@functools.cache
def _connection(server: Server) -> socket.socket:
    """The connection to one of this process's servers, which ends when the connection does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    env = {**os.environ, **dict(server.env)}
    if env.pop("PYTHONPYCACHEPREFIX", None):  # which has nothing yet of what an installation has compiled
        env["PYTHONDONTWRITEBYTECODE"] = "1"
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", server.module, str(theirs.fileno())],
            cwd=_FOLDER,
            env=env,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,  # as those of a run, which cannot seek
            stdout=subprocess.PIPE,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def serve() -> str:
    """Import the programs, and fork for each request; return in a fork the name of the program that it is to be."""
    _import_all()
    return _serve(socket.socket(fileno=int(sys.argv[1])))


def _serve(connection: socket.socket) -> str:
    """Fork for each request, and report how each fork ended. A fork returns the name of the program that it is."""
    ended, ends = os.pipe()
    os.set_blocking(ends, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ends, warn_on_full_buffer=False)
    running: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == ended:
                    os.read(ended, 1 << 16)
                    _report_ended(running)
                    continue
                message, numbers, _, _ = socket.recv_fds(connection, 1, 5)
                if not message:
                    os._exit(0)
                *streams, ask, end = numbers
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for number in (connection.detach(), ended, ends, end, *running.values()):
                        os.close(number)
                    return _become(streams, ask)
                running[child] = end
                os.write(end, b"%d " % child)
                for number in (*streams, ask):
                    os.close(number)


def _report_ended(running: dict[int, int]) -> None:
    """Write the exit status of each fork that has ended."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            with os.fdopen(running.pop(found[0]), "wb", buffering=0) as pipe:
                pipe.write(b"%d" % os.waitstatus_to_exitcode(found[1]))


def _become(streams: Sequence[int], ask: int) -> str:
    """Take arguments, folder, environment and standard streams of a request, and return the name of its program."""
    with os.fdopen(ask, "rb") as pipe:
        program, words, folder, environment = json.loads(pipe.read())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    script, path = Path(sys.executable).with_name(program), str(Path(sys.executable).parent)
    if program not in _OTHERS:
        script, path = Path(sys.modules["binance_leaks"].__file__ or "").with_name("__main__.py"), folder
    sys.argv = [str(script), *(os.fsdecode(bytes.fromhex(word)) for word in words)]
    sys.path[0] = path  # as `python -m` has it, and a script
    return str(program)


def _end(main: Callable[[], int]) -> NoReturn:
    """Run a program, and end without what an interpreter clears away: that touches all memory of the fork."""
    try:
        status: object = main()
    except SystemExit as error:
        status = error.code
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


def _import_all() -> None:
    """Import what the programs may, and keep what each would make for itself."""
    from binance_leaks.detect import vocabulary
    from binance_leaks.lazy_patterns import LazyPattern

    for module in pkgutil.walk_packages(sys.modules["binance_leaks"].__path__, "binance_leaks."):
        if not module.name.endswith(("__main__", "._native")):  # which may be switched off
            importlib.import_module(module.name)
    for name in _OTHERS.values():
        importlib.import_module(name)
    for each in gc.get_objects():
        if isinstance(each, LazyPattern):
            assert each.pattern  # compiles it
    for stems in (vocabulary.evidence_stems, vocabulary.secret_stems, vocabulary.clear_name_stems):
        assert stems()
    gc.freeze()


if __name__ == "__main__":
    from binance_leaks import cli

    other = _OTHERS.get(serve())
    if other:
        multiprocessing.set_start_method("fork")  # Python 3.14 would import this module as theirs
    _end(sys.modules[other].main if other else cli.main)

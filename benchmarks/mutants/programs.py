"""Put a changed function into this process, and serve the program with it.

`main` imports the package once and forks for each request: a server for `tests.program_server`, whose programs run the
changed function. A request is the number of a group of processes and the function to change, if any, with the file
descriptor of the connection.
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType

from mutants.lines import LineRecorder

_Key = tuple[str, int, str]
_START = "import sys; sys.path.append(sys.argv[1]); from mutants.programs import main; main()"


def import_package() -> None:
    """Import every module of the package."""
    import binance_leaks

    for module in pkgutil.walk_packages(binance_leaks.__path__, "binance_leaks."):
        if not module.name.endswith(("__main__", "._native")):
            importlib.import_module(module.name)


def change_function(file: str, line: int, name: str) -> None:
    """Give the functions that begin at a line of a file, which is changed now, the code that it has there now."""
    key = (file, line, name)
    changed = next(code for code in _functions_of(compile(Path(file).read_bytes(), file, "exec")) if _key(code) == key)
    for each in gc.get_objects():
        if type(each) is FunctionType and _key(each.__code__) == key:
            each.__code__ = changed
        elif type(each) is functools._lru_cache_wrapper and str(each.__module__).startswith("binance_leaks"):
            each.cache_clear()


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_firstlineno, code.co_name


def _functions_of(code: CodeType) -> Iterator[CodeType]:
    """The functions of a module or class, without those in them."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & inspect.CO_OPTIMIZED:
                yield each
            else:
                yield from _functions_of(each)


class Programs:
    """The process that imported the package, as its parent sees it."""

    def __init__(self, lines: Path) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(Path(__file__).parents[1]), str(theirs.fileno()), str(lines)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # as those of a run, which cannot seek
                stdout=subprocess.PIPE,
            )
        self._ours.recv(1)

    def serve(self, function: _Key | None) -> None:
        """Let this process's tests run programs with a changed function, or with lines recorded."""
        from tests import program_server

        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            socket.send_fds(self._ours, [json.dumps([os.getpgid(0), function]).encode()], [theirs.fileno()])
        usual, default = program_server._connection, program_server.Server()
        program_server._connection = functools.cache(lambda server: ours if server == default else usual(server))


def _serve(requests: socket.socket, recorder: LineRecorder) -> None:
    """Fork for each request; the fork returns."""
    requests.send(b".")
    while True:
        message, numbers, _, _ = socket.recv_fds(requests, 1 << 16, 1)
        if not message:
            os._exit(0)
        while _reaped():
            pass
        if os.fork() == 0:
            requests.close()
            group, function = json.loads(message)
            with suppress(OSError):
                os.setpgid(0, group)
            if function is None:
                recorder.start()
            else:
                change_function(*function)
            sys.argv = ["program_server", str(numbers[0])]
            return
        os.close(numbers[0])


def _reaped() -> bool:
    with suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    return False


def main() -> None:
    """Serve what the arguments name: a connection, and the folder of the recorded lines."""
    connection, lines = sys.argv[2:]
    recorder = LineRecorder(Path(lines))
    import_package()
    gc.collect()
    _serve(socket.socket(fileno=int(connection)), recorder)
    runpy.run_module("tests.program_server", run_name="__main__", alter_sys=True)

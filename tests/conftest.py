"""Guards for every test: a home of its own, a git that hears no configuration of this machine, no network."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.repositories import Repository

_IDENTITY = {
    "GIT_AUTHOR_NAME": "A Test",
    "GIT_AUTHOR_EMAIL": "test@project.example",
    "GIT_COMMITTER_NAME": "A Test",
    "GIT_COMMITTER_EMAIL": "test@project.example",
}
_NO_CONFIGURATION = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_CI = (
    "GITHUB_",
    "GITLAB_",
    "GITEA_",
    "FORGEJO_",
    "CI_",
    "BITBUCKET_",
    "SYSTEM_",
    "BUILD_",
    "CIRCLE",
    "BUILDKITE",
    "CHANGE_",
)
_FORGOTTEN = (
    "CI",
    "TF_BUILD",
    "JENKINS_URL",
    "BRANCH_NAME",
    "TAG_NAME",
    "PRE_COMMIT",
    "PRE_COMMIT_LOCAL_BRANCH",
    "PRE_COMMIT_REMOTE_BRANCH",
    "PRE_COMMIT_REMOTE_NAME",
    "PRE_COMMIT_REMOTE_URL",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "PYTHONUTF8",
    "PRE_COMMIT_FROM_REF",
    "PRE_COMMIT_TO_REF",
)

# The same examples in every run, on a machine of any speed; what searches at random is no part of the suite.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


class NetworkError(AssertionError):
    """A test tried to reach another machine."""


def pytest_xdist_auto_num_workers() -> int:
    """One test process more than there are processors: tests wait for the programs that they start."""
    usable = getattr(os, "sched_getaffinity", None)
    return (len(usable(0)) if usable else os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files with slow tests first: at the end, the other test processes would have nothing to do meanwhile."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the test processes of one run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[None]:
    """HOME in a temporary folder, an identity for commits, none of this machine's settings; for child processes too."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", *_CI))] + list(_FORGOTTEN):
            patch.delenv(name, raising=False)
        for name, value in {**_IDENTITY, **_NO_CONFIGURATION, "HOME": str(home), "USERPROFILE": str(home)}.items():
            patch.setenv(name, value)
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
        patch.setenv("XDG_STATE_HOME", str(home / ".local/state"))
        patch.setenv("TERM", "dumb")
        patch.setenv("BINANCE_LEAKS_PICTURES", "off")  # tests of pictures say otherwise
        if sys.dont_write_bytecode:  # the programs that tests start need not all compile the same modules
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "bytecode"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_signals() -> Iterator[None]:
    """Let the programs that tests start end on an interrupt: a shell starts programs in the background without it."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Connections of this process beyond loopback raise."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: object, /) -> None:
        _refuse_strangers(self, address)
        connect(self, address)  # type: ignore[arg-type]  # socket's own type for addresses is private

    def guarded_ex(self: socket.socket, address: object, /) -> int:
        _refuse_strangers(self, address)
        return connect_ex(self, address)  # type: ignore[arg-type]  # as above

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        yield


def _refuse_strangers(connecting: socket.socket, address: object) -> None:
    if connecting.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0]) if isinstance(address, tuple) else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if not near:
        raise NetworkError(f"a test connects to {host}")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A real git repository without a commit."""
    return Repository.create(tmp_path / "project")

"""What a repository, a disk or a signal does to one of the processes that scan goes no further than that one."""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from binance_leaks.fleet.models import Entry
from binance_leaks.fleet.process_pool import ScanProcesses
from binance_leaks.fleet.units import plan_units
from binance_leaks.quantities import human_size
from binance_leaks.temporary_folders import is_left, make_folder, process_mark

from tests.e2e import SOURCE, Outcome, run
from tests.fleet.clusters import children, command, eventually, lives, working_in
from tests.fleet.gates import Gate
from tests.fleet.real_fleets import Fleet, ended, found, leftovers, scan, scanning, task, temporary
from tests.repositories import Repository

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet.create(tmp_path / "repositories", "alpha", "bravo", "charlie")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate.create(tmp_path / "gate")


def reasons(outcome: Outcome) -> dict[str, str]:
    """Why which repository is missing."""
    return {skipped["what"]: skipped["why"] for skipped in outcome.report["scan"]["skipped"]}


def is_clean(folder: Path) -> bool:
    """Nothing is left in the folder for temporary files, nor does a process work there."""
    return not leftovers(folder) and not working_in(temporary(folder))


def test_one_that_hangs(fleet: Fleet, gate: Gate, tmp_path: Path) -> None:
    gate.rule("bravo", "hold")
    outcome = scan(
        "repositories", "--time-limit", "8s", "--retries", "1", "--fail-on", "none", cwd=tmp_path, env=gate.env
    )
    assert outcome.status == 3
    assert reasons(outcome) == {
        "bravo": "not done within 8.0 s (2 attempts). Raise --time-limit, or scan it by itself: binance-leaks history."
    }
    assert found(outcome) == fleet.digests - {fleet.digest_of("bravo")}
    assert len(gate.runners("bravo")) == 2
    assert is_clean(tmp_path)
    eventually(lambda: not gate.alive("bravo"))


def test_a_runner_that_is_killed_once(fleet: Fleet, gate: Gate, tmp_path: Path) -> None:
    gate.rule("bravo", "kill-once")
    outcome = scan("repositories", cwd=tmp_path, env=gate.env)
    assert outcome.status == 1
    assert found(outcome) == fleet.digests
    assert is_clean(tmp_path)


def test_a_runner_that_is_killed_always(fleet: Fleet, gate: Gate, tmp_path: Path) -> None:
    gate.rule("bravo", "kill")
    outcome = scan("repositories", "--store", "fleet.db", cwd=tmp_path, env=gate.env)
    assert outcome.status == 1
    assert reasons(outcome) == {"bravo": "its scan process was killed (3 attempts). Was there not enough memory?"}
    assert found(outcome) == fleet.digests - {fleet.digest_of("bravo")}
    assert len(gate.runners("bravo")) == 3
    listed = run("fleet", "list", "--store", "fleet.db", "--format", "json", cwd=tmp_path)
    tried = {each["repository"]: each["failures"] for each in json.loads(listed.out)["repositories"]}
    assert [each["attempt"] for each in tried.pop("bravo")] == [1, 2, 3]
    assert not any(tried.values())
    assert is_clean(tmp_path)


@pytest.mark.parametrize("printed", [b"no JSON\n", b"7\n", b"[" * 100_000 + b"\n"], ids=("text", "number", "deep"))
def test_a_runner_that_reports_something_else(
    fleet: Fleet, printed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended, though it goes on, and long before the time limit."""
    (tmp_path / "printed").write_bytes(printed)
    program = f"import sys, time\nsys.stdout.write(open({str(tmp_path / 'printed')!r}).read())\nsys.stdout.flush()\n"
    monkeypatch.setattr("binance_leaks.fleet.process_pool._PROGRAM", f"{program}time.sleep(600)\n")
    monkeypatch.setattr("binance_leaks.fleet.process_pool._GRACE", 0.1)
    unit = plan_units([Entry(address=str(fleet.folder / "bravo"), origin="list:1")]).units[0]
    with closing(ScanProcesses()) as runners:
        reply = runners.scan(task(unit), lambda _: None)
    assert [(done["reason"], done["again"]) for done in reply["done"]] == [
        ("its scan process sent an invalid message", True)
    ]


def test_a_damaged_repository(fleet: Fleet, tmp_path: Path) -> None:
    """It is reported as by itself, and the others are found."""
    bravo = Repository(fleet.folder / "bravo")
    bravo.git("repack", "-a", "-d", "--quiet")
    pack = next((bravo.folder / ".git" / "objects" / "pack").glob("*.pack"))
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-40])
    alone = run("history", "bravo", "--format", "json", cwd=fleet.folder)
    outcome = scan("repositories", cwd=tmp_path)
    assert outcome.status == 1
    assert found(outcome) >= fleet.digests - {fleet.digest_of("bravo")}
    assert "bravo" in " ".join(reasons(outcome))
    assert alone.status == 3 or not alone.report["scan"]["complete"]
    assert is_clean(tmp_path)


def test_a_clone_that_is_too_large(fleet: Fleet, gate: Gate, tmp_path: Path) -> None:
    bravo = Repository(fleet.folder / "bravo")
    bravo.commit({"large": os.urandom(2 << 20)})
    gate.rule("bravo", "hold-after-clone")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(f"ssh://near{fleet.folder / name}" for name in fleet.names))
    outcome = scan("list.txt", "--clone-limit", "1000K", cwd=tmp_path, env=gate.env)
    assert outcome.status == 1
    (why,) = reasons(outcome).values()
    assert why.startswith("its clone takes more than 1.0 MB (1 attempt)")
    assert "--clone-limit" in why
    assert found(outcome) == fleet.digests - {fleet.digest_of("bravo")}
    assert is_clean(tmp_path)
    eventually(lambda: not gate.alive("bravo"))


def test_a_disk_that_is_full(fleet: Fleet, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in gate.env.items():
        monkeypatch.setenv(name, text)
    gate.rule("bravo", "hold-after-clone")
    unit = plan_units([Entry(address=f"ssh://near{fleet.folder / 'bravo'}", origin="list:1")]).units[0]
    with closing(ScanProcesses(spare=1 << 62)) as runners:
        reply = runners.scan(task(unit), lambda _: None)
    assert [(done["reason"], done["again"]) for done in reply["done"]] == [
        (f"less than {human_size(1 << 62)} is free on the disk for clones", True)
    ]
    eventually(lambda: not gate.alive("bravo"))


def test_no_room_for_a_runner(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the unit, on this machine alone."""
    unit = plan_units([Entry(address=str(fleet.folder / "bravo"), origin="list:1")]).units[0]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with closing(ScanProcesses()) as runners:
        reply = runners.scan(task(unit), lambda _: None)
    assert [(done["reason"], done["again"]) for done in reply["done"]] == [
        ("cannot create a folder for clones: No such file or directory", True)
    ]


def test_a_worker_of_another_version(fleet: Fleet) -> None:
    unit = plan_units([Entry(address=str(fleet.folder / "bravo"), origin="list:1")]).units[0]
    with closing(ScanProcesses()) as runners:
        reply = runners.scan({**task(unit), "settings_digest": "of another version"}, lambda _: None)
    assert [(done["reason"], done["again"]) for done in reply["done"]] == [
        ("this worker has another version of binance-leaks", True)
    ]


def test_a_server_that_reports_nothing(fleet: Fleet, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        listed = tmp_path / "list.txt"
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/a.git"
        listed.write_text(f"{url}\n{fleet.folder / 'bravo'}\n")
        outcome = scan("list.txt", "--time-limit", "8s", "--retries", "0", cwd=tmp_path)
    assert outcome.status == 1
    (why,) = reasons(outcome).values()
    assert why.startswith("not done within 8.0 s")
    assert fleet.digest_of("bravo") in found(outcome)
    assert is_clean(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_run_that_is_ended(fleet: Fleet, gate: Gate, tmp_path: Path, number: signal.Signals) -> None:
    """No process and no clone outlives it, and it can be gone on with: nothing is lost, nothing is there twice."""
    plain = scan("repositories", "--store", "plain.db", cwd=tmp_path)
    gate.rule("bravo", "hold-after-clone")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{fleet.folder / 'alpha'}\nssh://near{fleet.folder / 'bravo'}\n{fleet.folder / 'charlie'}\n")
    words = ("list.txt", "--store", "fleet.db", "--jobs", "2")
    with scanning(*words, cwd=tmp_path, env=gate.env) as process:
        eventually(lambda: list(temporary(tmp_path).rglob("mirror.git/objects/pack/*.idx")))
        runners = children(process.pid)
        assert runners
        process.send_signal(number)
        outcome = ended(process)
    eventually(lambda: not any(map(lives, runners)))
    eventually(lambda: is_clean(tmp_path), reported=lambda: str(leftovers(tmp_path)))
    eventually(lambda: not any(lives(process) for process, _ in gate.here("bravo")))
    assert outcome.status == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert ("--store fleet.db --resume" in outcome.err) == (number is signal.SIGINT)
    gate.open("bravo")
    resumed = scan("list.txt", "--store", "fleet.db", "--resume", cwd=tmp_path, env=gate.env)
    assert resumed.status == 1
    assert found(resumed) == found(plain) == fleet.digests
    places = [
        (place["role"], place["line"], place["column"])
        for finding in resumed.report["findings"]
        for place in finding["locations"]
    ]
    assert len(places) == 2 * len(fleet.names)
    assert is_clean(tmp_path)


def test_a_folder_of_a_stranger(fleet: Fleet, gate: Gate, tmp_path: Path) -> None:
    """Modules that lie where the program is started are not run, neither by it nor by what it starts."""
    hostile = tmp_path / "hostile"
    (hostile / "binance_leaks" / "fleet").mkdir(parents=True)
    for name in (
        "binance_leaks/__init__",
        "binance_leaks/fleet/__init__",
        "json",
        "sitecustomize",
        "usercustomize",
        "git",
        "random",
    ):
        (hostile / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    console = (
        "import sys; sys.path[:] = [part for part in sys.path if part]\n"
        "from binance_leaks.cli import main; sys.exit(main())"
    )
    url = f"ssh://near{fleet.folder / 'bravo'}"
    done = subprocess.run(
        [sys.executable, "-c", console, "fleet", "scan", str(fleet.folder), url, "--format", "json"],
        cwd=hostile, env={**os.environ, **gate.env, "PYTHONPATH": str(SOURCE)}, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    outcome = Outcome(status=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
    assert outcome.status == 1, outcome.err
    assert found(outcome) == fleet.digests
    assert not (tmp_path / "ran").exists()


def test_what_lists_of_processes_show(tmp_path: Path) -> None:
    login = uuid4().hex
    with socket.create_server(("127.0.0.1", 0)) as silent:
        listed = tmp_path / "list.txt"
        listed.write_text(f"https://me:{login}@127.0.0.1:{silent.getsockname()[1]}/a.git\n")
        with scanning("list.txt", cwd=tmp_path) as process:
            eventually(lambda: working_in(temporary(tmp_path)))
            seen = [command(each) for each in working_in(temporary(tmp_path))]
            process.send_signal(signal.SIGINT)
            outcome = ended(process)
    assert any("binance_leaks.fleet.worker_process" in each for each in seen)
    assert not any(login in text for text in (*seen, outcome.out, outcome.err))


def test_a_folder_of_another_container_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of a process that is in another namespace says nothing about the processes here."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other = tmp_path / "proc"
    (other / "self" / "ns").mkdir(parents=True)
    (other / "self" / "ns" / "pid").symlink_to("pid:[1]")
    with monkeypatch.context() as patch:
        patch.setattr("binance_leaks.temporary_folders._PROCESSES", other)
        patch.setattr(os, "getpid", lambda: 2**22 + 1)  # no system gives that number
        folder = make_folder("mirror")
        assert is_left(folder)
    assert not is_left(folder)
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)
    assert is_left(make_folder("mirror"))


def test_leftovers_of_the_dead_are_swept(fleet: Fleet, tmp_path: Path) -> None:
    """What a runner left that was killed together with the program is gone after the next run; what lives stays."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    host = "".join(char for char in platform.node() if char.isalnum())[:40]
    left = temporary(tmp_path) / f"fleet-{host}-{int(gone.stdout)}-1-abcdefgh"
    number_given_again = temporary(tmp_path) / f"mirror-{host}-{os.getpid()}-1-abcdefgh"
    kept = temporary(tmp_path) / f"fleet-{process_mark()}-abcdefgh"
    odd = temporary(tmp_path) / f"fleet-{host}-{10**30}-1-abcdefgh"
    for folder in (left, number_given_again, kept, odd):
        (folder / "mirror-x").mkdir(parents=True)
    link = temporary(tmp_path) / f"fleet-{host}-{int(gone.stdout)}-1-link"
    link.symlink_to(fleet.folder)
    assert scan(fleet.folder, cwd=tmp_path).status == 1
    assert leftovers(tmp_path) == sorted([kept, odd, link])
    assert all((fleet.folder / name).is_dir() for name in fleet.names)

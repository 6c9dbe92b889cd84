"""`scan` as its users run it: what is read, left out and reported, and the laws for any tree."""

from __future__ import annotations

import gzip
import io
import os
import random
import re
import signal
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from binance_leaks.config import Config
from binance_leaks.findings import Finding
from binance_leaks.model import Confidence
from binance_leaks.pipeline.files import FileSource
from binance_leaks.pipeline.run_scan import TriageSettings
from binance_leaks.pipeline.source import Detected
from binance_leaks.pipeline.triage import triage

from tests.e2e import PROGRAM, Found, Outcome, Pair, as_report, digest, digests, run, staged, value
from tests.repositories import Repository

CLEAN = "import os\n\n\ndef price(symbol: str) -> float:\n    return float(os.environ[symbol])\n"


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def scan(*words: str | Path, cwd: Path, stdin: bytes = b"") -> Outcome:
    return run("scan", "--format", "json", *words, cwd=cwd, stdin=stdin)


def paths(findings: Sequence[Found]) -> set[str]:
    return {place["path"] for finding in findings for place in finding["locations"]}


class TestWhatIsRead:
    """Files, folders, standard input; what git ignores is left out unless it is asked for."""

    def test_a_clean_folder(self, tree: Path) -> None:
        put(tree, "a.py", CLEAN)
        outcome = run("scan", cwd=tree)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out.startswith("No Binance credentials found in 1 file ")

    def test_a_folder(self, tree: Path, pair: Pair) -> None:
        put(tree, "src/deep/bot.py", CLEAN + pair.python)
        put(tree, "src/clean.py", CLEAN)
        outcome = scan(cwd=tree)
        assert (outcome.status, outcome.err) == (1, "")
        (finding,) = outcome.report["findings"]
        assert (finding["kind"], finding["confidence"], finding["risk"]["level"]) == ("key-pair", "high", "high")
        assert digests([finding]) == pair.digests
        assert {(place["path"], place["line"], place["exposure"]) for place in finding["locations"]} == {
            ("src/deep/bot.py", 7, "present")
        }
        assert outcome.report["scan"]["source"] == "files"
        assert outcome.report["scan"]["stats"]["files"] == 2

    def test_the_text_report(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        text = run("scan", ".", cwd=tree).out
        for printed in (
            "HIGH",
            f"{pair.key[:4]}…{pair.key[-4:]}",
            f"{pair.secret[:4]}…",
            "bot.py:2:18",
            "1 credential",
        ):
            assert printed in text
        assert all(len(line) <= 80 for line in text.splitlines())
        assert "\x1b" not in text

    def test_several_paths(self, tree: Path, pair: Pair) -> None:
        other = Pair.fresh()
        put(tree, "one/bot.py", pair.python)
        put(tree, "two.py", other.python)
        put(tree, "three/bot.py", Pair.fresh().python)
        outcome = scan("one", tree / "two.py", cwd=tree)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests | other.digests
        assert scan("one", "one/bot.py", ".", cwd=tree / ".").report["scan"]["stats"]["files"] >= 3

    def test_standard_input(self, tree: Path, pair: Pair) -> None:
        outcome = scan("-", cwd=tree, stdin=pair.python.encode())
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests
        assert paths(outcome.report["findings"]) == {"<stdin>"}
        put(tree, "clean.py", CLEAN)
        assert scan("-", "clean.py", cwd=tree, stdin=pair.python.encode()).status == 1
        assert scan("-", cwd=tree, stdin=CLEAN.encode()).status == 0
        assert scan("-", cwd=tree).status == 0

    def test_standard_input_may_be_an_archive(self, tree: Path, pair: Pair) -> None:
        outcome = scan("-", cwd=tree, stdin=gzip.compress(pair.python.encode()))
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests

    def test_what_git_ignores(self, repository: Repository, pair: Pair) -> None:
        repository.commit({".gitignore": ".env\nbuild/\n", "src/clean.py": CLEAN})
        repository.write(".env", pair.dotenv)
        repository.write("build/out.py", Pair.fresh().python)
        assert scan(cwd=repository.folder).status == 0
        every = scan("--all-files", cwd=repository.folder)
        assert paths(every.report["findings"]) == {".env", "build/out.py"}
        assert scan(".env", cwd=repository.folder).status == 1
        repository.write("untracked.py", pair.python)
        assert paths(scan(cwd=repository.folder).report["findings"]) == {"untracked.py"}
        assert scan("src", cwd=repository.folder).status == 0
        assert scan(repository.folder, cwd=repository.path("src")).status == 1

    def test_ignored_files_that_are_tracked_are_read(self, repository: Repository, pair: Pair) -> None:
        repository.write(".gitignore", "*.env\n")
        repository.stage("prod.env", pair.dotenv)
        assert scan(cwd=repository.folder).status == 1

    def test_the_work_tree_and_not_the_repository(self, repository: Repository, pair: Pair) -> None:
        repository.commit({"bot.py": pair.python})
        repository.write("bot.py", CLEAN)
        for words in ([], ["--all-files"]):
            assert scan(*words, cwd=repository.folder).status == 0

    def test_a_repository_within(self, tree: Path, pair: Pair) -> None:
        inner = Repository.create(tree / "vendor" / "inner")
        inner.commit({".gitignore": "secret\n", "a.py": CLEAN})
        inner.write("secret", pair.dotenv)
        assert scan(cwd=tree).status == 0
        inner.write("bot.py", pair.python)
        assert paths(scan(cwd=tree).report["findings"]) == {"vendor/inner/bot.py"}

    def test_links_are_not_followed(self, tree: Path, pair: Pair, tmp_path: Path) -> None:
        put(tmp_path, "outside/bot.py", pair.python)
        put(tree, "a.py", CLEAN)
        (tree / "way").symlink_to(tmp_path / "outside")
        (tree / "bot.py").symlink_to(tmp_path / "outside" / "bot.py")
        outcome = scan(cwd=tree)
        assert outcome.status == 0
        assert outcome.report["scan"]["complete"] is True
        assert {unread["what"] for unread in outcome.report["scan"]["skipped"]} == {"way", "bot.py"}
        assert scan("bot.py", cwd=tree).status == 1
        assert scan("way", cwd=tree).status == 1

    def test_odd_names(self, tree: Path) -> None:
        names = [
            "new\nline.py",
            'quo"te.py',
            "-dash.py",
            "spa ce.py",
            "\u5e01\u5b89.py",
            "a\\b.py",
            "\x1b[2J.py",
            "%s{0}.py",
        ]
        pairs = {name: Pair.fresh() for name in names}
        for name, pair in pairs.items():
            put(tree, name, pair.python)
        (tree / "latin-\udce9.py").write_text(CLEAN, "utf-8")
        assert paths(scan(cwd=tree).report["findings"]) == set(names)
        text = run("scan", ".", cwd=tree).out
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
        assert scan("--", "-dash.py", cwd=tree).status == 1

    @pytest.mark.parametrize("kind", ["zip", "tar.gz", "gz", "docx in zip"])
    def test_archives(self, tree: Path, pair: Pair, kind: str) -> None:
        put(tree, "backup.bin", ARCHIVES[kind](pair.python.encode()))
        outcome = scan(cwd=tree)
        assert outcome.status == 1
        assert digests(outcome.report["findings"]) == pair.digests
        assert all(path.startswith("backup.bin!/") for path in paths(outcome.report["findings"]))


def _zip(content: bytes, name: str = "src/bot.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("src/bot.py")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    "zip": _zip,
    "tar.gz": _tar,
    "gz": gzip.compress,
    "docx in zip": lambda content: _zip(_zip(content, "word/document.xml"), "notes.docx"),
}


class TestPairs:
    """Halves that are apart are one credential."""

    def test_across_files(self, tree: Path, pair: Pair) -> None:
        put(tree, ".env", f"BINANCE_API_KEY={pair.key}\n")
        put(tree, "settings.py", f'import os\n\nBINANCE_API_SECRET = "{pair.secret}"\n')
        outcome = scan(cwd=tree)
        assert [finding["kind"] for finding in outcome.report["findings"]] == ["key-pair"]
        assert paths(outcome.report["findings"]) == {".env", "settings.py"}
        assert scan("settings.py", ".env", cwd=tree).report["findings"] == outcome.report["findings"]

    def test_bare_files(self, tree: Path, pair: Pair) -> None:
        put(tree, "binance/api_key.txt", f"{pair.key}\n")
        put(tree, "binance/api_secret.txt", f"{pair.secret}\n")
        outcome = scan(cwd=tree)
        assert outcome.status == 1
        assert [finding["kind"] for finding in outcome.report["findings"]] == ["key-pair"]
        roles = {found["sha256"]: found["role"] for found in outcome.report["findings"][0]["values"]}
        assert roles == {digest(pair.key): "api-key", digest(pair.secret): "secret-key"}

    def test_one_credential_in_many_places(self, tree: Path, pair: Pair) -> None:
        put(tree, "a/bot.py", pair.python)
        put(tree, "b/.env", pair.dotenv)
        put(tree, "c/.env", f"BINANCE_API_KEY={pair.key}\n")
        put(tree, "d/notes", f"binance secret: {pair.secret}\n")
        (finding,) = scan(cwd=tree).report["findings"]
        assert digests([finding]) == pair.digests
        assert len(finding["locations"]) == 6

    def test_a_neighbour_speaks(self, tree: Path, pair: Pair) -> None:
        put(tree, "conf/settings.py", f'api_key = "{pair.key}"\n')
        assert scan(cwd=tree).status == 0
        put(tree, "conf/bot.py", "import binance\n")
        assert scan(cwd=tree).status == 1
        assert scan("conf/settings.py", cwd=tree).status == 1
        assert scan(".", cwd=tree / "conf").status == 1


class TestOptions:
    """Flags and configuration."""

    def test_exclude(self, tree: Path, pair: Pair) -> None:
        put(tree, "src/bot.py", pair.python)
        put(tree, "tests/data/bot.py", Pair.fresh().python)
        assert paths(scan("--exclude", "tests/", cwd=tree).report["findings"]) == {"src/bot.py"}
        assert scan("--exclude", "tests/", "--exclude", "*.py", cwd=tree).status == 0
        assert scan("--exclude", "/src/", "--exclude", "/tests/data", cwd=tree).status == 0
        assert paths(scan("--exclude", "*.py", "--exclude", "!src/*.py", cwd=tree).report["findings"]) == {"src/bot.py"}

    @pytest.mark.parametrize(
        ("name", "table"), [(".binance-leaks.toml", ""), ("pyproject.toml", "[tool.binance-leaks]\n")]
    )
    def test_configuration(self, repository: Repository, pair: Pair, name: str, table: str) -> None:
        repository.write(name, f'{table}exclude = ["/sub/gen/", "*.log"]\nconfidence = "low"\nfail-on = "medium"\n')
        repository.write("sub/gen/bot.py", Pair.fresh().python)
        repository.write("bot.log", Pair.fresh().python)
        sub = repository.path("sub")
        for words, cwd in (
            ([], repository.folder),
            (["sub"], repository.folder),
            ([repository.folder], sub),
            (["."], sub),
        ):
            assert scan(*words, cwd=cwd).report["findings"] == []
        repository.write("sub/lone.py", f'token = "{pair.key}"\n')
        outcome = scan(cwd=repository.folder)
        assert outcome.status == 0
        assert digests(outcome.report["findings"]) == {digest(pair.key)}
        assert scan("--confidence", "medium", cwd=repository.folder).report["findings"] == []
        assert scan("--fail-on", "info", cwd=repository.folder).status == 1

    def test_our_own_file_wins_and_the_nearest(self, repository: Repository, pair: Pair) -> None:
        repository.write("pyproject.toml", '[tool.binance-leaks]\nexclude = ["*.py"]\n')
        repository.write("sub/bot.py", pair.python)
        assert scan("sub", cwd=repository.folder).status == 0
        repository.write("sub/.binance-leaks.toml", 'exclude = ["*.txt"]\n')
        assert scan("sub", cwd=repository.folder).status == 1
        repository.write(".binance-leaks.toml", "[tool.binance-leaks]\n")
        repository.path("sub/.binance-leaks.toml").unlink()
        assert scan("sub", cwd=repository.folder).status == 1

    def test_configuration_above_the_repository_is_not_ours(self, repository: Repository, pair: Pair) -> None:
        put(repository.folder.parent, ".binance-leaks.toml", 'exclude = ["*.py"]\n')
        repository.write("bot.py", pair.python)
        assert scan(cwd=repository.folder).status == 1

    def test_config_by_name(self, tree: Path, pair: Pair, tmp_path: Path) -> None:
        put(tree, "bot.py", pair.python)
        put(tree, ".binance-leaks.toml", 'confidence = "low"\n')
        entries = "".join(f'[[allow]]\nsha256 = "{one}"\n' for one in sorted(pair.digests))
        for text in (entries, f"[[allow]]\nsha256 = {sorted(pair.digests)}\n"):
            mine = put(tmp_path, "mine.toml", text)
            assert scan("--config", mine, cwd=tree).status == 0
        (finding,) = scan("--config", mine, "--show-suppressed", cwd=tree).report["findings"]
        assert finding["suppressed"] == {"by": "config", "reason": "allowed by the configuration"}

    def test_allowing_by_path_holds_from_everywhere(self, repository: Repository, pair: Pair) -> None:
        repository.write(".binance-leaks.toml", '[[allow]]\npath = "/sub/data/bot.py"\n')
        repository.write("sub/data/bot.py", pair.python)
        sub = repository.path("sub")
        for words, cwd in (
            (["."], repository.folder),
            (["sub"], repository.folder),
            ([repository.folder], sub),
            (["."], sub),
        ):
            outcome = scan(*words, cwd=cwd)
            assert (outcome.status, outcome.report["scan"]["stats"]["suppressed"]) == (0, 1)
        repository.write("sub/bot.py", pair.python)
        assert scan(cwd=repository.folder).status == 1, "one allowed place does not allow the other"

    def test_confidence_and_gate(self, tree: Path, pair: Pair) -> None:
        put(tree, "a.py", f'api_key = "{pair.key}"\n')
        put(tree, ".env", f"BINANCE_API_KEY={value()}\n")
        assert [len(scan("--confidence", level, cwd=tree).report["findings"]) for level in ("low", "high")] == [2, 1]
        assert [scan("--fail-on", risk, cwd=tree).status for risk in ("info", "low", "medium", "critical")] == [
            1,
            1,
            0,
            0,
        ]

    def test_formats_and_files(self, tree: Path, pair: Pair, tmp_path: Path) -> None:
        put(tree, "bot.py", pair.python)
        file, page = tmp_path / "report.json", tmp_path / "page.txt"
        outcome = run("scan", "--format", f"json:{file}", "--format", "text", cwd=tree)
        assert outcome.status == 1
        assert outcome.out.startswith("HIGH")
        assert digests(as_report(file.read_text("utf-8"))["findings"]) == pair.digests
        outcome = run("scan", "--format", f"text:{page}", "--format", "json", cwd=tree)
        assert digests(outcome.report["findings"]) == pair.digests
        assert page.read_text("utf-8").startswith("HIGH")
        quiet = run("scan", "--format", f"json:{file}", cwd=tree)
        assert (quiet.status, quiet.out, quiet.err) == (1, "", "")

    def test_colour(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        assert "\x1b[" in run("scan", "--color", "always", cwd=tree).out
        assert "\x1b[" in run("scan", "--color", "always", cwd=tree, env={"NO_COLOR": "1"}).out
        assert "\x1b" not in run("scan", "--color", "never", cwd=tree).out
        assert "\x1b" not in run("scan", cwd=tree, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out
        assert "\x1b" not in run("scan", "--color", "always", "--format", "json", cwd=tree).out

    def test_narrow_terminals(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        text = run("scan", cwd=tree, env={"COLUMNS": "40"}).out
        long = [line for line in text.splitlines() if len(line) > 40]
        assert all(re.search(r"http|os\.environ|^  False alarm\?", line) for line in long)

    def test_quiet_and_verbose(self, tree: Path, pair: Pair) -> None:
        put(tree, "clean.py", CLEAN)
        assert run("scan", "-q", cwd=tree).out == ""
        put(tree, "bot.py", pair.python)
        assert "bot.py:2" in run("scan", "-q", cwd=tree).out
        assert digest(pair.secret) in run("scan", "-v", cwd=tree).out

    def test_version_and_help(self, tmp_path: Path) -> None:
        assert re.fullmatch(r"binance-leaks \d+\.\d+\S*\n", run("--version", cwd=tmp_path).out)
        for words in (["--help"], ["scan", "--help"], ["staged", "--help"], ["message", "--help"]):
            outcome = run(*words, cwd=tmp_path)
            assert (outcome.status, outcome.err) == (0, "")
            assert outcome.out.startswith("usage: binance-leaks")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo terminals here")
class TestTerminal:
    """On a terminal: colour, and a progress bar that goes away."""

    def test_colour_and_progress(self, tree: Path, pair: Pair) -> None:
        make_large_tree(tree, random.Random())
        put(tree, "bot.py", pair.python)
        shown, status = on_terminal("scan", ".", cwd=tree)
        assert status == 1
        assert "scanning" in shown
        assert "\x1b[1;31mHIGH" in shown
        assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor is not shown again"
        report = shown[shown.index("HIGH") :]
        assert "scanning" not in report
        assert not re.search(r"[A-Za-z0-9]{64}", shown)
        for word in ("--no-progress", "-q"):
            shown, _ = on_terminal("scan", word, "part0", cwd=tree)
            assert "scanning" not in shown

    def test_no_colour(self, tree: Path, pair: Pair) -> None:
        put(tree, "bot.py", pair.python)
        for words, env in ((["--no-progress"], {"NO_COLOR": "1"}), (["--color", "never", "--no-progress"], {})):
            shown, status = on_terminal("scan", *words, ".", cwd=tree, env=env)
            assert status == 1
            assert "\x1b" not in shown
        assert "\x1b[" in on_terminal("scan", "--no-progress", ".", cwd=tree)[0]
        assert "\x1b" not in on_terminal("scan", "--no-progress", ".", cwd=tree, env={"TERM": "dumb"})[0]

    def test_an_interrupt_leaves_the_terminal_as_it_was(self, tree: Path) -> None:
        make_large_tree(tree, random.Random())
        shown, status = on_terminal("scan", "--jobs", "2", ".", cwd=tree, interrupt=b"MB/s")
        assert status == 130
        assert "Traceback" not in shown
        assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def on_terminal(
    *words: str, cwd: Path, env: Mapping[str, str] | None = None, interrupt: bytes | None = None
) -> tuple[str, int]:
    """What the program shows on a terminal of 80 columns, and its exit status; Ctrl-C once `interrupt` is shown."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=cwd,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
            if interrupt is not None and interrupt in shown:
                os.killpg(process.pid, signal.SIGINT)
                interrupt = None
        status = process.wait(timeout=60)
    os.close(ours)
    return shown.decode("utf-8", "replace"), status


class TestLaws:
    """What holds for any tree."""

    def test_parallel_is_serial(self, tree: Path) -> None:
        make_large_tree(tree, random.Random())
        one, two = (scan("--jobs", jobs, "--confidence", "low", cwd=tree).report for jobs in ("1", "2"))
        assert len(one["findings"]) > 40
        assert one["scan"]["stats"]["files"] == two["scan"]["stats"]["files"] >= 3000
        assert one["scan"]["skipped"] == two["scan"]["skipped"]
        assert one["findings"] == two["findings"]

    def test_the_order_of_discovery_changes_nothing(self, tree: Path) -> None:
        rng = random.Random()
        make_large_tree(tree, rng)
        source = FileSource(paths=[tree], target=".", all_files=True)
        credentials = list(source.read().credentials)
        assert len(credentials) > 40
        settings = TriageSettings(config=Config(confidence=Confidence.LOW))

        def judged() -> tuple[Finding, ...]:
            findings, _, _ = triage(source, Detected(credentials=tuple(credentials)), settings)
            return findings

        first = judged()
        for _ in range(8):
            rng.shuffle(credentials)
            assert judged() == first

    def test_encodings_and_line_ends_change_no_id(self, tree: Path, pair: Pair) -> None:
        text = f"# the account, caf\xe9\n{pair.python}\n{CLEAN}"
        forms = {
            "lf": text.encode(),
            "crlf": text.replace("\n", "\r\n").encode(),
            "bom": text.encode("utf-8-sig"),
            "utf16": text.encode("utf-16"),
            "utf16le": text.encode("utf-16-le"),
            "utf16be": text.encode("utf-16-be"),
            "latin1": text.encode("latin-1"),
            "crlf16": text.replace("\n", "\r\n").encode("utf-16"),
        }
        for name, data in forms.items():
            put(tree, f"{name}/bot.py", data)
        (finding,) = scan(cwd=tree).report["findings"]
        assert digests([finding]) == pair.digests
        assert {place["path"].split("/")[0]: place["line"] for place in finding["locations"]} == dict.fromkeys(forms, 3)
        alone = {scan(f"{name}/bot.py", cwd=tree).report["findings"][0]["id"] for name in ("lf", "crlf16", "latin1")}
        assert alone == {finding["id"]}

    def test_ids_survive_moving_indenting_and_renaming(self, pair: Pair, tmp_path: Path) -> None:
        forms = {
            "bot.py": pair.python,
            "far/away/run.py": "\n" * 40 + pair.python,
            "indented.py": pair.python.replace("client =", "    client ="),
            "split.py": pair.python.replace('", "', '",\n    "'),
            "config/.env": pair.dotenv,
            "key.env": f"BINANCE_API_KEY={pair.key}\n",
        }
        ids = set()
        for number, (name, content) in enumerate(forms.items()):
            folder = tmp_path / f"tree{number}"
            put(folder, name, content)
            ids |= {finding["id"] for finding in scan(cwd=folder).report["findings"]}
        assert len(ids) == 1

    def test_staged_is_part_of_files(self, repository: Repository) -> None:
        rng = random.Random()
        repository.commit({"old.py": Pair.fresh().python, "a.py": CLEAN})
        for number in range(30):
            repository.write(f"part{number % 4}/file{number}.py", shape(rng)(Pair.fresh()))
        repository.git("add", "part0", "part1", "part2")
        looked, files = staged(repository).findings, scan(cwd=repository.folder).report["findings"]
        assert looked
        assert digests(looked) <= digests(files)
        assert {finding["id"] for finding in looked} <= {finding["id"] for finding in files}
        places = {
            (place["path"], place["line"], place["column"], place["role"])
            for one in files
            for place in one["locations"]
        }
        for finding in looked:
            for place in finding["locations"]:
                assert (place["path"], place["line"], place["column"], place["role"]) in places

    def test_no_output_holds_a_value(self, repository: Repository, tmp_path: Path) -> None:
        pairs = [Pair.fresh() for _ in range(6)]
        one, two, three, four, five, six = pairs
        repository.stage(f"{one.key}/{one.secret}.py", one.python)
        repository.stage(
            "allowed.py", two.python.replace(two.call, f"{two.call.rstrip()}  # binance-leaks: allow {two.key}\n")
        )
        repository.stage("glued.txt", f"binance api_key={three.key}\nnotes:{three.secret}{three.key}\n")
        repository.stage(f"binance {four.key}.zip", _zip(four.dotenv.encode(), f"{four.secret}.env"))
        repository.stage(".env", five.dotenv)
        repository.path(f"link-{six.key}").symlink_to(f"../binance/{six.secret}")
        entry = f'[[allow]]\npath = "allowed.py"\nreason = "we know {two.secret}"\n'
        repository.write(".binance-leaks.toml", f"# {five.key}\n{entry}")
        texts = []
        for command in (["scan", "."], ["staged"]):
            for more in (
                [],
                ["-v", "--show-suppressed"],
                ["--confidence", "low", "--color", "always"],
                ["--format", "json"],
            ):
                report, page = tmp_path / "report.json", tmp_path / "page.txt"
                files = [
                    "--format",
                    f"json:{report}",
                    "--format",
                    f"text:{page}",
                    *([] if "json" in more else ["--format", "text"]),
                ]
                outcome = run(*command, *more, *files, cwd=repository.folder)
                texts += [outcome.out, outcome.err]
                assert outcome.status == 1
                texts += [report.read_text("utf-8"), page.read_text("utf-8")]
        message = put(tmp_path, "MESSAGE", f"use {one.key}\n\nbinance secret {one.secret}\n")
        texts.append(run("message", "-v", message, cwd=repository.folder).out)
        printed = "\0".join(re.sub(r"\s", "", text) for text in texts)
        for pair in pairs:
            for held in (pair.key, pair.secret):
                shown = [start for start in range(len(held) - 7) if held[start : start + 8] in printed]
                assert not shown, "some output holds a part of a value"


SHAPES: tuple[Callable[[Pair], str], ...] = (
    lambda pair: pair.python,
    lambda pair: CLEAN + pair.python,
    lambda pair: pair.dotenv,
    lambda pair: f"binance:\n  api_key: {pair.key}\n  api_secret: {pair.secret}\n",
    lambda pair: f'exchange = "binance"\nkey = "{pair.key}"\n',
    lambda pair: f'{{"binance": {{"apiKey": "{pair.key}", "secret": "{pair.secret}"}}}}\n',
    lambda pair: f'api_secret = "{pair.secret}"\n',
)


def shape(rng: random.Random) -> Callable[[Pair], str]:
    """One of the ways in which a pair is written."""
    return rng.choice(SHAPES)


def make_large_tree(tree: Path, rng: random.Random) -> None:
    """3,000 files of which some hold pairs, and some hold the same values in other roles and company."""
    shared, contested, twice = Pair.fresh(), Pair.fresh(), value()
    for number in range(3000):
        text = CLEAN * rng.randint(1, 60)
        if number % 3 == 0:
            # What looks like a value at first sight takes time, so that the other processes get their share.
            text += "".join(f"checksum {rng.randbytes(32).hex()}\n" for _ in range(30))
        if number % 60 == 0:
            text += shape(rng)(Pair.fresh())
        if number % 500 == 7:
            text += shape(rng)(shared)
        if number % 750 == 11:
            text += f'BINANCE_API_KEY = "{contested.key}"\n'
        if number % 750 == 386:
            text += f'BINANCE_API_SECRET = "{contested.key}"\n'
        if number % 900 == 13:
            text += f'BINANCE_API_KEY = "{value()}"\nBINANCE_API_SECRET = "{twice}"\n'
        if number == 2000:
            text += f'BINANCE_API_SECRET = "{twice}"\n'
        put(tree, f"part{number // 100}/sub{number % 5}/module{number}.py", text)


class TestAFileOfCredentialsAlone:
    """A key and a secret on two lines say nothing of Binance; the paths around them may."""

    def files(self, repository: Repository, name: str, folder: str) -> None:
        repository.write(f"{folder}/client.go", "package client\n")
        repository.write(name, f"{value()}\n{value()}\n")
        repository.git("add", ".")

    @pytest.mark.parametrize("name", ["credentials.txt", "keys", ".secrets", "api_keys.dat"])
    def test_beside_code_for_binance(self, repository: Repository, name: str) -> None:
        self.files(repository, name, "exchange/binance")
        assert run("scan", cwd=repository.folder).status == 1
        assert run("staged", cwd=repository.folder).status == 1
        repository.commit()
        assert run("history", cwd=repository.folder).status == 1

    @pytest.mark.parametrize(
        ("name", "folder"), [("credentials.txt", "exchange/kitchen"), ("hashes.txt", "exchange/binance")]
    )
    def test_not_elsewhere(self, repository: Repository, name: str, folder: str) -> None:
        self.files(repository, name, folder)
        assert run("scan", cwd=repository.folder).status == 0
        assert run("staged", cwd=repository.folder).status == 0


class TestAZipFileBehindOtherContent:
    """A zipapp begins with a line of text."""

    @pytest.mark.parametrize("prefix", [b"#!/usr/bin/env python3\n", b"MZ\x90\0" + bytes(3000)])
    def test_wherever_it_is(self, repository: Repository, prefix: bytes) -> None:
        pair, out = Pair.fresh(), io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__main__.py", pair.python)
        repository.commit({"README": "read me\n"})
        repository.stage("bot.pyz", prefix + out.getvalue())
        for words in (["scan"], ["staged"]):
            assert digests(run(*words, "--format", "json", cwd=repository.folder).report["findings"]) == pair.digests
        repository.commit()
        repository.git("gc", "--quiet")
        for words in (["history"], ["range", "HEAD~1..HEAD"]):
            found = run(*words, "--format", "json", cwd=repository.folder).report["findings"]
            assert digests(found) == pair.digests
            assert {place["path"] for place in found[0]["locations"]} == {"bot.pyz!/__main__.py"}

"""`message`: the commit-msg hook reads what git will keep of the message."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import Outcome, Pair, digests, exposures, run, value
from tests.repositories import Repository

COMMENTS = "\n# Please enter the commit message for your changes. Lines starting\n# with '#' will be ignored.\n"
SCISSORS = "# ------------------------ >8 ------------------------\n"


@pytest.fixture
def pair() -> Pair:
    return Pair.fresh()


def message(folder: Path, text: str | bytes, *words: str) -> Outcome:
    file = folder / "COMMIT_EDITMSG"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return run("message", *words, file.name, cwd=folder)


def test_a_clean_message(tmp_path: Path) -> None:
    outcome = message(tmp_path, f"Use the binance key of the environment\n\nNo more.\n{COMMENTS}")
    assert (outcome.status, outcome.err) == (0, "")
    assert "No Binance credentials found" in outcome.out
    assert message(tmp_path, "", "-q").out == ""
    assert message(tmp_path, "").status == 0


def test_a_pair_in_the_body(tmp_path: Path, pair: Pair) -> None:
    text = f"Add the bot\n\nRun it with\n\n    {pair.python.splitlines()[0]}\n    {pair.call}\n"
    outcome = message(tmp_path, text, "--format", "json")
    assert outcome.status == 1
    (finding,) = outcome.report["findings"]
    assert digests([finding]) == pair.digests
    assert exposures([finding]) == {("api-key", "message"), ("secret-key", "message")}
    assert {place["line"] for place in finding["locations"]} == {6}
    text_outcome = message(tmp_path, text)
    assert "commit message:6:" in text_outcome.out
    assert "Remove it from the commit message." in text_outcome.out
    assert "git add" not in text_outcome.out


@pytest.mark.parametrize(
    "shape",
    [
        "binance {key} {secret}\n",
        "Set BINANCE_API_KEY={key} BINANCE_API_SECRET={secret}\n",
        "Bot\n\nbinance api key: {key}\nsecret: {secret}\n",
        "Bot\n\nCo-authored-by: bot <binance-api-secret={secret}>\n",
    ],
)
def test_shapes(tmp_path: Path, pair: Pair, shape: str) -> None:
    assert message(tmp_path, shape.format(key=pair.key, secret=pair.secret)).status == 1


def test_what_is_below_the_scissors_is_not_kept(tmp_path: Path, pair: Pair) -> None:
    diff = f"# Do not modify or remove the line above.\ndiff --git a/b b/b\n+{pair.python}"
    assert message(tmp_path, f"Remove the key\n{COMMENTS}{SCISSORS}{diff}").status == 0
    assert message(tmp_path, f"{pair.python}\n{SCISSORS}{diff}").status == 1
    assert message(tmp_path, f"{COMMENTS}{SCISSORS}diff --git a/b b/b\n+{pair.python}").status == 0


@pytest.mark.parametrize(
    "above",
    [
        "Words about >8 and ---\n",
        "-- >8 --\n",
        "# - >8 -\n",
        SCISSORS,
        f"{SCISSORS}# Do not modify.\n",
        "diff --git a/b b/b\n",
    ],
)
def test_what_only_looks_like_the_scissors_hides_nothing(tmp_path: Path, pair: Pair, above: str) -> None:
    assert message(tmp_path, f"Bot\n\n{above}{pair.python}").status == 1


@pytest.mark.parametrize("words", [("-F", "message.txt"), ("-F", "message.txt", "--cleanup=scissors")], ids=str)
def test_a_diff_in_a_message_that_no_editor_saw_is_kept(
    repository: Repository, pair: Pair, words: tuple[str, ...]
) -> None:
    repository.hook("commit-msg", "message")
    repository.git("config", "core.hooksPath", ".git/hooks")
    repository.write("message.txt", f"Bot\n\n{SCISSORS}# Do not modify.\ndiff --git a/b b/b\n+{pair.python}")
    repository.stage("a.py", "import os\n")
    assert repository.run("commit", *words).status == 1
    assert repository.head() is None


def test_a_message_without_its_comments_is_scanned_with_them(tmp_path: Path, pair: Pair) -> None:
    assert message(tmp_path, f"Bot\n\n# {pair.call}# binance\n").status == 1


def test_a_signature_is_no_finding(tmp_path: Path) -> None:
    body = "\n".join(f"i{value()[1:]}" for _ in range(12))
    assert (
        message(tmp_path, f"binance\n\n-----BEGIN PGP SIGNATURE-----\n\n{body}\n-----END PGP SIGNATURE-----\n").status
        == 0
    )


def test_encodings(tmp_path: Path, pair: Pair) -> None:
    text = f"\xc4nderung\n\n{pair.python}"
    for encoding in ("utf-8", "latin-1", "utf-16", "utf-8-sig"):
        assert message(tmp_path, text.encode(encoding)).status == 1
    assert message(tmp_path, text.replace("\n", "\r\n")).status == 1


def test_allowing(tmp_path: Path, pair: Pair) -> None:
    outcome = message(tmp_path, f"Bot\n\n{pair.python.rstrip()} binance-leaks: allow\n")
    assert outcome.status == 0
    assert "1 suppressed" in outcome.out
    (tmp_path / ".binance-leaks.toml").write_text(
        "".join(f'[[allow]]\nsha256 = "{one}"\n' for one in sorted(pair.digests)), "utf-8"
    )
    assert message(tmp_path, pair.python).status == 0
    assert message(tmp_path, Pair.fresh().python).status == 1


def test_options(tmp_path: Path, pair: Pair) -> None:
    assert message(tmp_path, f"token {pair.key}\n").status == 0
    assert message(tmp_path, f"token {pair.key}\n", "--confidence", "low").status == 1
    assert message(tmp_path, f"binance api key {pair.key}\n", "--fail-on", "high").status == 0


def test_a_message_that_cannot_be_read(tmp_path: Path) -> None:
    for name in ("nowhere", ".", ""):
        outcome = run("message", name, cwd=tmp_path)
        assert outcome.status == 2
        assert outcome.err.startswith("binance-leaks: ")
        assert outcome.err.count("\n") <= 2


def test_as_a_real_hook(repository: Repository, pair: Pair) -> None:
    repository.hook("commit-msg", "message")
    repository.git("config", "core.hooksPath", ".git/hooks")
    repository.stage("a.py", "import os\n")
    ran = repository.run("commit", "-m", f"Use {pair.call}", "-m", "binance")
    assert ran.status == 1
    assert "commit message" in ran.out + ran.err
    assert repository.head() is None
    repository.git("commit", "-m", "Use the key of the environment")
    first = repository.head()
    assert first is not None
    verbose = ["-c", "core.editor=true", "-c", "core.commentChar=;", "commit", "--amend", "--verbose"]
    repository.git(*verbose)
    assert repository.run("commit", "--amend", "-m", pair.python).status == 1


def test_a_removed_pair_shown_by_a_verbose_commit(repository: Repository, pair: Pair) -> None:
    repository.commit({"bot.py": pair.python})
    repository.hook("commit-msg", "message")
    repository.git("config", "core.hooksPath", ".git/hooks")
    editor = repository.script(".git/editor", 'sed -i "1s/^/Take the key out/" "$1"')
    for comment in ("#", ";", "//"):
        repository.stage("bot.py", f"import os  {comment}\n")
        words = ["-c", f"core.editor={editor}"]
        if comment != "//":
            words += ["-c", f"core.commentChar={comment}"]
        repository.git(*words, "commit", "--verbose")
        repository.commit({"bot.py": pair.python})

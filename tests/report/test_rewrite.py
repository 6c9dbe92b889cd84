"""The steps that take a value out of a history: all that apply, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.model import Exposure, Location
from scanner.report.rewrite import rewriting

from . import examples

STASH = "refs/stash"


def commands(*locations: Location) -> list[str]:
    return [line for step in rewriting(locations) for line in step.verbatim]


def words(*locations: Location) -> str:
    return " ".join(step.text for step in rewriting(locations))


def at(exposure: Exposure, path: str = "bot.py", *, refs: Sequence[str] = ("main",), pushed: bool = False) -> Location:
    return examples.at(path, 1, exposure=exposure, refs=tuple(refs), pushed=pushed)


def test_what_was_never_pushed_is_rewritten_in_place() -> None:
    assert commands(at(Exposure.HISTORY)) == [
        "binance-leaks history --write-replacements ../replacements.txt",
        "git filter-repo --force --replace-text ../replacements.txt",
        "binance-leaks history",
    ]
    assert "remote has it" not in words(at(Exposure.HISTORY))
    assert words(at(Exposure.HISTORY)).endswith("Delete ../replacements.txt: it holds the values.")


def test_what_was_pushed_is_rewritten_in_a_clone_and_pushed() -> None:
    assert commands(at(Exposure.PRESENT, pushed=True)) == [
        "git clone --mirror URL clean.git",
        "cd clean.git",
        "binance-leaks history --write-replacements ../replacements.txt",
        "git filter-repo --replace-text ../replacements.txt",
        "binance-leaks history",
        "git push --force --mirror URL",
    ]
    told = words(at(Exposure.PRESENT, pushed=True))
    assert told.startswith("A remote has it. It stays leaked whatever is rewritten")
    assert "--force --all and --force --tags" in told


def test_messages_have_an_option_of_their_own() -> None:
    message, file = at(Exposure.MESSAGE, "commit message"), at(Exposure.HISTORY)
    assert "git filter-repo --force --replace-message ../replacements.txt" in commands(message)
    both = "git filter-repo --force --replace-text ../replacements.txt --replace-message ../replacements.txt"
    assert both in commands(message, file)


def test_what_nothing_leads_to_is_pruned() -> None:
    prune = ["git reflog expire --expire=now --all", "git gc --prune=now"]
    lost = at(Exposure.UNREACHABLE, refs=())
    assert commands(lost) == [*prune, "binance-leaks history"]
    assert "replacements" not in words(lost)
    assert commands(lost, at(Exposure.HISTORY))[-2:] == prune


def test_a_stash_is_dropped_before_it_is_pruned() -> None:
    stashed = commands(at(Exposure.HISTORY, refs=(STASH,)))
    assert stashed[:3] == ["git stash list", "git stash drop STASH", "git reflog expire --expire=now --all"]
    assert not any("filter-repo" in line for line in stashed)
    assert any("filter-repo" in line for line in commands(at(Exposure.HISTORY, refs=(STASH, "main"))))


def test_archives_are_taken_out_whole() -> None:
    whole = "git filter-repo --force --invert-paths --path FILE"
    assert whole in commands(at(Exposure.HISTORY, "lib.jar!/app.properties"))
    assert whole not in commands(at(Exposure.HISTORY))

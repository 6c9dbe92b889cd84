"""The steps that take a value out of a history: all that apply, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binance_leaks.model import Exposure, Location
from binance_leaks.report.advice import steps, steps_for_finding
from binance_leaks.report.rewrite_advice import rewrite_steps, rewrite_steps_by_repository

from . import examples

STASH = "refs/stash"


def commands(*locations: Location) -> list[str]:
    return [line for step in rewrite_steps(locations) for line in step.verbatim]


def words(*locations: Location) -> str:
    return " ".join(step.text for step in rewrite_steps(locations))


def at(exposure: Exposure, path: str = "bot.py", *, refs: Sequence[str] = ("main",), pushed: bool = False) -> Location:
    return examples.at(path, 1, exposure=exposure, refs=tuple(refs), pushed=pushed)


def test_what_was_never_pushed_is_rewritten_in_place() -> None:
    assert commands(at(Exposure.HISTORY)) == [
        "binance-leaks history --write-replacements ../replacements.txt",
        "git filter-repo --force --replace-text ../replacements.txt",
        "binance-leaks history",
    ]
    assert "remote has it" not in words(at(Exposure.HISTORY))
    assert words(at(Exposure.HISTORY)).endswith("Delete ../replacements.txt: it contains the values.")


def test_what_was_pushed_is_rewritten_in_a_clone_and_pushed() -> None:
    assert commands(at(Exposure.PRESENT, pushed=True)) == [
        "git clone --mirror URL clean.git",
        "cd clean.git",
        "binance-leaks history --write-replacements ../replacements.txt",
        "git filter-repo --replace-text ../replacements.txt",
        "binance-leaks history",
        "git push --force --mirror URL",
    ]
    reported = words(at(Exposure.PRESENT, pushed=True))
    assert reported.startswith("A remote has it. Rewriting does not undo this leak")
    assert "--force --all and --force --tags" in reported


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


def test_archives_are_removed_whole() -> None:
    whole = "git filter-repo --force --invert-paths --path FILE"
    assert whole in commands(at(Exposure.HISTORY, "lib.jar!/app.properties"))
    assert whole not in commands(at(Exposure.HISTORY))


def test_a_fleet_is_reported_which_steps_are_for_which_repository() -> None:
    made = rewrite_steps_by_repository(
        {
            "team/bot": [at(Exposure.PRESENT, pushed=True)],
            "team/api": [at(Exposure.HISTORY)],
            "ops": [at(Exposure.HISTORY, "a.zip!/b.py"), at(Exposure.UNREACHABLE, refs=())],
        }
    )
    reported = [(step.repositories, step.verbatim[-1:]) for step in made]
    everywhere = ("team/bot", "team/api", "ops")
    assert reported == [
        (everywhere, ()),
        (("team/bot",), ()),
        (("team/bot",), ("git filter-repo --replace-text ../replacements.txt",)),
        (("team/api", "ops"), ("git filter-repo --force --replace-text ../replacements.txt",)),
        (("ops",), ("git filter-repo --force --invert-paths --path FILE",)),
        ((), ("binance-leaks history",)),
        (("team/bot",), ("git push --force --mirror URL",)),
        (("ops",), ("git gc --prune=now",)),
        ((), ()),
    ]
    assert made[0].describe(str.upper) == (
        "In TEAM/BOT, TEAM/API, OPS: the history contains it. Rewrite these 3 repositories separately with the "
        "following steps."
    )


def test_one_repository_of_a_fleet_is_named_once() -> None:
    made = rewrite_steps_by_repository({"ops": [at(Exposure.HISTORY)]})
    assert made[0].describe(str) == "In ops: the history contains it. Rewrite that repository with the following steps."
    assert made[1:] == rewrite_steps([at(Exposure.HISTORY)])


def test_many_repositories_are_counted_and_one_without_a_name_is_called_so() -> None:
    held = {name: [at(Exposure.HISTORY)] for name in (" ", *"abcdefg")}
    assert (
        rewrite_steps_by_repository(held)[0]
        .describe(str)
        .startswith("In (unnamed), a, b, c, d and 3 more repositories: ")
    )


def test_what_is_gone_is_not_rewritten() -> None:
    result = examples.fleet_result()
    gone = replace(result, findings=result.findings[2:3])
    reported = " ".join(step.describe(str) for step in (*steps(gone), *steps_for_finding(gone.findings[0], gone)))
    assert "evoke it" in reported
    assert "history" not in reported
    assert "/srv/git/old.git" not in " ".join(step.describe(str) for step in steps(result))


def test_a_finding_of_a_fleet_names_its_repositories() -> None:
    result = examples.fleet_result()
    reported = [step.describe(str) for step in steps_for_finding(result.findings[3], result)]
    assert reported[1] == (
        "In team/bot: then remove it from the history together with all others: the steps for all credentials have the "
        "commands."
    )

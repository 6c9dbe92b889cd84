"""The steps that take a value out of a history: all that apply, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from binance_leaks.findings import PARTIAL_CLONE, Forge, Skipped
from binance_leaks.model import Exposure, Location
from binance_leaks.report.advice import steps, steps_for_finding
from binance_leaks.report.rewrite_advice import (
    GITHUB_REMOVAL,
    GITLAB_REMOVAL,
    rewrite_steps,
    rewrite_steps_by_repository,
)

from . import examples

STASH = "refs/stash"


def commands(*locations: Location) -> list[str]:
    return [line for step in rewrite_steps(locations, str) for line in step.verbatim]


def words(*locations: Location) -> str:
    return " ".join(step.text for step in rewrite_steps(locations, str))


def at(exposure: Exposure, path: str = "bot.py", *, refs: Sequence[str] = ("main",), pushed: bool = False) -> Location:
    return examples.at(path, 1, exposure=exposure, refs=tuple(refs), pushed=pushed)


INSTALL = "python -m pip install git-filter-repo"
WRITE = "binance-leaks history --write-replacements ../replacements.txt"
FILTER = "git filter-repo --sensitive-data-removal"
IN_PLACE = f"{FILTER} --force --no-fetch"
PRUNE = "git -c gc.reflogExpire=now -c gc.reflogExpireUnreachable=now gc --prune=now"


def test_what_was_never_pushed_is_rewritten_in_place() -> None:
    assert commands(at(Exposure.HISTORY)) == [
        INSTALL, WRITE, f"{IN_PLACE} --replace-text ../replacements.txt", "binance-leaks history",
    ]  # fmt: skip
    assert "remote has it" not in words(at(Exposure.HISTORY))
    assert words(at(Exposure.HISTORY)).endswith("Delete ../replacements.txt: it contains the values.")


@pytest.mark.parametrize(
    ("forge", "asked", "pages"),
    [
        (Forge.GITHUB, "Ask its support", (GITHUB_REMOVAL,)),
        (Forge.GITLAB, "Repository maintenance", (GITLAB_REMOVAL,)),
        (Forge.BITBUCKET, "Atlassian's support", ()),
        (Forge.GITEA, "the server's administrators", ()),
        (None, "GitHub: its support", (GITHUB_REMOVAL, GITLAB_REMOVAL)),
    ],
)
def test_the_forge_of_the_remote_is_asked(forge: Forge | None, asked: str, pages: tuple[str, ...]) -> None:
    made = rewrite_steps([at(Exposure.PRESENT, pushed=True)], str, forge=forge)
    (step,) = [step for step in made if "Owners of forks" in step.text]
    assert asked in step.text
    assert step.verbatim == pages
    assert not any("Owners of forks" in step.text for step in rewrite_steps([at(Exposure.HISTORY)], str, forge=forge))


def test_what_was_pushed_is_rewritten_in_a_clone_and_pushed() -> None:
    assert commands(at(Exposure.PRESENT, pushed=True)) == [
        INSTALL,
        'git clone --mirror "$(git remote get-url origin)" clean.git',
        "cd clean.git",
        WRITE,
        f"{FILTER} --replace-text ../replacements.txt",
        "binance-leaks history",
        "git push --force --mirror origin",
        GITHUB_REMOVAL,
        GITLAB_REMOVAL,
    ]
    reported = words(at(Exposure.PRESENT, pushed=True))
    assert reported.startswith("A remote has it. Rewriting does not undo this leak")
    assert "Delete this clone and clean.git" in reported


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://git.example/team/bot.git", "https://git.example/team/bot.git"),
        ("https://user:word@git.example/bot.git", '"$(git remote get-url origin)"'),
        ("https://git.example/$(touch owned)", '"$(git remote get-url origin)"'),
        ("/srv/bot", '"$(git remote get-url origin)"'),
    ],
)
def test_a_url_that_was_scanned_is_filled_in(target: str, url: str) -> None:
    made = rewrite_steps([at(Exposure.PRESENT, pushed=True)], str, target=target)
    assert f"git clone --mirror {url} clean.git" in [line for step in made for line in step.verbatim]


def test_messages_have_an_option_of_their_own() -> None:
    message, file = at(Exposure.MESSAGE, "commit message"), at(Exposure.HISTORY)
    assert f"{IN_PLACE} --replace-message ../replacements.txt" in commands(message)
    both = f"{IN_PLACE} --replace-text ../replacements.txt --replace-message ../replacements.txt"
    assert both in commands(message, file)


def test_what_nothing_leads_to_is_pruned() -> None:
    lost = at(Exposure.UNREACHABLE, refs=())
    assert commands(lost) == [PRUNE, "binance-leaks history"]
    assert "replacements" not in words(lost)
    assert PRUNE not in commands(lost, at(Exposure.HISTORY)), "git-filter-repo does that"


def test_stashes_are_dropped_by_number_the_oldest_first() -> None:
    stashed = commands(at(Exposure.HISTORY, refs=(STASH, "stash@{2}")), at(Exposure.HISTORY, refs=("stash@{10}",)))
    drops = [f"git stash drop 'stash@{{{number}}}'" for number in (10, 2, 0)]
    assert stashed == [*drops, PRUNE, "binance-leaks history"]
    assert any("filter-repo" in line for line in commands(at(Exposure.HISTORY, refs=(STASH, "main"))))


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("lib.jar!/app.properties", "--path lib.jar"),
        ("it's $(x).zip!/a", """--path 'it'"'"'s $(x).zip'"""),
        ("-rf.zip!/a", "--path=-rf.zip"),
        ("a`b\n#c\u202e\udcff.zip!/a", "--path-glob 'a?b??c????.zip'"),
        ("k/abcd…wxyz.zip!/a", "--path-glob 'k/abcd*wxyz.zip' --path-glob 'k/abcd*wxyz.zip/*'"),
        ("[…]*`.zip!/a", "--path-glob '[[]???][*]?.zip'"),
    ],
)
def test_files_to_remove_whole_are_named_so_that_nothing_is_injected(path: str, option: str) -> None:
    assert f"{IN_PLACE} --replace-text ../replacements.txt --invert-paths {option}" in commands(
        at(Exposure.HISTORY, path)
    )
    assert "save what you need" in words(at(Exposure.HISTORY, path))


def test_what_cannot_be_replaced_is_removed_whole() -> None:
    hidden = replace(at(Exposure.HISTORY, "bot.pyc"), replaceable=False)
    assert commands(hidden, hidden, at(Exposure.HISTORY))[2].endswith(" --invert-paths --path bot.pyc")
    assert "--invert-paths" not in commands(at(Exposure.HISTORY))[2]


def test_a_clone_that_lacks_objects_is_cloned_whole() -> None:
    lacking = Skipped(what="object", why=PARTIAL_CLONE)
    (only,) = rewrite_steps([at(Exposure.HISTORY)], str, skipped=[lacking])
    assert only.verbatim[1:] == ("cd whole.git", "binance-leaks history")


def test_a_fleet_is_reported_which_steps_are_for_which_repository() -> None:
    made = rewrite_steps_by_repository(
        {
            "team/bot": [at(Exposure.PRESENT, pushed=True)],
            "team/api": [at(Exposure.HISTORY)],
            "ops": [at(Exposure.HISTORY, "a.zip!/b.py"), at(Exposure.UNREACHABLE, refs=())],
        },
        str,
    )
    reported = [(step.repositories, step.verbatim[-1:]) for step in made]
    everywhere = ("team/bot", "team/api", "ops")
    replacing = f"{IN_PLACE} --replace-text ../replacements.txt"
    assert reported == [
        (everywhere, ()),
        (("team/bot",), ()),
        (("team/bot",), (f"{FILTER} --replace-text ../replacements.txt",)),
        (("team/api",), (replacing,)),
        (("ops",), (f"{replacing} --invert-paths --path a.zip",)),
        ((), ("binance-leaks history",)),
        (("team/bot",), ("git push --force --mirror origin",)),
        (("team/bot",), (GITLAB_REMOVAL,)),
        ((), ()),
        (("team/bot",), ()),
    ]
    assert made[0].describe(str.upper) == (
        "In TEAM/BOT, TEAM/API, OPS: the history contains it. Rewrite these 3 repositories separately with the "
        "following steps."
    )


def test_one_repository_of_a_fleet_is_named_once() -> None:
    made = rewrite_steps_by_repository({"ops": [at(Exposure.HISTORY)]}, str)
    assert made[0].describe(str) == "In ops: the history contains it. Rewrite that repository with the following steps."
    assert made[1:] == rewrite_steps([at(Exposure.HISTORY)], str)


def test_many_repositories_are_counted_and_one_without_a_name_is_called_so() -> None:
    held = {name: [at(Exposure.HISTORY)] for name in (" ", *"abcdefg")}
    assert (
        rewrite_steps_by_repository(held, str)[0]
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

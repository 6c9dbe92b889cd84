"""Pages on forges: made only of known hosts and plain names."""

from __future__ import annotations

import pytest
from binance_leaks.findings import Forge, Repository
from binance_leaks.report.forge import describe_repository, forge_kind, forge_page


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/ann/bot.git", "https://github.com/ann/bot"),
        ("https://user:word@github.com/ann/bot", "https://github.com/ann/bot"),
        ("git@github.com:ann/bot.git", "https://github.com/ann/bot"),
        ("ssh://git@GitHub.com:22/ann/bot.git/", "https://github.com/ann/bot"),
        ("https://github.com/ann/.github", "https://github.com/ann/.github"),
        ("https://gitlab.com/a/b/c/d.git", "https://gitlab.com/a/b/c/d"),
        ("https://bitbucket.org/ann/bot", "https://bitbucket.org/ann/bot"),
        ("git@codeberg.org:ann/bot", "https://codeberg.org/ann/bot"),
    ],
)
def test_known_forges_have_a_page(remote: str, page: str) -> None:
    assert forge_page(remote) == page


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/bot.git",
        "../bot",
        "http://github.com/ann/bot",
        "git://github.com/ann/bot",
        "file://github.com/ann/bot",
        "ext::sh -c x github.com/ann/bot",
        "javascript://github.com/ann/bot",
        "https://github.com",
        "https://github.com/ann",
        "https://github.com/ann/bot/tree",
        "https://github.com/ann/..",
        "https://github.com/./bot",
        "https://github.com/ann/bot?x=1",
        "https://github.com/ann/bot#x",
        "https://github.com/ann/b%2f..",
        'https://github.com/ann/b"ot',
        "https://github.com/ann/bot\n",
        "https://github.com:8443/ann/bot",
        "https://github.com@evil.example/ann/bot",
        "https://github.com.evil.example/ann/bot",
        "https://evil.example/github.com/ann/bot",
        "https://evil.example:443@x@github.com/ann/bot",
        "https://gıthub.com/ann/bot",
        "git@evil.example:ann/bot",
    ],
)
def test_other_addresses_have_none(remote: str) -> None:
    assert forge_page(remote) == ""


@pytest.mark.parametrize(
    ("remote", "kind"),
    [
        ("git@github.com:ann/bot.git", Forge.GITHUB),
        ("https://github.example.org/ann/bot", Forge.GITHUB),
        ("ssh://git@gitlab.example.org:2222/team/bot.git", Forge.GITLAB),
        ("http://me:word@git-gitlab.lan/team/bot", Forge.GITLAB),
        ("forgejo.example.org:team/bot", Forge.GITEA),
        ("git@codeberg.org:ann/bot", Forge.GITEA),
        ("https://invent.kde.org/a/b", Forge.GITLAB),
        ("https://bitbucket.example.org/scm/team/bot.git", Forge.BITBUCKET),
        ("https://example.org/github/bot", None),
        ("https://notgithub.example.org/a/b", None),
        ("https://github.com@example.org/a/b", None),
        ("github/bot", None),
        ("/srv/gitlab/bot.git", None),
        ("C:/gitlab/bot", None),
        ("", None),
    ],
)
def test_the_host_names_the_kind_of_forge(remote: str, kind: Forge | None) -> None:
    assert forge_kind(remote) is kind


def test_logins_are_dropped() -> None:
    known = describe_repository("/home/ann/bot", "https://ann:hunter2@github.com/ann/grid-bot.git")
    assert known == Repository(name="grid-bot", page="https://github.com/ann/grid-bot", forge=Forge.GITHUB)
    other = describe_repository(
        "https://ann:hunter2@gitlab.example.org/bot.git", "https://ann:hunter2@gitlab.lan/x.git"
    )
    assert other == Repository(name="bot", forge=Forge.GITLAB)

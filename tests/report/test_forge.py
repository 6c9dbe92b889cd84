"""Pages on forges: made only of known hosts and plain names."""

from __future__ import annotations

import pytest
from binance_leaks.report.forge import forge_page


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

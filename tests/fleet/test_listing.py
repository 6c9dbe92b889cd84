"""Lists of repositories: every form is read, every wrong line is reported, and no login is shown."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from uuid import uuid4

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.fleet.models import Entry
from binance_leaks.fleet.repository_list import read_list
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.values import hmac_value

BASE = Path("/lists") if os.name != "nt" else Path("C:/lists")


def read(text: str | bytes, *, base: Path = BASE, ssh: bool = False) -> list[Entry]:
    return read_list(text if isinstance(text, bytes) else text.encode(), "repos.txt", base=base, ssh=ssh)


def brief(text: str | bytes, *, ssh: bool = False) -> list[tuple[str, str, int]]:
    return [(entry.address, entry.label, entry.size) for entry in read(text, ssh=ssh)]


def here(*parts: str) -> str:
    return str(BASE.joinpath(*parts))


def refusal(text: str | bytes) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("line", "address", "label"),
    [
        ("https://host/org/a.git", "https://host/org/a.git", ""),
        ("  git@host:org/a.git  ", "git@host:org/a.git", ""),
        ("https://host/a\tPayments", "https://host/a", "Payments"),
        ("https://host/a = The payments", "https://host/a", "The payments"),
        ("https://host/a  =  x = y", "https://host/a", "x = y"),
        ("https://host/a=b", "https://host/a=b", ""),
        ("https://host/a # why", "https://host/a", ""),
        ("https://host/a = x # why", "https://host/a", "x"),
        ("https://host/a = x#1", "https://host/a", "x#1"),
        ("my repos/a b.git", here("my repos", "a b.git"), "my repos/a b.git"),
        ("./a/../b/", here("b"), "b"),
        ("../b", str(BASE.parent / "b"), "../b"),
        ("a#b", here("a#b"), "a#b"),
        ('"a # b"', here("a # b"), "a # b"),
        ('"a = b" = c', here("a = b"), "c"),
        ('"a\tb"\tc # d', here("a\tb"), "c"),
        ('"say ""hi"""', here('say "hi"'), 'say "hi"'),
        (".", str(BASE), BASE.name),
        ("~nobody-has-this-name/a", here("~nobody-has-this-name", "a"), "~nobody-has-this-name/a"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_lines(line: str, address: str, label: str) -> None:
    (entry,) = read(f"# repositories\n\n{line}\n  # the end")
    assert (entry.address, entry.label) == (address, label)
    assert entry.origin == "repos.txt:3"


def test_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read("~/a")[0].address == str(tmp_path / "a")


def test_what_is_beside_the_list_is_a_path(tmp_path: Path) -> None:
    assert read("host:a", base=tmp_path)[0].address == "host:a"
    try:
        (tmp_path / "host:a").mkdir()
    except OSError:
        pytest.skip("no such names here")
    assert read("host:a", base=tmp_path)[0].address == str(tmp_path / "host:a")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    text = end.join(["https://host/a", "", "https://host/b = Zahlungen für Zürich", ""])
    match encoding:
        case "utf-16-le-bom":
            data = b"\xff\xfe" + text.encode("utf-16-le")
        case "utf-16-be-bom":
            data = b"\xfe\xff" + text.encode("utf-16-be")
        case _:
            data = text.encode(encoding)
    assert brief(data) == [("https://host/a", "", 0), ("https://host/b", "Zahlungen für Zürich", 0)]


@pytest.mark.skipif(os.name == "nt", reason="bytes of POSIX")
def test_paths_need_be_no_text() -> None:
    (entry,) = read(b"caf\xe9")
    assert os.fsencode(entry.address) == os.fsencode(BASE) + b"/caf\xe9"


GITHUB_CLI = {
    "nameWithOwner": "org/a", "url": "https://github.com/org/a", "sshUrl": "git@github.com:org/a.git", "diskUsage": 12,
}  # fmt: skip
GITHUB = {
    "id": 1, "name": "a", "full_name": "org/a", "url": "https://api.github.com/repos/org/a", "size": 12,
    "html_url": "https://github.com/org/a", "clone_url": "https://github.com/org/a.git",
    "ssh_url": "git@github.com:org/a.git", "git_url": "git://github.com/org/a.git",
}  # fmt: skip
GITLAB = {
    "id": 1, "name": "A", "path": "a", "path_with_namespace": "org/sub/a", "name_with_namespace": "Org / Sub / A",
    "ssh_url_to_repo": "git@gitlab.com:org/sub/a.git", "http_url_to_repo": "https://gitlab.com/org/sub/a.git",
    "statistics": {"repository_size": 12288, "storage_size": 99999},
}  # fmt: skip
BITBUCKET = {
    "full_name": "team/a", "name": "A", "size": 12288, "links": {
        "self": {"href": "https://api.bitbucket.org/2.0/repositories/team/a"},
        "clone": [{"name": "https", "href": "https://me@bitbucket.org/team/a.git"},
                  {"name": "ssh", "href": "git@bitbucket.org:team/a.git"}],
    },
}  # fmt: skip
BITBUCKET_SERVER = {
    "slug": "a", "name": "The A", "project": {"key": "TEAM", "name": "Team"}, "links": {
        "clone": [{"name": "http", "href": "https://git.corp.example/scm/team/a.git"},
                  {"name": "ssh", "href": "ssh://git@git.corp.example:7999/team/a.git"}],
    },
}  # fmt: skip
AZURE = {
    "name": "a", "project": {"name": "My Project"}, "size": 12288, "url": "https://dev.azure.com/org/_apis/git/a",
    "remoteUrl": "https://org@dev.azure.com/org/My%20Project/_git/a",
    "sshUrl": "git@ssh.dev.azure.com:v3/org/My%20Project/a", "webUrl": "https://dev.azure.com/org/My%20Project/_git/a",
}  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "https", "ssh", "label", "size"),
    [
        (GITHUB_CLI, "https://github.com/org/a", "git@github.com:org/a.git", "org/a", 12288),
        (GITHUB, "https://github.com/org/a.git", "git@github.com:org/a.git", "org/a", 12288),
        (GITLAB, "https://gitlab.com/org/sub/a.git", "git@gitlab.com:org/sub/a.git", "org/sub/a", 12288),
        (BITBUCKET, "https://me@bitbucket.org/team/a.git", "git@bitbucket.org:team/a.git", "team/a", 12288),
        (BITBUCKET_SERVER, "https://git.corp.example/scm/team/a.git", "ssh://git@git.corp.example:7999/team/a.git",
         "Team/a", 0),
        (AZURE, "https://org@dev.azure.com/org/My%20Project/_git/a", "git@ssh.dev.azure.com:v3/org/My%20Project/a",
         "My Project/a", 12288),
        ({"address": "https://host/a", "label": "A", "size": 7}, "https://host/a", "https://host/a", "A", 7),
        ({"url": "https://host/a", "name": "A", "size": "7"}, "https://host/a", "https://host/a", "A", 7),
        ({"sshUrl": "git@host:a", "size": None}, "git@host:a", "git@host:a", "", 0),
        ({"URL": "https://host/a", "size": -1}, "https://host/a", "https://host/a", "", 0),
        ({"url": "https://host/a", "size": True}, "https://host/a", "https://host/a", "", 0),
        ({"url": "https://host/a", "size": 1e400}, "https://host/a", "https://host/a", "", 0),
    ],
)  # fmt: skip
def test_what_forges_export(entry: dict[str, object], https: str, ssh: str, label: str, size: int) -> None:
    data = json.dumps([entry]).replace("Infinity", "1e400")
    assert brief(data) == [(https, label, size)]
    assert brief(data, ssh=True) == [(ssh, label, size)]


def numbered(*numbers: int) -> list[dict[str, str]]:
    return [{"url": f"https://host/{number}"} for number in numbers]


ONE, TWO = json.dumps(numbered(1, 2)), json.dumps(numbered(3))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(numbered(1, 2, 3), indent=2),
        "\n".join(map(json.dumps, numbered(1, 2, 3))),
        ONE + TWO,
        f"  {ONE}\n\n{TWO}\n",
        f"[{ONE},{TWO}]",
        json.dumps([entry["url"] for entry in numbered(1, 2, 3)]),
        json.dumps({"values": numbered(1, 2), "next": "https://host/?page=2"}) + json.dumps({"values": numbered(3)}),
        json.dumps({"values": numbered(1, 2, 3), "isLastPage": True, "size": 3}),
        json.dumps({"value": numbered(1, 2, 3), "count": 3}),
        json.dumps({"data": numbered(1, 2, 3), "ok": True}),
        json.dumps({"items": numbered(1, 2, 3), "total_count": 3}),
    ],
)
def test_json_in_every_wrapping(text: str) -> None:
    entries = read(text)
    assert [entry.address for entry in entries] == ["https://host/1", "https://host/2", "https://host/3"]
    assert [entry.origin for entry in entries] == [f"repos.txt, entry {number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "url,label,size\nhttps://host/a,\"A, the first\",7\n\nhttps://host/b,,\n",
        "Label;URL;Size\r\n\"A, the first\";https://host/a;7\r\n;https://host/b\r\n",
        "size\tclone_url\tlabel\n7\thttps://host/a\tA, the first\n\thttps://host/b\n",
    ],
)  # fmt: skip
def test_tables(text: str) -> None:
    assert brief(text) == [("https://host/a", "A, the first", 7), ("https://host/b", "", 0)]


def test_a_table_of_urls_alone() -> None:
    assert brief("http_url_to_repo\nhttps://host/a\n") == [("https://host/a", "", 0)]


def test_a_folder_called_path_is_no_header() -> None:
    assert [entry.label for entry in read("path\nother")] == ["path", "other"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "lists no repository"),
        ("# nothing\n\n", "lists no repository"),
        ("[]", "lists no repository"),
        ("url,label\n", "lists no repository"),
        (b"PK\x03\x04\0\0", "binary file"),
        ("a\nb".encode("utf-16-le"), "binary file"),
        (b"\xff\xfea", "truncated"),
        ("<!doctype html>", "web page"),
        ("https://host/a\n\nftp://host/b", "repos.txt:3: a repository at ftp:// is not cloned"),
        ("http://host/b", "repos.txt:1: a repository at http:// is not cloned"),
        ("ext::sh -c id", "repos.txt:1: a blank in a URL"),
        ('"ext::sh -c id"', "repos.txt:1: a repository at ext:: is not cloned"),
        ("https://host/a Payments", "repos.txt:1: a blank in a URL"),
        ('["https://host/a b"]', "repos.txt, entry 1: a blank in a URL"),
        (f"https://host/{'a' * 200_000} b", "repos.txt:1: a blank in a URL"),
        ("https://host", "repos.txt:1: a host without a repository"),
        ("host:", "repos.txt:1: a host without a repository"),
        ("https://host/a#x", "repos.txt:1: more than an address"),
        ("-x https://host/a", "repos.txt:1: neither a URL nor a path"),
        ('"a', "repos.txt:1: a quote that is not closed"),
        ('"a" b', "repos.txt:1: something other than a label"),
        ("a\tb\tc", "repos.txt:1: more than an address and a label"),
        ("[1]", "repos.txt, entry 1: neither an address nor an object"),
        ('[{"name": "x"}]', "repos.txt, entry 1: no address"),
        ('["a", "\\ud800"]', "repos.txt, entry 2: neither a URL nor a path"),
        ('["a\\u0000b"]', "repos.txt, entry 1: neither a URL nor a path"),
        ('{"message": "Bad credentials", "status": "401"}', "a reply of the forge that is not a list: Bad credentials"),
        ('[{"url": "https://host/a"},\n{"url": ]', "repos.txt:2: not JSON, or truncated"),
        ("[" * 100_000, "not JSON"),
        ('[{"url": "https://host/a", "size": NaN}]', "not JSON"),
        ('{"values": [{"url": "https://host/a"}], "next": "https://host/2"}', "the last page is missing"),
        ('{"values": [{"url": "https://host/a"}], "isLastPage": false}', "the last page is missing"),
        ('url,label\nhttps://host/a,"x', "repos.txt:2: not a row of a table"),
        ("label,url\nx\n", "repos.txt:2: no address"),
    ],
)
def test_what_is_no_list(text: str | bytes, reported: str) -> None:
    error = refusal(text)
    assert reported in str(error)
    assert str(error).isprintable()


def test_all_that_is_wrong_is_reported_at_once() -> None:
    lines = ["https://host/a", *(f"ftp://host/{number}" for number in range(100)), "b"]
    text = str(refusal("\n".join(lines)))
    assert all(f"repos.txt:{number}: " in text for number in range(2, 7))
    assert "repos.txt:7" not in text
    assert text.endswith("and 95 more")


@pytest.mark.parametrize(
    "line",
    [
        "https://me:{0}@host/a#x", "https://me:{0}@host/a b", "-u https://me:{0}@host/a", "http://me:{0}@host/a",
        "x https://{0}@host/a", "me:{0}@host:a", "https://me:{0}/x@host/a", "https://host/a?token={0}",
        "https://me:{0}@host", "ftp://{0}@host/a", '"https://{0}@host/a', '"https://{0}@host/a" x',
        "https://{0}@host/a\tb\tc", '[{{"name": "https://me:{0}@host"}}]', '{{"message": "{0}"}}', "ssh://-me:{0}@host/a",
    ],
)  # fmt: skip
def test_no_message_holds_a_login(line: str) -> None:
    for secret in (uuid4().hex if "message" not in line else "", hmac_value(random.Random(line))):
        if secret:
            error = refusal(line.format(secret))
            assert secret not in f"{error}{error.hint}{error!r}"


def test_no_entry_shows_its_address() -> None:
    assert "me:pass" not in repr(read("https://me:pass@host/a"))


def test_ten_thousand_lines() -> None:
    entries = read("".join(f"https://host/org/{number}.git = r{number}\n" for number in range(10_000)))
    assert len(entries) == 10_000
    assert entries[-1].origin == "repos.txt:10000"
    assert entries[-1].label == "r9999"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        entries = read(data)
    except UsageError as error:
        assert str(error).isprintable()
    else:
        assert entries
        assert all(os.fsencode(entry.address) for entry in entries)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["url", "path", "links", "clone", "values", "size", "name", "project", "statistics"]), inner
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        entries = read(json.dumps([value]))
    except UsageError as error:
        assert str(error).isprintable()
    else:
        assert all(entry.size >= 0 for entry in entries)

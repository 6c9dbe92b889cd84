"""Exports of chats, issues and notes, as the programs write them, with messages of a test's own.

Sources of the formats: DiscordChatExporter's writers and HTML template; Telegram Desktop's export; the data packages of
Slack and Discord; chats that WhatsApp exports in several locales; the REST APIs of GitHub, GitLab, Jira and Microsoft
Graph; Jira's RSS; Confluence's HTML; Notion's and Obsidian's Markdown.
"""

# ruff: noqa: E501 - lines of the formats

from __future__ import annotations

import csv
import html
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message: who wrote it, the minute after 10 o'clock on 5 March 2024, and its text."""

    author: str
    minute: int
    text: str

    @property
    def iso(self) -> str:
        return f"2024-03-05T10:{self.minute:02}:00"

    @property
    def seconds(self) -> int:
        return 1709632800 + 60 * self.minute


Chat = Sequence[Sent]


def _json(value: object, indent: int | None = None) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=False).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _csv(rows: Sequence[Sequence[str]], quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


def telegram_json(chat: Chat) -> bytes:
    messages = [
        {
            "id": 100 + n, "type": "message", "date": one.iso, "date_unixtime": str(one.seconds),
            "from": one.author, "from_id": f"user{n % 2}",
            "text": one.text, "text_entities": [{"type": "plain", "text": one.text}],
        }
        for n, one in enumerate(chat)
    ]  # fmt: skip
    return _json({"name": "Bots", "type": "private_group", "id": 7, "messages": messages}, indent=1)


def telegram_json_code(chat: Chat) -> bytes:
    """The last word of each message is set as code."""
    messages = []
    for n, one in enumerate(chat):
        lead, _, last = one.text.rpartition(" ")
        parts = [f"{lead} ", {"type": "code", "text": last}]
        entities = [{"type": "plain", "text": f"{lead} "}, {"type": "code", "text": last}]
        messages.append(
            {"id": n, "type": "message", "date": one.iso, "from": one.author, "text": parts, "text_entities": entities}
        )
    return _json({"name": "Bots", "messages": messages}, indent=1)


def telegram_html(chat: Chat) -> bytes:
    out, before = [], ""
    for n, one in enumerate(chat):
        joined = one.author == before
        name = "" if joined else f'\n       <div class="from_name">\n{one.author}\n       </div>\n'
        out.append(
            f'\n     <div class="message default clearfix{" joined" if joined else ""}" id="message{n}">\n'
            '      <div class="body">\n\n'
            f'       <div class="pull_right date details" title="05.03.2024 10:{one.minute:02}:00 UTC+01:00">\n'
            f"10:{one.minute:02}\n       </div>\n{name}"
            f'\n       <div class="text">\n{html.escape(one.text).replace(chr(10), "<br>")}\n       </div>\n\n'
            "      </div>\n\n     </div>\n"
        )
        before = one.author
    return (
        '<!DOCTYPE html>\n<html>\n <body>\n  <div class="history">\n' + "".join(out) + "</div></body></html>"
    ).encode()


def discord_json(chat: Chat) -> bytes:
    messages: list[dict[str, object]] = [
        {
            "id": str(n), "type": "Default", "timestamp": f"{one.iso}.123+00:00", "timestampEdited": None, "isPinned": False,
            "content": one.text,
            "author": {
                "id": str(n % 2), "name": one.author.lower(), "discriminator": "0000", "nickname": one.author,
                "color": "#1ABC9C", "isBot": False,
                "roles": [{"id": str(r), "name": f"role {r}", "color": "#FFF", "position": r} for r in range(5)],
                "avatarUrl": "https://cdn.example/a.png",
            },
            "attachments": [], "embeds": [], "stickers": [], "reactions": [], "mentions": [], "inlineEmojis": [],
        }
        for n, one in enumerate(chat)
    ]  # fmt: skip
    whole = {
        "guild": {"id": "1", "name": "Traders"}, "channel": {"id": "2", "name": "bots"},
        "exportedAt": "2024-04-01T00:00:00+00:00", "messages": messages, "messageCount": len(messages),
    }  # fmt: skip
    return _json(whole, indent=2)


def discord_html(chat: Chat) -> bytes:
    out, before = [], ""
    for n, one in enumerate(chat):
        first = one.author != before
        moment = f"3/5/2024 10:{one.minute:02} AM"
        header = (
            f"<div class=chatlog__header><span class=chatlog__author title={one.author.lower()} data-user-id=1>{one.author}"
            f"</span> <span class=chatlog__timestamp><a href=#chatlog__message-container-{n}>{moment}</a></span></div>"
            if first
            else ""
        )
        short = "" if first else f'<div class=chatlog__short-timestamp title="{moment}">10:{one.minute:02}</div>'
        group = "<div class=chatlog__message-group>" if first else ""
        ended = "</div>" if first and n else ""
        out.append(
            f"{ended}{group}<div id=chatlog__message-container-{n} class=chatlog__message-container data-message-id={n}>"
            f"<div class=chatlog__message><div class=chatlog__message-aside>{short}</div>"
            f'<div class=chatlog__message-primary>{header}<div class="chatlog__content chatlog__markdown">'
            f"<span class=chatlog__markdown-preserve>{html.escape(one.text)}</span></div></div></div></div>\n"
        )
        before = one.author
    return (
        "<!DOCTYPE html><html lang=en><body><div class=chatlog>" + "".join(out) + "</div></div></body></html>"
    ).encode()


def discord_csv(chat: Chat) -> bytes:
    rows = [[str(n), one.author, f"3/5/2024 10:{one.minute:02} AM", one.text, "", ""] for n, one in enumerate(chat)]
    header = b"AuthorID,Author,Date,Content,Attachments,Reactions\r\n"
    return header + _csv(rows, csv.QUOTE_ALL)


def discord_text(chat: Chat) -> bytes:
    line = "=" * 62
    body = "".join(f"[3/5/2024 10:{one.minute:02} AM] {one.author}\n{one.text}\n\n\n" for one in chat)
    return f"{line}\nGuild: Traders\nChannel: Text / bots\n{line}\n\n{body}{line}\nExported 4 message(s)\n".encode()


def discord_package(chat: Chat) -> bytes:
    messages = [
        {"ID": n, "Timestamp": one.iso.replace("T", " "), "Contents": one.text, "Attachments": ""}
        for n, one in enumerate(chat)
    ]
    return _zip({"messages/c1/messages.json": _json(messages), "messages/index.json": b"{}"})


def discord_package_csv(chat: Chat) -> bytes:
    rows = [["ID", "Timestamp", "Contents", "Attachments"]]
    rows += [[str(n), f"{one.iso.replace('T', ' ')}.123000+00:00", one.text, ""] for n, one in enumerate(chat)]
    return _zip({"messages/c1/messages.csv": _csv(rows)})


def slack(chat: Chat) -> bytes:
    names = sorted({one.author for one in chat})
    users = [
        {"id": f"U0{n}ABCDEF", "name": name.lower(), "real_name": name, "profile": {"display_name": name}}
        for n, name in enumerate(names)
    ]
    messages = [
        {
            "client_msg_id": f"m{n}", "type": "message", "text": html.escape(one.text, quote=False),
            "user": f"U0{names.index(one.author)}ABCDEF", "ts": f"{one.seconds}.000{n:03}", "team": "T1",
            "user_profile": {"avatar_hash": "x", "first_name": one.author, "real_name": one.author, "display_name": ""},
            "blocks": [{"type": "rich_text", "block_id": "b", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": one.text}]}]}],
        }
        for n, one in enumerate(chat)
    ]  # fmt: skip
    return _zip({"users.json": _json(users, indent=4), "bots/2024-03-05.json": _json(messages, indent=4)})


def _lines(form: str) -> Callable[[Chat], bytes]:
    def made(chat: Chat) -> bytes:
        return "".join(form.format(m=one.minute, name=one.author, text=one.text) + "\n" for one in chat).encode()

    return made


def teams_graph(chat: Chat) -> bytes:
    messages = [
        {
            "id": str(one.seconds), "createdDateTime": f"{one.iso}.123Z", "subject": None,
            "from": {"application": None, "user": {"id": "8ea0", "displayName": one.author, "userIdentityType": "aadUser"}},
            "body": {"contentType": "html", "content": f"<div><p>{html.escape(one.text)}</p></div>"},
        }
        for one in chat
    ]  # fmt: skip
    return _json({"@odata.count": len(messages), "value": messages})


def teams_personal(chat: Chat) -> bytes:
    """The export of a personal account, in the form that Skype has."""
    messages = [
        {
            "id": str(n), "displayName": None, "originalarrivaltime": f"{one.iso}.123Z", "messagetype": "RichText/Html",
            "content": f"<p>{html.escape(one.text)}</p>", "from": f"8:live:{one.author}", "properties": None,
        }
        for n, one in enumerate(chat)
    ]  # fmt: skip
    return _json(
        {"userId": "8:live:x", "conversations": [{"id": "19:x", "displayName": "bots", "MessageList": messages}]}
    )


def github_issues(chat: Chat) -> bytes:
    """`gh api repos/O/R/issues/comments --paginate`: a list for each page, without a line break."""

    def comment(n: int, one: Sent) -> dict[str, object]:
        return {
            "url": f"https://api.github.com/repos/o/r/issues/comments/{n}", "id": n,
            "user": {"login": one.author, "id": n, "avatar_url": "https://a.example", "type": "User", "site_admin": False},
            "created_at": f"{one.iso}Z", "updated_at": f"{one.iso}Z", "body": one.text, "author_association": "OWNER",
            "reactions": {"url": "x", "total_count": 0},
        }  # fmt: skip

    return _json([comment(n, one) for n, one in enumerate(chat[:2])]) + _json(
        [comment(n, one) for n, one in enumerate(chat[2:], 2)]
    )


def github_cli(chat: Chat) -> bytes:
    """`gh issue view --json author,body,comments,createdAt`."""
    first, *others = chat
    comments = [
        {"author": {"login": one.author}, "body": one.text, "createdAt": f"{one.iso}Z", "id": "x"} for one in others
    ]
    return _json(
        {"author": {"login": first.author}, "body": first.text, "comments": comments, "createdAt": f"{first.iso}Z"}
    )


def github_page(chat: Chat) -> bytes:
    body = "".join(
        '<div class="timeline-comment"><h3><strong>\n'
        f'<a class="author Link--primary" href="/{one.author}">{one.author}</a></strong> commented '
        f'<relative-time datetime="{one.iso}Z">on Mar 5, 2024</relative-time></h3>\n<table><tr>'
        f'<td class="d-block comment-body markdown-body js-comment-body"><p dir="auto">{html.escape(one.text)}</p></td>'
        "</tr></table></div>\n"
        for one in chat
    )
    return f"<!DOCTYPE html><html><body><title>Bot fails</title>{body}</body></html>".encode()


def gitlab_notes(chat: Chat) -> bytes:
    notes = [
        {
            "id": n, "type": None, "body": one.text, "author": {"id": 1, "username": one.author.lower(), "name": one.author},
            "created_at": f"{one.iso}.000Z", "system": False, "noteable_type": "Issue",
        }
        for n, one in enumerate(chat)
    ]  # fmt: skip
    return _json(notes)


def jira_json(chat: Chat) -> bytes:
    def person(name: str) -> dict[str, object]:
        return {"self": "x", "emailAddress": f"{name.lower()}@project.example", "displayName": name, "active": True}

    first, *others = chat
    comments = [
        {"id": str(n), "author": person(one.author), "body": one.text, "created": f"{one.iso}.000+0000"}
        for n, one in enumerate(others)
    ]
    fields = {
        "summary": "Bot", "reporter": person(first.author), "created": f"{first.iso}.000+0000", "description": first.text,
        "comment": {"comments": comments, "total": len(comments)},
    }  # fmt: skip
    return _json({"issues": [{"key": "BOT-1", "fields": fields}]})


def jira_cloud(chat: Chat) -> bytes:
    """Texts in the document format of Atlassian."""
    comments = [
        {
            "author": {"accountId": "5b1", "displayName": one.author}, "created": f"{one.iso}.000+0000",
            "body": {"type": "doc", "version": 1, "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": one.text}]}]},
        }
        for one in chat
    ]  # fmt: skip
    return _json({"startAt": 0, "comments": comments})


def jira_rss(chat: Chat) -> bytes:
    first, *others = chat
    comments = "".join(
        f'<comment id="{n}" author="{one.author}" created="Tue, 5 Mar 2024 10:{one.minute:02}:00 +0000"  >'
        f"{html.escape(f'<p>{html.escape(one.text)}</p>')}</comment>\n"
        for n, one in enumerate(others)
    )
    return (
        '<!-- \nRSS generated by JIRA -->\n<rss version="0.92" >\n<channel>\n<item>\n<title>[BOT-1] Bot</title>\n'
        f"<description>{html.escape(f'<p>{html.escape(first.text)}</p>')}</description>\n"
        f'<reporter username="x">{first.author}</reporter>\n<created>Tue, 5 Mar 2024 10:00:00 +0000</created>\n'
        f"<comments>\n{comments}</comments>\n</item>\n</channel>\n</rss>\n"
    ).encode()


def jira_csv(chat: Chat) -> bytes:
    text = "\n".join(one.text for one in chat)
    return _csv(
        [
            ["Summary", "Issue key", "Reporter", "Created", "Description"],
            ["Bot", "BOT-1", chat[-1].author, "05/Mar/24 10:00 AM", text],
        ]
    )


def mattermost(chat: Chat) -> bytes:
    posts = [
        {"type": "post", "post": {"team": "t", "channel": "bots", "user": one.author, "message": one.text,
                                  "create_at": one.seconds * 1000}}
        for one in chat
    ]  # fmt: skip
    return b"\n".join(map(_json, posts))


def confluence_html(chat: Chat) -> bytes:
    body = "".join(f"<p>{html.escape(one.text)}</p>" for one in chat)
    return (
        '<!DOCTYPE html>\n<html><body><div id="content" class="view">\n<div class="page-metadata">\n'
        f"Created by <span class='author'> {chat[-1].author}</span>, last modified on Mar 05, 2024\n</div>\n"
        f'<div id="main-content" class="wiki-content group">\n{body}\n</div></div></body></html>'
    ).encode()


def notion_markdown(chat: Chat) -> bytes:
    text = "\n\n".join(one.text for one in chat)
    return f"# Trading bot\n\nCreated by: {chat[-1].author}\nCreated: March 5, 2024 10:00 AM\nTags: bots\n\n{text}\n".encode()


def obsidian(chat: Chat) -> bytes:
    text = "\n\n".join(one.text for one in chat)
    return f"---\nauthor: {chat[-1].author}\ncreated: 2024-03-05\ntags: [bots]\n---\n\n{text}\n".encode()


EXPORTS: Mapping[str, tuple[str, Callable[[Chat], bytes]]] = MappingProxyType(
    {
        "Telegram, JSON": ("result.json", telegram_json),
        "Telegram, JSON with code": ("result.json", telegram_json_code),
        "Telegram, HTML": ("messages.html", telegram_html),
        "DiscordChatExporter, JSON": ("bots.json", discord_json),
        "DiscordChatExporter, HTML": ("bots.html", discord_html),
        "DiscordChatExporter, CSV": ("bots.csv", discord_csv),
        "DiscordChatExporter, text": ("bots.txt", discord_text),
        "Discord's data package, JSON": ("package.zip", discord_package),
        "Discord's data package, CSV": ("package.zip", discord_package_csv),
        "Slack": ("export.zip", slack),
        "WhatsApp, iOS, German": ("_chat.txt", _lines("[05.03.24, 10:{m:02}:00] {name}: {text}")),
        "WhatsApp, iOS, English": ("_chat.txt", _lines("\u200e[3/5/24, 10:{m:02}:00\u202fAM] ~\u202f{name}: {text}")),
        "WhatsApp, iOS, Finnish": ("_chat.txt", _lines("[5.3.2024 klo 10.{m:02}.00] {name}: {text}")),
        "WhatsApp, iOS, Chinese": ("_chat.txt", _lines("[2024/3/5 上午10:{m:02}:00] {name}: {text}")),
        "WhatsApp, Android, British": ("_chat.txt", _lines("05/03/2024, 10:{m:02} - {name}: {text}")),
        "WhatsApp, Android, American": ("_chat.txt", _lines("3/5/24, 10:{m:02} AM - {name}: {text}")),
        "WhatsApp, Android, Spanish": ("_chat.txt", _lines("5/3/24, 10:{m:02} a.\u00a0m. - {name}: {text}")),
        "WhatsApp, Android, Swedish": ("_chat.txt", _lines("2024-03-05 10:{m:02} - {name}: {text}")),
        "WhatsApp, Arabic": ("_chat.txt", _lines("[٥/٣/٢٠٢٤، ١٠:{m:02}:٠٠ ص] {name}: {text}")),
        "IRC, WeeChat-like": ("irc.log", _lines("2024-03-05 10:{m:02}:00 <{name}> {text}")),
        "Teams, Microsoft Graph": ("messages.json", teams_graph),
        "Teams, personal": ("messages.json", teams_personal),
        "GitHub, API": ("comments.json", github_issues),
        "GitHub, gh issue view": ("issue.json", github_cli),
        "GitHub, saved page": ("issue.html", github_page),
        "GitLab, notes": ("notes.json", gitlab_notes),
        "Jira, JSON": ("issues.json", jira_json),
        "Jira, cloud": ("comments.json", jira_cloud),
        "Jira, XML": ("BOT-1.xml", jira_rss),
        "Jira, CSV": ("jira.csv", jira_csv),
        "Mattermost": ("export.jsonl", mattermost),
        "Confluence, HTML": ("page.html", confluence_html),
        "Notion, Markdown": ("Trading bot.md", notion_markdown),
        "Obsidian": ("note.md", obsidian),
    }
)
"""The file and the writer of each format."""

WITHOUT_AUTHOR = frozenset({"Discord's data package, JSON", "Discord's data package, CSV"})
"""All is written by the owner of the package."""

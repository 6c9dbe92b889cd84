"""The table of targets: for each reader how its inputs are made, what is called, and what may be raised."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from binance_leaks.errors import ConfigError, ScanError, UsageError
from binance_leaks.native import compiled
from binance_leaks.setup.yaml_edit import UnsafeEditError

from tests.fuzz import grammars, native, readers, seeds
from tests.fuzz.laws import Outcome, Target

_JSON = tuple(rb'{ } [ ] " : , null true 1e999 NaN \u0000 \ud800 "":""'.split())
_TEXT = (*rb'binance api_key secret " = \n # ( "," --- BEGIN'.split(), b"'", b"\n", b" ", b"\0", b"-----BEGIN ")
_ARCHIVE = (
    b"PK\3\4",
    b"PK\1\2",
    b"PK\5\6",
    b"PK\7\x08",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"ustar",
    b"\xff" * 4,
    b"PACK\0\0\0\2",
)
_PDF = tuple(
    b"""obj endobj stream endstream /Length /Filter /FlateDecode << >> 1 0 R /Predictor 12 /DecodeParms /ObjStm
    /Encrypt beginbfrange endbfrange Tj TJ /ToUnicode ( ) [ ] < >""".split()
)
_MAIL = (*b"""multipart/mixed; boundary= message/rfc822 base64 charset= =?utf-8?q? ?= filename*0*= quoted-printable
    utf-7 text/html --""".split(), b"\n--", b"--\n", b"\nFrom ", b"\n\n", b"\nContent-Type: ", b"\n ")  # fmt: skip
_GIT = (
    b"tree ",
    b"parent ",
    b"\n\n",
    b"committer ",
    b"gpgsig ",
    b"mergetag ",
    b"\n ",
    b"encoding ",
    b"40000 ",
    b"160000 ",
)
_TOML = (*b"[ ] [[ = . ' { } allow sha256 exclude tool.binance-leaks".split(), b'"""', b"\n")
_YAML = (*b"- : | > &a *a !! { # --- repos: hooks: id:".split(), b"\n", b"\n  ", b"\t", b"- ", b": ")
_PICTURE = (*b"IHDR IDAT tEXt zTXt eXIf IEND RIFF WEBP VP8X".split(), b"\xff\xd8", b"\xff\xe1", b"\xff\xd9", bytes(4))
_FILES = (
    "bot.py",
    "config.json",
    ".env",
    "settings.yaml",
    "a.csv",
    "notes.md",
    "main.go",
    "Bot.java",
    "keys.txt",
    "a.bin",
)


def _random(read: Callable[[Random], str]) -> Callable[[bytes], Outcome]:
    """What makes its own inputs from a seed."""
    return lambda data: Outcome(kind=read(Random(data)))


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target(name="documents", read=readers.scan(*_FILES), seeds=seeds.documents, grammar=grammars.documents,
                   words=_TEXT),
            Target(name="comments", read=readers.read_comment, seeds=seeds.comments, grammar=grammars.documents,
                   words=(*_TEXT, b"binance-leaks: allow", b"next line", b'"""', b"<<EOF", b"/*", b"*/", b"|")),
            Target(name="notebooks", read=readers.scan("a.ipynb"), seeds=seeds.notebooks, grammar=grammars.notebooks,
                   words=(*_JSON, b'"cells"', b'"source"', b'"outputs"', b'"text/html"')),
            Target(name="databases", read=readers.scan("bot.sqlite", "bot.db-wal"), seeds=seeds.databases,
                   words=(b"SQLite format 3\0", b"CREATE TABLE ", b"\x0d", b"\x05", b"\x02", b"\x0a", b"\x81\x01")),
            Target(name="archives", read=readers.scan("a.zip", "a.tgz", "a.7z", "a.bin", "a.tar", "a.xz"),
                   seeds=seeds.archives, grammar=grammars.archives, words=_ARCHIVE,
                   wraps=(gzip.compress, bz2.compress, lzma.compress, seeds.loose_object, seeds.in_zip, seeds.in_tar)),
            Target(name="container images", read=readers.scan("image.tar"), seeds=seeds.images, grammar=grammars.images,
                   words=(*_ARCHIVE, *_JSON, b"manifest.json", b"layer.tar", b".wh.", b"blobs/sha256/", b"history"),
                   wraps=(gzip.compress,)),
            Target(name="image folders", read=readers.read_image_folder, seeds=seeds.image_folders,
                   words=(*_JSON, seeds.FILE, b"blobs/sha256/", b"digest", b"layers", b"config", b"history")),
            Target(name="pdf", read=readers.scan("a.pdf"), seeds=seeds.pdfs, grammar=grammars.pdfs, words=_PDF,
                   wraps=(seeds.in_pdf, seeds.in_zip)),
            Target(name="mail", read=readers.scan("a.eml", "inbox", "a.mhtml"), seeds=seeds.mails,
                   grammar=grammars.mails, words=_MAIL, wraps=(seeds.in_mail, gzip.compress)),
            Target(name="outlook", read=readers.scan("a.msg"), seeds=seeds.outlook_files,
                   grammar=grammars.outlook_files,
                   words=(b"\xfe\xff\xff\xff", b"\xff" * 4, bytes(4), "__substg1.0_1000001F".encode("utf-16-le"))),
            Target(name="exports", read=readers.scan("a.json", "chat.txt", "a.html", "a.csv", "a.xml", "n.md"),
                   seeds=seeds.exports, grammar=grammars.exports,
                   words=(*_JSON, b"<div class=", b"</div>", b"<comment ", b"]]>", b"\n[05.03.24, ", b"\r\n", b',"')),
            Target(name="pictures", read=readers.scan("a.png"), seeds=seeds.pictures, pictures=True,
                   words=_PICTURE),
            Target(name="trees", read=readers.read_tree, seeds=seeds.trees, grammar=grammars.trees, words=_GIT),
            Target(name="commits", read=readers.read_commit, seeds=seeds.commits, grammar=grammars.commits, words=_GIT),
            Target(name="packs", read=readers.read_pack, seeds=seeds.packs, grammar=grammars.packs,
                   words=(b"PACK", b"\xfftOc", bytes(4), b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\x78\x9c"),
                   wraps=(seeds.in_pack,)),
            Target(name="lfs", read=readers.read_pointer, seeds=seeds.pointers,
                   words=(b"version ", b"oid sha256:", b"size ", b"\n", b"https://git-lfs.github.com/spec/v1")),
            Target(name="configuration", read=readers.read_configuration, seeds=seeds.configurations,
                   grammar=grammars.configurations, words=_TOML, documented=(ConfigError,)),
            Target(name="baselines", read=readers.read_baseline, seeds=seeds.baselines,
                   grammar=grammars.json_of(seeds.baselines), words=_JSON, documented=(ConfigError,)),
            Target(name="reports", read=readers.read_stored_report, seeds=seeds.reports,
                   grammar=grammars.json_of(seeds.reports), words=_JSON, documented=(UsageError,)),
            Target(name="ci events", read=readers.read_ci_event, seeds=seeds.ci_events,
                   grammar=grammars.json_of(seeds.ci_events), words=_JSON, documented=(ScanError,)),
            Target(name="agents", read=readers.read_agent_event, seeds=seeds.agent_events,
                   grammar=grammars.json_of(seeds.agent_events), words=(*_JSON, b"hook_event_name", b"@/etc", b"@../")),
            Target(name="agent settings", read=readers.read_agent_settings, seeds=seeds.agent_settings,
                   grammar=grammars.json_of(seeds.agent_settings), words=(*_JSON, *_TOML, b"//", b"/*", b"*/", b",]")),
            Target(name="pre-commit", read=readers.read_pre_commit, seeds=seeds.pre_commit_files,
                   grammar=grammars.lines_of("repos:", "- repo: local", "  hooks:", "  - id: binance-leaks", "&a", "|"),
                   words=_YAML, documented=(UnsafeEditError,)),
            Target(name="repository lists", read=readers.read_repository_list, seeds=seeds.repository_lists,
                   grammar=grammars.lines_of("https://", "git@host:a/b", "url", ",", "\t", "file:///x", "~", "{"),
                   words=(*_JSON, b"https://", b"@", b"\t", b"\n", b"ssh://", b"url"), documented=(UsageError,)),
            Target(name="replies", read=readers.read_reply, seeds=seeds.replies,
                   grammar=grammars.json_of(seeds.replies), words=_JSON),
            Target(name="states", read=readers.read_state, seeds=seeds.states, words=(*_JSON, b"conditions", b"hits")),
            Target(name="answers", read=readers.read_answer, seeds=seeds.answers,
                   grammar=grammars.answers, words=_JSON),
            Target(name="verdict caches", read=readers.read_verdict_cache, seeds=seeds.verdict_caches,
                   grammar=grammars.json_of(seeds.verdict_caches), words=_JSON, documented=(UsageError,)),
            *(Target(name=f"native {kind}", read=_random(read)) for kind, read in native.KINDS.items() if compiled),
        )
    }
)  # fmt: skip

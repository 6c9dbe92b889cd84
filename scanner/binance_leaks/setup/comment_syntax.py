"""How a comment is written in the files of each type, and where a line has room for one."""

from __future__ import annotations

import io
import re
import token
import tokenize
from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentSyntax:
    """The comments of a type of file."""

    start: str
    end: str = ""
    own_line: bool = False
    """Whether a comment needs a line of its own: behind a value it would belong to the value."""
    strings: str = "\"'"
    """What begins and ends a string; one of three characters may span lines."""
    raw: str = ""
    """What begins and ends a string that may span lines."""
    block: tuple[str, str] | None = None
    """What begins and ends a comment that may span lines."""

    def format(self, text: str) -> str:
        """Return a comment with this text."""
        return f"{self.start} {text}{f' {self.end}' if self.end else ''}"


_HASH = CommentSyntax(start="#")
_SHELL = CommentSyntax(start="#", strings="", raw="\"'")
_HASH_ABOVE = CommentSyntax(start="#", own_line=True, strings="")
_C = CommentSyntax(start="//", block=("/*", "*/"))
_SCRIPT = CommentSyntax(start="//", raw="`", block=("/*", "*/"))
_DASHES = CommentSyntax(start="--", strings="", raw="\"'", block=("/*", "*/"))
_SEMICOLON = CommentSyntax(start=";", strings='"')
_PERCENT = CommentSyntax(start="%", strings="")
_MARKUP = CommentSyntax(start="<!--", end="-->", strings="", block=("<!--", "-->"))
_STYLE = CommentSyntax(start="/*", end="*/", block=("/*", "*/"))

_BY_ENDING: Mapping[CommentSyntax, str] = MappingProxyType(
    {
        _HASH: "bzl coffee cr ex exs gql graphql hcl jl nim nix pl pm ps1 psd1 psm1 py pyi pyw r rake rb star tcl tf "
        "tfvars toml yaml yml",
        _SHELL: "bash bashrc fish ksh profile sh zsh zshrc",
        _HASH_ABOVE: "env ini cfg conf properties mk dockerfile service editorconfig envrc cnf desktop",
        _C: "c cc cpp cs cxx dart fs fsx groovy gradle h hh hpp java jsonc json5 kt kts m mm php proto rs scala sol "
        "swift v zig",
        _SCRIPT: "cjs cts go js jsx mjs mts ts tsx",
        _DASHES: "hs lua sql elm ada adb",
        _SEMICOLON: "asm clj cljs el lisp scm rkt edn",
        _PERCENT: "erl hrl tex sty bib",
        _MARKUP: "html htm xml svg md markdown xhtml plist csproj fsproj props config xaml",
        _STYLE: "css",
    }
)
_BY_NAME: Mapping[str, CommentSyntax] = MappingProxyType(
    {
        "containerfile": _HASH_ABOVE, "dockerfile": _HASH_ABOVE, "gnumakefile": _HASH_ABOVE, "makefile": _HASH_ABOVE,
        "gemfile": _HASH, "rakefile": _HASH, "vagrantfile": _HASH, "jenkinsfile": _C, ".bash_profile": _SHELL,
        ".flaskenv": _HASH_ABOVE, ".netrc": _HASH_ABOVE, ".npmrc": _HASH_ABOVE, ".pypirc": _HASH_ABOVE,
    }
)  # fmt: skip
_SYNTAXES = MappingProxyType({ending: syntax for syntax, endings in _BY_ENDING.items() for ending in endings.split()})
_HEREDOC = lazy_pattern(r"<<[-~]?\s*([\"']?)([A-Za-z_]\w*)\1")
_PYTHON = ("py", "pyi", "pyw")
_WITH_HEREDOCS = ("bash", "sh", "zsh", "ksh", "rb", "pl", "php", "tf", "hcl")


def comment_syntax(path: str) -> CommentSyntax | None:
    """Return how comments are written in a file, None where its type has none or is not known."""
    name = re.split(r"[/\\]", path)[-1].lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == ".env" or name.startswith((".env.", "env.")):
        return _HASH_ABOVE
    return _SYNTAXES.get(name.rpartition(".")[2]) if "." in name else None


def why_no_comment(path: str, lines: list[str], index: int, syntax: CommentSyntax) -> str | None:
    """Return why a comment cannot go to the end of a line, or above it; None if it can.

    `lines` are without their ends. A comment must not become a part of a string, a value or a command.
    """
    line = lines[index]
    ending = path.rpartition(".")[2].lower()
    if "\r" in line or "\0" in line:
        return "it is not a line of text"
    if line.rstrip().endswith("\\") or (index and lines[index - 1].rstrip().endswith("\\")):
        return "the line continues on the next one"
    if ending in _PYTHON and not _has_room_in_python(lines, index):
        return "the line is in a string that spans lines"
    if ending in ("yml", "yaml") and _is_in_yaml_block(lines, index):
        return "the line is in a block of text"
    if ending in _WITH_HEREDOCS and _is_in_heredoc(lines, index):
        return "the line is in a block of text"
    text = "\n".join(lines[: index + (not syntax.own_line)])
    if syntax is _MARKUP and text.rfind("<") > text.rfind(">"):
        return "the line ends within a tag"
    if ending not in _PYTHON and _is_open(text, syntax):
        return "the line is in a string or comment that spans lines"
    return None


def _has_room_in_python(lines: list[str], index: int) -> bool:
    """Whether a comment at the end of a line changes nothing but comments."""
    marked = [*lines[:index], f"{lines[index]}  # x", *lines[index + 1 :]]
    try:
        before, after = (
            [each[:2] for each in tokenize.generate_tokens(io.StringIO("\n".join(text)).readline)]
            for text in (lines, marked)
        )
    except (tokenize.TokenError, SyntaxError, ValueError):
        return False
    return before != after and [each for each in before if each[0] != token.COMMENT] == [
        each for each in after if each[0] != token.COMMENT
    ]


def _is_in_yaml_block(lines: list[str], index: int) -> bool:
    """Whether a line belongs to a block scalar that a line above begins."""
    depth = _indentation(lines[index])
    for line in reversed(lines[:index]):
        if line.strip() and _indentation(line) < depth:
            if _begins_yaml_block(line):
                return True
            depth = _indentation(line)
    return False


def _begins_yaml_block(line: str) -> bool:
    """Whether a line ends in `|` or `>`, perhaps with signs and digits, and a comment."""
    words = line.partition(" #")[0].split()
    return bool(words) and words[-1][0] in "|>" and set(words[-1][1:]) <= set("-+0123456789")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_in_heredoc(lines: list[str], index: int) -> bool:
    end: str | None = None
    for line in lines[: index + 1]:
        if end is None:
            found = _HEREDOC.search(line)
            end = found[2] if found else None
        elif line.strip() == end:
            end = None
    return end is not None


def _is_open(text: str, syntax: CommentSyntax) -> bool:
    """Whether a string or a comment that may span lines is still open at the end of a text."""
    at = 0
    while at < len(text):
        if syntax.block and text.startswith(syntax.block[0], at):
            end = text.find(syntax.block[1], at + len(syntax.block[0]))
            if end < 0:
                return True
            at = end + len(syntax.block[1])
        elif not syntax.end and text.startswith(syntax.start, at) and (at == 0 or not text[at - 1].isalnum()):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text[at] in syntax.raw or text[at] in syntax.strings:
            quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
            end = _end_of_string(text, at + len(quote), quote, spans=len(quote) == 3 or text[at] in syntax.raw)
            if end < 0:
                return True
            at = end
        else:
            at += 1
    return False


def _end_of_string(text: str, at: int, quote: str, *, spans: bool) -> int:
    """Where a string ends, -1 if the text ends in it. What has no end on its line, and may not span lines, is none."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif text[at] == "\n" and not spans:
            return at
        else:
            at += 1
    return -1 if spans else at

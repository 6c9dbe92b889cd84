"""The name of a value: before, after, above or around it, or in the file name."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from binance_leaks.detect.armour import is_mention, without_armour_markers
from binance_leaks.detect.candidates import Candidate
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import REMEMBERED, Name, Strength, read_name
from binance_leaks.detect.outline import Outline
from binance_leaks.detect.records import name_in_record, name_of_collection
from binance_leaks.detect.vocabulary import NOISE_WORDS
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Role


class NamePosition(Enum):
    """Where a name is, seen from its value."""

    DIRECT = "direct"
    ARGUMENT = "argument"
    LOOSE = "loose"
    ABOVE = "above"
    BEHIND = "behind"
    PARENT = "parent"
    FILE_NAME = "file name"


@dataclass(frozen=True, kw_only=True, slots=True)
class NearbyName:
    """A name and where it was found."""

    name: Name
    position: NamePosition
    call: bool = False
    """Whether an opening parenthesis is between name and value."""
    ambiguous: bool = False
    """Whether it may mean a key as well as a secret."""


_WINDOW = 300
_IDENTIFIER = lazy_pattern(
    r"(?<!\w)[^\W\d][\w$]*(?:(?:[-.:]|::|->|\?\.|\[[\"']?)[\w$]+[\"']?\]?)*|(?<=\|)553(?==)|(?<=\x01)553(?==)"
)
_TAG = lazy_pattern(
    r"</[\w:.-]+\s*>|</?(?:span|td|th|tr|code|b|i|pre|div|a|p|strong|em|li|ul|br|font|tt|kbd|samp|dt|dd|h\d|u|small|label)\b[^<>]*>",
    re.IGNORECASE,
)
# Jira, BBCode, AsciiDoc, fences, reStructuredText, and the parts of a message in exports of chats.
_MARKUP = lazy_pattern(
    r"\{(?:code|noformat|quote|panel|color)(?:[:=][^{}\n]{0,60})?\}"
    r"|\[/?(?:code|icode|pre|quote|spoiler|mono|tt|c)(?:=[^\[\]\n]{0,40})?\]"
    r"|\[(?:source|listing|code)[\w,%= -]{0,40}\]"
    r"|(?:```|~~~)[ \t]{0,9}code\b"
    r"|\.\.[ ](?:code|code-block|sourcecode|highlight)::[ \t]{0,9}[\w+-]{0,30}"
    r"|[\"']type[\"']\s{0,9}:\s{0,9}[\"'](?:code|pre|plain|bold|italic|spoiler|underline|code_block|inline_code)[\"']",
    re.IGNORECASE,
)
_MARKED_UP = lazy_pattern(r"[<&\\%\x1b{\[]|://|```|~~~|\.\.[ ]|[\"']type", re.IGNORECASE)
"""What is in every text that is not clean."""
_WHOLE_URL = lazy_pattern(r"([\"'`])\w+://[^\s\"'`<>]*\1")
_ESCAPED_QUOTE = lazy_pattern(r"(?<!\\)\\+(?:[\"'`]|u0022|u0027|x22|x27)")
_ESCAPED_SPACE = lazy_pattern(
    r"(?<!\\)\\+(?:(?:033|e|x1[bB]|u001[bB])\[[0-9;]*m|[nrt]|u000[aAdD9]|x0[aAdD9])|%0[aAdD9]|%20|\x1b\[[0-9;]*m"
)
_PERCENT = lazy_pattern(r"%(?:25)*([2-7][0-9A-Fa-f])")
_LEADING_WORDS = frozenset(
    {"of", "for", "to", "in", "from", "with", "and", "or", "the", "if", "else", "by", "at", "on", "using"}
)
_OPENER = lazy_pattern(r"(?:[:=(\[{,>|+\\&]|<-|->|=>|>-|\|-|:=|\bis|\bTO|\bDEFAULT|：|＝)\s*(?:\\\s*)?$")
_COMMENT = lazy_pattern(r"^\s*(?:#|//|/\*|\*|--|;|'|<!--|%|REM\b|>|=+|\*\*|-)")
BLOCK_COMMENT = r"/\*.{0,400}?\*/|<!--.{0,400}?-->|\{-.{0,400}?-\}|\(\*.{0,400}?\*\)"
LINE_COMMENT = r"(?:\#|//|--)(?:(?!\\{1,8}[nr])[^\r\n]){0,400}(?=\\{1,8}[nr]|[\r\n])"
"""It ends with its line, or with the escape for that."""
_COMMENT_ON_VALUE_BEFORE = lazy_pattern(
    rf"""[\s"'`)]*(?:{BLOCK_COMMENT})\s*,|["'`]?[\s),;]*{LINE_COMMENT}""", re.VERBOSE | re.DOTALL
)
"""Before a comma, or on the line that ends: it is on the value before, and names no other one."""
_COMMENT_ON_VALUE_BEHIND = lazy_pattern(
    rf"""[\s"'`)]*,(?:\s*((?:{BLOCK_COMMENT})[\s("'`]*\Z)|\s*(\\+[nr])[\\nrt\s",]*{LINE_COMMENT})""",
    re.VERBOSE | re.DOTALL,
)
"""Between a comma and another value, or on a line of its own: it is on the value that follows."""
_BLANK_LEAD = lazy_pattern(r"^[\s\"'`(\[{<>|,:=+*&@#/\\-]*$")
_ABOVE = 3


def find_nearby_name(outline: Outline, candidate: Candidate, previous_end: int, next_start: int) -> NearbyName | None:
    """Return the name of the value at `candidate`, which is between two other values; None if it has none."""
    document = outline.document
    index = document.line_index(candidate.start)
    start, line_end = document.line_span(index)
    lead = document.text[max(start, previous_end, candidate.start - _WINDOW) : candidate.start]
    if previous_end > start and (of_other := _COMMENT_ON_VALUE_BEFORE.match(lead)) is not None:
        lead = lead[of_other.end() :]
    in_record = name_in_record(outline, candidate.start, candidate.end, (previous_end, next_start), index)
    if in_record is not None:
        return NearbyName(name=in_record, position=NamePosition.DIRECT)
    nearby = _before(lead)
    if nearby is None:
        end = line_end if candidate.end <= line_end else document.line_span(document.line_index(candidate.end))[1]
        end = min(end, next_start, candidate.end + 160)
        tail = document.text[candidate.end : end]
        of_other = _COMMENT_ON_VALUE_BEHIND.match(tail) if end == next_start else None
        tail = tail if of_other is None else tail[: of_other.start(of_other.lastindex or 0)]
        nearby = _behind(tail) if _BEGINS_WITH_WORD.match(tail) is None else None
    if nearby is None and previous_end <= start and _only_noise(lead):
        nearby = _above(document, index, previous_end)
    if nearby is None or nearby.name.strength <= Strength.WEAK:
        nearby = _parent(outline, index, previous_end) or nearby
    if nearby is None or nearby.position is NamePosition.LOOSE or nearby.name.plural:
        collection = name_of_collection(document, candidate.start)
        if collection is not None:
            position = NamePosition.PARENT if nearby is None else nearby.position
            return NearbyName(name=collection, position=position, call=nearby is not None and nearby.call)
    return nearby


@lru_cache(maxsize=REMEMBERED)
def _before(raw: str) -> NearbyName | None:
    """Return the name in what is before the value on its line."""
    lead = clean(raw)
    nearby = _signing(lead) or _direct(lead)
    if nearby is not None and nearby.name.role is None and not (nearby.name.excluded or nearby.name.foreign):
        nearby = None
    return _loose(lead) if nearby is None else nearby


def name_in_file_name(document: Document) -> NearbyName | None:
    """Return the name that the file name gives to the only values in the file, as in `keys/secret`."""
    if len(document.text.strip()) > 200 or document.binary:
        return None
    stem = re.sub(r"\.\w{1,5}$", "", document.path.rsplit("/", 1)[-1])
    name = read_name(stem)
    return NearbyName(name=name, position=NamePosition.FILE_NAME) if name.role else None


def clean(text: str) -> str:
    """Return the text with its mark-up and the markers of armour removed, and its escapes decoded."""
    if _MARKED_UP.search(text) is None:
        return without_armour_markers(text)
    if "://" in text:
        text = _WHOLE_URL.sub(" ", text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = _MARKUP.sub(" ", text)
    if "&" in text:
        from html import unescape  # start-up: it imports two thousand names of characters

        text = unescape(text)
    if "\\" in text:
        text = _ESCAPED_SPACE.sub(" ", _ESCAPED_QUOTE.sub('"', text))
    if "%" in text:
        text = _ESCAPED_SPACE.sub(" ", _PERCENT.sub(_unquote, text))
    if "\x1b" in text:
        text = _ESCAPED_SPACE.sub(" ", text)
    return without_armour_markers(text)


def _unquote(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


def _identifiers(text: str) -> list[re.Match[str]]:
    """Return the identifiers of a text, without the noise words at its end."""
    found = list(_IDENTIFIER.finditer(text))
    while found and _is_noise(text, found[-1]):
        found.pop()
    return found


def _is_noise(text: str, found: re.Match[str]) -> bool:
    """Whether an identifier names nothing: a type, a wrapper, the prefix of a literal (`b"…"`)."""
    word = found.group().lower()
    if _KIND.search(text, max(0, found.start() - 24), found.start()) or _FLAG.match(text, found.end()):
        return True  # `"type": "secret"` and `"secret": true` name nothing
    if word in _INITIALS:
        prefixes = text[found.end() : found.end() + 1] in ("'", '"') and text[
            found.start() - 1 : found.start()
        ] not in ("'", '"')
        flag = text[found.start() - 1 : found.start()] == "-"
        typed = text[: found.start()].rstrip("\"' ").endswith("{")
        return prefixes or typed or (text[found.end() :].strip() == "" and not flag)
    return word in NOISE_WORDS


def _is_access_modifier(text: str, found: re.Match[str]) -> bool:
    """Whether a word says who may read the text that is declared behind it, as in `private String first = "K"`."""
    return (
        found.group() in _ACCESS
        and _DECLARED.match(text, found.end()) is not None
        and _DECLARATION.search(text, max(0, found.start() - 60), found.start()) is not None
    )


_FIELD = replace(read_name(""), role=Role.SECRET_KEY, strength=Strength.PLAIN)
"""That of a field whose own name says nothing: rated like a secret, it may be the key."""
_ACCESS = frozenset({"private", "public", "pub"})
_DECLARATION = lazy_pattern(
    r"(?:\A|[\n;{}(,\])])[ \t]{0,40}(?:(?:@[\w.]{1,40}(?:\([^()\n]{0,40}\))?|abstract|const|declare|export|final"
    r"|internal|lateinit|open|override|protected|readonly|static)[ \t]{1,9}){0,4}\Z"
)
_DECLARED = lazy_pattern(
    r"(?:\([a-z: ]{1,20}\))?[ \t]{1,40}[A-Za-z_$&*][\w$ \t.:<>&*?,\[\]'{};]{0,120}(?::=|=>?)[^=;]{0,60}[\"'`]\Z"
)
_KIND = lazy_pattern(r"(?<![a-z])(?:type|kind|format)[\"']?\s{0,9}[:=]\s{0,9}[\"']?\Z", re.IGNORECASE)
_FLAG = lazy_pattern(r"[\"'\])]{0,2}\s{0,9}[:=]{1,2}\s{0,9}[\"']?(?:true|false|null|none|yes|no)\b", re.IGNORECASE)
_INITIALS = frozenset({"k", "s"})


def _phrase(text: str, found: list[re.Match[str]], last: int) -> Name:
    """Read the identifier at index `last`, with up to two words before it that belong to it (`Secret Key`)."""
    name = read_name(found[last].group())
    first = last
    words = found[last].group()
    while first > max(0, last - 3) and text[found[first - 1].end() : found[first].start()] in (" ", "-", "_"):
        word = found[first - 1].group()
        if word.lower() in _LEADING_WORDS or not word.isalpha():
            break
        first -= 1
        words = f"{word} {words}"
    if first == last:
        return name
    phrase = replace(read_name(words), stem=name.stem)
    return phrase if (phrase.role or phrase.excluded) and not (name.strength > Strength.PLAIN and name.role) else name


def _direct(lead: str) -> NearbyName | None:
    if ":" in lead:
        lead = _ASSIGNED_VARIABLE.sub(r":\1", lead)
    found = _identifiers(lead)
    if not found:
        return None
    between = lead[found[-1].end() :]
    if ";" in between or "}" in between.replace("${", "") or len(between) > 80:
        return None
    name = _phrase(lead, found, len(found) - 1)
    quoted = lead[max(0, found[-1].start() - 1) : found[-1].start()] in ('"', "'", "`", ":")
    closed = ")" in between.partition(",")[0]
    argument = "," in between and (closed or not quoted) and "(" in lead[: found[-1].start()] and "=" not in between
    argument = argument and not _SETTER.search(lead[: found[-1].start()])
    return NearbyName(
        name=name,
        position=NamePosition.ARGUMENT if argument else NamePosition.DIRECT,
        call="(" in between and not _TUPLE.match(between),
    )


_ASSIGNED_VARIABLE = lazy_pattern(r"(?<=\w):[ \t]{0,3}[A-Za-z_$][\w$]{0,2}[ \t]{0,3}=[ \t]{0,3}([\"'`]?)\Z")
"""The variable in `{apiKey: t = "K"}`, of a minified program: it is no part of the name."""
_TUPLE = lazy_pattern(r"[\s:=]{1,9}\(\s{0,99}[\"'`]?\Z")
_SETTER = lazy_pattern(r"(?:(?:def|set)\w{0,60}|put|add|const|let|export|register|env)\s*\(\s*$", re.IGNORECASE)


def _signing(lead: str) -> NearbyName | None:
    """The key of an HMAC and the first argument of a signing function are secrets."""
    return (
        NearbyName(name=read_name("signing key"), position=NamePosition.DIRECT) if _SIGNING_CALL.search(lead) else None
    )


_SIGNING_CALL = lazy_pattern(
    r"""-hmac\s+["']?$|hexkey:$|macopt\s+key:$|(?:hmac|secretkeyspec|(?<![a-z])sign(?:ature|_?request|_?payload|_?query|_?params|_?message|ed)?)\w{0,60}(?:[.:]{1,2}(?:new|from)\w{0,60})?
    \s*\((?:[^()]*[,=])?(?:\s*(?:new\s+)?[\w.]{1,60}\(){0,8}[\s"'`b@&]*$""",
    re.IGNORECASE | re.VERBOSE,
)


def _loose(lead: str) -> NearbyName | None:
    """Return the last name of a role anywhere before the value, on its line."""
    found = _identifiers(lead)
    for last in range(len(found) - 1, max(-1, len(found) - 9), -1):
        if _is_noise(lead, found[last]):
            continue
        if _is_access_modifier(lead, found[last]):
            return NearbyName(name=_FIELD, position=NamePosition.LOOSE, ambiguous=True)
        name = _phrase(lead, found, last)
        if name.excluded or (name.role and name.strength > Strength.WEAK):
            return NearbyName(name=name, position=NamePosition.LOOSE)
    return None


@lru_cache(maxsize=REMEMBERED)
def _only_noise(raw: str) -> bool:
    lead = clean(raw)
    return not _identifiers(lead) and (
        bool(_BLANK_LEAD.match(lead)) or bool(_IDENTIFIER.search(lead)) or not lead.strip()
    )


def _string_above(document: Document, index: int, previous_end: int) -> NearbyName | None:
    """Return the name in one of the nearest strings above, in a binary: lengths, types and tags may be between."""
    seen = 0
    for above in range(index - 1, max(-1, index - 1 - _ABOVE_IN_BINARY), -1):
        start, end = document.line_span(above)
        if start < previous_end:
            return None
        text = document.text[max(start, end - _WINDOW) : end].strip()
        if len(text) < _SHORTEST_STRING:
            continue
        name = packed_name(text)
        if name is not None:
            return NearbyName(name=name, position=NamePosition.ABOVE)
        seen += 1
        if seen == _ABOVE:
            return None
    return None


def packed_name(text: str) -> Name | None:
    """Return the name of a role in a string of a binary, without the last letter if that is the tag of what follows."""
    found = _identifiers(text)
    if not found or len(found) > 5 or _FILE_NAME.search(text):
        return None
    name = _phrase(text, found, len(found) - 1)
    if not (name.role or name.excluded) and found[-1].group()[-1] in _TAGS and found[-1].end() == len(text):
        name = read_name(found[-1].group()[:-1])
    return name if name.role or name.excluded else None


_FILE_NAME = lazy_pattern(
    r"\w\.(?:bin|bmp|cfg|conf|config|cs|csv|dat|db|dll|exe|html?|ini|java|jpe?g|js|json|lnk|log|md|pdb|png|py|resx?|sqlite|ts|txt|"
    r"wav|xlsx?|xml|ya?ml|zip)$",
    re.IGNORECASE,
)
_ABOVE_IN_BINARY = 16
_SHORTEST_STRING = 3
_TAGS = "qrstuzZAaXV"


def _above(document: Document, index: int, previous_end: int) -> NearbyName | None:
    """Return the name on a line above, if that line leads up to the value or is a heading for it."""
    if document.binary:
        return _string_above(document, index, previous_end)
    if previous_end and not _may_lead_from_value(document, index - 1, previous_end):
        return None
    left = _ABOVE
    for above in range(index - 1, max(-1, index - 1 - 2 * _ABOVE), -1):
        if not left:
            return None
        start, end = document.line_span(above)
        raw = document.text[max(start, previous_end) : end] if previous_end < end else ""
        framed = _is_framed_alike(raw[-_WINDOW:], document.line(index, most=_WINDOW))
        if framed and not is_mention(document.text, document.text.rfind("BEGIN", start, end)):
            return NearbyName(name=replace(read_name(raw[-_WINDOW:]), excluded=True), position=NamePosition.ABOVE)
        text = clean(raw[-_WINDOW:]).rstrip()
        blank = not text.strip(" \t\"'`,+\\#/*>|-=_~")
        left -= not (blank and _MARKUP.search(raw[-_WINDOW:]))  # mark-up takes lines and says nothing
        if blank:
            if previous_end >= end and end > start:
                return None
            continue
        found = _identifiers(text)
        if not found:
            continue
        opens = bool(_OPENER.search(text.rstrip(" \"'")))
        if start < previous_end < end and not opens:
            return None
        heading = len(text.strip()) <= 60 and (bool(_COMMENT.match(text)) or len(found) <= 5)
        if not (opens or heading):
            return None
        names = [_phrase(text, found, last) for last in range(len(found) - 1, max(-1, len(found) - 6), -1)]
        decisive = [name for name in names if name.role or name.excluded]
        clear = [name for name in decisive if name.strength > Strength.WEAK or name.excluded]
        return NearbyName(name=(clear or decisive)[0], position=NamePosition.ABOVE) if decisive else None
    return None


def _is_framed_alike(above: str, line: str) -> bool:
    """Whether a line is to one above as a body to what begins its armour: the same but for the marker, as in tables."""
    frame = without_armour_markers(above).split() if "BEGIN" in above else []
    return bool(frame) and len(frame) < len(above.split()) and _FRAMED.sub(" ", line).split() == frame


_FRAMED = lazy_pattern(r"[A-Za-z0-9+/=]{24,}")


def _may_lead_from_value(document: Document, above: int, previous_end: int) -> bool:
    """Whether a line that another value is on, or that is before one, may lead up to the value below it."""
    start, end = document.line_span(above)
    if previous_end <= start or start == end:
        return True
    raw = document.text[previous_end:end][-_WINDOW:]
    return bool(raw) and (_MARKED_UP.search(raw) is not None or _OPENER.search(raw.rstrip(" \"'")) is not None)


@lru_cache(maxsize=REMEMBERED)
def _behind(raw: str) -> NearbyName | None:
    """Return the name in a comment, a parenthesis or a reversed assignment after the value."""
    match = _BEHIND.match(clean(raw))
    if not match:
        return None
    text = match.group(1)
    found = list(_IDENTIFIER.finditer(text))
    for last in range(min(len(found), 5)):
        name = _phrase(text, found, last)
        if name.role and name.strength > Strength.WEAK:
            return NearbyName(name=name, position=NamePosition.BEHIND)
    return None


_BEGINS_WITH_WORD = lazy_pattern(r"[ \t]{0,160}[b-jmo-zB-VX-Z0-9_.]")
"""A text behind a value with which a name does not begin."""
_BEHIND = lazy_pattern(
    r"""[\s"'`;,)\]}|]*(?:#|//|/\*|<!--|--|;|\(|=>|->|←|:|\bas\b|\bAS\b|["']?(?:name|key|label)["']?\s*[:=]|WHERE\s+\w+\s*=)(.{1,100})"""
)


def _parent(outline: Outline, index: int, previous_end: int) -> NearbyName | None:
    """Return the name of a role in the nearest enclosing lines (`api_secret:` above `live:`)."""
    document = outline.document
    for start, end in outline.enclosing_lines(index, most=3):
        if start < previous_end < end:
            return None
        nearby = _heading(document.text[start : min(end, start + _WINDOW)])
        if nearby is not None:
            return nearby
    return None


@lru_cache(maxsize=REMEMBERED)
def _heading(raw: str) -> NearbyName | None:
    """Return the name of a role at the end of a line that encloses others."""
    text = clean(raw)
    found = _identifiers(text)
    if not found or not text.rstrip().endswith((":", "{", "[", "(", "=", ">", "]", "|", "=>")):
        return None
    name = _phrase(text, found, len(found) - 1)
    if name.role and name.strength > Strength.WEAK and not name.plural:
        return NearbyName(name=name, position=NamePosition.PARENT)
    return None


def complement(role: Role) -> Role:
    """Return the other half of a pair."""
    return Role.SECRET_KEY if role is Role.API_KEY else Role.API_KEY

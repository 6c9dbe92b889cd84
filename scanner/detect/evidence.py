"""What speaks for Binance, and how far from the value it stands."""

from __future__ import annotations

import re

from scanner.detect.document import Document
from scanner.detect.labels import Label, indent_of, parents
from scanner.detect.names import FOREIGN_EXCHANGE
from scanner.detect.shape import Candidate
from scanner.model import Evidence, Grade

# The chain that bears the name (Binance Smart Chain, dex.binance.org) is not the exchange.
_NOT_THE_EXCHANGE = r"(?![\s_-]*(?:smart|chain|coin\b|dex|peg|\.org|-?bridge|labs))"
VOCABULARY = re.compile(
    rf"""binance(?:future|\.vision|\.us|\.com)?{_NOT_THE_EXCHANGE}
    | 币安 | 幣安 | 바이낸스 | バイナンス | бинанс
    | x-mbx-\w+ | UMFutures | CMFutures
    | /(?:sapi|fapi|dapi|eapi|papi)/v\d | \b(?:fapi|dapi|eapi|papi)\b(?=[./_-])
    | \brecvWindow\b | \brecv_window\b | userDataStream | \b(?:new_?listen_?key)\b
    | (?<![A-Za-z])BNB[-_/]?(?:USDT|BUSD|BTC|ETH|FDUSD|USDC)\b
    | \b(?:order\.(?:place|test|cancel)|session\.logon|account\.status)\b
    | 8=FIX\.4""",
    re.IGNORECASE | re.VERBOSE,
)
# Words of the futures testnet alone; they carry a hex pair that says nothing else up to `low`.
FUTURES_WORDS = re.compile(r"future|testnet", re.IGNORECASE)
PAY_WORDS = re.compile(r"binance[\s._-]?pay|bpay\.binanceapi|BinancePay-", re.IGNORECASE)
_BEFORE, _AFTER = 400, 200
_BLOCK = 10
_LONG_LINE = 1000


def evidence_for(document: Document, candidate: Candidate, label: Label | None) -> tuple[Evidence, ...]:
    """The nearest evidence of each grade, the nearest grade first."""
    found: list[Evidence] = []
    if label is not None and label.name.binance:
        found.append(Evidence(grade=Grade.STATEMENT, text="its name says Binance"))
    else:
        _add(found, Grade.STATEMENT, "on the same line", _search(document, *statement(document, candidate)))
    if not found:
        _add(found, Grade.BLOCK, "close by", _in_block(document, candidate))
    if not found:
        _add(found, Grade.FILE, "in the file", VOCABULARY.search(document.text))
        if not found and document.mentions_binance:
            found.append(Evidence(grade=Grade.FILE, text="“binance” in the file"))
    _add(found, Grade.PATH, "in the path", VOCABULARY.search(document.path.replace("_", " ")))
    return tuple(found)


def document_mentions(document: Document) -> bool:
    """Whether anything in the document or its path speaks for Binance."""
    if document.mentions_binance or VOCABULARY.search(document.path.replace("_", " ")):
        return True
    return bool(VOCABULARY.search(document.text))


def foreign_service(document: Document, candidate: Candidate, label: Label | None) -> str | None:
    """Another service that the value belongs to: by its name, by the nearest exchange in its statement, by its parents."""
    if label is not None and label.name.binance:
        return None
    if label is not None and label.name.foreign:
        return label.name.foreign
    start, end = statement(document, candidate)
    text = document.text
    before = _last(text[start : candidate.start])
    if before is not None:
        return before or None
    after = FOREIGN_EXCHANGE.search(text, candidate.end, end)
    if after and not VOCABULARY.search(text, candidate.end, end):
        return after.group().lower()
    index = document.line_index(candidate.start)
    beside = _exchange_beside(document, index)
    if beside is not None:
        return beside or None
    for parent in parents(document, index):
        named = _last(text[parent[0] : parent[1]][:_LONG_LINE])
        if named is not None:
            return named or None
    return None


def _exchange_beside(document: Document, index: int) -> str | None:
    """What `name: kraken` beside the value says: "" for Binance, another exchange's name, None where nothing does.

    Looks along the lines of the value's own level, upward and then downward.
    """
    level = indent_of(document.line(index))
    for step in (-1, 1):
        at = index + step
        while abs(at - index) <= _BESIDE and 0 <= at < len(document.line_starts):
            line = document.line(at)[:_LONG_LINE]
            if not line.strip() or indent_of(line) < level:
                break
            match = _EXCHANGE_FIELD.match(line) if indent_of(line) == level else None
            if match:
                return _last(match.group(1))
            if step > 0 and line.lstrip().startswith(("-", "{", "}", "[")):
                break
            at += step
    return None


_BESIDE = 8
_EXCHANGE_FIELD = re.compile(
    r"""^[\s{\[(#/-]*["']?(?:exchange|name|id|market|venue|broker|platform|provider|exchange_?(?:name|id))["']?\s*(?:=>|[:=])+\s*(\S.*)$""",
    re.IGNORECASE,
)


def statement(document: Document, candidate: Candidate) -> tuple[int, int]:
    """The line or lines of the value; of a long line only what is near."""
    start, _ = document.line_span(document.line_index(candidate.start))
    _, end = document.line_span(document.line_index(candidate.end))
    return max(start, candidate.start - _BEFORE), min(end, candidate.end + _AFTER)


def _last(text: str) -> str | None:
    """The exchange that a text names last: "" for Binance, a name for another, None for neither."""
    ours, theirs = -1, -1
    name = ""
    for match in VOCABULARY.finditer(text):
        ours = match.start()
    for match in FOREIGN_EXCHANGE.finditer(text):
        theirs, name = match.start(), match.group().lower()
    if ours < 0 and theirs < 0:
        return None
    return "" if ours > theirs else name


def _search(document: Document, start: int, end: int) -> re.Match[str] | None:
    return VOCABULARY.search(document.text, start, end)


def _in_block(document: Document, candidate: Candidate) -> re.Match[str] | None:
    index = document.line_index(candidate.start)
    start = max(document.line_span(max(0, index - _BLOCK))[0], candidate.start - 4000)
    last = min(len(document.line_starts) - 1, document.line_index(candidate.end) + _BLOCK)
    end = min(document.line_span(last)[1], candidate.end + 4000)
    near = _search(document, start, end)
    if near:
        return near
    for parent in parents(document, index):
        named = _search(document, parent[0], min(parent[1], parent[0] + _LONG_LINE))
        if named:
            return named
    return None


def _add(found: list[Evidence], grade: Grade, where: str, match: re.Match[str] | None) -> None:
    if match:
        found.append(Evidence(grade=grade, text=f"“{match.group().strip()}” {where}"))

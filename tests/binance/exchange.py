"""The rules of the played exchange: what it answers to a request, as strictly as Binance's documents say.

They give no order of the checks. Here the signature comes before addresses and permissions, since that is what users
report: -1022 shows that a key is active, and -1002 that its signature was right.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.binance.accounts import (
    DEMO,
    DEMO_COIN_FUTURES,
    DEMO_FUTURES,
    FUTURES_TESTNET,
    MAINNET,
    TESTNET,
    US,
    Account,
)

_KEY = re.compile(r"[A-Za-z0-9]{64}")
_LONGEST_WINDOW = 60_000
_DEFAULT_WINDOW = 5_000
_MOST_AHEAD = 1_000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SEVERAL = 3
_SIGNED = frozenset({"recvWindow", "timestamp", "signature"})
_REJECTED = -2015


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came: the `connection` it came on is a number, `at` is of the monotonic clock."""

    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    connection: int
    at: float

    @property
    def key(self) -> str:
        """The API key that it holds, empty without."""
        return self.headers.get("x-mbx-apikey", "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back. `manner` is how: `plain`, or one of the ways in which a connection fails."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A path of one host: its weight, from which budget, what it gives if it is signed, and with which parameters.

    `refused` is the code for a key that lacks the permission.
    """

    weight: int = 1
    budget: str = "MBX"
    body: Callable[[Account], Mapping[str, object]] | None = None
    more_parameters: frozenset[str] = frozenset()
    refused: int = _REJECTED

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that are read; others are an error."""
        return _SIGNED | self.more_parameters if self.body is not None else frozenset()


_TIME = Endpoint()
_PUBLIC = {"/api/v3/time": _TIME, "/api/v3/ping": Endpoint()}
_ACCOUNT = Endpoint(weight=20, body=Account.account, more_parameters=frozenset({"omitZeroBalances"}))
_SPOT = {**_PUBLIC, "/api/v3/account": _ACCOUNT}
_US = {**_PUBLIC, "/api/v3/account": Endpoint(weight=10, body=Account.account)}
_RESTRICTIONS = Endpoint(budget="SAPI", body=Account.restrictions, refused=-1002)
_FUTURES = {"/fapi/v1/time": _TIME, "/fapi/v1/accountConfig": Endpoint(weight=5, body=Account.futures)}
_COIN_FUTURES = {"/dapi/v1/time": _TIME, "/dapi/v1/account": Endpoint(weight=5, body=Account.futures)}
ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    MAINNET: {**_SPOT, "/sapi/v1/account/apiRestrictions": _RESTRICTIONS},
    TESTNET: _SPOT,
    DEMO: _SPOT,
    US: _US,
    FUTURES_TESTNET: _FUTURES,
    DEMO_FUTURES: _FUTURES,
    DEMO_COIN_FUTURES: _COIN_FUTURES,
}
LIMITS = {(MAINNET, "MBX"): 6000, (MAINNET, "SAPI"): 12_000, (FUTURES_TESTNET, "MBX"): 2400, (US, "MBX"): 1200}


def refusal(status: int, code: int, message: str = "") -> Answer:
    """An error as Binance writes it."""
    return Answer(status=status, body=json.dumps({"code": code, "msg": message or f"error {code}"}).encode())


class Exchange:
    """State and rules: accounts, used weight, what was asked, and answers that tests put in the way.

    `ahead` are the milliseconds that its clock is ahead of this machine's, `window` the seconds for which weight
    counts, `latency` the seconds that an answer takes. `outside` is the address that requests seem to come from, as
    behind a router; empty for their own. Used by several threads.
    """

    def __init__(
        self, accounts: Iterable[Account] = (), *, ahead: int = 0, default: str = MAINNET, outside: str = ""
    ) -> None:
        self.accounts = {(account.host, account.key): account for account in accounts}
        self.ahead = ahead
        self.default = default
        self.outside = outside
        self.clock: Callable[[], float] = time.time
        self.asked: list[Asked] = []
        self.limits = dict(LIMITS)
        self.window = 60.0
        self.latency = 0.0
        self.peak: dict[tuple[str, str], int] = {}
        self._used: dict[tuple[str, str, int], int] = {}
        self._refused = 0
        self._scripted: list[tuple[str | None, str | None, Answer, list[int]]] = []
        self._lock = threading.Lock()

    def add(self, *accounts: Account) -> None:
        """Open accounts."""
        self.accounts.update({(account.host, account.key): account for account in accounts})

    def script(self, answer: Answer, *, host: str | None = None, key: str | None = None, times: int = 1 << 30) -> None:
        """Give this answer to the next requests, all of them or those of one host or key, whatever the rules say."""
        self._scripted.append((host, key, answer, [times]))

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request, which is remembered."""
        with self._lock:
            self.asked.append(asked)
            scripted = self._next_scripted(asked)
        return scripted or self._by_the_rules(asked)

    def _next_scripted(self, asked: Asked) -> Answer | None:
        for host, key, answer, left in self._scripted:
            if left[0] > 0 and host in (None, self._host(asked)) and key in (None, asked.key):
                left[0] -= 1
                return answer
        return None

    def _host(self, asked: Asked) -> str:
        """The host that is meant; for clients that were given a loopback address, the default."""
        name = re.sub(r":\d+$", "", asked.host)
        return self.default if name in _LOOPBACK else name

    def now(self) -> int:
        """Its clock, milliseconds since 1970."""
        return int(self.clock() * 1000) + self.ahead

    def _by_the_rules(self, asked: Asked) -> Answer:
        host = self._host(asked)
        endpoint = ENDPOINTS.get(host, {}).get(asked.path)
        if endpoint is None:
            return Answer(status=404, body=b"<html><body><h2>404 Not found</h2></body></html>")
        limited, headers = self._weigh(host, endpoint)
        answer = limited or self._judged(asked, host, endpoint)
        return Answer(status=answer.status, body=answer.body, headers={**headers, **answer.headers})

    def _weigh(self, host: str, endpoint: Endpoint) -> tuple[Answer | None, dict[str, str]]:
        """Weight counts for the clock's minute, or what `window` says; who goes on after several refusals is banned."""
        seconds = time.time()
        with self._lock:
            slot = (host, endpoint.budget, int(seconds // self.window))
            self._used[slot] = used = self._used.get(slot, 0) + endpoint.weight
            self.peak[slot[:2]] = max(self.peak.get(slot[:2], 0), used)
            over = used > self.limits.get(slot[:2], 6000)
            self._refused += over
            banned = self._refused > _SEVERAL
        name = "X-SAPI-USED-IP-WEIGHT-1M" if endpoint.budget == "SAPI" else "X-MBX-USED-WEIGHT-1M"
        wait = {"Retry-After": str(int(60 - seconds % 60) + 1)}
        if banned:
            return Answer(status=418, body=refusal(418, -1003, "banned").body, headers=wait), {name: str(used)}
        if over:
            return Answer(status=429, body=refusal(429, -1003, "too much").body, headers=wait), {name: str(used)}
        return None, {name: str(used)}

    def _judged(self, asked: Asked, host: str, endpoint: Endpoint) -> Answer:
        pairs = parse_qsl(asked.query, keep_blank_values=True)
        wrong = _unread(pairs, endpoint)
        if wrong is not None:
            return wrong
        if endpoint.body is None:
            return Answer(body=json.dumps({"serverTime": self.now()} if asked.path.endswith("/time") else {}).encode())
        if not _KEY.fullmatch(asked.key):
            return refusal(401, -2014, "API-key format invalid.")
        wrong = self._misses(pairs)
        if wrong is not None:
            return wrong
        account = self.accounts.get((host, asked.key))
        if account is None:
            return refusal(401, -2008, "Invalid Api-Key ID.")
        payload, _, signature = asked.query.rpartition("&signature=")
        if not account.accepts(payload.encode(), signature):
            return refusal(400, -1022, "Signature for this request is not valid.")
        address = self.outside or asked.address
        if account.addresses and address not in account.addresses:
            return _rejected(asked.path, address)
        if not account.permissions.get("enableReading"):
            if endpoint.refused == _REJECTED:
                return _rejected(asked.path, address)
            return refusal(401, endpoint.refused, "You are not authorized to execute this request.")
        return Answer(body=json.dumps(endpoint.body(account)).encode())

    def _misses(self, pairs: Sequence[tuple[str, str]]) -> Answer | None:
        """What is wrong with the parameters of a signed request, None if nothing is."""
        given = dict(pairs)
        if len(given) < len(pairs):
            return refusal(400, -1101, "Duplicate values for a parameter detected.")
        for name in ("timestamp", "signature"):
            if not given.get(name):
                return refusal(400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        window = given.get("recvWindow", str(_DEFAULT_WINDOW))
        if not re.fullmatch(r"\d+(\.\d{1,3})?", window) or not given["timestamp"].isdigit():
            return refusal(400, -1100, "Illegal characters found in a parameter.")
        if float(window) > _LONGEST_WINDOW:
            return refusal(400, -1131, "recvWindow must be less than 60000.")
        age = self.now() - int(given["timestamp"])
        if age <= -_MOST_AHEAD:
            return refusal(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if age > float(window):
            return refusal(400, -1021, "Timestamp for this request is outside of the recvWindow.")
        return None


def _unread(pairs: Sequence[tuple[str, str]], endpoint: Endpoint) -> Answer | None:
    """The error for parameters that an endpoint does not read."""
    read = sum(name in endpoint.parameters for name, _ in pairs)
    if read == len(pairs):
        return None
    sent = f"read '{read}' parameter(s) but was sent '{len(pairs)}'"
    return refusal(400, -1104, f"Not all sent parameters were read; {sent}.")


def _rejected(path: str, address: str) -> Answer:
    """The one error for addresses and permissions; that of futures repeats the address that it saw."""
    status = 400 if path.startswith("/sapi") else 401
    seen = f", request ip: {address}" if path.startswith("/fapi") else "."
    return refusal(status, _REJECTED, f"Invalid API-key, IP, or permissions for action{seen}")

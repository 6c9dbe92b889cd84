"""Requests, replies, network failures, and the protocol of a transport."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.masking import Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A GET of one of the known hosts.

    Key and query (it holds a signature) reach no output.
    """

    host: str
    path: str
    query: Secret | None = None
    api_key: Secret | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An HTTP response.

    `retry_after` is in seconds; `used_weight` is what this address used in this minute.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    retry_after: int | None = None
    used_weight: int | None = None


class NoReply(Enum):
    """Why there is no response.

    A result, not an exception: a traceback could hold a request.
    """

    TIMED_OUT = "timed out"
    NO_ADDRESS = "the name was not found"
    NOT_REACHED = "the connection was refused or not possible"
    CERTIFICATE = "the certificate of the host is not trusted"
    TLS = "the TLS handshake failed"
    PROXY = "the proxy refused or failed"
    CUT = "the connection was cut"
    TOO_LARGE = "the answer is too large"
    NO_HTTP = "the answer is not HTTP, or has an unexpected encoding"
    OTHER = "the request failed"


class Transport(Protocol):
    """A sender of requests.

    It follows no redirect, does not retry, and never raises for a failure of the network.
    """

    def send(self, request: Request) -> Reply | NoReply:
        """Return the reply to a request, or why there is none."""
        ...

    def route(self, host: str) -> str:
        """Return the real target of requests to a host: the host, or its test substitute."""
        ...

    def stop(self) -> None:
        """End the requests that are under way in other threads, and send no more: none has a reply."""
        ...

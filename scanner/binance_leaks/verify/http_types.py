"""What goes over the wire and comes back: requests, replies, troubles, and the protocol of a transport."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from binance_leaks.model import Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A GET of one of the known hosts. Key and query, which holds a signature, are kept from every output."""

    host: str
    path: str
    query: Secret | None = None
    api_key: Secret | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back. `retry_after` is in seconds; `used_weight` is what this address spent in this minute."""

    status: int
    body: bytes = field(default=b"", repr=False)
    retry_after: int | None = None
    used_weight: int | None = None


class Trouble(Enum):
    """Why nothing came back, in plain words. It is a result and no exception, so that it drags nothing along."""

    TIMED_OUT = "timed out"
    NO_ADDRESS = "the name was not found"
    NOT_REACHED = "the connection was refused or not possible"
    CERTIFICATE = "the certificate of the host is not to be trusted"
    TLS = "the encryption could not be agreed on"
    PROXY = "the proxy refused or failed"
    CUT = "the connection was cut"
    TOO_LARGE = "the answer is too large"
    NO_HTTP = "the answer is no HTTP, or in an encoding that was not asked for"
    OTHER = "the request failed"


class Transport(Protocol):
    """Sends requests. It follows no redirect, repeats nothing, and never raises for what the network does."""

    def send(self, request: Request) -> Reply | Trouble:
        """The reply to a request, or why there is none."""
        ...

    def route(self, host: str) -> str:
        """Where requests to a host go in truth, to be announced: the host itself, or what stands in for it."""
        ...

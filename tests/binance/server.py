"""The played exchange on a port of loopback, with or without TLS, and every way in which a connection can fail."""

from __future__ import annotations

import gzip
import itertools
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.binance.exchange import Answer, Asked, Exchange

_HUGE = 3 << 20
_DRIP = 0.05
_CHUNK = 7
_RESET = struct.pack("ii", 1, 0)
_HANDSHAKES = {
    "plain": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "refused": bytes((21, 3, 3, 0, 2, 2, 40)),  # the alert handshake_failure
    "too old": bytes((21, 3, 1, 0, 2, 2, 70)),  # the alert protocol_version
    "cut": b"",
}
"""What a server that fails in the handshake answers to a client's first words; it can also be `silent`, or `reset`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, exchange: Exchange, context: ssl.SSLContext | None, handshake: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.exchange = exchange
        self.handshake = handshake
        self.ending = threading.Event()
        self.numbers = itertools.count()
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Serve a connection, or fail in its handshake."""
        if not self.handshake:
            super().finish_request(request, client_address)
            return
        with suppress(OSError):
            request.recv(65_536)
            if self.handshake == "silent":
                self.ending.wait(20)
            elif self.handshake == "reset":
                _reset(request)
            else:
                request.sendall(_HANDSHAKES[self.handshake])

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.numbers)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            host=headers.get("host", ""),
            path=path,
            query=query,
            headers=headers,
            address=self.client_address[0],
            connection=self.number,
            at=time.monotonic(),
        )
        answer = self.server.exchange.answer(asked)
        if self.server.exchange.latency:
            time.sleep(self.server.exchange.latency)
        self._give(answer)

    def _give(self, answer: Answer) -> None:
        body = b"0" * _HUGE if answer.manner == "huge" else answer.body
        lines = [f"HTTP/1.1 {answer.status} Played"]
        if answer.body[:1] in (b"{", b"["):
            lines.append("Content-Type: application/json;charset=UTF-8")
        match answer.manner:
            case "chunked" | "cut in the chunks" | "bad chunks":
                lines.append("Transfer-Encoding: chunked")
            case "gzip":
                body = gzip.compress(body)
                lines += ["Content-Encoding: gzip", f"Content-Length: {len(body)}"]
            case "cut in the body" | "reset in the body":
                lines.append(f"Content-Length: {len(body) + 100}")
            case _:
                lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        with suppress(OSError):
            if not self._send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body, answer.manner):
                self.close_connection = True

    def _send(self, head: bytes, body: bytes, manner: str) -> bool:
        """Send an answer. Returns whether the connection can go on."""
        match manner:
            case "plain" | "huge" | "gzip":
                self.wfile.write(head + body)
                return True
            case "chunked":
                self.wfile.write(head + _chunked(body) + b"0\r\n\r\n")
                return True
            case "cut in the chunks":
                self.wfile.write(head + _chunked(body))
            case "bad chunks":
                self.wfile.write(head + b"no number\r\n" + body)
            case "silent":
                self.server.ending.wait(20)
            case "drip":
                self._drip(head + body)
            case "drip the body":
                self.wfile.write(head)
                self._drip(body)
            case "cut in the body":
                self.wfile.write(head + body)
            case "garbage":
                self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
            case "reset":
                _reset(self.connection)
            case "reset in the body":
                self.wfile.write(head + body)
                _reset(self.connection)
            case "cut":
                pass
            case _:
                raise ValueError(manner)
        return False

    def _drip(self, data: bytes) -> None:
        for at in range(len(data)):
            if self.server.ending.wait(_DRIP):
                return
            self.wfile.write(data[at : at + 1])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _chunked(body: bytes) -> bytes:
    """The chunks of a body, without the last."""
    pieces = [body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def _reset(connection: socket.socket) -> None:
    """Close a connection in the way that its other end sees as reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    os.close(connection.detach())


@contextmanager
def serving(exchange: Exchange, *, certificate: Path | None = None, handshake: str = "") -> Iterator[str]:
    """The base URL of a server while it runs; with a PEM file of certificate and key, over TLS.

    `handshake` is how a server of TLS fails before it has shown a certificate.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = _Server(exchange, context, handshake)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate or handshake else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""The played exchange on a port of loopback, with or without TLS, and every way in which a connection can fail."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.binance.exchange import Answer, Asked, Exchange

_HUGE = 3 << 20
_DRIP = 0.05


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, exchange: Exchange, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.exchange = exchange
        self.ending = threading.Event()
        self.numbers = itertools.count()
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

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
        length = len(body) + 100 if answer.manner == "cut in the body" else len(body)
        lines = [f"HTTP/1.1 {answer.status} Played", f"Content-Length: {length}"]
        if answer.body[:1] in (b"{", b"["):
            lines.append("Content-Type: application/json;charset=UTF-8")
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        with suppress(OSError):
            match answer.manner:
                case "plain" | "huge":
                    self.wfile.write(head + body)
                    return
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
        self.close_connection = True

    def _drip(self, data: bytes) -> None:
        for at in range(len(data)):
            if self.server.ending.wait(_DRIP):
                return
            self.wfile.write(data[at : at + 1])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(exchange: Exchange, *, certificate: Path | None = None) -> Iterator[str]:
    """The base URL of a server while it runs; with a PEM file of certificate and key, over TLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = _Server(exchange, context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()

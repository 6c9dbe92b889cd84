"""Record all that is sent: a relay before a server, or a proxy that opens tunnels, which records every byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Recording:
    """What went to the other side, `sent`, and came back; `asked_for` are the first lines of proxied connections."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.received = bytearray()
        self.asked_for: list[bytes] = []
        self.connections = 0


@contextmanager
def recording(port: int, *, proxy: bool = False, refuses: bool = False) -> Iterator[tuple[str, Recording]]:
    """A URL whose connections go on to `port` of loopback, and what is heard on them.

    With `proxy` a client must ask for a tunnel first; whatever host it names, it gets the port. With `refuses` it gets
    none.
    """
    heard = Recording()
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            heard.connections += 1
            threading.Thread(target=_relay, args=(client, port, heard, proxy, refuses), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _relay(client: socket.socket, port: int, heard: Recording, proxy: bool, refuses: bool) -> None:
    with client, suppress(OSError):
        if proxy:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            heard.asked_for.append(head)
            heard.sent += head
            client.sendall(b"HTTP/1.1 407 Who?\r\n\r\n" if refuses else b"HTTP/1.1 200 Go on\r\n\r\n")
            if refuses:
                return
        with socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_pump, args=(server, client, heard.received), daemon=True)
            back.start()
            _pump(client, server, heard.sent)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            record += data
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

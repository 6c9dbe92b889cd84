"""The transport against real sockets: what it sends, what it refuses, how it fails, and that nothing gets out."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest
import urllib3.exceptions
from binance_leaks import __version__
from binance_leaks.errors import ScannerError, UsageError
from binance_leaks.masking import Secret
from binance_leaks.verify.http_types import NoReply, Reply, Request
from binance_leaks.verify.transport import Timeouts, UrllibTransport

from tests.binance.accounts import MAINNET, TESTNET
from tests.binance.certificates import Authority
from tests.binance.exchange import Answer, Exchange
from tests.binance.recorder import recording
from tests.binance.server import serving
from tests.corpus import values

SHORT, LONG = Timeouts(connect=5, read=1.5, total=2.5), Timeouts(connect=60, read=60, total=60)
PING = Request(host=MAINNET, path="/api/v3/ping")


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def url(exchange: Exchange) -> Iterator[str]:
    with serving(exchange) as base:
        yield base


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def secret_request(rng: Random) -> tuple[Request, list[str]]:
    """A signed request, and what of it must not be seen anywhere."""
    key, signature = values.hmac_value(rng), values.hexadecimal(rng, 64)
    query = f"timestamp=1&signature={signature}".encode()
    return Request(host=MAINNET, path="/api/v3/account", query=Secret(query), api_key=Secret(key.encode())), [
        key,
        signature,
    ]


class TestSending:
    def test_what_a_request_looks_like(self, exchange: Exchange, url: str) -> None:
        request, (key, signature) = secret_request(Random())
        with UrllibTransport(loopback=url) as transport:
            transport.send(request)
        (asked,) = exchange.asked
        assert asked.path == "/api/v3/account"
        assert asked.query == f"timestamp=1&signature={signature}"
        assert asked.headers == {
            "host": MAINNET,
            "user-agent": f"binance-leaks/{__version__}",
            "accept": "application/json",
            "accept-encoding": "identity",
            "x-mbx-apikey": key,
        }

    def test_a_reply(self, exchange: Exchange, url: str) -> None:
        exchange.script(
            Answer(status=429, body=b"slow down", headers={"Retry-After": "7", "X-SAPI-USED-IP-WEIGHT-1M": "42"})
        )
        with UrllibTransport(loopback=url) as transport:
            assert transport.send(PING) == Reply(status=429, body=b"slow down", retry_after=7, used_weight=42)

    @pytest.mark.parametrize("text", ["", "-1", "soon", "1.5", "9" * 40, "²", "Fri, 31 Dec 1999 23:59:59 GMT"])
    def test_a_retry_after_that_is_no_number(self, exchange: Exchange, url: str, text: str) -> None:
        exchange.script(Answer(status=429, headers={"Retry-After": text}))
        with UrllibTransport(loopback=url) as transport:
            reply = transport.send(PING)
        assert isinstance(reply, Reply)
        assert reply.retry_after is None

    def test_connections_are_used_again(self, exchange: Exchange, url: str) -> None:
        with UrllibTransport(loopback=url) as transport:
            for _ in range(20):
                assert isinstance(transport.send(PING), Reply)
        assert len({asked.connection for asked in exchange.asked}) == 1

    def test_a_connection_that_is_closed_is_replaced(self, exchange: Exchange, url: str) -> None:
        exchange.script(Answer(headers={"Connection": "close"}), times=2)
        with UrllibTransport(loopback=url) as transport:
            for _ in range(4):
                assert isinstance(transport.send(PING), Reply)
        assert len({asked.connection for asked in exchange.asked}) == 3

    def test_it_serves_several_threads(self, exchange: Exchange, url: str) -> None:
        replies: list[Reply | NoReply] = []
        with UrllibTransport(loopback=url) as transport:
            threads = [
                threading.Thread(target=lambda: replies.extend(transport.send(PING) for _ in range(25)))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [type(reply) for reply in replies] == [Reply] * 100
        assert len({asked.connection for asked in exchange.asked}) <= 4


class TestRefusing:
    @pytest.mark.parametrize("host", ["example.com", "api.binance.com.example.com", "127.0.0.1", "", "API.BINANCE.COM"])
    def test_other_hosts(self, exchange: Exchange, url: str, host: str) -> None:
        with UrllibTransport(loopback=url) as transport, pytest.raises(ScannerError, match="not Binance's"):
            transport.send(Request(host=host, path="/api/v3/ping"))
        assert exchange.asked == []

    @pytest.mark.parametrize("piece", [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b"\x7f", b"\xc3\xa9", b":", b""])
    def test_keys_with_line_breaks(self, exchange: Exchange, url: str, piece: bytes) -> None:
        key = values.base62(Random(), 30).encode() + piece + b"X-Injected: 1" if piece else b""
        request = Request(host=MAINNET, path="/api/v3/ping", api_key=Secret(key))
        with UrllibTransport(loopback=url) as transport, pytest.raises(ScannerError) as raised:
            transport.send(request)
        assert exchange.asked == []
        reported = "".join(traceback.format_exception(raised.value))
        assert key == b"" or key[:30].decode() not in reported

    @pytest.mark.parametrize(
        "base",
        [
            "http://example.com:80",
            "https://api.binance.com:443",
            "http://127.0.0.1.example.com:80",
            "http://localhost.example.com:80",
            "http://10.0.0.1:80",
            "http://0.0.0.0:80",
            "http://[::]:80",
            "http://127.0.0.1",
            "http://user:word@127.0.0.1:80",
            "http://127.0.0.1:80/elsewhere",
            "http://127.0.0.1:80@example.com:80",
            "ftp://127.0.0.1:21",
            "127.0.0.1:80",
            "http://2130706433:80",
            "http://[::1",
            "",
        ],
    )
    def test_base_urls_elsewhere(self, base: str) -> None:
        with pytest.raises(UsageError, match="only be one of this machine"):
            UrllibTransport(loopback=base)

    @pytest.mark.parametrize(
        "base", ["http://127.0.0.1:8080", "https://localhost:1", "http://[::1]:99", "http://127.9.9.9:1/"]
    )
    def test_base_urls_here(self, base: str) -> None:
        with UrllibTransport(loopback=base) as transport:
            assert transport.route(MAINNET).endswith(f"in place of {MAINNET}")

    @pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://", "file:///etc/hosts", "http://[::1"])
    def test_proxies_that_are_none(self, proxy: str) -> None:
        with pytest.raises(UsageError, match="proxy cannot be used"):
            UrllibTransport(proxy=proxy)

    def test_a_proxy_that_would_see_all(self, url: str) -> None:
        with pytest.raises(UsageError, match="without TLS"):
            UrllibTransport(loopback=url, proxy="http://127.0.0.1:1")

    def test_a_file_without_authorities(self, tmp_path: Path) -> None:
        (tmp_path / "empty.pem").write_text("nothing")
        for file in (tmp_path / "empty.pem", tmp_path / "none.pem", tmp_path):
            with pytest.raises(UsageError, match="authorities"):
                UrllibTransport(ca_file=file)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
    def test_a_pipe_that_nobody_writes_as_authorities(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.pem")
        with ThreadPoolExecutor(max_workers=1) as pool:
            made = pool.submit(UrllibTransport, ca_file=tmp_path / "pipe.pem")
            wait([made], timeout=10)
            if not made.done():
                (tmp_path / "pipe.pem").open("w").close()  # ends the wait of OpenSSL
                pytest.fail("it waits for a writer")
            with pytest.raises(UsageError, match="authorities"):
                made.result()


class TestStopping:
    """As at an interrupt or a time limit: what is under way has no reply, and nothing more is sent."""

    @pytest.mark.parametrize("manner", ["silent", "drip the body"])
    def test_a_request_that_is_under_way(self, exchange: Exchange, url: str, manner: str) -> None:
        exchange.script(Answer(body=b"{}" * 200, manner=manner))
        with UrllibTransport(loopback=url, timeouts=LONG) as transport, ThreadPoolExecutor() as threads:
            sent = threads.submit(transport.send, PING)
            while not exchange.asked:
                time.sleep(0.005)
            transport.stop()
            assert sent.result(timeout=30) is NoReply.TIMED_OUT
            assert transport.send(PING) is NoReply.TIMED_OUT
        assert len(exchange.asked) == 1

    def test_a_connection_that_is_kept(self, exchange: Exchange, url: str) -> None:
        with UrllibTransport(loopback=url, timeouts=LONG) as transport:
            assert isinstance(transport.send(PING), Reply)
            transport.stop()
            assert transport.send(PING) is NoReply.TIMED_OUT
        assert len(exchange.asked) == 1


class TestFailing:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_are_not_followed(self, exchange: Exchange, url: str, status: int) -> None:
        other = Exchange()
        with serving(other) as elsewhere:
            exchange.script(Answer(status=status, headers={"Location": f"{elsewhere}/api/v3/account"}))
            with UrllibTransport(loopback=url) as transport:
                reply = transport.send(secret_request(Random())[0])
        assert isinstance(reply, Reply)
        assert reply.status == status
        assert len(exchange.asked) == 1
        assert other.asked == []

    @pytest.mark.parametrize(
        ("manner", "trouble"),
        [
            ("silent", NoReply.TIMED_OUT),
            ("drip", NoReply.TIMED_OUT),
            ("drip the body", NoReply.TIMED_OUT),
            ("cut", NoReply.CUT),
            ("cut in the body", NoReply.CUT),
            ("cut in the chunks", NoReply.CUT),
            ("bad chunks", NoReply.CUT),
            ("reset", NoReply.CUT),
            ("reset in the body", NoReply.CUT),
            ("garbage", NoReply.NO_HTTP),
            ("gzip", NoReply.NO_HTTP),
            ("huge", NoReply.TOO_LARGE),
        ],
    )
    @pytest.mark.parametrize("closing", [False, True], ids=["kept", "closing"])
    def test_bad_connections(self, exchange: Exchange, url: str, manner: str, trouble: NoReply, closing: bool) -> None:
        headers = {"Connection": "close"} if closing else {}
        exchange.script(Answer(body=b"{}" * 200, manner=manner, headers=headers), times=1)
        timeouts = SHORT if trouble is NoReply.TIMED_OUT else LONG
        with UrllibTransport(loopback=url, timeouts=timeouts) as transport:
            assert transport.send(PING) is trouble
            assert isinstance(transport.send(PING), Reply)
        assert len(exchange.asked) == 2

    @pytest.mark.parametrize(
        ("error", "trouble"),
        [
            (RuntimeError(), NoReply.OTHER),
            (OSError(), NoReply.CUT),
            (http.client.HTTPException(), NoReply.NO_HTTP),
            (http.client.IncompleteRead(b""), NoReply.CUT),
            (http.client.RemoteDisconnected(""), NoReply.CUT),
            (BrokenPipeError(), NoReply.CUT),
            (ssl.SSLError(), NoReply.TLS),
            (urllib3.exceptions.SSLError(), NoReply.TLS),
            (urllib3.exceptions.SSLError("in words"), NoReply.TLS),
            (ssl.SSLEOFError(), NoReply.CUT),
            (ssl.SSLCertVerificationError(), NoReply.CERTIFICATE),
            (socket.gaierror(), NoReply.NO_ADDRESS),
            (ConnectionRefusedError(), NoReply.NOT_REACHED),
            (OSError("Tunnel connection failed: 407"), NoReply.PROXY),
        ],
    )
    def test_no_error_is_raised(self, monkeypatch: pytest.MonkeyPatch, error: Exception, trouble: NoReply) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("binance_leaks.verify.transport._exchange", fail)
        with UrllibTransport(loopback="http://127.0.0.1:1") as transport:
            assert transport.send(PING) is trouble

    def test_nothing_is_repeated(self, exchange: Exchange, url: str) -> None:
        exchange.script(Answer(manner="cut"))
        with UrllibTransport(loopback=url) as transport:
            transport.send(PING)
        assert len(exchange.asked) == 1

    @pytest.mark.parametrize("body", [b"", b"{}", b"x" * 5_000])
    def test_chunks_are_put_together(self, exchange: Exchange, url: str, body: bytes) -> None:
        exchange.script(Answer(manner="chunked", body=body))
        with UrllibTransport(loopback=url) as transport:
            replies = [transport.send(PING) for _ in range(3)]
        assert replies == [Reply(status=200, body=body)] * 3
        assert len({asked.connection for asked in exchange.asked}) == 1

    def test_nobody_is_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with UrllibTransport(loopback=f"http://127.0.0.1:{port}") as transport:
            assert transport.send(PING) is NoReply.NOT_REACHED

    @pytest.mark.parametrize("length", [0, 1, 1 << 20])
    def test_bodies_up_to_the_limit(self, exchange: Exchange, url: str, length: int) -> None:
        exchange.script(Answer(body=b"x" * length))
        with UrllibTransport(loopback=url) as transport:
            reply = transport.send(PING)
        assert isinstance(reply, Reply)
        assert len(reply.body) == length


class TestTls:
    def test_a_trusted_certificate(self, exchange: Exchange, authority: Authority) -> None:
        certificate = authority.certificate("127.0.0.1", "localhost")
        with (
            serving(exchange, certificate=certificate) as url,
            UrllibTransport(loopback=url, ca_file=authority.file) as transport,
        ):
            for _ in range(5):
                assert isinstance(transport.send(PING), Reply)
        assert len({asked.connection for asked in exchange.asked}) == 1

    def test_certificates_that_are_not(self, exchange: Exchange, authority: Authority, tmp_path: Path) -> None:
        stranger = Authority(tmp_path, "stranger")
        for certificate, trusted in [
            (stranger.certificate("127.0.0.1"), authority.file),
            (authority.certificate("127.0.0.1"), None),
            (authority.certificate("127.0.0.2"), authority.file),
            (authority.certificate(MAINNET), authority.file),
            (authority.certificate("127.0.0.1", expired=True), authority.file),
        ]:
            with (
                serving(exchange, certificate=certificate) as url,
                UrllibTransport(loopback=url, ca_file=trusted) as transport,
            ):
                assert transport.send(PING) is NoReply.CERTIFICATE
        assert exchange.asked == []

    def test_the_environment_has_no_say(
        self, exchange: Exchange, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, str(authority.file))
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
        certificate = authority.certificate("127.0.0.1")
        with serving(exchange, certificate=certificate) as url:
            with UrllibTransport(loopback=url) as transport:
                assert transport.send(PING) is NoReply.CERTIFICATE
            with UrllibTransport(loopback=url, ca_file=authority.file) as transport:
                assert isinstance(transport.send(PING), Reply)
        assert not (tmp_path / "keys").exists()

    @pytest.mark.parametrize(
        ("handshake", "trouble"),
        [
            ("plain", NoReply.TLS),
            ("refused", NoReply.TLS),
            ("too old", NoReply.TLS),
            ("cut", NoReply.CUT),
            ("reset", NoReply.CUT),
            ("silent", NoReply.TIMED_OUT),
        ],
    )
    def test_a_handshake_that_fails(self, exchange: Exchange, handshake: str, trouble: NoReply) -> None:
        quick = Timeouts(connect=30, read=30, total=0.5 if handshake == "silent" else 30)
        with (
            serving(exchange, handshake=handshake) as url,
            UrllibTransport(loopback=url, timeouts=quick) as transport,
        ):
            assert transport.send(secret_request(Random())[0]) is trouble
        assert exchange.asked == []

    @pytest.mark.parametrize("manner", ["cut", "cut in the body", "cut in the chunks", "reset", "reset in the body"])
    def test_a_connection_that_ends_after_it(self, exchange: Exchange, authority: Authority, manner: str) -> None:
        exchange.script(Answer(manner=manner, body=b"{}" * 200), times=1)
        with (
            serving(exchange, certificate=authority.certificate("127.0.0.1")) as url,
            UrllibTransport(loopback=url, ca_file=authority.file) as transport,
        ):
            assert transport.send(PING) is NoReply.CUT
            assert isinstance(transport.send(PING), Reply)


class TestProxy:
    def test_a_tunnel_shows_nothing(self, exchange: Exchange, authority: Authority) -> None:
        request, hidden = secret_request(Random())
        certificate = authority.certificate("127.0.0.1")
        with serving(exchange, certificate=certificate) as url, recording(port_of(url), proxy=True) as (proxy, heard):
            with_word = proxy.replace("http://", "http://user:p%40ss@")
            with UrllibTransport(loopback=url, ca_file=authority.file, proxy=with_word) as transport:
                assert isinstance(transport.send(request), Reply)
                assert isinstance(transport.send(request), Reply)
        assert heard.connections == 1
        assert heard.asked_for[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1." % port_of(url))
        assert b"authorization: Basic dXNlcjpwQHNz" in heard.asked_for[0]
        assert [asked.key for asked in exchange.asked] == [hidden[0]] * 2
        assert not [word for word in hidden if word.encode() in heard.sent + heard.received]

    def test_a_proxy_that_refuses(self, exchange: Exchange, authority: Authority) -> None:
        certificate = authority.certificate("127.0.0.1")
        with (
            serving(exchange, certificate=certificate) as url,
            recording(port_of(url), proxy=True, refuses=True) as (proxy, _),
            UrllibTransport(loopback=url, ca_file=authority.file, proxy=proxy) as transport,
        ):
            assert transport.send(PING) is NoReply.PROXY
        assert exchange.asked == []

    def test_the_environment_s_only_when_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Against the real name, which the guard of the tests does not let pass: the proxy refuses."""
        with recording(1, proxy=True, refuses=True) as (proxy, heard):
            for name in ("https_proxy", "all_proxy", "http_proxy", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
                monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.setenv("ALL_PROXY", proxy)
            with UrllibTransport(use_environment_proxy=True) as transport:
                assert transport.send(PING) is NoReply.PROXY
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            for other in ("ALL_PROXY", "HTTP_PROXY"):
                monkeypatch.setenv(other, "http://user:word@127.0.0.1:1")
            with UrllibTransport(use_environment_proxy=True) as transport:
                assert transport.send(PING) is NoReply.PROXY
            assert [line.split(b" ")[1] for line in heard.asked_for] == [f"{MAINNET}:443".encode()] * 2
            monkeypatch.setenv("NO_PROXY", "binance.com")
            monkeypatch.setattr(socket, "getaddrinfo", nowhere)
            with UrllibTransport(use_environment_proxy=True) as transport:
                assert transport.send(PING) is NoReply.NO_ADDRESS
            monkeypatch.delenv("NO_PROXY")
            with UrllibTransport() as transport:
                assert transport.send(Request(host=TESTNET, path="/api/v3/ping")) is NoReply.NO_ADDRESS
            assert len(heard.asked_for) == 2


def nowhere(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


class Everything(logging.Handler):
    """Keeps every record of every level, with all that is attached to it."""

    def __init__(self) -> None:
        super().__init__(level=0)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record) + repr(record.__dict__))


@pytest.fixture
def log() -> Iterator[Everything]:
    """All log records of the process, at the lowest level of every logger."""
    handler, root = Everything(), logging.getLogger()
    names = ["urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry", "http.client"]
    loggers = [root, *map(logging.getLogger, names)]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(1)
    yield handler
    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


class TestNothingGetsOut:
    MANNERS = (
        *("plain", "silent", "drip", "cut", "cut in the body", "garbage", "huge"),
        *("chunked", "cut in the chunks", "bad chunks", "gzip", "reset", "reset in the body"),
    )
    ODD_HEADERS = ({"Content-Length": "no"}, {"Bad Header\x00": "x"}, {": nameless": ""}, {"Content-Length": "-5"})

    def test_no_log_holds_it(
        self,
        exchange: Exchange,
        url: str,
        log: Everything,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 9)
        logging.getLogger("urllib3").debug("the handler hears this")
        hidden: list[str] = []
        answers = [Answer(manner=manner, body=b"{}" * 50) for manner in self.MANNERS]
        answers += [Answer(headers=headers) for headers in self.ODD_HEADERS]
        for answer in answers:
            exchange.script(answer, times=1)
            request, words = secret_request(Random())
            hidden += words
            with UrllibTransport(loopback=url, timeouts=SHORT) as transport:
                result = transport.send(request)
            assert not [word for word in words if word in repr(request) + repr(result) + str(result)]
        assert len(exchange.asked) == len(answers)
        captured = capfd.readouterr()
        reported = "\n".join(log.heard) + captured.out + captured.err
        assert "the handler hears this" in reported
        assert not [word for word in hidden if word in reported]

    def test_the_same_words_reach_the_server(self, exchange: Exchange, url: str) -> None:
        request, (key, signature) = secret_request(Random())
        with UrllibTransport(loopback=url) as transport:
            transport.send(request)
        assert exchange.asked[0].key == key
        assert signature in exchange.asked[0].query

    def test_failures_are_no_exceptions(self, log: Everything, monkeypatch: pytest.MonkeyPatch) -> None:
        request, words = secret_request(Random())

        def fail(*_: object, **__: object) -> None:
            raise ValueError(f"cannot send {words}")

        monkeypatch.setattr(http.client.HTTPConnection, "endheaders", fail)
        with serving(Exchange()) as url, UrllibTransport(loopback=url) as transport:
            assert transport.send(request) is NoReply.OTHER
        assert not [word for word in words if word in "\n".join(log.heard)]

    def test_no_thread_is_left(self, url: str) -> None:
        with UrllibTransport(loopback=url) as transport:
            for _ in range(5):
                transport.send(PING)
        deadline = time.monotonic() + 60
        while any(isinstance(each, threading.Timer) for each in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)

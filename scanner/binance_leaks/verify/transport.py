"""Send requests with urllib3: fixed hosts, verified TLS, no redirects, all bounded.

urllib3 makes and reads connections here, without its pools: those log the whole URL, with the signature, and put it
into exceptions. The signed query joins a request in the last step before the socket, where urllib3 no longer sees it.
No failure leaves this module as an exception: it becomes a `NoReply`, which contains nothing of a request.

Trust is certifi's list, or the given file, on every machine the same: no environment variable (a list of authorities, a
log of session keys, a proxy) and no `.netrc` has an effect unless the caller requests it.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote
from urllib.request import getproxies_environment, proxy_bypass

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as WrappedSSLError
from urllib3.response import HTTPResponse
from urllib3.util import Url, make_headers, parse_url

from binance_leaks import __version__
from binance_leaks.environments import HOSTS
from binance_leaks.errors import ScannerError, UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.reading import LARGEST_CONFIGURATION, read_file
from binance_leaks.verify.http_types import NoReply, Reply, Request

API_KEY_HEADER = "X-MBX-APIKEY"
_LARGEST_BODY = 1 << 20
_MOST_IDLE = 8
_PORTS = {"http": 80, "https": 443}
_SCHEMES = frozenset(_PORTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Timeouts in seconds: to connect, between two reads, and for a whole request.

    The last is from the first packet to the last.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


class UrllibTransport:
    """The one transport that opens connections; close it after use.

    It may be used from several threads.

    `proxy` is a URL of an http or https proxy, through which a tunnel is opened: it sees the name of the host and
    nothing else. `use_environment_proxy` takes it from HTTPS_PROXY and NO_PROXY. `loopback`, for tests and rehearsals,
    is a URL on this very machine that replaces all hosts; each request still names the host that it is meant for.
    `ca_file` replaces the list of authorities, for a company's proxy that decrypts TLS.

    Raises UsageError for a URL or file that cannot be used; no message repeats a URL, which may contain a password.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        proxy: str | None = None,
        use_environment_proxy: bool = False,
        loopback: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._proxy = _proxy_url(proxy) if proxy is not None else None
        self._use_environment_proxy = use_environment_proxy
        self._loopback = _loopback_url(loopback) if loopback is not None else None
        if self._loopback is not None and self._loopback.scheme == "http" and proxy is not None:
            raise UsageError("a proxy would see what is sent to a loopback URL without TLS", hint="Leave one out.")
        self._context = _tls_context(ca_file)
        self._idle: dict[str, list[_Connection]] = {host: [] for host in HOSTS}
        self._under_way: set[_Connection] = set()
        self._is_stopped = False
        self._lock = threading.Lock()

    def __enter__(self) -> UrllibTransport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        with self._lock:
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle = {host: [] for host in HOSTS}
        for connection in idle:
            connection.discard()

    def stop(self) -> None:
        """End the requests that are under way in other threads, and send no more: they count as timed out."""
        with self._lock:
            self._is_stopped = True
            under_way = [*self._under_way]
        for connection in under_way:
            connection.cut_short()

    def route(self, host: str) -> str:
        """The host itself, or the loopback address that replaces it."""
        if self._loopback is None:
            return host
        return f"{self._loopback.host}:{self._loopback.port} in place of {host}"

    def send(self, request: Request) -> Reply | NoReply:
        """The reply to a request, or why there is none.

        Raises ScannerError, before anything is sent, for a host that is not on the list and for a header that holds a
        line break or another control character.
        """
        if request.host not in HOSTS:
            raise ScannerError("refused to send a request to a host that is not Binance's")
        headers = self._headers(request)
        connection, answer = self._exchange_safely(request, headers)
        if isinstance(answer, Reply) and not connection.is_closed:
            self._keep(request.host, connection)
        else:
            connection.discard()
        return answer

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Host": request.host,
            "User-Agent": f"binance-leaks/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if request.api_key is not None:
            key = request.api_key.reveal()
            if not key.isalnum():
                raise ScannerError("refused to send an API key that holds a line break or another character of no key")
            headers[API_KEY_HEADER] = key.decode("ascii")
        return headers

    def _exchange_safely(self, request: Request, headers: Mapping[str, str]) -> tuple[_Connection, Reply | NoReply]:
        connection = self._connection(request.host)
        with self._lock:
            self._under_way.add(connection)
            if self._is_stopped:
                connection.is_cut_short = True
        watch = threading.Timer(self._timeouts.total, connection.cut_short)
        watch.daemon = True
        watch.start()
        try:
            if connection.is_cut_short:
                return connection, NoReply.TIMED_OUT
            return connection, _exchange(connection, request, headers)
        except Exception as error:  # Any text of it may quote the request: only its kind is kept.
            return connection, NoReply.TIMED_OUT if connection.is_cut_short else _trouble_of(error)
        finally:
            watch.cancel()
            with self._lock:
                self._under_way.discard(connection)

    def _connection(self, host: str) -> _Connection:
        """A connection that is open from before, or a new one that will open with the first request."""
        while True:
            with self._lock:
                connection = self._idle[host].pop() if self._idle[host] else None
            if connection is None:
                return self._new_connection(host)
            if connection.is_connected and not connection.is_cut_short:
                return connection
            connection.discard()

    def _keep(self, host: str, connection: _Connection) -> None:
        with self._lock:
            if len(self._idle[host]) < _MOST_IDLE:
                self._idle[host].append(connection)
                return
        connection.discard()

    def _new_connection(self, host: str) -> _Connection:
        target = self._loopback or Url(scheme="https", host=host, port=_PORTS["https"])
        if target.scheme == "http":
            connection = _Connection(_host(target), _port(target), timeout=self._timeouts.connect)
        else:
            connection = self._secure_connection(target, self._proxy_for(host))
        connection.read_timeout = self._timeouts.read
        connection.set_debuglevel(0)  # the process may have set it for all connections: it prints headers
        return connection

    def _secure_connection(self, target: Url, proxy: Url | None) -> _SecureConnection:
        first = proxy or target
        connection = _SecureConnection(
            _host(first),
            _port(first),
            timeout=self._timeouts.connect,
            ssl_context=self._context,
            proxy=proxy,
            proxy_config=ProxyConfig(self._context, False, None, None) if proxy else None,
        )
        if proxy is not None:
            headers = make_headers(proxy_basic_auth=unquote(proxy.auth)) if proxy.auth else {}
            connection.set_tunnel(_host(target), _port(target), headers=headers, scheme=str(proxy.scheme))
        return connection

    def _proxy_for(self, host: str) -> Url | None:
        if self._proxy is not None or not self._use_environment_proxy or self._loopback is not None:
            return self._proxy
        named = getproxies_environment()
        url = named.get("https") or named.get("all")
        return _proxy_url(url) if url and not proxy_bypass(host) else None


class _Connection(HTTPConnection):
    """A connection that can be cut from another thread at any moment, and to which the signed query is given apart."""

    read_timeout: float = 0
    query: bytes | None = None
    is_cut_short: bool = False
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        """The new socket, with a second handle on it that remains valid while TLS owns the first."""
        opened = super()._new_conn()
        self._handle = opened.dup()
        if self.is_cut_short:
            opened.close()
            raise TimeoutError
        return opened

    def connect(self) -> None:
        """Open it with the time-out for that, and go on with the one for reading."""
        super().connect()
        self.timeout = self.read_timeout

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """Begin the request; here the query joins the path."""
        whole = url if self.query is None else f"{url}?{self.query.decode('ascii')}"
        super().putrequest(method, whole, skip_host=skip_host, skip_accept_encoding=skip_accept_encoding)

    def cut_short(self) -> None:
        """End the current operation from another thread."""
        self.is_cut_short = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def discard(self) -> None:
        """Close it for good.

        `close` alone leaves a response that is still being read, and so the second handle.
        """
        with suppress(OSError):
            self.close()
        if self._handle is not None:
            self._handle.close()


class _SecureConnection(HTTPSConnection, _Connection):
    """The same with TLS, through a tunnel where there is a proxy."""

    def connect(self) -> None:
        """As above; the time-out for opening holds for the tunnel and for TLS too."""
        HTTPSConnection.connect(self)
        self.timeout = self.read_timeout


def _exchange(connection: _Connection, request: Request, headers: Mapping[str, str]) -> Reply | NoReply:
    connection.query = request.query.reveal() if request.query is not None else None
    if connection.is_closed:
        connection.connect()
    connection.request("GET", request.path, headers=headers, preload_content=False, decode_content=False)
    response = connection.getresponse()
    body = _body(response)
    if connection.is_cut_short:
        return NoReply.TIMED_OUT
    if len(body) > _LARGEST_BODY:
        return NoReply.TOO_LARGE
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return NoReply.NO_HTTP
    if response.headers.get("Connection", "").lower() == "close":
        connection.close()
    return Reply(
        status=response.status,
        body=body,
        retry_after=_seconds(response.headers.get("Retry-After")),
        used_weight=_used_weight(response),
    )


def _body(response: HTTPResponse) -> bytes:
    """The body, up to one byte beyond the limit. It is read to the end, as only that detects a cut one."""
    body = b""
    while len(body) <= _LARGEST_BODY:
        data = response.read(_LARGEST_BODY + 1 - len(body))
        if not data:
            break
        body += data
    return body


def _used_weight(response: HTTPResponse) -> int | None:
    names = ("X-SAPI-USED-IP-WEIGHT-1M", "X-MBX-USED-WEIGHT-1M")
    return next((count for name in names if (count := _seconds(response.headers.get(name))) is not None), None)


def _seconds(text: str | None) -> int | None:
    """A whole number of a header, None for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def _trouble_of(error: BaseException) -> NoReply:
    """The kind of a failure, by its type or the type of what caused it, never by its text."""
    match error:
        case NameResolutionError() | socket.gaierror():
            return NoReply.NO_ADDRESS
        case NewConnectionError() | ConnectionRefusedError():
            return NoReply.NOT_REACHED
        case ConnectTimeoutError() | ReadTimeoutError() | TimeoutError():
            return NoReply.TIMED_OUT
        case ssl.SSLCertVerificationError() | ssl.CertificateError():
            return NoReply.CERTIFICATE
        case WrappedSSLError(args=(BaseException() as cause, *_)):
            return _trouble_of(cause)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError() | http.client.IncompleteRead():
            return NoReply.CUT
        case ssl.SSLError() | WrappedSSLError():
            return NoReply.TLS
        case http.client.HTTPException():
            return NoReply.NO_HTTP
        case OSError() if str(error).startswith("Tunnel connection failed"):
            return NoReply.PROXY
        case HTTPError() | OSError():
            return NoReply.CUT
        case _:
            return NoReply.OTHER


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates and names checked. Made by hand: Python's default obeys SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca_file is None:
            context.load_verify_locations(cafile=certifi.where())
        else:  # OpenSSL would wait for a pipe that nobody writes
            text = read_file(ca_file, LARGEST_CONFIGURATION)
            context.load_verify_locations(cadata=text.decode("ascii", "ignore"))
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise UsageError(
            "the file of certificate authorities cannot be read", hint="It must hold certificates in PEM."
        ) from None
    return context


def _host(url: Url) -> str:
    return str(url.hostname).strip("[]")


def _port(url: Url) -> int:
    return url.port or _PORTS[str(url.scheme)]


def _proxy_url(text: str) -> Url:
    url = _parsed(text if "://" in text else f"http://{text}")
    if url is None or url.scheme not in _SCHEMES or not url.host:
        raise UsageError(
            "the proxy cannot be used: it is no URL of an http or https proxy", hint="Such as http://proxy.example:3128"
        )
    return url


def _loopback_url(text: str) -> Url:
    """The URL, if it is one of this machine. Names that DNS could resolve are refused, except `localhost`."""
    url = _parsed(text)
    host = _host(url) if url else ""
    try:
        near = ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if (
        url is None
        or not near
        or url.scheme not in _SCHEMES
        or url.port is None
        or url.auth
        or url.path not in (None, "/")
    ):
        raise UsageError(
            "another base URL than Binance's own may only be one of this machine, with its port",
            hint="Such as http://127.0.0.1:8080",
        )
    return url


def _parsed(text: str) -> Url | None:
    try:
        return parse_url(text)
    except LocationParseError:
        return None

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP to a pod through the API server's port-forward, or to an address.

Bodies are read by Content-Length or as chunks: a port-forward need not pass on the end of a stream.
"""

from __future__ import annotations

import copy
import dataclasses
import http.client
import json
import queue
import socket
import ssl
import time
import typing as t

try:
    from kubernetes.client.exceptions import ApiException
    from kubernetes.stream import portforward
except ImportError:  # pragma: no cover - _cluster reports it
    pass


# What is read of a body that neither names its length nor is chunked, in seconds without a byte.
QUIET = 1.0
BODY_LIMIT = 8 * 1024 * 1024


@dataclasses.dataclass
class HttpReply:
    """An HTTP answer. seconds: until the last byte; first: until the first byte of the body."""

    status: int
    body: bytes
    headers: dict[str, str]
    seconds: float
    first: float

    def text(self) -> str:
        """Return the body as text, undecodable bytes replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> t.Any:
        """Return the body's JSON value, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class TransportError(Exception):
    """No HTTP answer came.

    transient: asking again can help; closed: the server took the request and hung up; late: it may still be at work.
    """

    def __init__(self, message: str, transient: bool = True, closed: bool = False, late: bool = False) -> None:
        super().__init__(message)
        self.transient, self.closed, self.late = transient, closed, late


class HttpTarget:
    """Where requests go. open(timeout) returns a connected socket; text is for messages.

    scheme http or https; host is the Host header unless a request brings its own.
    """

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self.scheme, self.host, self.port = scheme, host, port

    @property
    def text(self) -> str:
        """Return the target for a message."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def open(self, timeout: float) -> t.Any:
        """Return a connected socket; raises OSError."""
        return socket.create_connection((self.host, self.port), timeout)

    def why(self) -> str:
        """Return what the transport itself said about the last failure, "" for nothing."""
        return ""


class PodTarget(HttpTarget):
    """A port of a pod, reached through the API server. One object serves one thread."""

    def __init__(self, client: t.Any, namespace: str, pod: str, port: int, scheme: str = "http") -> None:
        """client: the dynamic client. Its class for pods would load all of Kubernetes' models, which takes a second."""
        super().__init__(scheme, pod, port)
        # The stream helper replaces a method of its client while it connects: threads need copies.
        self.api_client = copy.copy(client.client)
        self._client = copy.copy(client)
        self._client.client = self.api_client
        self.namespace = namespace
        self._forward: t.Any = None

    @property
    def text(self) -> str:
        """Return the target for a message."""
        return f"port-forward to pod {self.namespace}/{self.host} port {self.port}"

    def open(self, timeout: float) -> t.Any:
        """Return the forwarded socket; raises TransportError."""
        try:
            self._forward = portforward(self._request)
        except ApiException as exc:
            reason = str(exc.reason or exc)
            if "403" in reason or "401" in reason:
                hint = "the user needs the verb create (and get) on pods/portforward"
                raise TransportError(f"the cluster refused the {self.text}: {reason[:300]}; {hint}", False) from exc
            raise TransportError(f"the {self.text} failed: {reason[:300]}") from exc
        connected = self._forward.socket(self.port)
        connected.settimeout(timeout)
        return connected

    def _request(self, **_options: t.Any) -> t.Any:
        """Send the request as the stream helper wants it sent: by the api_client of this object."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.host}/portforward"
        return self._client.request("get", path, query_params=[("ports", str(self.port))], serialize=False)

    def why(self) -> str:
        """Return the error that the port-forward reported, for instance that nothing listens on the port."""
        return str(self._forward.error(self.port) or "").strip() if self._forward is not None else ""


class _Connection(http.client.HTTPConnection):
    """http.client over a Target's socket; it reconnects by itself after a closed answer."""

    def __init__(self, target: HttpTarget, timeout: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._target = target

    def connect(self) -> None:
        sock = self._target.open(self.timeout)  # type: ignore[arg-type]
        if self._target.scheme == "https":
            # The certificate names the route's host, not the pod or address that is asked here.
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            sock = context.wrap_socket(getattr(sock, "_socket", sock), server_hostname=self._target.host)
        self.sock = sock


class Http:
    """A kept connection to one target, for one thread."""

    def __init__(self, target: HttpTarget) -> None:
        self.target = target
        self._connection: _Connection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30.0,
    ) -> HttpReply:
        """Send one request and return the Reply; body is sent as JSON. Raises TransportError when none comes."""
        kept = self._connection is not None and self._connection.sock is not None
        try:
            return self._exchange(method, path, body, headers or {}, timeout)
        except (TransportError, OSError, http.client.HTTPException) as exc:
            self.close()
            if kept and not isinstance(exc, TransportError) and (method == "GET" or not isinstance(exc, TimeoutError)):
                # The server may have closed a connection that lay idle.
                return self.request(method, path, body, headers, timeout)
            raise self._error(exc, timeout) from exc

    def _exchange(self, method: str, path: str, body: t.Any, headers: dict[str, str], timeout: float) -> HttpReply:
        if self._connection is None:
            self._connection = _Connection(self.target, timeout)
        connection = self._connection
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        payload = None if body is None else json.dumps(body).encode()
        headers = {**({"Content-Type": "application/json"} if payload else {}), **headers}
        begin = time.monotonic()
        connection.request(method, path, body=payload, headers=headers)
        sock = connection.sock  # http.client lets go of it when the answer says that it closes
        answer = connection.getresponse()
        data, first = _read(answer, sock)
        end = time.monotonic()
        return HttpReply(
            answer.status, data, {k.lower(): v for k, v in answer.getheaders()}, end - begin, first - begin
        )

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _error(self, exc: Exception, timeout: float) -> TransportError:
        if isinstance(exc, TransportError):
            return exc
        # The reason travels on a channel of its own, a moment behind the closed connection.
        said = self.target.why()
        if isinstance(exc, TimeoutError):
            return TransportError(f"timed out after {timeout:.0f}s waiting for {self.target.text}", late=True)
        closed = isinstance(exc, (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError))
        text = f"{said or str(exc) or type(exc).__name__} ({self.target.text})"
        return TransportError(text, closed=closed and not said)


class Lines:
    """A few kept connections to one target, for many threads: each request takes the next that is free."""

    def __init__(self, make: t.Callable[[], HttpTarget], count: int) -> None:
        """make: returns a target of its own for each connection."""
        self._all = [Http(make()) for _number in range(count)]
        self._free: queue.LifoQueue[Http] = queue.LifoQueue()
        # The one that was used last is taken first, so that as few are opened as are needed.
        for line in self._all:
            self._free.put(line)

    @property
    def text(self) -> str:
        """Return the target for a message."""
        return self._all[0].target.text

    def request(self, method: str, path: str, body: t.Any = None, timeout: float = 30.0) -> HttpReply:
        """Send one request and return the reply; raise TransportError when none comes."""
        line = self._free.get()
        try:
            return line.request(method, path, body, None, timeout)
        finally:
            self._free.put(line)

    def close(self) -> None:
        """Close what is open."""
        for line in self._all:
            line.close()


def _read(answer: http.client.HTTPResponse, sock: t.Any) -> tuple[bytes, float]:
    """Return the body and the time of its first byte."""
    if answer.chunked or answer.length is not None:
        if answer.chunked or answer.length:
            answer.peek(1)
        first = time.monotonic()
        # Reading to the end is what frees the connection for the next request.
        return answer.read(), first
    if sock is not None:
        sock.settimeout(QUIET)
    parts: list[bytes] = []
    size, started = 0, 0.0
    while size < BODY_LIMIT:
        try:
            part = answer.read1(65536)
        except TimeoutError:
            break
        started = started or time.monotonic()
        if not part:
            break
        parts.append(part)
        size += len(part)
    answer.close()
    return b"".join(parts), started or time.monotonic()

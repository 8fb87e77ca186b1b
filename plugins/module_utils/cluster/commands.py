# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands run in a container through the API server, with what they read and write."""

from __future__ import annotations

import copy
import time
import typing as t

from ..base import plain_yaml
from ..base.data import mapping
from ..base.errors import OrchestratorError

try:
    from kubernetes.client.exceptions import ApiException
    from kubernetes.stream import stream
    from websocket import WebSocketException
except ImportError:  # pragma: no cover - Cluster reports the missing package
    ApiException = WebSocketException = Exception  # type: ignore[assignment,misc]

if t.TYPE_CHECKING:
    from .client import Cluster

# Seconds after which a connection that takes nothing is given up.
STALLED = 60
STDIN, STDOUT, STDERR, ERROR = 0, 1, 2, 3


class CommandFailed(OrchestratorError):
    """A command ended with an error, or its connection did. broken: the latter, after which another try may do."""

    def __init__(self, message: str, *, broken: bool) -> None:
        super().__init__(message)
        self.broken = broken


class PodCommands:
    """Runs commands in a container of a pod. One object serves one thread."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, container: str) -> None:
        # The stream helper replaces a method of its client while it connects: threads need copies.
        self.api_client = copy.copy(cluster.client.client)
        self._client = copy.copy(cluster.client)
        self._client.client = self.api_client
        self.title = f"pod {namespace}/{pod}"
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        self._container = container
        self._options: list[tuple[str, str]] = []

    def run(
        self,
        command: t.Sequence[str],
        timeout: float,
        fed: t.Iterable[bytes] | None = None,
        check: t.Callable[[], t.Any] = bool,
    ) -> str:
        """Return what a command writes to its standard output; raise CommandFailed.

        fed: what it is given to read; it has to know where that ends. check: called now and then, and may raise.
        """
        reads = [("stdin", "true")] if fed is not None else []
        self._options = [("container", self._container), ("stdout", "true"), ("stderr", "true"), *reads]
        self._options += [("command", word) for word in command]
        deadline = time.monotonic() + timeout
        try:
            connection = stream(self._request, _preload_content=False)
        except ApiException as exc:
            raise self._refused(exc) from exc
        try:
            connection.sock.settimeout(STALLED)
            rest = iter(fed or ())
            while connection.is_open() and time.monotonic() < deadline:
                check()
                chunk = next(rest, b"")
                if chunk:
                    connection.write_channel(STDIN, chunk)
                connection.update(timeout=0 if chunk else 1)
            return self._result(connection)
        except (WebSocketException, OSError) as exc:
            raise CommandFailed(f"the connection to {self.title} was lost: {exc}", broken=True) from exc
        finally:
            connection.close()

    def _request(self, **_options: t.Any) -> t.Any:
        """Send the request as the stream helper wants it sent: by the api_client of this object."""
        return self._client.request("get", self._path, query_params=self._options, serialize=False)

    def _result(self, connection: t.Any) -> str:
        said, problems = connection.read_channel(STDOUT), connection.read_channel(STDERR)
        status = mapping(plain_yaml.load(connection.read_channel(ERROR) or "{}"))
        if status.get("status") == "Success":
            return str(said)
        if not status:
            raise CommandFailed(f"the connection to {self.title} was closed before the command finished", broken=True)
        text = " ".join(str(problems).split()) or str(status.get("message"))
        raise CommandFailed(f"a command in {self.title} failed: {text[-400:]}", broken=False)

    def _refused(self, exc: ApiException) -> CommandFailed:
        reason = str(exc.reason or exc)
        if "403" in reason or "401" in reason:
            hint = "the user needs the verb create (and get) on pods/exec"
            return CommandFailed(f"the cluster refused a command in {self.title}: {reason[:300]}; {hint}", broken=False)
        return CommandFailed(f"no command can be run in {self.title}: {reason[:300]}", broken=True)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One cluster's API, as every module of this collection reaches it.

Credentials follow kubernetes.core: its argument spec, environment variables and in-cluster fallback.
Objects are plain dicts in the API's own shape.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import threading
import typing as t

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_MAP
from ansible_collections.kubernetes.core.plugins.module_utils.k8s import client as k8s_client

from ..base import plain_yaml
from ..base.data import Object, mapping
from ..base.errors import Forbidden, OrchestratorError, Unreachable, require
from . import credentials, exec_credentials
from .kubeconfig import LEADS, absolute, check_context, entries, keys_of, login, read, reduced

try:
    import kubernetes
    import urllib3
    from ansible_collections.kubernetes.core.plugins.module_utils.k8sdynamicclient import K8SDynamicClient
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config import kube_config
    from kubernetes.dynamic import DynamicClient
    from kubernetes.dynamic.exceptions import ResourceNotFoundError
except ImportError as exc:  # pragma: no cover - reported by connect()
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None


# A cluster that does not answer within this many seconds is reported as unreachable.
CONNECT_TIMEOUT = 10
# Seconds for which a cluster that was reached before may be gone: an API server that is restarted, a network's hiccup.
PATIENCE = 30
LONGEST_PAUSE = 2.0
# Replies after which the same request may succeed. etcd's time-outs are 500.
PASSING = (429, 500, 502, 503, 504)
# A file that can neither be read nor written.
NO_FILE = os.path.join(os.devnull, "none")
SERVER_HINT = "Check the server's address in llm_d_api_host, or in the kubeconfig."


class Cluster:
    """A connected cluster. Raises OrchestratorError for whatever an operator must mend."""

    def __init__(self, params: dict, patience: float = 0) -> None:
        """params: a module's parameters; only those of AUTH_ARG_SPEC are read.

        patience: seconds for which the cluster may refuse connections, for modules that come after planning.
        """
        require(IMPORT_ERROR)
        self.auth = credentials.given(params)
        resolved = credentials.resolved(self.auth, os.environ)
        hints = credentials.hint_to(resolved)
        configuration = _configuration(resolved)
        if not configuration.verify_ssl:  # which the user has chosen
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        configuration.retries = retries(patience)
        self.host = configuration.host
        self._resources: dict[tuple[str, str], t.Any] = {}
        self._lock = threading.RLock()
        client = kubernetes.client.ApiClient(configuration)
        self._version = _server_version(client if patience else _impatient(configuration), self.host, hints)
        try:
            self.client = _dynamic_client(client, k8s_client._create_headers(**self.auth))
        except urllib3.exceptions.HTTPError as exc:
            raise _unreachable(exc, self.host, hints) from exc
        except ApiException as exc:
            raise _refused(exc, self.host, hints) from exc

    def version(self) -> str:
        """Return the server's version, for example v1.34.4."""
        return self._version

    def resource(self, api_version: str, kind: str) -> t.Any:
        """Return the dynamic client's resource, or None where the cluster does not serve the kind."""
        key = (api_version, kind)
        with self._lock:  # the client's own caches are not safe for threads
            return self._resource(key)

    def _resource(self, key: tuple[str, str]) -> t.Any:
        api_version, kind = key
        if key not in self._resources:
            # Without the prefix the client looks for a kind of the core's v1 in the v1 of every group.
            prefix = "apis" if "/" in api_version else "api"
            try:
                self._resources[key] = self.client.resources.get(prefix=prefix, api_version=api_version, kind=kind)
            except ResourceNotFoundError:
                self._resources.clear()  # the client has asked anew for all that is served
                return None
        return self._resources[key]

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return one object, or None where it (or its kind) does not exist."""
        resource = self.resource(api_version, kind)
        if resource is None:
            return None
        try:
            return json.loads(resource.get(name=name, namespace=namespace, serialize=False).data)
        except ApiException as exc:
            if exc.status == 404:
                return None
            raise api_error(exc, f"read {kind} {name}") from exc

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> list[Object]:
        """Return the objects of a kind, [] where the cluster does not serve it; namespace None means all."""
        resource = self.resource(api_version, kind)
        if resource is None:
            return []
        selectors = {"label_selector": label_selector, "field_selector": field_selector}
        try:
            # The client's own objects would be made of each list and map of the answer, and unmade again.
            reply = resource.get(namespace=namespace, serialize=False, **selectors)
        except ApiException as exc:
            raise api_error(exc, f"list {kind}") from exc
        items = json.loads(reply.data).get("items") or []
        for item in items:
            # The API leaves these out of list entries.
            item.setdefault("apiVersion", api_version)
            item.setdefault("kind", kind)
        return items


def server_message(exc: ApiException) -> str:
    """Return what the API server says in a reply, its reason alone where the body is no Status object."""
    with contextlib.suppress(TypeError, KeyError, plain_yaml.YAMLError):
        return str(plain_yaml.load(exc.body or "")["message"])
    return str(exc.reason)


def api_error(exc: ApiException, action: str) -> OrchestratorError:
    """Return the error to show for an API reply: what was tried, and the server's own message."""
    text = f"The cluster refused the request to {action}: {exc.status} {server_message(exc)}"
    if exc.status == 403:
        return Forbidden(text, hint="Ask an administrator for this permission.")
    return OrchestratorError(text)


def _configuration(auth: Object) -> t.Any:
    """Return the client's configuration for resolved credentials; raise OrchestratorError."""
    kubeconfig = auth.get("kubeconfig") or _default_kubeconfig(auth)
    if not kubeconfig:
        return _made(auth)
    content = read(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    context = check_context(content, auth.get("context"))
    user = login(content, context)
    exec_credentials.check_provider(user)
    if user.get("exec") and not (user.get("token") or user.get("tokenFile")):
        folder = os.path.dirname(os.path.abspath(os.path.expanduser(kubeconfig if isinstance(kubeconfig, str) else "")))
        return _with_program(auth, reduced(absolute(content, folder), context), mapping(user["exec"]), folder)
    # The client's own parser would take longer than all else here.
    return _made(auth if keys_of(content, LEADS) else {**auth, "kubeconfig": content})


def _default_kubeconfig(auth: Object) -> str:
    """Return the one file in which kubernetes.core would look, "" where it looks elsewhere, or in several."""
    path = os.path.expanduser(os.environ.get("KUBECONFIG") or os.path.join("~", ".kube", "config"))
    elsewhere = auth.get("host") or (not auth.get("context") and os.environ.get("KUBERNETES_SERVICE_HOST"))
    return path if not elsewhere and os.path.isfile(path) else ""


def _with_program(auth: Object, content: Object, spec: Object, folder: str) -> t.Any:
    """Return the configuration with what a kubeconfig's program gives, which is asked again before that expires.

    content: a kubeconfig of one context.
    """
    cluster = next((mapping(item.get("cluster")) for item in entries(content, "clusters")), {})
    known = exec_credentials.ask(spec, folder, cluster)
    for item in entries(content, "users"):
        item["user"] = {**{key: value for key, value in item["user"].items() if key != "exec"}, **known.user}
    configuration = _made({**auth, "kubeconfig": content})

    def renew(configured: t.Any) -> None:
        nonlocal known
        if known.expired and "token" in known.user:
            known = exec_credentials.ask(spec, folder, cluster)
            for name in configured.api_key:
                configured.api_key[name] = f"Bearer {known.user.get('token')}"

    configuration.refresh_api_key_hook = renew
    return configuration


def _made(auth: Object) -> t.Any:
    auth = {alias: auth[name] for alias, name in AUTH_ARG_MAP.items() if name in auth}
    if credentials.is_pem(auth.get("ssl_ca_cert")):
        # The client knows files only; it removes this one with its own.
        auth["ssl_ca_cert"] = kube_config._create_temp_file_with_content(auth["ssl_ca_cert"])
    # What get_api_client of that file does, in two steps: that one waits minutes for a cluster that is silent.
    try:
        return k8s_client._create_configuration(auth)
    except Exception as exc:  # the client raises many types for a bad kubeconfig
        raise OrchestratorError(
            f"Cannot read the cluster's credentials: {exc}",
            hint="Set llm_d_kubeconfig and llm_d_context, or K8S_AUTH_* in the environment.",
        ) from exc


def _impatient(configuration: t.Any) -> t.Any:
    """Return a client that tries once."""
    once = copy.copy(configuration)
    once.retries = False
    return kubernetes.client.ApiClient(once)


def _dynamic_client(client: t.Any, headers: dict) -> t.Any:
    """Return a client that asks this very server what it serves.

    The client's own cache file, by address, tells of kinds that were served an hour ago, or by another cluster there.
    """
    for name, value in headers.items():
        k8s_client._set_header(client, name, value)
    return K8SDynamicClient(client, cache_file=NO_FILE, discoverer=k8s_client.LazyDiscoverer)


def retries(patience: float) -> t.Any:
    """Return how requests are tried again, with longer and longer pauses: what passes by itself, and nothing else.

    A request that was sent and not answered is tried again too: all that is asked for here can be asked for twice.
    """

    class Paced(urllib3.Retry):
        """Without the pauses of minutes that doubling comes to."""

        def get_backoff_time(self) -> float:
            """Return seconds."""
            return min(super().get_backoff_time(), LONGEST_PAUSE)

    return Paced(
        total=100,
        connect=max(3, round(patience / LONGEST_PAUSE) + 2),
        read=3,
        status=4,
        backoff_factor=0.25,
        status_forcelist=PASSING,
        allowed_methods=None,
        raise_on_status=False,
    )


def _bare(client: t.Any) -> t.Any:
    """Return a dynamic client that has not yet asked what the server serves."""
    bare = DynamicClient.__new__(DynamicClient)
    bare.client = client
    return bare


def _server_version(client: t.Any, host: str, hints: dict[str, str]) -> str:
    """Return the version of a server that answers within CONNECT_TIMEOUT; raise OrchestratorError else."""
    try:
        reply = _bare(client).request("get", "/version/", _request_timeout=CONNECT_TIMEOUT, serialize=False)
        return str(json.loads(reply.data)["gitVersion"])
    except urllib3.exceptions.HTTPError as exc:
        raise _unreachable(exc, host, hints) from exc
    except ApiException as exc:
        raise _refused(exc, host, hints) from exc
    except (ValueError, TypeError, KeyError) as exc:  # a web server's page
        raise OrchestratorError(f"{host} is not a Kubernetes API server.", hint=SERVER_HINT) from exc


def _refused(exc: ApiException, host: str, hints: dict[str, str]) -> OrchestratorError:
    if "CERTIFICATE_VERIFY_FAILED" in str(exc.reason):
        return _not_trusted(exc.reason, host, hints)
    if exc.status in (401, 403):
        text, hint = "refused the credentials", hints["refused"]
    else:
        text, hint = "did not answer like a Kubernetes API server", SERVER_HINT
    return OrchestratorError(f"The cluster at {host} {text}: {exc.status} {exc.reason}", hint=hint)


def _not_trusted(cause: t.Any, host: str, hints: dict[str, str]) -> OrchestratorError:
    found = re.search(r"certificate verify failed[^(']*", str(cause))  # without the names of the client's classes
    text = found[0].strip() if found else str(cause)
    return OrchestratorError(f"Cannot verify the certificate of the cluster at {host}: {text}", hint=hints["trust"])


def _unreachable(exc: urllib3.exceptions.HTTPError, host: str, hints: dict[str, str]) -> OrchestratorError:
    cause: BaseException = exc
    while isinstance(getattr(cause, "reason", None), BaseException):
        cause = cause.reason  # type: ignore[attr-defined]
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return _not_trusted(cause, host, hints)
    # urllib3 1 counts a refused connection among the timeouts.
    if isinstance(cause, urllib3.exceptions.TimeoutError) and not isinstance(
        cause, urllib3.exceptions.NewConnectionError
    ):
        cause = TimeoutError(f"no answer within {CONNECT_TIMEOUT} s")
    return Unreachable(f"Cannot reach the cluster at {host}: {cause}", hint=hints["reach"])

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kubeconfigs: read, checked, and made for Helm, which takes credentials by no other way that is safe.

A kubeconfig is a path, text (YAML or JSON) or a map. Messages never hold its content.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError

try:
    import yaml
except ImportError:  # pragma: no cover - reported by Cluster
    yaml = None  # type: ignore[assignment]

Object = dict[str, t.Any]

WHOLE = "Give a whole kubeconfig, as kubectl config view --raw --flatten prints it."
PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
SECRETS = ("token", "password", "client-key-data", "id-token", "refresh-token", "access-token")
CA_KEYS = ("certificate-authority", "certificate-authority-data")
# Where Kubernetes puts the credentials of a pod's ServiceAccount.
IN_POD = "/var/run/secrets/kubernetes.io/serviceaccount"


def is_content(value: t.Any) -> bool:
    """Return whether a kubeconfig is given as text, not as a path."""
    return isinstance(value, str) and ("\n" in value.strip() or value.lstrip().startswith("{"))


def kubeconfig_in(text: str, name: str = "llm_d_kubeconfig") -> Object:
    """Return the map that a kubeconfig's text holds; raise OrchestratorError. name: for messages."""
    try:
        content = json.loads(text)
    except ValueError:
        content = _yaml(text, name)
    if not isinstance(content, dict) or not _entries(content, "clusters"):
        raise OrchestratorError(f"The kubeconfig in {name} names no cluster.", hint=WHOLE)
    return content


def _yaml(text: str, name: str) -> t.Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        # The whole message quotes the text.
        mark, problem = getattr(exc, "problem_mark", None), getattr(exc, "problem", None)
        place = f" line {mark.line + 1}:" if mark else ""
        raise OrchestratorError(
            f"The kubeconfig in {name} is not valid YAML:{place} {problem or 'it has characters that YAML forbids'}.",
            hint=WHOLE,
        ) from exc


def read(path: str) -> Object:
    """Return the map in a kubeconfig's file; raise OrchestratorError."""
    path = os.path.expanduser(path)
    # In two parts: Ansible hides the value of this option wherever it stands whole.
    name = f"the file {os.path.basename(path)} (folder {os.path.dirname(path) or '.'})"
    if not os.path.isfile(path):
        raise OrchestratorError(
            f"The kubeconfig {os.path.basename(path)} does not exist in {os.path.dirname(path) or '.'}.",
            hint="Set llm_d_kubeconfig to a kubeconfig file; for a lab, run lab_up first.",
        )
    try:
        with open(path, encoding="utf-8") as stream:
            return kubeconfig_in(stream.read(), name)
    except OSError as exc:
        raise OrchestratorError(f"The kubeconfig in {name} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise OrchestratorError(f"The kubeconfig in {name} is no text: it is not UTF-8.", hint=WHOLE) from exc


def _entries(content: Object, section: str) -> list[Object]:
    found = content.get(section)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def contexts(content: Object) -> list[str]:
    """Return the names of a kubeconfig's contexts, sorted."""
    return sorted(str(item["name"]) for item in _entries(content, "contexts") if item.get("name"))


def check_context(content: Object, context: str | None) -> str:
    """Return the context that is used; raise OrchestratorError where there is no such one."""
    known = contexts(content)
    hint = "Set llm_d_context to one of: " + (", ".join(known) or "(it has none)")
    if context:
        if context not in known:
            raise OrchestratorError(f"The kubeconfig has no context {context!r}.", hint=hint)
        return context
    current = content.get("current-context")
    if not current:
        raise OrchestratorError("The kubeconfig has no current context, and llm_d_context is not set.", hint=hint)
    if current not in known:
        raise OrchestratorError(f"The kubeconfig's current context {current!r} is not in it.", hint=hint)
    return str(current)


def secrets_in(content: Object) -> set[str]:
    """Return a kubeconfig's tokens, passwords and keys."""
    found: set[str] = set()
    for item in _entries(content, "users"):
        user: Object = item.get("user") or {}
        places = [user, ((user.get("auth-provider") or {}).get("config") or {})]
        found |= {str(place[key]) for place in places for key in SECRETS if place.get(key)}
        variables = (user.get("exec") or {}).get("env") or []
        found |= {str(one.get("value")) for one in variables if len(str(one.get("value") or "")) >= 16}
    return found


def absolute(content: Object, folder: str) -> Object:
    """Return a kubeconfig with its file names made absolute, as it is read from a copy in another folder."""
    content = copy.deepcopy(content)
    for section, entry in (("clusters", "cluster"), ("users", "user")):
        for item in _entries(content, section):
            place = item.get(entry) or {}
            _absolute(place, PATHS, folder)
            command = place.get("exec")
            # A name without a folder is looked up on PATH.
            if isinstance(command, dict) and os.sep in str(command.get("command")):
                _absolute(command, ("command",), folder)
    return content


def _absolute(place: Object, keys: t.Iterable[str], folder: str) -> None:
    for key in keys:
        value = place.get(key)
        if value and not os.path.isabs(value):
            place[key] = os.path.join(folder, value)


def for_helm(auth: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Object | None:
    """Return the kubeconfig that makes Helm use resolved credentials; None: Helm finds them as the client does."""
    content, context = _base(auth, environ)
    if content is None:
        return None
    chosen = check_context(content, context)
    content["current-context"] = chosen
    pair = next(item.get("context") or {} for item in _entries(content, "contexts") if item.get("name") == chosen)
    for item in _entries(content, "clusters"):
        if item.get("name") == pair.get("cluster"):
            item["cluster"] = _cluster(item.get("cluster") or {}, auth)
    for item in _entries(content, "users"):
        if item.get("name") == pair.get("user"):
            item["user"] = {**_user(item.get("user") or {}, auth), **_impersonation(auth)}
    return content


def _base(auth: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> tuple[Object | None, str | None]:
    """Return a kubeconfig, and the context in it; in the order in which kubernetes.core looks."""
    kubeconfig, context = auth.get("kubeconfig"), auth.get("context")
    if user := _login(auth):
        return _made({"server": auth["host"]}, user), None
    if isinstance(kubeconfig, dict):
        return copy.deepcopy(kubeconfig), context
    if kubeconfig is None and not context and (found := in_pod(environ)):
        return found, None
    path = kubeconfig or environ.get("KUBECONFIG") or os.path.join("~", ".kube", "config")
    path = os.path.expanduser(path)
    if kubeconfig is None and not os.path.isfile(path):
        return None, context
    return absolute(read(path), os.path.dirname(os.path.abspath(path))), context


def _login(auth: t.Mapping[str, t.Any]) -> Object:
    """Return the user of a kubeconfig for credentials that come with an address, {} where there are none."""
    if not auth.get("host"):
        return {}
    user: Object = {}
    if auth.get("api_key"):
        user["token"] = auth["api_key"]
    elif auth.get("username") and auth.get("password"):
        user = {"username": auth["username"], "password": auth["password"]}
    if auth.get("client_cert") and auth.get("client_key"):
        user |= {"client-certificate": _path(auth["client_cert"]), "client-key": _path(auth["client_key"])}
    return user


def _path(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _made(cluster: Object, user: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "given", "cluster": cluster}],
        "users": [{"name": "given", "user": user}],
        "contexts": [{"name": "given", "context": {"cluster": "given", "user": "given"}}],
        "current-context": "given",
    }


def in_pod(environ: t.Mapping[str, str]) -> Object | None:
    """Return a kubeconfig of the ServiceAccount of the pod that this runs in, None outside of one."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token, ca = os.path.join(IN_POD, "token"), os.path.join(IN_POD, "ca.crt")
    if not (host and port and os.path.isfile(token) and os.path.isfile(ca)):
        return None
    host = f"[{host}]" if ":" in host else host
    return _made({"server": f"https://{host}:{port}", "certificate-authority": ca}, {"tokenFile": token})


def _cluster(cluster: Object, auth: t.Mapping[str, t.Any]) -> Object:
    """Return a kubeconfig's cluster with the options that go beyond a kubeconfig."""
    found = {**cluster, "server": auth.get("host") or cluster.get("server")}
    ca = auth.get("ca_cert")
    if ca:
        found = {key: value for key, value in found.items() if key not in CA_KEYS}
        text = "-----BEGIN " in ca
        found |= {CA_KEYS[1]: base64.b64encode(ca.encode()).decode()} if text else {CA_KEYS[0]: _path(ca)}
    if auth.get("validate_certs") is False:
        # Helm refuses both at once.
        found = {key: value for key, value in found.items() if key not in CA_KEYS} | {"insecure-skip-tls-verify": True}
    if auth.get("proxy"):
        found["proxy-url"] = auth["proxy"]
    return found


def _user(user: Object, auth: t.Mapping[str, t.Any]) -> Object:
    """Return a kubeconfig's user, or the token that the environment gives beside a kubeconfig."""
    return {"token": auth["api_key"]} if auth.get("api_key") else dict(user)


def _impersonation(auth: t.Mapping[str, t.Any]) -> Object:
    names = {"as": auth.get("impersonate_user"), "as-groups": auth.get("impersonate_groups")}
    return {key: value for key, value in names.items() if value}

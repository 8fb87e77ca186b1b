# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The kubeconfig by which Helm gets resolved credentials: no other way keeps them out of arguments and environment."""

from __future__ import annotations

import base64
import copy
import os
import typing as t

from ..base.data import Object, mapping
from ..cluster.kubeconfig import absolute, check_context, entries, named, read

CA_KEYS = ("certificate-authority", "certificate-authority-data")
# Where Kubernetes puts the credentials of a pod's ServiceAccount.
IN_POD = "/var/run/secrets/kubernetes.io/serviceaccount"


def for_helm(auth: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Object | None:
    """Return the kubeconfig that makes Helm use resolved credentials; None: Helm finds them as the client does."""
    content, context = _base(auth, environ)
    if content is None:
        return None
    chosen = check_context(content, context)
    content["current-context"] = chosen
    pair = named(content, "contexts", "context", chosen)
    for item in entries(content, "clusters"):
        if item.get("name") == pair.get("cluster"):
            item["cluster"] = _cluster(mapping(item.get("cluster")), auth)
    for item in entries(content, "users"):
        if item.get("name") == pair.get("user"):
            item["user"] = {**_user(mapping(item.get("user")), auth), **_impersonation(auth)}
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

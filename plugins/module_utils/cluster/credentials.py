# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A cluster's credentials: what a host's variables say of them, and whether that is enough.

Options are those of kubernetes.core's AUTH_ARG_SPEC. Messages never hold the content of a file or a variable.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import typing as t

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import (
    AUTH_ARG_MAP,
    AUTH_ARG_SPEC,
    AUTH_PROXY_HEADERS_SPEC,
)

from ..base.data import Object, mapping
from ..base.errors import OrchestratorError
from .kubeconfig import is_content, kubeconfig_in, secrets_in

try:
    from kubernetes.config import kube_config
except ImportError:  # pragma: no cover - reported by Cluster
    kube_config = None  # type: ignore[assignment]


# The host's variables, and the option of kubernetes.core that each one sets.
VARIABLES = {
    "llm_d_kubeconfig": "kubeconfig",
    "llm_d_context": "context",
    "llm_d_api_host": "host",
    "llm_d_api_token": "api_key",
    "llm_d_api_ca_cert": "ca_cert",
    "llm_d_api_verify": "validate_certs",
}
NAMES = {option: variable for variable, option in VARIABLES.items()}
# What a kubeconfig says; where one is given, the environment's words on these are another cluster's.
IN_KUBECONFIG = ("host", "api_key", "username", "password", "ca_cert", "client_cert", "client_key", "validate_certs")
# Either of these says who asks.
LOGINS = (("api_key",), ("username", "password"), ("client_cert", "client_key"))
PEM = "-----BEGIN "


def options(variables: t.Mapping[str, t.Any]) -> Object:
    """Return the modules' options for a host's variables; those that are not set or empty are left out.

    A kubeconfig given as a map becomes text: of a map that must not be shown, Ansible hides each single value, "v1"
    and "Config" too, wherever they stand.
    """
    found = {name: variables[key] for key, name in VARIABLES.items() if variables.get(key) not in (None, "", {})}
    return as_text(found)


def as_text(params: t.Mapping[str, t.Any]) -> Object:
    """Return options with a kubeconfig's map as text."""
    found = dict(params)
    if isinstance(found.get("kubeconfig"), t.Mapping):
        found["kubeconfig"] = json.dumps(found["kubeconfig"])
    return found


def given(params: t.Mapping[str, t.Any]) -> Object:
    """Return the options of credentials that a module was given; raise OrchestratorError where they contradict."""
    found = {name: params[name] for name in AUTH_ARG_SPEC if params.get(name) not in (None, "")}
    if isinstance(found.get("api_key"), str):
        found["api_key"] = found["api_key"].strip()
    _one_way(found)
    return found


def resolved(found: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Object:
    """Return given options with those of kubernetes.core's K8S_AUTH_* variables that do not contradict them.

    A kubeconfig is a path, or a map. Raises OrchestratorError where what is there is not enough.
    """
    auth = {}
    for alias, name in _left(found):
        auth[name] = found[name] if name in found else _from_environment(name, alias, environ)
    auth["proxy_headers"] = found.get("proxy_headers") or _proxy_headers(environ)
    auth = {name: value for name, value in auth.items() if value is not None}
    _enough(auth, found)
    if is_content(auth.get("kubeconfig")):
        auth["kubeconfig"] = kubeconfig_in(auth["kubeconfig"])
    return auth


def _left(found: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """Return kubernetes.core's names and options that count, beside a kubeconfig or an address that was given."""
    others: tuple[str, ...] = ()
    if "kubeconfig" in found or "context" in found:
        others = IN_KUBECONFIG
    elif "host" in found or "api_key" in found:
        others = ("kubeconfig", "context")
    return [(alias, name) for alias, name in AUTH_ARG_MAP.items() if name in found or name not in others]


def _from_environment(name: str, alias: str, environ: t.Mapping[str, str]) -> t.Any:
    value = environ.get(f"K8S_AUTH_{name.upper()}") or environ.get(f"K8S_AUTH_{alias.upper()}")
    if value and mapping(AUTH_ARG_SPEC[name]).get("type") == "bool":
        return value.lower() not in ("0", "false", "no")
    return value if name != "proxy_headers" else None


def _proxy_headers(environ: t.Mapping[str, str]) -> Object:
    found = {key: environ.get(f"K8S_AUTH_PROXY_HEADERS_{key.upper()}") for key in AUTH_PROXY_HEADERS_SPEC}
    return {key: value for key, value in found.items() if value is not None}


def _one_way(found: Object) -> None:
    """Refuse a kubeconfig beside an address or a token."""
    here = [NAMES[name] for name in ("kubeconfig", "context") if name in found]
    there = [NAMES[name] for name in ("host", "api_key") if name in found]
    if here and there:
        raise OrchestratorError(
            f"Two ways to reach the cluster are set: {' and '.join(here)}, and {' and '.join(there)}.",
            hint=f"Remove {here[0]} to use the token, or {' and '.join(there)} to use the kubeconfig.",
        )
    token = found.get("api_key")
    if isinstance(token, str) and len(token.split()) != 1 and token:
        raise OrchestratorError(
            "llm_d_api_token is not a valid token: it contains spaces or line breaks.",
            hint="Set only the token, without the word Bearer.",
        )
    host = found.get("host")
    if isinstance(host, str) and not host.startswith(("https://", "http://")):
        raise OrchestratorError(
            (f"llm_d_api_host is not a valid address: {host}"),
            hint="Write it as https://HOST:PORT, for example https://api:6443.",
        )


def _enough(auth: Object, found: t.Mapping[str, t.Any]) -> None:
    """Refuse an address without anything that says who asks, and the other way round."""
    login = any(all(auth.get(name) for name in names) for names in LOGINS)
    if "host" in found and not login:
        raise OrchestratorError(
            "llm_d_api_host is set, but llm_d_api_token is not.",
            hint="Set llm_d_api_token, or set llm_d_kubeconfig instead of both.",
        )
    if "api_key" in found and not auth.get("host"):
        raise OrchestratorError(
            "llm_d_api_token is set, but llm_d_api_host is not.", hint="Set llm_d_api_host to https://HOST:PORT."
        )
    if auth.get("ca_cert"):
        _check_ca(str(auth["ca_cert"]))


def _check_ca(value: str) -> None:
    """Refuse what is neither a file nor text of certificates."""
    text, what = value, "the text"
    if not is_pem(value):
        path = os.path.expanduser(value)
        what = f"the file {path}"
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError as exc:
            raise OrchestratorError(
                f"llm_d_api_ca_cert: {what} cannot be read: {exc.strerror}",
                hint="Set it to the path of the API server's certificate authority, or to its PEM text.",
            ) from exc
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as exc:
        raise OrchestratorError(
            f"llm_d_api_ca_cert: {what} contains no readable certificate.",
            hint="Set it to PEM text, which begins with -----BEGIN CERTIFICATE-----.",
        ) from exc


def is_pem(value: t.Any) -> bool:
    """Return whether a value is text of certificates, not a path."""
    return isinstance(value, str) and (PEM in value or "\n" in value)


def hint_to(auth: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return what to mend where the cluster refuses, cannot be trusted or is not reached, for the way that is used."""
    if auth.get("host"):
        return {
            "refused": "Set llm_d_api_token to a valid token (create one with kubectl create token).",
            "trust": "Set llm_d_api_ca_cert to the API server's certificate authority.",
            "reach": "Check llm_d_api_host, the network, and that the API server is running.",
        }
    return {
        "refused": "Log in again, or set llm_d_kubeconfig to another kubeconfig.",
        "trust": "Set the API server's own certificate authority in the kubeconfig (llm_d_kubeconfig); a proxy in "
        "between may use another one.",
        "reach": "Check llm_d_kubeconfig and llm_d_context, the network, and that the API server is running.",
    }


def secrets(params: t.Mapping[str, t.Any]) -> set[str]:
    """Return what in a module's options must never be shown."""
    found = {str(params[name]) for name in ("api_key", "password") if params.get(name)}
    kubeconfig = params.get("kubeconfig")
    if is_content(kubeconfig):
        try:
            found |= secrets_in(kubeconfig_in(t.cast(str, kubeconfig)))
        except OrchestratorError:
            # Whoever uses it reports that.
            return found
    return found


def _made() -> dict[str, str]:
    """Return the client's own table of its files: path by content."""
    return getattr(kube_config, "_temp_files", {})


@contextlib.contextmanager
def removed_afterwards() -> t.Iterator[None]:
    """Remove the files that the client makes while the block runs; those of before may be another process's."""
    before = set(_made())
    try:
        yield
    finally:
        for content in set(_made()) - before:
            with contextlib.suppress(OSError):
                os.remove(_made().pop(content))

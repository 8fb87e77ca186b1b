# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""OCI registries of charts: references, logins for Helm, and what its messages mean."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import tempfile
import typing as t
import urllib.parse

from ..base.errors import OrchestratorError, WrongVersion

# Names a file of certificate authorities to fetch_chart, as llm_d_registry_ca does.
CA_VARIABLE = "LLM_D_REGISTRY_CA"
# Helm's own variable for the file of its logins.
CONFIG_VARIABLE = "HELM_REGISTRY_CONFIG"
# Seconds for a registry on a loopback address to say whether it speaks HTTP.
PROBE_TIMEOUT = 5
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Words of Helm 3.17 to 3.19 and of registries, which differ in whether they ask for a login or deny access.
_LOGIN = re.compile(r"basic credential not found|status code 40[13]|unauthorized|denied", re.I)


def pinned_digest(ref: str) -> str:
    """Return the digest of oci://REGISTRY/PATH/CHART@sha256:HEX, "" without one; raise for a tag or another digest."""
    base, at, digest = ref.partition("@")
    if ":" in base.rpartition("/")[2]:
        raise OrchestratorError(
            f"The chart reference {ref} contains a tag.", hint="Remove the tag, and set the chart version to it."
        )
    if at and not _DIGEST.fullmatch(digest):
        raise OrchestratorError(
            f"The chart reference {ref} has no valid digest after the @.",
            hint="Write @sha256: and the 64 hexadecimal digits that `helm push` printed, or remove it.",
        )
    return digest


def registry_host(ref: str) -> str:
    """Return HOST[:PORT] of oci://HOST[:PORT]/PATH."""
    return ref.partition("://")[2].partition("/")[0]


def speaks_http(ref: str) -> bool:
    """Return whether a registry on a loopback address speaks HTTP without TLS; other registries are not asked."""
    try:
        address = urllib.parse.urlsplit(ref)
        host, port = address.hostname or "", address.port or 80
    except ValueError:
        return False
    if host != "localhost" and not host.startswith("127.") and host != "::1":
        return False
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_TIMEOUT)
    try:
        connection.request("GET", "/v2/")
        # A server that wants TLS answers such a request by 400.
        return connection.getresponse().status in (200, 401)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def pull_options(ref: str, env: t.Mapping[str, str], plain_http: bool) -> list[str]:
    """Return Helm's options for how to reach an OCI registry. env: Helm's environment."""
    options = ["--plain-http"] if plain_http or speaks_http(ref) else []
    return options + (["--ca-file", env[CA_VARIABLE]] if env.get(CA_VARIABLE) else [])


def pull_error(ref: str, version: str | None, text: str) -> OrchestratorError:
    """Return the error for a `helm pull` that failed. text: what Helm printed."""
    text = text.strip().removeprefix("Error: ")[-2000:]
    failed = f"The chart {ref} cannot be fetched"
    if ref.startswith("oci://"):
        host, pinned = registry_host(ref), "@" in ref
        if _LOGIN.search(text):
            return OrchestratorError(
                f"{failed}: the registry {host} requires a login, or rejected the one it was given: {text}",
                hint=f"Log in with: helm registry login {host}; or set llm_d_registry_logins.",
            )
        if "x509" in text or "server gave HTTP response to HTTPS client" in text:
            return OrchestratorError(
                f"{failed}: the certificate of the registry {host} is not trusted: {text}",
                hint="Set llm_d_registry_ca to the file of its certificate authority, or llm_d_plain_http for one "
                "without TLS.",
            )
        if "not found" in text:
            what = "this digest" if pinned else f"version {version}"
            error = OrchestratorError if pinned else WrongVersion
            return error(
                f"{failed}: {what} of the chart was not found in the registry {host}: {text}",
                hint="Check the path and the digest." if pinned else "Check the path and the version.",
            )
    return OrchestratorError(
        f"{failed}: {text}",
        hint="Check the reference, the version, the network and `helm registry login`; "
        "or set the chart reference to a folder or .tgz.",
    )


@contextlib.contextmanager
def registry_access(
    params: t.Mapping[str, t.Any], environ: t.MutableMapping[str, str] | None = None
) -> t.Iterator[None]:
    """Let Helm use a module's registry_logins and registry_ca while the block runs, and nothing of them afterwards.

    The logins are written to a file of mode 0600 beside a copy of the user's own, and named to Helm by its environment.
    """
    environ = os.environ if environ is None else environ
    saved = {name: environ.get(name) for name in (CONFIG_VARIABLE, CA_VARIABLE)}
    with contextlib.ExitStack() as stack:
        stack.callback(_restore, environ, saved)
        if params.get("registry_logins"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="llm-d-registry-"))
            environ[CONFIG_VARIABLE] = _write_logins(folder, params["registry_logins"], environ)
        if params.get("registry_ca"):
            environ[CA_VARIABLE] = _readable(params["registry_ca"])
        yield


def _restore(environ: t.MutableMapping[str, str], saved: dict[str, str | None]) -> None:
    for name, value in saved.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value


def _readable(path: str) -> str:
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise OrchestratorError(f"llm_d_registry_ca: file not found: {path}")
    return path


def _write_logins(folder: str, logins: list[dict], environ: t.Mapping[str, str]) -> str:
    config = with_logins(_own_config(environ), logins)
    handle = os.open(os.path.join(folder, "config.json"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(config, stream)
    return os.path.join(folder, "config.json")


def _own_config(environ: t.Mapping[str, str]) -> dict:
    home = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    folder = environ.get("HELM_CONFIG_HOME") or os.path.join(home, "helm")
    path = environ.get(CONFIG_VARIABLE) or os.path.join(folder, "registry", "config.json")
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise OrchestratorError(
            f"Cannot read Helm's logins in {path}.", hint="Log in again with: helm registry login"
        ) from exc
    return content if isinstance(content, dict) else {}


def with_logins(config: dict, logins: list[dict]) -> dict:
    """Return a registry configuration with logins ({host, username, password}) put over those it has."""
    auths, helpers = dict(config.get("auths") or {}), dict(config.get("credHelpers") or {})
    store = config.get("credsStore")
    if store:
        # A store for all hosts would be asked for ours too.
        helpers = {**dict.fromkeys(auths, store), **helpers}
    for login in logins:
        host = login["host"].partition("://")[2] or login["host"]
        host = host.partition("/")[0]
        helpers.pop(host, None)
        pair = f"{login['username']}:{login['password']}".encode()
        auths[host] = {"auth": base64.b64encode(pair).decode()}
    rest = {key: value for key, value in config.items() if key != "credsStore"}
    return {**rest, "auths": auths, "credHelpers": helpers}

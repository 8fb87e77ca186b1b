# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Credentials that a program gives, as a kubeconfig's `exec` asks (client.authentication.k8s.io, v1 and v1beta1).

The client would run the program without an end, and go on without credentials where it fails: here it is ended in time,
and a failure is told.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import typing as t

from ..base.command import TimeOver, run_bounded
from ..base.data import Object, dicts, mapping, texts
from ..base.errors import OrchestratorError

# Seconds for the program: logins in a browser are for a terminal, not for a playbook.
PATIENCE = 30
# Seconds before they expire at which credentials are asked for anew.
EARLY = 60
HINT = "Run it by hand as the user that runs Ansible, with Ansible's environment, until it prints credentials."
# Providers that client-go has no more (since v1.26), so that neither kubectl nor Helm could go on.
GONE = ("gcp", "azure")


class Credentials(t.NamedTuple):
    """user: what takes the place of the kubeconfig's user; expiry: when it ends, None for never."""

    user: Object
    expiry: datetime.datetime | None

    @property
    def expired(self) -> bool:
        """Whether others are to be asked for."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return self.expiry is not None and now >= self.expiry - datetime.timedelta(seconds=EARLY)


def check_provider(user: Object) -> None:
    """Raise OrchestratorError for a user whose credentials come in a way that no client has any more."""
    name = mapping(user.get("auth-provider")).get("name")
    if name in GONE:
        raise OrchestratorError(
            (
                f"The kubeconfig's user has the auth-provider {name}, which Kubernetes clients no longer support "
                "since v1.26."
            ),
            hint="Recreate the kubeconfig with exec: gke-gcloud-auth-plugin for gcp, kubelogin for azure.",
        )


def ask(spec: Object, folder: str, cluster: Object) -> Credentials:
    """Return what the program of a kubeconfig's exec gives; raise OrchestratorError.

    folder: of the kubeconfig, from which a program with a folder in its name counts; cluster: the kubeconfig's.
    """
    command, version = spec.get("command"), spec.get("apiVersion")
    if not isinstance(command, str) or not command or not isinstance(version, str):
        raise OrchestratorError(
            "The kubeconfig's exec has no command or no apiVersion.", hint=("Recreate the kubeconfig.")
        )
    line = [os.path.join(folder, command) if os.sep in command else command, *texts(spec.get("args"))]
    added = {str(one.get("name")): str(one.get("value") or "") for one in dicts(spec.get("env"))}
    info: Object = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    if spec.get("provideClusterInfo"):
        info["spec"]["cluster"] = _told(cluster)
    name = f"The program {os.path.basename(command)}, which the kubeconfig runs for credentials (exec),"
    try:
        done = run_bounded(
            line, {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(info)}, PATIENCE, children=True
        )
    except TimeOver as exc:
        raise OrchestratorError(f"{name} timed out after {PATIENCE}s.", hint=HINT) from exc
    except (OSError, ValueError) as exc:
        hint = spec.get("installHint") if isinstance(spec.get("installHint"), str) else "Install it, or correct PATH."
        reason = getattr(exc, "strerror", None) or exc
        raise OrchestratorError(f"{name} cannot be run: {reason}.", hint=hint) from exc
    if done.returncode:
        said = next(reversed(done.stderr.strip().splitlines()), "no reason given")
        raise OrchestratorError(f"{name} failed ({done.returncode}): {said}", hint=HINT)
    return _read(done.stdout, version, f"{name} returned no credentials")


# Of a kubeconfig's cluster, what a program that asks for it is told.
TOLD = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
EXTENSION = "client.authentication.k8s.io/exec"


def _told(cluster: Object) -> Object:
    found = {key: cluster[key] for key in TOLD if key in cluster}
    named = next((one for one in dicts(cluster.get("extensions")) if one.get("name") == EXTENSION), {})
    return {**found, **({"config": named["extension"]} if "extension" in named else {})}


def _read(text: str, version: str, what: str) -> Credentials:
    """Return what a program printed; its content, which is secret, is in no message."""
    try:
        reply = json.loads(text)
    except ValueError as exc:
        raise OrchestratorError(f"{what}: its output is not valid JSON.", hint=HINT) from exc
    if mapping(reply).get("apiVersion") != version:
        raise OrchestratorError(f"{what}: its apiVersion is not {version}, which the kubeconfig requires.", hint=HINT)
    status = mapping(reply.get("status"))
    user: Object = {}
    if status.get("token"):
        user["token"] = str(status["token"])
    if status.get("clientCertificateData") and status.get("clientKeyData"):
        pair = {"client-certificate-data": "clientCertificateData", "client-key-data": "clientKeyData"}
        user |= {key: _encoded(str(status[name])) for key, name in pair.items()}
    if not user:
        raise OrchestratorError(f"{what}: it has neither a token nor a certificate with its key.", hint=HINT)
    return Credentials(user, _time(status.get("expirationTimestamp")))


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _time(text: t.Any) -> datetime.datetime | None:
    """Return a time of RFC 3339, None for what is none: such credentials are used until they are refused."""
    try:
        found = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the models of the LLM Router's classifier are: on a claim, to which a folder may be sent, or behind a URL."""

from __future__ import annotations

import functools
import os
import posixpath
import typing as t

from ..base import formats
from ..base.data import Object, Values, dig, mapping
from ..base.errors import OrchestratorError
from ..base.findings import WARNING, Findings
from ..charts.fetch import default_cache_dir
from ..objects.policies import ENSEMBLE, Policy, ensemble_of
from ..upload.content import FolderContent, read_content
from ..values.layers import Layer, locate
from .base import UPLOAD, Part, Stack, named
from .router_values import CLAIM, MOUNT, REPOSITORY, SERVER, VOLUME, RouterSettings

VARIABLE = "llm_router_model_repository"
REPOSITORY_KEYS: dict[str, type] = {
    "source": str,
    "existing_claim": str,
    "claim": str,
    "size": str,
    "storage_class": str,
    "access_mode": str,
    "path": str,
}
FORMATS = {
    "existing_claim": formats.dns_name,
    "claim": formats.dns_name,
    "storage_class": formats.dns_name,
    "size": formats.quantity,
}
MODES = ("ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod")
OF_A_NEW_CLAIM = ("claim", "size", "storage_class", "access_mode")
# Triton's file of a model; an ensemble's needs none where its parts tell all, but those of the router have one.
MODEL_FILE = "config.pbtxt"
IN_CLAIM = "/upload"
# As the chart's own pods run; a claim's files have to be theirs.
_POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534}
_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_RESOURCES = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}}


class RouterModels:
    """The classifier's models, as the role's variables have them."""

    def __init__(self, given: Values, user: Values, stack: Stack, findings: Findings) -> None:
        """user: the user's values, which the variables may leave it to."""
        self.given, self.user, self.stack, self.findings = given, user, stack, findings
        self.entry: Values = given["model_repository"]

    @property
    def path(self) -> str:
        """Where they are in the claim, or their URL."""
        return str(self.entry.get("path") or self._path_of_values() or "routers").strip("/")

    def _path_of_values(self) -> str:
        """Return where the user's values have Triton look, inside the claim."""
        path = str(dig(self.user, REPOSITORY) or "")
        mount = str(dig(self.user, (*VOLUME, "mountPath")) or MOUNT)
        return path if "://" in path else posixpath.relpath(path, mount) if path else ""

    @property
    def claim(self) -> str:
        """The claim's name, "" where the values say where the models are."""
        named_ = str(self.entry.get("existing_claim") or self.entry.get("claim") or "")
        asked = any(self.entry.get(key) for key in ("source", *OF_A_NEW_CLAIM))
        return named_ or (self._claim_of_values() or f"{self.given['release_name']}-models" if asked else "")

    def _claim_of_values(self) -> str:
        return str(dig(self.user, (*CLAIM, "existingClaim")) or "")

    @property
    def digest(self) -> str:
        """What tells the content that is sent from another, "" where none is."""
        return self.content.digest if self.content else ""

    @functools.cached_property
    def content(self) -> FolderContent | None:
        """What is to be sent; None for nothing, or where it cannot be."""
        source = self.entry.get("source")
        if not source:
            return None
        source = os.path.expanduser(source)
        tried = [os.path.join(folder, source) for folder in (*self.stack.loader.search_paths, os.getcwd())]
        root = next((os.path.abspath(path) for path in tried if os.path.isdir(path)), None)
        if root is None:
            text = f"folder not found: {source!r}"
            fix = "use a folder in one of: " + ", ".join(dict.fromkeys(map(os.path.dirname, tried)))
            self.findings.add(f"{VARIABLE}.source", text, fix, rule="input-router-models")
            return None
        try:
            return read_content(root, self.stack.params.get("chart_cache") or default_cache_dir())
        except OrchestratorError as exc:
            self.findings.add(f"{VARIABLE}.source", exc.message, exc.hint, rule="input-router-models")
            return None

    def check(self, layers: t.Sequence[Layer]) -> None:
        """Note what is wrong with the variable, and with values that say otherwise. layers: the user's values."""
        for key, of_values, path in (
            ("claim", self._claim_of_values(), (*CLAIM, "existingClaim")),
            ("path", self._path_of_values(), REPOSITORY),
        ):
            mine = getattr(self, key)
            if self.claim and of_values and mine != of_values:
                where = locate(layers, path, "llm_router_values")
                text = f"sets the classifier's folder to {of_values}, but {VARIABLE} sets it to {mine}"
                self.findings.add(where, text, f"use the same {key}, or remove it here", rule="input-claim")
        for key, check in FORMATS.items():
            problem = check(self.entry[key]) if self.entry.get(key) else None
            if problem:
                self.findings.add(f"{VARIABLE}.{key}", problem.what, problem.fix, rule=problem.rule)
        mode, new = self.entry.get("access_mode"), [key for key in OF_A_NEW_CLAIM if self.entry.get(key)]
        if mode and mode not in MODES:
            self.findings.add(
                f"{VARIABLE}.access_mode", (f"{mode!r} is not a valid choice"), "use one of: " + ", ".join(MODES)
            )
        if self.entry.get("existing_claim") and new:
            text = f"conflicts with {new[0]}, which is for a new claim: both are set"
            self.findings.add(f"{VARIABLE}.existing_claim", text, "set only one of them", rule="input-claim")
        self._check_path(layers)
        if self.claim and "://" not in self.path:
            self._check_filled()
        elif not (self.claim or "://" in self.path or dig(self.user, VOLUME) or dig(self.user, REPOSITORY)):
            fix = (
                "set source to the folder with the classifier's models, existing_claim to a claim that contains "
                "them, or path to a URL"
            )
            self.findings.add(
                VARIABLE, ("is empty: the classifier would find no models"), fix, rule="input-router-models"
            )

    def _check_path(self, layers: t.Sequence[Layer]) -> None:
        """Note a folder that is none of the claim, where it was written: in the variable, or in the user's values."""
        where, shown, fix = f"{VARIABLE}.path", self.path, "routers"
        if not self.entry.get("path") and self._path_of_values():
            mount = str(dig(self.user, (*VOLUME, "mountPath")) or MOUNT)
            where, shown = locate(layers, REPOSITORY, "llm_router_values"), str(dig(self.user, REPOSITORY))
            fix = posixpath.join(mount, "routers")
        if "://" in self.path and self.claim:
            text = f"is a URL ({shown}), which cannot be combined with a claim"
            self.findings.add(where, text, "use a folder in the claim, or no claim", rule="input-claim")
        elif self.path.startswith(".") or ".." in self.path.split("/"):
            self.findings.add(where, f"{shown!r} is not a valid folder in the claim", fix, rule="input-value")

    def _check_filled(self) -> None:
        if not self.entry.get("existing_claim") and not self.entry.get("source"):
            text = f"the claim {self.claim} is created empty: the classifier starts once the claim contains models"
            fix = f"{VARIABLE}.source"
            self.findings.add(VARIABLE, text, fix, rule="input-router-models", severity=WARNING)

    def check_models(self, policies: t.Sequence[Policy]) -> None:
        """Note a folder that is at the wrong level, or lacks what policies ask the classifier for."""
        if self.content is None:
            return
        where, root = f"{VARIABLE}.source", self.content.root
        models = _models(self.content)
        if not models:
            deeper = sorted({path.split("/")[0] for path in self.content.files if path.endswith(f"/{MODEL_FILE}")})
            fix = (
                os.path.join(root, deeper[0])
                if len(deeper) == 1
                else "use the folder whose subfolders are Triton's models"
            )
            if MODEL_FILE in self.content.files:
                fix = os.path.dirname(root)
            text = f"no subfolder of {root} has a {MODEL_FILE}"
            self.findings.add(where, text, fix, rule="input-router-models")
            return
        wanted = [f"{name}{ENSEMBLE}" for policy in policies if (name := ensemble_of(policy.url))]
        missing = [name for name in dict.fromkeys(wanted) if name not in models]
        if missing:
            text = (
                f"{root} does not contain {', '.join(missing)}, which the policies need; it contains "
                f"{', '.join(models)}"
            )
            self.findings.add(where, text, "use a folder with all of the router's models", rule="input-router-models")

    def claims(self, namespace: str) -> list[Object]:
        """Return the claim where one is to be made."""
        if not self.claim or self.entry.get("existing_claim"):
            return []
        spec: Object = {
            "accessModes": [self.entry.get("access_mode") or MODES[0]],
            "resources": {"requests": {"storage": self.entry.get("size") or "100Gi"}},
        }
        if self.entry.get("storage_class"):
            spec["storageClassName"] = self.entry["storage_class"]
        return [{**named("v1", "PersistentVolumeClaim", self.claim, namespace), "spec": spec}]

    def uploads(self, component: str, namespace: str, values: Values, wanted: RouterSettings) -> list[Part]:
        """Return what sends the content to the claim. values: the release's, by which its pods are placed and run."""
        if self.content is None or "://" in self.path:
            return []
        name = f"{self.given['release_name']}-upload"
        pod = self._pod(name, namespace, values, wanted)
        place = {"source": self.content.root, "claim": self.claim, "path": self.path, "pod": pod}
        # No object stays that a record would have to know.
        spec: Object = {**place, "digest": self.digest, "objects": []}
        return [Part(component, name, namespace, UPLOAD, spec, f"{VARIABLE}.source")]

    def _pod(self, name: str, namespace: str, values: Values, wanted: RouterSettings) -> Object:
        seconds = max(60, int(self.given["wait_timeout"] or 0))
        path = (*SERVER, "securityContext", "pod")
        security = mapping(dig(values, path) or dig(wanted.own, path)) or _POD_SECURITY
        container = {
            "name": "upload",
            "image": self.given["upload_image"],
            "command": ["sleep", str(seconds)],
            "workingDir": IN_CLAIM,
            "volumeMounts": [{"name": "models", "mountPath": IN_CLAIM}],
            "securityContext": _SECURITY,
            "resources": _RESOURCES,
        }
        spec: Object = {
            "restartPolicy": "Never",
            # It ends by itself where nobody is left to remove it.
            "activeDeadlineSeconds": seconds,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, **security},
            "containers": [container],
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": self.claim}}],
            **_placement(self.given["release_name"], values),
        }
        secrets = dig(values, ("global", "imagePullSecrets"))
        if isinstance(secrets, list) and secrets:
            spec["imagePullSecrets"] = secrets
        labels = {
            "app.kubernetes.io/name": "llm-router-upload",
            "app.kubernetes.io/instance": self.given["release_name"],
        }
        pod = named("v1", "Pod", name, namespace)
        return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def _models(content: FolderContent) -> list[str]:
    """Return the sub-folders that are Triton's models."""
    files = [posixpath.split(path) for path in content.files]
    return sorted({folder for folder, name in files if name == MODEL_FILE and folder and "/" not in folder})


def _placement(release: str, values: Values) -> Object:
    """Return where the pod may go: where the classifier may, since a volume can be bound to a node or a zone by its
    first pod; and beside the classifier that runs, since a claim may be for one node."""
    found: Object = {key: values[key] for key in ("nodeSelector", "tolerations") if values.get(key)}
    labels = {"app.kubernetes.io/instance": release, "app.kubernetes.io/component": "router-server"}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    beside = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    affinity = mapping(dig(values, (*SERVER, "affinity")) or values.get("affinity"))
    return {**found, "affinity": {**affinity, "podAffinity": {**mapping(affinity.get("podAffinity")), **beside}}}

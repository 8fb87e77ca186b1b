# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an OpenShift security context constraint (SCC) refuses of a pod, and who may use which.

After OpenShift's documentation, Managing security context constraints, and its API security.openshift.io/v1.
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object, dicts, mapping
from .pod_security import Path, Refusal, containers

UIDS = "openshift.io/sa.scc.uid-range"
GROUPS = "openshift.io/sa.scc.supplemental-groups"
LEVEL = "openshift.io/sa.scc.mcs"
# OpenShift binds this one to every authenticated user.
GIVEN = "restricted-v2"
ROLE_PREFIX = "system:openshift:scc:"

# What restricted-v2 is where SCCs may not be listed.
RESTRICTED_V2: Object = {
    "metadata": {"name": GIVEN},
    "allowPrivilegeEscalation": False,
    "allowedCapabilities": ["NET_BIND_SERVICE"],
    "runAsUser": {"type": "MustRunAsRange"},
    "fsGroup": {"type": "MustRunAs"},
    "seLinuxContext": {"type": "MustRunAs"},
    "seccompProfiles": ["runtime/default"],
    "volumes": [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ],
}

_HOST = (("hostNetwork", "allowHostNetwork"), ("hostPID", "allowHostPID"), ("hostIPC", "allowHostIPC"))


def refusals(scc: Object, spec: Object, annotations: Object) -> list[Refusal]:
    """Return what an SCC refuses of a pod's spec; annotations: of its namespace, for the ranges given there."""
    found = [Refusal(key, (key,), "true") for key, allowed in _HOST if spec.get(key) is True and not scc.get(allowed)]
    found += _volumes(scc, spec)
    pod = mapping(spec.get("securityContext"))
    found += _user(scc, pod, ("securityContext",), annotations)
    found += _group(scc, pod, annotations)
    found += _seccomp(scc, pod, ("securityContext",)) + _selinux(scc, pod, ("securityContext",), annotations)
    for path, container, context in containers(spec):
        place = (*path, "securityContext")
        found += _container(scc, path, container, context)
        found += _user(scc, context, place, annotations) + _seccomp(scc, context, place)
        found += _selinux(scc, context, place, annotations)
    return found


def _volumes(scc: Object, spec: Object) -> list[Refusal]:
    allowed = scc.get("volumes") or []
    found = []
    for index, volume in enumerate(dicts(spec.get("volumes"))):
        kind = next((key for key in volume if key != "name"), "emptyDir")
        if "*" in allowed or kind in allowed:
            continue
        if not (kind == "hostPath" and scc.get("allowHostDirVolumePlugin")):
            found.append(Refusal("volumes", ("volumes", index), f"{volume.get('name')} is of type {kind}"))
    return found


def _container(scc: Object, path: Path, container: Object, context: Object) -> list[Refusal]:
    place = (*path, "securityContext")
    found = []
    if context.get("privileged") is True and not scc.get("allowPrivilegedContainer"):
        found.append(Refusal("privileged", (*place, "privileged"), "true"))
    if context.get("allowPrivilegeEscalation") is True and scc.get("allowPrivilegeEscalation") is False:
        found.append(Refusal("allowPrivilegeEscalation", (*place, "allowPrivilegeEscalation"), "true"))
    allowed = [*(scc.get("allowedCapabilities") or []), *(scc.get("defaultAddCapabilities") or [])]
    for name in mapping(context.get("capabilities")).get("add") or []:
        if "*" not in allowed and name not in allowed:
            found.append(Refusal("capabilities", (*place, "capabilities", "add"), str(name)))
    for index, port in enumerate(dicts(container.get("ports"))):
        if port.get("hostPort") and not scc.get("allowHostPorts"):
            found.append(Refusal("hostPort", (*path, "ports", index, "hostPort"), str(port["hostPort"])))
    if scc.get("readOnlyRootFilesystem") and context.get("readOnlyRootFilesystem") is False:
        found.append(Refusal("readOnlyRootFilesystem", (*place, "readOnlyRootFilesystem"), "false"))
    return found


def _user(scc: Object, context: Object, place: Path, annotations: Object) -> list[Refusal]:
    wanted, rule = context.get("runAsUser"), mapping(scc.get("runAsUser"))
    if not isinstance(wanted, int):
        return []
    kind = rule.get("type")
    if kind == "MustRunAsNonRoot" and wanted != 0:
        return []
    if kind == "MustRunAs" and rule.get("uid") == wanted:
        return []
    limits: list[tuple[int, int]] | None = []
    if kind == "MustRunAsRange":
        low, high = rule.get("uidRangeMin"), rule.get("uidRangeMax")
        limits = [(low, high)] if isinstance(low, int) and isinstance(high, int) else ranges(annotations.get(UIDS))
        if limits is None and wanted != 0:
            return [_depends("runAsUser", place, wanted, UIDS)]
    if kind == "RunAsAny" or any(low <= wanted <= high for low, high in limits or []):
        return []
    return [Refusal("runAsUser", (*place, "runAsUser"), f"{wanted}{_span(limits)}")]


def _group(scc: Object, context: Object, annotations: Object) -> list[Refusal]:
    wanted, rule = context.get("fsGroup"), mapping(scc.get("fsGroup"))
    if not isinstance(wanted, int) or rule.get("type") != "MustRunAs":
        return []
    limits = [(entry["min"], entry["max"]) for entry in dicts(rule.get("ranges")) if {"min", "max"} <= set(entry)]
    known = limits or ranges(annotations.get(GROUPS) or annotations.get(UIDS))
    if known is None:
        return [_depends("fsGroup", ("securityContext",), wanted, GROUPS)]
    if any(low <= wanted <= high for low, high in known[:1]):
        return []
    return [Refusal("fsGroup", ("securityContext", "fsGroup"), f"{wanted}{_span(known)}")]


def _seccomp(scc: Object, context: Object, place: Path) -> list[Refusal]:
    profile = mapping(context.get("seccompProfile"))
    names = {"RuntimeDefault": "runtime/default", "Unconfined": "unconfined"}
    wanted = names.get(str(profile.get("type"))) or f"localhost/{profile.get('localhostProfile')}"
    allowed = [str(entry) for entry in scc.get("seccompProfiles") or []]
    if (
        not profile.get("type")
        or "*" in allowed
        or wanted in allowed
        or wanted.startswith("localhost/")
        and "localhost/*" in allowed
    ):
        return []
    return [Refusal("seccompProfile", (*place, "seccompProfile", "type"), str(profile["type"]))]


def _selinux(scc: Object, context: Object, place: Path, annotations: Object) -> list[Refusal]:
    options, rule = mapping(context.get("seLinuxOptions")), mapping(scc.get("seLinuxContext"))
    if not options or rule.get("type") != "MustRunAs":
        return []
    required = {"level": annotations.get(LEVEL), **mapping(rule.get("seLinuxOptions"))}
    if all(options.get(key, "") == (value or "") for key, value in required.items()) and set(options) <= set(required):
        return []
    return [Refusal("seLinuxOptions", (*place, "seLinuxOptions"), "other than the namespace's")]


def _depends(name: str, place: Path, wanted: int, annotation: str) -> Refusal:
    return Refusal(f"{name}?", (*place, name), f"{wanted}, but the namespace's {annotation} is unknown")


def depends(refusal: Refusal) -> bool:
    """Return whether a refusal hangs on an annotation of the namespace that is not known."""
    return refusal.name.endswith("?")


def _span(limits: list[tuple[int, int]] | None) -> str:
    return ", the namespace has " + ", ".join(f"{low} to {high}" for low, high in limits) if limits else ""


def ranges(text: t.Any) -> list[tuple[int, int]] | None:
    """Return the ranges of an annotation ('1000680000/10000' or '1-9', by commas), None where it is absent or odd."""
    found = []
    for part in str(text or "").split(","):
        match = re.fullmatch(r"\s*(\d+)\s*([/-])\s*(\d+)\s*", part)
        if match is None:
            return None
        low, high = int(match[1]), int(match[3])
        found.append((low, low + high - 1 if match[2] == "/" else high))
    return found


def usable(sccs: t.Iterable[Object], bindings: t.Iterable[Object], namespace: str, account: str) -> set[str]:
    """Return the names of the SCCs that a ServiceAccount may use: by the SCC itself, or by a role named after it.

    bindings: RoleBindings of the namespace and ClusterRoleBindings.
    """
    user = f"system:serviceaccount:{namespace}:{account}"
    groups = {"system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"}
    found = {GIVEN}
    for scc in sccs:
        if user in (scc.get("users") or []) or groups & set(scc.get("groups") or []):
            found.add(str(mapping(scc.get("metadata")).get("name")))
    for binding in bindings:
        role = str(mapping(binding.get("roleRef")).get("name"))
        place = mapping(binding.get("metadata")).get("namespace")
        here = role.startswith(ROLE_PREFIX) and place in (None, "", namespace)
        if here and any(_is(entry, namespace, account, groups) for entry in dicts(binding.get("subjects"))):
            found.add(role.removeprefix(ROLE_PREFIX))
    return found


def other_roles(bindings: t.Iterable[Object], namespace: str, account: str) -> set[tuple[str, str]]:
    """Return (kind, name) of the roles that a ServiceAccount itself has and that are not named after an SCC.

    Their rules may allow the verb use of any SCC.
    """
    found = set()
    for binding in bindings:
        ref = mapping(binding.get("roleRef"))
        near = mapping(binding.get("metadata")).get("namespace") in (None, "", namespace)
        mine = any(_is(entry, namespace, account, set()) for entry in dicts(binding.get("subjects")))
        if near and mine and not str(ref.get("name")).startswith(ROLE_PREFIX):
            found.add((str(ref.get("kind")), str(ref.get("name"))))
    return found


def _is(entry: Object, namespace: str, account: str, groups: set[str]) -> bool:
    if entry.get("kind") == "ServiceAccount":
        return (entry.get("namespace") or namespace, entry.get("name")) == (namespace, account)
    name = entry.get("name")
    return name in groups if entry.get("kind") == "Group" else name == f"system:serviceaccount:{namespace}:{account}"

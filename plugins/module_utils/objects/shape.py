# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The shape of the objects that are read here: which fields are maps, lists or plain values.

A manifest may hold anything. It is brought into its kind's shape once, where it is read: what does not fit is told, and
left out, so that whoever reads the object after that finds maps where maps belong. Values of plain fields are not
looked at: what the API takes there is the API server's to say.

After the API references of Kubernetes 1.34, the Gateway API v1.4, its inference extension v1.3, LeaderWorkerSet v0.7.
"""

from __future__ import annotations

import typing as t

from ..base.apis import ALPHA_POOL_GROUP, GATEWAY_GROUP, POOL_GROUP
from ..base.data import Object, mapping
from ..base.data import kind as _kind
from ..base.findings import short

Path = tuple[t.Any, ...]
# What is wrong with an object: the path, and what stands there instead of what.
Flaw = tuple[Path, str]


class Misshapen(t.NamedTuple):
    """An object with something that does not fit its kind. body: the whole object; path: () for all of it."""

    body: Object
    path: Path
    text: str


# A shape is PLAIN (text, number, true or false), TEXT, ANY, [of a list], or a map of fields; "*" is every other field.
PLAIN, TEXT, ANY = "plain", "text", "any"
Shape = t.Any
_TEXTS: Shape = {"*": PLAIN}
_WORDS: Shape = [PLAIN]
# Fields that are plain wherever they stand in these kinds; an API that is newer may have others of any shape.
_FIELDS: Shape = dict.fromkeys(
    (
        *(
            "name",
            "namespace",
            "kind",
            "group",
            "apiGroup",
            "sectionName",
            "type",
            "key",
            "operator",
            "value",
            "effect",
        ),
        *("image", "imagePullPolicy", "restartPolicy", "protocol", "host", "path", "port", "number", "portNumber"),
        *("containerPort", "hostPort", "targetPort", "appProtocol", "weight", "hostname", "mode", "from", "mountPath"),
        *("subPath", "topologyKey", "priorityClassName", "runtimeClassName", "serviceAccountName", "nodeName"),
        *("schedulerName", "hostNetwork", "hostPID", "hostIPC", "privileged", "runAsUser", "runAsGroup", "fsGroup"),
        *("runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "procMount", "preemptionPolicy"),
        *("claimName", "secretName", "resourceClaimName", "resourceClaimTemplateName", "method", "replicas"),
    ),
    PLAIN,
)
_ROWS: Shape = [_FIELDS]
_EXPRESSIONS: Shape = [{**_FIELDS, "values": _WORDS}]
_SELECTOR: Shape = {"matchLabels": _TEXTS, "matchExpressions": _EXPRESSIONS}
METADATA: Shape = {
    **dict.fromkeys(("name", "generateName", "namespace"), TEXT),
    **dict.fromkeys(("uid", "deletionTimestamp", "creationTimestamp"), PLAIN),
    **dict.fromkeys(("labels", "annotations"), _TEXTS),
    "ownerReferences": _ROWS,
    "finalizers": _WORDS,
    "managedFields": [{"*": ANY}],
}
_PROBE: Shape = {
    "httpGet": {"httpHeaders": _ROWS, **_FIELDS},
    **dict.fromkeys(("tcpSocket", "grpc"), _TEXTS),
    "exec": {"command": _WORDS},
    **_FIELDS,
}
_RESOURCES: Shape = {**dict.fromkeys(("limits", "requests"), _TEXTS), "claims": _ROWS}
_MARKS: Shape = dict.fromkeys(("seLinuxOptions", "seccompProfile", "appArmorProfile", "windowsOptions"), _TEXTS)
_CONTAINER: Shape = {
    **dict.fromkeys(("command", "args"), _WORDS),
    "env": [{"valueFrom": {"*": _TEXTS}, **_FIELDS}],
    "envFrom": [{"prefix": PLAIN, "*": _TEXTS}],
    **dict.fromkeys(("ports", "volumeMounts", "volumeDevices", "resizePolicy"), _ROWS),
    "resources": _RESOURCES,
    **dict.fromkeys(("startupProbe", "livenessProbe", "readinessProbe"), _PROBE),
    "lifecycle": {"stopSignal": PLAIN, "*": {"*": ANY}},
    "securityContext": {**_MARKS, "capabilities": {"*": _WORDS}, **_FIELDS},
    "restartPolicyRules": [{"*": ANY}],
    **_FIELDS,
}
_NODE_TERM: Shape = {"*": _EXPRESSIONS}
_POD_TERM: Shape = {
    **dict.fromkeys(("labelSelector", "namespaceSelector"), _SELECTOR),
    **dict.fromkeys(("namespaces", "matchLabelKeys", "mismatchLabelKeys"), _WORDS),
    **_FIELDS,
}
_REQUIRED, _PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
_NEAR: Shape = {_REQUIRED: [_POD_TERM], _PREFERRED: [{"podAffinityTerm": _POD_TERM, "weight": PLAIN}]}
_AFFINITY: Shape = {
    "nodeAffinity": {
        _REQUIRED: {"nodeSelectorTerms": [_NODE_TERM]},
        _PREFERRED: [{"preference": _NODE_TERM, "weight": PLAIN}],
    },
    **dict.fromkeys(("podAffinity", "podAntiAffinity"), _NEAR),
}
_KEYS: Shape = {"items": _ROWS, **_FIELDS}
_VOLUME: Shape = {
    "name": PLAIN,
    **dict.fromkeys(("configMap", "secret"), _KEYS),
    **dict.fromkeys(("persistentVolumeClaim", "emptyDir", "hostPath", "nfs", "image"), _TEXTS),
    "projected": {"sources": [{"*": {"*": ANY}}], **_FIELDS},
    "*": {"*": ANY},
}
POD: Shape = {
    **dict.fromkeys(("containers", "initContainers", "ephemeralContainers"), [_CONTAINER]),
    "volumes": [_VOLUME],
    **dict.fromkeys(("nodeSelector", "overhead", "os"), _TEXTS),
    **dict.fromkeys(("imagePullSecrets", "tolerations", "readinessGates", "schedulingGates", "resourceClaims"), _ROWS),
    "affinity": _AFFINITY,
    "topologySpreadConstraints": [{"labelSelector": _SELECTOR, "matchLabelKeys": _WORDS, **_FIELDS}],
    "securityContext": {**_MARKS, "supplementalGroups": _WORDS, "sysctls": _ROWS, **_FIELDS},
    "resources": _RESOURCES,
    "dnsConfig": {"options": _ROWS, "*": _WORDS},
    "hostAliases": [{"ip": PLAIN, "hostnames": _WORDS}],
    "evictionResponders": [{"*": ANY}],
    "schedulingGroup": {"*": ANY},
    **_FIELDS,
}
TEMPLATE: Shape = {"metadata": METADATA, "spec": POD}
_STRATEGY: Shape = {"rollingUpdate": _TEXTS, **_FIELDS}
_WORKLOAD: Shape = {
    "selector": _SELECTOR,
    "template": TEMPLATE,
    **dict.fromkeys(("strategy", "updateStrategy"), _STRATEGY),
    "volumeClaimTemplates": [{"metadata": METADATA, "spec": {"*": ANY}}],
}
_ROUTE_MATCH: Shape = {**_FIELDS, **dict.fromkeys(("headers", "queryParams"), _ROWS), "path": _TEXTS}
_FILTERS: Shape = [{"type": PLAIN, "*": {"*": ANY}}]
_ROUTE: Shape = {
    "parentRefs": [_FIELDS],
    "hostnames": _WORDS,
    "rules": [
        {
            "matches": [_ROUTE_MATCH],
            "backendRefs": [{"filters": _FILTERS, **_FIELDS}],
            "filters": _FILTERS,
            "timeouts": _TEXTS,
            "name": PLAIN,
        }
    ],
}
_LISTENER: Shape = {
    "allowedRoutes": {"namespaces": {"from": PLAIN, "selector": _SELECTOR}, "kinds": [_FIELDS]},
    "tls": {"certificateRefs": [_FIELDS], "options": _TEXTS, "mode": PLAIN, "*": ANY},
    **_FIELDS,
}
_GATEWAY: Shape = {
    "gatewayClassName": PLAIN,
    "listeners": [_LISTENER],
    "addresses": _ROWS,
    "infrastructure": {**dict.fromkeys(("labels", "annotations", "parametersRef"), _TEXTS)},
}
_POOL: Shape = {
    "selector": {"matchLabels": _TEXTS},
    "targetPorts": _ROWS,
    "endpointPickerRef": {**_FIELDS, "port": _TEXTS},
}
_OLD_POOL: Shape = {"selector": _TEXTS, "targetPortNumber": PLAIN, "extensionRef": _FIELDS}
_GROUP: Shape = {
    "replicas": PLAIN,
    "leaderWorkerTemplate": {
        **dict.fromkeys(("leaderTemplate", "workerTemplate"), TEMPLATE),
        "*": ANY,
    },
}
_SERVICE: Shape = {"selector": _TEXTS, "ports": _ROWS}
_MONITOR: Shape = {
    "selector": _SELECTOR,
    "namespaceSelector": {"any": PLAIN, "matchNames": _WORDS},
    **dict.fromkeys(("podMetricsEndpoints", "endpoints"), [{"*": ANY}]),
}
_CLAIM: Shape = {"accessModes": _WORDS, "resources": _RESOURCES, "selector": _SELECTOR}
_RULE: Shape = dict.fromkeys(("apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"), _WORDS)
_ROLE: Shape = {"rules": [_RULE]}
_BINDING: Shape = {"roleRef": _FIELDS, "subjects": _ROWS}
_SCALER: Shape = {"scaleTargetRef": _TEXTS}
_DATA: Shape = dict.fromkeys(("data", "stringData", "binaryData"), _TEXTS)
_ACCOUNT: Shape = dict.fromkeys(("imagePullSecrets", "secrets"), _ROWS)
# By group and kind, of fields beside metadata; where only a spec is given, the object has no others that are read.
_SPECS: dict[str, dict[str, Shape]] = {
    "apps": dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"), _WORKLOAD),
    "batch": {"Job": _WORKLOAD, "CronJob": {"jobTemplate": {"metadata": METADATA, "spec": _WORKLOAD}}},
    "": {"Pod": POD, "Service": _SERVICE, "PersistentVolumeClaim": _CLAIM},
    GATEWAY_GROUP: {"HTTPRoute": _ROUTE, "Gateway": _GATEWAY},
    POOL_GROUP: {"InferencePool": _POOL},
    ALPHA_POOL_GROUP: {"InferencePool": _OLD_POOL},
    "leaderworkerset.x-k8s.io": {"LeaderWorkerSet": _GROUP},
    "monitoring.coreos.com": dict.fromkeys(("PodMonitor", "ServiceMonitor"), _MONITOR),
    "autoscaling": {"HorizontalPodAutoscaler": _SCALER},
    "keda.sh": {"ScaledObject": _SCALER},
    "networking.istio.io": {"DestinationRule": {"host": PLAIN, "trafficPolicy": {"*": ANY}}},
}
_BODIES: dict[str, dict[str, Shape]] = {
    "": {"ConfigMap": _DATA, "Secret": _DATA, "ServiceAccount": _ACCOUNT},
    "rbac.authorization.k8s.io": {
        **dict.fromkeys(("Role", "ClusterRole"), _ROLE),
        **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), _BINDING),
    },
}


def sound(body: Object) -> tuple[Object, list[Flaw]]:
    """Return an object in the shape of its kind, without what does not fit, and what that was.

    An object that fits is returned as it is. Keys are texts, as the API's JSON has them.
    """
    group, name = str(body.get("apiVersion") or "").rpartition("/")[0], str(body.get("kind"))
    shape = {"metadata": METADATA, **_BODIES.get(group, {}).get(name, {}), "*": ANY}
    if name in _SPECS.get(group, {}):
        shape["spec"] = _SPECS[group][name]
    flaws: list[Flaw] = []
    return _fitted(body, shape, (), flaws), flaws


def objects_in(documents: t.Iterable[t.Any]) -> tuple[list[Object], list[Misshapen]]:
    """Return the objects of documents in the shapes of their kinds, lists opened up, and what did not fit.

    What has no apiVersion, kind or name is no object: nobody could say which one it is.
    """
    found: list[Object] = []
    misfits: list[Misshapen] = []
    for body in _opened(documents):
        unknown = _unknown(body)
        if unknown:
            misfits.append(Misshapen(mapping(body), (), unknown))
            continue
        item, flaws = sound(body)
        found.append(item)
        misfits += [Misshapen(body, *flaw) for flaw in flaws]
    return found, misfits


def _opened(documents: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
    for document in documents:
        if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
            items = document["items"]
            yield from items if isinstance(items, list) else []
        elif document not in (None, {}, []):
            yield document


def _unknown(body: t.Any) -> str:
    """Return what an object lacks to be known by, "" for nothing."""
    if not isinstance(body, dict):
        return f"must be a map, not a {_kind(body)}"
    for key in ("apiVersion", "kind"):
        if not isinstance(body.get(key), str) or not body[key]:
            return f"has no {key}"
    name = mapping(body.get("metadata")).get("name")
    if name and not isinstance(name, str):
        return f"has a {_kind(name)} as metadata.name ({short(str(name))}): put it in quotes"
    return "" if name else "has no metadata.name"


_MISFIT = object()


def _fitted(value: t.Any, shape: Shape, path: Path, flaws: list[Flaw]) -> t.Any:
    """Return a value in a shape; note what does not fit. What fits is not copied."""
    if value is None:
        return value
    if shape is ANY:
        return _texted(value)
    if shape is TEXT and not isinstance(value, str):
        flaws.append((path, f"must be a string, not a {_kind(value)}"))
        return _MISFIT
    wanted = "list" if isinstance(shape, list) else "map" if isinstance(shape, dict) else ""
    found = "list" if isinstance(value, list) else "map" if isinstance(value, dict) else ""
    if wanted != found:
        flaws.append((path, f"must be a {wanted or 'single value'}, not a {_kind(value)}"))
        return _MISFIT
    if wanted == "list":
        items = [_fitted(item, shape[0], (*path, index), flaws) for index, item in enumerate(value)]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return [item for item in items if item is not _MISFIT] if changed else value
    return _fitted_map(value, shape, path, flaws) if wanted == "map" else value


def _fitted_map(value: Object, shape: Shape, path: Path, flaws: list[Flaw]) -> Object:
    rest = shape.get("*", ANY)
    fitted: Object = {}
    changed = False
    for key, old in value.items():
        name = key if isinstance(key, str) else _as_json(key)
        new = _fitted(old, shape.get(name, rest), (*path, name), flaws)
        changed = changed or new is not old or name is not key
        if new is not _MISFIT:
            fitted[name] = new
    return fitted if changed else value


def _texted(value: t.Any) -> t.Any:
    """Return a value whose keys are texts; one that has no others is not copied."""
    if isinstance(value, list):
        items = [_texted(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return _fitted_map(value, {}, (), []) if isinstance(value, dict) else value


def _as_json(key: t.Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)

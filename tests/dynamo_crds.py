# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the Dynamo definitions of the lab's charts from the tables below: python tests/dynamo_crds.py [--check].

Fields and types are those of the published definitions, as far as anybody writes them; what is rarely used stays open
below the depth at which a misspelt name is likely.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import yaml

CHARTS = pathlib.Path(__file__).resolve().parents[1] / "roles" / "lab" / "files" / "charts"
HEADER = "# Made by tests/dynamo_crds.py.\n"
SMALL = 150
KEEP = {"helm.sh/resource-policy": "keep"}
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
OPEN: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
QUANTITY: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}


def fields(required: str = "", **properties: Schema) -> Schema:
    """An object of known fields."""
    made: Schema = {"type": "object", "properties": properties}
    return {**made, "required": required.split()} if required else made


def each(names: str, schema: Schema) -> dict[str, Schema]:
    """Fields of one schema."""
    return dict.fromkeys(names.split(), schema)


def several(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def named(values: Schema) -> Schema:
    """A map of free keys."""
    return {"type": "object", "additionalProperties": values}


def choice(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


KEY = fields("key", key=TEXT, name=TEXT, optional=FLAG)
ENV = fields(
    "name",
    **each("name value", TEXT),
    valueFrom=fields(
        configMapKeyRef=KEY,
        secretKeyRef=KEY,
        fieldRef=fields("fieldPath", **each("apiVersion fieldPath", TEXT)),
        resourceFieldRef=fields("resource", **each("containerName resource", TEXT), divisor=QUANTITY),
    ),
)
PROBE = fields(
    exec=fields(command=several(TEXT)),
    grpc=fields("port", port=NUMBER, service=TEXT),
    httpGet=fields(
        "port",
        **each("host path scheme", TEXT),
        port=QUANTITY,
        httpHeaders=several(fields("name value", **each("name value", TEXT))),
    ),
    tcpSocket=fields("port", host=TEXT, port=QUANTITY),
    **each("failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds", NUMBER),
    terminationGracePeriodSeconds=NUMBER,
)
CONTAINER = fields(
    **each("args command", several(TEXT)),
    env=several(ENV),
    envFrom=several(
        fields(configMapRef=fields(name=TEXT, optional=FLAG), prefix=TEXT, secretRef=fields(name=TEXT, optional=FLAG))
    ),
    **each("image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy workingDir", TEXT),
    **each("lifecycle securityContext", OPEN),
    **each("livenessProbe readinessProbe startupProbe", PROBE),
    ports=several(
        fields("containerPort", **each("containerPort hostPort", NUMBER), **each("hostIP name protocol", TEXT))
    ),
    resizePolicy=several(OPEN),
    resources=fields(claims=several(OPEN), limits=named(QUANTITY), requests=named(QUANTITY)),
    **each("stdin stdinOnce tty", FLAG),
    volumeDevices=several(fields("devicePath name", **each("devicePath name", TEXT))),
    volumeMounts=several(
        fields(
            "mountPath name",
            **each("mountPath mountPropagation name recursiveReadOnly subPath subPathExpr", TEXT),
            readOnly=FLAG,
        )
    ),
)
KEY_PATHS = several(fields("key path", **each("key path", TEXT), mode=NUMBER))
VOLUME = fields(
    "name",
    name=TEXT,
    configMap=fields(name=TEXT, items=KEY_PATHS, defaultMode=NUMBER, optional=FLAG),
    secret=fields(secretName=TEXT, items=KEY_PATHS, defaultMode=NUMBER, optional=FLAG),
    emptyDir=fields(medium=TEXT, sizeLimit=QUANTITY),
    hostPath=fields("path", **each("path type", TEXT)),
    nfs=fields("path server", **each("path server", TEXT), readOnly=FLAG),
    persistentVolumeClaim=fields("claimName", claimName=TEXT, readOnly=FLAG),
    **each(
        "awsElasticBlockStore azureDisk azureFile cephfs cinder csi downwardAPI ephemeral fc flexVolume flocker"
        " gcePersistentDisk gitRepo glusterfs image iscsi photonPersistentDisk portworxVolume projected quobyte rbd"
        " scaleIO storageos vsphereVolume",
        OPEN,
    ),
)
POD = fields(
    mainContainer=CONTAINER,
    **each("containers initContainers", several({**CONTAINER, "required": ["name"]})),
    ephemeralContainers=several(OPEN),
    volumes=several(VOLUME),
    affinity=fields(**each("nodeAffinity podAffinity podAntiAffinity", OPEN)),
    nodeSelector=named(TEXT),
    tolerations=several(fields(**each("effect key operator value", TEXT), tolerationSeconds=NUMBER)),
    topologySpreadConstraints=several(
        fields(
            "maxSkew topologyKey whenUnsatisfiable",
            **each("maxSkew minDomains", NUMBER),
            **each("nodeAffinityPolicy nodeTaintsPolicy topologyKey whenUnsatisfiable", TEXT),
            labelSelector=OPEN,
            matchLabelKeys=several(TEXT),
        )
    ),
    imagePullSecrets=several(fields(name=TEXT)),
    hostAliases=several(fields("ip", hostnames=several(TEXT), ip=TEXT)),
    dnsConfig=OPEN,
    os=fields("name", name=TEXT),
    overhead=named(QUANTITY),
    readinessGates=several(fields("conditionType", conditionType=TEXT)),
    resourceClaims=several(fields("name", **each("name resourceClaimName resourceClaimTemplateName", TEXT))),
    resources=OPEN,
    schedulingGates=several(fields("name", name=TEXT)),
    securityContext=OPEN,
    **each("activeDeadlineSeconds priority terminationGracePeriodSeconds", NUMBER),
    **each("automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers", FLAG),
    **each("setHostnameAsFQDN shareProcessNamespace", FLAG),
    **each("dnsPolicy hostname nodeName preemptionPolicy priorityClassName restartPolicy runtimeClassName", TEXT),
    **each("schedulerName serviceAccount serviceAccountName subdomain", TEXT),
)
AMOUNTS = fields(**each("cpu gpu memory", TEXT), custom=named(TEXT))
METADATA = fields(**each("annotations labels", named(TEXT)))
# One component: a service of a graph, and the better part of a DynamoComponentDeployment's spec.
COMPONENT = {
    **each("annotations labels", named(TEXT)),
    "autoscaling": fields(
        enabled=FLAG, **each("maxReplicas minReplicas", NUMBER), behavior=OPEN, metrics=several(OPEN)
    ),
    **each("componentType dynamoNamespace envFromSecret serviceName", TEXT),
    "envs": several(ENV),
    "extraPodMetadata": METADATA,
    "extraPodSpec": POD,
    "ingress": fields(
        **each("annotations labels", named(TEXT)),
        **each("enabled useVirtualService", FLAG),
        **each("host hostPrefix hostSuffix ingressControllerClassName virtualServiceGateway", TEXT),
        tls=fields(secretName=TEXT),
    ),
    **each("livenessProbe readinessProbe", PROBE),
    "multinode": fields("nodeCount", nodeCount={**NUMBER, "minimum": 2}),
    "replicas": {**NUMBER, "minimum": 0},
    "resources": fields(limits=AMOUNTS, requests=AMOUNTS),
    "sharedMemory": fields(disabled=FLAG, size=QUANTITY),
}
CLAIM = {**each("name storageClass volumeAccessMode", TEXT), "create": FLAG, "size": QUANTITY}
# 0.7.0 names claims once per graph and mounts them per service.
UNTIL_06 = {"pvc": fields(**CLAIM, mountPoint=TEXT)}
SINCE_07 = {
    "globalDynamoNamespace": FLAG,
    "modelRef": fields("name", **each("name revision", TEXT)),
    "scalingAdapter": fields(enabled=FLAG),
    "subComponentType": TEXT,
    "volumeMounts": several(fields("name", **each("mountPoint name", TEXT), useAsCompilationCache=FLAG)),
}
SINCE_10 = {
    "checkpoint": fields(checkpointRef=TEXT, enabled=FLAG, identity=OPEN, mode=choice("Auto", "Manual")),
    "eppConfig": fields(config=OPEN, configMapRef=KEY),
}
GRAPH = {"backendFramework": choice("sglang", "vllm", "trtllm"), "envs": several(ENV)}
GRAPH_UNTIL_06 = {"dynamoGraph": TEXT}
GRAPH_SINCE_07 = {
    "pvcs": several(fields("name", **CLAIM)),
    "restart": fields("id", id=TEXT, strategy=fields(order=several(TEXT), type=choice("Sequential", "Parallel"))),
}
CONDITIONS = several(
    fields(
        "lastTransitionTime message reason status type",
        **each("message reason type", TEXT),
        lastTransitionTime={**TEXT, "format": "date-time"},
        observedGeneration={**NUMBER, "format": "int64"},
        status=choice("True", "False", "Unknown"),
    )
)
SERVICE_STATUS = named(
    fields(
        **each("availableReplicas readyReplicas replicas updatedReplicas", NUMBER),
        componentKind=choice("PodClique", "PodCliqueScalingGroup", "Deployment", "LeaderWorkerSet"),
        componentName=TEXT,
        componentNames=several(TEXT),
    )
)
STATES = choice("initializing", "pending", "successful", "failed")


def column(name: str, path: str, kind: str = "string") -> Schema:
    return {"name": name, "type": kind, "jsonPath": path}


AGE = column("Age", ".metadata.creationTimestamp", "date")


def definition(
    kind: str, short: str, spec: Schema, status: Schema | None = None, columns: list[Schema] | None = None, **more: Any
) -> Schema:
    """A definition with one version, v1alpha1."""
    plural = f"{kind.lower()}s"
    properties = {**each("apiVersion kind", TEXT), "metadata": {"type": "object"}, "spec": spec}
    version: Schema = {"name": "v1alpha1", "served": True, "storage": True}
    if status is not None:
        properties["status"] = status
        version["subresources"] = {"status": {}, **more}
    if columns:
        version["additionalPrinterColumns"] = columns
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.nvidia.com", "annotations": KEEP},
        "spec": {
            "group": "nvidia.com",
            "names": {**names, **({"shortNames": [short]} if short else {})},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def graph(component: Schema, spec: Schema, status: Schema, columns: list[Schema] | None = None) -> Schema:
    services = named(fields(**component))
    return definition(
        "DynamoGraphDeployment",
        "dgd",
        fields(**GRAPH, **spec, services=services),
        fields(conditions=CONDITIONS, **status),
        columns,
    )


def component(parts: Schema, spec: Schema, status: Schema) -> Schema:
    available = column("Available", ".status.conditions[?(@.type=='Available')].status")
    return definition(
        "DynamoComponentDeployment",
        "dcd",
        fields(**parts, **spec, backendFramework=GRAPH["backendFramework"]),
        fields(conditions=CONDITIONS, podSelector=named(TEXT), **status),
        [available, AGE],
    )


MIDDLE = {**COMPONENT, **SINCE_07}
LATE = {**MIDDLE, **SINCE_10}
READY = column("Ready", '.status.conditions[?(@.type=="Ready")].status')
SERVICES = {"services": SERVICE_STATUS, "restart": OPEN}
LATE_STATUS = {**SERVICES, "state": STATES, "observedGeneration": NUMBER, "rollingUpdate": OPEN, "checkpoints": OPEN}
OLD_COMPONENT = each("dynamoComponent dynamoTag", TEXT)
REQUEST = definition("DynamoGraphDeploymentRequest", "dgdr", OPEN, OPEN)
MODEL = definition(
    "DynamoModel",
    "dm",
    fields("baseModelName modelName", **each("baseModelName modelName modelType", TEXT), source=OPEN),
    OPEN,
)
METADATA_OF_WORKER = definition("DynamoWorkerMetadata", "dwm", fields("data", data=OPEN), None, [AGE])
ADAPTER = definition(
    "DynamoGraphDeploymentScalingAdapter",
    "dgdsa",
    fields(
        "dgdRef replicas",
        dgdRef=fields("name serviceName", **each("name serviceName", TEXT)),
        replicas={**NUMBER, "minimum": 0},
    ),
    fields(lastScaleTime=TEXT, replicas=NUMBER, selector=TEXT),
    None,
    scale={
        "labelSelectorPath": ".status.selector",
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
    },
)
GRAPHS = {
    "early": graph({**COMPONENT, **UNTIL_06}, GRAPH_UNTIL_06, {"state": TEXT}),
    "middle": graph(MIDDLE, GRAPH_SINCE_07, {**SERVICES, "state": TEXT}),
    "late": graph(LATE, GRAPH_SINCE_07, LATE_STATUS, [READY, AGE]),
}
COMPONENTS = {
    "early": component({**COMPONENT, **UNTIL_06}, OLD_COMPONENT, {}),
    "middle": component(MIDDLE, OLD_COMPONENT, {"service": OPEN}),
    "late": component(LATE, {}, {"service": OPEN, "observedGeneration": NUMBER}),
}
LATER = {"0.6.0": REQUEST, "0.7.0": MODEL, "0.8.0": METADATA_OF_WORKER, "0.8.1": ADAPTER}


class _Plain(yaml.SafeDumper):
    """YAML in which the larger schemas that occur often are written once, as anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return len(str(data)) < SMALL


def text(content: Schema) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, default_flow_style=None, width=150)


def since(version: str, body: str, other: str = "") -> str:
    """A template's text for charts from a version on, and for those before it."""
    less = "{{- else }}\n" + other if other else ""
    return f'{{{{- if semverCompare ">={version}-0" .Chart.Version }}}}\n{body}{less}{{{{- end }}}}\n'


def files() -> dict[pathlib.Path, str]:
    """Path and text of every file that is made here."""
    early, late = CHARTS / "dynamo-crds" / "templates", CHARTS / "dynamo-platform-1.x" / "crds"
    made = {}
    for kinds in (GRAPHS, COMPONENTS):
        name = kinds["early"]["metadata"]["name"].partition(".")[0]
        made[early / f"{name}.tpl"] = HEADER + since("0.7.0", text(kinds["middle"]), text(kinds["early"]))
        made[late / f"{name}.yaml"] = HEADER + "---\n" + text(kinds["late"])
    for version, content in LATER.items():
        name = content["metadata"]["name"].partition(".")[0]
        made[early / f"{name}.tpl"] = HEADER + since(version, text(content))
        made[late / f"{name}.yaml"] = HEADER + "---\n" + text(content)
    return made


def main() -> None:
    stale = [path for path, content in files().items() if not path.exists() or path.read_text("utf-8") != content]
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"{path} is stale" for path in stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path], encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()

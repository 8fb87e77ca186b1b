# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: NVIDIA's LLM Router, its controller, its Triton server, and the config that is live.

Sources: NVIDIA-AI-Blueprints/llm-router v1 at d5111772 (crates/llm-router-gateway-api, deploy/helm/llm-router), Triton
24.10, and the recipe of ai-dynamo/dynamo PR 3045.
"""

from __future__ import annotations

import re
import typing as t

from ...base import plain_yaml
from ...base.data import Object, mapping
from ...base.words import sentence
from ...objects.pods import condition, container_states, waiting
from ...objects.policies import ConfigMistake, misfits
from ..base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from ..evidence import Evidence, clean, ref, seconds
from ..log_rules import Rules, log_rule
from ..rules_endpoints import has_ready, slices_of
from ..rules_images import image_of
from ..rules_start import KEY, SECRET

COMPONENT = "app.kubernetes.io/component"
CONTROLLER, SERVER = "router-controller", "router-server"
# Where the image's command line has its config, whatever the chart mounts.
FOLDER, FILE = "/app", "config.yaml"
# Seconds by which clocks and whole seconds may differ.
SLACK = 2.0
HELD = re.compile(r"Multi-Attach error", re.IGNORECASE)
NO_FILE = re.compile(r"Failed to load configuration: No such file or directory")
NO_GPU = re.compile(r"Insufficient nvidia\.com/gpu")

ROUTER: Rules = (
    log_rule(
        870, "The router's controller finds a field of its config empty",
        r"Missing field '(\w+)' in (LLM|policy) '([^']*)'",
        "A field of config.yaml is empty once ${VARIABLES} are replaced. An empty api_key counts as missing, even if "
        "the models require no key.",
        "Set the field. For api_key: any non-empty text in its Secret (none, for models that require no key); then "
        "restart the controller's Deployment.",
        "llm-router, config.rs: validate_config",
        key=1,
    ),
    log_rule(
        871, "The router's controller cannot read its config",
        r"Failed to load configuration: ((?!Missing field '|No such file).*)",
        "config.yaml is not valid YAML, or lacks a required field: each policy has name, url and llms, each class "
        "name, api_base, api_key and model, all of them strings.",
        "Correct the place in the message; the value of a ${VARIABLE} becomes part of the YAML.",
        "llm-router, config.rs",
        key=1,
    ),
    log_rule(
        873, "Triton's model repository does not exist",
        r"failed to stat file (/model_repository\S*)",
        "The path of --model-repository is not in the container: the claim is empty, or its models are elsewhere.",
        "Upload the models, and set routerServer.modelRepository.path to their folder: kubectl cp of a folder "
        "routers/ creates a folder routers in the claim.",
        "Triton 24.10; the recipe's troubleshooting",
        key=1,
    ),
    log_rule(
        874, "Triton treats a folder that is not a model as one",
        r"Poll failed for model directory '(routers)'",
        "--model-repository is the folder above the models'.",
        (
            "Set routerServer.modelRepository.path to the folder whose subfolders are the models "
            "(/model_repository/routers)."
        ),
        "Triton 24.10, model repository",
        key=1,
    ),
    log_rule(
        876, "Triton cannot reach Hugging Face while it loads the router's models",
        r"failed to load '(?:pre|post)processing_\w+'.*(?:huggingface|OSError|LocalEntryNotFound|ConnectionError)",
        "The models' pre- and postprocessing fetch the classifier's tokenizer and config from huggingface.co at each "
        "start, even if the models are on a claim.",
        "Give the server's pods access to huggingface.co, or a filled cache: HF_HOME on a volume, HF_HUB_OFFLINE=1 "
        "(routerServer.env).",
        "llm-router, triton_template: AutoConfig.from_pretrained",
    ),
    log_rule(
        875, "Triton cannot load the router's models",
        r"ensemble (?:task|complexity)_router_ensemble contains models that are not available",
        "A model of an ensemble is missing or does not load.",
        "Upload all eight models: preprocessing, classifier, postprocessing and ensemble of task_router and"
        " complexity_router.",
        "Triton 24.10, ensembles",
    ),
)  # fmt: skip


def router_configs(evidence: Evidence) -> list[str]:
    """Return the names of the ConfigMaps that controllers mount."""
    return list(dict.fromkeys(name for item in _workloads(evidence, CONTROLLER) for name, _path in _mounts(item)))


def _workloads(evidence: Evidence, component: str) -> list[Object]:
    return [item for item in evidence.of("Deployment") if _is(_template(item), component)]


def _is(item: Object, component: str) -> bool:
    return (mapping(item.get("metadata")).get("labels") or {}).get(COMPONENT) == component


def _template(item: Object) -> Object:
    return mapping(mapping(item.get("spec")).get("template"))


def _container(item: Object) -> Object:
    containers = mapping(_template(item).get("spec")).get("containers") or [{}]
    return next((one for one in containers if str(one.get("name")).endswith(CONTROLLER)), containers[0])


def _mounts(item: Object) -> list[tuple[str, str]]:
    """Return (ConfigMap, mount path) of a controller's ConfigMaps."""
    volumes = mapping(_template(item).get("spec")).get("volumes") or []
    names = {one["name"]: str(mapping(one["configMap"]).get("name")) for one in volumes if one.get("configMap")}
    mounts = _container(item).get("volumeMounts") or []
    return [(names[one["name"]], str(one.get("mountPath"))) for one in mounts if one.get("name") in names]


def _pods(evidence: Evidence, component: str) -> list[Object]:
    return [pod for pod in evidence.pods if _is(pod, component)]


def _ready(evidence: Evidence) -> list[Object]:
    return [pod for pod in _pods(evidence, CONTROLLER) if condition(pod, "Ready").get("status") == "True"]


def _placeholder(evidence: Evidence) -> t.Iterator[Proof]:
    for component in (CONTROLLER, SERVER):
        for pod in _pods(evidence, component):
            for state in container_states(pod):
                if waiting(state).get("reason") == "InvalidImageName":
                    image = clean(image_of(pod, state), 120)
                    yield Proof(
                        (ref(pod),), f"container {state.get('name')}: InvalidImageName: {image}", key="registry"
                    )


def _secret(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in _pods(evidence, CONTROLLER):
        for state in container_states(pod):
            message = str(waiting(state).get("message") or "")
            found = SECRET.search(message) or KEY.search(message)
            if waiting(state).get("reason") == "CreateContainerConfigError" and found:
                yield Proof((ref(pod),), f"container {state.get('name')}: {clean(message)}", key=found[1])


def _two_nodes(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in _pods(evidence, SERVER):
        for event in evidence.events(pod):
            if HELD.search(str(event.get("message"))):
                yield Proof((ref(pod),), clean(str(event.get("message"))), key="claim", since=evidence.since(pod))
                break


def _second_gpu(evidence: Evidence) -> t.Iterator[Proof]:
    """A new pod that waits for a GPU while a pod of its own Deployment has one and stays until the new one is ready."""
    pods = _pods(evidence, SERVER)
    for pod in pods:
        placed = condition(pod, "PodScheduled")
        message = str(placed.get("message") or "")
        if placed.get("status") != "False" or not NO_GPU.search(message):
            continue
        workload = evidence.workload(pod)
        old = [one for one in pods if evidence.workload(one) == workload and _revision(one) != _revision(pod)]
        if any(mapping(one.get("spec")).get("nodeName") for one in old):
            text = f"{clean(message)}; {ref(old[0])[2]} of the former template keeps its GPU until this pod is ready"
            yield Proof((ref(pod),), text, key=workload[2], since=evidence.since(pod))


def _revision(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get("pod-template-hash"))


def _no_file(evidence: Evidence) -> t.Iterator[Proof]:
    """Controllers whose log says so; a file that is missing is also what any program may complain about."""
    for log in evidence.logs:
        line = next((line for line in log.lines if NO_FILE.search(line)), "") if log.failing else ""
        if line:
            yield Proof(
                (ref(log.pod),), f"container {log.container}, log: {clean(line)}", since=evidence.since(log.pod)
            )


def _elsewhere(evidence: Evidence) -> t.Iterator[Proof]:
    for item in _workloads(evidence, CONTROLLER):
        if "--config-path" in str(_container(item).get("args")):
            continue
        for name, path in _mounts(item):
            if path.rstrip("/") not in (FOLDER, f"{FOLDER}/{FILE}"):
                text = (
                    f"ConfigMap {name} is mounted at {path}, but the controller reads {FOLDER}/{FILE}, the image's "
                    "own file"
                )
                yield Proof((ref(item),), text, key=ref(item)[2])


def _outdated(evidence: Evidence) -> t.Iterator[Proof]:
    for item in _workloads(evidence, CONTROLLER):
        pods = [pod for pod in _pods(evidence, CONTROLLER) if evidence.workload(pod) == ref(item)]
        started = {ref(pod): moment for pod in pods if (moment := _started(pod)) is not None}
        for name, _path in _mounts(item):
            changed = _changed(evidence.find("ConfigMap", name) or {})
            old = [place for place, moment in started.items() if changed is not None and changed > moment + SLACK]
            if old:
                text = f"ConfigMap {name} was changed after {old[0][2]} read it at start"
                yield Proof((ref(item), *old), text, key=name, since=changed)


def _started(pod: Object) -> float | None:
    """Return when a pod's containers began to run, None where they do not."""
    moments = [seconds(mapping(mapping(state.get("state")).get("running")).get("startedAt")) for state in
               container_states(pod)]  # fmt: skip
    return min((moment for moment in moments if moment), default=None)


def _changed(config: Object) -> float | None:
    """Return when the data of a ConfigMap were written last, None where nobody has noted it."""
    rows = mapping(config.get("metadata")).get("managedFields") or []
    moments = [seconds(row.get("time")) for row in rows if "f:data" in mapping(row.get("fieldsV1"))]
    return max((moment for moment in moments if moment), default=None)


def _live(evidence: Evidence) -> t.Iterator[tuple[Object, str, ConfigMistake]]:
    """Yield what is wrong with the configs that controllers run with: (Deployment, ConfigMap, mistake)."""
    running = {evidence.workload(pod) for pod in _ready(evidence)}
    for item in (one for one in _workloads(evidence, CONTROLLER) if ref(one) in running):
        env = {one["name"]: one.get("value") for one in _container(item).get("env") or []}
        for name, _path in _mounts(item):
            text = mapping((evidence.find("ConfigMap", name) or {}).get("data")).get(FILE)
            if isinstance(text, str):
                try:
                    data = plain_yaml.load(text)
                except plain_yaml.YAMLError:
                    continue
                yield from ((item, name, mistake) for mistake in misfits(data, env))


def _misfits(which: t.Callable[[ConfigMistake], bool]) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for mistakes of the config that a controller takes without a word."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        told: set[tuple[str, str]] = set()
        for item, name, mistake in _live(evidence):
            if which(mistake) and (name, mistake.what) not in told:
                told.add((name, mistake.what))
                place = ".".join(str(part) for part in mistake.path)
                text = f"ConfigMap {name}, {FILE}: {place}: {clean(mistake.what)}"
                yield Proof((ref(item),), text, key=f"{name} {mistake.what}", remedy=sentence(clean(mistake.fix)))

    return find


def _of_classes(mistake: ConfigMistake) -> bool:
    return mistake.path[-1] == "llms" or mistake.path[-1] == "name" and "llms" in mistake.path


def _of_bases(mistake: ConfigMistake) -> bool:
    return mistake.path[-1] == "api_base" and "/v1" in mistake.what


def _no_classifier(evidence: Evidence) -> t.Iterator[Proof]:
    """Triton's Service without a ready pod, behind a controller that takes requests."""
    ready = _ready(evidence)
    for service in evidence.of("Service") if ready else ():
        if not _is(service, SERVER):
            continue
        slices = slices_of(evidence, service)
        if slices and not any(map(has_ready, slices)):
            because = (*map(ref, _pods(evidence, SERVER)), *map(ref, _workloads(evidence, SERVER)))
            text = f"Service {ref(service)[2]} has no ready endpoint, although the controller is ready"
            yield Proof(tuple(map(ref, ready)), text, key=ref(service)[2], because=because)


RULES = (
    Diagnosis(
        "DIAG877", "The router's images have no valid registry", _placeholder,
        "InvalidImageName of the controller's or the server's pods",
        "global.imageRegistry is still a placeholder, or has capital letters. These images are not published: they "
        "are built from the router's sources.",
        "Build and push the images; set llm_router_image_registry (global.imageRegistry) to your registry, with a "
        "slash at the end, and the images' names to those that you pushed.",
        "recipe: YOUR_REGISTRY_HERE/; llm-router chart: the registry is a plain prefix",
    ),
    Diagnosis(
        "DIAG872", "The router's controller finds no config.yaml", _no_file,
        "CrashLoopBackOff, log: Failed to load configuration: No such file or directory",
        "The ConfigMap that is mounted over the image's folder has no key config.yaml.",
        "Use the key config.yaml: kubectl create configmap NAME --from-file=config.yaml=FILE.",
        "llm-router, router-controller.dockerfile: --config-path /app/config.yaml",
    ),
    Diagnosis(
        "DIAG878", "The router's controller lacks a Secret or a key of it", _secret,
        "CreateContainerConfigError of the controller's pods",
        "The chart always needs the Secret of its API key (llm-api-keys, key nvidia_api_key), even if the config does "
        "not use it, and those of routerController.env.",
        "Create it with a non-empty value: kubectl create secret generic llm-api-keys "
        "--from-literal=nvidia_api_key=none.",
        "llm-router chart, router-controller-deployment.yaml: secretKeyRef without optional",
    ),
    Diagnosis(
        "DIAG881", "Two Triton servers need a claim that only one node can mount", _two_nodes,
        "FailedAttachVolume: Multi-Attach error of the server's pods",
        (
            "The chart has two replicas, and one more during a rollout, on a ReadWriteOnce claim, which only one node "
            "mounts at a time."
        ),
        "Set routerServer.replicas to 1 with strategy Recreate, or use a ReadWriteMany claim.",
        "llm-router chart, values.yaml; Kubernetes, access modes",
    ),
    Diagnosis(
        "DIAG882", "The new Triton server waits for the old one's GPU", _second_gpu,
        "Pod Pending, Insufficient nvidia.com/gpu, beside a running pod of the same Deployment",
        "The chart's rollout (maxSurge 1, maxUnavailable 0) starts the new pod before the old one stops, and no "
        "second GPU is free.",
        (
            "Set routerServer.strategy to Recreate (rollingUpdate: null), or free a GPU; deleting the old pod helps "
            "only once."
        ),
        "llm-router chart, values.yaml",
    ),
    Diagnosis(
        "DIAG879", "The router runs with the config of its image", _elsewhere,
        "routerController.config.mountPath is not /app",
        "The controller reads /app/config.yaml, which is on the image's command line; CONFIG_PATH has no effect. It "
        "is ready, and sends requests to NVIDIA's cloud.",
        "Leave routerController.config.mountPath at /app.",
        "llm-router, main.rs and router-controller.dockerfile",
    ),
    Diagnosis(
        "DIAG880", "The router runs with an older config", _outdated,
        "a ConfigMap that was changed after the controller's pods had started",
        "The controller reads its config once, at start, and the chart does not restart it when the ConfigMap changes.",
        "Run kubectl rollout restart for the controller's Deployment; /config shows the active configuration.",
        "llm-router, main.rs; chart without a checksum annotation",
        WARNING,
    ),
    Diagnosis(
        "DIAG884", "A policy's classes are not those of its classifier", _misfits(_of_classes),
        "requests go to another class's model, or the connection is closed without an answer",
        "The controller uses the class at the position of the classifier's output: a missing or misplaced class "
        "shifts all later ones, and a position past the end closes the connection.",
        "List all classes of the classifier, in its order.",
        "llm-router, proxy.rs: choose_model",
    ),
    Diagnosis(
        "DIAG885", "A class's api_base contains the path of the requests", _misfits(_of_bases),
        "404 for /v1/v1/chat/completions",
        "The controller appends the request's path, /v1/chat/completions, to api_base.",
        "Remove /v1 from api_base.",
        "llm-router, proxy.rs: uri",
    ),
    Diagnosis(
        "DIAG883", "The router's controller cannot reach its classifier", _no_classifier,
        "503 Triton server is unreachable; the controller is ready, as its /health does not check Triton",
        "No pod of the Triton server is ready.",
        "Find out why the server's pods are not ready.",
        "llm-router, proxy.rs",
        ERROR, SYMPTOM,
    ),
)  # fmt: skip

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack of this collection from a scenario: a host's variables and the values of its releases.

Facts about the charts: llm-d-modelservice v0.4.5, inferencepool v1.3.0, llm-d-infra v1.3.6 (their values.yaml).
"""

from __future__ import annotations

import dataclasses
import re

from ..base.errors import OrchestratorError
from ..base.names import dns_label, epp_name, name_problem
from ..values.written import TOKEN
from .known import COMMON, GATEWAYS, SERVER
from .pool import pool_values
from .role import Role, Values
from .scenario import Scenario

_GAIE = SERVER + "GAIE_"
_PICKER = re.compile(r"tcp://([a-z0-9-]*(?:\$\([A-Z_]+\))?[a-z0-9-]*)-epp\.")


@dataclasses.dataclass
class Translation:
    """variables: the host's. values: of each release by the file's name without its ending."""

    variables: Values
    values: dict[str, Values]


def translate(scenario: Scenario, values_path: str) -> Translation:
    """Return a scenario's stack; raise OrchestratorError where it has none. values_path: before the files' names."""
    methods = re.split(r"[,\s]+", scenario.get("DEPLOY_METHODS", "the method"))
    if "modelservice" not in methods:
        raise OrchestratorError(
            f"The scenario deploys only by {', '.join(methods)}, which is not translated.",
            hint="Use a scenario of the method modelservice.",
        )
    if len(methods) > 1:
        scenario.change("DEPLOY_METHODS", "", "only the method modelservice is translated")
    variables: Values = {"llm_d_namespace": _name(scenario, COMMON + "NAMESPACE", "llm_d_namespace")}
    variables |= _gateway(scenario) | _charts(scenario) | _prepare(scenario)
    files: dict[str, Values] = {}
    entries = []
    for name, model in _models(scenario).items():
        entry, model_values, pool_values = _model(scenario, name, model, variables)
        entry["values_files"] = [f"{values_path}{name}.yaml"]
        files[name] = model_values
        if pool_values:
            files[f"{name}-pool"] = pool_values
            entry["pool"]["values_files"] = [f"{values_path}{name}-pool.yaml"]
        entries.append(entry)
    return Translation({**variables, "llm_d_models": entries}, files)


def _name(scenario: Scenario, variable: str, key: str) -> str:
    text = scenario.get(variable, key)
    wrong = name_problem(text)
    if wrong:
        raise OrchestratorError(f"line {scenario.line(variable)}: LLMDBENCH_{variable} {wrong}")
    return text


def _models(scenario: Scenario) -> dict[str, str]:
    """Return the served models by the names that their releases get."""
    if scenario.unknown("DEPLOY_MODEL_LIST"):
        raise OrchestratorError("LLMDBENCH_DEPLOY_MODEL_LIST is unknown, so there is nothing to deploy.")
    found: dict[str, str] = {}
    for text in re.split(r"[,\s]+", scenario.get("DEPLOY_MODEL_LIST", "llm_d_models")):
        model = text.partition(":")[0]
        base = dns_label(model.rpartition("/")[2], 30)
        if not base:
            continue
        name, number = base, 1
        while name in found:
            number += 1
            name = f"{base[:26]}-{number}"
        found[name] = model
    if not found:
        raise OrchestratorError("LLMDBENCH_DEPLOY_MODEL_LIST contains no model.")
    return found


def _gateway(scenario: Scenario) -> Values:
    given = scenario.get(SERVER + "GATEWAY_CLASS_NAME", "gateway_provider").lower()
    provider = GATEWAYS.get(given)
    if provider is None:
        scenario.change(
            SERVER + "GATEWAY_CLASS_NAME", "gateway_provider", f"{given!r} is not a known class: replaced by istio"
        )
    found: Values = {"gateway_provider": provider or "istio"}
    if given in ("data-science-gateway-class", "gke-l7-rilb", "agentgateway-v2"):
        found["gateway_class_name"] = given
    if scenario.given(SERVER + "RELEASE"):
        found["gateway_name"] = dns_label(scenario.get(SERVER + "RELEASE", "gateway_name"), 30)
    gateway: Values = {}
    resources: Values = {}
    for what, key in {"CPU": "cpu", "MEMORY": "memory"}.items():
        for end, part in {"REQUEST": "requests", "LIMIT": "limits"}.items():
            text = scenario.get(
                f"VLLM_INFRA_GATEWAY_{what}_{end}", "gateway_values.gateway.gatewayParameters.resources"
            )
            if text:
                resources.setdefault(part, {})[key] = text
    if resources:
        gateway["gatewayParameters"] = {"resources": resources}
    service = scenario.get(SERVER + "GATEWAY_SERVICE_TYPE", "gateway_values.gateway.service.type")
    if service:
        gateway["service"] = {"type": service}
    return {**found, **({"gateway_values": {"gateway": gateway}} if gateway else {})}


def _charts(scenario: Scenario) -> Values:
    found: Values = {}
    versions = {"modelservice": "MODELSERVICE", "gateway": "INFRA", "gaie": "GAIE"}
    for role, name in versions.items():
        variable = f"VLLM_{name}_CHART_VERSION"
        text = scenario.get(variable, f"{role}_chart_version") if scenario.given(variable) else "auto"
        if text != "auto":
            found[f"{role}_chart_version"] = text
    picker = "LLMD_INFERENCESCHEDULER_IMAGE"
    if any(scenario.given(f"{picker}_{part}") for part in ("REGISTRY", "REPO", "NAME", "TAG")):
        found["gaie_image"] = scenario.image(picker, "gaie_image")
    wait = scenario.get("CONTROL_WAIT_TIMEOUT", "llm_d_wait_timeout")
    if wait.isdigit() and len(wait) < 10:
        found["llm_d_wait_timeout"] = int(wait)
    return found


def _prepare(scenario: Scenario) -> Values:
    """Return the role prepare's variables: the models' claim, and where the token comes from, never the token."""
    found: Values = {}
    if scenario.given("HF_TOKEN"):
        why = "tokens are not written: HF_TOKEN of the environment is used when a playbook runs"
        scenario.change("HF_TOKEN", "prepare_hf_token", why)
        found["prepare_hf_token"] = TOKEN
    if scenario.given(COMMON + "HF_TOKEN_NAME"):
        name = _name(scenario, COMMON + "HF_TOKEN_NAME", "prepare_hf_token_secret")
        found |= {"prepare_hf_token": TOKEN, "prepare_hf_token_secret": name, "gaie_hf_token_secret": name}
    if (
        scenario.given(COMMON + "HF_TOKEN_KEY")
        and scenario.get(COMMON + "HF_TOKEN_KEY", "gaie_hf_token_key") != "HF_TOKEN"
    ):
        why = "llm-d-modelservice reads the key HF_TOKEN only: keep the token there"
        scenario.change(COMMON + "HF_TOKEN_KEY", "gaie_hf_token_key", why)
    if scenario.given(COMMON + "EXTRA_PVC_NAME"):
        why = f"prepare creates one claim: create {scenario.get(COMMON + 'EXTRA_PVC_NAME')} yourself"
        scenario.change(COMMON + "EXTRA_PVC_NAME", "", why)
    if scenario.get(SERVER + "URI_PROTOCOL", "modelArtifacts.uri") != "pvc":
        return found
    found["prepare_pvc_name"] = _name(scenario, COMMON + "PVC_NAME", "prepare_pvc_name")
    found["prepare_pvc_size"] = scenario.get(COMMON + "PVC_MODEL_CACHE_SIZE", "prepare_pvc_size")
    storage = scenario.get(COMMON + "PVC_STORAGE_CLASS", "prepare_pvc_storage_class")
    if storage not in ("default", ""):
        found["prepare_pvc_storage_class"] = storage
    found["prepare_pvc_access_modes"] = [scenario.get(COMMON + "PVC_ACCESS_MODE", "prepare_pvc_access_modes")]
    found["prepare_downloads"] = [model for model in _models(scenario).values() if "/" in model]
    wait = scenario.get(COMMON + "PVC_DOWNLOAD_TIMEOUT", "prepare_wait_timeout")
    return {**found, **({"prepare_wait_timeout": int(wait)} if wait.isdigit() and len(wait) < 10 else {})}


def _model(scenario: Scenario, name: str, model: str, variables: Values) -> tuple[Values, Values, Values]:
    """Return a model's entry of llm_d_models, its release's values and its pool's."""
    release = f"{name}-gaie"
    scenario.current = {
        "DEPLOY_CURRENT_MODEL": model,
        "DEPLOY_CURRENT_MODEL_ID": dns_label(model),
        "DEPLOY_CURRENT_MODEL_ID_LABEL": name,
        "DEPLOY_CURRENT_SERVICE_NAME": epp_name(release),
    }
    values = _model_values(scenario, model, variables)
    picker = _picker(values)
    if picker and picker != release:
        # Servers send their events to a picker of this name.
        release = picker
    pool: Values = {"release_name": release}
    if scenario.given(_GAIE + "PLUGINS_CONFIGFILE"):
        pool["plugins_config_file"] = scenario.get(
            _GAIE + "PLUGINS_CONFIGFILE", "llm_d_models[].pool.plugins_config_file"
        )
    return {"name": name, "model": model, "pool": pool}, values, pool_values(scenario, pool, variables)


def _model_values(scenario: Scenario, model: str, variables: Values) -> Values:
    proxy = scenario.get("LLMD_ROUTINGSIDECAR_ENABLED", "routing.proxy.enabled").lower() == "true"
    roles = {name: Role(scenario, name, proxy) for name in ("decode", "prefill")}
    specs = {name: role.values() for name, role in roles.items()}
    kinds = {name: roles[name].accelerator()[0] for name in specs if specs[name]["create"]}
    values: Values = {"modelArtifacts": _artifacts(scenario, model, variables), "routing": _routing(scenario, proxy)}
    if scenario.get(SERVER + "MULTINODE", "multinode").lower() == "true":
        values["multinode"] = True
    account = scenario.get(COMMON + "SERVICE_ACCOUNT", "serviceAccountOverride")
    if account not in ("", "default"):
        values["serviceAccountOverride"] = account
    if values.get("multinode") and proxy and specs["decode"].get("initContainers"):
        _own_sidecar(scenario, values["routing"], specs["decode"])
    values["accelerator"] = {"type": next(iter(kinds.values()), "nvidia")}
    if scenario.get(COMMON + "ACCELERATOR_USE_DRA", "accelerator.dra").lower() == "true":
        values["accelerator"]["dra"] = True
    for name, kind in kinds.items():
        if kind != values["accelerator"]["type"]:
            specs[name]["accelerator"] = {"type": kind}
    return {**values, **specs}


def _artifacts(scenario: Scenario, model: str, variables: Values) -> Values:
    found: Values = {"name": model, "uri": f"hf://{model}"}
    claim = variables.get("prepare_pvc_name")
    if claim and "/" in model:
        found["uri"] = f"pvc+hf://{claim}/hub/{model}"
    elif claim:
        scenario.change(
            "DEPLOY_MODEL_LIST", "modelArtifacts.uri", f"{model} is not a repository (ORG/NAME): not stored on a claim"
        )
    found["size"] = scenario.get(COMMON + "PVC_MODEL_CACHE_SIZE", "modelArtifacts.size")
    if "prepare_hf_token" in variables:
        found["authSecretName"] = scenario.get(COMMON + "HF_TOKEN_NAME", "modelArtifacts.authSecretName")
    return found


def _routing(scenario: Scenario, proxy: bool) -> Values:
    port = scenario.get(COMMON + "INFERENCE_PORT", "routing.servicePort")
    routing: Values = {"servicePort": int(port) if port.isdigit() and len(port) < 6 else 8000}
    routing["proxy"] = {"enabled": proxy}
    if proxy:
        target = scenario.get(COMMON + "METRICS_PORT", "routing.proxy.targetPort")
        routing["proxy"] |= {
            "image": scenario.image("LLMD_ROUTINGSIDECAR_IMAGE", "routing.proxy.image"),
            "connector": scenario.get("LLMD_ROUTINGSIDECAR_CONNECTOR", "routing.proxy.connector"),
            "targetPort": int(target) if target.isdigit() and len(target) < 6 else 8200,
            "secure": False,
        }
    return routing


def _own_sidecar(scenario: Scenario, routing: Values, decode: Values) -> None:
    """Write the sidecar out: beside other init containers the chart's own makes a LeaderWorkerSet that is no YAML."""
    if decode["containers"][0]["modelCommand"] != "custom":
        del decode["initContainers"]
        why = "the chart cannot have these beside its sidecar in a LeaderWorkerSet: skipped"
        scenario.change("VLLM_MODELSERVICE_DECODE_INIT_CONTAINER_CONFIG", "decode.initContainers", why)
        return
    proxy, port = routing["proxy"], routing["servicePort"]
    sidecar: Values = {"name": "routing-proxy", "image": proxy["image"], "imagePullPolicy": "Always"}
    flags = {"port": port, "vllm-port": proxy["targetPort"], "connector": proxy["connector"], "secure-proxy": "false"}
    sidecar["args"] = [f"--{name}={value}" for name, value in flags.items()]
    sidecar |= {"ports": [{"containerPort": port}], "resources": {}, "restartPolicy": "Always"}
    sidecar["securityContext"] = {"allowPrivilegeEscalation": False, "runAsNonRoot": True}
    decode["initContainers"] = [sidecar, *decode["initContainers"]]
    routing["proxy"] = {"enabled": False}


def _picker(values: Values) -> str:
    """Return the release of the picker to which the model's servers send events, "" where they send none."""
    for role in ("decode", "prefill"):
        for container in values[role].get("containers", []):
            env = {item["name"]: item.get("value") or "" for item in container.get("env", [])}
            found = _PICKER.search(" ".join(container.get("args", [])))
            if found:
                return _filled(found[1], env)
    return ""


def _filled(text: str, env: dict[str, str]) -> str:
    """Return a text with the environment's variables filled in, as the kubelet does it."""
    return re.sub(r"\$\(([A-Z_]+)\)", lambda name: str(env.get(name[1], "")), text)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of a pool's release from a scenario. Facts about the chart: inferencepool v1.3.0, its templates."""

from __future__ import annotations

import re

from ..base.data import mapping
from .known import SCRATCH, SERVER
from .role import Values
from .scenario import Scenario

_GAIE = SERVER + "GAIE_"
_PRESETS = "setup/presets/gaie"


def pool_values(scenario: Scenario, pool: Values, variables: Values) -> Values:
    extension: Values = {}
    flags = scenario.yaml(scenario.get(_GAIE + "FLAGS", "inferenceExtension.flags"), _GAIE + "FLAGS", dict)
    level = scenario.get(_GAIE + "EPP_VERBOSITY", "inferenceExtension.flags.v")
    if flags or level:
        extension["flags"] = flags | ({"v": level} if level else {})
    plugins = _plugins(scenario, pool)
    if plugins:
        extension["pluginsCustomConfig"] = plugins
    for key in ("extraContainerPorts", "extraServicePorts", "volumes", "volumeMounts"):
        name = _GAIE + {"volumes": "EXTRA_VOLUMES", "volumeMounts": "EXTRA_VOLUME_MOUNTS"}.get(
            key, re.sub("([A-Z])", r"_\1", key).upper()
        )
        found = scenario.yaml(scenario.get(name, f"inferenceExtension.{key}"), name, list)
        extension.update({key: found} if found else {})
    if scenario.get(_GAIE + "SIDECAR_ENABLED", "inferenceExtension.sidecar.enabled").lower() == "true":
        _add_sidecar(scenario, extension)
    if any(_is_true(scenario, _GAIE + f"MONITORING_{name}ENABLED") for name in ("PROMETHEUS_", "")):
        extension["monitoring"] = {"prometheus": {"enabled": True}}
    values: Values = {"inferenceExtension": extension} if extension else {}
    api = scenario.get(SERVER + "INFERENCEPOOL_API", "inferencePool.apiVersion")
    if api:
        values["inferencePool"] = {"apiVersion": api}
    return values | _provider(scenario, variables)


def _is_true(scenario: Scenario, name: str) -> bool:
    return scenario.get(name, "inferenceExtension.monitoring.prometheus.enabled").lower() == "true"


def _plugins(scenario: Scenario, pool: Values) -> dict[str, str]:
    """Return the plugins configurations, as texts by file name."""
    custom = _GAIE + "CUSTOM_PLUGINS"
    found = scenario.yaml(scenario.get(custom, "inferenceExtension.pluginsCustomConfig"), custom, dict)
    plugins = {str(key): text for key, text in found.items() if isinstance(text, str)}
    file = pool.get("plugins_config_file")
    if file and file not in plugins and file != "default-plugins.yaml":
        ending = "" if file.endswith((".yaml", ".yml")) else ".yaml"
        text = scenario.template(file + ending, _PRESETS)
        if text is None:
            why = f"{file} is neither in the scenario nor beside it: the default is used"
            scenario.change(_GAIE + "PLUGINS_CONFIGFILE", "llm_d_models[].pool.plugins_config_file", why)
            del pool["plugins_config_file"]
        else:
            pool["plugins_config_file"] = file.rpartition("/")[2] + ending
            plugins[pool["plugins_config_file"]] = scenario.render(text, _GAIE + "PLUGINS_CONFIGFILE")
    return plugins


def _add_sidecar(scenario: Scenario, extension: Values) -> None:
    """Add the tokenizer beside the picker, with the folders that both share."""
    at = "inferenceExtension.sidecar"
    folder, sockets = (
        {"name": "tokenizers", "mountPath": "/tokenizers"},
        {"name": "tokenizer-uds", "mountPath": f"{SCRATCH}/tokenizer"},
    )
    env = [{"name": name, "value": folder["mountPath"]} for name in ("TOKENIZERS_DIR", "HF_HOME")]
    given = {key: _GAIE + f"SIDECAR_{name}" for key, name in {"env": "ENV", "volumeMounts": "VOLUME_MOUNTS"}.items()}
    lists = {key: scenario.yaml(scenario.get(name, f"{at}.{key}"), name, list) for key, name in given.items()}
    image = scenario.get(_GAIE + "SIDECAR_IMAGE", f"{at}.image")
    extension["sidecar"] = {
        "enabled": True,
        "name": scenario.get(_GAIE + "SIDECAR_NAME", f"{at}.name") or "tokenizer-uds",
        "image": image or scenario.image("LLMD_UDS_TOKENIZER_IMAGE", f"{at}.image"),
        "env": lists["env"] or env,
        "volumeMounts": lists["volumeMounts"] or [folder, sockets],
    }
    extension.setdefault("volumes", [{"name": "tokenizers", "emptyDir": {}}, {"name": "tokenizer-uds", "emptyDir": {}}])
    extension.setdefault("volumeMounts", [sockets])


def _provider(scenario: Scenario, variables: Values) -> Values:
    name = SERVER + "INFERENCE_POOL_PROVIDER_CONFIG"
    found = scenario.yaml(scenario.get(name, "provider.istio"), name, dict)
    if not found:
        return {}
    rule = found.get("destinationRule") if variables["gateway_provider"] in ("istio", "openshift") else None
    for key in found:
        if key != "destinationRule" or not isinstance(rule, dict):
            scenario.change(name, f"provider.{key}", "the chart reads provider.istio.destinationRule only: skipped")
    if not isinstance(rule, dict):
        return {}
    return _destination_rule(scenario, name, rule)


def _destination_rule(scenario: Scenario, name: str, rule: Values) -> Values:
    """Return the part of a DestinationRule that the chart reads; it names host and TLS itself."""
    host = str(rule.pop("host", ""))
    if host and not host.startswith(scenario.current["DEPLOY_CURRENT_SERVICE_NAME"]):
        why = f"{host} is not this pool's picker: the chart's default host is used"
        scenario.change(name, "provider.istio.destinationRule.host", why)
    policy = mapping(rule.get("trafficPolicy"))
    for key in [*(key for key in rule if key != "trafficPolicy"), *(key for key in policy if key != "connectionPool")]:
        where = f"provider.istio.destinationRule.{'trafficPolicy.' * (key in policy)}{key}"
        scenario.change(name, where, "the chart never reads it: skipped")
    kept = {"trafficPolicy": {"connectionPool": policy["connectionPool"]}} if policy.get("connectionPool") else {}
    return {"provider": {"istio": {"destinationRule": kept}}} if kept else {}

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis on the endpoint picker's log, and on the log of any controller that lacks rights or kinds."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils._diagnoses_logs import log_rule

_LOADER = "llm-d/llm-d-router, pkg/epp/config/loader"

PICKER = (
    log_rule(
        601,
        "A definition (CRD) that the endpoint picker watches is not installed",
        r"if kind is a CRD, it should be installed|no matches for kind \\?\"?\w+|no kind is registered for the type|"
        r"the server could not find the requested resource.*(inference|llm-d)",
        "The cluster lacks a definition, or serves it in another version than the picker was built for.",
        "Install the definitions of the picker's own release (InferencePool, InferenceObjective, ...).",
        "F3; kubernetes-sigs/gateway-api-inference-extension#1737, #407, #1933",
    ),
    log_rule(
        602,
        "The endpoint picker may not read what it needs (RBAC)",
        r"is forbidden: User \\?\"system:serviceaccount:[^\"\\]+\\?\" cannot|check RBAC permissions",
        "The picker's ServiceAccount lacks get, list or watch on pods, pools or objectives.",
        "Let the chart make its Role and RoleBinding, or grant get, list and watch on pods, inferencepools (the group"
        " in"
        " use) and inferenceobjectives.",
        "F4; istio/istio.io#17528; llm-d-incubation/llm-d-modelservice#129",
    ),
    log_rule(
        603,
        "The endpoint picker's configuration has an error",
        r"failed to (load the configuration|parse (the )?config(uration)?|load config from a file|decode configuration|"
        r"instantiate (the )?(default )?plugin)|plugin type '?[^']*'? (is )?not (registered|found)|references"
        r" undefined plugin|"
        r"plugin instantiation failed|configuration validation failed|feature gate '[^']*' is unknown|duplicate"
        r" plugin name|"
        r"multiple profile handlers|scheduler config build failed|is missing a 'pluginRef'",
        "The file of plugins names a plugin that this picker does not have, refers to one that it does not define, or"
        " is no"
        " EndpointPickerConfig.",
        "Correct pluginsCustomConfig or pluginsConfigFile in the values; the picker's version decides which plugins"
        " exist.",
        _LOADER,
    ),
    log_rule(
        604,
        "The endpoint picker does not find its pool",
        r"inferencepool\S* \\?\"?[\w.-]+\\?\"? not found|InferencePool is not (initialized|available)|pool \S+ not"
        r" found|"
        r"failed to sync InferencePool cache",
        "The picker's --pool-name, --pool-namespace or --pool-group names no pool that exists.",
        "Make the flags and the InferencePool agree in name, namespace and API group.",
        "F1; kubernetes-sigs/gateway-api-inference-extension#1530",
        fatal=False,
    ),
)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A cluster's credentials: what a host's variables say of them, and whether that is enough.

Pure: options in, options or OrchestratorError out. Messages never hold a file's or a variable's content.
"""

from __future__ import annotations

import json
import typing as t

Object = dict[str, t.Any]

# The host's variables, and the option of kubernetes.core that each one sets.
VARIABLES = {
    "llm_d_kubeconfig": "kubeconfig",
    "llm_d_context": "context",
    "llm_d_api_host": "host",
    "llm_d_api_token": "api_key",
    "llm_d_api_ca_cert": "ca_cert",
    "llm_d_api_verify": "validate_certs",
}


def options(variables: t.Mapping[str, t.Any]) -> Object:
    """Return the modules' options for a host's variables; those that are not set or empty are left out.

    A kubeconfig given as a map becomes text: of a map that must not be shown, Ansible hides each single value, "v1"
    and "Config" too, wherever they stand.
    """
    found = {name: variables[key] for key, name in VARIABLES.items() if variables.get(key) not in (None, "", {})}
    if isinstance(found.get("kubeconfig"), t.Mapping):
        found["kubeconfig"] = json.dumps(found["kubeconfig"])
    return found

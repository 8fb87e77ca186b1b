#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Check and complete orchestrator.yaml of LLM-Orchestrator."""

from __future__ import annotations

DOCUMENTATION = r"""
module: orchestrator_config
short_description: Check and complete orchestrator.yaml of LLM-Orchestrator
version_added: 0.1.0
description:
  - Merges a configuration over what a role has found and the defaults of the mode, and returns the file's text. It
    writes nothing, and always runs beside Ansible, whatever the host is.
  - Names all mistakes at once, each with its key, its file and line and the id of its rule; unknown keys with what was
    probably meant.
  - Secrets never stand in the text. One that stands in O(config) is moved to RV(environment).
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  mode:
    description: What the server does; V(edge) is a standalone server of an edge site.
    type: str
    required: true
    choices: [api, worker, standalone, edge]
  config:
    description: The user's configuration, in the structure of the file.
    type: dict
    default: {}
  base:
    description: What stands below O(config) and above the defaults.
    type: dict
    default: {}
  environment:
    description: The environment variables that the server will have; where only their names are known, with V("") each.
    type: dict
    default: {}
  variable:
    description: Name of the variable that O(config) comes from, under which mistakes are reported.
    type: str
    default: orchestrator_config
  servers:
    description: How many API servers and workers share the database.
    type: int
    default: 1
  database_max_connections:
    description: C(max_connections) of PostgreSQL, where it is known.
    type: int
  cpus:
    description: CPUs of the host, or of the container's limit, where they are known.
    type: float
  memory:
    description: Memory of the host, or of the container's limit, where it is known, for example V(16Gi).
    type: str
  needs_queue:
    description: Whether the server needs NATS; by default in the modes V(api) and V(worker).
    type: bool
  accept:
    description: Ids of rules whose mistakes are warnings.
    type: list
    elements: str
    default: []
  places:
    description: Where variables stand. Ansible's side fills it in.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Work out the configuration of an API server
  llm_d.orchestrator.orchestrator_config:
    mode: api
    config:
      execution:
        scheduler: {max_parallel_workflows: 200}
    environment:
      DATABASE_URL: "{{ vault_database_url }}"
      REDIS_URL: redis://cache:6379
      NATS_URL: nats://queue:4222
      JWT_SECRET: "{{ vault_jwt_secret }}"
    servers: 8
    database_max_connections: 200
  register: configuration
  no_log: true
"""

RETURN = r"""
config:
  description: The whole configuration, with references in place of secrets.
  returned: success
  type: dict
  sample: {server: {mode: api, host: 0.0.0.0}}
text:
  description: The file.
  returned: success
  type: str
  sample: |
    server:
      mode: api
environment:
  description: O(environment), and the secrets that stood in O(config).
  returned: success
  type: dict
  sample: {JWT_SECRET: (masked)}
environment_text:
  description: The same as systemd reads it from a file.
  returned: success
  type: str
  sample: |
    JWT_SECRET="(masked)"
findings:
  description: What is wrong, each with its rule, path, file, line, message, hint and severity.
  returned: always
  type: list
  elements: dict
  sample:
    - {rule: LLMD920, path: database.pool, file: group_vars/all.yml, line: 7, severity: error,
       message: SQLite has no pool of connections, hint: "remove database.pool, or use database.type: postgresql"}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import ERROR
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.configuration import ConfigInput, work_out
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.keys import API, WORKER
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.references import environment_file
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.settings import Servers
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.units import size


def run(params: dict) -> dict:
    """Return the module's result, failed where something is a mistake."""
    memory = size(params["memory"]) if params["memory"] else None
    if params["memory"] and memory is None:
        raise OrchestratorError(f"memory: {params['memory']!r} is not a size", "use a size such as 16Gi")
    needs = params["needs_queue"]
    servers = Servers(
        params["mode"],
        params["servers"],
        params["database_max_connections"],
        params["cpus"],
        memory,
        params["mode"] in (API, WORKER) if needs is None else needs,
    )
    asked = ("config", "base", "environment", "variable", "places", "accept")
    found = work_out(ConfigInput(servers, **{name: params[name] for name in asked}))
    findings = [finding.as_dict() for finding in found.findings]
    wrong = [finding.text() for finding in found.findings if finding.severity == ERROR]
    if wrong:
        count = "1 mistake" if len(wrong) == 1 else f"{len(wrong)} mistakes"
        message = str(OrchestratorError(f"{count} in the configuration of LLM-Orchestrator:", details=wrong))
        return {"failed": True, "msg": message, "findings": findings}
    return {
        "changed": False,
        "config": found.values,
        "text": found.text,
        "environment": found.environment,
        "environment_text": environment_file(found.environment),
        "findings": findings,
        "notes": [finding.text() for finding in found.findings],
    }


def carry_out(module: AnsibleModule) -> dict:
    """Return the result, and show what is no mistake as warnings."""
    result = run(module.params)
    for text in result.pop("notes", ()):
        module.warn(text)
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    # Values of `environment` are hidden by the action plugin: as no_log they would be cut out of the text as well.
    run_module(make, DOCUMENTATION, carry_out, {"environment": False, "database_max_connections": False})


if __name__ == "__main__":
    main()

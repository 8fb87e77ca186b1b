#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Check values files against the schemas of their charts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_values
short_description: Check values files against the schemas of their Helm charts
version_added: 0.1.0
description:
  - Checks the values of any number of charts and names every mistake of every file at once, each with file, line,
    column and key, and with what was probably meant.
  - The values are merged and completed by the charts' defaults as Helm does it, and checked by the
    C(values.schema.json) of the chart and of its enabled subcharts. For a chart without a schema, one is inferred
    from its C(values.yaml) and templates, so that a key which it never reads is found; it is kept in the cache.
  - Values are plain text. Nothing in them is ever evaluated as a template, and nothing is fetched but the charts.
  - Never changes anything, and reaches no cluster.
author:
  - llm_d.orchestrator contributors (@llm-d)
options:
  charts:
    description: The charts whose values to check.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What to call this entry in messages, such as a release. The chart reference by default.
        type: str
      chart_ref:
        description:
          - A folder, a C(.tgz), C(oci://REGISTRY/PATH/CHART), or C(https://REPOSITORY#CHART).
        type: str
        required: true
      chart_version:
        description:
          - The exact version. Needed for registries and repositories; for a folder or C(.tgz) it may be omitted,
            and must otherwise be that of its C(Chart.yaml).
        type: str
      values_files:
        description:
          - Values files, later ones winning. Relative names count from the working directory of the play.
        type: list
        elements: path
        default: []
      values:
        description: Values merged last, over those of O(charts[].values_files).
        type: dict
        default: {}
  helm_binary:
    description: Helm 3, needed only to fetch charts that are not in the cache yet.
    type: str
    default: helm
  chart_cache:
    description:
      - Folder that keeps fetched charts. By default C(llm-d-orchestrator) in E(XDG_CACHE_HOME), or in C(~/.cache).
    type: path
  plain_http:
    description: Whether to reach OCI registries without TLS.
    type: bool
    default: false
  strict:
    description:
      - Whether keys that are very like one that the chart reads, but that it would ignore, are errors. They are
        warnings otherwise.
    type: bool
    default: false
  unknown_keys:
    description:
      - Whether keys that a chart without a schema never reads are errors (V(error)) or warnings (V(warn)). Keys that
        a shipped schema refuses are errors in any case, since Helm refuses them too.
    type: str
    choices: [error, warn]
    default: error
  findings_file:
    description:
      - File to write the findings to for other programs, also when there are none and when the module fails. Its
        ending says the format, C(.sarif) for SARIF 2.1.0, C(.xml) for JUnit, or C(.json) for what RV(findings) holds.
      - Its folder must exist. Files below the working directory are named relative to it.
    type: path
attributes:
  check_mode:
    description: Can run in check mode, which makes no difference.
    support: full
  diff_mode:
    description: Returns details on what has changed when in diff mode.
    support: none
    details: Nothing is ever changed.
requirements:
  - python >= 3.10
  - PyYAML >= 6.0.1
  - jsonschema >= 4.21.0
  - helm >= 3.8 for charts that must be fetched
seealso:
  - module: kubernetes.core.helm_template
"""

EXAMPLES = r"""
- name: Check a model's and its pool's values
  llm_d.orchestrator.chart_values:
    findings_file: values.sarif
    charts:
      - name: ms-qwen3-32b
        chart_ref: https://llm-d-incubation.github.io/llm-d-modelservice#llm-d-modelservice
        chart_version: v0.4.5
        values_files:
          - ms/common.yaml
          - ms/qwen.yaml
      - name: gaie-qwen3-32b
        chart_ref: oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool
        chart_version: v1.3.0
        values_files:
          - gaie/qwen.yaml
        values:
          inferencePool:
            modelServers:
              matchLabels:
                llm-d.ai/model: qwen3-32b
"""

RETURN = r"""
findings:
  description:
    - All that was found, in the order of O(charts) and within a chart by place. Returned on failure too.
    - The module fails where one of them is an error.
  returned: always
  type: list
  elements: dict
  contains:
    file:
      description: The file as it was given, or V(values of NAME) for O(charts[].values).
      type: str
    line:
      description: Line from 1; 0 where the input is not a file.
      type: int
    column:
      description: Column from 1; 0 where the input is not a file.
      type: int
    path:
      description: The key, empty for a whole file.
      type: str
    message:
      description: What is wrong.
      type: str
    hint:
      description: What to write instead, may be empty.
      type: str
    rule:
      description: The rule's id.
      type: str
    severity:
      description: V(error), V(warning) or V(note).
      type: str
    chart:
      description: Name and version of the chart, empty for a mistake of the file itself.
      type: str
    source:
      description: Where the rule comes from.
      type: str
  sample:
    - file: ms/qwen.yaml
      line: 12
      column: 3
      path: routing.servicePrt
      message: unknown key
      hint: did you mean servicePort?
      rule: unknown-key
      severity: error
      chart: llm-d-modelservice v0.4.5
      source: chart llm-d-modelservice v0.4.5's schema says no such key
charts:
  description: What was checked, one for each of O(charts).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The entry's name.
      type: str
    chart:
      description: The chart's own name, empty where it could not be had.
      type: str
    version:
      description: The version in its Chart.yaml.
      type: str
    digest:
      description: SHA-256 of the C(.tgz), or over a folder's files.
      type: str
    has_schema:
      description: Whether the chart ships a C(values.schema.json).
      type: bool
  sample:
    - name: ms-qwen3-32b
      chart: llm-d-modelservice
      version: v0.4.5
      digest: 9f2c4c0d6a0e1f3a5d7b9c1e3f5a7092b4d6f8013a5c7e9f1b3d5f7092b4d6f8
      has_schema: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import ERROR, WARNING
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.write import report_problem, write_report
from ansible_collections.llm_d.orchestrator.plugins.module_utils.schemas.check_all import (
    UNKNOWN_KEYS,
    check_charts,
    failure_text,
)


def run(params: dict) -> dict:
    """Return the module's result; msg is there where it must fail."""
    report = params["findings_file"]
    problem = report_problem(report) if report else None
    if problem:
        raise OrchestratorError(f"findings_file: {problem}")
    checked = check_charts(
        params["charts"],
        helm=params["helm_binary"],
        cache_dir=params["chart_cache"],
        strict=params["strict"],
        plain_http=params["plain_http"],
        unknown_keys=UNKNOWN_KEYS[params["unknown_keys"]],
    )
    if report:
        write_report(report, checked.findings)
    result = {
        "changed": False,
        "findings": [finding.as_dict() for finding in checked.findings],
        "charts": checked.charts,
        "warnings": [finding.text() for finding in checked.findings if finding.severity == WARNING],
    }
    if any(finding.severity == ERROR for finding in checked.findings):
        result.update(failed=True, msg=failure_text(checked.findings))
    return result


def carry_out(module: AnsibleModule) -> dict:
    """Return the module's result; raise OrchestratorError."""
    result = run(module.params)
    for warning in result.pop("warnings"):
        module.warn(warning)
    return result


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Wait for several component_parts jobs at once. An action plugin does the work; this file documents it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_jobs
short_description: Wait for component_parts jobs that run in the background
version_added: 0.1.0
description:
  - Waits until every job of M(llm_d.orchestrator.component_parts) that was started with C(async) has ended, or those
    that are O(awaited), and shows every few seconds what is still being waited for.
  - Fails after all have ended where at least one failed, naming each failed component with its own error.
  - One call for all jobs, in the controller's own process, where C(ansible.builtin.async_status) would start a Python
    for each look at each job.
attributes:
  check_mode:
    support: full
    description: It only waits.
  diff_mode:
    support: none
    description: The jobs' own diffs are in their results.
options:
  jobs:
    description:
      - By component its job, with C(id), the C(ansible_job_id), and C(timeout), the seconds after which one that has
        not ended counts as failed. So the whole takes as long as the job with the largest.
    type: dict
    required: true
  awaited:
    description:
      - The components without which nothing goes on; by default all. The others are left to a later call, unless one
        of those that ended has failed.
    type: list
    elements: str
  collected:
    description: What an earlier call returned as RV(results). Its jobs are not waited for again.
    type: dict
    default: {}
  on_failure:
    description:
      - What becomes of the other jobs once one has failed. V(finish) lets them come to their own end. V(cancel) tells
        them to stop. They begin nothing more, let Helm's commands end, and wait for no object; the next run goes on
        from there. This needs O(events_file), by which the jobs are told.
    type: str
    choices: [finish, cancel]
    default: finish
  events_file:
    description: The file that the jobs append their steps to, for the lines shown while waiting.
    type: path
  started:
    description: When the deployment began, as C(20261121T083000Z), for the time shown in those lines.
    type: str
notes:
  - The jobs must run on the controller, as with C(ansible_connection=local).
author:
  - llm_d.orchestrator developers (@llm-d)
seealso:
  - module: llm_d.orchestrator.component_parts
"""

EXAMPLES = r"""
- name: Start a component
  llm_d.orchestrator.component_parts:
    component: gaie
    parts: "{{ pools }}"
  async: 1800
  poll: 0
  register: started

- name: Wait for it
  llm_d.orchestrator.release_jobs:
    jobs: {gaie: {id: "{{ started.ansible_job_id }}", timeout: 1830}}
"""

RETURN = r"""
results:
  description: What M(llm_d.orchestrator.component_parts) returned for each component whose job has ended.
  returned: always
  type: dict
  sample: {gaie: {changed: true, parts: [{name: gaie-qwen3-32b, action: created}]}}
cancelled_components:
  description: The components that were stopped because another one failed.
  returned: always
  type: list
  elements: str
  sample: []
finished_components:
  description: The components whose job succeeded.
  returned: always
  type: list
  elements: str
  sample: [gaie]
failed_components:
  description: The components whose job failed or did not end in time.
  returned: always
  type: list
  elements: str
  sample: []
"""

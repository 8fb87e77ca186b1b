#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Wait for several component_parts jobs at once. On this machine the action plugin does it, elsewhere this module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_jobs
short_description: Wait for component_parts jobs that run in the background
version_added: 0.1.0
description:
  - Waits until every job of M(llm_d.orchestrator.component_parts) that was started with C(async) has ended, and shows
    every few seconds what is still being waited for.
  - Fails after all have ended where at least one failed, naming each failed component with its own error.
  - One call for all jobs, on the controller in its own process, where C(ansible.builtin.async_status) would start a
    Python for each look at each job. On another host it looks at all jobs every few seconds.
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
  on_failure:
    description:
      - What becomes of the other jobs once one has failed. Those that still wait for others do not begin (this needs
        O(events_file) too). V(finish) lets the others finish. V(cancel) stops
        them; they start nothing more, let Helm's commands finish, and wait for no object; the next run continues
        from there. This needs O(events_file), through which the jobs are notified.
    type: str
    choices: [finish, cancel]
    default: finish
  events_file:
    description: The file that the jobs append their steps to, for the lines shown while waiting.
    type: path
  started:
    description: When the deployment began, as C(20261121T083000Z), for the time shown in those lines.
    type: str
  async_dir:
    description: The folder of the jobs' result files, by default Ansible's C(async_dir).
    type: str
    default: ~/.ansible_async
  at_most:
    description: Seconds after which the module returns the results that there are. Set by the action plugin.
    type: float
    default: 0
  waited:
    description: Seconds that were waited for the jobs before. Set by the action plugin.
    type: float
    default: 0
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.jobs import Jobs


def make_jobs(params: dict, folder: str) -> Jobs:
    """Return the jobs that are waited for. folder: that of their result files."""
    cancel = params["on_failure"] == "cancel"
    return Jobs(params["jobs"], folder, params.get("events_file"), cancel=cancel, waited=params["waited"])


def carry_out(module: AnsibleModule) -> dict:
    """Return the results that there are, and what the jobs have done so far."""
    jobs = make_jobs(module.params, module.params["async_dir"])
    ended = jobs.wait(module.params["at_most"])
    # `results` is what Ansible keeps for loops.
    events = [] if ended else read_events(module.params["events_file"])
    return {"changed": False, "ended": jobs.results, "events": events}


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, carry_out)


if __name__ == "__main__":
    main()

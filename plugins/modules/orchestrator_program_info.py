#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Ask a build of LLM-Orchestrator for its version and its verbs; see the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: orchestrator_program_info
short_description: Ask a build of LLM-Orchestrator for its version and its verbs
version_added: 0.1.0
description:
  - Runs the program on the host with C(--version) and C(--help), and reads its verbs there. The host needs no Python
    packages. What is released up to 0.1.x has C(validate) and C(run) only; builds that serve have C(server) and C(db).
  - With O(requires) it fails where the program lacks a verb, before anything is changed.
attributes:
  check_mode:
    support: full
    description: The program is asked in check mode too, as that changes nothing.
  diff_mode:
    support: none
    description: Nothing is changed.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  path:
    description: The program, a path on the host.
    type: str
  help_text:
    description: What the program says for C(--help), instead of O(path), as that of an image that another task has run.
    type: str
  version_text:
    description: What it says for C(--version).
    type: str
    default: ""
  requires:
    description: Verbs that it must have.
    type: list
    elements: str
    default: []
  expected:
    description: What they are needed for, as it stands in the message.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Assert that the build can serve
  llm_d.orchestrator.orchestrator_program_info:
    path: /opt/llm-orchestrator/bin/llm-orchestrator
    requires: [server, db]
    expected: single-node mode
"""

RETURN = r"""
exists:
  description: Whether there is such a file.
  returned: always
  type: bool
works:
  description: Whether it runs on the host.
  returned: always
  type: bool
problem:
  description: Why it does not, or "".
  returned: always
  type: str
  sample: the build needs glibc 2.38 or later, which this host does not have
version:
  description: Its version, or "".
  returned: always
  type: str
  sample: 0.1.1
verbs:
  description: Its verbs.
  returned: always
  type: list
  elements: str
  sample: [validate, run]
lacks:
  description: Verbs of O(requires) that it does not have.
  returned: always
  type: list
  elements: str
  sample: [server, db]
"""

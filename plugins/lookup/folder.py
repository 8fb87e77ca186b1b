# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup folder."""

from __future__ import annotations

DOCUMENTATION = r"""
name: folder
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: A folder that can be written
description:
  - Returns each path, counted from the folder in which Ansible was started, if it can be written or made.
  - Otherwise a folder of the same name below the job's artifacts where ansible-runner runs the playbook, and else below
    the temporary files. That is what remains to a job whose project is read-only, or whose user has no home.
options:
  _terms:
    description: Paths of folders.
    type: list
    elements: str
  setting:
    description:
      - A setting of Ansible's shell plugin V(sh) that names one more folder, such as C(async_dir). What the environment
        and C(ansible.cfg) say counts, variables do not.
    type: str
"""

EXAMPLES = r"""
- name: Say where records go
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.folder', 'records') }}"
"""
RETURN = r"""
_list:
  description: Absolute paths. The folders need not exist yet.
  type: list
  elements: str
"""

import os
import typing as t

from ansible import constants as C
from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import usable_folder


class LookupModule(LookupBase):
    """Looks for folders."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[str]:
        """Return a folder for each path."""
        self.set_options(var_options=variables, direct=kwargs)
        start, setting = os.environ.get("PWD") or os.getcwd(), self.get_option("setting")
        found = [usable_folder(_path(start, term), os.path.basename(term), os.environ) for term in map(str, terms)]
        if setting:
            wanted = str(C.config.get_config_value(setting, plugin_type="shell", plugin_name="sh"))
            # What Ansible works with is nobody's result.
            found.append(usable_folder(_path(start, wanted), setting, {}))
        return found


def _path(start: str, term: str) -> str:
    return os.path.join(start, os.path.expanduser(term))

#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Write the files of a service on a host in one go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Write the files of a service on a host in one go
version_added: 0.1.0
description:
  - Writes files, links and folders that belong together, which costs one task where M(ansible.builtin.copy) and
    M(ansible.builtin.file) take two or three for each, and takes them back to what they were before when a service
    does not come up with them.
  - Makes passwords that nobody gave, once, and keeps them on the host.
attributes:
  check_mode:
    support: full
    description: Says what would be changed.
  diff_mode:
    support: full
    description: Shows texts, but for those that are secret.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  files:
    description: Files in the order in which they are written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: str
        required: true
      content:
        description: The file's text.
        type: str
      link:
        description: Where a symbolic link leads to.
        type: str
      directory:
        description: Whether it is a folder.
        type: bool
        default: false
      random:
        description: How many random letters and digits a file is made of that does not exist yet.
        type: int
      owner:
        description: Its owner.
        type: str
        default: root
      group:
        description: Its group.
        type: str
        default: root
      mode:
        description: Its mode in octal digits, V(0644) unless set, and V(0755) of a folder.
        type: str
      secret:
        description: Whether differences leave out what is in it.
        type: bool
        default: false
  state:
    description:
      - V(present) writes what differs, V(absent) removes the files and folders with all that is in them, V(restored)
        takes the files back to what O(backup) has.
    type: str
    choices: [present, absent, restored]
    default: present
  backup:
    description: A folder of root's in which is kept what the files were before they were last changed.
    type: path
"""

EXAMPLES = r"""
- name: Write a service's files
  llm_d.orchestrator.host_files:
    files:
      - {path: /etc/example, directory: true, mode: "0750"}
      - {path: /etc/example/example.conf, content: "port: 1\n"}
      - {path: /etc/example/password, random: 32, mode: "0600"}
    backup: /var/lib/example-previous
  register: files
  no_log: true
"""

RETURN = r"""
paths:
  description: What was changed, or would be.
  type: list
  elements: str
  returned: success
  sample: [/etc/example/example.conf]
created:
  description: What of RV(paths) did not exist before.
  type: list
  elements: str
  returned: success
  sample: []
contents:
  description: By path what is in the files that are made at random.
  type: dict
  returned: success
  sample: {/etc/example/password: (masked)}
"""

import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.machines import files as host

# It runs on hosts that need no more than Python, so that its options are not read of the documentation.
FILE = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str"},
    "link": {"type": "str"},
    "directory": {"type": "bool", "default": False},
    "random": {"type": "int"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str"},
    "secret": {"type": "bool", "default": False, "no_log": False},
}
SPEC = {
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
    "state": {"type": "str", "choices": ["present", "absent", "restored"], "default": "present"},
    "backup": {"type": "path"},
}


def run(params: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    """Return the module's result. Raises ValueError and OSError."""
    files = [host.parse(one) for one in params["files"]]
    backup = pathlib.Path(params["backup"]) if params["backup"] else None
    if params["state"] == "absent":
        changes = host.remove(files, check)
    elif params["state"] == "restored":
        changes = host.restore(backup or pathlib.Path(), check)
    else:
        changes = host.write(files, check, backup)
    return {
        "changed": bool(changes),
        "paths": [change.path for change in changes],
        "created": [change.path for change in changes if change.created],
        "contents": host.contents(files),
        "diff": [
            {"before_header": one.path, "after_header": one.path, "before": one.before, "after": one.after}
            for one in changes
        ],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=SPEC, supports_check_mode=True, required_if=[("state", "restored", ("backup",))]
    )
    try:
        result = run(module.params, module.check_mode)
    except (OSError, ValueError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What Ansible's main process reads once, for all hosts, before it forks for each of their tasks.

Ansible parses a play's vars_files again for every task of every host, and each fork parses role defaults anew. Its
loader keeps what it is told to keep, and forks inherit that.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import typing as t

from ansible.errors import AnsibleFileNotFound
from ansible.plugins.loader import lookup_loader
from ansible_collections.llm_d.orchestrator.plugins.lookup.components import SPECS, TABLE
from ansible_collections.llm_d.orchestrator.plugins.lookup.role_settings import ROLES
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import role_specs

# Lookups that the playbooks' variables use.
LOOKUPS = (
    *(f"llm_d.orchestrator.{name}" for name in ("role_settings", "components", "credentials", "folder")),
    *(f"ansible.builtin.{name}" for name in ("env", "vars")),
)
COLLECTION = os.path.realpath(os.path.join(ROLES, ".."))


def preload_lookups() -> list[str]:
    """Have Ansible's loader keep the classes of lookups; return their names."""
    return [name for name in LOOKUPS if lookup_loader.get(name, class_only=True)]


def preload(play: t.Any) -> list[str]:
    """Have a play's loader keep this collection's own vars_files and defaults; return what it keeps.

    Other files are left alone: they may change while the play runs.
    """
    preload_lookups()
    role_specs()
    loader = play.get_loader()
    if "trusted_as_template" not in inspect.signature(loader.load_from_file).parameters:
        return []  # ansible-core 2.18 and before read them otherwise
    # Planning reads the component table and its roles for every host.
    rows = loader.load_from_file(TABLE, unsafe=True)["llm_d_components"] if os.path.isfile(TABLE) else []
    names = [row["name"] for row in rows]
    own = [os.path.join(ROLES, name, *file) for name in names for file in (("defaults", "main.yml"), SPECS)]
    files = [path for path in [*_vars_files(play, loader), TABLE, *own] if os.path.isfile(path)]
    for path in files:
        loader.load_from_file(path, unsafe=True, trusted_as_template=True)
    return files


def _vars_files(play: t.Any, loader: t.Any) -> list[str]:
    found = []
    for name in play.vars_files or []:
        if isinstance(name, str) and "{" not in name:
            with contextlib.suppress(AnsibleFileNotFound):  # which Ansible is going to say
                found.append(loader.path_dwim_relative_stack(play.get_search_path(), "vars", name))
    return [path for path in found if path and os.path.realpath(path).startswith(COLLECTION + os.sep)]

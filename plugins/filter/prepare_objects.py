# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter prepare_objects."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.prepare import objects


def prepare_objects(settings: dict) -> list[dict]:
    """Return the manifests that the role prepare applies; see prepare_objects.yml."""
    if settings["downloads"] and not settings["pvc_name"]:
        raise AnsibleFilterError("prepare_downloads needs a claim to write to: set prepare_pvc_name.")
    return objects(settings)


class FilterModule:
    """Names the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable]:
        """Return the filters of this file."""
        return {"prepare_objects": prepare_objects}

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run of awx_setup.yml is given, and what it did."""

from __future__ import annotations

from typing import Any, NamedTuple

SECRET = "only-for-this-test-0123456789"
TEMPLATES = ("plan", "deploy", "verify", "status", "diagnose", "rollback", "teardown")
# As a user's own file would be.
MINE: dict[str, Any] = {
    "awx_organization": "models",
    "awx_prefix": "east",
    "awx_image": "registry.example.com/jobs:1",
    "awx_credentials": ["clusters"],
    "awx_secrets": {"clusters": {"kubeconfig": SECRET}},
    "awx_notification_url": "https://hooks.example.com/llm-d",
    "awx_inventory_plugin_path": "inventory/all.clusters.yml",
    "awx_job_slices": 4,
    "awx_instance_groups": ["fleet"],
    "awx_objects": {
        "credentials": {"clusters": {"credential_type": "kubeconfig"}},
        "instance_groups": {"fleet": {"is_container_group": True, "max_forks": 100}},
        "job_templates": {"teardown": {"survey": ["teardown_confirm", "prepare_hf_token"]}},
    },
}
# The same set, short of what the last tests need not look at; a workflow without its return.
FEW: dict[str, Any] = {
    **{key: value for key, value in MINE.items() if key not in ("awx_secrets", "awx_objects")},
    "awx_credentials": ["east clusters"],
    "awx_instance_groups": ["east fleet"],
    "awx_objects": {
        "credential_types": dict.fromkeys(("kubeconfig", "cluster token", "Hugging Face token")),
        "inventories": {"clusters": {"sources": dict.fromkeys(("inventory file", "inventory plugin"))}},
        "job_templates": {
            "plan": {"forks": 9},
            "verify": {"survey": ["verify_stream"]},
            **dict.fromkeys(("status", "diagnose", "rollback", "teardown")),
        },
        "workflows": {
            "rollout": {
                "nodes": {
                    **{"deploy": {"failure": []}, "verify": {"failure": []}},
                    **dict.fromkeys(("diagnose", "look-back", "approve-rollback", "rollback")),
                }
            }
        },
        "schedules": {"drift": None},
        "teams": dict.fromkeys(("operator", "approver", "viewer")),
    },
}


class Run(NamedTuple):
    """A playbook's run. changed: of its recap; items: what it calls changed; requests: what it asked AWX to change."""

    code: int
    text: str
    changed: int
    items: list[str]
    requests: list[tuple[str, str, Any]]

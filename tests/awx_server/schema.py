# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWX's API knows of each kind of object: fields with their types and defaults, links, roles, choices.

Facts of AWX 24.6: the names, types and rules of its serializers and models, as far as they are used here.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Field(NamedTuple):
    """One field. type: str, int, float, bool, json, or the collection that its number refers to."""

    type: str = "str"
    default: Any = ""
    required: bool = False
    choices: tuple[str, ...] = ()


class Kind(NamedTuple):
    """One collection. unique: fields that no two objects have alike; ignored: what clients send and AWX passes over."""

    type: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name", "organization")
    links: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


def flag(default: bool = False) -> Field:
    return Field("bool", default)


def number(default: int = 0) -> Field:
    return Field("int", default)


def to(collection: str, required: bool = False) -> Field:
    return Field(collection, None, required)


TEXT, NEEDED = Field(), Field(required=True)
MAYBE = Field(default=None)
NAMED = {"name": NEEDED, "description": TEXT}
NOTIFIED = tuple(f"notification_templates_{event}" for event in ("started", "success", "error"))
APPROVALS = "notification_templates_approvals"
VERBOSITY = ("0", "1", "2", "3", "4", "5")


def asks(*names: str) -> dict[str, Field]:
    return {f"ask_{name}_on_launch": flag() for name in names}


PROMPTS = {
    "extra_data": Field("json", {}),
    "inventory": to("inventories"),
    **dict.fromkeys(("scm_branch", "job_type", "job_tags", "skip_tags", "limit"), MAYBE),
    "diff_mode": Field("bool", None),
    "verbosity": Field("int", None),
    "execution_environment": to("execution_environments"),
    **dict.fromkeys(("forks", "job_slice_count", "timeout"), Field("int", None)),
}

KINDS: dict[str, Kind] = {
    "organizations": Kind(
        "organization",
        {**NAMED, "max_hosts": number(), "default_environment": to("execution_environments")},
        unique=("name",),
        links=("instance_groups", "galaxy_credentials", *NOTIFIED, APPROVALS),
        roles=(
            *("admin", "execute", "project_admin", "inventory_admin", "credential_admin", "workflow_admin"),
            *("notification_admin", "job_template_admin", "execution_environment_admin", "auditor", "member", "read"),
            "approval",
        ),
    ),
    "users": Kind("user", {"username": NEEDED, "email": TEXT}, unique=("username",)),
    "teams": Kind("team", {**NAMED, "organization": to("organizations", True)}, roles=("admin", "member", "read")),
    "execution_environments": Kind(
        "execution_environment",
        {
            **NAMED,
            "organization": to("organizations"),
            "image": NEEDED,
            "credential": to("credentials"),
            "pull": Field(choices=("", "always", "missing", "never")),
        },
        unique=("name",),
    ),
    "credential_types": Kind(
        "credential_type",
        {
            **NAMED,
            "kind": Field(required=True, choices=("cloud", "net")),
            "inputs": Field("json", {}),
            "injectors": Field("json", {}),
            "managed": flag(),
        },
        unique=("name", "kind"),
    ),
    "credentials": Kind(
        "credential",
        {
            **NAMED,
            "organization": to("organizations"),
            "credential_type": to("credential_types", True),
            "inputs": Field("json", {}),
        },
        unique=("name", "organization", "credential_type"),
        roles=("admin", "use", "read"),
    ),
    "instance_groups": Kind(
        "instance_group",
        {
            "name": NEEDED,
            "credential": to("credentials"),
            "is_container_group": flag(),
            "pod_spec_override": TEXT,
            "policy_instance_list": Field("json", []),
            **dict.fromkeys(("max_concurrent_jobs", "max_forks"), number()),
            **dict.fromkeys(("policy_instance_percentage", "policy_instance_minimum"), number()),
        },
        unique=("name",),
        links=("instances",),
        roles=("admin", "use", "read"),
    ),
    "projects": Kind(
        "project",
        {
            **NAMED,
            "organization": to("organizations"),
            "scm_type": Field(choices=("", "git", "svn", "insights", "archive")),
            **dict.fromkeys(("local_path", "scm_url", "scm_branch", "scm_refspec"), TEXT),
            **dict.fromkeys(("scm_clean", "scm_delete_on_update", "scm_track_submodules"), flag()),
            **dict.fromkeys(("scm_update_on_launch", "allow_override"), flag()),
            **dict.fromkeys(("scm_update_cache_timeout", "timeout"), number()),
            **dict.fromkeys(("credential", "signature_validation_credential"), to("credentials")),
            "default_environment": to("execution_environments"),
        },
        links=NOTIFIED,
        roles=("admin", "use", "update", "read"),
        related=("update",),
    ),
    "inventories": Kind(
        "inventory",
        {
            **NAMED,
            "organization": to("organizations", True),
            "kind": Field(choices=("", "smart", "constructed")),
            "host_filter": MAYBE,
            "variables": TEXT,
            "prevent_instance_group_fallback": flag(),
        },
        links=("instance_groups", "input_inventories"),
        roles=("admin", "update", "adhoc", "use", "read"),
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **NAMED,
            "inventory": to("inventories", True),
            "source": Field(
                choices=("scm", "ec2", "gce", "azure_rm", "vmware", "openstack", "controller", "terraform")
            ),
            "source_project": to("projects"),
            "execution_environment": to("execution_environments"),
            "credential": to("credentials"),
            **dict.fromkeys(("source_path", "source_vars", "scm_branch", "enabled_var", "enabled_value"), TEXT),
            **dict.fromkeys(("host_filter", "limit"), TEXT),
            **dict.fromkeys(("overwrite", "overwrite_vars", "update_on_launch"), flag()),
            **dict.fromkeys(("timeout", "update_cache_timeout"), number()),
            "verbosity": number(1),
        },
        unique=("name", "inventory"),
        links=NOTIFIED,
    ),
    "notification_templates": Kind(
        "notification_template",
        {
            **NAMED,
            "organization": to("organizations", True),
            "notification_type": Field(
                required=True,
                choices=(
                    "email",
                    "grafana",
                    "irc",
                    "mattermost",
                    "pagerduty",
                    "rocketchat",
                    "slack",
                    "twilio",
                    "webhook",
                ),
            ),
            "notification_configuration": Field("json", {}),
            "messages": Field("json", None),
        },
    ),
    "job_templates": Kind(
        "job_template",
        {
            **NAMED,
            "organization": to("organizations"),
            "job_type": Field(default="run", choices=("run", "check")),
            "inventory": to("inventories"),
            "project": to("projects"),
            "execution_environment": to("execution_environments"),
            "webhook_credential": to("credentials"),
            **dict.fromkeys(("playbook", "scm_branch", "limit", "extra_vars", "job_tags", "skip_tags"), TEXT),
            **dict.fromkeys(("start_at_task", "host_config_key", "webhook_service"), TEXT),
            **dict.fromkeys(("forks", "verbosity", "timeout"), number()),
            "job_slice_count": number(1),
            **dict.fromkeys(("force_handlers", "use_fact_cache", "survey_enabled", "become_enabled"), flag()),
            **dict.fromkeys(("diff_mode", "allow_simultaneous", "prevent_instance_group_fallback"), flag()),
            **asks("scm_branch", "diff_mode", "variables", "limit", "tags", "skip_tags", "job_type", "verbosity"),
            **asks("inventory", "credential", "execution_environment", "labels", "forks", "job_slice_count"),
            **asks("timeout", "instance_groups"),
        },
        links=("credentials", "labels", "instance_groups", *NOTIFIED),
        roles=("admin", "execute", "read"),
        related=("survey_spec", "launch"),
        ignored=("organization",),
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **NAMED,
            "organization": to("organizations"),
            "inventory": to("inventories"),
            "webhook_credential": to("credentials"),
            **dict.fromkeys(("extra_vars", "webhook_service"), TEXT),
            **dict.fromkeys(("limit", "scm_branch", "job_tags", "skip_tags"), MAYBE),
            **dict.fromkeys(("survey_enabled", "allow_simultaneous"), flag()),
            **asks("variables", "inventory", "scm_branch", "limit", "labels", "tags", "skip_tags"),
        },
        links=("labels", *NOTIFIED, APPROVALS),
        roles=("admin", "execute", "approval", "read"),
        related=("survey_spec", "launch", "workflow_nodes"),
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            "identifier": NEEDED,
            "workflow_job_template": to("workflow_job_templates", True),
            "unified_job_template": to("unified_job_templates"),
            "all_parents_must_converge": flag(),
            **PROMPTS,
        },
        unique=("identifier", "workflow_job_template"),
        links=("success_nodes", "failure_nodes", "always_nodes", "credentials", "labels", "instance_groups"),
        ignored=("type",),
    ),
    "workflow_approval_templates": Kind(
        "workflow_approval_template",
        {**NAMED, "timeout": number()},
        unique=(),
    ),
    "schedules": Kind(
        "schedule",
        {
            **NAMED,
            "rrule": NEEDED,
            "unified_job_template": to("unified_job_templates", True),
            "enabled": flag(True),
            **PROMPTS,
        },
        unique=("name", "unified_job_template"),
        links=("credentials", "labels", "instance_groups"),
    ),
}

# What can be run: one numbering for all, one list to look in.
UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources", "workflow_approval_templates")

# Type of a notification -> its settings: type, and a default where AWX fills one in.
NOTIFICATIONS: dict[str, dict[str, tuple[type, Any]]] = {
    "webhook": {
        "url": (str, None),
        "http_method": (str, "POST"),
        "disable_ssl_verification": (bool, False),
        "username": (str, ""),
        "password": (str, ""),
        "headers": (dict, None),
    },
    "slack": {"token": (str, None), "channels": (list, None), "hex_color": (str, "")},
}
SECRET_SETTINGS = ("password", "token")
SURVEY_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), (str,)),
    "integer": (int,),
    "float": (float, int),
}

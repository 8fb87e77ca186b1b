# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What objects in AWX may be described by, kind by kind, and how the descriptions of several sources are joined.

The names are those of the options of awx.awx's modules; the role awx hands just these to the modules.
"""

from __future__ import annotations

import copy
import typing as t

from ..base.data import Object
from ..base.suggest import nearest

_ASK = tuple(
    f"ask_{name}_on_launch" for name in ("variables", "limit", "tags", "skip_tags", "inventory", "scm_branch", "labels")
)
_ASK_JOB = _ASK + tuple(
    f"ask_{name}_on_launch"
    for name in (
        *("diff_mode", "job_type", "verbosity", "credential", "execution_environment", "forks", "instance_groups"),
        *("job_slice_count", "timeout"),
    )
)
_LAUNCH = ("description", "inventory", "limit", "extra_vars", "job_tags", "skip_tags", "scm_branch")

# Kind -> options that go to its module as they are. The name, the organization and the state are the role's.
PLAIN: dict[str, tuple[str, ...]] = {
    "instance_groups": (
        *("credential", "is_container_group", "pod_spec_override", "max_concurrent_jobs", "max_forks"),
        *("policy_instance_percentage", "policy_instance_minimum", "policy_instance_list"),
    ),
    "execution_environments": ("description", "image", "pull", "credential"),
    "projects": (
        *("description", "scm_type", "scm_url", "scm_branch", "scm_refspec", "scm_clean", "scm_delete_on_update"),
        *("scm_track_submodules", "scm_update_on_launch", "scm_update_cache_timeout", "credential", "allow_override"),
        *("timeout", "default_environment"),
    ),
    "credential_types": ("description", "kind", "inputs", "injectors"),
    "credentials": ("description", "credential_type"),
    "inventories": ("description", "variables", "instance_groups", "prevent_instance_group_fallback"),
    "inventory_sources": (
        *("description", "source", "source_project", "source_path", "source_vars", "scm_branch", "credential"),
        *("execution_environment", "enabled_var", "enabled_value", "host_filter", "limit", "overwrite"),
        *("overwrite_vars", "timeout", "verbosity", "update_on_launch", "update_cache_timeout"),
    ),
    "notifications": ("description", "notification_type", "notification_configuration", "messages"),
    "job_templates": (
        *_LAUNCH,
        *("playbook", "job_type", "project", "execution_environment", "credentials", "instance_groups", "forks"),
        *("verbosity", "timeout", "use_fact_cache", "diff_mode", "allow_simultaneous", "job_slice_count"),
        *("prevent_instance_group_fallback", *_ASK_JOB),
    ),
    "workflows": (*_LAUNCH, "allow_simultaneous", *_ASK),
    "schedules": ("description", "rrule", "enabled", "extra_data", "limit", "job_tags", "skip_tags"),
    "teams": ("description",),
}

# Kind -> options that the role works with itself.
OWN: dict[str, tuple[str, ...]] = {
    "inventories": ("sources",),
    "notifications": ("on", "templates"),
    "job_templates": ("survey",),
    "workflows": ("survey", "nodes"),
    "schedules": ("template",),
    "teams": ("grants",),
}

REQUIRED = {
    "execution_environments": ("image",),
    "projects": ("scm_type",),
    "credential_types": ("kind", "inputs", "injectors"),
    "credentials": ("credential_type",),
    "inventory_sources": ("source",),
    "notifications": ("notification_type", "notification_configuration", "on"),
    "job_templates": ("playbook", "project", "inventory"),
    "workflows": ("nodes",),
    "schedules": ("template", "rrule"),
}

NODE = (
    *("template", "approval", "description", "timeout", "extra_data", "limit", "job_type"),
    *("success", "failure", "always", "join"),
)
EVENTS = ("started", "success", "error", "approvals")
# What is no kind of its own.
DEFAULTS = "defaults"
KINDS = tuple(kind for kind in PLAIN if kind != "inventory_sources")


class Described:
    """All objects, checked: kind -> {key: description}; what was taken out of the built-in ones; and mistakes."""

    def __init__(self, objects: Object, removed: set[tuple[str, str]], mistakes: list[str]) -> None:
        self.objects, self.removed, self.mistakes = objects, removed, mistakes


def described(*sources: t.Mapping[str, t.Any]) -> Described:
    """Return the descriptions of several sources joined: maps are joined, the rest is replaced, null removes."""
    joined: Object = {}
    for source in sources:
        joined = _joined(joined, source)
    mistakes: list[str] = [_unknown(kind, "", (*KINDS, DEFAULTS)) for kind in joined if kind not in (*KINDS, DEFAULTS)]
    common = joined.get(DEFAULTS) or {}
    removed: set[tuple[str, str]] = set()
    objects: Object = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for key, fields in (joined.get(kind) or {}).items():
            if fields is None:
                removed.add((kind, key))
                continue
            if not isinstance(fields, dict):
                mistakes.append(f"{kind}.{key}: is not a map -> use a map of options, or null to remove it")
                continue
            objects[kind][key] = {**(common.get(kind) or {}), **fields}
            mistakes += checked(kind, key, objects[kind][key])
    return Described(objects, removed, mistakes)


def checked(kind: str, key: str, fields: Object, where: str = "") -> list[str]:
    """Return the mistakes in one description's own options."""
    where = where or f"{kind}.{key}"
    known = (*PLAIN[kind], *OWN.get(kind, ()))
    found = [_unknown(name, where, known) for name in fields if name not in known]
    return found + [f"{where}: {name} is missing" for name in REQUIRED.get(kind, ()) if fields.get(name) in (None, "")]


def _joined(low: t.Any, high: t.Any) -> t.Any:
    if not isinstance(low, dict) or not isinstance(high, dict):
        return copy.deepcopy(high)
    return {
        **{key: value for key, value in low.items() if key not in high},
        **{key: _joined(low.get(key), value) for key, value in high.items()},
    }


def _unknown(name: str, where: str, known: t.Sequence[str]) -> str:
    near = nearest(str(name), known)
    meant = f"did you mean {near}?" if near else "use one of: " + ", ".join(known)
    return f"{where + ': ' if where else ''}unknown key {name} -> {meant}"

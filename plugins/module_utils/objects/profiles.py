# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The scheduling profiles of an endpoint picker's configuration: which roles of pods each of them takes.

What a picker does with prefill pods is said by its profiles' filters, whatever its profile handler is called:
llm-d-inference-scheduler v0.6.0, pkg/plugins/filter; llm-d-router v0.10.0, pkg/epp/framework/plugins/scheduling/filter.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, texts
from .pools import ROLE_LABEL

PREFILL, DECODE, ENCODE = "prefill", "decode", "encode"
# Types of filters that take the pods of one role, and of those whose parameters say which.
_OF_ROLE = {"prefill-filter": PREFILL, "decode-filter": DECODE, "encode-filter": ENCODE}
_BY_VALUE, _BY_SELECTOR = "by-label", ("by-label-selector", "label-selector-filter")
# Profile handlers that run a profile for each role, and the parameters that name it (old ones; newer ones: profiles).
HANDLERS = ("pd-profile-handler", "disagg-profile-handler")


@dataclasses.dataclass(frozen=True)
class Profile:
    """name: of the profile; index: its place in schedulingProfiles; roles: that its filters take, none for any."""

    name: str
    index: int
    roles: frozenset[str]


def profiles_of(config: Object) -> list[Profile]:
    """Return the profiles that a configuration gives a picker."""
    declared = {str(one.get("name") or one.get("type")): one for one in dicts(config.get("plugins"))}
    # Without profiles a picker makes one of all its plugins: GAIE, pkg/epp/config/loader/defaults.go.
    given = dicts(config.get("schedulingProfiles")) or [{"name": "default", "plugins": _all(declared)}]
    found = []
    for index, profile in enumerate(given):
        used = [declared.get(str(use.get("pluginRef")), {}) for use in dicts(profile.get("plugins"))]
        roles = frozenset(role for plugin in used for role in _roles(plugin))
        found.append(Profile(str(profile.get("name")), index, roles))
    return found


def _all(names: t.Iterable[str]) -> list[Object]:
    return [{"pluginRef": name} for name in names]


def parts_prefill(config: Object) -> bool:
    """Return whether some profile takes prefill pods, so that a request is prefilled there and decoded elsewhere."""
    return any(PREFILL in profile.roles for profile in profiles_of(config))


def role_profiles(config: Object) -> dict[str, str]:
    """Return {profile: role} of the profiles that a handler runs for a role; {} where no handler parts roles."""
    handler = next((one for one in dicts(config.get("plugins")) if one.get("type") in HANDLERS), None)
    if handler is None:
        return {}
    given = mapping(handler.get("parameters"))
    named = mapping(given.get("profiles"))
    return {str(given.get(f"{role}Profile") or named.get(role) or role): role for role in (PREFILL, DECODE, ENCODE)}


def _roles(plugin: Object) -> t.Iterable[str]:
    """Return the roles that a filter takes, none for a plugin that is no filter by role."""
    kind, given = plugin.get("type"), mapping(plugin.get("parameters"))
    if kind in _OF_ROLE:
        return [_OF_ROLE[str(kind)]]
    values = texts(given.get("validValues")) if kind == _BY_VALUE and given.get("label") == ROLE_LABEL else []
    if kind in _BY_SELECTOR:
        label = mapping(given.get("matchLabels")).get(ROLE_LABEL)
        values = [str(label)] if label else []
        for one in dicts(given.get("matchExpressions")):
            values += texts(one.get("values")) if (one.get("key"), one.get("operator")) == (ROLE_LABEL, "In") else []
    # 'prefill-decode', 'encode-prefill' and 'both' stand for several.
    joined = "-".join(values).replace("both", "prefill-decode").split("-")
    return [role for role in (PREFILL, DECODE, ENCODE) if role in joined]

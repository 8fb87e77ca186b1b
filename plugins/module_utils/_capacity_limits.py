# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LimitRanges against the pods and claims of a plan: what the API server would refuse, and why.

Source: Kubernetes, "Limit Ranges"; plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_amounts import Amounts, amounts, shown
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_pods import Need
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import Object, dicts, mapping


@dataclasses.dataclass(frozen=True)
class Breach:
    """container: key and index of the one that is refused, None for the pod; text: what is wrong."""

    text: str
    container: tuple[str, int] | None = None


def breaches(limit_range: Object, need: Need) -> list[Breach]:
    """Return why a namespace's LimitRange refuses a pod."""
    found = []
    for item in dicts(mapping(limit_range.get("spec")).get("limits")):
        if item.get("type") == "Container":
            for one in need.containers:
                texts = _against(item, one.requests, one.limits)
                found += [Breach(f"container {one.name} {text}", (one.key, one.index)) for text in texts]
        elif item.get("type") == "Pod":
            requests = {name: value for name, value in need.requests.items() if name != "pods"}
            found += [Breach(f"the pod {text}") for text in _against(item, requests, need.limits)]
    return found


def claim_breaches(limit_range: Object, requests: t.Any) -> list[str]:
    """Return why a LimitRange refuses a claim. requests: of its resources."""
    asked = amounts(requests)
    found = []
    for item in dicts(mapping(limit_range.get("spec")).get("limits")):
        if item.get("type") == "PersistentVolumeClaim":
            found += _below(item, asked, {})
            found += [
                f"asks for {shown(name, asked[name])} {name}, at most {shown(name, most)} is allowed"
                for name, most in amounts(item.get("max")).items()
                if asked.get(name, 0) > most
            ]
    return found


def _against(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    return _below(item, requests, limits) + _above(item, requests, limits) + _ratio(item, requests, limits)


def _below(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    found = []
    for name, least in amounts(item.get("min")).items():
        if name not in requests:
            found.append(f"has to ask for {name}, at least {shown(name, least)}")
        elif min(requests[name], limits.get(name, requests[name])) < least:
            asked = min(requests[name], limits.get(name, requests[name]))
            found.append(f"asks for {shown(name, asked)} {name}, at least {shown(name, least)} is needed")
    return found


def _above(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    found = []
    for name, most in amounts(item.get("max")).items():
        if name not in limits:
            found.append(f"has to set a limit of {name}, at most {shown(name, most)}")
        elif max(limits[name], requests.get(name, 0)) > most:
            asked = max(limits[name], requests.get(name, 0))
            found.append(f"has {shown(name, asked)} {name}, at most {shown(name, most)} is allowed")
    return found


def _ratio(item: Object, requests: Amounts, limits: Amounts) -> list[str]:
    found = []
    for name, most in amounts(item.get("maxLimitRequestRatio")).items():
        asked, limit = requests.get(name, 0), limits.get(name)
        if not asked or limit is None:
            found.append(f"has to set both a request and a limit of {name} (their ratio is limited)")
        elif limit * 1000 > most * asked:
            found.append(
                f"has a limit of {name} {limit / asked:g} times its request, at most {most / 1000:g} is allowed"
            )
    return found

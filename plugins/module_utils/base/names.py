# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Names: what Kubernetes and Helm accept, what the charts make of a release's name, and near misses."""

from __future__ import annotations

import difflib
import re
import typing as t

# Kubernetes: labels' values and DNS labels; Helm: release names (helm.sh/helm/v3/pkg/chartutil/validate_name.go).
LABEL_LIMIT = 63
RELEASE_LIMIT = 53
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z")
_HOSTNAME = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
# llm-d-modelservice appends the longer of -decode and -prefill to its fullname.
_MODELSERVICE_LIMIT = 55
_MODELSERVICE_CHART = "llm-d-modelservice"
_GATEWAY_SUFFIX = "inference-gateway"


def name_problem(name: t.Any, limit: int = LABEL_LIMIT) -> str | None:
    """Return what is wrong with a DNS label (a release, an object), or None."""
    if not isinstance(name, str):
        return f"{name!r} is not a string"
    if not name:
        return "is empty"
    if len(name) > limit:
        return f"{name!r} has {len(name)} characters, at most {limit} are allowed"
    if not _DNS_LABEL.match(name):
        return f"{name!r} must be lower-case letters, digits and hyphens, with a letter or digit at both ends"
    return None


def label_problem(value: t.Any) -> str | None:
    """Return what is wrong with a label's value, or None."""
    if not isinstance(value, str):
        return f"{value!r} is not a string: put it in quotes"
    if len(value) > LABEL_LIMIT:
        return f"{value!r} has {len(value)} characters, at most {LABEL_LIMIT} are allowed"
    if not _LABEL_VALUE.match(value):
        return f"{value!r} may contain only letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    return None


def label_key_problem(key: str) -> str | None:
    """Return what is wrong with a label's key ([DNS name/]name), or None."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or prefix.startswith("*") or not _HOSTNAME.match(prefix)):
        return f"{key!r} is not a valid label key: the part before / must be a DNS name"
    if not name or len(name) > LABEL_LIMIT or not _LABEL_VALUE.match(name):
        return (
            f"{key!r} is not a valid label key: at most 63 letters, digits, '-', '_' and '.', with a letter or "
            "digit at both ends"
        )
    return None


def hostname_problem(value: t.Any) -> str | None:
    """Return what is wrong with a route's hostname (a leading *. is allowed), or None."""
    if not isinstance(value, str) or len(value) > 253 or not _HOSTNAME.match(value):
        return f"{value!r} is not a valid hostname such as chat.example.com or *.example.com"
    return None


def dns_label(text: str, limit: int = LABEL_LIMIT) -> str:
    """Return text as a DNS label: lower-case, hyphens for the rest, cut to limit (Qwen/Qwen3-32B: qwen-qwen3-32b)."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].rstrip("-")


def did_you_mean(word: str, known: t.Iterable[str]) -> str:
    """Return ' Did you mean x?' for the nearest known word, or the only one that begins so; '' where none is near."""
    folded, by_fold = _fold(word), {_fold(item): item for item in known}
    near = difflib.get_close_matches(folded, list(by_fold), n=1, cutoff=0.6)
    longer = [item for item in by_fold if len(folded) > 2 and item.startswith(folded)]
    near = near or (longer if len(longer) == 1 else [])
    return f" Did you mean {by_fold[near[0]]}?" if near else ""


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def epp_name(release: str) -> str:
    """Return the endpoint picker's name: the inferencepool chart cuts the release's name at 40 characters."""
    return release.lower().strip()[:40] + "-epp"


def proxy_name(release: str) -> str:
    """Return the name of a standalone router's proxy where that is a Deployment of its own."""
    return release.lower().strip()[:40] + "-proxy"


def _cut(text: str, limit: int) -> str:
    # sprig's trunc, then trimSuffix "-", which takes one hyphen.
    return text[:limit].removesuffix("-")


def gateway_name(release: str, values: dict) -> str:
    """Return the Gateway's name as the llm-d-infra chart makes it from a release and its values."""
    given = values.get("gateway")
    gateway = given if isinstance(given, dict) else {}
    if gateway.get("fullnameOverride"):
        return _cut(str(gateway["fullnameOverride"]), 63)
    return _cut(f"{release}-{gateway.get('nameOverride') or _GATEWAY_SUFFIX}", 63)


def modelservice_fullname(release: str, values: dict) -> str:
    """Return the name that llm-d-modelservice puts before -decode and -prefill."""
    if values.get("fullnameOverride"):
        return _cut(str(values["fullnameOverride"]), _MODELSERVICE_LIMIT)
    name = values.get("nameOverride") or _MODELSERVICE_CHART
    return _cut(release if name in release else f"{release}-{name}", _MODELSERVICE_LIMIT)

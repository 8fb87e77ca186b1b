# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects that go with a pool: InferenceObjectives, InferenceModelRewrites, and whatever else is to be beside it.

Source: gateway-api-inference-extension, apix/v1alpha2.
"""

from __future__ import annotations

import copy
import typing as t

from ...base.apis import ALPHA_POOL_GROUP, POOL_GROUP
from ...base.data import Object, mapping
from ...base.findings import Findings
from ...base.names import name_problem

# Kinds that are of a pool, which they name in spec.poolRef.
OF_POOLS = ("InferenceObjective", "InferenceModelRewrite")
# Names of custom resources may have dots, and be as long as a DNS name.
_LONGEST = 253


def pool_objects(
    given: t.Sequence[t.Any], pool: str, namespace: str, where: str, findings: Findings
) -> dict[str, Object]:
    """Return a pool's objects by their places; those of a pool that name none get it. Note what is wrong.

    given: manifests; pool: its name; where: the list's place.
    """
    found = {}
    for index, body in enumerate(given):
        wrong = _problem(body, namespace)
        if wrong:
            what, fix = wrong
            findings.add(f"{where}[{index}]", what, fix, rule="input-object")
        else:
            found[f"{where}[{index}]"] = _of_pool(body, pool)
    return found


def _problem(body: t.Any, namespace: str) -> tuple[str, str] | None:
    """Return what is wrong with a manifest, and what to write instead."""
    if not isinstance(body, dict):
        return "is not an object", "write it as for kubectl apply: apiVersion, kind, metadata, spec"
    metadata = mapping(body.get("metadata"))
    for key, value in (
        ("apiVersion", body.get("apiVersion")),
        ("kind", body.get("kind")),
        ("metadata.name", metadata.get("name")),
    ):
        if not isinstance(value, str) or not value:
            return f"has no {key}", f"set {key}"
    parts = metadata["name"].split(".")
    wrong = next((text for part in parts if (text := name_problem(part, _LONGEST))), None)
    if wrong:
        return f"metadata.name {wrong}", "use a DNS name"
    other = metadata.get("namespace")
    if other not in (None, namespace):
        return f"is of namespace {other}, but the pool is in {namespace}", "remove metadata.namespace"
    return None


def _of_pool(body: Object, pool: str) -> Object:
    made = copy.deepcopy(body)
    group = str(made["apiVersion"]).rpartition("/")[0]
    spec = made.get("spec") or {}
    if group == ALPHA_POOL_GROUP and made["kind"] in OF_POOLS and isinstance(spec, dict) and not spec.get("poolRef"):
        made["spec"] = {"poolRef": {"group": POOL_GROUP, "kind": "InferencePool", "name": pool}, **spec}
    return made

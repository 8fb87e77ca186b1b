# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about a cluster, worked out of its definitions and its gateway's controller."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.facts import facts_of


def definition(group: str, kind: str, bundle: str, **versions: bool) -> dict:
    listed = [{"name": name, "served": served} for name, served in versions.items()]
    annotations = {"gateway.networking.k8s.io/bundle-version": bundle}
    return {
        "metadata": {"annotations": annotations},
        "spec": {"group": group, "names": {"kind": kind}, "versions": listed},
    }


def test_facts_of_definitions_and_istiod() -> None:
    env = [{"name": "ENABLE_GATEWAY_API_INFERENCE_EXTENSION", "value": "true"}]
    pods = {"containers": [{"image": "docker.io/istio/pilot:1.28.1", "env": env}]}
    crds = [definition("gateway.networking.k8s.io", "Gateway", "v1.4.0", v1=True, v1beta1=False)]
    facts = facts_of({"CustomResourceDefinition": crds}, controller={"spec": {"template": {"spec": pods}}})
    assert facts.served == {"gateway.networking.k8s.io/v1": ["Gateway"]}
    assert (facts.gateway_api_version, facts.gateway_version, facts.inference_extension) == ("v1.4.0", "1.28.1", True)
    pods["containers"][0]["env"] = []
    assert facts_of({}, controller={"spec": {"template": {"spec": pods}}}).inference_extension is False
    assert facts_of({}).served is None

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rejected by the API server, as findings with the key of the values."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.refusals import (
    DENIED,
    INVALID,
    UNKNOWN,
    UNREADABLE,
    WARNED,
    Objection,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import located
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

CONTAINER = {
    "name": "vllm",
    "image": "vllm/vllm-openai:v0.11.0",
    "resources": {"limits": {"memory": "1G1"}},
    "porst": [],
}
VALUES = {"decode": {"containers": [CONTAINER], "extraConfig": {"runtimeClassName": "gone"}}}
POD = {"containers": [{**CONTAINER, "made": 1, "volumeMounts": [{"name": "mode"}]}], "volumes": [{"name": "models"}]}
POD["runtimeClassName"] = "gone"  # type: ignore[assignment]
BODY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "ms-decode", "namespace": "demo"},
    "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}},
}
TEMPLATE = ("spec", "template")
FIRST = (*TEMPLATE, "spec", "containers", 0)


def findings(*causes: Objection, release: str = "ms") -> list[tuple[str, str, str]]:
    """Return (rule, key, message) of what is found."""
    layers = [Layer(VALUES, "ms.yaml")] if release else []
    part = RenderedRelease("monitoring", release, "demo", [BODY], layers=layers)
    facts = RuleFacts(refused={("Deployment", "demo", "ms-decode"): causes})
    found = [item for item in check(build_model([part], facts=facts)) if item.rule.startswith("LLMD8")]
    return [(item.rule, item.path, item.message) for item in found]


@pytest.mark.parametrize(
    ("cause", "rule", "key", "words"),
    [
        (Objection((*FIRST, "resources", "limits", "memory"), UNREADABLE, "'1G1' is no quantity"), "LLMD801",
         "decode.containers[0].resources.limits.memory", "the API server rejects memory of ms-decode: '1G1' is no"),
        (Objection((*FIRST, "volumeMounts", 0, "name"), INVALID, 'Not found: "mode"'), "LLMD801",
         "decode.containers[0]", "Did you mean models?"),
        (Objection((), UNREADABLE, "unable to parse"), "LLMD801", "", "rejects Deployment demo/ms-decode: unable"),
        (Objection((*FIRST, "porst"), UNKNOWN, "is not known", " Did you mean ports?"), "LLMD802",
         "decode.containers[0].porst", "the field porst of ms-decode is not known. Did you mean ports?"),
        (Objection((*FIRST, "made"), UNKNOWN, "is not known"), "LLMD803", "decode.containers[0]", "the field made"),
        (Objection((*FIRST, "porst"), WARNED, "given twice"), "LLMD813", "decode.containers[0].porst",
         "the API server warns about porst of ms-decode: given twice"),
        (Objection(TEMPLATE, DENIED, 'pod rejected: RuntimeClass "gone" not found'), "LLMD804",
         "decode.extraConfig.runtimeClassName", "rejects pods of ms-decode: pod rejected"),
        (Objection(TEMPLATE, DENIED, "failed quota: q: must specify limits.cpu for: vllm"), "LLMD804",
         "decode.containers[0].resources", "must specify limits.cpu"),
        (Objection((), DENIED, 'admission webhook "w" denied the request: no'), "LLMD804", "",
         "rejects Deployment demo/ms-decode"),
    ],
)  # fmt: skip
def test_a_refusal_has_its_rule_and_its_key(cause: Objection, rule: str, key: str, words: str) -> None:
    ((found, path, message),) = findings(cause)
    assert (found, path) == (rule, key)
    assert words in message


def test_what_a_chart_writes_by_itself_is_not_warned_of() -> None:
    assert findings(Objection((*FIRST, "made"), WARNED, "given twice")) == []


def test_pod_security_is_about_the_container_that_it_names() -> None:
    text = 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "vllm" must set '
    cause = Objection(TEMPLATE, DENIED, text + "securityContext.allowPrivilegeEscalation=false)")
    ((_rule, key, message),) = findings(cause)
    assert key == "decode.containers[0]"
    assert "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation" in message


def test_an_unknown_field_of_an_object_without_values_is_a_mistake() -> None:
    ((rule, _key, _message),) = findings(Objection((*FIRST, "made"), UNKNOWN, "is not known"), release="")
    assert rule == "LLMD802"


def test_what_another_rule_says_of_the_same_field_is_not_said_twice() -> None:
    body: dict[str, Any] = {**BODY, "metadata": {"name": "ms-decode", "namespace": "demo"}}
    part = RenderedRelease("modelservice", "ms", "demo", [body], layers=[Layer(VALUES, "ms.yaml")])
    cause = Objection((*FIRST, "volumeMounts", 0, "name"), INVALID, 'Not found: "mode"')
    facts = RuleFacts(refused={("Deployment", "demo", "ms-decode"): (cause,)})
    rules = [item.rule for item in check(build_model([part], facts=facts))]
    assert ("LLMD514" in rules, "LLMD801" in rules) == (True, False)


def test_a_misspelt_field_is_not_also_the_field_that_is_missing_for_it() -> None:
    required = Objection((*FIRST, "ports"), INVALID, "Required value")
    unknown = Objection((*FIRST, "porst"), UNKNOWN, "is not known", " Did you mean ports?")
    assert [rule for rule, _key, _message in findings(required, unknown)] == ["LLMD802"]
    assert [rule for rule, _key, _message in findings(required)] == ["LLMD801"]


def test_one_variable_that_several_releases_take_is_one_finding() -> None:
    layer = Layer(VALUES, "modelservice_values")
    parts, refused = [], {}
    for name in ("one", "two", "three"):
        body: dict[str, Any] = {**BODY, "metadata": {"name": f"ms-{name}-decode", "namespace": "demo"}}
        parts.append(RenderedRelease("modelservice", f"ms-{name}", "demo", [body], layers=[layer]))
        key = ("Deployment", "demo", f"ms-{name}-decode")
        refused[key] = (
            Objection((*FIRST, "resources", "limits", "memory"), UNREADABLE, "'1G1' is no quantity"),
            Objection((*FIRST, "porst"), UNKNOWN, "is not known", " Did you mean ports?"),
        )
    found = check(build_model(parts, facts=RuleFacts(refused=refused)))
    ours = [item for item in found if item.rule.startswith("LLMD8")]
    assert [item.rule for item in ours] == ["LLMD801", "LLMD802"]
    assert all(item.message.endswith("] and 2 more like it") for item in ours)
    place = "/inventory/stack.yml"
    (said, _other) = (located(item, {"modelservice_values": f"{place}:3"}) for item in ours)
    key = "modelservice_values.decode.containers[0].resources.limits.memory"
    assert said.text().startswith(f"LLMD801 {place}:3 ({key}): the API server rejects memory of ms-one-decode")
    assert (said.mark.file, said.mark.line) == (place, 3)
    nested = located(ours[0], {"modelservice_values": f"{place}:3", "modelservice_values.decode": f"{place}:5"})
    assert nested.mark.line == 5

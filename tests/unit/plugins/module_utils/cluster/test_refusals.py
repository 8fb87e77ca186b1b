# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Status objects of the API server, read for what of an object it refuses."""

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
    absent_class,
    placed,
    quoted,
    rejection_of,
    shown,
    steps,
    warned,
    without,
)

HANDLED = 'Deployment in version "v1" cannot be handled as a Deployment: '
PODS = 'pods "x" is forbidden: '


def invalid(*causes: tuple[str, str]) -> dict[str, Any]:
    rows = [{"reason": "FieldValueInvalid", "field": field, "message": text} for field, text in causes]
    return {"message": 'Deployment.apps "x" is invalid: ...', "details": {"causes": rows}}


@pytest.mark.parametrize(
    ("code", "body", "causes"),
    [
        (422, invalid(("spec.replicas", "Invalid value: -1: must be greater than or equal to 0")),
         [("spec.replicas", INVALID)]),
        (422, invalid(("spec.priority", 'Invalid value: "string": must be of type integer'), ("<nil>", "Invalid")),
         [("spec.priority", INVALID)]),
        (400, {"message": HANDLED + 'strict decoding error: unknown field "spec.a[0].b", unknown field "spec.c"'},
         [("spec.a[0].b", UNKNOWN), ("spec.c", UNKNOWN)]),
        (400, {"message": HANDLED + "unable to parse quantity's suffix"}, [("", UNREADABLE)]),
        (400, {"message": HANDLED + "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas "
               "of type int32"}, [("spec.replicas", UNREADABLE)]),
        (500, {"message": "failed to create typed patch object (ns/x; apps/v1, Kind=Deployment): .spec.replicas: "
               "expected numeric (int or float), got string"}, [("spec.replicas", UNREADABLE)]),
        (403, {"message": PODS + 'pod rejected: RuntimeClass "nvidia" not found'}, [("", DENIED)]),
        (403, {"message": PODS + 'violates PodSecurity "restricted:latest": runAsNonRoot != true'}, [("", DENIED)]),
        (422, {"message": "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"}, [("", DENIED)]),
    ],
)  # fmt: skip
def test_causes(code: int, body: dict[str, Any], causes: list[tuple[str, str]]) -> None:
    found = rejection_of(code, body)
    assert found is not None
    assert [(shown(cause.path), cause.how) for cause in found.causes] == causes


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (403, 'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "n"'),
        (403, 'pods "x" is forbidden: unable to create new content in namespace n because it is being terminated'),
        (403, PODS + "exceeded quota: q, requested: cpu=2, used: cpu=1, limited: cpu=2"),
        (404, 'namespaces "n" not found'),
        (409, 'pods "x" already exists'),
        (500, "failed calling webhook"),
        (400, ""),
    ],
)
def test_replies_that_are_not_about_the_object(code: int, message: str) -> None:
    assert rejection_of(code, {"message": message}) is None
    assert rejection_of(code, None) is None


@pytest.mark.parametrize(
    ("message", "local"),
    [
        (PODS + 'pod rejected: RuntimeClass "nvidia" not found', False),
        (PODS + "no PriorityClass with name high was found", False),
        (PODS + "failed quota: q: must specify limits.cpu for: vllm", True),
        ('admission webhook "a" denied the request: RuntimeClass "b" not found here', True),
        ('roles "a" is forbidden: user "u" is attempting to grant RBAC permissions not currently held', True),
    ],
)
def test_what_holds_in_one_namespace_alone(message: str, local: bool) -> None:
    found = rejection_of(403, {"message": message})
    assert found is not None
    assert found.local is local


def test_classes_that_are_absent() -> None:
    assert absent_class('pod rejected: RuntimeClass "nvidia" not found') == ("runtimeClassName", "nvidia")
    assert absent_class("no PriorityClass with name high was found") == ("priorityClassName", "high")
    assert absent_class("violates PodSecurity") == ("", "")


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ([], []),
        (['299 - "v1 ComponentStatus is deprecated in v1.19+"'], []),
        (
            ['299 - "spec.containers[0].env[1]: hides previous definition of \\"A\\", which may be dropped"'],
            [(("spec", "containers", 0, "env", 1), 'hides previous definition of "A", which may be dropped')],
        ),
        (
            ['299 - "spec.a: x", 299 - "would violate PodSecurity"', '299 - "metadata.name: y", 299 - "spec.a: x"'],
            [(("spec", "a"), "x"), (("metadata", "name"), "y")],
        ),
    ],
)
def test_fields_that_are_warned_of(headers: list[str], fields: list[tuple]) -> None:
    found = warned(headers)
    causes = found.causes if found else ()
    assert [(cause.path, cause.text, cause.how) for cause in causes] == [(*field, WARNED) for field in fields]


def test_paths() -> None:
    path = ("metadata", "labels", "llm-d.ai/role")
    assert steps("metadata.labels[llm-d.ai/role]") == path
    assert steps("spec.containers[0].ports[1].name") == ("spec", "containers", 0, "ports", 1, "name")
    labelled = {"metadata": {"labels": {path[2]: 1}}}
    assert placed(Objection(steps("metadata.labels.llm-d.ai/role"), INVALID, "x"), labelled).path == path


def test_a_cause_is_about_the_very_value_that_it_quotes() -> None:
    body = {"resources": {"requests": {"cpu": "1", "memory": "1000Gi"}}}
    text = 'Invalid value: "1000Gi": must be less than or equal to memory limit of 10Gi'
    assert placed(Objection(("resources", "requests"), INVALID, text), body).path == ("resources", "requests", "memory")
    assert placed(Objection(("resources",), INVALID, 'Invalid value: "gone": x'), body).path == ("resources",)
    assert (quoted("Invalid value: -1: must be"), quoted('Not found: "a"'), quoted("Required value")) == (-1, "a", None)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (("a", "b"), {"a": {"c": [1, 2]}}),
        (("a", "c", 0), {"a": {"b": 1, "c": [2]}}),
        (("a", "x", "y"), {"a": {"b": 1, "c": [1, 2]}}),
        ((), {"a": {"b": 1, "c": [1, 2]}}),
    ],
)
def test_an_object_without_a_field(path: tuple, left: dict[str, Any]) -> None:
    body = {"a": {"b": 1, "c": [1, 2]}}
    assert without(body, path) == left
    assert body == {"a": {"b": 1, "c": [1, 2]}}

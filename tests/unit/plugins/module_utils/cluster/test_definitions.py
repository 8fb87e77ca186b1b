# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What definitions that are not in the cluster yet say of objects."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.definitions import objections

DEFINITION = yaml.safe_load("""
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Thing}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [parts]
            properties:
              parts:
                type: object
                additionalProperties:
                  type: object
                  properties:
                    replicas: {type: integer, minimum: 0}
                    kind: {type: string, enum: [a, b]}
                    free: {type: object, x-kubernetes-preserve-unknown-fields: true}
""")


def thing(spec: t.Any, api: str = "example.com/v1") -> dict[str, t.Any]:
    return {"apiVersion": api, "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "path", "text", "guess"),
    [
        ({"parts": {"one": {"replica": 1}}}, ("parts", "one", "replica"), "not known", " Did you mean replicas?"),
        ({"parts": {"one": {"replicas": "1"}}}, ("parts", "one", "replicas"), "must be a whole number", ""),
        ({"parts": {"one": {"replicas": -1}}}, ("parts", "one", "replicas"), "less than 0", ""),
        ({"parts": {"one": {"kind": "c"}}}, ("parts", "one", "kind"), "not one of a, b", ""),
        ({}, ("parts",), "Required", ""),
    ],
)
def test_what_is_refused(spec: t.Any, path: tuple[str, ...], text: str, guess: str) -> None:
    (found,) = objections(thing(spec), [DEFINITION])
    assert (found.path, found.guess) == (("spec", *path), guess)
    assert text in found.text


@pytest.mark.parametrize(
    "item",
    [
        thing({"parts": {"one": {"replicas": 1, "kind": "a", "free": {"any": 1}}}}),
        thing({"anything": 1}, "example.com/v2"),
        thing({"anything": 1}, "other.example.com/v1"),
    ],
)
def test_what_is_taken_or_not_known(item: dict[str, t.Any]) -> None:
    assert objections(item, [{"spec": None}, DEFINITION]) == []

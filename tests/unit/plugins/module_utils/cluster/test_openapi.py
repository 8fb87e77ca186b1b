# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""OpenAPI documents: what they do not take of an object, and how they are kept."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.openapi import Schemas
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.refusals import shown

REF = "#/components/schemas/"
PROBE = {
    "type": "object",
    "properties": {"httpGet": {"$ref": REF + "Get"}, "tcpSocket": {"type": "object", "properties": {"port": {}}}},
}
DOCUMENT = {
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["spec"],
                "properties": {"spec": {"allOf": [{"$ref": REF + "Spec"}]}, "metadata": {"type": "object"}},
                "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Thing"}],
            },
            "Spec": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z]+$"},
                    "count": {"type": "integer", "minimum": 1, "maximum": 9},
                    "on": {"type": "boolean"},
                    "mode": {"type": "string", "enum": ["One", "Two"]},
                    "port": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
                    "limits": {
                        "type": "object",
                        "additionalProperties": {"$ref": REF + "io.k8s.apimachinery.pkg.api.resource.Quantity"},
                    },
                    "items": {"type": "array", "items": {"$ref": REF + "Entry"}},
                    "free": {"type": "object", "properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True},
                },
            },
            "Entry": {"type": "object", "properties": {"readinessProbe": PROBE, "startupProbe": PROBE}},
            "Get": {"type": "object", "properties": {"path": {"type": "string"}, "port": {}}},
            "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
        }
    }
}
URL = "/openapi/v3/apis/x.io/v1?hash=ABC"


class Cluster:
    """A server that counts what it is asked for."""

    def __init__(self, **documents: Any) -> None:
        index = {"paths": {"apis/x.io/v1": {"serverRelativeURL": URL}}}
        self.documents = {"/openapi/v3": index, URL: DOCUMENT, **documents}
        self.asked: list[str] = []
        self.client = self

    def request(self, _method: str, path: str, **_options: Any) -> Any:
        self.asked.append(path)
        self.data = json.dumps(self.documents[path])
        return self


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"name": "a", **spec}}


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ({"name": None}, "spec.name", "Required"),
        ({"name": "A"}, "spec.name", "does not match"),
        ({"name": 1}, "spec.name", "must be a string, not 1"),
        ({"count": "2"}, "spec.count", "must be a whole number, not '2'"),
        ({"count": True}, "spec.count", "must be a whole number, not True"),
        ({"count": 0}, "spec.count", "less than 1"),
        ({"count": 10}, "spec.count", "more than 9"),
        ({"on": "yes"}, "spec.on", "must be true or false"),
        ({"mode": "one"}, "spec.mode", "not one of One, Two"),
        ({"port": 1.5}, "spec.port", "a whole number or a string"),
        ({"limits": {"memory": "16GB"}}, "spec.limits.memory", "'16GB' is not a valid quantity"),
        ({"limits": {"memory": "16 Gi"}}, "spec.limits.memory", "is not a valid quantity"),
        ({"limits": ["a"]}, "spec.limits", "must be a map, not a list"),
        ({"items": [{}, {"x": 1}]}, "spec.items[1].x", "is not known"),
        ({"items": {"a": 1}}, "spec.items", "must be a list, not a map"),
    ],
)
def test_what_a_schema_does_not_take(spec: dict[str, Any], path: str, words: str, tmp_path: pathlib.Path) -> None:
    (found,) = Schemas(Cluster(), str(tmp_path)).problems(thing(**spec))  # type: ignore[arg-type]
    assert shown(found.path) == path
    assert words in found.text


def test_what_it_takes(tmp_path: pathlib.Path) -> None:
    good = {"count": 3, "on": False, "mode": "One", "port": "http", "limits": {"cpu": "500m", "memory": 8}}
    schemas = Schemas(Cluster(), str(tmp_path))  # type: ignore[arg-type]
    assert schemas.problems(thing(**good, free={"b": 1}, items=[{"startupProbe": None}])) == []
    assert schemas.problems({**thing(), "kind": "Other"}) == []
    assert schemas.problems({**thing(), "apiVersion": "y.io/v1"}) == []


@pytest.mark.parametrize(
    ("path", "guess"),
    [
        (("spec", "items", 0, "startupProb"), " Did you mean startupProbe?"),
        (("spec", "items", 0, "readinessProbe", "startupProbe"), " Move it to spec.items[0]."),
        (("spec", "items", 0, "readinessProbe", "tcpSocket", "path"),
         " Move it to spec.items[0].readinessProbe.httpGet."),
        (("spec", "items", 0, "whatever"), ""),
    ],
)  # fmt: skip
def test_what_was_meant(path: tuple, guess: str, tmp_path: pathlib.Path) -> None:
    assert Schemas(Cluster(), str(tmp_path)).guess(thing(), path) == guess  # type: ignore[arg-type]


def test_a_document_is_fetched_once_and_kept_by_its_hash(tmp_path: pathlib.Path) -> None:
    first = Cluster()
    schemas = Schemas(first, str(tmp_path / "openapi"))  # type: ignore[arg-type]
    assert schemas.problems(thing(on=1)) == schemas.problems(thing(on=1))
    assert first.asked == ["/openapi/v3", URL]
    again = Cluster()
    assert Schemas(again, str(tmp_path / "openapi")).problems(thing(on=1))  # type: ignore[arg-type]
    assert again.asked == ["/openapi/v3"]
    (tmp_path / "openapi" / "apis-x.io-v1-ABC.json").write_text("half", encoding="utf-8")
    assert Schemas(Cluster(), str(tmp_path / "openapi")).problems(thing(on=1))  # type: ignore[arg-type]

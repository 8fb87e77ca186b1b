# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Schemas whose evaluation costs much, or that refer elsewhere."""

from __future__ import annotations

import json
import typing as t

from values.hostile.base import Folder, case, charted


def with_schema(folder: Folder, schema: t.Any, given: str = "a: 1\n") -> dict[str, t.Any]:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return charted(folder, given, values_dot_schema_dot_json=text)


@case("broken-schema")
def schema_refers_to_itself(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"$ref": "#"})


@case("broken-schema")
def schema_refers_in_a_ring(folder: Folder) -> dict[str, t.Any]:
    ring = {
        "x": {"$ref": "#/definitions/y"},
        "y": {"allOf": [{"$ref": "#/definitions/x"}, {"$ref": "#/definitions/x"}]},
    }
    return with_schema(folder, {"definitions": ring, "$ref": "#/definitions/x"})


@case("schema-cost")
def schema_of_exponential_cost(folder: Folder) -> dict[str, t.Any]:
    levels: dict[str, t.Any] = {"n0": {"type": "object"}}
    levels |= {f"n{n}": {"allOf": [{"$ref": f"#/definitions/n{n - 1}"}] * 2} for n in range(1, 40)}
    return with_schema(folder, {"definitions": levels, "$ref": "#/definitions/n39"})


@case("schema-cost")
def schema_with_a_catastrophic_pattern(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": {"a": {"pattern": "^(a+)+$"}}}, "a: " + "a" * 60 + "b\n")


@case("schema-cost")
def schema_with_a_catastrophic_key_pattern(folder: Folder) -> dict[str, t.Any]:
    schema = {"patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False}
    return with_schema(folder, schema, "a" * 60 + "b: 1\n")


@case("broken-schema")
def schema_nested_deep(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"not":' * 100_000 + "{}" + "}" * 100_000)


@case("broken-schema")
def schema_nested_just_so(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"not":' * 900 + "{}" + "}" * 900)


@case("must be one of")
def schema_with_a_huge_enum(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": {"a": {"enum": [f"v{n}" for n in range(200_000)]}}}, "a: w7\n")


@case("broken-schema")
def schema_with_huge_numbers(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, '{"properties": {"a": {"minimum": ' + "9" * 100_000 + "}}}")


@case("broken-schema")
def schema_that_is_no_json(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, "{" * 1_000_000)


@case("broken-schema")
def schema_of_wrong_types(folder: Folder) -> dict[str, t.Any]:
    return with_schema(folder, {"properties": 5, "required": 7, "$id": "http://[", "patternProperties": {"(": 1}})


@case("remote-ref")
def schema_with_remote_references(folder: Folder) -> dict[str, t.Any]:
    refs = ["http://10.255.255.1/s.json", "https://localhost:1/x", "file:///etc/passwd", "other.json", "http://[::1"]
    return with_schema(folder, {"allOf": [{"$ref": ref} for ref in refs]})


@case("schema-cost")
def schema_of_unique_items(folder: Folder) -> dict[str, t.Any]:
    given = "a: [" + ", ".join(f"{{x: {n}}}" for n in range(20_000)) + "]\n"
    return with_schema(folder, {"properties": {"a": {"uniqueItems": True, "maxItems": 1}}}, given)

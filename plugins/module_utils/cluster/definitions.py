# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What CustomResourceDefinitions that a cluster does not have yet are going to say of an object of their kind."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, dig, mapping
from .openapi import guessed, problems
from .refusals import UNKNOWN, Objection


def schema_of(definitions: t.Iterable[Object], api_version: str, kind: str) -> Object:
    """Return the schema that one of some definitions has for a kind in a version, {} where none has."""
    group, _slash, version = api_version.rpartition("/")
    for definition in definitions:
        spec = mapping(definition.get("spec"))
        if spec.get("group") == group and dig(spec, ("names", "kind")) == kind:
            row = next((one for one in dicts(spec.get("versions")) if one.get("name") == version), {})
            return mapping(dig(row, ("schema", "openAPIV3Schema")))
    return {}


def objections(item: Object, definitions: t.Iterable[Object]) -> list[Objection]:
    """Return what the definition of an object's kind does not take of it, with what was probably meant."""
    schema = schema_of(definitions, str(item.get("apiVersion") or ""), str(item.get("kind") or ""))
    found = problems(item, schema, {}) if schema else ()
    return [
        dataclasses.replace(cause, guess=guessed(cause.path, schema, {})) if cause.how == UNKNOWN else cause
        for cause in found
    ]

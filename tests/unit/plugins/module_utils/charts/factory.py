# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Small charts for the tests of values and schemas."""

from __future__ import annotations

import io
import json
import pathlib
import tarfile
import typing as t

MODEL_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "global": {"type": "object"},
        "model": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "size": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            },
        },
        "routing": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"encoder": {"enum": ["json", "console"]}, "targetPort": {"$ref": "#/definitions/port"}},
        },
        "decode": {"$ref": "#/definitions/role"},
        "prefill": {"$ref": "#/definitions/role"},
    },
    "definitions": {
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "role": {
            "type": "object",
            "additionalProperties": True,
            "properties": {
                "create": {"type": "boolean"},
                "replicas": {"type": "integer"},
                "ports": {"type": "array"},
                "parallelism": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"tensor": {"type": "integer"}},
                },
            },
        },
    },
}
MODEL_VALUES = """
model: {name: "", labels: {app: vllm}}
routing: {encoder: json, targetPort: 8000}
decode: {create: true, replicas: 1, parallelism: {tensor: 1}}
prefill: {create: false, replicas: 0}
"""
POOL_VALUES = """
inferenceExtension:
  replicas: 1
  image: {hub: registry.example, name: epp, tag: v1.3.0, pullPolicy: Always}
  flags: {v: 1}
inferencePool:
  targetPorts: [{number: 8000}]
"""
POOL_TEMPLATE = (
    "{{ .Values.inferencePool.modelServers.matchLabels }}{{ .Values.inferenceExtension.volumes }}"
    "{{ toYaml .Values.inferenceExtension.image }}{{ toYaml .Values.inferenceExtension.flags }}"
)


def chart_files(
    name: str, version: str = "1.0.0", *, values: str = "", schema: t.Any = None, template: str = "", **metadata: t.Any
) -> dict[str, str]:
    """Return the files of a chart: {path: text}."""
    files = {
        "Chart.yaml": json.dumps({"apiVersion": "v2", "name": name, "version": version, **metadata}),
        "values.yaml": values,
        "templates/all.yaml": template,
    }
    if schema is not None:
        files["values.schema.json"] = schema if isinstance(schema, str) else json.dumps(schema)
    return files


def model_chart() -> dict[str, str]:
    """Return a chart with a schema, in the manner of llm-d-modelservice."""
    return chart_files("llm-d-modelservice", "v0.4.5", values=MODEL_VALUES, schema=MODEL_SCHEMA)


def pool_chart() -> dict[str, str]:
    """Return a chart without a schema, in the manner of inferencepool."""
    return chart_files("inferencepool", "v1.3.0", values=POOL_VALUES, template=POOL_TEMPLATE)


def write_chart(folder: pathlib.Path, files: dict[str, str]) -> str:
    """Write a chart's files below a folder, and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder)


def archive(members: dict[str, str], *, prefix: str = "chart/", link: str | None = None) -> bytes:
    """Return a .tgz with the members, and with a symbolic link where link names one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
        if link:
            info = tarfile.TarInfo(prefix + "templates/link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return buffer.getvalue()

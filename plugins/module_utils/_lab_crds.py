# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Custom resource definitions read from folders of YAML or JSON files."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError

try:
    import yaml
except ImportError as exc:  # pragma: no cover - reported by read_crds()
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

BUNDLE = "crds.json"


def read_crds(folders: list[str]) -> list[dict]:
    """Return the definitions in the folders; of two with one name the first wins. Raises for unreadable files."""
    if IMPORT_ERROR is not None:
        raise OrchestratorError(f"The Python that runs the modules lacks a package: {IMPORT_ERROR}.")
    found: dict[str, dict] = {}
    for folder in folders:
        bundle = pathlib.Path(folder) / BUNDLE
        for crd in json.loads(bundle.read_text(encoding="utf-8")) if bundle.is_file() else read_yaml(folder):
            found.setdefault(crd["metadata"]["name"], crd)
    return list(found.values())


def read_yaml(folder: str) -> list[dict]:
    """Return the definitions in a folder's *.yaml and *.yml files, without the statuses that generators leave."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    crds = []
    for path in sorted(pathlib.Path(folder).glob("*.y*ml")):
        try:
            with open(path, encoding="utf-8") as stream:
                documents = [document for document in yaml.load_all(stream, Loader=loader) if document]
        except (OSError, yaml.YAMLError) as exc:
            raise OrchestratorError(f"{path} cannot be read: {exc}") from exc
        for document in documents:
            if document.get("kind") == "CustomResourceDefinition":
                document.pop("status", None)
                document["metadata"].pop("creationTimestamp", None)
                crds.append(document)
    return crds


def write_bundle(folder: pathlib.Path) -> None:
    """Keep a folder's definitions as JSON too, which is read many times faster."""
    (folder / BUNDLE).write_text(json.dumps(read_yaml(str(folder))), encoding="utf-8")

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan of one model, as stack_info returns it, to change in tests."""

from __future__ import annotations

from typing import Any

DIGEST = "sha256:" + "a1" * 32
SECRET = "hf_plantedSecret0123456789"
DIFF = f"""--- live
+++ planned
@@ -1,12 +1,12 @@
 spec:
   template:
     spec:
       containers:
       - args:
         - --port=8000
+        - --api-key={SECRET}
         env:
         - name: HF_TOKEN
-          value: plain-old-token
+          value: plain-new-token
         - name: LOG_LEVEL
           value: debug
"""


def action(action: str, component: str, release: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """An action on an object of namespace demo."""
    base = {"component": component, "release": release, "api_version": "v1", "kind": kind, "namespace": "demo"}
    base |= {"name": name, "action": action, "why": "", "drift": False, "changes": [], "diff": "", "owner": "ours"}
    return {**base, **more}


def plan(**more: Any) -> dict[str, Any]:
    """A plan that creates, updates, replaces, deletes and keeps; `more` replaces keys."""
    actions = [
        action("create", "modelservice", "ms-a", "Deployment", "ms-a-decode", owner="unknown"),
        action("create", "modelservice", "ms-a", "ServiceAccount", "ms-a", owner="unknown"),
        action(
            "update",
            "gaie",
            "gaie-a",
            "Deployment",
            "gaie-a-epp",
            why="its image differs",
            diff=DIFF,
            changes=["image v1 → v2"],
        ),
        action("replace", "gaie", "gaie-a", "Service", "gaie-a-epp", why="its clusterIP cannot be changed"),
        action("delete", "gaie", "gaie-a", "ConfigMap", "gaie-a-old", why="the chart no longer makes it"),
        action("reuse", "gateway", "infra", "Gateway", "infra-gateway"),
    ]
    made = {
        "format": 1,
        "cluster": {"host": "", "uid": "f00", "server_version": "v1.34.4", "platform": "kubernetes"},
        "namespace": "demo",
        "made": "20261121T083000Z",
        "digest": DIGEST,
        "inputs": {"modelservice/ms-a": "1", "routes": "2"},
        "state": {"Deployment/demo/ms-a-decode": "absent"},
        "charts": [
            {"release": "ms-a", "component": "modelservice", "namespace": "demo", "name": "llm-d-modelservice",
             "version": "v0.3.8", "digest": "sha256:" + "b" * 64, "ref": "oci://charts.example/llm-d-modelservice"}
        ],
        "actions": actions,
        "order": [
            {"wave": 1, "components": ["modelservice", "gaie", "gateway"], "parallel": True, "seconds": 90.0},
            {"wave": 2, "components": ["httproute"], "parallel": False, "seconds": None},
        ],
        "findings": [finding()],
        "notes": ["llm_d_models[0]: its pods cannot start without the secret hf"],
        "capacity": {},
        "images": ["ghcr.io/llm-d/llm-d-cuda:v0.5.1"],
        "consents": [
            {"id": "delete:ConfigMap/demo/gaie-a-old", "kind": "delete", "what": "delete ConfigMap demo/gaie-a-old",
             "granted": True},
            {"id": "replace:Service/demo/gaie-a-epp", "kind": "replace", "what": "replace Service demo/gaie-a-epp",
             "granted": False},
        ],
        "questions": [],
        "leftovers": [],
        "summary": {"create": 2, "reuse": 1, "update": 1, "replace": 1, "delete": 1},
    }  # fmt: skip
    return {**made, **more}


def finding(**more: Any) -> dict[str, Any]:
    """A finding of severity warning."""
    base = {"rule": "LLMD601", "severity": "warning", "file": "values/a.yaml", "line": 3, "column": 1}
    base |= {"path": "modelArtifacts.authSecretName", "message": "there is no Secret hf", "hint": "make it"}
    return {**base, **more}


def question(**more: Any) -> dict[str, Any]:
    """An open question."""
    choices = {"reuse": "take it as it is", "new": "make one of our own"}
    return {"id": "Gateway/demo/other", "text": "whose is it?", "choices": choices, "answer": None, **more}

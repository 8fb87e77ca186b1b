# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import gzip
import json

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.page import markdown, page
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.store import manifest

from record.samples import failed, model, release, stack

TOKEN = "hf_PlantedSecretPlanted"
PASSWORD = "planted-Pa55word"


def values():
    env = [{"name": "HF_TOKEN", "value": PASSWORD}, {"name": "PLAIN", "value": "shown"}]
    return {
        "token": PASSWORD,
        "nested": [{"apiKey": PASSWORD}, f"https://me:{PASSWORD}@registry.example/x"],
        "containers": [{"env": env, "args": ["--api-key", PASSWORD, f"--token={PASSWORD}"]}],
        "note": TOKEN,
    }


def planted():
    one = stack(model("a", {"decode": 1}))
    one["releases"]["modelservice"][0]["values"] = values()
    one["inputs"][0]["values"] = values()
    one["routes"][0]["metadata"]["annotations"] = {"note": TOKEN}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"any": PASSWORD}}
    log = [f"Authorization: Bearer {PASSWORD}", f"using {TOKEN}", f"HF_TOKEN={PASSWORD}", {"log": [f"x {TOKEN}"]}]
    cause = {"id": "DIAG1", "title": f"refused {TOKEN}", "evidence": log, "remedy": f"unset {TOKEN}",
             "objects": [secret]}  # fmt: skip
    return failed(
        stack=one,
        inputs={"prepare_hf_token": PASSWORD, "llm_d_models": [values()], "llm_d_registry_logins": [
            {"host": "h", "username": "u", "password": PASSWORD}]},
        failure={"component": "gaie", "text": f"curl https://u:{PASSWORD}@host/ {TOKEN}"},
        diagnosis={"causes": [cause], "evidence": [secret, *log]},
        releases=[release("ms-a", error=f"pod says {TOKEN}")],
        verification={"checks": [{"model": "a", "name": "pods", "ok": False, "detail": TOKEN, "hint": ""}],
                      "models": [{"name": "a", "answer": TOKEN}], "endpoint": f"http://u:{PASSWORD}@host"},
        events=[{"time": "2026-11-21T08:30:01.000Z", "component": "gaie", "name": "x", "step": "ready",
                 "status": "failed", "detail": f"api_key={PASSWORD}"}],
    )  # fmt: skip


def texts():
    record = planted()
    secret = manifest(record, "20261121T083000Z", "llm-d")
    kept = gzip.decompress(base64.b64decode(secret["data"]["record"])).decode()
    return {
        "json": json.dumps(record), "md": markdown(record), "html": page(record),
        "secret": kept, "metadata": json.dumps(secret["metadata"]),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["json", "md", "html", "secret", "metadata"])
@pytest.mark.parametrize("secret", [TOKEN, PASSWORD, base64.b64encode(PASSWORD.encode()).decode()])
def test_no_secret_is_in(form, secret):
    assert secret not in texts()[form]


def test_what_is_no_secret_stays():
    assert "shown" in texts()["json"] and "(masked)" in texts()["html"]

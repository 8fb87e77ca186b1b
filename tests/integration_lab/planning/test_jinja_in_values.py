# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Text that looks like Jinja stays text in values files: in the cluster, the record, the plan, and in messages."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml
from plane_client import Lab

from playbooks import play

NAMESPACE = "jinja-in-values"


def texts(mark: pathlib.Path) -> dict[str, str]:
    """Texts that make a file, or name another text, for whoever evaluates them."""
    return {
        "LOOKUP": f"{{{{ lookup('pipe', 'touch {mark}') }}}}",
        "STATEMENT": "VALUE_{% for item in [1, 2] %}{{ item }}{% endfor %}",
        "SUM": "VALUE_{{ 40 + 2 }} {{ llm_d_namespace }} {# gone #}",
        "BROKEN": "{{ nothing_of_this_name }} {% endraw %} {{",
    }


def values(arguments: list[str]) -> dict[str, Any]:
    """Values of llm-d-modelservice for one simulated server with these arguments, which the chart takes as they are."""
    container: dict[str, Any] = {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1",
        "modelCommand": "imageDefault",
    }
    container["args"] = arguments
    container["ports"] = [{"containerPort": 8000, "name": "vllm"}]
    return {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "decode": {"create": True, "replicas": 1, "containers": [container]},
        "prefill": {"create": False},
    }


def model(folder: pathlib.Path, content: dict[str, Any]) -> list[dict[str, Any]]:
    """A model whose values file has this content."""
    (folder / "jinja.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return [{"name": "jinja", "model": "org/jinja", "values_files": [str(folder / "jinja.yaml")]}]


def test_what_looks_like_jinja_reaches_the_cluster_as_it_is(tmp_path: pathlib.Path, lab: Lab) -> None:
    mark = tmp_path / "evaluated"
    arguments = [f"--{name.lower()}={text}" for name, text in texts(mark).items()]
    run = play(
        tmp_path,
        "site",
        "--diff",
        "-v",
        timeout=120,
        llm_d_namespace=NAMESPACE,
        llm_d_models=model(tmp_path, values(arguments)),
    )
    try:
        assert run.code == 0, run.text
        pods = lab.core.list_namespaced_pod(NAMESPACE, label_selector="llm-d.ai/role=decode").items
        assert [text for text in pods[0].spec.containers[0].args if text in arguments] == arguments
        assert not mark.exists()
        for file in (path for path in tmp_path.rglob("*") if path.suffix in (".md", ".json")):
            shown = file.read_text(encoding="utf-8")
            assert "VALUE_12" not in shown
            assert "VALUE_42" not in shown
    finally:
        removed = play(tmp_path, "teardown", llm_d_namespace=NAMESPACE, teardown_confirm=True)
    assert removed.code == 0, removed.text


@pytest.mark.parametrize("playbook", ["plan", "site"])
def test_what_looks_like_jinja_is_shown_as_it_is_in_messages(tmp_path: pathlib.Path, lab: Lab, playbook: str) -> None:
    mark = tmp_path / "evaluated"
    env = texts(mark)
    content = values([])
    content["decode"] |= {"replicas": env["LOOKUP"], env["SUM"]: 1}
    content["modelArtifacts"] = {"name": env["STATEMENT"], "labels": {"llm-d.ai/model": env["LOOKUP"]}}
    content["routing"] = {"servicePort": env["SUM"], "proxy": {"enabled": False}}
    report = tmp_path / "found.json"
    # Not that of the test before, which may still be going.
    space = f"{NAMESPACE}-{playbook}"
    given = {"llm_d_namespace": space, "llm_d_models": model(tmp_path, content), "llm_d_findings_file": str(report)}
    run = play(tmp_path, playbook, **given)
    assert run.code != 0
    for text in (env["LOOKUP"], env["STATEMENT"], env["SUM"]):
        assert text in run.text
    assert "VALUE_12" not in run.text
    assert "VALUE_42" not in run.text
    assert not mark.exists()
    assert "Traceback" not in run.text
    found = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert any(env["LOOKUP"] in finding["message"] for finding in found)
    assert space not in [item.metadata.name for item in lab.core.list_namespace().items]

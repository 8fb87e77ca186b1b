# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Consistency rules before a deployment: mistakes are named with their rules, and nothing is applied."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import uuid
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException
from plane_client import Lab
from small_stack import CHARTS, helm, server

from playbooks import RECAP, ROOT


def plan(folder: pathlib.Path, namespace: str, rules: str, **model: Any) -> tuple[str, int]:
    """Return what site.yml prints for one model while planning, and how many hosts failed."""
    decode = server(8000)
    values = {"accelerator": {"type": "cpu"}, "routing": {"proxy": {"enabled": False}}, "decode": decode}
    values["prefill"] = {"create": False}
    variables = {
        **{f"{role}_chart_ref": str(ROOT / "roles/lab/files/charts" / name) for role, name in CHARTS.items()},
        "gateway_chart_version": "",
        "modelservice_chart_version": "",
        "gateway_provider": "istio",
        "llm_d_kubeconfig": os.environ["LAB_KUBECONFIG"],
        "llm_d_helm_binary": helm(),
        "llm_d_namespace": namespace,
        "llm_d_models": [{"name": "a", "model": "org/a", "values": values, **model}],
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"cluster": variables}}}))
    command = ["ansible-playbook", "-i", str(folder / "hosts.yml"), str(ROOT / "playbooks" / "site.yml")]
    tags = ["--tags", "planning"] if rules != "error" else []
    done = subprocess.run(
        [*command, *tags, "-e", json.dumps({"llm_d_rules": rules})],
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    recap = RECAP.search(done.stdout)
    assert recap, done.stdout + done.stderr
    return done.stdout + done.stderr, int(recap[2])


def absent(lab: Lab, namespace: str) -> bool:
    try:
        lab.core.read_namespace(namespace)
    except ApiException as exc:
        return exc.status == 404
    return False


def test_a_selector_that_misses_is_named_with_its_rule_before_anything_is_applied(
    lab: Lab, tmp_path: pathlib.Path
) -> None:
    namespace = f"rules-{uuid.uuid4().hex[:8]}"
    text, failed = plan(tmp_path, namespace, "error", pool={"selector": {"llm-d.ai/model": "other"}})
    assert failed == 1
    assert "1 mistake found; nothing was changed." in text
    assert "LLMD101 llm_d_models[0].pool.selector: the selector requires llm-d.ai/model='other'" in text
    assert absent(lab, namespace)


def test_what_only_the_rendered_charts_show_is_a_warning_or_an_error(lab: Lab, tmp_path: pathlib.Path) -> None:
    namespace = f"rules-{uuid.uuid4().hex[:8]}"
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "KEY"}}}]
    pool = {"values": {"inferenceExtension": {"env": env}}}
    text, failed = plan(tmp_path, namespace, "warn", pool=pool)
    assert (failed, "LLMD601" in text, "Secret gone not found" in text) == (0, True, True)
    text, failed = plan(tmp_path, namespace, "off", pool=pool)
    assert (failed, "LLMD601" in text) == (0, False)
    text, failed = plan(tmp_path, namespace, "error", pool=pool)
    assert (failed, "LLMD601" in text) == (1, True)
    assert absent(lab, namespace)


def test_a_correct_stack_has_no_findings(tmp_path: pathlib.Path) -> None:
    text, failed = plan(tmp_path, f"rules-{uuid.uuid4().hex[:8]}", "warn")
    assert (failed, "LLMD" in text.replace("LLMDBENCH", "")) == (0, False), text

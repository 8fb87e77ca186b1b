# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole deployments by the playbooks: packaged charts, prefill and decode, a load balancer, breakage.

They run as a ServiceAccount that may do what the playbook service_account grants, and no more.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from accounts import kubeconfig
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from plane_client import Lab, eventually
from small_stack import CHARTS, helm, server

from playbooks import RECAP, ROOT

SPLITTING = (
    "plugins: [{type: prefill-filter}, {type: decode-filter}, {type: always-disagg-pd-decider},"
    " {type: pd-profile-handler}]\n"
)


def model(name: str, pool: dict[str, Any]) -> dict[str, Any]:
    """A model with a decode and a prefill pod."""
    values = {"accelerator": {"type": "cpu"}, "decode": server(8200), "prefill": server(8000)}
    return {"name": name, "model": f"org/{name}", "values": values, "pool": pool}


class Run(NamedTuple):
    """What a playbook printed, and its recap."""

    text: str
    changed: int
    failed: int


class Site(NamedTuple):
    """An inventory, and the playbooks on it."""

    folder: pathlib.Path
    namespace: str

    def play(self, name: str, *args: str, **more: Any) -> Run:
        """Run a playbook; `more` are extra variables."""
        command = ["ansible-playbook", "-i", str(self.folder / "hosts.yml"), str(ROOT / "playbooks" / f"{name}.yml")]
        command += [*args, "-e", json.dumps(more)]
        env = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=110, check=False
        )
        recap = RECAP.search(done.stdout)
        assert recap, done.stdout + done.stderr
        return Run(done.stdout + done.stderr, int(recap[1]), int(recap[2]))


@pytest.fixture(scope="module")
def site(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two models with prefill pods; only the first one's endpoint picker separates prefill from decode."""
    folder, namespace = tmp_path_factory.mktemp("site"), new_namespace()
    for chart in CHARTS.values():
        source = ROOT / "roles/lab/files/charts" / chart
        subprocess.run([helm(), "package", source, "-d", folder], check=True, capture_output=True)
    refs = {f"{role}_chart_ref": str([*folder.glob(f"{name}-*.tgz")][0]) for role, name in CHARTS.items()}
    split = {"plugins_config_file": "pd.yaml", "plugins_custom_config": {"pd.yaml": SPLITTING}}
    variables = {
        **refs,
        "gateway_chart_version": "",
        "modelservice_chart_version": "",
        "gateway_provider": "agentgateway",
        "llm_d_kubeconfig": str(folder / "kubeconfig"),
        "llm_d_helm_binary": helm(),
        "llm_d_namespace": namespace,
        "llm_d_models": [model("split", split), model("plain", {})],
        "teardown_confirm": True,
    }
    hosts = {"all": {"hosts": {"cluster": variables}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
    found, admin = Site(folder, namespace), {"llm_d_kubeconfig": os.environ["LAB_KUBECONFIG"]}
    run = found.play("service_account", **admin)
    assert run.failed == 0, run.text
    (folder / "kubeconfig").write_text(kubeconfig(lab, namespace, "llm-d-orchestrator"))
    yield found
    run = found.play("service_account", **admin, service_account_state="absent")
    assert (run.failed, run.changed) == (0, 1), run.text


def test_the_account_may_do_nothing_beyond_the_stack(site: Site) -> None:
    core = client.CoreV1Api(config.new_client_from_config(str(site.folder / "kubeconfig")))
    assert core.list_namespaced_secret(site.namespace)
    for beyond in (core.list_namespace, lambda: core.list_namespaced_secret("default")):
        with pytest.raises(ApiException, match="forbidden"):
            beyond()


def test_packaged_charts_deploy_and_serve(site: Site) -> None:
    run = site.play("site")
    assert run.failed == 0, run.text
    assert run.changed > 0
    assert "Model plain is served, although its prefill pods do not prefill for decode" in run.text
    assert "Model split is served, although" not in run.text


def test_a_second_run_changes_nothing(site: Site) -> None:
    for args in ((), ("--check", "--diff")):
        run = site.play("site", *args)
        assert (run.changed, run.failed) == (0, 0), run.text


def test_proof_of_prefill_can_be_demanded(site: Site) -> None:
    run = site.play("verify", verify_pd="required")
    assert run.failed == 1
    assert "plain: prefill: its prefill pods do not prefill for decode" in run.text
    assert "split: prefill" not in run.text


def test_an_endpoint_picker_that_is_down_is_named(site: Site, lab: Lab) -> None:
    lab.scale(site.namespace, "gaie-split-epp", 0)
    eventually(lambda: not lab.pods(site.namespace, "inferencepool=gaie-split-epp"))
    run = site.play("verify", verify_timeout=5)
    assert run.failed == 1
    assert "split: endpoint_picker" in run.text
    assert "plain: " not in run.text.split("Read the logs")[0].split("did not pass")[1]
    assert site.play("site").changed > 0
    assert site.play("verify").failed == 0


def test_teardown_leaves_nothing_and_runs_twice(site: Site) -> None:
    assert site.play("teardown").failed == 0
    again = site.play("teardown")
    assert (again.changed, again.failed) == (0, 0), again.text

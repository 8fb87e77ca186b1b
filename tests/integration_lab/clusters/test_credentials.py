# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Each kind of credentials reaches the cluster, by the client and by Helm; each mistake is named; no secret is seen."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import secrets
import stat
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import options
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import credentials
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm
from kubernetes.config import incluster_config
from plane_client import Lab, eventually
from secret_hunt import Hunt

from playbooks import play

# One of each kind; the client and Helm are tried with all.
PLANNED = ("file", "map", "text", "exec", "token")
MODELS = [{"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": "{{ simulated_server }}"}]
RBAC = "rbac.authorization.k8s.io/v1"
EXEC = """import json
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                  "status": {"token": open(%r).read()}}))
"""


class Given(NamedTuple):
    """The lab's API server, and a ServiceAccount that administers it, as variables and files may say it."""

    folder: pathlib.Path
    config: dict[str, Any]
    token: str
    home: str

    @property
    def host(self) -> str:
        return str(self.config["clusters"][0]["cluster"]["server"])

    @property
    def ca(self) -> str:
        """PEM text."""
        return base64.b64decode(self.config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()

    def with_user(self, user: dict[str, Any]) -> dict[str, Any]:
        """The lab's kubeconfig for another user."""
        return {**self.config, "users": [{"name": one["name"], "user": user} for one in self.config["users"]]}

    def file(self, name: str, text: str) -> str:
        """A new file of mode 0600."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def kinds(self) -> dict[str, dict[str, Any]]:
        """A host's variables by kind."""
        login = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "provideClusterInfo": False,
        }
        login |= {"command": sys.executable, "args": [self.file("login.py", EXEC % self.file("token", self.token))]}
        bearer = {"llm_d_api_host": self.host, "llm_d_api_token": self.token}
        return {
            "file": {"llm_d_kubeconfig": self.file("file", yaml.safe_dump(self.config))},
            "context": {
                "llm_d_kubeconfig": self.file("unset", yaml.safe_dump({**self.config, "current-context": ""})),
                "llm_d_context": self.config["contexts"][0]["name"],
            },
            "map": {"llm_d_kubeconfig": self.with_user({"token": self.token})},
            "text": {"llm_d_kubeconfig": yaml.safe_dump(self.config)},
            "exec": {"llm_d_kubeconfig": self.with_user({"exec": login})},
            "token": {**bearer, "llm_d_api_ca_cert": self.ca},
            "token-and-file": {**bearer, "llm_d_api_ca_cert": self.file("ca.crt", self.ca)},
            "token-unverified": {**bearer, "llm_d_api_verify": False},
        }

    def mistakes(self) -> dict[str, tuple[dict[str, Any], list[str]]]:
        """A host's variables, and what is said of them."""
        bearer = {"llm_d_api_host": self.host, "llm_d_api_token": self.token, "llm_d_api_ca_cert": self.ca}
        file = self.file("file", yaml.safe_dump(self.config))
        no_config = {"llm_d_kubeconfig": f"clusters:\n- {{{self.token}\n", "llm_d_api_host": ""}
        return {
            "no-file": (
                {"llm_d_kubeconfig": "/none/kubeconfig"},
                ["The kubeconfig kubeconfig does not exist in /none"],
            ),
            "no-yaml": (no_config, ["The kubeconfig in llm_d_kubeconfig is not valid YAML: line 3"]),
            "no-context": (
                {"llm_d_kubeconfig": file, "llm_d_context": "nowhere"},
                ["has no context 'nowhere'", "Set llm_d_context to one of: lab-"],
            ),
            "refused": (
                {**bearer, "llm_d_api_token": "expired"},
                [f"The cluster at {self.host} refused the credentials: 401", "llm_d_api_token to a valid token"],
            ),
            "not-trusted": (
                {**bearer, "llm_d_api_ca_cert": ""},
                [
                    f"Cannot verify the certificate of the cluster at {self.host}",
                    "Set llm_d_api_ca_cert to the API server's",
                ],
            ),
            "two-ways": (
                {**bearer, "llm_d_kubeconfig": file},
                ["Two ways to reach the cluster", "llm_d_kubeconfig, and llm_d_api_host and llm_d_api_token"],
            ),
            "no-token": ({**bearer, "llm_d_api_token": ""}, ["llm_d_api_host is set, but llm_d_api_token is not"]),
        }

    def hosts(self, each: dict[str, dict[str, Any]]) -> list[str]:
        """Write an inventory of hosts, each with a namespace; return the arguments for it."""
        common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        common |= {"llm_d_kubeconfig": "", "llm_d_models": MODELS}
        hosts = {host: {**common, "llm_d_namespace": f"{self.home}-{host}", **own} for host, own in each.items()}
        return ["-i", self.file("hosts.yml", yaml.safe_dump({"all": {"hosts": hosts}})), "--limit", ",".join(hosts)]


@pytest.fixture(scope="module")
def given(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    home = f"credentials-{secrets.token_hex(4)}"
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": home}}
    binding = {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": home}}
    binding["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    binding["subjects"] = [{"kind": "ServiceAccount", "name": "bot", "namespace": home}]
    lab.apply(account, binding)
    body: Any = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    token = lab.core.create_namespaced_service_account_token("bot", home, body).status.token
    config = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text(encoding="utf-8"))
    yield Given(tmp_path_factory.mktemp("credentials"), config, token, home)
    for name in (home, f"{home}-token"):
        if lab.get("v1", "Namespace", "", name):
            lab.core.delete_namespace(name)
    lab.delete({"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": home}})


def unseen(given: Given, text: str) -> None:
    """Assert that neither the token nor the lab's own key is in a text."""
    key = given.config["users"][0]["user"]["client-key-data"]
    for secret in (given.token, key, key[40:80]):
        assert secret not in text


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_helm_and_the_client_reach_the_cluster_by_each_kind(given: Given) -> None:
    names = set(given.kinds())
    assert len(names) == 8
    for name, variables in given.kinds().items():
        params = options(variables)
        # As the lock's renewer gets them.
        cluster = Cluster(json.loads(json.dumps(Cluster(params).auth)))
        assert cluster.get("v1", "Namespace", given.home), name
        helm = Helm(None, params, None)
        try:
            assert helm.run(["list", "--namespace", given.home, "--output", "json"], 30).strip() == "[]", name
            assert stat.S_IMODE(os.stat(helm.env["KUBECONFIG"]).st_mode) == 0o600
            assert stat.S_IMODE(os.stat(helm.scratch).st_mode) == 0o700
            assert not [key for key, value in helm.env.items() if given.token in value]
        finally:
            helm.close()
        assert not os.path.exists(helm.env["KUBECONFIG"])


def test_a_pods_own_service_account_is_the_last_resort(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod's folder cannot be made here, so another one stands for it."""
    host, port = given.host.removeprefix("https://").split(":")
    folder = given.folder / "pod"
    folder.mkdir()
    (folder / "token").write_text(given.token)
    (folder / "ca.crt").write_text(given.ca)
    monkeypatch.setattr(credentials, "IN_POD", str(folder))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(folder / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(folder / "ca.crt"))
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", "/none/kubeconfig")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    assert Cluster({}).get("v1", "Namespace", given.home)
    helm = Helm(None, {}, None)
    try:
        assert helm.run(["list", "--namespace", given.home, "--output", "json"], 30).strip() == "[]"
    finally:
        helm.close()


def test_plans_are_made_by_each_kind_at_once(given: Given) -> None:
    kinds = {name: variables for name, variables in given.kinds().items() if name in PLANNED}
    run = play(given.folder, "plan", *given.hosts(kinds), "-vvv", timeout=240)
    assert run.code == 0, run.text
    plans = list((given.folder / "plans").glob("*/*/plan.json"))
    assert {path.parents[1].name for path in plans} == set(PLANNED)
    for path in (given.folder / "plans").glob("*/*/*"):
        unseen(given, path.read_text(encoding="utf-8"))
    unseen(given, run.text)
    # What is not secret is not taken for it: "v1" is in a kubeconfig too.
    assert all("********" not in path.read_text(encoding="utf-8") for path in plans)


def test_each_mistake_is_named_with_its_variable(given: Given) -> None:
    found = given.mistakes()
    hosts = given.hosts({name: variables for name, (variables, _texts) in found.items()})
    run = play(given.folder, "plan", *hosts, "-v", timeout=240)
    assert run.code != 0, run.text
    for name, (_variables, texts) in found.items():
        said = "".join(line for line in run.text.splitlines() if f"[{name}]: FAILED" in line)
        assert all(text in said for text in texts), (name, said)
    assert "Traceback" not in run.text
    unseen(given, run.text)


def test_a_stack_is_deployed_by_a_token(given: Given) -> None:
    folder = given.folder / "site"
    folder.mkdir()
    hunt = Hunt(folder, {"token": given.token})
    run = hunt.play("site", *given.hosts({"token": given.kinds()["token"]}))
    assert run.code == 0, run.text
    assert hunt.found_in(run.text) == []
    commands = hunt.commands()
    assert any("helm upgrade " in line for line in commands)
    assert [line for line in commands if hunt.found_in(line)] == []
    held = hunt.held()
    assert any("/helm-" in row["path"] for row in held)
    assert [row for row in held if row["mode"] & 0o077] == []
    assert list((hunt.shell / "records").glob("token/*/record.json"))
    # The lock's process ends soon after the playbook.
    eventually(lambda: not hunt.left())

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The release of the LLM Router: its configuration, what lies below the user's values, and mistakes in variables."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts, filled
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.gaie import GaieComponent
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import policies
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.test_resolve import CLASSES, params

SERVED = {"llama-8b": policies.SMALL, "llama-70b": policies.LARGE, "mixtral": policies.CREATIVE}
GIVEN = {
    "enabled": True,
    "chart": "charts/llm-router",
    "namespace": "router",
    "release_name": "llm-router",
    "image_registry": "registry.example/llm",
    "api_key_secret": "dynamo-api-secret",
    "llm_api_key_secret": "llm-api-keys",
    "pull_registry": "nvcr.io",
    "pull_username": "$oauthtoken",
    "gpu_resource": "nvidia.com/gpu",
    "gpu_count": 1,
    "model_repository": {"existing_claim": "models"},
}


class Made(t.NamedTuple):
    """A stack with a router: its parts by kind, what is told, and the findings."""

    parts: dict[str, t.Any]
    told: dict[str, t.Any]
    findings: list[str]

    @property
    def values(self) -> dict[str, t.Any]:
        return self.parts["release"]["values"]

    @property
    def config(self) -> dict[str, t.Any]:
        return yaml.safe_load(self.values["routerController"]["config"]["customConfig"])


@pytest.fixture
def make(monkeypatch):
    """Return a function that makes a stack with a router, and a frontend that serves models."""

    def make_stack(served=None, secrets=None, seen=None, **given: t.Any) -> Made:
        served = SERVED if served is None else served
        models = [{"name": name, "model": model} for name, model in served.items()]
        row = {"name": "front", "namespace": "dyn", "service": "front-frontend", "port": 8000, "models": models}
        tells = GaieComponent.tells
        rows = [row] if served else []
        monkeypatch.setattr(GaieComponent, "tells", lambda self: {**tells(self), "frontends": rows})
        findings = Findings()
        found = params([{"name": "a", "model": "org/a"}])
        found["components"]["llm_router"] = {**GIVEN, **given}
        found["secrets"] = secrets or {}
        facts = Facts(classes=CLASSES, seen={"llm_router": seen or {}})
        stack = resolve(checked_settings(found, findings), facts)
        told = as_result(stack)
        parts = {part["kind"]: part for part in told["parts"] if part["component"] == "llm_router"}
        return Made(parts, told, findings.texts + stack.findings.texts)

    return make_stack


def test_the_recipes_policies_by_default(make) -> None:
    made = make()
    assert made.findings == []
    rows = {one["name"]: [llm["name"] for llm in one["llms"]] for one in made.config["policies"]}
    assert {name: tuple(classes) for name, classes in rows.items()} == policies.CLASSES
    (router,) = made.told["routers"]
    assert router["service"] == "llm-router-router-controller"
    llm = router["policies"][0]["llms"][0]
    assert llm == {"name": "Brainstorming", "api_base": "http://front-frontend.dyn.svc.cluster.local:8000",
                   "model": policies.LARGE}  # fmt: skip


def test_without_a_chart_there_is_no_router(make) -> None:
    made = make(enabled=False)
    assert (made.parts, made.told["routers"], made.findings) == ({}, [], [])


def test_a_changed_configuration_changes_the_pods(make) -> None:
    one, other = make(), make(default_model="llama-8b", served={"llama-8b": policies.SMALL})
    digests = [made.values["routerController"]["env"][-1]["value"] for made in (one, other)]
    assert digests[0] != digests[1] and other.findings == []


def test_one_gpu_and_a_claim_for_one_node_let_the_old_pod_go_first(make) -> None:
    server = make().values["routerServer"]
    assert server["strategy"] == {"type": "Recreate", "rollingUpdate": None} and server["replicas"] == 1


def test_policies_in_any_order_get_the_classifiers(make) -> None:
    classes = [{"name": name, "model": "llama-8b"} for name in reversed(policies.CLASSES["complexity_router"])]
    made = make(policies={"complexity_router": {"classes": classes}})
    assert made.findings == []
    assert [llm["name"] for llm in made.config["policies"][0]["llms"]] == list(policies.CLASSES["complexity_router"])
    assert made.config["policies"][0]["llms"][0]["model"] == policies.SMALL


def classes(**changed: t.Any) -> dict[str, t.Any]:
    names = [*policies.CLASSES["complexity_router"][:6], changed.get("last", "Constraint")]
    model = changed.get("model", "mixtral")
    rows = [{"name": name, "model": model if name == "Reasoning" else "mixtral"} for name in names]
    return {changed.get("policy", "complexity_router"): {"classes": rows[changed.get("first", 0) :]}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"policies": classes(first=1)}, "llm_router_policies.complexity_router.classes: Creativity is missing"),
        (
            {"policies": classes(last="Constrant")},
            "classes[6].name: 'Constrant' is not one of its classes. Did you mean",
        ),
        ({"policies": classes(last="Reasoning")}, "classes[6].name: 'Reasoning' is a duplicate of class number 2"),
        (
            {"policies": classes(policy="complexity")},
            "is not one of the router's own policies. Did you mean complexity_router?",
        ),
        (
            {"policies": classes(model="llama-7b")},
            "classes[1].model: 'llama-7b' is not served by any model of",
        ),
        ({"served": {"llama-8b": policies.SMALL}}, "-> set llm_router_default_model: meta-llama/Llama-3.1-8B-Instruct"),
        (
            {"default_model": "mixtrl"},
            "llm_router_default_model: 'mixtrl' is not served by any model of dynamo_models. Did",
        ),
        ({"served": {}}, "llm_router_api_base: is empty, and the stack has no frontend"),
        ({"api_base": "http://x:8000/v1"}, "/v1/v1/... is not found -> http://x:8000"),
        ({"api_base": "x:8000"}, "llm_router_api_base: 'x:8000' is not a valid address"),
        ({"image_registry": "YOUR_REGISTRY_HERE/"}, "llm_router_image_registry: 'YOUR_REGISTRY_HERE/' is a place"),
        ({"image_registry": ""}, "llm_router_image_registry: is empty"),
        ({"image_registry": "a b/"}, "llm_router_image_registry: 'a b/' is not a valid registry"),
        ({"ingress": {"class": "nginx"}}, "llm_router_ingress.host: is missing"),
        ({"ingress": {"hots": "x"}}, "llm_router_ingress.hots: unknown key. Did you mean host?"),
        (
            {"model_repository": {"size": "100GB"}},
            "llm_router_model_repository.size: '100GB' is not a valid Kubernetes quantity",
        ),
        ({"chart": ""}, "llm_router_chart: is empty, but llm_router_enabled is true"),
    ],
)
def test_mistakes_are_named(make, given, said) -> None:
    found = make(**given).findings
    assert [said in text for text in found if "llm_router" in text].count(True) == 1, found


def test_a_placeholder_of_a_file_gives_way_to_the_variable(make, tmp_path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text('global:\n  imageRegistry: "YOUR_REGISTRY_HERE/"\n')
    assert make(values_files=[str(file)]).values["global"]["imageRegistry"] == "registry.example/llm/"
    (text,) = make(values_files=[str(file)], image_registry="").findings
    assert text.startswith(f"{file}:2 (global.imageRegistry): 'YOUR_REGISTRY_HERE/' is a placeholder")


def test_a_file_of_the_user_is_taken_as_it_is(make, tmp_path) -> None:
    file = tmp_path / "config.yaml"
    text = "# ours\n" + policies.config_text(policies.policies_of(make().config))
    file.write_text(text)
    made = make(config_file=str(file))
    assert made.findings == []
    assert made.values["routerController"]["config"]["customConfig"] == text
    assert made.told["routers"] == make().told["routers"]
    lines = text.replace("name: Chatbot", "name: Chatbox").replace("model: mistralai/", "model: mistral/", 1)
    file.write_text(lines)
    number = next(index for index, line in enumerate(lines.splitlines(), 1) if "Chatbox" in line)
    found = make(config_file=str(file)).findings
    assert any(
        line.startswith(f"{file}:{number} (policies[0].llms[1].name): 'Chatbox' is not one of") for line in found
    )
    assert any("is not served by any model" in line and f"{file}:" in line for line in found)


def test_variables_of_the_users_own_environment_win(make) -> None:
    env = [{"name": "DYNAMO_API_BASE", "value": "http://other:1"}]
    made = make(values={"routerController": {"env": env}})
    assert made.told["routers"][0]["policies"][0]["llms"][0]["api_base"] == "http://other:1"


def test_secrets_are_there_and_never_empty(make) -> None:
    given = {"llm_router_api_key": "key-of-dynamo", "llm_router_ngc_api_key": "key-of-ngc"}
    made = make(secrets=given)
    part = made.parts["objects"]
    data = {item["metadata"]["name"]: item for item in filled(part["objects"], part["fill"], given)}
    text = {name: {key: base64.b64decode(value).decode() for key, value in item["data"].items()}
            for name, item in data.items()}  # fmt: skip
    assert text["dynamo-api-secret"] == {"DYNAMO_API_KEY": "key-of-dynamo"}
    assert text["llm-api-keys"] == {"nvidia_api_key": "none"}
    assert data["nvcr-secret"]["type"] == "kubernetes.io/dockerconfigjson"
    login = json.loads(text["nvcr-secret"][".dockerconfigjson"])["auths"]["nvcr.io"]
    assert (login["username"], login["password"]) == ("$oauthtoken", "key-of-ngc")
    assert made.values["global"]["imagePullSecrets"] == [{"name": "nvcr-secret"}]
    assert "key-of" not in json.dumps(made.told)


@pytest.mark.parametrize(
    ("keys", "made", "said"),
    [
        ({"dynamo-api-secret": {"DYNAMO_API_KEY": True}}, ["llm-api-keys"], []),
        ({"dynamo-api-secret": {"DYNAMO_API_KEY": False}}, ["llm-api-keys"], ["has no key 'DYNAMO_API_KEY'"]),
        ({"llm-api-keys": {"nvidia_api_key": False}}, ["dynamo-api-secret"], []),
        ({"llm-api-keys": {"key": True}}, ["dynamo-api-secret"], ["has no key 'nvidia_api_key'"]),
    ],
)
def test_secrets_of_others_are_used_as_they_are(make, keys, made, said) -> None:
    found = make(seen=keys)
    assert [item["metadata"]["name"] for item in found.parts["objects"]["objects"]] == made
    assert [part in text for part, text in zip(said, found.findings, strict=True)] == [True] * len(said)


def test_an_ingress_has_none_of_the_charts_annotations(make) -> None:
    ingress = make(ingress={"host": "llm.example.com", "class": "nginx", "tls": "cert"}).values["ingress"]
    path = {"path": "/", "pathType": "Prefix", "service": "router-controller"}
    assert ingress["hosts"] == [{"host": "llm.example.com", "paths": [path]}]
    assert ingress["tls"] == [{"secretName": "cert", "hosts": ["llm.example.com"]}]


@pytest.fixture
def models(tmp_path):
    """Return a folder with the classifier's models."""
    for name in ("task_router_ensemble", "complexity_router_ensemble"):
        (tmp_path / "routers" / name / "1").mkdir(parents=True)
        (tmp_path / "routers" / name / "config.pbtxt").write_text(name)
    return tmp_path / "routers"


def test_a_folder_is_sent_to_where_the_classifier_looks(make, models) -> None:
    made = make(model_repository={"source": str(models), "size": "20Gi"}, upload_image="busybox:1", wait_timeout=900)
    assert made.findings == []
    part = made.parts["upload"]
    assert (part["claim"], part["path"], part["source"]) == ("llm-router-models", "routers", str(models))
    claim = next(item for item in made.parts["objects"]["objects"] if item["kind"] == "PersistentVolumeClaim")
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    server = made.values["routerServer"]
    assert server["modelRepository"]["path"] == "/model_repository/routers"
    assert (
        server["volumes"]["modelRepository"]["storage"]["persistentVolumeClaim"]["existingClaim"]
        == claim["metadata"]["name"]
    )
    assert [part["kind"] for part in made.told["parts"] if part["component"] == "llm_router"] == [
        "objects", "upload", "release"]  # fmt: skip
    (models / "task_router_ensemble" / "config.pbtxt").write_text("other")
    assert make(model_repository={"source": str(models)}).values["routerServer"]["env"] != server["env"]


def test_the_pod_goes_where_the_classifier_may_and_ends_by_itself(make, models) -> None:
    values = {"nodeSelector": {"gpu": "yes"}, "routerServer": {"securityContext": {"pod": {"runAsUser": 1}}}}
    made = make(model_repository={"source": str(models)}, wait_timeout=900, values=values)
    spec = made.parts["upload"]["pod"]["spec"]
    assert spec["nodeSelector"] == {"gpu": "yes"} and spec["securityContext"]["runAsUser"] == 1
    assert spec["activeDeadlineSeconds"] == 900 and spec["containers"][0]["command"] == ["sleep", "900"]


def test_the_users_values_say_which_claim_and_where(make, models) -> None:
    storage = {"storage": {"persistentVolumeClaim": {"existingClaim": "theirs"}}, "mountPath": "/m"}
    server = {"modelRepository": {"path": "/m/deep/routers"}, "volumes": {"modelRepository": storage}}
    made = make(model_repository={"source": str(models)}, values={"routerServer": server})
    assert (made.parts["upload"]["claim"], made.parts["upload"]["path"]) == ("theirs", "deep/routers")
    (text,) = make(values={"routerServer": {"volumes": {"modelRepository": storage}}}).findings
    assert "sets the classifier's folder to theirs, but llm_router_model_repository sets it to models" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": ".."}, "has a config.pbtxt -> {models}"),
        ({"source": "task_router_ensemble"}, "has a config.pbtxt -> {models}"),
        ({"source": "nowhere"}, "folder not found"),
        ({"source": "", "path": "s3://b/m", "claim": "c"}, "is a URL (s3://b/m)"),
        ({"source": "", "size": "1Gi"}, "is created empty"),
        ({"source": ""}, "is empty: the classifier would find no models"),
        ({"existing_claim": "a", "claim": "b"}, "for a new claim"),
        ({"access_mode": "ReadWriteAll"}, "'ReadWriteAll' is not a valid choice"),
    ],
)
def test_models_that_are_not_where_they_have_to_be(make, models, change, said) -> None:
    source = change.get("source", ".")
    entry = {**change, **({"source": str((models / source).resolve())} if source else {})}
    found = make(model_repository={key: value for key, value in entry.items() if value}).findings
    assert any(said.format(models=models) in text for text in found), found


def test_a_folder_that_lacks_a_model_of_a_policy(make, models) -> None:
    (models / "task_router_ensemble" / "config.pbtxt").unlink()
    (text,) = make(model_repository={"source": str(models)}).findings
    assert (
        "does not contain task_router_ensemble, which the policies need; it contains complexity_router_ensemble" in text
    )

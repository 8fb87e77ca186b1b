# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack from its variables: what comes out, and which mistakes are named."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.registry import COMPONENTS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.checks import check_kinds, needed_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve as resolve_stack
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result, chart_inputs
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import check_writable, checked_settings

from stack.component_options import component_options, releases, table

ROOT = pathlib.Path(__file__).resolve().parents[5]
CLASSES = {"istio": "istio.io/gateway-controller", "agentgateway-v2": "agentgateway.dev/agentgateway"}
OPTIONS = component_options()


def params(models=(), components=None, **sections):
    base = {
        "gateway": {"provider": "istio", "name": "llm-d", "chart_ref": "infra", "chart_version": "v1.3.6"},
        "gaie": {"chart": "inferencepool"},
        "modelservice": {"chart_ref": "ms"},
        "httproute": {"mode": "per_model", "name": "llm-d", "timeouts": {"request": "0s", "backendRequest": "0s"}},
        "prepare": {},
        "monitoring": {},
        "extra_releases": {},
    }
    return {
        "namespace": "ns",
        "models": list(models),
        "components": {name: {**section, **sections.get(name, {})} for name, section in base.items()},
        "options": OPTIONS,
        "only": None if components is None else list(components),
        "search_paths": [],
        "providers_dir": str(ROOT / "roles" / "gateway" / "files" / "providers"),
    }


def resolve(models=(), facts=None, **more):
    facts = facts or Facts(classes=CLASSES)
    findings = Findings()
    stack = resolve_stack(checked_settings(params(models, **more), findings), facts)
    stack.components["gateway"].check_cluster()
    return as_result(stack), findings.texts + stack.findings.texts, stack


def model(name="a", **more):
    return {"name": name, "model": f"org/{name}", **more}


def test_one_model():
    result, findings, _stack = resolve([model()])
    assert findings == []
    assert result["gateway"]["name"] == "infra-llm-d-inference-gateway"
    assert {name: [row["name"] for row in rows] for name, rows in releases(result).items()} == {
        "gateway": ["infra-llm-d"],
        "gaie": ["gaie-a"],
        "modelservice": ["ms-a"],
    }
    assert result["pools"][0]["selector"] == {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": "a"}
    assert result["models"][0]["path_prefix"] == "/"
    assert result["models"][0]["workloads"] == {
        "decode": "ms-a-llm-d-modelservice-decode",
        "prefill": "ms-a-llm-d-modelservice-prefill",
    }
    assert result["routes"][0]["metadata"]["name"] == "llm-d-a"
    values = releases(result)["modelservice"][0]["values"]
    assert values["modelArtifacts"] == {"name": "org/a", "labels": {"llm-d.ai/model": "a"}}
    assert releases(result)["gaie"][0]["chart_version"] == "v1.3.0"


@pytest.mark.parametrize(
    ("own", "labels", "port"),
    [
        ({"llm-d.ai/inferenceServing": "true", "llm-d.ai/model": "random_model"}, {"llm-d.ai/inferenceServing"}, 8100),
        ({"llm-d.ai/inference-serving": "true"}, {"llm-d.ai/inference-serving"}, 8100),
        ({}, {"llm-d.ai/inference-serving"}, 8000),
    ],
)
def test_a_pool_selects_by_the_labels_that_its_models_chart_gives_pods(own, labels, port):
    chart = {"modelArtifacts": {"labels": own}, "routing": {"servicePort": port}} if own else {}
    _result, findings, stack = resolve([model()], Facts(classes=CLASSES, chart_values={"modelservice": chart}))
    assert not findings
    assert set(stack.components["gaie"].pools[0].selector) == {*labels, "llm-d.ai/model"}
    assert stack.components["gaie"].pools[0].selector["llm-d.ai/model"] == "a"
    assert stack.components["gaie"].pools[0].target_ports == [port]


def test_a_port_that_is_none_is_one_mistake():
    pool = {"values": {"inferencePool": {"targetPorts": [{"number": 8000}]}}}
    _result, findings, _stack = resolve([model(values={"routing": {"servicePort": "8000"}}, pool=pool)])
    assert findings == ["llm_d_models[0].values.routing.servicePort: '8000' is not a valid port -> use a number"]


def test_istio_brings_its_whole_connection_pool():
    result, _problems, _stack = resolve([model()])
    values = releases(result)["gaie"][0]["values"]
    assert values["inferenceExtension"]["flags"]["v"] == 1
    assert values["provider"]["istio"]["destinationRule"]["trafficPolicy"]["connectionPool"] == {
        "http": {
            "http1MaxPendingRequests": 256000,
            "maxRequestsPerConnection": 256000,
            "http2MaxRequests": 256000,
            "idleTimeout": "900s",
        },
        "tcp": {"maxConnections": 256000, "maxConnectionDuration": "1800s", "connectTimeout": "900s"},
    }
    assert "provider" not in releases(result)["gateway"][0]["values"]
    assert "inferenceExtension" not in releases(result)["gateway"][0]["values"]


def test_several_models_get_prefixes_and_selectors_of_their_own():
    result, findings, _stack = resolve([model("a"), model("b"), model("c", route={"path_prefix": "/see/"})])
    assert findings == []
    assert [entry["path_prefix"] for entry in result["models"]] == ["/a", "/b", "/see"]
    assert len({str(pool["selector"]) for pool in result["pools"]}) == 3


def test_a_model_with_hostnames_keeps_the_root():
    result, findings, _stack = resolve([model("a", route={"hostnames": ["a.example.com"]}), model("b")])
    assert findings == []
    assert [entry["path_prefix"] for entry in result["models"]] == ["/", "/b"]


def test_a_shared_route():
    result, findings, _stack = resolve([model("a"), model("b")], httproute={"mode": "shared"})
    assert findings == []
    assert len(result["routes"]) == 1
    assert len(result["routes"][0]["spec"]["rules"]) == 2


def test_gke_routes_have_no_timeouts():
    facts = Facts(classes={"gke-l7-rilb": "x"})
    result, findings, _stack = resolve(
        [model("a", route={"timeouts": {"request": "5s"}})], facts, gateway={"provider": "gke"}
    )
    left_out = "llm_d_models[0].route.timeouts: is ignored: gke rejects routes with timeouts -> "
    assert len(findings) == 1 and findings[0].startswith(left_out)
    assert "timeouts" not in result["routes"][0]["spec"]["rules"][0]
    assert result["gateway"]["class_name"] == "gke-l7-rilb"


def test_the_class_is_the_first_that_the_cluster_has():
    result, _problems, _stack = resolve([model()], gateway={"provider": "agentgateway"})
    assert result["gateway"]["class_name"] == "agentgateway-v2"
    assert releases(result)["gateway"][0]["values"]["gateway"]["gatewayClassName"] == "agentgateway-v2"


@pytest.mark.parametrize(("class_name", "named"), [("kgateway", False), ("our-own", False), ("istio", True)])
def test_a_class_of_another_provider_is_named_as_the_provider(class_name, named):
    facts = Facts(classes={**CLASSES, "kgateway": "x", "our-own": "y"})
    values = {"gateway": {"gatewayClassName": class_name}}
    _result, findings, _stack = resolve([model()], facts, gateway={"provider": "kgateway", "values": values})
    text = (
        "gateway_provider: is kgateway, but gateway_values.gateway.gatewayClassName is istio, "
        "a class of istio -> use istio"
    )
    assert [finding.startswith(text) for finding in findings] == [True] * named


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (
            {"path_prefix": "/v1/*"},
            "route.path_prefix: '/v1/*' has a wildcard, but a prefix is matched literally -> use /v1",
        ),
        ({"path_prefix": "/a/../b"}, "route.path_prefix: '/a/../b' is not a valid path"),
        (
            {"timeouts": {"request": "10s", "backendRequest": "300s"}},
            "route.timeouts.backendRequest: 300s is longer than",
        ),
        ({"timeouts": {"request": "1h30m", "backendRequest": "90m"}}, ""),
        ({"timeouts": {"request": "10s", "backendRequest": "0s"}}, ""),
        ({"timeouts": {"request": "10 s"}}, "route.timeouts.request: '10 s' is not a valid timeout"),
        (
            {"timeouts": {"backend_request": "1s"}},
            "timeouts.backend_request: unknown key. Did you mean backendRequest?",
        ),
    ],
)
def test_paths_and_timeouts_of_routes(route, said):
    _result, findings, _stack = resolve([model(route=route)])
    assert len(findings) == bool(said) and said in "".join(findings)


def test_a_backends_timeout_is_held_against_the_shared_one():
    timeouts = {"request": "10s", "backendRequest": "20s"}
    _result, findings, _stack = resolve([model()], httproute={"timeouts": timeouts})
    assert findings == ["httproute_timeouts.backendRequest: 20s is longer than request, 10s -> use at most 10s"]


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (
            {"pvc_size": "200GB"},
            "prepare_pvc_size: '200GB' is not a valid Kubernetes quantity -> use a size such as 200Gi",
        ),
        ({"images": ["a/b"]}, "prepare_images[0]: the image a/b has no tag, which means latest"),
        ({"pvc_access_modes": ["ReadWriteAll"]}, "prepare_pvc_access_modes[0]: 'ReadWriteAll' is not a valid choice."),
        (
            {"downloads": "Qwen/Qwen3-32B"},
            "prepare_downloads: is a string: 'Qwen/Qwen3-32B' -> use a list: [Qwen/Qwen3-32B]",
        ),
        ({"pvc_name": "Models_PVC"}, "prepare_pvc_name: 'Models_PVC' must be lower-case letters"),
        ({"image_tolerations": [{"efect": "NoSchedule"}]}, "prepare_image_tolerations[0]: unknown key efect."),
    ],
)
def test_what_prepare_makes_is_checked_by_its_variables(prepare, said):
    _result, findings, _stack = resolve([model()], prepare=prepare)
    assert len(findings) == 1 and findings[0].startswith(said)


def test_only_variables_that_a_user_set_are_named():
    findings = Findings()
    given = {**params([]), "places": {"gaie_image": ""}}
    given["components"]["gateway"]["wait_timeout"] = "soon"
    given["components"]["gaie"]["image"] = ["a"]
    checked = checked_settings(given, findings)
    assert findings.texts == ["gaie_image: is a list: ['a'] -> use a string"]
    assert checked["components"]["gateway"]["wait_timeout"] == 0


def test_an_adopted_gateway_tells_the_provider():
    existing = {"metadata": {"name": "gw"}, "spec": {"gatewayClassName": "istio"}}
    facts = Facts(classes=CLASSES, gateways=[existing])
    result, findings, _stack = resolve([model()], facts, gateway={"provider": "none", "existing_name": "gw"})
    assert findings == []
    assert releases(result)["gateway"] == []
    assert releases(result)["gaie"][0]["values"]["provider"]["name"] == "istio"
    assert result["route_gateway"] == {"name": "gw", "namespace": "ns", "section_name": ""}


def test_the_token_secret_is_wired():
    result, _problems, _stack = resolve([model()], Facts(classes=CLASSES, secrets={"hf-token": ["HF_TOKEN"]}))
    env = releases(result)["gaie"][0]["values"]["inferenceExtension"]["env"]
    assert env[0]["valueFrom"]["secretKeyRef"] == {"name": "hf-token", "key": "HF_TOKEN"}


@pytest.mark.parametrize(
    ("given", "known", "problem", "note"),
    [
        ({"hf_token_secret": "hf-token", "hf_token_key": "b"}, {}, "gaie_hf_token_key: The secret hf-token has no", ""),
        ({"hf_token_secret": "later"}, {}, "", "secret not found: later"),
        ({"hf_token_secret": "later"}, {"reachable": False}, "", ""),
    ],
)
def test_a_tokens_secret_that_does_not_fit(given, known, problem, note):
    facts = Facts(classes=CLASSES, secrets={"hf-token": ["a"]}, **known)
    _result, problems, stack = resolve([model()], facts, gaie=given)
    assert [text.startswith(problem) for text in problems] == ([True] if problem else [])
    assert [text.startswith(note) for text in stack.notes] == ([True] if note else [])


def test_the_router_chart_takes_its_values_under_router():
    result, findings, _stack = resolve([model()], gaie={"chart": "llm-d-router-gateway"})
    values = releases(result)["gaie"][0]["values"]
    assert findings == []
    assert set(values) == {"router", "provider"}
    assert releases(result)["gaie"][0]["chart_ref"] == "oci://ghcr.io/llm-d/charts/llm-d-router-gateway"
    assert values["router"]["epp"]["image"]["tag"] == "v0.10.0"


def test_roles_alone():
    result, findings, _stack = resolve(components=["gaie"], gaie={"pools": [{"name": "p", "selector": {"app": "x"}}]})
    assert findings == []
    assert [row["name"] for row in releases(result)["gaie"]] == ["gaie-p"]
    assert result["route_gateway"]["name"] == ""
    result, findings, _stack = resolve(
        components=["httproute"], httproute={"routes": [{"name": "r", "pool": "gaie-p", "port": 9000}]}
    )
    assert findings == []
    assert result["routes"][0]["spec"]["rules"][0]["backendRefs"][0]["port"] == 9000


def test_files_and_what_is_left_for_inline_values(tmp_path):
    file = tmp_path / "ms.yaml"
    file.write_text("modelArtifacts:\n  name: org/a\nrouting:\n  servicePort: 9000\n")
    result, findings, stack = resolve([{"name": "a", "values_files": [str(file)]}])
    assert findings == []
    row = next(row for row in chart_inputs(stack) if row["name"] == "ms-a")
    assert row["values_files"] == [str(file)]
    assert "name" not in row["values"]["modelArtifacts"]
    assert result["models"][0]["port"] == 9000
    assert result["pools"][0]["target_ports"] == [9000]
    assert result["routes"][0]["spec"]["rules"][0]["backendRefs"][0]["port"] == 9000


LABELS = {"modelArtifacts": {"labels": {"llm-d.ai/model": "same"}}}


@pytest.mark.parametrize(
    ("models", "sections", "part"),
    [
        ([{"name": "a"}], {}, "llm_d_models[0].model: the model's name is missing"),
        ([{"model": "x"}], {}, "llm_d_models[0].name: is missing"),
        (["text"], {}, "llm_d_models[0]: is a string"),
        ([model(), model()], {}, "llm_d_models[1].name: 'a' is already the name of llm_d_models[0]"),
        ([model("Qwen_3")], {}, "must be lower-case"),
        ([model("a" * 49)], {}, "at most 48 are allowed"),
        ([model(pool={"selectr": {}})], {}, "Did you mean selector?"),
        ([model(values=[])], {}, "llm_d_models[0].values: is a list"),
        ([model(values_files=["nope.yaml"])], {}, "not found"),
        ([model(pool={"target_ports": [8200]})], {}, "the pool sends requests to 8200, but a listens on 8000"),
        ([model(pool={"selector": {"llm-d.ai/inferenceServing": "true"}})], {}, "have llm-d.ai/inference-serving"),
        ([model("a", values=LABELS), model("b", values=LABELS)], {}, "selects the pods of model a too"),
        ([model("a", model="x/y", values={"modelArtifacts": {"name": "x/z"}})], {}, "serves 'x/z'"),
        ([model(values={"decode": {"create": False}})], {}, "no decode pods"),
        ([model(values={"decode": {"replicas": 0}})], {}, "no decode pods"),
        ([model("a", route={"path_prefix": "/x"}), model("b", route={"path_prefix": "/x"})], {}, "both match"),
        ([model("a", route={"path_prefix": "x"})], {}, "is not a valid path"),
        ([model("a", route={"hostnames": ["A b"]})], {}, "is not a valid hostname"),
        ([model("a", route={"timeouts": {"request": "1 s"}})], {}, "is not a valid timeout"),
        ([model("a", release_name="x"), model("b", release_name="x")], {}, "the Helm release 'x' is already used by"),
        (
            [model("a", pool={"release_name": "g" * 41}), model("b", pool={"release_name": "g" * 42})],
            {},
            "endpoint picker",
        ),
        ([model("a", values={"multinode": True}, release_name="m" * 50)], {}, "exceed 63 characters"),
        ([model()], {"gateway": {"provider": "istoi"}}, "Did you mean istio?"),
        ([model()], {"gateway": {"provider": "kgateway"}}, "needs the GatewayClass 'kgateway'"),
        ([model()], {"gateway": {"provider": "none"}}, "gateway_existing_name: is empty"),
        ([model()], {"gateway": {"provider": "none", "existing_name": "x"}}, "Gateway 'x' not found"),
        ([model()], {"gaie": {"chart": "x"}}, "gaie_chart: 'x' is not a valid choice"),
        ([model()], {"gaie": {"pools": {}}}, "gaie_pools: is a map"),
        ([model()], {"gaie": {"pools": [{"name": "p"}]}}, "the pool has no selector"),
        (
            [model("a", route={"hostnames": ["x"]}), model("b")],
            {"httproute": {"mode": "shared"}},
            "one list of hostnames",
        ),
        ([model(f"m{number}") for number in range(17)], {"httproute": {"mode": "shared"}}, "a route takes at most 16"),
    ],
)
def test_mistakes(models, sections, part):
    _result, findings, _stack = resolve(models, **sections)
    assert any(part in text for text in findings), findings


def test_one_mistake_is_one_line():
    for models in ([model(), model()], [model("Qwen_3")], [model("a" * 60)]):
        _result, findings, _stack = resolve(models)
        assert len(findings) == 1, findings


def test_needed_kinds():
    multinode = {"multinode": True, "decode": {"monitoring": {"podmonitor": {"enabled": True}}}}
    prometheus = {"inferenceExtension": {"monitoring": {"prometheus": {"enabled": True}}}}
    _result, _problems, stack = resolve([model(values=multinode, pool={"values": prometheus})])
    kinds = {need.kind for need in needed_kinds(stack)}
    assert {"Gateway", "HTTPRoute", "InferencePool", "LeaderWorkerSet", "PodMonitor", "ServiceMonitor"} < kinds
    assert "DestinationRule" in kinds
    findings = Findings()
    check_kinds(needed_kinds(stack), lambda api, kind: kind != "LeaderWorkerSet", findings)
    assert len(findings.texts) == 1
    assert "install LeaderWorkerSet, or set multinode: false" in findings.texts[0]


def test_a_role_alone_asks_only_for_its_kinds():
    _result, _problems, stack = resolve(components=["gaie"], gaie={"pools": [{"name": "p", "selector": {"a": "b"}}]})
    assert {need.kind for need in needed_kinds(stack)} == {"InferencePool", "DestinationRule"}


def test_check_writable(tmp_path):
    findings = Findings()
    check_writable(str(tmp_path / "new" / "records"), findings)
    assert not findings
    (tmp_path / "file").write_text("")
    check_writable(str(tmp_path / "file"), findings)
    assert "cannot write to" in findings.texts[0]


@pytest.mark.parametrize(
    ("models", "wait", "found"),
    [
        (None, 5, []),
        ({"name": "a"}, "1800", ["llm_d_models: is a map -> use a list, each entry beginning with - name: NAME"]),
        ("a", 5, ["llm_d_models: is a string -> use a list, each entry beginning with - name: NAME"]),
        ([], "soon", ["gateway_wait_timeout: 'soon' is not a valid time -> use a number of seconds, for example 1800"]),
        ([], -1, ["gateway_wait_timeout: -1 is not a valid time -> use a number of seconds, for example 1800"]),
        ([], True, ["gateway_wait_timeout: True is not a valid time -> use a number of seconds, for example 1800"]),
    ],
)
def test_settings_of_another_kind_are_named(models, wait, found):
    findings = Findings()
    given = params([])
    given["models"] = models
    given["components"]["gateway"]["wait_timeout"] = wait
    checked_settings(given, findings)
    assert findings.texts == found


def test_a_folder_in_which_even_root_cannot_write():
    findings = Findings()
    check_writable("/proc/none/records", findings)
    assert findings.texts and findings.texts[0].startswith("llm_d_records_dir: cannot write to /proc/none/records")


def test_a_row_of_the_component_table_that_nothing_handles_is_a_mistake():
    findings = Findings()
    checked_settings({**params([]), "table": [*table(), {"name": "dynamo", "wave": 2}]}, findings)
    (text,) = findings.texts
    assert text.startswith("component table: unknown component 'dynamo' -> use one of: gateway")


def test_every_row_has_its_class_role_and_wave_after_those_that_it_needs():
    rows = {row["name"]: row for row in table()}
    assert set(rows) == set(COMPONENTS)
    for name, row in rows.items():
        assert row["role"] == f"llm_d.orchestrator.{name}"
        assert all(rows[needed]["wave"] < row["wave"] for needed in row["needs"]), name


@pytest.mark.parametrize(
    ("value", "enabled", "count"),
    [("true", True, 0), ("no", False, 0), (True, True, 0), ("maybe", False, 1), (1, False, 1)],
)
def test_a_truth_may_be_a_text_as_extra_variables_are(value, enabled, count):
    findings = Findings()
    checked = checked_settings(params([], monitoring={"enabled": value, "error_rate": "0.1"}), findings)
    assert (checked["components"]["monitoring"]["enabled"], len(findings.texts)) == (enabled, count)
    assert checked["components"]["monitoring"]["error_rate"] == 0.1

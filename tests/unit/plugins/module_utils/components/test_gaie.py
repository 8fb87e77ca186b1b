# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of pools: what is added, what is refused, and the selector against labels."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import dig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components import gaie
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.pools import charts, checks
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.pools import values as pool_values
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.pools.charts import CHARTS, own_image
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.pools.values import Pool, PoolSettings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pools import selector_problem
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

IMAGE = "ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0"
SECRET = {"name": "hf-secret", "key": "HF_TOKEN"}


def build(values=None, chart="inferencepool", image=IMAGE, secret=None, provider=None, **fields):
    layers = [Layer(values, "gaie_pools[0].values")] if values else []
    pool = Pool("gaie-a", "gaie_pools[0]", layers, {"app": "a"}, [8000], **fields)
    settings = PoolSettings(chart, image, provider or {}, secret)
    pool.values = pool_values.pool_values(pool, settings)
    findings = Findings()
    checks.check_pool(pool, settings, findings)
    return pool.values, findings.texts


@pytest.mark.parametrize("chart", CHARTS)
def test_every_pool_gets_what_the_collection_promises(chart):
    values, findings = build(chart=chart, secret=SECRET)
    paths = CHARTS[chart]
    extension = dig(values, paths.extension)
    assert not findings
    assert extension["image"] == {
        paths.image_hub: "ghcr.io/llm-d",
        paths.image_name: "llm-d-inference-scheduler",
        "tag": "v0.6.0",
        "pullPolicy": "Always",
    }
    assert extension["extraContainerPorts"] == [{"name": "zmq", "containerPort": 5557, "protocol": "TCP"}]
    zmq = {"name": "zmq", "port": 5557, "targetPort": 5557, "protocol": "TCP"}
    assert dig(values, paths.service_ports) == [*paths.own_ports, zmq]
    assert extension["env"] == [
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf-secret", "key": "HF_TOKEN"}}}
    ]
    assert dig(values, paths.prometheus) is False
    assert dig(values, paths.selector) == {"app": "a"}
    assert dig(values, paths.ports) == [{"number": 8000}]
    assert dig(values, paths.server_type) == "vllm"


def test_a_later_chart_names_its_image_otherwise():
    own = {"inferenceExtension": {"image": {"registry": "", "repository": "", "tag": ""}}}
    settings = PoolSettings("inferencepool", "ghcr.io/llm-d/scheduler:v1", {}, None, own)
    pool = Pool("gaie-a", "here", [], {"app": "a"}, [8000])
    image = dig(pool_values.pool_values(pool, settings), ("inferenceExtension", "image"))
    assert image == {"registry": "ghcr.io/llm-d", "repository": "scheduler", "tag": "v1", "pullPolicy": "Always"}


@pytest.mark.parametrize(("own", "there"), [({"env": []}, False), ({"monitoring": {}}, True), ({}, True)])
def test_monitoring_is_switched_off_where_the_chart_knows_it(own, there):
    settings = PoolSettings("inferencepool", IMAGE, {}, None, {"inferenceExtension": own})
    values = pool_values.pool_values(Pool("gaie-a", "here", [], {"app": "a"}, [8000]), settings)
    assert ("monitoring" in values["inferenceExtension"]) is there


ALONE = "llm-d-router-standalone"


@pytest.mark.parametrize(
    ("user", "own", "ports"),
    [
        ({}, {}, [8081, 5557]),
        ({}, {"router": {"extraServicePorts": [{"name": "http", "port": 80}]}}, [80, 5557]),
        ({"router": {"extraServicePorts": [{"name": "http", "port": 90}]}}, {}, [90, 5557]),
        ({"router": {"extraServicePorts": []}}, {}, [5557]),
    ],
)
def test_ports_of_the_chart_stay_beside_ours(user, own, ports):
    settings = PoolSettings(ALONE, IMAGE, {}, None, own)
    values = pool_values.pool_values(Pool("a", "here", [Layer(user, "values")], {"app": "a"}, [8000]), settings)
    assert [port["port"] for port in values["router"]["extraServicePorts"]] == ports


def test_each_standalone_router_has_its_own_proxy_configuration():
    settings = PoolSettings(ALONE, IMAGE, {})
    made = [pool_values.pool_values(Pool(n, "here", [], {"app": "a"}, [8000]), settings) for n in ("a", "b")]
    proxies = [values["router"]["proxy"] for values in made]
    assert [proxy["configMap"] for proxy in proxies] == [{"name": "a-envoy"}, {"name": "b-envoy"}]
    assert [proxy["volumes"][0]["configMap"]["name"] for proxy in proxies] == ["a-envoy", "b-envoy"]


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ({"proxyType": "agentgateway"}, {"configMap": {"name": "a-agentgateway"}, "proxyType": "agentgateway"}),
        ({"configMap": {"name": "mine"}}, {"configMap": {"name": "mine"}}),
    ],
)
def test_a_proxy_configuration_that_needs_no_volume_of_ours(proxy, expected):
    layers = [Layer({"router": {"proxy": proxy}}, "values")]
    values = pool_values.pool_values(Pool("a", "here", layers, {"app": "a"}, [8000]), PoolSettings(ALONE, IMAGE, {}))
    assert values["router"]["proxy"] == expected


def test_without_a_secret_there_is_no_environment():
    values, _problems = build()
    assert "env" not in values["inferenceExtension"]


def test_lists_are_joined_without_duplicates():
    mine = {
        "extraContainerPorts": [{"name": "debug", "containerPort": 8080}, {"name": "zmq", "containerPort": 5557}],
        "extraServicePorts": [{"name": "debug", "port": 8080}],
        "env": [{"name": "HF_TOKEN", "value": "mine"}],
    }
    values, findings = build({"inferenceExtension": mine}, secret=SECRET)
    extension = values["inferenceExtension"]
    assert extension["extraContainerPorts"] == mine["extraContainerPorts"]
    assert [port["name"] for port in extension["extraServicePorts"]] == ["debug", "zmq"]
    assert extension["env"] == mine["env"]
    assert not findings


def test_the_users_values_win():
    values, _problems = build(
        {"inferenceExtension": {"replicas": 2, "flags": {"v": 4}, "monitoring": {"prometheus": {"enabled": True}}}},
        provider={"inferenceExtension": {"flags": {"v": 1, "x": 2}}, "provider": {"name": "istio"}},
    )
    assert values["inferenceExtension"]["flags"] == {"v": 4, "x": 2}
    assert values["inferenceExtension"]["monitoring"]["prometheus"]["enabled"] is True
    assert values["provider"] == {"name": "istio"}


def test_a_selector_in_the_values_is_the_whole_selector():
    values, _problems = build({"inferencePool": {"modelServers": {"matchLabels": {"x": "y"}}}})
    assert values["inferencePool"]["modelServers"]["matchLabels"] == {"x": "y"}


def test_plugins():
    values, _problems = build(plugins_file="pd.yaml", plugins_config={"pd.yaml": "kind: EndpointPickerConfig"})
    assert values["inferenceExtension"]["pluginsConfigFile"] == "pd.yaml"
    assert values["inferenceExtension"]["pluginsCustomConfig"] == {"pd.yaml": "kind: EndpointPickerConfig"}


@pytest.mark.parametrize(
    ("values", "image", "part"),
    [
        (None, "ghcr.io/x/y", "gaie_image: the endpoint picker's image has no tag"),
        (None, "ghcr.io/x/y:latest", "the tag 'latest'"),
        (None, "registry:5000/x/y", "no tag"),
        (None, "", "no tag"),
        (
            {"inferenceExtension": {"image": {"tag": "latest"}}},
            IMAGE,
            "gaie_pools[0].values.inferenceExtension.image.tag",
        ),
        ({"inferenceExtension": {"image": {"tag": ""}}}, IMAGE, "no tag"),
        ({"inferenceExtension": {"image": {"tag": None}}}, IMAGE, "no tag"),
        ({"inferenceExtension": {"image": {"tag": 1.5}}}, IMAGE, "the tag 1.5"),
        (
            {"inferenceExtension": {"extraServicePorts": [{"name": "zmq", "port": 1}]}},
            IMAGE,
            "uses the name or number",
        ),
        ({"inferencePool": {"targetPorts": [{"number": "8000"}]}}, IMAGE, "is not a valid port"),
        ({"inferencePool": {"modelServers": {"matchLabels": {"a": True}}}}, IMAGE, "is not a string"),
    ],
)
def test_refusals(values, image, part):
    _values, findings = build(values, image=image)
    assert any(part in text for text in findings), findings


ROUTER, GAIE = "llm-d-router-gateway", "inferencepool"
RELEASED = {
    "router": {"epp": {"image": {"registry": "r", "repository": "llm-d-router-endpoint-picker", "tag": "v0.9.1"}}}
}
MOVING = {"router": {"epp": {"image": {"registry": "r", "repository": "llm-d-router-endpoint-picker", "tag": "main"}}}}
OTHER = {"inferenceExtension": {"image": {"hub": "registry.k8s.io", "name": "epp", "tag": "v1.4.0"}}}


@pytest.mark.parametrize(
    ("own", "chart", "version", "expected"),
    [
        ({}, ROUTER, "", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"),
        (RELEASED, ROUTER, "", "r/llm-d-router-endpoint-picker:v0.9.1"),
        (MOVING, ROUTER, "v0.9.0", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.0"),
        (OTHER, GAIE, "v1.4.0", "ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0"),
    ],
)
def test_the_picker_is_the_one_that_the_chart_is_made_for(own, chart, version, expected):
    assert own_image(own, chart, version) == expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("ghcr.io/a/b:v1", ("ghcr.io/a", "b", "v1")),
        ("reg:5000/a/b:v1", ("reg:5000/a", "b", "v1")),
        ("reg:5000/b", ("reg:5000", "b", None)),
        ("a/b:v1@sha256:00", ("a", "b", "v1@sha256:00")),
        ("b:v1", ("", "b", "v1")),
    ],
)
def test_split_image(image, expected):
    assert charts.split_image(image) == expected


LABELS = {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": "a"}


@pytest.mark.parametrize(
    ("selector", "part"),
    [
        ({"llm-d.ai/model": "a"}, None),
        ({"llm-d.ai/inferenceServing": "true"}, "the model's pods have llm-d.ai/inference-serving"),
        ({"llm-d.ai/model": "b"}, "have llm-d.ai/model='a'"),
        ({"llm-d.ai/modell": "a"}, "Did you mean llm-d.ai/model?"),
        ({}, "empty"),
    ],
)
def test_selector_problem(selector, part):
    wrong = selector_problem(selector, LABELS)
    assert wrong is None if part is None else part in wrong


@pytest.mark.parametrize(
    ("secrets", "name", "key", "expected", "noted"),
    [
        ({"hf-token": ["HF_TOKEN"], "llm-d-hf-token": ["HF_TOKEN"]}, "", "", ("llm-d-hf-token", "HF_TOKEN"), False),
        ({"hf-secret": ["HF_TOKEN", "x"]}, "", "", ("hf-secret", "HF_TOKEN"), False),
        ({"hf-token": ["token"]}, "", "", ("hf-token", "token"), True),
        ({"hf-token": ["a", "b"]}, "", "", None, True),
        ({"hf-token": ["a", "b"]}, "", "b", ("hf-token", "b"), False),
        ({"hf-token": ["a"]}, "", "b", None, True),
        ({}, "", "", None, False),
        ({"mine": ["HF_TOKEN"]}, "mine", "", ("mine", "HF_TOKEN"), False),
        ({}, "mine", "k", ("mine", "k"), True),
    ],
)
def test_token_secret(secrets, name, key, expected, noted):
    secret, note = gaie.token_secret(secrets, name, key)
    assert (secret and (secret["name"], secret["key"])) == expected
    assert bool(note) is noted

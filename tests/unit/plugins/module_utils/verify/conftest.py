# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Verification of a frontend and a router that HTTP servers play, by the module itself."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import frontend, frontends, policies
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.http import HttpTarget
from ansible_collections.llm_d.orchestrator.plugins.modules import serving_info

from verify.dynamo_world import Cluster, World

PARAMS = {
    "namespace": "dynamo",
    "gateway": {},
    "models": [],
    "via": "auto",
    "prompt": "The capital of France is",
    "max_tokens": 8,
    "requests": 1,
    "timeout": 2.0,
    "chat": False,
    "stream": False,
    "pd": "auto",
    "pending": False,
}


@pytest.fixture
def verify(monkeypatch):
    """Return verify(*models, **changes) -> (result, world)."""
    worlds = []
    monkeypatch.setattr(frontends, "SETTLE_SECONDS", 1.5)
    monkeypatch.setattr(policies, "SETTLE_SECONDS", 1.0)
    monkeypatch.setattr(frontends, "COUNTER_SECONDS", 0.3)

    def go(
        *models,
        change=lambda world: None,
        known=None,
        gone=(),
        unready=(),
        frontend_space="",
        router=None,
        policies_wanted=None,
        front=True,
        check_mode=False,
        **params,
    ):
        world = World(*models)
        worlds.append(world)
        change(world)

        def open_target(_client, _namespace, name, port, scheme="http"):
            assert port == {"frontend": 8000, "router": 8084}.get(name, 9090)
            return HttpTarget(scheme, "127.0.0.1", world.port(name))

        for module in (frontend, frontends, policies):
            monkeypatch.setattr(module, "PodTarget", open_target)
        objects = [item for item in world.objects() if not ("Service" in gone and "ports" in item["spec"])]
        for item in objects:
            if item["metadata"]["name"] in unready:
                item["status"]["conditions"][0]["status"] = "False"
            if frontend_space and item["metadata"]["name"] == "frontend":
                item["spec"]["containers"][0]["env"][0]["value"] = frontend_space
        told = world.frontend()
        told["models"] = [model for model in told["models"] if known is None or model["name"] in known]
        stack = {"frontends": [told] if front else []}
        if router:
            stack["routers"] = [world.router(policies_wanted)]
        result = serving_info.run({**PARAMS, "stack": stack, **params}, Cluster(*objects), check_mode)
        return result, world

    yield go
    for world in worlds:
        world.close()

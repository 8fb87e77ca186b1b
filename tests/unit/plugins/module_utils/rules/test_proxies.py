# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of Envoy beside an endpoint picker."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.words.proxies import wrong_word

from rules.world import World

SOUND = [
    *("--service-node", "sidecar", "-l", "warn", "--concurrency", "8", "--drain-strategy", "immediate"),
    *("--drain-time-s=60", "--disable-hot-restart", "-c", "/etc/envoy/envoy.yaml"),
]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("--service-node", "--service-nod", "Did you mean --service-node?"),
        ("warn", "warnn", "Did you mean warn?"),
        ("8", "eight", "takes a number"),
        ("immediate", "at-once", "takes one of gradual, immediate"),
        ("--drain-time-s=60", "--drain-time-s=1m", "takes a number"),
        ("--disable-hot-restart", "extra", "belongs to no argument"),
        ("/etc/envoy/envoy.yaml", "", ""),
    ],
)
def test_the_first_word_that_is_wrong_is_told(old: str, new: str, said: str) -> None:
    found = wrong_word([new if word == old else word for word in SOUND])
    assert said in (found[1] if found else ""), found


def test_what_is_sound_or_not_known_yet_is_not_told() -> None:
    assert wrong_word(SOUND) is None
    assert wrong_word(["--concurrency", "$(CORES)"]) is None
    assert wrong_word([]) is None
    assert wrong_word(["--log-level"]) == (0, "--log-level has no value")


def world(args: list[str], image: str = "envoyproxy/envoy:v1.33.2") -> World:
    """A stack whose picker has a proxy beside it."""
    made = World()
    pod: Any = made.manifests["gaie"][2]["spec"]["template"]["spec"]
    mounts = [{"name": "config", "mountPath": "/etc/envoy"}]
    pod["containers"].append({"name": "envoy", "image": image, "args": args, "volumeMounts": mounts})
    items = [{"key": "envoy.yaml", "path": "envoy.yaml"}]
    pod["volumes"] = [{"name": "config", "configMap": {"name": "envoy", "items": items}}]
    made.manifests["gaie"].append(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "envoy"}, "data": {"envoy.yaml": ""}}
    )
    return made


def rules(made: World) -> list[str]:
    return [one.rule for one in check(made.model()) if one.rule in ("LLMD556", "LLMD557")]


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (SOUND, []),
        (["--log-levl", "warn"], ["LLMD556"]),
        (["-c", "/etc/envoy/envoi.yaml"], ["LLMD557"]),
        (["-c", "/elsewhere/envoy.yaml"], []),
    ],
)
def test_the_proxy_of_a_stack(args: list[str], found: list[str]) -> None:
    assert rules(world(args)) == found


def test_another_program_is_not_read_as_envoy() -> None:
    assert rules(world(["--log-levl", "warn"], "example.com/my-envoy-exporter:v1")) == []

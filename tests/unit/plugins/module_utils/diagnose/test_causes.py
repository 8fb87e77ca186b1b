# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""From evidence to causes: each rule on what shows its failure, roots before consequences, nothing leaked."""

from __future__ import annotations

import json
import pathlib
import random
import re
import sys
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.base import Diagnosis, Proof
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import causes_of, diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Evidence, Log, clean
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.logs import BYTES, LINES, split, wanted
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.registry import RULES

from diagnose.failures import CASES, accepted, claim, gateway, gateway_class, picker, pool, pulling, refused, unplaced
from diagnose.world import NOW, NS, Object, crashed, event, evidence, item, pod, state, wide

TESTS = pathlib.Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(("rule", "text", "objects"), CASES, ids=[f"{case[0]}-{case[1][:20]}" for case in CASES])
def test_a_failure_is_named(rule: str, text: str, objects: list[Object]) -> None:
    if rule == "DIAG803":
        objects[0]["metadata"].update(
            deletionTimestamp=objects[0]["spec"].pop("deletionTimestamp"),
            finalizers=objects[0]["spec"].pop("finalizers"),
        )
    result = diagnose(evidence(*objects))
    assert result["unseen"] == []
    assert result["causes"], result
    assert result["causes"][0]["id"] == rule, result["causes"]
    assert text in json.dumps(result["causes"][0]).replace('\\"', '"')


def release(status: str, description: str = "") -> Object:
    return {
        "name": "ms",
        "component": "modelservice",
        "status": status,
        "revision": 2,
        "description": description,
        "objects": [("Deployment", "web")],
    }


def test_a_failed_release_is_a_consequence_of_what_its_objects_lack() -> None:
    alone = diagnose(evidence(releases=[release("failed", "timed out waiting for the condition")]))
    assert [(cause["id"], cause["component"]) for cause in alone["causes"]] == [("DIAG813", "modelservice")]
    result = diagnose(evidence(*refused("exceeded quota: narrow, x"), releases=[release("failed", "timed out")]))
    assert [cause["id"] for cause in result["causes"]] == ["DIAG301"]
    assert "Helm release ms" in result["causes"][0]["explains"]


def test_a_pending_release_is_stuck_only_after_a_while_or_after_the_run() -> None:
    young = [{**release("pending-upgrade"), "modified": NOW - 10}]
    assert causes_of(evidence(releases=young)) == []
    assert [cause.rule.id for cause in causes_of(evidence(releases=young, ended=True))] == ["DIAG811"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [("", ""), ("short ", "short "), ("x" * 30 + " word " * 20, "word " * 20), ("y" * 200, "y" * 120)],
)
def test_an_excerpt_begins_with_a_word(before: str, expected: str) -> None:
    found = diagnose(evidence(failure=f"{before}Invalid value: -1"))["causes"][0]
    assert found["evidence"][0].split() == f"{expected}Invalid value: -1".split(), found


def test_every_rule_is_seen_to_work() -> None:
    places = (pathlib.Path(__file__).parent, pathlib.Path(__file__).parents[1], TESTS / "integration_lab" / "diagnosis")
    text = "".join(path.read_text() for folder in places for path in folder.glob("*.py"))
    text += "".join(path.read_text() for path in (places[0] / "corpus").glob("*.yml"))
    tried = set(re.findall(r"DIAG\d{3}", text)) | {f"DIAG{number}" for number in re.findall(r'"([56]\d\d)",', text)}
    assert {rule.id for rule in RULES} <= tried


def test_failures_of_the_lab_have_names_of_their_own() -> None:
    """Each is a namespace."""
    sys.path.insert(0, str(TESTS))
    import failures_page

    names = [case.name for case in failures_page.CASES]
    assert [name for name in names if names.count(name) > 1] == []


def test_rules_are_complete_data() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not (rule.title and rule.shows and rule.cause and rule.remedy)] == []


def test_the_page_of_failures_is_up_to_date() -> None:
    sys.path.insert(0, str(TESTS))
    import failures_page

    assert failures_page.main(["--check"]) == 0, "run tests/failures_page.py"


def test_a_root_comes_before_what_it_explains() -> None:
    deployment = item(
        "Deployment",
        "web",
        spec={"replicas": 1, "template": {"metadata": {"labels": {"app": "web"}}}},
        status={"observedGeneration": 1},
    )
    replica_set = item("ReplicaSet", "web-h")
    way = [pool({"app": "web"}), accepted(), *picker()]
    result = diagnose(evidence(*way, deployment, replica_set, *pulling("manifest unknown")))
    (cause,) = result["causes"]
    assert cause["id"] == "DIAG101"
    assert {"InferencePool pool", "Deployment web"} <= set(cause["explains"])


def test_a_claim_explains_the_pods_that_mount_it() -> None:
    waits = unplaced(
        "pod has unbound immediate PersistentVolumeClaims",
        {"volumes": [{"persistentVolumeClaim": {"claimName": "weights"}}]},
    )
    result = diagnose(evidence(claim(storageClassName="fast"), wide("StorageClass", "slow"), *waits))
    assert [cause["id"] for cause in result["causes"]] == ["DIAG201"]
    assert result["causes"][0]["objects"] == ["PersistentVolumeClaim weights", "Pod web-1"]


def test_a_node_that_lacks_something_is_named() -> None:
    nodes = [
        wide("Node", f"gpu-{n}", status={"allocatable": {"nvidia.com/gpu": "8", "pods": "10", "cpu": "8"}})
        for n in (0, 1)
    ]
    taken = pod(
        "other", spec={"nodeName": "gpu-0", "containers": [{"resources": {"requests": {"nvidia.com/gpu": "6"}}}]}
    )
    body = unplaced("Insufficient", {"containers": [{"resources": {"requests": {"nvidia.com/gpu": "9"}}}]})
    found = evidence(*nodes, *body)
    found.everywhere = [taken]
    (cause,) = diagnose(found)["causes"]
    assert cause["id"] == "DIAG211"
    assert "gpu-0 lacks 7 nvidia.com/gpu (2 of 8 free)" in cause["evidence"][0]
    assert "gpu-1 lacks 1 nvidia.com/gpu (8 of 8 free)" in cause["evidence"][0]


def test_nothing_is_wrong() -> None:
    sound = pod(
        "web-1", state(running=True, ready=True), phase="Running", conditions=[{"type": "Ready", "status": "True"}]
    )
    done = pod("job-1", phase="Succeeded")
    result = diagnose(evidence(sound, done, *picker(), gateway_class()))
    assert (result["healthy"], result["causes"]) == (True, [])


def test_what_may_not_be_read_proves_nothing() -> None:
    unread = Evidence(
        NS,
        {
            "HTTPRoute": [accepted()],
            "InferencePool": [pool({"app": "m"})],
            "Gateway": [gateway({"type": "Programmed", "status": "True"})],
        },
    )
    assert [cause.rule.id for cause in causes_of(unread)] == []


def test_what_a_run_said_is_looked_at_only_where_the_cluster_shows_nothing() -> None:
    text = "ms-a: exceeded quota: narrow, requested: pods=1"
    assert [cause.rule.id for cause in causes_of(evidence(failure=text))] == ["DIAG301"]
    both = evidence(*pulling("manifest unknown"), failure="no PriorityClass with name x was found")
    assert "DIAG101" in [cause.rule.id for cause in causes_of(both)]


def test_secrets_are_in_no_part_of_a_result() -> None:
    body, log = crashed("the password is correct-horse\nhf_abcdefgh12345678 is the token\x1b[31m\x00")
    body["spec"]["containers"][0]["env"] = [{"name": "TOKEN", "value": "plain-secret-value"}]
    result = diagnose(
        evidence(body, event(body, "BackOff", "with plain-secret-value"), logs=[log]),
        ["correct-horse", "plain-secret-value", "x"],
    )
    text = json.dumps(result)
    for hidden in ("correct-horse", "hf_abc", "plain-secret", "\\u001b", "\\u0000"):
        assert hidden not in text
    assert "(masked) is the token" in text


def test_texts_are_bounded_and_plain() -> None:
    assert clean("a\x1b[2Jb\r\nc\u202ed") == "a b c d"
    assert len(clean("x" * 3000)) == 2000
    lines = split(b"\n".join(b"%d " % n + b"y" * 500 for n in range(900)))
    assert len(lines) <= LINES
    assert sum(map(len, lines)) <= BYTES
    assert lines[-1].startswith("899 ")


def test_logs_that_are_read_are_few_and_the_worst_first() -> None:
    many = [crashed("x", f"web-{n}")[0] for n in range(30)]
    slow = pod("slow-1", state("epp", running=True), phase="Running", owner="slow")
    sound = pod("ok-1", state(running=True, ready=True), phase="Running", owner="ok")
    rows = [(body["metadata"]["name"], name) for body, name, _failing in wanted(evidence(slow, sound, *many))]
    assert rows == [("web-0", "vllm"), ("web-1", "vllm"), ("slow-1", "epp")]


def test_a_rule_that_fails_hides_no_other() -> None:
    def broken(_evidence: Evidence) -> list[Proof]:
        raise KeyError("spec")

    rule = Diagnosis("DIAG000", "t", broken, "s", "c", "r", "x")
    found = evidence(*pulling("manifest unknown"))
    assert [cause.rule.id for cause in causes_of(found, [rule, *RULES])] == ["DIAG101"]
    assert found.unseen == ["the rule DIAG000 could not read an object: KeyError: 'spec'"]


WORTHLESS: list[Any] = [None, "", "text", 7, True, [], {}, [None], ["x"], {"a": None}]


@pytest.mark.parametrize("seed", range(60))
def test_objects_that_make_no_sense_are_survived(seed: int) -> None:
    chance = random.Random(seed)
    objects = json.loads(json.dumps([entry for _rule, _text, group in CASES for entry in group]))
    for entry in objects:
        node: Any = entry.get(chance.choice(["spec", "status"])) or {}
        while isinstance(node, (dict, list)) and node:
            key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
            if not node[key] or not isinstance(node[key], (dict, list)) or chance.random() < 0.3:
                node[key] = chance.choice(WORTHLESS)
                break
            node = node[key]
    diagnose(evidence(*objects))


def test_a_log_of_a_sound_container_is_no_cause() -> None:
    sound = pod(
        "web-1", state(running=True, ready=True), phase="Running", conditions=[{"type": "Ready", "status": "True"}]
    )
    logs = [Log(sound, "vllm", ("CUDA out of memory",), failing=False)]
    assert causes_of(evidence(sound, logs=logs)) == []

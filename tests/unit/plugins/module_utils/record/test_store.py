# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import json
import random
import re

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.store import (
    LIMIT,
    listed,
    manifest,
    pack,
    records_in_cluster,
    secret_name,
    summary,
    surplus,
    time_of,
    unpack,
)
from kubernetes.client.exceptions import ApiException

from record.samples import failed, sample

TIME = "20261121T083000Z"


def test_names_are_times():
    assert secret_name(TIME) == "llm-d-orchestrator-record-20261121t083000z" and time_of(secret_name(TIME)) == TIME
    assert time_of("llm-d-orchestrator-record-x") == time_of("other-20261121t083000z") == ""
    with pytest.raises(OrchestratorError, match="'../x'"):
        secret_name("../x")


def test_a_secret_holds_the_record():
    secret = manifest(sample(), TIME, "llm-d")
    assert unpack(secret) == sample() and secret["type"] == "orchestrator.llm-d.ai/record"
    assert secret["metadata"]["labels"] == {
        "orchestrator.llm-d.ai/managed": "true",
        "orchestrator.llm-d.ai/component": "record",
    }
    assert secret == manifest(sample(), TIME, "llm-d")


def test_what_a_list_shows():
    row = listed(manifest(failed(), TIME, "llm-d")["metadata"])
    assert (row["time"], row["outcome"], row["plan_digest"], row["models"]) == (TIME, "failed", "sha256:a1", ["a", "b"])
    assert row["by"] == {"user": "ops", "host": "bastion", "job": "42"}
    bare = listed({"name": secret_name(TIME), "annotations": {"orchestrator.llm-d.ai/record": "[1"}})
    assert (bare["time"], bare["outcome"]) == (TIME, "unknown") and listed({"name": "other"}) is None
    many = sample(stack={"models": [{"name": str(number)} for number in range(1000)]})
    assert len(json.dumps(summary(many))) < 64 * 1024


def noise(size):
    return "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=size))


@pytest.mark.parametrize(
    ("record", "left_out"),
    [
        (sample(), []),
        (sample(inputs={"x": noise(30000)}), ["stack.inputs", "inputs"]),
        (sample(versions={"x": "y"}, stack={"releases": {"a": [{"name": "r", "v": noise(30000)}]}}),
         ["inputs", "verification.checks", "steps", "stack.releases"]),
    ],
)  # fmt: skip
def test_what_is_too_large_is_left_out(record, left_out):
    packed, found = pack(record, 20000)
    assert found == left_out and len(packed) <= 20000
    kept = unpack({"data": {"record": base64.b64encode(packed)}})
    assert kept.get("left_out", []) == left_out and kept["outcome"] == "succeeded"
    assert "left_out" not in record


def test_a_record_of_a_large_stack_fits():
    record = sample(inputs={"values": noise(LIMIT)})
    secret = manifest(record, TIME, "llm-d")
    assert len(base64.b64decode(secret["data"]["record"])) <= LIMIT
    with pytest.raises(OrchestratorError, match="at most 100"):
        pack(record, 100)


@pytest.mark.parametrize("data", [{}, None, {"record": "!"}, {"record": base64.b64encode(b"x").decode()}])
def test_a_damaged_secret_is_named(data):
    with pytest.raises(OrchestratorError, match="record in Secret x"):
        unpack({"metadata": {"name": "x"}, "data": data})


def rows(outcomes):
    return [{"secret": f"r{len(outcomes) - at}", "outcome": {"s": "succeeded", "f": "failed"}[one]}
            for at, one in enumerate(outcomes)]  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "history", "pruned"),
    [
        ("sss", 3, []),
        ("ssss", 3, ["r1"]),
        ("sfsfs", 2, ["r1", "r2", "r3"]),
        ("ffss", 2, ["r1", "r3"]),
        ("ffff", 2, ["r1", "r2"]),
        ("fs", 1, ["r1"]),
        ("ss", 0, ["r1", "r2"]),
    ],
)
def test_the_oldest_go_but_the_last_success(outcomes, history, pruned):
    assert surplus(rows(outcomes), history) == pruned


class Reply:
    def __init__(self, body):
        self.data = json.dumps(body)


class Cluster:
    """A namespace's Secrets behind the paths that the store asks for."""

    def __init__(self, *, full=False):
        self.client, self.secrets, self.asked, self.full = self, {}, [], full

    def request(self, verb, path, body=None, query_params=None, **options):
        self.asked.append(verb)
        name = re.fullmatch(r"/api/v1/namespaces/llm-d/secrets/?(.*)", path)[1]
        if verb == "post":
            name = body["metadata"]["name"]
            if self.full or name in self.secrets:
                raise ApiException(status=403 if self.full else 409, reason="exceeded quota: secrets=1")
        elif name and name not in self.secrets:
            raise ApiException(status=404, reason="Not Found")
        if verb in ("post", "put"):
            self.secrets[name] = body
        elif verb == "delete":
            del self.secrets[name]
        elif not name:
            assert dict(query_params)["fieldSelector"] == "type=orchestrator.llm-d.ai/record"
            # Metadata alone, in the order of names.
            return Reply({"items": [{"metadata": item["metadata"]} for _name, item in sorted(self.secrets.items())]})
        return Reply(self.secrets.get(name, {}))


def time(number):
    return f"20261121T0830{number:02d}Z"


def test_the_newest_stay():
    store = records_in_cluster(Cluster(), "llm-d")
    for number in range(4):
        store.keep(sample(), time(number), 3)
    assert [row["time"] for row in store.list()] == [time(3), time(2), time(1)]
    assert store.load(time(2)) == sample()


def test_the_same_run_records_twice():
    store = records_in_cluster(Cluster(), "llm-d")
    store.keep(sample(), time(1), 3)
    store.keep(failed(), time(1), 3)
    assert store.load(time(1))["outcome"] == "failed" and len(store.list()) == 1


def test_the_new_record_stays_whatever_the_clock_says():
    store = records_in_cluster(Cluster(), "llm-d")
    for number in (5, 6, 1):
        store.keep(sample(), time(number), 2)
    assert time(1) in [row["time"] for row in store.list()]


def test_what_does_not_exist_is_named():
    with pytest.raises(OrchestratorError, match="no record of 20261121T083001Z"):
        records_in_cluster(Cluster(), "llm-d").load(time(1))


def test_a_refusal_is_told():
    with pytest.raises(OrchestratorError, match="403 exceeded quota"):
        records_in_cluster(Cluster(full=True), "llm-d").keep(sample(), time(1), 2)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.store import records_in_cluster
from kubernetes.client.exceptions import ApiException
from record_samples import failed, sample


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

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Watches: resumed where they ended, restarted from a list where they cannot be."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.watch import Watches
from kubernetes.client.exceptions import ApiException


def pod(name, version, **status):
    return {"metadata": {"name": name, "namespace": "n", "resourceVersion": version}, "status": status}


def fail(error: BaseException) -> None:
    """Raise what a watch was told to fail with."""
    raise error


class Reply:
    def __init__(self, data):
        self.data = data

    def to_dict(self):
        return self.data

    def stream(self, **_options):
        yield from self.data

    def close(self):
        pass


class Resource:
    """Answers lists and watches in turn; afterwards watches never end."""

    namespaced = True

    def __init__(self, lists, watches):
        self.lists, self.watches, self.asked = list(lists), list(watches), []

    def get(self, watch=False, resource_version=None, **_options):
        if not watch:
            self.asked.append("list")
            found = self.lists.pop(0)
            if isinstance(found, Exception):
                raise found
            return Reply({"metadata": {"resourceVersion": "1"}, "items": found})
        self.asked.append(resource_version)
        if not self.watches:
            time.sleep(5)
        events = self.watches.pop(0) if self.watches else []
        if isinstance(events, BaseException):
            fail(events)
        text = b"".join(json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in events)
        return Reply([text[:7], text[7:]])


class Cluster:
    def __init__(self, resource):
        self.found = resource

    def resource(self, _api_version, _kind):
        return self.found


def follow(lists, watches, until):
    resource = Resource(lists, watches)
    watching = Watches(Cluster(resource))
    assert watching.start("v1", "Pod", "n")
    names = watching.wait(lambda: until(watching.objects("v1", "Pod", "n")), time.monotonic() + 3)
    watching.close()
    return resource, names


def names_are(*names):
    return lambda items: sorted(item["metadata"]["name"] for item in items) == sorted(names) or None


def test_events_change_the_list():
    events = [("ADDED", pod("b", "2")), ("DELETED", pod("a", "3")), ("MODIFIED", pod("b", "4"))]
    resource, done = follow([[pod("a", "1")]], [events], names_are("b"))
    assert done


def test_a_watch_that_ends_is_resumed_from_its_last_version():
    events = [
        [("ADDED", pod("b", "7")), ("BOOKMARK", {"metadata": {"resourceVersion": "9"}})],
        [("ADDED", pod("c", "10"))],
    ]
    resource, done = follow([[]], events, names_are("b", "c"))
    assert done and resource.asked[:3] == ["list", "1", "9"]


@pytest.mark.parametrize(
    "gone", [[("ERROR", {"code": 410, "message": "too old"})], ApiException(status=410), OSError("reset")]
)
def test_what_cannot_be_resumed_starts_from_a_list(gone):
    resource, done = follow([[pod("a", "1")], [pod("b", "5")]], [gone], names_are("b"))
    assert done and resource.asked[:3] == ["list", "1", "list"]


def test_a_refused_list_is_an_error():
    watching = Watches(Cluster(Resource([ApiException(status=403, reason="Forbidden")], [])))
    watching.start("v1", "Pod", "n")
    with pytest.raises(OrchestratorError, match="refused the request to watch Pod: 403 Forbidden"):
        watching.synced(time.monotonic() + 3)


def test_an_unknown_kind_is_not_watched():
    watching = Watches(Cluster(None))
    assert watching.start("x/v1", "X", "n") is False
    assert watching.objects("x/v1", "X", "n") == []


def test_wait_ends_at_the_deadline():
    begin = time.monotonic()
    assert Watches(Cluster(None)).wait(lambda: None, begin + 0.1) is None
    assert time.monotonic() - begin < 1

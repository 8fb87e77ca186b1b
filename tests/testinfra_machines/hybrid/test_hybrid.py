# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An edge site: it works without the cloud, and the cloud learns of it once the link is back."""

from __future__ import annotations

import typing as t


def base(site: t.Any, name: str) -> str:
    return f"https://{site.address(name)}:8080"


def test_the_cloud_runs_workflows_by_a_worker(site: t.Any) -> None:
    cloud = base(site, "m1")
    assert site.get(f"{cloud}/ready") == {"database": True, "cache": True, "queue": True}
    assert site.finished(cloud, [site.submit(cloud)], 30) == {"succeeded": 1}


def test_the_cloud_knows_what_the_edge_does(site: t.Any) -> None:
    edge, cloud = base(site, "e1"), base(site, "m1")
    done = site.submit(edge)
    assert site.finished(edge, [done], 30) == {"succeeded": 1}
    assert site.finished(cloud, [done], 60) == {"succeeded": 1}


def test_without_the_link_the_edge_works_and_catches_up(site: t.Any) -> None:
    edge, cloud = base(site, "e1"), base(site, "m1")
    site.set("e1", cut_from=["m1"])
    try:
        alone = [site.submit(edge) for _number in range(20)]
        assert site.finished(edge, alone, 60) == {"succeeded": 20}
        assert site.get(f"{edge}/ready")
        assert [site.result(cloud, identity) for identity in alone] == [{}] * 20
        kept = site.submit(cloud)
        assert site.finished(cloud, [kept], 30) == {"succeeded": 1}
    finally:
        site.set("e1", cut_from=[])
    assert site.finished(cloud, alone, 90) == {"succeeded": 20}

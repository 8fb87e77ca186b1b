# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of Helm for each release: its chart fetched, its values read."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.findings import ERROR
from ..charts.fetch import Chart, fetch_chart
from ..values.layers import load_values
from .command import Helm, template_arguments

# Helm uses 0.5 s of CPU for an install and waits for the API server as long again.
HELM_PROCESSES = min(8, 2 * (os.cpu_count() or 2))


def read_values(releases: list[Object]) -> dict[str, Object]:
    """Return each release's values, files and inline merged as chart_values reads them; raise for all errors."""
    merged: dict[str, Object] = {}
    errors = []
    for release in releases:
        given = load_values(release.get("values_files") or [], release.get("values"), release["name"])
        errors += [finding.text() for finding in given.findings if finding.severity == ERROR]
        merged[release["name"]] = given.values
    if errors:
        raise OrchestratorError("Invalid values files:", details=errors)
    return merged


def fetch_charts(
    releases: list[Object], helm: Helm, cache: str | None, *, plain_http: bool = False
) -> dict[tuple[str, str | None], Chart]:
    """Return the charts by (reference, version), fetched in parallel; raise for all that cannot be had."""
    options: Object = {"helm": helm.binary, "cache_dir": cache, "env": helm.env, "plain_http": plain_http}
    keys = list(dict.fromkeys(chart_key(release) for release in releases))
    charts, errors = {}, []
    with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
        tasks = {(ref, version): pool.submit(fetch_chart, ref, version, **options) for ref, version in keys}
        for key, task in tasks.items():
            try:
                charts[key] = task.result()
            except OrchestratorError as exc:
                errors.append(exc)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise OrchestratorError("Cannot fetch charts:", details=[str(exc) for exc in errors])
    return charts


def chart_key(release: Object) -> tuple[str, str | None]:
    """Return (reference, version) of a release's chart."""
    return release["chart_ref"], release.get("chart_version") or None


def prepare(releases: list[Object], helm: Helm, cache: str | None, *, plain_http: bool = False) -> list[Wanted]:
    """Return the releases with their charts and values at hand."""
    values = read_values(releases)
    charts = fetch_charts(releases, helm, cache, plain_http=plain_http)
    wanted = []
    for release in releases:
        files = [os.path.abspath(os.path.expanduser(path)) for path in release.get("values_files") or []]
        if release.get("values"):
            files.append(helm.values_file(release["values"]))
        chart = charts[chart_key(release)]
        merged, replace = values[release["name"]], release.get("replace") or []
        namespace = release.get("namespace") or ""
        wanted.append(Wanted(release["name"], chart, merged, files, helm.registry, replace, namespace))
    return wanted


@dataclasses.dataclass
class Wanted:
    """A release as it shall be.

    values: files and inline merged; files: what Helm gets, in order; registry: where its images come from, "" for any;
    replace: objects of it that are deleted before, because they cannot be changed; namespace: where it is installed.
    """

    name: str
    chart: Chart
    values: Object
    files: list[str]
    registry: str = ""
    replace: t.Sequence[Object] = ()
    namespace: str = ""

    def template(self, kube_version: str, apis: list[str], *, upgrade: bool) -> list[str]:
        """Return the arguments of `helm template` for it, as for the given cluster."""
        return template_arguments(
            self.name, self.chart.path, self.namespace, self.files,
            kube_version=kube_version, apis=apis, upgrade=upgrade,
        )  # fmt: skip

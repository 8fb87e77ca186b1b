# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the values of a pool's release, in itself and beside the models of the stack."""

from __future__ import annotations

import typing as t

from ...base import formats
from ...base.data import dig
from ...base.findings import ERROR, WARNING, Findings
from ...base.names import label_key_problem, label_problem
from ...objects.pools import ROLE_LABEL, selector_problem
from ...objects.set_labels import labels_met
from ...values.layers import locate
from ..base import check_maps
from ..modelservice import Model
from .charts import CHARTS, PoolChart
from .values import ZMQ_PORT, Pool, PoolSettings, pool_ports, pool_selector

# The rules that a mistake in a pool's selector breaks.
SELECTORS = ("LLMD101", "LLMD102", "LLMD103")


def check_selector(pool: Pool, own: Model | None, models: t.Sequence[Model], chart: str, findings: Findings) -> None:
    """Note a selector that misses the pods of the pool's own model, or selects another's too."""
    selector = pool_selector(pool.values, chart)
    where = locate(pool.layers, CHARTS[chart].selector, f"{pool.where}.selector")
    if not selector:
        more: t.Any = {"about": [pool.release], "covers": ["LLMD101", "LLMD106"]}
        fix = "set it to the labels of the pods that it serves"
        findings.add(where, "the pool has no selector", fix, rule="input-selector", **more)
        return
    more = {"about": [pool.release], "covers": SELECTORS}
    wrong = _missed(selector, own) if own else None
    if own and wrong:
        labels = ", ".join(f"{key}={value}" for key, value in own.labels.items()) or "none"
        place = own.kustomized.label_place(selector) if own.kustomized else None
        at = f" ({place})" if place else ""
        findings.add(where, wrong, f"labels of {own.name}'s pods{at}: {labels}", rule="input-selector", **more)
    chosen = [model for model in models if _missed(selector, model) is None]
    for model in chosen:
        if model is own or not (own or model.model != chosen[0].model):
            continue
        shown = ", ".join(f"{key}={value}" for key, value in selector.items())
        mine = own.name if own else chosen[0].name
        findings.add(
            where,
            f"the selector {shown} of model {mine} selects the pods of model {model.name} too",
            f"select a label that only {mine} has, for example llm-d.ai/model",
            rule="input-selector-shared",
            **more,
        )


def _missed(selector: dict[str, t.Any], model: Model) -> str | None:
    """Return why a selector takes the pods of none of a model's roles, None where it takes some."""
    kind = "LeaderWorkerSet" if model.multinode else "Deployment"
    # How many workers a group has is known only once it is rendered: the rules look at that.
    size = 1 << 16
    pods = [labels_met({**model.labels, ROLE_LABEL: role}, selector, kind, "", size) for role in model.roles or ("",)]
    problems = [selector_problem(selector, labels) for labels in pods]
    return None if None in problems else problems[0]


def check_port(pool: Pool, model: Model, chart: str, findings: Findings) -> None:
    """Note a pool that sends to a port on which its model does not listen."""
    ports = pool_ports(pool.values, chart)
    if isinstance(model.port, int) and model.port not in ports:
        where = locate(pool.layers, CHARTS[chart].ports, f"{pool.where}.target_ports")
        default = model.kustomized.path if model.kustomized else "the chart's default of routing.servicePort"
        at = locate(model.layers, ("routing", "servicePort"), default)
        shown = ", ".join(str(port) for port in ports) or "no port"
        text = f"the pool sends requests to {shown}, but {model.name} listens on {model.port} ({at})"
        more: t.Any = {"about": [pool.release], "covers": ["LLMD104", "LLMD207"]}
        findings.add(where, text, str(model.port), rule="input-port", **more)


def check_pool(pool: Pool, settings: PoolSettings, findings: Findings) -> None:
    """Note what the chart would ignore or what would not serve, with the file and line where it stands."""
    chart = CHARTS[settings.chart]
    _check_maps(pool, chart, findings)
    _check_image(pool, chart, findings)
    _check_zmq(pool, chart, findings)
    for key, value in pool_selector(pool.values, settings.chart).items():
        wrong = label_key_problem(str(key)) or label_problem(value)
        if wrong:
            findings.add(
                locate(pool.layers, (*chart.selector, key), f"{pool.where}.selector.{key}"), wrong, rule="input-label"
            )
    for value in pool_ports(pool.values, settings.chart):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
            at = locate(pool.layers, chart.ports, f"{pool.where}.target_ports")
            findings.add(at, f"{value!r} is not a valid port", "use a number from 1 to 65535", rule="input-port")


def _check_maps(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    """Note values that are no map where this collection's own are laid under them."""
    paths = {
        tuple(path[:end]) for path in (chart.extension, chart.selector, chart.ports) for end in range(1, len(path))
    }
    check_maps(pool.layers, sorted(paths | {tuple(chart.extension), tuple(chart.selector)}), findings)


def _check_image(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    path = (*chart.extension, "image", "tag")
    tag = dig(pool.values, path)
    is_tag = isinstance(tag, str) and bool(tag.strip())
    if is_tag and tag.strip().lower() not in formats.FLOATING:
        return
    text = f"the endpoint picker's image has {f'the tag {tag!r}' if tag else 'no tag'}"
    where, fix = locate(pool.layers, path, "gaie_image"), "use a released version, for example v0.6.0"
    findings.add(where, text, fix, rule="image-tag", severity=WARNING if is_tag else ERROR)


def _check_zmq(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    """Note a user's port that takes zmq's name or number for something else."""
    lists = (((*chart.extension, "extraContainerPorts"), "containerPort"), (chart.service_ports, "port"))
    for path, key in lists:
        ports = dig(pool.values, path)
        for index, port in enumerate(ports if isinstance(ports, list) else []):
            if isinstance(port, dict) and (port.get("name") == "zmq") != (port.get(key) == ZMQ_PORT):
                where = locate(pool.layers, (*path, index), pool.where)
                findings.add(
                    where,
                    f"{port!r} uses the name or number of zmq/{ZMQ_PORT}",
                    f"name zmq, {key} {ZMQ_PORT}",
                    rule="input-zmq",
                )

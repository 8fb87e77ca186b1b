# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a pool's values, and which secret holds the Hugging Face token."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils._inputs import Problems, dig, dotted, kind, locate
from ansible_collections.llm_d.orchestrator.plugins.module_utils._names import (
    did_you_mean,
    label_key_problem,
    label_problem,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._pools import (
    CHARTS,
    HF_KEY,
    HF_SECRET_NAMES,
    OLD_SERVING_LABEL,
    SERVING_LABEL,
    ZMQ_PORT,
    Pool,
    PoolChart,
    PoolSettings,
    pool_ports,
)


def check_pool(pool: Pool, settings: PoolSettings, problems: Problems) -> None:
    """Note what the chart would ignore or what would not serve, with the file and line where it stands."""
    chart = CHARTS[settings.chart]
    for path in chart.forbidden:
        for layer in pool.layers:
            where = layer.locate(path)
            if where:
                problems.add(
                    where, f"the chart {settings.chart} has no {dotted(path)}", "remove it", rule="chart-ignores-key"
                )
    _check_maps(pool, chart, problems)
    _check_image(pool, chart, problems)
    _check_zmq(pool, chart, problems)
    for key, value in (dig(pool.values, chart.selector) or {}).items():
        wrong = label_key_problem(str(key)) or label_problem(value)
        if wrong:
            problems.add(
                locate(pool.layers, (*chart.selector, key), f"{pool.where}.selector.{key}"), wrong, rule="input-label"
            )
    for value in pool_ports(pool.values, settings.chart):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
            where = locate(pool.layers, chart.ports, f"{pool.where}.target_ports")
            problems.add(where, f"{value!r} is no port", "a number from 1 to 65535", rule="input-port")


def _check_maps(pool: Pool, chart: PoolChart, problems: Problems) -> None:
    """Note values that are no map where this collection's own are laid under them."""
    paths = {
        tuple(path[:end]) for path in (chart.extension, chart.selector, chart.ports) for end in range(1, len(path))
    }
    for path in sorted(paths | {tuple(chart.extension), tuple(chart.selector)}):
        for layer in pool.layers:
            value = dig(layer.values, path)
            where = layer.locate(path)
            if where and value is not None and not isinstance(value, dict):
                problems.add(where, f"is a {kind(value)}: {value!r}", "a map", rule="input-type")


def _check_image(pool: Pool, chart: PoolChart, problems: Problems) -> None:
    path = (*chart.extension, "image", "tag")
    tag = dig(pool.values, path)
    if not isinstance(tag, str) or not tag.strip() or tag.strip() == "latest":
        shown = "no tag" if not tag else f"the tag {tag!r}"
        where = locate(pool.layers, path, "gaie_image")
        problems.add(
            where,
            f"the endpoint picker's image has {shown}",
            "a released version, for example v0.6.0",
            rule="image-tag",
        )


def _check_zmq(pool: Pool, chart: PoolChart, problems: Problems) -> None:
    """Note a user's port that takes zmq's name or number for something else."""
    lists = (((*chart.extension, "extraContainerPorts"), "containerPort"), (chart.service_ports, "port"))
    for path, key in lists:
        for index, port in enumerate(dig(pool.values, path) or []):
            if isinstance(port, dict) and (port.get("name") == "zmq") != (port.get(key) == ZMQ_PORT):
                where = locate(pool.layers, (*path, index), pool.where)
                problems.add(
                    where,
                    f"{port!r} takes the name or number of zmq/{ZMQ_PORT}",
                    f"name zmq, {key} {ZMQ_PORT}",
                    rule="input-zmq",
                )


def selector_problem(selector: dict, labels: dict) -> str | None:
    """Return why a selector does not select pods with these labels, or None where it does."""
    for key, value in selector.items():
        if labels.get(key) == value:
            continue
        if key == OLD_SERVING_LABEL and SERVING_LABEL in labels:
            return f"the selector asks for {key}, the model's pods carry {SERVING_LABEL}"
        if key == SERVING_LABEL and OLD_SERVING_LABEL in labels:
            return f"the selector asks for {key}, the model's pods carry {OLD_SERVING_LABEL}"
        if key in labels:
            return f"the selector asks for {key}={value!r}, the model's pods carry {key}={labels[key]!r}"
        return f"the selector asks for {key}={value!r}, which the model's pods do not carry.{did_you_mean(key, labels)}"
    return None if selector else "the selector is empty"


def token_secret(secrets: dict[str, list[str]], name: str, key: str) -> tuple[dict | None, str | None]:
    """Choose the Hugging Face token's secret.

    secrets: {name: [its keys]} as found; name, key: the user's choice, '' to look for it.
    Returns ({name, key} or None, a note for the operator or None).
    """
    if name:
        if name not in secrets:
            return {
                "name": name,
                "key": key or HF_KEY,
            }, f"The secret {name} does not exist yet; it must before pods start."
        return _token_key(name, secrets[name], key)
    for candidate in HF_SECRET_NAMES:
        if candidate in secrets:
            return _token_key(candidate, secrets[candidate], key)
    return None, None


def _token_key(name: str, keys: list[str], key: str) -> tuple[dict | None, str | None]:
    if key or HF_KEY in keys:
        chosen = key or HF_KEY
        note = (
            None
            if chosen in keys
            else f"The secret {name} has no key {chosen}; its keys are {', '.join(keys) or 'none'}."
        )
        return ({"name": name, "key": chosen}, None) if note is None else (None, note)
    if len(keys) == 1:
        return {"name": name, "key": keys[0]}, f"The secret {name} keeps the token under {keys[0]!r}, not {HF_KEY}."
    return None, f"The secret {name} has the keys {', '.join(keys) or '(none)'}: name one in gaie_hf_token_key."

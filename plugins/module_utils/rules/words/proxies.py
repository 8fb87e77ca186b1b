# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the command line of a proxy beside an endpoint picker: Envoy's arguments and their values.

Source: Envoy v1.33 to v1.36, docs/operations/cli.
"""

from __future__ import annotations

import re
import typing as t

from ...base.data import dicts, mapping, texts
from ...base.findings import Finding
from ...base.names import did_you_mean
from ...model.items import Item
from ...model.model import StackModel, pod_specs
from ..base import Path, finding, listed, made, rule_factory

_LEVELS = ("trace", "debug", "info", "warning", "warn", "error", "critical", "off")
# Short forms are read as the long ones.
_SHORT = {"-c": "--config-path", "-l": "--log-level"}
_NUMBER = re.compile(r"\d+\Z")
# What each takes: nothing, a number, one of some words, or any text.
_SWITCHES = (
    *("--allow-unknown-fields", "--allow-unknown-static-fields", "--reject-unknown-dynamic-fields", "--version"),
    *("--ignore-unknown-dynamic-fields", "--use-dynamic-base-id", "--skip-hot-restart-on-no-parent", "--help"),
    *("--skip-hot-restart-parent-stats", "--cpuset-threads", "--log-format-escaped", "--enable-fine-grain-logging"),
    *("--disable-hot-restart", "--enable-core-dump", "--enable-mutex-tracing", "--hot-restart-version"),
)
_NUMBERS = (
    *("--base-id", "--concurrency", "--restart-epoch", "--file-flush-interval-msec", "--file-flush-min-size-kb"),
    *("--drain-time-s", "--parent-shutdown-time-s", "--bootstrap-version", "--socket-mode"),
)
_CHOICES = {
    "--log-level": _LEVELS,
    "--drain-strategy": ("gradual", "immediate"),
    "--mode": ("serve", "validate", "init_only"),
    "--local-address-ip-version": ("v4", "v6"),
}
_TEXTS = (
    *("--config-path", "--config-yaml", "--admin-address-path", "--base-id-path", "--component-log-level"),
    *("--log-path", "--log-format", "--socket-path", "--service-cluster", "--service-node", "--service-zone"),
    *("--stats-tag", "--disable-extensions"),
)
KNOWN = (*_SWITCHES, *_NUMBERS, *_CHOICES, *_TEXTS)


def wrong_word(words: t.Sequence[str]) -> tuple[int, str] | None:
    """Return the place of the first word that Envoy does not take, and why; None where it takes all."""
    at = 0
    while at < len(words):
        name, joined, value = words[at].partition("=")
        name = _SHORT.get(name, name)
        if "$" in words[at] or not name.startswith("-"):
            return None if "$" in words[at] else (at, f"{words[at]!r} belongs to no argument")
        if name not in KNOWN:
            return at, f"{name} is no argument of Envoy.{did_you_mean(name, KNOWN)}"
        if name in _SWITCHES:
            at += 1
            continue
        if not joined:
            at += 1
            if at >= len(words):
                return at - 1, f"{name} has no value"
            value = words[at]
        wrong = _wrong_value(name, value)
        if wrong:
            return at, wrong
        at += 1
    return None


def _wrong_value(name: str, value: str) -> str:
    if "$" in value:
        return ""
    if name in _NUMBERS and not _NUMBER.match(value):
        return f"{name} takes a number, not {value!r}"
    if name in _CHOICES and value not in _CHOICES[name]:
        return f"{name} takes one of {', '.join(_CHOICES[name])}, not {value!r}.{did_you_mean(value, _CHOICES[name])}"
    return ""


def proxy_words(model: StackModel) -> t.Iterator[Finding]:
    """Envoy takes all of its arguments, and reads its configuration from a file that is mounted."""
    for item, path, container in _proxies(model):
        words = texts(container.get("args"))
        wrong = wrong_word(words)
        if wrong:
            at, text = wrong
            side = made(item, (*path, "args", at))
            yield finding(f"container {container.get('name')} of {item.title}: {text}", (side,), ("proxy", item.title))


def config_files(model: StackModel) -> t.Iterator[Finding]:
    """The file that Envoy is told to read is in a ConfigMap that is mounted."""
    for item, path, container in _proxies(model):
        words = texts(container.get("args"))
        at = next((at + 1 for at, word in enumerate(words[:-1]) if word in ("-c", "--config-path")), 0)
        spec = next((spec for place, spec in pod_specs(item) if place == path[: len(place)]), {})
        folder, _slash, name = words[at].rpartition("/") if at else ("", "", "")
        mounts = [
            one for one in dicts(container.get("volumeMounts")) if str(one.get("mountPath")).rstrip("/") == folder
        ]
        volumes = {str(one.get("name")): mapping(one.get("configMap")) for one in dicts(spec.get("volumes"))}
        source = volumes.get(str(mounts[0].get("name"))) if mounts and not mounts[0].get("subPath") else None
        held = _held(source, item, model) if source else []
        if held and name not in held:
            text = (
                f"container {container.get('name')} of {item.title} reads {words[at]}, but {folder} has {listed(held)}"
            )
            yield finding(
                f"{text}.{did_you_mean(name, held)}", (made(item, (*path, "args", at)),), ("proxy", item.title)
            )


def _held(source: t.Mapping[str, t.Any], item: Item, model: StackModel) -> list[str]:
    """Return the files of a volume of a ConfigMap, [] where they are not known."""
    if source.get("items"):
        return [str(one.get("path")) for one in dicts(source["items"])]
    body = model.find("ConfigMap", str(source.get("name")), item.namespace)
    return [str(key) for key in mapping(body.body.get("data"))] if body else []


def _proxies(model: StackModel) -> t.Iterator[tuple[Item, Path, dict[str, t.Any]]]:
    for item in model.planned:
        for path, spec in pod_specs(item):
            for key in ("containers", "initContainers"):
                for index, container in enumerate(dicts(spec.get(key))):
                    name = str(container.get("image") or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
                    command = texts(container.get("command"))
                    if name == "envoy" and (not command or command[-1].rpartition("/")[2] == "envoy"):
                        yield item, (*path, key, index), container


_rule = rule_factory("LLMD5")

RULES = (
    _rule(
        56,
        "Envoy knows its arguments",
        proxy_words,
        "Envoy beside an endpoint picker takes every argument, and each has a valid value.",
        "The proxy exits at start (Couldn't find match for argument): CrashLoopBackOff; nothing gets in.",
        "correct the argument; a list in the values replaces the chart's whole list",
        "Envoy, docs/operations/cli",
    ),
    _rule(
        57,
        "Envoy's configuration is mounted",
        config_files,
        "The file behind -c is one of the ConfigMap that is mounted in its folder.",
        "The proxy exits at start (unable to read file): CrashLoopBackOff.",
        "name a file that is mounted",
        "llm-d-router, charts/routerlib",
    ),
)

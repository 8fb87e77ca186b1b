# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the hosts of an inventory share by mistake: a cluster's namespace, a file, or two minds about the waves."""

from __future__ import annotations

import hashlib
import json
import os
import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import read_regular
from ..base.words import listed
from ..cluster.credentials import VARIABLES, options
from ..cluster.kubeconfig import contexts, is_content, named

NAMESPACE = "llm_d_namespace"
WAVES, FAILURES = "llm_d_waves", "llm_d_wave_failures"
# Files of one cluster: several that wrote to one would lose all but the last one's.
FILES = ("llm_d_findings_file", "status_file")
READ = (*VARIABLES, NAMESPACE, WAVES, FAILURES, *FILES)
# What of a kubeconfig's cluster says which one it is: a proxy or a name for TLS may lead elsewhere by the same address.
IDENTITY = ("server", "proxy-url", "tls-server-name")
# What stands for a variable that cannot be worked out: the host's own run says why.
UNREAD = object()
# More mistakes than these are counted.
MOST = 20
KUBECONFIG_LIMIT = 4 * 1024 * 1024


def mistakes(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Return a line for each mistake. hosts: by name the variables READ that are set, UNREAD or their values."""
    found = [*_waves(hosts), *_clusters(hosts), *_files(hosts)]
    more = len(found) - MOST
    return [*found[:MOST], f"And {more} more."] if more > 0 else found


def _waves(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    found: list[str] = []
    for name, check in ((WAVES, waves), (FAILURES, allowed_failures)):
        read = {host: values for host, values in hosts.items() if values.get(name) is not UNREAD}
        groups = _grouped({host: str(values.get(name, "")) for host, values in read.items()})
        if len(groups) > 1:
            texts = [f"{value or 'not set'} for {listed(group, 5)}" for value, group in groups.items()]
            found.append(f"{name} differs: {'; '.join(texts)}. Set it once for all, in group_vars/all or with -e.")
            continue
        for value in [values[name] for values in read.values() if name in values][:1]:
            try:
                check(value)
            except OrchestratorError as exc:
                found.append(f"{exc.message} {exc.hint}")
    return found


def _clusters(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    read: dict[str, t.Any] = {}
    named = {host: values.get(NAMESPACE) or "llm-d" for host, values in hosts.items() if UNREAD not in values.values()}
    # What is no name is the host's own mistake too.
    targets = {host: (target(hosts[host], read), name) for host, name in named.items() if isinstance(name, str)}
    return [
        f"{listed(group, 5)} are the same namespace of one cluster: {namespace} at {where}. Use a separate cluster or "
        "llm_d_namespace for each host."
        for ((where, *_more), namespace), group in _grouped(targets).items()
        if len(group) > 1
    ]


def _files(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    return [
        f"{listed(group, 5)} would write {name} to the same file, {path}."
        " Put {{ inventory_hostname }} into its name."
        for name in FILES
        for path, group in _grouped({host: values.get(name) for host, values in hosts.items()}).items()
        if isinstance(path, str) and path and len(group) > 1
    ]


def _grouped(values: t.Mapping[str, t.Any]) -> dict[t.Any, list[str]]:
    groups: dict[t.Any, list[str]] = {}
    for host, value in values.items():
        groups.setdefault(value if isinstance(value, (str, tuple)) else None, []).append(host)
    return groups


def target(variables: t.Mapping[str, t.Any], read: dict[str, t.Any]) -> tuple[str, ...]:
    """Return what tells a host's cluster from others: its address first, as far as its credentials say.

    read: kubeconfigs that were read, by path. A file that cannot be read stands for itself, with its context.
    """
    found = options(variables)
    if found.get("host"):
        return (str(found["host"]).rstrip("/"), "", "")
    source, context = str(found.get("kubeconfig") or ""), str(found.get("context") or "")
    if not source:
        return ("the cluster of the default credentials", context)
    if source not in read:
        read[source] = _kubeconfig(source)
    current, clusters = read[source]
    cluster = clusters.get(context or current) or {}
    if not cluster.get("server"):
        shown = "a kubeconfig given by its content" if is_content(source) else source
        return (shown, context, hashlib.sha256(source.encode()).hexdigest())
    return tuple(str(cluster.get(key) or "").rstrip("/") for key in IDENTITY)


def _kubeconfig(source: str) -> tuple[str, dict[str, Object]]:
    """Return the current context and the cluster of each context; none of what cannot be read: the host's run says why.

    source: its text or its path.
    """
    if plain_yaml.IMPORT_ERROR:
        return "", {}
    try:
        text: t.Any = source if is_content(source) else read_regular(os.path.expanduser(source), KUBECONFIG_LIMIT)[0]
        content = plain_yaml.load(text)
    except (OSError, ValueError, plain_yaml.YAMLError):
        return "", {}
    content = content if isinstance(content, dict) else {}
    found = {
        name: named(content, "clusters", "cluster", named(content, "contexts", "context", name).get("cluster"))
        for name in contexts(content)
    }
    return str(content.get("current-context") or ""), found


Size = t.Union[int, str]  # noqa: UP007 evaluated at run time, on Python 3.10 too
SHARE = re.compile(r"(\d+) *%")
HINT = 'Set it to a list of numbers of clusters and shares, such as [1, "25%", "100%"]; the last one is repeated.'


def waves(value: t.Any) -> list[Size]:
    """Return llm_d_waves as a list of numbers and shares, [] for all clusters at once.

    value: a list, one number or share, or either as text, which is what `-e llm_d_waves=...` gives. Raises
    OrchestratorError for all else.
    """
    items = _items(value)
    bad = [item for item in items if not _fits(item)]
    if bad:
        named = ", ".join(repr(item) for item in bad)
        raise OrchestratorError(f"llm_d_waves contains {named}, which is not a valid size of a wave.", hint=HINT)
    return [item.replace(" ", "") if str(item).endswith("%") else int(item) for item in items]


def _items(value: t.Any) -> list[t.Any]:
    """Return what a value lists."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = re.split(r"[\s,]+", value.strip(" []()"))
    found = list(value) if isinstance(value, (list, tuple)) else [value]
    return [item.strip(" '\"") if isinstance(item, str) else item for item in found]


def _fits(item: t.Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, (int, str)):
        return False
    share = SHARE.fullmatch(item) if isinstance(item, str) else None
    if share:
        return 0 < int(share[1]) <= 100
    return str(item).isdecimal() and int(item) > 0


def allowed_failures(value: t.Any) -> int:
    """Return llm_d_wave_failures as a number; raises OrchestratorError."""
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise OrchestratorError(
            f"llm_d_wave_failures is {value!r}.", hint="Set it to the number of clusters that may fail, 0 or more."
        )
    return int(value)


def batches(sizes: t.Sequence[Size], hosts: t.Sequence[str]) -> list[list[str]]:
    """Return the hosts of each wave, as Ansible's serial makes them (ansible-core, PlaybookExecutor)."""
    found: list[list[str]] = []
    at = 0
    while at < len(hosts):
        size = _size(sizes[min(len(found), len(sizes) - 1)], len(hosts)) if sizes else 0
        found.append(list(hosts[at : at + size] if size > 0 else hosts[at:]))
        at += len(found[-1])
    return found


def _size(size: Size, count: int) -> int:
    if isinstance(size, str) and size.endswith("%"):
        return int(int(size[:-1]) / 100 * count) or 1
    return int(size)

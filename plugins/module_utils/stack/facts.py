# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stack needs to know of its cluster and of Helm before anything is changed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import typing as t

from ..base.apis import GATEWAY_API
from ..base.data import Values
from ..base.errors import OrchestratorError
from ..base.files import replace_file
from ..base.findings import Findings
from ..charts.defaults import own_charts
from ..charts.fetch import default_cache_dir
from ..components.base import Facts, idle
from ..components.registry import COMPONENTS

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster


# What deployments need of Helm.
HELM_MINIMUM = (3, 17, 0)


def read_facts(cluster: Cluster, namespace: str, places: t.Iterable[str], notes: list[str]) -> Facts:
    """Return what the cluster has; what may not be read is left out with a note.

    places: the namespaces in which the components put something.
    """

    def attempt(action: t.Callable[[], t.Any], default: t.Any) -> t.Any:
        try:
            return action()
        except OrchestratorError as exc:
            notes.append(exc.message)
            return default

    served = cluster.resource(GATEWAY_API, "GatewayClass") is not None
    classes = attempt(lambda: cluster.list(GATEWAY_API, "GatewayClass"), None) if served else None
    secrets = attempt(lambda: cluster.list("v1", "Secret", namespace, field_selector="type=Opaque"), [])
    found = attempt(lambda: cluster.get("v1", "Namespace", namespace), {"status": {"phase": "Active"}})
    controllers = {c["metadata"]["name"]: c["spec"].get("controllerName", "") for c in classes or []}
    return Facts(
        classes=None if classes is None else controllers,
        secrets={secret["metadata"]["name"]: sorted(secret.get("data") or {}) for secret in secrets},
        gateways=[
            item
            for name in places
            for item in attempt(functools.partial(cluster.list, GATEWAY_API, "Gateway", name), [])
        ],
        namespace=(found.get("status") or {}).get("phase", "Active") if found else None,
    )


def looked_up(cluster: Cluster, params: Values, notes: list[str]) -> dict[str, t.Any]:
    """Return by component what those that have something to do look up of a cluster; see Component.look.

    params: the options of module stack_info, checked.
    """
    found, unused = {}, idle(params, COMPONENTS.values())
    for name, cls in COMPONENTS.items():
        if name in params["only"] and name not in unused:
            try:
                found[name] = cls.look(cluster, params["components"][name], params["namespace"])
            except OrchestratorError as exc:
                notes.append(exc.message)
    return found


def read_charts(
    params: Values, facts: Facts, sections: dict[str, Values], fetching: Values, findings: Findings
) -> None:
    """Read the charts' default values into facts; put right, with a finding, a variable that says another chart.

    params: the options of module stack_info, checked; sections: the settings of components with a chart.
    """
    charts = own_charts(sections, fetching)
    facts.chart_values = {name: chart.values for name, chart in charts.items()}
    for name, chart in charts.items():
        params["components"][name] = COMPONENTS[name].opened(sections[name], chart.name, findings)


def check_namespace(namespace: str, phase: str | None, findings: Findings) -> None:
    """Note a namespace that is on its way out: nothing can be created in it."""
    if phase == "Terminating":
        findings.add(
            "llm_d_namespace",
            f"the namespace {namespace} is being deleted",
            ("wait, or use another namespace"),
            rule="input-namespace",
        )


def helm_version(binary: str | None, findings: Findings) -> str | None:
    """Return Helm's version, for example v3.19.4; note it where Helm is absent or too old."""
    path = shutil.which(binary or "helm")
    if path is None:
        fix = f"install Helm {_text(HELM_MINIMUM)} or later on PATH, or set llm_d_helm_binary to its path"
        findings.add("helm", f"{binary or 'helm'} not found", fix, rule="helm")
        return None
    try:
        version = _told_version(path)
    except (OSError, subprocess.SubprocessError) as exc:
        findings.add("helm", f"cannot run {path}: {exc}", "set llm_d_helm_binary to a working Helm", rule="helm")
        return None
    parsed = parse_version(version)
    if parsed is None or parsed < HELM_MINIMUM:
        findings.add(
            "helm",
            f"{path} is {version or 'of unknown version'}",
            (f"install Helm {_text(HELM_MINIMUM)} or later"),
            rule="helm",
        )
    return version


def _told_version(path: str) -> str:
    """Return what a Helm says is its version; one that has not changed on disk is not asked again."""
    known = _known_version(path)
    with contextlib.suppress(OSError, UnicodeDecodeError), open(known, encoding="utf-8") as stream:
        return stream.read()
    reply = subprocess.run(
        [path, "version", "--template", "{{.Version}}"], capture_output=True, text=True, timeout=30, check=True
    )
    version = reply.stdout.strip()
    if known and parse_version(version):
        with contextlib.suppress(OSError):  # without a cache it is asked each time
            os.makedirs(os.path.dirname(known), mode=0o700, exist_ok=True)
            replace_file(known, version.encode(), 0o600)
    return version


def _known_version(path: str) -> str:
    """Return where a Helm's version is kept, "" where another program decides what runs: a script, a manager's."""
    program = os.path.realpath(path)
    try:
        with open(program, "rb") as stream:
            if stream.read(2) == b"#!" or not os.path.basename(program).startswith("helm"):
                return ""
            status = os.fstat(stream.fileno())
    except OSError:  # it may be run, but not read
        return ""
    state = f"{program} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    return os.path.join(default_cache_dir(), "helm", hashlib.sha256(state.encode()).hexdigest())


def parse_version(text: str) -> tuple[int, ...] | None:
    """Return (3, 19, 4) for v3.19.4+g1234, None where it is no version."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else None


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)

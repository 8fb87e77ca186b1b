# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A site that deploys from a bundle: its charts take the place of the references in the settings."""

from __future__ import annotations

import os
import re

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from ..charts.fetch import default_cache_dir
from ..components.base import idle
from ..components.registry import COMPONENTS
from ..helm.image_check import registry_of
from .archive import Bundle, read_bundle

_VERSIONED = re.compile(r"-v?\d+\.\d+\.\d+.*$")


def with_site(params: Object) -> Object:
    """Return stack_info's checked parameters, image_registry put right, and with a bundle every chart as a file of it.

    The key bundled of the result gives for such a file the reference that it stands for. Raises OrchestratorError where
    the bundle is not whole or lacks a chart, or the registry is none.
    """
    params = {**params, "image_registry": registry_of(params), "bundled": {}}
    if not params.get("bundle"):
        return params
    bundle = read_bundle(find_bundle(params["bundle"], params.get("search_paths") or []))
    cache = params.get("chart_cache") or default_cache_dir()
    charts: dict[str, Object] = {}
    lacking = []
    for role, key in _references(params):
        settings = charts.get(role) or params["components"][role]
        ref, version = settings[key], settings.get(key.replace("_ref", "_version")) or ""
        found = find_chart(bundle.charts, ref, version)
        if found is None:
            lacking.append(f"{role}_{key} {ref} {version}".rstrip())
        else:
            charts[role] = {**settings, key: unpack_chart(bundle, found, cache)}
            params["bundled"][charts[role][key]] = ref
    if lacking:
        held = ", ".join(f"{chart['name']} {chart['version']}" for chart in bundle.charts) or "no chart"
        raise OrchestratorError(
            f"The bundle {bundle.path} does not contain every chart; it contains {held}. Missing:",
            details=lacking,
            hint="Recreate the bundle with these settings, or set the references and versions to those in the bundle.",
        )
    return {**params, "components": {**params["components"], **charts}}


def _references(params: Object) -> list[tuple[str, str]]:
    """Return the settings that name charts, each with its role: chart_ref, and those of charts besides it."""
    unused = idle(params, COMPONENTS.values())
    return [
        (role, key)
        for role, settings in params["components"].items()
        if role in params["only"] and role not in unused
        for key in settings
        if key.endswith("chart_ref") and settings[key]
    ]


def find_bundle(path: str, folders: list[str]) -> str:
    """Return a bundle's absolute path; a relative one is looked up in the folders, then in the current one."""
    path = os.path.expanduser(path)
    tried = [os.path.abspath(os.path.join(folder, path)) for folder in (*filter(None, folders), os.getcwd())]
    found = next((place for place in tried if os.path.isfile(place)), None)
    if found is None:
        raise OrchestratorError(
            f"llm_d_bundle: file not found: {path}; looked for " + ", ".join(dict.fromkeys(tried)) + ".",
            hint="Create one with the playbook bundle, or set llm_d_bundle to its path.",
        )
    return found


def find_chart(charts: list[Object], ref: str, version: str) -> Object | None:
    """Return the bundle's chart for a reference: the one bundled for it, else the only one of its name and version."""
    for chart in charts:
        if any(entry["ref"] == ref and _fits(chart, entry, version) for entry in chart["refs"]):
            return chart
    named = [
        chart
        for chart in charts
        if chart["name"] == chart_name(ref) and any(_fits(chart, entry, version) for entry in chart["refs"])
    ]
    return named[0] if len(named) == 1 else None


def _fits(chart: Object, entry: Object, version: str) -> bool:
    wanted = version.removeprefix("v")
    return not wanted or wanted in (
        str(chart["version"]).removeprefix("v"),
        str(entry.get("version")).removeprefix("v"),
    )


def chart_name(ref: str) -> str:
    """Return the name of the chart that a reference most likely names: its last part without version and digest."""
    base = ref.partition("@")[0]
    name = base.partition("#")[2] or os.path.basename(base.rstrip("/"))
    return _VERSIONED.sub("", name.removesuffix(".tgz")) if name.endswith(".tgz") else name


def unpack_chart(bundle: Bundle, chart: Object, cache: str) -> str:
    """Return the path of a bundle's chart below the cache, written there unless the very same file is there already."""
    folder = os.path.join(os.path.abspath(os.path.expanduser(cache)), "charts", f"sha256-{chart['digest']}")
    path, content = os.path.join(folder, os.path.basename(chart["file"])), bundle.files[chart["file"]]
    try:
        with open(path, "rb") as stream:
            if stream.read() == content:
                return path
    except FileNotFoundError:
        pass
    except OSError as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc.strerror}") from exc
    write_atomic(path, content, 0o644)
    return path

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the images of a stack come from the site's registry, as the variable llm_d_image_registry asks."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.images import INJECTED, checked_registry, elsewhere, find_images
from ..charts.files import ChartFiles, read_chart
from .records import manifest_objects

if t.TYPE_CHECKING:
    from .command import Helm


HOOK = "helm.sh/hook"


def registry_of(params: t.Mapping[str, t.Any]) -> str:
    """Return the site's registry of a module's options, "" for none; raise OrchestratorError for what is none."""
    text = str(params.get("image_registry") or "").strip()
    if not text:
        return ""
    try:
        return checked_registry(text)
    except ValueError as exc:
        raise OrchestratorError(f"llm_d_image_registry: {exc}") from exc


def images_of(objects: t.Iterable[Object]) -> dict[str, list[str]]:
    """Return {image: places} of objects, both sorted; a place is "Deployment llm-d/gaie-x-epp epp"."""
    found: dict[str, set[str]] = {}
    for item in objects:
        for entry in find_images(item):
            if entry.text != INJECTED:
                found.setdefault(entry.text, set()).add(entry.owner)
    return {image: sorted(places) for image, places in sorted(found.items())}


def escaping(objects: list[Object], registry: str) -> list[str]:
    """Return a line for each image of objects that does not come from the registry."""
    images = images_of(objects)
    return [
        f"{image} of {', '.join(places)} is not in {registry}, which llm_d_image_registry requires"
        for image, places in images.items()
        if not image.startswith(registry + "/")
    ]


def checked_render(helm: Helm, arguments: list[str], chart: str, timeout: float) -> str:
    """Return what `helm template --no-hooks` renders of a chart; raise where one of its images escapes the registry."""
    text = helm.run(arguments, timeout)
    if not helm.registry:
        return text
    lines = escaping(manifest_objects(text), helm.registry)
    if not lines and _has_hooks(read_chart(chart)):
        # Helm 3 hands no hooks to a post-renderer.
        whole = helm.run([argument for argument in arguments if argument != "--no-hooks"], timeout)
        hooks = [item for item in manifest_objects(whole) if HOOK in (item["metadata"].get("annotations") or {})]
        lines = escaping(hooks, helm.registry)
    if lines:
        raise OrchestratorError(
            "Images are not from the site's registry:",
            details=lines,
            hint="Set them in the chart's values to images of that registry, or turn off what needs them.",
        )
    return text


def _has_hooks(chart: ChartFiles) -> bool:
    return any(HOOK in text for text in chart.templates.values()) or any(map(_has_hooks, chart.subcharts))


def hinted(objects: list[Object], registry: str) -> list[str]:
    """Return a note for each text that names an image of another registry where it is not rewritten; none for ""."""
    if not registry:
        return []
    return [
        f"llm_d_image_registry: {line} is not rewritten; if it is an image, write {registry}/..."
        for item in objects
        for line in elsewhere(item, registry)
    ]

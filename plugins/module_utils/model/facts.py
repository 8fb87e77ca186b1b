# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about a cluster worked out of its objects: kinds served, the gateway controller's version and switch."""

from __future__ import annotations

import typing as t

from ..base.apis import GATEWAY_GROUP
from ..base.data import Object, dicts, mapping
from ..objects.shape import sound
from .items import RuleFacts

FLAG = "ENABLE_GATEWAY_API_INFERENCE_EXTENSION"
# gateway-api, config/crd: on every definition of a bundle.
BUNDLE = "gateway.networking.k8s.io/bundle-version"


def facts_of(
    objects: t.Mapping[str, t.Sequence[Object]],
    served: t.Mapping[str, t.Sequence[str]] | None = None,
    controller: Object | None = None,
) -> RuleFacts:
    """Return the facts for the rules.

    objects: {kind: live objects}, a kind that was not listed left out; served: {apiVersion: kinds} of API discovery,
    by default that of the CustomResourceDefinitions among objects; controller: the Deployment of istiod.
    """
    objects = {name: [_sound(body, name) for body in bodies] for name, bodies in objects.items()}
    definitions = objects.get("CustomResourceDefinition")
    if served is None and definitions is not None:
        served = served_kinds(definitions)
    return RuleFacts(
        objects=objects,
        served=served,
        inference_extension=extension_flag(controller) if controller else None,
        gateway_version=image_version(controller) if controller else None,
        gateway_api_version=_bundle(definitions or []),
    )


def _sound(body: Object, name: str) -> Object:
    """Return a live object in its kind's shape: definitions may let through anything."""
    return sound({"kind": name, **body})[0]


def served_kinds(definitions: t.Iterable[Object]) -> dict[str, list[str]]:
    """Return {apiVersion: kinds} of CustomResourceDefinitions."""
    found: dict[str, list[str]] = {}
    for definition in definitions:
        spec = mapping(definition.get("spec"))
        for version in dicts(spec.get("versions")):
            if version.get("served"):
                kind = str(mapping(spec.get("names")).get("kind"))
                found.setdefault(f"{spec.get('group')}/{version.get('name')}", []).append(kind)
    return found


def _bundle(definitions: t.Iterable[Object]) -> str | None:
    for definition in definitions:
        if mapping(definition.get("spec")).get("group") == GATEWAY_GROUP:
            return mapping(mapping(definition.get("metadata")).get("annotations")).get(BUNDLE)
    return None


def _containers(deployment: Object) -> list[Object]:
    template = mapping(mapping(deployment.get("spec")).get("template"))
    return dicts(mapping(template.get("spec")).get("containers"))


def extension_flag(istiod: Object) -> bool:
    """Return whether istiod runs with the inference extension; its own default is false."""
    env = [item for container in _containers(istiod) for item in dicts(container.get("env"))]
    return any(item.get("name") == FLAG and str(item.get("value")).lower() == "true" for item in env)


def image_version(deployment: Object) -> str | None:
    """Return the tag of the first container's image, None where it has none."""
    images = [str(container.get("image") or "") for container in _containers(deployment)]
    name = images[0].partition("@")[0].rpartition("/")[2] if images else ""
    return name.partition(":")[2] or None

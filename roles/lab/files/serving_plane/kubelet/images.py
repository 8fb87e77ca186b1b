# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Images that no kubelet can pull: texts that are no reference, and repositories that their registries have dropped."""

from __future__ import annotations

import re

from .problem import Problem

_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
# github.com/distribution/reference, regexp.go.
REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_NAME}(?:/{_NAME})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9+.-]+:[0-9a-fA-F]{{32,}})?"
)
# Repository -> what its registry answers now.
GONE = {
    # NVIDIA/aicr PR 318: the registry's copy was removed.
    "gcr.io/kubebuilder/kube-rbac-proxy": "not found",
    # ai-dynamo/dynamo issue 2806: Bitnami has moved its images to bitnamilegacy.
    "docker.io/bitnami/etcd": "not found",
}


def image_problem(image: str) -> Problem | None:
    """Why an image cannot be pulled, None where nothing is known against it."""
    if not REFERENCE.fullmatch(image):
        name = re.sub(r":[^/:]*$", "", image)
        why = f"repository name ({name}) must be lowercase" if name != name.lower() else ""
        text = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
        text += "invalid reference format" + (f": {why}" if why else "")
        return Problem("InvalidImageName", text, (("InspectFailed", text), ("Failed", "Error: InvalidImageName")))
    repository = re.sub(r"(@.*|:[^/:]*)$", "", image)
    full = repository if "." in repository.partition("/")[0] else f"docker.io/{repository}"
    if full not in GONE:
        return None
    text = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: {GONE[full]}'
    events = (("Failed", f'Failed to pull image "{image}": {text}'), ("Failed", "Error: ImagePullBackOff"))
    return Problem("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {text}', events)

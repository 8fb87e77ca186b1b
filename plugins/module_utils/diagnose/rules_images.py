# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: images that cannot be pulled."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..objects.pods import TRANSIENT_PULL, container_states, waiting
from .base import Diagnosis, Proof
from .evidence import Evidence, clean, ref

PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
                "SignatureValidationFailed", "ImageInspectError")  # fmt: skip
# What the message says, the most certain first; what fits none is not guessed at.
FULL = re.compile(
    r"no space left on device|not enough (free )?(disk )?space|disk quota exceeded|insufficient (disk )?space"
)
RATE = re.compile(r"too ?many ?requests|\b429\b|rate limit", re.IGNORECASE)
TRUST = re.compile(r"x509:|certificate|server gave HTTP response to HTTPS|malformed HTTP response|tls: ", re.IGNORECASE)
# containerd says of a private repository: pull access denied, repository does not exist or may require authorization.
LOGIN = re.compile(
    r"\b401\b|\b403\b|unauthorized|authentication required|no basic auth|access denied|denied:|forbidden|"
    r"may require authorization|authorization failed|failed to authorize",
    re.IGNORECASE,
)
ABSENT = re.compile(r"manifest unknown|not found|does not exist|no such manifest|name unknown|\b404\b", re.IGNORECASE)
PLATFORM = re.compile(r"no match for platform|no matching manifest for|no image found in (image index|manifest list)")
UNREACHED = re.compile(
    rf"{TRANSIENT_PULL.pattern}|no route to host|network is unreachable|server misbehaving|context deadline exceeded|"
    r"proxyconnect|\bEOF\b",
    re.IGNORECASE,
)
_ORDER = ((108, FULL), (103, RATE), (106, PLATFORM), (110, TRUST), (102, LOGIN), (101, ABSENT), (105, UNREACHED))


def pull_failures(evidence: Evidence) -> t.Iterator[tuple[Object, Object, list[str]]]:
    """Return (pod, container status, the texts said of it) of images that are not there."""
    for pod in evidence.pods:
        for state in container_states(pod):
            wait = waiting(state)
            if wait.get("reason") in PULL_REASONS:
                yield pod, state, [str(wait.get("message") or ""), *_events(evidence, pod, state)]


def _events(evidence: Evidence, pod: Object, state: Object) -> list[str]:
    """Return the messages of failed pulls: the waiting reason alone may say no more than back-off."""
    texts = [str(event.get("message")) for event in evidence.events(pod) if event.get("reason") == "Failed"]
    image = str(state.get("image") or "")
    own = [text for text in texts if image and image in text]
    return (own or texts)[:3]


def kind_of(reason: str, text: str) -> int:
    if reason == "InvalidImageName":
        return 104
    if reason == "ErrImageNeverPull":
        return 107
    return next((number for number, pattern in _ORDER if pattern.search(text)), 109)


def image_of(pod: Object, state: Object) -> str:
    """Return the image as the pod's specification writes it."""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return next(
        (str(c.get("image")) for c in containers if c.get("name") == state.get("name")), str(state.get("image"))
    )


def _pull(number: int, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for pulls that fail so. remedy: with {0} for the node."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, state, texts in pull_failures(evidence):
            reason = str(waiting(state).get("reason"))
            if kind_of(reason, " ".join(texts)) != number:
                continue
            pattern = dict(_ORDER).get(number)
            # The reason of a back-off may say no more than that; the text that decides is the one to show.
            said = next((text for text in texts if pattern and pattern.search(text)), max(texts, key=len))
            image = clean(image_of(pod, state), 160)
            node = str((pod.get("spec") or {}).get("nodeName") or "?")
            line = f"image {image}: node {node}, container {state.get('name')}: {reason}: {said}"
            key = f"{image} {node}" if number == 108 else image
            yield Proof((ref(pod),), clean(line), key, evidence.since(pod), remedy=remedy.format(node))

    return find


RULES = (
    Diagnosis(
        "DIAG103", "The registry limits the pulls", _pull(103),
        "ErrImagePull or ImagePullBackOff with toomanyrequests or 429",
        "The registry limits how often this address or account may pull.",
        "Wait, or pull with an account (imagePullSecrets), or from a mirror (llm_d_image_registry).",
        "Kubernetes, Images; limits of public registries",
    ),
    Diagnosis(
        "DIAG106", "The image is not built for the node's processor", _pull(106),
        "ErrImagePull with no match for platform in manifest",
        "The image has no variant for the node's operating system and architecture.",
        "Use an image of that architecture, or select nodes that fit the image (nodeSelector kubernetes.io/arch).",
        "OCI image index; containerd",
    ),
    Diagnosis(
        "DIAG102", "The registry requires credentials for the image", _pull(102),
        "ErrImagePull or ImagePullBackOff with 401, 403, denied or authorization",
        "The image is private, its name is misspelt (registries then answer denied), or the pull secret is missing or "
        "wrong.",
        "Check the image's name; create a pull secret of type kubernetes.io/dockerconfigjson in this namespace and "
        "add it to imagePullSecrets of the pod or of its ServiceAccount.",
        "Kubernetes, Pull an Image from a Private Registry; llm-d-incubation/llm-d-modelservice#203",
    ),
    Diagnosis(
        "DIAG101", "The image does not exist", _pull(101),
        "ErrImagePull or ImagePullBackOff with manifest unknown or not found",
        "The registry has no such repository or tag.",
        "Correct the image's name or tag in the values, or push the image.",
        "Kubernetes, Images; istio/istio.io#17528",
    ),
    Diagnosis(
        "DIAG104", "The image's name is not valid", _pull(104),
        "InvalidImageName",
        "The reference cannot be parsed: upper-case letters, a space, two tags, an empty tag.",
        "Write the image as REGISTRY/PATH:TAG or REGISTRY/PATH@DIGEST.",
        "distribution/reference",
    ),
    Diagnosis(
        "DIAG107", "The image may not be pulled and is not on the node", _pull(107),
        "ErrImageNeverPull",
        "imagePullPolicy is Never, and the node does not have the image.",
        "Load the image onto the nodes, or set imagePullPolicy: IfNotPresent.",
        "Kubernetes, Images",
    ),
    Diagnosis(
        "DIAG108", "The node's disk for images is full",
        _pull(
            108,
            "Free or enlarge the disk for images on node {0} (unused images, the volume of /var/lib/containerd), or "
            "select nodes with a larger one: images of model servers take 10 to 30 GB, twice that while they are "
            "unpacked.",
        ),
        "ErrImagePull or ImagePullBackOff with no space left on device",
        "The image does not fit on the node's disk.",
        "Free or enlarge the node's disk for images, or select other nodes.",
        "Kubernetes, Garbage collection of images; containerd",
    ),
    Diagnosis(
        "DIAG110", "The node does not trust the registry", _pull(110),
        "ErrImagePull or ImagePullBackOff with x509, or with an HTTP response to an HTTPS client",
        "The registry's certificate is signed by an authority that the node does not know, is for another name or has"
        " expired, or the registry speaks plain HTTP.",
        "Install the authority's certificate for the container runtime on the nodes, or configure the registry there.",
        "containerd, hosts.toml",
    ),
    Diagnosis(
        "DIAG105", "The registry cannot be reached", _pull(105),
        "ErrImagePull or ImagePullBackOff with a timeout, no such host, a refused connection or 50x",
        "The node cannot reach the registry: DNS, proxy, firewall, or the registry is down.",
        "Check the registry's name and the nodes' network; without internet, use a mirror (llm_d_image_registry).",
        "Kubernetes, Images",
    ),
    Diagnosis(
        "DIAG109", "An image cannot be pulled", _pull(109),
        "ErrImagePull or ImagePullBackOff with another message, or with none",
        "The node's container runtime could not pull or unpack the image; see its message.",
        "Read the message; if there is none, delete the pod so that the image is pulled again.",
        "Kubernetes, Images",
    ),
)  # fmt: skip

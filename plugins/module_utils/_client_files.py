# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that the Kubernetes client makes of the certificates and keys in a kubeconfig.

The client (kubernetes.config.kube_config) keeps them until Python ends, and removes them by atexit. Ansible's processes
for tasks are forked, and end without that: each would leave the private key behind.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

try:
    from kubernetes.config import kube_config
except ImportError:  # pragma: no cover - reported by Cluster
    kube_config = None  # type: ignore[assignment]


def _made() -> dict[str, str]:
    """Return the client's own table of its files: path by content."""
    return getattr(kube_config, "_temp_files", {})


@contextlib.contextmanager
def removed_afterwards() -> t.Iterator[None]:
    """Remove the files that the client makes while the block runs; those of before may be another process's."""
    before = set(_made())
    try:
        yield
    finally:
        for content in set(_made()) - before:
            with contextlib.suppress(OSError):
                os.remove(_made().pop(content))

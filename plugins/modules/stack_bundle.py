#!/usr/bin/python
# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Write one archive with the charts, manifests and list of images of one or more clusters' stacks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stack_bundle
short_description: Write a bundle for a site without a network
version_added: 0.1.0
description:
  - Puts what M(llm_d.orchestrator.stack_bundle_info) found of one or more clusters into one archive.
  - The same charts and settings give the same bytes. The archive holds no image and no secret.
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: none
    description: Shows no difference.
author:
  - llm_d.orchestrator developers (@llm-d)
options:
  path:
    description: The archive; C(.tar), or C(.tgz) to compress it.
    type: path
    required: true
  parts:
    description: The clusters' parts.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the bundle
  llm_d.orchestrator.stack_bundle:
    path: bundle.tgz
    parts: "{{ [rendered.part] }}"
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
  sample: /home/me/bundle.tgz
sha256:
  description: Its SHA-256.
  returned: success
  type: str
size:
  description: Its size in bytes.
  returned: success
  type: int
charts:
  description: The charts in it.
  returned: success
  type: list
  elements: dict
  sample: [{name: inferencepool, version: v1.3.0, digest: 0f3c, file: charts/sha256/0f3c/inferencepool-v1.3.0.tgz}]
images:
  description: The images that the stacks need, which are not in it.
  returned: success
  type: list
  elements: dict
  contains:
    image: {description: "Its full reference.", type: str, sample: "docker.io/library/busybox:1.37"}
    from: {description: What to copy from., type: str, sample: "docker.io/library/busybox:1.37"}
    to: {description: "What to copy to, below the site's registry.", type: str, sample: "docker.io/library/busybox:1"}
    places: {description: "Clusters, releases, objects and containers that it is for.", type: list, elements: str}
summary:
  description: What is in it, and the commands that copy the images and deploy.
  returned: success
  type: list
  elements: str
"""

import hashlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import write_atomic
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import MakeModule, run_module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.bundle.pack import default_compression, pack, summary


def run(params: dict, check_mode: bool) -> dict:
    """Return the module's result; raise OrchestratorError."""
    path = params["path"]
    packed = pack(params["parts"], compress=default_compression(path))
    changed = _content(path) != packed.data
    if changed and not check_mode:
        write_atomic(path, packed.data, 0o644)
    result = {
        "changed": changed,
        "path": path,
        "sha256": hashlib.sha256(packed.data).hexdigest(),
        "size": len(packed.data),
        "charts": packed.charts,
        "images": packed.images,
    }
    return {**result, "summary": summary(result)}


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OrchestratorError(f"{path} cannot be read: {exc.strerror}") from exc


def main(make: MakeModule = AnsibleModule) -> None:
    """Run the module."""
    run_module(make, DOCUMENTATION, lambda module: run(module.params, module.check_mode))


if __name__ == "__main__":
    main()

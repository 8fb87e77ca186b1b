# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm's post-renderer: it puts the images of all that Helm renders into a site's registry.

Helm runs it for `template` and `upgrade` alike: what is checked, shown and recorded is what is installed. It sees every
image, whatever values call it; hooks are the exception, since Helm 3 does not hand them to it.
"""

from __future__ import annotations

import inspect
import os
import sys

from ..base import images

# Helm's commands that take a post-renderer.
COMMANDS = ("template", "upgrade")


def post_renderer(scratch: str, registry: str) -> list[str]:
    """Return Helm's arguments for a registry, none for ""; scratch: an own folder, which gets the program."""
    if not registry:
        return []
    # A copy, because a module's own files may be inside an archive.
    path = os.path.join(scratch, "images.py")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(inspect.getsource(images))
    arguments = ["--post-renderer", sys.executable]
    # -I: nothing of the user's Python settings or current folder.
    for text in ("-I", path, registry):
        arguments.append(f"--post-renderer-args={text}")
    return arguments

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The kept models of a pod are those of the Kubernetes client."""

from __future__ import annotations

import re
import textwrap

from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pod_models import MODELS, TEXT
from kubernetes.client import models


def of_the_client(kind: str, found: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return a model of the client with all that it leads to."""
    inner = re.match(r"[Ll]ist\[(\w+)\]\Z", kind)
    model = getattr(models, inner[1] if inner else kind, None)
    if hasattr(model, "attribute_map") and model.__name__ not in found:
        types = {name: model.openapi_types[field].replace(" ", "") for field, name in model.attribute_map.items()}
        found[model.__name__] = types
        for one in types.values():
            of_the_client(one, found)
    return found


def written(found: dict[str, dict[str, str]]) -> str:
    """Return models as the file has them."""
    fill = textwrap.TextWrapper(118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    lines = (f"{name} {' '.join(f'{field}:{kind}' for field, kind in types.items())}" for name, types in found.items())
    return "\n".join(line for one in lines for line in fill.wrap(one)) + "\n"


def test_the_models_are_the_clients():
    assert written(of_the_client("V1PodSpec", {})) == TEXT


def test_the_text_is_read_whole():
    assert written(MODELS) == TEXT
    assert MODELS["V1PodSpec"]["containers"] == "List[V1Container]"
    assert MODELS["V1Container"]["stdin"] == "bool"

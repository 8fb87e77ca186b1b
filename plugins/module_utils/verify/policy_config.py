# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How the policies that a router's controller runs with differ from those that are wanted."""

from __future__ import annotations

import itertools
import re
import typing as t

from ..base.data import Object, dicts
from ..base.words import listed

PLACEHOLDER = re.compile(r"\$\{[^}]+\}")
RESTART = (
    "The controller reads its configuration once, at start: restart its Deployment. If that changes nothing, it "
    "mounts another ConfigMap (its key must be config.yaml, mounted at /app)."
)


def differences(wanted: list[Object], live: list[Object]) -> list[str]:
    """Return how the controller's policies differ from those wanted; a variable in these stands for any text."""
    found = []
    there = {str(policy.get("name")): policy for policy in live}
    for policy in wanted:
        name = policy["name"]
        if name not in there:
            found.append(f"policy {name} is missing (available: {listed(there, 6) or 'none'})")
            continue
        actual = there[name]
        if policy.get("url") and not _same(policy["url"], actual.get("url")):
            found.append(f"{name}: url is {actual.get('url')}, expected {policy['url']}")
        found += _classes(name, policy["llms"], dicts(actual.get("llms")))
    found += [f"policy {name} is unexpected" for name in there if name not in {one["name"] for one in wanted}]
    return found


def _classes(policy: str, wanted: list[Object], live: list[Object]) -> list[str]:
    names, actual = [str(llm["name"]) for llm in wanted], [str(llm.get("name")) for llm in live]
    if names != actual:
        lost = [name for name in names if name not in actual]
        if lost:
            return [f"{policy}: {listed(lost, 6)} missing, which shifts the later classes"]
        pairs = enumerate(itertools.zip_longest(names, actual, fillvalue="none"), 1)
        number, (name, other) = next(item for item in pairs if item[1][0] != item[1][1])
        return [f"{policy}: class {number} is {other}, expected {name}; the position counts, not the name"]
    return [
        f"{policy}: {key} of {one['name']} is {other.get(key)}, expected {one[key]}"
        for one, other in zip(wanted, live, strict=True)
        for key in ("model", "api_base")
        if not _same(one[key], other.get(key))
    ]


def _same(wanted: t.Any, live: t.Any) -> bool:
    """Return whether two texts are the same; ${VARIABLE} in what is wanted stands for any text."""
    parts = PLACEHOLDER.split(str(wanted))
    return re.fullmatch(".*".join(map(re.escape, parts)), str(live)) is not None


def config_hint(live: list[Object]) -> str:
    texts = [str(llm.get(key)) for policy in live for llm in dicts(policy.get("llms")) for key in ("api_base", "model")]
    open_ = [found[0] for text in texts if (found := PLACEHOLDER.search(text))]
    if open_:
        return f"Set {listed(open_)} in the environment of the controller's pod: it has no value. {RESTART}"
    return RESTART

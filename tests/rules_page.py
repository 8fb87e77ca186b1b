# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference/rules.md from the registry of consistency rules; a unit test says when it has to be run."""

from __future__ import annotations

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    __import__("conftest")  # makes the collection importable

from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import inventory, keys  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import rules as orchestrator  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs import compatibility as table  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.base import Rule  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import GROUPS  # noqa: E402

INTRO = """# Consistency rules

What has to agree between the charts of a stack, its routes and the cluster. The rules read what `helm template` makes
of every release, so that a mistake is named before anything is applied. A rule that needs a fact about the cluster
says nothing where that fact is not known.

`site.yml` checks them while planning, unless nothing is to be done. `llm_d_rules` says what becomes of the findings:
`error` (the default) makes mistakes of those with the severity error, so that nothing is changed, `warn` shows them as
warnings, and `off` leaves them out. A chart that cannot be rendered is a mistake with Helm's own message in any case.
`llm_d_accept` takes the ids of those that one cluster accepts; they become warnings, see
[variables](variables.md#mistakes). What another check has named already is not named again; with `error` it gets its
rule's id.

`llm_d_capacity` weighs the rules about room and quotas (LLMD701 to LLMD724), `llm_d_access` those about
permissions and the platform: `block` (the default) leaves them their severity, `warn` makes warnings of them, and with
`off` the cluster is not asked.

Sources written `owner/repository#number` are public issues; F1 to F11 are the known ways in which such deployments
fail:

| | failure |
|---|---|
| F1 | pool, route, picker and gateway speak different API groups of InferencePool |
| F2 | the gateway's inference extension is off |
| F3 | CRDs are missing, or older than what uses them |
| F4 | the picker may not read what it needs (RBAC) |
| F5 | a pool selects no pods, or a port on which nothing listens |
| F6 | a route refers to a Gateway or pool that is not there |
| F7 | the Gateway is never programmed |
| F8 | pods cannot be scheduled, or their volumes not bound |
| F9 | containers die at start, or probes kill them |
| F10 | the gateway cannot talk to the picker, or prefill pods are left out |
| F11 | rules have one name, and a model is served without its own picker |

This page is made by `tests/rules_page.py` from the rules themselves.
"""


def rule_section(rule: Rule | orchestrator.ConfigRule) -> str:
    """Return one rule's section."""
    return f"""### {rule.id}: {rule.title}

{rule.meaning}

- **Severity:** {rule.severity}
- **In production:** {rule.failure}
- **What to do:** {rule.remedy}
- **Source:** {rule.source}
"""


KNOWN = (
    "What is known to fail of such pairs, the rules that name it, and what they read of the cluster:",
    "",
    "| | pair | rules | read |",
    "|---|---|---|---|",
    "| F1 | gateway's version and pool's API group; picker's image and pool's group | LLMD404, LLMD407, LLMD611 |"
    " istiod's image, versions that the definitions serve |",
    "| F2 | gateway and its inference extension | LLMD405 | the environment of istiod's Deployment |",
    "| F3 | picker and definitions | LLMD610, LLMD612, LLMD766 | API discovery; a definition that is not served |",
    "| F7 | gateway provider, its class and its routes' timeouts; fields and the Gateway API's release |"
    " LLMD401, LLMD211, LLMD406, LLMD765 | GatewayClasses and their status; one definition's metadata |",
)


def compatibility() -> str:
    """Return the tables of versions that work together."""
    lines = ["## Compatibility", "", "Versions that no row names are taken to work.", ""]
    lines += [*KNOWN, ""]
    lines += ["| gateway | versions | routes to InferencePools of | source |", "|---|---|---|---|"]
    for row in table.GATEWAYS:
        since = [f"from {row.since}"] if row.since else []
        span = " ".join(since + ([f"before {row.before}"] if row.before else [])) or "all"
        lines.append(f"| {row.provider} | {span} | {', '.join(row.groups) or 'none'} | {row.source} |")
    lines += [
        "",
        "| gateway | classes | pool's `provider.name` | switch | timeouts in routes |",
        "|---|---|---|---|---|",
    ]
    for provider in table.PROVIDERS:
        timeouts = "yes" if provider.route_timeouts else "no"
        cells = (provider.name, ", ".join(provider.classes), provider.pool_provider, provider.flag or "none", timeouts)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| field | Gateway API, standard channel, since | source |", "|---|---|---|"]
    for field in table.FIELDS:
        path = ".".join(field.path).replace(".*", "[]")
        lines.append(f"| {field.kind} `spec.{path}` | {field.since} | {field.source} |")
    lines += [
        "",
        "| endpoint picker's image | reads configurations of | knows pools of | source |",
        "|---|---|---|---|",
    ]
    for image in table.PICKERS:
        name = f"{image.image} before {image.before}" if image.before else image.image
        lines.append(f"| {name} | {', '.join(image.config)} | {', '.join(image.groups)} | {image.source} |")
    lines += [
        "",
        "| chart | versions | makes InferencePools of | its picker needs, besides | source |",
        "|---|---|---|---|---|",
    ]
    for chart in table.CHARTS:
        since = [f"from {chart.since}"] if chart.since else []
        span = " ".join(since + ([f"before {chart.before}"] if chart.before else []))
        cells = (chart.chart, span, ", ".join(chart.groups), ", ".join(chart.watches), chart.source)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Kubernetes itself is {table.KUBERNETES_SINCE} or later (LLMD764)."]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page."""
    parts = [INTRO]
    for group, rules in GROUPS.items():
        parts.append(f"## {group}\n")
        parts += [rule_section(rule) for rule in sorted(rules, key=lambda rule: rule.id)]
    parts.append("## LLM-Orchestrator\n")
    parts += [rule_section(rule) for rule in (*orchestrator.RULES, *inventory.RULES)]
    return "\n".join([*parts, compatibility()])


CONFIGURATION = ROOT / "docs" / "orchestrator" / "configuration.md"
BEGIN, END = "<!-- made by tests/rules_page.py: keys -->\n", "<!-- end of keys -->\n"


def keys_table() -> str:
    """Return the table of the keys of orchestrator.yaml."""
    lines = ["", "| key | value | default | what |", "|---|---|---|---|"]
    for key in keys.KEYS:
        modes = {mode: key.default_in(mode) for mode in keys.MODES}
        values = {json.dumps(value).strip('"') for value in modes.values() if value is not None}
        one = next(iter(values)) if len(values) == 1 and None not in modes.values() else ""
        many = ", ".join(
            f"{mode}: `{json.dumps(value).strip(chr(34))}`" for mode, value in modes.items() if value is not None
        )
        default = f"`{one}`" if one else many
        lines.append(f"| `{key.path}` | {key.kind.says} | {default} | {key.says} |")
    return "\n".join([*lines, "", ""])


def configuration_page(text: str) -> str:
    """Return the page of orchestrator.yaml with its table written again."""
    before, _begin, rest = text.partition(BEGIN)
    return before + BEGIN + keys_table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    (ROOT / "docs" / "reference" / "rules.md").write_text(page(), encoding="utf-8")
    CONFIGURATION.write_text(configuration_page(CONFIGURATION.read_text(encoding="utf-8")), encoding="utf-8")

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Write docs/failures/failures.md from the rules of diagnosis, and into diagnosis.md how often they are right; with
--check, say whether that has to be done."""

from __future__ import annotations

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    __import__("conftest")  # makes the collection importable

sys.path[:0] = [str(ROOT / "tests" / "integration_lab" / folder) for folder in ("", "diagnosis")]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "plugins" / "module_utils"))
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.base import SYMPTOM, Diagnosis  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.dynamo.router import ROUTER  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.registry import GROUPS  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.rules_joins import JOINS  # noqa: E402
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.rules_logs import LOG_RULES  # noqa: E402
from diagnose.corpus import Score, excerpts  # noqa: E402
from diagnosis_cases import CASES, ODD_CAUSED, ODD_PLAYED, PLAYED_NAMES  # noqa: E402
from dynamo_cases import cases  # noqa: E402
from router_cases import CASES as ROUTERS  # noqa: E402

INTRO = """# Failures and what to do

What [diagnosis](diagnosis.md) knows: each rule with how the failure looks, its cause, and the remedy.

Commands on this page are for the [installed collection](../start/first-cluster.md#2-install).
To see which of them a namespace has:

```bash
ansible-playbook llm_d.orchestrator.diagnose -i inventory
```

Sources written `owner/repository#number` are public issues; F1 to F11 are explained in
[rules.md](../reference/rules.md), which tells what can be found before anything is deployed. A *consequence* is named
only where nothing that it depends on has a cause. *Proven* says how the rule was seen to work: the failure is
`caused` on the lab, by its real API server, controllers, scheduler and admission; it is `played` there, by the
status, events, log or release record that a node or Helm leaves; or the evidence is `recorded`.

This page is made by `tests/failures_page.py` from the rules themselves.
"""
AT_ONCE = {rule.id for rule in LOG_RULES if rule.fatal} | {"DIAG101", "DIAG104", "DIAG107"}

CAUSED = ODD_CAUSED | {case.rule for case in CASES if case.name not in PLAYED_NAMES}
OTHERS = {rule for case in cases("").values() for rule in case.causes} | {case.rule for case in ROUTERS}
# What the lab's serving plane does as the kubelet and as programs of images: pulls, starts, probes, logs.
STARTS = {"DIAG401", "DIAG850", "DIAG863", "DIAG877", "DIAG878", "DIAG881", *(f"DIAG{rule.number}" for rule in ROUTER)}
CAUSED |= OTHERS - STARTS
PLAYED = ODD_PLAYED | STARTS & OTHERS | {case.rule for case in CASES if case.name in PLAYED_NAMES} - CAUSED


def proof(rule: str) -> str:
    """Return how a rule is proven."""
    return "caused" if rule in CAUSED else "played" if rule in PLAYED else "recorded"


def section(rule: Diagnosis) -> str:
    """Return one rule's section."""
    notes = [rule.severity] + (["a consequence"] if rule.level == SYMPTOM else [])
    notes += ["ends a deployment's wait at once"] if rule.id in AT_ONCE else []
    lines = [
        f"### {rule.id}: {rule.title}",
        "",
        f"- **Looks like:** {rule.shows}",
        f"- **Cause:** {rule.cause}",
        f"- **What to do:** {rule.remedy}",
        f"- **Kind:** {', '.join(notes)}",
        f"- **Proven:** {proof(rule.id)}",
    ]
    return "\n".join([*lines, *([f"- **Source:** {rule.source}"] if rule.source else [])]) + "\n"


def page() -> str:
    """Return the whole page."""
    parts = [INTRO]
    for group, rules in {**GROUPS, "The way of requests": JOINS}.items():
        parts.append(f"## {group}\n")
        parts += [section(rule) for rule in sorted(rules, key=lambda rule: rule.id)]
    return "\n".join(parts)


BEGIN, END = "<!-- made by tests/failures_page.py: corpus -->\n", "<!-- end of corpus -->\n"
PROGRAMS = {
    "vllm": "vLLM, with NCCL, NIXL and UCX",
    "sglang": "SGLang",
    "triton": "Triton, TensorRT-LLM, TGI, Dynamo",
    "picker": "endpoint picker",
    "sidecar": "routing sidecar, Envoy, NGINX",
    "kubelet": "kubelet",
    "scheduler": "scheduler, admission, storage",
}
TOGETHER = {"trtllm": "triton", "tgi": "triton", "dynamo": "triton", "envoy": "sidecar", "nginx": "sidecar"}


def corpus_table() -> str:
    """Return the table of how often the causes of the corpus' excerpts are named."""
    scores: dict[str, Score] = {name: Score() for name in (*PROGRAMS, "all")}
    for excerpt in excerpts():
        program = str(excerpt.row["program"])
        for name in (TOGETHER.get(program, program), "all"):
            scores[name].count(excerpt, excerpt.named())
    lines = ["| of | excerpts | unknown cause | right | wrong | missed | precision | recall |", "|---|" + "---:|" * 7]
    for name, score in scores.items():
        if score.excerpts:
            cells = (score.excerpts, score.unknown, score.right, score.wrong, score.missed)
            rates = (f"{score.precision:.1%}", f"{score.recall:.1%}")
            lines.append(f"| {PROGRAMS.get(name, 'all')} | " + " | ".join(map(str, (*cells, *rates))) + " |")
    return "\n".join(["", *lines, "", ""])


def with_table(text: str) -> str:
    """Return the page of diagnosis with the table in its place."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + corpus_table() + END + rest.partition(END)[2]


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare; return the exit code."""
    folder = ROOT / "docs" / "failures"
    told = folder / "diagnosis.md"
    pages = {folder / "failures.md": page(), told: with_table(told.read_text(encoding="utf-8"))}
    if "--check" in arguments:
        return int(any(path.read_text(encoding="utf-8") != text for path, text in pages.items()))
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/mutations.md, made of what a run of the harness measured; the other set of charts keeps its last numbers."""

from __future__ import annotations

import collections
import json
import pathlib
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "mutations.md"
KEPT = pathlib.Path(__file__).resolve().parent / "measured.json"

INTRO = """# Mistakes on purpose

Check that planning names mistakes before anything is changed.

Commands on this page run in a checkout, with Ansible on the PATH: `export PATH="$(make --silent path):$PATH"`.

<!-- not run: minutes of work; tests/mutations.sh is a stage of the tests -->
```bash
make mutations
```

`tests/mutations` takes correct stacks, makes one mistake in each, and runs the real planning of `site.yml` on it: the
module `stack_info` with the values checks, the rules and the search for settled releases, against a running lab's API
server and with the real Helm. A mistake counts as **refused** where planning fails, and as **named** where the message
also has the key of the mistake (between two parts of a stack: one of the two keys). The run fails below 95 % or with
any finding on a correct stack.

The columns *lab* are for the lab's own charts; every run of the tests measures one case of each kind on them, and
`make mutations` all. The columns *published* are for the published charts (llm-d-infra v1.3.6, inferencepool v1.3.0,
llm-d-modelservice v0.4.5 and llm-d-router-gateway v0.10.0, from folders), measured by hand, where they are available:

<!-- not run: needs the published charts -->
```bash
python tests/mutations/run.py --write \\
  --charts published=charts/infra,charts/inferencepool,charts/modelservice,charts/router
```

The stacks named *dynamo* are of graphs, models, a platform and a router (the kinds *graph*, *models*, *platform*,
*router* and *policy*), for Dynamo 0.5 and 1.x, on the lab's charts of these. Others are named by version:

<!-- not run: needs the published charts -->
```bash
python tests/mutations/run.py --only "dynamo " \\
  --dynamo 0.5=charts/dynamo-platform,charts/dynamo-crds,charts/llm-router \\
  --dynamo 1.=charts/dynamo-platform-1.x,,charts/llm-router
```

This page is made by `tests/mutations/run.py --write`; with `--only` the other kinds keep their numbers.

## How the cases differ from the field

These numbers are above what users' own files come to. Measured once on 683 mistakes in the guides' own files, which
nobody here had seen, 71.4 % were named where this page said 99.9 %. The differences:

- The stacks are written by those who wrote the rules. Those named *guide* have the structure of llm-d's guides
  (caches, shared memory, spread, scripts that work out ranks, TLS listeners), but not their comments, their order and
  their rests of older releases.
- Most mistakes are of one edit. A user's file has several, and one may hide another.
- The kinds *API*, *image*, *listener*, *shape*, *server*, *picker*, *P/D*, *groups*, *names*, *probe*, *monitor* and
  *variables* of the guides' stacks stand for what was missed in the field; a kind has one to three cases here and had
  up to sixty there. Generic mistakes (a misspelt key, another type) weigh more here than there.
- What only a registry, Hugging Face or a scheduler knows is not among them: nothing can name it before a deployment.
- The lab's charts are small and give no defaults away that the published ones have; what the published charts accept
  silently may be refused here.
"""


def summary(correct: dict[str, Any], results: list[Any]) -> dict[str, Any]:
    """Return what a run measured as plain data."""
    kinds: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    for result in results:
        row = kinds[result.case.kind]
        row[0] += 1
        row[1] += result.refused
        row[2] += result.named
    alarms = {name: len(outcome.findings) + outcome.refused for name, outcome in correct.items()}
    misses = [f"{result.case.title} ({'another key' if result.refused else 'not refused'})" for result in results]
    missed = [text for text, result in zip(misses, results, strict=True) if not result.named]
    return {"kinds": dict(sorted(kinds.items())), "alarms": alarms, "misses": sorted(missed)}


def write(name: str, correct: dict[str, Any], results: list[Any], about: dict[str, str]) -> None:
    """Keep a set's numbers and write the page. about: what each correct stack is."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept[name] = joined(kept.get(name) or {}, summary(correct, results))
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept, about), encoding="utf-8")


def joined(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured before, with what has been measured now instead of the same kinds and stacks."""
    kept = before.get("misses", [])
    misses = [text for text in kept if not any(text.startswith(f"{kind}: ") for kind in now["kinds"])]
    kinds = {**before.get("kinds", {}), **now["kinds"]}
    return {
        "kinds": dict(sorted(kinds.items())),
        "alarms": {**before.get("alarms", {}), **now["alarms"]},
        "misses": sorted([*misses, *now["misses"]]),
    }


def page(kept: dict[str, Any], about: dict[str, str]) -> str:
    """Return the page."""
    sets = [name for name in ("lab", "published") if name in kept]
    lines = [
        INTRO,
        "## All",
        "",
        "| charts | kinds | cases | refused | named with the right key | |",
        "|---|---|---|---|---|---|",
    ]
    for name in sets:
        rows = list(kept[name]["kinds"].values())
        cases, refused, named = (sum(row[place] for row in rows) for place in range(3))
        lines.append(f"| {name} | {len(rows)} | {cases} | {refused} | {named} | {named / cases:.1%} |")
    lines += ["", "## Correct stacks", "", "| stack | | " + " | ".join(f"findings, {name}" for name in sets) + " |"]
    lines.append("|---|---|" + "---|" * len(sets))
    for base, text in about.items():
        cells = [str(kept[name]["alarms"].get(base, "-")) for name in sets]
        lines.append(f"| {base} | {text} | {' | '.join(cells)} |")
    return "\n".join([*lines, *_kinds(kept, sets), *_misses(kept, sets)]) + "\n"


def _kinds(kept: dict[str, Any], sets: list[str]) -> list[str]:
    heads = " | ".join(f"{name}: cases | refused | named" for name in sets)
    lines = ["", "## Kinds of mistakes", "", f"| mistake | {heads} |", "|---|" + "---|---|---|" * len(sets)]
    for kind in sorted({kind for name in sets for kind in kept[name]["kinds"]}):
        cells = [" | ".join(map(str, kept[name]["kinds"].get(kind, ["-"] * 3))) for name in sets]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def _misses(kept: dict[str, Any], sets: list[str]) -> list[str]:
    lines = ["", "## What is missed"]
    for name in sets:
        found = [f"- `{text}`: {reason(text)}" for text in kept[name]["misses"]]
        lines += ["", f"### {name.capitalize()} charts", "", *(found or ["Nothing."])]
    return lines


# Words of a case's title -> why it is missed.
REASONS: tuple[tuple[str, str], ...] = ()


def reason(title: str) -> str:
    """Return why a case is missed."""
    return next((why for words, why in REASONS if words in title), "no rule knows it yet")

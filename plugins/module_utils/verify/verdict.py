# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The verdict on a model: what its answers were, which pods counted its requests, what the objects claim.

Two models behind one Gateway can answer 200 from the wrong one while every condition is true, so the request
counters of all model pods are read around the requests.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from ..objects.pools import Check
from .commands import Ask
from .prefill import Wiring

# Any of these that grows shows that a server worked on a request. Names of vLLM and, after them, of other engines.
COUNTERS = (
    "vllm:request_success_total",
    "vllm:num_requests_total",
    "vllm:e2e_request_latency_seconds_count",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "sglang:num_requests_total",
    "sglang:prompt_tokens_total",
    "tgi_request_count",
    "tgi_request_success",
    "trtllm:request_success_total",
)

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})?\s+([0-9.eE+-]+|NaN|[+-]?Inf)")
EXCERPT = 300
# Answers that a stack gives while it is still taking up its endpoints.
TRANSIENT = (429, 502, 503, 504)
LONGEST_PROMPT = 4000  # words
WORDS = "river stone cloud lamp garden paper window bridge silver morning"
Counters = dict[str, float]


@dataclasses.dataclass
class Answer:
    """What asking a model gave; status 0 is no HTTP answer, error says why. first: seconds to the first byte."""

    status: int
    model: str | None = None
    text: str = ""
    error: str = ""
    is_json: bool = False
    seconds: float = 0.0
    first: float = 0.0
    transient: bool = False
    attempts: int = 1
    waited: float = 0.0
    asked: str = ""
    target: str = ""
    offered: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Round:
    """Requests sent at the same time. asked: models; moved: pod -> its counters grew; blind: unreadable pods.

    pickers: pod of an endpoint picker -> it counted requests; deaf: pod -> why nothing answers on its port.
    """

    asked: set[str]
    moved: dict[str, bool]
    blind: set[str]
    pickers: dict[str, bool] = dataclasses.field(default_factory=dict)
    deaf: dict[str, str] = dataclasses.field(default_factory=dict)


def prompt_for(text: str, nonce: str, long: bool, threshold: int = 0) -> str:
    """Return a prompt that no cache has seen; long where prefill pods shall take part.

    Long is about 250 tokens, or twice the threshold of tokens below which the endpoint picker leaves prefill out.
    """
    repeats = min(max(20, threshold // 5), LONGEST_PROMPT // 10)
    return f"{nonce} {text}" + (f" {' '.join([WORDS] * repeats)}" if long else "")


def plan_rounds(models: list[str]) -> list[set[str]]:
    """Return sets of models to ask at the same time, such that no two models are asked in the same sets.

    Model number n (from 1) takes part in round r where bit r of n is set: 8 models need 4 rounds, not 8.
    """
    count = len(models).bit_length()
    return [{name for number, name in enumerate(models, 1) if number >> bit & 1} for bit in range(count)]


def read_counters(text: str) -> Counters:
    """Return the sums of the known request counters in a Prometheus text."""
    sums: Counters = {}
    for line in text.splitlines():
        found = SAMPLE.match(line)
        if found and found.group(1) in COUNTERS:
            sums[found.group(1)] = sums.get(found.group(1), 0.0) + float(found.group(3))
    return sums


def has_moved(before: Counters, after: Counters) -> bool:
    """Return whether any request counter grew; one that was absent before stood at 0."""
    return any(value > before.get(name, 0.0) for name, value in after.items())


def served_by(model: str, rounds: list[Round], owners: dict[str, set[str]]) -> list[str]:
    """Return the pods of a model whose counters moved while it was asked, sorted."""
    mine = {pod for pod, models in owners.items() if model in models}
    return sorted({pod for one in rounds if model in one.asked for pod in mine if one.moved.get(pod)})


def judge_served(model: str, rounds: list[Round], owners: dict[str, set[str]]) -> Check:
    """Judge which pods served a model. owners: pod -> the models that it serves, the set empty for others' pods."""
    mine = {pod for pod, models in owners.items() if model in models}
    for one in rounds:
        if model not in one.asked or any(one.moved.get(pod) for pod in mine):
            continue
        if not mine or mine & one.blind:
            pods = ", ".join(sorted(mine & one.blind)) or "none found"
            detail = f"cannot tell which pod served: no request counter at /metrics of the model's pods ({pods})"
            return Check(model, "served_by", False, detail, "Compare the pods' logs.", claim=True)
        others = sorted(pod for pod, moved in one.moved.items() if moved and pod not in mine)
        # Pods of models that were asked in the same round moved for their own requests.
        likely = [pod for pod in others if not owners[pod] & one.asked] or others
        detail = f"the request counters of its own pods ({', '.join(sorted(mine))}) did not move"
        if likely:
            detail += ", but those of another did: " + ", ".join(
                pod + (f" (model {', '.join(sorted(owners[pod]))})" if owners[pod] else "") for pod in likely[:4]
            )
        hint = (
            "Another model answered. Use a unique name for each route rule, or none, a separate endpoint picker for "
            "each model, and a selector for each pool that matches only that model's pods."
        )
        return Check(model, "served_by", False, detail, hint)
    return Check(model, "served_by", True, "served by " + ", ".join(served_by(model, rounds, owners)))


def judge_prefill(
    model: str, rounds: list[Round], prefill: set[str], requests: int, wiring: Wiring | None = None, mode: str = "auto"
) -> Check | None:
    """Judge that a prefill pod took part in requests with a long prompt; None for a model without prefill pods.

    mode: required, warn, or auto: required unless the endpoint picker is known not to part prefill from decode.
    """
    wiring = wiring or Wiring()
    if not prefill:
        return None
    if wiring.splits is False:
        return _not_wired(model, wiring, mode)
    ours = [one for one in rounds if model in one.asked]
    moved = sorted({pod for one in ours for pod in prefill if one.moved.get(pod)})
    if moved:
        return Check(model, "prefill", True, "prefill took part: " + ", ".join(moved))
    deaf = {pod: why for one in ours for pod, why in one.deaf.items() if pod in prefill}
    if prefill <= set(deaf):
        name, why = min(deaf.items())
        detail = f"prefill did not take part: no answer on the port of pod {name} that the pool sends to ({why})"
        hint = (
            "Only decode served the requests: routing sidecars since v0.6.0 allow this silently if prefill does not "
            "answer. Set the prefill server's port to the pool's target port."
        )
        return Check(model, "prefill", False, detail, hint, claim=mode == "warn")
    if all(prefill <= one.blind for one in ours):
        detail = "cannot tell whether prefill took part: no request counter at the prefill pods' /metrics"
        return Check(model, "prefill", False, detail, "Compare the pods' logs.", claim=True)
    detail = f"prefill did not take part: no counter of {', '.join(sorted(prefill))} moved over {requests} long prompts"
    hint = (
        "Only decode served the requests. Check the endpoint picker's P/D plugins (prefill and decode profiles, "
        "threshold), the pods' llm-d.ai/role labels, the routing sidecar, and VLLM_NIXL_SIDE_CHANNEL_HOST."
    )
    return Check(model, "prefill", False, detail, hint, claim=mode == "warn")


def _not_wired(model: str, wiring: Wiring, mode: str) -> Check:
    """Return the check of prefill pods that the endpoint picker takes for ordinary servers: nothing to prove there."""
    detail = (
        f"its prefill pods do not prefill for decode: the endpoint picker's plugins ({wiring.title}) do not separate "
        "prefill from decode, so that they are picked as ordinary servers or not at all"
    )
    hint = (
        "Use a plugins file with pd-profile-handler or disagg-profile-handler and profiles for prefill and decode "
        "(plugins_config_file, plugins_custom_config), or create no prefill pods."
    )
    return Check(model, "prefill", False, detail, hint, claim=mode != "required")


def came(answer: Answer) -> str:
    """Return what came back, for a message."""
    if answer.status == 200:
        return f"200 from model {answer.model!r}: {answer.text[:EXCERPT]}"
    return f"{answer.status} {answer.text[:EXCERPT].strip() or '(empty body)'}" if answer.status else answer.error


def judge_answer(spec: Object, answer: Answer, checks: list[Check], hint: str = "") -> Check:
    """Judge a completion: HTTP 200 and the model that was asked for; a failure names what was asked and came back.

    hint: what to do about a failure, where the caller knows better than what stands here of Gateways.
    """
    wanted = spec["model"]
    if answer.status == 200 and answer.model == wanted:
        detail = f"200 from {answer.asked} in {answer.seconds * 1000:.0f} ms"
        return Check(spec["name"], "completion", True, detail, seconds=answer.waited)
    detail = f"{answer.asked} for model {wanted!r} by {answer.target} failed: {came(answer)}"
    if answer.attempts > 1:
        detail += f" ({answer.attempts} attempts in {answer.waited:.0f} s)"
    hint = hint or _cause(wanted, answer, [check for check in checks if not check.ok])
    return Check(spec["name"], "completion", False, detail, hint, seconds=answer.waited)


def _cause(wanted: str, answer: Answer, broken: list[Check]) -> str:
    """Return what to do about a failed completion."""
    if answer.status == 404 and answer.is_json:
        offered = ", ".join(answer.offered)
        there = f"the servers behind this path serve: {offered}" if offered else "the server does not know the model"
        return (
            f"The request reached a model server, but {there}. Set the model's served name (--served-model-name), or "
            "point the route to the pool of that model."
        )
    if broken:
        return "See the findings on " + ", ".join(dict.fromkeys(check.name for check in broken)) + " below."
    if answer.status == 404:
        return "No route matched the request: check the HTTPRoute's path, hostnames and URLRewrite."
    if answer.status == 200:
        return "The server answered as another model: check that the route refers to this model's pool."
    if answer.status in (401, 403):
        return "The Gateway or the server requires credentials: allow this client, or verify another way."
    if answer.status in (500, 503):
        return "All objects look correct: read the logs of the endpoint picker and of the Gateway's pod."
    return "Read the logs of the model's pods and of the Gateway's pod."


def is_final(answer: Answer, route_ok: bool) -> bool:
    """Return whether asking again cannot help.

    A Gateway's own 404 or 500 (no JSON of a model server) may pass while it takes up a route that it accepted.
    """
    if answer.status == 0:
        return not answer.transient
    if answer.status in (404, 500) and not answer.is_json:
        return not route_ok
    return answer.status not in TRANSIENT


def is_settling(answer: Answer) -> bool:
    """Return whether an answer is worth only a short wait: the Gateway itself gave it."""
    return answer.status in (404, 500)


def split_findings(checks: list[Check]) -> tuple[list[Check], list[str]]:
    """Return the failures and the warnings; a claim that does not hold only warns where the model is served."""
    served = {check.model for check in checks if check.name == "completion" and check.ok}
    failures, warnings = [], []
    for check in checks:
        if check.ok:
            continue
        if check.claim and check.model in served:
            warnings.append(f"Model {check.model} is served, although {check.detail}.")
        else:
            failures.append(check)
    return failures, warnings


def failure_lines(failures: list[Check]) -> list[str]:
    """Return one text for each failure, the completion of a model before its causes."""
    order = {name: number for number, name in enumerate(dict.fromkeys(check.model for check in failures))}
    ranked = sorted(failures, key=lambda check: (order[check.model], check.name != "completion"))
    return [
        f"{check.model}: {check.name}: {check.detail}" + (f"\n    What to do: {check.hint}" if check.hint else "")
        for check in ranked
    ]


def part(
    checks: list[Check],
    models: t.Iterable[Object] = (),
    classes: t.Iterable[Object] = (),
    endpoints: t.Iterable[str] = (),
    asks: t.Iterable[Ask] = (),
) -> Object:
    """Return a part of the module's result; the rows of models are told whether they are ok."""
    failures, notes = split_findings(checks)
    broken = {check.model for check in failures}
    return {
        "checks": [_shown(check, failures) for check in checks],
        "models": [{**row, "ok": row["name"] not in broken} for row in models],
        "classes": list(classes),
        "notes": notes,
        "endpoints": list(endpoints),
        "asks": list(asks),
        "failures": failure_lines(failures),
    }


def _shown(check: Check, failures: list[Check]) -> Object:
    fields = dataclasses.asdict(check)
    del fields["claim"]
    fields["level"] = "ok" if check.ok else "failed" if check in failures else "warning"
    fields["seconds"] = round(check.seconds, 3)
    return fields


def tell(found: Object, emit: t.Callable[..., t.Any], seconds: float) -> None:
    """Report the models of a part of the result as events."""
    broken: dict[str, str] = {}
    for row in found["checks"]:
        if row["level"] == "failed":
            broken.setdefault(row["model"], row["detail"])
    for row in found["models"]:
        name = row["name"]
        detail = broken.get(name, f"{row['latency_ms']} ms")
        emit(name, "probe", "failed" if name in broken else "done", seconds=seconds, detail=detail)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: what requests meet on their way, by the plan's own rules on live objects, and what they get.

Green conditions do not say that a stack serves. Where a request is answered, what does not seem to agree is no failure.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..model.items import RenderedRelease, RuleFacts
from ..model.model import StackModel, build_model
from ..objects.pools import is_picker, name_of, pool_picker
from ..objects.servers import flag, words
from ..programs.compatibility import provider_of
from ..rules import model_servers, pickers, routes_to_gateways, routes_to_pools
from ..rules.base import Rule
from .base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, Ref, clean, ref
from .rules_pools import makers_of, pickers_of, pool_selector, selected
from .rules_routing import leads_to, parents

# Of the plan's rules those on what requests go through and no condition shows.
_PLAN = ("LLMD207", "LLMD209", "LLMD212", "LLMD216", "LLMD112", "LLMD503")
_TEMPLATED = ("ReplicaSet", "Event", "EndpointSlice")


def severity_of(evidence: Evidence) -> str:
    """Return what a disagreement is: an error where requests fail, nothing where all are answered, else a warning."""
    answers = [one.served for one in evidence.asked]
    if False in answers:
        return ERROR
    return "" if answers and all(answers) else WARNING


def _model(evidence: Evidence) -> StackModel:
    """Return the live objects as the model of a stack; pods that a workload has made are in it by their workload."""
    kinds = {kind: items for kind, items in evidence.lists.items() if kind not in _TEMPLATED}
    kinds["Pod"] = [pod for pod in evidence.pods if evidence.workload(pod) == ref(pod)]
    bodies = [body for items in kinds.values() for body in items]
    return build_model([RenderedRelease("", "", evidence.namespace, bodies)], facts=RuleFacts(objects=kinds))


def _by_plan(rule: Rule) -> Diagnosis:
    """Return a rule of the plan as one of diagnosis."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        severity = severity_of(evidence)
        for found in rule.check(_model(evidence)) if severity else ():
            about = [ref(body) for items in evidence.lists.values() for body in items if _title(body) in found.about]
            objects = tuple(dict.fromkeys(about)) or (("Namespace", "", evidence.namespace),)
            text = "; ".join([found.message, *_failed(evidence)])
            yield Proof(objects, clean(text), found.message, remedy=found.hint, because=objects, severity=severity)

    return Diagnosis(
        rule.id,
        rule.title,
        find,
        rule.failure,
        rule.meaning,
        rule.remedy.capitalize() + ".",
        rule.source,
        ERROR,
        SYMPTOM,
    )


def _title(body: Object) -> str:
    kind, namespace, name = ref(body)
    return f"{kind} {namespace}/{name}"


def _failed(evidence: Evidence, pool: Ref | None = None) -> list[str]:
    return [one.text for one in evidence.asked if one.served is False and pool in (None, one.pool)]


def _tls(evidence: Evidence) -> t.Iterator[Proof]:
    """Pickers that speak TLS, and Gateways that are told to speak it, on Istio, where a DestinationRule says so."""
    severity = severity_of(evidence)
    if not severity or not evidence.seen("DestinationRule"):
        return
    for pool in evidence.of("InferencePool"):
        service, port = pool_picker(pool)
        picker = next(iter(pickers_of(evidence, pool)), None)
        if picker is None or not _istio(evidence, pool) or _meshed(picker):
            continue
        rules = [rule for rule in evidence.of("DestinationRule") if _is_about(rule, service, ref(pool)[1])]
        modes = [_mode(rule, port) for rule in rules]
        says, speaks = any(modes), _secure(picker)
        if says == speaks:
            continue
        names = listed([name_of(rule) for rule in rules], 3)
        how = f"DestinationRule {names} has tls.mode {modes[0] or 'none'}" if rules else "it has no DestinationRule"
        text = (
            f"picker {name_of(picker)} of pool {name_of(pool)} speaks {'TLS' if speaks else 'plain gRPC'} "
            f"(--secure-serving), but the Gateway {'TLS' if says else 'plain gRPC'}: {how}"
        )
        remedy = (
            f"Create a DestinationRule for {service}.{ref(pool)[1]}.svc.cluster.local with tls.mode SIMPLE and "
            "insecureSkipVerify: true (provider.name: istio in the pool's values makes it)."
            if speaks
            else f"Remove tls from the DestinationRule {names}, or start the picker without --secure-serving=false."
        )
        text = "; ".join([text, *_failed(evidence, ref(pool))])
        yield Proof((ref(pool),), clean(text), name_of(pool), remedy=remedy, because=(ref(pool),), severity=severity)


def _istio(evidence: Evidence, pool: Object) -> bool:
    """Return whether a Gateway from which requests come to a pool is one whose DestinationRules decide."""
    for route in evidence.of("HTTPRoute"):
        for parent, namespace, _status in parents(route) if leads_to(route, pool) else ():
            gateway = evidence.find("Gateway", parent.get("name"), namespace) or {}
            name = str((gateway.get("spec") or {}).get("gatewayClassName"))
            served = next((one for one in evidence.of("GatewayClass") if name_of(one) == name), {})
            provider = provider_of(name, (served.get("spec") or {}).get("controllerName"))
            if provider and provider.pool_provider == "istio":
                return True
    return False


def _meshed(picker: Object) -> bool:
    """Return whether a mesh's own proxy stands before a picker, which then speaks for it."""
    spec = picker.get("spec") or {}
    both = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return any(container.get("name") == "istio-proxy" for container in both)


def _secure(picker: Object) -> bool:
    """gateway-api-inference-extension, cmd/epp: --secure-serving, true by default."""
    lines = [words(container) for container in (picker.get("spec") or {}).get("containers") or []]
    line = next((one for one in lines if is_picker(one)), [])
    return (flag(line, "secure-serving") or "true").lower() not in ("false", "f", "0")


def _is_about(rule: Object, service: str, namespace: str) -> bool:
    host = str((rule.get("spec") or {}).get("host") or "")
    full = f"{service}.{namespace}"
    return host in (service, full, f"{full}.svc") or host.startswith(f"{full}.svc.")


def _mode(rule: Object, port: int | None) -> str:
    """Return the TLS mode that a rule sets for a port, "" for none."""
    policy = (rule.get("spec") or {}).get("trafficPolicy") or {}
    own = [one for one in policy.get("portLevelSettings") or [] if (one.get("port") or {}).get("number") == port]
    mode = str(((own[0] if own else policy).get("tls") or {}).get("mode") or "DISABLE")
    return "" if mode == "DISABLE" else mode


# By status, what to look at where nothing else tells: (from, what).
_HINTS = {
    404: "No route matched the request: compare its path and host with the HTTPRoute's matches and hostnames, and "
    "check whether another route matches first.",
    500: "The Gateway could not reach the picker: read the logs of the Gateway's pod and of the picker.",
    503: "The Gateway has no endpoint, or could not connect: read the logs of the Gateway's pod and of the picker.",
}


def _unanswered(evidence: Evidence) -> t.Iterator[Proof]:
    for one in evidence.asked:
        pool = evidence.find("InferencePool", one.pool[2], one.pool[1])
        if one.served is not False or pool is None:
            continue
        routes = [ref(route) for route in evidence.of("HTTPRoute") if leads_to(route, pool)]
        makers = [ref(item) for item in makers_of(evidence, pool_selector(pool))]
        pods = [ref(pod) for pod in (*selected(evidence, pool), *pickers_of(evidence, pool))]
        because = (*routes, *makers, *pods)
        yield Proof((one.pool,), one.text, one.pool[2], because=because, remedy=_HINTS.get(one.status, ""))


_RULES = (*routes_to_pools.RULES, *routes_to_gateways.RULES, *pickers.RULES, *model_servers.RULES)

JOINS = (
    Diagnosis(
        "DIAG741", "Gateway and endpoint picker do not agree on TLS", _tls,
        "all conditions True, picker ready; answers 500",
        "Istio speaks TLS to a picker only if a DestinationRule sets it; a picker speaks TLS by default.",
        "Make the DestinationRule and the picker's --secure-serving agree.",
        "F10; istio/istio#57855; kserve/kserve#5716", ERROR, SYMPTOM,
    ),
    *(_by_plan(rule) for rule in _RULES if rule.id in _PLAN),
    Diagnosis(
        "DIAG951", "Requests are not answered, and no object shows why", _unanswered,
        "all conditions True, all pods ready; a request gets no answer, or one of an error",
        "One completion was sent through the pool's route, and failed as shown.",
        "Read the logs of the Gateway's pod, the endpoint picker and the model's pods at the time of the request.",
        "Conditions do not show that the data plane serves: kserve/kserve#6072", ERROR, SYMPTOM,
    ),
)  # fmt: skip

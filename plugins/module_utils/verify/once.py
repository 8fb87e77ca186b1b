# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One request by a route to what is behind it, for whoever wants to know whether it is answered at all."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..objects.pools import name_of, namespace_of
from . import routes
from .http import Http, HttpTarget, PodTarget, TransportError
from .prober import read_answer
from .verdict import EXCERPT, Answer


@dataclasses.dataclass(frozen=True)
class Way:
    """A Gateway and the rule of a route that leads on. services, pods: those of the Gateway's namespace."""

    gateway: Object
    route: Object
    rule: Object
    services: list[Object]
    pods: list[Object]


def target_of(client: t.Any, way: Way) -> HttpTarget:
    """Return where to send requests; raise TransportError where there is no way from here."""
    listener = routes.listener_for(way.gateway, way.route)
    scheme = "https" if listener.get("protocol") == "HTTPS" else "http"
    service = routes.find_service(way.gateway, way.services)
    found = service and routes.forward_target(service, listener["port"], way.pods)
    if found:
        return PodTarget(client, namespace_of(way.gateway), *found, scheme)
    address = routes.gateway_address(way.gateway)
    if address:
        return HttpTarget(scheme, address, listener["port"])
    raise TransportError(f"cannot reach Gateway {name_of(way.gateway)} from here", transient=False)


def ask(client: t.Any, way: Way, names: t.Sequence[str], timeout: float) -> Answer:
    """Return what one short completion gives. names: that the servers answer to, [] where that is not known."""
    prefix, headers = routes.request_of({}, way.rule, way.route)
    exact = next((path for match in way.rule.get("matches") or [] if (path := _exact(match))), "")
    path = exact or f"{prefix}/v1/completions"
    answer = Answer(0, asked=f"POST {path}" + (f" (Host {headers['Host']})" if "Host" in headers else ""))
    try:
        http = Http(target_of(client, way))
        answer.target = http.target.text
        answer.offered = list(names) or _offered(http, prefix, headers, timeout)
        body: Object = {"model": next(iter(answer.offered), ""), "max_tokens": 1}
        said = {"messages": [{"role": "user", "content": "Hello"}]} if "chat" in path else {"prompt": "Hello"}
        read_answer(answer, http.request("POST", path, {**body, **said}, headers, timeout))
        http.close()
    except TransportError as exc:
        answer.error, answer.transient = str(exc), exc.transient
    return answer


def _exact(match: Object) -> str:
    path = match.get("path") or {}
    return str(path.get("value")) if path.get("type") == "Exact" else ""


def _offered(http: Http, prefix: str, headers: dict[str, str], timeout: float) -> list[str]:
    listing = http.request("GET", f"{prefix}/v1/models", None, headers, timeout).json()
    entries = listing.get("data") if isinstance(listing, dict) else None
    return [str(entry.get("id")) for entry in entries or [] if isinstance(entry, dict)]


def served(answer: Answer) -> bool | None:
    """Return whether an answer is one of the model that was asked for; None where that cannot be told."""
    if answer.status == 0:
        return False if answer.target else None
    if answer.status == 200:
        return not answer.offered or answer.model in (None, *answer.offered)
    if answer.status in (401, 403):
        return None
    # A server that refuses this request was reached; one that does not know the name is another's.
    return answer.is_json and 400 <= answer.status < 500 and answer.status not in (404, 429)


def told(answer: Answer) -> str:
    """Return what was asked and what came."""
    model = f" for model {answer.offered[0]}" if answer.offered else ""
    came = f"{answer.status} {answer.text[:EXCERPT].strip() or '(empty body)'}" if answer.status else answer.error
    if answer.status == 200 and not served(answer):
        came = f"200 of another model, {answer.model}"
    return f"{answer.asked}{model} by {answer.target or 'the Gateway'} failed: {came}"

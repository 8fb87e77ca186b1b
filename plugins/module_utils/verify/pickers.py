# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a model's own endpoint picker was asked: the count of requests in that picker's metrics moves.

The right model answers without it too: Istio looks a picker up by the name of the route's rule, and where another's is
found so, spreads the requests over the pool's pods in turn (istio/istio#58392, #61594).
"""

from __future__ import annotations

import base64
import dataclasses
import re
import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pools import Check, find_pool, is_alive, is_ready, labels_of, matches, name_of, pool_picker
from .http import Http, TransportError

# Gateway API Inference Extension pkg/epp/metrics/metrics.go: until v1.0 and since v1.1; llm-d-router since v0.9.
COUNTERS = ("inference_model_request_total", "inference_objective_request_total", "llm_d_epp_request_total")
# Some of these are in every picker's metrics: without any, the page is another's.
FAMILIES = re.compile(r"^(?:# \w+ )?(?:inference_(?:pool|extension|model|objective)|llm_d_epp)_", re.MULTILINE)
UNREADABLE = (
    "Make the picker's metrics readable: monitoring.prometheus.enabled: true creates a token for them, "
    "monitoring.prometheus.auth.enabled: false (--metrics-endpoint-auth=false) needs none."
)
NOT_ASKED = (
    "The Gateway balances the requests over the pool's pods without the picker. Use a unique name for each route "
    "rule, or none (Istio looks up a picker by the rule's name), and set the rule's backend to the InferencePool."
)
METRICS_PORT = 9090
METRICS_TIMEOUT = 5.0
PORT_FLAG = re.compile(r"(?<!\S)--?metrics-port[= ]+[\"']?(\d+)")


@dataclasses.dataclass(frozen=True)
class PickerPod:
    """A ready pod of an endpoint picker, the port of its metrics, and its ServiceAccount."""

    pod: str
    port: int
    account: str


def picker_pods(spec: Object, snapshot: Object) -> list[Object]:
    """Return the living pods of the endpoint picker of a model's pool."""
    pool = find_pool(spec, snapshot)
    name = pool_picker(pool)[0] if pool else ""
    service = next((item for item in snapshot["services"] if name_of(item) == name), None)
    selector = (service["spec"].get("selector") if service else None) or {}
    return [pod for pod in snapshot["pods"] if is_alive(pod) and matches(labels_of(pod), selector)]


def pickers_of(spec: Object, snapshot: Object) -> list[PickerPod]:
    """Return the ready pods of the endpoint picker of a model's pool."""
    return [
        PickerPod(name_of(pod), _metrics_port(pod), pod["spec"].get("serviceAccountName") or "default")
        for pod in picker_pods(spec, snapshot)
        if is_ready(pod)
    ]


def _metrics_port(pod: Object) -> int:
    containers = pod["spec"].get("containers") or []
    words = [str(word) for one in containers for word in [*(one.get("command") or []), *(one.get("args") or [])]]
    found = PORT_FLAG.search(" ".join(words))
    return int(found.group(1)) if found else METRICS_PORT


class Counts:
    """Reads how many requests pickers were asked about. mute: pod -> why that cannot be read."""

    def __init__(self, connect: t.Callable[[str, int], Http], secrets: t.Callable[[], list[Object]]) -> None:
        """connect: opens a port of a pod; secrets: those of the namespace that hold ServiceAccounts' tokens."""
        self._connect, self._secrets = connect, secrets
        self._https: dict[str, Http] = {}
        self._headers: dict[str, dict[str, str]] = {}
        self.mute: dict[str, str] = {}

    def read(self, picker: PickerPod) -> float | None:
        """Return the sum of a picker's counters of requests, None where it cannot be read."""
        try:
            status, text = self._metrics(picker)
        except TransportError as exc:
            status, text = 0, str(exc)
        if status == 200 and FAMILIES.search(text):
            self.mute.pop(picker.pod, None)
            return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(COUNTERS))
        if status in (401, 403):
            text = f"{status}: they require a token, but no Secret of ServiceAccount {picker.account} has one for them"
        elif status:
            text = f"port {picker.port} answers {status} without an endpoint picker's counters"
        self.mute[picker.pod] = text[:300]
        return None

    def _metrics(self, picker: PickerPod) -> tuple[int, str]:
        """Return the status and text of /metrics, asked for again with the token for scraping where it wants one."""
        if picker.pod not in self._https:
            self._https[picker.pod] = self._connect(picker.pod, picker.port)
        http = self._https[picker.pod]
        reply = http.request("GET", "/metrics", None, self._headers.get(picker.pod), METRICS_TIMEOUT)
        if reply.status in (401, 403) and picker.pod not in self._headers:
            token = token_of(picker.account, self._secrets())
            self._headers[picker.pod] = {"Authorization": f"Bearer {token}"} if token else {}
            if token:
                reply = http.request("GET", "/metrics", None, self._headers[picker.pod], METRICS_TIMEOUT)
        return reply.status, reply.text()

    def close(self) -> None:
        """Close what is open."""
        for http in self._https.values():
            http.close()


def token_of(account: str, secrets: t.Iterable[Object]) -> str:
    """Return the token in the Secret that a chart makes for scraping, "" where there is none."""
    for secret in secrets:
        annotations = secret["metadata"].get("annotations") or {}
        if annotations.get("kubernetes.io/service-account.name") == account:
            return base64.b64decode((secret.get("data") or {}).get("token") or "").decode()
    return ""


def judge_own_picker(
    model: str,
    pickers: t.Collection[str],
    asked: t.Sequence[t.Mapping[str, bool]],
    mute: t.Mapping[str, str],
    shared: bool,
) -> Check | None:
    """Judge that a model's own picker was asked in each of its rounds; None for a model without a ready picker.

    asked: by pod of all pickers, whether its count moved, a map for each round; mute: why a pod's count cannot be read;
    shared: whether another route's rule has the same name, so that another's picker may be asked.
    """
    own = sorted(pickers)
    if not own or not asked:
        return None
    if not any(pod in moved for moved in asked for pod in own):
        why = mute.get(own[0], "they were not read")
        detail = f"cannot tell whether its own endpoint picker was used: cannot read the metrics of {own[0]} ({why})"
        return Check(model, "own_picker", not shared, detail, UNREADABLE if shared else "", claim=True)
    if all(any(moved.get(pod) for pod in own) for moved in asked):
        return Check(model, "own_picker", True, f"its endpoint picker was used: {', '.join(own)}")
    others = set.intersection(*({pod for pod, went in moved.items() if went} for moved in asked)) - set(own)
    detail = f"its own endpoint picker ({', '.join(own)}) was not used: it did not count the requests"
    detail += f", {listed(sorted(others), 4)} did" if others else ""
    return Check(model, "own_picker", False, detail, NOT_ASKED)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults that the lab plays on chosen pods: KWOK stages, a log that kubectl shows, and admission for Pending."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import write_atomic
from . import templates
from .stages import DELETED, ENDED, FINISHED, stage, status_patch

NAME = r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?"
FAULT_ANNOTATION = "lab.llm-d.ai/fault"
# More GPUs than any node has: the scheduler itself then says why the pod waits.
IMPOSSIBLE_GPUS = "1000"
# A container that fails is started again after 10 s, then after twice as long each time, at most 5 min.
BACK_OFF = (
    '([.status.containerStatuses[]?.restartCount] | max) as $n | ([10 * pow(2; $n - 1), 300] | min | tostring) + "s"'
)
BACKING_OFF = '[.status.containerStatuses[]?.state.waiting.reason] | any(. == "CrashLoopBackOff")'


def check_faults(faults: list[dict]) -> None:
    """Raise OrchestratorError, naming every mistake in lab_faults."""
    mistakes = []
    names = [fault["name"] for fault in faults]
    for fault in faults:
        if names.count(fault["name"]) > 1:
            mistakes.append(f"the name {fault['name']!r} is used more than once")
        if not re.fullmatch(NAME, fault["name"]):
            mistakes.append(f"the name {fault['name']!r} may contain only lower-case letters, digits and hyphens")
        if not is_duration(fault.get("after") or "1s"):
            mistakes.append(f"{fault['name']}: after is {fault['after']!r}, not a duration like 1m30s")
        if not fault.get("match") and not fault.get("pod_prefix"):
            mistakes.append(f"{fault['name']}: set match (labels) or pod_prefix, so that not every pod fails")
    if mistakes:
        raise OrchestratorError("lab_faults has mistakes.", details=sorted(set(mistakes)))


def check_delays(delays: dict[str, str]) -> None:
    """Raise OrchestratorError, naming every delay of lab_ready_delays that is no duration."""
    wrong = [f"{name}: {delay!r}" for name, delay in delays.items() if not is_duration(delay)]
    if wrong:
        raise OrchestratorError("lab_ready_delays needs durations such as 1m30s or 500ms for:", details=wrong)


def is_duration(text: str) -> bool:
    """Say whether Go reads the text as a duration."""
    return bool(re.fullmatch(r"0|([0-9]+(\.[0-9]+)?(ms|s|m|h))+", text))


def fault_expression(fault: dict) -> str:
    """Return the jq expression that is true for the pods of one fault."""
    terms = [
        f".metadata.labels[{json.dumps(key)}] == {json.dumps(str(value))}"
        for key, value in sorted((fault.get("match") or {}).items())
    ]
    if fault.get("pod_prefix"):
        terms.append(f".metadata.name | startswith({json.dumps(fault['pod_prefix'])})")
    if fault.get("namespace"):
        terms.append(f".metadata.namespace == {json.dumps(fault['namespace'])}")
    return " and ".join(f"({term})" for term in terms)


def faulty_expression(faults: list[dict]) -> str:
    """Return the jq expression that is true for a pod with any fault; pods held back by admission need none."""
    terms = [f"({fault_expression(fault)})" for fault in faults if fault["fault"] != "Pending"]
    return " or ".join(terms) or "false"


def fault_objects(faults: list[dict], log_dir: str) -> list[Object]:
    """Return the stages and admission policies that play the faults. log_dir: where their log files lie."""
    objects: list[Object] = []
    earlier: dict[str, bool] = {}
    for fault in faults:
        if fault["fault"] == "Pending":
            objects += _pending_objects(fault)
            continue
        mine = fault_expression(fault)
        select = {DELETED: False, FINISHED: False, **earlier, mine: True}
        objects += (
            _image_stages(fault, select)
            if fault["fault"] == "ImagePullBackOff"
            else _crash_stages(fault, select, f"{log_dir}/{fault['name']}.log")
        )
        earlier[mine] = False
    return objects


def ended_stages(faulty: str) -> list[Object]:
    """Return the stages of containers that the serving plane lets end, which writes their logs too.

    faulty: jq expression that is true for pods which a fault keeps down.
    """
    code = f'{{{{ or (index (or $root.metadata.annotations dict) "{templates.EXIT_CODE}") "1" }}}}'
    ended = {"name": "ended", "fault": "CrashLoopBackOff", "after": "0s", "code": code}
    return _crash_stages(ended, {DELETED: False, FINISHED: False, faulty: False, ENDED: True})


def _failing(fault: dict) -> str:
    """Return the template that opens the branch of the container that fails: the named one, else the first."""
    wanted = json.dumps(fault["container"]) if fault.get("container") else "(index $root.spec.containers 0).name"
    return f"{{{{ if eq .name {wanted} }}}}"


def _status(fault: dict, broken: str, phase: str) -> str:
    healthy = (
        "\n  ready: true\n  started: true\n  restartCount: 0\n  state: {running: {startedAt: {{ $now | Quote }}}}\n"
    )
    if phase == "Pending":
        healthy = (
            "\n  ready: false\n  started: false\n  restartCount: 0\n  state: {waiting: {reason: ContainerCreating}}\n"
        )
    conditions = (
        templates.condition("Initialized", True)
        + templates.unready()
        + templates.condition(templates.STARTING, False, fault["fault"])
        + templates.condition(templates.FAULT, True, fault["fault"], json.dumps(fault["name"]))
    )
    each = _failing(fault) + broken + "{{ else }}" + healthy + "{{ end }}"
    each = "{{ if $init }}" + templates.INITIALIZING + "{{ else }}" + each + "{{ end }}"
    init = templates.init_containers(json.dumps(fault.get("container") or ""), broken)
    body = templates.ADDRESSES + init + templates.containers(each)
    return templates.HEAD + "conditions:\n" + conditions + body + f"phase: {phase}\n"


def _image_stages(fault: dict, select: dict[str, bool]) -> list[Object]:
    broken = """
  ready: false
  started: false
  restartCount: 0
  imageID: ""
  containerID: ""
  state:
    waiting:
      reason: ImagePullBackOff
      message: {{ printf "Back-off pulling image \\"%s\\": ErrImagePull: %s: not found" .image .image | Quote }}
"""
    unstarted = {**select, '(.status.podIP // "") == ""': True}
    events = [
        {"event": {"type": "Warning", "reason": "Failed", "message": "Failed to pull image: not found"}},
        {"event": {"type": "Warning", "reason": "Failed", "message": "Error: ErrImagePull"}},
        {"event": {"type": "Normal", "reason": "BackOff", "message": "Back-off pulling image"}},
        {"event": {"type": "Warning", "reason": "Failed", "message": "Error: ImagePullBackOff"}},
    ]
    steps = [status_patch(_status(fault, broken, "Pending")), *events]
    return [stage(f"fault-{fault['name']}", "Pod", unstarted, steps, _delay(fault))]


def _crash_stages(fault: dict, select: dict[str, bool], log_file: str = "") -> list[Object]:
    code, reason = ("137", "OOMKilled") if fault["fault"] == "OOMKilled" else (fault.get("code", "1"), "Error")
    broken = """
  ready: false
  started: false
  restartCount: {{ add1 $count }}
  state:
    waiting:
      reason: CrashLoopBackOff
      message: {{ printf "back-off restarting failed container=%s pod=%s_%s(%s)" .name $root.metadata.name
                  $root.metadata.namespace $root.metadata.uid | Quote }}
  lastState:
    terminated: {exitCode: CODE, reason: REASON, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
""".replace("CODE", code).replace("REASON", reason)
    count = (
        "{{ $count := 0 }}{{ range .status.containerStatuses }}{{ $count = max $count (int .restartCount) }}{{ end }}\n"
    )
    template = count + _status(fault, broken, "Running")
    events = [{"event": {"type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container"}}]
    logs = [{"apply": {"template": _log_template(log_file)}}] if log_file else []
    steps = [*logs, status_patch(template), *events]
    again = {"durationMilliseconds": 10000, "durationFrom": {"expressionFrom": BACK_OFF}}
    name = f"fault-{fault['name']}" if log_file else f"pod-{fault['name']}"
    return [
        stage(name, "Pod", {**select, BACKING_OFF: False}, steps, _delay(fault)),
        stage(f"{name}-again", "Pod", {**select, BACKING_OFF: True}, steps, again),
    ]


def _log_template(log_file: str) -> str:
    """Return the template of the Logs object of a pod; it goes with the pod."""
    return f"""
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Logs
metadata:
  name: {{{{ .metadata.name }}}}
  namespace: {{{{ .metadata.namespace }}}}
  ownerReferences:
  - {{apiVersion: v1, kind: Pod, name: {{{{ .metadata.name }}}}, uid: {{{{ .metadata.uid }}}}}}
spec:
  logs:
  - {{logsFile: {json.dumps(log_file)}, previousLogsFile: {json.dumps(log_file)}, follow: false}}
"""


def _delay(fault: dict) -> Object:
    return {"durationMilliseconds": 0, "durationFrom": {"expressionFrom": json.dumps(fault.get("after") or "1s")}}


def _pending_objects(fault: dict) -> list[Object]:
    """Return the policy that makes matching new pods ask for GPUs that no node has, and its binding."""
    name = f"lab-fault-{fault['name']}"
    version = "admissionregistration.k8s.io/v1beta1"
    rules = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    terms = [
        f"has(object.metadata.labels) && {json.dumps(key)} in object.metadata.labels "
        f"&& object.metadata.labels[{json.dumps(key)}] == {json.dumps(str(value))}"
        for key, value in sorted((fault.get("match") or {}).items())
    ]
    if fault.get("pod_prefix"):
        prefix = json.dumps(fault["pod_prefix"])
        generated = f"has(object.metadata.generateName) && object.metadata.generateName.startsWith({prefix})"
        terms.append(f"(has(object.metadata.name) && object.metadata.name.startsWith({prefix})) || ({generated})")
    if fault.get("namespace"):
        terms.append(f"request.namespace == {json.dumps(fault['namespace'])}")
    gpus = f'{{"nvidia.com/gpu": "{IMPOSSIBLE_GPUS}"}}'
    expression = (
        f'Object{{metadata: Object.metadata{{annotations: {{"{FAULT_ANNOTATION}": {json.dumps(fault["name"])}}}}},'
        " spec: Object.spec{containers: [Object.spec.containers{name: object.spec.containers[0].name,"
        f" resources: Object.spec.containers.resources{{limits: {gpus}, requests: {gpus}}}}}]}}}}"
    )
    spec: dict[str, t.Any] = {
        "matchConstraints": {"resourceRules": [rules]},
        "matchConditions": [{"name": f"term-{index}", "expression": term} for index, term in enumerate(terms)],
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}],
    }
    policy = {"apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    binding = {"apiVersion": version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name}}
    return [policy, {**binding, "spec": {"policyName": name}}]


# Faults whose containers have run, so that there is a log, and what it says unless the fault gives one.
DEFAULT_LOGS = {
    "CrashLoopBackOff": "RuntimeError: Engine core initialization failed. See root cause above.",
    "OOMKilled": "INFO Loading model weights ...",
}
NOTHING_RUNS = "This pod is simulated by the lab: no program runs in it."


def log_text(fault: dict, now: str) -> str:
    """Return a fault's log as a container runtime keeps it. now: RFC 3339 time."""
    text = fault.get("log") or DEFAULT_LOGS.get(fault["fault"], "")
    return "".join(f"{now} stderr F {line}\n" for line in text.splitlines())


def has_log(fault: dict) -> bool:
    """Say whether the fault's containers have run, so that there is a log."""
    return fault["fault"] in DEFAULT_LOGS


def write_logs(folder: pathlib.Path, faults: list[dict]) -> bool:
    """Write the logs of faults, and of pods that have none of their own; say whether one of a fault changed."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    wanted = {fault["name"]: fault for fault in faults if has_log(fault)}
    changed = [name for name, fault in wanted.items() if _write(folder / f"{name}.log", log_text(fault, now))]
    _write(folder / "default.log", log_text({"fault": "", "log": NOTHING_RUNS}, now))
    return bool(changed)


def _write(path: pathlib.Path, text: str) -> bool:
    """Write a log where it says something else than before, its times left aside."""
    if path.exists() and _without_times(path.read_text(encoding="utf-8")) == _without_times(text):
        return False
    write_atomic(str(path), text, 0o600)
    return True


def _without_times(text: str) -> list[str]:
    return [line.partition(" ")[2] for line in text.splitlines()]

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about a model's artifacts: its URI, the name it is served under, and what the chart's defaults add to them.

They read the chart's values: a URI that the chart does not understand leaves no trace in what it renders.
"""

from __future__ import annotations

import re
import typing as t

from ...base.data import Object, dicts, mapping
from ...base.findings import WARNING, Finding
from ...base.names import did_you_mean
from ...cluster.refusals import quoted
from ...model.items import Item, Workload
from ...model.model import WORKLOADS, StackModel
from ..base import KEYS, Rule, Side, finding, given, listed, rule_factory
from ..pickers import config_of
from ..pools import selected

# llm-d-modelservice, templates/_helpers.tpl mountModelVolumeVolumes and argsByProtocol.
SCHEMES = ("hf", "pvc", "pvc+hf", "oci")
URI, NAME = ("modelArtifacts", "uri"), ("modelArtifacts", "name")
_REPOSITORY = re.compile(r"(?:hf|pvc\+hf)://(?:.*/)?([\w.-]+/[\w.-]+)\Z")
_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)")
# How the chart starts the server where it takes the model from the URI.
_FROM_URI = ("vllmServe", "imageDefault")


def _releases(model: StackModel) -> list[Item]:
    """Return one object of each planned release of models whose chart has a URI among its values."""
    found: dict[tuple[str, str], Item] = {}
    # A workload tells a reader more than what goes with it.
    for item in sorted(model.planned, key=lambda item: item.kind not in WORKLOADS):
        if item.serves_models and item.release and "uri" in KEYS.get(item.chart, {}):
            found.setdefault((item.release, item.namespace), item)
    return list(found.values())


def _workloads(model: StackModel, item: Item) -> list[Workload]:
    place = (item.release, item.namespace)
    return [w for w in model.workloads if (w.item.release, w.item.namespace) == place and not w.item.live]


def schemes(model: StackModel) -> t.Iterator[Finding]:
    """A URI has a scheme that the chart knows, where the chart takes the model or its volume from it."""
    for item in _releases(model):
        uri = given(item, URI)
        scheme, separator, rest = str(uri).partition("://")
        if not isinstance(uri, str) or "{{" in uri or (separator and scheme in SCHEMES and rest):
            continue
        if not _uses_uri(item):
            continue
        text = f"modelArtifacts.uri {uri!r} of {item.release} {_wrong(scheme if separator else '', rest)}"
        lost = [("mount", item.release, "model-storage"), ("served", item.release)]
        lost += [key for workload in _workloads(model, item) for key in _refused(workload, model)]
        side = Side(item, (), "uri")
        yield finding(text, (side,), ("uri", item.release), _right(uri), tuple(lost))


def _refused(workload: Workload, model: StackModel) -> list[tuple]:
    """Return the keys under which the API server's refusal of the mount of model-storage is told."""
    item = workload.item
    causes = model.facts.refused.get((item.kind, item.namespace, item.name), ())
    return [("refused", item.title, one.path, one.text) for one in causes if quoted(one.text) == "model-storage"]


def _uses_uri(item: Item) -> bool:
    containers = [one for role in ("decode", "prefill") for one in dicts(given(item, (role, "containers")))]
    uses = [one.get("mountModelVolume") is True or one.get("modelCommand") in _FROM_URI for one in containers]
    return any(uses) or not uses


def _wrong(scheme: str, rest: str) -> str:
    known = ", ".join(f"{name}://" for name in SCHEMES)
    if not scheme:
        return f"has no scheme ({known}): the chart creates no volume model-storage and passes no model to the server"
    if scheme in SCHEMES:
        return "has nothing after its scheme"
    return f"has the scheme {scheme}://, the chart knows {known}"


def _right(uri: str) -> str:
    hub, bare = _HUB.match(uri), re.match(r"(?:\w+:/)?([\w.-]+/[\w.-]+)\Z", uri)
    if hub or bare:
        return f"write hf://{(hub or bare)[1]}"  # type: ignore[index]
    near = did_you_mean(uri.partition(":")[0], SCHEMES).removeprefix(" Did you mean ").removesuffix("?")
    return f"write {near}://..." if near else "write hf://ORG/MODEL, pvc://CLAIM/PATH or oci://IMAGE"


def served_names(model: StackModel) -> t.Iterator[Finding]:
    """A model that is fetched as ORG/MODEL is not served under the name of another ORG/MODEL."""
    for item in _releases(model):
        fetched = _REPOSITORY.match(str(given(item, URI) or ""))
        name = given(item, NAME)
        # A name without a slash is an alias, as is any that is no repository.
        if fetched and isinstance(name, str) and name.count("/") == 1 and name != fetched[1]:
            text = f"{item.release} fetches the model {fetched[1]} and serves it under the name {name}"
            yield finding(text, (Side(item, (), "uri"), Side(item, (), "served")), ("name", item.release))


def tokenizers(model: StackModel) -> t.Iterator[Finding]:
    """A picker that tokenizes uses the tokenizer of the model that its pool serves."""
    for pool in (pool for pool in model.pools if not pool.item.live):
        picker = model.picker_of(pool)
        found = config_of(picker, model) if picker else None
        names = {name for w in selected(pool, model) for name in (*w.served, *_fetched(w))}
        for wanted in _model_names(found[0]) if found and names else ():
            if wanted not in names and "/" in wanted and "$" not in wanted and any("/" in name for name in names):
                text = (
                    f"the picker of pool {pool.item.name} has the tokenizer of {wanted}, its pods serve {listed(names)}"
                )
                sides = (found[1], *(Side(w.item, (), "served") for w in selected(pool, model)[:1])) if found else ()
                yield finding(text, sides, ("tokenizer", pool.item.title, wanted))


def _fetched(workload: Workload) -> list[str]:
    found = _REPOSITORY.match(str(given(workload.item, URI) or ""))
    return [found[1]] if found else []


def _model_names(config: t.Any) -> t.Iterator[str]:
    """Yield what stands under modelName anywhere in the plugins' parameters."""
    if isinstance(config, list):
        for one in config:
            yield from _model_names(one)
    for key, value in config.items() if isinstance(config, dict) else ():
        if key == "modelName" and isinstance(value, str) and value:
            yield value
        else:
            yield from _model_names(value)


def default_servers(model: StackModel) -> t.Iterator[Finding]:
    """A role that runs has containers of the user's where the other role has them."""
    for item in _releases(model):
        running = [w for w in _workloads(model, item) if w.replicas != 0 and w.role in ("decode", "prefill")]
        own = {w.role for w in running if dicts(given(item, (w.role, "containers")))}
        for workload in running if own else ():
            if workload.role not in own and workload.models:
                image = workload.models[0].container.get("image")
                text = (
                    f"{workload.role} of {item.release} has no containers: its pods run the chart's default, {image}, "
                )
                text += "under the labels of the model"
                key = ("default", item.release, workload.role)
                image_key = (workload.role, "containers", workload.models[0].index, "image")
                explained = (("image", item.release, image_key), *(("roles", pool.item.title) for pool in model.pools))
                yield finding(text, (Side(workload.item, (), workload.role),), key, explains=explained)


def parallel_sizes(model: StackModel) -> t.Iterator[Finding]:
    """The sizes of a role's parallelism agree where all of them are given."""
    for item in _releases(model):
        for workload in _workloads(model, item):
            sizes: Object = mapping(given(item, (workload.role, "parallelism"))) if workload.role else {}
            data, local, workers = (sizes.get(key) for key in ("data", "dataLocal", "workers"))
            whole = [size for size in (data, local, workers) if isinstance(size, int) and size > 0]
            if len(whole) == 3 and whole[0] != whole[1] * whole[2]:
                text = f"parallelism of {workload.item.name}: data {data} is not dataLocal {local} x workers {workers}"
                keys = [Side(workload.item, (), workload.role, ("parallelism", key)) for key in ("dataLocal", "data")]
                explained = (("devices", workload.item.title),)
                yield finding(text, tuple(keys), ("sizes", workload.item.title), explains=explained)


_rule = rule_factory("LLMD5")
_CHART = "llm-d-modelservice"

RULES: tuple[Rule, ...] = (
    _rule(
        40,
        "The model's URI has a scheme",
        schemes,
        "modelArtifacts.uri begins with hf://, pvc://, pvc+hf:// or oci://, where the chart takes the model from it.",
        "The chart mounts a volume that it does not create (the API server refuses the Deployment), or starts the "
        "server without a model.",
        "write hf://ORG/MODEL, pvc://CLAIM/PATH or oci://IMAGE",
        f"{_CHART}, templates/_helpers.tpl mountModelVolumeVolumes",
    ),
    _rule(
        41,
        "A model is served under its own name",
        served_names,
        "Where modelArtifacts.uri and modelArtifacts.name both name a repository, it is the same one.",
        "Clients get answers of another model than the requested one, without an error.",
        "use one name in both, or an alias without a slash",
        f"{_CHART}, modelArtifacts.uri and modelArtifacts.name",
        WARNING,
    ),
    _rule(
        42,
        "The picker tokenizes as the model does",
        tokenizers,
        "A modelName in the parameters of a picker's plugins is that of a model that its pool's pods serve.",
        "The picker's tokens differ from the servers': there are no prefix-cache hits, and no error.",
        "name the model that the pool serves",
        "llm-d-inference-scheduler, precise-prefix-cache-scorer; llm-d-router, token-producer",
        WARNING,
    ),
    _rule(
        43,
        "Roles run the model, not the chart's default",
        default_servers,
        "A role with replicas has containers of its own where the other role has them.",
        "The chart's default, a simulator with the tag latest, answers a share of the requests with random text.",
        "give the role containers, or set create: false for it",
        f"{_CHART}, values.yaml decode.containers and prefill.containers",
    ),
    _rule(
        44,
        "Parallel sizes agree",
        parallel_sizes,
        "data is dataLocal x workers, where a role's parallelism gives all three.",
        "The chart makes the group by two of them, so that ranks are missing, or accelerators are held and never used.",
        "leave one of data, dataLocal and workers out, or let them agree",
        f"{_CHART}, templates/_helpers.tpl dataParallelism",
    ),
)

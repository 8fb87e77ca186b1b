# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack from a guide of spring 2026: a helmfile whose releases are llm-d-infra, inferencepool and llm-d-modelservice.

The environment that helmfile is called with (helmfile apply -e NAME) is the variant. Its templates are evaluated in
gotmpl.py; helmfile itself is never run.
"""

from __future__ import annotations

import re

from ..base.data import Values, dicts, dig, mapping
from ..base.errors import OrchestratorError
from ..base.names import did_you_mean, dns_label, name_problem
from ..values.layers import merge
from ..values.written import TOKEN
from .checkout import Checkout
from .gotmpl import TemplateScope
from .pages import read_page
from .releases import HelmfileRelease, read_parts, read_releases, read_values
from .report import At, Report
from .routers import PROVIDERS
from .sets import SetError, overrides
from .translate import HF_SECRET, Translated
from .variables import assignments

HELMFILES = ("helmfile.yaml.gotmpl", "helmfile.yaml", "helmfile.yml")
GATEWAYS = {
    "istio": "istio",
    "kgateway": "kgateway",
    "agentgateway": "agentgateway",
    "agentgateway-v2": "agentgateway",
    "gke-l7-regional-external-managed": "gke",
    "gke-l7-rilb": "gke",
    "data-science-gateway-class": "openshift",
    "openshift-default": "openshift",
}
# Keys of llm-d-infra that gateway_provider stands for.
OWN = ("gatewayClassName", "provider")


def translate_helmfile(
    checkout: Checkout, file: str, wanted: str, mode: str, provider: str, given: dict[str, str], report: Report
) -> Translated:
    """Return the stack of a helmfile's environment; raise OrchestratorError with the reason where it has none."""
    environments, text, first = read_parts(checkout, file)
    names = list(environments) or ["default"]
    name = _environment(wanted, provider, names, file)
    if mode == "standalone":
        raise OrchestratorError(
            f"{file}: the guide has a Gateway, and no router that stands alone",
            hint="Set mode: gateway. Guides from June 2026 on have the mode standalone.",
        )
    values: Values = {}
    for source in environments.get(name, []):
        if isinstance(source, dict):
            values = merge(values, source)
        else:
            values = merge(
                values, read_values(checkout, file, str(source), At(file, checkout.line_of(file, str(source))))
            )
    namespace = given.get("NAMESPACE") or _namespace(checkout, report)
    scope = TemplateScope(
        {"Environment": {"Name": name, "Values": values}, "Namespace": namespace, "Values": values}, given
    )
    releases = read_releases(checkout, file, text, first, scope, report)
    for variable, line in dict.fromkeys(scope.asked):
        if variable not in given:
            report.add(
                "notes", At(file, line + first), f"env {variable}", "it is taken as not set; set it in variables"
            )
    for line, what in scope.refused:
        report.add("untranslated", At(file, line + first), what, "nothing is read or run for a template")
    variables = _variables(checkout, file, releases, provider, report)
    return Translated(variables, [name, *[one for one in names if one != name]], name, "gateway")


def _environment(wanted: str, provider: str, names: list[str], file: str) -> str:
    if wanted:
        if wanted not in names:
            raise OrchestratorError(
                f"{file}: it has no environment {wanted!r}.{did_you_mean(wanted, names)}",
                hint=f"Set variant to one of: {', '.join(names)}.",
            )
        return wanted
    if provider in names:
        return provider
    return "default" if "default" in names else names[0]


def _namespace(checkout: Checkout, report: Report) -> str:
    """Return the NAMESPACE that the guide's README.md sets, "" where it sets none."""
    file = f"{checkout.guide}/README.md"
    if not checkout.is_file(file):
        return ""
    lines = [line for script in read_page(checkout.text(file), file, 1) for line in script.lines]
    for line in lines:
        for name, raw in assignments(line):
            if name == "NAMESPACE" and "$" not in raw and "<" not in raw and not name_problem(raw):
                report.add("translated", At(file, line.number), f"NAMESPACE={raw}", "llm_d_namespace")
                return raw
    return ""


def _variables(checkout: Checkout, file: str, releases: list[HelmfileRelease], provider: str, report: Report) -> Values:
    kinds: dict[str, list[HelmfileRelease]] = {"infra": [], "pool": [], "model": []}
    for release in releases:
        if release.kind:
            kinds[release.kind].append(release)
            keys = {"infra": "gateway_*", "pool": "llm_d_models[].pool", "model": "llm_d_models[]"}[release.kind]
            report.add("translated", release.at, release.name, keys)
        else:
            why = "nothing takes Helm releases beside a stack's own yet"
            report.add("untranslated", release.at, f"{release.name} ({release.chart} {release.version})", why)
    if not kinds["model"]:
        raise OrchestratorError(
            f"{file}: this environment has no release of llm-d-modelservice, so that there is no model to deploy",
            details=[f"{release.at}: {release.name} ({release.chart})" for release in releases],
            hint="Set variant to an environment that deploys the whole stack.",
        )
    if not kinds["infra"]:
        raise OrchestratorError(
            f"{file}: this environment has no release of llm-d-infra, so that its picker serves without a Gateway",
            details=[f"{release.at}: {release.name} ({release.chart})" for release in releases],
            hint="Set variant to an environment with a Gateway. Guides from June 2026 on have the mode standalone.",
        )
    if len(kinds["pool"]) != len(kinds["model"]):
        counts = f"{len(kinds['model'])} models and {len(kinds['pool'])} pools"
        raise OrchestratorError(f"{file}: {counts}: which pool is whose is not said")
    infra = kinds["infra"][0]
    namespace = infra.namespace or kinds["model"][0].namespace
    problem = name_problem(namespace)
    if problem:
        raise OrchestratorError(f"{infra.at}: the namespace {problem}", hint="Set NAMESPACE in variables.")
    variables: Values = {"llm_d_namespace": namespace}
    variables |= _gateway(checkout, infra, provider, report)
    variables |= _chart("gaie", kinds["pool"][0]) | _chart("modelservice", kinds["model"][0])
    secret = any(HF_SECRET in checkout.text(name) for one in kinds["model"] for name in one.files)
    if secret:
        variables |= {"prepare_hf_token": TOKEN, "prepare_hf_token_secret": HF_SECRET}
    route = _route(checkout, variables["gateway_provider"], report)
    variables["llm_d_models"] = [
        _entry(checkout, model, pool, route if len(kinds["model"]) == 1 else "", report)
        for model, pool in zip(kinds["model"], kinds["pool"], strict=True)
    ]
    return variables


def _chart(role: str, release: HelmfileRelease) -> Values:
    found: Values = {f"{role}_chart_version": release.version} if release.version else {}
    return found | ({f"{role}_chart_ref": release.chart} if release.chart.startswith("oci://") else {})


def _gateway(checkout: Checkout, infra: HelmfileRelease, provider: str, report: Report) -> Values:
    """Return the variables of llm-d-infra's release; its class says which provider is meant."""
    values = _laid(checkout, infra)
    given = str(dig(values, ("gateway", "gatewayClassName"), "") or "")
    # llm-d-infra names the provider from v1.4.0 on, before that the class alone.
    named = str(dig(values, ("gateway", "provider"), "") or "")
    meant = GATEWAYS.get(given) or (named if named in PROVIDERS else "")
    found = provider or meant
    if not found:
        raise OrchestratorError(
            f"{infra.at}: no provider is known for the GatewayClass {given!r} and the provider {named!r}",
            hint="Set provider to one of: " + ", ".join(dict.fromkeys(GATEWAYS.values())) + ".",
        )
    name = infra.name.removeprefix("infra-")
    variables: Values = {"gateway_provider": found, "gateway_name": name} | _chart("gateway", infra)
    if found == GATEWAYS.get(given) and given not in (found, "gke-l7-regional-external-managed", "agentgateway-v2"):
        variables["gateway_class_name"] = given
    if infra.files:
        variables["gateway_values_files"] = list(infra.files)
    own = {key: value for key, value in infra.inline.items() if key != "gateway"}
    gateway = {key: value for key, value in mapping(infra.inline.get("gateway")).items() if key not in OWN}
    if provider and meant != provider:
        report.add("notes", infra.at, f"gatewayClassName {given or named}", f"the provider {provider} is taken instead")
        gateway = {}
    if gateway:
        own["gateway"] = gateway
    if own:
        variables["gateway_values"] = own
    return variables


def _laid(checkout: Checkout, release: HelmfileRelease) -> Values:
    found: Values = {}
    for name in release.files:
        documents = checkout.documents(name)
        found = merge(found, documents[0] if documents and isinstance(documents[0], dict) else {})
    return merge(found, release.inline)


def _own(checkout: Checkout, release: HelmfileRelease) -> Values:
    """Return what is laid over a release's files: what stands in the helmfile, then what it sets."""
    try:
        changed = overrides(_laid(checkout, release), release.sets)
    except SetError as exc:
        raise OrchestratorError(f"{release.at}: set: {exc}") from exc
    return merge(release.inline, changed)


def _entry(checkout: Checkout, model: HelmfileRelease, pool: HelmfileRelease, route: str, report: Report) -> Values:
    name = dns_label(re.sub(r"^(ms|modelservice)-", "", model.name))[:48].strip("-")
    entry: Values = {"name": name}
    served = dig(_laid(checkout, model), ("modelArtifacts", "name"))
    if isinstance(served, str) and served:
        entry["model"] = served
    entry["release_name"] = model.name
    if model.files:
        entry["values_files"] = list(model.files)
    own = _own(checkout, model)
    if own:
        entry["values"] = own
    made: Values = {"release_name": pool.name}
    if pool.files:
        made["values_files"] = list(pool.files)
    inner = _own(checkout, pool)
    # The provider's name is gateway_provider; what else stands there is kept.
    rest = {key: value for key, value in mapping(inner.get("provider")).items() if key != "name"}
    inner = {key: value for key, value in inner.items() if key != "provider"} | ({"provider": rest} if rest else {})
    if inner:
        made["values"] = inner
    entry["pool"] = made
    if route:
        entry["route"] = {"name": route}
    return entry


def _route(checkout: Checkout, provider: str, report: Report) -> str:
    """Return the name of the route beside the helmfile, "" where there is none."""
    for name in (f"httproute.{provider}.yaml", "httproute.yaml"):
        file = f"{checkout.guide}/{name}"
        if not checkout.is_file(file):
            continue
        for item in dicts(checkout.documents(file)):
            if item.get("kind") == "HTTPRoute":
                found = str(mapping(item.get("metadata")).get("name") or "")
                report.add("translated", At(file, checkout.line_of(file, found)), found, "llm_d_models[].route")
                return "" if name_problem(found) else found
    return ""

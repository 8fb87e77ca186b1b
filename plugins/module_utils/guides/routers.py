# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The router of a guide: which command installs it for a variant and a mode, and what it says."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Values
from ..base.errors import OrchestratorError
from ..base.names import did_you_mean
from ..values.layers import merge
from .checkout import Checkout
from .commands import PageCommand
from .guide import Guide, Page
from .report import At, Report
from .sets import SetError, overrides, read_set
from .shell import Unknown, expand, expand_word
from .variants import Variant, VariantUse

STANDALONE, GATEWAY = "standalone", "gateway"
CHARTS = {STANDALONE: "llm-d-router-standalone", GATEWAY: "llm-d-router-gateway"}
POOL_CHART = "inferencepool"
REGISTRY = "oci://ghcr.io/llm-d/charts/"
# What the tag v0 of the router's charts, and their newest release, come to: llm-d/llm-d-router, releases.
RELEASED = "v0.10.0"
_MOVING = re.compile(r"v?\d{0,2}|latest|main|nightly|stable|dev", re.ASCII)
# Words of pages and files by which a command is for some hardware, server or platform only.
_KINDS = (
    "amd", "rocm", "xpu", "hpu", "gaudi", "tpu", "npu", "cpu", "trtllm", "sglang", "atom", "gke", "aks", "eks",
    "aws", "coreweave", "oci", "istio", "kgateway", "agentgateway", "disagg", "pd", "multimodal", "slo", "precise",
    "glm", "deepseek", "nemotron", "qwen3", "mooncake", "gb200", "pod-discovery", "dedicated",
)  # fmt: skip
PROVIDERS = {
    "istio": "istio",
    "gke": "gke",
    "agentgateway": "agentgateway",
    "kgateway": "kgateway",
    "openshift": "openshift",
    "none": "none",
    "na": "none",
    "": "none",
}


@dataclasses.dataclass
class GuideRouter:
    """A command that installs a router, its page, and the values of variables that count for it.

    mode: standalone or gateway; chart: the chart's name; derived: whether it is taken from the other mode's command.
    """

    page: Page
    command: PageCommand
    chosen: t.Mapping[str, str]
    mode: str
    chart: str
    ref: str
    derived: bool = False

    def text(self, raw: str, unknown: Unknown) -> str:
        """Return a text with its variables replaced."""
        return expand(raw, self.page.variables.lookup(self.chosen, self.command.at), unknown)


def chart_of(page: Page, command: PageCommand, chosen: t.Mapping[str, str]) -> tuple[str, str, str]:
    """Return (mode, chart's name, reference) of a command that installs a router; mode "" where it is none."""
    for word in command.arguments[1:] or command.arguments:
        unknown = Unknown()
        ref = expand(word.text, page.variables.lookup(chosen, command.at), unknown)
        # Without env.sh the variable's name says which chart is meant.
        name = (re.sub(r"[${}]", "", ref).lower().replace("_", "-") if unknown.names else ref).rpartition("/")[2]
        if "router-standalone" in name:
            return STANDALONE, CHARTS[STANDALONE], ref
        if "router-gateway" in name or name.startswith("router-gateway"):
            return GATEWAY, CHARTS[GATEWAY], ref
        if name.startswith(POOL_CHART):
            return GATEWAY, POOL_CHART, ref
        if name == "standalone":
            return STANDALONE, CHARTS[STANDALONE], ref
    return "", "", ""


def routers(guide: Guide, use: VariantUse | None) -> list[GuideRouter]:
    """Return the commands that install a router, those of the variant's page first."""
    pages = ([use.page] if use else []) + [page for page in guide.pages if use is None or page is not use.page]
    found = []
    for page in pages:
        chosen = dict(use.chosen) if use and page is use.page else {}
        for command in page.commands:
            if command.kind != "helm" or command.script.why or not _applies(command, page, chosen):
                continue
            mode, chart, ref = chart_of(page, command, chosen)
            if mode:
                found.append(GuideRouter(page, command, chosen, mode, chart, ref))
    return found


def _applies(command: PageCommand, page: Page, chosen: t.Mapping[str, str]) -> bool:
    """Return whether a step's condition holds for what is chosen."""
    return not command.offered and all(
        (page.variables.value(name, chosen) or "") in values for name, values in command.script.when.items()
    )


def choose_router(guide: Guide, variant: Variant, mode: str, provider: str) -> GuideRouter:
    """Return the router's command for a variant; raise OrchestratorError where the guide has none for the mode."""
    use = variant.uses[0] if variant.uses else None
    found = routers(guide, use)
    if not found:
        raise OrchestratorError(
            f"{guide.checkout.guide} installs no router for {variant.name}: none of its pages has helm install of "
            f"{CHARTS[STANDALONE]}, {CHARTS[GATEWAY]} or {POOL_CHART}",
            details=[f"{page.file}: read" for page in guide.pages],
            hint="Import the guide that it is a part of, or whose stack it changes.",
        )
    modes = list(dict.fromkeys(router.mode for router in found))
    mode = mode or (STANDALONE if STANDALONE in modes else modes[0])
    if mode not in modes:
        places = ", ".join(str(router.command.at) for router in found[:4])
        raise OrchestratorError(
            f"{guide.checkout.guide} installs its router in the mode {modes[0]} only ({places})",
            hint=f"Set mode: {modes[0]}.",
        )
    near = _nearest(found, use)
    fitting = [router for router in near if router.mode == mode]
    if fitting:
        return min(fitting, key=lambda one: _distance(one, variant, provider))
    # The page has the other mode here, and this one elsewhere: the values are those of the variant.
    other = next(router for router in found if router.mode == mode)
    base = min(near, key=lambda one: _distance(one, variant, provider))
    return dataclasses.replace(base, mode=mode, chart=other.chart, ref=other.ref, derived=True)


def _nearest(found: list[GuideRouter], use: VariantUse | None) -> list[GuideRouter]:
    """Return the commands of the variant's own section, else those of its page, else all of the first page."""
    if use is not None:
        own = [one for one in found if one.page is use.page]
        beside = [one for one in own if one.command.script.trail == use.command.script.trail]
        if beside and len(use.command.script.trail) > 1 and use.page.file.endswith(".md"):
            return beside
        if own:
            # What stands beside another variant is for that one.
            return [one for one in own if not _is_aside(one, use)] or own
    return [one for one in found if one.page is found[0].page]


def _is_aside(router: GuideRouter, use: VariantUse) -> bool:
    """Return whether a command shares its section with kustomizations of others, in a page that has another one."""
    trail = router.command.script.trail
    return len(trail) > 3 and any(
        other.kind == "kustomize" and other.script.trail == trail and other is not use.command
        for other in router.page.commands
    )


def _distance(router: GuideRouter, variant: Variant, provider: str) -> tuple[int, int, int, int]:
    """Return how little a command is meant for a variant: what is open, for how much else it is, where it stands."""
    left = Unknown()
    for word in (router.command.arguments[0], *router.command.values("-f", "--values")):
        router.text(word.text, left)
    words = [*router.command.script.trail[2:], *(word.text for word in router.command.values("-f", "--values"))]
    said = _kinds(" ".join(words)) | _kinds(" ".join(_comments(router.command)))
    own = _kinds(variant.folder) | {provider}
    unknown = Unknown()
    sets = " ".join(router.text(word.text, unknown) for word in router.command.values("--set"))
    named = re.search(r"provider\.name=(\w*)", sets)
    right = bool(provider) and named is not None and named[1] == provider
    return len(left.names), len(said - own) - len(said & own), -right, router.command.at.line


def _comments(command: PageCommand) -> list[str]:
    before = [line.comment for line in command.script.lines if not line.words and line.number < command.at.line]
    return before[-1:]


def _kinds(text: str) -> set[str]:
    words = set(re.findall(r"[a-z]+(?:\d+)?", text.lower()))
    return {kind for kind in _KINDS if kind in words}


def pool_of(router: GuideRouter, checkout: Checkout, report: Report) -> tuple[Values, Values, dict[str, str]]:
    """Return a router's pool (release_name, values_files, values), its chart's variables, and what is set of routes.

    Raises OrchestratorError where a values file is missing, or what only a run could tell is needed.
    """
    command, unknown = router.command, Unknown()
    pool: Values = {"release_name": router.text(command.arguments[0].text, unknown)}
    _known(unknown, command, "the release's name")
    files, routed = _values_files(router, checkout, report)
    changes, kept = _changes(router, report)
    if files:
        pool["values_files"] = files
    try:
        values = overrides(_merged(checkout, files, command.at), kept)
    except SetError as exc:
        raise OrchestratorError(f"{command.at}: --set: {exc}") from exc
    if values:
        pool["values"] = values
    report.add("translated", command.at, command.written, "llm_d_models[].pool, gaie_chart, gaie_chart_version")
    return pool, _chart(router, report), {**routed, **changes}


def _known(unknown: Unknown, command: PageCommand, what: str) -> None:
    if unknown.names:
        raise OrchestratorError(
            f"{command.at}: {what} is made of {', '.join(unknown.names)}, which nothing in the guide sets",
            hint="Set it in variables.",
        )


def _values_files(router: GuideRouter, checkout: Checkout, report: Report) -> tuple[list[str], dict[str, str]]:
    """Return the values files of a command, those in variables that hold an option included."""
    command, unknown = router.command, Unknown()
    lookup = router.page.variables.lookup(router.chosen, command.at)
    words = [text for word in command.values("-f", "--values") for text in expand_word(word, lookup, unknown)]
    # ${MONITORING_VALUES} stands alone, and holds "-f FILE" or nothing.
    for argument in command.arguments[2:]:
        words += [text for text in expand_word(argument, lookup, unknown) if text not in ("-f", "--values")]
    _known(unknown, command, "a values file")
    found: list[str] = []
    routed: dict[str, str] = {}
    for word in words:
        for text in word.split(","):
            name = _file(text, router, checkout)
            if name is None:
                raise OrchestratorError(
                    f"{command.at}: the values file {text} does not exist in the checkout",
                    hint="Correct the guide's page, or choose another variant or mode.",
                )
            content = _map(checkout, name)
            if router.chart != POOL_CHART and content and set(content) == {"httpRoute"}:
                routed |= {f"httpRoute.{key}": str(value) for key, value in (content["httpRoute"] or {}).items()}
                report.add("translated", command.at, name, "llm_d_models[].route, which stands for the chart's route")
            elif name not in found:
                found.append(name)
    return found, routed


def _file(path: str, router: GuideRouter, checkout: Checkout) -> str | None:
    if re.match(r"https?://", path):
        return None
    for folder in ("", router.command.folder or "", checkout.guide, router.page.folder):
        name = checkout.within(checkout.path(f"{folder}/{path.lstrip('/')}" if folder else path.lstrip("/")))
        if name is not None and checkout.is_file(name):
            return name
    return None


def _map(checkout: Checkout, name: str) -> Values:
    documents = checkout.documents(name)
    content = documents[0] if documents else None
    if content is not None and not isinstance(content, dict):
        raise OrchestratorError(f"{name} is not a map, so that Helm refuses it as a values file")
    return content or {}


def _merged(checkout: Checkout, files: t.Sequence[str], at: At) -> Values:
    found: Values = {}
    for name in files:
        found = merge(found, _map(checkout, name))
    return found


def _changes(router: GuideRouter, report: Report) -> tuple[dict[str, str], list[tuple[tuple[t.Any, ...], t.Any]]]:
    """Return what --set says of provider and route, and the rest as paths with values."""
    command = router.command
    routed: dict[str, str] = {}
    kept: list[tuple[tuple[t.Any, ...], t.Any]] = []
    for option in command.options:
        if option.name in ("--set-file", "--set-json", "--set-literal"):
            report.add("untranslated", command.at, f"{option.name} {option.value.text}", "only --set is read")
        if option.name not in ("--set", "--set-string"):
            continue
        unknown = Unknown()
        text = router.text(option.value.text, unknown)
        if unknown.names:
            why = f"nothing in the guide sets {', '.join(unknown.names)}"
            report.add("untranslated", command.at, f"{option.name} {option.value.text}", why)
            continue
        try:
            found = read_set(text, option.name == "--set-string")
        except SetError as exc:
            report.add("untranslated", command.at, f"{option.name} {text}", str(exc))
            continue
        for path, value in found:
            if path == ("provider", "name") or path[0] == "httpRoute":
                routed[".".join(str(step) for step in path)] = "" if value is None else str(value)
            else:
                kept.append((path, value))
    return routed, kept


def _chart(router: GuideRouter, report: Report) -> Values:
    """Return the variables of the router's chart; a tag that moves is a version, and noted."""
    command, unknown = router.command, Unknown()
    found: Values = {"gaie_chart": router.chart}
    versions = command.values("--version")
    version = router.text(versions[-1].text, unknown) if versions else ""
    if unknown.names:
        report.add("notes", command.at, f"--version {version}", f"nothing sets it; {RELEASED} is taken")
        version = ""
    ref = router.ref if "$" not in router.ref else ""
    name = ref.rpartition("/")[2]
    if name.endswith("-dev"):
        report.add("notes", command.at, ref, f"development builds; the released chart {router.chart} is taken")
        ref = REGISTRY + router.chart
    if router.chart != POOL_CHART and _MOVING.fullmatch(version):
        why = f"a tag that moves; {RELEASED}, the newest release that it is known to mean, is taken"
        report.add("notes", _place(router, "ROUTER_CHART_VERSION"), f"--version {version or '(none)'}", why)
        version = RELEASED
    if ref.startswith("oci://"):
        found["gaie_chart_ref"] = ref
    if version:
        found["gaie_chart_version"] = version
    if router.chart != POOL_CHART:
        found |= _image(router, version, report)
    return found


def _place(router: GuideRouter, name: str) -> At:
    item = router.page.variables.definition(name, router.chosen, router.command.at)
    return item.at if item else router.command.at


def _image(router: GuideRouter, version: str, report: Report) -> Values:
    """Return the picker's image where env.sh pins another than the chart's own."""
    variables = router.page.variables
    tag, image = (variables.value(name, router.chosen) for name in ("ROUTER_EPP_VERSION", "ROUTER_EPP_IMAGE"))
    if not tag:
        return {}
    at = _place(router, "ROUTER_EPP_VERSION")
    if _MOVING.fullmatch(tag):
        report.add("notes", at, f"ROUTER_EPP_VERSION={tag}", "a tag that moves; the chart's own image is taken")
        return {}
    if tag == version or not image:
        return {}
    report.add("translated", at, f"{image}:{tag}", "gaie_image")
    return {"gaie_image": f"{image}:{tag}"}


def gateway_of(router: GuideRouter, wanted: str, routed: dict[str, str], report: Report) -> Values:
    """Return the variables of the Gateway that a router's route is attached to; raise OrchestratorError."""
    at = router.command.at
    named = routed.get("provider.name")
    if named is None and not wanted:
        named = router.page.variables.value("PROVIDER_NAME", router.chosen, at)
    provider = wanted or named or ""
    if provider not in PROVIDERS:
        raise OrchestratorError(
            f"{at}: the provider {provider!r} is not known.{did_you_mean(provider, [*PROVIDERS])}",
            hint="Set provider to one of: " + ", ".join(dict.fromkeys(PROVIDERS.values())) + ".",
        )
    if PROVIDERS[provider] == "none":
        what = f"provider.name={named}" if named is not None else "no provider"
        report.add("notes", at, what, "the Gateway has to be there; set provider to have it made")
    gateway = routed.get("httpRoute.inferenceGatewayName") or "llm-d-inference-gateway"
    report.add("translated", at, f"provider.name={provider or 'none'}", "gateway_provider, gateway_name")
    return {"gateway_provider": PROVIDERS[provider], "gateway_name": gateway}

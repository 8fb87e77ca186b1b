# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack of this collection from a guide: a variant of its model servers, its router, and what else its page does."""

from __future__ import annotations

import dataclasses
import json
import re

from ..base.data import Values
from ..base.errors import OrchestratorError
from ..base.names import dns_label, name_problem
from ..values.written import TOKEN
from .commands import PageCommand
from .guide import Guide, Page
from .kustomizations import ReadKustomization, guide_labels, model_of, read_kustomization
from .report import At, Report
from .routers import GATEWAY, GuideRouter, choose_router, gateway_of, pool_of, routers
from .shell import Unknown, expand
from .variants import Variant, choose, targets, variants_of

HF_SECRET = "llm-d-hf-token"
_TO_COME = "nothing takes {what} beside a stack's own yet"
_DEFINITIONS = re.compile(
    r"(gateway-api|gateway-api-inference-extension|leaderworkerset|lws|crds?|manifests)\b.*\.ya?ml|crd"
)


@dataclasses.dataclass
class Translated:
    """variables: the host's, with paths relative to the checkout's root; variants: all names, the chosen first."""

    variables: Values
    variants: list[str]
    variant: str
    mode: str


def translate(guide: Guide, wanted: str, mode: str, provider: str, report: Report) -> Translated:
    """Return a guide's stack; raise OrchestratorError with the reason where it has none that can be deployed."""
    variants = variants_of(guide)
    if not variants:
        raise _nothing(guide)
    variant = choose(guide, variants, wanted)
    kustomized = _checked(guide, variant, report)
    router = choose_router(guide, variant, mode, provider)
    if router.derived:
        why = f"the page has the mode {router.mode} elsewhere; these values are used with its chart"
        report.add("notes", router.command.at, router.command.written, why)
    pool, chart, routed = pool_of(router, guide.checkout, report)
    variables = _namespace(guide, variant, router, report)
    if router.mode == GATEWAY:
        variables |= gateway_of(router, provider, routed, report)
    variables |= chart | _token(guide, variant, kustomized)
    variables["llm_d_models"] = [_model(guide, variant, kustomized, router, pool, report)]
    _rest(guide, variant, variants, router, report)
    names = [variant.name, *[one.name for one in variants if one is not variant]]
    return Translated(variables, names, variant.name, router.mode)


def _checked(guide: Guide, variant: Variant, report: Report) -> ReadKustomization:
    found = read_kustomization(guide.checkout, variant.folder)
    if found.problems:
        raise OrchestratorError(
            f"The variant {variant.name} cannot be rendered",
            details=[f"{at}: {what}" for at, what in found.problems],
            hint="Correct the checkout, or choose another variant.",
        )
    for at, what in found.remote:
        report.add("notes", at, what, "lies elsewhere; set remote: true of the model to have it fetched")
    return found


def _namespace(guide: Guide, variant: Variant, router: GuideRouter, report: Report) -> Values:
    """Return the namespace that the page sets, or that its commands name."""
    variables, at = router.page.variables, router.command.at
    chosen = {**router.chosen, **(variant.uses[0].chosen if variant.uses else {})}
    value = variables.value("NAMESPACE", chosen, at)
    place = variables.definition("NAMESPACE", chosen, at)
    if value is None:
        words = router.command.values("-n", "--namespace")
        unknown = Unknown()
        value = router.text(words[-1].text, unknown) if words else ""
        value = "" if unknown.names else value
        place = None
    if not value or "<" in value:
        value = dns_label(f"llm-d-{guide.name}")
        report.add("notes", place.at if place else at, "NAMESPACE", f"the page leaves it open; {value} is taken")
    problem = name_problem(value)
    if problem:
        raise OrchestratorError(f"{place.at if place else at}: NAMESPACE {problem}", hint="Set NAMESPACE in variables.")
    report.add("translated", place.at if place else at, f"NAMESPACE={value}", "llm_d_namespace")
    return {"llm_d_namespace": value}


def _token(guide: Guide, variant: Variant, kustomized: ReadKustomization) -> Values:
    """Return the variables of the Hugging Face token where the servers take it from the guides' Secret."""
    folders = [guide.checkout.kustomization(folder) for folder in kustomized.folders]
    files = [*{file for file, _item in kustomized.files}, *filter(None, folders)]
    if any(HF_SECRET in guide.checkout.text(file) for file in files):
        return {"prepare_hf_token": TOKEN, "prepare_hf_token_secret": HF_SECRET}
    return {}


def _model(
    guide: Guide, variant: Variant, kustomized: ReadKustomization, router: GuideRouter, pool: Values, report: Report
) -> Values:
    name = dns_label(guide.name)[:48].strip("-")
    entry: Values = {"name": name}
    at = variant.uses[0].command.at if variant.uses else At(guide.checkout.kustomization(variant.folder) or "")
    model = model_of(kustomized)
    if model is not None:
        entry["model"] = model.name
        place = At(model.file, guide.checkout.line_of(model.file, model.name))
        report.add("translated", place, model.name, "llm_d_models[].model")
    else:
        report.add("notes", At(variant.folder), "model", "no file says which model is served; planning reads it")
    entry["kustomization"] = variant.folder
    report.add(
        "translated",
        at,
        variant.uses[0].command.written if variant.uses else variant.folder,
        "llm_d_models[].kustomization",
    )
    if not variant.uses:
        why = "no page of the guide deploys it; the router is that of the guide's page"
        report.add("notes", At(variant.folder), variant.name, why)
    if kustomized.remote:
        entry["remote"] = True
    changed = _overlay(guide, variant, kustomized, report)
    if changed:
        entry["overlay"] = changed
    entry["pool"] = pool
    if router.mode == GATEWAY:
        entry["route"] = {"name": pool["release_name"]}
    return entry


def _overlay(guide: Guide, variant: Variant, kustomized: ReadKustomization, report: Report) -> Values:
    """Return what takes the place of sed between kustomize and kubectl: another value of the labels that it changes."""
    if not variant.uses or not variant.uses[0].command.sed:
        return {}
    use = variant.uses[0]
    labels = guide_labels(kustomized, guide.checkout)
    changed: dict[str, str] = {}
    for word in use.command.sed:
        unknown = Unknown()
        script = expand(word.text, use.page.variables.lookup(use.chosen, use.command.at), unknown)
        match = re.fullmatch(r"s(?P<sign>[/|#,])(?P<old>[\w.-]+)(?P=sign)(?P<new>[\w.-]*)(?P=sign)g?", script)
        if match is None or unknown.names:
            why = "only s/NAME/NAME/g is read; put what it changes into overlay"
            report.add("untranslated", use.command.at, f"sed {word.text}", why)
            continue
        for key, value in labels.items():
            if match["old"] in value:
                changed[key] = changed.get(key, value).replace(match["old"], match["new"])
        what = f"sed {script}"
        report.add(
            "notes", use.command.at, what, "the labels are changed by overlay; names of objects stay as they are"
        )
    if not changed:
        return {}
    operations = [
        {
            "op": "replace",
            "path": f"/spec/selector/matchLabels/{key.replace('~', '~0').replace('/', '~1')}",
            "value": value,
        }
        for key, value in changed.items()
    ]
    patch = {"target": {"kind": "Deployment"}, "patch": json.dumps(operations)}
    return {"labels": changed, "patches": [patch]}


def _rest(guide: Guide, variant: Variant, variants: list[Variant], router: GuideRouter, report: Report) -> None:
    """Note what becomes of all other commands of the pages that the stack is from."""
    use = variant.uses[0] if variant.uses else None
    read = [page for page in guide.pages if page is router.page or (use and page is use.page)]
    for page in guide.pages:
        if page not in read:
            report.add("ignored", At(page.file), "the page", "it is about another variant, or a part of its own")
    folders = {one.folder for one in variants}
    for page in read:
        for command in page.commands:
            if command is router.command or (use is not None and command is use.command):
                continue
            kind, why = _why(guide, page, command, folders, router, variant)
            report.add(kind, command.at, command.written, why)


def _why(
    guide: Guide, page: Page, command: PageCommand, folders: set[str], router: GuideRouter, variant: Variant
) -> tuple[str, str]:
    """Return the list of the report that a command belongs to, and why."""
    if command.script.why:
        return "ignored", command.script.why
    if command.kind == "removal":
        return "ignored", "removing is done by the playbook teardown"
    if command.offered:
        return "ignored", "it is commented out on the page"
    if not _chosen(command, page, router, variant):
        return "ignored", "the step is for another choice"
    if command.kind == "namespace":
        return "translated", "llm_d_namespace; it is made where it does not exist"
    if command.kind == "secret":
        if HF_SECRET in command.written or "HF_TOKEN" in command.written:
            return "translated", "prepare_hf_token, prepare_hf_token_secret"
        return "untranslated", "create the Secret by hand: only that of the Hugging Face token is made"
    if command.kind == "helm":
        if any(one.command is command for one in routers(guide, None)):
            return "ignored", "it is the router of another mode or variant"
        return "untranslated", _TO_COME.format(what="Helm releases")
    if command.kind == "kustomize":
        about = [folder for folder, _chosen_ in targets(guide, page, command)]
        if any(folder in folders for folder in about):
            return "ignored", "it is another variant"
        return "untranslated", _optional(command, _TO_COME.format(what="kustomizations"))
    if command.kind == "objects":
        if _is_definition(command):
            return "ignored", "definitions are the cluster's; planning names those that are missing"
        return "untranslated", _optional(command, _TO_COME.format(what="objects"))
    if command.kind == "helmfile":
        return "ignored", "the releases are read of the helmfile"
    return "untranslated", _optional(command, "no variable stands for it; do it by hand where it is needed")


def _is_definition(command: PageCommand) -> bool:
    """Return whether a command installs definitions of a release: they are the cluster's."""
    return command.kind == "objects" and "http" in command.written and bool(_DEFINITIONS.search(command.written))


def _optional(command: PageCommand, why: str) -> str:
    return f"{why} (the page says it is optional)" if command.script.optional else why


def _chosen(command: PageCommand, page: Page, router: GuideRouter, variant: Variant) -> bool:
    chosen = {**router.chosen, **(variant.uses[0].chosen if variant.uses else {})}
    return all((page.variables.value(name, chosen) or "") in values for name, values in command.script.when.items())


def _nothing(guide: Guide) -> OrchestratorError:
    """Return why a guide without model servers is not imported."""
    checkout = guide.checkout
    inner = [
        folder.removeprefix(f"{checkout.guide}/")
        for folder in checkout.folders(checkout.guide)
        if folder != checkout.guide and checkout.is_file(f"{folder}/README.md") and "modelserver" not in folder
    ]
    details = []
    for page in guide.pages:
        if page.folder != checkout.guide:
            continue
        for command in page.commands:
            known = command.kind in ("removal", "namespace") or _is_definition(command)
            if command.script.why or known or command.offered:
                continue
            details.append(
                f"{command.at}: {' '.join(command.written.split())[:120]}: not translated, {_reason(command)}"
            )
    page_name = next(iter(checkout.pages()), checkout.guide)
    own = any(page.folder == checkout.guide for page in guide.pages)
    if inner and not details:
        return OrchestratorError(
            f"{page_name}: the folder holds several guides, and deploys nothing itself",
            hint="Set guide to one of: " + ", ".join(f"{checkout.guide}/{name}" for name in inner) + ".",
        )
    if not own or not details:
        return OrchestratorError(f"{page_name}: the page has no command that deploys to a cluster")
    page = next(page for page in guide.pages if page.folder == checkout.guide)
    named = page.variables.value("NAMESPACE") or ""
    return OrchestratorError(
        f"{page_name}: the guide deploys no model servers of its own"
        + (f"; it adds to what is in the namespace {named}" if named else ""),
        details=details,
        hint="Import the guide whose model servers it is about; then do what is listed by hand.",
    )


def _reason(command: PageCommand) -> str:
    if command.kind == "helm":
        return _TO_COME.format(what="Helm releases")
    if command.kind in ("objects", "kustomize", "secret"):
        return _TO_COME.format(what="objects")
    return "no variable stands for it"

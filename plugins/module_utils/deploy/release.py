# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that are Helm releases: what each needs is decided first, then all are installed side by side.

Each is waited for by itself. Spec of a part: chart_ref, chart_version, values, values_files, replace.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from ..base.cancel import Cancelled
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.findings import show_path
from ..base.mask import mask
from ..base.ours import COMPONENT_LABEL, FINGERPRINT_LABEL, MANAGED_LABEL
from ..changes.actions import REUSE, Action, ReleaseObjects, refusals
from ..changes.discover import Discovery
from ..changes.fingerprints import fingerprinted, listed
from ..changes.stale import stale_claim
from ..charts.fetch import differs_from, fetch_chart
from ..components.registry import BROUGHT
from ..helm.command import HelmError, uninstall_arguments, upgrade_arguments
from ..helm.deployed import HelmRecords
from ..helm.records import (
    Release,
    diff_texts,
    digest,
    manifest_objects,
    misshapen,
    release_from_payload,
    same_manifest,
    same_values,
)
from ..helm.recovery import RECOVERING, Recovery, outlived
from ..helm.wanted import HELM_PROCESSES, Wanted, prepare, read_values
from .base import CREATED, REPAIRED, UNCHANGED, UPDATED, UPGRADED, PartsFailed, Result, Work, difference, refuse
from .nudge import nudge, touch
from .readiness import NotReady
from .removal import Removal, refuse_needed, removal_diff
from .replacing import mend, remove

# Together half a minute of pauses: an API server that is restarted is back by then.
ATTEMPTS, LONGEST_PAUSE = 7, 8
KIND = "release"
LONGEST_NAME = 53


def render(work: Work, parts: t.Sequence[Object]) -> dict[str, list[Object]]:
    """Return the objects that each part shall have, by its name."""
    releases = _releases(work, parts)
    plans = releases.plan(render=True)
    scoped = work.inventory.scoped
    return {plan.wanted.name: scoped(plan.after or "", plan.wanted.namespace) for plan in plans}


def look(work: Work, parts: t.Sequence[Object]) -> dict[str, Release] | None:
    """Find out which of a component's releases are there, None where that may not be read; see work.current."""
    found: dict[str, Release] = {}
    try:
        for namespace, names in _by_namespace(parts).items():
            found.update(work.inventory.releases(namespace, names))
    except OrchestratorError:
        work.unread = True
        return None
    work.current.update({(parts[0]["component"], name): release for name, release in found.items()})
    return found


def settled(work: Work, parts: t.Sequence[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all are as wanted and ready, None where one needs something.

    Nothing is rendered and nothing waited for. What may not be read is not known to need nothing. Raises
    OrchestratorError where a chart cannot be read.
    """
    current = look(work, parts)
    if current is None:
        return None
    plans = []
    fetch = {"helm": work.params["helm_binary"] or "helm", "cache_dir": work.params["chart_cache"]}
    for part, values in zip(parts, read_values(list(parts)).values(), strict=True):
        found = current.get(part["name"])
        component = part["component"]
        if found is None or found.status != "deployed" or found.labels.get(COMPONENT_LABEL) != component:
            return None
        version, plain_http = part.get("chart_version") or None, work.params["plain_http"]
        chart = fetch_chart(part["chart_ref"], version, plain_http=plain_http, **fetch)
        wanted = Wanted(found.name, chart, values, [], work.params["image_registry"], namespace=part["namespace"])
        if not _as_wanted(work, wanted, found):
            return None
        plans.append(ReleasePlan(wanted, UNCHANGED, "", found, found.manifest))
    rows = _ready(work, plans, parts[0]["component"])
    if rows is not None:
        work.manifests.update({(parts[0]["component"], plan.wanted.name): plan.before for plan in plans})
    return rows


def present(work: Work, parts: t.Sequence[Object]) -> Result:
    """Install what differs, wait for each by itself; raise PartsFailed when all have ended."""
    releases = _releases(work, parts)
    refuse(releases.refusals())
    plans = releases.plan(render=work.check)
    changed = any(plan.action != UNCHANGED for plan in plans)
    if work.check:
        return releases.foreseen(plans)
    if changed and work.params["create_namespace"]:
        for namespace in _by_namespace(parts):
            work.inventory.ensure_namespace(namespace, releases.component)
    rows = releases.carry_out(plans)
    return Result(changed, rows, diffs(plans) if work.diff else [])


def absent(work: Work, parts: t.Sequence[Object]) -> Result:
    """Remove those of the releases that this collection made, and wait until their objects and pods are gone."""
    removal = Removal(work)
    mine = []
    for namespace, names in _by_namespace(parts).items():
        found = work.inventory.releases(namespace, names)
        mine += removal.ours(found, parts[0]["component"], names)
    refuse_needed(work.cluster, mine)
    rows = removal.run(mine, work.params["wait_timeout"] if work.params["wait"] else 0, check=work.check)
    return Result(bool(mine), rows, removal_diff(mine))


def restored(work: Work, parts: t.Sequence[Object]) -> Result:
    """Install recorded parts from their charts; what Helm's history still has is restored from there, see rollback."""
    return present(work, parts)


def recorded(part: Object, objects: t.Sequence[Object]) -> Object:
    """Return what a record keeps of a part besides its row: where it came from, without secrets."""
    keys = ("chart_ref", "chart_version", "values", "values_files")
    return {"objects": listed(objects), **mask({key: part[key] for key in keys if part.get(key)})}


def _by_namespace(parts: t.Sequence[Object]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in parts:
        found.setdefault(part["namespace"], []).append(part["name"])
    return found


def _as_wanted(work: Work, wanted: Wanted, found: Release) -> bool:
    if found.labels.get(FINGERPRINT_LABEL) != fingerprint(wanted, found.revision, work.inventory):
        return False
    try:
        objects = manifest_objects(found.manifest, wanted.namespace)
        if work.inventory.missing(objects) or work.inventory.drifted(objects):
            return False
        return not any(stale_claim(work.inventory.live, item) for item in objects)
    except OrchestratorError:
        return False


def _ready(work: Work, plans: t.Sequence[ReleasePlan], component: str) -> list[Object] | None:
    objects = [work.inventory.scoped(plan.before, plan.wanted.namespace) for plan in plans]
    try:
        # All watches first: they are listed side by side.
        work.readiness.follow([item for found in objects for item in found])
        states = [work.readiness.wait(found, time.monotonic()) for found in objects]
    except OrchestratorError:
        return None
    return [
        {**described(plan, component), "objects": fingerprinted(state, found)}
        for plan, state, found in zip(plans, states, objects, strict=True)
    ]


@dataclasses.dataclass
class ReleasePlan:
    """What a release needs.

    after: the manifest that it shall have, None where it was not rendered; known: whether the release's fingerprint
    says so already.
    """

    wanted: Wanted
    action: str
    why: str
    current: Release | None
    after: str | None = None
    known: bool = True

    @property
    def before(self) -> str:
        """The manifest that it has."""
        return self.current.manifest if self.current and self.current.status != "uninstalled" else ""


def _releases(work: Work, parts: t.Sequence[Object]) -> Releases:
    _check_parts(parts)
    wanted = prepare(list(parts), work.helm, work.params["chart_cache"], plain_http=work.params["plain_http"])
    return Releases(work, parts[0]["component"], wanted)


def _check_parts(parts: t.Sequence[Object]) -> None:
    """Refuse releases that Helm could not take, or that lack a chart."""
    names = [part["name"] for part in parts]
    errors = [f"{name} is longer than Helm's {LONGEST_NAME} characters" for name in names if len(name) > LONGEST_NAME]
    errors += [f"{part['name']} has no chart_ref" for part in parts if not part.get("chart_ref")]
    if errors:
        raise OrchestratorError("Invalid releases:", details=errors)


class Releases:
    """Decides what the releases of one component need, and installs them. current: the newest revisions by name."""

    def __init__(
        self,
        work: Work,
        component: str,
        wanted: t.Sequence[Wanted],
        current: t.Mapping[str, Release] | None = None,
    ) -> None:
        self.work, self.component, self.wanted = work, component, wanted
        self.inventory = work.inventory
        self.current = current if current is not None else self._current()

    def _current(self) -> dict[str, Release]:
        places: dict[str, list[str]] = {}
        for one in self.wanted:
            places.setdefault(one.namespace, []).append(one.name)
        found = [self.inventory.releases(namespace, names) for namespace, names in places.items()]
        return {name: release for releases in found for name, release in releases.items()}

    def refusals(self) -> list[str]:
        """Return why releases of these names may not be touched."""
        lines = []
        for release in (self.current[one.name] for one in self.wanted if one.name in self.current):
            owner = release.labels.get(COMPONENT_LABEL)
            if self.work.params["adopt"] or release.status == "uninstalled":
                continue
            where = f"Helm release {release.name} in {release.namespace}"
            if not release.managed:
                lines.append(f"{where} was not created by this collection")
            elif owner and owner != self.component:
                lines.append(f"{where} belongs to the component {owner}")
        return lines

    def plan(self, *, render: bool = False) -> list[ReleasePlan]:
        """Return what each release needs; raise for all that cannot be rendered.

        render: render its manifest also where that is not needed to decide.
        """
        with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
            tasks = [pool.submit(self.planned, one, self.current.get(one.name), render=render) for one in self.wanted]
            concurrent.futures.wait(tasks)
        errors = []
        for one, task in zip(self.wanted, tasks, strict=True):
            error = task.exception()
            if isinstance(error, OrchestratorError):
                errors.append(f"{one.name}: {error}")
            elif error is not None:
                raise error
        if errors:
            raise OrchestratorError("Cannot render charts:", details=errors)
        return [task.result() for task in tasks]

    def planned(self, wanted: Wanted, current: Release | None, *, render: bool = False) -> ReleasePlan:
        """Return what one release needs."""
        if current is None or current.status == "uninstalled":
            return ReleasePlan(
                wanted, CREATED, "it does not exist", current, self.render(wanted, current) if render else None
            )
        if current.status != "deployed" or current.labels.get(FINGERPRINT_LABEL) == RECOVERING:
            after = self.render(wanted, current) if render else None
            return ReleasePlan(wanted, REPAIRED, f"its status is {current.status}", current, after)
        after, known = current.manifest, True
        if current.labels.get(FINGERPRINT_LABEL) != fingerprint(wanted, current.revision, self.inventory):
            after, known = self.render(wanted, current), False
            why = self._difference(wanted, current, after)
            if why:
                return ReleasePlan(wanted, UPGRADED, why, current, after)
        objects = manifest_objects(current.manifest, wanted.namespace)
        missing = self.inventory.missing(objects)
        if missing:
            return ReleasePlan(wanted, REPAIRED, "the cluster lacks " + ", ".join(missing), current, after)
        drifted = [f"{item['kind']} {item['metadata']['name']}" for item in self.inventory.drifted(objects)]
        if drifted:
            return ReleasePlan(wanted, REPAIRED, "changed since: " + ", ".join(drifted), current, after)
        stale = [f"{item['kind']} {item['metadata']['name']}: {why}" for item, why in self._stale(objects)]
        if stale:
            return ReleasePlan(wanted, UPDATED, "touched: " + "; ".join(stale), current, after, known)
        return ReleasePlan(wanted, UNCHANGED, "", current, after, known)

    def _stale(self, objects: t.Iterable[Object]) -> list[tuple[Object, str]]:
        """Return the objects whose status says what is no longer so, and what that is."""
        found = [(item, stale_claim(self.inventory.live, item)) for item in objects]
        return [(item, why) for item, why in found if why]

    def _difference(self, wanted: Wanted, current: Release, after: str) -> str:
        if not current.managed or current.labels.get(COMPONENT_LABEL) != self.component:
            return "it is adopted"
        if current.chart != wanted.chart.name or differs_from(current.chart_version, wanted.chart.version):
            old = f"{current.chart} {current.chart_version}"
            return f"its chart is {old}, not {wanted.chart.name} {wanted.chart.version}"
        if not same_values(current.values, wanted.values):
            return "its values differ"
        return "" if same_manifest(current.manifest, after, wanted.namespace) else "its objects differ"

    def render(self, wanted: Wanted, current: Release | None) -> str:
        """Return the manifest that Helm would install."""
        there = current is not None and current.status != "uninstalled"
        arguments = wanted.template(self.inventory.version, self.inventory.apis, upgrade=there)
        text = self.work.helm.run(arguments, self.work.left())
        wrong = [f"{one.body.get('kind')} {show_path(one.path)} {one.text}" for one in misshapen(text)]
        if wrong:
            raise OrchestratorError("Its chart renders something that is not an object:", details=wrong)
        return text

    def foreseen(self, plans: t.Sequence[ReleasePlan]) -> Result:
        """Return what carrying plans out would come to; their manifests have to be rendered."""
        work, changed = self.work, any(plan.action != UNCHANGED for plan in plans)
        discovery = Discovery(self.inventory.live)
        actions = discovery.releases([self._manifests(plan) for plan in plans])
        refuse([finding.text() for finding in refusals(actions, work.params["adopt"])])
        if changed and work.params["create_namespace"]:
            # Shown with the first release.
            first = plans[0].wanted
            actions = discovery.namespace(self.component, first.name, first.namespace) + actions
        rows = []
        for plan in plans:
            mine = [action for action in actions if action.release == plan.wanted.name]
            found = summary([action.item for action in mine])
            states = [{**row, "action": action.action} for row, action in zip(found, mine, strict=True)]
            rows.append({**described(plan, self.component), "objects": states})
        return Result(changed, rows, _foreseen_diffs(plans, actions))

    def _manifests(self, plan: ReleasePlan) -> ReleaseObjects:
        name, namespace = plan.wanted.name, plan.wanted.namespace
        before, after = (
            self.inventory.scoped(plan.before, namespace),
            self.inventory.scoped(plan.after or "", namespace),
        )
        managed = bool(plan.before) and plan.current is not None and plan.current.managed
        return ReleaseObjects(self.component, name, namespace, before, after, managed)

    def carry_out(self, plans: t.Sequence[ReleasePlan]) -> list[Object]:
        """Install in the order given, wait for each by itself; raise PartsFailed when all have ended."""
        with (
            concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as helms,
            concurrent.futures.ThreadPoolExecutor(max(1, len(plans))) as waits,
        ):
            installs = [helms.submit(self._install, plan) for plan in plans]
            tasks = [waits.submit(self._finish, plan, task) for plan, task in zip(plans, installs, strict=True)]
            rows = [task.result() for task in tasks]
        if any(row.get("error") for row in rows):
            raise PartsFailed(rows, any(row["action"] not in (UNCHANGED, None) for row in rows), "releases")
        return rows

    def _install(self, plan: ReleasePlan) -> tuple[ReleasePlan, Release, float]:
        begin = time.monotonic()
        if self.work.readiness.cancelled():
            raise Cancelled
        if plan.action in (UNCHANGED, UPDATED):
            current = t.cast(Release, plan.current)
            if not plan.known:
                self._remember(plan)
            if plan.action == UPDATED:
                objects = manifest_objects(current.manifest, plan.wanted.namespace)
                for item, _why in self._stale(objects):
                    touch(self.inventory, item, f"annotate {item['kind']} {item['metadata']['name']}")
            return plan, current, begin
        with self.work.events.step(self.component, "install", name=plan.wanted.name):
            done, release = self.apply(plan)
        return done, release, begin

    def _finish(self, plan: ReleasePlan, task: concurrent.futures.Future) -> Object:
        row = described(plan, self.component)
        try:
            plan, release, begin = task.result()
            objects = self.inventory.scoped(release.manifest, release.namespace or plan.wanted.namespace)
            plan.after = release.manifest
            row.update(action=plan.action, revision=release.revision, objects=summary(objects))
            if plan.action != CREATED:
                nudge(self.inventory, objects)
            if self.work.params["wait"]:
                with self.work.events.step(self.component, "ready", name=plan.wanted.name):
                    row["objects"] = self.work.readiness.wait(objects, self.work.deadline)
            row["objects"] = fingerprinted(row["objects"], objects)
            row["seconds"] = round(time.monotonic() - begin, 2)
        except NotReady as exc:
            states, seconds = fingerprinted(exc.objects, objects), round(time.monotonic() - begin, 2)
            row.update(objects=states, error=str(exc), seconds=seconds)
        except Cancelled as exc:
            row.update(action=row["action"] if row["objects"] else None, error=str(exc), cancelled=True)
        except OrchestratorError as exc:
            row.update(action=None, error=str(exc))
        return row

    def apply(self, plan: ReleasePlan) -> tuple[ReleasePlan, Release]:
        """Carry out a plan; return it, or what another process made of it meanwhile, with the release."""
        for attempt in range(ATTEMPTS):
            self.work.check_owner()
            try:
                plan = self._settled(plan)
                if plan.action == UNCHANGED:
                    return plan, t.cast(Release, plan.current)
                return plan, self._recovered(plan)
            except HelmError as exc:
                pause = min(2**attempt, LONGEST_PAUSE)
                if not exc.transient or attempt == ATTEMPTS - 1 or time.monotonic() + pause > self.work.deadline:
                    raise
                time.sleep(pause)  # back-off after a failure: there is nothing to watch
            name = plan.wanted.name
            plan = dataclasses.replace(plan, current=self.inventory.releases(plan.wanted.namespace, [name]).get(name))
        raise AssertionError("unreachable")

    def _remember(self, plan: ReleasePlan) -> None:
        """Let an unchanged release's record say that it is, so that the next run need not render it."""
        current = t.cast(Release, plan.current)
        label = {FINGERPRINT_LABEL: fingerprint(plan.wanted, current.revision, self.inventory)}
        body = {"metadata": {"labels": label}}
        self.inventory.change(
            "label a release record", "patch", "v1", "Secret", current.secret, current.namespace, body
        )

    def _recovered(self, plan: ReleasePlan) -> Release:
        current = plan.current
        if plan.wanted.replace:
            remove(self.inventory, self.work.watches, plan.wanted.replace, self.work.deadline)
        if current is None or current.status in ("deployed", "uninstalled"):
            return self._upgrade(plan)
        recovery, done = Recovery(self.inventory, current), False
        try:
            release = self._upgrade(dataclasses.replace(plan, current=recovery.begin()))
            done = True
        finally:
            recovery.end(succeeded=done)
        return release

    def _upgrade(self, plan: ReleasePlan) -> Release:
        wanted, current = plan.wanted, plan.current
        labels = {
            MANAGED_LABEL: "true",
            COMPONENT_LABEL: self.component,
            FINGERPRINT_LABEL: fingerprint(wanted, (current.revision if current else 0) + 1, self.inventory),
        }
        timeout, adopt = int(self.work.left()), self.work.params["adopt"]
        arguments = upgrade_arguments(
            wanted.name, wanted.chart.path, wanted.namespace, wanted.files, labels, timeout=timeout, adopt=adopt
        )
        release = release_from_payload(self.inventory.payload(self.work.helm.run(arguments, timeout + 30)), labels)
        if current is not None:
            mend(self.inventory, release)
        return release

    def _settled(self, plan: ReleasePlan) -> ReleasePlan:
        """Return the plan for a release that Helm can work on: no revision of it is pending any more."""
        current = plan.current
        if current is not None and current.pending:
            current = outlived(current, self.inventory, self.work.watches, self.work.deadline)
            if current is None or not current.pending:
                plan = self.planned(plan.wanted, current)
        if current is None or not (current.pending or current.status == "uninstalling"):
            return plan
        if current.status == "uninstalling" or (current.status == "pending-install" and current.hooks):
            # Its hooks would not run in an upgrade.
            self.work.helm.run(uninstall_arguments(current.name, plan.wanted.namespace, 60), 90)
            return dataclasses.replace(plan, current=None)
        return dataclasses.replace(plan, current=current)


def fingerprint(wanted: Wanted, revision: int, inventory: HelmRecords) -> str:
    """Return what a revision's label must be for its manifest to be known without rendering.

    The revision is part of it: a revision that somebody else makes inherits the label, and shall not match.
    """
    # What comes with a stack itself makes no manifest another.
    apis = [api for api in inventory.apis if api.partition("/")[0] not in BROUGHT]
    return digest([wanted.chart.digest, wanted.values, wanted.registry, inventory.version, apis, revision])


def described(plan: ReleasePlan, component: str) -> Object:
    """Return a release's row as far as it is known before anything is done."""
    chart = plan.wanted.chart
    return {
        "component": component,
        "kind": KIND,
        "name": plan.wanted.name,
        "namespace": plan.wanted.namespace,
        "action": plan.action,
        "reason": plan.why,
        "chart": chart.name,
        "chart_version": chart.version,
        "chart_digest": chart.digest,
        "revision": plan.current.revision if plan.current else 0,
        "seconds": 0.0,
        "objects": [],
    }


def summary(objects: t.Sequence[Object]) -> list[Object]:
    """Return the objects as rows list them before they are waited for."""
    return [
        {key: row[key] for key in ("api_version", "kind", "namespace", "name", "ready", "seconds")}
        for row in listed(objects, ready=None, seconds=0.0)
    ]


def _foreseen_diffs(plans: t.Sequence[ReleasePlan], actions: t.Sequence[Action]) -> list[Object]:
    """Return Ansible's diff of the releases that change, of their changed objects only, Secret data hidden."""
    found = []
    for plan in plans:
        changed = [one for one in actions if one.release == plan.wanted.name and one.action != REUSE]
        if plan.action == UNCHANGED and not changed:
            continue
        texts = [action.texts() for action in changed]
        before, after = ("".join(side) for side in zip(*texts, strict=True)) if texts else ("", "")
        found.append(difference(f"Helm release {plan.wanted.name}", before, after))
    return found


def diffs(plans: t.Sequence[ReleasePlan]) -> list[Object]:
    """Return Ansible's diff of the releases that change: manifests before and after, Secret data hidden."""
    return [
        difference(
            f"Helm release {plan.wanted.name}", *diff_texts(plan.before, plan.after or "", plan.wanted.namespace)
        )
        for plan in plans
        if plan.action != UNCHANGED
    ]

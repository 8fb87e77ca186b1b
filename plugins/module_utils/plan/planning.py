# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Planning: a stack worked out of its variables, every mistake in it found, and what a deployment would do.

The steps in order: settings, cluster, stack, values, owners, releases that need nothing, rules, plan, approval.
"""

from __future__ import annotations

import concurrent.futures
import os
import typing as t

from ..access.of_stack import access_report
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.findings import ERROR, NOTE, Finding, Findings, finding_at
from ..bundle.use import with_site
from ..capacity.fit import capacity_report, fit
from ..changes.actions import REUSE, Action, identity, refusals
from ..charts.fetch import cache_notes
from ..cluster.client import Cluster
from ..components.base import OBJECTS, RELEASE, idle
from ..components.registry import COMPONENTS
from ..deploy import kinds, release
from ..deploy.base import Work
from ..deploy.objects import Objects
from ..helm.image_check import hinted
from ..lock.locks import await_locks, seen_locks
from ..model.items import RenderedRelease
from ..model.model import build_model
from ..model.serving import served
from ..objects.graph_state import whole_state
from ..report.write import report_problem
from ..rules.run import StackRules
from ..stack.facts import helm_version, read_charts
from ..stack.resolve import resolve
from ..stack.result import as_result, chart_inputs
from ..stack.settings import check_writable, checked_settings
from .accept import Refusals, check_accepted
from .approval import approve, to_ask
from .begun import begin, undo
from .checks import check_cluster, check_values, connect
from .document import build, is_pruned
from .findings import PlanningFailed, as_finding, known_mistakes, located, report, unforeseen, weighed
from .foreign import foreign
from .outlook import needs, waves
from .planner import Planner
from .unwanted import Search, Unwanted, outgrown

# The rule about objects of other releases.
OWNERS = "LLMD304"


class PlanAgain(Exception):
    """Somebody else has changed the stack while planning waited for the lock: what was read is old."""


def run(params: dict, check_mode: bool = False, say: t.Callable[[str], t.Any] = str) -> dict:
    """Return what the module stack_info returns; raise PlanningFailed with every mistake.

    params: the module's; check_mode: whether nothing is going to be changed anyway; say: shows a line at once.
    """
    planning, ended = None, False
    try:
        planning = Planning(params, check_mode, say)
        early = (planning.resolve, planning.check_inputs, planning.find_settled)
        for step in (*early, planning.render, planning.discover, planning.check_rules, planning.plan):
            step()
        # Where nothing is to be done, there is nothing to record.
        ended = not planning.errors and bool(planning.waves())
    except PlanAgain:
        return run(params, check_mode, say)
    except OrchestratorError as exc:
        report(params["findings_file"], [*(planning.all_findings() if planning else []), as_finding(exc)])
        raise
    except ModuleNotFoundError:  # a package is missing
        raise
    except Exception as exc:  # its own mistake; what it has found is said all the same
        found = planning.all_findings() if planning else []
        errors = [*(item for item in found if item.severity == ERROR), unforeseen(exc)]
        raise PlanningFailed(errors, [item for item in found if item.severity != ERROR]) from exc
    finally:
        if planning and not ended:
            undo(planning.made)
    report(params["findings_file"], planning.all_findings())
    return planning.result()


class Planning:
    """One planning call; each step uses what the steps before it have found."""

    def __init__(self, params: dict, check_mode: bool, say: t.Callable[[str], t.Any] = str) -> None:
        self.say = say
        accepted = params.get("accept") or []
        early = Findings(known_mistakes(params.get("mistakes") or []))
        check_accepted(accepted, early)
        self.params = with_site(checked_settings(params, early))
        self.check_mode, self.early, self.errors = check_mode, early, Refusals(accepted)
        self.notes: list[str] = []
        self.settled: dict[str, list[Object]] = {}
        self.work: Work | None = None
        self.parts: list[RenderedRelease] = []
        self.rules: StackRules | None = None
        self.actions: concurrent.futures.Future[list[Action]] | None = None
        self.search: concurrent.futures.Future[Search] | None = None
        self.planned: Object = {}
        self.adopted: list[str] = []
        # The folders made for this run's record.
        self.made: list[str] = []

    @property
    def fetching(self) -> Object:
        """How charts are fetched."""
        helm = self.params["helm_binary"] or "helm"
        return {"helm": helm, "cache_dir": self.params["chart_cache"], "plain_http": self.params["plain_http"]}

    def resolve(self) -> None:
        """Work out the stack."""
        params, early = self.params, self.early
        check_writable(params["records_dir"], early)
        problem = report_problem(params["findings_file"]) if params["findings_file"] else None
        if problem:
            early.add("llm_d_findings_file", problem, rule="input-findings-file")
        self.notes += cache_notes(params["chart_cache"])
        self.cluster, self.facts, version = connect(params, early, self.notes)
        given = params["components"]
        sections = {name: given[name] for name, cls in COMPONENTS.items() if cls.charted(given[name], params)}
        unused = idle(params, COMPONENTS.values())
        sections = {name: given for name, given in sections.items() if name in params["only"] and name not in unused}
        helm = helm_version(params["helm_binary"], early) if sections else None
        read_charts(params, self.facts, sections, self.fetching, early)
        self.stack = resolve(params, self.facts)
        if self.cluster is not None:
            check_cluster(self.cluster, self.stack)
        deploys = not self.check_mode and params["approval"] != "off"
        home = os.path.expanduser(params["records_dir"]) if params["records_dir"] else ""
        started, self.made = begin(os.path.join(home, params["cluster_name"] or "") if deploys and home else None)
        self.result_stack = as_result(self.stack, {"started": started, "kubernetes": version, "helm": helm})
        if deploys and await_locks(self.cluster, self.result_stack, params, self.say):
            raise PlanAgain
        self.result_stack["lock"] = seen_locks(self.cluster, self.result_stack, params["lock"], self.notes)
        self.errors.take(early)
        self.errors.take(self.stack.findings)

    def check_inputs(self) -> None:
        """Check the values against their charts, and whether what stands in the way is another's."""
        params, errors = self.params, self.errors
        if params["check_values"]:
            found = check_values(params, self.fetching, chart_inputs(self.stack), errors)
            errors.take(item for item in found if item.severity != NOTE)
        if self.cluster is not None and self._looks_at_releases() and not params["adopt"]:
            errors.take(foreign(self.cluster, self.result_stack))

    def _looks_at_releases(self) -> bool:
        # Where the stack's namespace is absent, releases may still be in one of a component's own.
        elsewhere = any(part.namespace != self.stack.namespace for part in self.stack.parts())
        there = self.facts.namespace is not None or elsewhere
        return self.params["find_settled"] and self.cluster is not None and there

    def find_settled(self) -> None:
        """Find by component the results of releases that are as wanted and ready, and which are there at all."""
        if self.cluster is None or not self._looks_at_releases():
            return
        work = self._at_work()
        for component in self.stack.at_work:
            parts = [part.as_dict() for part in component.parts()]
            releases = [part for part in parts if part["kind"] == RELEASE]
            if releases and self.errors:
                # Nothing will be deployed; but what is there tells whose the objects are.
                release.look(work, releases)
            elif releases and (found := kinds.settled(work, parts)) is not None:
                self.settled[component.name] = found

    def _at_work(self) -> Work:
        """Return the means to look at what is there; nothing is rendered, waited for or changed by them."""
        if self.work is None:
            names = ("helm_binary", "kustomize_binary", "chart_cache", "plain_http", "image_registry", "secrets")
            params = {name: self.params.get(name) for name in names}
            params.update(fail_fast=False, fail_fast_grace=0)
            self.work = Work(t.cast(Cluster, self.cluster), params, check=True)
        return self.work

    def _rules_wanted(self) -> bool:
        """Return whether to check the rules: of a whole stack with something to do, or of any that is only planned."""
        if self.cluster is None or self.params["check_rules"] == "off" or not self.whole:
            return False
        if self.errors:
            return self.params["check_rules"] == "error"
        releases = {
            part.component for component in self.stack.at_work for part in component.parts() if part.kind == RELEASE
        }
        return (self._plans() and self.params["approval"] == "off") or bool(releases - set(self.settled))

    def _objects_change(self) -> bool:
        """Return whether something changes that no release has: a graph of Dynamo makes pods as well."""
        if self.params["check_rules"] == "off" or self.errors or self.actions is None or self.actions.exception():
            return False
        releases = {part.component for part in self.stack.parts() if part.kind == RELEASE}
        found = (one for one in self.actions.result() if not one.unwanted)
        return any(one.action != REUSE and one.component not in releases for one in found)

    def _plans(self) -> bool:
        """Return whether a plan is asked for."""
        return self.whole and self.params["find_settled"]

    @property
    def whole(self) -> bool:
        """Whether all components are asked for."""
        return not set(COMPONENTS) - set(self.params["only"])

    def render(self) -> None:
        """Render the charts of what is not known to need nothing."""
        if self.cluster is None or not (self._plans() and not self.errors or self._rules_wanted()):
            return
        work = self._at_work()
        where, what = (self.cluster, work.inventory), (self.stack, self.result_stack)
        if self._plans() and self._looks_at_releases():
            places, home = [part.namespace for part in self.stack.parts()], self.params["records_dir"]
            records = os.path.join(home, self.params["cluster_name"]) if home else ""
            self.search = _started(Search(work, self.stack.namespace, places, records).look)
        weights = (self.params["access"], self.params["capacity"])
        self.rules = StackRules(*where, *what, self.fetching, *weights)
        there = {key: found for key, found in work.current.items() if found.status != "uninstalled"}
        self.rules.existing, known = set(there), work.manifests
        changing = [found for key, found in there.items() if key not in known]
        self.rules.present = {one.name: work.inventory.scoped(one.manifest, one.namespace) for one in changing}
        try:
            for part in self.stack.parts():
                if part.kind not in (RELEASE, OBJECTS):
                    self.rules.laid_out[part.key] = kinds.render(work, [part.as_dict()])[part.key]
            rendered = self.rules.render(known)
            errors = [finding_at(name, text, rule="planning") for name, text in rendered.errors]
            self.parts = rendered.parts
            self.result_stack.update(served(self.result_stack, build_model(self.parts)))
            objects = [item for part in self.parts for item in part.manifests]
            self.notes += hinted(objects, self.params["image_registry"])
        except OrchestratorError as exc:
            errors = [finding_at("", str(exc), rule="planning")]
        # Where mistakes are known, a chart that does not render is most often one of them.
        if not self.errors:
            self.errors.take(errors)

    def discover(self) -> None:
        """Begin to find out what becomes of every object: the API server is asked while the rules read their facts."""
        if self.rules is None or not self.parts or not self._plans():
            return
        work = self._at_work()
        self.planner = Planner(work, self.params, self.stack, self.result_stack, self.fetching)
        moving = [component for component in self.stack.at_work if component.name not in self.settled]
        self.planner.redefined = {kind for component in moving for kind in component.brings()}
        self.planner.unwanted = self._unwanted(work)
        if self.params["prune"] != "false":
            self.rules.unwanted = frozenset(key for one in self.planner.unwanted for key in one.keys)
        self.actions = _started(self.planner.actions, self.parts, work.current)

    def _unwanted(self, work: Work) -> list[Unwanted]:
        """Return what is there of this stack and no part has any more."""
        if self.search is None or work.unread:
            return []
        releases = {(part.name, part.namespace) for part in self.stack.parts() if part.kind == RELEASE}
        wanted = [item for part in self.parts for item in work.inventory.placed(part.manifests, part.namespace)]
        for part in self.stack.parts():
            if part.kind != RELEASE:
                wanted += t.cast(Objects, kinds.laid_out(work, part.as_dict())).given
        kept = [one for c in self.stack.at_work for one in outgrown(c.name, c.outgrown(work.cluster))]
        return self.search.result().found(releases, {identity(item) for item in wanted}, kept)

    def check_rules(self) -> None:
        """Check the rules."""
        if self.rules is None or not self.parts or not (self._rules_wanted() or self._objects_change()):
            return
        params = self.params
        self.rules.actions = self.actions
        found = self.rules.findings(self.parts)
        self.notes += self.rules.unread
        # What is another's is said by the plan, object by object.
        found = [item for item in found if item.rule != OWNERS or not self._plans()]
        self.errors.warnings.take(weighed(self.errors, found, params["check_rules"] == "error"))

    def plan(self) -> None:
        """Find out what a deployment would do."""
        if self.cluster is None or not self.parts or not self._plans():
            return
        params = self.params
        work, model = self._at_work(), self.rules.model if self.rules else None
        actions = t.cast("concurrent.futures.Future[list[Action]]", self.actions).result()
        self.planner.make_room(fits_later=bool(model and fit(model).first))
        found = self.planner.found(actions, work.current, self.facts, model)
        self.notes += self.planner.notes
        if not work.unread:
            self.errors.take(refusals(found.actions, params["adopt"]))
        capacity = capacity_report(model) if model else {}
        planned = build(found, [item.as_dict() for item in self.warnings], [], capacity)
        self.notes += approve(self.errors, params, planned, found.actions, check_mode=self.check_mode)
        self.planned = {**planned, "notes": self._notes(), "access": access_report(model)}
        decided = {row["id"] for row in planned["questions"] if row["answer"] == "reuse"}
        self.adopted = sorted({action.component for action in found.actions if action.id in decided})
        self._settle_objects(found.actions)

    def _settle_objects(self, actions: list[Action]) -> None:
        """Find the components whose objects, applied without Helm, are as wanted and ready."""
        busy = {action.component for action in actions if action.action != REUSE and not action.unwanted}
        busy |= {row["component"] for row in self.result_stack["parts"] if row.get("going")}
        for component in self.stack.at_work:
            parts = component.parts()
            mine = [action for action in actions if action.component == component.name]
            if not parts or component.name in busy or any(part.kind == RELEASE for part in parts):
                continue
            live = [action.live for action in mine if action.live is not None]
            if all(whole_state(item, self._at_work().cluster.list).ready for item in live):
                self.settled[component.name] = []

    def waves(self) -> list[list[str]]:
        """Return the components that have something to do by the waves of the component table."""
        busy = {component.name for component in self.stack.at_work if component.parts()}
        return waves(self.params["table"], busy - set(self.settled))

    def all_findings(self) -> list[Finding]:
        """Return the mistakes, then the warnings, each with where its variable stands."""
        places = self.params.get("places") or {}
        return [located(item, places) for item in (*self.errors, *self.errors.warnings)]

    @property
    def warnings(self) -> list[Finding]:
        """The warnings, of what has been accepted too."""
        return [item for item in self.all_findings() if item.severity != ERROR]

    def result(self) -> Object:
        """Return the module's result; raise PlanningFailed where there are mistakes."""
        if self.errors:
            raise PlanningFailed([item for item in self.all_findings() if item.severity == ERROR], self.warnings)
        busy = self.waves()
        stack, findings = self.result_stack, [item.as_dict() for item in self.warnings]
        stack["notes"] = list(dict.fromkeys([*self._notes(), *(item.text() for item in self.warnings)]))
        result = {
            "changed": False,
            "stack": stack,
            "settled": self.settled,
            "waves": busy,
            "needs": needs(self.params["table"], busy),
            "findings": findings,
        }
        asks = self.params["approval"] == "ask" and not self.check_mode
        asked = asks and to_ask(self.planned, prompt=self.params["approve"] == "prompt")
        prune = {"pruned": is_pruned(self.planned), "prune_first": bool(self.planned) and self.planner.first}
        return {**result, "plan": self.planned, "adopted": self.adopted, "to_approve": asked, **prune}

    def _notes(self) -> list[str]:
        """Return what is to be known besides the findings; of an absent secret only where no finding has it."""
        missing = [one for one in self.stack.absent if not any(item.is_covered_by(one) for item in self.warnings)]
        unused = sorted(self.errors.ids - self.errors.used) if self.rules is not None and self.rules.model else []
        idle = [f"llm_d_accept: {rule} no longer finds anything; remove it." for rule in unused]
        return list(dict.fromkeys([*self.stack.notes, *(one.text() for one in missing), *self.notes, *idle]))


R = t.TypeVar("R")


def _started(action: t.Callable[..., R], *args: t.Any) -> concurrent.futures.Future[R]:
    """Return what an action comes to, which goes on meanwhile."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        return pool.submit(action, *args)
    finally:
        pool.shutdown(wait=False)

# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mutate correct stacks and count how many mistakes planning names; write docs/mutations.md; fail below the target."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import multiprocessing
import re
import sys
import time

import world  # first: it makes the collection importable

import bases  # isort: skip
import dynamo  # isort: skip
import dynamo_table  # isort: skip
import field  # isort: skip
import generic  # isort: skip
import page  # isort: skip
import table  # isort: skip
import table2  # isort: skip
from generic import Case  # isort: skip

TARGET = 0.95


def all_bases() -> dict[str, bases.Base]:
    """Return every correct stack by name."""
    return {**bases.bases(), **field.bases(), **dynamo.bases()}


def all_cases(charts: world.Charts) -> list[Case]:
    """Return every case that a set of charts has a chart for."""
    known = {name: base for name, base in all_bases().items() if charts.router or base.chart == "inferencepool"}
    known = {name: base for name, base in known.items() if base.chart != dynamo.CHART}
    found = [case for base in known.values() for case in generic.cases(base)]
    for kind, names, edits, named in table.PARTS + table2.PARTS + field.PARTS:
        found += [_placed(kind, known[name], edits, named) for name in names if name in known]
    for kind, name, definition, version, named in table2.CLUSTER:
        found.append(Case(kind, name, (), named, (definition, version)))
    return found + (dynamo_table.cases() if charts.platforms else [])


def _placed(kind: str, base: bases.Base, edits: tuple, named: tuple[str, ...]) -> Case:
    """Return a row's case in one base, with the places of the base's chart."""
    places = table.PLACES[base.chart]

    def put(text: str) -> str:
        return re.sub(r"\$\w+", lambda found: places[found[0]], text)

    return Case(
        kind, base.name, tuple((where, put(path), value) for where, path, value in edits), tuple(map(put, named))
    )


@dataclasses.dataclass(frozen=True)
class Result:
    """A case and how planning took it."""

    case: Case
    refused: bool
    named: bool
    text: str


def judge(case: Case, outcome: world.Outcome) -> Result:
    """Return whether a mistake was refused, and whether the message has the right key."""
    told = outcome.refused or bool(outcome.findings)
    return Result(case, outcome.refused, told and any(has(outcome.text, key) for key in case.named), outcome.text)


def has(text: str, key: str) -> bool:
    """Return whether a text names a key: the whole of it, not a part of a longer word."""
    return re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text) is not None


_planner: world.Planner | None = None
_bases: dict[str, bases.Base] = {}
_cases: list[Case] = []


def _start(charts: world.Charts) -> None:
    global _planner, _bases, _cases
    _planner, _bases, _cases = world.Planner(charts), all_bases(), all_cases(charts)


def run_base(name: str) -> tuple[str, world.Outcome]:
    """Plan one correct stack."""
    assert _planner
    return name, _planner.plan(_bases[name])


def run_case(number: int) -> tuple[int, world.Outcome]:
    """Plan one mutated stack; by its number, since its changes are functions, which do not travel."""
    assert _planner
    case = _cases[number]
    return number, _planner.plan(_bases[case.base].changed(case.edits))


def measure(
    charts: world.Charts, names: list[str], numbers: list[int], jobs: int
) -> tuple[dict[str, world.Outcome], list[Result]]:
    """Return what planning says of correct stacks, by their names, and of the cases with these numbers."""
    cases, place = all_cases(charts), world.World()
    place.prepare()
    usual = [number for number in numbers if not cases[number].without]
    outcomes: dict[int, world.Outcome] = {}
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start, (charts,)) as pool:
        correct = dict(pool.map(run_base, names))
        outcomes.update(pool.map(run_case, usual, chunksize=8))
        for number in numbers:
            without = cases[number].without
            if without:
                with place.without(*without):
                    outcomes[number] = pool.submit(run_case, number).result()[1]
    return correct, [judge(cases[number], outcomes[number]) for number in numbers]


def rate(results: list[Result]) -> float:
    """Return the share of cases named with the right key."""
    return sum(result.named for result in results) / max(len(results), 1)


def report(charts: world.Charts, correct: dict[str, world.Outcome], results: list[Result], seconds: float) -> bool:
    """Print what was found; return whether the target is reached."""
    alarms = {name: outcome for name, outcome in correct.items() if outcome.refused or outcome.findings or outcome.text}
    for name, outcome in alarms.items():
        print(f"FALSE ALARM {charts.name} {name}: {outcome.text} {[item['rule'] for item in outcome.findings]}")
    for result in results:
        if not result.named:
            what = "wrong key" if result.refused else "not refused"
            print(
                f"MISS ({what}) {result.case.title}\n     wanted {' or '.join(result.case.named)}\n     {result.text}"
            )
    share = rate(results)
    print(
        f"{charts.name} charts: {len(results)} cases of {len({r.case.kind for r in results})} kinds, "
        f"{sum(r.refused for r in results)} refused, {sum(r.named for r in results)} named with the right key "
        f"({share:.1%}), {len(correct)} correct stacks with {len(alarms)} alarms, {seconds:.0f} s"
    )
    return share >= TARGET and not alarms


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--charts", help="NAME=INFRA,INFERENCEPOOL,MODELSERVICE[,ROUTER]: folders or archives", default=""
    )
    parser.add_argument(
        "--dynamo",
        help="VERSION=PLATFORM,CRDS,ROUTER: charts for versions of Dynamo that begin so, CRDS empty from 1.0 on",
        action="append",
        default=[],
    )
    parser.add_argument("--only", help="a regular expression that a case's title has to match", default="")
    parser.add_argument("--quick", action="store_true", help="one case of each kind, of all stacks in turn")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write the numbers into docs/mutations.md")
    return parser.parse_args()


def chosen(text: str, dynamo_charts: list[str]) -> world.Charts:
    """Return the charts that options name, those of the lab where they are empty."""
    name, _equals, paths = text.partition("=")
    charts = world.Charts(name, *paths.split(",")) if text else world.LAB
    rows = {key: tuple(rest.split(",")) for key, _eq, rest in (entry.partition("=") for entry in dynamo_charts)}
    return dataclasses.replace(charts, platforms=rows) if rows else charts


def one_of_each(kinds: list[str], numbers: list[int]) -> list[int]:
    """Return a number for each kind; of a kind's cases another one each time, so that all stacks have some."""
    rows: dict[str, list[int]] = {}
    for kind, number in zip(kinds, numbers, strict=True):
        rows.setdefault(kind, []).append(number)
    return sorted(row[index % len(row)] for index, row in enumerate(rows.values()))


def main() -> int:
    """Run; return the exit code."""
    options = arguments()
    charts, begin = chosen(options.charts, options.dynamo), time.monotonic()
    cases = all_cases(charts)
    numbers = [number for number, case in enumerate(cases) if re.search(options.only, case.title)]
    names = list(dict.fromkeys(cases[number].base for number in numbers))
    if options.quick:
        numbers = one_of_each([cases[number].kind for number in numbers], numbers)
    correct, results = measure(charts, names, numbers, options.jobs)
    good = report(charts, correct, results, time.monotonic() - begin)
    if options.write:
        page.write(charts.name, correct, results, {name: base.about for name, base in all_bases().items()})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

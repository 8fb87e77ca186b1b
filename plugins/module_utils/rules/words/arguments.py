# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what programs are started with: the arguments of model servers, routing sidecars and endpoint pickers.

Which words a program knows is data by version, in programs/; the version is that of the image.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ...base.data import dicts, dig, mapping, texts
from ...base.findings import WARNING, Finding
from ...model.items import Item, Workload
from ...model.model import StackModel
from ...objects.servers import SHELLS, Server
from ...programs import pickers, sglang, sidecars, vllm
from ...programs.command_lines import Dialect, Fault, Given, arguments, faults, word_of
from ...programs.images import Contents, contents
from ...programs.shapes import Misfit, misfits
from ...programs.tables import Span, Table, guess
from ..base import Path, Side, container_side, finding, rule_factory
from ..pools import selected

_ARGPARSE, _VLLM, _GO = Dialect(), Dialect(underscores=True), Dialect(go=True)
# By what an image holds: the table of its arguments, and how it reads them.
_PROGRAMS: dict[str, tuple[Table, Dialect]] = {
    "vllm": (vllm.ARGUMENTS, _VLLM),
    "sglang": (sglang.ARGUMENTS, _ARGPARSE),
    "sidecar": (sidecars.FLAGS, _GO),
    "epp": (pickers.EPP_FLAGS, _GO),
    "router": (pickers.ROUTER_FLAGS, _GO),
}
# The keys of the routing sidecar's values that are flags.
_SIDECAR_KEYS = {"connector": "connector", "kv-connector": "connector"}
# What is weighed by other rules, which name both places where the values differ.
_WEIGHED = ("port", "served-model-name", "grpc-port", "pool-name", "pool-namespace", "pool-group", "config-file")
# Arguments without which vLLM ends at others (vllm/entrypoints/openai/cli_args.py, validate_parsed_serve_args).
_NEEDS = {"enable-auto-tool-choice": "tool-call-parser"}
_CHART_COMMANDS = ("vllmServe", "imageDefault")


@dataclasses.dataclass(frozen=True)
class Invocation:
    """A program as a container starts it. lead: the words before its first argument; place: where an argument stands;
    scripted: whether a shell script starts it; pools: the titles of those that select its pods."""

    item: Item
    program: str
    image: str
    lead: list[str]
    given: list[Given]
    place: t.Callable[[Given, bool], Side]
    scripted: bool = False
    pools: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        """The words of the program."""
        return _PROGRAMS[self.program][0]

    @property
    def dialect(self) -> Dialect:
        """How the program reads them."""
        return _PROGRAMS[self.program][1]

    @property
    def span(self) -> Span | None:
        """The versions that the image may hold, None where it does not say."""
        return span_of(contents(self.image), self.program, self.table)

    @property
    def title(self) -> str:
        """Return 'Deployment demo/a-decode starts vLLM 0.18'."""
        version = f" {self.span}" if self.span else ""
        unsure = "" if self.span and self.span.sure else f", whose version is not in the image name {self.image},"
        newer = (
            (f" (image {self.image} is newer than the known versions)") if self.span and not self.span.sure else unsure
        )
        return f"{self.item.title} starts {self.table.program}{version}{newer}"


def span_of(image: Contents, program: str, table: Table) -> Span | None:
    """Return the versions of a program that an image may hold, None where that is not known."""
    return table.span(image.low, image.high) if image.program == program else None


def _invocations(model: StackModel) -> list[Invocation]:
    if "invocations" not in model.cache:
        found = [*_server_invocations(model), *_picker_invocations(model)]
        model.cache["invocations"] = [one for one in found if not one.table.is_older(contents(one.image).low)]
    return model.cache["invocations"]


def _server_invocations(model: StackModel) -> t.Iterator[Invocation]:
    pools: dict[str, list[str]] = {}
    for pool in model.pools:
        for workload in selected(pool, model):
            pools.setdefault(workload.item.title, []).append(pool.item.title)
    for workload in (w for w in model.workloads if not w.item.live):
        for server in (*workload.models, *workload.sidecars):
            if server.program in _PROGRAMS:
                yield _server_invocation(workload, server, tuple(pools.get(workload.item.title, ())))


def _server_invocation(workload: Workload, server: Server, pools: tuple[str, ...]) -> Invocation:
    command = server.container.get("command")
    scripted = isinstance(command, list) and bool(command) and str(command[0]).rpartition("/")[2] in SHELLS

    def place(one: Given, word: bool) -> Side:
        if server.program == "sidecar":
            key = _SIDECAR_KEYS.get(one.shown.lstrip("-"))
            return Side(workload.item, container_side(workload, server).path, "sidecar", (key,) if key else ())
        return argument_side(workload, server, one, word)

    lead, given = arguments(_options(server.line))
    return Invocation(
        workload.item, server.program, str(server.container.get("image")), lead, given, place, scripted, pools
    )


def _options(line: list[str]) -> list[str]:
    """Return what a program gets, without the command that starts it."""
    for place, word in enumerate(line[:3]):
        if word in ("vllm.entrypoints.openai.api_server", "sglang.launch_server"):
            return line[place + 1 :]
    return line[2:] if line[1:2] == ["serve"] else line


def argument_side(workload: Workload, server: Server, one: Given, word: bool = True) -> Side:
    """Return the place of an argument: of the user's own values where it stands there, else of all arguments."""
    side = container_side(workload, server, "args")
    for layer in reversed(workload.item.layers):
        items = dig(layer.values, side.key, None) if side.key else None
        if not isinstance(items, list):
            continue
        written = texts(items)
        at = next((place for place, text in enumerate(written) if _is_item(text, one)), None)
        if at is None:
            return side
        behind = not word and not one.joined and written[at + 1 : at + 2] == list(one.values[:1])
        return Side(side.item, side.path, "values", (*side.key, at + 1 if behind else at))
    return side


def _is_item(text: str, one: Given) -> bool:
    """Return whether an item of the values gives an argument: it is it, or a script that has it."""
    return text == one.text or ("\n" in text and one.shown in text)


def _picker_invocations(model: StackModel) -> t.Iterator[Invocation]:
    for picker in (picker for picker in model.pickers if not picker.item.live):
        image = str(picker.container.get("image"))
        program = contents(image).program
        args: Path = ("spec", "template", "spec", "containers", picker.index, "args")

        def place(one: Given, _word: bool, item: Item = picker.item, args: Path = args) -> Side:
            return Side(item, args, "epp_flags", (one.shown.removeprefix("--"),))

        lead, given = arguments(picker.line)
        kept = program if program in ("epp", "router") else "router"
        yield Invocation(picker.item, kept, image, lead, given, place)


@dataclasses.dataclass(frozen=True)
class _Found:
    """What is wrong with a start. sure: whether the image's version is among those known."""

    kind: str
    sure: bool
    finding: Finding


def _found(model: StackModel) -> list[_Found]:
    if "arguments" not in model.cache:
        model.cache["arguments"] = [one for start in _invocations(model) for one in _faults(start)]
    return model.cache["arguments"]


def _faults(start: Invocation) -> t.Iterator[_Found]:
    span = start.span
    sure = span is not None and span.sure
    for fault in faults(start.given, start.table, span, start.dialect, not start.scripted):
        source = start.table.source.replace("VERSION", f"{span}.x") if sure else start.table.source
        text = f"{start.title} with {fault.given.shown}, {fault.text} ({source})"
        key = ("word", start.item.title, fault.given.shown)
        one = finding(text, (start.place(fault.given, fault.word),), key, explains=_explained(start, fault.given))
        yield _Found("word" if fault.word else "value", sure, one)
    for fault in _lines(start, span):
        text = f"{start.title} with {fault.given.shown}, {fault.text}"
        yield _Found("value", sure, finding(text, (start.place(fault.given, False),), ("line", start.item.title, text)))
    if start.program == "vllm":
        for given, misfit in _json_faults(start, span):
            where = ".".join(map(str, misfit.path))
            text = f"{start.title} with {given.shown}, whose key {where} {misfit.text}"
            key = ("json", start.item.title, f"{given.shown} {where}")
            one = finding(text, (start.place(given, False),), key, explains=_explained(start, given))
            yield _Found("json", sure, one)


def _lines(start: Invocation, span: Span | None) -> t.Iterator[Fault]:
    """Yield what is wrong with a command line as a whole: stray words, and arguments that need others."""
    known = start.table.words(span)
    words = [(one, word_of(one, known, start.dialect)) for one in start.given]
    # Behind `serve MODEL` no word stands alone.
    if start.program == "vllm" and not start.scripted and len(start.lead) > 1 and "$" not in " ".join(start.lead):
        yield Fault(Given(start.lead[1], (), 1), "which belongs to no argument: the model stands before it", False)
    if not start.scripted and (start.lead if start.program == "vllm" else start.program == "sglang"):
        for one, word in words:
            takes = 0 if word and word.takes_none else 1 if word and word.takes_value and word.is_single else None
            stray = one.values[takes:] if takes is not None and " " not in one.shown else ()
            if stray and not (takes == 0 and one.joined) and stray[0].lower() not in ("true", "false"):
                dashes = " Did you mean --" + stray[0] + "?" if stray[0].partition("=")[0] in known else ""
                yield Fault(one, f"and then {stray[0]!r}, which belongs to no argument.{dashes}", False)
    have = {word.name for _one, word in words if word}
    for one, word in words:
        needed = _NEEDS.get(word.name) if word and start.program == "vllm" else None
        if needed and needed not in have and not any("$" in given.shown for given in start.given):
            yield Fault(one, f"which needs --{needed} besides", False)


def _explained(start: Invocation, given: Given) -> tuple[tuple[str, str], ...]:
    """Return the keys of what follows from settings of KV transfer or events that a server does not take."""
    follows = ("connector", "events") if given.shown.startswith("--kv") else ()
    return tuple((what, pool) for pool in start.pools for what in follows)


def _json_faults(start: Invocation, span: Span | None) -> t.Iterator[tuple[Given, Misfit]]:
    known = start.table.words(span)
    for given in start.given:
        word = word_of(given, known, start.dialect)
        table = vllm.KEYS.get(word.kind.partition(":")[2]) if word and given.values else None
        value = _map(given.values[0]) if table else None
        if table and value is not None:
            tree = {key.name: _json_kind(key.kind) for key in table.words(span).values()}
            yield from ((given, misfit) for misfit in misfits(tree, value))
            yield from ((given, misfit) for misfit in _connectors(value, span))


def _map(text: str) -> dict[str, t.Any] | None:
    try:
        loaded = json.loads(text)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _json_kind(kind: str) -> str:
    return "any" if kind in ("json", "text") else kind


def _connectors(value: dict[str, t.Any], span: Span | None, path: Path = ()) -> t.Iterator[Misfit]:
    """Yield the connectors that vLLM does not have, those inside a MultiConnector too."""
    name = value.get("kv_connector")
    if isinstance(name, str) and name and not value.get("kv_connector_module_path"):
        known = vllm.CONNECTORS.words(span)
        if name not in known:
            where = vllm.CONNECTORS.elsewhere(name)
            hint = f" vLLM has it {where}." if where else guess(name, known)
            yield Misfit((*path, "kv_connector"), f"is {name}, which is not a connector.{hint}")
        if "kv_role" not in value:
            yield Misfit((*path, "kv_role"), "is missing beside kv_connector")
    inner = mapping(value.get("kv_connector_extra_config")).get("connectors")
    for place, one in enumerate(dicts(inner)):
        yield from _connectors(one, span, (*path, "kv_connector_extra_config", "connectors", place))


def _of(kinds: tuple[str, ...], sure: bool) -> t.Callable[[StackModel], t.Iterator[Finding]]:
    def check(model: StackModel) -> t.Iterator[Finding]:
        return (one.finding for one in _found(model) if one.kind in kinds and one.sure is sure)

    return check


def once(model: StackModel) -> t.Iterator[Finding]:
    """An argument that is given twice has one value: the last one counts."""
    for start in _invocations(model):
        known = start.table.words(start.span)
        seen: dict[str, Given] = {}
        if start.program == "vllm" and start.lead:
            seen["model"] = Given("serve", (start.lead[0],), 0)
        for one in start.given:
            word = word_of(one, known, start.dialect)
            if word is None or word.name in _WEIGHED or "." in one.shown or word.kind.startswith(("list", "any")):
                continue
            first = seen.setdefault(word.name, one)
            if one.values[:1] != first.values[:1]:
                both = " and ".join(_shown(each) for each in (first, one))
                text = f"{start.item.title} starts {start.table.program} with {both}: the last one wins"
                sides = tuple(start.place(each, True) for each in (one, first) if each.shown.startswith("-"))
                yield finding(text, sides, ("twice", start.item.title, word.name))


def _shown(one: Given) -> str:
    return " ".join((one.shown, *one.values[:1]))


def commands(model: StackModel) -> t.Iterator[Finding]:
    """A container whose command the chart writes has none of its own."""
    for workload in (w for w in model.workloads if not w.item.live):
        for server in workload.models:
            side = container_side(workload, server)
            written = [dig(layer.values, side.key) for layer in reversed(workload.item.layers) if side.key]
            given = mapping(next((one for one in written if one is not None), None))
            own, mode = given.get("command"), given.get("modelCommand")
            if own and mode in _CHART_COMMANDS and own != server.container.get("command"):
                text = f"modelCommand {mode} makes the chart write the command: {' '.join(texts(own))} has no effect"
                sides = (dataclasses.replace(side, more=(*side.more, "command")),)
                yield finding(text, sides, ("command", workload.item.title))


_rule = rule_factory("LLMD5")
_SOURCE = "the programs' sources, by version: plugins/module_utils/programs"

RULES = (
    _rule(
        50,
        "Programs know their arguments",
        _of(("word",), True),
        "vLLM, SGLang, the routing sidecar and the endpoint picker know every argument in the version of their image.",
        "The program exits at start (unrecognized arguments, unknown flag): CrashLoopBackOff.",
        "correct the argument, or use an image whose version has it",
        _SOURCE,
    ),
    _rule(
        51,
        "Arguments are known to some version",
        _of(("word", "value", "json"), False),
        "Of an image whose version is not among those known, arguments and values are as a known version takes them.",
        "The program may exit at start: CrashLoopBackOff.",
        "correct the argument, or leave it if the image's own version takes it",
        _SOURCE,
        WARNING,
    ),
    _rule(
        52,
        "Arguments have a valid value",
        _of(("value",), True),
        "A number is in its range, a choice is one of those allowed, and a switch has no value.",
        "The program exits at start (invalid value, expected one argument): CrashLoopBackOff.",
        "correct the value",
        _SOURCE,
    ),
    _rule(
        53,
        "Arguments are given once",
        once,
        "An argument that is given several times, by the chart or under another spelling too, has the same value.",
        "The last one wins.",
        "remove one of them: parallelism sets tensor and data sizes, routing the port",
        "Python, argparse; Go, flag",
        WARNING,
    ),
    _rule(
        54,
        "vLLM knows the keys of its JSON arguments",
        _of(("json",), True),
        "The keys of --kv-transfer-config, --kv-events-config and --ec-transfer-config, and their roles and "
        "connectors, are known to vLLM.",
        "vLLM exits at start, or ignores the key: no KV transfer, no KV events, and no error.",
        "correct the key or its value",
        _SOURCE,
    ),
    _rule(
        55,
        "A command is set once",
        commands,
        "A container with modelCommand vllmServe or imageDefault has no command of its own.",
        "The command in the values has no effect: the chart writes another.",
        "remove command, or set modelCommand: custom and write all args",
        "llm-d-modelservice, templates/_helpers.tpl",
    ),
)

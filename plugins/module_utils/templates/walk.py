# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Follows a chart's templates with the paths that each expression may come from, in the order Helm renders them.

Nothing is rendered. All branches are followed, helpers with the dot they are called with, loops once for any entry. The
answer is an over-approximation; what cannot be followed is marked so that nothing is taken for unread by mistake.
"""

from __future__ import annotations

import collections
import typing as t

from ..charts.files import ChartFiles
from . import reads
from .collections import FUNCTIONS
from .nodes import ActionNode, Block, Call, Const, FieldNode, Name, Node, Operand, Pipe, Text
from .origins import ITEM, Held, Path, TooLarge, opaque, union
from .reads import Reads
from .sources import Sources

# Steps after which a chart is too large to follow; of public charts, airflow takes 70 000, most below 5 000.
MAX_STEPS = 200_000
MAX_RECURSION = 3
MAX_CALLS = 24
# Of Helm's own map type, which only a chart's whole values have (pkg/chartutil/values.go).
METHODS = ("AsMap", "Table", "PathValue", "YAML", "Encode")
EMPTY_TEXT = ("{}", "[]", "null", "---", '""')


def read_templates(chart: ChartFiles) -> Reads:
    """Return what a chart's templates read; a subchart's values stand below its name or alias."""
    walker = Walker(chart)
    try:
        walker.run()
    except (TooLarge, RecursionError) as exc:
        walker.reads.cannot_follow(f"the templates are too large to follow: {str(exc)[:80]}")
    return walker.reads


def user_paths(text: str) -> list[Path]:
    """Return the paths that templates in a user's values read, where a chart runs them in its own context."""
    found = read_templates(ChartFiles("", "", "", {}, text, None, {}, ()))
    return sorted(path for path, _node in found.root.below())


class Frame:
    """Where evaluation stands: the file, the dot, the variables in scope, and what the template puts out.

    out: None in a file that is rendered; in a helper, the texts it puts out, which its caller may still parse.
    """

    __slots__ = ("dot", "file", "out", "scope")

    def __init__(self, file: str, dot: Held, scope: collections.ChainMap[str, Held], out: list[Held] | None) -> None:
        self.file, self.dot, self.scope, self.out = file, dot, scope, out

    def inner(self, dot: Held | None = None) -> Frame:
        return Frame(self.file, self.dot if dot is None else dot, self.scope.new_child(), self.out)


class Walker:
    """Follows all templates of a chart and its subcharts."""

    def __init__(self, chart: ChartFiles) -> None:
        self.reads = Reads()
        self.sources = Sources(chart, self.reads)
        self.roots = set(self.sources.roots)
        # What templates set into .Values, and into the context itself.
        self.written: dict[Path, Held] = {}
        self.context: dict[tuple[Path, str], Held] = {}
        self.merged: dict[Path, Held] = {}
        self.memo: dict[t.Any, Held] = {}
        self.running: collections.Counter[str] = collections.Counter()
        self.calls = self.steps = 0
        self.lenient = False

    def run(self) -> None:
        """Render every page; again where the first time wrote values that earlier pages read."""
        for _round in range(2):
            written = len(self.written), len(self.context), len(self.merged)
            self.memo.clear()
            for file, nodes, prefix in self.sources.pages:
                # Templates in values may be meant for another program (Alertmanager, Grafana).
                self.lenient = file.endswith("values.yaml")
                self.page(file, nodes, Held(roots=[prefix]))
            if written == (len(self.written), len(self.context), len(self.merged)):
                break
        self.dump_written()

    def dump_written(self) -> None:
        """Take what was set or merged into a free-form place for free-form too."""
        for _round in range(3):
            for path, held in [*self.written.items(), *self.merged.items()]:
                nodes = [self.reads.root.at(path[:length]) for length in range(len(path) + 1)]
                if any(node is not None and reads.FREE in node.uses for node in nodes):
                    self.reads.dump(held)

    def page(self, file: str, nodes: list[Node], dot: Held) -> None:
        self.nodes(nodes, Frame(file, dot, collections.ChainMap({"$": dot}), None))

    def nodes(self, nodes: list[Node], frame: Frame) -> None:
        for node in nodes:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise TooLarge(f"more than {MAX_STEPS} steps")
            if isinstance(node, ActionNode):
                held = self.pipe(node.pipe, frame)
                if not node.pipe.targets:
                    self.emit(held, frame)
            elif isinstance(node, Block):
                self.block(node, frame)
            elif isinstance(node, Call):
                dot = self.pipe(node.pipe, frame) if node.pipe else opaque()
                self.emit(self.include(Held(consts=[node.name]), dot, frame, node.line), frame)
            elif isinstance(node, Text) and frame.out is not None and node.text not in EMPTY_TEXT:
                frame.out.append(Held(mixed=True, opaque=True))

    def emit(self, held: Held, frame: Frame) -> None:
        """Put out an expression: what was serialised is then in the manifest as it is."""
        self.reads.use_all(held, reads.TEXT)
        for entry in held.entries():
            self.reads.dump(entry)
        if frame.out is None:
            self.reads.dump(held.yaml)
        else:
            other = held.mixed or held.opaque and held.yaml is None or bool(held.consts)
            frame.out.append(Held(yaml=held.yaml, mixed=other, opaque=True))

    def block(self, node: Block, frame: Frame) -> None:
        frame = frame.inner()
        held = self.pipe(node.pipe, frame, bind=node.kind != "range")
        if node.kind == "range":
            self.loop(node, held, frame)
        else:
            self.reads.use_all(held, reads.CONDITION)
            self.nodes(node.body, frame.inner(held if node.kind == "with" else None))
        self.nodes(node.orelse, frame.inner())

    def loop(self, node: Block, held: Held, frame: Frame) -> None:
        names = node.pipe.targets
        self.reads.use_all(held, reads.RANGE_MAP if len(names) > 1 else reads.RANGE)
        item = self.item(held)
        made = held.keys if held.keys is not None and held.rest is None and not held.refs else None
        texts = [name for name in made or {} if isinstance(name, str)]
        key = Held(consts=texts) if made and len(texts) == len(made) and not held.opaque else opaque()
        for again in (False, True) if _assigns(node.body) else (False,):
            # Again, for what one round assigns and the next one reads; further rounds are not followed.
            before = _refs(frame) if again else None
            inner = frame.inner(item)
            inner.scope.update(zip(names, [item] if len(names) == 1 else [key, item], strict=False))
            self.nodes(node.body, inner)
            self.widen(frame, before)

    def widen(self, frame: Frame, before: set[Path] | None) -> None:
        """Take for free-form what a loop's second round has added to a variable: each round may add more."""
        if before is not None:
            for held in [held for scope in frame.scope.maps for held in scope.values()]:
                self.reads.dump(Held(held.refs - before))

    def pipe(self, pipe: Pipe, frame: Frame, bind: bool = True) -> Held:
        """Return what a pipeline results in, and assign it."""
        self.reads.place = (frame.file, pipe.line)
        held: Held | None = None
        for command in pipe.commands:
            held = self.command(command, held, frame, pipe.line)
        result = t.cast("Held", held)
        for name in pipe.targets if bind else ():
            if pipe.declares:
                frame.scope[name] = result
            else:
                scope = next((scope for scope in frame.scope.maps if name in scope), frame.scope.maps[0])
                scope[name] = union(scope.get(name), result)
        return result

    def command(self, command: tuple[Operand, ...], last: Held | None, frame: Frame, line: int) -> Held:
        head = command[0]
        called = isinstance(head, Name) and head.name[0] not in ".$"
        args = [self.operand(operand, frame) for operand in command[1:]] + ([last] if last is not None else [])
        self.reads.place = (frame.file, line)
        if called:
            return self.call(t.cast("Name", head).name, args, frame, line)
        held = self.operand(head, frame)
        if not args:
            return held
        for arg in args:  # a method of Helm's objects, such as .Capabilities.APIVersions.Has
            self.reads.use_all(arg, reads.TEXT)
        return Held(files=True) if held.files else opaque()

    def call(self, name: str, args: list[Held], frame: Frame, line: int) -> Held:
        if name == "include":
            return self.include(args[0], args[1] if len(args) > 1 else opaque(), frame, line) if args else opaque()
        if name == "tpl":
            return self.tpl(args, frame)
        function = FUNCTIONS.get(name)
        if function is not None:
            return function(self, args)
        for arg in args:
            self.reads.dump(arg)
        if args and not self.lenient:
            self.reads.cannot_follow(f"the function {name} is not known")
        return opaque()

    def operand(self, operand: Operand, frame: Frame) -> Held:
        if isinstance(operand, Const):
            return Held(consts=[operand.value])
        if isinstance(operand, Pipe):
            return self.pipe(operand, frame)
        if isinstance(operand, FieldNode):
            held = self.operand(operand.base, frame)
            for name in operand.names:
                held = self.field(held, name)
            return held
        if operand.name == ".":
            return frame.dot
        if operand.name[0] == "$":
            return frame.scope.get(operand.name) or opaque()
        return self.call(operand.name, [], frame, self.reads.place[1])

    def field(self, held: Held, name: str) -> Held:
        """Return the entry under a name."""
        parts: list[Held | None] = [self.below(path, name) for path in held.refs]
        parts += [self.of_context(root, name) for root in held.roots]
        if held.keys is not None:
            parts.append(held.keys.get(name))
        parts.append(held.rest)
        if held.files:
            parts.append(Held(files=True))
        if name == "BasePath":
            parts.append(Held(consts=["templates"]))
        return union(*parts) if any(parts) else opaque()

    def below(self, path: Path, name: str) -> Held:
        if path in self.roots and name in METHODS:
            if name != "AsMap":
                self.reads.use(path, reads.FREE)
            return Held([path])
        self.reads.use(path, reads.DYNAMIC if name == ITEM else reads.FIELD)
        paths = [(*path, name)]
        if name == "global" and path and path in self.roots:
            paths.append(("global",))  # Helm copies the parent's globals into every subchart's
        merged = self.merged.get(path)
        if merged is not None:
            paths += [(*other, name) for other in merged.refs]
        for found in paths:
            self.reads.use(found, reads.READ)
        parts = [self.written.get(found) for found in paths]
        return union(Held(paths), *parts, (merged.keys or {}).get(name) if merged is not None else None)

    def merged_into(self, path: Path, held: Held) -> None:
        """Note that templates merged something into the values at a path."""
        self.merged[path] = union(self.merged.get(path), held)

    def of_context(self, root: Path, name: str) -> Held | None:
        extra = self.context.get((root, name))
        if name == "Values":
            return union(Held([root]), self.written.get(root), extra)
        if name == "Files":
            return Held(files=True)
        if name == "Subcharts":
            below = {path[-1]: Held(roots=[path]) for path in self.roots if path[:-1] == root and path}
            return Held(keys=t.cast("dict[str | int, Held]", below))
        return extra

    def item(self, held: Held) -> Held:
        """Return any entry of a list or map."""
        parts = [union(Held([(*path, ITEM)]), self.written.get((*path, ITEM))) for path in held.refs]
        for part in parts:
            for path in part.refs:
                self.reads.use(path, reads.READ)
        found = union(*parts, *held.entries(), Held(files=True) if held.files else None)
        return opaque() if found.empty() else found

    def include(self, name: Held, dot: Held, frame: Frame, line: int) -> Held:
        """Return the text that a helper makes of a dot."""
        names = name.exact()
        if not names:  # any of them
            self.reads.use_all(name, reads.TEXT)
            names = list(self.sources.defines)
        texts = [self.helper(found, dot) for found in names]
        self.reads.place = (frame.file, line)
        return union(*texts, opaque())

    def helper(self, name: str, dot: Held) -> Held | None:
        bodies = self.sources.defines.get(name)
        if bodies is None:
            pages = [file for file, _nodes, _prefix in self.sources.pages]
            if self.sources.incomplete and not self.lenient and not any(file.endswith(name) for file in pages):
                self.reads.dump(dot)
                self.reads.cannot_follow(f"the template {name} is in a chart that is not packed with this one")
            return None
        key = (name, dot.signature())
        if key in self.memo:
            return self.memo[key]
        if self.running[name] >= MAX_RECURSION or self.calls >= MAX_CALLS:
            self.reads.dump(Held(dot.refs, keys=_without_context(dot), rest=dot.rest))
            return None
        self.running[name] += 1
        self.calls += 1
        made = [self.body(file, nodes, dot) for file, nodes in bodies]
        self.running[name] -= 1
        self.calls -= 1
        self.memo[key] = union(*made)
        return self.memo[key]

    def body(self, file: str, nodes: list[Node], dot: Held) -> Held:
        out: list[Held] = []
        self.nodes(nodes, Frame(file, dot, collections.ChainMap({"$": dot}), out))
        return union(*out)

    def loaded(self, dot: Held) -> Held:
        """Return the text that any of the chart's other files makes of a dot, run as a template."""
        key = ("", dot.signature())
        if key not in self.memo:
            self.memo[key] = opaque()
            lenient, self.lenient = self.lenient, True
            self.memo[key] = union(*(self.body(file, nodes, dot) for file, nodes, _prefix in self.sources.other))
            self.lenient = lenient
        return self.memo[key]

    def tpl(self, args: list[Held], frame: Frame) -> Held:
        """Return the text that a template held in a value makes; a user's own may print anything."""
        text, dot = (args + [opaque(), opaque()])[:2]
        self.reads.use_all(text, reads.TPL)
        if text.yaml is not None:
            self.reads.use_all(text.yaml, reads.TPL)
        made = [self.loaded(dot)] if text.files else []
        for constant in text.exact():
            made.append(self.body(frame.file, self.sources.parsed(constant, frame.file, (), strict=False), dot))
        return union(*made, Held(yaml=text.yaml, mixed=text.mixed, opaque=True))


def _without_context(dot: Held) -> dict[str | int, Held]:
    return {name: held for name, held in (dot.keys or {}).items() if not held.roots and () not in held.refs}


def _assigns(nodes: list[Node]) -> bool:
    for node in nodes:
        pipe = node.pipe if isinstance(node, (ActionNode, Block)) else None
        if pipe is not None and pipe.targets and (not pipe.declares or _sets(pipe)):
            return True
        if isinstance(node, Block) and (_assigns(node.body) or _assigns(node.orelse)):
            return True
    return False


def _sets(pipe: Pipe) -> bool:
    return any(command[0] == Name("set") for command in pipe.commands)


def _refs(frame: Frame) -> set[Path]:
    return {path for scope in frame.scope.maps for held in scope.values() for path in held.refs}

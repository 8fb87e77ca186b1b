# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about an endpoint picker's plugins file: its keys, plugins, parameters, gates and profiles, and tokenizers.

What a picker knows is data by version, in programs/pickers.py; the version is that of its image.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ...base.data import Object, dicts, mapping
from ...base.findings import WARNING, Finding, show_path
from ...base.suggest import nearest
from ...model.items import Picker
from ...model.model import StackModel
from ...programs import pickers as known
from ...programs.images import contents
from ...programs.shapes import Misfit, Shapes, misfits
from ...programs.tables import LIKE, Span, Table, guess
from ...values.layers import Layer
from ..base import Path, Side, finding, listed, rule_factory
from ..pickers import config_problem, config_root, config_text
from .arguments import span_of

_CONFIG = "EndpointPickerConfig"
_HANDLER, _DECIDER, _SINGLE = "-profile-handler", "-decider", "single-profile-handler"
# llm-d-inference-scheduler, pd-profile-handler: its decider where none is named, since v0.6.
# Parameters of handlers that name a profile which they run whatever else they decide, with their defaults.
_PARTED = {
    "pd-profile-handler": (("decodeProfile", "decode"), ("prefillProfile", "prefill")),
    "disagg-profile-handler": (("decodeProfile", "decode"),),
}
_DEFAULT_DECIDER = "always-disagg-pd-decider"
# disagg-profile-handler and pd-profile-handler: the parameters that name a decider, and those that name a profile.
_DECIDERS = (("deciderPluginName",), ("prefillDeciderPluginName",), ("encodeDeciderPluginName",)) + tuple(
    ("deciders", role) for role in ("prefill", "encode")
)
# Since this version parameters are decoded strictly (llm-d-router, StrictDecoder), and plugins put in order.
# llm-d-kv-cache, services/uds_tokenizer run_grpc_server.py: the folder of its socket, which nothing changes.
_TOKENIZER = ("llm-d-uds-tokenizer", "/".join(("", "tmp", "tokenizer")))
_STRICT, _ORDERED = (0, 9), (0, 10)


@dataclasses.dataclass(frozen=True)
class PluginsFile:
    """A picker's plugins file, read. span: the versions of the picker, of program epp or router."""

    picker: Picker
    config: Object
    layer: Layer
    base: Side
    program: str
    span: Span | None

    @property
    def sure(self) -> bool:
        """Whether the picker's version is among those known."""
        return self.span is not None and self.span.sure

    def side(self, path: Path) -> Side:
        """Return the place of what stands at a path of the file."""
        return dataclasses.replace(self.base, lines=self.layer.mark(path).line)

    def table(self, epp: t.Any, router: t.Any) -> t.Any:
        """Return that of the tables that is of this picker."""
        return epp if self.program == "epp" else router

    @property
    def title(self) -> str:
        """Return 'the plugins file of Deployment demo/gaie-a-epp (picker 0.7)'."""
        version = f" (picker {self.span})" if self.span else " (a picker whose version is not in its image's name)"
        return f"the plugins file of {self.picker.item.title}{version}"

    @property
    def plugins(self) -> list[tuple[int, str, str, Object]]:
        """Each plugin's place, name, type and parameters."""
        rows = enumerate(self.config.get("plugins") or () if isinstance(self.config.get("plugins"), list) else ())
        return [
            (place, str(one.get("name") or one.get("type")), str(one.get("type")), mapping(one.get("parameters")))
            for place, one in rows
            if isinstance(one, dict)
        ]

    @property
    def profiles(self) -> list[tuple[str, list[tuple[int, int, str]]]]:
        """Each profile's name, and its plugins as places and name."""
        rows = self.config.get("schedulingProfiles")
        return [
            (
                str(one.get("name")),
                [(at, place, str(use.get("pluginRef"))) for place, use in enumerate(dicts(one.get("plugins")))],
            )
            for at, one in enumerate(rows if isinstance(rows, list) else ())
            if isinstance(one, dict)
        ]


def _files(model: StackModel) -> list[PluginsFile]:
    if "plugins_files" not in model.cache:
        model.cache["plugins_files"] = list(_read(model))
    return model.cache["plugins_files"]


def _read(model: StackModel) -> t.Iterator[PluginsFile]:
    for picker in (picker for picker in model.pickers if not picker.item.live):
        found = config_text(picker, model)
        root, config = config_root(found[0], model) if found else (None, None)
        if found and root is not None and config is not None:
            image = contents(str(picker.container.get("image")))
            program = "epp" if image.program == "epp" else "router"
            table = known.EPP_FLAGS if program == "epp" else known.ROUTER_FLAGS
            span, layer = span_of(image, program, table), Layer(config, "plugins", root)
            if not table.is_older(image.low):
                yield PluginsFile(picker, config, layer, found[1], program, span)


class _Fault(t.NamedTuple):
    """What is wrong in a file: where, the words for it, and whether the picker ends at it."""

    file: PluginsFile
    path: Path
    text: str
    fatal: bool = True


def _faults(model: StackModel) -> list[_Fault]:
    if "plugins_faults" not in model.cache:
        checks = (_keys, _types, _parameters, _gates, _handlers, _roles, _deciders)
        model.cache["plugins_faults"] = [one for file in _files(model) for check in checks for one in check(file)]
    return model.cache["plugins_faults"]


def _keys(file: PluginsFile) -> t.Iterator[_Fault]:
    shapes: Shapes = file.table(known.EPP_CONFIG, known.ROUTER_CONFIG)
    shape = shapes.known(file.span).get(_CONFIG)
    for one in misfits(shape.tree, file.config) if shape else ():
        yield _Fault(file, one.path, f"{show_path(one.path)} {one.text}")


def _types(file: PluginsFile) -> t.Iterator[_Fault]:
    shapes: Shapes = file.table(known.EPP_PLUGINS, known.ROUTER_PLUGINS)
    have = shapes.known(file.span)
    names: dict[str, int] = {}
    for place, name, kind, _parameters in file.plugins:
        if kind not in have:
            where = shapes.elsewhere(kind)
            hint = f" The picker has it {where}." if where else guess(kind, have)
            yield _Fault(file, ("plugins", place, "type"), f"unknown plugin type {kind}.{hint}")
        if name in names:
            yield _Fault(file, ("plugins", place), f"the name {name} is used by two plugins")
        names[name] = place
    alpha: Table = known.ROUTER_EXPERIMENTAL
    allowed = (
        file.picker.flag("allow-experimental-plugins") is not None or "--allow-experimental-plugins" in file.picker.line
    )
    if file.program == "router" and file.sure and not allowed:
        for place, _name, kind, _parameters in file.plugins:
            if kind in alpha.words(file.span):
                text = f"plugin {kind} is experimental: the picker needs the flag allow-experimental-plugins"
                yield _Fault(file, ("plugins", place, "type"), text)


def _parameters(file: PluginsFile) -> t.Iterator[_Fault]:
    shapes: Shapes = file.table(known.EPP_PLUGINS, known.ROUTER_PLUGINS)
    have = shapes.known(file.span)
    strict = file.program == "router" and file.span is not None and file.span.low >= _STRICT
    for place, name, kind, parameters in file.plugins:
        shape = have.get(kind)
        for one in misfits(shape.tree, parameters, folded=True) if shape and shape.tree is not None else ():
            path = ("plugins", place, "parameters", *one.path)
            text = f"parameter {show_path(one.path)} of plugin {name} {_said(one)}"
            yield _Fault(file, path, text, fatal=strict or one.near or not one.ignored)


def _said(one: Misfit) -> str:
    return one.text.replace("is not a known key", "is not a known parameter")


def _gates(file: PluginsFile) -> t.Iterator[_Fault]:
    table: Table = file.table(known.EPP_GATES, known.ROUTER_GATES)
    have = table.words(file.span)
    gates = file.config.get("featureGates")
    for place, gate in enumerate(gates if isinstance(gates, list) else ()):
        if isinstance(gate, str) and gate not in have:
            where = table.elsewhere(gate)
            hint = f" The picker has it {where}." if where else guess(gate, have)
            yield _Fault(file, ("featureGates", place), f"unknown feature gate {gate}.{hint}")


def _handlers(file: PluginsFile) -> t.Iterator[_Fault]:
    """Several profiles need a handler that chooses among them, and there is one handler at most."""
    handlers = [(place, kind) for place, _name, kind, _parameters in file.plugins if kind.endswith(_HANDLER)]
    kinds = [kind for _place, kind in handlers]
    if len(handlers) > 1:
        yield _Fault(file, ("plugins", handlers[1][0]), f"only one profile handler is allowed, not {listed(kinds)}")
    elif len(file.profiles) > 1 and kinds in ([], [_SINGLE]):
        names = listed(name for name, _plugins in file.profiles)
        what = f"{_SINGLE} allows one profile" if kinds else "no profile handler chooses among them"
        yield _Fault(file, ("schedulingProfiles",), f"it has the profiles {names}, but {what}")


def _roles(file: PluginsFile) -> t.Iterator[_Fault]:
    """The profiles by which a handler parts prefill from decode are there; their names are the handler's to choose."""
    shapes: Shapes = file.table(known.EPP_PLUGINS, known.ROUTER_PLUGINS)
    profiles = [name for name, _plugins in file.profiles]
    for place, _name, kind, parameters in file.plugins:
        shape = shapes.known(file.span).get(kind)
        takes = (shape.tree if shape else None) or {}
        rows = _PARTED.get(kind, ())
        # Without that profile it prefills nothing elsewhere, whatever its decider says, and does not say so.
        unused = kind == "disagg-profile-handler" and _decides_prefill(parameters)
        rows += (("prefillProfile", "prefill"),) if unused else ()
        for key, default in rows if profiles else ():
            wanted = str(parameters.get(key) or default)
            if key in takes and "profiles" not in parameters and wanted not in profiles:
                path: Path = ("plugins", place, "parameters", key) if parameters.get(key) else ("schedulingProfiles",)
                text = f"{kind} runs the profile {wanted}, which does not exist; available: {listed(profiles)}."
                fatal = not (unused and key == "prefillProfile")
                yield _Fault(file, path, text + guess(wanted, profiles), fatal)


def _decides_prefill(parameters: Object) -> bool:
    """Return whether a handler is told who decides on a prefill elsewhere."""
    named = [parameters.get(way[0]) for way in _DECIDERS if way[0] in ("deciderPluginName", "prefillDeciderPluginName")]
    return any(named) or bool(mapping(parameters.get("deciders")).get("prefill"))


def _deciders(file: PluginsFile) -> t.Iterator[_Fault]:
    """A handler's decider is declared, before the handler where the picker makes plugins in the order of the file."""
    declared = {name: (place, kind) for place, name, kind, _parameters in file.plugins}
    shapes: Shapes = file.table(known.EPP_PLUGINS, known.ROUTER_PLUGINS)
    for place, _name, kind, parameters in file.plugins:
        if not kind.endswith(_HANDLER):
            continue
        for way, decider in _named_deciders(kind, parameters, shapes, file.span):
            path: Path = ("plugins", place, "parameters", *way) if way else ("plugins", place)
            at, of = declared.get(decider, (-1, ""))
            if at < 0:
                those = [name for name, (_at, one) in declared.items() if one.endswith(_DECIDER)]
                yield _Fault(
                    file, path, f"{kind} uses the decider {decider}, which is not declared.{guess(decider, those)}"
                )
            elif not of.endswith(_DECIDER) and of in shapes.known(file.span):
                yield _Fault(file, path, f"{kind} uses {decider} as its decider, which is a {of}")
            elif at > place and file.sure and file.span is not None and file.span.high < _ORDERED:
                yield _Fault(file, path, f"{kind} uses the decider {decider}, which must be declared before it")


def _named_deciders(kind: str, parameters: Object, shapes: Shapes, span: Span | None) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for way in _DECIDERS:
        value: t.Any = parameters
        for step in way:
            value = mapping(value).get(step)
        if isinstance(value, str) and value:
            found.append((way, value))
    shape = shapes.known(span).get(kind)
    if kind == "pd-profile-handler" and not found and span and shape and "deciderPluginName" in (shape.tree or {}):
        found.append(((), _DEFAULT_DECIDER))
    return found


def references(model: StackModel) -> t.Iterator[Finding]:
    """A plugins file is YAML, and its profiles use the plugins that it declares."""
    for picker in (picker for picker in model.pickers if not picker.item.live):
        found = config_text(picker, model)
        problem = config_problem(found[0], model) if found else ""
        if found and problem:
            yield finding(f"the plugins file of {picker.item.title} cannot be read: {problem}", (found[1],))
    for file in _files(model):
        shapes: Shapes = file.table(known.EPP_PLUGINS, known.ROUTER_PLUGINS)
        declared = {name: kind for _place, name, kind, _parameters in file.plugins}
        sound = [name for name, kind in declared.items() if kind in shapes.known(file.span)]
        for name, at in {ref: (at, place) for _profile, uses in file.profiles for at, place, ref in uses}.items():
            # A type that is misspelt where it is declared is named there.
            meant = nearest(name, declared, LIKE)
            if name not in declared and not (meant and meant not in sound):
                text = f"{file.picker.item.title} must use the plugin {name}, which its file does not declare."
                side = file.side(("schedulingProfiles", at[0], "plugins", at[1]))
                key = ("plugin", file.picker.item.title, name)
                yield finding(text + guess(name, sound), (side,), key)


def _found(one: _Fault) -> Finding:
    return finding(
        f"{one.file.title}: {one.text}", (one.file.side(one.path),), ("plugins", one.file.picker.item.title, *one.path)
    )


def fatal(model: StackModel) -> t.Iterator[Finding]:
    return (_found(one) for one in _faults(model) if one.fatal and one.file.sure)


def doubtful(model: StackModel) -> t.Iterator[Finding]:
    return (_found(one) for one in _faults(model) if not (one.fatal and one.file.sure))


def _parameters_named(value: t.Any, name: str, path: Path = ()) -> t.Iterator[tuple[Path, str]]:
    """Yield each text under a key of this name at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name and isinstance(inner, str) and inner:
                yield (*path, key), inner
            yield from _parameters_named(inner, name, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _parameters_named(inner, name, (*path, place))


def sockets(model: StackModel) -> t.Iterator[Finding]:
    """A tokenizer's socket lies in a volume that the picker shares with the container that listens there."""
    for file in _files(model):
        for path, socket in _parameters_named(file.config, "socketFile"):
            folder = socket.rpartition("/")[0]
            mine = _volume_at(file.picker.container, folder)
            others = [c for c in dicts(file.picker.spec.get("containers")) if c is not file.picker.container]
            others += dicts(file.picker.spec.get("initContainers"))
            sharing = [c for c in others if mine and _volume_at(c, _socket_folder(c), mine)]
            if mine and sharing:
                continue
            where = listed({str(m.get("mountPath")) for c in others for m in dicts(c.get("volumeMounts"))})
            why = (
                f"no other container of the pod has its socket in volume {mine}"
                if mine
                else f"the picker mounts nothing at {folder}"
            )
            text = f"{file.title}: it uses the tokenizer at {socket}, but {why} (others mount {where})"
            yield finding(text, (file.side(path),), ("socket", file.picker.item.title))


def _socket_folder(container: Object) -> str | None:
    """Return where a container makes its socket, None where that is not known."""
    return _TOKENIZER[1] if _TOKENIZER[0] in str(container.get("image")) else None


def _volume_at(container: Object, folder: str | None, name: str = "") -> str:
    """Return the volume that a container mounts at a folder (None: anywhere) or above it, '' where it mounts none."""
    for mount in dicts(container.get("volumeMounts")):
        path = str(mount.get("mountPath") or "").rstrip("/")
        under = folder is None or folder == path or folder.startswith(f"{path}/")
        if under and (not name or mount.get("name") == name):
            return str(mount.get("name"))
    return ""


_rule = rule_factory("LLMD1")
_SOURCE = "the picker's sources, by version: plugins/module_utils/programs/pickers.py"

RULES = (
    _rule(
        15,
        "Profiles use declared plugins",
        references,
        "The plugins file is YAML, and every pluginRef in it names a plugin declared in it.",
        "The picker crashes at start; requests fail with 500.",
        "declare the plugin under plugins, or correct the pluginRef",
        "EndpointPickerConfig, plugins and schedulingProfiles",
    ),
    _rule(
        16,
        "A picker can read its plugins file",
        fatal,
        "Keys, plugin types, parameters, feature gates, profile handlers and deciders are those that the picker has in "
        "the version of its image.",
        "The picker exits at start (CrashLoopBackOff), or a misspelt parameter has no effect; requests fail with 500.",
        "correct the plugins file",
        _SOURCE,
    ),
    _rule(
        17,
        "A plugins file has no unknown parameters",
        doubtful,
        "Each parameter is one that its plugin reads; for a picker of unknown version, one that some known version "
        "reads.",
        "The parameter has no effect, or the picker exits at start.",
        "remove it, or leave it if the image's own version takes it",
        _SOURCE,
        WARNING,
    ),
    _rule(
        18,
        "The picker reaches its tokenizer",
        sockets,
        "The folder of a tokenizer's socketFile is a volume that the picker and another container of its pod mount.",
        "The picker waits for the tokenizer, or scores nothing by prefixes.",
        "turn the tokenizer's sidecar on, and let both mount one volume at the socket's folder",
        "llm-d-kv-cache, UdsTokenizerConfig",
    ),
)
